//! Atlassian's authorization server (OAuth 2.0, 3LO): the consent URL, the code exchange and the refresh.

use std::sync::Arc;
use std::time::Duration;

use oauth2::basic::{BasicClient, BasicErrorResponse, BasicErrorResponseType, BasicTokenResponse};
use oauth2::{
    AuthType, AuthUrl, AuthorizationCode, ClientId, ClientSecret, CsrfToken, EndpointNotSet, EndpointSet,
    HttpRequest, HttpResponse, RedirectUrl, RefreshToken, RequestTokenError, Scope, TokenResponse, TokenUrl,
};
use secrecy::{ExposeSecret, SecretString};

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
    http: reqwest::Client,
    metrics: Metrics,
}

/// What Atlassian grants.
pub struct Tokens {
    pub access_token: SecretString,
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
        Ok(Self { client: Arc::new(client), http, metrics })
    }

    pub(super) fn http(&self) -> &reqwest::Client {
        &self.http
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

    /// Redeems a code, which works once.
    pub async fn exchange(&self, code: &SecretString) -> Result<Tokens, AuthError> {
        let code = AuthorizationCode::new(code.expose_secret().to_owned());
        let send = |request| send(self.clone(), request);
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
        let send = |request| send(self.clone(), request);
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
        access_token: answer.access_token().secret().clone().into(),
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

/// Sends one request of the oauth2 crate with our own client. Only an answer that decides something is handed back.
async fn send(auth: Auth, request: HttpRequest) -> Result<HttpResponse, AuthError> {
    let mut request =
        reqwest::Request::try_from(request).map_err(|error| unavailable(super::describe(error)))?;
    *request.timeout_mut() = Some(TIMEOUT);
    let sent = super::counted(&auth.metrics, "oauth/token", auth.http.execute(request));
    let response = sent.await.map_err(|error| unavailable(super::describe(error)))?;
    let status = response.status();
    if status.is_server_error() || status == reqwest::StatusCode::TOO_MANY_REQUESTS {
        let retry_after = super::retry_after(response.headers());
        return Err(AuthError::Unavailable { cause: format!("status {}", status.as_u16()), retry_after });
    }
    let mut answer = HttpResponse::new(Vec::new());
    *answer.status_mut() = status;
    *answer.headers_mut() = response.headers().clone();
    *answer.body_mut() = super::read(response, MAX_ANSWER).await.map_err(unavailable)?;
    Ok(answer)
}
