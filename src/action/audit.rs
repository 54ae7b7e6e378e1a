//! One line in the log for each call (`CAUSEWAY_AUDIT`): who as a keyed hash, which GPT and action, what came of it, what it
//! cost, and the ids of what was read. Never a title, a query or a text.

use serde_json::Value;

use super::{Answer, Entry, Services};
use crate::atlassian::{Tally, account_id};
use crate::oauth::Grant;
use crate::problem::Problem;

/// The most ids a line holds.
const MAX_IDS: usize = 25;

/// Who is asking, before the grant is used up.
pub fn who(services: &Services, grant: &Grant) -> Option<String> {
    if !services.audit {
        return None;
    }
    let account = account_id(&grant.token);
    Some(account.map_or_else(|| "unknown".to_owned(), |id| services.sealer.pseudonym(&id)))
}

/// Writes the line.
pub fn record(entry: &Entry, gpt: &str, who: &str, result: &Result<Answer, Problem>, tally: &Tally) {
    let outcome = result.as_ref().map_or_else(|problem| problem.kind.name(), |_| "ok");
    let ids = result.as_ref().map(|answer| ids(&answer.json)).unwrap_or_default().join(",");
    let (calls, points) = (tally.calls(), tally.points());
    tracing::info!(target: "causeway::audit", who, gpt, action = entry.id, outcome, calls, points, ids, "audit");
}

/// The ids in an answer: its own, or those of its results.
fn ids(output: &Value) -> Vec<&str> {
    let results = output["results"].as_array().into_iter().flatten();
    let ids = std::iter::once(output).chain(results).filter_map(|thing| thing["id"].as_str());
    ids.take(MAX_IDS).collect()
}
