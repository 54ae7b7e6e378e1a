//! What API callers get instead of an answer: RFC 9457 problem details with one sentence on what to do next.
//!
//! A [`Problem`] is made anywhere above the Confluence client and rendered once, at the edge, by [`render`].

use axum::Json;
use axum::http::header::{CONTENT_TYPE, RETRY_AFTER, WWW_AUTHENTICATE};
use axum::http::{HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use utoipa::ToSchema;

use crate::atlassian::Site;
use crate::clean::Clean;
use crate::confluence;
use crate::telemetry::RequestId;
use crate::urls::PublicUrl;

/// What went wrong, as the design's table of kinds has it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    InvalidParameter,
    InvalidCql,
    AmbiguousSite,
    AmbiguousTitle,
    AmbiguousAuthor,
    SignInRequired,
    MissingScope,
    NotAllowed,
    NoSite,
    NoAccess,
    NotFound,
    MethodNotAllowed,
    PayloadTooLarge,
    UnsupportedMedia,
    RateLimited,
    ConfluenceUnavailable,
    Internal,
    Overloaded,
    TooSlow,
}

impl Kind {
    /// Every kind, for the pages that problem types point at.
    pub const ALL: [Self; 19] = [
        Self::InvalidParameter,
        Self::InvalidCql,
        Self::AmbiguousSite,
        Self::AmbiguousTitle,
        Self::AmbiguousAuthor,
        Self::SignInRequired,
        Self::MissingScope,
        Self::NotAllowed,
        Self::NoSite,
        Self::NoAccess,
        Self::NotFound,
        Self::MethodNotAllowed,
        Self::PayloadTooLarge,
        Self::UnsupportedMedia,
        Self::RateLimited,
        Self::ConfluenceUnavailable,
        Self::Internal,
        Self::Overloaded,
        Self::TooSlow,
    ];

    /// The name in the problem's `type`, the status and the title.
    fn parts(self) -> (&'static str, StatusCode, &'static str) {
        match self {
            Self::InvalidParameter => {
                ("invalid-parameter", StatusCode::BAD_REQUEST, "A parameter is not accepted")
            }
            Self::InvalidCql => ("invalid-cql", StatusCode::BAD_REQUEST, "The CQL is not accepted"),
            Self::AmbiguousSite => ("ambiguous-site", StatusCode::CONFLICT, "Several sites are possible"),
            Self::AmbiguousTitle => {
                ("ambiguous-title", StatusCode::CONFLICT, "Several pages have this title")
            }
            Self::AmbiguousAuthor => {
                ("ambiguous-author", StatusCode::CONFLICT, "Several people have this name")
            }
            Self::SignInRequired => ("sign-in-required", StatusCode::UNAUTHORIZED, "Signing in is needed"),
            Self::MissingScope => {
                ("missing-scope", StatusCode::FORBIDDEN, "A permission was not granted at sign-in")
            }
            Self::NotAllowed => ("not-allowed", StatusCode::FORBIDDEN, "This GPT may not use that"),
            Self::NoSite => ("no-site", StatusCode::FORBIDDEN, "No Confluence site in this sign-in"),
            Self::NoAccess => ("no-access", StatusCode::FORBIDDEN, "Confluence refuses this person"),
            Self::NotFound => ("not-found", StatusCode::NOT_FOUND, "Not found"),
            Self::MethodNotAllowed => {
                ("method-not-allowed", StatusCode::METHOD_NOT_ALLOWED, "Method not allowed")
            }
            Self::PayloadTooLarge => ("payload-too-large", StatusCode::PAYLOAD_TOO_LARGE, "Too large"),
            Self::UnsupportedMedia => {
                ("unsupported-media", StatusCode::UNSUPPORTED_MEDIA_TYPE, "Media type not supported")
            }
            Self::RateLimited => ("rate-limited", StatusCode::TOO_MANY_REQUESTS, "Too many requests"),
            Self::ConfluenceUnavailable => {
                ("confluence-unavailable", StatusCode::BAD_GATEWAY, "Confluence did not answer usably")
            }
            Self::Internal => ("internal-error", StatusCode::INTERNAL_SERVER_ERROR, "The gateway failed"),
            Self::Overloaded => ("overloaded", StatusCode::SERVICE_UNAVAILABLE, "The gateway is busy"),
            Self::TooSlow => ("too-slow", StatusCode::GATEWAY_TIMEOUT, "Confluence took too long"),
        }
    }

    /// The last segment of the problem's `type`.
    pub fn name(self) -> &'static str {
        self.parts().0
    }

    pub fn status(self) -> StatusCode {
        self.parts().1
    }

    pub fn title(self) -> &'static str {
        self.parts().2
    }
}

/// A failed call, for the caller and for the log.
#[derive(Clone, Debug)]
pub struct Problem {
    pub kind: Kind,
    /// What happened, for the caller.
    pub detail: Clean,
    /// One sentence the model can act on.
    pub next_step: Clean,
    /// The parameter that is not accepted.
    pub parameter: Option<Clean>,
    /// What could have been meant.
    pub candidates: Vec<Candidate>,
    /// Atlassian's scopes that are missing.
    pub scopes: Vec<Clean>,
    /// Seconds to wait before the next try.
    pub retry_after: Option<u64>,
    /// For the log only.
    pub cause: Option<String>,
}

/// One of several things that could have been meant.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Candidate {
    /// The id to call with instead: of a page, a site or an account.
    pub id: Clean,
    /// The title or name.
    pub name: Clean,
    /// Where it is, for a person to look at.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub url: Option<Clean>,
    /// The key of the space it is in.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub space: Option<Clean>,
}

impl From<&Site> for Candidate {
    fn from(site: &Site) -> Self {
        let id = site.cloud_id.as_str().into();
        Self { id, name: site.name.clone(), url: Some(site.url.clone()), space: None }
    }
}

/// A problem as it is sent (RFC 9457 §3).
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = Problem)]
pub struct Body {
    /// A URL that names the kind of problem.
    #[schema(value_type = String, example = "https://causeway.example.com/problems/invalid-parameter")]
    pub r#type: Clean,
    /// The kind of problem in a few words.
    pub title: Clean,
    /// The HTTP status.
    #[schema(minimum = 400, maximum = 599)]
    pub status: u16,
    /// What happened.
    pub detail: Clean,
    /// What to do next, in one sentence.
    pub next_step: Clean,
    /// What to quote when asking the operator for help.
    pub request_id: Clean,
    /// The parameter that is not accepted.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub parameter: Option<Clean>,
    /// What could have been meant; call again with one of them.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schema(required = false)]
    pub candidates: Vec<Candidate>,
    /// Atlassian's scopes that are missing.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schema(required = false)]
    pub scopes: Vec<Clean>,
    /// Seconds to wait before the next try.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(minimum = 0)]
    pub retry_after: Option<u64>,
}

impl Problem {
    pub fn new(kind: Kind, detail: impl Into<Clean>, next_step: impl Into<Clean>) -> Self {
        Self {
            kind,
            detail: detail.into(),
            next_step: next_step.into(),
            parameter: None,
            candidates: Vec::new(),
            scopes: Vec::new(),
            retry_after: None,
            cause: None,
        }
    }

    /// A parameter that is not accepted: what was found, and what is.
    pub fn invalid(parameter: &str, found: impl std::fmt::Display, accepted: impl std::fmt::Display) -> Self {
        let problem = Self::new(
            Kind::InvalidParameter,
            format!("{parameter}: {found}."),
            format!("Call again with {parameter} as follows: {accepted}."),
        );
        Self { parameter: Some(parameter.into()), ..problem }
    }

    /// Absent, not visible to the person, or outside the GPT's spaces: one and the same answer.
    pub fn not_found() -> Self {
        Self::new(
            Kind::NotFound,
            "There is nothing here that this person can see.",
            "Check the id, URL or title with searchConfluence, or tell the person that it does not exist or is not shared with them.",
        )
    }

    pub fn sign_in_required(detail: &str) -> Self {
        Self::new(Kind::SignInRequired, detail, "Ask the person to sign in again, then repeat the call.")
    }

    pub fn too_slow() -> Self {
        Self::new(
            Kind::TooSlow,
            "Confluence did not answer in time.",
            "Try once more with a smaller limit or a narrower question; if it stays slow, tell the person.",
        )
    }

    pub fn unavailable(cause: impl Into<String>) -> Self {
        let problem = Self::new(
            Kind::ConfluenceUnavailable,
            "Confluence did not give a usable answer.",
            "Try once more; if it fails again, tell the person that Confluence is not reachable at the moment.",
        );
        Self { cause: Some(cause.into()), ..problem }
    }

    /// Confluence has only failed lately and is left alone for a moment.
    pub fn resting(retry_after: u64) -> Self {
        let problem = Self::new(
            Kind::ConfluenceUnavailable,
            "Confluence has not been answering.",
            format!(
                "Wait {retry_after} seconds, then try once more; if it fails again, tell the person that Confluence is not reachable at the moment."
            ),
        );
        Self { retry_after: Some(retry_after), ..problem }
    }

    pub fn rate_limited(retry_after: Option<u64>) -> Self {
        let wait = retry_after.unwrap_or(30);
        let problem = Self::new(
            Kind::RateLimited,
            "Confluence is limiting how often it may be asked.",
            format!("Wait {wait} seconds before the next call."),
        );
        Self { retry_after: Some(wait), ..problem }
    }

    /// Said of a file; what is too large of a request says so itself.
    pub fn file_too_large() -> Self {
        Self::new(
            Kind::PayloadTooLarge,
            "The file is too large to be read here.",
            "Give the person the attachment's link, or look for a page that says the same.",
        )
    }

    /// A file whose text cannot be had, and why.
    pub fn unreadable_file(detail: impl Into<Clean>) -> Self {
        Self::new(
            Kind::UnsupportedMedia,
            detail,
            "Call getAttachment again with as=file to get the file itself, or give the person its link.",
        )
    }

    /// What there is no room for at the moment.
    pub fn overloaded() -> Self {
        let problem =
            Self::new(Kind::Overloaded, "The gateway is busy.", "Wait 5 seconds before the next call.");
        Self { retry_after: Some(5), ..problem }
    }

    pub fn internal(cause: impl Into<String>) -> Self {
        let problem = Self::new(
            Kind::Internal,
            "The gateway failed to answer this request.",
            "Try once more; if it fails again, give the person the request id for their operator.",
        );
        Self { cause: Some(cause.into()), ..problem }
    }

    /// The body as it is sent.
    pub fn body(&self, urls: &PublicUrl, request_id: &RequestId) -> Body {
        Body {
            r#type: urls.problem(self.kind.name()).into(),
            title: self.kind.title().into(),
            status: self.kind.status().as_u16(),
            detail: self.detail.clone(),
            next_step: self.next_step.clone(),
            request_id: request_id.to_string().into(),
            parameter: self.parameter.clone(),
            candidates: self.candidates.clone(),
            scopes: self.scopes.clone(),
            retry_after: self.retry_after,
        }
    }
}

impl From<confluence::Error> for Problem {
    fn from(error: confluence::Error) -> Self {
        use confluence::Error;
        match error {
            Error::Unauthorized => Self::sign_in_required("Atlassian no longer accepts this sign-in."),
            Error::ScopeMismatch => Self::new(
                Kind::MissingScope,
                "Atlassian says that a permission (scope) for this call was not granted.",
                "Ask the person to sign in again; if that does not help, the operator has to add the scope to the Atlassian app.",
            ),
            Error::NoProduct => Self::new(
                Kind::NoAccess,
                "This person may not use Confluence on this site.",
                "Tell the person to ask their administrator for access to Confluence.",
            ),
            Error::Blocked => Self::new(
                Kind::NoAccess,
                "An administrator's data security policy blocks apps from this content.",
                "Tell the person that their administrator has blocked apps from reading this.",
            ),
            Error::NotFound => Self::not_found(),
            // The reason may quote the query, so that it may not be logged.
            Error::BadRequest(_) => Self::unavailable("Confluence refused our request with 400"),
            Error::Refused { status, .. } => {
                Self::unavailable(format!("Confluence refused our request with {status}"))
            }
            Error::RateLimited { retry_after } => Self::rate_limited(retry_after),
            Error::FileTooLarge => Self::file_too_large(),
            Error::Unreadable(how) => Self::unavailable(format!("unreadable JSON: {how}")),
            Error::Unavailable(cause) => Self::unavailable(cause),
            Error::TooLarge => Self::unavailable("the answer is larger than is read"),
            Error::NoRoom => Self::overloaded(),
            Error::Resting { retry_after } => Self::resting(retry_after),
            Error::TooSlow => Self::too_slow(),
        }
    }
}

impl IntoResponse for Problem {
    /// A bare status that carries the problem to [`render`], which knows the request id and our own URLs.
    fn into_response(self) -> Response {
        let mut response = self.kind.status().into_response();
        response.extensions_mut().insert(Box::new(self));
        response
    }
}

/// Gives every problem its body and headers, and logs its cause.
pub fn render(mut response: Response, urls: &PublicUrl, request_id: &RequestId) -> Response {
    let Some(problem) = response.extensions_mut().remove::<Box<Problem>>() else { return response };
    tracing::info!(kind = problem.kind.name(), cause = problem.cause.as_deref(), "problem");
    let mut rendered = (problem.kind.status(), Json(problem.body(urls, request_id))).into_response();
    let headers = rendered.headers_mut();
    // What a layer or handler has set already, such as Allow, stays.
    headers.extend(
        response
            .headers()
            .iter()
            .filter(|(name, _)| *name != CONTENT_TYPE && *name != "content-length")
            .map(|(name, value)| (name.clone(), value.clone())),
    );
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/problem+json"));
    if let Some(seconds) = problem.retry_after {
        headers.insert(RETRY_AFTER, HeaderValue::from(seconds));
    }
    if problem.kind == Kind::SignInRequired && !headers.contains_key(WWW_AUTHENTICATE) {
        headers.insert(WWW_AUTHENTICATE, HeaderValue::from_static("Bearer error=\"invalid_token\""));
    }
    rendered
}
