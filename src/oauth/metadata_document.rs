//! Client id metadata documents: a client id that is a URL, whose document says who the client is.
//!
//! The URL comes from a stranger, so fetching it is guarded: https on port 443, a host that `CAUSEWAY_MCP_CLIENTS` allows,
//! resolved once, every address public, connected to exactly these; no proxy, no redirect, little time, little text.

use std::net::SocketAddr;
use std::time::Duration;

use reqwest::StatusCode;
use serde::Deserialize;
use tokio::net::lookup_host;
use url::{Host, Url};

use super::client::Dynamic;
use super::error::{Code, OauthError};
use super::public_address::{are_public, is_ours};
use super::redirect;
use super::register::display_name;
use crate::atlassian::http_builder;
use crate::config::{Config, McpClients};
use crate::memo::Memo;

/// The longest client id of this kind, in bytes.
const MAX_URL: usize = 512;

/// The longest document, in bytes.
const MAX_DOCUMENT: usize = 5 * 1024;

/// How long it may take in all: resolving, connecting, reading.
const TIMEOUT: Duration = Duration::from_secs(3);

/// How long a document is remembered, so that one person's retries are one fetch.
const LIFETIME: Duration = Duration::from_secs(300);

/// A client id that is the URL of a metadata document, and may be fetched as far as one can tell from its text.
#[derive(Clone, Debug)]
pub struct DocumentUrl {
    text: String,
    url: Url,
}

impl DocumentUrl {
    /// https, port 443, a path, no user name, query or fragment, written as it is understood, not us.
    pub fn parse(text: &str, config: &Config) -> Option<Self> {
        let url = Url::parse(text).ok().filter(|_| text.len() <= MAX_URL)?;
        let bare = url.query().is_none() && url.fragment().is_none() && !text.contains('@');
        let as_written =
            url.as_str() == text && url.scheme() == "https" && url.port().is_none() && url.path() != "/";
        let foreign = url.host_str().is_some_and(|host| host != config.public_url.host());
        let allowed = redirect::host_is_allowed(&url, &config.mcp_clients);
        (bare && as_written && foreign && allowed).then(|| Self { text: text.to_owned(), url })
    }

    /// The client where its document does not matter: at the token endpoint.
    pub fn unfetched(&self) -> Dynamic {
        let name = self.url.host_str().unwrap_or_default().to_owned();
        Dynamic { key: self.text.clone(), name, redirect_uris: Vec::new() }
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
}

/// Fetches metadata documents. A clone shares the memory.
#[derive(Clone)]
pub struct Documents {
    known: Memo<Dynamic>,
}

impl Documents {
    pub fn new() -> Self {
        Self { known: Memo::lasting(1000, LIFETIME) }
    }

    /// The client that the document at `url` describes.
    pub async fn fetch(&self, url: &DocumentUrl, config: &Config) -> Result<Dynamic, OauthError> {
        let fetched = self.known.try_get_or(url.text.as_bytes(), async {
            let body = tokio::time::timeout(TIMEOUT, get_guarded(&url.url))
                .await
                .map_err(|_| FetchError::TooSlow)??;
            client(&body, url, &config.mcp_clients)
        });
        fetched.await.map_err(|error| {
            tracing::info!(host = url.url.host_str(), %error, "a client's metadata document is of no use");
            OauthError::new(Code::InvalidClient, "The client's metadata document could not be used.")
        })
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

fn client(body: &[u8], url: &DocumentUrl, clients: &McpClients) -> Result<Dynamic, FetchError> {
    let document: Document = serde_json::from_slice(body).map_err(|_| FetchError::Unfit)?;
    let redirect_uris: Vec<String> =
        document.redirect_uris.into_iter().filter(|uri| redirect::is_acceptable(uri, clients)).collect();
    if document.client_id != url.text || document.client_secret.is_some() || redirect_uris.is_empty() {
        return Err(FetchError::Unfit);
    }
    let unfetched = url.unfetched();
    let name = document.client_name.as_deref().and_then(display_name).unwrap_or(unfetched.name);
    Ok(Dynamic { key: unfetched.key, name, redirect_uris })
}

#[cfg(test)]
mod tests {
    use tokio::net::TcpListener;
    use wiremock::matchers::{header, path};
    use wiremock::{Mock, MockServer, ResponseTemplate};

    use super::*;
    use crate::config::Environment;
    use crate::seal::random_key;

    const URL: &str = "https://agent.example/client.json";

    fn config(clients: &str) -> Config {
        let env = [
            ("CAUSEWAY_PUBLIC_URL", "https://wiki.example.com"),
            ("CAUSEWAY_SECRET", &random_key()),
            ("CAUSEWAY_CLIENT_ID", "client!+ID"),
            ("CAUSEWAY_CLIENT_SECRET", "s3cret+% &="),
            ("CAUSEWAY_MCP_CLIENTS", clients),
            ("ATLASSIAN_CLIENT_ID", "app"),
            ("ATLASSIAN_CLIENT_SECRET", "ATOA&secret"),
        ];
        let env: Environment =
            env.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        Config::load(&env, &[]).unwrap()
    }

    #[test]
    fn only_an_https_url_in_its_plain_form_on_an_allowed_host_is_one() {
        assert!(DocumentUrl::parse(URL, &config("any")).is_some());
        assert!(DocumentUrl::parse(URL, &config("agent.example")).is_some());
        assert!(DocumentUrl::parse(URL, &config("known")).is_none());
        assert!(DocumentUrl::parse("https://chatgpt.com/oauth/client.json", &config("known")).is_some());
        for bad in [
            "http://agent.example/client.json",
            "https://agent.example:443/client.json",
            "https://agent.example:8443/client.json",
            "https://u:p@agent.example/client.json",
            "https://@agent.example/client.json",
            "https://agent.example/client.json?",
            "https://agent.example/client.json#",
            "https://agent.example/a/./client.json",
            "https://agent.example/",
            "https://agent.example",
            "https://AGENT.example/client.json",
            "https://0x7f000001/client.json",
            "https://wiki.example.com/client.json",
            "client.json",
        ] {
            assert!(DocumentUrl::parse(bad, &config("any")).is_none(), "{bad}");
        }
    }

    #[tokio::test]
    async fn nothing_is_sent_to_an_address_that_is_not_public() {
        let server = MockServer::start().await;
        for host in ["127.0.0.1", "localhost", "10.255.255.1", "169.254.169.254", "[::ffff:7f00:1]"] {
            let url = Url::parse(&format!("http://{host}:{}/client.json", server.address().port())).unwrap();
            assert_eq!(get_guarded(&url).await, Err(FetchError::Forbidden));
        }
        assert!(server.received_requests().await.unwrap().is_empty());
    }

    #[tokio::test]
    async fn a_document_is_fetched_from_the_checked_address_without_redirects_and_in_bounds() {
        let server = MockServer::start().await;
        let answers = [
            ("/good", ResponseTemplate::new(200).set_body_string("{}")),
            ("/moved", ResponseTemplate::new(302).insert_header("location", "/good")),
            ("/long", ResponseTemplate::new(200).set_body_string("x".repeat(MAX_DOCUMENT + 1))),
            ("/absent", ResponseTemplate::new(404)),
        ];
        for (at, answer) in answers {
            Mock::given(path(at))
                .and(header("host", "agent.example"))
                .respond_with(answer)
                .mount(&server)
                .await;
        }
        // The name resolves to nothing; only the given address can be what is reached.
        let fetch = async |at: &str| {
            let url = Url::parse(&format!("http://agent.example{at}")).unwrap();
            get(&url, &[*server.address()]).await
        };
        assert_eq!(fetch("/good").await, Ok(b"{}".to_vec()));
        for bad in ["/moved", "/long", "/absent"] {
            assert!(matches!(fetch(bad).await, Err(FetchError::NotServed(_))), "{bad}");
        }
        assert_eq!(server.received_requests().await.unwrap().len(), 4);
    }

    #[tokio::test(start_paused = true)]
    async fn a_host_that_does_not_answer_is_given_up() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let url = Url::parse(&format!("http://{address}/client.json")).unwrap();
        let fetched = tokio::time::timeout(TIMEOUT * 2, get(&url, &[address])).await;
        assert!(matches!(fetched, Ok(Err(FetchError::NotServed(_)))));
    }

    #[test]
    fn a_document_speaks_for_its_own_url_and_for_redirects_that_are_allowed_here() {
        let config = config("agent.example,localhost");
        let url = DocumentUrl::parse(URL, &config).unwrap();
        let read =
            |document: serde_json::Value| client(document.to_string().as_bytes(), &url, &config.mcp_clients);
        let good = read(serde_json::json!({
            "client_id": URL, "client_name": " Agent ", "logo_uri": "https://agent.example/logo.png",
            "redirect_uris": ["https://agent.example/cb", "https://evil.example/cb", "http://localhost/cb"],
        }));
        let good = good.unwrap();
        assert_eq!((good.key.as_str(), good.name.as_str()), (URL, "Agent"));
        assert_eq!(good.redirect_uris, ["https://agent.example/cb", "http://localhost/cb"]);
        let redirects = ["https://agent.example/cb"];
        let deceptive = "Chat\u{202e}TPG";
        let named = read(
            serde_json::json!({ "client_id": URL, "client_name": deceptive, "redirect_uris": redirects }),
        );
        assert_eq!(named.unwrap().name, "agent.example");
        for bad in [
            serde_json::json!({ "client_id": "https://agent.example/other.json", "redirect_uris": redirects }),
            serde_json::json!({ "client_id": URL, "redirect_uris": redirects, "client_secret": "x" }),
            serde_json::json!({ "client_id": URL, "redirect_uris": ["https://evil.example/cb"] }),
            serde_json::json!({ "client_id": URL, "redirect_uris": [] }),
            serde_json::json!({ "client_id": URL }),
            serde_json::json!([]),
        ] {
            assert_eq!(read(bad.clone()).unwrap_err(), FetchError::Unfit, "{bad}");
        }
    }
}
