//! Reading one page: what the actions that answer with a page share.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::conversion::{Converted, converted};
use super::shapes::{Person, Space, fitting, status, time};
use crate::action::{Wiki, clip, json_bytes};
use crate::clean::{Clean, CleanText, counting_removed};
use crate::confluence::ContentId;
use crate::markdown::{self, Heading, INVISIBLE_CHARACTERS, Omitted, Part, PartSize};
use crate::problem::Problem;

/// The longest heading of an outline and the longest name of a loss, in characters.
const MAX_HEADING: usize = 60;
/// What one more count of losses takes, in bytes.
const COUNT: usize = 64;
/// The least room that a part is given, in bytes, whatever stands around it.
pub const LEAST_PART: usize = 500;

/// The least that a row of a list takes in an answer, in bytes: two quotes and a comma.
const LEAST_ROW: usize = 3;

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
    #[schema(minimum = 1, maximum = 1_000_000, example = 3)]
    version: Option<u32>,
}

/// A page or blog post.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Page {
    id: Clean,
    /// page or blogpost.
    r#type: Clean,
    title: Clean,
    space: Space,
    /// The link to show to the person.
    url: Clean,
    /// Present when it is not current, such as archived.
    #[serde(skip_serializing_if = "Option::is_none")]
    status: Option<Clean>,
    version: u32,
    /// RFC 3339, UTC.
    #[schema(value_type = String, format = DateTime)]
    last_modified: Clean,
    #[serde(skip_serializing_if = "Option::is_none")]
    last_modified_by: Option<Person>,
    labels: Vec<Clean>,
    /// The headings of the whole page, each with the part it is in.
    outline: Vec<OutlineHeading>,
    /// The text of this part.
    markdown: CleanText,
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
    heading: Clean,
    /// 1 to 6.
    level: u8,
    part: u32,
}

/// Something that is not in the Markdown.
#[derive(Serialize, ToSchema)]
pub struct Omission {
    what: Clean,
    count: u64,
}

impl Omission {
    pub fn new(what: impl Into<Clean>, count: u64) -> Self {
        Self { what: clip(&what.into(), MAX_HEADING), count }
    }
}

/// Counts characters that were taken out of what stands beside the text, under the name of those in it.
pub fn count_removed(omitted: &mut Vec<Omission>, removed: u64) {
    match omitted.iter_mut().find(|known| known.what == INVISIBLE_CHARACTERS) {
        Some(known) => known.count += removed,
        None if removed > 0 => omitted.push(Omission::new(INVISIBLE_CHARACTERS, removed)),
        None => {}
    }
}

impl Page {
    pub fn id(&self) -> &Clean {
        &self.id
    }
}

impl Reading {
    /// The whole page in parts of `max_chars`, from the beginning.
    pub fn whole(max_chars: u32) -> Self {
        Self { part: 1, section: None, query: None, max_chars, version: None }
    }

    /// The part of a page or blog post that was asked for, in an answer of at most `room` bytes.
    pub async fn read(&self, wiki: &Wiki, id: &ContentId, room: usize) -> Result<Page, Problem> {
        let page = converted(wiki, id, self.version).await?;
        let selects = self.section.is_some() || self.query.is_some();
        let _turn = if selects { page.turn().await } else { None };
        wiki.aside(page.markdown.markdown().len(), || self.cut(wiki, &page, room)).await
    }

    /// The part of a page's Markdown that was asked for.
    fn cut(&self, wiki: &Wiki, converted: &Converted, room: usize) -> Result<Page, Problem> {
        let whole = &converted.markdown;
        let wanted = self.wanted(whole)?;
        let mut page = self.page(wiki, converted, room);
        // Rounded up, so that the same text is cut alike when a name around it changes.
        let (length, removed) = counting_removed(|| json_bytes(&page));
        let around = if removed > 0 { length + COUNT } else { length };
        let around = around.next_multiple_of(1024);
        let size = PartSize {
            chars: self.max_chars as usize,
            json_bytes: room.saturating_sub(around).max(LEAST_PART),
        };
        let parts = whole.cut(size);
        for (heading, entry) in page.outline.iter_mut().zip(parts.outline()) {
            heading.part = narrow(entry.part);
        }
        let parts = wanted.as_ref().map_or(parts, |wanted| wanted.cut(size));
        page.parts = narrow(parts.count());
        page.next_part = (page.parts > self.part).then(|| self.part + 1);
        let text = parts.get(self.part as usize).ok_or_else(|| {
            let found = format!("there is no part {} with this maxChars, section and query", self.part);
            Problem::invalid("part", found, format!("1 to {}", page.parts))
        })?;
        page.markdown = Part::into_text(text);
        count_removed(&mut page.omitted, removed + u64::from(page.markdown.removed()));
        Ok(page)
    }

    /// Everything but the text, with the largest numbers where the text decides.
    fn page(&self, wiki: &Wiki, converted: &Converted, room: usize) -> Page {
        let Converted { page: document, markdown: whole, .. } = converted;
        let content = &document.content;
        let (outline, unlisted) = within(whole.headings().map(OutlineHeading::from), room / 5);
        let unlisted = Omission::new("headings in the outline", unlisted);
        let (mut omitted, _) = within(whole.omitted().iter().map(Omission::from), room / 10);
        omitted.extend((unlisted.count > 0).then_some(unlisted));
        Page {
            id: (&content.id).into(),
            r#type: document.kind.name().into(),
            title: clip(&content.title, 255),
            space: Space::from(&*document.space),
            url: wiki.url(&content.web_path()),
            status: status(&content.status),
            version: content.version.number,
            last_modified: time(content.version.created_at),
            last_modified_by: Person::named(content.version.author_id.as_ref(), &document.people),
            labels: within(content.labels().into_iter(), room / 20).0,
            omitted,
            outline,
            markdown: CleanText::default(),
            part: self.part,
            parts: u32::MAX,
            next_part: Some(u32::MAX),
            max_chars: self.max_chars,
        }
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

/// As many of `rows` from the first as fit `room` bytes of JSON, and how many do not. A page may have a million headings: what
/// does not fit is only counted.
fn within<T: Serialize>(mut rows: impl Iterator<Item = T>, room: usize) -> (Vec<T>, u64) {
    let mut listed: Vec<T> = rows.by_ref().take(room / LEAST_ROW).collect();
    let fitting = fitting(&listed, room);
    let dropped = listed.len() - fitting + rows.count();
    listed.truncate(fitting);
    (listed, dropped as u64)
}

impl From<Heading<'_>> for OutlineHeading {
    fn from(heading: Heading<'_>) -> Self {
        Self { heading: clip(&Clean::from(heading.text), MAX_HEADING), level: heading.level, part: u32::MAX }
    }
}

impl From<&Omitted> for Omission {
    fn from(loss: &Omitted) -> Self {
        Self { what: clip(&loss.what, MAX_HEADING), count: loss.count }
    }
}

fn narrow(number: usize) -> u32 {
    u32::try_from(number).unwrap_or(u32::MAX)
}
