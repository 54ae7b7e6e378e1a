use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::action::{Action, Caller, MAX_ANSWER, start};
use crate::clean::{Clean, CleanText};
use crate::confluence::{RawPath, RawQuery};
use crate::problem::{Kind, Problem};

/// What stands around the body, at the most, in bytes.
const AROUND: usize = 200;

/// Call Confluence's REST API
///
/// Returns what Confluence answers to a GET request: the status and the JSON as text, without links to file contents. A long answer is cut; a smaller limit in query, or the cursor of its next link, returns the rest.
#[derive(Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct CallConfluence {
    /// The path of the call, below /wiki/api/v2 or /wiki/rest/api, without host and query string.
    #[schema(max_length = 1000, example = "/wiki/api/v2/spaces")]
    path: String,
    /// The query string of the call: name=value pairs joined by &, values percent-encoded, each name once.
    #[schema(max_length = 4000, example = "limit=5")]
    query: Option<String>,
}

/// What Confluence answered.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct RawAnswer {
    /// The HTTP status of Confluence's answer.
    #[schema(minimum = 200, maximum = 499)]
    status: u16,
    /// Confluence's JSON.
    body: CleanText,
    /// Present and true when the body ends early.
    #[serde(skip_serializing_if = "Option::is_none")]
    truncated: Option<bool>,
}

impl Action for CallConfluence {
    const ID: &'static str = "callConfluence";
    const PATH: &'static str = "/v1/raw";
    // Those that the other reading actions need anyway, so that enabling this one asks nobody for a further permission. What
    // Confluence has beyond them, such as administration, stays closed; so do the bytes of files, whose scope is left out.
    const SCOPES: &'static [&'static str] = &[
        "read:attachment:confluence",
        "read:comment:confluence",
        "read:confluence-user",
        "read:content-details:confluence",
        "read:hierarchical-content:confluence",
        "read:page:confluence",
        "read:space:confluence",
        "read:user:confluence",
        "search:confluence",
    ];
    const EXAMPLE: &'static [(&'static str, &'static str)] =
        &[("path", "/wiki/api/v2/spaces"), ("query", "limit=5")];
    const DEFAULT: bool = false;
    const KEEPS_TO_SPACES: bool = false;
    type Output = RawAnswer;

    async fn call(self, caller: Caller) -> Result<RawAnswer, Problem> {
        let path: RawPath = self.path.trim().parse().map_err(|error| {
            Problem::invalid(
                "path",
                error,
                "a path of plain segments such as /wiki/api/v2/pages/65537, with its query string in query",
            )
        })?;
        let query: RawQuery = self.query.as_deref().unwrap_or_default().parse().map_err(|error| {
            Problem::invalid(
                "query",
                error,
                "name=value pairs joined by &, values percent-encoded, each name once",
            )
        })?;
        let answer = caller.wiki().await?.raw(&path, &query).await.map_err(beyond_our_scopes)?;
        let whole = answer.body.to_string();
        let body = start(&whole, MAX_ANSWER - AROUND);
        let truncated = (body.len() < whole.len()).then_some(true);
        Ok(RawAnswer {
            status: answer.status,
            body: CleanText::from(body).and_removed(answer.removed),
            truncated,
        })
    }
}

/// A path may need a scope that no sign-in of this gateway has: another sign-in would not help.
fn beyond_our_scopes(problem: Problem) -> Problem {
    if problem.kind != Kind::MissingScope {
        return problem;
    }
    Problem {
        scopes: CallConfluence::SCOPES.iter().map(|scope| Clean::from(*scope)).collect(),
        ..Problem::new(
            Kind::MissingScope,
            "Confluence wants another permission (scope) for this path than callConfluence has.",
            "Use a path that these permissions cover, or another action; if such a path is refused too, ask the person to sign in again.",
        )
    }
}
