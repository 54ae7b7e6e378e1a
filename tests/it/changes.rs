//! getRecentChanges.

use crate::asking::{each, expect_no_null};
use crate::support::World;

#[tokio::test]
async fn changes_come_newest_first_and_say_what_is_new() {
    let world = World::of_acme().await;
    let alice = world.sign_in("alice").await;
    let page = world.add("ENG", "Quite new", "<p>x</p>");
    world.clock.advance(std::time::Duration::from_secs(60));
    world.sandbox.edit_page("1310745", "<p>changed</p>", "changed");
    let answer = world.get(&alice, "/v1/changes").await.expect(200);
    expect_no_null(&answer.json);
    let results = answer.json["results"].as_array().unwrap();
    assert_eq!((&results[0]["id"], &results[0]["change"]), (&"1310745".into(), &"updated".into()));
    assert_eq!((&results[1]["id"], &results[1]["change"]), (&page.into(), &"created".into()));
}

#[tokio::test]
async fn since_space_and_mine_narrow_and_may_leave_nothing() {
    let world = World::of_acme().await;
    let (alice, bob) = (world.sign_in("alice").await, world.sign_in("bob").await);
    let page = world.add("ENG", "New by a test", "<p>x</p>");
    let ids = async |person, parameters: &[(&str, &str)]| {
        each(&world.list(person, "/v1/changes", parameters).await, "id")
    };
    assert_eq!(ids(&alice, &[("since", "-1d")]).await, [page]);
    assert!(ids(&alice, &[("since", "-1d"), ("space", "PROD")]).await.is_empty());
    let (all, mine) =
        (ids(&bob, &[("since", "-10y")]).await, ids(&bob, &[("since", "-10y"), ("mine", "true")]).await);
    assert!(!mine.is_empty() && mine.len() < all.len(), "{} of {}", mine.len(), all.len());
    assert!(mine.iter().all(|id| all.contains(id)));
}

#[tokio::test]
async fn the_cursor_leads_to_every_change_once() {
    let world = World::of_acme().await;
    let alice = world.sign_in("alice").await;
    let all = each(&world.list(&alice, "/v1/changes", &[("since", "-10y"), ("limit", "50")]).await, "id");
    let few = each(&world.list(&alice, "/v1/changes", &[("since", "-10y"), ("limit", "7")]).await, "id");
    assert!(all.len() > 20, "{}", all.len());
    assert_eq!(all, few);
}

#[tokio::test]
async fn a_since_that_is_no_day_is_refused() {
    let world = World::of_acme().await;
    let alice = world.sign_in("alice").await;
    for wrong in ["yesterday", "2026-02-30", "-0d", "7d", "-7x"] {
        world.ask(&alice, "/v1/changes", &[("since", wrong)]).await.refuses("since");
    }
}
