//! What holds for every request: a name, a line in the log, headers, and a problem where nothing else answers.

use std::panic::AssertUnwindSafe;
use std::sync::Arc;

use axum::extract::{MatchedPath, Request, State};
use axum::http::header::{CACHE_CONTROL, REFERRER_POLICY, STRICT_TRANSPORT_SECURITY, X_CONTENT_TYPE_OPTIONS};
use axum::http::{HeaderName, HeaderValue, Method, StatusCode};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use futures_util::FutureExt as _;
use tracing::Instrument as _;

use super::body::Bodies;
use crate::problem::{self, Kind, Problem};
use crate::server::MAX_HEAD;
use crate::telemetry::{Metrics, RequestId, Traceparent};
use crate::urls::PublicUrl;

/// The longest URL, in bytes: a text of 4,000 characters fits, however it is encoded.
const MAX_URL: usize = 52 * 1024;
/// What browsers are told where the public address is https: to come by it alone, for two years (RFC 6797 §6.1).
const HTTPS_ONLY: &str = "max-age=63072000";

/// What stands around every route.
pub struct Frame {
    pub metrics: Metrics,
    pub urls: PublicUrl,
    pub bodies: Bodies,
}

/// Names the request, counts it, and logs it by its route's template: the path itself may hold ids or sealed strings.
/// One layer for all that every request goes through: each takes copies of all within it, for each request.
pub async fn frame(State(frame): State<Arc<Frame>>, mut request: Request, next: Next) -> Response {
    let id = RequestId::random();
    let route = request.extensions().get::<MatchedPath>().map_or("none", MatchedPath::as_str).to_owned();
    let method = method(request.method());
    let running = frame.metrics.request(method, &route);
    let traceparent = request.headers().get("traceparent").and_then(|value| value.to_str().ok());
    let traceparent = traceparent.and_then(Traceparent::parse).map(tracing::field::display);
    let span =
        tracing::info_span!("request", %id, method, route, traceparent, status = tracing::field::Empty);
    request.extensions_mut().insert(id);
    let answered = async { problem::render(edges(&frame, request, next).await, &frame.urls, &id) };
    let mut response = answered.instrument(span.clone()).await;
    span.in_scope(|| tracing::info!(status = response.status().as_u16(), "answered"));
    span.record("status", response.status().as_u16());
    running.end(response.status().as_u16());
    if let Ok(value) = HeaderValue::try_from(id.to_string()) {
        response.headers_mut().insert("x-request-id", value);
    }
    response
}

/// The methods of HTTP by name; what else somebody sends is not repeated in a log.
fn method(method: &Method) -> &'static str {
    match *method {
        Method::GET => "GET",
        Method::HEAD => "HEAD",
        Method::POST => "POST",
        Method::PUT => "PUT",
        Method::PATCH => "PATCH",
        Method::DELETE => "DELETE",
        Method::OPTIONS => "OPTIONS",
        _ => "other",
    }
}

/// What every request and every answer has to keep to: a URL that some client of ours has a reason to send, a problem
/// instead of the word of a limit, and headers, of which a handler that knows better keeps its own.
async fn edges(frame: &Frame, request: Request, next: Next) -> Response {
    let length = request.uri().path_and_query().map_or(0, |url| url.as_str().len());
    let mut response = if length > MAX_URL {
        long_url()
    } else if head_length(&request) > MAX_HEAD {
        (StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE, "The head of the request is too long.\n")
            .into_response()
    } else {
        AssertUnwindSafe(frame.bodies.run(request, next)).catch_unwind().await.unwrap_or_else(|_| panicked())
    };
    if response.status() == StatusCode::PAYLOAD_TOO_LARGE && !is_a_problem(&response) {
        response = too_large();
    }
    let defaults = [
        (CACHE_CONTROL, HeaderValue::from_static("no-store")),
        (REFERRER_POLICY, HeaderValue::from_static("no-referrer")),
        (X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff")),
    ];
    for (name, value) in defaults {
        response.headers_mut().entry(name).or_insert(value);
    }
    if frame.urls.is_https() {
        response.headers_mut().insert(STRICT_TRANSPORT_SECURITY, HeaderValue::from_static(HTTPS_ONLY));
    }
    response
}

/// How many bytes a request's head has (RFC 9112 §3 and §5): the server reads a little more than it promises.
fn head_length(request: &Request) -> usize {
    let uri = request.uri();
    let target = uri.path_and_query().map_or(1, |target| target.as_str().len())
        + uri.authority().map_or(0, |authority| authority.as_str().len() + "https://".len());
    let line = request.method().as_str().len() + target + "  HTTP/1.1\r\n".len();
    let header =
        |(name, value): (&HeaderName, &HeaderValue)| name.as_str().len() + value.len() + ": \r\n".len();
    line + request.headers().iter().map(header).sum::<usize>() + "\r\n".len()
}

fn is_a_problem(response: &Response) -> bool {
    response.extensions().get::<Box<Problem>>().is_some()
}

fn long_url() -> Response {
    let step = "Send a shorter URL, of 52 KB at the most.";
    Problem::new(Kind::PayloadTooLarge, "The URL of the request is too long.", step).into_response()
}

fn too_large() -> Response {
    let step = "Send a smaller body: at most 128 KB to /oauth, 256 KB elsewhere.";
    Problem::new(Kind::PayloadTooLarge, "The body of the request is too large.", step).into_response()
}

pub async fn no_such_path() -> Problem {
    nothing_here()
}

/// A path that leads nowhere.
pub fn nothing_here() -> Problem {
    Problem::new(
        Kind::NotFound,
        "There is no such path.",
        "Use one of the paths of the document at /openapi.json.",
    )
}

pub async fn no_such_method() -> Problem {
    Problem::new(
        Kind::MethodNotAllowed,
        "The path does not take this method.",
        "Use the method that the document at /openapi.json or the header Allow names.",
    )
}

/// A panic is a defect; whoever meets it gets a problem like any other.
fn panicked() -> Response {
    Problem::internal("a handler panicked").into_response()
}
