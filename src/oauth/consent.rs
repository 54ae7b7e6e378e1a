//! `POST /oauth/consent`: what the person decided about a client that the operator did not configure.

use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::Response;

use super::browser::Browser;
use super::error::{Code, OauthError};
use super::params::Params;
use super::{AuthorizationServer, SIGN_IN_LIFETIME, page, send_to};
use crate::config::{RedirectUri, Standing};
use crate::seal::payloads::{ConsentRequest, SignIn};

/// Takes the decision from our own consent page, and from nowhere else.
pub async fn consent(State(server): State<AuthorizationServer>, headers: HeaderMap, body: Bytes) -> Response {
    let urls = &server.config.public_url;
    let params = Params::parse(&body);
    let sealed = params.get("request").ok().flatten().unwrap_or_default();
    let Ok(ConsentRequest(request)) = server.sealer.open(sealed) else {
        return page::start_again(
            "This page has been open for longer than 15 minutes, or did not come from here.",
        );
    };
    if !is_same_origin(&headers, urls.origin()) || !Browser::recognise(&headers, urls).is(&request.browser) {
        return page::start_again("This decision was not made on our own page in this browser.");
    }
    if server.is_revoked(request.expires_at - SIGN_IN_LIFETIME) {
        return page::start_again("Sign-ins that began as early as this one are no longer accepted.");
    }
    match params.get("decision") {
        Ok(Some("allow")) => {
            let sign_in = SignIn { expires_at: server.clock.unix() + SIGN_IN_LIFETIME, ..request };
            match server.atlassian_url(&sign_in) {
                Ok(location) => send_to(&location, StatusCode::SEE_OTHER),
                Err(error) => page::refusal(&error.into()),
            }
        }
        Ok(Some("deny")) => denied(&server, &request),
        _ => page::start_again("The page sent no decision."),
    }
}

/// Back to a client that is known, or on this computer; any other is a stranger still, so that the way there is the person's to
/// take.
fn denied(server: &AuthorizationServer, request: &SignIn) -> Response {
    let error = OauthError::new(Code::AccessDenied, "The person did not allow this client.");
    let location = server.error_url(&request.redirect_uri, request.client_state.as_deref(), &error);
    let standing = RedirectUri::parse(&request.redirect_uri)
        .ok()
        .and_then(|uri| server.config.mcp_clients.standing(&uri));
    match standing {
        Some(Standing::Known(_) | Standing::Listed | Standing::Loopback) => {
            send_to(&location, StatusCode::SEE_OTHER)
        }
        Some(Standing::Permitted) => page::denied(&location),
        None => page::start_again("The client is no longer allowed here."),
    }
}

/// What browsers say about the page that posts a form, as far as they say it.
fn is_same_origin(headers: &HeaderMap, origin: &str) -> bool {
    let says = |name: &str, expected: &str| headers.get(name).is_none_or(|value| value == expected);
    says(header::ORIGIN.as_str(), origin) && says("sec-fetch-site", "same-origin")
}
