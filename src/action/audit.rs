//! One line in the log for each call (`CAUSEWAY_AUDIT`): who as a keyed hash, which GPT and action, what came of it, what it
//! cost, and the ids of what was read: pages first, then whatever else stands in the answer. Never a title, a query or a text.

use std::collections::BTreeSet;

use serde::Deserialize;
use serde::de::IgnoredAny;

use super::{Answer, Entry, Services};
use crate::atlassian::Tally;
use crate::oauth::Grant;
use crate::problem::Problem;

/// The most ids a line holds; how many more there are is told.
const MAX_IDS: usize = 100;

/// Who is asking, before the grant is used up.
pub fn who(services: &Services, grant: &Grant) -> Option<String> {
    if !services.audit {
        return None;
    }
    let account = grant.access.token.account_id();
    Some(account.map_or_else(|| "unknown".to_owned(), |id| services.sealer.pseudonym(id)))
}

/// Writes the line.
pub fn record(entry: &Entry, gpt: &str, who: &str, result: &Result<Answer, Problem>, tally: &Tally) {
    let outcome = result.as_ref().map_or_else(|problem| problem.kind.name(), |_| "ok");
    let read = tally.pages();
    let listed = result.as_ref().map(|answer| listed(&answer.json)).unwrap_or_default();
    let mut seen = BTreeSet::new();
    let ids = read.iter().chain(&listed).map(String::as_str).filter(|id| seen.insert(*id));
    let mut ids: Vec<&str> = ids.collect();
    let more = ids.len().saturating_sub(MAX_IDS);
    ids.truncate(MAX_IDS);
    let (ids, calls, points) = (ids.join(","), tally.calls(), tally.points());
    tracing::info!(target: "causeway::audit", who, gpt, action = entry.id, outcome, calls, points, ids, more, "audit");
}

/// The ids in an answer: its own or those of its results, and of the pages that they are of.
fn listed(json: &str) -> Vec<String> {
    let Ok(Answered { id, page, problem, results }) = serde_json::from_str(json) else { return Vec::new() };
    let things = std::iter::once(Thing { id, page, problem }).chain(results);
    let things = things.filter(|thing| thing.problem.is_none());
    things.flat_map(|thing| [thing.page.and_then(|page| page.id), thing.id]).flatten().collect()
}

/// What every answer says alike.
#[derive(Deserialize)]
struct Answered {
    id: Option<String>,
    page: Option<Page>,
    problem: Option<IgnoredAny>,
    #[serde(default)]
    results: Vec<Thing>,
}

#[derive(Deserialize)]
struct Thing {
    id: Option<String>,
    page: Option<Page>,
    problem: Option<IgnoredAny>,
}

#[derive(Deserialize)]
struct Page {
    id: Option<String>,
}
