//! Pages, trees, comments, files, people.

use std::collections::BTreeSet;

use serde_json::json;

use super::*;

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
async fn a_renamed_space_keeps_its_key_and_shows_its_alias() {
    let world = world();
    let page = world.at(&GLOBEX, "alice", "/api/v2/pages/2621446").await.json();
    assert_eq!(page["_links"]["webui"], "/spaces/terminals/pages/2621446/Getting+started");
    assert_eq!(world.at(&GLOBEX, "alice", "/api/v2/spaces?keys=PROD").await.ids(), ["262145"]);
    let found = world.at(&GLOBEX, "alice", "/rest/api/search?cql=space=PROD%20and%20type=page").await;
    assert_eq!(found.json()["totalSize"], 4);
}
