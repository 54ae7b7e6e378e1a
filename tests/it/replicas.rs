//! Three replicas behind a plain round-robin proxy, and clients whose every request reaches another one than the last.
//! Nothing is shared between replicas but the configuration.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::extract::{Request as Incoming, State};
use axum::http::HeaderName;
use axum::http::header::{CONNECTION, CONTENT_LENGTH, TRANSFER_ENCODING};
use axum::response::Response;
use futures_util::future::join_all;
use serde_json::{Value, json};
use tokio::net::TcpListener;

use crate::asking::{ACME, each, examples};
use crate::mcp::Client;
use crate::support::{MCP_CALLBACK, Session, World};

/// Hands each request to the next replica. It knows nothing of sessions.
#[derive(Clone)]
pub struct RoundRobin {
    replicas: Arc<Mutex<Vec<String>>>,
    hits: Arc<Vec<AtomicUsize>>,
    next: Arc<AtomicUsize>,
    http: reqwest::Client,
}

impl RoundRobin {
    /// A world whose gateway is three of them.
    pub async fn world() -> (World, Self) {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let mut world = World::with(&[("CAUSEWAY_PUBLIC_URL", &url), ("CAUSEWAY_SITE", ACME)]).await;
        let (second, third) = (world.replica().await, world.replica().await);
        let replicas = vec![world.url, second.url, third.url];
        let proxy = Self {
            hits: Arc::new(replicas.iter().map(|_| AtomicUsize::new(0)).collect()),
            replicas: Arc::new(Mutex::new(replicas)),
            next: Arc::default(),
            http: world.http.clone(),
        };
        let router = Router::new().fallback(hand_on).with_state(proxy.clone());
        tokio::spawn(async move { axum::serve(listener, router).await });
        world.url = url;
        (world, proxy)
    }

    /// Takes another gateway in place of a replica.
    pub fn replace(&self, index: usize, gateway: &World) {
        self.replicas.lock().unwrap()[index].clone_from(&gateway.url);
    }

    /// How many requests each replica has had since this was last asked.
    fn hits(&self) -> Vec<usize> {
        self.hits.iter().map(|hits| hits.swap(0, Ordering::SeqCst)).collect()
    }
}

async fn hand_on(State(proxy): State<RoundRobin>, request: Incoming) -> Response {
    let replica = proxy.next.fetch_add(1, Ordering::SeqCst) % proxy.hits.len();
    proxy.hits[replica].fetch_add(1, Ordering::SeqCst);
    let origin = proxy.replicas.lock().unwrap()[replica].clone();
    let (parts, body) = request.into_parts();
    let url = format!("{origin}{}", parts.uri);
    // The host stays the one the client named, as it does behind a TLS proxy.
    let mut outgoing = proxy.http.request(parts.method, url).headers(parts.headers);
    outgoing = outgoing.body(to_bytes(body, usize::MAX).await.unwrap());
    let answer = outgoing.send().await.unwrap();
    let mut response = Response::builder().status(answer.status());
    let hop = |name: &HeaderName| [CONNECTION, CONTENT_LENGTH, TRANSFER_ENCODING].contains(name);
    for (name, value) in answer.headers().iter().filter(|(name, _)| !hop(name)) {
        response = response.header(name, value);
    }
    response.body(Body::from(answer.bytes().await.unwrap())).unwrap()
}

#[tokio::test]
async fn a_sign_in_and_its_refreshes_go_through_three_replicas() {
    let (world, proxy) = RoundRobin::world().await;
    let mut session = world.sign_in("alice").await;
    assert_eq!(proxy.hits(), [1, 1, 1], "authorize, callback and token each at another");
    let first = session.clone();
    for _ in 0..7 {
        session = Session::of(world.refresh(&session.refresh_token).await);
        world.get(&session, "/v1/me").await.expect(200);
        world.get(&session, "/v1/me").await.expect(200);
    }
    let hits = proxy.hits();
    assert!(hits.iter().all(|hits| *hits == 7), "{hits:?}");
    // The token of the beginning lives as long as Atlassian says; a refresh elsewhere does not end it.
    world.get(&first, "/v1/me").await.expect(200);
}

#[tokio::test]
async fn a_refresh_that_is_repeated_at_every_replica_at_once_ends_no_session() {
    let (world, proxy) = RoundRobin::world().await;
    let session = world.sign_in("alice").await;
    proxy.hits();
    let refreshed = join_all((0..6).map(|_| world.refresh(&session.refresh_token))).await;
    assert_eq!(proxy.hits(), [2, 2, 2]);
    for session in refreshed.into_iter().map(Session::of) {
        world.get(&session, "/v1/me").await.expect(200);
        let later = Session::of(world.refresh(&session.refresh_token).await);
        world.get(&later, "/v1/search?query=onboarding").await.expect(200);
    }
}

#[tokio::test]
async fn every_action_answers_alike_at_every_replica() {
    let (world, proxy) = RoundRobin::world().await;
    let alice = world.sign_in("alice").await;
    proxy.hits();
    for (entry, path, query) in examples() {
        let answers = join_all((0..3).map(|_| world.ask(&alice, &path, &query))).await;
        assert_eq!(proxy.hits(), [1, 1, 1]);
        // A cursor is sealed anew each time.
        let bodies: Vec<Value> =
            answers.into_iter().map(|answer| without_cursor(answer.expect(200).json)).collect();
        assert!(bodies.iter().all(|body| *body == bodies[0]), "{}: {bodies:#?}", entry.id);
    }
}

fn without_cursor(mut body: Value) -> Value {
    body.as_object_mut().unwrap().remove("nextCursor");
    body
}

#[tokio::test]
async fn cursors_go_on_at_another_replica() {
    let (world, proxy) = RoundRobin::world().await;
    let alice = world.sign_in("alice").await;
    for number in 0..7 {
        world.add("ENG", &format!("Numbat {number}"), "<p>numbat</p>");
    }
    for (path, query, limits) in [
        ("/v1/search", [("query", "numbat")], ("2", "25")),
        ("/v1/spaces", [("type", "global")], ("1", "50")),
    ] {
        proxy.hits();
        let whole = world.list(&alice, path, &[&query[..], &[("limit", limits.1)]].concat()).await;
        let pieces = world.list(&alice, path, &[&query[..], &[("limit", limits.0)]].concat()).await;
        let (mut whole, mut pieces) = (each(&whole, "url"), each(&pieces, "url"));
        whole.sort();
        pieces.sort();
        assert!(whole.len() > 2 && pieces == whole, "{path}: {pieces:?} {whole:?}");
        assert!(proxy.hits().iter().all(|hits| *hits > 0));
    }
}

#[tokio::test]
async fn parts_of_a_page_fit_together_wherever_each_was_read() {
    let (world, proxy) = RoundRobin::world().await;
    let alice = world.sign_in("alice").await;
    let paragraphs = (0..400).map(|number| format!("<p>Paragraph {number} of the quokka.</p>"));
    let body = paragraphs.collect::<Vec<_>>().concat();
    let path = format!("/v1/pages/{}", world.add("ENG", "Long quokka", &body));
    let whole = world.get(&alice, &path).await.expect(200);
    proxy.hits();
    let (mut text, mut part) = (Vec::new(), json!(1));
    while let Some(number) = part.as_u64() {
        let query = [("maxChars", "2000"), ("part", &number.to_string())];
        let answer = world.ask(&alice, &path, &query).await.expect(200);
        text.push(answer.text("markdown").trim().to_owned());
        part = answer.json["nextPart"].clone();
    }
    assert!(text.len() > 3 && proxy.hits().iter().all(|hits| *hits > 0));
    assert_eq!(text.join("\n\n"), whole.text("markdown").trim());
}

#[tokio::test]
async fn an_mcp_client_finds_registers_signs_in_calls_and_refreshes_across_replicas() {
    let (world, proxy) = RoundRobin::world().await;
    let challenge = world.http.post(format!("{}/mcp", world.url)).json(&json!({}));
    let challenge = world.send(challenge).await.expect(401);
    let (_, metadata) = challenge.header("www-authenticate").split_once("resource_metadata=\"").unwrap();
    let metadata = metadata.split('"').next().unwrap().strip_prefix(&world.public_url).unwrap();
    let resource = world.get_bare(metadata).await.expect(200);
    assert_eq!(resource.json["authorization_servers"], json!([world.public_url]));
    let server = world.get_bare("/.well-known/oauth-authorization-server").await.expect(200);
    for endpoint in ["authorization_endpoint", "token_endpoint", "registration_endpoint"] {
        assert!(server.text(endpoint).starts_with(&world.public_url));
    }

    let client_id = world.register(&[MCP_CALLBACK]).await;
    let mut session = world.sign_in_to_mcp_by(&client_id, "alice").await;
    for _ in 0..4 {
        let client = Client::new(&world, &session);
        assert!(!client.tools().await.is_empty());
        let first = client.answer("listSpaces", json!({ "limit": 1 })).await;
        let next = json!({ "limit": 1, "cursor": first["nextCursor"].as_str().unwrap() });
        assert_ne!(client.answer("listSpaces", next).await["results"], first["results"]);
        session = Session::of(world.refresh_publicly(&client_id, &session.refresh_token).await);
    }
    let hits = proxy.hits();
    assert!(hits.iter().all(|count| *count > 5), "{hits:?}");
}
