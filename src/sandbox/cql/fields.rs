//! The fields: which operators and values each one takes, and what it tests.

use jiff::Timestamp;

use super::Bad;
use super::dates::{Stretch, stretch};
use super::eval::Scope;
use super::lexer::Operator;
use super::lucene::{self, Text};
use super::parser::{Clause, Expression, Value};

/// A query that has been checked and can be asked of each document.
pub enum Test {
    And(Box<Test>, Box<Test>),
    Or(Box<Test>, Box<Test>),
    Not(Box<Test>),
    Words {
        place: Words,
        text: Text,
    },
    /// One of the document's values is one of these (any case).
    Among {
        attribute: Attribute,
        values: Vec<String>,
    },
    Time {
        of: Moment,
        operator: Operator,
        stretch: Stretch,
    },
}

/// Where words are looked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Words {
    Title,
    Text,
    /// As the product's search box does: everywhere, titles first.
    Site,
    SpaceTitle,
    Name,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Moment {
    Created,
    Modified,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Attribute {
    Title,
    Space,
    SpaceType,
    Type,
    Label,
    Creator,
    Contributor,
    Ancestor,
    Parent,
    Container,
    Id,
    Mention,
    Macro,
    User,
    /// What nobody has here: favourites and watches.
    Nothing,
}

/// What a query may refer to.
pub struct Setting<'a> {
    pub scope: Scope,
    pub now: Timestamp,
    /// Account id of the person who asks.
    pub me: &'a str,
}

pub fn check(expression: &Expression, setting: &Setting<'_>) -> Result<Test, Bad> {
    Ok(match expression {
        Expression::And(left, right) => {
            Test::And(Box::new(check(left, setting)?), Box::new(check(right, setting)?))
        }
        Expression::Or(left, right) => {
            Test::Or(Box::new(check(left, setting)?), Box::new(check(right, setting)?))
        }
        Expression::Not(inner) => Test::Not(Box::new(check(inner, setting)?)),
        Expression::Clause(clause) => check_clause(clause, setting)?,
    })
}

fn check_clause(clause: &Clause, setting: &Setting<'_>) -> Result<Test, Bad> {
    let of_users = clause.field == "user" || clause.field.starts_with("user.");
    if of_users != (setting.scope == Scope::Users) && clause.field != "type" {
        return Err(unsupported(clause));
    }
    let test = match clause.field.as_str() {
        "text" => words(clause, Words::Text)?,
        "sitesearch" => words(clause, Words::Site)?,
        "user.fullname" => words(clause, Words::Name)?,
        "space.title" => words(clause, Words::SpaceTitle)?,
        "title" if matches!(clause.operator, Operator::Contains | Operator::NotContains) => {
            words(clause, Words::Title)?
        }
        "created" => time(clause, Moment::Created, setting.now)?,
        "lastmodified" => time(clause, Moment::Modified, setting.now)?,
        field => among(clause, attribute(field).ok_or_else(|| unsupported(clause))?, setting)?,
    };
    Ok(if clause.operator.is_negative() { Test::Not(Box::new(test)) } else { test })
}

fn attribute(field: &str) -> Option<Attribute> {
    Some(match field {
        "title" => Attribute::Title,
        "space" | "space.key" => Attribute::Space,
        "space.type" => Attribute::SpaceType,
        "type" => Attribute::Type,
        "label" => Attribute::Label,
        "creator" => Attribute::Creator,
        "contributor" => Attribute::Contributor,
        "ancestor" => Attribute::Ancestor,
        "parent" => Attribute::Parent,
        "container" => Attribute::Container,
        "id" | "content" => Attribute::Id,
        "mention" => Attribute::Mention,
        "macro" => Attribute::Macro,
        "user" | "user.accountid" => Attribute::User,
        "favourite" | "favorite" | "watcher" => Attribute::Nothing,
        _ => return None,
    })
}

fn unsupported(clause: &Clause) -> Bad {
    Bad::new(format!("Unsupported CQL field '{}' for this resource", clause.field))
}

fn wrong_operator(clause: &Clause) -> Bad {
    Bad::new(format!("The operator is not supported for the field '{}'", clause.field))
}

fn words(clause: &Clause, place: Words) -> Result<Test, Bad> {
    if !matches!(clause.operator, Operator::Contains | Operator::NotContains) {
        return Err(wrong_operator(clause));
    }
    match clause.values.first() {
        Some(Value::Literal(query)) if !query.trim().is_empty() => {
            Ok(Test::Words { place, text: lucene::parse(query)? })
        }
        _ => Err(Bad::new(format!("The field '{}' needs words to look for", clause.field))),
    }
}

fn time(clause: &Clause, of: Moment, now: Timestamp) -> Result<Test, Bad> {
    let operator = clause.operator;
    if matches!(operator, Operator::Contains | Operator::NotContains | Operator::In | Operator::NotIn) {
        return Err(wrong_operator(clause));
    }
    match clause.values.first() {
        Some(value) => Ok(Test::Time { of, operator, stretch: stretch(value, now)? }),
        None => Err(wrong_operator(clause)),
    }
}

fn among(clause: &Clause, attribute: Attribute, setting: &Setting<'_>) -> Result<Test, Bad> {
    if !matches!(clause.operator, Operator::Equal | Operator::NotEqual | Operator::In | Operator::NotIn) {
        return Err(wrong_operator(clause));
    }
    let values = clause
        .values
        .iter()
        .map(|value| literal(value, attribute, clause, setting))
        .collect::<Result<_, _>>()?;
    Ok(Test::Among { attribute, values })
}

fn literal(
    value: &Value,
    attribute: Attribute,
    clause: &Clause,
    setting: &Setting<'_>,
) -> Result<String, Bad> {
    let of_people = matches!(
        attribute,
        Attribute::Creator
            | Attribute::Contributor
            | Attribute::Mention
            | Attribute::User
            | Attribute::Nothing
    );
    let text = match value {
        Value::Function { name, arguments } => {
            return match name.to_lowercase().as_str() {
                "currentuser" if of_people && arguments.is_empty() => Ok(setting.me.to_lowercase()),
                _ => Err(Bad::new(format!(
                    "The function '{name}' is not supported for the field '{}'",
                    clause.field
                ))),
            };
        }
        Value::Literal(text) => text.to_lowercase(),
    };
    let refused = || Err(Bad::new(format!("Invalid value '{text}' for the field '{}'", clause.field)));
    let number = |text: &str| !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
    match attribute {
        _ if text.is_empty() => refused(),
        Attribute::Type if !TYPES.contains(&text.as_str()) => refused(),
        Attribute::SpaceType if !["personal", "global"].contains(&text.as_str()) => refused(),
        Attribute::Ancestor | Attribute::Parent | Attribute::Container if !number(&text) => refused(),
        Attribute::Id if !number(text.strip_prefix("att").unwrap_or(&text)) => refused(),
        Attribute::Id => Ok(text.strip_prefix("att").unwrap_or(&text).to_owned()),
        Attribute::Label => Ok(text.strip_prefix("global:").unwrap_or(&text).to_owned()),
        _ => Ok(text),
    }
}

const TYPES: &[&str] = &[
    "page",
    "blogpost",
    "comment",
    "attachment",
    "space",
    "user",
    "folder",
    "whiteboard",
    "database",
    "embed",
];
