//! People who ask through both doors, in an even stream that waits for nobody's answer.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use causeway::clock::Stopwatch;
use reqwest::RequestBuilder;
use serde_json::{Value, json};
use tokio::task::JoinSet;
use tokio::time::interval;

use crate::support::{MCP_CALLBACK, Session, World};

/// Requests a second.
const RATE: u32 = 60;
/// How long a client waits before it takes a gateway for dead.
const PATIENCE: Duration = Duration::from_secs(60);

/// What is asked: the path of the Actions door, and the tool of the MCP door with its arguments.
const QUESTIONS: [(&str, &str, &str); 7] = [
    ("/v1/pages/1310756", "getPage", r#"{ "id": "1310756" }"#),
    ("/v1/pages/1310745?maxChars=5000", "getPage", r#"{ "id": "1310745", "maxChars": 5000 }"#),
    ("/v1/search?query=deployment", "searchConfluence", r#"{ "query": "deployment" }"#),
    ("/v1/spaces", "listSpaces", "{}"),
    ("/v1/tree?space=ENG", "getPageTree", r#"{ "space": "ENG" }"#),
    ("/v1/pages/1310756/comments", "listComments", r#"{ "id": "1310756" }"#),
    ("/v1/passages?query=who%20is%20on%20call", "findPassages", r#"{ "query": "who is on call" }"#),
];

/// What one request came to.
#[derive(Clone, Debug)]
#[expect(dead_code, reason = "the question is told with what else is wrong")]
pub struct Visit {
    pub person: &'static str,
    /// The door and the path.
    question: (&'static str, &'static str),
    /// When it was sent, since the stream began.
    pub sent: Duration,
    pub took: Duration,
    pub outcome: Outcome,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    Right,
    /// Right as to its form, but it says something else than when all was well.
    Wrong(String),
    /// A problem of ours: its status and kind.
    Problem(u16, String),
    /// Anything else.
    Broken(String),
}

/// Where somebody asks.
#[derive(Clone, Debug)]
enum Door {
    Actions,
    Mcp { client_id: String },
}

/// People who know what they should hear. A clone is the same people.
#[derive(Clone)]
pub struct Visitors {
    world: World,
    /// Each person twice, once at each door.
    people: Arc<Vec<(&'static str, Door)>>,
    /// As they are now.
    sessions: Arc<Mutex<Vec<Session>>>,
    /// By person and path. The doors say the same.
    expected: Arc<BTreeMap<(&'static str, &'static str), String>>,
}

impl Visitors {
    /// Signs these people in and has them ask everything once.
    pub async fn new(world: &World, people: &[&'static str]) -> Self {
        let client_id = world.register(&[MCP_CALLBACK]).await;
        let doors = |person: &&'static str| {
            [(*person, Door::Actions), (*person, Door::Mcp { client_id: client_id.clone() })]
        };
        let everybody: Vec<_> = people.iter().flat_map(doors).collect();
        let (mut sessions, mut expected) = (Vec::new(), BTreeMap::new());
        for (person, door) in &everybody {
            let session = door.sign_in(world, person).await;
            if let Door::Actions = door {
                for (path, ..) in QUESTIONS {
                    let answer = world.get(&session, path).await.expect(200);
                    expected.insert((*person, path), essence(&answer.json));
                }
            }
            sessions.push(session);
        }
        Self {
            world: world.clone(),
            people: Arc::new(everybody),
            sessions: Arc::new(Mutex::new(sessions)),
            expected: Arc::new(expected),
        }
    }

    /// Whether each of them can renew their sign-in; they go on with the new one.
    pub async fn renew(&self) -> bool {
        for (index, (_, door)) in self.people.iter().enumerate() {
            let token = self.sessions.lock().unwrap()[index].refresh_token.clone();
            let answer = match door {
                Door::Actions => self.world.refresh(&token).await,
                Door::Mcp { client_id } => self.world.refresh_publicly(client_id, &token).await,
            };
            if answer.status != 200 {
                return false;
            }
            self.sessions.lock().unwrap()[index] = Session::of(answer);
        }
        true
    }

    /// One of them signs in anew.
    pub async fn sign_in(&self, person: &str) {
        for (index, (known, door)) in self.people.iter().enumerate() {
            if *known == person {
                let session = door.sign_in(&self.world, person).await;
                self.sessions.lock().unwrap()[index] = session;
            }
        }
    }

    /// Asks until `done` says so of the time and of what has been answered so far, and tells what became of every request.
    pub async fn ask_until(&self, done: impl Fn(Duration, &[Visit], usize) -> bool) -> Vec<Visit> {
        let (visits, began) = (Arc::new(Mutex::new(Vec::new())), Stopwatch::start());
        let (mut ticks, mut under_way) = (interval(Duration::from_secs(1) / RATE), JoinSet::new());
        for number in 0_usize.. {
            ticks.tick().await;
            if done(began.elapsed(), &visits.lock().unwrap(), number) {
                break;
            }
            let index = number % self.people.len();
            let (person, door) = &self.people[index];
            let question = QUESTIONS[number / self.people.len() % QUESTIONS.len()];
            let (person, expected) = (*person, self.expected[&(*person, question.0)].clone());
            let session = self.sessions.lock().unwrap()[index].clone();
            let asked = door.request(&self.world, &session, question).timeout(PATIENCE);
            let (visits, sent, question) = (visits.clone(), began.elapsed(), (door.name(), question.0));
            under_way.spawn(async move {
                let outcome = outcome(asked.send().await, &expected).await;
                let took = began.elapsed() - sent;
                visits.lock().unwrap().push(Visit { person, question, sent, took, outcome });
            });
        }
        under_way.join_all().await;
        std::mem::take(&mut *visits.lock().unwrap())
    }

    /// Asks for as long as `events` take.
    pub async fn ask_while(self, events: impl Future<Output = ()>) -> Vec<Visit> {
        let over = Arc::new(Mutex::new(false));
        let heard = over.clone();
        let asking = async move { self.ask_until(|_, _, _| *heard.lock().unwrap()).await };
        let happening = async {
            events.await;
            *over.lock().unwrap() = true;
        };
        tokio::join!(asking, happening).0
    }
}

impl Door {
    fn name(&self) -> &'static str {
        match self {
            Self::Actions => "Actions",
            Self::Mcp { .. } => "MCP",
        }
    }

    async fn sign_in(&self, world: &World, person: &str) -> Session {
        match self {
            Self::Actions => world.sign_in(person).await,
            Self::Mcp { client_id } => world.sign_in_to_mcp_by(client_id, person).await,
        }
    }

    fn request(
        &self,
        world: &World,
        session: &Session,
        (path, tool, arguments): (&str, &str, &str),
    ) -> RequestBuilder {
        match self {
            Self::Actions => {
                world.http.get(format!("{}{path}", world.url)).bearer_auth(&session.access_token)
            }
            Self::Mcp { .. } => {
                let arguments: Value = serde_json::from_str(arguments).unwrap();
                let params = json!({ "name": tool, "arguments": arguments });
                world.mcp(session, "/mcp", "tools/call", &params)
            }
        }
    }
}

async fn outcome(answer: reqwest::Result<reqwest::Response>, expected: &str) -> Outcome {
    let answer = match answer {
        Ok(answer) => answer,
        Err(error) => return Outcome::Broken(format!("{error:?}")),
    };
    let (status, id) = (answer.status().as_u16(), answer.headers().contains_key("x-request-id"));
    let kind = answer.headers().get("content-type").map(|kind| kind.to_str().unwrap().to_owned());
    let text = match answer.text().await {
        Ok(text) => text,
        Err(error) => return Outcome::Broken(format!("{status}: {error:?}")),
    };
    let json: Value = serde_json::from_str(&text).unwrap_or_default();
    let result = &json["result"];
    let failure = result["content"][0]["text"].as_str().filter(|_| result["isError"] == true);
    match (status, kind.as_deref()) {
        (200, _) if [&json, &result["structuredContent"]].map(essence).contains(&expected.to_owned()) => {
            Outcome::Right
        }
        (200, _) => failure
            .and_then(|problem| problem_of(&serde_json::from_str(problem).ok()?))
            .unwrap_or(Outcome::Wrong(text)),
        (_, Some("application/problem+json")) if id => {
            problem_of(&json).unwrap_or_else(|| Outcome::Broken(format!("{status}: {text}")))
        }
        _ => Outcome::Broken(format!("{status}: {text}")),
    }
}

/// A problem of ours, at whichever door.
fn problem_of(body: &Value) -> Option<Outcome> {
    let status = u16::try_from(body["status"].as_u64()?).ok()?;
    let kind = body["type"].as_str()?.rsplit('/').next()?;
    Some(Outcome::Problem(status, kind.to_owned()))
}

/// What an answer says but for the names of people, which may be missing while they cannot be looked up.
fn essence(answer: &Value) -> String {
    match answer {
        Value::Object(members) => {
            let told = members.iter().filter(|(name, _)| !PEOPLE.contains(&name.as_str()));
            told.map(|(name, value)| format!("{name}={};", essence(value))).collect()
        }
        Value::Array(items) => items.iter().map(|item| format!("{},", essence(item))).collect(),
        value => value.to_string(),
    }
}

const PEOPLE: [&str; 4] = ["lastModifiedBy", "author", "by", "requestId"];

/// How many requests came to what, and how long the slowest took.
pub fn told(visits: &[Visit]) -> String {
    let mut counts: BTreeMap<String, usize> = BTreeMap::new();
    for visit in visits {
        let outcome = match &visit.outcome {
            Outcome::Right => "right".to_owned(),
            Outcome::Problem(status, kind) => format!("{status} {kind}"),
            Outcome::Wrong(_) => "WRONG".to_owned(),
            Outcome::Broken(_) => "BROKEN".to_owned(),
        };
        *counts.entry(outcome).or_default() += 1;
    }
    let counts: Vec<String> = counts.iter().map(|(outcome, count)| format!("{count} {outcome}")).collect();
    let slowest = visits.iter().map(|visit| visit.took).max().unwrap_or_default();
    format!("{}; slowest {slowest:.1?}", counts.join(", "))
}
