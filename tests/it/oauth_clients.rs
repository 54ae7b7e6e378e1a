//! Clients that the operator did not configure: registration, our consent page, metadata, and configured clients at the
//! MCP door.

use serde_json::{Value, json};

use crate::support::{
    Answer, Back, CLIENT_ID, CLIENT_SECRET, GPT_CALLBACK, MCP_CALLBACK, Request, Session, VERIFIER, World,
    param,
};

const CONNECTOR: &str = "https://chatgpt.com/connector/oauth/AbC_1-2";

async fn registering(world: &World, metadata: &Value) -> Answer {
    world.send(world.http.post(format!("{}/oauth/register", world.url)).json(metadata)).await
}

#[tokio::test]
async fn a_client_registers_asks_for_consent_and_gets_an_mcp_token() {
    let world = World::start().await;
    let session = world.sign_in_to_mcp("alice").await;
    assert!(world.knock(&session, "/mcp").await.status != 401);
    let other = world.register(&[MCP_CALLBACK]).await;
    world.refresh_publicly(&other, &session.refresh_token).await.expect_error(400, "invalid_grant");
}

#[tokio::test]
async fn a_registered_clients_refresh_token_rotates() {
    let world = World::start().await;
    let client_id = world.register(&[MCP_CALLBACK]).await;
    let session = world.sign_in_to_mcp_by(&client_id, "alice").await;
    let renewed = Session::of(world.refresh_publicly(&client_id, &session.refresh_token).await);
    assert_ne!(renewed.refresh_token, session.refresh_token);
    assert!(world.knock(&renewed, "/mcp").await.status != 401);
}

#[tokio::test]
async fn registration_answers_what_holds_and_any_replica_knows_the_client() {
    let world = World::start().await;
    let metadata = json!({
        "client_name": "Inspector", "redirect_uris": [MCP_CALLBACK, CONNECTOR], "token_endpoint_auth_method": "client_secret_post",
        "grant_types": ["authorization_code", "refresh_token"], "logo_uri": "https://evil.example/logo.png", "scope": "everything",
    });
    let answer = registering(&world, &metadata).await.expect(201);
    assert_eq!(answer.json["token_endpoint_auth_method"], "none");
    assert_eq!(answer.json["redirect_uris"], metadata["redirect_uris"]);
    assert_eq!(answer.json["scope"], "confluence:read");
    assert!(answer.json.get("client_secret").is_none() && answer.json.get("logo_uri").is_none());
    let replica = world.replica().await;
    let request = Request::of_mcp(&world, answer.text("client_id"), MCP_CALLBACK);
    let page = replica.browser().get(&request.url(&replica.url)).await;
    assert!(page.text().contains("calls itself Inspector"), "{}", page.text());
}

#[tokio::test]
async fn a_registration_that_is_too_much_or_too_strange_is_refused() {
    let world = World::start().await;
    let long = format!("http://127.0.0.1/{}", "x".repeat(512));
    for uris in [
        json!([]),
        json!(["https://evil.example/cb"]),
        json!(["javascript:alert(1)"]),
        json!([MCP_CALLBACK, "http://evil.example/cb"]),
        json!(["http://127.0.0.1/cb#fragment"]),
        json!(["http://127.0.0.1\\@evil.example/"]),
        json!([long]),
        json!([MCP_CALLBACK, MCP_CALLBACK, MCP_CALLBACK, MCP_CALLBACK, MCP_CALLBACK, MCP_CALLBACK]),
    ] {
        registering(&world, &json!({ "redirect_uris": uris }))
            .await
            .expect_error(400, "invalid_redirect_uri");
    }
    for metadata in [
        json!({}),
        json!([]),
        json!({ "redirect_uris": "http://127.0.0.1/" }),
        json!({ "redirect_uris": [MCP_CALLBACK], "grant_types": ["client_credentials"] }),
        json!({ "redirect_uris": [MCP_CALLBACK], "response_types": ["token"] }),
        json!({ "redirect_uris": [MCP_CALLBACK], "padding": "x".repeat(20_000) }),
    ] {
        registering(&world, &metadata).await.expect_error(400, "invalid_client_metadata");
    }
}

#[tokio::test]
async fn of_a_registrations_redirects_those_count_that_are_allowed_here() {
    let world = World::start().await;
    let elsewhere = "https://agent.example/redirect";
    let answer =
        registering(&world, &json!({ "redirect_uris": [elsewhere, MCP_CALLBACK] })).await.expect(201);
    assert_eq!(answer.json["redirect_uris"], json!([MCP_CALLBACK]));
    let request = Request::of_mcp(&world, answer.text("client_id"), elsewhere);
    assert_eq!(world.browser().get(&request.url(&world.url)).await.status, 400);
    let any = world.replica_with(&[("CAUSEWAY_MCP_CLIENTS", "any")]).await;
    assert_eq!(any.browser().get(&request.url(&any.public_url)).await.status, 400);
}

#[tokio::test]
async fn the_consent_page_says_who_asks_where_it_leads_and_what_it_can_do() {
    let world = World::with(&[("CAUSEWAY_NAME", "Acme <Wiki>")]).await;
    let client_id = world.register(&[CONNECTOR]).await;
    let page = world.browser().get(&Request::of_mcp(&world, &client_id, CONNECTOR).url(&world.url)).await;
    assert_eq!(page.status, 200);
    for words in [
        "calls itself Wiki <Helper>",
        "Nobody here has checked",
        "chatgpt.com",
        "Search and read the pages",
        "within the limits of “Acme <Wiki>”",
    ] {
        assert!(page.text().contains(words), "{words}: {}", page.text());
    }
    assert!(!page.html.contains("<Helper>") && !page.html.contains("<script"));
    let policy = page.headers["content-security-policy"].to_str().unwrap();
    assert!(policy.contains("default-src 'none'") && policy.contains("frame-ancestors 'none'"), "{policy}");
    assert!(!policy.contains("form-action"));
    assert_eq!(page.headers["x-frame-options"], "DENY");
    assert_eq!(page.headers["cache-control"], "no-store");
    assert!(page.headers.get("cross-origin-opener-policy").is_none());
    let local = world.register(&[MCP_CALLBACK]).await;
    let page = world.browser().get(&Request::of_mcp(&world, &local, MCP_CALLBACK).url(&world.url)).await;
    assert!(page.text().contains("To a program on this computer (127.0.0.1:33418)"), "{}", page.text());
}

#[tokio::test]
async fn who_denies_on_our_page_is_sent_nowhere_but_may_go_back() {
    let world = World::start().await;
    let client_id = world.register(&[CONNECTOR]).await;
    let mut browser = world.browser();
    let page = browser.get(&Request::of_mcp(&world, &client_id, CONNECTOR).url(&world.url)).await;
    let page = browser.submit(&page, &[("decision", "deny")]).await;
    assert_eq!((page.status, &page.left_to), (200, &None));
    assert!(page.html.contains(&format!("href=\"{CONNECTOR}?error=access_denied")), "{}", page.html);
    assert!(browser.cookie("approvals").is_none());
}

#[tokio::test]
async fn an_approval_is_remembered_for_this_client_host_and_audience_only() {
    let world = World::start().await;
    let (first, second) = (world.register(&[CONNECTOR]).await, world.register(&[CONNECTOR]).await);
    let mut browser = world.browser();
    let request = Request::of_mcp(&world, &first, CONNECTOR);
    world.consent_twice(&mut browser, &request, "alice").await;
    // Now straight to Atlassian, and errors reach the client.
    world.consent(&mut browser, &request, "alice").await;
    let page = browser.get(&request.clone().without("code_challenge").url(&world.url)).await;
    assert!(page.left().starts_with(&format!("{CONNECTOR}?error=invalid_request")));
    let other_client = Request::of_mcp(&world, &second, CONNECTOR);
    let other_browser = &mut world.browser();
    for page in
        [browser.get(&other_client.url(&world.url)).await, other_browser.get(&request.url(&world.url)).await]
    {
        assert!(page.html.contains("/oauth/consent"), "{}", page.text());
    }
}

#[tokio::test]
async fn loopback_is_asked_about_every_time_and_on_any_port() {
    let world = World::start().await;
    let client_id = world.register(&["http://127.0.0.1:1/cb"]).await;
    let mut browser = world.browser();
    for port in [1, 5000, 65535] {
        let redirect = format!("http://127.0.0.1:{port}/cb");
        let back =
            world.consent_twice(&mut browser, &Request::of_mcp(&world, &client_id, &redirect), "alice").await;
        assert!(back.url.starts_with(&redirect));
        Session::of(world.redeem_publicly(&client_id, &redirect, &back.code).await);
    }
    assert!(browser.cookie("approvals").is_none());
}

#[tokio::test]
async fn the_operator_says_which_clients_may_ask() {
    let world = World::start().await;
    let client_id = world.register(&[CONNECTOR]).await;
    let request = Request::of_mcp(&world, &client_id, CONNECTOR);
    let elsewhere = json!({ "redirect_uris": ["https://agent.example/cb"] });
    for (clients, connector, agent) in
        [("known", 200, 400), ("off", 400, 403), ("any", 200, 201), ("agent.example,localhost", 400, 201)]
    {
        let replica = world.replica_with(&[("CAUSEWAY_MCP_CLIENTS", clients)]).await;
        assert_eq!(replica.browser().get(&request.url(&replica.url)).await.status, connector, "{clients}");
        assert_eq!(registering(&replica, &elsewhere).await.status, agent, "{clients}");
    }
}

#[tokio::test]
async fn a_redirect_that_was_allowed_once_has_to_be_allowed_still() {
    let any = World::with(&[("CAUSEWAY_MCP_CLIENTS", "any")]).await;
    let client_id = any.register(&["https://agent.example/cb", MCP_CALLBACK]).await;
    let known = any.replica_with(&[("CAUSEWAY_MCP_CLIENTS", "known")]).await;
    for (redirect, status) in [("https://agent.example/cb", 400), (MCP_CALLBACK, 200)] {
        let request = Request::of_mcp(&known, &client_id, redirect);
        assert_eq!(any.browser().get(&request.url(&any.public_url)).await.status, 200);
        assert_eq!(known.browser().get(&request.url(&known.public_url)).await.status, status, "{redirect}");
    }
}

#[tokio::test]
async fn turning_dynamic_clients_off_ends_their_sessions() {
    let world = World::start().await;
    let client_id = world.register(&[MCP_CALLBACK]).await;
    let session = world.sign_in_to_mcp_by(&client_id, "alice").await;
    let off = world.replica_with(&[("CAUSEWAY_MCP_CLIENTS", "off")]).await;
    off.knock(&session, "/mcp").await.expect(401);
    off.refresh_publicly(&client_id, &session.refresh_token).await.expect_error(401, "invalid_client");
}

#[tokio::test]
async fn the_configured_client_may_use_chatgpts_connector_redirects_for_mcp() {
    let world = World::start().await;
    for redirect in [CONNECTOR, "https://chatgpt.com/connector_platform_oauth_redirect"] {
        let request = Request::of_mcp(&world, CLIENT_ID, redirect);
        let back = world.consent(&mut world.browser(), &request, "alice").await;
        let form = [
            ("grant_type", "authorization_code"),
            ("client_id", CLIENT_ID),
            ("client_secret", CLIENT_SECRET),
            ("code", &back.code),
            ("redirect_uri", redirect),
            ("code_verifier", VERIFIER),
            ("resource", &format!("{}/mcp", world.public_url)),
        ];
        let session = Session::of(world.token(&form).await);
        assert!(world.knock(&session, "/mcp").await.status != 401);
        // For Actions they are foreign.
        let page = world.browser().get(&request.without("resource").url(&world.url)).await;
        assert_eq!((page.status, page.left_to), (400, None));
    }
}

#[tokio::test]
async fn a_client_nobody_configured_gets_mcp_and_has_to_say_which() {
    let world =
        World::with_file(TWO_GPTS, &[("SALES_SECRET", "sales!secret"), ("HR_SECRET", "hr!secret+")]).await;
    let client_id = world.register(&[MCP_CALLBACK]).await;
    let mut browser = world.browser();
    let without = Request::of_mcp(&world, &client_id, MCP_CALLBACK).without("resource");
    let page = browser.get(&without.url(&world.url)).await;
    assert!(page.text().contains("resource parameter has to name one"), "{}", page.text());
    let of = |path: &str| without.clone().and("resource", &format!("{}{path}", world.public_url));
    for path in ["/v1", "/gpts/hr/v1", "/gpts/none/mcp", "/mcp/", "/MCP", ""] {
        assert_eq!(browser.get(&of(path).url(&world.url)).await.status, 400, "{path}");
    }
    for (path, opens, closed) in
        [("/gpts/hr/mcp", "/gpts/hr/mcp", "/mcp"), ("/mcp", "/gpts/sales/mcp", "/gpts/hr/mcp")]
    {
        let back = world.consent_twice(&mut browser, &of(path), "alice").await;
        let session = Session::of(world.redeem_publicly(&client_id, MCP_CALLBACK, &back.code).await);
        assert!(world.knock(&session, opens).await.status != 401, "{opens}");
        world.knock(&session, closed).await.expect(401);
    }
}

const TWO_GPTS: &str = r#"
[[gpt]]
slug = "sales"
client_id = "sales/+1"
client_secret = { env = "SALES_SECRET" }
gpt_ids = ["g-sales"]
[[gpt]]
slug = "hr"
client_id = "hr/+2"
client_secret = { env = "HR_SECRET" }
"#;

#[tokio::test]
async fn a_gpt_that_is_gone_takes_its_sessions_with_it() {
    let world = World::start().await;
    let session = world.sign_in("alice").await;
    let renamed = world.replica_with(&[("CAUSEWAY_CLIENT_ID", "another")]).await;
    renamed.get(&session, "/v1/me").await.expect(401);
    renamed.refresh(&session.refresh_token).await.expect_error(401, "invalid_client");
}

#[tokio::test]
async fn pinned_gpt_ids_leave_no_other_callback() {
    let world = World::with(&[
        ("CAUSEWAY_GPT_IDS", "g-other,g-test"),
        ("CAUSEWAY_REDIRECT_URIS", "https://x.example/cb?a=1"),
    ])
    .await;
    world.sign_in("alice").await;
    let back = world
        .consent(
            &mut world.browser(),
            &Request::of_chatgpt().and("redirect_uri", "https://x.example/cb?a=1"),
            "bob",
        )
        .await;
    assert!(back.url.starts_with("https://x.example/cb?a=1&code="));
    let foreign = Request::of_chatgpt().and("redirect_uri", &GPT_CALLBACK.replace("g-test", "g-else"));
    assert_eq!(world.browser().get(&foreign.url(&world.url)).await.status, 400);
}

#[tokio::test]
async fn the_metadata_lead_a_client_through() {
    let world =
        World::with_file(TWO_GPTS, &[("SALES_SECRET", "sales!secret"), ("HR_SECRET", "hr!secret+")]).await;
    let resource = world.get_bare("/.well-known/oauth-protected-resource/gpts/hr/mcp").await.expect(200);
    assert_eq!(resource.json["resource"], format!("{}/gpts/hr/mcp", world.public_url));
    assert_eq!(resource.json["authorization_servers"], json!([world.public_url]));
    assert_eq!(resource.json["scopes_supported"], json!(["confluence:read"]));
    let default = world.get_bare("/.well-known/oauth-protected-resource/mcp").await.expect(200);
    assert_eq!(default.json["resource"], format!("{}/mcp", world.public_url));
    world.get_bare("/.well-known/oauth-protected-resource/gpts/none/mcp").await.expect(404);
    let server = world.get_bare("/.well-known/oauth-authorization-server").await.expect(200);
    assert_eq!(server.json["issuer"], world.public_url);
    assert_eq!(server.json["code_challenge_methods_supported"], json!(["S256"]));
    assert_eq!(server.json["authorization_response_iss_parameter_supported"], true);
    assert_eq!(server.json["client_id_metadata_document_supported"], true);
    for endpoint in ["authorization_endpoint", "token_endpoint", "registration_endpoint"] {
        assert!(server.text(endpoint).starts_with(&format!("{}/oauth/", world.public_url)), "{endpoint}");
    }
    assert_eq!(server.header("access-control-allow-origin"), "*");
    let off = world.replica_with(&[("CAUSEWAY_MCP_CLIENTS", "off")]).await;
    let server = off.get_bare("/.well-known/oauth-authorization-server").await;
    assert!(server.json.get("registration_endpoint").is_none());
    assert_eq!(server.json["client_id_metadata_document_supported"], false);
}

#[tokio::test]
async fn the_token_request_may_repeat_the_resource_and_nothing_else() {
    let world = World::start().await;
    let client_id = world.register(&[MCP_CALLBACK]).await;
    let back: Back = world
        .consent_twice(&mut world.browser(), &Request::of_mcp(&world, &client_id, MCP_CALLBACK), "alice")
        .await;
    let redeem = |resource: String| {
        let form = [
            ("grant_type", "authorization_code".to_owned()),
            ("client_id", client_id.clone()),
            ("code", back.code.clone()),
            ("redirect_uri", MCP_CALLBACK.to_owned()),
            ("code_verifier", VERIFIER.to_owned()),
            ("resource", resource),
        ];
        world.send(world.http.post(format!("{}/oauth/token", world.url)).form(&form))
    };
    redeem(format!("{}/v1", world.public_url)).await.expect_error(400, "invalid_target");
    redeem("https://elsewhere.example/mcp".to_owned()).await.expect_error(400, "invalid_target");
    redeem(format!("{}/mcp", world.public_url)).await.expect(200);
    assert_eq!(param(&back.url, "iss").unwrap(), world.public_url);
}
