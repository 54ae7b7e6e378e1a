//! Reading one page: what the actions that answer with a page share.

use std::collections::HashMap;

use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::ToSchema;

use super::shapes::{Person, Space, status, time};
use crate::action::{Document, MAX_ANSWER, Wiki, clip};
use crate::markdown::{self, Context, Omitted, OutlineEntry, PartSize};
use crate::problem::Problem;

/// The most headings an outline lists, and the longest of them in characters.
const MAX_OUTLINE: usize = 150;
const MAX_HEADING: usize = 60;
/// The most kinds of losses that are listed, and the longest name of one in characters.
const MAX_LOSSES: usize = 30;
const MAX_LOSS: usize = 60;
/// The most that all labels together take, in bytes.
const MAX_LABELS: usize = 3_000;
/// What an answer holds beside Markdown and outline, at the most, in bytes: 30 losses of 60 characters, the labels, and
/// title, names and links of the page.
const AROUND: usize = 16_000;
/// What one heading of the outline takes beside its text, at the most.
const AROUND_HEADING: usize = 48;

/// How to read a page.
#[derive(Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Reading {
    /// Which part of a long page, counted from 1; nextPart of the answer before.
    #[serde(default)]
    #[schema(minimum = 1, maximum = 100_000, default = 1)]
    part: u32,
    /// Only the section under this heading, as the outline has it.
    #[schema(max_length = 255, example = "Rollback")]
    section: Option<String>,
    /// Only the passages that hold these words, each with its headings.
    #[schema(max_length = 500, example = "rollback steps")]
    query: Option<String>,
    /// How long a part may be, in characters.
    #[serde(default)]
    #[schema(minimum = 1_000, maximum = 90_000, default = 30_000)]
    max_chars: u32,
    /// An earlier version of the page. Give the version of the first part to go on reading the same text.
    #[schema(minimum = 1, maximum = 1_000_000)]
    version: Option<u32>,
}

/// A page or blog post.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Page {
    id: String,
    /// page or blogpost.
    r#type: String,
    title: String,
    space: Space,
    /// The link to show to the person.
    url: String,
    /// Present when it is not current, such as archived.
    #[serde(skip_serializing_if = "Option::is_none")]
    status: Option<String>,
    version: u32,
    /// RFC 3339, UTC.
    #[schema(format = DateTime)]
    last_modified: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    last_modified_by: Option<Person>,
    labels: Vec<String>,
    /// The headings of the whole page, each with the part it is in.
    outline: Vec<OutlineHeading>,
    /// The text of this part.
    markdown: String,
    part: u32,
    parts: u32,
    /// There is more: call again with this as part, the same maxChars and this version.
    #[serde(skip_serializing_if = "Option::is_none")]
    next_part: Option<u32>,
    max_chars: u32,
    /// What of the page the Markdown does not show.
    omitted: Vec<Omission>,
}

/// A heading.
#[derive(Serialize, ToSchema)]
pub struct OutlineHeading {
    heading: String,
    /// 1 to 6.
    level: u8,
    part: u32,
}

/// Something that is not in the Markdown.
#[derive(Serialize, ToSchema)]
pub struct Omission {
    what: String,
    count: u64,
}

impl Reading {
    /// The version that the caller pinned.
    pub fn version(&self) -> Option<u32> {
        self.version
    }

    /// The part of `document` that was asked for.
    pub fn read(&self, wiki: &Wiki, document: &Document) -> Result<Page, Problem> {
        let whole = convert(wiki, document);
        let size = PartSize {
            chars: self.max_chars as usize,
            json_bytes: MAX_ANSWER - AROUND - outline_bytes(&whole),
        };
        let wanted = self.wanted(&whole)?;
        let parts = wanted.as_ref().unwrap_or(&whole).parts(size);
        let count = parts.len();
        let text = parts.into_iter().nth(self.part as usize - 1).ok_or_else(|| {
            Problem::invalid(
                "part",
                format!("there is no part {} with this maxChars, section and query", self.part),
                format!("1 to {count}"),
            )
        })?;
        let content = &document.content;
        let editor = content.version.author_id.as_ref().and_then(|id| Some((id, document.people.get(id)?)));
        let outline = whole.outline(size);
        Ok(Page {
            id: content.id.to_string(),
            r#type: document.kind.name().to_owned(),
            title: clip(&content.title, 255),
            space: Space::from(&*document.space),
            url: wiki.url(&content.web_path()),
            status: status(&content.status),
            version: content.version.number,
            last_modified: time(content.version.created_at),
            last_modified_by: editor
                .map(|(id, name)| Person { name: name.to_string(), account_id: id.to_string() }),
            labels: labels(content.labels()),
            omitted: omissions(whole.omitted(), outline.len()),
            outline: outline.iter().take(MAX_OUTLINE).map(OutlineHeading::from).collect(),
            markdown: text.into_text(),
            part: self.part,
            parts: narrow(count),
            next_part: (narrow(count) > self.part).then(|| self.part + 1),
            max_chars: self.max_chars,
        })
    }

    /// The section or the passages that were asked for; nothing: the whole page.
    fn wanted(&self, whole: &markdown::Document) -> Result<Option<markdown::Document>, Problem> {
        let section = match &self.section {
            Some(heading) => Some(whole.section(heading).ok_or_else(|| {
                Problem::invalid(
                    "section",
                    "the page has no such heading",
                    "a heading of the page's outline, which getPage without section returns",
                )
            })?),
            None => None,
        };
        Ok(match &self.query {
            // Words that the page does not hold leave nothing, which is an answer.
            Some(query) => Some(
                section.as_ref().unwrap_or(whole).matching(query).unwrap_or_else(markdown::Document::empty),
            ),
            None => section,
        })
    }
}

fn convert(wiki: &Wiki, document: &Document) -> markdown::Document {
    let people: HashMap<String, String> =
        document.people.iter().map(|(id, name)| (id.to_string(), name.to_string())).collect();
    let context = Context {
        wiki_url: &format!("{}/wiki", wiki.site().url),
        page_id: document.content.id.as_str(),
        space_key: Some(document.space.key.as_str()),
        people: &people,
    };
    markdown::from_storage(document.content.storage(), &context)
}

/// The converter's losses, and the headings that the outline has no room for.
fn omissions(losses: &[Omitted], headings: usize) -> Vec<Omission> {
    let unlisted = headings.saturating_sub(MAX_OUTLINE);
    let outline = (unlisted > 0)
        .then(|| Omission { what: "headings in the outline".to_owned(), count: unlisted as u64 });
    let losses = losses
        .iter()
        .take(MAX_LOSSES)
        .map(|loss| Omission { what: clip(&loss.what, MAX_LOSS), count: loss.count });
    losses.chain(outline).collect()
}

impl From<&OutlineEntry<'_>> for OutlineHeading {
    fn from(entry: &OutlineEntry<'_>) -> Self {
        Self { heading: clip(entry.heading, MAX_HEADING), level: entry.level, part: narrow(entry.part) }
    }
}

/// What the outline of a page takes in an answer, at the most.
fn outline_bytes(document: &markdown::Document) -> usize {
    let headings = document.headings().take(MAX_OUTLINE);
    headings
        .map(|heading| AROUND_HEADING + Value::from(clip(&heading.text, MAX_HEADING)).to_string().len())
        .sum()
}

fn labels(labels: Vec<String>) -> Vec<String> {
    let mut room = MAX_LABELS;
    let fits = |label: &String| {
        let needed = label.len() + 3;
        let fits = needed <= room;
        room = room.saturating_sub(needed);
        fits
    };
    labels.into_iter().take_while(fits).collect()
}

fn narrow(number: usize) -> u32 {
    u32::try_from(number).unwrap_or(u32::MAX)
}
