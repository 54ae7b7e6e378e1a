//! Signing in as ChatGPT's Actions do: the whole journey, and how long its tokens live.

use std::time::Duration;

use crate::support::{Back, CLIENT_ID, CLIENT_SECRET, GPT_CALLBACK, Request, Session, World, param};

#[tokio::test]
async fn a_person_signs_in_as_chatgpt_does_and_the_token_works() {
    let world = World::start().await;
    let answer = world.redeem(&world.code("alice").await).await.expect(200);
    assert_eq!(answer.text("token_type"), "bearer");
    assert_eq!(answer.json["expires_in"], 3540);
    assert_eq!(answer.text("scope"), "confluence:read");
    assert_eq!((answer.header("cache-control"), answer.header("pragma")), ("no-store", "no-cache"));
    world.get(&Session::of(answer), "/v1/me").await.expect(200);
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
}
