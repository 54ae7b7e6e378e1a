//! POST /oauth/token: codes and refresh tokens against access tokens.

use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Map, Value, json};
use url::form_urlencoded;

use super::jwt::{Claims, sign};
use crate::sandbox::Sandbox;
use crate::sandbox::people::{Person, by_key};
use crate::sandbox::reply::{Refusal, json_reply};
use crate::sandbox::state::{Grant, Refresh};

/// How long access tokens live, in seconds.
pub const LIFETIME: i64 = 3600;
/// How long a used refresh token may be replayed.
const LEEWAY: i64 = 600;
/// How long an unused refresh token lives.
const INACTIVITY: i64 = 90 * 86_400;

pub async fn handle(State(sandbox): State<Sandbox>, headers: HeaderMap, body: Bytes) -> Response {
    match exchange(&sandbox, &headers, &body) {
        Ok(granted) => {
            let mut response = json_reply(StatusCode::OK, &granted);
            response
                .headers_mut()
                .insert(header::CACHE_CONTROL, header::HeaderValue::from_static("no-store"));
            response
        }
        Err(refusal) => refusal.into_response(),
    }
}

fn refused(status: StatusCode, error: &str, description: &str) -> Refusal {
    Refusal { status, body: json!({ "error": error, "error_description": description }) }
}

fn exchange(sandbox: &Sandbox, headers: &HeaderMap, body: &[u8]) -> Result<Value, Refusal> {
    let fields = fields(headers, body)?;
    let field = |name: &str| {
        fields.get(name).and_then(Value::as_str).filter(|value| !value.is_empty()).ok_or_else(|| {
            refused(
                StatusCode::BAD_REQUEST,
                "invalid_request",
                &format!("Missing required parameter: {name}"),
            )
        })
    };
    let app = &sandbox.shared.app;
    let grant_type = field("grant_type")?;
    if field("client_id")? != app.client_id || field("client_secret")? != app.client_secret {
        return Err(refused(StatusCode::UNAUTHORIZED, "access_denied", "Unauthorized"));
    }
    match grant_type {
        "authorization_code" => redeem(sandbox, field("code")?, field("redirect_uri")?),
        "refresh_token" => refresh(sandbox, field("refresh_token")?),
        other => Err(refused(
            StatusCode::FORBIDDEN,
            "unsupported_grant_type",
            &format!("Unsupported grant type: {other}"),
        )),
    }
}

/// JSON or a form, whichever the content type names.
fn fields(headers: &HeaderMap, body: &[u8]) -> Result<Map<String, Value>, Refusal> {
    let kind = headers.get(header::CONTENT_TYPE).and_then(|kind| kind.to_str().ok()).unwrap_or_default();
    if kind.starts_with("application/x-www-form-urlencoded") {
        let pairs = form_urlencoded::parse(body).into_owned();
        return Ok(pairs.map(|(name, value)| (name, Value::String(value))).collect());
    }
    let unreadable = || refused(StatusCode::BAD_REQUEST, "invalid_request", "The request body is not valid");
    if !kind.starts_with("application/json") {
        return Err(unreadable());
    }
    serde_json::from_slice(body).map_err(|_| unreadable())
}

fn redeem(sandbox: &Sandbox, code: &str, redirect_uri: &str) -> Result<Value, Refusal> {
    let now = sandbox.shared.clock.unix();
    let invalid = || refused(StatusCode::FORBIDDEN, "invalid_grant", "Invalid authorization code");
    let mut state = sandbox.shared.state();
    let found = state.codes.get_mut(code).ok_or_else(invalid)?;
    if found.used || found.expires <= now {
        return Err(invalid());
    }
    if found.redirect_uri != redirect_uri {
        return Err(refused(
            StatusCode::FORBIDDEN,
            "invalid_grant",
            "The redirect URI is wrong. You sent a different one.",
        ));
    }
    found.used = true;
    let (person, serial) = (found.person, found.grant);
    let grant = state.grants.get(person).filter(|grant| grant.serial == serial).cloned();
    drop(state);
    match (by_key(person), grant) {
        (Some(person), Some(grant)) => Ok(issue(sandbox, person, &grant)),
        _ => Err(invalid()),
    }
}

fn refresh(sandbox: &Sandbox, token: &str) -> Result<Value, Refusal> {
    let now = sandbox.shared.clock.unix();
    let dead = || refused(StatusCode::FORBIDDEN, "unauthorized_client", "refresh_token is invalid");
    let mut state = sandbox.shared.state();
    let found = state.refresh.get_mut(token).ok_or_else(dead)?;
    let (person, serial) = (found.person, found.grant);
    match found.used {
        None if now - found.issued > INACTIVITY => {
            return Err(refused(StatusCode::FORBIDDEN, "invalid_grant", "Unknown or invalid refresh token."));
        }
        Some(used) if now - used > LEEWAY => {
            // Somebody replays an old token: the whole grant is taken to be stolen.
            if state.grants.get(person).is_some_and(|grant| grant.serial == serial) {
                state.grants.remove(person);
            }
            return Err(refused(StatusCode::FORBIDDEN, "invalid_grant", "Unknown or invalid refresh token."));
        }
        None => found.used = Some(now),
        Some(_) => {}
    }
    let grant = state.grants.get(person).filter(|grant| grant.serial == serial).cloned();
    drop(state);
    match (by_key(person), grant) {
        (Some(person), Some(grant)) => Ok(issue(sandbox, person, &grant)),
        _ => Err(dead()),
    }
}

/// A new access token and, with `offline_access`, a new refresh token.
pub fn issue(sandbox: &Sandbox, person: &'static Person, grant: &Grant) -> Value {
    let scope = grant.scopes.join(" ");
    let mut granted = json!({
        "access_token": access_token(sandbox, person, grant),
        "expires_in": LIFETIME,
        "token_type": "Bearer",
        "scope": scope,
    });
    if grant.scopes.iter().any(|scope| scope == "offline_access") {
        let token =
            format!("eyJraWQiOiI1MWE2YjE2MjRlMTQ5ZDFiYTdhM2VmZjciLCJhbGciOiJSUzI1NiJ9.{}", random(900));
        let now = sandbox.shared.clock.unix();
        let refresh = Refresh { person: person.key, grant: grant.serial, issued: now, used: None };
        sandbox.shared.state().refresh.insert(token.clone(), refresh);
        granted["refresh_token"] = token.into();
    }
    granted
}

fn access_token(sandbox: &Sandbox, person: &Person, grant: &Grant) -> String {
    let now = sandbox.shared.clock.unix();
    let app = &sandbox.shared.app;
    let claims = Claims {
        jti: random(24),
        sub: person.account_id.to_owned(),
        aud: app.client_id.clone(),
        iss: "https://auth.atlassian.com".to_owned(),
        iat: now,
        nbf: now,
        exp: now + LIFETIME,
        scope: grant.scopes.join(" "),
        client_id: app.client_id.clone(),
        grant: grant.serial,
        ari: format!("ari:cloud:identity::user/{}", person.account_id),
        verified: true,
        region: "us-east-1".to_owned(),
        ujt: random(24),
        system_email: format!("{}@connect.atlassian.com", random(24)),
        email_domain: "acme.example".to_owned(),
        three_legged: true,
        session: random(300),
    };
    sign(&sandbox.shared.key, &claims)
}

/// Unguessable text out of that many random bytes.
pub fn random(bytes: usize) -> String {
    let mut buffer = vec![0; bytes];
    rand::fill(buffer.as_mut_slice());
    URL_SAFE_NO_PAD.encode(buffer)
}
