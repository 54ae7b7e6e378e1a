//! callConfluence.

use std::sync::Arc;
use std::time::Duration;

use causeway::action::MAX_ANSWER;
use causeway::config::Config;
use causeway::sandbox::{ACME, FaultKind, NewFile};
use causeway::{actions, known_actions};
use proptest::prelude::*;
use proptest::strategy::ValueTree as _;
use proptest::test_runner::{RngAlgorithm, TestRng, TestRunner};
use serde_json::{Value, json};
use tokio::net::TcpListener;

use crate::asking::expect_no_null;
use crate::support::{Answer, Session, World};

const SPACES: &str = "/wiki/api/v2/spaces";

async fn open(person: &str) -> (World, Session) {
    let world =
        World::with(&[("CAUSEWAY_SITE", ACME.host), ("CAUSEWAY_ACTIONS", "callConfluence,whoAmI")]).await;
    let session = world.sign_in(person).await;
    (world, session)
}

impl World {
    async fn raw(&self, session: &Session, path: &str, query: &str) -> Answer {
        let answer = self.ask(session, "/v1/raw", &[("path", path), ("query", query)]).await;
        assert!(answer.body.len() < MAX_ANSWER, "{} bytes", answer.body.len());
        answer
    }

    /// Lets every call to Confluence be answered so.
    fn answering(&self, status: u16, body: &Value) {
        let body = body.to_string();
        self.break_confluence(usize::MAX, FaultKind::Status { status, headers: Vec::new(), body });
    }
}

/// Confluence's own JSON.
fn inner(answer: &Answer) -> Value {
    serde_json::from_str(answer.text("body")).unwrap_or_else(|_| panic!("{}", answer.body))
}

#[tokio::test]
async fn it_answers_with_confluence_s_status_and_json_as_the_person_sees_it() {
    let (world, alice) = open("alice").await;
    let bob = world.sign_in("bob").await;
    for (session, sees_hr) in [(&alice, true), (&bob, false)] {
        let answer = world.raw(session, SPACES, "limit=50").await.expect(200);
        expect_no_null(&answer.json);
        assert_eq!(answer.json["status"], 200);
        assert!(answer.json.get("truncated").is_none());
        let keys: Vec<Value> =
            inner(&answer)["results"].as_array().unwrap().iter().map(|space| space["key"].clone()).collect();
        assert!(keys.contains(&json!("ENG")), "{keys:?}");
        assert_eq!(keys.contains(&json!("HR")), sees_hr, "{keys:?}");
    }
    let page = world.raw(&alice, "/wiki/api/v2/pages/1310745", "body-format=storage").await.expect(200);
    assert_eq!(inner(&page)["title"], "Deployment guide");
    let found = world.raw(&alice, "/rest/api/search", "cql=title+%3D+%22Deployment%20guide%22&limit=1").await;
    assert_eq!(inner(&found)["results"][0]["content"]["id"], "1310745");
    world.raw(&bob, "/wiki/api/v2/pages/1331211", "").await.refused(404, "not-found");
}

#[tokio::test]
async fn it_is_off_unless_enabled_and_then_in_the_document() {
    let world = World::of_acme().await;
    let alice = world.sign_in("alice").await;
    world.sandbox.forget_calls();
    world.raw(&alice, SPACES, "").await.refused(403, "not-allowed");
    assert!(world.confluence_calls().is_empty());
    assert!(!world.get_bare("/openapi.json").await.body.contains("callConfluence"));
    let (open, _) = open("alice").await;
    let document = open.get_bare("/openapi.json").await;
    assert!(document.body.contains("callConfluence"));
    // On loopback the address of the server is all that is wrong with it.
    let findings = causeway::openapi::lint::lint(&document.json);
    assert!(findings.iter().all(|finding| format!("{finding:?}").contains("servers")), "{findings:?}");
}

#[tokio::test]
async fn a_gpt_with_an_allow_list_may_not_use_it_whatever_its_configuration_says() {
    let world = World::of_spaces("ENG").await;
    let alice = world.sign_in("alice").await;
    let mut config = Config::load(&world.env, &known_actions()).unwrap();
    let gpt = Arc::make_mut(&mut config.gpts[0]);
    gpt.actions.push("callConfluence".to_owned());
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let mut forced = world.clone();
    forced.url = format!("http://{}", listener.local_addr().unwrap());
    let clock = world.clock.clone();
    tokio::spawn(
        async move { causeway::run(listener, config, clock, std::future::pending()).await.unwrap() },
    );
    world.sandbox.forget_calls();
    for path in [SPACES, "/wiki/api/v2/pages/1310745", "/wiki/api/v2/pages/1331211"] {
        forced.raw(&alice, path, "").await.refused(403, "not-allowed");
    }
    assert!(world.confluence_calls().is_empty());
}

#[test]
fn it_asks_for_no_scope_that_the_reading_actions_do_not_ask_for_anyway() {
    let entries = actions::all();
    let others: Vec<&str> = entries
        .iter()
        .filter(|entry| entry.on_by_default)
        .flat_map(|entry| entry.scopes.iter().copied())
        .collect();
    let raw = entries.iter().find(|entry| entry.id == "callConfluence").unwrap();
    assert!(raw.scopes.iter().all(|scope| others.contains(scope)), "{:?}", raw.scopes);
    for scope in others.iter().filter(|scope| !scope.starts_with("readonly:")) {
        assert!(raw.scopes.contains(scope), "{scope} would have to be asked for too");
    }
}

#[tokio::test]
async fn links_that_open_files_do_not_come_along() {
    let (world, alice) = open("alice").await;
    let bytes = b"quarterly".to_vec();
    let file = NewFile {
        page: "1310745".to_owned(),
        title: "q.txt".to_owned(),
        media_type: "text/plain",
        bytes,
        claimed_size: None,
    };
    world.sandbox.add_file(file);
    let answer = world.raw(&alice, "/wiki/api/v2/pages/1310745/attachments", "").await.expect(200);
    assert_eq!(inner(&answer)["results"][0]["title"], "q.txt");
    assert!(inner(&answer)["results"][0]["webuiLink"].is_string(), "{}", answer.body);
    assert!(!answer.body.contains("ownload"), "{}", answer.body);

    let media = format!("{}/file/1/binary?token=SECRET-1&client=c", world.sandbox_url);
    let body = json!({
        "url": media,
        "body": { "export_view": { "value": format!("<img src=\"{}\"/> and text", media.replace('&', "&amp;")) },
                  "atlas_doc_format": { "value": json!({ "attrs": { "url": media } }).to_string() } },
        "other": "https://cdn.example/x.png?Expires=1&X-Amz-Signature=SECRET-2",
        "self": format!("{}/ex/confluence/{}/wiki/api/v2/pages/1", world.sandbox_url, ACME.cloud_id),
        "_links": { "download": "/download/SECRET-3", "webui": "/spaces/ENG/pages/1" },
    });
    world.answering(200, &body);
    let answer = world.raw(&alice, "/wiki/api/v2/pages/1", "").await.expect(200);
    for secret in ["SECRET", "token=", "/ex/confluence", "binary"] {
        assert!(!answer.body.contains(secret), "{secret}: {}", answer.body);
    }
    assert_eq!(inner(&answer)["_links"], json!({ "webui": "/spaces/ENG/pages/1" }));
    assert!(answer.body.contains("and text"), "{}", answer.body);
}

#[tokio::test]
async fn what_confluence_refuses_comes_back_with_its_status_and_reason() {
    let (world, alice) = open("alice").await;
    let gone = world.raw(&alice, "/wiki/rest/api/content/1310745", "").await.expect(200);
    assert_eq!(gone.json["status"], 410);
    let wrong = world.raw(&alice, "/wiki/rest/api/search", "cql=frobnication%20%3D%207").await.expect(200);
    assert_eq!(wrong.json["status"], 400);
    assert!(inner(&wrong)["message"].as_str().unwrap().contains("frobnication"), "{}", wrong.body);
    let token = world.sandbox_url.replace("http://", "");
    let told = json!({ "message": format!("no: http://{token}/ex/confluence/x?token=SECRET is gone") });
    for status in [400, 405, 409, 413, 418] {
        world.answering(status, &told);
        let answer = world.raw(&alice, SPACES, "").await.expect(200);
        assert_eq!(answer.json["status"], status);
        assert_eq!(inner(&answer)["message"], "no: [removed] is gone");
        world.sandbox.clear_faults();
    }
    world.answering(400, &json!("<html>"));
    assert_eq!(world.raw(&alice, SPACES, "").await.expect(200).json["status"], 400);
}

#[tokio::test]
async fn failures_and_sign_ins_that_are_over_are_told_as_by_every_action() {
    let (world, alice) = open("alice").await;
    let told = json!({ "message": "com.atlassian.Secret" });
    for (status, ours, kind) in [
        (401, 401, "sign-in-required"),
        (403, 403, "no-access"),
        (404, 404, "not-found"),
        (500, 502, "confluence-unavailable"),
        (503, 502, "confluence-unavailable"),
        (302, 502, "confluence-unavailable"),
        (504, 504, "too-slow"),
        (429, 429, "rate-limited"),
    ] {
        world.answering(status, &told);
        let answer = world.raw(&alice, SPACES, "").await.refused(ours, kind);
        assert!(!answer.body.contains("com.atlassian"), "{}", answer.body);
        world.sandbox.clear_faults();
    }
    for kind in [FaultKind::MalformedJson, FaultKind::TruncatedBody, FaultKind::Reset] {
        world.break_confluence(usize::MAX, kind);
        world.raw(&alice, SPACES, "").await.refused(502, "confluence-unavailable");
        world.sandbox.clear_faults();
    }
    let hurried = world.hurried(Duration::from_millis(300)).await;
    world.break_confluence(1, FaultKind::Hang);
    hurried.raw(&alice, SPACES, "").await.refused(504, "too-slow");
    world.sandbox.clear_faults();
    let beyond = world.raw(&alice, "/wiki/api/v2/folders/1310722", "").await.refused(403, "missing-scope");
    assert!(beyond.text("nextStep").starts_with("Use a path"), "{}", beyond.body);
    world.sandbox.revoke("alice");
    world.raw(&alice, SPACES, "").await.refused(401, "sign-in-required");
    world.clock.advance(Duration::from_secs(3600));
    world.raw(&alice, SPACES, "").await.refused(401, "sign-in-required");
}

#[tokio::test]
async fn a_long_answer_is_cut_below_the_limit_whatever_it_holds() {
    let (world, alice) = open("alice").await;
    for text in ["x", "\"", "\\", "아", "\t", "🦔", "a b"] {
        world.answering(200, &json!({ "results": text.repeat(120_000) }));
        let answer = world.raw(&alice, SPACES, "").await.expect(200);
        assert_eq!(answer.json["truncated"], true);
        assert!(answer.body.len() > MAX_ANSWER - 1_000, "cut too early: {} bytes", answer.body.len());
        world.sandbox.clear_faults();
    }
    world.break_confluence(1, FaultKind::HugeBody);
    world.raw(&alice, SPACES, "").await.refused(502, "confluence-unavailable");
}

#[tokio::test]
async fn a_path_or_query_that_is_not_plain_is_refused_without_a_call() {
    let (world, alice) = open("alice").await;
    world.raw(&alice, SPACES, "").await.expect(200);
    world.sandbox.forget_calls();
    for path in [
        "/",
        "https://evil.example/wiki/api/v2/spaces",
        "/wiki/api/v2/../../../x",
        "/wiki/api/v2/pages%2F1",
        "/wiki/api/v2/pages?limit=1",
        "/wiki/api/v3/spaces",
        "/wiki/rest/api/content/1310730/child/attachment/att1310801/download",
    ] {
        world.raw(&alice, path, "").await.refuses("path");
    }
    for query in ["limit=1&limit=2", "a=%ff", "access_token=x"] {
        world.raw(&alice, SPACES, query).await.refuses("query");
    }
    world.get(&alice, "/v1/raw?path=/wiki/api/v2/spaces&path=/x").await.refuses("path");
    world.get(&alice, "/v1/raw").await.refuses("path");
    let posted = world.http.post(format!("{}/v1/raw?path={SPACES}", world.url));
    world.send(posted.bearer_auth(&alice.access_token)).await.refused(405, "method-not-allowed");
    assert!(world.sandbox.calls().is_empty(), "{:?}", world.sandbox.calls());
}

#[tokio::test]
async fn whatever_is_asked_for_only_the_site_s_two_apis_are_read() {
    let (world, alice) = open("alice").await;
    world.raw(&alice, SPACES, "").await.expect(200);
    world.sandbox.forget_calls();
    let piece = prop_oneof![
        Just("/wiki/api/v2".to_owned()),
        Just("/wiki/rest/api".to_owned()),
        Just("/pages/1310745".to_owned()),
        Just("..".to_owned()),
        Just("/".to_owned()),
        Just("%2e%2e%2f".to_owned()),
        Just("//evil.example".to_owned()),
        Just("\\".to_owned()),
        Just(";".to_owned()),
        Just("@".to_owned()),
        Just("?x=".to_owned()),
        "\\PC{0,6}",
        "[a-z/.%:]{0,12}",
    ];
    let text = proptest::collection::vec(piece, 0..6).prop_map(|pieces| pieces.concat());
    let mut runner = TestRunner::new_with_rng(
        ProptestConfig::default(),
        TestRng::from_seed(RngAlgorithm::ChaCha, &[5; 32]),
    );
    for _ in 0..300 {
        let mut draw = || text.new_tree(&mut runner).unwrap().current();
        let (path, query) = (draw(), draw());
        let answer = world.raw(&alice, &path, &query).await;
        assert!(answer.status < 500, "{path:?} {query:?}: {}", answer.body);
    }
    let calls = world.sandbox.calls();
    assert!(!calls.is_empty());
    for call in calls {
        let below = call.path.strip_prefix(&format!("/ex/confluence/{}/wiki/", ACME.cloud_id));
        let below = below.unwrap_or_else(|| panic!("{}", call.path));
        assert!(below.starts_with("api/v2/") || below.starts_with("rest/api/"), "{}", call.path);
        assert!(!below.contains("//") && !below.contains('%') && !below.contains("/../"), "{}", call.path);
        assert_eq!((call.method.as_str(), call.person.as_deref()), ("GET", Some("alice")));
    }
}

#[tokio::test]
async fn it_works_over_mcp_and_costs_one_call() {
    let (world, _) = open("alice").await;
    let alice = world.sign_in_to_mcp("alice").await;
    let client = crate::mcp::Client::new(&world, &alice);
    let arguments = json!({ "path": "/wiki/api/v2/pages/1310745", "query": "include-labels=true" });
    client.answer("callConfluence", arguments.clone()).await;
    world.sandbox.forget_calls();
    let answer = client.answer("callConfluence", arguments).await;
    assert_eq!(answer["status"], 200);
    assert_eq!(world.sandbox.calls().len(), 1);
}
