//! Short words for writing the index of the wiki down.

use std::borrow::Cow;
use std::sync::Arc;

use axum::body::Bytes;
use jiff::Timestamp;

use super::model::{
    Attachment, Comment, Content, Kind, Place, Readers, Resolution, Space, Status, Version, Wiki,
};
use crate::sandbox::cql::Tokens;
use crate::sandbox::storage;

/// A time of the committed wiki; they are all written by hand, and tested.
pub fn at(time: &str) -> Timestamp {
    time.parse().unwrap_or(Timestamp::UNIX_EPOCH)
}

/// Something in the tree or a blog, while it is being written down.
pub struct Draft {
    id: &'static str,
    kind: Kind,
    status: Status,
    space: &'static str,
    parent: Option<&'static str>,
    title: &'static str,
    labels: &'static [&'static str],
    readers: Readers,
    versions: Vec<Version>,
}

fn draft(kind: Kind, id: &'static str, space: &'static str, title: &'static str) -> Draft {
    Draft {
        id,
        kind,
        status: Status::Current,
        space,
        parent: None,
        title,
        labels: &[],
        readers: Readers::Everyone,
        versions: Vec::new(),
    }
}

/// A page; `space` is the id of its space.
pub fn page(id: &'static str, space: &'static str, title: &'static str) -> Draft {
    draft(Kind::Page, id, space, title)
}

pub fn blog(id: &'static str, space: &'static str, title: &'static str) -> Draft {
    draft(Kind::BlogPost, id, space, title)
}

/// A folder, whiteboard, database or smart link.
pub fn node(kind: Kind, id: &'static str, space: &'static str, title: &'static str) -> Draft {
    draft(kind, id, space, title)
}

impl Draft {
    pub fn under(mut self, parent: &'static str) -> Self {
        self.parent = Some(parent);
        self
    }

    pub fn labels(mut self, labels: &'static [&'static str]) -> Self {
        self.labels = labels;
        self
    }

    pub fn only(mut self, readers: &'static [&'static str]) -> Self {
        self.readers = Readers::Only(readers);
        self
    }

    pub fn status(mut self, status: Status) -> Self {
        self.status = status;
        self
    }

    /// A version, oldest first.
    pub fn version(
        mut self,
        time: &str,
        by: &'static str,
        message: &str,
        body: impl Into<Cow<'static, str>>,
    ) -> Self {
        let body = match body.into() {
            Cow::Borrowed(body) => Cow::Borrowed(body.trim_end()),
            made @ Cow::Owned(_) => made,
        };
        let number = u32::try_from(self.versions.len() + 1).unwrap_or(u32::MAX);
        self.versions.push(Version { number, at: at(time), by, message: message.to_owned(), body });
        self
    }

    /// The only version.
    pub fn body(self, time: &str, by: &'static str, body: impl Into<Cow<'static, str>>) -> Self {
        self.version(time, by, "", body)
    }

    /// Something without a body.
    pub fn empty(self, time: &str, by: &'static str) -> Self {
        self.version(time, by, "", "")
    }
}

/// A footer comment.
pub fn comment(id: &str, container: &str, time: &str, by: &'static str, body: &str) -> Comment {
    let seen = storage::read(body);
    Comment {
        id: id.to_owned(),
        container: container.to_owned(),
        parent: None,
        place: Place::Footer,
        resolution: Resolution::Open,
        by,
        at: at(time),
        tokens: Tokens::of("", &seen.text),
        seen,
        body: body.to_owned(),
    }
}

impl Comment {
    pub fn replies_to(mut self, parent: &str) -> Self {
        self.parent = Some(parent.to_owned());
        self
    }

    pub fn on(mut self, selection: &'static str, marker: &'static str) -> Self {
        self.place = Place::Inline { selection, marker };
        self
    }

    pub fn resolution(mut self, resolution: Resolution) -> Self {
        self.resolution = resolution;
        self
    }
}

/// A file on a page, with the text that search finds in it.
pub fn file(
    id: &str,
    container: &str,
    title: &str,
    media_type: &'static str,
    bytes: impl Into<Bytes>,
    text: &str,
) -> Attachment {
    let bytes = bytes.into();
    Attachment {
        id: id.to_owned(),
        container: container.to_owned(),
        title: title.to_owned(),
        media_type,
        comment: "",
        by: "erin",
        at: at("2026-05-11T08:15:30.250Z"),
        version: 1,
        file_id: format!("7e0c5a9b-21d4-4c33-9f10-{id:0>12}"),
        size: bytes.len(),
        bytes,
        text: text.to_owned(),
        tokens: Tokens::of(title, text),
    }
}

impl Attachment {
    pub fn by(mut self, by: &'static str, time: &str, version: u32, comment: &'static str) -> Self {
        self.by = by;
        self.at = at(time);
        self.version = version;
        self.comment = comment;
        self
    }
}

impl Wiki {
    pub fn space_by_id(&self, id: &str) -> Option<&Arc<Space>> {
        self.spaces.iter().find(|space| space.id == id)
    }

    /// Adds what was written down; unknown spaces are left out, which a test notices.
    pub fn write(&mut self, draft: Draft) {
        let Some(space) = self.space_by_id(draft.space).cloned() else { return };
        let labels = draft.labels.iter().map(|label| (*label).to_owned()).collect();
        let content = Content {
            parent: draft.parent.map(str::to_owned),
            ..content(draft.id.to_owned(), draft.kind, space, draft.title.to_owned(), draft.versions)
        };
        self.push(Content { labels, status: draft.status, readers: draft.readers, ..content });
    }

    pub fn comment(&mut self, comment: Comment) {
        self.comments.push(Arc::new(comment));
    }

    pub fn file(&mut self, file: Attachment) {
        self.attachments.push(Arc::new(file));
    }

    pub fn push(&mut self, mut content: Content) {
        content.position = self.content.len() * 37 + 5;
        self.content.push(Arc::new(content));
    }
}

/// Content with its index, ready for [`Wiki::push`].
pub fn content(id: String, kind: Kind, space: Arc<Space>, title: String, versions: Vec<Version>) -> Content {
    let seen = versions.last().map(|version| storage::read(&version.body)).unwrap_or_default();
    Content {
        tokens: Tokens::of(&title, &seen.text),
        seen,
        id,
        kind,
        status: Status::Current,
        space,
        parent: None,
        title,
        labels: Vec::new(),
        readers: Readers::Everyone,
        position: 0,
        versions,
    }
}
