//! How fast clients may ask for tokens and registrations. No client uses up what is another's, and an address that fails
//! does so alone.

use std::time::Duration;

use serde_json::json;

use crate::support::{Answer, CLIENT_ID, CLIENT_SECRET, World};

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
    let answer = answer.expect_error(429, "temporarily_unavailable");
    let wait: u64 = answer.header("retry-after").parse().unwrap();
    assert!((1..=5).contains(&wait), "{wait}");
    assert_eq!(answer.header("cache-control"), "no-store");
}

#[tokio::test]
async fn a_client_that_asks_too_often_waits_and_no_other_does() {
    let world = World::of_acme().await;
    let mut answered = 0;
    let refused = loop {
        let answer = world.token(&OF_THE_GPT).await;
        if answer.status == 429 {
            break answer;
        }
        answer.expect_error(400, "invalid_grant");
        answered += 1;
        assert!(answered < MANY);
    };
    is_too_many(refused);
    // A sign-in of a few people at once is far from it.
    assert!(answered >= 500, "{answered}");
    world.sign_in_to_mcp("bob").await;
    world.clock.advance(Duration::from_secs(1));
    world.sign_in("alice").await;
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
    // Atlassian's refusal is the GPT's own, which has proven itself: it has to be told so.
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
async fn an_address_that_registers_too_often_waits_and_no_other_does() {
    let world = World::with(&[("CAUSEWAY_TRUSTED_PROXIES", "127.0.0.1")]).await;
    for number in 0..500 {
        let redirect_uri = format!("http://127.0.0.1:{}/cb", 1024 + number);
        world.register_for("198.51.100.1", &redirect_uri).await.expect(201);
    }
    let mut last = world.register_for("198.51.100.1", "http://127.0.0.1/cb").await;
    for _ in 500..MANY {
        last = world.register_for("198.51.100.1", "http://127.0.0.1/cb").await;
    }
    is_too_many(last);
    world.register_for("203.0.113.5", "http://127.0.0.1/cb").await.expect(201);
}

#[tokio::test]
async fn a_stranger_cannot_use_up_what_a_public_client_may_ask_for_elsewhere() {
    let world = World::with(&[("CAUSEWAY_TRUSTED_PROXIES", "127.0.0.1")]).await;
    let of_docs = |code| {
        [
            ("grant_type", "authorization_code"),
            ("client_id", "causeway-docs"),
            ("code", code),
            ("redirect_uri", "https://wiki.example/cb"),
        ]
    };
    for _ in 0..MANY {
        world.token_for("198.51.100.1", &of_docs("nothing")).await;
    }
    is_too_many(world.token_for("198.51.100.1", &of_docs("nothing")).await);
    world.token_for("203.0.113.5", &of_docs("nothing")).await.expect_error(400, "invalid_grant");
}
