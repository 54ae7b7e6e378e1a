//! What the operator can count: on their own address only, by bounded labels only.

use causeway::sandbox::FaultKind;
use serde_json::json;

use crate::asking::{examples, with_query};
use crate::mcp::Client;
use crate::support::World;

impl World {
    /// Everything that was counted, line by line.
    async fn metrics(&self) -> Vec<String> {
        let answer = self.send(self.http.get(format!("{}/metrics", self.admin_url))).await.expect(200);
        assert!(answer.header("content-type").starts_with("application/openmetrics-text"));
        assert!(answer.body.ends_with("# EOF\n"), "{}", answer.body);
        answer.body.lines().map(str::to_owned).collect()
    }

    /// The value of the series of this name that has all these labels; 0 when there is none.
    pub async fn counted(&self, name: &str, labels: &[&str]) -> i64 {
        value(&self.metrics().await, name, labels)
    }
}

/// The sum over every series of this name that has all these labels.
fn value(lines: &[String], name: &str, labels: &[&str]) -> i64 {
    let has = |line: &&String| {
        let end = line.find(['{', ' ']).unwrap_or(line.len());
        line[..end] == *name && labels.iter().all(|label| line.contains(label))
    };
    lines.iter().filter(has).map(|line| line.rsplit(' ').next().unwrap().parse::<i64>().unwrap()).sum()
}

#[tokio::test]
async fn an_action_counts_by_door_gpt_and_outcome() {
    let world = World::of_acme().await;
    let alice = world.sign_in("alice").await;
    world.ask(&alice, "/v1/search", &[("query", "onboarding")]).await.expect(200);
    world.ask(&alice, "/v1/search", &[("cql", "title ~")]).await.expect(400);
    world.get(&alice, "/v1/pages/99999999").await.expect(404);
    let at_mcp = world.sign_in_to_mcp("alice").await;
    Client::new(&world, &at_mcp).call("searchConfluence", json!({ "query": "onboarding" })).await;
    let lines = world.metrics().await;
    let count = |action, door, outcome| {
        let labels = [
            format!("action=\"{action}\""),
            format!("door=\"{door}\""),
            format!("outcome=\"{outcome}\""),
            "gpt=\"default\"".to_owned(),
        ];
        value(&lines, "causeway_actions_total", &labels.each_ref().map(String::as_str))
    };
    assert_eq!(count("searchConfluence", "actions", "ok"), 1);
    assert_eq!(count("searchConfluence", "actions", "invalid-cql"), 1);
    assert_eq!(count("searchConfluence", "mcp", "ok"), 1);
    assert_eq!(count("getPage", "actions", "not-found"), 1);
    let timed = value(&lines, "causeway_action_duration_seconds_count", &["action=\"searchConfluence\""]);
    assert_eq!(timed, 3);
}

#[tokio::test]
async fn a_request_counts_by_the_template_of_its_route() {
    let world = World::of_acme().await;
    let alice = world.sign_in("alice").await;
    world.get(&alice, "/v1/pages/99999999").await.expect(404);
    world.get_bare("/v1/pages/99999999").await.expect(401);
    world.get_bare("/nowhere/at/all").await.expect(404);
    let brew = reqwest::Method::from_bytes(b"BREW").unwrap();
    world.send(world.http.request(brew, format!("{}/healthz", world.url))).await.expect(405);
    let lines = world.metrics().await;
    let count = |labels: &[&str]| value(&lines, "causeway_http_requests_total", labels);
    assert_eq!(count(&["method=\"GET\"", "route=\"/v1/pages/{id}\"", "status=\"404\""]), 1);
    assert_eq!(count(&["route=\"/v1/pages/{id}\"", "status=\"401\""]), 1);
    assert_eq!(count(&["route=\"none\"", "status=\"404\""]), 1);
    assert_eq!(count(&["method=\"other\"", "route=\"/healthz\"", "status=\"405\""]), 1);
}

#[tokio::test]
async fn calls_to_atlassian_count_by_template_and_class_and_caches_by_result() {
    let world = World::of_acme().await;
    let alice = world.sign_in("alice").await;
    world.get(&alice, "/v1/pages/1310745").await.expect(200);
    world.get(&alice, "/v1/pages/1310745").await.expect(200);
    world.break_confluence(2, FaultKind::Reset);
    world.get(&alice, "/v1/pages/1310745").await.expect(502);
    let lines = world.metrics().await;
    let calls = |call: &str, outcome: &str| {
        let labels = [format!("call=\"{call}\""), format!("outcome=\"{outcome}\"")];
        value(&lines, "causeway_upstream_calls_total", &labels.each_ref().map(String::as_str))
    };
    assert_eq!(calls("oauth/token", "2xx"), 1);
    assert_eq!(calls("oauth/token/accessible-resources", "2xx"), 1);
    assert_eq!(calls("api/v2/pages/…", "2xx"), 2);
    assert_eq!(calls("api/v2/pages/…", "failed"), 2);
    let sites = |result| value(&lines, "causeway_cache_lookups_total", &["cache=\"sites\"", result]);
    assert_eq!((sites("result=\"miss\""), sites("result=\"hit\"")), (1, 3));
}

#[tokio::test]
async fn sign_ins_and_refreshes_count_by_outcome() {
    let world = World::start().await;
    let alice = world.sign_in("alice").await;
    world.refresh(&alice.refresh_token).await.expect(200);
    world.refresh("v4.local.nonsense").await.expect(400);
    world.redeem("v4.local.nonsense").await.expect(400);
    // What a stranger says is nobody's session.
    world.refresh_publicly("v4.local.nobody", "v4.local.nonsense").await.expect_error(401, "invalid_client");
    let lines = world.metrics().await;
    let steps = |step, outcome| value(&lines, "causeway_sign_ins_total", &[step, outcome]);
    let ok = "outcome=\"ok\"";
    for step in ["step=\"begun\"", "step=\"returned\"", "step=\"redeemed\""] {
        assert_eq!(steps(step, ok), 1, "{step}");
    }
    let bad = "outcome=\"invalid_grant\"";
    assert_eq!(steps("step=\"redeemed\"", bad), 1);
    assert_eq!(value(&lines, "causeway_refreshes_total", &[ok]), 1);
    assert_eq!(value(&lines, "causeway_refreshes_total", &[bad]), 1);
    assert_eq!(value(&lines, "causeway_refreshes_total", &[]), 2);
}

#[tokio::test]
async fn a_request_whose_client_hangs_up_counts_and_leaves_its_place() {
    let world = World::of_acme().await;
    let alice = world.sign_in("alice").await;
    world.break_confluence(1, FaultKind::Hang);
    let asked = world.http.get(format!("{}/v1/pages/1310745", world.url)).bearer_auth(&alice.access_token);
    let asked = tokio::spawn(asked.send());
    while world.counted("causeway_requests_in_flight", &[]).await < 1 {
        tokio::task::yield_now().await;
    }
    asked.abort();
    while world.counted("causeway_requests_in_flight", &[]).await > 0 {
        tokio::task::yield_now().await;
    }
    assert_eq!(world.counted("causeway_actions_total", &["outcome=\"abandoned\""]).await, 1);
    assert_eq!(world.counted("causeway_http_requests_total", &["status=\"abandoned\""]).await, 1);
}

#[tokio::test]
async fn what_is_counted_is_not_on_the_public_address() {
    let world = World::start().await;
    world.get_bare("/metrics").await.expect(404);
}

#[tokio::test]
async fn labels_are_templates_and_words_whatever_is_asked() {
    let world = World::of_acme().await;
    let alice = world.sign_in("alice").await;
    for (_, path, query) in examples() {
        world.get(&alice, &with_query(&path, &query)).await.expect(200);
    }
    for path in ["/v1/pages/7777777", "/v1/mulgara", "/gpts/mulgara/openapi.json", "/problems/mulgara"] {
        world.get(&alice, &format!("{path}?mulgara=mulgara")).await;
    }
    let lines = world.metrics().await;
    let all = lines.join("\n");
    for word in ["mulgara", "7777777", "1310745", "712020", "acme", "ENG", "onboarding", "eyJ"] {
        assert!(!all.contains(word), "{word} is in {all}");
    }
    let before = lines.len();
    for number in 0..50 {
        world.get(&alice, &format!("/v1/pages/8{number}?x{number}=1")).await;
        world.get(&alice, &format!("/v1/none{number}")).await;
    }
    let after = world.metrics().await.len();
    assert!(after < before + 10, "{before} lines became {after}");
}
