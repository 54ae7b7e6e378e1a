//! What the gateway costs: the release binary before a fast static upstream on loopback, beside other things that stand there.
//! Every figure is a ratio or a difference within one run, taken in turns over several rounds; the median counts.
//!
//! `cargo bench --bench load` takes about two minutes and fails when a limit is missed. After `--`:
//! - `--rounds N` (5), `--seconds S` each (2), `--slack X` (1): limits are missed only by more than this factor;
//! - `soak SECONDS [RATE]`: mixed load that long, of RATE requests a second or as many as there can be, with a line on memory
//!   as it goes;
//! - `beside MCPO MCP-ATLASSIAN`: the gateway beside these programs, which `benches/load/mcpo` installs;
//! - `upstream ADDRESS`, `pass-through ADDRESS UPSTREAM`: one of the parts alone;
//! - `drive ADDRESS CONNECTIONS SECONDS` with a request's JSON {path, token} or {path, headers, body} on each line of the
//!   standard input: a load alone, reported as JSON.

#![allow(
    clippy::print_stdout,
    clippy::unwrap_used,
    clippy::disallowed_methods,
    clippy::cast_precision_loss,
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss
)]

mod beside;
mod drive;
mod server;
mod soak;
mod upstream;

use std::net::SocketAddr;
use std::os::unix::process::CommandExt as _;
use std::process::{Command, ExitCode};
use std::str::FromStr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use causeway::clock::Clock;
use causeway::seal::Sealer;
use causeway::seal::payloads::{Access, Audience, Door};
use serde_json::{Value, json};
use tokio::net::TcpListener;

use drive::{Load, Outcome, get};
use server::{Cores, Server};

const CLIENT_ID: &str = "bench-gpt";
/// How many people ask. Each has a token of its own, so that nothing is shared between connections.
const PEOPLE: usize = 64;
const CONNECTIONS: usize = 32;

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).filter(|argument| argument != "--bench").collect();
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match words.as_slice() {
        ["upstream", address] => block_on(async { upstream::serve(listen(address).await).await }),
        ["pass-through", address, upstream] => {
            block_on(async { upstream::pass_through(listen(address).await, (*upstream).to_owned()).await });
        }
        ["drive", address, connections, seconds] => {
            block_on(drive_alone(address.parse().unwrap(), parse(connections), parse(seconds)));
        }
        ["soak", seconds, rate @ ..] => {
            let rate = rate.first().map(|rate| parse(rate));
            let good = block_on(soak::soak(Duration::from_secs(parse(seconds)), rate));
            return if good { ExitCode::SUCCESS } else { ExitCode::FAILURE };
        }
        ["beside", mcpo, mcp_atlassian, ..] => {
            pin();
            return block_on(beside::compare(&words, mcpo, mcp_atlassian)).end();
        }
        _ => {
            pin();
            let report = block_on(compare(&words));
            return report.end();
        }
    }
    ExitCode::SUCCESS
}

fn block_on<T>(work: impl Future<Output = T>) -> T {
    tokio::runtime::Runtime::new().unwrap().block_on(work)
}

async fn listen(address: &str) -> TcpListener {
    TcpListener::bind(address).await.unwrap()
}

fn parse<T: FromStr>(text: &str) -> T {
    text.parse().unwrap_or_else(|_| panic!("{text}: not a number"))
}

/// The value after an option, or what holds without it.
fn option<T: FromStr>(words: &[&str], name: &str, default: T) -> T {
    let place = words.iter().position(|word| *word == name);
    place.and_then(|place| words.get(place + 1)).map_or(default, |text| parse(text))
}

/// Starts again away from the core of what is measured.
fn pin() {
    if let (Some(list), Err(_)) = (Cores::Others.list(), std::env::var("LOAD_PINNED")) {
        let program = std::env::current_exe().unwrap();
        let mut command = Command::new("taskset");
        command.args(["-c", &list]).arg(program).args(std::env::args().skip(1)).env("LOAD_PINNED", "1");
        panic!("{}", command.exec());
    }
}

/// What was measured, beside its limits.
struct Report {
    slack: f64,
    missed: Vec<String>,
}

impl Report {
    fn new(words: &[&str]) -> Self {
        Self { slack: option(words, "--slack", 1.0), missed: Vec::new() }
    }

    fn at_least(&mut self, what: &str, found: f64, limit: f64, unit: &str) {
        self.line(what, found, &format!("at least {limit:.0}{unit}"), unit, found * self.slack >= limit);
    }

    fn at_most(&mut self, what: &str, found: f64, limit: f64, unit: &str) {
        self.line(what, found, &format!("at most {limit:.0}{unit}"), unit, found / self.slack <= limit);
    }

    fn line(&mut self, what: &str, found: f64, limit: &str, unit: &str, good: bool) {
        println!("{} {what}: {found:.1}{unit} ({limit})", if good { "ok  " } else { "MISS" });
        if !good {
            self.missed.push(what.to_owned());
        }
    }

    fn end(self) -> ExitCode {
        if self.missed.is_empty() {
            return ExitCode::SUCCESS;
        }
        println!("missed: {}", self.missed.join(", "));
        ExitCode::FAILURE
    }
}

/// How many rounds, and how long each takes.
fn turns(words: &[&str]) -> (usize, Duration) {
    (option(words, "--rounds", 5), Duration::from_secs_f64(option(words, "--seconds", 2.0)))
}

async fn compare(words: &[&str]) -> Report {
    let (rounds, time) = turns(words);
    let mut report = Report::new(words);
    size(&mut report);
    let upstream = server::ourselves(Cores::Others, "upstream", &[]);
    let sealing = Sealing::new();
    start(&mut report, &upstream, &sealing);
    memory(&mut report, &upstream, &sealing).await;
    throughput(&mut report, &upstream, &sealing, rounds, time).await;
    latency(&mut report, &upstream, &sealing, rounds, time).await;
    report
}

/// A key, and tokens sealed with it as if people had signed in.
struct Sealing {
    secret: String,
    sealer: Sealer,
}

impl Sealing {
    fn new() -> Self {
        let secret = STANDARD.encode(rand::random::<[u8; 32]>());
        let sealer = Sealer::new(&[secret.clone().into()], Clock::system()).unwrap();
        Self { secret, sealer }
    }

    /// The access token of person `number`, as long as Atlassian's make it.
    fn token(&self, number: usize, door: Door) -> String {
        let part = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
        let claims = json!({ "sub": format!("712020:{number:036}"), "session": "x".repeat(1200), "iss": "https://auth.atlassian.com" });
        let signature = URL_SAFE_NO_PAD.encode([7; 256]);
        let token = format!("{}.{}.{signature}", part(&json!({ "alg": "RS256" })), part(&claims));
        let now = Clock::system().unix();
        let scopes: Vec<&str> =
            causeway::actions::all().iter().flat_map(|entry| entry.scopes).copied().collect();
        let access = Access {
            token,
            scopes: scopes.join(" "),
            client_id: CLIENT_ID.to_owned(),
            audience: Audience { gpt: CLIENT_ID.to_owned(), door },
            signed_in_at: now,
            expires_at: now + 86_400,
        };
        self.sealer.seal(&access).unwrap()
    }

    fn tokens(&self) -> Vec<String> {
        (0..PEOPLE).map(|number| self.token(number, Door::Actions)).collect()
    }
}

fn gateway(cores: Cores, upstream: &Server, sealing: &Sealing) -> Server {
    server::gateway(cores, upstream.address, &sealing.secret, &[])
}

fn load(server: SocketAddr, requests: impl IntoIterator<Item = Vec<u8>>) -> Load {
    Load { server, requests: requests.into_iter().collect::<Vec<_>>().into() }
}

fn size(report: &mut Report) {
    let bytes = std::fs::metadata(env!("CARGO_BIN_EXE_causeway")).unwrap().len();
    report.at_most("release binary", bytes as f64 / 1e6, 20.0, " MB");
}

/// From the start of the process to its first answer.
fn start(report: &mut Report, upstream: &Server, sealing: &Sealing) {
    let mut times: Vec<f64> = (0..7)
        .map(|_| {
            let begin = Instant::now();
            let gateway = gateway(Cores::All, upstream, sealing);
            let answer = block_in_place(|| first_answer(gateway.address));
            assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
            begin.elapsed().as_secs_f64() * 1e3
        })
        .collect();
    report.at_most("start to first answer", median(&mut times), 100.0, " ms");
}

fn block_in_place<T>(work: impl FnOnce() -> T) -> T {
    tokio::task::block_in_place(work)
}

fn first_answer(address: SocketAddr) -> String {
    use std::io::{Read as _, Write as _};
    let mut stream = std::net::TcpStream::connect(address).unwrap();
    stream.write_all(b"GET /healthz HTTP/1.1\r\nhost: bench\r\nconnection: close\r\n\r\n").unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    answer
}

/// Idle, and with 1,000 requests open at once: some are worked on, the others wait for a place and are told to come back.
async fn memory(report: &mut Report, upstream: &Server, sealing: &Sealing) {
    let gateway = gateway(Cores::All, upstream, sealing);
    let tokens = sealing.tokens();
    let one = load(gateway.address, [get("/v1/search?query=runbook", &tokens[0])]);
    assert_eq!(drive::burst(&one, 1).await.good, 1);
    report.at_most("memory, idle", gateway.memory(), 20.0, " MB");

    let requests = tokens.iter().map(|token| get("/v1/search?query=wait", token));
    let outcome = drive::burst(&load(gateway.address, requests), 1000).await;
    // Where nothing comes from upstream for long, some of those who wait are told that it is too slow.
    let (good, refused) = (outcome.good, outcome.of_status(503) + outcome.of_status(504));
    println!("     1,000 at once: {good} answered, {refused} told to come back");
    assert_eq!((good, refused), (64, 936), "{:?}", outcome.bad);
    report.at_most("memory, 1,000 open requests", gateway.most_memory(), 60.0, " MB");
    let patience = outcome.times[outcome.times.len() - 65].as_secs_f64();
    report.at_most("longest wait for a place", patience, 6.0, " s");
}

/// What is compared: a name, the gateway's path, the upstream's, and the least share of the pass-through.
fn kinds() -> Vec<(&'static str, String, String, f64)> {
    let site = format!("/ex/confluence/{}/wiki", upstream::CLOUD_ID);
    let search = format!(
        "{site}/rest/api/search?cql=siteSearch+~+%22runbook%22&limit=10&excerpt=highlight_unescaped\
         &expand=content.space%2Ccontent.version"
    );
    let mut kinds = vec![("search", "/v1/search?query=runbook".to_owned(), search, 60.0)];
    for (name, (id, _), least) in
        [("8 KB page", upstream::PAGES[0], 40.0), ("32 KB page", upstream::PAGES[1], 25.0)]
    {
        let page = format!("{site}/api/v2/pages/{id}?body-format=storage&include-labels=true");
        kinds.push((name, format!("/v1/pages/{id}?maxChars=90000"), page, least));
    }
    kinds
}

/// The gateway, the pass-through and nginx in turns, each alone on the first core.
async fn throughput(
    report: &mut Report,
    upstream: &Server,
    sealing: &Sealing,
    rounds: usize,
    time: Duration,
) {
    let gateway = gateway(Cores::First, upstream, sealing);
    let origin = format!("http://{}", upstream.address);
    let bare = server::ourselves(Cores::First, "pass-through", &[&origin]);
    let nginx = server::nginx(Cores::First, upstream.address);
    if nginx.is_none() {
        println!("     nginx is not installed; its pass-through is left out");
    }
    let tokens = sealing.tokens();
    for (name, path, upstream_path, least) in kinds() {
        let ours = load(gateway.address, tokens.iter().map(|token| get(&path, token)));
        let theirs = load(bare.address, tokens.iter().map(|token| get(&upstream_path, &token[..1700])));
        let mut taken: [Taken; 3] = Default::default();
        run(&ours, &gateway, time / 4).await;
        run(&theirs, &bare, time / 4).await;
        for _ in 0..rounds {
            taken[0].add(run(&ours, &gateway, time).await);
            taken[1].add(run(&theirs, &bare, time).await);
            if let Some(nginx) = &nginx {
                let load = Load { server: nginx.address, ..theirs.clone() };
                taken[2].add(run(&load, nginx, time).await);
            }
        }
        let [ours, bare, nginx] = taken.map(Taken::medians);
        let beside = |name: &str, (rate, cost): (f64, f64)| {
            if rate > 0.0 { format!(", {name} {rate:.0}/s at {cost:.0} µs") } else { String::new() }
        };
        println!(
            "     {name}: gateway {:.0}/s at {:.0} µs of processor time each{}{}",
            ours.0,
            ours.1,
            beside("pass-through", bare),
            beside("nginx", nginx)
        );
        report.at_least(
            &format!("{name}, throughput of the pass-through's"),
            100.0 * ours.0 / bare.0,
            least,
            " %",
        );
        println!("     {name}, by processor time alone: {:.1} %", 100.0 * bare.1 / ours.1);
    }
}

/// Answers a second and microseconds of processor time for each, round by round.
#[derive(Default)]
struct Taken(Vec<f64>, Vec<f64>);

impl Taken {
    fn add(&mut self, (rate, cost): (f64, f64)) {
        self.0.push(rate);
        self.1.push(cost);
    }

    fn medians(mut self) -> (f64, f64) {
        (median(&mut self.0), median(&mut self.1))
    }
}

async fn run(load: &Load, server: &Server, time: Duration) -> (f64, f64) {
    let before = server.processor_seconds();
    let outcome = drive::closed(load, CONNECTIONS, time).await;
    assert!(outcome.bad.is_empty(), "{:?}", outcome.bad);
    let cost = (server.processor_seconds() - before) * 1e6 / outcome.good as f64;
    (outcome.per_second(), cost)
}

/// What the gateway adds to a call at 200 requests a second, searches and pages in turn.
async fn latency(report: &mut Report, upstream: &Server, sealing: &Sealing, rounds: usize, time: Duration) {
    const RATE: u32 = 200;
    let gateway = gateway(Cores::First, upstream, sealing);
    let tokens = sealing.tokens();
    let kinds = &kinds()[..2];
    let both = |token: &String, ours: bool| {
        let of = |(_, path, upstream_path, _): &(&str, String, String, f64)| {
            get(if ours { path } else { upstream_path }, if ours { token } else { &token[..1700] })
        };
        kinds.iter().map(of).collect::<Vec<_>>()
    };
    let through = load(gateway.address, tokens.iter().flat_map(|token| both(token, true)));
    let direct = load(upstream.address, tokens.iter().flat_map(|token| both(token, false)));
    drive::open(&through, RATE, time).await;
    let (mut middle, mut tail) = (Vec::new(), Vec::new());
    for _ in 0..rounds {
        let (through, direct): (Outcome, Outcome) =
            (drive::open(&through, RATE, time * 2).await, drive::open(&direct, RATE, time * 2).await);
        assert!(through.bad.is_empty() && direct.bad.is_empty(), "{:?} {:?}", through.bad, direct.bad);
        let added = |share| (through.within(share).as_secs_f64() - direct.within(share).as_secs_f64()) * 1e3;
        middle.push(added(0.5));
        tail.push(added(0.99));
    }
    report.at_most("latency added at 200/s, p50", median(&mut middle), 1.0, " ms");
    report.at_most("latency added at 200/s, p99", median(&mut tail), 5.0, " ms");
}

pub fn median(values: &mut [f64]) -> f64 {
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied().unwrap_or_default()
}

/// A load from the standard input, reported as JSON.
async fn drive_alone(server: SocketAddr, connections: usize, seconds: f64) {
    let lines = std::io::read_to_string(std::io::stdin()).unwrap();
    let requests: Vec<Vec<u8>> = lines.lines().filter(|line| !line.is_empty()).map(request).collect();
    let load = Load { server, requests: Arc::from(requests) };
    let outcome = drive::closed(&load, connections, Duration::from_secs_f64(seconds)).await;
    let report = json!({
        "good": outcome.good, "bad": outcome.bad, "perSecond": outcome.per_second(),
        "p50ms": outcome.within(0.5).as_secs_f64() * 1e3, "p99ms": outcome.within(0.99).as_secs_f64() * 1e3 });
    println!("{report}");
}

fn request(line: &str) -> Vec<u8> {
    let request: Value = serde_json::from_str(line).unwrap();
    let text = |member: &str| request[member].as_str().unwrap_or_default();
    match request.get("body") {
        None => get(text("path"), text("token")),
        Some(body) => drive::post(text("path"), text("headers"), &body.to_string()),
    }
}
