//! One try of one call: what goes over the wire, and what its answer means.

use std::mem;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use parking_lot::Mutex;
use reqwest::header::{ACCEPT, CONTENT_TYPE, HeaderMap, LOCATION};
use reqwest::{RequestBuilder, StatusCode};
use tokio::time::timeout;
use tracing::{Instrument as _, field};
use url::Url;

use super::places::Place;
use super::room::{ALL, Holding, Taken, USUAL};
use super::{Call, Connection, Error, Expected, Shared, error, points};
use crate::atlassian::{Account, RESTS, Resting, Tally, describe, first_answer, retry_after};
use crate::clock::Stopwatch;
use crate::telemetry::TRACED;
use crate::telemetry::metrics::Upstream;

/// The largest answer that is read, in bytes: a page of 10 MB, however much of it JSON has to escape.
const MAX_BODY: usize = 20 * 1024 * 1024;
/// Pauses before a retry where Confluence names none: after a failure, and after too many calls at once.
const AFTER_FAILURE: Duration = Duration::from_millis(150);
const AFTER_BURST: Duration = Duration::from_millis(500);

/// How much more is made room for where an answer does not say how long it is, in bytes.
const STEPS: [usize; 3] = [512 * 1024, 4 * 1024 * 1024, 12 * 1024 * 1024];

/// What one try came to. Clones are for those who share it.
#[derive(Clone)]
pub enum Attempt {
    Reply(Arc<Reply>),
    /// Worth one more try, after this pause.
    Again(Duration, Error),
    Failed(Error),
    /// A large answer that did not say so, and that there was no room for in the middle of it.
    Outgrown,
}

/// An answer of the kind that was expected.
pub struct Reply {
    pub body: Vec<u8>,
    /// What a large body takes, and what is made of it, once: for the first who reads it.
    room: Mutex<Option<Taken>>,
    /// Where a redirect leads.
    pub location: Option<String>,
    paid: AtomicBool,
}

impl Reply {
    /// True once: of those who share the reply, the first to read it counts what it cost.
    pub fn is_unpaid(&self) -> bool {
        !self.paid.swap(true, Ordering::Relaxed)
    }

    /// Whether it needs room.
    pub fn is_large(&self) -> bool {
        self.body.len() > USUAL
    }

    /// The room that was taken for it, for the first who asks.
    pub fn room(&self) -> Option<Taken> {
        self.room.lock().take()
    }
}

impl Connection {
    /// Sends `call` once, and waits for each piece of the answer for at most `silence`. The future stands by itself: it may
    /// outlive this connection, for others who ask the same. `room` is for what is made of a large answer, where it has been
    /// taken before.
    pub(super) fn exchange(
        &self,
        call: &Call<'_>,
        url: &Url,
        silence: Duration,
        room: Option<Taken>,
    ) -> impl Future<Output = Attempt> + Send + 'static {
        let request = self
            .client
            .http
            .request(call.method.clone(), url.clone())
            .bearer_auth(self.token.expose())
            .header(ACCEPT, "application/json");
        let request = match &call.body {
            Some(body) => request.header(CONTENT_TYPE, "application/json").body(body.clone()),
            None => request,
        };
        let (client, account, site, deadline) =
            (self.client.clone(), self.account, self.cloud_id.clone(), self.deadline);
        let (template, tally, expected) = (call.template(), self.tally.clone(), call.expected);
        let (holding, weight) = (self.holding.clone(), call.weight);
        let exchange = async move {
            // Asked before a place is waited for, so that refusals come at once, and again with the call.
            if let Err(error) = client.admit(account) {
                return Attempt::Failed(error);
            }
            let place = Arc::new(Mutex::new(Some(client.places.take(account, &site).await)));
            let reading = Reading { silence, holding, weight, room, place: place.clone() };
            let admitted = client.admit(account);
            let trial = admitted.and_then(|()| {
                client.breaker.admit(account, deadline).map_err(|resting| client.rests(resting))
            });
            let mut trial = match trial {
                Ok(trial) => trial,
                Err(error) => return Attempt::Failed(error),
            };
            tally.call();
            let began = Stopwatch::start();
            let span = tracing::info_span!(target: TRACED, "call", call = template, outcome = field::Empty);
            let mut has_called = false;
            let call = || {
                if mem::replace(&mut has_called, true) {
                    if !client.breaker.spares_a_call() {
                        return None;
                    }
                    tally.call();
                    client.charge(account, &tally, points::FAILURE);
                }
                request.try_clone()
            };
            // The place is for calls that are answered in their turn: one that is not stands in nobody's way.
            let transfer = transfer(call, reading).instrument(span.clone());
            let waited = trial.wait_for(transfer, Turn(place)).await;
            let outcome = waited.as_ref().map_or(Upstream::TooSlow, outcome);
            span.record("outcome", outcome.name());
            drop(span);
            client.metrics.upstream(&template, outcome, began.elapsed());
            let transferred = match waited {
                Ok(transferred) => transferred,
                Err(resting) => return Attempt::Failed(client.rests(resting)),
            };
            match &transferred {
                Ok(answer) if !answer.status.is_server_error() => trial.succeeded(),
                _ => trial.failed(),
            }
            let attempt = match transferred {
                Err(error) => {
                    tracing::debug!(call = template, %error, "upstream call failed");
                    Attempt::Again(jittered(AFTER_FAILURE), error)
                }
                Ok(answer) => {
                    tracing::debug!(call = template, status = answer.status.as_u16(), "upstream call");
                    client.budget.learn(&answer.headers);
                    judge(expected, answer)
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

impl Shared {
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

/// An answer as it came, whatever it says.
struct Answer {
    status: StatusCode,
    headers: HeaderMap,
    body: Result<Body, Unread>,
}

/// Why a body is not read, whoever asks again.
enum Unread {
    TooLarge,
    NoRoom,
    Outgrown,
}

#[derive(Default)]
struct Body {
    bytes: Vec<u8>,
    room: Option<Taken>,
}

fn outcome(transferred: &Result<Answer, Error>) -> Upstream {
    match transferred {
        Ok(answer) => Upstream::Status(answer.status.as_u16()),
        Err(Error::TooSlow) => Upstream::TooSlow,
        Err(_) => Upstream::Failed,
    }
}

/// Makes the calls that `call` hands out, and reads the answer of that which is answered first.
async fn transfer(
    mut call: impl FnMut() -> Option<RequestBuilder>,
    reading: Reading,
) -> Result<Answer, Error> {
    let head = first_answer(|| Some(prompt(reading.silence, call()?.send())));
    let mut response = head.await.unwrap_or(Err(Error::TooSlow))?;
    let (status, headers) = (response.status(), response.headers().clone());
    let body = reading.read(&mut response).await?;
    Ok(Answer { status, headers, body })
}

/// The largest answer that is read where so many times as much is made of it.
pub fn most(weight: usize) -> usize {
    MAX_BODY.min(ALL / weight)
}

/// How the body of an answer is read.
struct Reading {
    silence: Duration,
    holding: Holding,
    /// See [`Call::weight`].
    weight: usize,
    room: Option<Taken>,
    /// The place of the call, while it has one.
    place: Arc<Mutex<Option<Place>>>,
}

/// A call's place; dropped, it is given back.
struct Turn(Arc<Mutex<Option<Place>>>);

impl Drop for Turn {
    fn drop(&mut self) {
        self.0.lock().take();
    }
}

impl Reading {
    async fn read(mut self, response: &mut reqwest::Response) -> Result<Result<Body, Unread>, Error> {
        let limit = most(self.weight);
        let announced = response.content_length().and_then(|length| usize::try_from(length).ok());
        if announced.is_some_and(|announced| announced > limit) {
            return Ok(Err(Unread::TooLarge));
        }
        let mut body = Body::default();
        // What is announced may be a lie: space is made for what is usual, the rest when there is room for it.
        body.bytes.reserve_exact(announced.unwrap_or_default().min(USUAL));
        while let Some(chunk) = prompt(self.silence, response.chunk()).await? {
            let length = body.bytes.len() + chunk.len();
            if length > limit {
                return Ok(Err(Unread::TooLarge));
            }
            if length > body.bytes.capacity().max(USUAL) {
                let step = STEPS.into_iter().find(|step| length <= *step).unwrap_or(limit);
                let most = announced.unwrap_or(step).clamp(length, limit);
                if let Err(unread) = self.make_room(&mut body.room, most).await {
                    return Ok(Err(unread));
                }
                // All at once: a buffer that grows is there twice. Memory that is not written to is not taken.
                body.bytes.reserve_exact(most - body.bytes.len());
            }
            body.bytes.extend_from_slice(&chunk);
        }
        if let Some(taken) = &mut body.room {
            taken.shrink(body.bytes.len() * self.weight);
        }
        Ok(Ok(body))
    }

    /// Takes room for an answer of so many bytes. Nothing more is read meanwhile; where it has to be waited for, the call
    /// stands in nobody's way. What is read in part does not wait.
    async fn make_room(&mut self, taken: &mut Option<Taken>, bytes: usize) -> Result<(), Unread> {
        let bytes = bytes * self.weight;
        if taken.is_none() {
            *taken = self.room.take();
        }
        if let Some(taken) = taken {
            return if taken.grow(bytes) { Ok(()) } else { Err(Unread::Outgrown) };
        }
        *taken = self.holding.try_take(bytes).await;
        if taken.is_none() {
            self.place.lock().take();
            *taken = self.holding.take(bytes).await;
        }
        if taken.is_some() { Ok(()) } else { Err(Unread::NoRoom) }
    }
}

/// The next piece of an answer, unless it takes too long to come.
async fn prompt<T>(silence: Duration, piece: impl Future<Output = reqwest::Result<T>>) -> Result<T, Error> {
    let piece = timeout(silence, piece).await.map_err(|_| Error::TooSlow)?;
    piece.map_err(|error| Error::Unavailable(describe(error)))
}

fn judge(expected: Expected, Answer { status, headers, body }: Answer) -> Attempt {
    let body = match body {
        Ok(body) => body,
        Err(Unread::TooLarge) => return Attempt::Failed(Error::TooLarge),
        Err(Unread::NoRoom) => return Attempt::Failed(Error::NoRoom),
        Err(Unread::Outgrown) => return Attempt::Outgrown,
    };
    let is_expected = match expected {
        Expected::Body => status.is_success(),
        Expected::Redirect => status.is_redirection(),
    };
    if is_expected {
        let location = headers.get(LOCATION).and_then(|value| value.to_str().ok()).map(str::to_owned);
        let Body { bytes, room } = body;
        let (room, paid) = (Mutex::new(room), AtomicBool::new(false));
        return Attempt::Reply(Arc::new(Reply { body: bytes, room, location, paid }));
    }
    let error = error::from_answer(status, &headers, &body.bytes);
    let named = retry_after(&headers).map(Duration::from_secs);
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
