//! The typed client of Confluence Cloud's REST APIs: v2 for everything, v1 for search, names and the current user.
//!
//! [`Client`] is shared; [`Connection`] is one person at one site for the time of one request. Every call goes through the
//! one private `send`, which shares what is under way already, retries once and keeps to the deadline; `exchange` is one try.

mod attachments;
mod budget;
mod cache;
mod comments;
mod content;
pub mod cql;
mod cursor;
mod download;
mod error;
mod exchange;
mod flights;
mod ids;
mod places;
mod points;
mod raw;
mod room;
mod search;
mod spaces;
mod tree;
mod users;

use std::any::Any;
use std::borrow::Cow;
use std::sync::Arc;
use std::time::Duration;

use reqwest::Method;
use serde::de::DeserializeOwned;
use sha2::{Digest as _, Sha256};
use tokio::time::{Instant, sleep, timeout_at};
use url::Url;

use crate::aside::aside;
use crate::atlassian::{AccessToken, Account, Breaker, CloudId, Tally};
use crate::clock::{Clock, Stopwatch};
use crate::lenient::whole_characters;
use crate::telemetry::Metrics;
use crate::telemetry::metrics::Upstream;
use cache::Caches;
use exchange::{Attempt, Reply};
use flights::Flights;
use places::Places;
use points::{Counted, Price};
use room::{Holding, Room};

pub use attachments::Attachment;
pub use budget::Budget;
pub use comments::{Comment, CommentKind};
pub use content::{Content, ContentKind, Version};
pub use download::Download;
pub use error::Error;
pub use ids::{AccountId, AttachmentId, ContentId, SpaceId, SpaceKey};
pub use raw::{RawError, RawPath, RawQuery};
pub use search::{Found, Hit, Rows};
pub use spaces::{Space, SpaceType, Spaces};
pub use tree::Node;
pub use users::Person;

/// The part of the time left that a pause before a retry may take: an answer is worth waiting for, but there has to be time
/// for the retry, and for what comes after it.
const WORTH_WAITING: u32 = 4;

/// How long Confluence may keep silent before a call is tried once more, as its connection may have died; and the part of the
/// time left that this may take. The second try is waited for as long as anybody has time.
const SILENCE: Duration = Duration::from_secs(10);
const PART_OF_TIME: u32 = 3;

/// What came of work that several wait for.
type Outcome = Arc<dyn Any + Send + Sync>;

/// The client of Confluence, shared by all requests. A clone is another handle to the same.
#[derive(Clone)]
pub struct Client(Arc<Shared>);

/// What all connections share.
struct Shared {
    http: reqwest::Client,
    /// `ATLASSIAN_API_URL`.
    api: Url,
    /// `ATLASSIAN_MEDIA_HOSTS`.
    media_hosts: Vec<String>,
    caches: Caches,
    flights: Arc<Flights<Attempt>>,
    /// See [`Connection::once`].
    work: Arc<Flights<Outcome>>,
    places: Places,
    room: Room,
    budget: Arc<Budget>,
    breaker: Breaker,
    metrics: Metrics,
    clock: Clock,
}

impl Client {
    /// `api` is the origin of Atlassian's API, and `breaker` that host's.
    pub fn new(
        http: reqwest::Client,
        api: Url,
        media_hosts: &[String],
        breaker: Breaker,
        metrics: Metrics,
        clock: &Clock,
    ) -> Self {
        Self(Arc::new(Shared {
            http,
            api,
            media_hosts: media_hosts.to_vec(),
            caches: Caches::new(&metrics),
            flights: Arc::default(),
            work: Arc::default(),
            places: Places::default(),
            room: Room::default(),
            budget: Arc::new(Budget::new(clock)),
            breaker,
            metrics,
            clock: clock.clone(),
        }))
    }

    /// What is left of the app's points.
    pub fn budget(&self) -> &Arc<Budget> {
        &self.0.budget
    }

    /// The circuit breaker of the API's host.
    pub fn breaker(&self) -> &Breaker {
        &self.0.breaker
    }

    /// One person at one site, for work that has to be done by `deadline` and is counted in `tally`.
    pub fn connect(
        &self,
        token: AccessToken,
        cloud_id: CloudId,
        deadline: Instant,
        tally: Tally,
    ) -> Connection {
        Connection {
            partition: cache::partition(&token, &cloud_id),
            holding: self.0.room.holding(token.account(), &self.0.clock),
            account: token.account(),
            client: self.0.clone(),
            token,
            cloud_id,
            deadline,
            until: deadline,
            tally,
        }
    }
}

/// One person at one site.
#[derive(Clone)]
pub struct Connection {
    client: Arc<Shared>,
    token: AccessToken,
    cloud_id: CloudId,
    deadline: Instant,
    /// How long answers are waited for: longer than the deadline where others, who came later, wait for them too.
    until: Instant,
    tally: Tally,
    /// Whose share of points and places is used.
    account: Account,
    /// What this person's cache entries are keyed by: nothing is shared between two access tokens.
    partition: cache::Partition,
    /// The room that large answers take.
    holding: Holding,
}

/// One request, before it knows where and as whom. All of them only read, those by POST too: each may be shared with the
/// same request of the same person, and repeated.
struct Call<'a> {
    price: Price,
    method: Method,
    /// Segments below `/wiki/`.
    path: &'a [&'a str],
    query: Vec<(&'a str, String)>,
    body: Option<String>,
    expected: Expected,
    /// How many times as many bytes as a large answer has are held, at the most, while it is read and used.
    weight: usize,
}

/// What is made of rows with little text: each is small as JSON, and less so once it is read.
const ROWS: usize = 24;
/// What is made of pages and comments: the text, its Markdown, and where that may be cut.
const BODIES: usize = 6;
/// What is made of bodies that are looked through for passages.
const PASSAGES: usize = 24;
/// What is made of JSON that is kept as it is: a number of one digit becomes a value of 72 bytes.
const VALUES: usize = 100;

/// What counts as an answer.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Expected {
    Body,
    Redirect,
}

impl<'a> Call<'a> {
    fn get(price: Price, path: &'a [&'a str], query: Vec<(&'a str, String)>) -> Self {
        Self { price, method: Method::GET, path, query, body: None, expected: Expected::Body, weight: ROWS }
    }

    fn post(price: Price, path: &'a [&'a str], body: &serde_json::Value) -> Self {
        let body = Some(body.to_string());
        Self {
            price,
            method: Method::POST,
            path,
            query: Vec::new(),
            body,
            expected: Expected::Body,
            weight: ROWS,
        }
    }

    fn weighing(self, weight: usize) -> Self {
        Self { weight, ..self }
    }

    /// The path's template says what is called; the path itself would say which page.
    fn template(&self) -> String {
        let segments = self.path.iter().map(|segment| if is_name(segment) { segment } else { "…" });
        segments.collect::<Vec<_>>().join("/")
    }
}

impl Connection {
    /// How many calls this answer has cost so far.
    pub fn calls(&self) -> u64 {
        self.tally.calls()
    }

    /// Whose share is used of what everybody shares.
    pub fn account(&self) -> Account {
        self.account
    }

    /// How long this request may still wait for something scarce.
    pub fn patience(&self) -> Duration {
        self.tally.patience()
    }

    /// What something of this name is remembered by: for this access token at this site alone.
    pub fn key(&self, name: &str) -> Vec<u8> {
        cache::key(&self.partition, name)
    }

    /// Counts a page among those that this answer has read.
    pub fn has_read(&self, page: &str) {
        self.tally.read(page);
    }

    /// Sends `call` and reads its JSON answer.
    async fn send<T: DeserializeOwned + Counted>(&self, call: Call<'_>) -> Result<T, Error> {
        self.send_as(call, |body| serde_json::from_str(body)).await
    }

    /// The same, read by `read`.
    async fn send_as<T: Counted>(
        &self,
        call: Call<'_>,
        read: impl FnOnce(&str) -> serde_json::Result<T>,
    ) -> Result<T, Error> {
        let reply = {
            let _wait = self.tally.wait();
            let reply = self.reply(&call).await?;
            self.with_room(&call, reply).await?
        };
        let answer: T = self
            .aside(reply.body.len(), || read(&whole_characters(text(&reply.body))))
            .await
            .map_err(|error| Error::Unreadable(format!("{:?}", error.classify())))?;
        if reply.is_unpaid() {
            let points = call.price.of(answer.rows());
            self.client.charge(self.account, &self.tally, points);
        }
        Ok(answer)
    }

    /// An answer that there is room for. Several may share a large one: the first has the room that was taken for it, and the
    /// others take their own. Nobody waits with an answer in hand: who has to wait asks again, alone.
    async fn with_room(&self, call: &Call<'_>, reply: Arc<Reply>) -> Result<Arc<Reply>, Error> {
        if !reply.is_large() {
            return Ok(reply);
        }
        let bytes = reply.body.len() * call.weight;
        let room = match reply.room() {
            Some(room) => Some(room),
            None => self.holding.try_take(bytes).await,
        };
        if let Some(room) = room {
            self.holding.keep(room);
            return Ok(reply);
        }
        drop(reply);
        let reply = self.alone(call, bytes).await?;
        reply.room().into_iter().for_each(|room| self.holding.keep(room));
        Ok(reply)
    }

    /// One try that nobody shares, once there is so much room for it.
    async fn alone(&self, call: &Call<'_>, bytes: usize) -> Result<Arc<Reply>, Error> {
        let room = self.holding.take(bytes).await.ok_or(Error::NoRoom)?;
        let exchange = self.exchange(call, &self.url(call)?, Duration::MAX, Some(room));
        match timeout_at(self.until, exchange).await.unwrap_or(Attempt::Failed(Error::TooSlow)) {
            Attempt::Reply(reply) => Ok(reply),
            Attempt::Again(_, error) | Attempt::Failed(error) => Err(error),
            Attempt::Outgrown => Err(Error::NoRoom),
        }
    }

    /// The same person at the same site for a piece of work that has an end of its own, and that others may wait for who came
    /// later. What it holds of large answers is given back with the last clone of it.
    #[must_use]
    pub fn apart(&self) -> Self {
        let until = self.deadline + self.left();
        Self { holding: self.holding.apart(), until, ..self.clone() }
    }

    /// Takes room for so many bytes that are held until the answer to the request has been sent.
    pub async fn hold_until_sent(&self, bytes: usize) -> Result<(), Error> {
        let taken = self.holding.take(bytes).await.ok_or(Error::NoRoom)?;
        self.tally.keep(Arc::new(taken));
        Ok(())
    }

    /// Does work that takes its time, with this person's share of the processors.
    pub async fn aside<T>(&self, bytes: usize, work: impl FnOnce() -> T) -> T {
        aside(self.account, bytes, work).await
    }

    /// Does once what several requests of this person ask for at the same moment. `what` tells the work from all other.
    pub async fn once<T: Clone + Send + Sync + 'static>(
        &self,
        what: &[&str],
        work: impl Future<Output = T> + Send + 'static,
    ) -> Option<T> {
        let mut key = Sha256::new().chain_update(self.partition);
        for part in what {
            key = key.chain_update(part.len().to_be_bytes()).chain_update(part);
        }
        let work = async move { Arc::new(work.await) as Outcome };
        let outcome = self.client.work.join(key.finalize().into(), work).await;
        outcome.downcast_ref::<T>().cloned()
    }

    /// The only way out to Confluence: tries, and once more where that may help.
    async fn reply(&self, call: &Call<'_>) -> Result<Arc<Reply>, Error> {
        let url = self.url(call)?;
        let silence = SILENCE.min(self.left() / PART_OF_TIME);
        match self.attempt(call, &url, silence).await {
            Attempt::Reply(reply) => Ok(reply),
            Attempt::Failed(error) => Err(error),
            Attempt::Outgrown => self.alone(call, exchange::most(call.weight) * call.weight).await,
            Attempt::Again(pause, error) => {
                if pause > self.left() / WORTH_WAITING {
                    return Err(error);
                }
                sleep(pause).await;
                match self.attempt(call, &url, Duration::MAX).await {
                    Attempt::Reply(reply) => Ok(reply),
                    Attempt::Again(_, error) | Attempt::Failed(error) => Err(error),
                    Attempt::Outgrown => Err(Error::NoRoom),
                }
            }
        }
    }

    /// One try, or the outcome of the same person's same request that is under way.
    async fn attempt(&self, call: &Call<'_>, url: &Url, silence: Duration) -> Attempt {
        let mut key = Sha256::new().chain_update(self.partition).chain_update(call.method.as_str());
        for part in [url.as_str(), call.body.as_deref().unwrap_or_default()] {
            key = key.chain_update(b"\n").chain_update(part);
        }
        let flight = self.client.flights.join(key.finalize().into(), self.exchange(call, url, silence, None));
        let began = Stopwatch::start();
        timeout_at(self.until, flight).await.unwrap_or_else(|_| {
            let template = call.template();
            self.client.metrics.upstream(&template, Upstream::TooSlow, began.elapsed());
            tracing::debug!(call = template, "upstream call ran out of time");
            Attempt::Failed(Error::TooSlow)
        })
    }

    /// The time there is.
    fn left(&self) -> Duration {
        self.deadline.saturating_duration_since(self.client.clock.instant())
    }

    fn url(&self, call: &Call<'_>) -> Result<Url, Error> {
        let mut url = self.client.api.clone();
        url.path_segments_mut()
            .map_err(|()| Error::Unavailable("the API URL cannot be a base".to_owned()))?
            .pop_if_empty()
            .extend(["ex", "confluence", self.cloud_id.as_str(), "wiki"])
            .extend(call.path);
        if !call.query.is_empty() {
            url.query_pairs_mut().extend_pairs(&call.query);
        }
        Ok(url)
    }
}

/// A body as text. It is checked once, so that its strings need not be.
fn text(body: &[u8]) -> Cow<'_, str> {
    str::from_utf8(body).map_or_else(|_| String::from_utf8_lossy(body), Cow::from)
}

/// The words of the API's paths that our own calls use.
const WORDS: &[&str] = &[
    "ancestors",
    "api",
    "attachment",
    "attachments",
    "blogposts",
    "child",
    "children",
    "content",
    "convert-ids-to-types",
    "current",
    "descendants",
    "direct-children",
    "download",
    "footer-comments",
    "inline-comments",
    "labels",
    "pages",
    "rest",
    "search",
    "spaces",
    "user",
    "users-bulk",
    "v2",
    "versions",
];

/// Whether a path segment is a word of the API, which may be told, rather than somebody's id or what a caller wrote.
fn is_name(segment: &str) -> bool {
    WORDS.contains(&segment)
}
