//! Who may knock: browsers of known origins, and bearers of a token for this very endpoint.

use axum::http::header::{ORIGIN, WWW_AUTHENTICATE};
use axum::http::{HeaderMap, HeaderValue};
use axum::response::{IntoResponse, Response};
use url::{Origin, Url};

use crate::oauth::{BearerError, SCOPE};
use crate::problem::{Kind, Problem};
use crate::urls::{PublicUrl, is_loopback_host};

/// Web pages that may call, beside our own.
const KNOWN_ORIGINS: [&str; 2] = ["https://chatgpt.com", "https://claude.ai"];

/// Refuses pages of other origins, against DNS rebinding. Programs send no `Origin`. On loopback any local page may call.
pub fn check_origin(headers: &HeaderMap, own: &PublicUrl) -> Result<(), Problem> {
    let mut origins = headers.get_all(ORIGIN).iter();
    let Some(origin) = origins.next() else { return Ok(()) };
    let origin = origin.to_str().ok().and_then(|text| Url::parse(text).ok());
    match origin {
        Some(origin) if origins.next().is_none() && is_welcome(&origin, own) => Ok(()),
        _ => Err(Problem::new(
            Kind::NotAllowed,
            "Web pages of this origin may not call this endpoint.",
            "Call from a program that sends no Origin header, or from a page of the gateway itself.",
        )),
    }
}

fn is_welcome(origin: &Url, own: &PublicUrl) -> bool {
    let known = |known: &str| Url::parse(known).is_ok_and(|known| same(&known.origin(), origin));
    let is_local = |host: Option<&str>| host.is_some_and(is_loopback_host);
    known(own.origin())
        || KNOWN_ORIGINS.iter().any(|origin| known(origin))
        || (is_local(Some(own.host())) && is_local(origin.host_str()))
}

fn same(known: &Origin, origin: &Url) -> bool {
    *known == origin.origin()
}

/// 401 or 403 that tells a client how to go on (RFC 6750 §3, RFC 9728 §5.1).
pub struct Challenge {
    problem: Problem,
    /// Without any token there is nothing wrong with one.
    error: Option<&'static str>,
}

impl From<BearerError> for Challenge {
    fn from(error: BearerError) -> Self {
        let problem = Problem::sign_in_required(&format!("{error}."));
        Self {
            problem: Problem { cause: Some(format!("{error:?}")), ..problem },
            error: (error != BearerError::Missing).then_some("invalid_token"),
        }
    }
}

impl Challenge {
    /// For what only signing in again can solve.
    pub fn of(problem: &Problem) -> Option<Self> {
        let error = match problem.kind {
            Kind::SignInRequired => "invalid_token",
            Kind::MissingScope => "insufficient_scope",
            _ => return None,
        };
        Some(Self { problem: problem.clone(), error: Some(error) })
    }

    pub fn answer(self, urls: &PublicUrl, slug: Option<&str>) -> Response {
        let error = self.error.map(|error| format!(", error=\"{error}\"")).unwrap_or_default();
        let metadata = urls.mcp_metadata(slug);
        let challenge = format!("Bearer resource_metadata=\"{metadata}\", scope=\"{SCOPE}\"{error}");
        let mut response = self.problem.into_response();
        if let Ok(challenge) = HeaderValue::try_from(challenge) {
            response.headers_mut().insert(WWW_AUTHENTICATE, challenge);
        }
        response
    }
}
