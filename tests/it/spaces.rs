//! listSpaces.

use crate::asking::{each, expect_no_null};
use crate::support::World;

#[tokio::test]
async fn a_space_comes_with_key_name_type_link_and_home_page() {
    let world = World::of_acme().await;
    let alice = world.sign_in("alice").await;
    let answer = world.get(&alice, "/v1/spaces").await.expect(200);
    expect_no_null(&answer.json);
    let eng = answer.json["results"]
        .as_array()
        .unwrap()
        .iter()
        .find(|space| space["key"] == "ENG")
        .unwrap()
        .clone();
    assert_eq!((&eng["name"], &eng["type"]), (&"Engineering".into(), &"global".into()));
    assert_eq!(eng["url"], "https://acme.atlassian.net/wiki/spaces/ENG");
    assert!(!eng["description"].as_str().unwrap().is_empty());
    let home =
        world.get(&alice, &format!("/v1/pages/{}", eng["homepageId"].as_str().unwrap())).await.expect(200);
    assert_eq!(home.text("title"), "Engineering Home");
}

#[tokio::test]
async fn the_cursor_leads_to_every_space_once() {
    let world = World::of_acme().await;
    let alice = world.sign_in("alice").await;
    let all = each(&world.list(&alice, "/v1/spaces", &[]).await, "key");
    for key in ["ENG", "PROD", "HR", "~alice"] {
        assert!(all.iter().any(|known| known == key), "{all:?}");
    }
    for limit in ["1", "2", "3"] {
        assert_eq!(
            each(&world.list(&alice, "/v1/spaces", &[("limit", limit)]).await, "key"),
            all,
            "limit {limit}"
        );
    }
}

#[tokio::test]
async fn a_query_and_a_type_narrow_and_may_leave_nothing() {
    let world = World::of_acme().await;
    let alice = world.sign_in("alice").await;
    let keys =
        async |parameters: &[(&str, &str)]| each(&world.list(&alice, "/v1/spaces", parameters).await, "key");
    assert_eq!(keys(&[("query", "ENGINEERING")]).await, ["ENG"]);
    assert_eq!(keys(&[("query", "acme runs software")]).await, ["ENG"]);
    assert_eq!(keys(&[("query", "~ali")]).await, ["~alice"]);
    assert_eq!(keys(&[("type", "personal")]).await, ["~alice"]);
    assert!(!keys(&[("type", "global")]).await.contains(&"~alice".to_owned()));
    assert!(keys(&[("query", "nothing-like-this")]).await.is_empty());
    assert!(keys(&[("type", "knowledge_base")]).await.is_empty());
    // A hit that only a later page of Confluence's list holds is reached by following the cursor.
    assert_eq!(keys(&[("query", "~ali"), ("limit", "1")]).await, ["~alice"]);
}

#[tokio::test]
async fn a_person_sees_their_own_spaces_only() {
    let world = World::of_acme().await;
    let bob = world.sign_in("bob").await;
    let answer = world.get(&bob, "/v1/spaces").await.expect(200);
    assert!(!answer.body.contains("HR") && !answer.body.contains("~alice"), "{}", answer.body);
}

#[tokio::test]
async fn an_allow_list_is_all_there_is_in_pages_too() {
    let world = World::of_spaces("PROD,HR,ENG").await;
    let alice = world.sign_in("alice").await;
    let mut keys = each(&world.list(&alice, "/v1/spaces", &[]).await, "key");
    keys.sort();
    assert_eq!(keys, ["ENG", "HR", "PROD"]);
    for limit in ["1", "2"] {
        let first = world.ask(&alice, "/v1/spaces", &[("limit", limit)]).await.expect(200);
        assert_eq!(first.each("key").len().to_string(), limit);
        let mut paged = each(&world.list(&alice, "/v1/spaces", &[("limit", limit)]).await, "key");
        paged.sort();
        assert_eq!(paged, keys);
    }
    let bob = world.sign_in("bob").await;
    let mut bobs = each(&world.list(&bob, "/v1/spaces", &[]).await, "key");
    bobs.sort();
    assert_eq!(bobs, ["ENG", "PROD"]);
}

#[tokio::test]
async fn a_hundred_spaces_with_long_descriptions_fit() {
    use causeway::sandbox::{Fault, FaultKind};
    let world = World::of_acme().await;
    let alice = world.sign_in("alice").await;
    let space = |n: usize| {
        serde_json::json!({
            "id": (500_000 + n).to_string(), "key": format!("K{n}{}", "x".repeat(240)), "name": "\u{1f63a}".repeat(250),
            "type": "global", "status": "current", "homepageId": "1",
            "description": { "plain": { "value": "\u{1f63a}\"\\".repeat(500) } } })
    };
    let body =
        serde_json::json!({ "results": (0..100).map(space).collect::<Vec<_>>(), "_links": {} }).to_string();
    let kind = FaultKind::Status { status: 200, headers: Vec::new(), body };
    world.sandbox.inject(Fault { path_contains: "/api/v2/spaces".to_owned(), times: usize::MAX, kind });
    let answer = world.ask(&alice, "/v1/spaces", &[("limit", "100")]).await.expect(200);
    assert_eq!(answer.each("key").len(), 100);
    assert!(answer.body.len() < 100_000, "{} bytes", answer.body.len());
}
