//! `GET /oauth/callback`: the person is back from Atlassian. Atlassian's code is not redeemed here but sealed into ours.

use axum::Extension;
use axum::extract::{RawQuery, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;

use super::browser::Browser;
use super::error::{Code, OauthError};
use super::params::Params;
use super::{AuthorizationServer, SIGN_IN_LIFETIME, page, send_to, token};
use crate::peer::Peer;
use crate::seal::payloads::{self, CameThrough, SignIn};
use crate::seal::{OpenError, fingerprint};

/// The longest code of Atlassian's that is passed on, in bytes.
const MAX_CODE: usize = 4096;

/// Ends the browser's part of a sign-in.
pub async fn callback(
    State(server): State<AuthorizationServer>,
    Extension(peer): Extension<Peer>,
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
    if server.is_revoked(sign_in.expires_at - SIGN_IN_LIFETIME) {
        return page::start_again("Sign-ins that began as early as this one are no longer accepted.");
    }
    // Without this check somebody could end their own sign-in in another person's browser (login CSRF).
    if !Browser::recognise(&headers, &server.config.public_url).is(&sign_in.browser) {
        return page::start_again(
            "This sign-in was begun in another browser, or this browser refuses cookies.",
        );
    }
    let atlassian_code = match atlassian_code(&params) {
        Ok(code) => code,
        Err(error) => {
            server.metrics.sign_in("returned", error.code.as_str());
            tracing::info!(%error, "Atlassian sent a person back without a code");
            return send_to(
                &server.error_url(&sign_in.redirect_uri, sign_in.client_state.as_deref(), &error),
                StatusCode::FOUND,
            );
        }
    };
    // Atlassian gives one code for one sign-in, so that another one for the same is made up, or from a page that was open twice.
    let given = fingerprint(atlassian_code);
    if server.finished.insert(fingerprint(state), given).is_some_and(|before| before != given) {
        return page::start_again("This sign-in has come to its end already.");
    }
    let from = match came_through(&server, server.pace.address(peer, &headers), &sign_in) {
        Ok(from) => from,
        Err(error) => {
            tracing::info!(%error, "too many codes that came this way are not redeemed");
            return page::too_many(&error);
        }
    };
    match code_url(&server, sign_in, atlassian_code, from) {
        Ok(location) => {
            server.metrics.sign_in("returned", "ok");
            send_to(&location, StatusCode::FOUND)
        }
        Err(error) => page::refusal(&error),
    }
}

/// Counts the code against whom it came through. Clients with a secret redeem few codes that are made up, as it takes their own
/// servers to do it: they do not share an address's allowance with those that anybody can be.
fn came_through(
    server: &AuthorizationServer,
    address: std::net::IpAddr,
    sign_in: &SignIn,
) -> Result<CameThrough, OauthError> {
    let is_configured = server.config.gpt_by_client_id(&sign_in.client_id).is_some();
    let sort = if is_configured { "configured" } else { "public" };
    server.pace.code(
        server.sealer.pseudonym(&format!("codes of the browser {}", sign_in.browser)),
        server.sealer.pseudonym(&format!("codes from {address} for a client that is {sort}")),
    )
}

/// Where the browser goes with our code.
fn code_url(
    server: &AuthorizationServer,
    sign_in: SignIn,
    atlassian_code: &str,
    from: CameThrough,
) -> Result<String, OauthError> {
    let SignIn { client_id, redirect_uri, client_state, challenge, audience, .. } = sign_in;
    let code = server.sealer.seal(&payloads::Code {
        atlassian_code: atlassian_code.to_owned(),
        client_id,
        redirect_uri: redirect_uri.clone(),
        challenge,
        audience,
        from,
        expires_at: server.clock.unix() + token::CODE_LIFETIME,
    })?;
    Ok(server.client_url(&redirect_uri, client_state.as_deref(), &[("code", &code)]))
}

/// Atlassian's answer, in words that the client may hear.
fn atlassian_code(params: &Params) -> Result<&str, OauthError> {
    let unusable = OauthError::new(
        Code::ServerError,
        "Atlassian sent the person back with an answer that cannot be used.",
    );
    params.faultless().map_err(|_| unusable.clone())?;
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
