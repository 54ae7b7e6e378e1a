//! What the tests of actions share: asking with awkward values, following cursors, reading refusals.

use std::time::Duration;

use causeway::action::Entry;
use causeway::config::Config;
use causeway::sandbox::{Fault, FaultKind, NewPage};
use causeway::{actions, known_actions};
use serde_json::Value;
use tokio::net::TcpListener;

use crate::support::{Answer, PROGRAM, Session, World, encode};

pub const ACME: &str = "acme.atlassian.net";

impl World {
    /// One GPT on acme, so that no call has to name a site.
    pub async fn of_acme() -> Self {
        Self::with(&[("CAUSEWAY_SITE", ACME)]).await
    }

    /// One GPT on acme that may read these spaces.
    pub async fn of_spaces(spaces: &str) -> Self {
        Self::with(&[("CAUSEWAY_SITE", ACME), ("CAUSEWAY_SPACES", spaces)]).await
    }

    /// One GPT on acme with every action there is, those that are off by default too.
    pub async fn with_every_action(overrides: &[(&str, &str)]) -> Self {
        let all: Vec<&str> = known_actions().iter().map(|action| action.id).collect();
        let all = all.join(",");
        let base = [("CAUSEWAY_SITE", ACME), ("CAUSEWAY_ACTIONS", all.as_str())];
        Self::with(&[&base, overrides].concat()).await
    }

    /// Another gateway before the same sandbox, whose actions have to be done within `budget`.
    pub async fn hurried(&self, budget: Duration) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let mut world = self.clone();
        world.url = format!("http://{}", listener.local_addr().unwrap());
        let mut config = Config::load(&self.env, &known_actions()).unwrap();
        config.budget = budget;
        config.extraction.program = Some(PROGRAM.into());
        let clock = self.clock.clone();
        tokio::spawn(
            async move { causeway::run(listener, config, clock, std::future::pending()).await.unwrap() },
        );
        world
    }

    /// GET `path` with these parameters, encoded.
    pub async fn ask(&self, session: &Session, path: &str, parameters: &[(&str, &str)]) -> Answer {
        self.get(session, &with_query(path, parameters)).await
    }

    /// Every result of a list, page by page, following the cursor to its end.
    pub async fn list(&self, session: &Session, path: &str, parameters: &[(&str, &str)]) -> Vec<Value> {
        let mut results = Vec::new();
        let mut cursor: Option<String> = None;
        for _ in 0..100 {
            let next: Vec<(&str, &str)> = cursor.iter().map(|cursor| ("cursor", cursor.as_str())).collect();
            let answer = self.ask(session, path, &[parameters, &next].concat()).await.expect(200);
            results.extend(answer.json["results"].as_array().unwrap().iter().cloned());
            cursor = answer.json["nextCursor"].as_str().map(str::to_owned);
            if cursor.is_none() {
                return results;
            }
        }
        panic!("{path} never ends");
    }

    /// Lets the next `times` calls to Confluence go wrong.
    pub fn break_confluence(&self, times: usize, kind: FaultKind) {
        self.sandbox.inject(Fault { path_contains: "/ex/confluence/".to_owned(), times, kind });
    }

    /// The calls to Confluence itself that the sandbox has seen, as `METHOD path` below `/wiki`.
    pub fn confluence_calls(&self) -> Vec<String> {
        let calls = self.sandbox.calls();
        let paths = calls.iter().filter_map(|call| Some((call, call.path.split_once("/wiki/")?.1)));
        paths.map(|(call, path)| format!("{} {path}", call.method)).collect()
    }

    pub fn add(&self, space: &'static str, title: &str, body: &str) -> String {
        self.sandbox.add_page(NewPage {
            space,
            title: title.to_owned(),
            body: body.to_owned(),
            ..NewPage::default()
        })
    }
}

impl Answer {
    /// Fails unless this is a whole problem of this status and kind.
    #[track_caller]
    pub fn refused(self, status: u16, kind: &str) -> Self {
        assert_eq!(self.status, status, "{}", self.body);
        assert_eq!(self.header("content-type"), "application/problem+json", "{}", self.body);
        assert!(self.text("type").ends_with(&format!("/problems/{kind}")), "{}", self.body);
        assert_eq!(self.json["status"], status);
        for member in ["title", "detail", "nextStep", "requestId"] {
            assert!(!self.text(member).is_empty(), "no {member}: {}", self.body);
        }
        assert_eq!(self.text("requestId"), self.header("x-request-id"));
        expect_no_null(&self.json);
        self
    }

    /// The same, where an answer for several pages may also say it of each.
    #[track_caller]
    pub fn refused_or_each(self, status: u16, kind: &str) -> Self {
        let each = self.json["results"].as_array().filter(|_| self.status == 200);
        match each.map(|results| results.iter().all(|result| result["problem"]["kind"] == kind)) {
            Some(true) => self,
            _ => self.refused(status, kind),
        }
    }

    /// The same for a parameter that is not accepted, which has to be named.
    #[track_caller]
    pub fn refuses(self, parameter: &str) -> Self {
        let answer = self.refused(400, "invalid-parameter");
        assert_eq!(answer.text("parameter"), parameter, "{}", answer.body);
        assert!(answer.text("detail").contains(parameter), "{}", answer.body);
        answer
    }

    /// The problem as everybody gets it, without what differs from request to request.
    pub fn nameless(&self) -> String {
        self.body.replace(self.text("requestId"), "-")
    }

    /// A member of every result.
    pub fn each(&self, member: &str) -> Vec<String> {
        each(self.json["results"].as_array().unwrap_or_else(|| panic!("{}", self.body)), member)
    }
}

/// A text member of each of `results`.
pub fn each(results: &[Value], member: &str) -> Vec<String> {
    results.iter().map(|result| result[member].as_str().unwrap_or_default().to_owned()).collect()
}

pub fn with_query(path: &str, parameters: &[(&str, &str)]) -> String {
    let pairs: Vec<String> =
        parameters.iter().map(|(name, value)| format!("{}={}", encode(name), encode(value))).collect();
    if pairs.is_empty() { path.to_owned() } else { format!("{path}?{}", pairs.join("&")) }
}

/// Names and values.
type Parameters = Vec<(&'static str, &'static str)>;

/// The path and parameters of the call that each action gives as its example.
pub fn examples() -> Vec<(Entry, String, Parameters)> {
    let with_example = |entry: Entry| {
        let mut path = entry.path.to_owned();
        let mut query = Vec::new();
        for (name, value) in entry.example {
            let place = format!("{{{name}}}");
            if path.contains(&place) {
                path = path.replace(&place, value);
            } else {
                query.push((*name, *value));
            }
        }
        (entry, path, query)
    };
    actions::all().into_iter().filter(|entry| entry.on_by_default).map(with_example).collect()
}

/// Nothing in an answer is null: what is absent is absent.
#[track_caller]
pub fn expect_no_null(value: &Value) {
    match value {
        Value::Null => panic!("a null in an answer"),
        Value::Array(items) => items.iter().for_each(expect_no_null),
        Value::Object(members) => members.values().for_each(expect_no_null),
        _ => {}
    }
}
