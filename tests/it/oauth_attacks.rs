//! The attacks that facades of this kind have met. Each test was seen to fail with its guard removed.

use crate::support::{
    Back, CHALLENGE, CLIENT_ID, CLIENT_SECRET, GPT_CALLBACK, MCP_CALLBACK, Request, Session, VERIFIER, World,
    encode, param, secret,
};

const CONNECTOR: &str = "https://chatgpt.com/connector/oauth/AbC_1-2";

const TWO_GPTS: &str = r#"
[[gpt]]
slug = "sales"
client_id = "sales/+1"
client_secret = { env = "SALES_SECRET" }
[[gpt]]
slug = "hr"
client_id = "hr/+2"
client_secret = { env = "HR_SECRET" }
"#;

async fn two_gpts() -> World {
    World::with_file(TWO_GPTS, &[("SALES_SECRET", "sales!secret"), ("HR_SECRET", "hr!secret+")]).await
}

#[tokio::test]
async fn a_client_nobody_approved_never_reaches_atlassian() {
    let world = World::start().await;
    // The person has consented at Atlassian before: only our own page stands between.
    world.sign_in("alice").await;
    let client_id = world.register(&[CONNECTOR]).await;
    let mut browser = world.browser();
    let request = Request::of_mcp(&world, &client_id, CONNECTOR);
    let page = browser.get(&request.url(&world.url)).await;
    assert!(page.url.starts_with(&world.url) && page.html.contains("/oauth/consent"));
    // What the page holds is no state: it does not skip the page.
    let (_, sealed) = page.hidden_fields().remove(0);
    let skipped = browser.get(&format!("{}/oauth/callback?code=1&state={sealed}", world.url)).await;
    assert_eq!((skipped.status, skipped.left_to), (400, None));
    // Its errors are shown, so that nobody is sent anywhere unasked.
    let page = browser.get(&request.and("response_type", "token").url(&world.url)).await;
    assert_eq!((page.status, page.left_to), (400, None));
}

#[tokio::test]
async fn consent_given_in_another_browser_does_not_count() {
    let world = World::start().await;
    let (mut attacker, mut victim) = (world.browser(), world.browser());
    victim.get(&Request::of_chatgpt().url(&world.url)).await;
    // The attacker begins, and lets the victim finish.
    let atlassian = attacker.get(&Request::of_chatgpt().url(&world.url)).await;
    for browser in [&mut victim, &mut world.browser()] {
        let page = browser.submit(&atlassian, &[("person", "alice"), ("decision", "allow")]).await;
        assert_eq!((page.status, &page.left_to), (400, &None));
        assert!(page.text().contains("another browser"), "{}", page.text());
    }
    // The attacker's own consent page in the victim's browser is no better.
    let client_id = world.register(&[CONNECTOR]).await;
    let ours = attacker.get(&Request::of_mcp(&world, &client_id, CONNECTOR).url(&world.url)).await;
    let page = victim.submit(&ours, &[("decision", "allow")]).await;
    assert_eq!((page.status, page.left_to), (400, None));
}

#[tokio::test]
async fn a_decision_posted_from_another_site_does_not_count() {
    let world = World::start().await;
    let client_id = world.register(&[CONNECTOR]).await;
    let mut browser = world.browser();
    let page = browser.get(&Request::of_mcp(&world, &client_id, CONNECTOR).url(&world.url)).await;
    let (_, sealed) = page.hidden_fields().remove(0);
    let form = [("request", sealed.as_str()), ("decision", "allow")];
    let url = format!("{}/oauth/consent", world.public_url);
    for origin in ["https://evil.example", "null"] {
        let page = browser.post(&url, &form, Some(origin)).await;
        assert_eq!((page.status, page.left_to), (400, None), "{origin}");
    }
    for forged in [("request", "v4.local.AAAA"), ("request", ""), ("decision", "maybe")] {
        let mut form = form.to_vec();
        form.retain(|(name, _)| *name != forged.0);
        form.push(forged);
        assert_eq!(browser.post(&url, &form, Some(&world.public_url)).await.status, 400);
    }
    assert!(browser.post(&url, &form, Some(&world.public_url)).await.url.starts_with(&world.sandbox_url));
}

#[tokio::test]
async fn an_old_consent_page_decides_nothing() {
    let world = World::start().await;
    let client_id = world.register(&[CONNECTOR]).await;
    let mut browser = world.browser();
    let page = browser.get(&Request::of_mcp(&world, &client_id, CONNECTOR).url(&world.url)).await;
    world.clock.advance(std::time::Duration::from_secs(900));
    let page = browser.submit(&page, &[("decision", "allow")]).await;
    assert_eq!(page.status, 400);
}

#[tokio::test]
async fn a_replayed_callback_gives_no_second_session() {
    let world = World::start().await;
    let mut browser = world.browser();
    let atlassian = browser.get(&Request::of_chatgpt().url(&world.url)).await;
    let state = param(&atlassian.url, "state").unwrap();
    let first = Back::at(&browser.submit(&atlassian, &[("person", "alice"), ("decision", "allow")]).await);
    Session::of(world.redeem(&first.code).await);
    // One sign-in gives one code: nothing else is taken for another of the same.
    let url = |code: &str| format!("{}/oauth/callback?code={code}&state={}", world.url, encode(&state));
    let again = browser.get(&url("made-up")).await;
    assert_eq!((again.status, again.left_to), (400, None));
    world.sandbox.forget_calls();
    world.redeem(&first.code).await.expect_error(400, "invalid_grant");
    assert_eq!(world.calls_to("/oauth/token"), 0);
}

#[tokio::test]
async fn a_code_of_another_client_is_worth_nothing() {
    let world = World::start().await;
    let code = world.code("alice").await;
    let public = world.register(&[MCP_CALLBACK]).await;
    world.redeem_publicly(&public, GPT_CALLBACK, &code).await.expect_error(400, "invalid_grant");
    world.redeem_publicly("causeway-docs", GPT_CALLBACK, &code).await.expect_error(400, "invalid_grant");
    let request = Request::of_mcp(&world, &public, MCP_CALLBACK);
    let back = world.consent_twice(&mut world.browser(), &request, "alice").await;
    let other = world.register(&[MCP_CALLBACK]).await;
    world.redeem_publicly(&other, MCP_CALLBACK, &back.code).await.expect_error(400, "invalid_grant");
    let form = [
        ("grant_type", "authorization_code"),
        ("client_id", CLIENT_ID),
        ("client_secret", CLIENT_SECRET),
        ("code", &back.code),
        ("redirect_uri", MCP_CALLBACK),
        ("code_verifier", VERIFIER),
    ];
    world.token(&form).await.expect_error(400, "invalid_grant");
    world.redeem_publicly(&public, MCP_CALLBACK, &back.code).await.expect(200);
}

#[tokio::test]
async fn what_is_tampered_with_cut_or_sealed_elsewhere_does_not_open() {
    let world = World::start().await;
    let elsewhere = World::with(&[("CAUSEWAY_SECRET", &secret(9))]).await;
    let session = world.sign_in("alice").await;
    let (code, foreign) = (world.code("alice").await, elsewhere.sign_in("alice").await);
    let changed = |sealed: &str| {
        let at = sealed.len() / 2;
        let other = if &sealed[at..=at] == "A" { "B" } else { "A" };
        format!("{}{other}{}", &sealed[..at], &sealed[at + 1..])
    };
    for bad in [changed(&code), code[..code.len() - 4].to_owned(), elsewhere.code("alice").await] {
        world.redeem(&bad).await.expect_error(400, "invalid_grant");
    }
    let refresh = &session.refresh_token;
    for bad in [changed(refresh), refresh[..refresh.len() - 4].to_owned(), foreign.refresh_token] {
        world.refresh(&bad).await.expect_error(400, "invalid_grant");
    }
    let access = &session.access_token;
    for access_token in [changed(access), access[..access.len() - 4].to_owned(), foreign.access_token] {
        world.get(&Session { access_token, ..session.clone() }, "/v1/me").await.expect(401);
    }
    let mut browser = world.browser();
    let atlassian = browser.get(&Request::of_chatgpt().url(&world.url)).await;
    let state = param(&atlassian.url, "state").unwrap();
    let foreign = elsewhere.browser().get(&Request::of_chatgpt().url(&elsewhere.url)).await;
    for bad in [
        changed(&state),
        state[..state.len() - 4].to_owned(),
        param(&foreign.url, "state").unwrap(),
        code.clone(),
    ] {
        let page = browser.get(&format!("{}/oauth/callback?code=1&state={}", world.url, encode(&bad))).await;
        assert_eq!((page.status, page.left_to), (400, None));
    }
}

#[tokio::test]
async fn no_trick_leads_a_redirect_astray() {
    let world = World::start().await;
    let claude = "https://claude.ai/api/mcp/auth_callback";
    let registered = world.register(&[MCP_CALLBACK, claude]).await;
    let docs = format!("{}/docs/oauth2-redirect.html", world.public_url);
    let cases = [
        (Request::of_chatgpt(), GPT_CALLBACK.to_owned()),
        (Request::of_docs(&world), docs),
        (Request::of_mcp(&world, &registered, ""), claude.to_owned()),
        (Request::of_mcp(&world, CLIENT_ID, ""), CONNECTOR.to_owned()),
    ];
    for (request, good) in cases {
        let (scheme, rest) = good.split_once("://").unwrap();
        let (host, path) = rest.split_once('/').unwrap();
        for bad in [
            format!("{good}/"),
            format!("{good}?x=1"),
            format!("{good}#x"),
            format!("{good}/../x"),
            format!("{good}%00"),
            format!("{good} "),
            format!("{scheme}://{host}.evil.example/{path}"),
            format!("{scheme}://{host}@evil.example/{path}"),
            format!("{scheme}://evil.example\\@{host}/{path}"),
            format!("{scheme}://{host}:444/{path}"),
            format!("{scheme}://{}/{path}", host.to_uppercase().replace('1', "%31")),
            format!("{}://{host}/{path}", scheme.to_uppercase()),
            format!("{scheme}://{host}//{path}"),
            format!("{scheme}://{host}/{}", path.to_uppercase()),
            format!("{scheme}://{host}/{}", path.replacen('c', "%63", 1)),
            format!("//{host}/{path}"),
            format!("https://evil.example/?{good}"),
            format!("javascript:alert('{good}')"),
        ] {
            let page = world.browser().get(&request.clone().and("redirect_uri", &bad).url(&world.url)).await;
            assert_eq!((page.status, page.left_to), (400, None), "{bad}");
        }
        let page = world.browser().get(&request.and("redirect_uri", &good).url(&world.url)).await;
        assert_eq!(page.status, 200, "{good}: {}", page.text());
    }
    let code = world.code("alice").await;
    for bad in
        [GPT_CALLBACK.replace("g-test", "g-other"), format!("{GPT_CALLBACK}/"), GPT_CALLBACK.to_uppercase()]
    {
        let form = [
            ("grant_type", "authorization_code"),
            ("client_id", CLIENT_ID),
            ("client_secret", CLIENT_SECRET),
            ("code", &code),
            ("redirect_uri", &bad),
        ];
        world.token(&form).await.expect_error(400, "invalid_grant");
    }
}

#[tokio::test]
async fn metadata_documents_lead_to_no_private_address() {
    let ours = "https://wiki.example.com";
    let world = World::with(&[("CAUSEWAY_MCP_CLIENTS", "any"), ("CAUSEWAY_PUBLIC_URL", ours)]).await;
    for url in [
        "https://localhost/client.json",
        "https://127.0.0.1/client.json",
        "https://[::1]/client.json",
        "https://[::ffff:7f00:1]/client.json",
        "https://10.0.0.1/client.json",
        "https://169.254.169.254/latest/meta-data",
        "https://0.0.0.0/client.json",
    ] {
        let request = Request::of_mcp(&world, url, "https://a.example/cb");
        let page = world.browser().get(&request.url(ours)).await;
        assert_eq!((page.status, &page.left_to), (400, &None), "{url}");
        assert!(page.text().contains("could not be used"), "{url}: {}", page.text());
    }
    for url in [
        "http://a.example/client.json",
        "https://a.example:8443/client.json",
        "https://u@a.example/client.json",
        "https://a.example/client.json?x",
        "https://a.example/client.json#x",
        "https://a.example",
        "https://a.example/a/../client.json",
        "https://A.example/client.json",
        "https://wiki.example.com/client.json",
        "file:///etc/passwd",
    ] {
        let request = Request::of_mcp(&world, url, "https://a.example/cb");
        let page = world.browser().get(&request.url(ours)).await;
        assert!(page.text().contains("not known here"), "{url}: {}", page.text());
    }
    let known = World::start().await;
    let request = Request::of_mcp(&known, "https://agent.example/client.json", "https://agent.example/cb");
    assert!(known.browser().get(&request.url(&known.url)).await.text().contains("not known here"));
}

#[tokio::test]
async fn a_refresh_token_is_worth_nothing_to_another_client() {
    const SALES: &[(&str, &str)] = &[("client_id", "sales/+1"), ("client_secret", "sales!secret")];
    const HR: &[(&str, &str)] = &[("client_id", "hr/+2"), ("client_secret", "hr!secret+")];
    let world = two_gpts().await;
    let session = Session::of(sales_answer(&world).await);
    let try_as = |client: &'static [(&'static str, &'static str)]| {
        let form =
            [&[("grant_type", "refresh_token"), ("refresh_token", session.refresh_token.as_str())], client]
                .concat();
        let request = world.http.post(format!("{}/oauth/token", world.url)).form(&form);
        world.send(request)
    };
    // Not even when an answer is there to be shared.
    for _ in 0..2 {
        try_as(HR).await.expect_error(400, "invalid_grant");
        try_as(&[("client_id", "causeway-docs")]).await.expect_error(400, "invalid_grant");
        try_as(&[("client_id", "sales/+1")]).await.expect_error(401, "invalid_client");
        try_as(SALES).await.expect(200);
    }
}

async fn sales_answer(world: &World) -> crate::support::Answer {
    let request = Request::of_chatgpt().and("client_id", "sales/+1");
    let back = world.consent(&mut world.browser(), &request, "alice").await;
    let form = [
        ("grant_type", "authorization_code"),
        ("client_id", "sales/+1"),
        ("client_secret", "sales!secret"),
        ("code", &back.code),
        ("redirect_uri", GPT_CALLBACK),
    ];
    world.token(&form).await
}

#[tokio::test]
async fn a_token_opens_one_door_of_one_gpt() {
    let world = two_gpts().await;
    let sales = Session::of(sales_answer(&world).await);
    world.get(&sales, "/v1/me").await.expect(200);
    for path in ["/mcp", "/gpts/sales/mcp", "/gpts/hr/mcp"] {
        world.knock(&sales, path).await.expect(401);
    }
    let client_id = world.register(&[MCP_CALLBACK]).await;
    let hr = Request::of_mcp(&world, &client_id, MCP_CALLBACK)
        .and("resource", &format!("{}/gpts/hr/mcp", world.public_url));
    let back = world.consent_twice(&mut world.browser(), &hr, "alice").await;
    let hr = Session::of(world.redeem_publicly(&client_id, MCP_CALLBACK, &back.code).await);
    world.get(&hr, "/v1/me").await.expect(401);
    for path in ["/mcp", "/gpts/sales/mcp"] {
        world.knock(&hr, path).await.expect(401);
    }
    assert!(world.knock(&hr, "/gpts/hr/mcp").await.status != 401);
    // A configured client cannot ask for another GPT's doors.
    for resource in ["/gpts/hr/v1", "/gpts/hr/mcp"] {
        let request = Request::of_chatgpt().and("client_id", "sales/+1").with_pkce();
        let request = request.and("resource", &format!("{}{resource}", world.public_url));
        let page = world.browser().get(&request.url(&world.url)).await;
        assert!(page.left().contains("error=invalid_target"), "{}", page.left());
    }
}

#[tokio::test]
async fn pkce_cannot_be_downgraded_or_left_out() {
    let world = World::start().await;
    let mut browser = world.browser();
    let registered = world.register(&[CONNECTOR]).await;
    let docs = format!("{}/docs/oauth2-redirect.html?error=invalid_request", world.public_url);
    for (request, error) in [
        (Request::of_mcp(&world, &registered, CONNECTOR), format!("{}/oauth/authorize?", world.url)),
        (Request::of_mcp(&world, CLIENT_ID, CONNECTOR), format!("{CONNECTOR}?error=invalid_request")),
        (Request::of_docs(&world), docs),
    ] {
        for weak in [
            request.clone().without("code_challenge").without("code_challenge_method"),
            request.clone().without("code_challenge_method"),
            request.clone().without("code_challenge"),
            request.clone().and("code_challenge_method", "plain"),
            request.clone().and("code_challenge", &CHALLENGE[1..]),
        ] {
            let page = browser.get(&weak.url(&world.url)).await;
            assert!(!page.html.contains("/oauth/consent"), "{}", page.text());
            let reached = page.left_to.unwrap_or(page.url);
            assert!(reached.starts_with(&error), "{reached}");
        }
    }
    // A challenge demands its verifier, and a verifier its challenge.
    let form = |code: &str, verifier: Option<&str>| {
        let mut form = vec![
            ("grant_type", "authorization_code".to_owned()),
            ("client_id", CLIENT_ID.to_owned()),
            ("client_secret", CLIENT_SECRET.to_owned()),
            ("code", code.to_owned()),
            ("redirect_uri", GPT_CALLBACK.to_owned()),
        ];
        form.extend(verifier.map(|verifier| ("code_verifier", verifier.to_owned())));
        world.send(world.http.post(format!("{}/oauth/token", world.url)).form(&form))
    };
    let with = world.consent(&mut browser, &Request::of_chatgpt().with_pkce(), "alice").await.code;
    form(&with, None).await.expect_error(400, "invalid_grant");
    form(&with, Some(CHALLENGE)).await.expect_error(400, "invalid_grant");
    form(&with, Some(VERIFIER)).await.expect(200);
    let without = world.code("alice").await;
    form(&without, Some(VERIFIER)).await.expect_error(400, "invalid_grant");
    form(&without, None).await.expect(200);
}

#[tokio::test]
async fn nothing_in_state_or_scope_becomes_a_header() {
    let world = World::start().await;
    let evil = "x\r\nSet-Cookie: evil=1\r\n\r\n<script>";
    for name in ["state", "scope", "resource", "client_id", "redirect_uri", "unknown"] {
        let mut browser = world.browser();
        let page = browser.get(&Request::of_chatgpt().and(name, evil).url(&world.url)).await;
        assert!(browser.set_cookies.is_empty() && !page.html.contains("<script"), "{name}");
        let reached = page.left_to.clone().unwrap_or_default();
        assert!(page.status == 400 || reached.contains("error=invalid_request"), "{name}: {reached}");
    }
    // What is allowed is encoded.
    let request = Request::of_chatgpt().and("state", "a\tb&code=evil#\u{85}");
    let back = world.consent(&mut world.browser(), &request, "alice").await;
    assert!(back.url.contains("&state=a%09b%26code%3Devil%23%C2%85&"), "{}", back.url);
}
