//! `POST /oauth/token`: redeems codes and refresh tokens.

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::body::Bytes;
use axum::extract::{RawQuery, State};
use axum::http::{HeaderMap, header};
use axum::response::Response;
use axum::{Extension, Json};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use super::client::{self, Client, is_allowed};
use super::error::{Code, OauthError};
use super::issued::{Issued, SignedIn, issue};
use super::params::Params;
use super::{AuthorizationServer, OFFLINE_ACCESS, answer, audience, pkce};
use crate::atlassian::{AuthError, Tally};
use crate::memo::Memo;
use crate::peer::Peer;
use crate::seal::payloads::{self, Audience, Refresh};
use crate::seal::{OpenError, fingerprint};

/// How long our code lives, in seconds.
pub const CODE_LIFETIME: i64 = 120;

/// How long repeated refreshes of one token share an answer, in seconds.
const SHARED_FOR: i64 = 60;

/// How long the first look at the person's sites may hold up a sign-in.
const WARM_UP: Duration = Duration::from_secs(3);

/// Redeems a code or a refresh token.
pub async fn token(
    State(server): State<AuthorizationServer>,
    Extension(peer): Extension<Peer>,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let address = server.pace.address(peer, &headers);
    match redeem(&server, address, query.as_deref(), &headers, &body).await {
        Ok(issued) => answer(Json(issued.to_json(server.clock.unix()))),
        Err(error) => {
            error.log("a token request is refused");
            answer(error)
        }
    }
}

/// Checks everything that was sent before anything is counted or sent on: what does not open or match counts against the address
/// it came from, and nothing else does.
async fn redeem(
    server: &AuthorizationServer,
    address: IpAddr,
    query: Option<&str>,
    headers: &HeaderMap,
    body: &[u8],
) -> Result<Arc<Issued>, OauthError> {
    let junk = |error| server.pace.failed(address, error);
    let (client, params) = authenticate(server, query, headers, body).map_err(junk)?;
    match grant(server, &client, &params).await {
        // A client that has proven itself is always told the truth, and so is whoever holds what was ours once.
        Err(Refused::Junk(error)) if !client.is_proven() => Err(junk(error)),
        Err(Refused::Junk(error) | Refused::Honest(error)) => Err(error),
        Ok(issued) => Ok(issued),
    }
}

/// Why a grant is refused.
enum Refused {
    /// What was sent was never ours, or is not for this client, or is not what was promised.
    Junk(OauthError),
    /// It was ours, and is over; or it cannot be had just now.
    Honest(OauthError),
}

impl Refused {
    fn error(&self) -> &OauthError {
        let (Self::Junk(error) | Self::Honest(error)) = self;
        error
    }
}

impl From<OpenError> for Refused {
    fn from(error: OpenError) -> Self {
        const DEAD: OauthError = OauthError::new(
            Code::InvalidGrant,
            "The grant is expired, used or not this client's: sign in again.",
        );
        match error {
            OpenError::Foreign => Self::Junk(DEAD),
            OpenError::Expired => Self::Honest(DEAD),
        }
    }
}

/// Who asks, and for what.
fn authenticate(
    server: &AuthorizationServer,
    query: Option<&str>,
    headers: &HeaderMap,
    body: &[u8],
) -> Result<(Client, Params), OauthError> {
    if query.is_some_and(|query| !query.is_empty()) {
        return Err(OauthError::new(
            Code::InvalidRequest,
            "Parameters belong into the body, not into the URL.",
        ));
    }
    if !is_form(headers) {
        return Err(OauthError::new(
            Code::InvalidRequest,
            "The body has to be application/x-www-form-urlencoded.",
        ));
    }
    let params = Params::parse(body);
    params.faultless()?;
    let client = Client::at_token(server, &params, headers)?;
    Ok((client, params))
}

async fn grant(
    server: &AuthorizationServer,
    client: &Client,
    params: &Params,
) -> Result<Arc<Issued>, Refused> {
    match params.require("grant_type", "There is no grant_type.").map_err(Refused::Junk)? {
        "authorization_code" => {
            let redeemed = redeem_code(server, client, params).await.map(Arc::new);
            server.metrics.sign_in("redeemed", outcome(&redeemed));
            redeemed
        }
        "refresh_token" => {
            let refreshed = refresh(server, client, params).await;
            server.metrics.refresh(outcome(&refreshed));
            refreshed.map_err(|refused| match (client, refused) {
                // What it holds has ended, so that it has to register again.
                (Client::Forgotten { .. }, Refused::Honest(error)) if error.code == Code::InvalidGrant => {
                    Refused::Honest(client::UNKNOWN)
                }
                (_, refused) => refused,
            })
        }
        _ => Err(Refused::Junk(OauthError::new(
            Code::UnsupportedGrantType,
            "The grant_type has to be authorization_code or refresh_token.",
        ))),
    }
}

/// What a token request is counted as.
fn outcome(result: &Result<Arc<Issued>, Refused>) -> &'static str {
    result.as_ref().map_or_else(|refused| refused.error().code.as_str(), |_| "ok")
}

fn is_form(headers: &HeaderMap) -> bool {
    let content_type =
        headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let essence = content_type.split(';').next().unwrap_or_default().trim();
    essence.eq_ignore_ascii_case("application/x-www-form-urlencoded")
}

/// Everything that a code request has to prove, before Atlassian is asked.
fn checked_code(
    server: &AuthorizationServer,
    client: &Client,
    params: &Params,
) -> Result<payloads::Code, Refused> {
    let junk = |why| Refused::Junk(OauthError::new(Code::InvalidGrant, why));
    let code = params.require("code", "There is no code.").map_err(Refused::Junk)?;
    let redirect_uri = params.require("redirect_uri", "There is no redirect_uri.").map_err(Refused::Junk)?;
    let code: payloads::Code = server.sealer.open(code)?;
    if code.client_id != client.key() {
        return Err(junk("The code is not this client's."));
    }
    if code.redirect_uri != redirect_uri {
        return Err(junk("The redirect_uri is not that of the authorization request."));
    }
    let verifier = params.get("code_verifier").map_err(|fault| Refused::Junk(fault.into()))?;
    if !pkce::proves(code.challenge.as_deref(), verifier) {
        return Err(junk("The code_verifier does not fit the code_challenge."));
    }
    check_audience(server, client, &code.audience, params)?;
    check_still_allowed(server, client, code.expires_at - CODE_LIFETIME, Some(&code.redirect_uri))?;
    Ok(code)
}

async fn redeem_code(
    server: &AuthorizationServer,
    client: &Client,
    params: &Params,
) -> Result<Issued, Refused> {
    const USED: OauthError =
        OauthError::new(Code::InvalidGrant, "The code has been used already: sign in again.");
    let code = checked_code(server, client, params)?;
    // Codes can be made up and brought through our callback, so that each is taken to Atlassian once.
    let spent = fingerprint(&code.atlassian_code);
    if server.spent.insert(spent, ()).is_some() {
        return Err(Refused::Honest(USED));
    }
    let tokens = match server.auth.exchange(&code.atlassian_code.into()).await {
        Ok(tokens) => tokens,
        Err(error) => {
            if error != AuthError::Rejected {
                server.spent.forget(&spent);
            }
            return Err(Refused::Honest(explain(&error)));
        }
    };
    server.pace.accepted(code.from);
    // A cold list of sites would only make the first action slow; that there is none is not a sign-in error either.
    let tally = Tally::start(&server.clock);
    let warm = server.sites.of(&tokens.access_token, server.clock.deadline(WARM_UP), &tally).await;
    if let Err(error) = warm {
        tracing::info!(%error, "the sites of a new sign-in are not known yet");
    }
    let asked = || server.scopes.join(" ");
    let sign_in = SignedIn {
        audience: code.audience,
        at: code.expires_at - CODE_LIFETIME,
        redirect_uri: Some(code.redirect_uri),
    };
    issue(server, client, sign_in, tokens, None, asked).map_err(|error| Refused::Honest(error.into()))
}

async fn refresh(
    server: &AuthorizationServer,
    client: &Client,
    params: &Params,
) -> Result<Arc<Issued>, Refused> {
    let sealed = params.require("refresh_token", "There is no refresh_token.").map_err(Refused::Junk)?;
    // Everything that is checked is checked before another's answer could be shared.
    let refresh: Refresh = server.sealer.open(sealed)?;
    if refresh.client_id != client.key() || matches!(client, Client::Docs) {
        return Err(Refused::Junk(OauthError::new(
            Code::InvalidGrant,
            "The refresh token is not this client's: sign in again.",
        )));
    }
    check_audience(server, client, &refresh.audience, params)?;
    check_still_allowed(server, client, refresh.signed_in_at, refresh.redirect_uri.as_deref())?;
    if !covers(server, &refresh.scopes) {
        return Err(Refused::Honest(OauthError::new(
            Code::InvalidGrant,
            "More permissions are needed than were granted: sign in again.",
        )));
    }
    let key = fingerprint(sealed);
    let (server, client) = (server.clone(), client.clone());
    // In a task of its own: a client that hangs up must not leave Atlassian's rotated token with nobody.
    let shared = tokio::spawn(async move { server.refreshes.share(&server, &client, key, refresh).await });
    let shared =
        shared.await.unwrap_or(Err(OauthError::new(Code::ServerError, "The refresh was broken off.")));
    shared.map_err(Refused::Honest)
}

/// The sign-in has to count still, and a client that the operator did not configure to be allowed where it was called back.
fn check_still_allowed(
    server: &AuthorizationServer,
    client: &Client,
    signed_in_at: i64,
    redirect_uri: Option<&str>,
) -> Result<(), Refused> {
    let is_stranger = matches!(client, Client::Dynamic(_) | Client::Forgotten { .. });
    let is_welcome = !is_stranger || redirect_uri.is_none_or(|uri| is_allowed(&server.config, uri));
    if is_welcome && !server.is_revoked(signed_in_at) {
        return Ok(());
    }
    Err(Refused::Honest(OauthError::new(
        Code::InvalidGrant,
        "This sign-in is no longer accepted: sign in again.",
    )))
}

/// The GPT has to exist still, and a configured client's token is for its own GPT.
fn check_audience(
    server: &AuthorizationServer,
    client: &Client,
    audience: &Audience,
    params: &Params,
) -> Result<(), Refused> {
    let exists = server.config.gpt_by_client_id(&audience.gpt).is_some_and(|gpt| gpt.has(audience.door));
    let own = !matches!(client, Client::Configured(gpt) if gpt.client_id != audience.gpt);
    if !exists || !own {
        return Err(Refused::Honest(OauthError::new(
            Code::InvalidGrant,
            "The GPT or the door this was granted for is gone: sign in again.",
        )));
    }
    let resource = params.get("resource").map_err(|fault| Refused::Junk(fault.into()))?;
    audience::repeats(&server.config, audience, resource).map_err(Refused::Junk)
}

/// Whether what was granted is all that the enabled actions need today.
fn covers(server: &AuthorizationServer, granted: &str) -> bool {
    let granted: Vec<&str> = granted.split(' ').collect();
    server.scopes.iter().all(|needed| *needed == OFFLINE_ACCESS || granted.contains(needed))
}

/// What Atlassian's refusal means to the client. The operator's problem is not the person's: it does not end the session.
fn explain(error: &AuthError) -> OauthError {
    match error {
        AuthError::Rejected => {
            OauthError::new(Code::InvalidGrant, "Atlassian no longer accepts this sign-in: sign in again.")
        }
        AuthError::Misconfigured(_) => {
            tracing::error!(%error, "check ATLASSIAN_CLIENT_ID, ATLASSIAN_CLIENT_SECRET and the app's callback URL");
            OauthError::retry("Signing in is not set up properly here just now.", 60)
        }
        AuthError::Unavailable { retry_after, .. } => {
            tracing::warn!(%error, "Atlassian issues no token just now");
            OauthError::retry("Atlassian does not answer just now.", retry_after.unwrap_or(5).clamp(1, 3600))
        }
    }
}

/// Answers of the last minute, by the fingerprint of the refresh token that was sent. A clone shares them.
#[derive(Clone)]
pub struct Refreshes(Memo<Arc<Issued>>);

impl Refreshes {
    pub fn new() -> Self {
        let lifetime = Duration::from_secs(SHARED_FOR.unsigned_abs());
        Self(Memo::lasting(10_000, lifetime))
    }

    /// The answer to one refresh token: of the call that is under way, of the last minute, or of a new call. Only
    /// successes are kept.
    async fn share(
        &self,
        server: &AuthorizationServer,
        client: &Client,
        key: [u8; 32],
        refresh: Refresh,
    ) -> Result<Arc<Issued>, OauthError> {
        // The cache counts real seconds; the gateway's clock may be moved.
        let is_old = |issued: &Arc<Issued>| server.clock.unix() - issued.at >= SHARED_FOR;
        if self.0.get(&key).await.is_some_and(|issued| is_old(&issued)) {
            self.0.forget(&key).await;
        }
        // Tokens of before the person was sealed are counted one by one.
        let person =
            if refresh.person.is_empty() { URL_SAFE_NO_PAD.encode(key) } else { refresh.person.clone() };
        let renewed = self.0.try_get_or(&key, async {
            server.pace.refresh(&person)?;
            let tokens = server.auth.refresh(&refresh.token.clone().into()).await;
            let tokens = tokens.map_err(|error| explain(&error))?;
            let Refresh { token, scopes, audience, signed_in_at: at, redirect_uri, .. } = refresh;
            let redirect_uri = redirect_uri.or_else(|| client.acceptable_redirect_uri(&server.config));
            let sign_in = SignedIn { audience, at, redirect_uri };
            Ok(Arc::new(issue(server, client, sign_in, tokens, Some(token), || scopes)?))
        });
        renewed.await.map_err(|error: Arc<OauthError>| (*error).clone())
    }
}
