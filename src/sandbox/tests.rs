//! The API as callers meet it.

use std::collections::BTreeSet;
use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::time::Duration;

use axum::body::{Body, to_bytes};
use axum::http::{HeaderMap, Request, StatusCode, header};
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tower::ServiceExt as _;

use super::*;

struct World {
    sandbox: Sandbox,
    clock: Clock,
}

struct Got {
    status: StatusCode,
    headers: HeaderMap,
    text: String,
}

impl Got {
    fn json(&self) -> Value {
        serde_json::from_str(&self.text).unwrap_or_default()
    }

    fn ids(&self) -> Vec<String> {
        let rows = self.json()["results"].as_array().cloned().unwrap_or_default();
        let id =
            |row: &Value| row["id"].as_str().or(row["content"]["id"].as_str()).unwrap_or_default().to_owned();
        rows.iter().map(id).collect()
    }

    fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }
}

fn world() -> World {
    let clock = Clock::manual("2026-06-17T09:30:00Z".parse().unwrap());
    let app =
        App { client_id: "id".to_owned(), client_secret: "s".to_owned(), callback: "https://g/".to_owned() };
    World { sandbox: Sandbox::new(app, clock.clone()), clock }
}

fn every_scope() -> Vec<&'static str> {
    SCOPES.iter().map(|(name, _)| *name).collect()
}

impl World {
    fn pass(&self, seconds: u64) {
        self.clock.advance(Duration::from_secs(seconds));
    }

    async fn send(&self, request: Request<Body>) -> Got {
        let response = self.sandbox.router().oneshot(request).await.unwrap();
        let (status, headers) = (response.status(), response.headers().clone());
        let bytes = to_bytes(response.into_body(), usize::MAX).await.unwrap();
        Got { status, headers, text: String::from_utf8_lossy(&bytes).into_owned() }
    }

    async fn with_scopes(&self, person: &str, scopes: &[&str], path: &str) -> Got {
        let token = self.sandbox.sign_in(person, scopes);
        let request = Request::get(path)
            .header(header::AUTHORIZATION, format!("Bearer {}", token["access_token"].as_str().unwrap()))
            .header(header::HOST, "api.example:8080");
        self.send(request.body(Body::empty()).unwrap()).await
    }

    async fn at(&self, site: &Site, person: &str, path: &str) -> Got {
        self.with_scopes(person, &every_scope(), &format!("/ex/confluence/{}/wiki{path}", site.cloud_id))
            .await
    }

    async fn get(&self, person: &str, path: &str) -> Got {
        self.at(&ACME, person, path).await
    }

    async fn post(&self, person: &str, path: &str, body: &Value) -> Got {
        let token = self.sandbox.sign_in(person, &every_scope());
        let request = Request::post(format!("/ex/confluence/{}/wiki{path}", ACME.cloud_id))
            .header(header::AUTHORIZATION, format!("Bearer {}", token["access_token"].as_str().unwrap()))
            .header(header::CONTENT_TYPE, "application/json");
        self.send(request.body(Body::from(body.to_string())).unwrap()).await
    }

    async fn search(&self, person: &str, cql: &str, rest: &str) -> Got {
        let cql = links::escape_path(cql);
        self.get(person, &format!("/rest/api/search?cql={cql}{rest}")).await
    }
}

const PATHS: &[(&str, &str)] = &[
    ("/rest/api/search?cql=type=page", "search:confluence"),
    ("/rest/api/search/user?cql=user.fullname~alice", "read:content-details:confluence"),
    ("/rest/api/user/current", "read:confluence-user"),
    (
        "/rest/api/content/1310734/child/attachment/att1610505/download",
        "readonly:content.attachment:confluence",
    ),
    ("/api/v2/pages", "read:page:confluence"),
    ("/api/v2/pages/1310745", "read:page:confluence"),
    ("/api/v2/pages/1310745/versions", "read:page:confluence"),
    ("/api/v2/blogposts/1310870", "read:page:confluence"),
    ("/api/v2/pages/1310721/direct-children", "read:hierarchical-content:confluence"),
    ("/api/v2/pages/1310721/descendants", "read:hierarchical-content:confluence"),
    ("/api/v2/pages/1310745/ancestors", "read:content.metadata:confluence"),
    ("/api/v2/spaces", "read:space:confluence"),
    ("/api/v2/spaces/131073", "read:space:confluence"),
    ("/api/v2/spaces/131073/pages?depth=root", "read:page:confluence"),
    ("/api/v2/pages/1310745/footer-comments", "read:comment:confluence"),
    ("/api/v2/pages/1310745/inline-comments", "read:comment:confluence"),
    ("/api/v2/footer-comments/1510401/children", "read:comment:confluence"),
    ("/api/v2/pages/1310734/attachments", "read:attachment:confluence"),
    ("/api/v2/attachments/att1610505", "read:attachment:confluence"),
];

#[tokio::test]
async fn each_endpoint_needs_its_scope_and_nothing_else() {
    let world = world();
    for (path, scope) in PATHS {
        let path = format!("/ex/confluence/{}/wiki{path}", ACME.cloud_id);
        let got = world.with_scopes("bob", &[scope], &path).await;
        assert!([StatusCode::OK, StatusCode::FOUND].contains(&got.status), "{path}: {}", got.text);
        let others: Vec<_> = every_scope().into_iter().filter(|held| held != scope).collect();
        let got = world.with_scopes("bob", &others, &path).await;
        assert_eq!(got.status, StatusCode::UNAUTHORIZED, "{path}");
        assert_eq!(got.json(), json!({ "code": 401, "message": "Unauthorized; scope does not match" }));
    }
}

#[tokio::test]
async fn a_person_sees_only_what_is_theirs() {
    let world = world();
    for hidden in ["1331211", "1341446", "1310811", "1310815", "1321015"] {
        let path = format!("/api/v2/pages/{hidden}?body-format=storage");
        assert_eq!(world.get("alice", &path).await.status, StatusCode::OK, "{hidden}");
        let got = world.get("bob", &path).await;
        assert_eq!(got.status, StatusCode::NOT_FOUND, "{hidden}");
        assert_eq!(got.json()["errors"][0]["code"], "NOT_FOUND");
    }
    assert_eq!(world.get("bob", "/api/v2/spaces/131081").await.status, StatusCode::NOT_FOUND);
    assert_eq!(world.get("bob", "/api/v2/spaces").await.ids(), ["131073", "131077"]);
    assert_eq!(world.get("alice", "/api/v2/spaces").await.ids(), ["131073", "131077", "131081", "131085"]);
    for path in ["/api/v2/footer-comments/1510433", "/api/v2/attachments/att1610517"] {
        assert_eq!(world.get("alice", path).await.status, StatusCode::OK);
        assert_eq!(world.get("bob", path).await.status, StatusCode::NOT_FOUND);
    }
    assert_eq!(world.at(&GLOBEX, "alice", "/api/v2/spaces").await.ids(), ["262145"]);
    assert_eq!(world.at(&GLOBEX, "bob", "/api/v2/spaces").await.status, StatusCode::NOT_FOUND);
    assert_eq!(world.at(&GLOBEX, "alice", "/api/v2/pages/1310745").await.status, StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn drafts_and_trash_are_nowhere_and_archived_pages_only_by_id_or_list() {
    let world = world();
    for id in ["1310856", "1310860"] {
        assert_eq!(world.get("alice", &format!("/api/v2/pages/{id}")).await.status, StatusCode::NOT_FOUND);
        assert_eq!(world.search("alice", &format!("id = {id}"), "").await.ids(), Vec::<String>::new());
    }
    assert_eq!(world.get("bob", "/api/v2/pages/1310852").await.json()["status"], "archived");
    let title = "/api/v2/pages?title=old+deployment+guide";
    assert_eq!(world.get("bob", title).await.ids(), ["1310852"]);
    assert_eq!(world.get("bob", &format!("{title}&status=current")).await.ids(), Vec::<String>::new());
    assert_eq!(world.search("bob", "title = \"Old deployment guide\"", "").await.ids(), Vec::<String>::new());
}

#[tokio::test]
async fn lists_are_walked_by_cursor_to_their_end() {
    let world = world();
    for path in
        ["/api/v2/pages?limit=3&space-id=131073", "/api/v2/pages/1310721/descendants?limit=4&depth=10"]
    {
        let (mut next, mut seen) = (path.to_owned(), Vec::new());
        loop {
            let got = world.get("bob", &next).await;
            assert_eq!(got.status, StatusCode::OK, "{next}");
            assert!(got.header("link").contains("rel=\"base\""));
            seen.extend(got.ids());
            let body = got.json();
            let Some(link) = body["_links"]["next"].as_str() else { break };
            assert!(link.starts_with("/wiki/api/v2/") && !link.contains("&cursor="), "{link}");
            assert!(got.header("link").contains(&format!("<{link}>; rel=\"next\"")));
            next = link.trim_start_matches("/wiki").to_owned();
        }
        let distinct: BTreeSet<_> = seen.iter().collect();
        assert_eq!(distinct.len(), seen.len());
        assert!(seen.len() > 15, "{path}: {}", seen.len());
    }
}

#[tokio::test]
async fn a_search_is_walked_by_cursor_and_start_is_only_echoed() {
    let world = world();
    let (mut rest, mut seen) = ("&limit=5&start=400".to_owned(), Vec::new());
    let total = loop {
        let got = world.search("bob", "type = page", &rest).await;
        seen.extend(got.ids());
        let body = got.json();
        let Some(link) = body["_links"]["next"].as_str() else { break body["totalSize"].clone() };
        assert!(link.starts_with("/rest/api/search?"), "{link}");
        let cursor = link.split('&').find(|part| part.starts_with("cursor=")).unwrap();
        assert!(!link.ends_with(cursor));
        rest = format!("&limit=5&{cursor}");
    };
    assert_eq!(json!(seen.len()), total);
    assert_eq!(seen.iter().collect::<BTreeSet<_>>().len(), seen.len());
}

#[tokio::test]
async fn what_is_out_of_range_is_refused() {
    let world = world();
    for path in [
        "/api/v2/pages?limit=251",
        "/api/v2/pages?limit=0",
        "/api/v2/pages?limit=ten",
        "/api/v2/pages?cursor=nonsense",
        "/api/v2/pages?space-id=ENG",
        "/api/v2/pages?status=lost",
        "/api/v2/pages?body-format=view",
        "/api/v2/pages/abc",
        "/api/v2/pages/1310745?body-format=markdown",
        "/api/v2/pages/1310745?version=zero",
        "/api/v2/pages/1310721/descendants?depth=11",
        "/api/v2/spaces?type=secret",
        "/api/v2/pages/1310745/inline-comments?resolution-status=maybe",
        "/rest/api/search",
        "/rest/api/search?cql=",
        "/rest/api/search?cql=type=page&limit=ten",
        "/rest/api/search?cql=type=page&excerpt=bold",
        "/rest/api/search?cql=type=page&cursor=nonsense",
        "/rest/api/search?cql=created%3E%222026-06-01T00:00:00Z%22",
    ] {
        assert_eq!(world.get("bob", path).await.status, StatusCode::BAD_REQUEST, "{path}");
    }
    assert_eq!(world.get("bob", "/api/v2/pages?limit=250&unknown=1").await.status, StatusCode::OK);
    let cursor = world.get("bob", "/api/v2/spaces?limit=1").await.json()["_links"]["next"].clone();
    let foreign = cursor.as_str().unwrap().replace("/wiki/api/v2/spaces", "/api/v2/pages");
    assert_eq!(world.get("bob", &foreign).await.status, StatusCode::BAD_REQUEST);
}

#[tokio::test]
async fn removed_unknown_and_legacy_paths_refuse() {
    let world = world();
    for path in ["/rest/api/content", "/rest/api/content/1310745", "/rest/api/space", "/rest/api/space/ENG"] {
        let got = world.get("bob", path).await;
        assert_eq!(got.status, StatusCode::GONE, "{path}");
        assert!(got.text.contains("This deprecated endpoint has been removed"));
    }
    assert_eq!(world.get("bob", "/api/v2/nothing").await.status, StatusCode::NOT_FOUND);
    assert_eq!(world.get("bob", "/rest/api/nothing").await.status, StatusCode::NOT_FOUND);
    let legacy = "/download/attachments/1310734/service-inventory.csv?version=3&api=v2";
    assert_eq!(world.get("bob", legacy).await.status, StatusCode::UNAUTHORIZED);
    let unknown = world.with_scopes("bob", &every_scope(), "/ex/confluence/none/wiki/api/v2/pages").await;
    assert_eq!(unknown.status, StatusCode::NOT_FOUND);
    let without = Request::get(format!("/ex/confluence/{}/wiki/api/v2/pages", ACME.cloud_id));
    assert_eq!(world.send(without.body(Body::empty()).unwrap()).await.status, StatusCode::UNAUTHORIZED);
}

#[tokio::test]
async fn a_download_is_a_redirect_that_needs_no_authorization_and_bears_none() {
    let world = world();
    let got = world.get("bob", "/rest/api/content/1310734/child/attachment/att1610505/download").await;
    assert_eq!(got.status, StatusCode::FOUND);
    let location = got.header("location").to_owned();
    let path = location.strip_prefix("http://api.example:8080").expect("the host that was called");
    let plain = world.send(Request::get(path).body(Body::empty()).unwrap()).await;
    assert_eq!(plain.status, StatusCode::OK);
    assert_eq!(plain.header("content-type"), "text/csv");
    assert!(plain.text.starts_with("service,language"));
    assert_eq!(
        world.with_scopes("bob", &[], path).await.status,
        StatusCode::BAD_REQUEST,
        "a leak is noticed"
    );
    world.pass(600);
    let late = world.send(Request::get(path).body(Body::empty()).unwrap()).await;
    assert_eq!(late.status, StatusCode::FORBIDDEN);
    let foreign = world.get("bob", "/rest/api/content/1310745/child/attachment/att1610505/download").await;
    assert_eq!(foreign.status, StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn rows_look_as_recorded() {
    let world = world();
    let expand = "&limit=1&expand=content.space,content.version,content.history,content.body.storage,content.metadata.labels";
    let cql = "siteSearch ~ \"quotes tags\" and type = page";
    let row = world.search("bob", cql, expand).await.json()["results"][0].clone();
    assert_eq!(row["content"]["title"], "Odd characters: \"quotes\" & <tags>, 100% C++ / C#?");
    let title = row["title"].as_str().unwrap();
    assert!(
        title.contains("&quot;@@@hl@@@quotes@@@endhl@@@&quot; &amp; &lt;@@@hl@@@tags@@@endhl@@@&gt;"),
        "{title}"
    );
    assert_eq!(row["content"]["space"]["key"], "ENG");
    assert_eq!(row["content"]["version"]["number"], 1);
    assert_eq!(row["content"]["metadata"]["labels"]["results"][0]["name"], "reference");
    assert!(row["content"]["body"]["storage"]["value"].as_str().unwrap().contains("Right to left"));
    assert_eq!(row["resultGlobalContainer"]["displayUrl"], "/spaces/ENG");
    let plain = world.search("bob", "siteSearch ~ canary", "&excerpt=highlight_unescaped").await;
    assert!(plain.text.contains("@@@hl@@@canary@@@endhl@@@"));
    assert!(plain.json()["results"][0]["content"].get("space").is_none(), "only what is expanded");
    assert!(!world.search("bob", "siteSearch ~ canary", "&excerpt=none").await.text.contains("golden"));
    let bodies = world.search("bob", "type = page", "&limit=200&expand=content.body.storage").await.json();
    assert_eq!(bodies["limit"], 50);
}

#[tokio::test]
async fn every_kind_of_thing_is_found() {
    let world = world();
    let kinds =
        [("comment", 8), ("attachment", 4), ("space", 2), ("blogpost", 4), ("user", 3), ("folder", 1)];
    for (kind, least) in kinds {
        let got = world.search("bob", &format!("type = {kind}"), "&expand=content.container").await.json();
        assert!(got["totalSize"].as_u64().unwrap() >= least, "{kind}: {}", got["totalSize"]);
        let row = &got["results"][0];
        assert_eq!(row.get("content").is_none(), ["space", "user"].contains(&kind), "{kind}");
        if ["comment", "attachment"].contains(&kind) {
            assert!(row["content"]["container"]["id"].is_string());
        }
    }
    assert_eq!(world.search("bob", "text ~ \"envelope\"", "").await.ids(), Vec::<String>::new());
}

#[tokio::test]
async fn versions_keep_their_bodies() {
    let world = world();
    let got = world.get("bob", "/api/v2/pages/1310745/versions").await.json();
    let numbers: Vec<_> =
        got["results"].as_array().unwrap().iter().map(|row| row["number"].clone()).collect();
    assert_eq!(numbers, [3, 2, 1]);
    let old = world.get("bob", "/api/v2/pages/1310745?version=1&body-format=storage").await.json();
    assert!(old["body"]["storage"]["value"].as_str().unwrap().contains("scp"));
    assert_eq!((&old["version"]["number"], &old["status"]), (&json!(1), &json!("historical")));
    assert_eq!(world.get("bob", "/api/v2/pages/1310745?version=9").await.status, StatusCode::NOT_FOUND);
    world.sandbox.edit_page("1310745", "<p>New</p>", "why not");
    let new = world.get("bob", "/api/v2/pages/1310745?body-format=storage").await.json();
    assert_eq!(
        (&new["version"]["number"], &new["body"]["storage"]["value"]),
        (&json!(4), &json!("<p>New</p>"))
    );
}

#[tokio::test]
async fn threads_hang_together() {
    let world = world();
    let footer = world.get("bob", "/api/v2/pages/1310745/footer-comments?body-format=storage").await;
    assert_eq!(footer.ids(), ["1510401", "1510413"]);
    assert_eq!(world.get("bob", "/api/v2/footer-comments/1510401/children").await.ids(), ["1510405"]);
    assert_eq!(world.get("bob", "/api/v2/footer-comments/1510405/children").await.ids(), ["1510409"]);
    let inline = world.get("bob", "/api/v2/pages/1310745/inline-comments").await.json()["results"][0].clone();
    assert_eq!(inline["resolutionStatus"], "resolved");
    assert_eq!(inline["properties"]["inlineOriginalSelection"], "except after a database migration");
    let open = "/api/v2/pages/1310745/inline-comments?resolution-status=open";
    assert_eq!(world.get("bob", open).await.ids(), Vec::<String>::new());
    let id = world.sandbox.add_comment(&NewComment {
        page: "1310745".to_owned(),
        parent: Some("1510413".to_owned()),
        body: "<p>x</p>".to_owned(),
        selection: None,
    });
    assert_eq!(world.get("bob", "/api/v2/footer-comments/1510413/children").await.ids(), [id]);
}

#[tokio::test]
async fn the_tree_mixes_kinds() {
    let world = world();
    let got = world.get("bob", "/api/v2/pages/1310721/direct-children?limit=250").await.json();
    let kinds: BTreeSet<_> =
        got["results"].as_array().unwrap().iter().filter_map(|row| row["type"].as_str()).collect();
    assert_eq!(kinds, BTreeSet::from(["page", "folder", "database"]));
    assert!(!got.to_string().contains("Security keys"), "restricted");
    assert_eq!(
        world.get("bob", "/api/v2/folders/1310840/direct-children").await.ids(),
        ["1310779", "1310783", "1310844"]
    );
    let ancestors = world.get("bob", "/api/v2/pages/1310779/ancestors").await.json();
    assert_eq!(
        ancestors["results"],
        json!([{ "id": "1310721", "type": "page" }, { "id": "1310840", "type": "folder" }])
    );
    let page = world.get("bob", "/api/v2/pages/1310779").await.json();
    assert_eq!((&page["parentId"], &page["parentType"]), (&json!("1310840"), &json!("folder")));
    let deep = world.get("bob", "/api/v2/pages/1310721/descendants?depth=1&limit=250").await;
    assert!(!deep.ids().contains(&"1310779".to_owned()));
    let ids = json!({ "contentIds": ["1310745", "1310870", "1310840", "1510401", "att1610505", "1331211"] });
    let kinds = world.post("bob", "/api/v2/content/convert-ids-to-types", &ids).await.json();
    assert_eq!(
        kinds["results"],
        json!({ "1310745": "page", "1310870": "blogpost", "1310840": "folder",
        "1510401": "footer-comment", "att1610505": "attachment", "1331211": null })
    );
}

#[tokio::test]
async fn people_have_names_in_bulk() {
    let world = world();
    let ids: Vec<_> = PEOPLE.iter().map(|person| person.account_id).chain(["nobody-has-this"]).collect();
    let got = world.post("bob", "/api/v2/users-bulk", &json!({ "accountIds": ids })).await;
    assert_eq!(got.json()["results"].as_array().unwrap().len(), PEOPLE.len());
    let many = vec!["x"; 251];
    for odd in [json!({ "accountIds": [] }), json!({ "accountIds": many }), json!({}), json!("x")] {
        assert_eq!(world.post("bob", "/api/v2/users-bulk", &odd).await.status, StatusCode::BAD_REQUEST);
    }
    let me = world.get("bob", "/rest/api/user/current").await.json();
    assert_eq!((&me["displayName"], &me["type"]), (&json!("Bob Okafor"), &json!("known")));
}

#[tokio::test]
async fn export_view_expands_what_the_person_may_see() {
    let world = world();
    let html = |got: Got| got.json()["body"]["export_view"]["value"].as_str().unwrap().to_owned();
    let path = "/api/v2/pages/1310830?body-format=export_view";
    let (bob, alice) = (html(world.get("bob", path).await), html(world.get("alice", path).await));
    assert!(bob.contains("On-call pays 450 euros") && alice.contains("On-call pays 450 euros"));
    assert!(alice.contains("Berlin safe") && !bob.contains("Berlin safe"));
    assert!(bob.contains("https://acme.atlassian.net/wiki/spaces/ENG/pages/1310779/"));
    let release = html(world.get("bob", "/api/v2/pages/1310750?body-format=export_view").await);
    assert!(
        release.contains("canary first, on working days") && !release.contains("cosign"),
        "only the excerpt"
    );
    let adf = world.get("bob", "/api/v2/pages/1310745?body-format=atlas_doc_format").await.json();
    let adf: Value =
        serde_json::from_str(adf["body"]["atlas_doc_format"]["value"].as_str().unwrap()).unwrap();
    assert_eq!(adf["type"], "doc");
}

#[tokio::test]
async fn points_run_out_and_come_back_at_the_full_hour() {
    let world = world();
    let got = world.get("bob", "/api/v2/pages/1310745").await;
    assert_eq!(got.header("x-ratelimit-remaining"), "64998");
    assert_eq!(got.header("x-ratelimit-reset"), "2026-06-17T10:00:00Z");
    world.sandbox.spend_points(65_000);
    let got = world.get("alice", "/api/v2/pages/1310745").await;
    assert_eq!((got.status, got.header("retry-after")), (StatusCode::TOO_MANY_REQUESTS, "1800"));
    world.pass(1800);
    assert_eq!(world.get("alice", "/api/v2/pages/1310745").await.status, StatusCode::OK);
}

#[tokio::test]
async fn calls_are_remembered_with_the_person() {
    let world = world();
    world.get("bob", "/api/v2/spaces?limit=1").await;
    let calls = world.sandbox.calls();
    let call = Call {
        method: "GET".to_owned(),
        path: format!("/ex/confluence/{}/wiki/api/v2/spaces", ACME.cloud_id),
        query: "limit=1".to_owned(),
        person: Some("bob".to_owned()),
        status: 200,
    };
    assert_eq!(calls, [call]);
    world.sandbox.forget_calls();
    assert_eq!(world.sandbox.calls(), []);
}

#[tokio::test]
async fn faults_come_as_often_as_ordered() {
    let world = world();
    let fault = |kind, times| Fault { path_contains: "/spaces".to_owned(), times, kind };
    let status =
        FaultKind::Status { status: 502, headers: vec![("x-odd".into(), "1".into())], body: "<html>".into() };
    world.sandbox.inject(fault(status, 1));
    let got = world.get("bob", "/api/v2/spaces").await;
    assert_eq!((got.status.as_u16(), got.header("x-odd"), got.text.as_str()), (502, "1", "<html>"));
    assert_eq!(world.get("bob", "/api/v2/spaces").await.status, StatusCode::OK);
    world.sandbox.inject(fault(FaultKind::AccessBlocked, usize::MAX));
    for _ in 0..3 {
        let got = world.get("bob", "/api/v2/spaces").await;
        assert_eq!(got.header("atlassian-datasecuritypolicy"), "app_access_blocked");
    }
    assert_eq!(world.get("bob", "/api/v2/pages").await.status, StatusCode::OK, "other paths are well");
    world.sandbox.clear_faults();
    world.sandbox.inject(fault(FaultKind::Hang, 1));
    let hung = tokio::time::timeout(Duration::from_millis(50), world.get("bob", "/api/v2/spaces")).await;
    assert!(hung.is_err());
    assert_eq!(world.sandbox.calls().last().unwrap().status, 0);
}

/// What a client reads from the wire until the connection ends.
async fn wire(sandbox: &Sandbox, path: &str) -> Vec<u8> {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let router = sandbox.router();
    let server = tokio::spawn(async move { axum::serve(listener, router).await });
    let request = format!("GET {path} HTTP/1.1\r\nhost: x\r\n\r\n");
    let found = tokio::task::spawn_blocking(move || {
        let mut stream = TcpStream::connect(address).unwrap();
        stream.set_read_timeout(Some(Duration::from_secs(5))).unwrap();
        stream.write_all(request.as_bytes()).unwrap();
        let mut found = Vec::new();
        let _ = stream.read_to_end(&mut found);
        found
    })
    .await
    .unwrap();
    server.abort();
    found
}

#[tokio::test]
async fn connections_break_on_the_wire() {
    let world = world();
    let fault = |kind| Fault { path_contains: "/me".to_owned(), times: 1, kind };
    world.sandbox.inject(fault(FaultKind::Reset));
    assert_eq!(wire(&world.sandbox, "/me").await, b"");
    world.sandbox.inject(fault(FaultKind::TruncatedBody));
    let found = wire(&world.sandbox, "/me").await;
    assert!(found.starts_with(b"HTTP/1.1 200") && found.len() > 400_000, "{}", found.len());
    assert!(!found.ends_with(b"}"));
}

#[tokio::test]
async fn tests_can_add_odd_things() {
    let world = world();
    let page =
        NewPage { title: "Zebra".into(), body: "<p>striped</p>".into(), space: "HR", ..NewPage::default() };
    let id = world.sandbox.add_page(page);
    assert_eq!(world.search("alice", "text ~ striped", "").await.ids(), [id.as_str()]);
    assert_eq!(world.search("bob", "text ~ striped", "").await.ids(), Vec::<String>::new());
    let file = world.sandbox.add_file(NewFile {
        page: id.clone(),
        title: "big.bin".into(),
        media_type: "application/octet-stream",
        bytes: vec![7; 10],
        claimed_size: Some(1 << 30),
    });
    let listed = world.get("alice", &format!("/api/v2/pages/{id}/attachments")).await.json();
    assert_eq!(
        (&listed["results"][0]["id"], &listed["results"][0]["fileSize"]),
        (&json!(file), &json!(1 << 30))
    );
    world.sandbox.remove_page(&id);
    assert_eq!(world.search("alice", "text ~ striped", "").await.ids(), Vec::<String>::new());
    assert_eq!(self::world().search("alice", "text ~ striped", "").await.ids(), Vec::<String>::new());
}
