//! Nothing of what must stay hidden shows. Every action is asked, at both doors and over generated input, in two worlds: one
//! with everything, and its twin in which what the caller may not read has never been. The answers have to be the same to
//! the byte, so that not a title, a count, a name or a difference between hidden and absent gets through; and no word that
//! only hidden content holds may stand in them, unless the caller wrote it.
//!
//! The input is drawn from the actions' own schemas: a new action is asked without a line here.

use std::collections::BTreeSet;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use causeway::action::Entry;
use causeway::actions;
use causeway::sandbox::{ACME, GLOBEX, NewComment, NewFile, NewPage, PEOPLE, Piece};
use rand::rngs::StdRng;
use rand::{RngExt as _, SeedableRng as _};
use serde_json::{Map, Value, json};

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

/// What parameters are drawn from: of the hidden and the visible alike.
struct Pool {
    ids: Vec<String>,
    hidden_ids: Vec<String>,
    visible_pages: Vec<String>,
    visible_titles: Vec<String>,
    /// Of something hidden and something visible alike.
    shared_titles: Vec<String>,
    /// The page that draws on others.
    drawing: String,
    titles: Vec<String>,
    /// Ids of files and links to them: of the hidden, and of the visible.
    hidden_files: Vec<String>,
    visible_files: Vec<String>,
    words: Vec<String>,
    keys: Vec<String>,
    urls: Vec<String>,
    people: Vec<String>,
    /// Words that only hidden content holds.
    canaries: BTreeSet<String>,
}

impl Pool {
    fn new(pieces: &[Piece], may_read: fn(&Piece) -> bool) -> Self {
        let (visible, hidden): (Vec<&Piece>, Vec<&Piece>) = pieces.iter().partition(|piece| may_read(piece));
        let held = |pieces: &[&Piece]| -> BTreeSet<String> {
            pieces
                .iter()
                .flat_map(|piece| words(&format!("{} {} {}", piece.title, piece.text, piece.id)))
                .collect()
        };
        let everyone: Vec<&str> = PEOPLE.iter().flat_map(|person| [person.name, person.account_id]).collect();
        let public: BTreeSet<String> =
            [held(&visible), words(&everyone.join(" "))].into_iter().flatten().collect();
        let canaries: BTreeSet<String> = held(&hidden).difference(&public).cloned().collect();
        let mut keys: Vec<String> = pieces.iter().flat_map(|piece| piece.space.map(str::to_owned)).collect();
        keys.sort();
        keys.dedup();
        let titles = |pieces: &[&Piece]| -> BTreeSet<String> {
            let named = pieces.iter().filter(|piece| matches!(piece.what, "page" | "blogpost"));
            named.map(|piece| piece.title.clone()).collect()
        };
        let drawing = visible.iter().find(|piece| piece.title == DRAWING).unwrap();
        Self {
            shared_titles: titles(&visible).intersection(&titles(&hidden)).cloned().collect(),
            drawing: drawing.id.clone(),
            ids: pieces.iter().map(|piece| piece.id.clone()).collect(),
            visible_titles: visible
                .iter()
                .filter(|piece| piece.what == "page")
                .map(|piece| piece.title.clone())
                .collect(),
            visible_pages: visible
                .iter()
                .filter(|piece| piece.what == "page")
                .map(|piece| piece.id.clone())
                .collect(),
            hidden_files: files(&hidden),
            visible_files: files(&visible),
            hidden_ids: hidden.iter().map(|piece| piece.id.clone()).collect(),
            titles: pieces
                .iter()
                .filter(|piece| !piece.title.is_empty())
                .map(|piece| piece.title.clone())
                .collect(),
            words: canaries.iter().cloned().chain(held(&visible).into_iter().step_by(5)).collect(),
            keys,
            urls: pieces.iter().filter(|piece| piece.what != "space").flat_map(urls).collect(),
            people: PEOPLE
                .iter()
                .flat_map(|person| [person.name, person.account_id])
                .map(str::to_owned)
                .collect(),
            canaries,
        }
    }

    /// A value for a parameter, by its name and schema. What is not known by name gets a bit of anything.
    fn value(&self, rng: &mut StdRng, name: &str, schema: &Value, cursors: usize) -> Drawn {
        if let Some(choices) = schema["enum"].as_array() {
            return Drawn::Text(pick(rng, choices).as_str().unwrap().to_owned());
        }
        match (schema["type"].as_str(), name) {
            (Some("integer"), _) => {
                let (least, most) =
                    (schema["minimum"].as_i64().unwrap_or(1), schema["maximum"].as_i64().unwrap_or(100));
                let number = [least, most, least + 1, rng.random_range(least..=most)];
                return Drawn::Text(pick(rng, &number).clamp(&least, &most).to_string());
            }
            (Some("boolean"), _) => return Drawn::Text(rng.random_bool(0.5).to_string()),
            (_, "cursor") if cursors > 0 && rng.random_bool(0.8) => {
                return Drawn::Cursor(rng.random_range(0..cursors));
            }
            _ => {}
        }
        let is_of_file = schema["examples"][0].as_str().is_some_and(|example| example.starts_with("att"));
        Drawn::Text(match name {
            "id" if is_of_file && rng.random_bool(0.9) => {
                let files = if rng.random_bool(0.5) { &self.hidden_files } else { &self.visible_files };
                pick(rng, files).clone()
            }
            "id" | "page" | "ancestor" => self.id(rng),
            "ids" => list(rng, 10, |rng| self.id(rng)),
            "space" => match rng.random_range(0..4) {
                0 => "ENG".to_owned(),
                1 => list(rng, 3, |rng| pick(rng, &self.keys).clone()),
                _ => pick(rng, &self.keys).clone(),
            },
            "title" | "section" => match rng.random_range(0..6) {
                0 => self.query(rng),
                1 => pick(rng, &self.visible_titles).clone(),
                2 => pick(rng, &self.shared_titles).clone(),
                _ => pick(rng, &self.titles).clone(),
            },
            "query" if schema["examples"][0].as_str().is_some_and(|example| example.contains('=')) => pick(
                rng,
                &[
                    "limit=50",
                    "body-format=storage",
                    "limit=2",
                    "title=Quokka+plan",
                    "space-id=131081",
                    "cql=type%3Dpage&limit=50",
                    "cql=text~quokka",
                ],
            )
            .to_string(),
            "query" => self.query(rng),
            "cql" => self.cql(rng, 0),
            "type" => {
                list(rng, 2, |rng| pick(rng, &["page", "blogpost", "comment", "attachment"]).to_string())
            }
            "label" => {
                pick(rng, &["runbook", "pay", "numbat-hr", "numbat-eng", "numbat-alice", "numbat-hr,runbook"])
                    .to_string()
            }
            "author" => {
                if rng.random_bool(0.2) {
                    "me".to_owned()
                } else {
                    pick(rng, &self.people).clone()
                }
            }
            "updatedAfter" | "updatedBefore" | "since" => {
                pick(rng, &["-1y", "-1d", "-30d", "2026-01-12", "2026-11-21", "2020-01-01"]).to_string()
            }
            "url" => pick(rng, &self.urls).clone(),
            "compare" => pick(rng, &["1,2", "1", "2,3", "1,9"]).to_string(),
            "mediaType" => pick(rng, &["text/csv", "application/pdf", "text/plain"]).to_string(),
            "path" => self.path(rng),
            "site" => pick(
                rng,
                &[ACME.name, ACME.host, ACME.cloud_id, "https://acme.atlassian.net/", ACME.host, "globex"],
            )
            .to_string(),
            _ => {
                let anything = [
                    self.id(rng),
                    self.query(rng),
                    pick(rng, &self.titles).clone(),
                    pick(rng, &self.urls).clone(),
                ];
                pick(rng, &anything).clone()
            }
        })
    }

    /// As likely of something hidden as of anything else.
    fn id(&self, rng: &mut StdRng) -> String {
        match rng.random_range(0..10) {
            0 => "99999999".to_owned(),
            1..5 => pick(rng, &self.hidden_ids).clone(),
            5 => self.drawing.clone(),
            6..9 => pick(rng, &self.visible_pages).clone(),
            _ => pick(rng, &self.ids).clone(),
        }
    }

    fn query(&self, rng: &mut StdRng) -> String {
        let text = match rng.random_range(0..6) {
            0 => pick(rng, &self.titles).clone(),
            1 => "deployment".to_owned(),
            2 => format!("{} OR {}", pick(rng, &self.words), pick(rng, &self.words)),
            3 => format!("\"{} {}\"", pick(rng, &self.words), pick(rng, &self.words)),
            4 => format!("{}* deployment", pick(rng, &self.words)),
            _ => pick(rng, &self.words).clone(),
        };
        text.chars().take(250).collect()
    }

    fn cql(&self, rng: &mut StdRng, depth: u32) -> String {
        if depth < 2 && rng.random_bool(0.6) {
            let (left, right) = (self.cql(rng, depth + 1), self.cql(rng, depth + 1));
            let joints = [
                "@ OR #",
                "@ AND #",
                "(@ OR #)",
                "NOT @ OR #",
                "@ AND NOT #",
                "@) OR (#",
                "@ ORDER BY created desc",
                "@ OR # ORDER BY title",
            ];
            return pick(rng, &joints).replace('@', &left).replace('#', &right);
        }
        let (word, id, key) = (pick(rng, &self.words), self.id(rng), pick(rng, &self.keys));
        let person = pick(rng, &self.people);
        let leaves = [
            format!("text ~ \"{word}\""),
            format!("siteSearch ~ \"{word}\""),
            format!("title ~ '{word}'"),
            format!("space = \"{key}\""),
            format!("space != \"{key}\""),
            "space NOT IN (ENG)".to_owned(),
            format!("id = {id}"),
            format!("ancestor = {id}"),
            format!("parent = {id}"),
            format!("label = \"numbat-{}\"", key.trim_start_matches('~').to_lowercase()),
            format!("creator = \"{person}\""),
            "contributor = currentUser()".to_owned(),
            "type IN (page, blogpost, comment, attachment)".to_owned(),
            "type = space".to_owned(),
            "lastmodified > now(\"-1w\")".to_owned(),
        ];
        pick(rng, &leaves).clone()
    }

    fn path(&self, rng: &mut StdRng) -> String {
        let id = self.id(rng);
        let paths = [
            "/wiki/api/v2/spaces".to_owned(),
            "/wiki/api/v2/pages".to_owned(),
            format!("/wiki/api/v2/pages/{id}"),
            format!("/wiki/api/v2/pages/{id}/versions"),
            format!("/wiki/api/v2/pages/{id}/footer-comments"),
            format!("/wiki/api/v2/pages/{id}/attachments"),
            format!("/wiki/api/v2/blogposts/{id}"),
            format!("/wiki/api/v2/footer-comments/{id}"),
            format!("/wiki/api/v2/attachments/{id}"),
            "/wiki/api/v2/spaces/131081/pages".to_owned(),
            "/wiki/rest/api/search".to_owned(),
            "/wiki/rest/api/search/user".to_owned(),
        ];
        pick(rng, &paths).clone()
    }
}

/// Words of five letters or more, in lower case.
fn words(text: &str) -> BTreeSet<String> {
    let words = text.split(|c: char| !c.is_alphanumeric()).filter(|word| word.chars().count() >= 5);
    words.map(str::to_lowercase).collect()
}

fn pick<'a, T>(rng: &mut StdRng, from: &'a [T]) -> &'a T {
    &from[rng.random_range(0..from.len())]
}

fn list(rng: &mut StdRng, most: usize, mut draw: impl FnMut(&mut StdRng) -> String) -> String {
    let count = rng.random_range(1..=most);
    (0..count).map(|_| draw(rng)).collect::<Vec<_>>().join(",")
}

/// The addresses of a piece, honest and not: the key in a URL decides nothing.
fn urls(piece: &Piece) -> Vec<String> {
    let (base, id, [key, alias]) =
        (format!("https://{}/wiki", piece.site.host), piece.id.as_str(), piece.space);
    let title = piece.title.replace(' ', "+");
    vec![
        format!("{base}/spaces/{key}/pages/{id}/{title}"),
        format!("{base}/spaces/ENG/pages/{id}"),
        format!("{base}/spaces/{alias}/blog/2026/01/01/{id}/x"),
        format!("{base}/pages/viewpage.action?pageId={id}"),
        format!("{base}/display/{key}/{title}"),
        format!("{base}/spaces/{alias}/overview"),
        format!("{base}/x/{}", tiny(id)),
    ]
}

/// What `getAttachment` takes: ids, and links as they stand in the Markdown of pages.
fn files(pieces: &[&Piece]) -> Vec<String> {
    let files = pieces.iter().filter(|piece| piece.what == "attachment");
    let named = |piece: &&&Piece| {
        let page = piece.container.as_deref().unwrap_or_default();
        [piece.id.clone(), format!("attachment:{page}/{}", encode(&piece.title))]
    };
    files.flat_map(|piece| named(&piece)).collect()
}

fn tiny(id: &str) -> String {
    let number: u64 = id.trim_start_matches("att").parse().unwrap_or(1);
    let code = STANDARD.encode(number.to_le_bytes());
    code.trim_end_matches('=').trim_end_matches('A').replace('/', "-").replace('+', "_")
}
