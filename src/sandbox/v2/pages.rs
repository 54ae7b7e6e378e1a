//! Pages and blog posts.

use serde_json::{Value, json};

use super::{LIST_FORMATS, SINGLE_FORMATS, has_status, included, statuses, version};
use crate::sandbox::gate::Ask;
use crate::sandbox::links::{account, represent, time, tinyui, webui};
use crate::sandbox::paging::{cut, list};
use crate::sandbox::reply::{Answer, Refusal, reply};
use crate::sandbox::v1::label_id;
use crate::sandbox::wiki::{Content, Kind, View};

const SORTS: &[&str] =
    &["id", "-id", "created-date", "-created-date", "modified-date", "-modified-date", "title", "-title"];

pub fn page(ask: &Ask) -> Answer {
    single(ask, Kind::Page)
}

pub fn blog_post(ask: &Ask) -> Answer {
    single(ask, Kind::BlogPost)
}

fn single(ask: &Ask, kind: Kind) -> Answer {
    let id = ask.id()?;
    let format = ask.query.word("body-format", SINGLE_FORMATS)?;
    let wanted = ask.query.number("version", 1..=usize::MAX)?;
    let (labels, versions) = (ask.query.flag("include-labels")?, ask.query.flag("include-versions")?);
    let asked =
        ask.query.words("status", &["current", "archived", "trashed", "deleted", "historical", "draft"])?;
    let content = ask.view.by_id(id).filter(|content| content.kind == kind).ok_or_else(Refusal::not_found)?;
    if !asked.is_empty() && !asked.contains(&content.status.name()) && !asked.contains(&"historical") {
        return Err(Refusal::not_found());
    }
    let shown = match wanted {
        None => content.current(),
        Some(number) => content
            .versions
            .iter()
            .find(|version| version.number as usize == number)
            .ok_or_else(Refusal::not_found)?,
    };
    let mut value = describe(content, &ask.view);
    value["version"] = version(shown);
    if shown.number != content.current().number {
        value["status"] = "historical".into();
    }
    if let Some(format) = format {
        value["body"] = body(&shown.body, format, &ask.view, content);
    }
    let own = |part: &str| format!("/api/v2/{}s/{id}/{part}", kind.name());
    if labels {
        value["labels"] =
            included(&content.labels.iter().map(|name| label(name)).collect::<Vec<_>>(), &own("labels"));
    }
    if versions {
        value["versions"] =
            included(&content.versions.iter().rev().map(version).collect::<Vec<_>>(), &own("versions"));
    }
    value["_links"]["base"] = ask.view.site.base().into();
    Ok(reply(&value, 2))
}

pub fn label(name: &str) -> Value {
    json!({ "id": label_id(name), "name": name, "prefix": "global" })
}

fn body(body: &str, format: &str, view: &View, content: &Content) -> Value {
    json!({ format: { "representation": format, "value": represent(body, format, view, content) } })
}

/// A page or blog post without its body.
fn describe(content: &Content, view: &View) -> Value {
    let (id, key) = (&content.id, content.space.alias);
    let mut value = json!({
        "parentType": null, "parentId": null,
        "createdAt": time(content.first().at),
        "ownerId": account(content.first().by), "lastOwnerId": null,
        "authorId": account(content.first().by),
        "position": content.position,
        "version": version(content.current()),
        "spaceId": content.space.id,
        "status": content.status.name(),
        "body": {},
        "title": content.title,
        "id": id,
        "_links": {
            "editui": format!("/pages/resumedraft.action?draftId={id}"),
            "webui": webui(content),
            "edituiv2": format!("/spaces/{key}/pages/edit-v2/{id}"),
            "tinyui": tinyui(id),
        },
    });
    if let Some(parent) = view.wiki.ancestors(content).first() {
        value["parentId"] = parent.id.as_str().into();
        value["parentType"] = parent.kind.name().into();
    }
    if content.kind == Kind::BlogPost
        && let Some(map) = value.as_object_mut()
    {
        for absent in ["parentType", "parentId", "ownerId", "lastOwnerId", "position"] {
            map.remove(absent);
        }
    }
    value
}

pub fn pages(ask: &Ask) -> Answer {
    several(ask, Kind::Page, None)
}

pub fn blog_posts(ask: &Ask) -> Answer {
    several(ask, Kind::BlogPost, None)
}

/// GET /spaces/{id}/pages: all of a space, or its roots.
pub fn of_space(ask: &Ask) -> Answer {
    space_list(ask, Kind::Page)
}

pub fn posts_of_space(ask: &Ask) -> Answer {
    space_list(ask, Kind::BlogPost)
}

fn space_list(ask: &Ask, kind: Kind) -> Answer {
    let space = ask.view.space(ask.id()?).ok_or_else(Refusal::not_found)?;
    several(ask, kind, Some(space.id))
}

/// GET /labels/{id}/pages does not exist here; /pages and /blogposts do.
fn several(ask: &Ask, kind: Kind, within: Option<&str>) -> Answer {
    let query = &ask.query;
    let (ids, spaces) = (query.ids("id")?, query.ids("space-id")?);
    let statuses = statuses(ask)?;
    let format = query.word("body-format", LIST_FORMATS)?;
    let title = query.get("title").filter(|title| !title.is_empty()).map(str::to_lowercase);
    let roots = query.word("depth", &["all", "root"])? == Some("root");
    let mut found: Vec<_> = ask
        .view
        .content()
        .filter(|content| content.kind == kind && has_status(content, &statuses))
        .filter(|content| ids.is_empty() || ids.contains(&content.id.as_str()))
        .filter(|content| {
            within
                .map_or(spaces.is_empty() || spaces.contains(&content.space.id), |id| content.space.id == id)
        })
        .filter(|content| title.as_ref().is_none_or(|title| content.title.to_lowercase() == *title))
        .filter(|content| !roots || content.parent.is_none())
        .collect();
    sort(&mut found, query.word("sort", SORTS)?.unwrap_or("id"));
    let slice = cut(ask, found, 25)?;
    let rows = slice.rows.into_iter().map(|content| {
        let mut value = describe(content, &ask.view);
        if let Some(format) = format {
            value["body"] = body(&content.current().body, format, &ask.view, content);
        }
        value
    });
    Ok(list(ask, &rows.collect::<Vec<_>>(), slice.next))
}

fn sort(found: &mut [&std::sync::Arc<Content>], by: &str) {
    found.sort_by(|a, b| {
        let ordering = match by.trim_start_matches('-') {
            "created-date" => a.first().at.cmp(&b.first().at),
            "modified-date" => a.current().at.cmp(&b.current().at),
            "title" => a.title.to_lowercase().cmp(&b.title.to_lowercase()),
            _ => (a.id.len(), &a.id).cmp(&(b.id.len(), &b.id)),
        };
        if by.starts_with('-') { ordering.reverse() } else { ordering }
    });
}

/// GET /pages/{id}/labels.
pub fn labels(ask: &Ask) -> Answer {
    let content = ask.view.by_id(ask.id()?).ok_or_else(Refusal::not_found)?;
    ask.query.word("prefix", &["my", "team", "global", "system"])?;
    let slice = cut(ask, content.labels.iter().map(|name| label(name)).collect(), 25)?;
    Ok(list(ask, &slice.rows, slice.next))
}
