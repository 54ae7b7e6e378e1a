//! Confluence's storage format or rendered HTML in, Markdown out, with a report of what is not in it. Pure functions:
//! no IO, nothing shared, nothing async; whatever comes in, they end in time and memory linear in it.
//!
//! `tokens` reads storage format, `html` rendered pages, `commonmark` Markdown of others; all tell `convert` of elements. `elements`, `storage`,
//! `references` and `macros` know what these mean, and tell `writer` of blocks and text. `document`, `parts` and `passages` hand out what has been written.

mod builder;
mod commonmark;
mod convert;
mod document;
mod element;
mod elements;
mod emoji;
mod entities;
mod escape;
mod expansions;
mod hidden;
mod html;
mod index;
mod losses;
mod macro_names;
mod macros;
mod parts;
mod passages;
mod references;
mod resources;
mod storage;
mod tokens;
mod writer;

use std::collections::HashMap;

pub use builder::Builder;
pub use commonmark::from_markdown;
pub use document::Document;
pub use expansions::{Expansions, Inclusion, PageReference, included_pages};
pub use html::from_html;
pub use index::Heading;
pub use losses::{INVISIBLE_CHARACTERS, Omitted};
pub use parts::{OutlineEntry, Part, PartSize, Parts};
pub use passages::Passage;
pub use storage::{from_storage, from_storage_with, mentioned_people};

/// What the converter has to know about the page it converts.
pub struct Context<'a> {
    /// `https://acme.atlassian.net/wiki`, without a slash at the end.
    pub wiki_url: &'a str,
    pub page_id: &'a str,
    /// Of the page; links to pages that name no space are in it.
    pub space_key: Option<&'a str>,
    /// Names by account id.
    pub people: &'a HashMap<String, String>,
}
