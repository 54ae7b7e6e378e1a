//! Bad input to the facade: each piece gets the right refusal, in the right place.

use crate::support::{CLIENT_ID, CLIENT_SECRET, GPT_CALLBACK, Request, World, encode, param};

/// Asserts that the person is told, and not sent anywhere.
async fn shown(world: &World, url: &str, words: &str) {
    let page = world.browser().get(url).await;
    assert_eq!((page.status, &page.left_to), (400, &None), "{url}");
    assert!(page.text().contains(words), "{url}: {}", page.text());
    assert_eq!(page.headers["cache-control"], "no-store");
}

/// Asserts that the client hears of an error.
async fn sent_back(world: &World, url: &str, error: &str) {
    let page = world.browser().get(url).await;
    assert!(
        page.left().starts_with(&format!("{GPT_CALLBACK}?error={error}&error_description=")),
        "{}",
        page.left()
    );
    assert_eq!(param(page.left(), "state").as_deref(), Some("st/at+e=1 &x"));
    assert_eq!(param(page.left(), "iss").unwrap(), world.public_url);
}

#[tokio::test]
async fn a_bad_client_redirect_or_state_is_shown_to_the_person() {
    let world = World::start().await;
    let good = Request::of_chatgpt();
    for (request, words) in [
        (good.clone().and("client_id", "nobody"), "not known"),
        (good.clone().and("client_id", &CLIENT_ID.to_lowercase()), "not known"),
        (good.clone().and("client_id", ""), "no client_id"),
        (good.clone().without("client_id"), "no client_id"),
        (good.clone().also("client_id", CLIENT_ID), "repeated"),
        (good.clone().without("redirect_uri"), "no redirect_uri"),
        (good.clone().also("redirect_uri", GPT_CALLBACK), "repeated"),
        (good.clone().and("redirect_uri", "https://evil.example/cb"), "redirect_uri is not one"),
        (good.clone().also("state", "2"), "repeated"),
        (good.clone().and("state", &"x".repeat(2049)), "longer than 2048"),
        (good.clone().and("state", "a\r\nSet-Cookie: x=1"), "line break"),
        (good.clone().and("state", "a\0"), "line break"),
    ] {
        shown(&world, &request.url(&world.url), words).await;
    }
    shown(
        &world,
        &format!("{}&other=1&state=%ff", good.clone().without("state").url(&world.url)),
        "not UTF-8",
    )
    .await;
    shown(&world, &format!("{}/oauth/authorize", world.url), "no client_id").await;
}

#[tokio::test]
async fn any_other_fault_is_sent_back_to_the_client() {
    let world = World::start().await;
    let good = Request::of_chatgpt();
    for (request, error) in [
        (good.clone().without("response_type"), "invalid_request"),
        (good.clone().and("response_type", "token"), "unsupported_response_type"),
        (good.clone().and("response_type", "code id_token"), "unsupported_response_type"),
        (good.clone().also("response_type", "code"), "invalid_request"),
        (good.clone().and("response_mode", "fragment"), "invalid_request"),
        (good.clone().and("scope", "a\nb"), "invalid_request"),
        (good.clone().also("scope", "a"), "invalid_request"),
        (good.clone().and("unknown", "1").also("unknown", "2"), "invalid_request"),
        (good.clone().and("request_uri", "https://evil.example/request"), "invalid_request"),
        (good.clone().and("request", "e30.e30."), "invalid_request"),
        (good.clone().and("client_secret", CLIENT_SECRET), "invalid_request"),
        (good.clone().and("access_token", "x"), "invalid_request"),
        (good.clone().and("resource", "https://elsewhere.example/v1"), "invalid_target"),
        (good.clone().and("resource", &format!("{}/v1/", world.public_url)), "invalid_target"),
        (good.clone().and("code_challenge", "x"), "invalid_request"),
    ] {
        sent_back(&world, &request.url(&world.url), error).await;
    }
    sent_back(
        &world,
        &format!("{}&scope=%fe", good.clone().without("scope").url(&world.url)),
        "invalid_request",
    )
    .await;
}

#[tokio::test]
async fn unknown_parameters_are_passed_over() {
    let world = World::start().await;
    let request = Request::of_chatgpt().and("prompt", "login").and("nonce", "1").and("openai-x", "é");
    let page = world.browser().get(&request.url(&world.url)).await;
    assert!(page.url.starts_with(&world.sandbox_url));
}

#[tokio::test]
async fn a_callback_that_belongs_to_no_sign_in_says_how_to_start_again() {
    let world = World::start().await;
    for query in [
        "",
        "?code=1",
        "?code=1&state=",
        "?code=1&state=tampered",
        "?code=1&state=%ff",
        "?error=access_denied",
        "?state=v4.local.AAAA&code=1",
        "?code=1&state=a&state=b",
    ] {
        let page = world.browser().get(&format!("{}/oauth/callback{query}", world.url)).await;
        assert_eq!((page.status, &page.left_to), (400, &None), "{query}");
        assert!(page.text().contains("sign in again"), "{query}: {}", page.text());
    }
}

#[tokio::test]
async fn an_answer_of_atlassians_that_cannot_be_used_is_a_server_error_for_the_client() {
    let world = World::start().await;
    let mut browser = world.browser();
    let atlassian = browser.get(&Request::of_chatgpt().url(&world.url)).await;
    let state = param(&atlassian.url, "state").unwrap();
    for (answer, error) in [
        ("", "server_error"),
        ("&error=invalid_scope&error_description=secret%20words", "server_error"),
        ("&error=temporarily_unavailable", "temporarily_unavailable"),
        ("&code=1&code=2", "server_error"),
        (&format!("&code={}", "x".repeat(4097)), "server_error"),
    ] {
        let url = format!("{}/oauth/callback?state={}{answer}", world.url, encode(&state));
        let page = browser.get(&url).await;
        assert!(page.left().starts_with(&format!("{GPT_CALLBACK}?error={error}&")), "{}", page.left());
        assert!(!page.left().contains("secret"));
    }
}

#[tokio::test]
async fn a_client_that_does_not_prove_itself_is_invalid_client() {
    let world = World::start().await;
    let code = world.code("alice").await;
    let base = [("grant_type", "authorization_code"), ("code", &code), ("redirect_uri", GPT_CALLBACK)];
    for credentials in [
        vec![("client_id", CLIENT_ID), ("client_secret", "wrong secret")],
        vec![("client_id", CLIENT_ID), ("client_secret", &CLIENT_SECRET[..10])],
        vec![("client_id", CLIENT_ID), ("client_secret", "")],
        vec![("client_id", CLIENT_ID)],
        vec![("client_id", "nobody"), ("client_secret", CLIENT_SECRET)],
        vec![("client_secret", CLIENT_SECRET)],
        vec![("client_id", "causeway-docs"), ("client_secret", CLIENT_SECRET)],
        vec![],
    ] {
        let form = [base.as_slice(), &credentials].concat();
        let answer = world.token(&form).await.expect_error(401, "invalid_client");
        assert_eq!(answer.header("www-authenticate"), "Basic realm=\"causeway\"");
        assert_eq!(answer.header("cache-control"), "no-store");
    }
    for authorization in ["Bearer x", "Basic", "Basic !!", "Basic bm9jb2xvbg==", "Basic Onh5", "Basic //8="] {
        let request = world.http.post(format!("{}/oauth/token", world.url)).form(&base);
        world.send(request.header("authorization", authorization)).await.expect_error(401, "invalid_client");
    }
    world.redeem(&code).await.expect(200);
}

#[tokio::test]
async fn a_token_request_that_is_ambiguous_or_incomplete_is_invalid_request() {
    let world = World::start().await;
    let code = world.code("alice").await;
    let client = [("client_id", CLIENT_ID), ("client_secret", CLIENT_SECRET)];
    let with = |rest: &[(&'static str, &'static str)]| [client.as_slice(), rest].concat();
    for form in [
        with(&[]),
        with(&[("grant_type", "authorization_code"), ("redirect_uri", GPT_CALLBACK)]),
        with(&[("grant_type", "authorization_code"), ("code", "x")]),
        with(&[("grant_type", "refresh_token")]),
        with(&[("grant_type", "refresh_token"), ("grant_type", "refresh_token"), ("refresh_token", "x")]),
        with(&[("grant_type", "refresh_token"), ("refresh_token", "x"), ("client_id", CLIENT_ID)]),
        with(&[("grant_type", "refresh_token"), ("refresh_token", "x\r\ny")]),
        with(&[("grant_type", "refresh_token"), ("refresh_token", "x"), ("odd", "\0")]),
    ] {
        world.token(&form).await.expect_error(400, "invalid_request");
    }
    world.token(&with(&[("grant_type", "password")])).await.expect_error(400, "unsupported_grant_type");

    let url = format!("{}/oauth/token", world.url);
    let form = [("grant_type", "authorization_code"), ("code", &code), ("redirect_uri", GPT_CALLBACK)];
    let both = [form.as_slice(), &client].concat();
    let post = |url: &str| world.http.post(url);
    for request in [
        post(&url).form(&both).basic_auth(CLIENT_ID, Some(CLIENT_SECRET)),
        post(&url)
            .form(&form)
            .basic_auth(CLIENT_ID, Some(CLIENT_SECRET))
            .header("authorization", "Basic eDp5"),
        post(&url)
            .form(&[&form[..], &[("client_id", "another")]].concat())
            .basic_auth(CLIENT_ID, Some(CLIENT_SECRET)),
        post(&format!("{url}?client_secret=x")).form(&both),
        post(&format!("{url}?code={code}")).form(&both),
        post(&url).json(&serde_json::json!({ "grant_type": "authorization_code", "code": code })),
        post(&url).header("content-type", "application/x-www-form-urlencoded").body(vec![b'a'; 100_000]),
        post(&url).header("content-type", "application/x-www-form-urlencoded").body("client_id=%ff"),
        post(&url),
    ] {
        world.send(request).await.expect_error(400, "invalid_request");
    }
    world.redeem(&code).await.expect(200);
}

#[tokio::test]
async fn a_code_or_refresh_token_that_is_not_ours_is_invalid_grant() {
    let world = World::start().await;
    let session = world.sign_in("alice").await;
    let code = world.code("alice").await;
    for foreign in
        ["x", "v4.local.", &"x".repeat(30_000), &session.access_token, &session.refresh_token, &code[1..]]
    {
        world.redeem(foreign).await.expect_error(400, "invalid_grant");
    }
    for foreign in ["x", &session.access_token, &code, &session.refresh_token[..90]] {
        world.refresh(foreign).await.expect_error(400, "invalid_grant");
    }
    world.redeem(&code).await.expect(200);
}

#[tokio::test]
async fn a_bearer_that_is_not_one_opens_nothing() {
    let world = World::start().await;
    let session = world.sign_in("alice").await;
    let token = &session.access_token;
    let url = format!("{}/v1/me", world.url);
    world.get_bare("/v1/me").await.expect(401);
    for value in [
        "",
        "Bearer",
        "Bearer ",
        "Bearer x",
        &format!("Basic {token}"),
        &format!("Bearer {token}x"),
        &session.refresh_token,
    ] {
        world.send(world.http.get(&url).header("authorization", value)).await.expect(401);
    }
    let twice = world.http.get(&url).bearer_auth(token).header("authorization", "Bearer x");
    world.send(twice).await.expect(401);
    for other in [&session.refresh_token, &world.code("alice").await] {
        world.send(world.http.get(&url).bearer_auth(other)).await.expect(401);
    }
    world.send(world.http.get(&url).header("authorization", format!("bearer  {token}"))).await.expect(200);
}
