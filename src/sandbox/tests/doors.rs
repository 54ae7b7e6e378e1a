//! Who is let in, and what is refused.

use serde_json::json;

use super::*;

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
