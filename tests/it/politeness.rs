//! How the gateway treats Atlassian: never too much at once, fair shares of what is left, and nothing to a host that only fails.

use std::time::Duration;

use causeway::sandbox::FaultKind;
use futures_util::future::join_all;

use crate::support::{Answer, Session, World};

// What `causeway_breaker_state` says.
const CLOSED: i64 = 0;
const HALF_OPEN: i64 = 1;
const OPEN: i64 = 2;

const PAGES: [&str; 2] = ["1310756", "1310745"];

fn page(id: &str) -> String {
    format!("/v1/pages/{id}")
}

fn unavailable() -> FaultKind {
    FaultKind::Status { status: 503, headers: Vec::new(), body: String::new() }
}

/// A world and several people, each with all known that may be remembered.
async fn people<const N: usize>(names: [&str; N]) -> (World, [Session; N]) {
    let world = World::of_acme().await;
    let mut sessions = Vec::new();
    for name in names {
        let session = world.sign_in(name).await;
        for id in PAGES {
            world.get(&session, &page(id)).await.expect(200);
        }
        sessions.push(session);
    }
    world.sandbox.forget_calls();
    (world, sessions.try_into().unwrap())
}

impl World {
    /// So many reads at once, no two the same.
    async fn burst(&self, session: &Session, count: usize) -> Vec<Answer> {
        let title = |number| format!("/v1/search?query=a{number}");
        join_all((0..count).map(|number| async move { self.get(session, &title(number)).await })).await
    }

    /// Where the breaker of a host stands, as the operator sees it.
    async fn breaker(&self, host: &str) -> i64 {
        self.counted("causeway_breaker_state", &[&format!("host=\"{host}\"")]).await
    }

    async fn withheld(&self, reason: &str) -> i64 {
        self.counted("causeway_upstream_calls_withheld_total", &[&format!("reason=\"{reason}\"")]).await
    }

    /// Lets Confluence fail for these people, in turns, until nothing is asked of it any more.
    async fn until_left_alone(&self, sessions: &[Session]) -> Answer {
        for session in sessions.iter().cycle().take(40) {
            self.sandbox.forget_calls();
            let answer = self.get(session, &page(PAGES[0])).await.refused(502, "confluence-unavailable");
            if self.confluence_calls().is_empty() {
                return answer;
            }
        }
        panic!("Confluence is asked again and again");
    }
}

#[tokio::test]
async fn one_person_has_eight_calls_under_way_at_the_most_and_all_are_answered() {
    let (world, [alice]) = people(["alice"]).await;
    world.break_confluence(usize::MAX, FaultKind::Slow(Duration::from_millis(50)));
    for answer in world.burst(&alice, 30).await {
        answer.expect(200);
    }
    assert_eq!((world.confluence_calls().len(), world.sandbox.most_at_once()), (30, 8));
}

#[tokio::test]
async fn each_person_has_places_of_their_own() {
    let (world, [alice, bob]) = people(["alice", "bob"]).await;
    world.break_confluence(usize::MAX, FaultKind::Slow(Duration::from_millis(50)));
    let (alices, bobs) = tokio::join!(world.burst(&alice, 20), world.burst(&bob, 20));
    for answer in [alices, bobs].into_iter().flatten() {
        answer.expect(200);
    }
    assert_eq!(world.sandbox.most_at_once(), 16);
}

#[tokio::test]
async fn waiting_for_a_turn_ends_with_the_budget() {
    let (world, [alice]) = people(["alice"]).await;
    let hurried = world.hurried(Duration::from_millis(600)).await;
    hurried.get(&alice, &page(PAGES[0])).await.expect(200);
    world.break_confluence(usize::MAX, FaultKind::Hang);
    let asked = tokio::time::timeout(Duration::from_secs(10), hurried.burst(&alice, 20));
    for answer in asked.await.expect("the budget holds") {
        answer.refused(504, "too-slow");
    }
}

#[tokio::test]
async fn as_points_run_low_a_heavy_user_waits_and_a_light_one_goes_on() {
    let (world, [alice, bob]) = people(["alice", "bob"]).await;
    world.clock.advance(Duration::from_secs(30 * 60));
    let spent = world.sandbox.points_spent();
    world.sandbox.spend_points(64_800 - spent);
    let mut refused = None;
    for _ in 0..100 {
        let answer = world.get(&alice, &page(PAGES[0])).await;
        if answer.status != 200 {
            refused = Some(answer.refused(429, "rate-limited"));
            break;
        }
    }
    let refused = refused.expect("alice uses more than her share");
    assert_eq!((refused.header("retry-after"), refused.cost()), ("1800", (0, 0)));
    assert!(world.sandbox.points_spent() < 65_000, "refused before all was used up");
    let left = 65_000 - i64::try_from(world.sandbox.points_spent()).unwrap();
    assert_eq!(world.counted("causeway_points_left", &[]).await, left);
    assert_eq!(world.counted("causeway_points_an_hour", &[]).await, 65_000);
    assert_eq!(world.withheld("points low").await, 1);
    world.get(&bob, &page(PAGES[0])).await.expect(200);
    world.clock.advance(Duration::from_secs(30 * 60));
    assert_eq!(world.counted("causeway_points_left", &[]).await, 65_000);
    let alice = world.sign_in("alice").await;
    world.get(&alice, &page(PAGES[0])).await.expect(200);
}

#[tokio::test]
async fn what_this_replica_counts_as_spent_is_what_was_spent() {
    let (world, [_alice]) = people(["alice"]).await;
    let spent = i64::try_from(world.sandbox.points_spent()).unwrap();
    assert!(spent > 0);
    assert_eq!(world.counted("causeway_points_spent_total", &[]).await, spent);
}

#[tokio::test]
async fn while_there_is_enough_nobody_is_told_to_wait() {
    let (world, [alice, bob]) = people(["alice", "bob"]).await;
    let spent = world.sandbox.points_spent();
    world.sandbox.spend_points(50_000 - spent);
    for _ in 0..40 {
        world.get(&alice, &page(PAGES[0])).await.expect(200);
    }
    world.get(&bob, &page(PAGES[0])).await.expect(200);
}

#[tokio::test]
async fn once_the_hour_is_known_to_be_used_up_nothing_is_asked_any_more() {
    let (world, [alice]) = people(["alice"]).await;
    world.sandbox.spend_points(65_000);
    world.get(&alice, &page(PAGES[0])).await.refused(429, "rate-limited");
    world.sandbox.forget_calls();
    let answer = world.get(&alice, &page(PAGES[0])).await.refused(429, "rate-limited");
    assert_eq!(answer.header("retry-after"), "3600");
    assert!(world.sandbox.calls().is_empty());
}

#[tokio::test]
async fn a_host_that_only_fails_is_left_alone_and_in_use_soon_after_it_recovers() {
    let (world, sessions) = people(["alice", "bob"]).await;
    world.break_confluence(usize::MAX, unavailable());
    let answer = world.until_left_alone(&sessions).await;
    assert_eq!(answer.header("retry-after"), "1");
    assert_eq!((world.breaker("api").await, world.breaker("auth").await), (OPEN, CLOSED));
    assert!(world.withheld("host rests").await > 0);
    assert!(answer.text("nextStep").contains("Wait 1 second"), "{}", answer.body);
    // Probes that fail leave it alone for longer, but never for long.
    for _ in 0..5 {
        world.clock.advance(Duration::from_secs(3));
        world.sandbox.forget_calls();
        world.get(&sessions[0], &page(PAGES[0])).await.refused(502, "confluence-unavailable");
        assert_eq!(world.confluence_calls().len(), 1, "one probe, not tried again");
        let waits = world.get(&sessions[1], &page(PAGES[0])).await.refused(502, "confluence-unavailable");
        assert!((1..=3).contains(&waits.header("retry-after").parse::<u64>().unwrap()));
        assert_eq!(world.confluence_calls().len(), 1);
    }
    world.sandbox.clear_faults();
    world.clock.advance(Duration::from_secs(3));
    assert_eq!(world.breaker("api").await, HALF_OPEN);
    for session in &sessions {
        world.get(session, &page(PAGES[0])).await.expect(200);
    }
    assert_eq!(world.breaker("api").await, CLOSED);
}

#[tokio::test]
async fn what_fails_for_one_person_only_is_not_the_host_s_failure() {
    let (world, [alice, bob]) = people(["alice", "bob"]).await;
    world.break_confluence(60, unavailable());
    for _ in 0..30 {
        world.get(&alice, &page(PAGES[0])).await.refused(502, "confluence-unavailable");
    }
    assert_eq!(world.confluence_calls().len(), 60);
    world.get(&bob, &page(PAGES[0])).await.expect(200);
    world.get(&alice, &page(PAGES[0])).await.expect(200);
}

#[tokio::test]
async fn refusals_are_answers_and_leave_the_host_in_use() {
    let (world, sessions) = people(["alice", "bob"]).await;
    for status in [400, 401, 403, 404, 429] {
        let headers = vec![("retry-after".to_owned(), "60".to_owned())];
        world.break_confluence(usize::MAX, FaultKind::Status { status, headers, body: String::new() });
        for session in sessions.iter().cycle().take(24) {
            world.sandbox.forget_calls();
            let answer = world.get(session, &page(PAGES[0])).await;
            assert!(answer.status >= 400, "{}", answer.body);
            assert!(!world.confluence_calls().is_empty(), "{status}");
        }
        world.sandbox.clear_faults();
    }
}

#[tokio::test]
async fn a_host_that_never_answers_is_left_alone_too() {
    let (world, sessions) = people(["alice", "bob"]).await;
    let hurried = world.hurried(Duration::from_secs(3)).await;
    for session in &sessions {
        hurried.get(session, &page(PAGES[0])).await.expect(200);
    }
    world.break_confluence(usize::MAX, FaultKind::Hang);
    let (alices, bobs) = tokio::join!(hurried.burst(&sessions[0], 8), hurried.burst(&sessions[1], 8));
    for answer in [alices, bobs].into_iter().flatten() {
        // Sooner than the budget is spent.
        answer.refused(502, "confluence-unavailable");
    }
    world.sandbox.forget_calls();
    let answer = hurried.get(&sessions[0], &page(PAGES[0])).await.refused(502, "confluence-unavailable");
    assert_eq!((answer.header("retry-after"), world.confluence_calls().len()), ("1", 0));
    world.sandbox.clear_faults();
    world.clock.advance(Duration::from_secs(1));
    hurried.get(&sessions[0], &page(PAGES[0])).await.expect(200);
}

#[tokio::test]
async fn a_token_endpoint_that_only_fails_is_left_alone_and_no_session_is_lost() {
    use causeway::sandbox::Fault;
    let world = World::of_acme().await;
    let mut sessions = Vec::new();
    for _ in 0..12 {
        sessions.push(world.sign_in("alice").await);
        world.clock.advance(Duration::from_secs(1));
    }
    let fault = Fault { path_contains: "/oauth/token".to_owned(), times: usize::MAX, kind: unavailable() };
    world.sandbox.inject(fault);
    world.sandbox.forget_calls();
    for session in &sessions {
        let answer = world.refresh(&session.refresh_token).await;
        assert_eq!(answer.status, 503, "{}", answer.body);
        assert!(answer.header("retry-after").parse::<u64>().unwrap() > 0);
    }
    assert_eq!(world.calls_to("/oauth/token"), 10);
    assert_eq!((world.breaker("api").await, world.breaker("auth").await), (CLOSED, OPEN));
    assert_eq!(world.withheld("host rests").await, 2);
    // The API's host is another.
    world.get(&sessions[11], &page(PAGES[0])).await.expect(200);
    world.sandbox.clear_faults();
    world.clock.advance(Duration::from_secs(1));
    world.refresh(&sessions[11].refresh_token).await.expect(200);
}

#[tokio::test]
async fn more_than_can_wait_in_time_are_told_so_at_once() {
    let world = World::with(&[("CAUSEWAY_SITE", crate::asking::ACME), ("CAUSEWAY_MAX_IN_FLIGHT", "1")]).await;
    let alice = world.sign_in("alice").await;
    world.break_confluence(usize::MAX, FaultKind::Slow(Duration::from_millis(100)));
    let answers = world.burst(&alice, 30).await;
    let told = |status| answers.iter().filter(|answer| answer.status == status).count();
    assert_eq!((told(200), told(503)), (17, 13));
    for answer in answers.into_iter().filter(|answer| answer.status == 503) {
        assert_eq!(answer.refused(503, "overloaded").header("retry-after"), "5");
    }
    assert_eq!(world.counted("causeway_sheds_total", &["reason=\"too many wait\""]).await, 13);
}

#[tokio::test]
async fn several_pages_that_all_fail_alike_are_one_failure() {
    let (world, [alice]) = people(["alice"]).await;
    let batch = format!("/v1/pages/batch?ids={}", PAGES.join(","));
    world.break_confluence(usize::MAX, unavailable());
    world.get(&alice, &batch).await.refused(502, "confluence-unavailable");
    world.sandbox.clear_faults();
    world.sandbox.inject(causeway::sandbox::Fault {
        path_contains: PAGES[0].to_owned(),
        times: usize::MAX,
        kind: unavailable(),
    });
    let answer = world.get(&alice, &batch).await.expect(200);
    assert_eq!(answer.json["results"][0]["problem"]["kind"], "confluence-unavailable");
    assert_eq!(answer.json["results"][1]["id"], PAGES[1]);
}
