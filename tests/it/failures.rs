//! What callers hear when Confluence fails: from every action the same, within the budget, and nothing of Confluence's own words.

use std::time::Duration;

use causeway::sandbox::FaultKind;

use crate::asking::examples;
use crate::support::{Answer, Session, World};

/// What an upstream answer says and no answer of ours may repeat.
const UPSTREAM: &str = "com.atlassian.Upstream$Secret";

async fn alice() -> (World, Session) {
    let world = World::of_acme().await;
    let alice = world.sign_in("alice").await;
    (world, alice)
}

fn status(status: u16, headers: &[(&str, &str)]) -> FaultKind {
    let headers = headers.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
    FaultKind::Status { status, headers, body: format!("{{\"message\":\"{UPSTREAM}\"}}") }
}

/// Calls every action while Confluence fails `times` times in this way, and checks each answer.
async fn every_action(times: usize, kind: &FaultKind, check: impl Fn(Answer)) {
    let (world, alice) = alice().await;
    for (_, path, query) in examples() {
        world.break_confluence(times, kind.clone());
        let answer = world.ask(&alice, &path, &query).await;
        assert!(!answer.body.contains(UPSTREAM), "{}", answer.body);
        check(answer);
        world.sandbox.clear_faults();
    }
}

#[tokio::test]
async fn what_cannot_be_used_is_an_unavailable_confluence() {
    for kind in [
        status(500, &[]),
        status(502, &[]),
        status(503, &[("retry-after", "3600")]),
        status(418, &[]),
        status(302, &[("location", "https://evil.example/")]),
        FaultKind::Status { status: 200, headers: Vec::new(), body: "<html>Sign in</html>".to_owned() },
        FaultKind::Status { status: 200, headers: Vec::new(), body: "[]".to_owned() },
        FaultKind::Status { status: 204, headers: Vec::new(), body: String::new() },
        FaultKind::MalformedJson,
        FaultKind::TruncatedBody,
        FaultKind::Reset,
    ] {
        every_action(usize::MAX, &kind, |answer| drop(answer.refused_or_each(502, "confluence-unavailable")))
            .await;
    }
}

#[tokio::test]
async fn a_body_larger_than_is_read_is_given_up() {
    let (world, alice) = alice().await;
    world.break_confluence(1, FaultKind::HugeBody);
    world.get(&alice, "/v1/pages/1310745").await.refused(502, "confluence-unavailable");
}

#[tokio::test]
async fn one_failure_that_passes_is_not_seen() {
    for kind in [
        status(502, &[]),
        status(503, &[]),
        status(503, &[("retry-after", "0")]),
        status(429, &[]),
        FaultKind::TooManyRequests(0),
        FaultKind::Reset,
        FaultKind::TruncatedBody,
    ] {
        every_action(1, &kind, |answer| drop(answer.expect(200))).await;
    }
}

#[tokio::test]
async fn a_call_is_tried_twice_at_the_most() {
    let (world, alice) = alice().await;
    for (kind, calls) in
        [(status(503, &[]), 2), (FaultKind::Reset, 2), (status(500, &[]), 1), (FaultKind::MalformedJson, 1)]
    {
        world.sandbox.forget_calls();
        world.break_confluence(usize::MAX, kind);
        world.get(&alice, "/v1/search?query=x").await.refused(502, "confluence-unavailable");
        assert_eq!(world.confluence_calls().len(), calls);
        world.sandbox.clear_faults();
    }
}

#[tokio::test]
async fn a_long_rate_limit_is_passed_on_with_its_wait() {
    every_action(usize::MAX, &FaultKind::TooManyRequests(1234), |answer| {
        let answer = answer.refused(429, "rate-limited");
        assert_eq!((answer.header("retry-after"), &answer.json["retryAfter"]), ("1234", &1234.into()));
        assert!(answer.text("nextStep").contains("1234"), "{}", answer.body);
    })
    .await;
}

#[tokio::test]
async fn a_rate_limit_without_a_wait_names_one() {
    let names_one = |answer: Answer| {
        let answer = answer.refused(429, "rate-limited");
        assert!(answer.header("retry-after").parse::<u64>().unwrap() > 0);
    };
    every_action(usize::MAX, &status(429, &[]), names_one).await;
    for kind in [status(429, &[("retry-after", "soon")]), status(429, &[("retry-after", "-5")])] {
        let (world, alice) = alice().await;
        world.break_confluence(usize::MAX, kind);
        names_one(world.get(&alice, "/v1/search?query=x").await);
    }
}

#[tokio::test]
async fn a_short_rate_limit_is_waited_for_but_not_for_ever() {
    let (world, alice) = alice().await;
    world.break_confluence(1, FaultKind::TooManyRequests(1));
    world.get(&alice, "/v1/search?query=x").await.expect(200);
    world.break_confluence(usize::MAX, FaultKind::TooManyRequests(0));
    world.get(&alice, "/v1/search?query=x").await.refused(429, "rate-limited");
}

#[tokio::test]
async fn the_hour_s_points_used_up_are_a_rate_limit_until_the_next_hour() {
    let (world, alice) = alice().await;
    world.clock.advance(Duration::from_secs(50 * 60));
    world.sandbox.spend_points(65_000);
    let answer = world.get(&alice, "/v1/search?query=x").await.refused(429, "rate-limited");
    assert_eq!(answer.header("retry-after"), "600");
    world.clock.advance(Duration::from_secs(600));
    let alice = world.sign_in("alice").await;
    world.get(&alice, "/v1/search?query=x").await.expect(200);
}

#[tokio::test]
async fn a_confluence_that_hangs_is_left_when_the_budget_is_spent() {
    let (world, alice) = alice().await;
    let hurried = world.hurried(Duration::from_millis(400)).await;
    for (_, path, query) in examples() {
        world.break_confluence(usize::MAX, FaultKind::Hang);
        let asked = tokio::time::timeout(Duration::from_secs(5), hurried.ask(&alice, &path, &query));
        asked.await.expect("the budget holds").refused(504, "too-slow");
        world.sandbox.clear_faults();
    }
}

#[tokio::test]
async fn the_budget_holds_for_all_calls_of_an_action_together() {
    let (world, alice) = alice().await;
    let hurried = world.hurried(Duration::from_millis(500)).await;
    world.break_confluence(usize::MAX, FaultKind::Slow(Duration::from_millis(300)));
    hurried.get(&alice, "/v1/pages/1310870").await.refused(504, "too-slow");
    world.sandbox.clear_faults();
    hurried.get(&alice, "/v1/pages/1310870").await.expect(200);
}

#[tokio::test]
async fn a_connection_that_has_died_is_noticed_and_the_call_tried_once_more() {
    let (world, alice) = alice().await;
    let hurried = world.hurried(Duration::from_secs(3)).await;
    for kind in [FaultKind::Hang, FaultKind::Stall] {
        world.break_confluence(1, kind);
        hurried.get(&alice, "/v1/pages/1310745").await.expect(200);
    }
}

#[tokio::test]
async fn a_wait_named_as_a_time_is_passed_on_in_seconds() {
    let named = [("date", "Sat, 21 Nov 2026 09:15:00 GMT"), ("retry-after", "Sat, 21 Nov 2026 09:35:34 GMT")];
    let (world, alice) = alice().await;
    world.break_confluence(usize::MAX, status(429, &named));
    let answer = world.get(&alice, "/v1/search?query=x").await.refused(429, "rate-limited");
    assert_eq!(answer.header("retry-after"), "1234");
}

#[tokio::test]
async fn a_compressed_answer_is_read_and_bounded_by_what_it_holds() {
    let (world, alice) = alice().await;
    world.break_confluence(1, FaultKind::HugeGzip);
    world.get(&alice, "/v1/pages/1310745").await.refused(502, "confluence-unavailable");
    world.break_confluence(usize::MAX, FaultKind::Gzip("{\"results\":[],\"totalSize\":0}".to_owned()));
    let found = world.get(&alice, "/v1/search?query=x&space=ENG").await.expect(200);
    assert_eq!(found.json["total"], 0);
}

#[tokio::test]
async fn a_pause_before_a_retry_that_the_budget_has_no_room_for_is_not_made() {
    let (world, alice) = alice().await;
    let hurried = world.hurried(Duration::from_millis(700)).await;
    world.break_confluence(usize::MAX, FaultKind::TooManyRequests(3));
    let asked = tokio::time::timeout(Duration::from_secs(2), hurried.get(&alice, "/v1/search?query=x"));
    asked.await.expect("not waited for").refused(429, "rate-limited");
}

#[tokio::test]
async fn an_upstream_timeout_is_too_slow() {
    every_action(usize::MAX, &status(504, &[]), |answer| drop(answer.refused(504, "too-slow"))).await;
}

#[tokio::test]
async fn an_administrator_s_block_is_named() {
    every_action(usize::MAX, &FaultKind::AccessBlocked, |answer| {
        assert!(answer.refused_or_each(403, "no-access").body.contains("administrator"));
    })
    .await;
}

#[tokio::test]
async fn an_upstream_refusal_of_our_own_making_is_not_the_caller_s_fault() {
    let (world, alice) = alice().await;
    for path in ["/v1/pages/1310745", "/v1/spaces", "/v1/me", "/v1/pages?title=x"] {
        world.break_confluence(usize::MAX, status(400, &[]));
        let answer = world.get(&alice, path).await.refused(502, "confluence-unavailable");
        assert!(!answer.body.contains(UPSTREAM));
        world.sandbox.clear_faults();
    }
}

#[tokio::test]
async fn an_expired_token_is_told_so_without_a_call() {
    let (world, alice) = alice().await;
    world.clock.advance(Duration::from_secs(3541));
    for (_, path, query) in examples() {
        let answer = world.ask(&alice, &path, &query).await.refused(401, "sign-in-required");
        assert!(answer.header("www-authenticate").contains("error=\"invalid_token\""));
    }
    assert!(world.confluence_calls().is_empty());
    let renewed = Session::of(world.refresh(&alice.refresh_token).await);
    for (_, path, query) in examples() {
        world.ask(&renewed, &path, &query).await.expect(200);
    }
}

#[tokio::test]
async fn a_sign_in_revoked_at_atlassian_is_told_to_sign_in_again() {
    let (world, alice) = alice().await;
    world.sandbox.revoke("alice");
    for (_, path, query) in examples() {
        world.ask(&alice, &path, &query).await.refused(401, "sign-in-required");
    }
}

#[tokio::test]
async fn a_scope_that_was_not_granted_is_named_without_a_call() {
    let world = World::with(&[("CAUSEWAY_SITE", "acme.atlassian.net"), ("CAUSEWAY_ACTIONS", "whoAmI")]).await;
    let alice = world.sign_in("alice").await;
    let wider = world.replica_with(&[("CAUSEWAY_ACTIONS", "")]).await;
    world.sandbox.forget_calls();
    let answer = wider.get(&alice, "/v1/search?query=x").await.refused(403, "missing-scope");
    assert_eq!(
        answer.json["scopes"],
        serde_json::json!(["search:confluence", "read:content-details:confluence"])
    );
    assert!(answer.text("detail").contains("searchConfluence"), "{}", answer.body);
    assert!(world.confluence_calls().is_empty());
    wider.get(&alice, "/v1/me").await.expect(200);
}

#[tokio::test]
async fn a_scope_that_atlassian_has_taken_back_is_missing_and_not_an_expired_sign_in() {
    let (world, alice) = alice().await;
    // One grant for each app and account: another consent replaces the scopes.
    world.sandbox.sign_in("alice", &["read:me"]);
    for (entry, path, query) in examples() {
        let answer = world.ask(&alice, &path, &query).await.refused(403, "missing-scope");
        assert_eq!(answer.json["scopes"].as_array().unwrap().len(), entry.scopes.len(), "{}", answer.body);
        assert_eq!(answer.header("www-authenticate"), "");
    }
}

#[tokio::test]
async fn an_action_that_is_off_is_refused_without_a_call_and_not_in_the_document() {
    let world =
        World::with(&[("CAUSEWAY_SITE", "acme.atlassian.net"), ("CAUSEWAY_ACTIONS", "getPage,whoAmI")]).await;
    let alice = world.sign_in("alice").await;
    world.sandbox.forget_calls();
    for path in ["/v1/search?query=x", "/v1/spaces", "/v1/pages?title=x"] {
        world.get(&alice, path).await.refused(403, "not-allowed");
    }
    assert!(world.confluence_calls().is_empty());
    let document = world.get_bare("/openapi.json").await.expect(200);
    assert!(!document.body.contains("searchConfluence") && document.body.contains("whoAmI"));
}

#[tokio::test]
async fn names_that_cannot_be_looked_up_cost_the_names_only() {
    use causeway::sandbox::Fault;
    let (world, alice) = alice().await;
    world.sandbox.inject(Fault {
        path_contains: "users-bulk".to_owned(),
        times: usize::MAX,
        kind: status(500, &[]),
    });
    let answer = world.get(&alice, "/v1/pages/1310745").await.expect(200);
    assert!(answer.json.get("lastModifiedBy").is_none(), "{}", answer.body);
}

#[tokio::test]
async fn a_result_that_has_just_gone_does_not_hide_the_others() {
    use causeway::sandbox::Fault;
    let (world, alice) = alice().await;
    for n in 0..12 {
        world.add("ENG", &format!("Gone {n}"), "<p>tuatara</p>");
    }
    world.sandbox.inject(Fault {
        path_contains: "limit=10".to_owned(),
        times: usize::MAX,
        kind: status(404, &[]),
    });
    let found = world.list(&alice, "/v1/search", &[("query", "tuatara")]).await;
    assert_eq!(found.len(), 12);
}

#[tokio::test]
async fn a_gateway_with_all_places_taken_says_so_in_time() {
    let world =
        World::with(&[("CAUSEWAY_SITE", "acme.atlassian.net"), ("CAUSEWAY_MAX_IN_FLIGHT", "1")]).await;
    let alice = world.sign_in("alice").await;
    world.break_confluence(usize::MAX, FaultKind::Hang);
    let (held, held_by) = (world.clone(), alice.clone());
    let hanging = tokio::spawn(async move { held.get(&held_by, "/v1/search?query=x").await });
    while world.confluence_calls().is_empty() {
        tokio::task::yield_now().await;
    }
    let answer = world.get(&alice, "/v1/me").await.refused(503, "overloaded");
    assert_eq!(answer.header("retry-after"), "5");
    world.get_bare("/healthz").await.expect(200);
    // Whoever hangs up gives the place back.
    hanging.abort();
    drop(hanging.await);
    world.sandbox.clear_faults();
    world.get(&alice, "/v1/me").await.expect(200);
}

#[tokio::test]
async fn a_name_that_was_unknown_once_is_learned_from_a_search() {
    use causeway::sandbox::Fault;
    let (world, alice) = alice().await;
    world.sandbox.inject(Fault {
        path_contains: "users-bulk".to_owned(),
        times: 1,
        kind: FaultKind::Status { status: 200, headers: Vec::new(), body: "{\"results\":[]}".to_owned() },
    });
    let page = || world.get(&alice, "/v1/pages/1310745");
    assert!(page().await.expect(200).json.get("lastModifiedBy").is_none());
    let found = world.get(&alice, "/v1/search?cql=id=1310745").await.expect(200);
    let name = found.json["results"][0]["lastModifiedBy"]["name"].clone();
    assert!(name.is_string(), "{}", found.body);
    assert_eq!(page().await.expect(200).json["lastModifiedBy"]["name"], name);
}
