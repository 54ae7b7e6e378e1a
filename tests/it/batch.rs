//! getPages.

use crate::asking::expect_no_null;
use crate::support::World;

#[tokio::test]
async fn several_pages_come_in_the_order_asked_for_and_a_missing_one_says_so() {
    let world = World::of_acme().await;
    let alice = world.sign_in("alice").await;
    let answer = world.ask(&alice, "/v1/pages/batch", &[("ids", "1310745,404404,1310870")]).await.expect(200);
    expect_no_null(&answer.json);
    assert_eq!(answer.each("id"), ["1310745", "404404", "1310870"]);
    let [page, missing, post] = answer.json["results"].as_array().unwrap().as_slice() else {
        panic!("{}", answer.body)
    };
    assert_eq!((&page["type"], &post["type"]), (&"page".into(), &"blogpost".into()));
    assert_eq!(missing["problem"]["kind"], "not-found");
    assert!(missing.get("markdown").is_none() && page.get("problem").is_none());
    let alone = world.get(&alice, "/v1/pages/1310745?maxChars=20000").await.expect(200);
    assert_eq!(page["markdown"], alone.json["markdown"]);
}

#[tokio::test]
async fn ten_of_the_longest_pages_share_one_answer_and_each_goes_on_alone() {
    let world = World::of_acme().await;
    let alice = world.sign_in("alice").await;
    let body = format!("<h1>\u{1f63a} \"a\"</h1>{}", "<p>긴 글 \"quoted\" \\ and more</p>".repeat(4_000));
    let ids: Vec<String> = (0..10)
        .map(|number| world.add("ENG", &format!("{number} {}", "\u{1f63a}\"".repeat(120)), &body))
        .collect();
    let answer = world
        .ask(&alice, "/v1/pages/batch", &[("ids", &ids.join(",")), ("maxChars", "90000")])
        .await
        .expect(200);
    assert!(answer.body.len() <= causeway::action::MAX_ANSWER, "{}", answer.body.len());
    assert_eq!(answer.each("id"), ids);
    for page in answer.json["results"].as_array().unwrap() {
        assert!(page["nextPart"] == 2 || page["problem"]["kind"] == "payload-too-large", "{page}");
    }
}

#[tokio::test]
async fn more_than_ten_or_none_are_refused() {
    let world = World::of_acme().await;
    let alice = world.sign_in("alice").await;
    let eleven = (1..=11).map(|id| id.to_string()).collect::<Vec<_>>().join(",");
    for wrong in [eleven.as_str(), ",", "1,x", ""] {
        world.ask(&alice, "/v1/pages/batch", &[("ids", wrong)]).await.refuses("ids");
    }
}

#[tokio::test]
async fn a_page_that_is_named_twice_is_read_once_and_stands_where_it_is_named_first() {
    let world = World::of_acme().await;
    let alice = world.sign_in("alice").await;
    let ids = ["1310756", "1310745", "1310756", "1310756"].join(",");
    let answer = world.ask(&alice, "/v1/pages/batch", &[("ids", &ids)]).await.expect(200);
    assert_eq!(answer.each("id"), ["1310756", "1310745"]);
    assert_eq!(world.calls_to("/pages/1310756"), 1);
}
