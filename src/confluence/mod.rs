//! The typed client of Confluence Cloud's REST APIs: v2 for everything, v1 for search, names and the current user.
//!
//! [`Client`] is shared; [`Connection`] is one person at one site for the time of one request. Every call goes through the
//! one private `send`, which knows the budget, retries once and tells errors apart.

mod attachments;
mod cache;
mod comments;
mod content;
pub mod cql;
mod cursor;
mod error;
mod ids;
mod search;
mod spaces;
mod tree;
mod users;

use std::sync::Arc;
use std::time::Duration;

use reqwest::header::{ACCEPT, HeaderMap};
use reqwest::{Method, StatusCode};
use secrecy::{ExposeSecret, SecretString};
use serde::de::DeserializeOwned;
use tokio::time::{Instant, sleep, timeout_at};
use url::Url;

use crate::atlassian::{CloudId, describe, retry_after};
use cache::Caches;

pub use attachments::Attachment;
pub use comments::{Comment, CommentKind};
pub use content::{Content, ContentKind, Version};
pub use error::Error;
pub use ids::{AccountId, ContentId, SpaceId, SpaceKey};
pub use search::{Found, Hit};
pub use spaces::{Space, SpaceType, Spaces};
pub use tree::Node;
pub use users::Person;

/// The largest answer that is read, in bytes.
const MAX_BODY: usize = 32 * 1024 * 1024;
/// The longest Retry-After that is waited for.
const MAX_WAIT: Duration = Duration::from_secs(3);
/// The pause before the one retry where Confluence names none.
const PAUSE: Duration = Duration::from_millis(150);

/// The client of Confluence, shared by all requests.
#[derive(Clone)]
pub struct Client {
    http: reqwest::Client,
    /// `ATLASSIAN_API_URL`.
    api: Url,
    caches: Arc<Caches>,
}

impl Client {
    pub fn new(http: reqwest::Client, api: Url) -> Self {
        Self { http, api, caches: Arc::default() }
    }

    /// One person at one site, for work that has to be done by `deadline`.
    pub fn connect(&self, token: SecretString, cloud_id: CloudId, deadline: Instant) -> Connection {
        Connection {
            partition: cache::partition(&token, &cloud_id),
            client: self.clone(),
            token,
            cloud_id,
            deadline,
        }
    }
}

/// One person at one site.
#[derive(Clone)]
pub struct Connection {
    client: Client,
    token: SecretString,
    cloud_id: CloudId,
    deadline: Instant,
    /// What this person's cache entries are keyed by: nothing is shared between two access tokens.
    partition: cache::Partition,
}

/// One request, before it knows where and as whom.
struct Call<'a> {
    method: Method,
    /// Segments below `/wiki/`.
    path: &'a [&'a str],
    query: Vec<(&'static str, String)>,
    body: Option<serde_json::Value>,
}

impl<'a> Call<'a> {
    fn get(path: &'a [&'a str], query: Vec<(&'static str, String)>) -> Self {
        Self { method: Method::GET, path, query, body: None }
    }

    fn post(path: &'a [&'a str], body: serde_json::Value) -> Self {
        Self { method: Method::POST, path, query: Vec::new(), body: Some(body) }
    }
}

/// What one try came to.
enum Attempt {
    Answer(Vec<u8>),
    /// Worth one more try, after this pause.
    Again(Duration, Error),
    Failed(Error),
}

impl Connection {
    /// Sends `call` and reads its JSON answer. The only way out to Confluence.
    async fn send<T: DeserializeOwned>(&self, call: Call<'_>) -> Result<T, Error> {
        let url = self.url(&call)?;
        let body = match self.attempt(&call, &url).await {
            Attempt::Answer(body) => body,
            Attempt::Failed(error) => return Err(error),
            Attempt::Again(pause, error) => {
                if timeout_at(self.deadline - PAUSE, sleep(pause)).await.is_err() {
                    return Err(error);
                }
                match self.attempt(&call, &url).await {
                    Attempt::Answer(body) => body,
                    Attempt::Again(_, error) | Attempt::Failed(error) => return Err(error),
                }
            }
        };
        serde_json::from_slice(&body)
            .map_err(|error| Error::Unavailable(format!("unreadable JSON: {:?}", error.classify())))
    }

    async fn attempt(&self, call: &Call<'_>, url: &Url) -> Attempt {
        let mut request = self
            .client
            .http
            .request(call.method.clone(), url.clone())
            .bearer_auth(self.token.expose_secret())
            .header(ACCEPT, "application/json");
        if let Some(body) = &call.body {
            request = request.json(body);
        }
        let answer = timeout_at(self.deadline, async {
            let response = request.send().await?;
            let (status, headers) = (response.status(), response.headers().clone());
            Ok::<_, reqwest::Error>((status, headers, read(response).await?))
        });
        // The path's template says what was called; the path itself would say which page.
        let template = call
            .path
            .iter()
            .map(|segment| if is_name(segment) { segment } else { "…" })
            .collect::<Vec<_>>()
            .join("/");
        match answer.await {
            Err(_) => {
                tracing::debug!(call = template, "upstream call ran out of time");
                Attempt::Failed(Error::TooSlow)
            }
            Ok(Err(error)) => {
                let cause = Error::Unavailable(describe(error));
                tracing::debug!(call = template, error = %cause, "upstream call failed");
                Attempt::Again(PAUSE, cause)
            }
            Ok(Ok((status, headers, body))) => {
                tracing::debug!(call = template, status = status.as_u16(), "upstream call");
                judge(status, &headers, body)
            }
        }
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

/// Reads a body up to [`MAX_BODY`]; an empty result stands for one that is larger.
async fn read(mut response: reqwest::Response) -> Result<Option<Vec<u8>>, reqwest::Error> {
    let mut body = Vec::new();
    while let Some(chunk) = response.chunk().await? {
        if body.len() + chunk.len() > MAX_BODY {
            return Ok(None);
        }
        body.extend_from_slice(&chunk);
    }
    Ok(Some(body))
}

fn judge(status: StatusCode, headers: &HeaderMap, body: Option<Vec<u8>>) -> Attempt {
    let Some(body) = body else {
        return Attempt::Failed(Error::Unavailable("the answer is larger than is read".to_owned()));
    };
    if status.is_success() {
        return Attempt::Answer(body);
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

/// Whether a path segment is a word of the API rather than somebody's id.
fn is_name(segment: &str) -> bool {
    segment.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'-') || matches!(segment, "v2")
}
