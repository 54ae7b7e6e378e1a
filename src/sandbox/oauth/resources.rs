//! What a grant reaches: accessible-resources and /me.

use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use serde_json::{Value, json};

use crate::sandbox::Sandbox;
use crate::sandbox::gate::{caller, confluence_scopes, resources};
use crate::sandbox::people::Product;
use crate::sandbox::reply::{Refusal, json_reply};

/// A site appears once for each product, Jira's entries with Jira's scopes.
pub async fn accessible_resources(State(sandbox): State<Sandbox>, headers: HeaderMap) -> Response {
    let caller = match caller(&sandbox, &headers, None) {
        Ok(caller) => caller,
        Err(refusal) => return refusal.into_response(),
    };
    let entries: Vec<_> = resources(&sandbox, caller.person)
        .iter()
        .map(|(site, product)| match product {
            Product::Confluence => (site, confluence_scopes(&caller.scopes)),
            Product::Jira => (site, vec!["read:jira-user", "read:jira-work"]),
        })
        .filter(|(_, scopes)| !scopes.is_empty())
        .map(|(site, scopes)| {
            json!({
                "id": site.cloud_id,
                "url": site.url(),
                "name": site.name,
                "scopes": scopes,
                "avatarUrl": "https://site-admin-avatar-cdn.prod.public.atl-paas.net/avatars/240/rocket.png",
            })
        })
        .collect();
    json_reply(StatusCode::OK, &Value::Array(entries))
}

pub async fn me(State(sandbox): State<Sandbox>, headers: HeaderMap) -> Response {
    match caller(&sandbox, &headers, None) {
        Err(refusal) => refusal.into_response(),
        Ok(caller) if !caller.scopes.iter().any(|scope| scope == "read:me") => {
            Refusal::gateway(StatusCode::FORBIDDEN, "Forbidden; scope does not match").into_response()
        }
        Ok(caller) => {
            let person = caller.person;
            let me = json!({
                "account_type": "atlassian",
                "account_id": person.account_id,
                "email": format!("{}@acme.example", person.key),
                "name": person.name,
                "picture": "https://avatar-management--avatars.us-west-2.prod.public.atl-paas.net/default-avatar.png",
                "account_status": if person.active { "active" } else { "inactive" },
                "nickname": person.key,
                "zoneinfo": "Europe/Berlin",
                "locale": "en-US",
                "extended_profile": {},
                "last_updated": "2026-01-15T08:00:00.000Z",
                "created_at": "2023-01-15T08:00:00.000Z",
            });
            json_reply(StatusCode::OK, &me)
        }
    }
}
