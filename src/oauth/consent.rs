//! `POST /oauth/consent`: what the person decided about a client that the operator did not configure.

use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::Response;

use super::browser::{self, Browser};
use super::error::{Code, OauthError};
use super::params::Params;
use super::{AuthorizationServer, SIGN_IN_LIFETIME, page, send_to};
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
    match params.get("decision") {
        Ok(Some("allow")) => {
            let sign_in = SignIn { expires_at: server.clock.unix() + SIGN_IN_LIFETIME, ..request };
            let mut response = send_to(&server.atlassian_url(&sign_in), StatusCode::SEE_OTHER);
            if let Some(cookie) = browser::approve(&headers, &server, &sign_in) {
                response.headers_mut().append(header::SET_COOKIE, cookie);
            }
            response
        }
        Ok(Some("deny")) => {
            let denied = OauthError::new(Code::AccessDenied, "The person did not allow this client.");
            page::denied(&server.error_url(&request.redirect_uri, request.client_state.as_deref(), denied))
        }
        _ => page::start_again("The page sent no decision."),
    }
}

/// What browsers say about the page that posts a form, as far as they say it.
fn is_same_origin(headers: &HeaderMap, origin: &str) -> bool {
    let says = |name: &str, expected: &str| headers.get(name).is_none_or(|value| value == expected);
    says(header::ORIGIN.as_str(), origin) && says("sec-fetch-site", "same-origin")
}
