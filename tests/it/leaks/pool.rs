//! What the questions are made of: ids, titles, words and addresses of the hidden and the visible alike, and the words that
//! must not show.

use std::collections::BTreeSet;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use causeway::sandbox::{ACME, PEOPLE, Piece};
use rand::RngExt as _;
use rand::rngs::StdRng;
use serde_json::Value;

use super::{DRAWING, Drawn};
use crate::support::encode;

/// What parameters are drawn from: of the hidden and the visible alike.
pub(super) struct Pool {
    ids: Vec<String>,
    pub(super) hidden_ids: Vec<String>,
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
    pub(super) canaries: BTreeSet<String>,
}

impl Pool {
    pub(super) fn new(pieces: &[Piece], may_read: fn(&Piece) -> bool) -> Self {
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
    pub(super) fn value(&self, rng: &mut StdRng, name: &str, schema: &Value, cursors: usize) -> Drawn {
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
    pub(super) fn id(&self, rng: &mut StdRng) -> String {
        match rng.random_range(0..10) {
            0 => "99999999".to_owned(),
            1..5 => pick(rng, &self.hidden_ids).clone(),
            5 => self.drawing.clone(),
            6..9 => pick(rng, &self.visible_pages).clone(),
            _ => pick(rng, &self.ids).clone(),
        }
    }

    pub(super) fn query(&self, rng: &mut StdRng) -> String {
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
pub(super) fn words(text: &str) -> BTreeSet<String> {
    let words = text.split(|c: char| !c.is_alphanumeric()).filter(|word| word.chars().count() >= 5);
    words.map(str::to_lowercase).collect()
}

pub(super) fn pick<'a, T>(rng: &mut StdRng, from: &'a [T]) -> &'a T {
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
