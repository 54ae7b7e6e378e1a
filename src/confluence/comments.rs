//! Comments: threads under a page or in its text, and their replies.

use serde::Deserialize;

use super::content::{Bodies, WebLinks};
use super::cursor::List;
use super::points::Price;
use super::{BODIES, Call, Connection, ContentId, ContentKind, Error, Version};
use crate::clean::{Clean, CleanText};

/// Where a comment stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CommentKind {
    /// Under the page.
    Footer,
    /// At words of its text.
    Inline,
}

impl CommentKind {
    pub fn name(self) -> &'static str {
        match self {
            Self::Footer => "footer",
            Self::Inline => "inline",
        }
    }

    fn segment(self) -> &'static str {
        match self {
            Self::Footer => "footer-comments",
            Self::Inline => "inline-comments",
        }
    }
}

/// A comment as v2 sends it.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Comment {
    pub id: ContentId,
    pub version: Version,
    page_id: Option<ContentId>,
    blog_post_id: Option<ContentId>,
    parent_comment_id: Option<ContentId>,
    #[serde(default)]
    resolution_status: Option<Clean>,
    #[serde(default)]
    properties: Properties,
    #[serde(default)]
    body: Bodies,
    #[serde(rename = "_links", default)]
    links: WebLinks,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Properties {
    inline_original_selection: Option<CleanText>,
}

impl Comment {
    pub fn storage(&self) -> &str {
        self.body.storage()
    }

    /// The page or blog post that a thread stands on; replies name their thread instead.
    fn container(&self) -> Option<&ContentId> {
        self.page_id.as_ref().or(self.blog_post_id.as_ref())
    }

    /// The words an inline comment stands at.
    pub fn quoted_text(&self) -> Option<&CleanText> {
        self.properties.inline_original_selection.as_ref()
    }

    pub fn is_resolved(&self) -> bool {
        self.resolution_status.as_deref() == Some("resolved")
    }

    pub fn web_path(&self) -> Option<&str> {
        self.links.webui.as_deref()
    }
}

/// How many replies of a thread are read.
const REPLIES: u32 = 50;

impl Connection {
    /// The beginnings of threads on a page or blog post, oldest first, and where they go on.
    pub async fn comments(
        &self,
        on: (ContentKind, &ContentId),
        kind: CommentKind,
        limit: u32,
        cursor: Option<&str>,
    ) -> Result<(Vec<Comment>, Option<String>), Error> {
        let mut query = vec![("body-format", "storage".to_owned()), ("limit", limit.to_string())];
        query.extend(cursor.map(|cursor| ("cursor", cursor.to_owned())));
        let path = ["api", "v2", on.0.segment(), on.1.as_str(), kind.segment()];
        let list: List<Comment> = self.send(Call::get(Price::List, &path, query).weighing(BODIES)).await?;
        let cursor = list.cursor();
        let own = list.results.into_iter().filter(|comment| comment.container() == Some(on.1));
        Ok((own.collect(), cursor))
    }

    /// The replies of a thread, oldest first, and whether there are more.
    pub async fn replies(
        &self,
        kind: CommentKind,
        thread: &ContentId,
    ) -> Result<(Vec<Comment>, bool), Error> {
        let query = vec![("body-format", "storage".to_owned()), ("limit", REPLIES.to_string())];
        let path = ["api", "v2", kind.segment(), thread.as_str(), "children"];
        let list: List<Comment> = self.send(Call::get(Price::List, &path, query).weighing(BODIES)).await?;
        let more = list.cursor().is_some();
        let own = |reply: &Comment| reply.parent_comment_id.as_ref() == Some(thread);
        Ok((list.results.into_iter().filter(own).collect(), more))
    }
}
