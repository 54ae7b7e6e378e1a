//! Bodies of requests: none may take its time, nor all the room there is.

use std::pin::Pin;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::task::{Context, Poll, ready};
use std::time::Duration;

use axum::body::{Body, Bytes, HttpBody, to_bytes};
use axum::extract::Request;
use axum::http::{HeaderValue, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use http_body::{Frame, SizeHint};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::{Sleep, sleep};

use crate::problem::Problem;

/// How much of each body there always is room for, in bytes: more than any request of a good client has, the largest of which
/// is a sealed token of 24 KB.
const OWN: usize = 32 * 1024;
/// What all bodies may have beyond that together, in bytes.
const SHARED: usize = 16 * 1024 * 1024;

/// What bodies may take.
pub struct Bodies {
    patience: Duration,
    shared: Arc<Semaphore>,
}

impl Bodies {
    /// Each may take so long, from its first to its last byte.
    pub fn new(patience: Duration) -> Self {
        Self { patience, shared: Arc::new(Semaphore::new(SHARED)) }
    }

    /// Answers a request whose body has so much time and room.
    pub async fn run(&self, request: Request, next: Next) -> Response {
        if request.body().is_end_stream() {
            return next.run(request).await;
        }
        let taken = Arc::new(Taken::default());
        let request = request.map(|body| {
            let deadline = Box::pin(sleep(self.patience));
            let (shared, taken) = (self.shared.clone(), taken.clone());
            Body::new(Prompt { body, deadline, length: 0, shared, taken })
        });
        let response = next.run(request).await;
        match taken.refused.get() {
            None => response,
            Some(Refused::Late) => {
                let close = [(header::CONNECTION, HeaderValue::from_static("close"))];
                (StatusCode::REQUEST_TIMEOUT, close).into_response()
            }
            Some(Refused::NoRoom) => Problem::overloaded().into_response(),
        }
    }
}

/// Reads all of the body before anything else is done, so that a slow one takes up nothing that others wait for.
pub async fn whole(request: Request, next: Next) -> Response {
    if request.body().is_end_stream() {
        return next.run(request).await;
    }
    let (head, body) = request.into_parts();
    match to_bytes(body, usize::MAX).await {
        Ok(body) => next.run(Request::from_parts(head, body.into())).await,
        Err(_) => StatusCode::PAYLOAD_TOO_LARGE.into_response(),
    }
}

/// What a body has taken, until its request is answered.
#[derive(Default)]
struct Taken {
    room: Mutex<Vec<OwnedSemaphorePermit>>,
    refused: OnceLock<Refused>,
}

#[derive(Clone, Copy, Debug, thiserror::Error)]
enum Refused {
    #[error("the body of the request takes too long")]
    Late,
    #[error("there is no room for the body of the request")]
    NoRoom,
}

/// A body that fails when its time is up, or where there is no room for more of it.
struct Prompt {
    body: Body,
    deadline: Pin<Box<Sleep>>,
    length: usize,
    shared: Arc<Semaphore>,
    taken: Arc<Taken>,
}

impl Prompt {
    fn refuse(&self, why: Refused) -> axum::Error {
        axum::Error::new(*self.taken.refused.get_or_init(|| why))
    }

    /// Takes room for so many bytes more.
    fn take(&mut self, length: usize) -> Result<(), axum::Error> {
        let beyond = |length: usize| length.saturating_sub(OWN);
        let more = beyond(self.length + length) - beyond(self.length);
        self.length += length;
        if more == 0 {
            return Ok(());
        }
        let room =
            u32::try_from(more).ok().and_then(|more| self.shared.clone().try_acquire_many_owned(more).ok());
        let room = room.ok_or_else(|| self.refuse(Refused::NoRoom))?;
        self.taken.room.lock().unwrap_or_else(PoisonError::into_inner).push(room);
        Ok(())
    }
}

impl HttpBody for Prompt {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        if self.deadline.as_mut().poll(context).is_ready() {
            return Poll::Ready(Some(Err(self.refuse(Refused::Late))));
        }
        let frame = ready!(Pin::new(&mut self.body).poll_frame(context));
        if let Some(Ok(data)) = frame.as_ref().map(|frame| frame.as_ref().map(Frame::data_ref))
            && let Some(data) = data
            && let Err(error) = self.take(data.len())
        {
            return Poll::Ready(Some(Err(error)));
        }
        Poll::Ready(frame)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}
