//! Versions of pages and blog posts.

use serde_json::{Value, json};

use super::LIST_FORMATS;
use crate::sandbox::gate::Ask;
use crate::sandbox::links::{account, represent, time};
use crate::sandbox::paging::{cut, list};
use crate::sandbox::reply::{Answer, Refusal, reply};
use crate::sandbox::wiki::{Kind, Version};

pub fn of_page(ask: &Ask) -> Answer {
    versions(ask, Kind::Page)
}

pub fn of_blog_post(ask: &Ask) -> Answer {
    versions(ask, Kind::BlogPost)
}

fn describe(version: &Version) -> Value {
    json!({ "number": version.number, "message": version.message, "minorEdit": false,
        "authorId": account(version.by), "createdAt": time(version.at) })
}

fn versions(ask: &Ask, kind: Kind) -> Answer {
    let content = ask.view.by_id(ask.id()?).filter(|content| content.kind == kind);
    let content = content.ok_or_else(Refusal::not_found)?;
    let format = ask.query.word("body-format", LIST_FORMATS)?;
    let oldest_first = ask.query.word("sort", &["modified-date", "-modified-date"])? == Some("modified-date");
    let mut all: Vec<_> = content.versions.iter().collect();
    if !oldest_first {
        all.reverse();
    }
    let slice = cut(ask, all, 25)?;
    let rows = slice.rows.into_iter().map(|version| {
        let mut value = describe(version);
        let body = format.map_or(json!({}), |format| {
            let text = represent(&version.body, format, &ask.view, content);
            json!({ format: { "representation": format, "value": text } })
        });
        value[kind.name()] = json!({ "title": content.title, "id": content.id, "body": body });
        value
    });
    Ok(list(ask, &rows.collect::<Vec<_>>(), slice.next))
}

/// GET /pages/{id}/versions/{number}.
pub fn one(ask: &Ask) -> Answer {
    let content = ask.view.by_id(ask.id()?).filter(|content| content.kind.has_body());
    let content = content.ok_or_else(Refusal::not_found)?;
    let text = ask.param("number");
    let number: u32 = text.parse().map_err(|_| Refusal::wrong_type(text, "version-number", "int"))?;
    let version = content.versions.iter().find(|version| version.number == number);
    let mut value = describe(version.ok_or_else(Refusal::not_found)?);
    let neighbour = |at: Option<u32>| at.filter(|at| (1..=content.current().number).contains(at));
    value["contentTypeModified"] = false.into();
    value["collaborators"] = json!([]);
    value["prevVersion"] = json!(neighbour(number.checked_sub(1)));
    value["nextVersion"] = json!(neighbour(number.checked_add(1)));
    Ok(reply(&value, 2))
}
