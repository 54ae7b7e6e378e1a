//! The one validator of both doors: from what was sent, guided by the input's schema, to the JSON object that an action reads.

use std::fmt;
use std::str::FromStr;

use percent_encoding::percent_decode_str;
use serde::de::{DeserializeOwned, Error as _};
use serde::{Deserialize, Deserializer};
use serde_json::{Map, Value};
use utoipa::ToSchema;

use super::plain;
use crate::clean::Clean;
use crate::problem::Problem;

/// The longest text a parameter may have where its schema names no limit, in characters.
const MAX_TEXT: usize = 2_000;
/// The most items a comma-separated list may have.
const MAX_ITEMS: usize = 100;

/// Several values in one comma-separated text; never empty.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CommaList<T>(pub Vec<T>);

impl<'de, T: FromStr<Err: fmt::Display>> Deserialize<'de> for CommaList<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        let items = text.split(',').map(str::trim).filter(|item| !item.is_empty());
        let items: Vec<T> = items
            .map(|item| {
                item.parse()
                    .map_err(|error| D::Error::custom(format!("{:?} is {error}", Clean::from(item).as_str())))
            })
            .collect::<Result<_, _>>()?;
        match items.len() {
            0 => Err(D::Error::custom("the list is empty")),
            1..=MAX_ITEMS => Ok(Self(items)),
            _ => Err(D::Error::custom(format!("the list has more than {MAX_ITEMS} items"))),
        }
    }
}

/// Path and query as the same object that MCP sends: numbers and booleans where the schema has them; an empty value means absent.
pub fn from_request(
    schema: &Map<String, Value>,
    path: &[(String, String)],
    query: &str,
) -> Result<Map<String, Value>, Problem> {
    let mut input = Map::new();
    for (name, value) in path {
        input.insert(name.clone(), Value::String(value.clone()));
    }
    for pair in query.split('&').filter(|pair| !pair.is_empty()) {
        let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
        let name = decode(name).ok_or_else(|| {
            Problem::invalid("query string", "a name is not UTF-8", "percent-encoded UTF-8")
        })?;
        let shown = shown(&name);
        let value = decode(value)
            .ok_or_else(|| Problem::invalid(&shown, "its value is not UTF-8", "percent-encoded UTF-8"))?;
        if matches!(name.as_str(), "access_token" | "token" | "bearer") {
            return Err(Problem::invalid(
                &name,
                "a token may not stand in a URL",
                "leave it out and send the header Authorization: Bearer",
            ));
        }
        if input.contains_key(&name) {
            return Err(Problem::invalid(&shown, "it is given twice", accepted(schema, &name)));
        }
        input.insert(name, Value::String(value));
    }
    Ok(input)
}

fn decode(text: &str) -> Option<String> {
    let text = text.replace('+', " ");
    percent_decode_str(&text).decode_utf8().ok().map(std::borrow::Cow::into_owned)
}

/// Checks an object against a plain schema, and fills in defaults. Unknown names are refused; null and empty text mean absent.
pub fn check(schema: &Map<String, Value>, input: Map<String, Value>) -> Result<Map<String, Value>, Problem> {
    let none = Map::new();
    let properties = schema.get("properties").and_then(Value::as_object).unwrap_or(&none);
    let mut checked = Map::new();
    for (name, value) in input {
        let Some(property) = properties.get(&name) else {
            let known: Vec<&str> = properties.keys().map(String::as_str).collect();
            return Err(Problem::invalid(
                &shown(&name),
                "there is no such parameter",
                format!("leave it out; the parameters are {}", known.join(", ")),
            ));
        };
        if value.is_null() || value == "" {
            continue;
        }
        let value = coerce(property, value);
        if let Some(fault) = fault(property, &value) {
            return Err(Problem::invalid(&name, fault, accepted(schema, &name)));
        }
        checked.insert(name, value);
    }
    for (name, property) in properties {
        if let (Some(default), false) = (property.get("default"), checked.contains_key(name)) {
            checked.insert(name.clone(), default.clone());
        }
    }
    let required =
        schema.get("required").and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str);
    for name in required {
        if !checked.contains_key(name) {
            return Err(Problem::invalid(name, "it is missing", accepted(schema, name)));
        }
    }
    Ok(checked)
}

/// Reads a checked object into an action's input. What a type refuses is said of the field it is in.
pub fn read<T: DeserializeOwned + ToSchema>(input: &Value) -> Result<T, Problem> {
    T::deserialize(input).map_err(|error| {
        let field = culprit::<T>(input, &error.to_string());
        Problem::invalid(&field, error, accepted(&plain::<T>(), &field))
    })
}

/// The field that is to blame: a path is of no help, since there is none inside of flattened fields. Without the one at
/// fault the same is not said again; that a field is missing is said of any that is needed, so those come last.
fn culprit<T: DeserializeOwned>(input: &Value, fault: &str) -> String {
    let names = || input.as_object().into_iter().flatten().map(|(name, _)| name);
    let without = |name: &str| {
        let mut others = input.clone();
        others.as_object_mut().and_then(|others| others.remove(name));
        serde_json::from_value::<T>(others).err().map(|error| error.to_string())
    };
    let changes = |name: &&String| without(name).is_none_or(|error| error != fault);
    let is_needed = |name: &&String| without(name).is_some_and(|error| error.starts_with("missing field"));
    let to_blame = names().find(|name| changes(name) && !is_needed(name)).or_else(|| names().find(changes));
    to_blame.cloned().unwrap_or_default()
}

/// Text where the schema has a number or a boolean: query strings, and models that quote numbers.
fn coerce(property: &Value, value: Value) -> Value {
    let Some(text) = value.as_str().map(str::trim) else { return value };
    let coerced = match property["type"].as_str() {
        Some("integer") => text.parse::<i64>().ok().map(Value::from),
        Some("boolean") => text.parse::<bool>().ok().map(Value::from),
        _ => None,
    };
    coerced.unwrap_or(value)
}

/// What is wrong with a value, if anything.
fn fault(property: &Value, value: &Value) -> Option<String> {
    match property["type"].as_str() {
        Some("integer") => {
            let Some(number) = value.as_i64() else {
                return Some(format!("{} is not a whole number", short(value)));
            };
            let below = property["minimum"].as_i64().is_some_and(|minimum| number < minimum);
            let above = property["maximum"].as_i64().is_some_and(|maximum| number > maximum);
            (below || above).then(|| format!("{number} is out of range"))
        }
        Some("boolean") => {
            (!value.is_boolean()).then(|| format!("{} is neither true nor false", short(value)))
        }
        Some("string") => {
            let Some(text) = value.as_str() else { return Some(format!("{} is not text", short(value))) };
            text_fault(property, text)
        }
        _ => None,
    }
}

fn text_fault(property: &Value, text: &str) -> Option<String> {
    if text.chars().any(|character| character.is_control() && !matches!(character, '\t' | '\n'))
        || text.contains('\u{fffe}')
    {
        return Some("it holds control characters".to_owned());
    }
    let longest =
        property["maxLength"].as_u64().and_then(|length| usize::try_from(length).ok()).unwrap_or(MAX_TEXT);
    if text.chars().count() > longest {
        return Some(format!("it is longer than {longest} characters"));
    }
    let choices = property["enum"].as_array()?;
    (!choices.iter().any(|choice| choice == text))
        .then(|| format!("{} is not one of the values", short(&Value::from(text))))
}

/// What a parameter accepts, in words made from its schema.
fn accepted(schema: &Map<String, Value>, name: &str) -> String {
    let property =
        schema.get("properties").and_then(|properties| properties.get(name)).unwrap_or(&Value::Null);
    if let Some(choices) = property["enum"].as_array() {
        let choices: Vec<&str> = choices.iter().filter_map(Value::as_str).collect();
        return format!("one of {}", choices.join(", "));
    }
    match (property["type"].as_str(), property["minimum"].as_i64(), property["maximum"].as_i64()) {
        (Some("integer"), Some(minimum), Some(maximum)) => {
            format!("a whole number from {minimum} to {maximum}")
        }
        (Some("integer"), Some(minimum), None) => format!("a whole number of at least {minimum}"),
        (Some("integer"), ..) => "a whole number".to_owned(),
        (Some("boolean"), ..) => "true or false".to_owned(),
        _ => {
            let description = property["description"].as_str().unwrap_or("once, as its description says");
            description.trim_end_matches('.').replace('\n', " ")
        }
    }
}

/// A found value, short enough to be repeated in an error.
fn short(value: &Value) -> String {
    let text = match value {
        Value::String(text) => Value::from(Clean::from(text.as_str()).as_str()).to_string(),
        value => value.to_string(),
    };
    if text.chars().count() <= 60 {
        text
    } else {
        format!("{}…", text.chars().take(60).collect::<String>())
    }
}

/// A name as sent, without what could disturb an error's text.
fn shown(name: &str) -> String {
    Clean::from(name).chars().take(60).collect()
}
