//! Atlassian's authorization server (OAuth 2.0, 3LO): the consent URL, the code exchange and the refresh.

use std::sync::Arc;
use std::time::Duration;

use oauth2::basic::{BasicClient, BasicErrorResponse, BasicErrorResponseType, BasicTokenResponse};
use oauth2::{
    AuthType, AuthUrl, AuthorizationCode, ClientId, ClientSecret, CsrfToken, EndpointNotSet, EndpointSet,
    HttpRequest, HttpResponse, RedirectUrl, RefreshToken, RequestTokenError, Scope, TokenResponse, TokenUrl,
};
use reqwest::StatusCode;
use reqwest::header::HeaderMap;
use secrecy::{ExposeSecret, SecretString};

use super::{AccessToken, Account, Breaker, Resting};
use crate::clock::Clock;
use crate::config;
use crate::telemetry::Metrics;
use crate::urls::PublicUrl;

/// How long one call to the token endpoint may take.
const TIMEOUT: Duration = Duration::from_secs(15);

/// The longest token answer that is read, in bytes. Tokens are at most 4 KB each.
const MAX_ANSWER: usize = 64 * 1024;

/// What Atlassian says `expires_in` usually is; taken when an answer lacks it.
const USUAL_LIFETIME: Duration = Duration::from_secs(3600);

type Client = BasicClient<EndpointSet, EndpointNotSet, EndpointNotSet, EndpointNotSet, EndpointSet>;

/// Atlassian's authorization server, as our one 3LO app sees it.
#[derive(Clone)]
pub struct Auth {
    client: Arc<Client>,
    wire: Wire,
}

/// The way to the token endpoint.
#[derive(Clone)]
struct Wire {
    http: reqwest::Client,
    metrics: Metrics,
    breaker: Breaker,
    clock: Clock,
}

/// What Atlassian grants.
pub struct Tokens {
    pub access_token: AccessToken,
    /// Absent only when Atlassian did not grant `offline_access`, or did not rotate.
    pub refresh_token: Option<SecretString>,
    pub expires_in: Duration,
    /// The granted scopes, separated by spaces; absent: those that were asked for.
    pub scopes: Option<String>,
}

/// Why Atlassian gives no token. Holds nothing of Atlassian's answer but its error code.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AuthError {
    /// The code or refresh token is used up, revoked or unknown: the person has to sign in again.
    #[error("Atlassian no longer accepts this grant")]
    Rejected,
    /// Our own client id or secret is wrong: the operator's problem.
    #[error("Atlassian does not accept this gateway's client ({0})")]
    Misconfigured(&'static str),
    /// Nothing is decided; the same call may succeed later.
    #[error("Atlassian's token endpoint gave no usable answer: {cause}")]
    Unavailable { cause: String, retry_after: Option<u64> },
}

impl Auth {
    pub fn new(
        config: &config::Atlassian,
        public_url: &PublicUrl,
        http: reqwest::Client,
        metrics: Metrics,
        clock: &Clock,
    ) -> Result<Self, String> {
        let endpoint = |path: &str| {
            let mut url = config.auth_url.clone();
            url.set_path(path);
            url
        };
        let client = BasicClient::new(ClientId::new(config.client_id.clone()))
            .set_client_secret(ClientSecret::new(config.client_secret.expose_secret().to_owned()))
            .set_auth_type(AuthType::RequestBody)
            .set_auth_uri(AuthUrl::from_url(endpoint("/authorize")))
            .set_token_uri(TokenUrl::from_url(endpoint("/oauth/token")))
            .set_redirect_uri(RedirectUrl::new(public_url.callback()).map_err(|error| error.to_string())?);
        let wire = Wire { http, metrics, breaker: Breaker::new(clock), clock: clock.clone() };
        Ok(Self { client: Arc::new(client), wire })
    }

    pub(super) fn http(&self) -> &reqwest::Client {
        &self.wire.http
    }

    /// Where the browser goes to consent. All parameters are required by Atlassian.
    pub fn authorize_url(&self, scopes: &[&'static str], state: String) -> String {
        let (url, _) = self
            .client
            .authorize_url(|| CsrfToken::new(state))
            .add_scopes(scopes.iter().map(|scope| Scope::new((*scope).to_owned())))
            .add_extra_param("audience", "api.atlassian.com")
            .add_extra_param("prompt", "consent")
            .url();
        url.into()
    }

    /// The circuit breaker of the authorization server's host.
    pub fn breaker(&self) -> &Breaker {
        &self.wire.breaker
    }

    /// Redeems a code, which works once.
    pub async fn exchange(&self, code: &SecretString) -> Result<Tokens, AuthError> {
        let code = AuthorizationCode::new(code.expose_secret().to_owned());
        let send = |request| self.wire.clone().send(request);
        self.client
            .exchange_code(code)
            .request_async(&send)
            .await
            .map(|answer| tokens(&answer))
            .map_err(refused)
    }

    /// Trades a refresh token for new tokens. Atlassian rotates it and honours the old one for 10 more minutes.
    pub async fn refresh(&self, refresh_token: &SecretString) -> Result<Tokens, AuthError> {
        let refresh_token = RefreshToken::new(refresh_token.expose_secret().to_owned());
        let send = |request| self.wire.clone().send(request);
        let answer = self.client.exchange_refresh_token(&refresh_token).request_async(&send).await;
        answer.map(|answer| tokens(&answer)).map_err(refused)
    }
}

fn tokens(answer: &BasicTokenResponse) -> Tokens {
    let scopes = answer.scopes().map(|scopes| {
        let scopes: Vec<&str> = scopes.iter().map(|scope| scope.as_str()).collect();
        scopes.join(" ")
    });
    Tokens {
        access_token: AccessToken::new(answer.access_token().secret().clone()),
        refresh_token: answer.refresh_token().map(|token| token.secret().clone().into()),
        expires_in: answer.expires_in().unwrap_or(USUAL_LIFETIME),
        scopes,
    }
}

fn unavailable(cause: impl Into<String>) -> AuthError {
    AuthError::Unavailable { cause: cause.into(), retry_after: None }
}

fn refused(error: RequestTokenError<AuthError, BasicErrorResponse>) -> AuthError {
    match error {
        RequestTokenError::Request(error) => error,
        RequestTokenError::ServerResponse(answer) => refusal(&answer),
        // The parser's message and the body may quote a token.
        RequestTokenError::Parse(..) => unavailable("it is not the JSON of RFC 6749"),
        RequestTokenError::Other(_) => unavailable("it is empty or not JSON"),
    }
}

/// Atlassian calls a dead refresh token `invalid_grant`, or `unauthorized_client` with a telling description. Without
/// that description `unauthorized_client` means our own client.
fn refusal(answer: &BasicErrorResponse) -> AuthError {
    let description = answer.error_description().map(|text| text.to_ascii_lowercase()).unwrap_or_default();
    match answer.error() {
        BasicErrorResponseType::InvalidGrant => AuthError::Rejected,
        BasicErrorResponseType::UnauthorizedClient if description.contains("refresh_token is invalid") => {
            AuthError::Rejected
        }
        BasicErrorResponseType::UnauthorizedClient => AuthError::Misconfigured("unauthorized_client"),
        BasicErrorResponseType::InvalidClient => AuthError::Misconfigured("invalid_client"),
        BasicErrorResponseType::InvalidRequest => AuthError::Misconfigured("invalid_request"),
        BasicErrorResponseType::InvalidScope => AuthError::Misconfigured("invalid_scope"),
        BasicErrorResponseType::UnsupportedGrantType => AuthError::Misconfigured("unsupported_grant_type"),
        BasicErrorResponseType::Extension(code) if code == "access_denied" => {
            AuthError::Misconfigured("access_denied")
        }
        BasicErrorResponseType::Extension(_) => unavailable("it has an error code that is not known"),
    }
}

impl Wire {
    /// Only an answer that decides something is handed back.
    async fn send(self, request: HttpRequest) -> Result<HttpResponse, AuthError> {
        // Whoever holds this code or refresh token: a body is one person's.
        let holder = Account::of_holder(request.body());
        let rests = |Resting(seconds)| {
            self.metrics.withheld(super::RESTS);
            let cause = "it only fails and is left alone for a while".to_owned();
            AuthError::Unavailable { cause, retry_after: Some(seconds) }
        };
        let mut trial = self.breaker.admit(holder, self.clock.deadline(TIMEOUT)).map_err(rests)?;
        let answer = trial.wait_for(self.transfer(request), ()).await.map_err(rests)?;
        match &answer {
            Ok((status, ..)) if !status.is_server_error() => trial.succeeded(),
            _ => trial.failed(),
        }
        decided(answer.map_err(unavailable)?)
    }

    /// Sends one request of the oauth2 crate with our own client.
    async fn transfer(&self, request: HttpRequest) -> Result<Transferred, String> {
        let mut request = reqwest::Request::try_from(request).map_err(super::describe)?;
        *request.timeout_mut() = Some(TIMEOUT);
        let sent = super::counted(&self.metrics, "oauth/token", self.http.execute(request));
        let response = sent.await.map_err(super::describe)?;
        let (status, headers) = (response.status(), response.headers().clone());
        Ok((status, headers, super::read(response, MAX_ANSWER).await?))
    }
}

/// An answer as it came, whatever it says.
type Transferred = (StatusCode, HeaderMap, Vec<u8>);

/// Hands back only an answer that decides something.
fn decided((status, headers, body): Transferred) -> Result<HttpResponse, AuthError> {
    if status.is_server_error() || status == StatusCode::TOO_MANY_REQUESTS {
        let retry_after = super::retry_after(&headers);
        return Err(AuthError::Unavailable { cause: format!("status {}", status.as_u16()), retry_after });
    }
    let mut answer = HttpResponse::new(body);
    *answer.status_mut() = status;
    *answer.headers_mut() = headers;
    Ok(answer)
}
