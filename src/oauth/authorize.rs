//! `GET /oauth/authorize`: checks who asks for what, and sends the person on to Atlassian or first to our consent page.

use std::net::IpAddr;

use axum::Extension;
use axum::extract::{RawQuery, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::Response;

use super::browser::Browser;
use super::client::{Client, Dynamic};
use super::error::{Code, OauthError, quoted};
use super::params::Params;
use super::{AuthorizationServer, SIGN_IN_LIFETIME, audience, page, pkce, register, send_to};
use crate::config::{RedirectUri, Standing};
use crate::peer::Peer;
use crate::seal::payloads::{Audience, ConsentRequest, SignIn};

/// The longest `state` of a client, in bytes.
const MAX_STATE: usize = 2048;

/// What has no business in a browser's address line, and extensions that would replace the request by another.
const REFUSED: [&str; 6] =
    ["request", "request_uri", "client_secret", "access_token", "refresh_token", "code"];

/// Begins a sign-in.
pub async fn authorize(
    State(server): State<AuthorizationServer>,
    Extension(peer): Extension<Peer>,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
) -> Response {
    let params = Params::parse(query.unwrap_or_default().as_bytes());
    let address = server.pace.address(peer, &headers);
    match begin(&server, &params, &headers, address).await {
        Ok(response) => response,
        Err(Refusal::Shown(error)) => {
            error.log("a sign-in is refused");
            page::refusal(&error)
        }
        Err(Refusal::Sent(location)) => send_to(&location, StatusCode::FOUND),
    }
}

/// How a request is refused.
enum Refusal {
    /// To the person: the client or its redirect is unsound, or the operator did not configure the client.
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
    address: IpAddr,
) -> Result<Response, Refusal> {
    let config = &server.config;
    let client_id = params.require("client_id", "There is no client_id.")?;
    let redirect_uri = params.require("redirect_uri", "There is no redirect_uri.")?;
    let client_state = params.get("state")?;
    if client_state.is_some_and(|state| state.len() > MAX_STATE) {
        return Err(OauthError::new(Code::InvalidRequest, "The state is longer than 2048 bytes.").into());
    }
    let (client, document) = Client::at_authorize(server, client_id)?;
    let audience = params.get("resource").map_err(OauthError::from);
    let audience = audience.and_then(|resource| audience::of(config, &client, resource));
    let door = audience.as_ref().ok().map(|audience| audience.door);
    let uri = RedirectUri::parse(redirect_uri).map_err(|why| refused_redirect(&client, redirect_uri, why))?;
    if !client.may_redirect_to(config, &uri, door) {
        return Err(
            refused_redirect(&client, redirect_uri, "is not one that this client may use here").into()
        );
    }

    // From here on the client may hear of errors itself, if the operator has configured it.
    let checked = audience.and_then(|audience| {
        check(params)?;
        let challenge = pkce::challenge(params, client.needs_challenge(&audience))?;
        Ok((audience, challenge))
    });
    let (audience, challenge) = checked.map_err(|error| match &client {
        Client::Dynamic(_) => Refusal::Shown(error),
        _ => Refusal::Sent(server.error_url(redirect_uri, client_state, &error)),
    })?;

    // Whatever can be told without the client's metadata document has been: only now is it fetched.
    let client = match document {
        Some(url) => Client::Dynamic(server.documents.fetch(&url, address, config).await?),
        None => client,
    };
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
        Client::Dynamic(client) => ask(server, client, &uri, sign_in)?,
        _ => send_to(&server.atlassian_url(&sign_in).map_err(OauthError::from)?, StatusCode::FOUND),
    };
    if let Some(cookie) = browser.set_cookie(&config.public_url) {
        response.headers_mut().append(header::SET_COOKIE, cookie);
    }
    Ok(response)
}

/// Our consent page, each time: nothing that a person allowed before is remembered.
fn ask(
    server: &AuthorizationServer,
    client: &Dynamic,
    uri: &RedirectUri,
    sign_in: SignIn,
) -> Result<Response, OauthError> {
    let standing: Standing = client.standing(&server.config, uri).ok_or_else(|| {
        let why = "is not in the metadata document of this client";
        refused_redirect(&Client::Dynamic(client.clone()), uri.as_str(), why)
    })?;
    let Audience { gpt, .. } = sign_in.audience.clone();
    let request = server.sealer.seal(&ConsentRequest(sign_in))?;
    let asked = page::Asked { name: &client.name, redirect_uri: uri, standing, gpt: &gpt, request: &request };
    Ok(page::consent(&asked, &server.config))
}

/// Names the redirect URI that was refused, and what would allow it.
fn refused_redirect(client: &Client, redirect_uri: &str, why: &str) -> OauthError {
    let remedy = match client {
        Client::Dynamic(_) => register::HOW_TO_ALLOW,
        Client::Configured(_) => {
            "The operator allows the callback of a GPT with CAUSEWAY_GPT_IDS, and any other redirect URI with CAUSEWAY_REDIRECT_URIS."
        }
        _ => "",
    };
    let found = format!(
        "The redirect_uri is not one that this client may use: {} {why}. {remedy}",
        quoted(redirect_uri)
    );
    OauthError::naming(Code::InvalidRequest, found.trim_end().to_owned())
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
