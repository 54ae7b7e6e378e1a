//! Signing in as ChatGPT's Actions do: the whole journey, and how long its tokens live.

use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use causeway::sandbox::{Fault, FaultKind};

use crate::support::{
    CLIENT_ID, CLIENT_SECRET, GPT_CALLBACK, MCP_CALLBACK, Request, Session, World, encode, param,
};

#[tokio::test]
async fn a_person_signs_in_as_chatgpt_does_and_the_token_works() {
    let world = World::start().await;
    let answer = world.redeem(&world.code("alice").await).await.expect(200);
    assert_eq!(answer.text("token_type"), "bearer");
    assert_eq!(answer.json["expires_in"], 3540);
    assert_eq!(answer.text("scope"), "confluence:read");
    assert_eq!((answer.header("cache-control"), answer.header("pragma")), ("no-store", "no-cache"));
    let session = Session::of(answer);
    assert!(!session.refresh_token.is_empty());
    world.get(&session, "/v1/me").await.expect(200);
}

#[tokio::test]
async fn the_client_gets_its_state_back_byte_for_byte_and_hears_who_answers() {
    let world = World::start().await;
    for state in ["a b+c%20d&e=f#g", "é\u{1f512}\"\\<>", &"x".repeat(2048)] {
        let request = Request::of_chatgpt().and("state", state);
        let back = world.consent(&mut world.browser(), &request, "alice").await;
        assert_eq!(back.state.as_deref(), Some(state));
        assert_eq!(param(&back.url, "iss").unwrap(), world.public_url);
    }
    let back = world.consent(&mut world.browser(), &Request::of_chatgpt().without("state"), "alice").await;
    assert_eq!((back.state, back.code.is_empty()), (None, false));
}

#[tokio::test]
async fn the_secret_may_come_in_the_form_or_as_basic_credentials_encoded_or_not() {
    let world = World::start().await;
    let plain = STANDARD.encode(format!("{CLIENT_ID}:{CLIENT_SECRET}"));
    let encoded = STANDARD.encode(format!("{}:{}", encode(CLIENT_ID), encode(CLIENT_SECRET)));
    for credentials in [plain, encoded] {
        let code = world.code("alice").await;
        let form = [("grant_type", "authorization_code"), ("code", &code), ("redirect_uri", GPT_CALLBACK)];
        let request = world.http.post(format!("{}/oauth/token", world.url)).form(&form);
        world.send(request.header("authorization", format!("Basic {credentials}"))).await.expect(200);
    }
}

#[tokio::test]
async fn atlassian_is_asked_for_our_scopes_whatever_the_client_asks_for() {
    let world = World::start().await;
    let request = Request::of_chatgpt().and("scope", "write:page:confluence admin");
    let page = world.browser().get(&request.url(&world.url)).await;
    let asked = param(&page.url, "scope").unwrap();
    assert!(asked.split(' ').any(|scope| scope == "offline_access"));
    assert!(asked.split(' ').any(|scope| scope == "search:confluence"));
    assert!(!asked.contains("write") && !asked.contains("admin"));
    assert_eq!(param(&page.url, "audience").unwrap(), "api.atlassian.com");
    assert_eq!(param(&page.url, "prompt").unwrap(), "consent");
}

#[tokio::test]
async fn a_person_who_denies_is_sent_back_with_access_denied() {
    let world = World::start().await;
    let mut browser = world.browser();
    let page = browser.get(&Request::of_chatgpt().url(&world.url)).await;
    let page = browser.submit(&page, &[("person", "alice"), ("decision", "deny")]).await;
    assert!(page.left().starts_with(&format!("{GPT_CALLBACK}?error=access_denied&")));
    assert_eq!(param(page.left(), "state").as_deref(), Some("st/at+e=1 &x"));
    assert_eq!(param(page.left(), "iss").unwrap(), world.public_url);
}

#[tokio::test]
async fn a_person_without_a_site_is_signed_in_all_the_same() {
    let world = World::start().await;
    world.sandbox.without_sites("alice");
    world.sign_in("alice").await;
}

#[tokio::test]
async fn a_code_works_once() {
    let world = World::start().await;
    let code = world.code("alice").await;
    world.redeem(&code).await.expect(200);
    world.sandbox.forget_calls();
    world.redeem(&code).await.expect_error(400, "invalid_grant");
    assert_eq!(world.calls_to("/oauth/token"), 0);
    // Nor is one that Atlassian refused taken there again; one that it could not answer is.
    let mut browser = world.browser();
    let atlassian = browser.get(&Request::of_chatgpt().url(&world.url)).await;
    let state = encode(&param(&atlassian.url, "state").unwrap());
    let back = browser.get(&format!("{}/oauth/callback?code=made-up&state={state}", world.url)).await;
    let made_up = param(back.left(), "code").unwrap();
    for _ in 0..3 {
        world.redeem(&made_up).await.expect_error(400, "invalid_grant");
    }
    assert_eq!(world.calls_to("/oauth/token"), 1);
    let code = world.code("alice").await;
    let kind = FaultKind::Status { status: 503, headers: Vec::new(), body: String::new() };
    world.sandbox.inject(Fault { path_contains: "/oauth/token".to_owned(), times: 1, kind });
    world.redeem(&code).await.expect_error(503, "temporarily_unavailable");
    world.redeem(&code).await.expect(200);
}

#[tokio::test]
async fn a_code_lives_two_minutes() {
    let world = World::start().await;
    let (early, late) = (world.code("alice").await, world.code("bob").await);
    world.clock.advance(Duration::from_secs(119));
    world.redeem(&early).await.expect(200);
    world.clock.advance(Duration::from_secs(1));
    world.redeem(&late).await.expect_error(400, "invalid_grant");
}

#[tokio::test]
async fn a_sign_in_may_take_a_quarter_of_an_hour() {
    let world = World::start().await;
    let mut browser = world.browser();
    let page = browser.get(&Request::of_chatgpt().url(&world.url)).await;
    world.clock.advance(Duration::from_secs(899));
    assert!(
        browser.submit(&page, &[("person", "alice"), ("decision", "allow")]).await.left().contains("code=")
    );
    world.clock.advance(Duration::from_secs(1));
    let page = browser.submit(&page, &[("person", "alice"), ("decision", "allow")]).await;
    assert_eq!(page.status, 400);
    assert!(page.text().contains("longer than 15 minutes"), "{}", page.text());
}

#[tokio::test]
async fn an_access_token_expires_a_minute_before_atlassians_and_a_refresh_goes_on() {
    let world = World::start().await;
    let session = world.sign_in("alice").await;
    world.clock.advance(Duration::from_secs(3539));
    world.get(&session, "/v1/me").await.expect(200);
    world.clock.advance(Duration::from_secs(1));
    let told = world.get(&session, "/v1/me").await.expect(401);
    assert!(told.header("www-authenticate").contains("error=\"invalid_token\""), "{:?}", told.headers);
    let refreshed = Session::of(world.refresh(&session.refresh_token).await);
    world.get(&refreshed, "/v1/me").await.expect(200);
    assert_eq!(refreshed.expires_in, 3540);
    Session::of(world.refresh(&refreshed.refresh_token).await);
}

#[tokio::test]
async fn a_refresh_token_lives_ninety_days_from_its_last_use() {
    let world = World::start().await;
    let mut session = world.sign_in("alice").await;
    for _ in 0..3 {
        world.clock.advance(Duration::from_secs(89 * 24 * 3600));
        session = Session::of(world.refresh(&session.refresh_token).await);
    }
    world.clock.advance(Duration::from_secs(90 * 24 * 3600));
    world.refresh(&session.refresh_token).await.expect_error(400, "invalid_grant");
}

#[tokio::test]
async fn refreshes_of_one_token_within_a_minute_share_one_call() {
    let world = World::start().await;
    let session = world.sign_in("alice").await;
    world.sandbox.forget_calls();
    let (one, two) =
        tokio::join!(world.refresh(&session.refresh_token), world.refresh(&session.refresh_token));
    let (one, two) = (Session::of(one), Session::of(two));
    assert_eq!(one.access_token, two.access_token);
    world.clock.advance(Duration::from_secs(59));
    let three = Session::of(world.refresh(&session.refresh_token).await);
    assert_eq!((three.refresh_token, three.expires_in), (one.refresh_token, 3540 - 59));
    assert_eq!(world.calls_to("/oauth/token"), 1);
    world.clock.advance(Duration::from_secs(1));
    Session::of(world.refresh(&session.refresh_token).await);
    assert_eq!(world.calls_to("/oauth/token"), 2);
}

#[tokio::test]
async fn a_refresh_survives_a_client_that_hangs_up() {
    let world = World::start().await;
    let session = world.sign_in("alice").await;
    world.sandbox.forget_calls();
    let kind = FaultKind::Slow(Duration::from_millis(300));
    world.sandbox.inject(Fault { path_contains: "/oauth/token".to_owned(), times: 1, kind });
    let hung_up =
        tokio::time::timeout(Duration::from_millis(100), world.refresh(&session.refresh_token)).await;
    assert!(hung_up.is_err());
    Session::of(world.refresh(&session.refresh_token).await);
    assert_eq!(world.calls_to("/oauth/token"), 1);
}

#[tokio::test]
async fn another_replica_loses_nobodys_sign_in_at_any_step() {
    let world = World::start().await;
    let replica = world.replica().await;
    // The browser begins here and comes back there; the code is redeemed here, used there, refreshed at both.
    let (mut here, mut there) = (world.browser(), replica.browser());
    let page = here.get(&Request::of_chatgpt().url(&world.url)).await;
    there.adopt_cookies(&here);
    let back = there.submit(&page, &[("person", "alice"), ("decision", "allow")]).await;
    let session = Session::of(world.redeem(&param(back.left(), "code").unwrap()).await);
    replica.get(&session, "/v1/me").await.expect(200);
    let (one, two) =
        tokio::join!(world.refresh(&session.refresh_token), replica.refresh(&session.refresh_token));
    for session in [Session::of(one), Session::of(two)] {
        world.get(&session, "/v1/me").await.expect(200);
        replica.get(&session, "/v1/me").await.expect(200);
    }
}

#[tokio::test]
async fn what_only_passes_does_not_end_the_session() {
    let world = World::start().await;
    let session = world.sign_in("alice").await;
    let status = |status| FaultKind::Status {
        status,
        headers: Vec::new(),
        body: "<html>secret upstream</html>".to_owned(),
    };
    for kind in [
        status(500),
        status(503),
        status(403),
        FaultKind::Reset,
        FaultKind::MalformedJson,
        FaultKind::HugeBody,
    ] {
        world.sandbox.inject(Fault { path_contains: "/oauth/token".to_owned(), times: 1, kind });
        let answer = world.refresh(&session.refresh_token).await.expect_error(503, "temporarily_unavailable");
        assert_eq!(answer.header("retry-after"), "5");
        assert!(!answer.body.contains("upstream"));
    }
    let kind = FaultKind::TooManyRequests(17);
    world.sandbox.inject(Fault { path_contains: "/oauth/token".to_owned(), times: 1, kind });
    let answer = world.refresh(&session.refresh_token).await.expect_error(503, "temporarily_unavailable");
    assert_eq!(answer.header("retry-after"), "17");
    Session::of(world.refresh(&session.refresh_token).await);
}

#[tokio::test]
async fn an_error_of_the_operator_does_not_end_the_session_either() {
    let world = World::start().await;
    let session = world.sign_in("alice").await;
    let replica = world.replica_with(&[("ATLASSIAN_CLIENT_SECRET", "not the secret")]).await;
    replica.refresh(&session.refresh_token).await.expect_error(503, "temporarily_unavailable");
    Session::of(world.refresh(&session.refresh_token).await);
}

#[tokio::test]
async fn atlassians_refusals_are_told_apart() {
    let world = World::start().await;
    let session = world.sign_in("alice").await;
    for (refusal, status, error) in [
        (
            r#"{"error":"invalid_grant","error_description":"Unknown or invalid refresh token."}"#,
            400,
            "invalid_grant",
        ),
        (
            r#"{"error":"unauthorized_client","error_description":"refresh_token is invalid"}"#,
            400,
            "invalid_grant",
        ),
        (
            r#"{"error":"unauthorized_client","error_description":"suspended"}"#,
            503,
            "temporarily_unavailable",
        ),
        (r#"{"error":"access_denied","error_description":"Unauthorized"}"#, 503, "temporarily_unavailable"),
        (r#"{"error":"something_new"}"#, 503, "temporarily_unavailable"),
        ("[]", 503, "temporarily_unavailable"),
        ("", 503, "temporarily_unavailable"),
    ] {
        let kind = FaultKind::Status { status: 403, headers: Vec::new(), body: refusal.to_owned() };
        world.sandbox.inject(Fault { path_contains: "/oauth/token".to_owned(), times: 1, kind });
        world.refresh(&session.refresh_token).await.expect_error(status, error);
    }
}

#[tokio::test]
async fn what_is_over_is_invalid_grant() {
    let world = World::start().await;
    let session = world.sign_in("alice").await;
    world.sandbox.revoke("alice");
    world.refresh(&session.refresh_token).await.expect_error(400, "invalid_grant");
    // A failure is not remembered, and nobody else is touched.
    let session = world.sign_in("alice").await;
    Session::of(world.refresh(&session.refresh_token).await);
}

#[tokio::test]
async fn an_old_refresh_token_works_during_atlassians_leeway_and_then_ends_the_grant() {
    let world = World::start().await;
    let session = world.sign_in("alice").await;
    let newer = Session::of(world.refresh(&session.refresh_token).await);
    world.clock.advance(Duration::from_secs(590));
    Session::of(world.refresh(&session.refresh_token).await);
    world.clock.advance(Duration::from_secs(61));
    world.refresh(&session.refresh_token).await.expect_error(400, "invalid_grant");
    world.refresh(&newer.refresh_token).await.expect_error(400, "invalid_grant");
}

#[tokio::test]
async fn the_operator_can_end_every_sign_in_up_to_a_time() {
    let world = World::start().await;
    let (session, code) = (world.sign_in("alice").await, world.code("bob").await);
    world.clock.advance(Duration::from_secs(60));
    let replica = world.replica_with(&[("CAUSEWAY_NOT_BEFORE", "2026-11-21T09:00:30Z")]).await;
    replica.get(&session, "/v1/me").await.expect(401);
    replica.refresh(&session.refresh_token).await.expect_error(400, "invalid_grant");
    replica.redeem(&code).await.expect_error(400, "invalid_grant");
    let session = replica.sign_in("alice").await;
    replica.get(&session, "/v1/me").await.expect(200);
    // A refreshed session is as old as its consent.
    let refreshed = Session::of(replica.refresh(&session.refresh_token).await);
    let later = world.replica_with(&[("CAUSEWAY_NOT_BEFORE", "2026-11-21T09:01:01Z")]).await;
    later.get(&refreshed, "/v1/me").await.expect(401);
}

#[tokio::test]
async fn sign_ins_that_began_before_that_time_do_not_end_after_it() {
    let world = World::start().await;
    let client_id = world.register(&[MCP_CALLBACK]).await;
    let (mut browser, mut asked) = (world.browser(), world.browser());
    let atlassian = browser.get(&Request::of_chatgpt().url(&world.url)).await;
    let ours = asked.get(&Request::of_mcp(&world, &client_id, MCP_CALLBACK).url(&world.url)).await;
    world.clock.advance(Duration::from_secs(60));
    let replica = world.replica_with(&[("CAUSEWAY_NOT_BEFORE", "2026-11-21T09:00:30Z")]).await;
    let (mut browser_there, mut asked_there) = (replica.browser(), replica.browser());
    browser_there.adopt_cookies(&browser);
    asked_there.adopt_cookies(&asked);
    for page in [
        browser_there.submit(&atlassian, &[("person", "alice"), ("decision", "allow")]).await,
        asked_there.submit(&ours, &[("decision", "allow")]).await,
    ] {
        assert_eq!((page.status, &page.left_to), (400, &None));
        assert!(page.text().contains("no longer accepted"), "{}", page.text());
    }
    // A registration is no sign-in: it goes on being one.
    replica.sign_in_to_mcp_by(&client_id, "alice").await;
}

#[tokio::test]
async fn what_cannot_be_sealed_is_a_server_error_and_not_an_empty_token() {
    let world = World::start().await;
    // A token so long that what holds it could not be opened again.
    let mut granted = world.sandbox.sign_in("alice", &["search:confluence", "offline_access"]);
    granted["access_token"] = "x".repeat(30_000).into();
    let kind = FaultKind::Status { status: 200, headers: Vec::new(), body: granted.to_string() };
    world.sandbox.inject(Fault { path_contains: "/oauth/token".to_owned(), times: 1, kind });
    let answer = world.redeem(&world.code("alice").await).await.expect_error(500, "server_error");
    assert!(answer.json.get("access_token").is_none(), "{}", answer.body);
    let session = world.sign_in("alice").await;
    let kind = FaultKind::Status { status: 200, headers: Vec::new(), body: granted.to_string() };
    world.sandbox.inject(Fault { path_contains: "/oauth/token".to_owned(), times: 1, kind });
    world.refresh(&session.refresh_token).await.expect_error(500, "server_error");
}

#[tokio::test]
async fn when_more_scopes_are_needed_than_were_granted_the_person_signs_in_again() {
    let world = World::start().await;
    let granted = world.sandbox.sign_in("alice", &["search:confluence", "offline_access"]);
    let body = granted.to_string();
    let kind = FaultKind::Status { status: 200, headers: Vec::new(), body };
    world.sandbox.inject(Fault { path_contains: "/oauth/token".to_owned(), times: 1, kind });
    let session = world.sign_in("alice").await;
    world.refresh(&session.refresh_token).await.expect_error(400, "invalid_grant");
}

#[tokio::test]
async fn the_key_ring_turns_without_anybody_noticing() {
    use crate::support::secret;
    let world = World::start().await;
    let session = world.sign_in("alice").await;
    let turned = world.replica_with(&[("CAUSEWAY_SECRET", &format!("{},{}", secret(2), secret(1)))]).await;
    turned.get(&session, "/v1/me").await.expect(200);
    let renewed = Session::of(turned.refresh(&session.refresh_token).await);
    let dropped = world.replica_with(&[("CAUSEWAY_SECRET", &secret(2))]).await;
    dropped.get(&renewed, "/v1/me").await.expect(200);
    dropped.get(&session, "/v1/me").await.expect(401);
    dropped.refresh(&session.refresh_token).await.expect_error(400, "invalid_grant");
}

#[tokio::test]
async fn swagger_ui_signs_in_with_pkce_and_without_a_refresh_token() {
    let world = World::start().await;
    let request = Request::of_docs(&world);
    let redirect = format!("{}/docs/oauth2-redirect.html", world.public_url);
    let mut browser = world.browser();
    let atlassian = browser.get(&request.url(&world.url)).await;
    let landed = browser.submit(&atlassian, &[("person", "alice"), ("decision", "allow")]).await;
    assert!(landed.url.starts_with(&redirect), "{}", landed.url);
    let answer =
        world.redeem_publicly("causeway-docs", &redirect, &param(&landed.url, "code").unwrap()).await;
    assert!(answer.json.get("refresh_token").is_none());
    world.get(&Session::of(answer), "/v1/me").await.expect(200);
    let off = world.replica_with(&[("CAUSEWAY_DOCS", "off")]).await;
    assert_eq!(off.browser().get(&request.url(&off.public_url)).await.status, 400);
}

#[tokio::test]
async fn behind_https_the_cookie_is_bound_to_the_host() {
    let world = World::with(&[("CAUSEWAY_PUBLIC_URL", "https://wiki.example.com")]).await;
    let mut browser = world.browser();
    let back = world.consent(&mut browser, &Request::of_chatgpt(), "alice").await;
    Session::of(world.redeem(&back.code).await);
    assert_eq!(browser.set_cookies.len(), 1);
    let cookie = &browser.set_cookies[0];
    assert!(cookie.starts_with("__Host-causeway-browser="), "{cookie}");
    for attribute in ["; Secure", "; HttpOnly", "; SameSite=Lax", "; Path=/"] {
        assert!(cookie.contains(attribute), "{cookie}");
    }
    // It is reused, so that two tabs do not disturb each other.
    let value = browser.cookie("browser");
    world.consent(&mut browser, &Request::of_chatgpt(), "bob").await;
    assert_eq!((browser.cookie("browser"), browser.set_cookies.len()), (value, 1));
}
