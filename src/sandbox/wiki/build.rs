//! Short words for writing the wiki down.

use std::sync::Arc;

use axum::body::Bytes;
use jiff::Timestamp;

use super::model::{
    Attachment, Comment, Content, Kind, Place, Readers, Resolution, Space, Status, Version, Wiki,
};
use crate::sandbox::cql::Tokens;
use crate::sandbox::people::by_key;
use crate::sandbox::storage;

/// A time of the committed wiki; they are all written by hand, and tested.
pub fn at(time: &str) -> Timestamp {
    time.parse().unwrap_or(Timestamp::UNIX_EPOCH)
}

/// Pages, each with the files of its versions, oldest first.
pub type Pages = &'static [&'static [&'static str]];

/// A page's file: lines of `name: value`, an empty line, and the body in storage format.
struct PageFile<'a> {
    header: Vec<(&'a str, &'a str)>,
    body: &'a str,
}

impl<'a> PageFile<'a> {
    fn read(text: &'a str) -> Self {
        let (header, body) = text.split_once("\n\n").unwrap_or((text, ""));
        let header = header.lines().filter_map(|line| line.split_once(": ")).collect();
        Self { header, body: body.trim_end() }
    }

    /// The value of a line, empty without it.
    fn get(&self, name: &str) -> &'a str {
        self.header.iter().find(|(key, _)| *key == name).map_or("", |(_, value)| value)
    }

    fn list(&self, name: &str) -> Vec<&'a str> {
        self.get(name).split(", ").filter(|word| !word.is_empty()).collect()
    }

    fn version(&self, number: u32) -> Version {
        Version {
            number,
            at: at(self.get("at")),
            by: by_key(self.get("by")).map_or("", |person| person.key),
            message: self.get("message").to_owned(),
            body: self.body.to_owned().into(),
        }
    }

    fn status(&self) -> Status {
        match self.get("status") {
            "archived" => Status::Archived,
            "draft" => Status::Draft,
            "trashed" => Status::Trashed,
            _ => Status::Current,
        }
    }

    /// The people it is restricted to.
    fn readers(&self) -> Readers {
        let readers: Vec<_> = self.list("readers").into_iter().filter_map(by_key).collect();
        if readers.is_empty() {
            return Readers::Everyone;
        }
        Readers::Only(readers.into_iter().map(|person| person.key).collect())
    }
}

/// A folder, whiteboard, database or smart link of Engineering.
pub fn node(
    kind: Kind,
    id: &'static str,
    parent: &'static str,
    title: &'static str,
    time: &str,
    by: &'static str,
) -> Node {
    Node { kind, id, parent, title, at: at(time), by }
}

/// What stands in the tree without a body.
#[derive(Clone, Copy)]
pub struct Node {
    kind: Kind,
    id: &'static str,
    parent: &'static str,
    title: &'static str,
    at: Timestamp,
    by: &'static str,
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

    pub fn pages(&mut self, space: &str, pages: Pages) {
        for versions in pages {
            self.page(space, versions);
        }
    }

    /// Adds a page from the files of its versions; the last one says what it is.
    pub fn page(&mut self, space: &str, files: &[&str]) {
        let versions = (1..).zip(files).map(|(number, text)| PageFile::read(text).version(number)).collect();
        let (Some(space), Some(text)) = (self.space_by_id(space).cloned(), files.last()) else { return };
        let file = PageFile::read(text);
        let kind = if file.get("kind") == "blogpost" { Kind::BlogPost } else { Kind::Page };
        let fresh = content(file.get("id").to_owned(), kind, space, file.get("title").to_owned(), versions);
        let parent = file.get("parent");
        self.push(Content {
            status: file.status(),
            parent: (!parent.is_empty()).then(|| parent.to_owned()),
            labels: file.list("labels").into_iter().map(str::to_owned).collect(),
            readers: file.readers(),
            ..fresh
        });
    }

    /// Adds what has no body to the space of its parent.
    pub fn node(&mut self, node: Node) {
        let Node { kind, id, parent, title, at, by } = node;
        let Some(above) = self.content.iter().find(|content| content.id == parent) else { return };
        let version = Version { number: 1, at, by, message: String::new(), body: "".into() };
        let fresh = content(id.to_owned(), kind, above.space.clone(), title.to_owned(), vec![version]);
        self.push(Content { parent: Some(parent.to_owned()), ..fresh });
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
