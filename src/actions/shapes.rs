//! Shapes that several answers share.

use jiff::Timestamp;
use serde::Serialize;
use utoipa::ToSchema;

use crate::atlassian;
use crate::confluence;

/// A person.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Person {
    /// The name to show.
    pub name: String,
    /// The Atlassian account id, usable as author.
    pub account_id: String,
}

/// A space.
#[derive(Debug, Serialize, ToSchema)]
pub struct Space {
    /// The space key, usable as space.
    pub key: String,
    pub name: String,
}

/// A Confluence site.
#[derive(Debug, Serialize, ToSchema)]
pub struct Site {
    /// The cloud id, usable as site.
    pub id: String,
    pub name: String,
    pub url: String,
}

impl From<&confluence::Space> for Space {
    fn from(space: &confluence::Space) -> Self {
        Self { key: space.key.to_string(), name: space.name.clone() }
    }
}

impl From<&confluence::Person> for Person {
    fn from(person: &confluence::Person) -> Self {
        Self { name: person.name().to_owned(), account_id: person.account_id.to_string() }
    }
}

impl From<&atlassian::Site> for Site {
    fn from(site: &atlassian::Site) -> Self {
        Self { id: site.cloud_id.as_str().to_owned(), name: site.name.clone(), url: site.url.clone() }
    }
}

/// A status that is worth saying: of a thing that is not current.
pub fn status(status: &str) -> Option<String> {
    (!matches!(status, "" | "current")).then(|| status.to_owned())
}

/// A time as answers show it: RFC 3339, UTC.
pub fn time(time: Timestamp) -> String {
    time.to_string()
}
