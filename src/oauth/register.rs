//! `POST /oauth/register` (RFC 7591): registration that stores nothing. The client id that is answered *is* the
//! registration, sealed.

use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;
use axum::{Extension, Json};
use serde::Deserialize;
use serde_json::{Value, json};

use super::error::{Code, OauthError, quoted};
use super::name::display_name;
use super::{AuthorizationServer, SCOPE, answer};
use crate::config::{McpClients, RedirectUri};
use crate::peer::Peer;
use crate::seal::payloads::Registration;

/// The longest request that is read, in bytes.
const MAX_LEN: usize = 16 * 1024;

/// How many redirect URIs of a client are kept.
const MAX_REDIRECT_URIS: usize = 5;

/// How many refused ones are named.
const MAX_NAMED: usize = 3;

/// What whoever runs this gateway can do about a redirect URI that was refused.
pub const HOW_TO_ALLOW: &str = "The operator of this gateway allows a redirect URI by adding it to CAUSEWAY_MCP_CLIENTS, as in known,https://global.consent.azure-apim.net/redirect/ID for Copilot Studio.";

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
    if !server.config.has_mcp() {
        return answer(StatusCode::NOT_FOUND);
    }
    let address = server.pace.address(peer, &headers);
    // A sound registration costs less than refusing it and leaves nothing behind, so that it is never one too many.
    let registered = registration(&server, &body).and_then(|registration| answer_to(&server, &registration));
    match registered.map_err(|error| server.pace.failed(address, error)) {
        Ok(registered) => answer((StatusCode::CREATED, Json(registered))),
        Err(error) => {
            error.log("a registration is refused");
            answer(error)
        }
    }
}

fn registration(server: &AuthorizationServer, body: &[u8]) -> Result<Registration, OauthError> {
    let refuse = |why| OauthError::new(Code::InvalidClientMetadata, why);
    let clients = &server.config.mcp_clients;
    if clients.is_off() {
        return Err(OauthError::new(Code::AccessDenied, "Clients cannot register themselves here."));
    }
    if body.len() > MAX_LEN {
        return Err(refuse("The metadata are longer than 16 KiB."));
    }
    let metadata: Metadata = serde_json::from_slice(body)
        .map_err(|_| refuse("The body is not JSON client metadata with an array redirect_uris."))?;
    let redirect_uris = allowed(clients, &metadata.redirect_uris)?;
    let lacks = |values: Option<Vec<String>>, needed: &str| {
        values.is_some_and(|values| !values.iter().any(|value| value == needed))
    };
    if lacks(metadata.grant_types, "authorization_code") || lacks(metadata.response_types, "code") {
        return Err(refuse("Only the authorization code grant is offered."));
    }
    let name = metadata.client_name.as_deref().and_then(display_name).unwrap_or_default();
    Ok(Registration { name, redirect_uris, expires_at: server.clock.unix() + LIFETIME })
}

/// Those redirect URIs that are allowed here. Editors register a page of their maker's beside loopback, and use whichever the
/// answer leaves them.
fn allowed(clients: &McpClients, redirect_uris: &[String]) -> Result<Vec<String>, OauthError> {
    let mut kept: Vec<String> = Vec::new();
    let mut refused = Vec::new();
    for text in redirect_uris {
        match RedirectUri::parse(text) {
            Ok(uri) if clients.standing(&uri).is_some() => {
                if !kept.contains(text) {
                    kept.push(text.clone());
                }
            }
            Ok(uri) if uri.is_of_a_gpt() => refused.push((
                text,
                "is the callback of a custom GPT, which is configured with a client id and secret",
            )),
            Ok(_) => refused.push((text, "is not allowed here")),
            Err(why) => refused.push((text, why)),
        }
    }
    kept.truncate(MAX_REDIRECT_URIS);
    if kept.is_empty() { Err(none_allowed(&refused)) } else { Ok(kept) }
}

/// Names what was refused and the variable that would allow it.
fn none_allowed(refused: &[(&String, &str)]) -> OauthError {
    let named: Vec<String> =
        refused.iter().take(MAX_NAMED).map(|(uri, why)| format!("{} {why}", quoted(uri))).collect();
    let more = if refused.len() > MAX_NAMED { "; and others" } else { "" };
    let found = if named.is_empty() { "There is none".to_owned() } else { named.join("; ") + more };
    let description = format!("None of the redirect_uris is allowed here: {found}. {HOW_TO_ALLOW}");
    OauthError::naming(Code::InvalidRedirectUri, description)
}

fn answer_to(server: &AuthorizationServer, registration: &Registration) -> Result<Value, OauthError> {
    // A client may ask for a secret; RFC 7591 §3.2.1 lets the server decide, and the answer says that there is none.
    let mut answer = json!({
        "client_id": server.sealer.seal(registration)?,
        "client_id_issued_at": registration.expires_at - LIFETIME,
        "redirect_uris": registration.redirect_uris,
        "grant_types": ["authorization_code", "refresh_token"],
        "response_types": ["code"],
        "token_endpoint_auth_method": "none",
        "scope": SCOPE,
    });
    if !registration.name.is_empty() {
        answer["client_name"] = json!(registration.name);
    }
    Ok(answer)
}
