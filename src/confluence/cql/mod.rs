//! CQL, Confluence's query language: the only place that writes it, and pure.
//!
//! Whatever a person or a model sends becomes a type first ([`Words`], [`RawCql`], [`DateBound`]); [`build`]
//! joins the types with AND and nothing else. Confluence reads AND and OR from left to right, so each conjunct
//! is either one comparison or a whole group in parentheses: no part can widen what another part narrows.

mod dates;
mod error;
mod raw;
#[cfg(test)]
mod tests;
mod words;

pub use dates::DateBound;
pub use error::{CqlError, Fault};
pub use raw::{RawCql, parse_raw};
pub use words::Words;

/// What to search for. Everything present must hold; several spaces or types mean any of them, several labels
/// all of them.
#[derive(Clone, Debug, Default)]
pub struct Filters {
    /// Empty: pages and blog posts, or what the raw CQL says of `type` where it says anything.
    pub types: Vec<String>,
    pub query: Option<Words>,
    pub raw: Option<RawCql>,
    pub spaces: Vec<String>,
    pub title: Option<Words>,
    pub labels: Vec<String>,
    pub author: Option<Author>,
    /// Who created or edited it.
    pub contributor: Option<Author>,
    pub ancestor: Option<String>,
    pub updated_after: Option<DateBound>,
    pub updated_before: Option<DateBound>,
    /// Absent: the ORDER BY of the raw CQL, if it has one. Present: this, whatever the raw CQL says.
    pub sort: Option<Sort>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Author {
    Me,
    AccountId(String),
}

impl Author {
    fn is(&self, field: &str) -> String {
        match self {
            Self::Me => format!("{field} = currentUser()"),
            Self::AccountId(id) => format!("{field} = {}", quote(id)),
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sort {
    Relevance,
    Updated,
    Created,
    Title,
}

/// Where plain words are looked for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Field {
    /// What the product's own search box uses; not in Atlassian's public list, so a site may answer 400.
    #[default]
    SiteSearch,
    /// The documented field, for the second try.
    Text,
}

/// One search, ready to send.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Built {
    /// The caller's part, which answers may show.
    pub caller: String,
    /// What is sent: the caller's part within the spaces of the policy.
    pub full: String,
}

/// Writes `filters` as CQL, confined to `policy_spaces` where the policy names any.
///
/// An empty list of allowed spaces is an error, never an unconfined search.
pub fn build(filters: &Filters, field: Field, policy_spaces: Option<&[String]>) -> Result<Built, CqlError> {
    if let (Some(after), Some(before)) = (&filters.updated_after, &filters.updated_before)
        && after.is_certainly_later_than(before)
    {
        return Err(CqlError::ReversedDates);
    }
    let criteria = criteria(filters, field);
    if criteria.is_empty() && filters.types.is_empty() {
        return Err(CqlError::Nothing);
    }
    // Confluence refuses a query that begins with a negative comparison, so what is never negative comes first.
    let types = types(filters);
    let policy = match policy_spaces {
        Some([]) => return Err(CqlError::NoAllowedSpace),
        Some(spaces) => any_of("space", spaces),
        None => None,
    };
    let order = order(filters);
    let caller = types.iter().chain(&criteria);
    let full = types.iter().chain(&policy).chain(&criteria);
    Ok(Built { caller: conjunction(caller, order.as_deref()), full: conjunction(full, order.as_deref()) })
}

/// What is searched where nobody says.
const TYPES: [&str; 2] = ["page", "blogpost"];

impl Filters {
    /// Whether content of this type is asked for. Where raw CQL decides that, any may be.
    pub fn asks_for_type(&self, name: &str) -> bool {
        if self.types.is_empty() {
            self.raw_decides_type() || TYPES.contains(&name)
        } else {
            self.types.iter().any(|known| known == name)
        }
    }

    fn raw_decides_type(&self) -> bool {
        self.raw.as_ref().is_some_and(|raw| raw.names_field("type"))
    }
}

fn types(filters: &Filters) -> Option<String> {
    if !filters.types.is_empty() {
        return any_of("type", &filters.types);
    }
    let types: Vec<String> = TYPES.map(str::to_owned).into();
    if filters.raw_decides_type() { None } else { any_of("type", &types) }
}

fn criteria(filters: &Filters, field: Field) -> Vec<String> {
    let mut criteria = Vec::new();
    if let Some(words) = &filters.query {
        let field = match field {
            Field::SiteSearch => "siteSearch",
            Field::Text => "text",
        };
        criteria.push(format!("{field} ~ {}", quote(words.as_str())));
    }
    criteria.extend(any_of("space", &filters.spaces));
    if let Some(words) = &filters.title {
        criteria.push(format!("title ~ {}", quote(words.as_str())));
    }
    criteria.extend(filters.labels.iter().map(|label| format!("label = {}", quote(label))));
    criteria.extend(filters.author.as_ref().map(|author| author.is("creator")));
    criteria.extend(filters.contributor.as_ref().map(|author| author.is("contributor")));
    criteria.extend(filters.ancestor.as_ref().map(|id| format!("ancestor = {}", quote(id))));
    criteria.extend(filters.updated_after.as_ref().map(DateBound::at_or_after));
    criteria.extend(filters.updated_before.as_ref().map(DateBound::at_or_before));
    criteria.extend(filters.raw.as_ref().map(|raw| format!("({})", raw.clause())));
    criteria
}

fn order(filters: &Filters) -> Option<String> {
    match filters.sort {
        Some(Sort::Relevance) => None,
        Some(Sort::Updated) => Some("lastmodified desc".to_owned()),
        Some(Sort::Created) => Some("created desc".to_owned()),
        Some(Sort::Title) => Some("title asc".to_owned()),
        None => filters.raw.as_ref().and_then(RawCql::order_by).map(str::to_owned),
    }
}

fn conjunction<'c>(conjuncts: impl Iterator<Item = &'c String>, order: Option<&str>) -> String {
    let mut cql = conjuncts.map(String::as_str).collect::<Vec<_>>().join(" AND ");
    if let Some(order) = order {
        cql.push_str(" ORDER BY ");
        cql.push_str(order);
    }
    cql
}

fn any_of(field: &str, values: &[String]) -> Option<String> {
    if values.is_empty() {
        return None;
    }
    let values: Vec<_> = values.iter().map(|value| quote(value)).collect();
    Some(format!("{field} IN ({})", values.join(", ")))
}

/// A CQL string with `value` in it, whatever `value` holds. Control characters become spaces.
pub fn quote(value: &str) -> String {
    let mut quoted = String::with_capacity(value.len() + 2);
    quoted.push('"');
    for character in value.chars() {
        match character {
            '"' | '\\' => quoted.extend(['\\', character]),
            control if control.is_control() => quoted.push(' '),
            other => quoted.push(other),
        }
    }
    quoted.push('"');
    quoted
}
