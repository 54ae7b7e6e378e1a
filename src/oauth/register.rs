//! `POST /oauth/register` (RFC 7591): registration that stores nothing. The client id that is answered *is* the
//! registration, sealed.

use std::net::IpAddr;

use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;
use axum::{Extension, Json};
use serde::Deserialize;
use serde_json::{Value, json};

use super::error::{Code, OauthError};
use super::pace::Asker;
use super::{AuthorizationServer, SCOPE, answer, redirect};
use crate::config::McpClients;
use crate::peer::Peer;
use crate::seal::payloads::Registration;

/// The longest request that is read, in bytes.
const MAX_LEN: usize = 16 * 1024;

/// How many redirect URIs a client may have.
const MAX_REDIRECT_URIS: usize = 5;

/// The longest name of a client, in characters.
const MAX_NAME: usize = 80;

/// A registration can be read until its key leaves the ring, or for ten years, in seconds.
const LIFETIME: i64 = 10 * 365 * 24 * 3600;

/// The metadata that counts. Everything else, logos above all, is neither loaded nor answered.
#[derive(Deserialize)]
struct Metadata {
    redirect_uris: Vec<String>,
    client_name: Option<String>,
    grant_types: Option<Vec<String>>,
    response_types: Option<Vec<String>>,
}

/// Registers a client that the operator did not configure.
pub async fn register(
    State(server): State<AuthorizationServer>,
    Extension(peer): Extension<Peer>,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let address = server.pace.address(peer, &headers);
    match paced(&server, address, &body).await {
        Ok(registered) => answer((StatusCode::CREATED, Json(registered))),
        Err(error) => {
            tracing::info!(%error, "a registration is refused");
            answer(error)
        }
    }
}

/// Who registers has no name yet, or any: its address stands for it, at a client's ample pace.
async fn paced(server: &AuthorizationServer, address: IpAddr, body: &[u8]) -> Result<Value, OauthError> {
    let registration = match registration(server, body) {
        Ok(registration) => registration,
        Err(error) => return Err(server.pace.failed(address, error).await),
    };
    server.pace.admit(Asker { client: String::new(), address: Some(address) }).await?;
    Ok(answer_to(server, &registration))
}

fn registration(server: &AuthorizationServer, body: &[u8]) -> Result<Registration, OauthError> {
    let refuse = |why| OauthError::new(Code::InvalidClientMetadata, why);
    let clients = &server.config.mcp_clients;
    if *clients == McpClients::Off {
        return Err(OauthError::new(Code::AccessDenied, "Clients cannot register themselves here."));
    }
    if body.len() > MAX_LEN {
        return Err(refuse("The metadata are longer than 16 KiB."));
    }
    let metadata: Metadata = serde_json::from_slice(body)
        .map_err(|_| refuse("The body is not JSON client metadata with an array redirect_uris."))?;
    let mut redirect_uris = metadata.redirect_uris;
    let sound = redirect_uris.iter().all(|uri| redirect::is_acceptable(uri, &McpClients::Any));
    let few = redirect_uris.len() <= MAX_REDIRECT_URIS;
    // Editors register a page of their maker's beside loopback, and use whichever the answer leaves them.
    redirect_uris.retain(|uri| redirect::is_acceptable(uri, clients));
    if !sound || !few || redirect_uris.is_empty() {
        let why = "There have to be 1 to 5 redirect_uris of at most 512 bytes: https on a host that is allowed here, or http on loopback.";
        return Err(OauthError::new(Code::InvalidRedirectUri, why));
    }
    let lacks = |values: Option<Vec<String>>, needed: &str| {
        values.is_some_and(|values| !values.iter().any(|value| value == needed))
    };
    if lacks(metadata.grant_types, "authorization_code") || lacks(metadata.response_types, "code") {
        return Err(refuse("Only the authorization code grant is offered."));
    }
    let host = redirect::host(&redirect_uris[0]);
    let name = metadata.client_name.as_deref().and_then(display_name).unwrap_or(host);
    Ok(Registration { name, redirect_uris, expires_at: server.clock.unix() + LIFETIME })
}

fn answer_to(server: &AuthorizationServer, registration: &Registration) -> Value {
    // A client may ask for a secret; RFC 7591 §3.2.1 lets the server decide, and the answer says that there is none.
    json!({
        "client_id": server.sealer.seal(registration),
        "client_id_issued_at": registration.expires_at - LIFETIME,
        "client_name": registration.name,
        "redirect_uris": registration.redirect_uris,
        "grant_types": ["authorization_code", "refresh_token"],
        "response_types": ["code"],
        "token_endpoint_auth_method": "none",
        "scope": SCOPE,
    })
}

/// A name that can be shown: one short line, without characters that change how the text around it reads.
pub fn display_name(text: &str) -> Option<String> {
    let trimmed = text.trim();
    let deceptive = |c: char| {
        c.is_control()
            || matches!(c, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}')
    };
    let sound = !trimmed.is_empty() && trimmed.chars().count() <= MAX_NAME && !trimmed.chars().any(deceptive);
    sound.then(|| trimmed.to_owned())
}
