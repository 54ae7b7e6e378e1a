//! getPageHistory.

use crate::asking::{each, expect_no_null};
use crate::support::World;

const DEPLOYMENT_GUIDE: &str = "/v1/pages/1310745/versions";

#[tokio::test]
async fn the_versions_come_newest_first_with_who_when_and_why() {
    let world = World::of_acme().await;
    let alice = world.sign_in("alice").await;
    let answer = world.get(&alice, DEPLOYMENT_GUIDE).await.expect(200);
    expect_no_null(&answer.json);
    let numbers: Vec<u64> = answer.json["results"]
        .as_array()
        .unwrap()
        .iter()
        .map(|version| version["number"].as_u64().unwrap())
        .collect();
    assert_eq!(numbers, [3, 2, 1]);
    assert_eq!(answer.json["results"][0]["by"]["name"], "Bob Okafor");
    assert_eq!(answer.json["results"][1]["message"], "acmectl replaces scp");
    assert!(answer.json["results"][2].get("message").is_none());
}

#[tokio::test]
async fn the_cursor_leads_to_every_version_once() {
    let world = World::of_acme().await;
    let alice = world.sign_in("alice").await;
    let page = world.add("ENG", "Much edited", "<p>0</p>");
    for number in 1..60 {
        world.sandbox.edit_page(&page, &format!("<p>{number}</p>"), &format!("edit {number}"));
    }
    let versions = world.list(&alice, &format!("/v1/pages/{page}/versions"), &[]).await;
    let messages = each(&versions, "message");
    assert_eq!(messages.len(), 60);
    assert_eq!(
        (messages[0].as_str(), messages[58].as_str(), messages[59].as_str()),
        ("edit 59", "edit 1", "")
    );
}

#[tokio::test]
async fn two_versions_are_compared_in_their_own_order_and_one_with_the_current() {
    let world = World::of_acme().await;
    let alice = world.sign_in("alice").await;
    let compare = async |versions: &str| {
        world.ask(&alice, DEPLOYMENT_GUIDE, &[("compare", versions)]).await.expect(200)
    };
    let answer = compare("1,3").await;
    assert_eq!((&answer.json["from"]["number"], &answer.json["to"]["number"]), (&1.into(), &3.into()));
    assert!(answer.text("diff").contains("\n-Ask @Frank Müller (Unlicensed)."), "{}", answer.body);
    assert!(
        answer.text("diff").contains("\n+Every service is deployed by its own team")
            || answer.text("diff").contains("+Every service")
    );
    assert!(answer.json.get("results").is_none());
    for same in ["3,1", "1"] {
        assert_eq!(compare(same).await.json, answer.json, "{same}");
    }
}

#[tokio::test]
async fn a_long_diff_is_followed_by_its_cursor_to_the_end() {
    let world = World::of_acme().await;
    let alice = world.sign_in("alice").await;
    let lines = |word: &str| {
        (0..3_000)
            .map(|n| format!("<p>{word} \"{n}\" \u{1f63a} some more words</p>"))
            .collect::<Vec<_>>()
            .concat()
    };
    let page = world.add("ENG", "Rewritten", &lines("before"));
    world.sandbox.edit_page(&page, &lines("after"), "rewritten");
    let path = format!("/v1/pages/{page}/versions");
    let (mut diff, mut cursor) = (String::new(), None::<String>);
    for _ in 0..50 {
        let next: Vec<(&str, &str)> = cursor.iter().map(|cursor| ("cursor", cursor.as_str())).collect();
        let answer =
            world.ask(&alice, &path, &[&[("compare", "1,2")], next.as_slice()].concat()).await.expect(200);
        assert!(answer.body.len() <= causeway::action::MAX_ANSWER, "{}", answer.body.len());
        diff.push_str(answer.text("diff"));
        cursor = answer.json["nextCursor"].as_str().map(str::to_owned);
        if cursor.is_none() {
            break;
        }
    }
    for n in [0, 1_499, 2_999] {
        assert!(
            diff.contains(&format!("-before \"{n}\"")) && diff.contains(&format!("+after \"{n}\"")),
            "{n}"
        );
    }
}

#[tokio::test]
async fn what_are_no_two_versions_is_refused() {
    let world = World::of_acme().await;
    let alice = world.sign_in("alice").await;
    for wrong in ["x", "0", "1,1", "1,2,3", "-1", "1,", "99999999999"] {
        world.ask(&alice, DEPLOYMENT_GUIDE, &[("compare", wrong)]).await.refuses("compare");
    }
    world.ask(&alice, DEPLOYMENT_GUIDE, &[("compare", "1,99")]).await.refused(404, "not-found");
    world.get(&alice, "/v1/pages/404404/versions").await.refused(404, "not-found");
}

#[tokio::test]
async fn two_versions_that_there_is_never_room_for_are_refused_for_good() {
    let world = World::of_acme().await;
    let alice = world.sign_in("alice").await;
    let large = |word: &str| format!("<p>{word}</p>").repeat(9_000_000 / (word.len() + 7));
    let page = world.add("ENG", "Vast", &large("first"));
    world.sandbox.edit_page(&page, &large("second"), "all of it");
    let path = format!("/v1/pages/{page}/versions");
    let answer = world.ask(&alice, &path, &[("compare", "1,2")]).await.refused(413, "payload-too-large");
    assert!(answer.text("nextStep").contains("getPage"), "{}", answer.body);
    world.get(&alice, &format!("/v1/pages/{page}")).await.expect(200);
}
