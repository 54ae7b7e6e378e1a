//! What a wiki is made of, and who may see which part of it.

use std::borrow::Cow;
use std::sync::Arc;

use axum::body::Bytes;
use jiff::Timestamp;

use crate::sandbox::cql::Tokens;
use crate::sandbox::people::{Person, Site};
use crate::sandbox::storage;

/// Everything in it, on all sites. Cheap enough to clone when a test adds a page.
#[derive(Clone, Default)]
pub struct Wiki {
    pub spaces: Vec<Arc<Space>>,
    pub content: Vec<Arc<Content>>,
    pub comments: Vec<Arc<Comment>>,
    pub attachments: Vec<Arc<Attachment>>,
}

/// Who may look: everybody with the product, or only those named by key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Readers {
    Everyone,
    Only(Vec<&'static str>),
}

impl Readers {
    pub fn include(&self, person: &Person) -> bool {
        match self {
            Readers::Everyone => true,
            Readers::Only(keys) => keys.contains(&person.key),
        }
    }
}

pub struct Space {
    pub site: &'static Site,
    pub id: &'static str,
    pub key: &'static str,
    /// What addresses show instead of the key, since somebody renamed the space.
    pub alias: &'static str,
    pub name: &'static str,
    pub personal: bool,
    pub description: &'static str,
    pub homepage: &'static str,
    pub readers: Readers,
    pub created: Timestamp,
    /// Key of a person.
    pub author: &'static str,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    Page,
    BlogPost,
    Folder,
    Whiteboard,
    Database,
    Embed,
}

impl Kind {
    pub fn name(self) -> &'static str {
        match self {
            Kind::Page => "page",
            Kind::BlogPost => "blogpost",
            Kind::Folder => "folder",
            Kind::Whiteboard => "whiteboard",
            Kind::Database => "database",
            Kind::Embed => "embed",
        }
    }

    /// Pages and blog posts hold a body; the rest only stands in the tree.
    pub fn has_body(self) -> bool {
        matches!(self, Kind::Page | Kind::BlogPost)
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Status {
    Current,
    Archived,
    Draft,
    Trashed,
}

impl Status {
    pub fn name(self) -> &'static str {
        match self {
            Status::Current => "current",
            Status::Archived => "archived",
            Status::Draft => "draft",
            Status::Trashed => "trashed",
        }
    }
}

#[derive(Clone)]
pub struct Content {
    pub id: String,
    pub kind: Kind,
    pub status: Status,
    pub space: Arc<Space>,
    pub parent: Option<String>,
    pub title: String,
    pub labels: Vec<String>,
    pub readers: Readers,
    pub position: usize,
    /// Oldest first, never empty; the last one is current.
    pub versions: Vec<Version>,
    pub seen: storage::Seen,
    pub tokens: Tokens,
}

#[derive(Clone)]
pub struct Version {
    pub number: u32,
    pub at: Timestamp,
    /// Key of a person.
    pub by: &'static str,
    pub message: String,
    pub body: Cow<'static, str>,
}

impl Content {
    pub fn current(&self) -> &Version {
        &self.versions[self.versions.len() - 1]
    }

    pub fn first(&self) -> &Version {
        &self.versions[0]
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    Footer,
    /// With the text that was selected and its marker in the body.
    Inline {
        selection: &'static str,
        marker: &'static str,
    },
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Resolution {
    Open,
    Resolved,
    Reopened,
    /// The text it was about is gone.
    Dangling,
}

impl Resolution {
    pub fn name(self) -> &'static str {
        match self {
            Resolution::Open => "open",
            Resolution::Resolved => "resolved",
            Resolution::Reopened => "reopened",
            Resolution::Dangling => "dangling",
        }
    }
}

pub struct Comment {
    pub id: String,
    /// The page or blog post it belongs to.
    pub container: String,
    pub parent: Option<String>,
    pub place: Place,
    pub resolution: Resolution,
    pub by: &'static str,
    pub at: Timestamp,
    pub body: String,
    pub seen: storage::Seen,
    pub tokens: Tokens,
}

pub struct Attachment {
    /// Digits only; the API shows it as `att…`.
    pub id: String,
    pub container: String,
    pub title: String,
    pub media_type: &'static str,
    pub comment: &'static str,
    pub by: &'static str,
    pub at: Timestamp,
    pub version: u32,
    pub file_id: String,
    pub bytes: Bytes,
    /// What the API says; a test may lie here.
    pub size: usize,
    /// The text that search finds in it.
    pub text: String,
    pub tokens: Tokens,
}

impl Attachment {
    pub fn api_id(&self) -> String {
        format!("att{}", self.id)
    }
}

/// The wiki of one site as one person sees it.
#[derive(Clone)]
pub struct View {
    pub wiki: Arc<Wiki>,
    pub site: &'static Site,
    pub person: &'static Person,
}

impl View {
    pub fn spaces(&self) -> impl Iterator<Item = &Arc<Space>> {
        self.wiki.spaces.iter().filter(|space| self.sees_space(space))
    }

    pub fn sees_space(&self, space: &Space) -> bool {
        space.site.cloud_id == self.site.cloud_id && space.readers.include(self.person)
    }

    pub fn space(&self, id: &str) -> Option<&Arc<Space>> {
        self.spaces().find(|space| space.id == id)
    }

    /// Everything of the tree and the blogs, drafts and trash left out.
    pub fn content(&self) -> impl Iterator<Item = &Arc<Content>> {
        self.wiki.content.iter().filter(|content| self.sees(content))
    }

    pub fn by_id(&self, id: &str) -> Option<&Arc<Content>> {
        self.content().find(|content| content.id == id)
    }

    /// Restrictions are inherited: who may not see a page sees nothing below it.
    fn sees(&self, content: &Content) -> bool {
        matches!(content.status, Status::Current | Status::Archived)
            && self.sees_space(&content.space)
            && content.readers.include(self.person)
            && self.wiki.ancestors(content).iter().all(|ancestor| ancestor.readers.include(self.person))
    }

    pub fn comments(&self) -> impl Iterator<Item = (&Arc<Comment>, &Arc<Content>)> {
        self.wiki.comments.iter().filter_map(|comment| Some((comment, self.by_id(&comment.container)?)))
    }

    pub fn comment(&self, id: &str) -> Option<(&Arc<Comment>, &Arc<Content>)> {
        self.comments().find(|(comment, _)| comment.id == id)
    }

    pub fn attachments(&self) -> impl Iterator<Item = (&Arc<Attachment>, &Arc<Content>)> {
        self.wiki.attachments.iter().filter_map(|file| Some((file, self.by_id(&file.container)?)))
    }

    /// By id with or without `att`.
    pub fn attachment(&self, id: &str) -> Option<(&Arc<Attachment>, &Arc<Content>)> {
        let digits = id.strip_prefix("att").unwrap_or(id);
        self.attachments().find(|(file, _)| file.id == digits)
    }

    /// Children in the tree that this person sees, in their order.
    pub fn children(&self, parent: &str) -> Vec<&Arc<Content>> {
        let mut children: Vec<_> = self
            .content()
            .filter(|content| content.parent.as_deref() == Some(parent) && content.status == Status::Current)
            .collect();
        children.sort_by_key(|content| content.position);
        children
    }
}

impl Wiki {
    /// From the parent upwards.
    pub fn ancestors(&self, content: &Content) -> Vec<&Arc<Content>> {
        let mut chain = Vec::new();
        let mut next = content.parent.as_deref();
        while let Some(parent) = next.and_then(|id| self.content.iter().find(|other| other.id == id)) {
            chain.push(parent);
            next = parent.parent.as_deref();
            if chain.len() > 64 {
                break;
            }
        }
        chain
    }
}
