//! Who may pass the MCP door, and what it tells those who may not.

use std::time::Duration;

use causeway::sandbox::FaultKind;
use serde_json::json;

use crate::mcp::Client;
use crate::support::{Answer, MCP_CALLBACK, Request, Session, World};

const TWO_GPTS: &str = r#"
    [[gpt]]
    slug = "sales"
    name = "Sales"
    client_id = "sales-client"
    client_secret = { env = "SALES_SECRET" }
    [[gpt]]
    slug = "hr"
    name = "HR"
    client_id = "hr-client"
    client_secret = { env = "HR_SECRET" }
    actions = ["whoAmI"]
"#;

async fn two_gpts() -> World {
    World::with_file(TWO_GPTS, &[("SALES_SECRET", "sales!secret"), ("HR_SECRET", "hr!secret+")]).await
}

/// The challenge says where to learn how to sign in, for what, and what was wrong, if anything was.
#[track_caller]
fn expect_challenge(answer: Answer, status: u16, metadata: &str, error: Option<&str>) {
    let answer = answer.expect(status);
    let challenge = answer.header("www-authenticate");
    assert!(challenge.starts_with("Bearer "), "{challenge}");
    assert!(challenge.contains(&format!("resource_metadata=\"{metadata}\"")), "{challenge}");
    assert!(challenge.contains("scope=\"confluence:read\""), "{challenge}");
    match error {
        Some(error) => assert!(challenge.contains(&format!("error=\"{error}\"")), "{challenge}"),
        None => assert!(!challenge.contains("error"), "{challenge}"),
    }
    assert_eq!(answer.header("content-type"), "application/problem+json");
    assert!(!answer.text("nextStep").is_empty());
}

fn metadata(world: &World) -> String {
    format!("{}/.well-known/oauth-protected-resource/mcp", world.public_url)
}

fn session(access_token: &str) -> Session {
    Session { access_token: access_token.to_owned(), refresh_token: String::new(), expires_in: 0 }
}

#[tokio::test]
async fn without_a_token_the_way_to_one_is_shown() {
    let world = two_gpts().await;
    for (path, document) in
        [("/mcp", "/mcp"), ("/gpts/hr/mcp", "/gpts/hr/mcp"), ("/gpts/sales/mcp", "/gpts/sales/mcp")]
    {
        let answer = world.send(world.http.post(format!("{}{path}", world.url)).json(&json!({}))).await;
        let metadata = format!("{}/.well-known/oauth-protected-resource{document}", world.public_url);
        expect_challenge(answer, 401, &metadata, None);
        let described = world.get_bare(&metadata.replace(&world.public_url, "")).await.expect(200);
        assert_eq!(described.json["resource"], format!("{}{path}", world.public_url));
    }
    world.send(world.http.post(format!("{}/gpts/none/mcp", world.url)).json(&json!({}))).await.expect(404);
}

#[tokio::test]
async fn a_token_that_does_not_count_is_called_invalid() {
    let world = World::start().await;
    let of_actions = world.sign_in("alice").await;
    let of_mcp = world.sign_in_to_mcp("alice").await;
    let cut = session(&of_mcp.access_token[..of_mcp.access_token.len() - 4]);
    for refused in [&of_actions, &cut, &session("x")] {
        let answer = Client::new(&world, refused).send("tools/list", json!({})).await;
        expect_challenge(answer, 401, &metadata(&world), Some("invalid_token"));
    }
    Client::new(&world, &of_mcp).send("tools/list", json!({})).await.expect(200);
    world.get(&of_mcp, "/v1/me").await.expect(401);
}

#[tokio::test]
async fn a_token_of_one_gpt_does_not_open_the_endpoint_of_another() {
    let world = two_gpts().await;
    let client_id = world.register(&[MCP_CALLBACK]).await;
    let request = Request::of_mcp(&world, &client_id, MCP_CALLBACK)
        .and("resource", &format!("{}/gpts/hr/mcp", world.public_url));
    let back = world.consent_twice(&mut world.browser(), &request, "alice").await;
    let of_hr = Session::of(world.redeem_publicly(&client_id, MCP_CALLBACK, &back.code).await);
    let hr = Client::new(&world, &of_hr).at("/gpts/hr/mcp");
    assert_eq!(hr.tools().await.len(), 1);
    assert_eq!(hr.answer("whoAmI", json!({})).await["actions"], json!(["whoAmI"]));
    for path in ["/mcp", "/gpts/sales/mcp"] {
        let answer = Client::new(&world, &of_hr).at(path).send("tools/list", json!({})).await;
        let metadata = format!("{}/.well-known/oauth-protected-resource{path}", world.public_url);
        expect_challenge(answer, 401, &metadata, Some("invalid_token"));
    }
}

#[tokio::test]
async fn an_expired_token_is_refused_before_the_protocol_begins() {
    let world = World::start().await;
    let alice = world.sign_in_to_mcp("alice").await;
    world.clock.advance(Duration::from_secs(3600));
    let answer = Client::new(&world, &alice).send("tools/list", json!({})).await;
    expect_challenge(answer, 401, &metadata(&world), Some("invalid_token"));
}

#[tokio::test]
async fn a_sign_in_that_atlassian_has_ended_is_noticed_in_the_call() {
    let world = World::of_acme().await;
    let alice = world.sign_in_to_mcp("alice").await;
    world.sandbox.revoke("alice");
    for tool in ["whoAmI", "search"] {
        for version in ["2026-07-28", "2025-11-25"] {
            let call = json!({ "name": tool, "arguments": if tool == "search" { json!({ "query": "x" }) } else { json!({}) } });
            let answer = Client::new(&world, &alice).speaking(version).send("tools/call", call).await;
            expect_challenge(answer, 401, &metadata(&world), Some("invalid_token"));
        }
    }
}

#[tokio::test]
async fn a_missing_permission_is_named_and_leads_to_signing_in_again() {
    let world = World::with(&[("CAUSEWAY_ACTIONS", "whoAmI"), ("CAUSEWAY_SITE", "acme.atlassian.net")]).await;
    let alice = world.sign_in_to_mcp("alice").await;
    // The operator enables more than the person has consented to.
    let world = world.replica_with(&[("CAUSEWAY_ACTIONS", "")]).await;
    let client = Client::new(&world, &alice);
    assert!(client.tools().await.len() > 1);
    for (tool, arguments) in
        [("searchConfluence", json!({ "query": "x" })), ("search", json!({ "query": "x" }))]
    {
        let answer = client.send("tools/call", json!({ "name": tool, "arguments": arguments })).await;
        assert!(
            answer.json["scopes"].as_array().unwrap().contains(&json!("search:confluence")),
            "{}",
            answer.body
        );
        expect_challenge(answer, 403, &metadata(&world), Some("insufficient_scope"));
    }
    client.answer("whoAmI", json!({})).await;
}

#[tokio::test]
async fn a_bad_day_upstream_is_an_error_for_the_model_not_for_the_protocol() {
    let world = World::of_acme().await;
    let alice = world.sign_in_to_mcp("alice").await;
    for (fault, kind) in [
        (FaultKind::TooManyRequests(7), "rate-limited"),
        (FaultKind::MalformedJson, "confluence-unavailable"),
    ] {
        world.break_confluence(usize::MAX, fault);
        for tool in ["searchConfluence", "search"] {
            let problem = Client::new(&world, &alice).problem(tool, json!({ "query": "x" })).await;
            assert!(problem["type"].as_str().unwrap().ends_with(kind), "{problem}");
            assert!(!problem["nextStep"].as_str().unwrap().is_empty());
        }
        world.sandbox.clear_faults();
    }
}

#[tokio::test]
async fn pages_of_other_origins_may_not_call() {
    let public_url = "https://causeway.example.com";
    let world = World::with(&[("CAUSEWAY_PUBLIC_URL", public_url)]).await;
    let alice = world.sign_in_to_mcp("alice").await;
    let call = |origin: &str| {
        let request = Client::new(&world, &alice).request("tools/list", json!({}));
        world.send(request.header("origin", origin))
    };
    for origin in [public_url, "https://causeway.example.com:443", "https://chatgpt.com", "https://claude.ai"]
    {
        call(origin).await.expect(200);
    }
    for origin in [
        "null",
        "",
        "https://evil.example",
        "http://causeway.example.com",
        "https://causeway.example.com.evil.example",
        "https://causeway.example.com:8443",
        "https://chatgpt.com.evil.example",
        "http://chatgpt.com",
        "http://127.0.0.1:5173",
        "http://localhost",
    ] {
        call(origin).await.expect(403);
    }
    // Before anything else is looked at.
    let bare = world.http.post(format!("{}/mcp", world.url)).header("origin", "https://evil.example");
    world.send(bare).await.expect(403);
}

#[tokio::test]
async fn a_local_gateway_serves_local_pages_and_local_names_only() {
    let world = World::start().await;
    let alice = world.sign_in_to_mcp("alice").await;
    let request = || Client::new(&world, &alice).request("tools/list", json!({}));
    for origin in ["http://localhost:6274", "http://127.0.0.1", "http://[::1]:1"] {
        world.send(request().header("origin", origin)).await.expect(200);
    }
    world.send(request().header("origin", "http://localhost.evil.example")).await.expect(403);
    world.send(request().header("host", "rebound.evil.example")).await.expect(403);
}

#[tokio::test]
async fn there_is_nothing_to_get_and_no_session_to_delete() {
    let world = World::start().await;
    let alice = world.sign_in_to_mcp("alice").await;
    for path in ["/mcp", "/gpts/default/mcp"] {
        for method in ["GET", "DELETE", "PUT"] {
            let request = world.http.request(method.parse().unwrap(), format!("{}{path}", world.url));
            let answer = world.send(request.bearer_auth(&alice.access_token)).await.expect(405);
            assert_eq!(answer.header("allow"), "POST");
        }
    }
}

#[tokio::test]
async fn no_answer_is_kept_by_anybody() {
    let world = World::of_acme().await;
    let alice = world.sign_in_to_mcp("alice").await;
    let client = Client::new(&world, &alice);
    for answer in [
        client.send("tools/list", json!({})).await,
        client.send("tools/call", json!({ "name": "whoAmI" })).await,
        Client::new(&world, &session("x")).send("tools/list", json!({})).await,
    ] {
        assert_eq!(answer.header("cache-control"), "no-store");
    }
}

#[tokio::test]
async fn a_client_that_hangs_up_ends_its_call() {
    let world = World::of_acme().await;
    let page = world.add("ENG", "Quokka care", "<p>Feed at dawn.</p>");
    let alice = world.sign_in_to_mcp("alice").await;
    let client = Client::new(&world, &alice);
    let call = json!({ "name": "getPage", "arguments": { "id": page } });
    let unhurried = world.confluence_calls().len();
    client.send("tools/call", call.clone()).await.expect(200);
    let calls = world.confluence_calls().len() - unhurried;
    assert!(calls > 1, "hanging up in the middle needs a middle");

    let other = world.replica().await;
    for version in ["2026-07-28", "2025-11-25"] {
        other.break_confluence(1, FaultKind::Slow(Duration::from_millis(300)));
        let before = other.confluence_calls().len();
        let request = Client::new(&other, &alice).speaking(version).request("tools/call", call.clone());
        assert!(request.timeout(Duration::from_millis(100)).send().await.unwrap_err().is_timeout());
        tokio::time::sleep(Duration::from_millis(600)).await;
        assert!(other.confluence_calls().len() - before < calls, "{version}: it went on");
    }
}
