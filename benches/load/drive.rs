//! A load generator: keep-alive connections that write ready-made requests and read whole answers.

use std::collections::VecDeque;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use memchr::memmem;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::{sleep_until, timeout};

/// Requests to one server; each connection goes through all of them, beginning at another.
#[derive(Clone)]
pub struct Load {
    pub server: SocketAddr,
    pub requests: Arc<[Vec<u8>]>,
}

/// What came of a load.
#[derive(Default)]
pub struct Outcome {
    /// Answers with status 200.
    pub good: u64,
    /// How many answers had each other status; 0: no answer at all.
    pub bad: Vec<(u16, u64)>,
    pub seconds: f64,
    /// From when a request was due to when its answer was whole, in order.
    pub times: Vec<Duration>,
}

impl Outcome {
    pub fn per_second(&self) -> f64 {
        self.good as f64 / self.seconds
    }

    pub fn of_status(&self, status: u16) -> u64 {
        self.bad.iter().find(|(found, _)| *found == status).map_or(0, |(_, count)| *count)
    }

    /// The time that `share` of the requests kept within.
    pub fn within(&self, share: f64) -> Duration {
        let last = self.times.len().saturating_sub(1);
        self.times.get((last as f64 * share).round() as usize).copied().unwrap_or_default()
    }

    fn add(&mut self, status: u16, time: Duration) {
        if status == 200 {
            self.good += 1;
        } else {
            match self.bad.iter_mut().find(|(found, _)| *found == status) {
                Some((_, count)) => *count += 1,
                None => self.bad.push((status, 1)),
            }
        }
        self.times.push(time);
    }

    fn merge(&mut self, other: Self) {
        self.good += other.good;
        for (status, count) in other.bad {
            match self.bad.iter_mut().find(|(found, _)| *found == status) {
                Some((_, sum)) => *sum += count,
                None => self.bad.push((status, count)),
            }
        }
        self.times.extend(other.times);
    }

    fn finish(mut self, start: Instant) -> Self {
        self.seconds = start.elapsed().as_secs_f64();
        self.times.sort_unstable();
        self
    }
}

/// As fast as `connections` can go for `time`: each sends its next request when it has its answer.
pub async fn closed(load: &Load, connections: usize, time: Duration) -> Outcome {
    let start = Instant::now();
    let workers: Vec<_> = (0..connections)
        .map(|worker| {
            let load = load.clone();
            tokio::spawn(async move {
                let mut outcome = Outcome::default();
                let mut connection = None;
                for request in load.requests.iter().cycle().skip(worker % load.requests.len()) {
                    let sent = Instant::now();
                    if sent.duration_since(start) >= time {
                        break;
                    }
                    let status = exchange(&mut connection, load.server, request).await;
                    outcome.add(status, sent.elapsed());
                }
                outcome
            })
        })
        .collect();
    let mut outcome = Outcome::default();
    for worker in workers {
        outcome.merge(worker.await.unwrap());
    }
    outcome.finish(start)
}

/// `rate` requests a second for `time`, whether or not answers come. A time runs from the moment its request was due, so
/// that a server that stalls is charged for every request it held up.
pub async fn open(load: &Load, rate: u32, time: Duration) -> Outcome {
    let start = Instant::now();
    // Taken in turn: one that is idle for long is hung up on.
    let idle: Arc<Mutex<VecDeque<TcpStream>>> = Arc::default();
    let mut open = Vec::new();
    for number in 0..(time.as_secs_f64() * f64::from(rate)) as u32 {
        let due = start + Duration::from_secs(1) * number / rate;
        sleep_until(due.into()).await;
        let (load, idle) = (load.clone(), idle.clone());
        open.push(tokio::spawn(async move {
            let mut connection = idle.lock().unwrap().pop_front();
            let request = &load.requests[number as usize % load.requests.len()];
            let status = exchange(&mut connection, load.server, request).await;
            let time = due.elapsed();
            idle.lock().unwrap().extend(connection);
            (status, time)
        }));
    }
    let mut outcome = Outcome::default();
    for request in open {
        let (status, time) = request.await.unwrap();
        outcome.add(status, time);
    }
    outcome.finish(start)
}

/// `count` requests at once, each on a connection of its own.
pub async fn burst(load: &Load, count: usize) -> Outcome {
    let start = Instant::now();
    let requests: Vec<_> = (0..count)
        .map(|number| {
            let load = load.clone();
            tokio::spawn(async move {
                let sent = Instant::now();
                let request = &load.requests[number % load.requests.len()];
                (exchange(&mut None, load.server, request).await, sent.elapsed())
            })
        })
        .collect();
    let mut outcome = Outcome::default();
    for request in requests {
        let (status, time) = request.await.unwrap();
        outcome.add(status, time);
    }
    outcome.finish(start)
}

/// The status of the answer; 0 when there is none within a minute. A connection that failed is not used again.
async fn exchange(connection: &mut Option<TcpStream>, server: SocketAddr, request: &[u8]) -> u16 {
    let answered = async {
        let mut stream = if let Some(stream) = connection.take() {
            stream
        } else {
            let stream = TcpStream::connect(server).await.ok()?;
            stream.set_nodelay(true).ok()?;
            stream
        };
        stream.write_all(request).await.ok()?;
        let answer = read_answer(&mut stream).await?;
        if answer.keep {
            *connection = Some(stream);
        }
        Some(answer.status)
    };
    timeout(Duration::from_secs(60), answered).await.ok().flatten().unwrap_or(0)
}

/// One request alone: the whole answer as it was sent.
pub async fn once(server: SocketAddr, request: &[u8]) -> String {
    let mut stream = TcpStream::connect(server).await.unwrap();
    stream.write_all(request).await.unwrap();
    let answer = read_answer(&mut stream).await.unwrap();
    String::from_utf8(answer.bytes).unwrap()
}

struct Answer {
    status: u16,
    /// Whether the connection may be used again.
    keep: bool,
    bytes: Vec<u8>,
}

/// Reads one answer to its end.
async fn read_answer(stream: &mut TcpStream) -> Option<Answer> {
    let mut answer = Vec::with_capacity(64 * 1024);
    let head = loop {
        if stream.read_buf(&mut answer).await.ok()? == 0 {
            return None;
        }
        if let Some(end) = memmem::find(&answer, b"\r\n\r\n") {
            break end + 4;
        }
    };
    let text = std::str::from_utf8(&answer[..head]).ok()?.to_ascii_lowercase();
    let status = text.get(9..12)?.parse().ok()?;
    let header =
        |name: &str| text.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(':').map(str::trim));
    let keep = header("connection") != Some("close");
    if let Some(length) = header("content-length") {
        let end = head + length.parse::<usize>().ok()?;
        while answer.len() < end {
            if stream.read_buf(&mut answer).await.ok()? == 0 {
                return None;
            }
        }
    } else {
        // Chunks end with an empty one, and no body of ours holds these bytes.
        while !answer[head..].ends_with(b"0\r\n\r\n") {
            if stream.read_buf(&mut answer).await.ok()? == 0 {
                return None;
            }
        }
    }
    Some(Answer { status, keep, bytes: answer })
}

// A gateway with a local address insists on a local `Host` at its MCP door.

/// A GET on a connection that stays open.
pub fn get(path: &str, token: &str) -> Vec<u8> {
    format!("GET {path} HTTP/1.1\r\nhost: localhost\r\naccept: */*\r\nauthorization: Bearer {token}\r\n\r\n")
        .into_bytes()
}

/// A POST of JSON on a connection that stays open.
pub fn post(path: &str, headers: &str, body: &str) -> Vec<u8> {
    let length = body.len();
    format!(
        "POST {path} HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\n\
         accept: application/json, text/event-stream\r\n{headers}content-length: {length}\r\n\r\n{body}"
    )
    .into_bytes()
}
