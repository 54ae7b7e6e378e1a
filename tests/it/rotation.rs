//! The sealing key is changed as the README says, replica by replica, while people and clients go on: nobody notices.

use std::time::Duration;

use causeway::seal::Sealer;
use causeway::seal::payloads::Refresh;
use serde_json::json;

use crate::asking::ACME;
use crate::mcp::Client;
use crate::replicas::RoundRobin;
use crate::support::{Back, MCP_CALLBACK, Request, Session, World, secret};

const DAY: Duration = Duration::from_secs(24 * 3600);

/// The three updates.
fn updates() -> [String; 3] {
    let (old, new) = (secret(1), secret(2));
    [format!("{old},{new}"), format!("{new},{old}"), new]
}

impl World {
    /// Each of the three replicas is asked once.
    async fn knows_everywhere(&self, session: &Session) {
        for _ in 0..3 {
            self.get(session, "/v1/me").await.expect(200);
        }
    }

    async fn renewed(&self, session: &Session) -> Session {
        Session::of(self.refresh(&session.refresh_token).await)
    }
}

#[tokio::test]
async fn a_new_key_comes_in_three_rolling_updates_and_no_session_notices() {
    let (world, proxy) = RoundRobin::world().await;
    for number in 0..3 {
        world.add("ENG", &format!("Bilby {number}"), "<p>bilby</p>");
    }
    let dormant = world.sign_in("alice").await;
    let mut sessions = vec![world.sign_in("alice").await, world.sign_in("bob").await];
    for keys in updates() {
        if keys == secret(2) {
            // Ninety days in which people come back now and then. Whoever does not has to sign in again anyway.
            for _ in 0..3 {
                world.clock.advance(40 * DAY);
                for session in &mut sessions {
                    *session = world.renewed(session).await;
                }
            }
            world.refresh(&dormant.refresh_token).await.expect_error(400, "invalid_grant");
        }
        for index in 0..3 {
            let first = world.get(&sessions[0], "/v1/search?query=bilby&limit=1").await.expect(200);
            let mut browser = world.browser();
            let begun = browser.get(&Request::of_chatgpt().url(&world.public_url)).await;

            let updated = world.replica_with(&[("CAUSEWAY_SITE", ACME), ("CAUSEWAY_SECRET", &keys)]).await;
            proxy.replace(index, &updated);

            // What was begun before goes on: a sign-in, a list, every session of before.
            let back = Back::at(&browser.submit(&begun, &[("person", "bob"), ("decision", "allow")]).await);
            sessions.push(Session::of(world.redeem(&back.code).await));
            let next = [("query", "bilby"), ("limit", "1"), ("cursor", first.text("nextCursor"))];
            world.ask(&sessions[0], "/v1/search", &next).await.expect(200);
            for session in &mut sessions {
                world.knows_everywhere(session).await;
                *session = world.renewed(session).await;
                world.knows_everywhere(session).await;
            }
        }
    }
    assert_eq!(sessions.len(), 11);
    // All of them live under the new key alone, and the old one is good for nothing any more.
    let old = world.replica().await;
    for session in &sessions {
        old.get(session, "/v1/me").await.expect(401);
    }
}

#[tokio::test]
async fn a_link_to_a_file_and_a_consent_page_outlive_the_change_of_keys() {
    let world = World::of_acme().await;
    let alice = world.sign_in("alice").await;
    let entry = causeway::actions::all().into_iter().find(|entry| entry.id == "getAttachment").unwrap();
    let (_, path, _) =
        crate::asking::examples().into_iter().find(|(example, ..)| example.id == entry.id).unwrap();
    let answer = world.ask(&alice, &path, &[("as", "file")]).await.expect(200);
    let link = answer.json["openaiFileResponse"][0].as_str().unwrap().to_owned();
    let client_id = world.register(&[MCP_CALLBACK]).await;
    let request = Request::of_mcp(&world, &client_id, MCP_CALLBACK);
    let mut browser = world.browser();
    let ours = browser.get(&request.url(&world.public_url)).await;

    let turned = world.replica_with(&[("CAUSEWAY_SECRET", &updates()[1])]).await;
    let path = link.strip_prefix(&world.public_url).unwrap();
    turned.get_bare(path).await.expect(200);
    let mut same = turned.browser();
    same.adopt_cookies(&browser);
    let atlassian = same.submit(&ours, &[("decision", "allow")]).await;
    let back = Back::at(&same.submit(&atlassian, &[("person", "alice"), ("decision", "allow")]).await);
    let session = Session::of(turned.redeem_publicly(&client_id, MCP_CALLBACK, &back.code).await);
    Client::new(&turned, &session).answer("whoAmI", json!({})).await;
}

#[tokio::test]
async fn a_client_that_registered_itself_outlives_its_key_until_it_has_to_sign_in_again() {
    let world = World::of_acme().await;
    let client_id = world.register(&[MCP_CALLBACK]).await;
    let mut session = world.sign_in_to_mcp_by(&client_id, "alice").await;
    // Earlier versions did not note where a client is called back.
    let mut of_before = world.sign_in_to_mcp_by(&client_id, "bob").await;
    let sealer = Sealer::new(&[secret(1).into()], world.clock.clone()).unwrap();
    let noted: Refresh = sealer.open(&of_before.refresh_token).unwrap();
    of_before.refresh_token = sealer.seal(&Refresh { redirect_uri: None, ..noted }).unwrap();
    let turned = world.replica_with(&[("CAUSEWAY_SECRET", &updates()[1])]).await;
    for session in [&mut session, &mut of_before] {
        *session = Session::of(turned.refresh_publicly(&client_id, &session.refresh_token).await);
    }

    // From here on nobody can read its registration: what it holds tells that it is the same client.
    let dropped = world.replica_with(&[("CAUSEWAY_SECRET", &updates()[2])]).await;
    for _ in 0..3 {
        world.clock.advance(40 * DAY);
        for session in [&mut session, &mut of_before] {
            *session = Session::of(dropped.refresh_publicly(&client_id, &session.refresh_token).await);
            Client::new(&dropped, session).answer("whoAmI", json!({})).await;
        }
    }
    let token = &session.refresh_token;
    let (forged, other) = (format!("{client_id}A"), dropped.register(&[MCP_CALLBACK]).await);
    dropped.refresh_publicly(&forged, token).await.expect_error(401, "invalid_client");
    dropped.refresh_publicly(&other, token).await.expect_error(400, "invalid_grant");

    // Once the operator lets its like in no longer, it is out; so it is when it has not come for too long.
    let [_, _, new] = updates();
    let strict = [("CAUSEWAY_SECRET", new.as_str()), ("CAUSEWAY_MCP_CLIENTS", "claude.ai")];
    let strict = world.replica_with(&strict).await;
    strict.refresh_publicly(&client_id, token).await.expect_error(401, "invalid_client");
    world.clock.advance(91 * DAY);
    dropped.refresh_publicly(&client_id, token).await.expect_error(401, "invalid_client");
    dropped.sign_in_to_mcp("alice").await;
}
