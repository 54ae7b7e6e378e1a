//! `POST /oauth/token`: redeems codes and refresh tokens.

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::body::Bytes;
use axum::extract::{RawQuery, State};
use axum::http::{HeaderMap, header};
use axum::response::Response;
use axum::{Extension, Json};
use secrecy::ExposeSecret;
use serde_json::json;

use super::client::{self, Client};
use super::error::{Code, OauthError};
use super::pace::Asker;
use super::params::Params;
use super::{AuthorizationServer, OFFLINE_ACCESS, SCOPE, answer, audience, pkce};
use crate::atlassian::{AuthError, Tally, Tokens};
use crate::memo::Memo;
use crate::peer::Peer;
use crate::seal::fingerprint;
use crate::seal::payloads::{self, Access, Audience, Refresh};

/// How long our code lives, in seconds.
pub const CODE_LIFETIME: i64 = 120;

/// How long a refresh token lives from its last use, in seconds: as long as Atlassian's.
const REFRESH_LIFETIME: i64 = 90 * 24 * 3600;

/// How much sooner than Atlassian's token ours expires, in seconds, so that no request is sent with a dying one.
const MARGIN: i64 = 60;

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
            tracing::info!(%error, "a token request is refused");
            answer(error)
        }
    }
}

async fn redeem(
    server: &AuthorizationServer,
    address: IpAddr,
    query: Option<&str>,
    headers: &HeaderMap,
    body: &[u8],
) -> Result<Arc<Issued>, OauthError> {
    let (client, params) = match authenticate(server, query, headers, body) {
        Ok(request) => request,
        Err(error) => return Err(server.pace.failed(address, error).await),
    };
    let proven = client.is_proven();
    let asker = Asker { client: client.key().to_owned(), address: Some(address).filter(|_| !proven) };
    server.pace.admit(asker).await?;
    match grant(server, &client, &params).await {
        Err(error) if !proven && error.retry_after.is_none() => Err(server.pace.failed(address, error).await),
        granted => granted,
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
) -> Result<Arc<Issued>, OauthError> {
    match params.require("grant_type", "There is no grant_type.")? {
        "authorization_code" => {
            let redeemed = redeem_code(server, client, params).await.map(Arc::new);
            server.metrics.sign_in("redeemed", outcome(&redeemed));
            redeemed
        }
        "refresh_token" => {
            let refreshed = refresh(server, client, params).await;
            server.metrics.refresh(outcome(&refreshed));
            refreshed.map_err(|error| match client {
                // What it holds has ended, so that it has to register again.
                Client::Forgotten { .. } if error.code == Code::InvalidGrant => client::UNKNOWN,
                _ => error,
            })
        }
        _ => Err(OauthError::new(
            Code::UnsupportedGrantType,
            "The grant_type has to be authorization_code or refresh_token.",
        )),
    }
}

/// What a token request is counted as.
fn outcome(result: &Result<Arc<Issued>, OauthError>) -> &'static str {
    result.as_ref().map_or_else(|error| error.code.as_str(), |_| "ok")
}

fn is_form(headers: &HeaderMap) -> bool {
    let content_type =
        headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let essence = content_type.split(';').next().unwrap_or_default().trim();
    essence.eq_ignore_ascii_case("application/x-www-form-urlencoded")
}

async fn redeem_code(
    server: &AuthorizationServer,
    client: &Client,
    params: &Params,
) -> Result<Issued, OauthError> {
    const DEAD: OauthError =
        OauthError::new(Code::InvalidGrant, "The code is expired, used or not this client's.");
    let code = params.require("code", "There is no code.")?;
    let redirect_uri = params.require("redirect_uri", "There is no redirect_uri.")?;
    let code: payloads::Code = server.sealer.open(code).map_err(|_| DEAD)?;
    let signed_in_at = code.expires_at - CODE_LIFETIME;
    if code.client_id != client.key() || server.is_revoked(signed_in_at) {
        return Err(DEAD);
    }
    if code.redirect_uri != redirect_uri {
        return Err(OauthError::new(
            Code::InvalidGrant,
            "The redirect_uri is not that of the authorization request.",
        ));
    }
    if !pkce::proves(code.challenge.as_deref(), params.get("code_verifier")?) {
        return Err(OauthError::new(
            Code::InvalidGrant,
            "The code_verifier does not fit the code_challenge.",
        ));
    }
    check_audience(server, client, &code.audience, params)?;
    let tokens = server.auth.exchange(&code.atlassian_code.into()).await.map_err(|error| explain(&error))?;
    // A cold list of sites would only make the first action slow; that there is none is not a sign-in error either.
    let tally = Tally::start(&server.clock);
    let warm = server.sites.of(&tokens.access_token, server.clock.deadline(WARM_UP), &tally).await;
    if let Err(error) = warm {
        tracing::info!(%error, "the sites of a new sign-in are not known yet");
    }
    let asked = || server.scopes.join(" ");
    let sign_in =
        SignedIn { audience: code.audience, at: signed_in_at, redirect_uri: Some(code.redirect_uri) };
    Ok(issue(server, client, sign_in, tokens, None, asked))
}

async fn refresh(
    server: &AuthorizationServer,
    client: &Client,
    params: &Params,
) -> Result<Arc<Issued>, OauthError> {
    const DEAD: OauthError = OauthError::new(
        Code::InvalidGrant,
        "The refresh token is expired or not this client's: sign in again.",
    );
    let sealed = params.require("refresh_token", "There is no refresh_token.")?;
    // Everything that is checked is checked before another's answer could be shared.
    let refresh: Refresh = server.sealer.open(sealed).map_err(|_| DEAD)?;
    if refresh.client_id != client.key()
        || server.is_revoked(refresh.signed_in_at)
        || matches!(client, Client::Docs)
    {
        return Err(DEAD);
    }
    check_audience(server, client, &refresh.audience, params)?;
    if !covers(server, &refresh.scopes) {
        return Err(OauthError::new(
            Code::InvalidGrant,
            "More permissions are needed than were granted: sign in again.",
        ));
    }
    let key = fingerprint(sealed);
    let (server, client) = (server.clone(), client.clone());
    // In a task of its own: a client that hangs up must not leave Atlassian's rotated token with nobody.
    let shared = tokio::spawn(async move { server.refreshes.share(&server, &client, key, refresh).await });
    shared.await.unwrap_or(Err(OauthError::new(Code::ServerError, "The refresh was broken off.")))
}

/// The GPT has to exist still, and a configured client's token is for its own GPT.
fn check_audience(
    server: &AuthorizationServer,
    client: &Client,
    audience: &Audience,
    params: &Params,
) -> Result<(), OauthError> {
    let exists = server.config.gpt_by_client_id(&audience.gpt).is_some();
    let own = !matches!(client, Client::Configured(gpt) if gpt.client_id != audience.gpt);
    if !exists || !own {
        return Err(OauthError::new(
            Code::InvalidGrant,
            "The GPT this was granted for is gone: sign in again.",
        ));
    }
    audience::repeats(&server.config, audience, params.get("resource")?)
}

/// Whether what was granted is all that the enabled actions need today.
fn covers(server: &AuthorizationServer, granted: &str) -> bool {
    let granted: Vec<&str> = granted.split(' ').collect();
    server.scopes.iter().all(|needed| *needed == OFFLINE_ACCESS || granted.contains(needed))
}

/// What a client is given.
pub struct Issued {
    access_token: String,
    /// Absent for Swagger UI.
    refresh_token: Option<String>,
    /// When Atlassian answered, in seconds since the Unix epoch, as is the next.
    at: i64,
    expires_at: i64,
}

impl Issued {
    /// RFC 6749 §5.1; `bearer` in lower case, as ChatGPT expects it.
    fn to_json(&self, now: i64) -> serde_json::Value {
        let mut body = json!({
            "access_token": self.access_token,
            "token_type": "bearer",
            "expires_in": (self.expires_at - now).max(0),
            "scope": SCOPE,
        });
        if let Some(refresh_token) = &self.refresh_token {
            body["refresh_token"] = json!(refresh_token);
        }
        body
    }
}

/// What stays the same at each refresh.
struct SignedIn {
    audience: Audience,
    /// In seconds since the Unix epoch.
    at: i64,
    /// Where the client was called back; missing for clients with a secret.
    redirect_uri: Option<String>,
}

/// Seals what Atlassian granted. `previous` is its refresh token of before, which stays when it does not rotate;
/// `asked` are the scopes that hold when it names none.
fn issue(
    server: &AuthorizationServer,
    client: &Client,
    SignedIn { audience, at: signed_in_at, redirect_uri }: SignedIn,
    tokens: Tokens,
    previous: Option<String>,
    asked: impl FnOnce() -> String,
) -> Issued {
    let now = server.clock.unix();
    let lifetime = i64::try_from(tokens.expires_in.as_secs()).unwrap_or(i64::MAX / 2);
    let access = Access {
        token: tokens.access_token.expose().to_owned(),
        scopes: tokens.scopes.unwrap_or_else(asked),
        client_id: client.key().to_owned(),
        audience,
        signed_in_at,
        expires_at: now + (lifetime - MARGIN).max(1),
    };
    let token = tokens.refresh_token.map(|token| token.expose_secret().to_owned()).or(previous);
    if token.is_none() {
        tracing::warn!("Atlassian gave no refresh token: sign-ins end within the hour");
    }
    let refresh_token = token.filter(|_| !matches!(client, Client::Docs)).map(|token| {
        let expires_at = now + REFRESH_LIFETIME;
        let Access { scopes, client_id, audience, .. } = access.clone();
        server.sealer.seal(&Refresh {
            token,
            scopes,
            client_id,
            audience,
            signed_in_at,
            redirect_uri: redirect_uri.filter(|_| !client.is_proven()),
            expires_at,
        })
    });
    Issued {
        access_token: server.sealer.seal(&access),
        refresh_token,
        at: now,
        expires_at: access.expires_at,
    }
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
        let renewed = self.0.try_get_or(&key, async {
            let tokens = server.auth.refresh(&refresh.token.clone().into()).await?;
            let Refresh { token, scopes, audience, signed_in_at: at, redirect_uri, .. } = refresh;
            let redirect_uri = redirect_uri.or_else(|| client.acceptable_redirect_uri(&server.config));
            let sign_in = SignedIn { audience, at, redirect_uri };
            Ok(Arc::new(issue(server, client, sign_in, tokens, Some(token), || scopes)))
        });
        renewed.await.map_err(|error: Arc<AuthError>| explain(&error))
    }
}
