//! Nothing of what must stay hidden shows. Every action is asked, at both doors and over generated input, in two worlds: one
//! with everything, and its twin in which what the caller may not read has never been. The answers have to be the same to
//! the byte, so that not a title, a count, a name or a difference between hidden and absent gets through; and no word that
//! only hidden content holds may stand in them, unless the caller wrote it.
//!
//! The input is drawn from the actions' own schemas: a new action is asked without a line here.

mod pool;

use std::collections::BTreeSet;

use causeway::action::Entry;
use causeway::actions;
use causeway::sandbox::{ACME, GLOBEX, NewComment, NewFile, NewPage, Piece};
use rand::rngs::StdRng;
use rand::{RngExt as _, SeedableRng as _};
use serde_json::{Map, Value, json};

use pool::{Pool, pick, words};

use crate::asking::with_query;
use crate::mcp::Client;
use crate::support::{Answer, Session, World, encode};

/// How often each action is asked, at both doors together.
const ROUNDS: usize = 30;
const SEED: u64 = 20_261_121;
/// The title of a visible page whose macros draw on hidden ones.
const DRAWING: &str = "Draws on others";

/// Who asks, as which GPT.
struct Asker {
    person: &'static str,
    configuration: &'static [(&'static str, &'static str)],
    /// Somebody who sees more and asks the same at the same moment.
    beside: Option<&'static str>,
    may_read: fn(&Piece) -> bool,
}

/// Sees neither HR nor ~alice nor restricted pages nor the other site; the GPT would let him.
const BOB: Asker = Asker {
    person: "bob",
    configuration: &[],
    beside: Some("alice"),
    may_read: |piece| piece.seen_by.contains(&"bob"),
};

/// Sees everything; the GPT may read one space.
const ALICE_IN_ENG: Asker = Asker {
    person: "alice",
    configuration: &[("CAUSEWAY_SITE", ACME.host), ("CAUSEWAY_SPACES", "ENG")],
    beside: None,
    may_read: |piece| {
        piece.site.host == ACME.host && piece.space[0] == "ENG" && piece.seen_by.contains(&"alice")
    },
};

/// Restricted twice.
const BOB_IN_HR_AND_ENG: Asker = Asker {
    person: "bob",
    configuration: &[("CAUSEWAY_SITE", ACME.host), ("CAUSEWAY_SPACES", "HR,ENG")],
    beside: Some("alice"),
    may_read: |piece| piece.space[0] == "ENG" && piece.seen_by.contains(&"bob"),
};

#[tokio::test]
async fn bob_finds_nothing_of_what_others_keep_from_him() {
    every_action(&BOB).await;
}

#[tokio::test]
async fn a_gpt_of_one_space_finds_nothing_of_the_others_for_alice_who_sees_them() {
    every_action(&ALICE_IN_ENG).await;
}

#[tokio::test]
async fn a_gpt_finds_nothing_in_an_allowed_space_that_the_person_does_not_see() {
    every_action(&BOB_IN_HR_AND_ENG).await;
}

async fn every_action(asker: &Asker) {
    let entries = actions::all();
    let mut duel = Duel::new(asker).await;
    for entry in entries.iter().filter(|entry| !asker.is_limited() || entry.keeps_to_spaces) {
        let mut answered = 0;
        for round in 0..ROUNDS {
            answered += usize::from(duel.round(entry, round).await);
        }
        // Whoever is always refused has not been tested.
        assert!(answered >= ROUNDS / 10, "only {answered} answers of {}", entry.id);
    }
    for _ in 0..ROUNDS / 2 {
        duel.search_and_fetch().await;
    }
}

/// The same questions put to a world and to its twin.
struct Duel<'a> {
    asker: &'a Asker,
    rng: StdRng,
    pool: Pool,
    whole: Side,
    twin: Side,
    /// Requests whose answers had a cursor, with its number.
    followable: Vec<(&'static str, Request, usize)>,
}

/// One of the two worlds, with those who ask in it.
struct Side {
    world: World,
    session: Session,
    at_mcp: Session,
    beside: Option<Session>,
    cursors: Vec<String>,
}

/// A parameter's value; a cursor is another string in each world.
#[derive(Clone, Debug)]
enum Drawn {
    Text(String),
    Cursor(usize),
}

type Request = Vec<(String, Drawn)>;

impl Asker {
    fn is_limited(&self) -> bool {
        self.configuration.iter().any(|(name, _)| *name == "CAUSEWAY_SPACES")
    }
}

impl<'a> Duel<'a> {
    async fn new(asker: &'a Asker) -> Self {
        let (whole, twin) = tokio::join!(Side::new(asker), Side::new(asker));
        let pieces = whole.world.sandbox.survey();
        twin.world.sandbox.remove(|piece| !(asker.may_read)(piece));
        let pool = Pool::new(&pieces, asker.may_read);
        assert!(pool.hidden_ids.len() > 20 && pool.canaries.len() > 100, "there is nothing to hide");
        let rng = StdRng::seed_from_u64(SEED);
        Self { asker, rng, pool, whole, twin, followable: Vec::new() }
    }

    /// Asks once, and tells whether there was an answer.
    async fn round(&mut self, entry: &Entry, round: usize) -> bool {
        let request = self.draw(entry);
        let told = format!("{} asks {} for {request:?}", self.asker.person, entry.id);
        let (one, other) = if round % 4 == 3 {
            tokio::join!(self.whole.call(entry, &request), self.twin.call(entry, &request))
        } else {
            tokio::join!(self.whole.get(entry, &request), self.twin.get(entry, &request))
        };
        self.compare(&told, &words(&told), &one, &other);
        self.follow(&told, &one, &other).await;
        if let (Some(one), Some(other)) = (cursor(&one.json), cursor(&other.json)) {
            self.followable.push((entry.id, request, self.whole.cursors.len()));
            self.whole.cursors.push(one);
            self.twin.cursors.push(other);
        }
        one.status == 200 && one.json["result"]["isError"] != true
    }

    /// The two tools that are no actions.
    async fn search_and_fetch(&mut self) {
        let query = self.pool.query(&mut self.rng);
        let id = self.pool.id(&mut self.rng);
        let site = if self.rng.random_bool(0.8) { ACME.cloud_id } else { GLOBEX.cloud_id };
        for (tool, arguments) in
            [("search", json!({ "query": query })), ("fetch", json!({ "id": format!("{site}/{id}") }))]
        {
            let told = format!("{} calls {tool} with {arguments}", self.asker.person);
            let params = json!({ "name": tool, "arguments": arguments });
            let (one, other) = tokio::join!(self.whole.send(params.clone()), self.twin.send(params));
            self.compare(&told, &words(&told), &one, &other);
        }
    }

    /// The files themselves, where both answers link to one.
    async fn follow(&self, told: &str, one: &Answer, other: &Answer) {
        if let (Some(one), Some(other)) = (link(&one.json), link(&other.json)) {
            let (one, other) = tokio::join!(self.whole.fetch(&one), self.twin.fetch(&other));
            assert_eq!(one.status, 200, "{told}: {}", one.body);
            assert_eq!(self.whole.plain(&one), self.twin.plain(&other), "another file: {told}");
            // Other formats have words of their own.
            if one.header("content-type").starts_with("text/") {
                let held = words(&one.body);
                let shown: Vec<_> = held.intersection(&self.pool.canaries).collect();
                assert!(shown.is_empty(), "{shown:?} in a file: {told}");
            }
        }
    }

    fn compare(&self, told: &str, asked: &BTreeSet<String>, one: &Answer, other: &Answer) {
        assert!(![429, 500, 502, 503].contains(&one.status), "{told}: {}", one.body);
        assert_eq!(self.whole.plain(one), self.twin.plain(other), "hidden things make a difference: {told}");
        for word in words(&content(one)).intersection(&self.pool.canaries) {
            assert!(asked.contains(word), "{word:?} shows: {told}: {}", one.body);
        }
        // What Confluence itself keeps from the person has to cost what the absent costs.
        if !self.asker.is_limited() {
            let (one, other) = (self.whole.calls(self.asker.person), self.twin.calls(self.asker.person));
            assert_eq!(one, other, "other calls are made: {told}");
        }
    }

    /// Parameters as a model could write them: those that are needed, and some of the others.
    fn draw(&mut self, entry: &Entry) -> Request {
        let followable: Vec<_> = self.followable.iter().filter(|(id, ..)| *id == entry.id).collect();
        if let (true, false) = (self.rng.random_bool(0.2), followable.is_empty()) {
            let (_, request, cursor) = pick(&mut self.rng, &followable);
            let others = request.iter().filter(|(name, _)| name != "cursor").cloned();
            return others.chain([("cursor".to_owned(), Drawn::Cursor(*cursor))]).collect();
        }
        let required: Vec<&str> = entry
            .input
            .get("required")
            .and_then(Value::as_array)
            .into_iter()
            .flatten()
            .filter_map(Value::as_str)
            .collect();
        let properties = entry.input["properties"].as_object().unwrap();
        // Some actions want exactly one of several: mostly those of the example, or one alone, with little else beside.
        let alone = self.rng.random_range(0..properties.len());
        let (shape, likely) = pick(&mut self.rng, &[(0, 0.04), (0, 0.0), (1, 0.04), (2, 0.3)]).to_owned();
        let mut request = Vec::new();
        for (index, (name, schema)) in properties.iter().enumerate() {
            let exemplary = entry.example.iter().any(|(known, _)| known == name);
            let chosen = (shape == 0 && exemplary) || (shape == 1 && index == alone);
            let wanted = chosen || required.contains(&name.as_str());
            if wanted || self.rng.random_bool(likely) {
                let value = self.pool.value(&mut self.rng, name, schema, self.whole.cursors.len());
                request.push((name.clone(), value));
            }
        }
        request
    }
}

/// What of an answer is Confluence's: of a problem, all but our own sentences.
fn content(answer: &Answer) -> String {
    let mut told = String::new();
    if answer.status != 200 || answer.json["result"]["isError"] == true {
        texts(&answer.json["candidates"], &mut told);
    } else {
        texts(answer.json.pointer("/result/structuredContent").unwrap_or(&answer.json), &mut told);
    }
    told
}

fn texts(value: &Value, told: &mut String) {
    match value {
        Value::String(text) => {
            told.push_str(text);
            told.push(' ');
        }
        Value::Array(items) => items.iter().for_each(|item| texts(item, told)),
        Value::Object(members) => {
            let theirs = members.iter().filter(|(name, _)| *name != "suggestion");
            theirs.for_each(|(_, member)| texts(member, told));
        }
        _ => {}
    }
}

fn cursor(answer: &Value) -> Option<String> {
    let answer = answer.pointer("/result/structuredContent").unwrap_or(answer);
    answer["nextCursor"].as_str().map(str::to_owned)
}

fn link(answer: &Value) -> Option<String> {
    let answer = answer.pointer("/result/structuredContent").unwrap_or(answer);
    answer["openaiFileResponse"][0].as_str().map(str::to_owned)
}

impl Side {
    async fn new(asker: &Asker) -> Self {
        let world = World::with_every_action(
            &[&[("CAUSEWAY_SITE", ""), ("CAUSEWAY_ACTIONS", &enabled(asker))], asker.configuration].concat(),
        )
        .await;
        furnish(&world);
        let beside = match asker.beside {
            Some(person) => Some(world.sign_in(person).await),
            None => None,
        };
        let (session, at_mcp) = (world.sign_in(asker.person).await, world.sign_in_to_mcp(asker.person).await);
        world.sandbox.forget_calls();
        Self { session, at_mcp, beside, cursors: Vec::new(), world }
    }

    async fn get(&self, entry: &Entry, request: &Request) -> Answer {
        let mut path = entry.path.to_owned();
        let mut query = Vec::new();
        for (name, value) in request {
            let (place, value) = (format!("{{{name}}}"), self.text(value));
            if path.contains(&place) {
                path = path.replace(&place, &encode(value));
            } else {
                query.push((name.as_str(), value));
            }
        }
        let path = with_query(&path, &query);
        self.world.sandbox.forget_calls();
        match &self.beside {
            Some(beside) => {
                tokio::join!(self.world.get(&self.session, &path), self.world.get(beside, &path)).0
            }
            None => self.world.get(&self.session, &path).await,
        }
    }

    async fn call(&self, entry: &Entry, request: &Request) -> Answer {
        let typed = |name: &String, value: &str| match entry.input["properties"][name]["type"].as_str() {
            Some("integer") => value.parse::<i64>().map_or_else(|_| json!(value), Value::from),
            Some("boolean") => json!(value == "true"),
            _ => json!(value),
        };
        let arguments: Map<String, Value> =
            request.iter().map(|(name, value)| (name.clone(), typed(name, self.text(value)))).collect();
        self.send(json!({ "name": entry.id, "arguments": arguments })).await
    }

    async fn send(&self, params: Value) -> Answer {
        self.world.sandbox.forget_calls();
        Client::new(&self.world, &self.at_mcp).send("tools/call", params).await
    }

    /// What is behind a link of ours, for whoever holds it.
    async fn fetch(&self, link: &str) -> Answer {
        self.world.get_bare(link.strip_prefix(&self.world.public_url).unwrap()).await
    }

    fn text<'a>(&'a self, value: &'a Drawn) -> &'a str {
        match value {
            Drawn::Text(text) => text,
            Drawn::Cursor(number) => &self.cursors[*number],
        }
    }

    /// An answer, status, headers and body, without what differs from request to request and from world to world.
    fn plain(&self, answer: &Answer) -> String {
        let told = format!("{} {} {}", answer.status, headers(answer), answer.body);
        let told = told.replace(answer.header("x-request-id"), "-");
        let told = told.replace(&self.world.url, "gateway").replace(&self.world.sandbox_url, "sandbox");
        let mut plain = String::new();
        for (index, piece) in told.split("v4.local.").enumerate() {
            let sealed = |c: char| c.is_ascii_alphanumeric() || "-_.".contains(c);
            plain.push_str(if index == 0 { piece } else { piece.trim_start_matches(sealed) });
        }
        plain
    }

    /// How many calls to Confluence were made as this person since the last request.
    fn calls(&self, person: &str) -> usize {
        self.world.sandbox.calls().iter().filter(|call| call.person.as_deref() == Some(person)).count()
    }
}

/// All headers but the time of day and how long it took. How long the body is its bytes say, once they are made alike.
fn headers(answer: &Answer) -> String {
    let told = answer.headers.iter().filter(|(name, _)| !["date", "content-length"].contains(&name.as_str()));
    let mut told: Vec<String> =
        told.map(|(name, value)| format!("{name}: {}", without_times(value.to_str().unwrap()))).collect();
    told.sort();
    told.join("\n")
}

/// `total;dur=1.5` as `total;dur=`.
fn without_times(value: &str) -> String {
    let mut pieces = value.split("dur=");
    let first = pieces.next().unwrap_or_default().to_owned();
    pieces.fold(first, |told, piece| {
        let rest = piece.trim_start_matches(|c: char| c.is_ascii_digit() || c == '.');
        told + "dur=" + rest
    })
}

fn enabled(asker: &Asker) -> String {
    let entries = actions::all();
    let enabled =
        entries.iter().filter(|entry| !asker.is_limited() || entry.keeps_to_spaces).map(|entry| entry.id);
    enabled.collect::<Vec<_>>().join(",")
}

/// More to hide than the wiki has: what inherits a restriction, shares titles, words and labels with what is visible, or is
/// drawn upon by it.
fn furnish(world: &World) {
    let sandbox = &world.sandbox;
    let page = |space, title: &str, body: &str| NewPage {
        space,
        title: title.to_owned(),
        body: format!("<h2>Numbat heading</h2><p>{body}</p>"),
        labels: vec![
            "runbook".to_owned(),
            format!("numbat-{}", space.trim_start_matches('~').to_lowercase()),
        ],
        ..NewPage::default()
    };
    let secret =
        NewPage { restricted: Some(&["alice"]), ..page("ENG", "Quokka plan", "quokka deployment rollback") };
    let secret = sandbox.add_page(secret);
    let below = NewPage { parent: Some(secret.clone()), ..page("ENG", "Bilby below", "bilby deployment") };
    let below = sandbox.add_page(below);
    let twin = sandbox.add_page(page("HR", "Deployment guide", "wombatpay deployment rollback"));
    let own = sandbox.add_page(page("~alice", "Potoroo diary", "potoroo onboarding deployment"));
    let post =
        sandbox.add_page(NewPage { blog_post: true, ..page("HR", "Dunnart news", "dunnart deployment") });
    for (number, hidden) in [&secret, &below, &twin, &own, &post].into_iter().enumerate() {
        let (page, parent) = (hidden.clone(), None);
        let body = format!("<p>Bettong {number} said deployment</p>");
        let thread = sandbox.add_comment(&NewComment { page: page.clone(), parent, body, selection: None });
        let body = "<p>Bandicoot answered</p>".to_owned();
        sandbox.add_comment(&NewComment { page: page.clone(), parent: Some(thread), body, selection: None });
        let (title, bytes) = (format!("kowari-{number}.csv"), b"kultarr,deployment\n1,2\n".to_vec());
        sandbox.add_file(NewFile { page, title, media_type: "text/csv", bytes, claimed_size: None });
        sandbox.edit_page(hidden, &format!("<p>Mulgara version {number} deployment</p>"), "Mulgara message");
    }
    let include = |name: &str, space: &str, title: &str| {
        format!(
            r#"<ac:structured-macro ac:name="{name}"><ac:parameter ac:name=""><ac:link><ri:page ri:space-key="{space}" ri:content-title="{title}"/></ac:link></ac:parameter></ac:structured-macro>"#
        )
    };
    let body = [
        include("include", "HR", "Salary bands 2026"),
        include("excerpt-include", "HR", "Parental leave"),
        include("include", "ENG", "Quokka plan"),
        include("include", "PROD", "Project Bluebird"),
        include("include", "~alice", "Ideas"),
        "<ac:structured-macro ac:name=\"children\"/><ac:structured-macro ac:name=\"contentbylabel\"/>"
            .to_owned(),
    ]
    .concat();
    world.add("ENG", DRAWING, &body);
}
