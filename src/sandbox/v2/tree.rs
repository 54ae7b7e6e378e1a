//! The tree: children, descendants, ancestors, and what stands in it besides pages.

use std::sync::Arc;

use serde_json::{Map, Value, json};

use crate::sandbox::gate::Ask;
use crate::sandbox::links::{account, time, webui};
use crate::sandbox::paging::{cut, list};
use crate::sandbox::reply::{Answer, Refusal, reply};
use crate::sandbox::wiki::{Content, Kind, View};

fn root(ask: &Ask) -> Result<&Arc<Content>, Refusal> {
    let root = ask.view.by_id(ask.id()?).ok_or_else(Refusal::not_found)?;
    let of = ask.path.trim_start_matches("/wiki/api/v2/");
    let kind = of.split('/').next().unwrap_or_default().trim_end_matches('s');
    if kind == root.kind.name() { Ok(root) } else { Err(Refusal::not_found()) }
}

/// GET /pages/{id}/children: pages only, without a type.
pub fn children(ask: &Ask) -> Answer {
    let pages = ask.view.children(&root(ask)?.id).into_iter().filter(|child| child.kind == Kind::Page);
    let slice = cut(ask, pages.collect(), 25)?;
    let rows = slice.rows.into_iter().map(|child| {
        json!({ "id": child.id, "status": child.status.name(), "title": child.title,
            "spaceId": child.space.id, "childPosition": child.position })
    });
    Ok(list(ask, &rows.collect::<Vec<_>>(), slice.next))
}

/// GET …/direct-children: every kind.
pub fn direct_children(ask: &Ask) -> Answer {
    let slice = cut(ask, ask.view.children(&root(ask)?.id), 25)?;
    let rows = slice.rows.into_iter().map(|child| {
        json!({ "id": child.id, "status": child.status.name(), "title": child.title, "type": child.kind.name(),
            "spaceId": child.space.id, "childPosition": child.position })
    });
    Ok(list(ask, &rows.collect::<Vec<_>>(), slice.next))
}

/// GET …/descendants: level after level, from top to bottom.
pub fn descendants(ask: &Ask) -> Answer {
    let depth = ask.query.number("depth", 1..=10)?.unwrap_or(5);
    let root = root(ask)?;
    let mut found = Vec::new();
    let mut level = vec![root.id.clone()];
    for at in 1..=depth {
        let below: Vec<_> = level.iter().flat_map(|parent| ask.view.children(parent)).collect();
        level = below.iter().map(|child| child.id.clone()).collect();
        found.extend(below.into_iter().map(|child| (at, child)));
    }
    let slice = cut(ask, found, 25)?;
    let rows = slice.rows.into_iter().map(|(depth, child)| {
        json!({ "id": child.id, "status": child.status.name(), "title": child.title, "type": child.kind.name(),
            "parentId": child.parent, "depth": depth, "childPosition": child.position })
    });
    Ok(list(ask, &rows.collect::<Vec<_>>(), slice.next))
}

/// GET …/ancestors: ids and types, from the top.
pub fn ancestors(ask: &Ask) -> Answer {
    let root = root(ask)?;
    let mut chain = ask.view.wiki.ancestors(root);
    chain.reverse();
    let slice = cut(ask, chain, 25)?;
    let rows = slice.rows.into_iter().map(|page| json!({ "id": page.id, "type": page.kind.name() }));
    Ok(list(ask, &rows.collect::<Vec<_>>(), slice.next))
}

/// GET /folders/{id}, /whiteboards/{id}, /databases/{id}, /embeds/{id}.
pub fn node(ask: &Ask) -> Answer {
    let node = root(ask)?;
    let version = node.current();
    let parent = node.parent.as_deref().and_then(|id| ask.view.by_id(id));
    let value = json!({
        "id": node.id, "type": node.kind.name(), "status": node.status.name(), "title": node.title,
        "parentId": node.parent, "parentType": parent.map(|parent| parent.kind.name()),
        "position": node.position, "authorId": account(version.by), "ownerId": account(version.by),
        "createdAt": time(version.at), "spaceId": node.space.id,
        "version": { "number": version.number, "message": "", "minorEdit": false,
            "authorId": account(version.by), "createdAt": time(version.at) },
        "_links": { "webui": webui(node), "base": ask.view.site.base() } });
    Ok(reply(&value, 2))
}

/// POST /content/convert-ids-to-types: null for what is not there.
pub fn types(ask: &Ask) -> Answer {
    let asked: Value = serde_json::from_slice(&ask.body).unwrap_or_default();
    let ids = asked["contentIds"].as_array().filter(|ids| (1..=100).contains(&ids.len()));
    let ids = ids.ok_or_else(|| Refusal::invalid("Provided value for 'contentIds' is not valid"))?;
    let mut results = Map::new();
    for id in ids {
        let id = id.as_str().map_or_else(|| id.to_string(), str::to_owned);
        results.insert(id.clone(), type_of(&ask.view, &id));
    }
    let points = 1 + results.len() as u64;
    Ok(reply(&json!({ "results": results }), points))
}

fn type_of(view: &View, id: &str) -> Value {
    if let Some(content) = view.by_id(id) {
        return content.kind.name().into();
    }
    if let Some((comment, _)) = view.comment(id) {
        let inline = comment.place != crate::sandbox::wiki::Place::Footer;
        return if inline { "inline-comment" } else { "footer-comment" }.into();
    }
    view.attachment(id).map_or(Value::Null, |_| "attachment".into())
}
