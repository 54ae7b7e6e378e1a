//! People who ask, in an even stream that waits for nobody's answer.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use causeway::clock::Stopwatch;
use serde_json::Value;
use tokio::task::JoinSet;
use tokio::time::interval;

use crate::support::{Session, World};

/// Requests a second.
const RATE: u32 = 60;
/// How long a client waits before it takes a gateway for dead.
const PATIENCE: Duration = Duration::from_secs(60);

const QUESTIONS: [&str; 7] = [
    "/v1/pages/1310756",
    "/v1/pages/1310745?maxChars=5000",
    "/v1/search?query=deployment",
    "/v1/spaces",
    "/v1/tree?space=ENG",
    "/v1/pages/1310756/comments",
    "/v1/passages?query=who%20is%20on%20call",
];

/// What one request came to.
#[derive(Clone, Debug)]
#[expect(dead_code, reason = "the question is told with what else is wrong")]
pub struct Visit {
    pub person: &'static str,
    question: &'static str,
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

/// People who know what they should hear. A clone is the same people.
#[derive(Clone)]
pub struct Visitors {
    world: World,
    people: Vec<&'static str>,
    /// As they are now.
    sessions: Arc<Mutex<Vec<Session>>>,
    expected: Arc<BTreeMap<(usize, &'static str), String>>,
}

impl Visitors {
    /// Signs these people in and has them ask everything once.
    pub async fn new(world: &World, people: &[&'static str]) -> Self {
        let (mut sessions, mut expected) = (Vec::new(), BTreeMap::new());
        for (index, person) in people.iter().enumerate() {
            let session = world.sign_in(person).await;
            for question in QUESTIONS {
                let answer = world.get(&session, question).await.expect(200);
                expected.insert((index, question), essence(&answer.json));
            }
            sessions.push(session);
        }
        let (world, people, sessions) = (world.clone(), people.to_vec(), Arc::new(Mutex::new(sessions)));
        Self { world, people, sessions, expected: Arc::new(expected) }
    }

    /// Whether each of them can renew their sign-in; they go on with the new one.
    pub async fn renew(&self) -> bool {
        for index in 0..self.people.len() {
            let token = self.sessions.lock().unwrap()[index].refresh_token.clone();
            let answer = self.world.refresh(&token).await;
            if answer.status != 200 {
                return false;
            }
            self.sessions.lock().unwrap()[index] = Session::of(answer);
        }
        true
    }

    /// One of them signs in anew.
    pub async fn sign_in(&self, person: &str) {
        let session = self.world.sign_in(person).await;
        let index = self.people.iter().position(|known| *known == person).unwrap();
        self.sessions.lock().unwrap()[index] = session;
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
            let question = QUESTIONS[number / self.people.len() % QUESTIONS.len()];
            let expected = self.expected[&(index, question)].clone();
            let asked = self.world.http.get(format!("{}{question}", self.world.url));
            let token = self.sessions.lock().unwrap()[index].access_token.clone();
            let asked = asked.bearer_auth(token).timeout(PATIENCE);
            let (visits, sent, person) = (visits.clone(), began.elapsed(), self.people[index]);
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
    match (status, kind.as_deref()) {
        (200, _) if essence(&json) == expected => Outcome::Right,
        (200, _) => Outcome::Wrong(text),
        (_, Some("application/problem+json")) if id => {
            let kind = json["type"].as_str().unwrap_or_default().rsplit('/').next().unwrap_or_default();
            Outcome::Problem(status, kind.to_owned())
        }
        _ => Outcome::Broken(format!("{status}: {text}")),
    }
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
