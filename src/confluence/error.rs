//! Why Confluence gave no answer, told apart as Atlassian's recorded answers have it.

use reqwest::StatusCode;
use reqwest::header::HeaderMap;
use serde::Deserialize;

use crate::atlassian::retry_after;
use crate::clean::Clean;

/// A failed call. Holds no URL and, but for [`Error::BadRequest`] and [`Error::Refused`], no upstream text.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// 401 without a word on scopes: the access token is expired or revoked.
    #[error("the access token is not accepted")]
    Unauthorized,
    /// 401 "scope does not match".
    #[error("a scope is missing")]
    ScopeMismatch,
    /// 403: the person may not use Confluence.
    #[error("no access to the product")]
    NoProduct,
    /// `Atlassian-DataSecurityPolicy: app_access_blocked`.
    #[error("blocked by an administrator's data security policy")]
    Blocked,
    /// 404: absent or not visible.
    #[error("absent or not visible")]
    NotFound,
    /// 400, with Confluence's reason. The reason may quote the query: it is for the caller, never for a log.
    #[error("refused as malformed")]
    BadRequest(Clean),
    /// Any other 4xx, with Confluence's reason: as much a secret as that of a 400.
    #[error("refused with status {status}")]
    Refused { status: u16, reason: Clean },
    #[error("rate limited")]
    RateLimited { retry_after: Option<u64> },
    /// More than is read.
    #[error("the answer is larger than is read")]
    TooLarge,
    /// So much is being read for others that there is no room for a large answer.
    #[error("no room for the answer")]
    NoRoom,
    #[error("the file is larger than was to be read")]
    FileTooLarge,
    /// JSON of another shape, or none. Says how, and nothing of what it holds.
    #[error("unreadable JSON: {0}")]
    Unreadable(String),
    /// Anything unusable.
    #[error("unavailable: {0}")]
    Unavailable(String),
    /// The host has only failed lately and is left alone for so many seconds.
    #[error("left alone for {retry_after} s")]
    Resting { retry_after: u64 },
    /// The budget ran out.
    #[error("too slow")]
    TooSlow,
}

/// The longest reason that is kept, in characters: it may quote a long query before it comes to the point.
const MAX_REASON: usize = 20_000;

/// Both shapes of Atlassian's errors: v1 `{message}`, v2 `{errors: [{title, detail}]}`.
#[derive(Default, Deserialize)]
struct Body {
    message: Option<String>,
    #[serde(default)]
    errors: Vec<Item>,
}

#[derive(Deserialize)]
struct Item {
    title: Option<String>,
    detail: Option<String>,
}

/// Judges an answer that is not a success.
pub fn from_answer(status: StatusCode, headers: &HeaderMap, body: &[u8]) -> Error {
    let policy = headers.get("Atlassian-DataSecurityPolicy").and_then(|value| value.to_str().ok());
    if policy.is_some_and(|policy| policy.contains("app_access_blocked")) {
        return Error::Blocked;
    }
    let message = message(body);
    match status {
        StatusCode::BAD_REQUEST => Error::BadRequest(reason(&message)),
        StatusCode::UNAUTHORIZED => {
            let category =
                headers.get("X-Failure-Category").and_then(|value| value.to_str().ok()).unwrap_or_default();
            if message.contains("scope") || category.contains("SCOPE") {
                Error::ScopeMismatch
            } else {
                Error::Unauthorized
            }
        }
        StatusCode::FORBIDDEN => Error::NoProduct,
        StatusCode::NOT_FOUND => Error::NotFound,
        StatusCode::TOO_MANY_REQUESTS => Error::RateLimited { retry_after: retry_after(headers) },
        StatusCode::GATEWAY_TIMEOUT => Error::TooSlow,
        _ if status.is_client_error() => Error::Refused { status: status.as_u16(), reason: reason(&message) },
        _ => Error::Unavailable(format!("status {}", status.as_u16())),
    }
}

fn reason(message: &str) -> Clean {
    let reason: String = message.chars().take(MAX_REASON).collect();
    reason.into()
}

fn message(body: &[u8]) -> String {
    let body: Body = serde_json::from_slice(body).unwrap_or_default();
    let item = body.errors.into_iter().find_map(|item| item.detail.or(item.title));
    body.message.or(item).unwrap_or_default()
}
