use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::search_confluence::{SearchResult, result};
use super::shapes::ROOM;
use crate::action::{Action, Caller, CommaList, cql_problem};
use crate::clean::Clean;
use crate::confluence::cql::{Author, DateBound, Filters, Sort};
use crate::confluence::{Hit, SpaceKey};
use crate::problem::Problem;

/// What a change takes beside its search result, in bytes.
const AROUND: usize = 24;

/// List recent changes
///
/// Returns the pages and blog posts that were created or updated lately, newest first: title, space, link, who changed it last and when, and whether it is new.
#[derive(Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct GetRecentChanges {
    /// Since when: a day as YYYY-MM-DD, or a time ago as -N with d, w, m or y.
    #[serde(default)]
    #[schema(max_length = 12, default = "-7d", example = "-7d")]
    since: String,
    /// Only in these spaces: comma-separated space keys, any of them.
    #[schema(value_type = Option<String>, max_length = 2000, example = "ENG,PROD")]
    space: Option<CommaList<SpaceKey>>,
    /// Only what the person who is asking created or edited.
    #[serde(default)]
    #[schema(default = false)]
    mine: bool,
    /// How many changes to return.
    #[serde(default)]
    #[schema(minimum = 1, maximum = 50, default = 20)]
    limit: u32,
    /// The nextCursor of the answer before, to go on; all other parameters unchanged.
    #[schema(max_length = 4000)]
    cursor: Option<String>,
}

/// The changes.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct ChangeList {
    results: Vec<Change>,
    /// There is more: call again with this as cursor.
    #[serde(skip_serializing_if = "Option::is_none")]
    next_cursor: Option<Clean>,
}

/// One change.
#[derive(Serialize, ToSchema)]
pub struct Change {
    /// created or updated.
    change: Clean,
    #[serde(flatten)]
    of: SearchResult,
}

impl Action for GetRecentChanges {
    const ID: &'static str = "getRecentChanges";
    const PATH: &'static str = "/v1/changes";
    const SCOPES: &'static [&'static str] = &["search:confluence", "read:space:confluence"];
    const EXAMPLE: &'static [(&'static str, &'static str)] = &[("since", "-1y")];
    type Output = ChangeList;

    async fn call(self, caller: Caller) -> Result<ChangeList, Problem> {
        let since = DateBound::parse("since", &self.since).map_err(|error| cql_problem(&error))?;
        let filters = Filters {
            spaces: self.space.iter().flat_map(|list| &list.0).map(ToString::to_string).collect(),
            contributor: self.mine.then_some(Author::Me),
            updated_after: Some(since),
            sort: Some(Sort::Updated),
            ..Filters::default()
        };
        let wiki = caller.wiki().await?;
        let found = wiki.search(filters, self.limit, self.cursor.as_deref()).await?;
        let change = |hit: Hit| {
            let change = if hit.version == Some(1) { "created" } else { "updated" };
            Change { change: change.into(), of: result(&wiki, hit) }
        };
        Ok(ChangeList {
            results: found.hits.into_iter().map(change).collect(),
            next_cursor: found.next_cursor,
        })
    }

    fn shorten(output: &mut ChangeList) {
        let room = ROOM / output.results.len().max(1) - AROUND;
        output.results.iter_mut().for_each(|change| change.of.shorten(room));
    }

    fn listed(output: &ChangeList) -> Vec<Clean> {
        output.results.iter().map(|change| change.of.id.clone()).collect()
    }
}
