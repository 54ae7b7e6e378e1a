//! Clients that mean harm: slow ones, huge ones, many of them. They are refused or make way, and good clients are answered.

use std::time::Duration;

use causeway::config::{Config, Limits};
use causeway::{Gateway, known_actions, serve};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;

use crate::support::{Request, Session, World};

impl World {
    /// Another gateway before the same sandbox, with other limits.
    async fn limited(&self, change: impl FnOnce(&mut Limits)) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let mut world = self.clone();
        world.url = format!("http://{}", listener.local_addr().unwrap());
        // Connections of its own, so that none is taken over from another gateway's time.
        world.http = causeway::atlassian::http_builder().no_proxy().build().unwrap();
        let mut config = Config::load(&self.env, &known_actions()).unwrap();
        change(&mut config.limits);
        let gateway = Gateway::new(config, self.clock.clone()).unwrap();
        tokio::spawn(async move { serve(listener, &gateway, std::future::pending()).await.unwrap() });
        world
    }

    /// A connection on which these bytes have been sent.
    async fn connect(&self, bytes: &[u8]) -> TcpStream {
        let mut stream = TcpStream::connect(self.url.trim_start_matches("http://")).await.unwrap();
        // The gateway may have hung up already.
        stream.write_all(bytes).await.unwrap_or_default();
        stream
    }
}

/// Everything that is sent until the gateway hangs up.
async fn read_to_end(mut stream: TcpStream) -> String {
    let mut answer = Vec::new();
    let mut buffer = [0; 4096];
    // A connection that is reset has been hung up on too.
    while let Ok(length @ 1..) = stream.read(&mut buffer).await {
        answer.extend_from_slice(&buffer[..length]);
    }
    String::from_utf8_lossy(&answer).into_owned()
}

/// The status of an answer as it was sent; 0 when there is none.
fn status(answer: &str) -> u16 {
    answer.split(' ').nth(1).and_then(|status| status.parse().ok()).unwrap_or_default()
}

#[tokio::test]
async fn slow_heads_on_every_connection_keep_nobody_out() {
    let world = World::of_acme().await;
    let alice = world.sign_in("alice").await;
    let world = world.limited(|limits| limits.connections = 16).await;
    let mut slow = Vec::new();
    for _ in 0..200 {
        slow.push(world.connect(b"GET /v1/me HTTP/1.1\r\nhost: x\r\nx-slow: ").await);
    }
    for _ in 0..20 {
        world.get(&alice, "/v1/search?query=deployment").await.expect(200);
        slow.push(world.connect(b"GET /").await);
    }
    // The oldest had to go; who is in work stays.
    assert_eq!(read_to_end(slow.remove(0)).await, "");
}

#[tokio::test]
async fn slow_bodies_on_every_connection_keep_nobody_out() {
    let world = World::of_acme().await;
    let alice = world.sign_in("alice").await;
    let world = world.limited(|limits| limits.connections = 16).await;
    let mut slow = Vec::new();
    for _ in 0..100 {
        slow.push(world.connect(slow_form("/oauth/token", 100).as_bytes()).await);
    }
    for _ in 0..20 {
        world.get(&alice, "/v1/search?query=deployment").await.expect(200);
        slow.push(world.connect(slow_form("/oauth/register", 100).as_bytes()).await);
    }
    // The oldest had to go, long before its time was up.
    assert_eq!(read_to_end(slow.remove(0)).await, "");
}

/// A form of 120,000 bytes of which only so many are sent.
fn slow_form(path: &str, sent: usize) -> String {
    format!(
        "POST {path} HTTP/1.1\r\nhost: x\r\ncontent-type: application/x-www-form-urlencoded\r\n\
         content-length: 120000\r\n\r\n{}",
        "x".repeat(sent)
    )
}

#[tokio::test]
async fn slow_bodies_for_tools_take_no_places() {
    let world =
        World::with(&[("CAUSEWAY_MAX_IN_FLIGHT", "2"), ("CAUSEWAY_SITE", "acme.atlassian.net")]).await;
    let alice = world.sign_in_to_mcp("alice").await;
    let head = format!(
        "POST /mcp HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {}\r\ncontent-type: application/json\r\n\
         content-length: 2000\r\n\r\n{{",
        alice.access_token
    );
    let mut slow = Vec::new();
    for _ in 0..50 {
        slow.push(world.connect(head.as_bytes()).await);
    }
    world.knock(&alice, "/mcp").await.expect(200);
    drop(slow);
}

#[tokio::test]
async fn large_bodies_have_room_up_to_a_limit_and_small_ones_always() {
    let world = World::of_acme().await;
    let alice = world.sign_in("alice").await;
    let mut large = JoinSet::new();
    for _ in 0..500 {
        let stream = world.connect(slow_form("/oauth/token", 119_000).as_bytes()).await;
        large.spawn(async move { status(&read_to_end(stream).await) });
    }
    let first = large.join_next().await.unwrap().unwrap();
    assert!([0, 503].contains(&first), "long before its time was up: {first}");
    world.refresh(&alice.refresh_token).await.expect(200);
}

#[tokio::test]
async fn http_2_is_not_spoken() {
    let world = World::start().await;
    let answer = read_to_end(world.connect(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n").await).await;
    assert!([0, 400, 505].contains(&status(&answer)), "{answer}");
}

#[tokio::test]
async fn strangers_make_way_before_somebody_who_is_signed_in() {
    let world = World::of_acme().await;
    let alice = world.sign_in("alice").await;
    let world = world.limited(|limits| limits.connections = 4).await;
    let ask =
        format!("GET /v1/me HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {}\r\n\r\n", alice.access_token);
    let mut known = world.connect(ask.as_bytes()).await;
    let mut answer = [0; 4096];
    assert!(known.read(&mut answer).await.unwrap() > 0);
    let mut strangers = Vec::new();
    for _ in 0..40 {
        let mut stranger = world.connect(b"GET /healthz HTTP/1.1\r\nhost: x\r\n\r\n").await;
        assert!(stranger.read(&mut answer).await.unwrap() > 0);
        strangers.push(stranger);
    }
    known.write_all(ask.as_bytes()).await.unwrap();
    assert!(known.read(&mut answer).await.unwrap() > 0, "it was hung up on");
}

#[tokio::test]
async fn a_request_in_work_is_never_the_one_to_make_way() {
    let world = World::of_acme().await;
    let alice = world.sign_in("alice").await;
    let world = world.limited(|limits| limits.connections = 4).await;
    let kind = causeway::sandbox::FaultKind::Slow(Duration::from_millis(500));
    world.break_confluence(1, kind);
    world.sandbox.forget_calls();
    let (asking, asker) = (world.clone(), alice.clone());
    let open = tokio::spawn(async move { asking.get(&asker, "/v1/search?query=deployment").await });
    while world.confluence_calls().is_empty() {
        tokio::task::yield_now().await;
    }
    let mut slow = Vec::new();
    for _ in 0..40 {
        slow.push(world.connect(b"GET /v1/me HTTP/1.1\r\n").await);
    }
    open.await.unwrap().expect(200);
}

#[tokio::test]
async fn a_head_that_is_never_finished_ends_the_connection() {
    let world = World::start().await;
    let world = world.limited(|limits| {
        limits.head = Duration::from_millis(200);
        limits.silence = Duration::from_millis(200);
    });
    let world = world.await;
    for start in ["", "GET", "GET /healthz HTTP/1.1\r\nhost: x\r\n"] {
        let answer = read_to_end(world.connect(start.as_bytes()).await).await;
        assert!(answer.is_empty() || status(&answer) == 408, "{answer}");
    }
}

#[tokio::test]
async fn a_head_that_is_too_large_is_refused_unread() {
    let world = World::start().await;
    let long_header = format!("GET / HTTP/1.1\r\nhost: x\r\nx-long: {}\r\n\r\n", "x".repeat(1_000_000));
    let many_headers = format!("GET / HTTP/1.1\r\nhost: x\r\n{}\r\n", "x-many: 1\r\n".repeat(5_000));
    let endless_url = format!("GET /{}", "x".repeat(1_000_000));
    for head in [&long_header, &many_headers] {
        let answer = read_to_end(world.connect(head.as_bytes()).await).await;
        assert!([0, 431].contains(&status(&answer)), "{answer}");
    }
    let answer = read_to_end(world.connect(endless_url.as_bytes()).await).await;
    assert!([0, 414, 431].contains(&status(&answer)), "{answer}");
    let long_url = format!("/v1/search?query={}", "x".repeat(60_000));
    world.get_bare(&long_url).await.refused(413, "payload-too-large");
}

#[tokio::test]
async fn a_body_without_end_is_refused() {
    let world = World::start().await;
    for path in ["/oauth/token", "/oauth/register", "/oauth/consent"] {
        let head = format!(
            "POST {path} HTTP/1.1\r\nhost: x\r\ncontent-type: application/x-www-form-urlencoded\r\n\
             transfer-encoding: chunked\r\n\r\n"
        );
        let mut stream = world.connect(head.as_bytes()).await;
        let chunk = format!("4000\r\n{}\r\n", "x".repeat(0x4000));
        let mut sent = 0;
        while sent < 10_000_000 && stream.write_all(chunk.as_bytes()).await.is_ok() {
            sent += chunk.len();
        }
        assert!(sent < 10_000_000, "{path} took it all");
    }
    world.get_bare("/healthz").await.expect(200);
}

#[tokio::test]
async fn a_body_that_takes_its_time_is_given_up() {
    let world = World::start().await.limited(|limits| limits.body = Duration::from_millis(200)).await;
    for path in ["/oauth/token", "/oauth/register", "/oauth/consent"] {
        let head = format!(
            "POST {path} HTTP/1.1\r\nhost: x\r\ncontent-type: application/x-www-form-urlencoded\r\n\
             content-length: 20\r\n\r\ngrant"
        );
        let answer = read_to_end(world.connect(head.as_bytes()).await).await;
        assert_eq!(status(&answer), 408, "{path}: {answer}");
    }
}

#[tokio::test]
async fn a_client_that_takes_no_answers_is_given_up() {
    let world = World::start().await.limited(|limits| limits.silence = Duration::from_millis(200)).await;
    let asking = "GET /docs/swagger-ui-bundle.js HTTP/1.1\r\nhost: x\r\n\r\n";
    let answer = world.http.get(format!("{}/docs/swagger-ui-bundle.js", world.url)).send().await.unwrap();
    let length = answer.bytes().await.unwrap().len();
    assert!(length > 1_000_000, "{length}");
    let mut stream = world.connect(asking.repeat(100).as_bytes()).await;
    // Nothing is read; what is written fails from when the gateway has hung up.
    while stream.write_all(b"G").await.is_ok() {
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

#[tokio::test]
async fn a_body_for_a_tool_that_takes_its_time_is_given_up_too() {
    let world = World::of_acme().await;
    let alice = world.sign_in_to_mcp("alice").await;
    let world = world.limited(|limits| limits.body = Duration::from_millis(200)).await;
    let head = format!(
        "POST /mcp HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {}\r\ncontent-type: application/json\r\n\
         content-length: 20\r\n\r\n{{",
        alice.access_token
    );
    assert_eq!(status(&read_to_end(world.connect(head.as_bytes()).await).await), 408);
}

#[tokio::test]
async fn garbage_is_refused_and_good_clients_are_answered_meanwhile() {
    let world = World::of_acme().await;
    let alice = world.sign_in("alice").await;
    let mut siege = JoinSet::new();
    for number in 0..8_u64 {
        let world = world.clone();
        siege.spawn(async move {
            for round in 0..60 {
                match (number + round) % 4 {
                    0 => drop(world.connect(&rand::random::<[u8; 32]>()).await),
                    1 => {
                        let form = [("grant_type", "refresh_token"), ("client_id", "nobody")];
                        let refused = world.token(&form).await.status;
                        assert!([401, 429].contains(&refused), "{refused}");
                    }
                    2 => {
                        let token = format!("v4.local.{}", "A".repeat(8_000));
                        let refused = world.http.get(format!("{}/v1/me", world.url)).bearer_auth(token);
                        world.send(refused).await.expect(401);
                    }
                    _ => {
                        let path = format!("/oauth/authorize?client_id={round}&redirect_uri=x");
                        world.get_bare(&path).await.expect(400);
                    }
                }
            }
        });
    }
    for _ in 0..20 {
        world.get(&alice, "/v1/search?query=deployment").await.expect(200);
    }
    siege.join_all().await;
    world.get(&alice, "/v1/search?query=deployment").await.expect(200);
}

/// The binary in a process of its own, whose memory can be told from everybody else's.
struct Fortress {
    world: World,
    _process: tokio::process::Child,
}

impl Fortress {
    async fn start() -> Self {
        let mut world = World::of_acme().await;
        let [address, admin] = [free_address(), free_address()];
        let mut command = tokio::process::Command::new(env!("CARGO_BIN_EXE_causeway"));
        command.arg("serve").env_clear().envs(&world.env).kill_on_drop(true);
        command.env("CAUSEWAY_LISTEN", &address).env("CAUSEWAY_ADMIN_LISTEN", &admin);
        command.env("CAUSEWAY_LOG", "error").stderr(std::process::Stdio::null());
        // The binary has the machine's clock, and so does what it is told.
        let process = command.spawn().unwrap();
        world.url = format!("http://{address}");
        world.admin_url = format!("http://{admin}");
        while world.http.get(format!("{}/healthz", world.url)).send().await.is_err() {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        Self { world, _process: process }
    }

    async fn resident_megabytes(&self) -> u64 {
        let url = format!("{}/metrics", self.world.admin_url);
        let text = self.world.http.get(url).send().await.unwrap().text().await.unwrap();
        let line = text.lines().find_map(|line| line.strip_prefix("process_resident_memory_bytes "));
        line.unwrap().parse::<u64>().unwrap() / 1024 / 1024
    }
}

fn free_address() -> String {
    std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().to_string()
}

#[tokio::test]
async fn ten_thousand_sign_ins_that_are_never_finished_leave_nothing_behind() {
    let fortress = Fortress::start().await;
    let world = &fortress.world;
    let begin = Request::of_chatgpt().url(&world.url);
    for _ in 0..500 {
        assert_eq!(world.http.get(&begin).send().await.unwrap().status(), 302);
    }
    let before = fortress.resident_megabytes().await;
    let mut siege = JoinSet::new();
    for _ in 0..20 {
        let (http, begin) = (world.http.clone(), begin.clone());
        siege.spawn(async move {
            for _ in 0..500 {
                assert_eq!(http.get(&begin).send().await.unwrap().status(), 302);
            }
        });
    }
    siege.join_all().await;
    let after = fortress.resident_megabytes().await;
    assert!(after <= before + 8, "{before} MB became {after} MB");
}

#[tokio::test]
async fn a_thousand_slow_connections_with_large_heads_cost_bounded_memory() {
    let fortress = Fortress::start().await;
    let before = fortress.resident_megabytes().await;
    let head = format!("GET / HTTP/1.1\r\nhost: x\r\nx-long: {}", "x".repeat(60_000));
    let mut slow = Vec::new();
    for _ in 0..1_000 {
        slow.push(fortress.world.connect(head.as_bytes()).await);
    }
    fortress.world.get_bare("/healthz").await.expect(200);
    let during = fortress.resident_megabytes().await;
    assert!(during <= before + 100, "{before} MB became {during} MB");
    drop(slow);
}

#[tokio::test]
async fn a_sign_in_that_was_begun_here_ends_at_a_gateway_that_has_never_heard_of_it() {
    let world = World::of_acme().await;
    let mut browser = world.browser();
    let atlassian = browser.get(&Request::of_chatgpt().url(&world.public_url)).await;
    let back = browser.submit(&atlassian, &[("person", "alice"), ("decision", "allow")]).await;
    let code = crate::support::Back::at(&back).code;
    let other = world.replica().await;
    let alice = Session::of(other.redeem(&code).await);
    other.get(&alice, "/v1/me").await.expect(200);
}
