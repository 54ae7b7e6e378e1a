//! What hostile clients do: each does one thing, over and over.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};
use tokio::time::{interval, sleep, timeout};

use super::target::{Target, drain, statuses};

/// What came of one act: kinds of answers, and how many of each.
pub type Came = Vec<(String, u64)>;

/// One kind of hostile client.
pub struct Attack {
    pub name: &'static str,
    /// How many there are at the same time.
    pub clients: usize,
    /// How long each waits from one act to the next.
    pub pause: Duration,
    pub act: fn(Arc<Target>, usize) -> Pin<Box<dyn Future<Output = Came> + Send>>,
    /// What may come of it.
    pub answers: &'static [&'static str],
    /// Fewer than so many answers a second would prove little.
    pub least_a_second: f64,
}

/// How long a slow client goes on before it begins anew.
const STAMINA: Duration = Duration::from_secs(120);
/// The most a head may have, nearly.
const LARGE: usize = 75_000;

macro_rules! attack {
    ($name:literal, $clients:literal every $pause:literal ms, $act:ident, $answers:expr, $least:literal) => {
        Attack {
            name: $name,
            clients: $clients,
            pause: Duration::from_millis($pause),
            act: |target, number| Box::pin(async move { $act(&target, number).await }),
            answers: &$answers,
            least_a_second: $least,
        }
    };
}

/// All of them. Where more connections are held than the gateway has places, it hangs up on the oldest.
pub fn all() -> Vec<Attack> {
    vec![
        attack!("nobody", 0 every 1000 ms, slow_head, [], 0.0),
        attack!("slow heads", 4000 every 500 ms, slow_head, ["hung up"], 10.0),
        attack!("slow bodies", 4000 every 500 ms, slow_body, ["hung up", "408", "503"], 10.0),
        attack!("slow bodies of an insider", 300 every 500 ms, slow_tool_body, ["hung up", "408", "503"], 0.0),
        attack!("garbage", 32 every 150 ms, garbage, GARBAGE_ANSWERS, 1700.0),
        attack!("large heads", 32 every 50 ms, large_head, ["hung up", "400", "413", "414", "431"], 20.0),
        attack!("large bodies", 16 every 50 ms, large_body, ["hung up", "400", "401", "413", "415", "429"], 20.0),
        attack!("packed bodies", 8 every 50 ms, packed_body, ["hung up", "400", "401", "413", "415", "429"], 20.0),
        attack!("HTTP/2", 16 every 50 ms, other_protocol, ["hung up", "400", "505"], 20.0),
        attack!("sign-ins that are never finished", 10000 every 5000 ms, sign_in, ["302", "hung up"], 100.0),
    ]
}

fn once(what: &str) -> Came {
    vec![(what.to_owned(), 1)]
}

fn counted(statuses: &[u16]) -> Came {
    if statuses.is_empty() {
        return once("hung up");
    }
    statuses.iter().map(|status| (status.to_string(), 1)).collect()
}

/// Sends these bytes, then one of these every half a second, until the gateway hangs up: its last answer.
async fn drip(
    from: impl AsyncRead + Unpin,
    mut to: impl AsyncWrite + Unpin,
    begin: &[u8],
    drop: &[u8],
) -> Came {
    let dripping = async {
        if to.write_all(begin).await.is_err() {
            return std::future::pending().await;
        }
        let mut ticks = interval(Duration::from_millis(500));
        while to.write_all(drop).await.is_ok() {
            ticks.tick().await;
        }
        std::future::pending().await
    };
    let mut answer = Vec::new();
    let mut from = from.take(100_000);
    let answered = async { from.read_to_end(&mut answer).await.unwrap_or_default() };
    tokio::select! {
        () = dripping => {}
        _ = answered => {}
        () = sleep(STAMINA) => {}
    }
    counted(&statuses(&answer))
}

async fn slow_head(target: &Target, _: usize) -> Came {
    let Some(stream) = target.connect().await else { return once("hung up") };
    let (from, to) = stream.into_split();
    let head = format!("GET /v1/me HTTP/1.1\r\nhost: x\r\nx-slow: {}", "x".repeat(LARGE));
    drip(from, to, head.as_bytes(), b"x").await
}

async fn slow_body(target: &Target, _: usize) -> Came {
    let Some(stream) = target.connect().await else { return once("hung up") };
    let (from, to) = stream.into_split();
    let head = format!(
        "POST /oauth/token HTTP/1.1\r\nhost: x\r\ncontent-type: application/x-www-form-urlencoded\r\n\
         content-length: 120000\r\n\r\n{}",
        "x".repeat(100_000)
    );
    drip(from, to, head.as_bytes(), b"x").await
}

async fn slow_tool_body(target: &Target, _: usize) -> Came {
    let Some(stream) = target.connect().await else { return once("hung up") };
    let (from, to) = stream.into_split();
    let head = format!(
        "POST /mcp HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\nauthorization: Bearer {}\r\n\
         accept: application/json, text/event-stream\r\ncontent-length: 120000\r\n\r\n{{\"x\":\"",
        target.token
    );
    drip(from, to, head.as_bytes(), b"x").await
}

const GARBAGE_ANSWERS: [&str; 12] =
    ["hung up", "400", "401", "403", "404", "405", "406", "413", "414", "415", "429", "431"];

/// A dozen requests on one connection, none of which makes sense; the last is not even HTTP.
async fn garbage(target: &Target, number: usize) -> Came {
    let requests: Vec<Vec<u8>> = (0..12).map(|round| nonsense(target, number * 5 + round)).collect();
    let bytes = [requests.concat(), rand::random::<[u8; 64]>().to_vec(), b"\r\n\r\n".to_vec()].concat();
    counted(&timeout(Duration::from_secs(30), target.send(&bytes)).await.unwrap_or_default())
}

fn nonsense(target: &Target, which: usize) -> Vec<u8> {
    let random: u64 = rand::random();
    let get = |path: &str, header: &str| format!("GET {path} HTTP/1.1\r\nhost: x\r\n{header}\r\n");
    let post = |path: &str, headers: &str, body: &str| {
        format!("POST {path} HTTP/1.1\r\nhost: x\r\n{headers}content-length: {}\r\n\r\n{body}", body.len())
    };
    let insider = format!("authorization: Bearer {}\r\ncontent-type: application/json\r\n", target.token);
    let form = "content-type: application/x-www-form-urlencoded\r\n";
    let json = "content-type: application/json\r\n";
    let text = match which % 20 {
        0 => get("/v1/me", ""),
        1 => get("/v1/search?query=x", &format!("authorization: Bearer {random}\r\n")),
        2 => get("/v1/pages/1", &format!("authorization: Bearer v4.local.{}\r\n", "A".repeat(4000))),
        3 => get(&format!("/{random}/../../etc/passwd"), ""),
        4 => get("/v1/spaces", &format!("authorization: Basic {random}\r\nauthorization: Bearer x\r\n")),
        5 => format!("DELETE /v1/pages/{random} HTTP/1.1\r\nhost: x\r\n\r\n"),
        6 => "BREW /v1/me HTTP/1.1\r\nhost: x\r\n\r\n".to_owned(),
        7 => post("/mcp", json, "{"),
        8 => post("/mcp", &insider, "{\"jsonrpc\":"),
        9 => post("/mcp", &insider, &"[".repeat(5000)),
        10 => post("/mcp", &insider, "{\"jsonrpc\":\"2.0\",\"id\":{},\"method\":7}"),
        11 => post("/oauth/token", form, "grant_type=refresh_token&refresh_token=x&client_id=nobody"),
        12 => post("/oauth/token", form, &format!("grant_type={random}")),
        13 => post("/oauth/register", json, "{\"redirect_uris\":[7]}"),
        14 => get(&format!("/oauth/authorize?client_id={random}&redirect_uri=javascript:x"), ""),
        15 => get(&format!("/oauth/callback?code=x&state={random}"), "cookie: __Host-x=y\r\n"),
        16 => get(&format!("/files/v4.local.{random}"), ""),
        17 => post("/oauth/consent", form, "ticket=x&decision=allow"),
        18 => get("/v1/pages/%00%ff?maxChars=-1&maxChars=9e99", "accept: nothing/at-all\r\n"),
        _ => get(&format!("/problems/{random}?{}", "&&&=".repeat(500)), ""),
    };
    text.into_bytes()
}

async fn large_head(target: &Target, number: usize) -> Came {
    let head = match number % 3 {
        0 => format!("GET / HTTP/1.1\r\nhost: x\r\nx-long: {}\r\n\r\n", "x".repeat(1_000_000)),
        1 => format!("GET / HTTP/1.1\r\nhost: x\r\n{}\r\n", "x-many: 1\r\n".repeat(5_000)),
        _ => format!("GET /{} HTTP/1.1\r\n\r\n", "x".repeat(1_000_000)),
    };
    counted(&target.send(head.as_bytes()).await)
}

/// Bodies as long as they come, in chunks.
async fn large_body(target: &Target, number: usize) -> Came {
    let (path, media_type) = [
        ("/oauth/token", "application/x-www-form-urlencoded"),
        ("/oauth/register", "application/json"),
        ("/oauth/consent", "application/x-www-form-urlencoded"),
        ("/mcp", "application/json"),
    ][number % 4];
    let chunk = format!("4000\r\n{}\r\n", "[".repeat(0x4000));
    let body = format!(
        "POST {path} HTTP/1.1\r\nhost: x\r\ncontent-type: {media_type}\r\nauthorization: Bearer {}\r\n\
         transfer-encoding: chunked\r\n\r\n{}",
        target.token,
        chunk.repeat(100)
    );
    counted(&target.send(body.as_bytes()).await)
}

/// Ten megabytes of brackets, packed into some ten thousand bytes.
async fn packed_body(target: &Target, number: usize) -> Came {
    let path = ["/mcp", "/oauth/token", "/oauth/register"][number % 3];
    let head = format!(
        "POST {path} HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ncontent-encoding: gzip\r\n\
         authorization: Bearer {}\r\nconnection: close\r\ncontent-length: {}\r\n\r\n",
        target.token,
        target.packed.len()
    );
    counted(&target.send(&[head.as_bytes(), &target.packed].concat()).await)
}

/// What HTTP/2 begins with, then frames: settings, and a head of thousands of headers for few bytes.
async fn other_protocol(target: &Target, _: usize) -> Came {
    let head = [vec![0x82, 0x84, 0x86, 0x41, 1, b'x', 0x40, 1, b'x', 0], vec![0xbe; 2200]].concat();
    let length = u16::try_from(head.len()).unwrap().to_be_bytes();
    let begin = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0";
    let frame = [&[0], &length[..], &[1, 4, 0, 0, 0, 1], &head[..]].concat();
    counted(&target.send(&[&begin[..], &frame.repeat(64)].concat()).await)
}

/// A sign-in that is begun and kept waiting for somebody who never comes back.
async fn sign_in(target: &Target, _: usize) -> Came {
    let Some(mut stream) = target.connect().await else { return once("hung up") };
    let request = format!("GET {} HTTP/1.1\r\nhost: x\r\n\r\n", target.sign_in);
    if stream.write_all(request.as_bytes()).await.is_err() {
        return once("hung up");
    }
    let mut answer = vec![0; 64 * 1024];
    match stream.read(&mut answer).await {
        Ok(length @ 1..) => {
            let came = counted(&statuses(&answer[..length]));
            // Held until the gateway needs the place, or for a while.
            timeout(Duration::from_secs(5), drain(stream)).await.unwrap_or_default();
            came
        }
        _ => once("hung up"),
    }
}
