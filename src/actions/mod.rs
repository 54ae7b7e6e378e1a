//! The actions: one file each, and the list that every door reads.
//!
//! To add one, copy the shape of a file (input, output, call) and add its line to [`all`].

mod find_page;
mod get_page;
mod list_spaces;
mod page_url;
mod reading;
mod search_confluence;
mod shapes;
mod who_am_i;

use crate::action::{Entry, entry};

/// Every action, in the order that documents and tool lists show.
pub fn all() -> Vec<Entry> {
    vec![
        entry::<search_confluence::SearchConfluence>(),
        entry::<find_page::FindPage>(),
        entry::<get_page::GetPage>(),
        entry::<list_spaces::ListSpaces>(),
        entry::<who_am_i::WhoAmI>(),
    ]
}
