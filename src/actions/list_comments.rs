use std::collections::HashMap;
use std::fmt;
use std::sync::Arc;

use futures_util::stream::{self, StreamExt as _, TryStreamExt as _};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::conversion::convert;
use super::shapes::{Person, ROOM, Row, fitting, time};
use crate::action::{Action, Caller, Located, Wiki, clip};
use crate::clean::{Clean, CleanText};
use crate::confluence::{AccountId, Comment, CommentKind, ContentId};
use crate::markdown::{Part, PartSize, mentioned_people};
use crate::problem::Problem;

/// How many threads one answer holds, and how many are read at the same time.
const THREADS: u32 = 10;
const AT_ONCE: usize = 4;
/// What stands around a comment's text, at the most, in bytes.
const AROUND: usize = 8_000;
/// How long one comment may be.
const COMMENT: PartSize = PartSize { chars: 20_000, json_bytes: 40_000 };

/// List comments
///
/// Returns the comment threads of a page or blog post, oldest first: who wrote what and when as Markdown, the replies, whether a thread is resolved, and for inline comments the words they stand at.
#[derive(Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct ListComments {
    /// The id of the page or blog post.
    #[schema(value_type = String, max_length = 20, example = "1310745")]
    id: ContentId,
    /// Comments under the page, in its text, or both.
    #[serde(default)]
    #[schema(inline, default = "all")]
    kind: Kind,
    /// The nextCursor of the answer before, to go on; all other parameters unchanged.
    #[schema(max_length = 4000)]
    cursor: Option<String>,
}

#[derive(Clone, Copy, Default, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
enum Kind {
    Footer,
    Inline,
    #[default]
    All,
}

/// The threads.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct CommentList {
    results: Vec<Thread>,
    /// There is more: call again with this as cursor.
    #[serde(skip_serializing_if = "Option::is_none")]
    next_cursor: Option<Clean>,
}

/// A thread: the comment it begins with, and its replies.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Thread {
    id: Clean,
    /// footer or inline.
    kind: Clean,
    #[serde(skip_serializing_if = "Option::is_none")]
    author: Option<Person>,
    /// RFC 3339, UTC.
    #[schema(value_type = String, format = DateTime)]
    created_at: Clean,
    markdown: CleanText,
    resolved: bool,
    /// The words of the page that an inline comment stands at.
    #[serde(skip_serializing_if = "Option::is_none")]
    quoted_text: Option<CleanText>,
    /// The link to show to the person.
    #[serde(skip_serializing_if = "Option::is_none")]
    url: Option<Clean>,
    replies: Vec<Reply>,
    /// Present and true when there are more replies than are listed; url shows them all.
    #[serde(skip_serializing_if = "Option::is_none")]
    more_replies: Option<bool>,
}

/// A reply.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Reply {
    id: Clean,
    #[serde(skip_serializing_if = "Option::is_none")]
    author: Option<Person>,
    /// RFC 3339, UTC.
    #[schema(value_type = String, format = DateTime)]
    created_at: Clean,
    markdown: CleanText,
}

impl Action for ListComments {
    const ID: &'static str = "listComments";
    const PATH: &'static str = "/v1/pages/{id}/comments";
    const SCOPES: &'static [&'static str] =
        &["read:comment:confluence", "read:page:confluence", "read:space:confluence", "read:user:confluence"];
    const EXAMPLE: &'static [(&'static str, &'static str)] = &[("id", "1310745")];
    type Output = CommentList;

    async fn call(self, caller: Caller) -> Result<CommentList, Problem> {
        let wiki = caller.wiki().await?;
        let start = match wiki.open_cursor(self.cursor.as_deref())? {
            Some(text) => Place::parse(&text),
            None => Place { kind: self.kind.first(), row: Row::default() },
        };
        let page = wiki.located(&self.id).await?;
        let (rows, next) = self.threads(&wiki, &page, start).await?;
        let replies: Vec<_> =
            rows.iter().map(|(place, comment)| wiki.replies(place.kind, &comment.id)).collect();
        let replies: Vec<(Vec<Comment>, bool)> =
            stream::iter(replies).buffered(AT_ONCE).try_collect().await?;
        let people = wiki.people(everyone(&rows, &replies)).await;
        let writer = Writer { wiki: &wiki, page: &page, people: &people };
        let threads = rows
            .iter()
            .zip(&replies)
            .map(|((place, comment), replies)| writer.thread(place.kind, comment, replies));
        let mut results: Vec<Thread> = threads.collect();
        let fitting = fitting(&results, ROOM);
        results.truncate(fitting);
        let next = rows.into_iter().nth(fitting).map(|(place, _)| place).or(next);
        let next_cursor = next.map(|place| wiki.seal_cursor(&place.to_string())).transpose()?;
        Ok(CommentList { results, next_cursor })
    }

    fn listed(output: &CommentList) -> Vec<Clean> {
        output.results.iter().map(|thread| thread.id.clone()).collect()
    }
}

impl ListComments {
    /// The next threads from `start`, each with its place, and where the list goes on.
    async fn threads(
        &self,
        wiki: &Wiki,
        page: &Located,
        start: Place,
    ) -> Result<(Vec<(Place, Comment)>, Option<Place>), Problem> {
        let mut rows = Vec::new();
        let mut next = Some(start);
        while let Some(Place { kind, row: start }) = next.take() {
            let (comments, more) = wiki.comments(page, kind, THREADS, start.page.as_deref()).await?;
            let placed = comments.into_iter().enumerate();
            let placed = placed.map(|(index, comment)| (Place { kind, row: start.at(index) }, comment));
            rows.extend(placed.skip(start.index));
            next = match more {
                Some(cursor) => Some(Place { kind, row: Row::first_of(cursor) }),
                None => self.kind.after(kind).map(|kind| Place { kind, row: Row::default() }),
            };
            if rows.len() >= THREADS as usize {
                break;
            }
        }
        Ok((rows, next))
    }
}

impl Kind {
    fn first(self) -> CommentKind {
        match self {
            Self::Footer | Self::All => CommentKind::Footer,
            Self::Inline => CommentKind::Inline,
        }
    }

    fn after(self, kind: CommentKind) -> Option<CommentKind> {
        matches!((self, kind), (Self::All, CommentKind::Footer)).then_some(CommentKind::Inline)
    }
}

/// Where a thread is in Confluence's lists: its kind, the cursor of its page of the list, and its index there.
#[derive(Clone)]
struct Place {
    kind: CommentKind,
    row: Row,
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.kind.name(), self.row)
    }
}

impl Place {
    fn parse(text: &str) -> Self {
        let (kind, row) = text.split_once(':').unwrap_or((text, ""));
        let kind = if kind == "inline" { CommentKind::Inline } else { CommentKind::Footer };
        Self { kind, row: Row::parse(row) }
    }
}

/// Everybody who wrote or is mentioned.
fn everyone(rows: &[(Place, Comment)], replies: &[(Vec<Comment>, bool)]) -> Vec<AccountId> {
    let comments =
        rows.iter().map(|(_, comment)| comment).chain(replies.iter().flat_map(|(replies, _)| replies));
    let people = comments.flat_map(|comment| {
        let mentioned = mentioned_people(comment.storage()).into_iter().filter_map(|id| id.parse().ok());
        mentioned.chain(comment.version.author_id.clone())
    });
    people.collect()
}

struct Writer<'a> {
    wiki: &'a Wiki,
    page: &'a Located,
    people: &'a HashMap<AccountId, Arc<Clean>>,
}

impl Writer<'_> {
    fn thread(&self, kind: CommentKind, comment: &Comment, (replies, more): &(Vec<Comment>, bool)) -> Thread {
        let mut replies: Vec<Reply> = replies.iter().map(|reply| self.reply(reply)).collect();
        let fitting = fitting(&replies, ROOM - COMMENT.json_bytes - AROUND);
        let more = *more || fitting < replies.len();
        replies.truncate(fitting);
        Thread {
            id: (&comment.id).into(),
            kind: kind.name().into(),
            author: Person::named(comment.version.author_id.as_ref(), self.people),
            created_at: time(comment.version.created_at),
            markdown: self.text(comment),
            resolved: comment.is_resolved(),
            quoted_text: comment.quoted_text().map(|text| clip(text, 500)),
            url: comment.web_path().map(|path| self.wiki.url(path)),
            replies,
            more_replies: more.then_some(true),
        }
    }

    fn reply(&self, comment: &Comment) -> Reply {
        Reply {
            id: (&comment.id).into(),
            author: Person::named(comment.version.author_id.as_ref(), self.people),
            created_at: time(comment.version.created_at),
            markdown: self.text(comment),
        }
    }

    fn text(&self, comment: &Comment) -> CleanText {
        let document =
            convert(self.wiki, comment.storage(), &self.page.content.id, &self.page.space, self.people);
        let parts = document.cut(COMMENT);
        let text = parts.get(1).map(Part::into_text).unwrap_or_default();
        let removed = u32::try_from(document.invisible_characters()).unwrap_or(u32::MAX);
        let text =
            if parts.count() > 1 { format!("{text}\n\n[the comment goes on; see url]").into() } else { text };
        text.and_removed(removed)
    }
}
