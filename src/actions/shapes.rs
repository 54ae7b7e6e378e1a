//! Shapes that several answers share.

use std::collections::HashMap;
use std::fmt;
use std::sync::Arc;

use jiff::Timestamp;
use serde::Serialize;
use utoipa::ToSchema;

use crate::action::MAX_ANSWER;
use crate::atlassian;
use crate::clean::Clean;
use crate::confluence::{self, AccountId};

/// A person.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Person {
    /// The name to show.
    pub name: Clean,
    /// The Atlassian account id, usable as author.
    pub account_id: Clean,
}

/// A space.
#[derive(Debug, Serialize, ToSchema)]
pub struct Space {
    /// The space key, usable as space.
    pub key: Clean,
    pub name: Clean,
}

/// A Confluence site.
#[derive(Debug, Serialize, ToSchema)]
pub struct Site {
    /// The cloud id, usable as site.
    pub id: Clean,
    pub name: Clean,
    pub url: Clean,
}

impl From<&confluence::Space> for Space {
    fn from(space: &confluence::Space) -> Self {
        Self { key: (&space.key).into(), name: space.name.clone() }
    }
}

impl From<&confluence::Person> for Person {
    fn from(person: &confluence::Person) -> Self {
        Self { name: person.name().clone(), account_id: (&person.account_id).into() }
    }
}

impl From<&atlassian::Site> for Site {
    fn from(site: &atlassian::Site) -> Self {
        Self { id: site.cloud_id.as_str().into(), name: site.name.clone(), url: site.url.clone() }
    }
}

impl Person {
    /// The person of an account id, if their name is known.
    pub fn named(id: Option<&AccountId>, names: &HashMap<AccountId, Arc<Clean>>) -> Option<Self> {
        let id = id?;
        Some(Self { name: names.get(id)?.as_ref().clone(), account_id: id.into() })
    }
}

/// The room that the rows of a list have in an answer, in bytes.
pub const ROOM: usize = MAX_ANSWER - 8_000;

/// How many of `rows`, from the first, fit `room` bytes of JSON.
pub fn fitting<T: Serialize>(rows: &[T], mut room: usize) -> usize {
    let fits = |row: &T| {
        let size = serde_json::to_string(row).map_or(0, |text| text.len() + 1);
        let fits = size <= room;
        room = room.saturating_sub(size);
        fits
    };
    rows.iter().map(fits).take_while(|fits| *fits).count()
}

/// A row of a list that Confluence gives in pages, as a cursor of ours holds it.
#[derive(Clone, Default)]
pub struct Row {
    /// Confluence's cursor of the page that the row is in; absent for the first page.
    pub page: Option<String>,
    /// Counted from 0 within the page.
    pub index: usize,
}

impl Row {
    pub fn first_of(page: String) -> Self {
        Self { page: Some(page), index: 0 }
    }

    /// Another row of the same page.
    pub fn at(&self, index: usize) -> Self {
        Self { page: self.page.clone(), index }
    }

    pub fn parse(text: &str) -> Self {
        let (index, page) = text.split_once(':').unwrap_or_default();
        Self {
            page: Some(page).filter(|page| !page.is_empty()).map(str::to_owned),
            index: index.parse().unwrap_or_default(),
        }
    }
}

impl fmt::Display for Row {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.index, self.page.as_deref().unwrap_or_default())
    }
}

/// A status that is worth saying: of a thing that is not current.
pub fn status(status: &Clean) -> Option<Clean> {
    (!matches!(status.as_str(), "" | "current")).then(|| status.clone())
}

/// A time as answers show it: RFC 3339, UTC.
pub fn time(time: Timestamp) -> Clean {
    time.to_string().into()
}
