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
const RATE: u32 = 12;
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

/// People who know what they should hear.
pub struct Visitors {
    world: World,
    sessions: Vec<Session>,
    expected: Arc<BTreeMap<(usize, &'static str), String>>,
}

impl Visitors {
    /// Signs these people in and has them ask everything once.
    pub async fn new(world: &World, people: &[&str]) -> Self {
        let mut sessions = Vec::new();
        for person in people {
            sessions.push(world.sign_in(person).await);
        }
        let mut expected = BTreeMap::new();
        for (index, session) in sessions.iter().enumerate() {
            for question in QUESTIONS {
                let answer = world.get(session, question).await.expect(200);
                expected.insert((index, question), essence(&answer.json));
            }
        }
        Self { world: world.clone(), sessions, expected: Arc::new(expected) }
    }

    /// Whether each of them still can renew their sign-in and be answered.
    pub async fn are_signed_in(&mut self) -> bool {
        for session in &mut self.sessions {
            let answer = self.world.refresh(&session.refresh_token).await;
            if answer.status != 200 {
                return false;
            }
            *session = Session::of(answer);
        }
        true
    }

    /// Asks for so long, and tells what became of every request.
    pub async fn ask_for(&self, time: Duration) -> Vec<Visit> {
        let (visits, began) = (Arc::new(Mutex::new(Vec::new())), Stopwatch::start());
        let (mut ticks, mut under_way) = (interval(Duration::from_secs(1) / RATE), JoinSet::new());
        for number in 0_usize.. {
            ticks.tick().await;
            if began.elapsed() > time {
                break;
            }
            let index = number % self.sessions.len();
            let question = QUESTIONS[number / self.sessions.len() % QUESTIONS.len()];
            let expected = self.expected[&(index, question)].clone();
            let asked = self.world.http.get(format!("{}{question}", self.world.url));
            let asked = asked.bearer_auth(&self.sessions[index].access_token).timeout(PATIENCE);
            let (visits, sent) = (visits.clone(), began.elapsed());
            under_way.spawn(async move {
                let outcome = outcome(asked.send().await, &expected).await;
                let took = began.elapsed() - sent;
                visits.lock().unwrap().push(Visit { question, sent, took, outcome });
            });
        }
        under_way.join_all().await;
        std::mem::take(&mut *visits.lock().unwrap())
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
