//! Faults that tests put in the way: what networks and upstreams do on bad days.

use std::io::{self, Write as _};
use std::time::Duration;

use axum::body::{Body, Bytes};
use axum::http::{HeaderName, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use flate2::Compression;
use flate2::write::GzEncoder;
use futures_util::stream::{self, Stream, StreamExt as _};

use super::reply::json_reply;

/// Bytes of [`FaultKind::HugeBody`].
const HUGE: usize = 32 << 20;

/// A fault for the next `times` requests whose path and query hold `path_contains`.
#[derive(Debug, Clone)]
pub struct Fault {
    pub path_contains: String,
    /// `usize::MAX`: until cleared.
    pub times: usize,
    pub kind: FaultKind,
}

#[derive(Debug, Clone)]
pub enum FaultKind {
    Status {
        status: u16,
        headers: Vec<(String, String)>,
        body: String,
    },
    /// Never answers.
    Hang,
    /// Answers rightly, but late.
    Slow(Duration),
    /// Answers with a bare status, and late.
    LateStatus(Duration, u16),
    /// The connection is closed without an answer. Needs a real connection: a router called in memory unwinds.
    Reset,
    /// The answer promises more than it holds.
    TruncatedBody,
    /// The answer has no length, and ends in its middle with the connection.
    CutOff,
    /// The answer stops in its middle and the connection stays.
    Stall,
    /// The answer comes a few bytes at a time, for minutes.
    Trickle,
    /// As the other, for half of the requests.
    Half(Box<FaultKind>),
    /// A JSON document, compressed.
    Gzip(String),
    /// A JSON document of 32 MB, compressed to almost nothing.
    HugeGzip,
    /// 200 with half a JSON document.
    MalformedJson,
    /// 200 with a JSON document of 32 MB.
    HugeBody,
    /// An administrator has blocked the app.
    AccessBlocked,
    /// 429 with Retry-After in seconds.
    TooManyRequests(u64),
}

/// What becomes of a request: an answer instead of the real one, or an answer after a while.
pub enum Outcome {
    Answer(Response),
    /// Without an answer, the real one.
    Late(Duration, Option<Response>),
    Never,
}

impl FaultKind {
    pub fn outcome(self) -> Outcome {
        Outcome::Answer(match self {
            FaultKind::Hang => return Outcome::Never,
            FaultKind::Slow(wait) => return Outcome::Late(wait, None),
            FaultKind::LateStatus(wait, status) => {
                return Outcome::Late(wait, Some(given(status, Vec::new(), String::new())));
            }
            FaultKind::Status { status, headers, body } => given(status, headers, body),
            // Unwinding ends the task that serves the connection, without a word to anybody.
            FaultKind::Reset => std::panic::resume_unwind(Box::new("the sandbox closes the connection")),
            FaultKind::TruncatedBody => truncated(),
            FaultKind::CutOff => cut_off(),
            FaultKind::Stall => stalled(),
            FaultKind::Trickle => trickling(),
            FaultKind::Half(kind) if rand::random() => return kind.outcome(),
            FaultKind::Half(_) => return Outcome::Late(Duration::ZERO, None),
            FaultKind::Gzip(body) => gzip(&body),
            FaultKind::HugeGzip => gzip(&huge()),
            FaultKind::MalformedJson => {
                ([(header::CONTENT_TYPE, "application/json")], "{\"results\":[{\"id\":\"1310721\",\"ti")
                    .into_response()
            }
            FaultKind::HugeBody => ([(header::CONTENT_TYPE, "application/json")], huge()).into_response(),
            FaultKind::AccessBlocked => {
                let mut response = json_reply(
                    StatusCode::FORBIDDEN,
                    &serde_json::json!({ "code": 403, "message": "App access is blocked by the data security policy of this site" }),
                );
                let name = HeaderName::from_static("atlassian-datasecuritypolicy");
                response.headers_mut().insert(name, HeaderValue::from_static("app_access_blocked"));
                response
            }
            FaultKind::TooManyRequests(seconds) => {
                let headers = vec![
                    ("retry-after".to_owned(), seconds.to_string()),
                    ("ratelimit-reason".to_owned(), "confluence-burst".to_owned()),
                ];
                given(429, headers, "{\"code\":429,\"message\":\"Rate limit exceeded\"}".to_owned())
            }
        })
    }
}

fn given(status: u16, headers: Vec<(String, String)>, body: String) -> Response {
    let status = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let mut response = (status, [(header::CONTENT_TYPE, "application/json")], body).into_response();
    for (name, value) in headers {
        if let (Ok(name), Ok(value)) = (name.parse::<HeaderName>(), HeaderValue::from_str(&value)) {
            response.headers_mut().insert(name, value);
        }
    }
    response
}

fn huge() -> String {
    format!("{{\"results\":[\"{}\"]}}", "x".repeat(HUGE))
}

fn gzip(body: &str) -> Response {
    let mut compressed = GzEncoder::new(Vec::new(), Compression::fast());
    // Writing to memory does not fail.
    compressed.write_all(body.as_bytes()).unwrap_or_default();
    let headers = [(header::CONTENT_TYPE, "application/json"), (header::CONTENT_ENCODING, "gzip")];
    (headers, compressed.finish().unwrap_or_default()).into_response()
}

fn stalled() -> Response {
    streamed(beginning().chain(stream::pending()).map(Ok))
}

fn cut_off() -> Response {
    streamed(
        beginning().map(Ok).chain(stream::iter([Err(io::Error::other("the sandbox cuts the answer off"))])),
    )
}

fn trickling() -> Response {
    streamed(beginning().map(Ok).chain(stream::repeat(Bytes::from_static(b" ")).then(|space| async {
        tokio::time::sleep(Duration::from_millis(200)).await;
        Ok(space)
    })))
}

fn beginning() -> impl Stream<Item = Bytes> + Send {
    stream::iter([Bytes::from_static(b"{\"results\":[")])
}

fn streamed(pieces: impl Stream<Item = io::Result<Bytes>> + Send + 'static) -> Response {
    let body = Body::from_stream(pieces);
    ([(header::CONTENT_TYPE, "application/json")], body).into_response()
}

/// Promises more than it sends. The beginning has to be large, or it would never leave the server's buffer.
fn truncated() -> Response {
    let sent = format!("{{\"results\":[{}{{\"id\":\"13107", " ".repeat(450_000));
    let promised = (2 * sent.len()).to_string();
    let body = Body::from_stream(Body::from(sent).into_data_stream());
    let headers = [(header::CONTENT_TYPE, "application/json"), (header::CONTENT_LENGTH, promised.as_str())];
    (headers, body).into_response()
}
