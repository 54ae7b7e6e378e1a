use futures_util::stream::{self, StreamExt as _};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::reading::{Page, Reading};
use super::shapes::{ROOM, fitting};
use crate::action::{Action, Caller, CommaList, Wiki};
use crate::clean::Clean;
use crate::confluence::ContentId;
use crate::problem::{Kind, Problem};

/// The most pages of one call, and how many are read at the same time.
const MAX_PAGES: usize = 10;
const AT_ONCE: usize = 4;

/// Read several pages at once
///
/// Returns up to ten pages or blog posts as Markdown, in the order of ids, each as getPage returns it and within its share of maxChars. A page that cannot be read is its id with the problem.
#[derive(Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct GetPages {
    /// The ids of up to ten pages or blog posts, comma-separated.
    #[schema(value_type = String, max_length = 220, example = "1310721,1310745")]
    ids: CommaList<ContentId>,
    /// How long the Markdown of all pages together may be, in characters; each has an equal share.
    #[serde(default)]
    #[schema(minimum = 1_000, maximum = 90_000, default = 60_000)]
    max_chars: u32,
}

/// The pages.
#[derive(Serialize, ToSchema)]
pub struct PageBatch {
    results: Vec<BatchItem>,
}

/// A page, or its id and why it cannot be read.
#[derive(Serialize, ToSchema)]
pub struct BatchItem {
    #[serde(skip_serializing_if = "Option::is_none")]
    id: Option<Clean>,
    #[serde(flatten)]
    page: Option<Page>,
    #[serde(skip_serializing_if = "Option::is_none")]
    problem: Option<BatchProblem>,
}

/// Why a page cannot be read.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct BatchProblem {
    /// The kind of problem, such as not-found.
    kind: Clean,
    detail: Clean,
    /// What to do next, in one sentence.
    next_step: Clean,
}

impl Action for GetPages {
    const ID: &'static str = "getPages";
    const PATH: &'static str = "/v1/pages/batch";
    const SCOPES: &'static [&'static str] =
        &["read:page:confluence", "read:space:confluence", "read:user:confluence"];
    const EXAMPLE: &'static [(&'static str, &'static str)] = &[("ids", "1310721,1310745")];
    type Output = PageBatch;

    async fn call(self, caller: Caller) -> Result<PageBatch, Problem> {
        // A page that is named twice is read once, and stands where it is named first.
        let mut ids: Vec<ContentId> = Vec::new();
        for id in self.ids.0 {
            if !ids.contains(&id) {
                ids.push(id);
            }
        }
        let count = ids.len();
        if count > MAX_PAGES {
            return Err(Problem::invalid(
                "ids",
                format!("there are {count} ids"),
                "at most ten ids, comma-separated",
            ));
        }
        let wiki = caller.wiki().await?;
        let share = u32::try_from(self.max_chars as usize / count).unwrap_or(self.max_chars);
        let read = ids.into_iter().map(|id| read(&wiki, id, share, ROOM / count));
        let read: Vec<(ContentId, Result<Page, Problem>)> =
            stream::iter(read).buffered(AT_ONCE).collect().await;
        if let Some(problem) = failure_of_all(&read) {
            return Err(problem);
        }
        let mut results: Vec<BatchItem> = read.into_iter().map(BatchItem::from).collect();
        let fitting = fitting(&results, ROOM);
        for item in results.iter_mut().skip(fitting) {
            *item = crowded_out(item);
        }
        Ok(PageBatch { results })
    }
}

async fn read(wiki: &Wiki, id: ContentId, max_chars: u32, room: usize) -> (ContentId, Result<Page, Problem>) {
    let page = Reading::whole(max_chars).read(wiki, &id, room).await;
    (id, page)
}

/// What is wrong with the call rather than with a page: what concerns the whole sign-in, and what no page could be read for.
fn failure_of_all(read: &[(ContentId, Result<Page, Problem>)]) -> Option<Problem> {
    let problems = || read.iter().filter_map(|(_, page)| page.as_ref().err());
    let of_a_page = [Kind::NotFound, Kind::NoAccess, Kind::ConfluenceUnavailable];
    if let Some(problem) = problems().find(|problem| !of_a_page.contains(&problem.kind)) {
        return Some(problem.clone());
    }
    let first = problems().next().filter(|problem| problem.kind != Kind::NotFound)?;
    (problems().filter(|problem| problem.kind == first.kind).count() == read.len()).then(|| first.clone())
}

impl From<(ContentId, Result<Page, Problem>)> for BatchItem {
    fn from((id, page): (ContentId, Result<Page, Problem>)) -> Self {
        match page {
            Ok(page) => Self { id: None, page: Some(page), problem: None },
            Err(problem) => Self { id: Some((&id).into()), page: None, problem: Some(problem.into()) },
        }
    }
}

fn crowded_out(item: &BatchItem) -> BatchItem {
    let id = item.page.as_ref().map(|page| page.id().clone()).or_else(|| item.id.clone());
    let problem = Problem::new(
        Kind::PayloadTooLarge,
        "There is no room left for this page.",
        "Read it alone with getPage.",
    );
    BatchItem { id, page: None, problem: Some(problem.into()) }
}

impl From<Problem> for BatchProblem {
    fn from(problem: Problem) -> Self {
        Self { kind: problem.kind.name().into(), detail: problem.detail, next_step: problem.next_step }
    }
}
