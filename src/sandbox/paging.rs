//! Cursors and lists of the new API.

use axum::http::{HeaderValue, header};
use axum::response::Response;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};
use url::form_urlencoded;

use super::gate::Ask;
use super::reply::{Refusal, reply};

pub const LARGEST: usize = 250;

/// A stretch of a list and the cursor of what follows.
pub struct Slice<T> {
    pub rows: Vec<T>,
    pub next: Option<String>,
}

/// Cuts the stretch out of `all` that cursor and limit name.
pub fn cut<T>(ask: &Ask, all: Vec<T>, default_limit: usize) -> Result<Slice<T>, Refusal> {
    let limit = ask.query.number("limit", 1..=LARGEST)?.unwrap_or(default_limit);
    let start = match ask.query.get("cursor") {
        None => 0,
        Some(cursor) => open(cursor, &ask.path)
            .ok_or_else(|| Refusal::invalid("Provided value for 'cursor' is not valid"))?,
    };
    let total = all.len();
    let rows = all.into_iter().skip(start).take(limit).collect();
    let end = start.saturating_add(limit);
    Ok(Slice { rows, next: (end < total).then(|| seal(end, &ask.path)) })
}

/// A cursor holds only for the path that gave it. It carries characters that a link must escape.
pub fn seal(offset: usize, path: &str) -> String {
    STANDARD.encode(json!({ "at": offset, "of": path.rsplit('/').next(), "~": "??>" }).to_string())
}

pub fn open(cursor: &str, path: &str) -> Option<usize> {
    let value: Value = serde_json::from_slice(&STANDARD.decode(cursor).ok()?).ok()?;
    (value["of"].as_str() == path.rsplit('/').next()).then_some(())?;
    usize::try_from(value["at"].as_u64()?).ok()
}

/// The list as answered: results, links, and the Link header.
pub fn list(ask: &Ask, results: &[Value], next: Option<String>) -> Response {
    let base = ask.view.site.base();
    let points = 1 + results.len() as u64;
    let mut links = serde_json::Map::new();
    let mut link = format!("<{base}>; rel=\"base\"");
    if let Some(cursor) = next {
        let next = next_path(ask, &cursor);
        link = format!("<{next}>; rel=\"next\", {link}");
        links.insert("next".to_owned(), next.into());
    }
    links.insert("base".to_owned(), base.into());
    let mut response = reply(&json!({ "results": results, "_links": links }), points);
    if let Ok(link) = HeaderValue::from_str(&link) {
        response.headers_mut().insert(header::LINK, link);
    }
    response
}

/// The cursor comes first, the caller's own parameters after it.
fn next_path(ask: &Ask, cursor: &str) -> String {
    let rest = ask.query.0.iter().filter(|(name, _)| name != "cursor");
    let query = form_urlencoded::Serializer::new(String::new())
        .append_pair("cursor", cursor)
        .extend_pairs(rest)
        .finish();
    format!("{}?{query}", ask.path)
}
