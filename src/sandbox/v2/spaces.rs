//! Spaces.

use serde_json::{Value, json};

use crate::sandbox::gate::Ask;
use crate::sandbox::links::{account, space_webui, time};
use crate::sandbox::paging::{cut, list};
use crate::sandbox::reply::{Answer, Refusal, reply};
use crate::sandbox::wiki::Space;

const TYPES: &[&str] = &["global", "collaboration", "knowledge_base", "personal", "system", "onboarding"];
const SORTS: &[&str] = &["id", "-id", "key", "-key", "name", "-name"];

fn describe(space: &Space, format: Option<&str>) -> Value {
    let description = format.map(|format| {
        let text = if format == "view" {
            format!("<p>{}</p>", space.description)
        } else {
            space.description.to_owned()
        };
        json!({ format: { "representation": format, "value": text } })
    });
    json!({
        "createdAt": time(space.created), "authorId": account(space.author), "spaceOwnerId": account(space.author),
        "homepageId": space.homepage, "icon": null, "name": space.name, "key": space.key, "id": space.id,
        "type": if space.personal { "personal" } else { "global" },
        "status": "current",
        "description": description, "currentActiveAlias": space.alias,
        "_links": { "webui": space_webui(space) } })
}

pub fn spaces(ask: &Ask) -> Answer {
    let query = &ask.query;
    let (ids, keys) = (query.ids("ids")?, query.list("keys"));
    let kind = query.word("type", TYPES)?;
    let status = query.word("status", &["current", "archived"])?;
    let format = query.word("description-format", &["plain", "view"])?;
    let sort = query.word("sort", SORTS)?.unwrap_or("id");
    let mut found: Vec<_> = ask
        .view
        .spaces()
        .filter(|space| ids.is_empty() || ids.contains(&space.id))
        .filter(|space| keys.is_empty() || keys.contains(&space.key))
        .filter(|space| kind.is_none_or(|kind| kind == if space.personal { "personal" } else { "global" }))
        .filter(|_| status.is_none_or(|status| status == "current"))
        .collect();
    found.sort_by(|a, b| {
        let ordering = match sort.trim_start_matches('-') {
            "key" => a.key.cmp(b.key),
            "name" => a.name.cmp(b.name),
            _ => a.id.cmp(b.id),
        };
        if sort.starts_with('-') { ordering.reverse() } else { ordering }
    });
    let slice = cut(ask, found, 25)?;
    let rows = slice.rows.into_iter().map(|space| describe(space, format));
    Ok(list(ask, &rows.collect::<Vec<_>>(), slice.next))
}

pub fn space(ask: &Ask) -> Answer {
    let format = ask.query.word("description-format", &["plain", "view"])?;
    let space = ask.view.space(ask.id()?).ok_or_else(Refusal::not_found)?;
    let mut value = describe(space, format);
    value["_links"]["base"] = ask.view.site.base().into();
    Ok(reply(&value, 2))
}
