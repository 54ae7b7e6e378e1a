//! Search as it is answered; what it finds is tested beside CQL.

use std::collections::BTreeSet;

use serde_json::json;

use super::*;

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
