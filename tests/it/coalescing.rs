//! Identical reads of one person that are under way at the same moment share one call, and nothing else.

use std::time::Duration;

use causeway::sandbox::{Fault, FaultKind};
use futures_util::future::join_all;

use crate::support::{Answer, Session, World};

const PAGE: &str = "/v1/pages/1310756";

/// A world in which all is known that may be remembered of [`PAGE`].
async fn warm() -> (World, Session) {
    let world = World::of_acme().await;
    let alice = world.sign_in("alice").await;
    world.get(&alice, PAGE).await.expect(200);
    world.sandbox.forget_calls();
    (world, alice)
}

impl World {
    /// Lets the next `times` reads of [`PAGE`] take long enough for others to meet them.
    fn hold_up(&self, times: usize) {
        self.hold_up_for(times, Duration::from_millis(400));
    }

    fn hold_up_for(&self, times: usize, by: Duration) {
        self.sandbox.inject(Fault { path_contains: "1310756".to_owned(), times, kind: FaultKind::Slow(by) });
    }

    async fn calls_under_way(&self, count: usize) {
        while self.confluence_calls().len() < count {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    }

    async fn several(&self, session: &Session, count: usize) -> Vec<Answer> {
        join_all((0..count).map(|_| self.get(session, PAGE))).await
    }
}

#[tokio::test]
async fn ten_identical_reads_are_one_call_and_one_answer_pays() {
    let (world, alice) = warm().await;
    world.hold_up(usize::MAX);
    let answers = world.several(&alice, 10).await;
    assert_eq!(world.confluence_calls().len(), 1);
    let mut costs: Vec<_> = answers.iter().map(Answer::cost).collect();
    costs.sort_unstable();
    assert_eq!((costs[9], &costs[..9]), ((1, 2), vec![(0, 0); 9].as_slice()));
    let first = answers[0].clone().expect(200);
    for answer in answers {
        assert_eq!(answer.expect(200).json, first.json);
    }
}

#[tokio::test]
async fn parts_of_one_page_that_are_asked_for_at_once_are_cut_from_one_reading() {
    let world = World::of_acme().await;
    let alice = world.sign_in("alice").await;
    let id = world.add(
        "ENG",
        "Long",
        &"<h2>Rollback</h2><p>Seventy words, more or less, of a page.</p>".repeat(3000),
    );
    let fault = FaultKind::Slow(Duration::from_millis(400));
    world.sandbox.inject(Fault { path_contains: id.clone(), times: usize::MAX, kind: fault });
    let paths: Vec<String> = (1..=4).map(|part| format!("/v1/pages/{id}?part={part}")).collect();
    let together = join_all(paths.iter().map(|path| world.get(&alice, path))).await;
    assert_eq!(world.calls_to(&format!("/pages/{id}")), 1);
    for (path, answer) in paths.iter().zip(together) {
        assert_eq!(answer.expect(200).json, world.get(&alice, path).await.expect(200).json);
    }
}

#[tokio::test]
async fn who_comes_later_asks_again() {
    let (world, alice) = warm().await;
    for calls in 1..=3 {
        world.get(&alice, PAGE).await.expect(200);
        assert_eq!(world.confluence_calls().len(), calls);
    }
}

#[tokio::test]
async fn two_people_share_nothing_nor_do_two_sign_ins_of_one_person() {
    let (world, alice) = warm().await;
    let bob = world.sign_in("bob").await;
    world.clock.advance(Duration::from_secs(5));
    let again = world.sign_in("alice").await;
    for session in [&bob, &again] {
        world.get(session, PAGE).await.expect(200);
    }
    world.sandbox.forget_calls();
    world.hold_up(usize::MAX);
    let asked = tokio::join!(world.get(&alice, PAGE), world.get(&bob, PAGE), world.get(&again, PAGE));
    for answer in [asked.0, asked.1, asked.2] {
        assert_eq!(answer.expect(200).cost(), (1, 2));
    }
    assert_eq!(world.confluence_calls().len(), 3);
}

#[tokio::test]
async fn different_reads_share_nothing() {
    let (world, alice) = warm().await;
    world.hold_up(usize::MAX);
    let other = format!("{PAGE}?version=1");
    let (now, before) = tokio::join!(world.get(&alice, PAGE), world.get(&alice, &other));
    assert_eq!((now.expect(200).cost().0, before.expect(200).cost().0), (1, 1));
}

#[tokio::test]
async fn one_who_hangs_up_takes_nothing_from_the_others() {
    let (world, alice) = warm().await;
    world.hold_up_for(1, Duration::from_millis(800));
    let (first, first_by) = (world.clone(), alice.clone());
    let first = tokio::spawn(async move { first.get(&first_by, PAGE).await });
    world.calls_under_way(1).await;
    let (second, second_by) = (world.clone(), alice.clone());
    let second = tokio::spawn(async move { second.get(&second_by, PAGE).await });
    // Long enough for the second to join, short enough for both to be waiting still.
    tokio::time::sleep(Duration::from_millis(300)).await;
    first.abort();
    drop(first.await);
    second.await.unwrap().expect(200);
    assert_eq!(world.confluence_calls().len(), 1);
}

#[tokio::test]
async fn an_error_is_shared_with_those_who_wait_and_forgotten() {
    let (world, alice) = warm().await;
    world.sandbox.inject(Fault {
        path_contains: "1310756".to_owned(),
        times: 1,
        kind: FaultKind::LateStatus(Duration::from_millis(400), 500),
    });
    for answer in world.several(&alice, 5).await {
        answer.refused(502, "confluence-unavailable");
    }
    assert_eq!(world.confluence_calls().len(), 1);
    world.get(&alice, PAGE).await.expect(200);
}

#[tokio::test]
async fn each_waits_as_long_as_its_own_budget_lasts() {
    let (world, alice) = warm().await;
    let hurried = world.hurried(Duration::from_secs(2)).await;
    hurried.get(&alice, PAGE).await.expect(200);
    world.sandbox.forget_calls();
    // The first try is given up, the second comes too late for who began it.
    world.hold_up_for(2, Duration::from_millis(1800));
    let (first, first_by) = (hurried.clone(), alice.clone());
    let first = tokio::spawn(async move { first.get(&first_by, PAGE).await });
    world.calls_under_way(1).await;
    tokio::time::sleep(Duration::from_millis(1300)).await;
    // Joins a call that its beginner will not live to see answered.
    let second = hurried.get(&alice, PAGE).await;
    first.await.unwrap().refused(504, "too-slow");
    second.expect(200);
    assert_eq!(world.confluence_calls().len(), 2);
}

#[tokio::test]
async fn names_asked_for_at_the_same_time_are_asked_once() {
    let world = World::of_acme().await;
    let alice = world.sign_in("alice").await;
    world.get(&alice, "/v1/spaces").await.expect(200);
    world.sandbox.forget_calls();
    let kind = FaultKind::Slow(Duration::from_millis(100));
    world.sandbox.inject(Fault { path_contains: "/ex/".to_owned(), times: usize::MAX, kind });
    for answer in world.several(&alice, 4).await {
        answer.expect(200);
    }
    assert_eq!(world.calls_to("/users-bulk"), 1);
}

#[tokio::test]
async fn the_mcp_door_tells_what_its_answers_cost_too() {
    let world = World::of_acme().await;
    let alice = world.sign_in_to_mcp("alice").await;
    world.sandbox.forget_calls();
    let call = serde_json::json!({ "jsonrpc": "2.0", "id": 1, "method": "tools/call",
        "params": { "name": "getPage", "arguments": { "id": "1310756" } } });
    let request = world.http.post(format!("{}/mcp", world.url)).bearer_auth(&alice.access_token);
    let request = request.header("accept", "application/json, text/event-stream");
    let answer =
        world.send(request.header("mcp-protocol-version", "2025-11-25").json(&call)).await.expect(200);
    assert_eq!(answer.json["result"]["structuredContent"]["id"], "1310756", "{}", answer.body);
    assert_eq!(answer.cost().0, world.sandbox.calls().len());
    assert_eq!(answer.cost().1, world.sandbox.points_spent());
}

#[tokio::test]
async fn a_refusal_tells_its_cost_and_one_without_a_call_costs_nothing() {
    let (world, alice) = warm().await;
    let spent = world.sandbox.points_spent();
    let answer = world.get(&alice, "/v1/pages/404404").await.refused(404, "not-found");
    assert_eq!(answer.cost(), (2, world.sandbox.points_spent() - spent));
    assert_eq!(world.get(&alice, "/v1/pages/x").await.refused(400, "invalid-parameter").cost(), (0, 0));
}
