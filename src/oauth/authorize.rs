//! `GET /oauth/authorize`: checks who asks for what, and sends the person on to Atlassian or first to our consent page.

use axum::extract::{RawQuery, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::Response;

use super::browser::{self, Browser};
use super::client::Client;
use super::error::{Code, OauthError};
use super::params::Params;
use super::{AuthorizationServer, SIGN_IN_LIFETIME, audience, page, pkce, send_to};
use crate::seal::payloads::{ConsentRequest, SignIn};

/// The longest `state` of a client, in bytes.
const MAX_STATE: usize = 2048;

/// What has no business in a browser's address line, and extensions that would replace the request by another.
const REFUSED: [&str; 6] =
    ["request", "request_uri", "client_secret", "access_token", "refresh_token", "code"];

/// Begins a sign-in.
pub async fn authorize(
    State(server): State<AuthorizationServer>,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
) -> Response {
    let params = Params::parse(query.unwrap_or_default().as_bytes());
    match begin(&server, &params, &headers).await {
        Ok(response) => response,
        Err(Refusal::Shown(error)) => {
            tracing::info!(error = %error, "a sign-in is refused");
            page::refusal(error)
        }
        Err(Refusal::Sent(location)) => send_to(&location, StatusCode::FOUND),
    }
}

/// How a request is refused.
enum Refusal {
    /// To the person: the client or its redirect is unsound, or nobody has approved the client yet.
    Shown(OauthError),
    /// To the client, at its redirect.
    Sent(String),
}

impl<E: Into<OauthError>> From<E> for Refusal {
    fn from(error: E) -> Self {
        Self::Shown(error.into())
    }
}

async fn begin(
    server: &AuthorizationServer,
    params: &Params,
    headers: &HeaderMap,
) -> Result<Response, Refusal> {
    let config = &server.config;
    let client_id = params.require("client_id", "There is no client_id.")?;
    let redirect_uri = params.require("redirect_uri", "There is no redirect_uri.")?;
    let client_state = params.get("state")?;
    if client_state.is_some_and(|state| state.len() > MAX_STATE) {
        return Err(OauthError::new(Code::InvalidRequest, "The state is longer than 2048 bytes.").into());
    }
    let client = Client::at_authorize(server, client_id).await?;
    let audience = params.get("resource").map_err(OauthError::from);
    let audience = audience.and_then(|resource| audience::of(config, &client, resource));
    let door = audience.as_ref().ok().map(|audience| audience.door);
    if !client.may_redirect_to(config, redirect_uri, door) {
        let why = "The redirect_uri is not one that this client may use.";
        return Err(OauthError::new(Code::InvalidRequest, why).into());
    }

    // From here on the client may hear of errors itself, if the operator or the person trusts it.
    let approved = |audience| browser::is_approved(headers, server, client.key(), redirect_uri, audience);
    let trusted = !matches!(client, Client::Dynamic(_)) || audience.as_ref().is_ok_and(approved);
    let checked = audience.and_then(|audience| {
        check(params)?;
        let challenge = pkce::challenge(params, client.needs_challenge(&audience))?;
        Ok((audience, challenge))
    });
    let (audience, challenge) = checked.map_err(|error| {
        if trusted {
            Refusal::Sent(server.error_url(redirect_uri, client_state, error))
        } else {
            Refusal::Shown(error)
        }
    })?;

    let browser = Browser::recognise(headers, &config.public_url);
    let sign_in = SignIn {
        client_id: client.key().to_owned(),
        redirect_uri: redirect_uri.to_owned(),
        client_state: client_state.map(str::to_owned),
        challenge,
        audience,
        browser: browser.fingerprint(),
        expires_at: server.clock.unix() + SIGN_IN_LIFETIME,
    };
    let mut response = match &client {
        Client::Dynamic(client) if !trusted => {
            let request = ConsentRequest(sign_in);
            page::consent(&client.name, &request.0, config, &server.sealer.seal(&request))
        }
        _ => send_to(&server.atlassian_url(&sign_in), StatusCode::FOUND),
    };
    if let Some(cookie) = browser.set_cookie(&config.public_url) {
        response.headers_mut().append(header::SET_COOKIE, cookie);
    }
    Ok(response)
}

/// What every request needs, whoever sends it. The scope is read by nobody: what is asked from Atlassian is our choice.
fn check(params: &Params) -> Result<(), OauthError> {
    params.faultless()?;
    for name in REFUSED {
        if params.get(name)?.is_some() {
            return Err(OauthError::new(
                Code::InvalidRequest,
                "There is a parameter that is not accepted here.",
            ));
        }
    }
    match params.require("response_type", "There is no response_type.")? {
        "code" => {}
        _ => return Err(OauthError::new(Code::UnsupportedResponseType, "The response_type has to be code.")),
    }
    match params.get("response_mode")? {
        None | Some("query") => Ok(()),
        Some(_) => Err(OauthError::new(Code::InvalidRequest, "The response_mode has to be query.")),
    }
}
