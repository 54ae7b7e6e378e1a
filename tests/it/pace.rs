//! How fast clients may ask for tokens and registrations. No client uses up what is another's, and an address that fails
//! does so alone.

use std::time::Duration;

use causeway::sandbox::{Fault, FaultKind};
use serde_json::json;

use crate::support::{
    Answer, Browser, CLIENT_ID, CLIENT_SECRET, GPT_CALLBACK, MCP_CALLBACK, Page, Request, Session, VERIFIER,
    World, encode, param,
};

/// More than one client may ask for at once, and far more than the failures of one address that are explained.
const MANY: usize = 700;

/// A request that the default GPT alone can send, and that leads to nothing.
const OF_THE_GPT: [(&str, &str); 4] = [
    ("grant_type", "refresh_token"),
    ("client_id", CLIENT_ID),
    ("client_secret", CLIENT_SECRET),
    ("refresh_token", "v4.local.nothing"),
];
const WRONG_SECRET: [(&str, &str); 4] = [
    ("grant_type", "refresh_token"),
    ("client_id", CLIENT_ID),
    ("client_secret", "a guess"),
    ("refresh_token", "v4.local.nothing"),
];

impl World {
    /// A token request that a proxy passes on for `forwarded`.
    async fn token_for(&self, forwarded: &str, form: &[(&str, &str)]) -> Answer {
        let request = self.http.post(format!("{}/oauth/token", self.url)).form(form);
        self.send(request.header("x-forwarded-for", forwarded)).await
    }

    async fn register_for(&self, forwarded: &str, redirect_uri: &str) -> Answer {
        let request = self.http.post(format!("{}/oauth/register", self.url));
        let request = request.header("x-forwarded-for", forwarded);
        self.send(request.json(&json!({ "redirect_uris": [redirect_uri] }))).await
    }

    /// Begins a sign-in of a client registered with [`MCP_CALLBACK`] and comes back with a code that Atlassian never gave: our
    /// code for it, or where the gateway refused it.
    async fn make_up_code(
        &self,
        browser: &mut Browser,
        client_id: &str,
        number: usize,
    ) -> Result<String, Page> {
        let ours = browser.get(&Request::of_mcp(self, client_id, MCP_CALLBACK).url(&self.url)).await;
        let atlassian = browser.submit(&ours, &[("decision", "allow")]).await;
        let state = encode(&param(&atlassian.url, "state").unwrap());
        let page =
            browser.get(&format!("{}/oauth/callback?code=invented-{number}&state={state}", self.url)).await;
        match &page.left_to {
            Some(location) => Ok(param(location, "code").unwrap()),
            None => Err(page),
        }
    }

    /// Fails as often as it takes until failures are no longer explained; then how often that was.
    async fn exhaust(&self, forwarded: &str) -> usize {
        for count in 0..MANY {
            if self.token_for(forwarded, &WRONG_SECRET).await.status == 429 {
                return count;
            }
        }
        panic!("{MANY} failures were explained");
    }
}

#[track_caller]
fn is_too_many(answer: Answer) {
    is_too_many_for(answer, 6);
}

#[track_caller]
fn is_too_many_for(answer: Answer, seconds: u64) {
    let answer = answer.expect_error(429, "temporarily_unavailable");
    let wait: u64 = answer.header("retry-after").parse().unwrap();
    assert!((1..=seconds).contains(&wait), "{wait}");
    assert_eq!(answer.header("cache-control"), "no-store");
}

#[tokio::test]
async fn junk_under_a_public_clients_id_never_hurts_what_opens_and_matches() {
    let world = World::of_acme().await;
    let chatgpt = "https://chatgpt.com/oauth/client.json";
    let connector = "https://chatgpt.com/connector/oauth/AbC_1-2";
    let request = Request::of_mcp(&world, chatgpt, connector);
    let sign_in = async |person: &str| world.consent_twice(&mut world.browser(), &request, person).await.code;
    let code = sign_in("alice").await;
    let session = Session::of(world.redeem_publicly(chatgpt, connector, &code).await);
    let expired = session.refresh_token.clone();
    let session = Session::of(world.refresh_publicly(chatgpt, &session.refresh_token).await);
    let code = sign_in("bob").await;
    world.sandbox.forget_calls();
    // Everybody shares one address, and everybody knows the client's id.
    let mut answered = std::collections::BTreeMap::<u16, usize>::new();
    for number in 0..800 {
        let answer = match number % 4 {
            0 => world.refresh_publicly(chatgpt, "v4.local.nothing").await,
            1 => world.refresh_publicly(chatgpt, &session.access_token).await,
            2 => world.redeem_publicly(chatgpt, connector, &session.refresh_token).await,
            _ => world.redeem_publicly(chatgpt, "https://chatgpt.com/connector/oauth/other", &code).await,
        };
        *answered.entry(answer.status).or_default() += 1;
    }
    assert!(answered.keys().eq(&[400, 429]) && answered[&429] > 600, "{answered:?}");
    assert_eq!(world.calls_to("/oauth/token"), 0);
    // The good ones go on at once: a refresh, a code, another client, a registration; and who is over is told so.
    Session::of(world.refresh_publicly(chatgpt, &session.refresh_token).await);
    Session::of(world.redeem_publicly(chatgpt, connector, &code).await);
    Session::of(world.redeem_publicly(chatgpt, connector, &sign_in("alice").await).await);
    world.sign_in("alice").await;
    world.sign_in_to_mcp("bob").await;
    world.clock.advance(Duration::from_secs(91 * 24 * 3600));
    for _ in 0..100 {
        world.refresh_publicly(chatgpt, "v4.local.nothing").await;
    }
    world.refresh_publicly(chatgpt, &expired).await.expect_error(400, "invalid_grant");
}

#[tokio::test]
async fn one_person_who_refreshes_without_end_waits_and_nobody_else_does() {
    let world = World::of_acme().await;
    let bob = world.sign_in("bob").await;
    let mut alice = world.sign_in("alice").await;
    let mut refreshed = 0;
    let refused = loop {
        let answer = world.refresh(&alice.refresh_token).await;
        if answer.status != 200 {
            break answer;
        }
        alice = Session::of(answer);
        refreshed += 1;
        assert!(refreshed < MANY);
    };
    is_too_many(refused);
    assert!((90..200).contains(&refreshed), "{refreshed}");
    // Another sign-in of the same person is the same person.
    let other = world.sign_in("alice").await;
    is_too_many(world.refresh(&other.refresh_token).await);
    Session::of(world.refresh(&bob.refresh_token).await);
    // A repeated refresh that is answered from the last minute costs nothing.
    world.clock.advance(Duration::from_secs(6));
    for _ in 0..50 {
        Session::of(world.refresh(&alice.refresh_token).await);
    }
}

#[tokio::test]
async fn failures_of_an_address_do_not_refuse_what_succeeds_there() {
    let world = World::of_acme().await;
    let alice = world.sign_in("alice").await;
    let explained = world.exhaust("").await;
    assert!((30..200).contains(&explained), "{explained}");
    for _ in 0..200 {
        is_too_many(world.token(&WRONG_SECRET).await);
        is_too_many(world.token(&[("grant_type", "refresh_token"), ("client_id", "nobody")]).await);
        is_too_many(world.register_for("", "ftp://nowhere.example").await);
    }
    // The GPT has proven itself: it is told the truth.
    world.token(&OF_THE_GPT).await.expect_error(400, "invalid_grant");
    world.refresh(&alice.refresh_token).await.expect(200);
    world.sign_in("bob").await;
    world.sign_in_to_mcp("bob").await;
    world.clock.advance(Duration::from_secs(5));
    world.token(&WRONG_SECRET).await.expect_error(401, "invalid_client");
}

#[tokio::test]
async fn a_trusted_proxy_tells_addresses_apart() {
    let world = World::with(&[("CAUSEWAY_TRUSTED_PROXIES", "10.0.0.0/8, 127.0.0.1")]).await;
    world.exhaust("198.51.100.1").await;
    // What stands left of the last address that is not a proxy's, the client has made up.
    is_too_many(world.token_for("203.0.113.5, 198.51.100.1, 10.1.2.3", &WRONG_SECRET).await);
    let other = world.token_for("198.51.100.1, 203.0.113.5", &WRONG_SECRET).await;
    other.expect_error(401, "invalid_client");
    // A customer of IPv6 has a whole /64.
    world.exhaust("2001:db8:1:2::1").await;
    is_too_many(world.token_for("2001:db8:1:2:3:4:5:6", &WRONG_SECRET).await);
    world.token_for("2001:db8:1:3::1", &WRONG_SECRET).await.expect_error(401, "invalid_client");
}

#[tokio::test]
async fn nobody_else_is_believed_about_addresses() {
    for proxies in ["", "10.0.0.0/8"] {
        let world = World::with(&[("CAUSEWAY_TRUSTED_PROXIES", proxies)]).await;
        world.exhaust("198.51.100.1").await;
        is_too_many(world.token_for("203.0.113.5", &WRONG_SECRET).await);
    }
}

#[tokio::test]
async fn junk_registrations_keep_no_good_one_out() {
    let world = World::start().await;
    let mut told = 0;
    for number in 0..MANY {
        let junk = ["https://evil.example/cb", "javascript:alert(1)", "https:chatgpt.com/x"][number % 3];
        let answer = world.register_for("", junk).await;
        told += usize::from(answer.status == 400);
        assert!([400, 429].contains(&answer.status));
    }
    assert!((30..200).contains(&told), "{told}");
    is_too_many(world.register_for("", "https://evil.example/cb").await);
    for number in 0..MANY {
        world.register_for("", &format!("http://127.0.0.1:{}/cb", 1024 + number)).await.expect(201);
    }
    world.sign_in_to_mcp("alice").await;
}

#[tokio::test]
async fn made_up_codes_of_one_browser_hardly_reach_atlassian_and_hurt_nobody_else() {
    let world = World::of_acme().await;
    let client_id = world.register(&[MCP_CALLBACK]).await;
    let before = world.code("alice").await;
    world.sandbox.forget_calls();
    let mut browser = world.browser();
    let mut refused = 0;
    for number in 0..300 {
        match world.make_up_code(&mut browser, &client_id, number).await {
            Ok(code) => {
                world
                    .redeem_publicly(&client_id, MCP_CALLBACK, &code)
                    .await
                    .expect_error(400, "invalid_grant");
            }
            Err(page) => {
                assert_eq!(page.status, 429);
                assert!(page.text().contains("Wait a minute"), "{}", page.text());
                assert!(page.headers.contains_key("retry-after"));
                refused += 1;
            }
        }
    }
    let reached = world.calls_to("/oauth/token");
    assert!((1..=10).contains(&reached) && refused == 300 - reached, "{reached} {refused}");
    // Others at the same address, with a secret or without, who began before or begin now.
    Session::of(world.redeem(&before).await);
    world.sign_in("bob").await;
    world.sign_in_to_mcp("bob").await;
    // Whoever waited is let in again.
    world.clock.advance(Duration::from_secs(60));
    let request = Request::of_mcp(&world, &client_id, MCP_CALLBACK);
    let back = world.consent_twice(&mut browser, &request, "alice").await;
    Session::of(world.redeem_publicly(&client_id, MCP_CALLBACK, &back.code).await);
}

#[tokio::test]
async fn made_up_codes_of_many_browsers_are_bounded_and_gpts_and_known_browsers_go_on() {
    let world = World::of_acme().await;
    let client_id = world.register(&[MCP_CALLBACK]).await;
    let mut of_bob = world.browser();
    let request = Request::of_mcp(&world, &client_id, MCP_CALLBACK);
    let back = world.consent_twice(&mut of_bob, &request, "bob").await;
    Session::of(world.redeem_publicly(&client_id, MCP_CALLBACK, &back.code).await);
    world.sandbox.forget_calls();
    // This one was given out before the flood, and is redeemed after it.
    let before = world.consent_twice(&mut world.browser(), &request, "alice").await.code;
    let (mut codes, mut waited) = (Vec::new(), 0);
    for number in 0..200 {
        match world.make_up_code(&mut world.browser(), &client_id, number).await {
            Ok(code) => codes.push(code),
            Err(page) => {
                assert_eq!(page.status, 429);
                waited += 1;
            }
        }
    }
    assert!((20..=50).contains(&codes.len()) && codes.len() + waited == 200, "{waited}");
    for code in codes.iter().chain(&codes) {
        let answer = world.redeem_publicly(&client_id, MCP_CALLBACK, code).await;
        answer.expect_error(400, "invalid_grant");
    }
    assert_eq!(world.calls_to("/oauth/token"), codes.len(), "a refused code is taken to Atlassian once");
    Session::of(world.redeem_publicly(&client_id, MCP_CALLBACK, &before).await);
    // A browser that has brought a good code answers for itself, and GPTs do not share with public clients.
    let back = world.consent_twice(&mut of_bob, &request, "bob").await;
    Session::of(world.redeem_publicly(&client_id, MCP_CALLBACK, &back.code).await);
    world.sign_in("alice").await;
    // A new browser at that address waits, and only for a moment. What was redeemed made room for one more.
    world.make_up_code(&mut world.browser(), &client_id, 999).await.unwrap();
    world.make_up_code(&mut world.browser(), &client_id, 1000).await.unwrap_err();
    world.clock.advance(Duration::from_secs(10));
    world.sign_in_to_mcp("alice").await;
}

#[tokio::test]
async fn codes_that_atlassian_could_not_judge_count_until_they_are_redeemed() {
    let world = World::of_acme().await;
    let client_id = world.register(&[MCP_CALLBACK]).await;
    let mut browser = world.browser();
    let kind = FaultKind::Status { status: 503, headers: Vec::new(), body: String::new() };
    world.sandbox.inject(Fault { path_contains: "/oauth/token".to_owned(), times: usize::MAX, kind });
    let mut codes = Vec::new();
    for number in 0..20 {
        let Ok(code) = world.make_up_code(&mut browser, &client_id, number).await else { break };
        let answer = world.redeem_publicly(&client_id, MCP_CALLBACK, &code).await;
        assert_ne!(answer.status, 200);
        codes.push(code);
    }
    assert!((1..=10).contains(&codes.len()), "{}", codes.len());
    let page = world.make_up_code(&mut browser, &client_id, 100).await.unwrap_err();
    assert_eq!(page.status, 429);
}

#[tokio::test]
async fn made_up_codes_are_counted_by_the_address_of_the_browser_and_not_of_the_client() {
    let world = World::with(&[("CAUSEWAY_TRUSTED_PROXIES", "127.0.0.1")]).await;
    let client_id = world.register(&[MCP_CALLBACK]).await;
    for number in 0..60 {
        let mut browser = world.browser().behind("198.51.100.1");
        let Ok(code) = world.make_up_code(&mut browser, &client_id, number).await else { break };
        world.redeem_publicly(&client_id, MCP_CALLBACK, &code).await;
    }
    world.make_up_code(&mut world.browser().behind("198.51.100.1"), &client_id, 100).await.unwrap_err();
    let request = Request::of_mcp(&world, &client_id, MCP_CALLBACK);
    let back = world.consent_twice(&mut world.browser().behind("203.0.113.5"), &request, "alice").await;
    Session::of(world.redeem_publicly(&client_id, MCP_CALLBACK, &back.code).await);
}

#[tokio::test]
async fn what_does_not_match_is_refused_before_atlassian_is_asked() {
    let world = World::start().await;
    let session = world.sign_in("alice").await;
    let code = world.code("alice").await;
    let client_id = world.register(&[MCP_CALLBACK]).await;
    let request = Request::of_mcp(&world, &client_id, MCP_CALLBACK);
    let public = world.consent_twice(&mut world.browser(), &request, "bob").await.code;
    world.sandbox.forget_calls();
    let with = |changed: &[(&'static str, &'static str)]| {
        let mut form = vec![
            ("grant_type", "authorization_code".to_owned()),
            ("client_id", CLIENT_ID.to_owned()),
            ("client_secret", CLIENT_SECRET.to_owned()),
            ("code", code.clone()),
            ("redirect_uri", GPT_CALLBACK.to_owned()),
        ];
        form.retain(|(name, _)| changed.iter().all(|(changed, _)| name != changed));
        form.extend(changed.iter().map(|(name, value)| (*name, (*value).to_owned())));
        world.send(world.http.post(format!("{}/oauth/token", world.url)).form(&form))
    };
    with(&[("client_secret", "a guess")]).await.expect_error(401, "invalid_client");
    with(&[("redirect_uri", "https://chatgpt.com/aip/g-other/oauth/callback")])
        .await
        .expect_error(400, "invalid_grant");
    with(&[("code_verifier", VERIFIER)]).await.expect_error(400, "invalid_grant");
    with(&[("resource", "https://elsewhere.example/v1")]).await.expect_error(400, "invalid_target");
    world
        .redeem_publicly(&client_id, "http://127.0.0.1:33418/other", &public)
        .await
        .expect_error(400, "invalid_grant");
    let other = world.register(&[MCP_CALLBACK]).await;
    world.redeem_publicly(&other, MCP_CALLBACK, &public).await.expect_error(400, "invalid_grant");
    world.refresh_publicly(&client_id, &session.refresh_token).await.expect_error(400, "invalid_grant");
    assert_eq!(world.calls_to("/oauth/token"), 0);
    with(&[]).await.expect(200);
    Session::of(world.redeem_publicly(&client_id, MCP_CALLBACK, &public).await);
}

#[tokio::test]
async fn metadata_documents_are_fetched_at_a_pace_and_only_where_the_rest_is_right() {
    let world = World::with(&[("CAUSEWAY_MCP_CLIENTS", "any")]).await;
    let at = |number: usize| format!("https://10.0.0.1/{number}.json");
    let get = async |request: Request| world.browser().get(&request.url(&world.url)).await.text();
    let agent = "https://agent.example/cb";
    // What is wrong without the document is told without it.
    for number in 0..30 {
        let odd = get(Request::of_mcp(&world, &at(number), "https:agent.example/cb")).await;
        assert!(odd.contains("not written the way it is read"), "{odd}");
        let request = Request::of_mcp(&world, &at(number), agent);
        let plain = get(request.clone().and("code_challenge_method", "plain")).await;
        assert!(plain.contains("has to be S256"), "{plain}");
        let target = get(request.and("resource", "https://elsewhere.example")).await;
        assert!(target.contains("resource is not one"), "{target}");
    }
    let mut fetched = 0;
    for number in 0..40 {
        let text = get(Request::of_mcp(&world, &at(number), agent)).await;
        fetched += usize::from(text.contains("could not be used"));
        assert!(text.contains("could not be used") || text.contains("Wait a minute"), "{text}");
    }
    assert!((5..20).contains(&fetched), "{fetched}");
    // What failed is remembered, and costs no more.
    assert!(get(Request::of_mcp(&world, &at(0), agent)).await.contains("could not be used"));
    // Known clients have nothing to do with it.
    let connector = "https://chatgpt.com/connector/oauth/x";
    let pinned = get(Request::of_mcp(&world, "https://chatgpt.com/oauth/client.json", connector)).await;
    assert!(pinned.contains("ChatGPT, at chatgpt.com"), "{pinned}");
}
