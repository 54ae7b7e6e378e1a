//! Footer and inline comments and their replies.

use std::sync::Arc;

use serde_json::{Value, json};

use super::{LIST_FORMATS, SINGLE_FORMATS};
use crate::sandbox::gate::Ask;
use crate::sandbox::links::{account, comment_webui, represent, time};
use crate::sandbox::paging::{cut, list};
use crate::sandbox::reply::{Answer, Refusal, reply};
use crate::sandbox::wiki::{Comment, Content, Kind, Place};

const SORTS: &[&str] = &["created-date", "-created-date", "modified-date", "-modified-date"];
const RESOLUTIONS: &[&str] = &["open", "reopened", "resolved", "dangling"];

/// The two kinds of comments, which have endpoints of their own.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Which {
    Footer,
    Inline,
}

fn which(comment: &Comment) -> Which {
    if comment.place == Place::Footer { Which::Footer } else { Which::Inline }
}

pub fn footer_of_page(ask: &Ask) -> Answer {
    of_content(ask, Kind::Page, Which::Footer)
}

pub fn inline_of_page(ask: &Ask) -> Answer {
    of_content(ask, Kind::Page, Which::Inline)
}

pub fn footer_of_blog_post(ask: &Ask) -> Answer {
    of_content(ask, Kind::BlogPost, Which::Footer)
}

pub fn inline_of_blog_post(ask: &Ask) -> Answer {
    of_content(ask, Kind::BlogPost, Which::Inline)
}

pub fn footer_replies(ask: &Ask) -> Answer {
    replies(ask, Which::Footer)
}

pub fn inline_replies(ask: &Ask) -> Answer {
    replies(ask, Which::Inline)
}

pub fn footer(ask: &Ask) -> Answer {
    single(ask, Which::Footer)
}

pub fn inline(ask: &Ask) -> Answer {
    single(ask, Which::Inline)
}

/// Only the beginnings of threads.
fn of_content(ask: &Ask, kind: Kind, kind_of_comment: Which) -> Answer {
    let content = ask.view.by_id(ask.id()?).filter(|content| content.kind == kind);
    let content = content.ok_or_else(Refusal::not_found)?;
    let resolutions = ask.query.words("resolution-status", RESOLUTIONS)?;
    ask.query.words("status", &["current", "deleted", "trashed", "historical", "draft"])?;
    let found: Vec<_> = ask
        .view
        .comments()
        .filter(|(comment, on)| {
            on.id == content.id && comment.parent.is_none() && which(comment) == kind_of_comment
        })
        .filter(|(comment, _)| {
            kind_of_comment == Which::Footer
                || resolutions.is_empty()
                || resolutions.contains(&comment.resolution.name())
        })
        .collect();
    answer(ask, found)
}

fn replies(ask: &Ask, kind: Which) -> Answer {
    let parent = comment(ask, kind)?.0.id.clone();
    let found: Vec<_> =
        ask.view.comments().filter(|(comment, _)| comment.parent.as_deref() == Some(&parent)).collect();
    answer(ask, found)
}

fn comment(ask: &Ask, kind: Which) -> Result<(&Arc<Comment>, &Arc<Content>), Refusal> {
    ask.view.comment(ask.id()?).filter(|(comment, _)| which(comment) == kind).ok_or_else(Refusal::not_found)
}

fn answer(ask: &Ask, mut found: Vec<(&Arc<Comment>, &Arc<Content>)>) -> Answer {
    let format = ask.query.word("body-format", LIST_FORMATS)?;
    found.sort_by_key(|(comment, _)| comment.at);
    if ask.query.word("sort", SORTS)?.is_some_and(|sort| sort.starts_with('-')) {
        found.reverse();
    }
    let slice = cut(ask, found, 25)?;
    let rows = slice.rows.into_iter().map(|(comment, content)| describe(ask, comment, content, format));
    Ok(list(ask, &rows.collect::<Vec<_>>(), slice.next))
}

fn single(ask: &Ask, kind: Which) -> Answer {
    let format = ask.query.word("body-format", SINGLE_FORMATS)?;
    let (comment, content) = comment(ask, kind)?;
    let mut value = describe(ask, comment, content, format);
    value["_links"]["base"] = ask.view.site.base().into();
    Ok(reply(&value, 2))
}

fn describe(ask: &Ask, comment: &Comment, content: &Content, format: Option<&str>) -> Value {
    let mut value =
        json!({ "id": comment.id, "status": "current", "title": format!("Re: {}", content.title) });
    match (&comment.parent, content.kind) {
        (Some(parent), _) => value["parentCommentId"] = parent.as_str().into(),
        (None, Kind::BlogPost) => value["blogPostId"] = content.id.as_str().into(),
        (None, _) => value["pageId"] = content.id.as_str().into(),
    }
    value["version"] = json!({ "number": 1, "message": "", "minorEdit": false,
        "authorId": account(comment.by), "createdAt": time(comment.at) });
    value["resolutionStatus"] = comment.resolution.name().into();
    if let Some(format) = format {
        let text = represent(&comment.body, format, &ask.view, content);
        value["body"] = json!({ format: { "representation": format, "value": text } });
    }
    if let Place::Inline { selection, marker } = comment.place {
        value["properties"] = json!({
            "inlineMarkerRef": marker, "inlineOriginalSelection": selection,
            "inline-marker-ref": marker, "inline-original-selection": selection });
    }
    value["_links"] = json!({ "webui": comment_webui(comment, content) });
    value
}
