//! Sixty people, or one of them sixty times, read pages as large as Confluence has them, all at once.

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::{Request, State};
use axum::http::header::{AUTHORIZATION, CONNECTION, CONTENT_LENGTH, CONTENT_TYPE, HOST, TRANSFER_ENCODING};
use axum::http::{HeaderName, StatusCode};
use axum::response::{IntoResponse as _, Response};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use causeway::clock::Stopwatch;
use futures_util::stream;
use reqwest::RequestBuilder;
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio::task::JoinSet;
use tokio::time::sleep;

use crate::gateway::Gateway;
use crate::support::{MCP_CALLBACK, Session, World};

/// What the gateway may take of the machine's memory, in MB.
const MEMORY: u64 = 250;
/// How many read at once.
const READERS: usize = 60;
/// Who is told to come back is told within five seconds; the machine that all of this runs on may be busy.
const REFUSED_WITHIN: Duration = Duration::from_secs(6);
/// How long 99 of 100 of somebody else's small reads take at the most.
const PROMPT: Duration = Duration::from_secs(1);
/// How often a scene is tried before it counts as failed.
const TRIES: usize = 3;
const LENGTH: usize = 9_500_000;
/// The space of the large pages: everybody may read it.
const SPACE: &str = "131073";
const SMALL: &str = "/v1/pages/1310756";

/// What large pages are made of: before, over and over, after.
const KINDS: [(&str, &str, &str); 3] =
    [("", "<h1>a</h1>", ""), ("<ul>", "<li>a", "</ul>"), ("<table><tr>", "<td>a", "</table>")];

/// Which pages are read, and by how many people.
struct Scene {
    name: &'static str,
    /// The ids, one reader after the other.
    pages: fn(usize) -> usize,
    people: usize,
}

const SCENES: [Scene; 6] = [
    Scene { name: "one page of headings, one person", pages: |_| 0, people: 1 },
    Scene { name: "one page of list items, one person", pages: |_| 1, people: 1 },
    Scene { name: "one page of table cells, one person", pages: |_| 2, people: 1 },
    Scene { name: "three pages, ten people", pages: |reader| reader % 3, people: 10 },
    Scene { name: "sixty pages, one person", pages: |reader| reader, people: 1 },
    Scene { name: "sixty pages, ten people", pages: |reader| reader, people: 10 },
];

/// Each scene in a gateway of its own. What should not have been is handed back.
pub async fn run(world: &World, binary: &str) -> Vec<String> {
    let upstream = Upstream::start(world).await;
    let mut mistakes = Vec::new();
    for scene in &SCENES {
        let mut wrong = Vec::new();
        for _ in 0..TRIES {
            wrong = play(scene, world, binary, &upstream).await;
            if wrong.is_empty() {
                break;
            }
        }
        mistakes.extend(wrong);
    }
    mistakes
}

async fn play(scene: &Scene, world: &World, binary: &str, upstream: &Upstream) -> Vec<String> {
    let urls = [("ATLASSIAN_API_URL", upstream.url.as_str()), ("ATLASSIAN_AUTH_URL", &upstream.url)];
    let gateway = Gateway::start(world, binary, &urls).await;
    let mut world = world.at(gateway.url.clone());
    world.sandbox_url.clone_from(&upstream.url);
    let client_id = world.register(&[MCP_CALLBACK]).await;
    let mut people = Vec::new();
    for person in 0..scene.people {
        upstream.person.store(person, Ordering::Relaxed);
        people.push([world.sign_in("alice").await, world.sign_in_to_mcp_by(&client_id, "alice").await]);
    }
    upstream.person.store(scene.people, Ordering::Relaxed);
    let other = world.sign_in("bob").await;
    world.get(&other, SMALL).await.expect(200);
    gateway.most_memory();

    let (over, small) = (Arc::new(AtomicBool::new(false)), Arc::new(Mutex::new(Vec::new())));
    let asking = tokio::spawn(ask(world.clone(), other, over.clone(), small.clone()));
    let mut readers = JoinSet::new();
    for reader in 0..READERS {
        let door = reader % 2;
        let session = &people[reader / 2 % scene.people][door];
        let id = (FIRST + (scene.pages)(reader)).to_string();
        readers.spawn(read(request(&world, session, door, &id)));
    }
    let answers = readers.join_all().await;
    over.store(true, Ordering::Relaxed);
    asking.await.unwrap();
    let small = std::mem::take(&mut *small.lock().unwrap());
    judge(scene, &answers, small, gateway.most_memory())
}

/// Somebody else reads a small page over and over.
async fn ask(world: World, session: Session, over: Arc<AtomicBool>, took: Arc<Mutex<Vec<Duration>>>) {
    let mut asked = JoinSet::new();
    while !over.load(Ordering::Relaxed) {
        let (world, session, took) = (world.clone(), session.clone(), took.clone());
        asked.spawn(async move {
            let began = Stopwatch::start();
            world.get(&session, SMALL).await.expect(200);
            took.lock().unwrap().push(began.elapsed());
        });
        sleep(Duration::from_millis(30)).await;
    }
    asked.join_all().await;
}

fn request(world: &World, session: &Session, door: usize, id: &str) -> RequestBuilder {
    if door == 0 {
        let url = format!("{}/v1/pages/{id}", world.url);
        return world.http.get(url).bearer_auth(&session.access_token);
    }
    let params = json!({ "name": "getPage", "arguments": { "id": id } });
    world.mcp(session, "/mcp", "tools/call", &params)
}

/// What one reader was told.
enum Told {
    Page,
    /// To come back after so many seconds.
    Later(u64),
    Else(String),
}

async fn read(request: RequestBuilder) -> (Told, Duration) {
    let began = Stopwatch::start();
    let told = match request.send().await {
        Ok(answer) => {
            let status = answer.status();
            let wait = answer.headers().get("retry-after").and_then(|wait| wait.to_str().ok()?.parse().ok());
            match (answer.json::<Value>().await, wait) {
                (Ok(answer), _) if status == StatusCode::OK => told(&answer),
                (_, Some(wait)) if status == StatusCode::SERVICE_UNAVAILABLE => Told::Later(wait),
                (answer, _) => Told::Else(format!("{status} {answer:?}")),
            }
        }
        Err(error) => Told::Else(format!("{error:?}")),
    };
    (told, began.elapsed())
}

/// An answer of either door.
fn told(answer: &Value) -> Told {
    let result = &answer["result"];
    let is_page = |answer: &Value| answer["markdown"].as_str().is_some_and(|text| text.len() > 1000);
    if is_page(answer) || is_page(&result["structuredContent"]) {
        return Told::Page;
    }
    let problem: Value =
        serde_json::from_str(result["content"][0]["text"].as_str().unwrap_or_default()).unwrap_or_default();
    match (problem["status"].as_u64(), problem["retryAfter"].as_u64()) {
        (Some(503), Some(wait)) => Told::Later(wait),
        _ => Told::Else(answer.to_string().chars().take(500).collect()),
    }
}

fn judge(scene: &Scene, answers: &[(Told, Duration)], mut small: Vec<Duration>, memory: u64) -> Vec<String> {
    let name = scene.name;
    small.sort_unstable();
    let prompt = small[small.len() * 99 / 100];
    let pages = answers.iter().filter(|(told, _)| matches!(told, Told::Page)).count();
    let slowest = answers.iter().map(|(_, took)| *took).max().unwrap_or_default();
    println!(
        "{name}: {pages} of {READERS} read, slowest {slowest:.1?}; {} small reads, 99 of 100 within {prompt:.0?}; {memory} MB at the most",
        small.len()
    );
    let mut mistakes = Vec::new();
    for (told, took) in answers {
        match told {
            Told::Page => {}
            Told::Later(1..) if *took < REFUSED_WITHIN => {}
            Told::Later(wait) => mistakes.push(format!("{name}: after {took:.1?} told to wait {wait} s")),
            Told::Else(what) => mistakes.push(format!("{name}: {what}")),
        }
    }
    mistakes.truncate(3);
    if memory >= MEMORY {
        mistakes.push(format!("{name}: {memory} MB"));
    }
    if prompt >= PROMPT {
        mistakes.push(format!("{name}: small reads took {prompt:.1?}"));
    }
    if pages == 0 {
        mistakes.push(format!("{name}: nobody could read"));
    }
    mistakes
}

/// The first id of the large pages: one for each kind, and so on.
const FIRST: usize = 99_000_000;

/// What stands before the sandbox: it has large pages, and whoever signs in by it is the person it is told.
#[derive(Clone)]
struct Upstream {
    url: String,
    sandbox: String,
    http: reqwest::Client,
    /// The number of the person who signs in next.
    person: Arc<AtomicUsize>,
    /// The sandbox's tokens, by those that are handed out.
    tokens: Arc<Mutex<HashMap<String, String>>>,
    pages: Arc<Vec<Bytes>>,
}

impl Upstream {
    async fn start(world: &World) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let body = |(before, over, after): (&str, &str, &str)| {
            Bytes::from(format!("{before}{}{after}", over.repeat(LENGTH / over.len())))
        };
        let upstream = Self {
            url: format!("http://{}", listener.local_addr().unwrap()),
            sandbox: world.sandbox_url.clone(),
            http: world.http.clone(),
            person: Arc::default(),
            tokens: Arc::default(),
            pages: Arc::new(KINDS.into_iter().map(body).collect()),
        };
        let router = Router::new().fallback(answer).with_state(upstream.clone());
        tokio::spawn(async move { axum::serve(listener, router).await });
        upstream
    }

    fn page(&self, id: &str) -> Option<Response> {
        let number = id.parse::<usize>().ok()?.checked_sub(FIRST)?;
        let body = self.pages[number % self.pages.len()].clone();
        let before = format!(
            r#"{{"id":"{id}","status":"current","title":"Large","spaceId":"{SPACE}","version":{{"number":1,"createdAt":"2026-01-02T03:04:05Z"}},"body":{{"storage":{{"representation":"storage","value":""#
        );
        let pieces = [Bytes::from(before), body, Bytes::from_static(b"\"}}}")];
        let length: usize = pieces.iter().map(Bytes::len).sum();
        let body = Body::from_stream(stream::iter(pieces.map(Ok::<_, std::io::Error>)));
        Some(
            ([(CONTENT_TYPE, "application/json".to_owned()), (CONTENT_LENGTH, length.to_string())], body)
                .into_response(),
        )
    }

    /// The sandbox's answer. A token of it is handed out as that of a person of its own.
    async fn hand_on(&self, request: Request) -> Response {
        let (head, body) = request.into_parts();
        let body = axum::body::to_bytes(body, usize::MAX).await.unwrap();
        let mut outgoing = self.http.request(head.method, format!("{}{}", self.sandbox, head.uri)).body(body);
        for (name, value) in &head.headers {
            let given = value.to_str().ok().and_then(|value| value.strip_prefix("Bearer "));
            match given.and_then(|token| self.tokens.lock().unwrap().get(token).cloned()) {
                Some(token) if name == AUTHORIZATION => outgoing = outgoing.bearer_auth(token),
                _ if name == HOST => {}
                _ => outgoing = outgoing.header(name, value),
            }
        }
        let answer = outgoing.send().await.unwrap();
        let mut response = Response::builder().status(answer.status());
        let hop = |name: &HeaderName| [CONNECTION, CONTENT_LENGTH, TRANSFER_ENCODING].contains(name);
        for (name, value) in answer.headers().iter().filter(|(name, _)| !hop(name)) {
            response = response.header(name, value);
        }
        let body = answer.bytes().await.unwrap();
        let body = self.with_person(&body).map_or(body, Bytes::from);
        response.body(Body::from(body)).unwrap()
    }

    fn with_person(&self, body: &[u8]) -> Option<String> {
        let mut answer: Value = serde_json::from_slice(body).ok()?;
        let token = answer.get("access_token")?.as_str()?.to_owned();
        let claims = json!({ "sub": format!("712020:large-pages-{}", self.person.load(Ordering::Relaxed)) });
        let part = |json: &Value| URL_SAFE_NO_PAD.encode(json.to_string());
        let mut tokens = self.tokens.lock().unwrap();
        let signature = URL_SAFE_NO_PAD.encode(tokens.len().to_string());
        let made =
            format!("{}.{}.{signature}", part(&json!({ "alg": "HS256", "typ": "JWT" })), part(&claims));
        tokens.insert(made.clone(), token);
        answer["access_token"] = made.into();
        Some(answer.to_string())
    }
}

async fn answer(State(upstream): State<Upstream>, request: Request) -> Response {
    let id = request.uri().path().rsplit_once("/api/v2/pages/").map(|(_, id)| id.to_owned());
    match id.and_then(|id| upstream.page(&id)) {
        Some(page) => page,
        None => upstream.hand_on(request).await,
    }
}
