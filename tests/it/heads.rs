//! Heads of requests up to the promised limit and not a byte more, and what browsers are told of https.

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use crate::support::World;

const MAX_HEAD: usize = 80 * 1024;

/// The answer to these bytes, which end the connection.
async fn answer(world: &World, head: &str) -> String {
    let mut stream = TcpStream::connect(world.url.trim_start_matches("http://")).await.unwrap();
    stream.write_all(head.as_bytes()).await.unwrap_or_default();
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).await.unwrap_or_default();
    String::from_utf8_lossy(&answer).into_owned()
}

/// A head of so many bytes.
fn head(target: &str, headers: &str, length: usize) -> String {
    let begin = format!("GET {target} HTTP/1.1\r\nhost: x\r\nconnection: close\r\n{headers}x-long: ");
    let end = "\r\n\r\n";
    format!("{begin}{}{end}", "x".repeat(length - begin.len() - end.len()))
}

#[tokio::test]
async fn a_head_of_80_kb_is_read_and_one_of_a_byte_more_is_not() {
    let world = World::start().await;
    for (length, status) in [
        (MAX_HEAD - 1, "HTTP/1.1 200"),
        (MAX_HEAD, "HTTP/1.1 200"),
        (MAX_HEAD + 1, "HTTP/1.1 431"),
        (MAX_HEAD + 2_000, "HTTP/1.1 431"),
        (MAX_HEAD + 18 * 1024, "HTTP/1.1 431"),
        (MAX_HEAD + 40 * 1024, "HTTP/1.1 431"),
    ] {
        let answer = answer(&world, &head("/healthz", "", length)).await;
        // What is refused while it is being sent may end in a reset.
        let is_reset = answer.is_empty() && length > MAX_HEAD + 2_000;
        assert!(answer.starts_with(status) || is_reset, "{length}: {answer}");
    }
}

#[tokio::test]
async fn the_longest_url_and_the_longest_token_fit_together() {
    let world = World::start().await;
    let path = "/v1/search?query=";
    let url = format!("{path}{}", "x".repeat(52 * 1024 - path.len()));
    let token = format!("authorization: Bearer {}\r\n", "x".repeat(24 * 1024));
    let answer = answer(&world, &head(&url, &token, MAX_HEAD)).await;
    assert!(answer.starts_with("HTTP/1.1 401"), "{answer}");
}

#[tokio::test]
async fn where_the_public_address_is_https_every_answer_says_to_keep_to_it() {
    let https = World::with(&[("CAUSEWAY_PUBLIC_URL", "https://causeway.example.com")]).await;
    let http = World::start().await;
    let long_url = format!("/v1/search?query={}", "x".repeat(60_000));
    for path in [
        "/",
        "/healthz",
        "/docs",
        "/assets/style.css",
        "/openapi.json",
        "/v1/me",
        "/nowhere",
        "/oauth/token",
        &long_url,
    ] {
        let answer = https.get_bare(path).await;
        let said = answer.header("strict-transport-security");
        let seconds: u64 = said.strip_prefix("max-age=").unwrap_or_default().parse().unwrap_or(0);
        assert!(seconds >= 31_536_000, "{path} says {said:?}");
        assert_eq!(http.get_bare(path).await.header("strict-transport-security"), "", "{path}");
    }
    let post = https.http.post(format!("{}/mcp", https.url)).body("{}");
    assert!(https.send(post).await.headers.contains_key("strict-transport-security"));
    let refused = answer(&https, &head("/healthz", "", MAX_HEAD + 1)).await.to_lowercase();
    assert!(refused.contains("strict-transport-security: max-age="), "{refused}");
}
