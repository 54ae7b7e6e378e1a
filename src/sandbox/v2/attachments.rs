//! Attachments.

use std::sync::Arc;

use serde_json::{Value, json};

use super::included;
use crate::sandbox::gate::Ask;
use crate::sandbox::links::{account, attachment_download, attachment_webui, time};
use crate::sandbox::paging::{cut, list};
use crate::sandbox::query::is_id;
use crate::sandbox::reply::{Answer, Refusal, reply};
use crate::sandbox::wiki::{Attachment, Content, Kind};

const SORTS: &[&str] = &["created-date", "-created-date", "modified-date", "-modified-date"];

pub fn of_page(ask: &Ask) -> Answer {
    of_content(ask, Kind::Page)
}

pub fn of_blog_post(ask: &Ask) -> Answer {
    of_content(ask, Kind::BlogPost)
}

fn of_content(ask: &Ask, kind: Kind) -> Answer {
    let content = ask.view.by_id(ask.id()?).filter(|content| content.kind == kind);
    let content = content.ok_or_else(Refusal::not_found)?;
    ask.query.words("status", &["current", "archived", "trashed"])?;
    let (media, name) = (ask.query.get("mediaType"), ask.query.get("filename"));
    let mut found: Vec<_> = ask
        .view
        .attachments()
        .filter(|(file, page)| page.id == content.id && media.is_none_or(|media| file.media_type == media))
        .filter(|(file, _)| name.is_none_or(|name| file.title == name))
        .collect();
    found.sort_by_key(|(file, _)| file.at);
    if ask.query.word("sort", SORTS)?.is_some_and(|sort| sort.starts_with('-')) {
        found.reverse();
    }
    let slice = cut(ask, found, 50)?;
    let rows = slice.rows.into_iter().map(|(file, page)| describe(file, page));
    Ok(list(ask, &rows.collect::<Vec<_>>(), slice.next))
}

/// GET /attachments/{id}, with or without `att`.
pub fn attachment(ask: &Ask) -> Answer {
    let id = ask.param("id");
    if !is_id(id.strip_prefix("att").unwrap_or(id)) {
        return Err(Refusal::wrong_type(id, "id", "ContentId"));
    }
    let version = ask.query.number("version", 1..=usize::MAX)?;
    let found: (&Arc<Attachment>, &Arc<Content>) = ask.view.attachment(id).ok_or_else(Refusal::not_found)?;
    if version.is_some_and(|version| version != found.0.version as usize) {
        return Err(Refusal::not_found());
    }
    let mut value = describe(found.0, found.1);
    if ask.query.flag("include-labels")? {
        value["labels"] = included(&[], &format!("/api/v2/attachments/{}/labels", found.0.api_id()));
    }
    value["_links"]["base"] = ask.view.site.base().into();
    Ok(reply(&value, 2))
}

fn describe(file: &Attachment, page: &Content) -> Value {
    let mut value = json!({
        "mediaTypeDescription": null,
        "webuiLink": attachment_webui(file),
        "downloadLink": attachment_download(file),
        "createdAt": time(file.at),
        "version": { "number": file.version, "message": "", "minorEdit": false,
            "authorId": account(file.by), "createdAt": time(file.at) },
        "comment": file.comment,
        "id": file.api_id(),
        "fileId": file.file_id,
        "mediaType": file.media_type,
        "status": "current",
        "title": file.title,
        "fileSize": file.size,
        "_links": { "download": attachment_download(file), "webui": attachment_webui(file) } });
    let owner = if page.kind == Kind::BlogPost { "blogPostId" } else { "pageId" };
    value[owner] = page.id.as_str().into();
    value
}
