//! The documents by which clients find their way: RFC 8414 about the authorization server, RFC 9728 about each MCP
//! endpoint.

use axum::Json;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::Response;
use serde_json::json;

use super::{AuthorizationServer, SCOPE, answer};

/// Describes the authorization server (RFC 8414). Clients that look for it below a path find the same document.
pub async fn server_metadata(State(server): State<AuthorizationServer>) -> Response {
    let urls = &server.config.public_url;
    let open = server.config.takes_registrations();
    let mut document = json!({
        "issuer": urls.origin(),
        "authorization_endpoint": urls.authorize(),
        "token_endpoint": urls.token(),
        "scopes_supported": [SCOPE],
        "response_types_supported": ["code"],
        "response_modes_supported": ["query"],
        "grant_types_supported": ["authorization_code", "refresh_token"],
        "token_endpoint_auth_methods_supported": ["none", "client_secret_post", "client_secret_basic"],
        "code_challenge_methods_supported": ["S256"],
        "authorization_response_iss_parameter_supported": true,
        "client_id_metadata_document_supported": open,
        "op_policy_uri": urls.privacy(),
    });
    if open {
        document["registration_endpoint"] = json!(urls.register());
    }
    answer(Json(document))
}

/// Describes the MCP endpoint of the default GPT, or of the one in the path (RFC 9728).
pub async fn resource_metadata(
    State(server): State<AuthorizationServer>,
    slug: Option<Path<String>>,
) -> Response {
    let config = &server.config;
    let slug = slug.as_ref().map(|Path(slug)| slug.as_str());
    let gpt = slug.map_or(Some(config.default_gpt()), |slug| config.gpt_by_slug(slug));
    let Some(gpt) = gpt.filter(|gpt| gpt.mcp) else {
        return answer(StatusCode::NOT_FOUND);
    };
    answer(Json(json!({
        "resource": config.public_url.mcp(slug),
        "resource_name": gpt.name,
        "authorization_servers": [config.public_url.origin()],
        "scopes_supported": [SCOPE],
        "bearer_methods_supported": ["header"],
        "resource_policy_uri": config.public_url.privacy(),
    })))
}
