//! The errors of OAuth: many reasons, few public codes.

use std::borrow::Cow;

use axum::Json;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde_json::json;

/// The codes that clients see.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Code {
    /// <https://www.rfc-editor.org/rfc/rfc6749#section-4.1.2.1> and
    /// <https://www.rfc-editor.org/rfc/rfc6749#section-5.2>
    InvalidRequest,
    /// <https://www.rfc-editor.org/rfc/rfc6749#section-5.2>
    InvalidClient,
    /// <https://www.rfc-editor.org/rfc/rfc6749#section-5.2>
    InvalidGrant,
    /// <https://www.rfc-editor.org/rfc/rfc6749#section-5.2>
    UnsupportedGrantType,
    /// <https://www.rfc-editor.org/rfc/rfc6749#section-4.1.2.1>
    UnsupportedResponseType,
    /// <https://www.rfc-editor.org/rfc/rfc6749#section-4.1.2.1>
    AccessDenied,
    /// <https://www.rfc-editor.org/rfc/rfc6749#section-4.1.2.1>
    ServerError,
    /// <https://www.rfc-editor.org/rfc/rfc6749#section-4.1.2.1>; at the token endpoint with status 503.
    TemporarilyUnavailable,
    /// The same to clients, with status 429.
    TooManyRequests,
    /// <https://www.rfc-editor.org/rfc/rfc8707#section-2>
    InvalidTarget,
    /// <https://www.rfc-editor.org/rfc/rfc7591#section-3.2.2>
    InvalidRedirectUri,
    /// <https://www.rfc-editor.org/rfc/rfc7591#section-3.2.2>
    InvalidClientMetadata,
}

impl Code {
    pub fn as_str(self) -> &'static str {
        match self {
            Self::InvalidRequest => "invalid_request",
            Self::InvalidClient => "invalid_client",
            Self::InvalidGrant => "invalid_grant",
            Self::UnsupportedGrantType => "unsupported_grant_type",
            Self::UnsupportedResponseType => "unsupported_response_type",
            Self::AccessDenied => "access_denied",
            Self::ServerError => "server_error",
            Self::TemporarilyUnavailable | Self::TooManyRequests => "temporarily_unavailable",
            Self::InvalidTarget => "invalid_target",
            Self::InvalidRedirectUri => "invalid_redirect_uri",
            Self::InvalidClientMetadata => "invalid_client_metadata",
        }
    }

    fn status(self) -> StatusCode {
        match self {
            Self::InvalidClient => StatusCode::UNAUTHORIZED,
            Self::AccessDenied => StatusCode::FORBIDDEN,
            Self::ServerError => StatusCode::INTERNAL_SERVER_ERROR,
            Self::TemporarilyUnavailable => StatusCode::SERVICE_UNAVAILABLE,
            Self::TooManyRequests => StatusCode::TOO_MANY_REQUESTS,
            _ => StatusCode::BAD_REQUEST,
        }
    }
}

/// An error and a sentence or two about it, in plain ASCII without quotes (RFC 6749 §5.2), so that it can go into a redirect,
/// a body, a page and the log. The words are ours; of the request it holds a refused redirect URI at most, see [`quoted`].
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{}: {description}", code.as_str())]
pub struct OauthError {
    pub code: Code,
    pub description: Cow<'static, str>,
    /// In seconds; only with [`Code::TemporarilyUnavailable`] and [`Code::TooManyRequests`].
    pub retry_after: Option<u64>,
}

impl OauthError {
    pub const fn new(code: Code, description: &'static str) -> Self {
        Self { code, description: Cow::Borrowed(description), retry_after: None }
    }

    /// Tells the log, but not of each request of a flood.
    pub fn log(&self, what: &'static str) {
        if self.code == Code::TooManyRequests {
            tracing::debug!(error = %self, "{what}");
        } else {
            tracing::info!(error = %self, "{what}");
        }
    }

    /// An error whose sentence names something of the request, as [`quoted`] has it.
    pub fn naming(code: Code, description: String) -> Self {
        Self { code, description: Cow::Owned(description), retry_after: None }
    }

    pub const fn retry(description: &'static str, retry_after: u64) -> Self {
        let description = Cow::Borrowed(description);
        Self { code: Code::TemporarilyUnavailable, description, retry_after: Some(retry_after) }
    }
}

/// The longest text of a request that an error repeats, in characters.
const MAX_QUOTED: usize = 200;

/// A text of a request as an error may repeat it: visible ASCII alone, and not for ever.
pub fn quoted(text: &str) -> String {
    let plain = |c: char| if c.is_ascii_graphic() && !matches!(c, '"' | '\\' | '<' | '>') { c } else { '?' };
    let mut quoted: String = text.chars().take(MAX_QUOTED).map(plain).collect();
    if text.chars().count() > MAX_QUOTED {
        quoted.push_str("...");
    }
    quoted
}

/// As the token and registration endpoints answer it (RFC 6749 §5.2, RFC 7591 §3.2.2).
impl IntoResponse for OauthError {
    fn into_response(self) -> Response {
        let body = json!({ "error": self.code.as_str(), "error_description": self.description });
        let mut response = (self.code.status(), Json(body)).into_response();
        let headers = response.headers_mut();
        if self.code == Code::InvalidClient {
            headers.insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Basic realm=\"causeway\""));
        }
        if let Some(seconds) = self.retry_after {
            headers.insert(header::RETRY_AFTER, HeaderValue::from(seconds));
        }
        response
    }
}
