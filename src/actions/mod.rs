//! The actions: one file each, and the list that every door reads.
//!
//! To add one, copy the shape of a file (input, output, call) and add its line to [`all`].

mod call_confluence;
mod conversion;
mod diff;
mod filter;
mod find_page;
mod find_passages;
mod get_attachment;
mod get_page;
mod get_page_history;
mod get_page_tree;
mod get_pages;
mod get_recent_changes;
mod list_attachments;
mod list_comments;
mod list_spaces;
mod page_url;
mod reading;
mod search_confluence;
mod shapes;
mod who_am_i;

use crate::action::{Action as _, Entry, entry};

pub use get_attachment::MAX_FILE;

/// The action that gives links to files.
pub const GET_ATTACHMENT: &str = get_attachment::GetAttachment::ID;

/// Every action, in the order that documents and tool lists show.
pub fn all() -> Vec<Entry> {
    vec![
        entry::<search_confluence::SearchConfluence>(),
        entry::<find_passages::FindPassages>(),
        entry::<find_page::FindPage>(),
        entry::<get_page::GetPage>(),
        entry::<get_pages::GetPages>(),
        entry::<get_page_tree::GetPageTree>(),
        entry::<list_spaces::ListSpaces>(),
        entry::<list_comments::ListComments>(),
        entry::<list_attachments::ListAttachments>(),
        entry::<get_attachment::GetAttachment>(),
        entry::<get_page_history::GetPageHistory>(),
        entry::<get_recent_changes::GetRecentChanges>(),
        entry::<who_am_i::WhoAmI>(),
        entry::<call_confluence::CallConfluence>(),
    ]
}
