//! GET /wiki/rest/api/search.

use axum::http::StatusCode;
use serde_json::{Map, json};
use url::form_urlencoded;

use super::excerpt::Style;
use super::row::Shape;
use crate::sandbox::cql::{self, Scope};
use crate::sandbox::gate::Ask;
use crate::sandbox::paging::{open, seal};
use crate::sandbox::reply::{Answer, Refusal, reply};

const EXCERPTS: &[&str] = &["highlight", "highlight_unescaped", "indexed", "indexed_unescaped", "none"];

pub fn everything(ask: &Ask) -> Answer {
    answer(ask, Scope::Everything)
}

pub fn refused(message: &str) -> Refusal {
    Refusal::v1(
        StatusCode::BAD_REQUEST,
        &format!("com.atlassian.confluence.api.service.exceptions.BadRequestException: {message}"),
    )
}

pub fn answer(ask: &Ask, scope: Scope) -> Answer {
    let Some(cql) = ask.query.get("cql").filter(|cql| !cql.trim().is_empty()) else {
        return Err(refused("A cql query must be supplied"));
    };
    let found = cql::search(cql, scope, &ask.view, ask.now).map_err(|bad| explain(cql, &bad.0))?;
    let style = match ask.query.get("excerpt").unwrap_or("highlight") {
        "none" => None,
        odd if !EXCERPTS.contains(&odd) => return Err(refused(&format!("Unknown excerpt strategy: {odd}"))),
        name => Some(Style { marked: name.starts_with("highlight"), escaped: !name.ends_with("_unescaped") }),
    };
    let shape = Shape { view: &ask.view, found: &found, expand: ask.query.list("expand"), style };
    let limit = limit(ask, &shape.expand)?;
    let start = match ask.query.get("cursor") {
        None => 0,
        Some(cursor) => open(cursor, &ask.path).ok_or_else(|| refused("Could not parse the cursor"))?,
    };
    let rows: Vec<_> = found.docs.iter().skip(start).take(limit).map(|doc| shape.row(doc)).collect();
    let (size, total) = (rows.len(), found.docs.len());
    let mut links = Map::new();
    links.insert("base".to_owned(), ask.view.site.base().into());
    links.insert("context".to_owned(), "/wiki".into());
    if start.saturating_add(size) < total && limit > 0 {
        let next = next_path(ask, &seal(start + limit, &ask.path), limit, start + limit);
        links.insert("next".to_owned(), next.into());
    }
    links.insert("self".to_owned(), own(ask).into());
    let body = json!({
        "results": rows, "start": echoed_start(ask)?, "limit": limit, "size": size, "totalSize": total,
        "cqlQuery": cql, "searchDuration": 61, "_links": links });
    Ok(reply(&body, 1 + size as u64))
}

/// A reason of ours stands after the sentence that Confluence says.
fn explain(cql: &str, reason: &str) -> Refusal {
    refused(&format!("Could not parse cql : {cql} : {reason}"))
}

/// Bodies silently cap the number of rows, rendered ones even more.
fn limit(ask: &Ask, expand: &[&str]) -> Result<usize, Refusal> {
    let text = ask.query.get("limit").unwrap_or("25");
    let limit: usize = text.parse().map_err(|_| refused(&format!("Invalid limit: {text}")))?;
    let rendered =
        expand.iter().any(|path| path.ends_with("body.export_view") || path.ends_with("body.styled_view"));
    let bodies = expand.iter().any(|path| path.contains("body."));
    Ok(limit.min(if rendered {
        25
    } else if bodies {
        50
    } else {
        250
    }))
}

/// Only echoed: the cursor decides.
fn echoed_start(ask: &Ask) -> Result<usize, Refusal> {
    let text = ask.query.get("start").unwrap_or("0");
    text.parse().map_err(|_| refused(&format!("Invalid start: {text}")))
}

/// Begins without `/wiki`, and the cursor is not the last parameter.
fn next_path(ask: &Ask, cursor: &str, limit: usize, start: usize) -> String {
    let kept =
        ask.query.0.iter().filter(|(name, _)| !["cursor", "limit", "start", "next"].contains(&name.as_str()));
    let query = form_urlencoded::Serializer::new(String::new())
        .append_pair("next", "true")
        .append_pair("cursor", cursor)
        .append_pair("limit", &limit.to_string())
        .append_pair("start", &start.to_string())
        .extend_pairs(kept)
        .finish();
    format!("{}?{query}", ask.path.trim_start_matches("/wiki"))
}

fn own(ask: &Ask) -> String {
    let query = form_urlencoded::Serializer::new(String::new()).extend_pairs(&ask.query.0).finish();
    format!("https://{}{}?{query}", ask.view.site.host, ask.path)
}

/// People by name, `/rest/api/search/user`.
pub fn people(ask: &Ask) -> Answer {
    answer(ask, Scope::Users)
}
