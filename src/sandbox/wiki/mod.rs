//! The wiki of the sandbox: fictional companies, written down once and shared by every sandbox of the process.
//!
//! A page is a file: lines of `name: value`, an empty line, and the body in storage format; a file of its own for each
//! version. To add one, write the file and name it in the list of its space. Ids and titles stay for ever.

mod build;
mod eng;
mod long;
mod model;
mod others;

#[cfg(test)]
mod tests;

use std::sync::{Arc, LazyLock};

pub use build::{comment, content, file};
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
