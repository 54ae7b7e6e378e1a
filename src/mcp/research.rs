//! `search` and `fetch`, exactly as ChatGPT's deep research and company knowledge want them, over the actions.
//!
//! The id of a document is `{cloudId}/{id}`, so that a person with several sites needs no `site`; `#part` goes on in a
//! long page.

use std::sync::Arc;

use rmcp::model::{JsonObject, Tool};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use tokio::task::JoinSet;
use tracing::Instrument as _;
use utoipa::ToSchema;

use super::tools::tool;
use crate::action::{Entry, Services, plain};
use crate::atlassian::Site;
use crate::clean::{Clean, CleanText};
use crate::oauth::Grant;
use crate::problem::{Candidate, Kind, Problem};

pub const SEARCH: &str = "search";
pub const FETCH: &str = "fetch";
/// The actions they are made of.
pub const SEARCHES_WITH: &str = "searchConfluence";
pub const FETCHES_WITH: &str = "getPage";

/// How many results a search has, over all sites.
const RESULTS: usize = 20;
/// How many sites one search asks.
const MAX_SITES: usize = 5;

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct Search {
    /// Plain words to look for, as in Confluence's own search box.
    #[schema(max_length = 500, example = "vpn setup")]
    query: String,
}

#[derive(Serialize, ToSchema)]
struct Found {
    results: Vec<FoundDocument>,
}

#[derive(Serialize, ToSchema)]
struct FoundDocument {
    /// The id to fetch it with.
    id: Clean,
    title: Clean,
    /// The link to cite.
    url: Clean,
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct Fetch {
    /// The id of a search result, or the nextId of the part before.
    #[schema(max_length = 100, example = "11111111-2222-3333-4444-555555555555/65537")]
    id: String,
}

#[derive(Serialize, ToSchema)]
struct Fetched {
    id: Clean,
    title: Clean,
    /// The page as Markdown; of a long page one part.
    text: CleanText,
    /// The link to cite.
    url: Clean,
    metadata: Metadata,
}

// Texts only: clients read a map of strings.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct Metadata {
    /// page or blogpost.
    r#type: Clean,
    /// The name of the space.
    space: Clean,
    version: Clean,
    /// RFC 3339, UTC.
    last_modified: Clean,
    #[serde(skip_serializing_if = "Option::is_none")]
    last_modified_by: Option<Clean>,
    /// Which part this is, such as 1 of 3.
    part: Clean,
    /// There is more: fetch this id next.
    #[serde(skip_serializing_if = "Option::is_none")]
    next_id: Option<Clean>,
}

/// What is read of a search's answer.
#[derive(Deserialize)]
struct Hits {
    results: Vec<Hit>,
}

#[derive(Deserialize)]
struct Hit {
    id: Clean,
    title: Clean,
    url: Clean,
}

/// What is read of a page's answer.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Page {
    r#type: Clean,
    title: Clean,
    space: Named,
    url: Clean,
    version: u32,
    last_modified: Clean,
    last_modified_by: Option<Named>,
    markdown: CleanText,
    part: u32,
    parts: u32,
    next_part: Option<u32>,
}

#[derive(Deserialize)]
struct Named {
    name: Clean,
}

pub fn search_tool() -> Tool {
    let description = "Searches pages and blog posts of Confluence with plain words, best first. Returns ids, titles and \
                       links; fetch an id to read it.";
    tool(SEARCH, "Search for documents", description, Arc::new(plain::<Search>()), Arc::new(plain::<Found>()))
}

pub fn fetch_tool() -> Tool {
    let description = "Returns a page or blog post that search found, as Markdown, with its link. When metadata has a \
                       nextId, the page goes on: fetch that id too.";
    tool(FETCH, "Fetch a document", description, Arc::new(plain::<Fetch>()), Arc::new(plain::<Fetched>()))
}

/// Asks every site of the person at once, as there is no parameter to choose one with, and takes turns among them.
pub async fn search(
    entry: &Entry,
    input: JsonObject,
    services: &Arc<Services>,
    grant: &Grant,
) -> Result<Value, Problem> {
    let Search { query } = read(input)?;
    let sites = entry.sites(services, grant.clone()).await?;
    if sites.len() > MAX_SITES {
        return Err(too_many(&sites));
    }
    let count = sites.len();
    let mut searches = JoinSet::new();
    for (place, site) in sites.into_iter().enumerate() {
        let (entry, services, grant, query) = (entry.clone(), services.clone(), grant.clone(), query.clone());
        let search = async move { (place, search_site(&entry, &site, query, count, &services, grant).await) };
        searches.spawn(search.in_current_span());
    }
    let mut found: Vec<(usize, Result<Vec<FoundDocument>, Problem>)> = Vec::new();
    while let Some(searched) = searches.join_next().await {
        found.push(searched.map_err(|error| Problem::internal(format!("a search ended early: {error}")))?);
    }
    found.sort_by_key(|(place, _)| *place);
    let results = in_turns(readable(found.into_iter().map(|(_, found)| found).collect())?);
    Ok(json!(Found { results }))
}

async fn search_site(
    entry: &Entry,
    site: &Site,
    query: String,
    sites: usize,
    services: &Arc<Services>,
    grant: Grant,
) -> Result<Vec<FoundDocument>, Problem> {
    let cloud_id = site.cloud_id.as_str();
    let input = object(json!({ "query": query, "limit": RESULTS.div_ceil(sites), "site": cloud_id }));
    let Hits { results } = reread(&entry.call(input, services, grant).await?.json)?;
    let document = |hit: Hit| FoundDocument {
        id: format!("{cloud_id}/{}", hit.id).into(),
        title: hit.title,
        url: hit.url,
    };
    Ok(results.into_iter().map(document).collect())
}

/// A site that refuses the person has nothing for them; any other failure fails the search, so that nothing that
/// exists looks absent.
fn readable(found: Vec<Result<Vec<FoundDocument>, Problem>>) -> Result<Vec<Vec<FoundDocument>>, Problem> {
    let several = found.len() > 1;
    let mut lists = Vec::new();
    let mut refusal = None;
    for one in found {
        match one {
            Ok(list) => lists.push(list),
            Err(problem) if several && problem.kind == Kind::NoAccess => refusal = Some(problem),
            Err(problem) => return Err(problem),
        }
    }
    match refusal {
        Some(problem) if lists.is_empty() => Err(problem),
        _ => Ok(lists),
    }
}

/// The first of each list, then the second of each, and so on.
fn in_turns(lists: Vec<Vec<FoundDocument>>) -> Vec<FoundDocument> {
    let mut lists: Vec<_> = lists.into_iter().map(Vec::into_iter).collect();
    let mut merged = Vec::new();
    loop {
        let round: Vec<FoundDocument> = lists.iter_mut().filter_map(Iterator::next).collect();
        if round.is_empty() {
            return merged;
        }
        merged.extend(round);
    }
}

fn too_many(sites: &[Site]) -> Problem {
    let problem = Problem::new(
        Kind::AmbiguousSite,
        format!("This person has more than {MAX_SITES} Confluence sites."),
        "Use searchConfluence with site set to the id of one of the candidates, and getPage with the same site.",
    );
    Problem { candidates: sites.iter().map(Candidate::from).collect(), ..problem }
}

pub async fn fetch(
    entry: &Entry,
    input: JsonObject,
    services: &Arc<Services>,
    grant: &Grant,
) -> Result<Value, Problem> {
    let Fetch { id } = read(input)?;
    let place = Place::parse(&id).ok_or_else(|| {
        Problem::invalid(
            "id",
            "it is not the id of a search result",
            "the id of a result of search, or the nextId of a fetch",
        )
    })?;
    let input = object(json!({ "id": place.page, "site": place.site, "part": place.part }));
    let page: Page = reread(&entry.call(input, services, grant.clone()).await?.json)?;
    let document = format!("{}/{}", place.site, place.page);
    Ok(json!(Fetched {
        title: page.title,
        text: page.markdown,
        url: page.url,
        metadata: Metadata {
            r#type: page.r#type,
            space: page.space.name,
            version: page.version.to_string().into(),
            last_modified: page.last_modified,
            last_modified_by: page.last_modified_by.map(|person| person.name),
            part: format!("{} of {}", page.part, page.parts).into(),
            next_id: page.next_part.map(|part| format!("{document}#{part}").into()),
        },
        id: id.into(),
    }))
}

/// Where a document is.
#[derive(Debug, PartialEq, Eq)]
struct Place<'a> {
    site: &'a str,
    page: &'a str,
    part: u32,
}

impl<'a> Place<'a> {
    /// Reads `{cloudId}/{id}` or `{cloudId}/{id}#part`.
    fn parse(id: &'a str) -> Option<Self> {
        let (document, part) =
            id.split_once('#').map_or((id, Some(1)), |(document, part)| (document, part.parse().ok()));
        let (site, page) = document.split_once('/')?;
        let numeric = !page.is_empty() && page.bytes().all(|byte| byte.is_ascii_digit());
        (!site.is_empty() && numeric).then_some(Self { site, page, part: part? })
    }
}

fn read<T: DeserializeOwned>(input: JsonObject) -> Result<T, Problem> {
    serde_json::from_value(Value::Object(input))
        .map_err(|error| Problem::invalid("arguments", error, "as the tool's input schema says"))
}

/// Reads what an action answered.
fn reread<T: DeserializeOwned>(json: &str) -> Result<T, Problem> {
    serde_json::from_str(json)
        .map_err(|error| Problem::internal(format!("an action's answer has another shape: {error}")))
}

fn object(value: Value) -> JsonObject {
    match value {
        Value::Object(object) => object,
        _ => JsonObject::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_names_site_page_and_part_and_nothing_else() {
        let place = |site, page, part| Some(Place { site, page, part });
        assert_eq!(Place::parse("cloud-1/65537"), place("cloud-1", "65537", 1));
        assert_eq!(Place::parse("cloud-1/65537#3"), place("cloud-1", "65537", 3));
        for bad in [
            "",
            "65537",
            "/65537",
            "cloud-1/",
            "cloud-1/x",
            "cloud-1/1#",
            "cloud-1/1#x",
            "cloud-1/1#-1",
            "a/b/1",
        ] {
            assert_eq!(Place::parse(bad), None, "{bad}");
        }
    }

    #[test]
    fn sites_take_turns() {
        let document =
            |id: &str| FoundDocument { id: id.into(), title: Clean::default(), url: Clean::default() };
        let lists = vec![vec![document("a1"), document("a2"), document("a3")], vec![], vec![document("b1")]];
        let merged: Vec<Clean> = in_turns(lists).into_iter().map(|document| document.id).collect();
        assert_eq!(merged, ["a1", "b1", "a2", "a3"]);
    }
}
