//! Faults, limits and what tests change.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;

use serde_json::json;
use tokio::net::TcpListener;

use super::*;

/// What a client reads from the wire until the connection ends.
async fn wire(sandbox: &Sandbox, path: &str) -> Vec<u8> {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let router = sandbox.router();
    let server = tokio::spawn(async move { axum::serve(listener, router).await });
    let request = format!("GET {path} HTTP/1.1\r\nhost: x\r\n\r\n");
    let found = tokio::task::spawn_blocking(move || {
        let mut stream = TcpStream::connect(address).unwrap();
        stream.set_read_timeout(Some(Duration::from_secs(5))).unwrap();
        stream.write_all(request.as_bytes()).unwrap();
        let mut found = Vec::new();
        let _ = stream.read_to_end(&mut found);
        found
    })
    .await
    .unwrap();
    server.abort();
    found
}

#[tokio::test]
async fn points_run_out_and_come_back_at_the_full_hour() {
    let world = world();
    let got = world.get("bob", "/api/v2/pages/1310745").await;
    assert_eq!(got.header("x-ratelimit-remaining"), "64998");
    assert_eq!(got.header("x-ratelimit-reset"), "2026-06-17T10:00:00Z");
    world.sandbox.spend_points(65_000);
    let got = world.get("alice", "/api/v2/pages/1310745").await;
    assert_eq!((got.status, got.header("retry-after")), (StatusCode::TOO_MANY_REQUESTS, "1800"));
    world.pass(1800);
    assert_eq!(world.get("alice", "/api/v2/pages/1310745").await.status, StatusCode::OK);
}

#[tokio::test]
async fn calls_are_remembered_with_the_person() {
    let world = world();
    world.get("bob", "/api/v2/spaces?limit=1").await;
    let calls = world.sandbox.calls();
    let call = Call {
        method: "GET".to_owned(),
        path: format!("/ex/confluence/{}/wiki/api/v2/spaces", ACME.cloud_id),
        query: "limit=1".to_owned(),
        person: Some("bob".to_owned()),
        status: 200,
    };
    assert_eq!(calls, [call]);
    world.sandbox.forget_calls();
    assert_eq!(world.sandbox.calls(), []);
}

#[tokio::test]
async fn faults_come_as_often_as_ordered() {
    let world = world();
    let fault = |kind, times| Fault { path_contains: "/spaces".to_owned(), times, kind };
    let status =
        FaultKind::Status { status: 502, headers: vec![("x-odd".into(), "1".into())], body: "<html>".into() };
    world.sandbox.inject(fault(status, 1));
    let got = world.get("bob", "/api/v2/spaces").await;
    assert_eq!((got.status.as_u16(), got.header("x-odd"), got.text.as_str()), (502, "1", "<html>"));
    assert_eq!(world.get("bob", "/api/v2/spaces").await.status, StatusCode::OK);
    world.sandbox.inject(fault(FaultKind::AccessBlocked, usize::MAX));
    for _ in 0..3 {
        let got = world.get("bob", "/api/v2/spaces").await;
        assert_eq!(got.header("atlassian-datasecuritypolicy"), "app_access_blocked");
    }
    assert_eq!(world.get("bob", "/api/v2/pages").await.status, StatusCode::OK, "other paths are well");
    world.sandbox.clear_faults();
    world.sandbox.inject(fault(FaultKind::Hang, 1));
    let hung = tokio::time::timeout(Duration::from_millis(50), world.get("bob", "/api/v2/spaces")).await;
    assert!(hung.is_err());
    assert_eq!(world.sandbox.calls().last().unwrap().status, 0);
}

#[tokio::test]
async fn connections_break_on_the_wire() {
    let world = world();
    let fault = |kind| Fault { path_contains: "/me".to_owned(), times: 1, kind };
    world.sandbox.inject(fault(FaultKind::Reset));
    assert_eq!(wire(&world.sandbox, "/me").await, b"");
    world.sandbox.inject(fault(FaultKind::TruncatedBody));
    let found = wire(&world.sandbox, "/me").await;
    assert!(found.starts_with(b"HTTP/1.1 200") && found.len() > 400_000, "{}", found.len());
    assert!(!found.ends_with(b"}"));
}

#[tokio::test]
async fn tests_can_add_odd_things() {
    let world = world();
    let page =
        NewPage { title: "Zebra".into(), body: "<p>striped</p>".into(), space: "HR", ..NewPage::default() };
    let id = world.sandbox.add_page(page);
    assert_eq!(world.search("alice", "text ~ striped", "").await.ids(), [id.as_str()]);
    assert_eq!(world.search("bob", "text ~ striped", "").await.ids(), Vec::<String>::new());
    let file = world.sandbox.add_file(NewFile {
        page: id.clone(),
        title: "big.bin".into(),
        media_type: "application/octet-stream",
        bytes: vec![7; 10],
        claimed_size: Some(1 << 30),
    });
    let listed = world.get("alice", &format!("/api/v2/pages/{id}/attachments")).await.json();
    assert_eq!(
        (&listed["results"][0]["id"], &listed["results"][0]["fileSize"]),
        (&json!(file), &json!(1 << 30))
    );
    world.sandbox.remove_page(&id);
    assert_eq!(world.search("alice", "text ~ striped", "").await.ids(), Vec::<String>::new());
    assert_eq!(self::world().search("alice", "text ~ striped", "").await.ids(), Vec::<String>::new());
}

#[tokio::test]
async fn the_last_days_can_look_lived_in() {
    let world = world();
    world.pass(300 * 86_400);
    assert_eq!(world.search("bob", "lastmodified > now(\"-7d\")", "").await.ids(), Vec::<String>::new());
    world.sandbox.catch_up();
    let found = world.search("bob", "lastmodified > now(\"-7d\") order by lastmodified desc", "").await.ids();
    assert_eq!(found[1..], ["1321010", "1310760"]);
    assert_eq!(found.len(), 3);
}
