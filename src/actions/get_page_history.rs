use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::conversion::convert;
use super::diff::Diff;
use super::shapes::{Person, ROOM, fitting, time};
use crate::action::{Action, Caller, Document, Wiki, clip};
use crate::clean::{Clean, CleanText};
use crate::confluence::{ContentId, Version};
use crate::problem::{Kind, Problem};

/// The size of a version, in bytes, from which on there may be no room for a second one.
const LARGE: usize = 5 * 1024 * 1024;
/// How many versions one answer lists.
const LIMIT: u32 = 25;

/// Show a page's history
///
/// Returns the versions of a page or blog post, newest first: number, when, who and the message. With compare it returns what changed between two versions instead, as a diff of their Markdown.
#[derive(Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct GetPageHistory {
    /// The id of the page or blog post.
    #[schema(value_type = String, max_length = 20, example = "1310745")]
    id: ContentId,
    /// Two version numbers to compare, such as 3,5; one number compares it with the current version.
    #[schema(max_length = 21, example = "1,2")]
    compare: Option<String>,
    /// The nextCursor of the answer before, to go on; all other parameters unchanged.
    #[schema(max_length = 4000)]
    cursor: Option<String>,
}

/// The versions, or what changed between two.
#[derive(Default, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct PageHistory {
    /// The versions, newest first; absent with compare.
    #[serde(skip_serializing_if = "Option::is_none")]
    results: Option<Vec<PageVersion>>,
    /// The earlier version compared.
    #[serde(skip_serializing_if = "Option::is_none")]
    from: Option<PageVersion>,
    /// The later version compared.
    #[serde(skip_serializing_if = "Option::is_none")]
    to: Option<PageVersion>,
    /// A unified diff of the Markdown; empty when nothing that Markdown shows has changed.
    #[serde(skip_serializing_if = "Option::is_none")]
    diff: Option<CleanText>,
    /// There is more: call again with this as cursor.
    #[serde(skip_serializing_if = "Option::is_none")]
    next_cursor: Option<Clean>,
}

/// A version.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct PageVersion {
    number: u32,
    /// RFC 3339, UTC.
    #[schema(value_type = String, format = DateTime)]
    at: Clean,
    #[serde(skip_serializing_if = "Option::is_none")]
    by: Option<Person>,
    #[serde(skip_serializing_if = "Option::is_none")]
    message: Option<CleanText>,
}

impl Action for GetPageHistory {
    const ID: &'static str = "getPageHistory";
    const PATH: &'static str = "/v1/pages/{id}/versions";
    const SCOPES: &'static [&'static str] =
        &["read:page:confluence", "read:space:confluence", "read:user:confluence"];
    const EXAMPLE: &'static [(&'static str, &'static str)] = &[("id", "1310745")];
    type Output = PageHistory;

    async fn call(self, caller: Caller) -> Result<PageHistory, Problem> {
        let compared = self.compare.as_deref().map(parse).transpose()?;
        let wiki = caller.wiki().await?;
        let place = wiki.open_cursor(self.cursor.as_deref())?;
        match compared {
            Some((one, other)) => compare(&wiki, &self.id, (one, other), place.as_deref()).await,
            None => self.list(&wiki, place.as_deref()).await,
        }
    }
}

impl GetPageHistory {
    async fn list(&self, wiki: &Wiki, cursor: Option<&str>) -> Result<PageHistory, Problem> {
        let page = wiki.located(&self.id).await?;
        let (versions, next) = wiki.versions(&page, LIMIT, cursor).await?;
        let people = wiki.people(versions.iter().filter_map(|version| version.author_id.clone())).await;
        let listed =
            |version: &Version| describe(version, Person::named(version.author_id.as_ref(), &people));
        Ok(PageHistory {
            results: Some(versions.iter().map(listed).collect()),
            next_cursor: next.map(|next| wiki.seal_cursor(&next)).transpose()?,
            ..PageHistory::default()
        })
    }
}

/// Without a second number, with the current version.
async fn compare(
    wiki: &Wiki,
    id: &ContentId,
    (one, other): (u32, Option<u32>),
    place: Option<&str>,
) -> Result<PageHistory, Problem> {
    let (one, other) = both(wiki, id, (one, other)).await?;
    let newer_first = one.content.version.number > other.content.version.number;
    let (from, to) = if newer_first { (other, one) } else { (one, other) };
    let (before, after) = (markdown(wiki, &from).await, markdown(wiki, &to).await);
    let start = place.and_then(|start| start.parse().ok()).unwrap_or_default();
    let (diff, next) = wiki.aside(before.len() + after.len(), || piece_of_diff(&before, &after, start)).await;
    Ok(PageHistory {
        from: Some(edition(&from)),
        to: Some(edition(&to)),
        diff: Some(diff),
        next_cursor: next.map(|next| wiki.seal_cursor(&next.to_string())).transpose()?,
        results: None,
    })
}

/// Both versions. There is room for two of some size at the same time and not for two larger ones, however often they are
/// asked for.
async fn both(
    wiki: &Wiki,
    id: &ContentId,
    (one, other): (u32, Option<u32>),
) -> Result<(Document, Document), Problem> {
    let read = |version| Box::pin(wiki.document(id, version));
    match tokio::join!(read(Some(one)), read(other)) {
        (Ok(one), Ok(other)) => Ok((one, other)),
        (Ok(read), Err(problem)) | (Err(problem), Ok(read))
            if problem.kind == Kind::Overloaded && read.content.storage().len() > LARGE =>
        {
            Err(too_large())
        }
        (Err(problem), _) | (_, Err(problem)) => Err(problem),
    }
}

fn too_large() -> Problem {
    Problem::new(
        Kind::PayloadTooLarge,
        "The two versions are too large to be compared here.",
        "Read the sections that matter with getPage, once with each version.",
    )
}

/// As many lines of the diff as an answer holds, from the one of this number on, and the number of the next.
fn piece_of_diff(before: &str, after: &str, start: usize) -> (CleanText, Option<usize>) {
    let diff = Diff::between(before, after);
    let (mut lines, mut piece, mut bytes) = (diff.lines().skip(start), Vec::new(), 0);
    for (sign, text) in lines.by_ref() {
        bytes += sign.len() + text.len();
        piece.push([sign, &text].concat());
        if bytes > ROOM {
            break;
        }
    }
    let (count, text) = match (fitting(&piece, ROOM), piece.first()) {
        // A line is longer than an answer only where a page holds one paragraph of that length.
        (0, Some(line)) => (1, clip(&CleanText::from(line.as_str()), ROOM / 6)),
        (count, _) => (count, piece[..count].concat().into()),
    };
    let more = count < piece.len() || lines.next().is_some();
    (text, more.then_some(start + count))
}

async fn markdown(wiki: &Wiki, document: &Document) -> String {
    let (content, storage) = (&document.content, document.content.storage());
    let convert = || convert(wiki, storage, &content.id, &document.space, &document.people);
    let converted = wiki.aside(storage.len(), convert).await;
    format!("{}\n", converted.markdown().trim_end())
}

fn edition(document: &Document) -> PageVersion {
    let version = &document.content.version;
    describe(version, Person::named(version.author_id.as_ref(), &document.people))
}

fn describe(version: &Version, by: Option<Person>) -> PageVersion {
    let message = version.message.as_ref().map(CleanText::trimmed).filter(|message| !message.is_empty());
    PageVersion {
        number: version.number,
        at: time(version.created_at),
        by,
        message: message.map(|message| clip(&message, 500)),
    }
}

/// One or two version numbers.
fn parse(text: &str) -> Result<(u32, Option<u32>), Problem> {
    let wrong = |found: &str| Problem::invalid("compare", found, "one or two version numbers, such as 3,5");
    let number = |text: &str| {
        text.trim()
            .parse()
            .ok()
            .filter(|number| *number > 0)
            .ok_or_else(|| wrong("it holds something else than version numbers"))
    };
    match text.split_once(',') {
        None => Ok((number(text)?, None)),
        Some((one, other)) => {
            let (one, other) = (number(one)?, number(other)?);
            if one == other { Err(wrong("both versions are the same")) } else { Ok((one, Some(other))) }
        }
    }
}
