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
    assert!(DocumentUrl::parse(URL, &config("known,https://agent.example/client.json")).is_some());
    for pinned in
        ["https://chatgpt.com/oauth/client.json", "https://claude.ai/oauth/claude-code-client-metadata"]
    {
        assert!(!DocumentUrl::parse(pinned, &config("known")).unwrap().is_fetched(), "{pinned}");
        assert!(!DocumentUrl::parse(pinned, &config("any")).unwrap().is_fetched(), "{pinned}");
    }
    assert!(DocumentUrl::parse("https://chatgpt.com/oauth/other.json", &config("known")).is_none());
    for clients in ["off", "agent.example", "claude.ai"] {
        assert!(DocumentUrl::parse("https://chatgpt.com/oauth/client.json", &config(clients)).is_none());
    }
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
        Mock::given(path(at)).and(header("host", "agent.example")).respond_with(answer).mount(&server).await;
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

#[tokio::test]
async fn documents_are_fetched_once_for_all_and_failures_are_remembered() {
    let clock = Clock::manual("2026-11-21T09:00:00Z".parse().unwrap());
    let (documents, config) = (Documents::new(&clock), config("agent.example"));
    let url = DocumentUrl::parse(URL, &config).unwrap();
    let fetches = std::sync::atomic::AtomicUsize::new(0);
    let good = format!(r#"{{"client_id":"{URL}","redirect_uris":["https://agent.example/cb"]}}"#);
    let ask = |body: &str| {
        let body = body.as_bytes().to_vec();
        let get = async {
            fetches.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
            tokio::task::yield_now().await;
            Ok(body)
        };
        documents.remembered(&url, "198.51.100.1".parse().unwrap(), &config, get)
    };
    let count = || fetches.load(std::sync::atomic::Ordering::Relaxed);
    let (one, two) = tokio::join!(ask("nonsense"), ask("nonsense"));
    assert_eq!((one.unwrap_err(), two.unwrap_err(), count()), (FetchError::Unfit, FetchError::Unfit, 1));
    clock.advance(Duration::from_secs(299));
    assert_eq!((ask(&good).await.unwrap_err(), count()), (FetchError::Unfit, 1));
    clock.advance(Duration::from_secs(1));
    assert!(ask(&good).await.is_ok() && ask("nonsense").await.is_ok());
    assert_eq!(count(), 2);
}

#[tokio::test]
async fn few_documents_are_fetched_at_once_for_an_address_and_for_everybody() {
    let clock = Clock::manual("2026-11-21T09:00:00Z".parse().unwrap());
    let (documents, config) = (Documents::new(&clock), config("any"));
    let ask = async |number: u32, address: u32| {
        let url = DocumentUrl::parse(&format!("https://a{number}.example/client.json"), &config).unwrap();
        let address = IpAddr::V4(std::net::Ipv4Addr::from(address));
        documents.remembered(&url, address, &config, async { Err(FetchError::Unresolved) }).await.unwrap_err()
    };
    for number in 0..OF_AN_ADDRESS.burst {
        assert_eq!(ask(number, 1).await, FetchError::Unresolved);
    }
    assert!(matches!(ask(100, 1).await, FetchError::TooMany(_)));
    // That it was refused says nothing about the document, and another address may ask for it.
    assert_eq!(ask(100, 2).await, FetchError::Unresolved);
    for address in 10..OF_EVERYBODY.burst {
        ask(address * 100, address).await;
    }
    assert!(matches!(ask(101, 9_999).await, FetchError::TooMany(_)));
    clock.advance(OF_EVERYBODY.period);
    let places = documents.places.clone().acquire_many_owned(u32::try_from(MAX_FETCHES).unwrap()).await;
    assert!(matches!(ask(101, 9_999).await, FetchError::TooMany(_)));
    drop(places);
    assert_eq!(ask(101, 9_999).await, FetchError::Unresolved);
}

#[test]
fn a_document_speaks_for_its_own_url_and_for_redirects_that_are_allowed_here() {
    let config = config("agent.example,localhost");
    let url = DocumentUrl::parse(URL, &config).unwrap();
    let read = |document: serde_json::Value| client(document.to_string().as_bytes(), &url, &config);
    let good = read(serde_json::json!({
        "client_id": URL, "client_name": " Agent ", "logo_uri": "https://agent.example/logo.png",
        "redirect_uris": ["https://agent.example/cb", "https://evil.example/cb", "http://localhost/cb"],
    }));
    let good = good.unwrap();
    assert_eq!((good.key.as_str(), good.name.as_str()), (URL, "Agent"));
    let Redirects::Named(redirect_uris) = &good.redirects else { panic!("{good:?}") };
    assert_eq!(redirect_uris, &["https://agent.example/cb", "http://localhost/cb"]);
    let redirects = ["https://agent.example/cb"];
    let deceptive = "Chat\u{202e}TPG";
    let named =
        read(serde_json::json!({ "client_id": URL, "client_name": deceptive, "redirect_uris": redirects }));
    assert_eq!(named.unwrap().name, "ChatTPG");
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
