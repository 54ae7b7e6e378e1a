//! What signing in leaves in a log: nothing that opens anything.

use std::sync::{Arc, Mutex};

use crate::support::{Back, CLIENT_ID, CLIENT_SECRET, Request, Session, World, encode, param};

#[tokio::test]
async fn no_secret_code_token_or_state_reaches_the_log() {
    let log = Log::default();
    let writer = log.clone();
    let subscriber = tracing_subscriber::fmt()
        .with_max_level(tracing::Level::TRACE)
        .with_writer(move || writer.clone())
        .finish();
    // Every task of this test runs on its one thread.
    let _guard = tracing::subscriber::set_default(subscriber);
    let world = World::start().await;
    let mut browser = world.browser();
    let atlassian = browser.get(&Request::of_chatgpt().and("state", "clientstate1").url(&world.url)).await;
    let state = param(&atlassian.url, "state").unwrap();
    let back = Back::at(&browser.submit(&atlassian, &[("person", "alice"), ("decision", "allow")]).await);
    let session = Session::of(world.redeem(&back.code).await);
    let renewed = Session::of(world.refresh(&session.refresh_token).await);
    world.get(&renewed, "/v1/me").await;
    world.redeem(&back.code).await.expect(400);
    world.token(&[("client_id", CLIENT_ID), ("client_secret", "wrong-secret")]).await.expect(401);
    world.sandbox.revoke("alice");
    world.refresh(&renewed.refresh_token).await.expect(400);
    let unreachable = world.replica_with(&[("ATLASSIAN_AUTH_URL", "http://127.0.0.1:9")]).await;
    unreachable.refresh(&renewed.refresh_token).await.expect(503);
    browser.get(&format!("{}/oauth/authorize?client_id=nobody%20known", world.url)).await;

    let log = String::from_utf8(log.0.lock().unwrap().clone()).unwrap();
    assert!(log.contains("causeway"), "nothing was logged");
    let cookie = browser.cookie("browser").unwrap();
    let (code, access, refresh) = (&back.code, &session.access_token, &session.refresh_token);
    let secrets = [
        &state,
        code,
        access,
        refresh,
        &renewed.access_token,
        &renewed.refresh_token,
        &cookie,
        &"clientstate1".to_owned(),
        &CLIENT_SECRET.to_owned(),
        &"wrong-secret".to_owned(),
        &"nobody known".to_owned(),
        &encode(CLIENT_SECRET),
    ];
    for secret in secrets {
        // Of the long ones a piece, in case they are cut.
        let half = secret.len() / 2;
        let piece = if half > 24 { &secret[half..half + 24] } else { secret };
        let lines: Vec<_> = log.lines().filter(|line| line.contains(piece)).collect();
        assert!(lines.is_empty(), "{piece} is in {lines:?}");
    }
}

#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl std::io::Write for Log {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}
