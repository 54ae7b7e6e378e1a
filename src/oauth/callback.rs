//! `GET /oauth/callback`: the person is back from Atlassian. Atlassian's code is not redeemed here but sealed into ours.

use axum::extract::{RawQuery, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;

use super::browser::Browser;
use super::error::{Code, OauthError};
use super::params::Params;
use super::{AuthorizationServer, page, send_to, token};
use crate::seal::OpenError;
use crate::seal::payloads::{self, SignIn};

/// The longest code of Atlassian's that is passed on, in bytes.
const MAX_CODE: usize = 4096;

/// Ends the browser's part of a sign-in.
pub async fn callback(
    State(server): State<AuthorizationServer>,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
) -> Response {
    let params = Params::parse(query.unwrap_or_default().as_bytes());
    let state = params.get("state").ok().flatten().unwrap_or_default();
    let sign_in = match server.sealer.open::<SignIn>(state) {
        Ok(sign_in) => sign_in,
        Err(OpenError::Expired) => return page::start_again("The sign-in took longer than 15 minutes."),
        Err(OpenError::Foreign) => {
            return page::start_again("This page was not reached from a sign-in that began here.");
        }
    };
    // Without this check somebody could end their own sign-in in another person's browser (login CSRF).
    if !Browser::recognise(&headers, &server.config.public_url).is(&sign_in.browser) {
        return page::start_again(
            "This sign-in was begun in another browser, or this browser refuses cookies.",
        );
    }
    let SignIn { client_id, redirect_uri, client_state, challenge, audience, .. } = sign_in;
    let client_state = client_state.as_deref();
    let location = match atlassian_code(&params) {
        Ok(code) => {
            server.metrics.sign_in("returned", "ok");
            let code = server.sealer.seal(&payloads::Code {
                atlassian_code: code.to_owned(),
                client_id,
                redirect_uri: redirect_uri.clone(),
                challenge,
                audience,
                expires_at: server.clock.unix() + token::CODE_LIFETIME,
            });
            server.client_url(&redirect_uri, client_state, &[("code", &code)])
        }
        Err(error) => {
            server.metrics.sign_in("returned", error.code.as_str());
            tracing::info!(%error, "Atlassian sent a person back without a code");
            server.error_url(&redirect_uri, client_state, error)
        }
    };
    send_to(&location, StatusCode::FOUND)
}

/// Atlassian's answer, in words that the client may hear.
fn atlassian_code(params: &Params) -> Result<&str, OauthError> {
    let unusable = OauthError::new(
        Code::ServerError,
        "Atlassian sent the person back with an answer that cannot be used.",
    );
    params.faultless().map_err(|_| unusable)?;
    match (params.get("error")?, params.get("code")?) {
        (Some("access_denied"), _) => {
            Err(OauthError::new(Code::AccessDenied, "Access was denied at Atlassian."))
        }
        (Some("temporarily_unavailable"), _) => {
            Err(OauthError::new(Code::TemporarilyUnavailable, "Atlassian is not available just now."))
        }
        (None, Some(code)) if code.len() <= MAX_CODE => Ok(code),
        _ => Err(unusable),
    }
}
