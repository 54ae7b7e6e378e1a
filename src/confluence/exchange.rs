//! One try of one call: what goes over the wire, and what its answer means.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use reqwest::header::{ACCEPT, CONTENT_TYPE, HeaderMap};
use reqwest::{RequestBuilder, StatusCode};
use secrecy::ExposeSecret;
use tracing::Instrument as _;
use url::Url;

use super::{Call, Connection, Error, PAUSE, error, points};
use crate::atlassian::{describe, retry_after};
use crate::clock::Stopwatch;
use crate::telemetry::metrics::Upstream;

/// The largest answer that is read, in bytes.
const MAX_BODY: usize = 32 * 1024 * 1024;
/// The longest Retry-After that is waited for.
const MAX_WAIT: Duration = Duration::from_secs(3);

/// What one try came to. Clones are for those who share it.
#[derive(Clone)]
pub enum Attempt {
    Reply(Arc<Reply>),
    /// Worth one more try, after this pause.
    Again(Duration, Error),
    Failed(Error),
}

/// The body of a successful answer.
pub struct Reply {
    pub body: Vec<u8>,
    paid: AtomicBool,
}

impl Reply {
    /// True once: of those who share the reply, the first to read it counts what it cost.
    pub fn is_unpaid(&self) -> bool {
        !self.paid.swap(true, Ordering::Relaxed)
    }
}

impl Connection {
    /// Sends `call` once. The future stands by itself: it may outlive this connection, for others who ask the same.
    pub(super) fn exchange(
        &self,
        call: &Call<'_>,
        url: &Url,
    ) -> impl Future<Output = Attempt> + Send + 'static {
        let request = self
            .client
            .http
            .request(call.method.clone(), url.clone())
            .bearer_auth(self.token.expose_secret())
            .header(ACCEPT, "application/json");
        let request = match &call.body {
            Some(body) => request.header(CONTENT_TYPE, "application/json").body(body.clone()),
            None => request,
        };
        let (template, tally, metrics) = (call.template(), self.tally.clone(), self.client.metrics.clone());
        let exchange = async move {
            tally.call();
            let began = Stopwatch::start();
            let transferred = transfer(request).await;
            let outcome = match &transferred {
                Err(_) => Upstream::Failed,
                Ok((status, ..)) => Upstream::Status(status.as_u16()),
            };
            metrics.upstream(&template, outcome, began.elapsed());
            let attempt = match transferred {
                Err(error) => {
                    let cause = Error::Unavailable(describe(error));
                    tracing::debug!(call = template, error = %cause, "upstream call failed");
                    Attempt::Again(PAUSE, cause)
                }
                Ok((status, headers, body)) => {
                    tracing::debug!(call = template, status = status.as_u16(), "upstream call");
                    judge(status, &headers, body)
                }
            };
            if !matches!(attempt, Attempt::Reply(_)) {
                tally.spend(points::FAILURE);
            }
            attempt
        };
        exchange.in_current_span()
    }
}

type Transferred = (StatusCode, HeaderMap, Option<Vec<u8>>);

/// A body of `None` stands for one that is larger than [`MAX_BODY`].
async fn transfer(request: RequestBuilder) -> Result<Transferred, reqwest::Error> {
    let mut response = request.send().await?;
    let (status, headers) = (response.status(), response.headers().clone());
    let announced = response.content_length().and_then(|length| usize::try_from(length).ok()).unwrap_or(0);
    if announced > MAX_BODY {
        return Ok((status, headers, None));
    }
    // What is announced may be a lie: room is made for what is usual, the rest when it comes.
    let mut body = Vec::with_capacity(announced.min(256 * 1024));
    while let Some(chunk) = response.chunk().await? {
        if body.len() + chunk.len() > MAX_BODY {
            return Ok((status, headers, None));
        }
        body.extend_from_slice(&chunk);
    }
    Ok((status, headers, Some(body)))
}

fn judge(status: StatusCode, headers: &HeaderMap, body: Option<Vec<u8>>) -> Attempt {
    let Some(body) = body else {
        return Attempt::Failed(Error::TooLarge);
    };
    if status.is_success() {
        return Attempt::Reply(Arc::new(Reply { body, paid: AtomicBool::new(false) }));
    }
    let error = error::from_answer(status, headers, &body);
    match (&error, status) {
        (Error::RateLimited { retry_after: Some(seconds) }, _)
            if Duration::from_secs(*seconds) <= MAX_WAIT =>
        {
            Attempt::Again(Duration::from_secs(*seconds), error)
        }
        (_, StatusCode::BAD_GATEWAY | StatusCode::SERVICE_UNAVAILABLE) => {
            let wait = retry_after(headers).map_or(PAUSE, Duration::from_secs);
            if wait <= MAX_WAIT { Attempt::Again(wait, error) } else { Attempt::Failed(error) }
        }
        _ => Attempt::Failed(error),
    }
}
