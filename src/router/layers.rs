//! What holds for every request: a name, a line in the log, headers, a place, and a problem where nothing else answers.

use std::any::Any;
use std::sync::Arc;
use std::time::Duration;

use axum::extract::{MatchedPath, Request, State};
use axum::http::header::{CACHE_CONTROL, REFERRER_POLICY, X_CONTENT_TYPE_OPTIONS};
use axum::http::{HeaderValue, Method, StatusCode};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use tokio::sync::{Semaphore, SemaphorePermit};
use tracing::Instrument as _;

use crate::problem::{Kind, Problem};
use crate::telemetry::{Metrics, RequestId, Traceparent};

/// The longest URL, in bytes: a text of 4,000 characters fits, however it is encoded.
const MAX_URL: usize = 52 * 1024;
/// How long a request may wait for a place.
const PATIENCE: Duration = Duration::from_secs(5);

/// How many requests may wait for each place. More would only wait in vain, and take memory.
const WAITING: usize = 16;

/// Places for requests that call Confluence (`CAUSEWAY_MAX_IN_FLIGHT`), and for those that wait for one.
#[derive(Clone)]
pub struct InFlight {
    places: Arc<Places>,
    metrics: Metrics,
}

struct Places {
    working: Semaphore,
    waiting: Semaphore,
}

impl InFlight {
    pub fn new(places: usize, metrics: Metrics) -> Self {
        let waiting = Semaphore::new(places.saturating_mul(WAITING).min(Semaphore::MAX_PERMITS));
        Self { places: Arc::new(Places { working: Semaphore::new(places), waiting }), metrics }
    }

    /// A place, at once or after a while; the reason when there is none.
    async fn take(&self) -> Result<SemaphorePermit<'_>, &'static str> {
        let Places { working, waiting } = &*self.places;
        if let Ok(place) = working.try_acquire() {
            return Ok(place);
        }
        let _waiting = waiting.try_acquire().map_err(|_| "too many wait")?;
        let _counted = self.metrics.waiting();
        match tokio::time::timeout(PATIENCE, working.acquire()).await {
            Ok(Ok(place)) => Ok(place),
            _ => Err("no place in time"),
        }
    }
}

/// Waits for a place, not for long.
pub async fn wait_for_a_place(State(in_flight): State<InFlight>, request: Request, next: Next) -> Response {
    let reason = match in_flight.take().await {
        Ok(_place) => {
            let _counted = in_flight.metrics.in_flight();
            return next.run(request).await;
        }
        Err(reason) => reason,
    };
    in_flight.metrics.shed(reason);
    Problem::overloaded().into_response()
}

/// Names the request, counts it, and logs it by its route's template: the path itself may hold ids or sealed strings.
pub async fn trace(State(metrics): State<Metrics>, mut request: Request, next: Next) -> Response {
    let id = RequestId::random();
    let route = request.extensions().get::<MatchedPath>().map_or("none", MatchedPath::as_str).to_owned();
    let method = method(request.method());
    let running = metrics.request(method, &route);
    let traceparent = request.headers().get("traceparent").and_then(|value| value.to_str().ok());
    let traceparent = traceparent.and_then(Traceparent::parse).map(tracing::field::display);
    let span =
        tracing::info_span!("request", %id, method, route, traceparent, status = tracing::field::Empty);
    request.extensions_mut().insert(id.clone());
    let mut response = next.run(request).instrument(span.clone()).await;
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

/// Headers that hold for every answer; a handler that knows better keeps its own.
pub async fn headers(request: Request, next: Next) -> Response {
    let mut response = next.run(request).await;
    let defaults = [
        (CACHE_CONTROL, HeaderValue::from_static("no-store")),
        (REFERRER_POLICY, HeaderValue::from_static("no-referrer")),
        (X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff")),
    ];
    for (name, value) in defaults {
        response.headers_mut().entry(name).or_insert(value);
    }
    response
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

/// Refuses a URL that no client of ours has a reason to send.
pub async fn long_url(request: Request, next: Next) -> Response {
    let length = request.uri().path_and_query().map_or(0, |url| url.as_str().len());
    if length <= MAX_URL {
        return next.run(request).await;
    }
    let step = "Send a shorter URL, of 52 KB at the most.";
    Problem::new(Kind::PayloadTooLarge, "The URL of the request is too long.", step).into_response()
}

/// What the limit on bodies refuses in a word, as a problem.
pub async fn too_large(request: Request, next: Next) -> Response {
    let response = next.run(request).await;
    let is_a_problem = response.extensions().get::<Box<Problem>>().is_some();
    if response.status() != StatusCode::PAYLOAD_TOO_LARGE || is_a_problem {
        return response;
    }
    let step = "Send a smaller body: at most 128 KB to /oauth, 256 KB elsewhere.";
    Problem::new(Kind::PayloadTooLarge, "The body of the request is too large.", step).into_response()
}

/// A panic is a defect; whoever meets it gets a problem like any other.
pub fn panicked(_: Box<dyn Any + Send>) -> Response {
    Problem::internal("a handler panicked").into_response()
}
