//! One try of one call: what goes over the wire, and what its answer means.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use reqwest::header::{ACCEPT, CONTENT_TYPE, HeaderMap, LOCATION};
use reqwest::{RequestBuilder, StatusCode};
use secrecy::ExposeSecret;
use tracing::{Instrument as _, field};
use url::Url;

use super::{Call, Client, Connection, Error, Expected, error, points};
use crate::atlassian::{Account, RESTS, Resting, Tally, describe, retry_after};
use crate::clock::Stopwatch;
use crate::telemetry::TRACED;
use crate::telemetry::metrics::Upstream;

/// The largest answer that is read, in bytes: a page of 10 MB, however much of it JSON has to escape.
const MAX_BODY: usize = 20 * 1024 * 1024;
/// Pauses before a retry where Confluence names none: after a failure, and after too many calls at once.
const AFTER_FAILURE: Duration = Duration::from_millis(150);
const AFTER_BURST: Duration = Duration::from_millis(500);

/// What one try came to. Clones are for those who share it.
#[derive(Clone)]
pub enum Attempt {
    Reply(Arc<Reply>),
    /// Worth one more try, after this pause.
    Again(Duration, Error),
    Failed(Error),
}

/// An answer of the kind that was expected.
pub struct Reply {
    pub body: Vec<u8>,
    /// Where a redirect leads.
    pub location: Option<String>,
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
        let (client, account, site, deadline) =
            (self.client.clone(), self.account, self.cloud_id.clone(), self.deadline);
        let (template, tally, expected) = (call.template(), self.tally.clone(), call.expected);
        let exchange = async move {
            // Asked before a place is waited for, so that refusals come at once, and again with the call.
            if let Err(error) = client.admit(account) {
                return Attempt::Failed(error);
            }
            let _place = client.places.take(account, site).await;
            let admitted = client.admit(account);
            let trial = admitted.and_then(|()| {
                client.breaker.admit(account, deadline).map_err(|resting| client.rests(resting))
            });
            let trial = match trial {
                Ok(trial) => trial,
                Err(error) => return Attempt::Failed(error),
            };
            tally.call();
            let began = Stopwatch::start();
            let span = tracing::info_span!(target: TRACED, "call", call = template, outcome = field::Empty);
            let transferred = transfer(request).instrument(span.clone()).await;
            let outcome = match &transferred {
                Err(_) => Upstream::Failed,
                Ok((status, ..)) => Upstream::Status(status.as_u16()),
            };
            span.record("outcome", outcome.name());
            drop(span);
            client.metrics.upstream(&template, outcome, began.elapsed());
            match &transferred {
                Ok((status, ..)) if !status.is_server_error() => trial.succeeded(),
                _ => trial.failed(),
            }
            let attempt = match transferred {
                Err(error) => {
                    let cause = Error::Unavailable(describe(error));
                    tracing::debug!(call = template, error = %cause, "upstream call failed");
                    Attempt::Again(jittered(AFTER_FAILURE), cause)
                }
                Ok((status, headers, body)) => {
                    tracing::debug!(call = template, status = status.as_u16(), "upstream call");
                    client.budget.learn(&headers);
                    judge(expected, status, &headers, body)
                }
            };
            if !matches!(attempt, Attempt::Reply(_)) {
                client.charge(account, &tally, points::FAILURE);
            }
            attempt
        };
        exchange.in_current_span()
    }
}

impl Client {
    /// Whether a call makes sense now: the host is not left alone, and there are points for this person.
    fn admit(&self, account: Account) -> Result<(), Error> {
        self.breaker.check().map_err(|resting| self.rests(resting))?;
        self.budget.admit(account).map_err(|seconds| {
            self.metrics.withheld("points low");
            Error::RateLimited { retry_after: Some(seconds) }
        })
    }

    fn rests(&self, Resting(retry_after): Resting) -> Error {
        self.metrics.withheld(RESTS);
        Error::Resting { retry_after }
    }

    /// Counts what a person's call has cost.
    pub(super) fn charge(&self, account: Account, tally: &Tally, points: u64) {
        tally.spend(points);
        self.metrics.points(points);
        self.budget.charge(account, points);
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

fn judge(expected: Expected, status: StatusCode, headers: &HeaderMap, body: Option<Vec<u8>>) -> Attempt {
    let Some(body) = body else {
        return Attempt::Failed(Error::TooLarge);
    };
    let is_expected = match expected {
        Expected::Body => status.is_success(),
        Expected::Redirect => status.is_redirection(),
    };
    if is_expected {
        let location = headers.get(LOCATION).and_then(|value| value.to_str().ok()).map(str::to_owned);
        return Attempt::Reply(Arc::new(Reply { body, location, paid: AtomicBool::new(false) }));
    }
    let error = error::from_answer(status, headers, &body);
    let named = retry_after(headers).map(Duration::from_secs);
    match status {
        StatusCode::TOO_MANY_REQUESTS => Attempt::Again(jittered(named.unwrap_or(AFTER_BURST)), error),
        StatusCode::BAD_GATEWAY | StatusCode::SERVICE_UNAVAILABLE => {
            Attempt::Again(jittered(named.unwrap_or(AFTER_FAILURE)), error)
        }
        _ => Attempt::Failed(error),
    }
}

/// Somewhat later, so that those who were refused together do not come back together. Never earlier.
fn jittered(pause: Duration) -> Duration {
    pause + pause.clamp(AFTER_FAILURE, AFTER_BURST).mul_f64(rand::random_range(0.0..1.0))
}
