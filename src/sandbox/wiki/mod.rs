//! The wiki of the sandbox: fictional companies, written down once and shared by every sandbox of the process.

mod build;
mod eng;
mod model;
mod others;

use std::borrow::Cow;
use std::sync::{Arc, LazyLock};

use jiff::Timestamp;

use crate::sandbox::NewPage;

use build::content;
pub use model::{Attachment, Comment, Content, Kind, Place, Readers, Space, Status, Version, View, Wiki};

static COMMITTED: LazyLock<Arc<Wiki>> = LazyLock::new(|| {
    let mut wiki = Wiki::default();
    others::spaces(&mut wiki);
    eng::write(&mut wiki);
    others::write(&mut wiki);
    Arc::new(wiki)
});

/// The wiki as committed.
pub fn committed() -> Arc<Wiki> {
    COMMITTED.clone()
}

/// Adds a test's page and returns its id. A space that does not exist adds nothing.
pub fn add(wiki: &mut Wiki, page: NewPage, now: Timestamp) -> String {
    let id = (9_000_001 + 5 * wiki.content.len()).to_string();
    let site = page.site.cloud_id;
    let found = wiki.spaces.iter().find(|space| space.key == page.space && space.site.cloud_id == site);
    let Some(space) = found.cloned() else { return id };
    let kind = if page.blog_post { Kind::BlogPost } else { Kind::Page };
    let version =
        Version { number: 1, at: now, by: "alice", message: String::new(), body: Cow::Owned(page.body) };
    let home = (!page.blog_post).then(|| space.homepage.to_owned());
    let content = content(id.clone(), kind, space, page.title, vec![version]);
    wiki.push(Content {
        labels: page.labels,
        parent: page.parent.or(home),
        readers: page.restricted.map_or(Readers::Everyone, Readers::Only),
        ..content
    });
    id
}
