//! The new API.

pub mod attachments;
pub mod comments;
pub mod pages;
pub mod spaces;
pub mod tree;
pub mod users;
pub mod versions;

use serde_json::{Value, json};

use super::gate::Ask;
use super::links::{account, time};
use super::reply::Refusal;
use super::wiki::{Content, Status, Version};

/// Body formats of a single thing, and of lists.
const SINGLE_FORMATS: &[&str] =
    &["storage", "atlas_doc_format", "view", "export_view", "anonymous_export_view", "styled_view", "editor"];
const LIST_FORMATS: &[&str] = &["storage", "atlas_doc_format"];

fn version(version: &Version) -> Value {
    json!({
        "number": version.number, "message": version.message, "minorEdit": false,
        "authorId": account(version.by), "createdAt": time(version.at), "ncsStepVersion": null })
}

/// The `meta` and `_links` that included lists carry.
fn included(results: &[Value], own: &str) -> Value {
    json!({ "results": results, "meta": { "hasMore": false }, "_links": { "self": own } })
}

/// Which statuses a list shows: current and archived unless told otherwise.
fn statuses(ask: &Ask) -> Result<Vec<&str>, Refusal> {
    let asked = ask.query.words("status", &["current", "archived", "deleted", "trashed", "draft"])?;
    Ok(if asked.is_empty() { vec!["current", "archived"] } else { asked })
}

fn has_status(content: &Content, statuses: &[&str]) -> bool {
    statuses.contains(&content.status.name()) && matches!(content.status, Status::Current | Status::Archived)
}
