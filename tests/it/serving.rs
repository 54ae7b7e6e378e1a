//! What holds for every request, whatever is asked.

use std::time::Duration;

use causeway::config::Config;
use causeway::sandbox::{Fault, FaultKind};
use proptest::prelude::*;
use reqwest::Method;
use serde_json::Value;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

use crate::asking::{examples, with_query};
use crate::support::{Answer, Session, World};

async fn alice() -> (World, Session) {
    let world = World::of_acme().await;
    let alice = world.sign_in("alice").await;
    (world, alice)
}

impl World {
    async fn request(&self, method: Method, path: &str) -> Answer {
        self.send(self.http.request(method, format!("{}{path}", self.url))).await
    }
}

#[tokio::test]
async fn every_answer_has_a_request_id_of_its_own_and_the_security_headers() {
    let (world, alice) = alice().await;
    let mut ids = std::collections::BTreeSet::new();
    let paths: Vec<String> =
        examples().into_iter().map(|(_, path, query)| with_query(&path, &query)).collect();
    let others = [
        "/nope",
        "/openapi.json",
        "/healthz",
        "/v1/search",
        "/oauth/authorize",
        "/.well-known/oauth-authorization-server",
    ];
    for path in paths.iter().map(String::as_str).chain(others) {
        let answer = world.get(&alice, path).await;
        let id = answer.header("x-request-id").to_owned();
        assert!(id.len() == 16 && id.bytes().all(|byte| byte.is_ascii_hexdigit()), "{path}: {id:?}");
        assert!(ids.insert(id), "{path} repeats an id");
        assert_eq!(answer.header("x-content-type-options"), "nosniff", "{path}");
        assert_eq!(answer.header("referrer-policy"), "no-referrer", "{path}");
        assert!(answer.header("server").is_empty() && answer.header("x-powered-by").is_empty(), "{path}");
    }
}

#[tokio::test]
async fn a_request_id_from_outside_is_not_taken_over() {
    let world = World::start().await;
    let request = world.http.get(format!("{}/healthz", world.url)).header("x-request-id", "forged\tid");
    assert_ne!(world.send(request).await.header("x-request-id"), "forged\tid");
}

#[tokio::test]
async fn what_belongs_to_a_person_is_never_stored() {
    let (world, alice) = alice().await;
    for (_, path, query) in examples() {
        let answer = world.get(&alice, &with_query(&path, &query)).await.expect(200);
        assert_eq!(answer.header("cache-control"), "no-store", "{path}");
        assert_eq!(answer.header("content-type"), "application/json", "{path}");
    }
    for path in ["/v1/pages/99999999", "/v1/search", "/nope"] {
        assert_eq!(world.get(&alice, path).await.header("cache-control"), "no-store", "{path}");
    }
}

#[tokio::test]
async fn a_path_that_is_not_there_is_a_problem() {
    let (world, alice) = alice().await;
    for path in [
        "/nope",
        "/v1",
        "/v1/",
        "/v1/pages/",
        "/v1/search/",
        "/v1/pages/1/2/3",
        "/V1/search",
        "//",
        "/gpts/nope/openapi.json",
        "/gpts/nope/openapi.yaml",
        "/%2e%2e/x",
        "/v1/raw/",
    ] {
        world.get(&alice, path).await.refused(404, "not-found");
        world.get_bare(path).await.refused(404, "not-found");
    }
}

#[tokio::test]
async fn a_method_that_is_not_taken_is_a_problem_that_names_those_that_are() {
    let world = World::start().await;
    for (_, path, _) in examples() {
        for method in
            [Method::POST, Method::PUT, Method::DELETE, Method::PATCH, Method::OPTIONS, Method::TRACE]
        {
            let answer = world.request(method.clone(), &path).await.refused(405, "method-not-allowed");
            assert!(answer.header("allow").contains("GET"), "{method} {path}: {:?}", answer.header("allow"));
        }
    }
    for (method, path, allowed) in [
        (Method::DELETE, "/openapi.json", "GET"),
        (Method::PUT, "/healthz", "GET"),
        (Method::GET, "/oauth/token", "POST"),
        (Method::from_bytes(b"BREW").unwrap(), "/v1/search", "GET"),
    ] {
        let answer = world.request(method, path).await.refused(405, "method-not-allowed");
        assert!(answer.header("allow").contains(allowed), "{path}: {:?}", answer.header("allow"));
    }
}

#[tokio::test]
async fn head_is_get_without_a_body() {
    let (world, alice) = alice().await;
    for path in ["/v1/search?query=x", "/v1/pages/99999999", "/healthz", "/openapi.json"] {
        let get = world.get(&alice, path).await;
        let head = world.http.head(format!("{}{path}", world.url)).bearer_auth(&alice.access_token);
        let head = world.send(head).await;
        assert_eq!((head.status, head.body.as_str()), (get.status, ""), "{path}");
        assert_eq!(head.header("content-type"), get.header("content-type"), "{path}");
    }
}

#[tokio::test]
async fn a_body_that_is_too_large_is_a_problem() {
    let world = World::start().await;
    let large = "x".repeat(300 * 1024);
    for path in ["/oauth/token", "/oauth/register", "/mcp", "/v1/search"] {
        let request = world
            .http
            .post(format!("{}{path}", world.url))
            .header("content-type", "application/x-www-form-urlencoded");
        world.send(request.body(large.clone())).await.refused(413, "payload-too-large");
    }
    // Its length may be hidden.
    let chunks = futures_of(&large);
    let request = world
        .http
        .post(format!("{}/oauth/token", world.url))
        .header("content-type", "application/x-www-form-urlencoded");
    world.send(request.body(chunks)).await.refused(413, "payload-too-large");
}

/// A body in chunks, without a Content-Length.
fn futures_of(text: &str) -> reqwest::Body {
    let chunks: Vec<Result<Vec<u8>, std::io::Error>> =
        text.as_bytes().chunks(10_000).map(|chunk| Ok(chunk.to_vec())).collect();
    reqwest::Body::wrap_stream(futures_util::stream::iter(chunks))
}

#[tokio::test]
async fn alive_is_alive_and_ready_asks_whether_atlassian_answers() {
    let world = World::start().await;
    world.get_bare("/healthz").await.expect(200);
    world.get_bare("/readyz").await.expect(200);
    let cut_off = world
        .replica_with(&[
            ("ATLASSIAN_API_URL", "http://127.0.0.1:9"),
            ("ATLASSIAN_AUTH_URL", "http://127.0.0.1:9"),
        ])
        .await;
    cut_off.get_bare("/healthz").await.expect(200);
    let answer = cut_off.get_bare("/readyz").await.expect(503);
    assert!(!answer.body.contains("127.0.0.1"), "no details: {}", answer.body);
}

/// A gateway before the same sandbox that can be told to leave.
async fn leaving(world: &World, farewell: Duration) -> (World, oneshot::Sender<()>, JoinHandle<()>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let leaving = world.at(format!("http://{}", listener.local_addr().unwrap()));
    let mut config = Config::load(&world.env, &causeway::known_actions()).unwrap();
    config.limits.farewell = farewell;
    let (stop, stopped) = oneshot::channel::<()>();
    let shutdown = async move { stopped.await.unwrap_or_default() };
    let clock = world.clock.clone();
    let server = tokio::spawn(async move { causeway::run(listener, config, clock, shutdown).await.unwrap() });
    (leaving, stop, server)
}

#[tokio::test]
async fn shutting_down_answers_what_is_open_and_takes_nothing_new() {
    let (world, alice) = alice().await;
    let (leaving, stop, server) = leaving(&world, Duration::ZERO).await;
    let kind = FaultKind::Slow(Duration::from_millis(300));
    world.sandbox.inject(Fault { path_contains: "/rest/api/search".to_owned(), times: 1, kind });
    world.sandbox.forget_calls();
    let (asking, asker) = (leaving.clone(), alice.clone());
    let open = tokio::spawn(async move { asking.get(&asker, "/v1/search?query=deployment").await });
    while world.confluence_calls().is_empty() {
        tokio::task::yield_now().await;
    }
    stop.send(()).unwrap();
    open.await.unwrap().expect(200);
    tokio::time::timeout(Duration::from_secs(5), server).await.expect("it ends").unwrap();
    let fresh = causeway::atlassian::http_builder().no_proxy().build().unwrap();
    assert!(fresh.get(format!("{}/healthz", leaving.url)).send().await.is_err());
}

#[tokio::test]
async fn whoever_has_not_heard_that_it_leaves_is_answered_on_old_connections_and_new() {
    let world = World::start().await;
    let (leaving, stop, server) = leaving(&world, Duration::from_secs(60)).await;
    let connect = || TcpStream::connect(leaving.url.trim_start_matches("http://"));
    let mut idle = connect().await.unwrap();
    stop.send(()).unwrap();
    // Until the word is out.
    while leaving.get_bare("/readyz").await.status == 200 {
        tokio::task::yield_now().await;
    }
    for connection in [&mut idle, &mut connect().await.unwrap()] {
        connection.write_all(b"GET /healthz HTTP/1.1\r\nhost: localhost\r\n\r\n").await.unwrap();
        let mut answer = String::new();
        connection.read_to_string(&mut answer).await.unwrap();
        assert!(answer.starts_with("HTTP/1.1 200") && answer.contains("connection: close"), "{answer}");
    }
    assert!(!server.is_finished());
    server.abort();
}

#[tokio::test]
async fn yaml_and_json_are_one_document() {
    let world = World::start().await;
    let json = world.get_bare("/openapi.json").await.expect(200);
    let yaml = world.get_bare("/openapi.yaml").await.expect(200);
    assert_eq!(
        (json.header("content-type"), yaml.header("content-type")),
        ("application/json", "application/yaml")
    );
    assert_eq!(yaml_serde::from_str::<Value>(&yaml.body).unwrap(), json.json);
}

const THREE_GPTS: &str = r#"
[[gpt]]
slug = "first"
client_id = "first!"
client_secret = { env = "FIRST" }

[[gpt]]
slug = "second"
name = "Second GPT"
client_id = "second!"
client_secret = { env = "SECOND" }
site = "acme.atlassian.net"
spaces = ["ENG"]
actions = ["getPage", "whoAmI"]
"#;

#[tokio::test]
async fn each_gpt_has_its_own_document_of_its_own_actions() {
    let world = World::with_file(THREE_GPTS, &[("FIRST", "first-secret"), ("SECOND", "second-secret")]).await;
    let default = world.get_bare("/openapi.json").await.expect(200);
    assert_eq!(world.get_bare("/gpts/first/openapi.json").await.expect(200).body, default.body);
    let second = world.get_bare("/gpts/second/openapi.json").await.expect(200);
    let paths: Vec<&String> = second.json["paths"].as_object().unwrap().keys().collect();
    assert_eq!(paths, ["/v1/pages/{id}", "/v1/me"]);
    let yaml = world.get_bare("/gpts/second/openapi.yaml").await.expect(200);
    assert_eq!(yaml_serde::from_str::<Value>(&yaml.body).unwrap(), second.json);
    for answer in [default, second] {
        assert!(!answer.body.contains("-secret"), "{}", answer.body);
    }
}

#[tokio::test]
async fn the_example_of_each_operation_answers() {
    let (world, alice) = alice().await;
    let document = world.get_bare("/openapi.json").await.expect(200).json;
    for (path, item) in document["paths"].as_object().unwrap() {
        let mut url = path.clone();
        let mut query = Vec::new();
        for parameter in item["get"]["parameters"].as_array().into_iter().flatten() {
            let (Some(name), Some(example)) = (parameter["name"].as_str(), parameter["example"].as_str())
            else {
                continue;
            };
            match parameter["in"].as_str() {
                Some("path") => url = url.replace(&format!("{{{name}}}"), example),
                _ => query.push((name, example)),
            }
        }
        let answer = world.ask(&alice, &url, &query).await.expect(200);
        let nothing = answer.json["results"].as_array().is_some_and(Vec::is_empty);
        assert!(!nothing, "the example of {path} finds nothing: {}", answer.body);
    }
}

#[tokio::test]
async fn the_type_of_a_problem_leads_to_its_page() {
    let (world, alice) = alice().await;
    let problem = world.get(&alice, "/v1/search").await.refused(400, "invalid-parameter");
    let page = problem.text("type").strip_prefix(world.public_url.as_str()).unwrap().to_owned();
    let page = world.get_bare(&page).await.expect(200);
    assert!(page.header("content-type").starts_with("text/html"));
}

#[test]
fn no_path_method_or_header_makes_a_handler_panic() {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
    let (world, session) = runtime.block_on(alice());
    let path = prop_oneof![
        Just("/".to_owned()),
        "(/[a-z0-9%.~_-]{0,8}){0,4}",
        "/(v1|oauth|gpts|docs|assets|problems|mcp|[.]well-known)(/[ -~&&[^ #?\\[\\]]]{0,10}){0,3}",
    ];
    let query = prop_oneof![Just(String::new()), "[ -~&&[^ #]]{0,30}".prop_map(|query| format!("?{query}"))];
    let method =
        prop::sample::select(vec!["GET", "GET", "GET", "POST", "HEAD", "PUT", "OPTIONS", "DELETE", "BREW"]);
    let header = prop::sample::select(vec![
        "accept",
        "content-type",
        "cookie",
        "authorization",
        "origin",
        "host",
        "range",
        "if-none-match",
        "x-forwarded-host",
    ]);
    let config = ProptestConfig { cases: 400, failure_persistence: None, ..ProptestConfig::default() };
    let rng = proptest::test_runner::TestRng::deterministic_rng(proptest::test_runner::RngAlgorithm::ChaCha);
    let mut runner = proptest::test_runner::TestRunner::new_with_rng(config, rng);
    runner
        .run(&(path, query, method, header, "[ -~]{0,30}"), |(path, query, method, header, value)| {
            let method = Method::from_bytes(method.as_bytes()).unwrap();
            let url = format!("{}{path}{query}", world.url);
            prop_assume!(url::Url::parse(&url).is_ok_and(|parsed| parsed.as_str().starts_with(&world.url)));
            let request =
                world.http.request(method, url).bearer_auth(&session.access_token).header(header, value);
            let answer = runtime.block_on(world.send(request));
            prop_assert!(answer.status < 500, "{} {}", answer.status, answer.body);
            Ok(())
        })
        .unwrap();
}
