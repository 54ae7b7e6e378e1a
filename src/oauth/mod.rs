//! The authorization server that ChatGPT and MCP clients see: a facade before Atlassian's. Everything it must remember
//! travels sealed, in `state`, codes and tokens; the process keeps nothing that a restart may lose.
//!
//! The journey: `authorize` (and for clients nobody configured `consent`) → Atlassian → `callback` → `token`; from then
//! on each request shows its token to [`AuthorizationServer::grant`].

mod audience;
mod authorize;
mod bearer;
mod browser;
mod callback;
mod client;
mod consent;
mod error;
mod issued;
mod metadata;
mod metadata_document;
mod name;
mod opened;
mod pace;
mod page;
mod params;
mod pkce;
mod public_address;
mod redirect;
mod register;
mod token;

use std::future::{Ready, ready};
use std::sync::Arc;

use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};

use crate::atlassian::{Auth, Sites};
use crate::clock::Clock;
use crate::config::{Config, Gpt};
use crate::seal::payloads::{Door, SignIn};
use crate::seal::{SealError, Sealer};
use crate::telemetry::Metrics;

pub use authorize::authorize;
pub use bearer::{BearerError, Grant};
pub use callback::callback;
pub use client::DOCS as DOCS_CLIENT_ID;
pub use consent::consent;
pub use metadata::{resource_metadata, server_metadata};
pub use register::register;
pub use token::token;

/// Our own single scope: what clients see, whatever Atlassian is asked for.
pub const SCOPE: &str = "confluence:read";

/// How long a sign-in may take from first to last page, in seconds.
const SIGN_IN_LIFETIME: i64 = 15 * 60;

/// What the endpoints share. A clone is another handle to the same.
#[derive(Clone)]
pub struct AuthorizationServer {
    config: Arc<Config>,
    sealer: Sealer,
    opened: Arc<opened::Recent>,
    clock: Clock,
    auth: Auth,
    sites: Sites,
    /// What Atlassian is asked for: what the enabled actions of all GPTs need, and `offline_access`.
    scopes: Arc<[&'static str]>,
    refreshes: token::Refreshes,
    documents: metadata_document::Documents,
    pace: pace::Pace,
    /// Sign-ins that gave a code, and the fingerprint of the code of Atlassian's that they gave it for.
    finished: pace::Seen<[u8; 32], [u8; 32]>,
    /// Codes of Atlassian's that were redeemed, or cannot be.
    spent: pace::Seen<[u8; 32]>,
    metrics: Metrics,
}

impl AuthorizationServer {
    /// `scopes` are the Atlassian scopes that the enabled actions of all GPTs need.
    pub fn new(
        config: Arc<Config>,
        sealer: Sealer,
        clock: Clock,
        auth: Auth,
        sites: Sites,
        mut scopes: Vec<&'static str>,
        metrics: Metrics,
    ) -> Self {
        scopes.push(OFFLINE_ACCESS);
        scopes.sort_unstable();
        scopes.dedup();
        let pace = pace::Pace::new(&config, &clock, &metrics);
        let documents = metadata_document::Documents::new(&clock);
        Self {
            config,
            sealer,
            opened: Arc::new(opened::Recent::new()),
            clock,
            auth,
            sites,
            scopes: scopes.into(),
            refreshes: token::Refreshes::new(),
            documents,
            pace,
            finished: pace::Seen::new(),
            spent: pace::Seen::new(),
            metrics,
        }
    }

    /// The scopes that Atlassian is asked for at every sign-in.
    pub fn atlassian_scopes(&self) -> &[&'static str] {
        &self.scopes
    }

    /// Atlassian's side of a sign-in.
    pub fn atlassian(&self) -> &Auth {
        &self.auth
    }

    /// Where the browser goes to consent at Atlassian.
    fn atlassian_url(&self, sign_in: &SignIn) -> Result<String, SealError> {
        let state = self.sealer.seal(sign_in)?;
        self.metrics.sign_in("begun", "ok");
        Ok(self.auth.authorize_url(&self.scopes, state))
    }

    /// Where the browser goes back to the client: `params`, the client's own state, and who says so (RFC 9207).
    fn client_url(&self, redirect_uri: &str, client_state: Option<&str>, params: &[(&str, &str)]) -> String {
        let state = client_state.map(|state| ("state", state));
        let issuer = ("iss", self.config.public_url.origin());
        let params: Vec<_> = params.iter().copied().chain(state).chain([issuer]).collect();
        redirect::with_params(redirect_uri, &params)
    }

    /// The same with an error (RFC 6749 §4.1.2.1).
    fn error_url(&self, redirect_uri: &str, client_state: Option<&str>, error: &error::OauthError) -> String {
        let params = [("error", error.code.as_str()), ("error_description", &*error.description)];
        self.client_url(redirect_uri, client_state, &params)
    }

    /// Whether somebody who signed in at `signed_in_at` still counts (`CAUSEWAY_NOT_BEFORE`).
    fn is_revoked(&self, signed_in_at: i64) -> bool {
        self.config.not_before.is_some_and(|not_before| signed_in_at < not_before.as_second())
    }
}

impl Gpt {
    /// Whether it can be reached through this door.
    fn has(&self, door: Door) -> bool {
        door == Door::Actions || self.mcp
    }
}

impl From<SealError> for error::OauthError {
    fn from(error: SealError) -> Self {
        tracing::error!(%error, "something could not be sealed");
        Self::new(error::Code::ServerError, "The gateway failed; it is not the client's fault.")
    }
}

/// The scope without which Atlassian gives no refresh token.
const OFFLINE_ACCESS: &str = "offline_access";

/// Sends a browser on: 302 from a page that was fetched, 303 from a form that was posted.
fn send_to(location: &str, status: StatusCode) -> Response {
    let Ok(location) = HeaderValue::try_from(location) else {
        return StatusCode::INTERNAL_SERVER_ERROR.into_response();
    };
    let mut response = status.into_response();
    let headers = response.headers_mut();
    headers.insert(header::LOCATION, location);
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    headers.insert(header::REFERRER_POLICY, HeaderValue::from_static("no-referrer"));
    response
}

/// An answer to a program, not a person: never stored, and readable by MCP clients that run in a browser. None of these
/// endpoints looks at a cookie, so another origin learns nothing that it could not ask for itself.
fn answer(response: impl IntoResponse) -> Response {
    let mut response = response.into_response();
    let headers = response.headers_mut();
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    headers.insert(header::PRAGMA, HeaderValue::from_static("no-cache"));
    headers.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, HeaderValue::from_static("*"));
    response
}

/// Handles OPTIONS on the endpoints that programs call: the preflight of an MCP client that runs in a browser.
pub fn preflight() -> Ready<Response> {
    let mut response = answer(StatusCode::NO_CONTENT);
    let headers = response.headers_mut();
    headers.insert(header::ACCESS_CONTROL_ALLOW_METHODS, HeaderValue::from_static("GET, POST"));
    let allowed = HeaderValue::from_static("authorization, content-type, mcp-protocol-version");
    headers.insert(header::ACCESS_CONTROL_ALLOW_HEADERS, allowed);
    ready(response)
}
