//! A full log, at the most talkative level and of every crate, of signing in, searching, reading, failing and refreshing
//! holds no token, code, secret, cookie, query or page text.

use std::io;
use std::sync::{Arc, Mutex};

use causeway::clock::Clock;
use causeway::sandbox::{FaultKind, NewFile, NewPage};
use causeway::telemetry::subscriber;
use serde_json::json;
use tracing_subscriber::util::SubscriberInitExt as _;

use crate::asking::{examples, with_query};
use crate::mcp::Client;
use crate::support::{CLIENT_SECRET, Session, World, encode, secret};

/// Everything that was logged.
#[derive(Clone, Default)]
pub struct Log(Arc<Mutex<Vec<u8>>>);

impl io::Write for Log {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Log {
    fn start() -> (Self, tracing::subscriber::DefaultGuard) {
        Self::of("trace", false)
    }

    /// The log at this level, as text or as JSON.
    pub fn of(filter: &str, json: bool) -> (Self, tracing::subscriber::DefaultGuard) {
        let log = Self::default();
        let writer = log.clone();
        let make = move || writer.clone();
        let level = causeway::config::Log { filter: filter.to_owned(), json };
        let (subscriber, _) = subscriber(&level, None, &Clock::system(), make);
        // Of the gateway, the sandbox and this test alike: all their tasks run on this one thread.
        (log, subscriber.set_default())
    }

    pub fn text(&self) -> String {
        String::from_utf8(self.0.lock().unwrap().clone()).unwrap()
    }
}

/// What another test's thread, which logs nothing, comes by first at this very moment is taken for disabled. After this
/// all is known and enabled.
pub async fn rehearse(world: &World) {
    let bob = world.sign_in("bob").await;
    for path in ["/v1/search?query=deployment", "/v1/pages/99999999"] {
        world.get(&bob, path).await;
    }
    tracing::callsite::rebuild_interest_cache();
}

/// Fails if a secret is in the log, as it is or encoded; of a long one a piece is enough.
#[track_caller]
fn expect_absent(log: &str, what: &str, secret: &str) {
    assert!(secret.len() >= 6, "{what} is too short to be looked for");
    let encoded = encode(secret);
    for form in [secret, &encoded] {
        let middle = form.len() / 2;
        let piece = if form.len() > 60 && form.is_ascii() { &form[middle..middle + 30] } else { form };
        if let Some(line) = log.lines().find(|line| line.contains(piece)) {
            panic!("{what} is in the log: {line}");
        }
    }
}

/// Reads a file of this page as text and by a link, which is returned.
async fn read_a_file(world: &World, alice: &Session, page: &str) -> String {
    let file = NewFile {
        page: page.to_owned(),
        title: "mulgara.txt".to_owned(),
        media_type: "text/plain",
        bytes: b"mulgara file text".to_vec(),
        claimed_size: None,
    };
    let file = world.sandbox.add_file(file);
    world.attachment(alice, &file, &[]).await.expect(200);
    let link = world.link(alice, &file).await;
    assert_eq!(world.get_bare(&link).await.expect(200).body, "mulgara file text");
    world.get_bare(&format!("{link}x")).await.expect(404);
    link
}

#[tokio::test]
async fn a_full_log_holds_nothing_that_belongs_to_a_person() {
    let (log, guard) = Log::start();
    let world = World::with_every_action(&[]).await;
    rehearse(&world).await;
    let page = NewPage {
        title: "Mulgara title".to_owned(),
        body: "<h2>Mulgara heading</h2><p>Mulgara body text</p>".to_owned(),
        labels: vec!["mulgara-label".to_owned()],
        ..NewPage::default()
    };
    let id = world.sandbox.add_page(page);
    let mut browser = world.browser();
    let back = world.consent(&mut browser, &crate::support::Request::of_chatgpt(), "alice").await;
    let alice = Session::of(world.redeem(&back.code).await);

    for (_, path, query) in examples() {
        world.get(&alice, &with_query(&path, &query)).await.expect(200);
    }
    let at_mcp = world.sign_in_to_mcp("alice").await;
    let client = Client::new(&world, &at_mcp);
    let found = client.call("search", json!({ "query": "mulgara" })).await;
    client.call("fetch", json!({ "id": found["results"][0]["id"] })).await;
    client.call("searchConfluence", json!({ "query": "mulgara querywords" })).await;
    client.problem("searchConfluence", json!({ "mulgaraname": "mulgaravalue" })).await;

    let search = [("query", "mulgara querywords"), ("limit", "1")];
    world.ask(&alice, "/v1/search", &search).await.expect(200);
    let first = world
        .ask(&alice, "/v1/search", &[("query", "mulgara"), ("limit", "1"), ("type", "page")])
        .await
        .expect(200);
    assert_eq!(first.each("title"), ["Mulgara title"]);
    world.ask(&alice, "/v1/search", &[("cql", "title ~ mulgaracql AND (")]).await.expect(400);
    world.ask(&alice, "/v1/search", &[("cql", "mulgarafield = 7")]).await.expect(400);
    world.ask(&alice, "/v1/search", &[("author", "Mulgara Person")]).await.expect(400);
    world.get(&alice, &format!("/v1/pages/{id}?query=mulgarapassage")).await.expect(200);
    world.ask(&alice, "/v1/pages", &[("title", "mulgara title")]).await.expect(200);
    world.ask(&alice, "/v1/pages", &[("title", "mulgara absent")]).await.expect(404);
    let url = format!("https://acme.atlassian.net/wiki/spaces/ENG/pages/{id}/Mulgara+in+url");
    world.ask(&alice, "/v1/pages", &[("url", &url)]).await.expect(200);
    world.ask(&alice, "/v1/mulgarapath/mulgara", &[("mulgaraname", "mulgaravalue")]).await.expect(404);
    world.ask(&alice, "/v1/me", &[("mulgaraname", "mulgaravalue")]).await.expect(400);
    for path in ["/wiki/api/v2/mulgara", "/wiki/api/v2/pages/mulgara", "/wiki/api/v2/pages", "/mulgara"] {
        world.ask(&alice, "/v1/raw", &[("path", path), ("query", "title=mulgara")]).await;
    }
    let link = read_a_file(&world, &alice, &id).await;
    world.get_bare("/v1/search?query=mulgaranobody").await.expect(401);
    let upstream = |status| FaultKind::Status {
        status,
        headers: Vec::new(),
        body: "{\"message\":\"mulgara upstream\"}".to_owned(),
    };
    for kind in [
        upstream(400),
        upstream(500),
        upstream(503),
        FaultKind::Reset,
        FaultKind::MalformedJson,
        FaultKind::TruncatedBody,
    ] {
        world.break_confluence(usize::MAX, kind);
        world.ask(&alice, "/v1/search", &search).await;
        world.get(&alice, &format!("/v1/pages/{id}")).await;
        world.sandbox.clear_faults();
    }
    let renewed = Session::of(world.refresh(&alice.refresh_token).await);
    world
        .token(&[
            ("client_id", "x"),
            ("client_secret", "mulgara-wrong-secret"),
            ("grant_type", "refresh_token"),
        ])
        .await;
    world.redeem(&back.code).await.expect(400);
    world.sandbox.revoke("alice");
    world.get(&renewed, "/v1/me").await.expect(401);
    drop(guard);

    let log = log.text();
    for sign in ["answered", "hyper", "upstream call", "TRACE", "searchConfluence"] {
        assert!(log.contains(sign), "not a full log: {sign} is missing");
    }
    expect_absent(&log, "an access token", &alice.access_token);
    expect_absent(&log, "an access token", &renewed.access_token);
    expect_absent(&log, "a refresh token", &alice.refresh_token);
    expect_absent(&log, "a refresh token", &renewed.refresh_token);
    expect_absent(&log, "an access token for MCP", &at_mcp.access_token);
    expect_absent(&log, "a code", &back.code);
    expect_absent(&log, "a link to a file", link.strip_prefix("/files/").unwrap());
    expect_absent(&log, "the client's state", back.state.as_deref().unwrap());
    expect_absent(&log, "the client secret", CLIENT_SECRET);
    expect_absent(&log, "Atlassian's client secret", &world.env["ATLASSIAN_CLIENT_SECRET"]);
    expect_absent(&log, "the sealing key", &secret(1));
    for cookie in &browser.set_cookies {
        let value = cookie.split(';').next().unwrap().split_once('=').unwrap().1;
        expect_absent(&log, "a cookie", value);
    }
    // Atlassian's own tokens are JWTs.
    expect_absent(&log, "a JWT", "eyJhbGci");
    expect_absent(&log, "the account id", "712020:5d2c1f0a");
    expect_absent(&log, "a cursor", first.text("nextCursor").get(..60).unwrap_or("no cursor at all"));
    let lower = log.to_lowercase();
    expect_absent(&lower, "a query, a title, page text or a path", "mulgara");
}

#[tokio::test]
async fn each_answer_leaves_one_line_with_its_route_and_the_id_that_the_caller_got() {
    let (log, guard) = Log::start();
    let world = World::of_acme().await;
    rehearse(&world).await;
    let alice = world.sign_in("alice").await;
    let answer = world.get(&alice, "/v1/pages/1310745").await.expect(200);
    let missing = world.get(&alice, "/v1/pages/99999999").await.expect(404);
    drop(guard);
    let log = log.text();
    for (answer, status) in [(answer, 200), (missing, 404)] {
        let id = answer.header("x-request-id");
        let lines: Vec<&str> =
            log.lines().filter(|line| line.contains(id) && line.contains("answered")).collect();
        assert_eq!(lines.len(), 1, "{lines:?}");
        assert!(
            lines[0].contains("/v1/pages/{id}") && lines[0].contains(&format!("status={status}")),
            "{lines:?}"
        );
    }
}
