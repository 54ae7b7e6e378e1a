//! The headers of everything in this module.

use askama::Template;
use axum::http::header::{
    CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE, REFERRER_POLICY, X_CONTENT_TYPE_OPTIONS,
};
use axum::http::{HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};

/// Only our own files, no frames around us, no forms but to ourselves. No page has a Cross-Origin-Opener-Policy: it would
/// cut the sign-in's popup off from the page that opened it.
const PAGE_POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; \
                           connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'";

const FILE_POLICY: &str = "default-src 'none'; frame-ancestors 'none'";

/// How long browsers may keep an answer.
#[derive(Clone, Copy)]
pub enum Keep {
    /// It changes by itself.
    Never,
    /// It changes with the configuration.
    Briefly,
    /// Its address changes with it.
    Long,
}

impl Keep {
    fn value(self) -> &'static str {
        match self {
            Self::Never => "no-store",
            Self::Briefly => "public, max-age=60",
            Self::Long => "public, max-age=604800",
        }
    }
}

pub fn page(keep: Keep, template: &impl Template) -> Response {
    match template.render() {
        Ok(html) => with_headers("text/html; charset=utf-8", keep, PAGE_POLICY, html),
        Err(error) => {
            tracing::error!(%error, "a page cannot be rendered");
            StatusCode::INTERNAL_SERVER_ERROR.into_response()
        }
    }
}

pub fn file(content_type: &str, keep: Keep, body: impl IntoResponse) -> Response {
    with_headers(content_type, keep, FILE_POLICY, body)
}

/// A small page that is served as a file but loads its own script.
pub fn framed_script(content_type: &str, keep: Keep, body: impl IntoResponse) -> Response {
    with_headers(content_type, keep, PAGE_POLICY, body)
}

pub fn not_found() -> Response {
    let mut response = file("text/plain; charset=utf-8", Keep::Never, "There is nothing here. Start at /\n");
    *response.status_mut() = StatusCode::NOT_FOUND;
    response
}

fn with_headers(content_type: &str, keep: Keep, policy: &'static str, body: impl IntoResponse) -> Response {
    let mut response = body.into_response();
    let headers = response.headers_mut();
    if let Ok(content_type) = HeaderValue::try_from(content_type) {
        headers.insert(CONTENT_TYPE, content_type);
    }
    headers.insert(CACHE_CONTROL, HeaderValue::from_static(keep.value()));
    headers.insert(CONTENT_SECURITY_POLICY, HeaderValue::from_static(policy));
    headers.insert(REFERRER_POLICY, HeaderValue::from_static("no-referrer"));
    headers.insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    response
}
