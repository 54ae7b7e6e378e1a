//! One line in the log for each call, and for each file that a link gives (`CAUSEWAY_AUDIT`): who as a keyed hash, which GPT
//! and action, what came of it, what it cost, and the ids of what was read: pages first, then whatever else stands in the
//! answer. Never a title, a query or a text.

use std::collections::BTreeSet;
use std::sync::Arc;

use super::Services;
use crate::atlassian::Tally;
use crate::clean::Clean;
use crate::config::Gpt;
use crate::oauth::Grant;
use crate::problem::Problem;

/// The most ids a line holds; how many more there are is told.
const MAX_IDS: usize = 100;

/// A call whose line is written when it has ended; nothing where the audit is off.
pub struct Audit(Option<Call>);

struct Call {
    who: String,
    gpt: Arc<Gpt>,
    tally: Tally,
}

impl Audit {
    /// Who is asking by which GPT, before the grant is used up.
    pub fn of(services: &Services, grant: &Grant) -> Self {
        let call = || {
            let account = grant.access.token.account_id();
            let who = account.map_or_else(|| "unknown".to_owned(), |id| services.sealer.pseudonym(id));
            Call { who, gpt: grant.gpt.clone(), tally: grant.tally.clone() }
        };
        Self(services.audit.then(call))
    }

    /// Writes the line. `listed` are the ids of what was read beside the pages that are counted already.
    pub fn record(self, action: &str, outcome: &str, listed: &[Clean]) {
        let Some(Call { who, gpt, tally }) = self.0 else { return };
        let read = tally.pages();
        let mut seen = BTreeSet::new();
        let ids = read
            .iter()
            .map(String::as_str)
            .chain(listed.iter().map(Clean::as_str))
            .filter(|id| seen.insert(*id));
        let mut ids: Vec<&str> = ids.collect();
        let more = ids.len().saturating_sub(MAX_IDS);
        ids.truncate(MAX_IDS);
        let (gpt, ids, calls, points) = (&gpt.slug, ids.join(","), tally.calls(), tally.points());
        tracing::info!(target: "causeway::audit", who, gpt, action, outcome, calls, points, ids, more, "audit");
    }
}

/// What came of a call, in a word.
pub fn outcome<T>(result: &Result<T, Problem>) -> &'static str {
    result.as_ref().map_or_else(|problem| problem.kind.name(), |_| "ok")
}
