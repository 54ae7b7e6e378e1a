//! Client id metadata documents: a client id that is a URL, whose document says who the client is.
//!
//! Those of known clients are pinned in the table and never fetched. Any other URL comes from a stranger, so fetching it is
//! guarded: only what `CAUSEWAY_MCP_CLIENTS` allows, https on port 443, resolved once, every address public, connected to
//! exactly these; no proxy, no redirect, little time, little text; few at once and few a minute, and failures are remembered.

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use reqwest::StatusCode;
use serde::Deserialize;
use tokio::net::lookup_host;
use tokio::sync::Semaphore;
use url::{Host, Url};

use super::client::{Dynamic, Redirects, is_allowed};
use super::error::{Code, OauthError};
use super::name::display_name;
use super::pace::{Allowance, Buckets, too_many};
use super::public_address::{are_public, is_ours};
use crate::atlassian::http_builder;
use crate::clock::Clock;
use crate::config::{Config, Kind, PinnedDocument, RedirectUri};
use crate::memo::Memo;

/// The longest document, in bytes.
const MAX_DOCUMENT: usize = 5 * 1024;

/// How long it may take in all: resolving, connecting, reading.
const TIMEOUT: Duration = Duration::from_secs(3);

/// How long a document is remembered, so that one person's retries are one fetch.
const LIFETIME: Duration = Duration::from_secs(300);

/// How long it is remembered that there is none, in seconds.
const FAILURE_LIFETIME: i64 = 300;

/// How many documents, and how many failures, are remembered.
const MAX_REMEMBERED: u64 = 1000;

/// How many are fetched at once.
const MAX_FETCHES: usize = 4;

/// What one address may have fetched.
const OF_AN_ADDRESS: Allowance = Allowance { burst: 10, period: Duration::from_secs(20) };

/// What everybody together may have fetched.
const OF_EVERYBODY: Allowance = Allowance { burst: 30, period: Duration::from_secs(2) };

/// A client id that is the URL of a metadata document, and may be used as far as one can tell from its text.
#[derive(Clone, Debug)]
pub struct DocumentUrl {
    text: String,
    content: Content,
}

#[derive(Clone, Debug)]
enum Content {
    Pinned(&'static PinnedDocument),
    Fetched(Url),
}

impl DocumentUrl {
    /// One of the table's; or https, port 443, a path, no user name, query or fragment, written as it is read, not us.
    pub fn parse(text: &str, config: &Config) -> Option<Self> {
        let clients = &config.mcp_clients;
        if let Some((client, document)) = PinnedDocument::at(text) {
            let content = Content::Pinned(document);
            return clients.allows_pinned(client, document).then(|| Self { text: text.to_owned(), content });
        }
        let uri = RedirectUri::parse(text).ok().filter(|uri| uri.kind() == Kind::Web)?;
        let url = Url::parse(text).ok()?;
        let bare = url.query().is_none() && url.port().is_none() && url.path() != "/" && !text.contains('@');
        let foreign = url.host_str().is_some_and(|host| host != config.public_url.host());
        let allowed = bare && foreign && clients.allows_document(&uri);
        allowed.then(|| Self { text: text.to_owned(), content: Content::Fetched(url) })
    }

    /// Whether its content is not known without fetching it.
    pub fn is_fetched(&self) -> bool {
        matches!(self.content, Content::Fetched(_))
    }

    /// The client as far as it is known without fetching anything.
    pub fn client(&self) -> Dynamic {
        let (name, redirects) = match &self.content {
            Content::Pinned(document) => (document.name, Redirects::Pinned(document)),
            Content::Fetched(url) => (url.host_str().unwrap_or_default(), Redirects::Unfetched),
        };
        Dynamic { key: self.text.clone(), name: name.to_owned(), redirects }
    }
}

/// Why there is no document; the words are for the log.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
enum FetchError {
    #[error("its host has no address")]
    Unresolved,
    #[error("its host has an address that is not public")]
    Forbidden,
    #[error("it took too long")]
    TooSlow,
    #[error("it was not served: {0}")]
    NotServed(String),
    #[error("it is not the metadata of this client")]
    Unfit,
    /// Says nothing about the document, so that it is not remembered. How long to wait.
    #[error("too many are fetched")]
    TooMany(Duration),
}

/// Fetches metadata documents. A clone shares the memory.
#[derive(Clone)]
pub struct Documents {
    known: Memo<Dynamic>,
    /// What could not be used, and when that was found, in seconds since the Unix epoch.
    failed: Memo<(FetchError, i64)>,
    places: Arc<Semaphore>,
    of_addresses: Buckets<IpAddr>,
    of_everybody: Buckets<()>,
    clock: Clock,
}

impl Documents {
    pub fn new(clock: &Clock) -> Self {
        Self {
            known: Memo::lasting(MAX_REMEMBERED, LIFETIME),
            failed: Memo::lasting(MAX_REMEMBERED, LIFETIME),
            places: Arc::new(Semaphore::new(MAX_FETCHES)),
            of_addresses: Buckets::new(OF_AN_ADDRESS, clock),
            of_everybody: Buckets::new(OF_EVERYBODY, clock),
            clock: clock.clone(),
        }
    }

    /// The client that the document at `url` describes, for a request from `address`.
    pub async fn fetch(
        &self,
        url: &DocumentUrl,
        address: IpAddr,
        config: &Config,
    ) -> Result<Dynamic, OauthError> {
        let Content::Fetched(at) = &url.content else { return Ok(url.client()) };
        let fetched = self.remembered(url, address, config, get_guarded(at)).await;
        fetched.map_err(|error| match error {
            FetchError::TooMany(wait) => too_many(wait),
            error => {
                tracing::info!(host = at.host_str(), %error, "a client's metadata document is of no use");
                OauthError::new(Code::InvalidClient, "The client's metadata document could not be used.")
            }
        })
    }

    /// What is known of a document, good or bad, or else what `get` gives, once for all who ask meanwhile.
    async fn remembered(
        &self,
        url: &DocumentUrl,
        address: IpAddr,
        config: &Config,
        get: impl Future<Output = Result<Vec<u8>, FetchError>> + Send,
    ) -> Result<Dynamic, FetchError> {
        let key = url.text.as_bytes();
        if let Some((error, at)) = self.failed.get(key).await
            && self.clock.unix() - at < FAILURE_LIFETIME
        {
            return Err(error);
        }
        let fetched = self.known.try_get_or(key, async {
            let _place = self.admit(address)?;
            let body = tokio::time::timeout(TIMEOUT, get).await.map_err(|_| FetchError::TooSlow)??;
            client(&body, url, config)
        });
        let fetched = fetched.await.map_err(|error| (*error).clone());
        if let Err(error) = &fetched
            && !matches!(error, FetchError::TooMany(_))
        {
            self.failed.insert(key.to_vec(), (error.clone(), self.clock.unix())).await;
        }
        fetched
    }

    /// Counts a fetch for `address`, and lets it happen while the result is held.
    fn admit(&self, address: IpAddr) -> Result<tokio::sync::SemaphorePermit<'_>, FetchError> {
        let place = self.places.try_acquire().map_err(|_| FetchError::TooMany(TIMEOUT))?;
        self.of_addresses.take(&address).map_err(FetchError::TooMany)?;
        self.of_everybody.take(&()).map_err(FetchError::TooMany)?;
        Ok(place)
    }
}

async fn get_guarded(url: &Url) -> Result<Vec<u8>, FetchError> {
    let addresses = resolve(url).await?;
    if !are_public(&addresses) {
        return Err(FetchError::Forbidden);
    }
    for address in &addresses {
        if is_ours(*address).await {
            return Err(FetchError::Forbidden);
        }
    }
    get(url, &addresses).await
}

async fn resolve(url: &Url) -> Result<Vec<SocketAddr>, FetchError> {
    let port = url.port_or_known_default().unwrap_or(443);
    let addresses = match url.host() {
        Some(Host::Ipv4(address)) => vec![SocketAddr::from((address, port))],
        Some(Host::Ipv6(address)) => vec![SocketAddr::from((address, port))],
        Some(Host::Domain(name)) => {
            lookup_host((name, port)).await.map_err(|_| FetchError::Unresolved)?.collect()
        }
        None => Vec::new(),
    };
    if addresses.is_empty() { Err(FetchError::Unresolved) } else { Ok(addresses) }
}

/// Fetches from `addresses` and nowhere else, whatever a resolver or the environment says.
async fn get(url: &Url, addresses: &[SocketAddr]) -> Result<Vec<u8>, FetchError> {
    let not_served = |error: reqwest::Error| FetchError::NotServed(error.without_url().to_string());
    let http = http_builder()
        .no_proxy()
        .redirect(reqwest::redirect::Policy::none())
        .resolve_to_addrs(url.host_str().unwrap_or_default(), addresses)
        .timeout(TIMEOUT)
        .build()
        .map_err(not_served)?;
    let request = http.get(url.clone()).header(reqwest::header::ACCEPT, "application/json");
    let mut response = request.send().await.map_err(not_served)?;
    if response.status() != StatusCode::OK {
        return Err(FetchError::NotServed(format!("status {}", response.status().as_u16())));
    }
    let mut body = Vec::new();
    while let Some(chunk) = response.chunk().await.map_err(not_served)? {
        if body.len() + chunk.len() > MAX_DOCUMENT {
            return Err(FetchError::NotServed(format!("longer than {MAX_DOCUMENT} bytes")));
        }
        body.extend_from_slice(&chunk);
    }
    Ok(body)
}

/// The fields of a document that count. Logos and other URLs are never loaded.
#[derive(Deserialize)]
struct Document {
    client_id: String,
    client_name: Option<String>,
    redirect_uris: Vec<String>,
    /// A secret in a public document is none.
    client_secret: Option<serde::de::IgnoredAny>,
}

fn client(body: &[u8], url: &DocumentUrl, config: &Config) -> Result<Dynamic, FetchError> {
    let document: Document = serde_json::from_slice(body).map_err(|_| FetchError::Unfit)?;
    let redirect_uris: Vec<String> =
        document.redirect_uris.into_iter().filter(|uri| is_allowed(config, uri)).collect();
    if document.client_id != url.text || document.client_secret.is_some() || redirect_uris.is_empty() {
        return Err(FetchError::Unfit);
    }
    let Dynamic { key, name, .. } = url.client();
    let name = document.client_name.as_deref().and_then(display_name).unwrap_or(name);
    Ok(Dynamic { key, name, redirects: Redirects::Named(redirect_uris) })
}

#[cfg(test)]
mod tests;
