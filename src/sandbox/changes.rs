//! What tests change in the wiki of their own sandbox.

use std::borrow::Cow;
use std::sync::Arc;
use std::time::Duration;

use axum::body::Bytes;
use jiff::Timestamp;

use super::Sandbox;
use super::people::{ACME, Site};
use super::wiki::{Content, Kind, Readers, Version, Wiki, comment, content, file};

/// A page or blog post that a test adds.
#[derive(Debug, Clone)]
pub struct NewPage {
    pub site: &'static Site,
    /// Key of its space.
    pub space: &'static str,
    pub title: String,
    /// Storage format.
    pub body: String,
    /// Absent: below the home page of the space.
    pub parent: Option<String>,
    pub labels: Vec<String>,
    /// Keys of the people who may see it; absent: everybody who sees the space.
    pub restricted: Option<&'static [&'static str]>,
    pub blog_post: bool,
}

impl Default for NewPage {
    fn default() -> Self {
        Self {
            site: &ACME,
            space: "ENG",
            title: "A page of a test".to_owned(),
            body: "<p>Nothing yet.</p>".to_owned(),
            parent: None,
            labels: Vec::new(),
            restricted: None,
            blog_post: false,
        }
    }
}

/// A file that a test attaches to a page.
#[derive(Debug, Clone)]
pub struct NewFile {
    /// Id of its page.
    pub page: String,
    pub title: String,
    pub media_type: &'static str,
    pub bytes: Vec<u8>,
    /// The size that the API claims, when it is to lie.
    pub claimed_size: Option<usize>,
}

/// A comment that a test writes.
#[derive(Debug, Clone)]
pub struct NewComment {
    /// Id of its page.
    pub page: String,
    /// Id of the comment it answers.
    pub parent: Option<String>,
    /// Storage format.
    pub body: String,
    /// The text it stands on; absent: a footer comment.
    pub selection: Option<&'static str>,
}

impl Sandbox {
    fn change<T>(&self, change: impl FnOnce(&mut Wiki, Timestamp) -> T) -> T {
        let now = self.shared.clock.now();
        let mut state = self.shared.state();
        change(Arc::make_mut(&mut state.wiki), now)
    }

    /// Adds a page or blog post by Alice and returns its id.
    pub fn add_page(&self, page: NewPage) -> String {
        self.change(|wiki, now| add(wiki, page, now))
    }

    /// Gives a page a new version by Bob.
    pub fn edit_page(&self, id: &str, body: &str, message: &str) {
        self.change(|wiki, now| edit(wiki, id, "bob", now, message, |_| body.to_owned()));
    }

    /// Lets the last days look lived in, for the demo: what people changed is counted back from the present.
    pub fn catch_up(&self) {
        self.change(|wiki, now| {
            let ago = |hours: u64| now - Duration::from_secs(hours * 3600);
            let on_call = "<p>Erin has the phone this week, Mina is second. Alice is on holiday.</p>";
            edit(wiki, "1310760", "erin", ago(51), "Who has the phone", |old| format!("{on_call}{old}"));
            let question = "<h2>A terminal restarts every morning</h2>\
                            <p>It need not, but it does no harm. Since 4.3 it updates itself at night.</p>";
            edit(wiki, "1321010", "bob", ago(26), "Terminals", |old| format!("{old}{question}"));
            let post = NewPage {
                title: "This week at Acme".to_owned(),
                body: "<p>The canary sang twice and was right both times. Cake on Thursday.</p>".to_owned(),
                blog_post: true,
                ..NewPage::default()
            };
            add(wiki, post, ago(3));
        });
    }

    /// Takes a page out of the world.
    pub fn remove_page(&self, id: &str) {
        self.change(|wiki, _| wiki.content.retain(|content| content.id != id));
    }

    /// Attaches a file and returns its id, with `att`.
    pub fn add_file(&self, new: NewFile) -> String {
        self.change(|wiki, at| {
            let id = (9_600_001 + 4 * wiki.attachments.len()).to_string();
            let (size, bytes) = (new.claimed_size.unwrap_or(new.bytes.len()), Bytes::from(new.bytes));
            let file = file(&id, &new.page, &new.title, new.media_type, bytes, "");
            let file = super::wiki::Attachment { at, size, ..file };
            let api_id = file.api_id();
            wiki.file(file);
            api_id
        })
    }

    /// Writes a comment by Erin and returns its id.
    pub fn add_comment(&self, new: &NewComment) -> String {
        self.change(|wiki, at| {
            let id = (9_500_001 + 4 * wiki.comments.len()).to_string();
            let mut comment = comment(&id, &new.page, "", "erin", &new.body);
            comment.at = at;
            if let Some(parent) = &new.parent {
                comment = comment.replies_to(parent);
            }
            if let Some(selection) = new.selection {
                comment = comment.on(selection, "9e9e9e9e-0000-4000-8000-30de00000000");
            }
            wiki.comment(comment);
            id
        })
    }
}

/// Makes a new version out of the body of the current one.
fn edit(
    wiki: &mut Wiki,
    id: &str,
    by: &'static str,
    at: Timestamp,
    message: &str,
    change: impl FnOnce(&str) -> String,
) {
    let Some(place) = wiki.content.iter_mut().find(|content| content.id == id) else { return };
    let old = Content::clone(place);
    let (number, body) = (old.current().number + 1, Cow::Owned(change(&old.current().body)));
    let mut versions = old.versions.clone();
    versions.push(Version { number, at, by, message: message.to_owned(), body });
    let fresh = content(old.id.clone(), old.kind, old.space.clone(), old.title.clone(), versions);
    let Content { seen, tokens, versions, .. } = fresh;
    *place = Arc::new(Content { versions, seen, tokens, ..old });
}

/// A space that does not exist adds nothing.
pub fn add(wiki: &mut Wiki, page: NewPage, at: Timestamp) -> String {
    let id = (9_000_001 + 5 * wiki.content.len()).to_string();
    let site = page.site.cloud_id;
    let found = wiki.spaces.iter().find(|space| space.key == page.space && space.site.cloud_id == site);
    let Some(space) = found.cloned() else { return id };
    let kind = if page.blog_post { Kind::BlogPost } else { Kind::Page };
    let body = Cow::Owned(page.body);
    let version = Version { number: 1, at, by: "alice", message: String::new(), body };
    let home = (!page.blog_post).then(|| space.homepage.to_owned());
    let content = content(id.clone(), kind, space, page.title, vec![version]);
    wiki.push(Content {
        labels: page.labels,
        parent: page.parent.or(home),
        readers: page.restricted.map_or(Readers::Everyone, |keys| Readers::Only(keys.to_vec())),
        ..content
    });
    id
}
