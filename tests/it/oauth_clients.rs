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
    assert!(page.text().contains("calls itself “Inspector”"), "{}", page.text());
}

#[tokio::test]
async fn a_registration_that_is_too_much_or_too_strange_is_refused() {
    let world = World::start().await;
    let long = format!("http://127.0.0.1/{}", "x".repeat(512));
    for uris in [
        json!([]),
        json!(["https://evil.example/cb"]),
        json!(["javascript:alert(1)"]),
        json!(["http://evil.example/cb", "https://evil.example/cb"]),
        json!(["http://127.0.0.1/cb#fragment"]),
        json!(["http://127.0.0.1\\@evil.example/"]),
        json!([long]),
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
    let uris = json!([elsewhere, "javascript:alert(1)", MCP_CALLBACK, "http://evil.example/", CONNECTOR]);
    let answer = registering(&world, &json!({ "redirect_uris": uris })).await.expect(201);
    assert_eq!(answer.json["redirect_uris"], json!([MCP_CALLBACK, CONNECTOR]));
    let request = Request::of_mcp(&world, answer.text("client_id"), elsewhere);
    assert_eq!(world.browser().get(&request.url(&world.url)).await.status, 400);
    let any = world.replica_with(&[("CAUSEWAY_MCP_CLIENTS", "any")]).await;
    assert_eq!(any.browser().get(&request.url(&any.public_url)).await.status, 400);
    // Of many, the first five.
    let many: Vec<String> = (1..=8).map(|port| format!("http://127.0.0.1:{port}/cb")).collect();
    let answer = registering(&world, &json!({ "redirect_uris": many })).await.expect(201);
    assert_eq!(answer.json["redirect_uris"], json!(many[..5]));
}

#[tokio::test]
async fn a_refused_registration_names_what_was_refused_and_the_variable_that_would_allow_it() {
    let world = World::start().await;
    let copilot = "https://global.consent.azure-apim.net/redirect/causeway-5f0c";
    let gpts = "https://chatgpt.com/aip/g-attacker/oauth/callback";
    let metadata =
        json!({ "redirect_uris": [copilot, "https:chatgpt.com/\"\r\n\u{e9}", gpts, "http://a.example/"] });
    let answer = registering(&world, &metadata).await.expect_error(400, "invalid_redirect_uri");
    let told = answer.text("error_description");
    for words in [
        &format!("{copilot} is not allowed here"),
        "https:chatgpt.com/???",
        &format!("{gpts} is the callback of a custom GPT"),
        "and others",
        "CAUSEWAY_MCP_CLIENTS",
        "known,https://global.consent.azure-apim.net/redirect/ID for Copilot Studio",
    ] {
        assert!(told.contains(words), "{words}: {told}");
    }
    assert!(told.bytes().all(|byte| (0x20..=0x7e).contains(&byte) && byte != b'"'), "{told}");
    let listed = world.replica_with(&[("CAUSEWAY_MCP_CLIENTS", &format!("known,{copilot}"))]).await;
    let client_id = listed.register(&[copilot]).await;
    let page = listed.browser().get(&Request::of_mcp(&listed, &client_id, copilot).url(&listed.url)).await;
    assert!(
        page.text().contains("A client at global.consent.azure-apim.net , which the operator"),
        "{}",
        page.text()
    );
    // The person is told the same at authorize, where the operator no longer allows it.
    let page = world.browser().get(&Request::of_mcp(&world, &client_id, copilot).url(&world.url)).await;
    assert_eq!((page.status, &page.left_to), (400, &None));
    let other = world.register(&[MCP_CALLBACK]).await;
    let page = world.browser().get(&Request::of_mcp(&world, &other, copilot).url(&world.url)).await;
    assert!(page.text().contains(copilot) && page.text().contains("CAUSEWAY_MCP_CLIENTS"), "{}", page.text());
}

#[tokio::test]
async fn anybodys_own_gpt_gets_no_code_without_a_secret() {
    let gpts = "https://chatgpt.com/aip/g-attacker/oauth/callback";
    for clients in ["known", "any", "chatgpt.com", "chatgpt.com,chat.openai.com,any"] {
        let world = World::with(&[("CAUSEWAY_MCP_CLIENTS", clients)]).await;
        for uri in [gpts, "https://chatgpt.com/cb", "https://chatgpt.com/%61ip/g-attacker/oauth/callback"] {
            let answer = registering(&world, &json!({ "redirect_uris": [uri] })).await;
            let is_page = clients.contains("any") && uri == "https://chatgpt.com/cb";
            assert_eq!(answer.status, if is_page { 201 } else { 400 }, "{clients} {uri}");
        }
        let pinned = "https://chatgpt.com/oauth/client.json";
        let page = world.browser().get(&Request::of_mcp(&world, pinned, gpts).url(&world.url)).await;
        assert_eq!((page.status, page.left_to), (400, None), "{clients}");
    }
}

#[tokio::test]
async fn redirects_that_readers_take_differently_are_refused_everywhere() {
    let world = World::with(&[("CAUSEWAY_MCP_CLIENTS", "any")]).await;
    let registered = world.register(&[CONNECTOR, "https://agent.example/cb", MCP_CALLBACK]).await;
    for odd in [
        "https:chatgpt.com/connector/oauth/AbC_1-2",
        "https:/chatgpt.com/connector/oauth/AbC_1-2",
        "HTTPS://chatgpt.com/connector/oauth/AbC_1-2",
        "https://chatgpt.com:443/connector/oauth/AbC_1-2",
        "https://chatgpt.com:/connector/oauth/AbC_1-2",
        "https://chatgpt.com./connector/oauth/AbC_1-2",
        "https://%63hatgpt.com/connector/oauth/AbC_1-2",
        "https://chatgpt.com/a/../connector/oauth/AbC_1-2",
        "https://u@chatgpt.com/connector/oauth/AbC_1-2",
        "https://chatgpt.com/connector/oauth/AbC_1-2#",
        "https:\\\\chatgpt.com/connector/oauth/AbC_1-2",
        "https://ch\u{430}tgpt.com/connector/oauth/AbC_1-2",
        "https://xn--chtgpt-4nf.com/connector/oauth/AbC_1-2",
        "https://chatgpt.com/connector/oauth/AbC_1-2\t",
        "https://agent.example:443/cb",
        "https://0x7f000001/cb",
        "http://127.1:33418/cb",
        "http://127.0.0.1:/cb",
        "http://agent.example/cb",
        "javascript:alert(1)",
        "data:text/html,x",
        "blob:https://agent.example/x",
        "view-source:https://agent.example/cb",
        "intent://agent.example/cb",
        "app://unlisted/cb",
    ] {
        registering(&world, &json!({ "redirect_uris": [odd] }))
            .await
            .expect_error(400, "invalid_redirect_uri");
        for client_id in [registered.as_str(), CLIENT_ID, "https://chatgpt.com/oauth/client.json"] {
            let page = world.browser().get(&Request::of_mcp(&world, client_id, odd).url(&world.url)).await;
            assert_eq!((page.status, page.left_to), (400, None), "{client_id} {odd}");
        }
    }
}

#[tokio::test]
async fn a_known_clients_document_is_pinned_and_its_redirects_are_held_to_it() {
    let world = World::start().await;
    let chatgpt = "https://chatgpt.com/oauth/client.json";
    let code = "https://claude.ai/oauth/claude-code-client-metadata";
    for (document, redirect, status) in [
        (chatgpt, CONNECTOR, 200),
        (chatgpt, "https://chatgpt.com/connector_platform_oauth_redirect", 200),
        (chatgpt, MCP_CALLBACK, 400),
        (chatgpt, "https://claude.ai/api/mcp/auth_callback", 400),
        (
            "https://claude.ai/oauth/mcp-oauth-client-metadata",
            "https://claude.com/api/mcp/auth_callback",
            200,
        ),
        (code, "http://localhost:51234/callback", 200),
        (code, "http://127.0.0.1/callback", 200),
        (code, "http://localhost:51234/other", 400),
        ("https://claude.ai/oauth/another", "https://claude.ai/api/mcp/auth_callback", 400),
    ] {
        let page = world.browser().get(&Request::of_mcp(&world, document, redirect).url(&world.url)).await;
        assert_eq!((page.status, page.left_to), (status, None), "{document} {redirect}");
    }
    let request = Request::of_mcp(&world, chatgpt, CONNECTOR);
    let back = world.consent_twice(&mut world.browser(), &request, "alice").await;
    let session = Session::of(world.redeem_publicly(chatgpt, CONNECTOR, &back.code).await);
    let session = Session::of(world.refresh_publicly(chatgpt, &session.refresh_token).await);
    assert!(world.knock(&session, "/mcp").await.status != 401);
}

#[tokio::test]
async fn the_consent_page_says_who_asks_where_it_leads_and_what_it_can_do() {
    let world = World::with(&[("CAUSEWAY_NAME", "Acme <Wiki>"), ("CAUSEWAY_OPERATOR", "Acme <IT>")]).await;
    let client_id = world.register(&[CONNECTOR]).await;
    let page = world.browser().get(&Request::of_mcp(&world, &client_id, CONNECTOR).url(&world.url)).await;
    assert_eq!(page.status, 200);
    for words in [
        "ChatGPT, at chatgpt.com , asks to use Confluence as you",
        CONNECTOR,
        "confluence:read",
        "Search and read the pages",
        "within the limits of “Acme <Wiki>”",
        "Continue only if you started this yourself a moment ago.",
        "run by Acme <IT>",
        &world.public_url,
    ] {
        assert!(page.text().contains(words), "{words}: {}", page.text());
    }
    // What it calls itself does not matter where it is known by where it is called back.
    assert!(!page.text().contains("Helper") && !page.text().contains("calls itself"), "{}", page.text());
    assert!(page.html.contains(&format!("href=\"{}/privacy\"", world.public_url)));
    assert!(!page.html.contains("<IT>") && !page.html.contains("<script"));
    let policy = page.headers["content-security-policy"].to_str().unwrap();
    assert!(policy.contains("default-src 'none'") && policy.contains("frame-ancestors 'none'"), "{policy}");
    assert!(!policy.contains("form-action"));
    assert_eq!(page.headers["x-frame-options"], "DENY");
    assert_eq!(page.headers["cache-control"], "no-store");
    assert!(page.headers.get("cross-origin-opener-policy").is_none());
}

#[tokio::test]
async fn an_app_on_this_computer_is_not_named_and_strangers_are_warned_of() {
    let world =
        World::with(&[("CAUSEWAY_MCP_CLIENTS", "known,agent.example,myapp://cb,https://listed.example/cb")])
            .await;
    for redirect in [
        MCP_CALLBACK,
        "cursor://anysphere.cursor-mcp/oauth/callback",
        "https://vscode.dev/redirect",
        "https://insiders.vscode.dev/redirect",
        "myapp://cb",
    ] {
        let metadata = json!({ "client_name": "Chat\u{202e}GPT \u{2800}<b>", "redirect_uris": [redirect] });
        let client_id = registering(&world, &metadata).await.expect(201).text("client_id").to_owned();
        let page = world.browser().get(&Request::of_mcp(&world, &client_id, redirect).url(&world.url)).await;
        let text = page.text();
        for words in [
            "An app on this computer asks to use Confluence as you",
            "calls itself “ChatGPT <b>”, but nobody here has checked",
            "never send its address to anybody",
            redirect,
        ] {
            assert!(text.contains(words), "{words}: {text}");
        }
        assert!(!page.html.contains("<b>"));
        for named in ["Cursor", "Visual Studio Code"] {
            assert!(!text.contains(named), "{text}");
        }
    }
    let stranger = "https://agent.example/any/path?x=1";
    let nameless = json!({ "client_name": "\u{200b}\u{3164}\u{2800}", "redirect_uris": [stranger] });
    for metadata in [nameless, json!({ "client_name": "ChatGPT", "redirect_uris": [stranger] })] {
        let client_id = registering(&world, &metadata).await.expect(201).text("client_id").to_owned();
        let text =
            world.browser().get(&Request::of_mcp(&world, &client_id, stranger).url(&world.url)).await.text();
        for words in ["Somebody at agent.example", "If you do not know agent.example, choose Deny", stranger]
        {
            assert!(text.contains(words), "{words}: {text}");
        }
        assert_eq!(text.contains("calls itself “ChatGPT”"), metadata["client_name"] == "ChatGPT", "{text}");
    }
    let listed = "https://listed.example/cb";
    let client_id = world.register(&[listed]).await;
    let text = world.browser().get(&Request::of_mcp(&world, &client_id, listed).url(&world.url)).await.text();
    assert!(text.contains("A client at listed.example , which the operator of this gateway knows"), "{text}");
}

#[tokio::test]
async fn a_denial_goes_back_at_once_to_known_clients_and_to_this_computer_alone() {
    let world =
        World::with(&[("CAUSEWAY_MCP_CLIENTS", "known,agent.example,https://listed.example/cb")]).await;
    let deny = async |redirect: &str| {
        let client_id = world.register(&[redirect]).await;
        let mut browser = world.browser();
        let page = browser.get(&Request::of_mcp(&world, &client_id, redirect).url(&world.url)).await;
        browser.submit(&page, &[("decision", "deny")]).await
    };
    for at_once in [
        CONNECTOR,
        MCP_CALLBACK,
        "https://vscode.dev/redirect",
        "cursor://anysphere.cursor-mcp/oauth/callback",
        "https://listed.example/cb",
    ] {
        let page = deny(at_once).await;
        assert!(page.left().starts_with(&format!("{at_once}?error=access_denied&")), "{}", page.left());
        assert_eq!(param(page.left(), "state").as_deref(), Some("s"));
        assert_eq!(param(page.left(), "iss").unwrap(), world.public_url);
    }
    let page = deny("https://agent.example/cb").await;
    assert_eq!((page.status, &page.left_to), (200, &None));
    assert!(page.html.contains("href=\"https://agent.example/cb?error=access_denied"), "{}", page.html);
}

#[tokio::test]
async fn consent_is_asked_for_at_every_sign_in() {
    let world = World::start().await;
    let client_id = world.register(&[CONNECTOR]).await;
    let mut browser = world.browser();
    let request = Request::of_mcp(&world, &client_id, CONNECTOR);
    for _ in 0..3 {
        world.consent_twice(&mut browser, &request, "alice").await;
    }
    // One cookie, which ties a sign-in to the browser.
    assert_eq!(browser.set_cookies.len(), 1);
    // Errors are shown, however often it was allowed before.
    let page = browser.get(&request.clone().without("code_challenge").url(&world.url)).await;
    assert_eq!((page.status, page.left_to), (400, None));
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

#[tokio::test]
async fn a_gpt_without_mcp_has_no_door_for_it_and_earlier_tokens_are_refused() {
    let secrets = [("SALES_SECRET", "sales!secret"), ("HR_SECRET", "hr!secret+")];
    let world = World::with_file(TWO_GPTS, &secrets).await;
    let client_id = world.register(&[MCP_CALLBACK]).await;
    let of_hr = |world: &World| {
        let resource = format!("{}/gpts/hr/mcp", world.public_url);
        Request::of_mcp(world, &client_id, MCP_CALLBACK).and("resource", &resource)
    };
    let back = world.consent_twice(&mut world.browser(), &of_hr(&world), "alice").await;
    let session = Session::of(world.redeem_publicly(&client_id, MCP_CALLBACK, &back.code).await);
    let pending = world.consent_twice(&mut world.browser(), &of_hr(&world), "alice").await.code;
    assert_eq!(world.knock(&session, "/gpts/hr/mcp").await.status, 200);

    let without = World::with_file(&format!("{TWO_GPTS}mcp = false\n"), &secrets).await;
    let off = world.replica_with(&[("CAUSEWAY_CONFIG", &without.env["CAUSEWAY_CONFIG"])]).await;
    off.knock(&session, "/gpts/hr/mcp").await.expect(404);
    off.get_bare("/.well-known/oauth-protected-resource/gpts/hr/mcp").await.expect(404);
    off.refresh_publicly(&client_id, &session.refresh_token).await.expect_error(400, "invalid_grant");
    off.redeem_publicly(&client_id, MCP_CALLBACK, &pending).await.expect_error(400, "invalid_grant");
    let page = off.browser().get(&of_hr(&off).url(&off.url)).await;
    assert!(page.status == 400 && page.text().contains("invalid_target"), "{}", page.text());
    let configured = of_hr(&off).and("client_id", "hr/+2").and("redirect_uri", CONNECTOR);
    assert_eq!(off.browser().get(&configured.url(&off.url)).await.status, 400);
    let configured = configured.and("redirect_uri", GPT_CALLBACK);
    let page = off.browser().get(&configured.url(&off.url)).await;
    assert!(page.left().contains("error=invalid_target"), "{}", page.left());
    // The other GPT's door is open, and is the one that is meant without a resource.
    let unnamed = Request::of_mcp(&off, &client_id, MCP_CALLBACK).without("resource");
    let back = off.consent_twice(&mut off.browser(), &unnamed, "alice").await;
    let session = Session::of(off.redeem_publicly(&client_id, MCP_CALLBACK, &back.code).await);
    assert_eq!(off.knock(&session, "/mcp").await.status, 200);
    let setup = off.get_bare("/").await.expect(200).body;
    assert!(setup.contains(&format!("{}/mcp", off.public_url)) && !setup.contains("/gpts/hr/mcp"), "{setup}");

    let none = TWO_GPTS.replace("[[gpt]]\nslug", "[[gpt]]\nmcp = false\nslug");
    let none = World::with_file(&none, &secrets).await;
    registering(&none, &json!({ "redirect_uris": [MCP_CALLBACK] })).await.expect(404);
    none.get_bare("/.well-known/oauth-protected-resource/mcp").await.expect(404);
    none.knock(&session, "/mcp").await.expect(404);
    let server = none.get_bare("/.well-known/oauth-authorization-server").await.expect(200);
    assert!(server.json.get("registration_endpoint").is_none());
    assert!(!none.get_bare("/").await.expect(200).body.contains("MCP"));
}

#[tokio::test]
async fn a_narrower_list_of_clients_holds_for_what_is_out_already() {
    let world = World::with(&[("CAUSEWAY_MCP_CLIENTS", "any")]).await;
    let agent = "https://agent.example/cb";
    let client_id = world.register(&[agent, MCP_CALLBACK]).await;
    let request = Request::of_mcp(&world, &client_id, agent);
    let back = world.consent_twice(&mut world.browser(), &request, "alice").await;
    let session = Session::of(world.redeem_publicly(&client_id, agent, &back.code).await);
    let pending = world.consent_twice(&mut world.browser(), &request, "alice").await.code;
    let known = world.replica_with(&[("CAUSEWAY_MCP_CLIENTS", "known")]).await;
    known.refresh_publicly(&client_id, &session.refresh_token).await.expect_error(400, "invalid_grant");
    known.redeem_publicly(&client_id, agent, &pending).await.expect_error(400, "invalid_grant");
    Session::of(world.refresh_publicly(&client_id, &session.refresh_token).await);
}
