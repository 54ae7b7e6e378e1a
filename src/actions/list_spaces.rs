use std::sync::Arc;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::action::{Action, Caller, MAX_ANSWER, Wiki, fit, json_bytes};
use crate::clean::{Clean, CleanText};
use crate::confluence::{Space, SpaceType};
use crate::problem::Problem;

/// What the answer holds beside the spaces, at the most, in bytes: the cursor.
const AROUND: usize = 5_000;
/// How many pages of spaces one call looks through for a query.
const PAGES: usize = 4;

/// List spaces
///
/// Returns the Confluence spaces that the person can see: key, name, type, link, home page id and description. query keeps those whose key, name or description holds the words.
#[derive(Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct ListSpaces {
    /// Words that the key, name or description has to hold, in any case.
    #[schema(max_length = 255, example = "engineering")]
    query: Option<String>,
    /// Only spaces of this type.
    #[schema(inline)]
    r#type: Option<SpaceType>,
    /// How many spaces to return.
    #[serde(default)]
    #[schema(minimum = 1, maximum = 100, default = 50)]
    limit: u32,
    /// The nextCursor of the answer before, to go on; all other parameters unchanged.
    #[schema(max_length = 4000)]
    cursor: Option<String>,
}

/// The spaces.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct SpaceList {
    results: Vec<ListedSpace>,
    /// There is more: call again with this as cursor.
    #[serde(skip_serializing_if = "Option::is_none")]
    next_cursor: Option<Clean>,
}

/// One space.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct ListedSpace {
    /// The space key, usable as space.
    key: Clean,
    name: Clean,
    /// One of: global, personal, collaboration, `knowledge_base`.
    r#type: Clean,
    /// The link to show to the person.
    url: Clean,
    /// The id of the space's home page, usable with getPage.
    #[serde(skip_serializing_if = "Option::is_none")]
    homepage_id: Option<Clean>,
    #[serde(skip_serializing_if = "Option::is_none")]
    description: Option<CleanText>,
}

impl Action for ListSpaces {
    const ID: &'static str = "listSpaces";
    const PATH: &'static str = "/v1/spaces";
    const SCOPES: &'static [&'static str] = &["read:space:confluence"];
    const EXAMPLE: &'static [(&'static str, &'static str)] = &[];
    type Output = SpaceList;

    async fn call(self, caller: Caller) -> Result<SpaceList, Problem> {
        let wiki = caller.wiki().await?;
        let words: Vec<String> =
            self.query.iter().flat_map(|query| query.split_whitespace()).map(str::to_lowercase).collect();
        let (mut spaces, mut next_cursor) =
            wiki.spaces(self.r#type, self.limit, self.cursor.as_deref()).await?;
        spaces.retain(|space| matches(space, &words));
        for _ in 1..PAGES {
            let Some(cursor) = next_cursor.clone().filter(|_| spaces.is_empty()) else { break };
            (spaces, next_cursor) = wiki.spaces(self.r#type, self.limit, Some(&cursor)).await?;
            spaces.retain(|space| matches(space, &words));
        }
        let room = (MAX_ANSWER - AROUND) / spaces.len().max(1);
        Ok(SpaceList {
            results: spaces.iter().map(|space| listed(&wiki, space, room)).collect(),
            next_cursor,
        })
    }
}

fn matches(space: &Arc<Space>, words: &[String]) -> bool {
    let text = format!("{} {} {}", space.key, space.name, space.description().map_or("", |text| text))
        .to_lowercase();
    words.iter().all(|word| text.contains(word))
}

/// `room` is what it may take in the answer, in bytes.
fn listed(wiki: &Wiki, space: &Arc<Space>, room: usize) -> ListedSpace {
    let mut listed = ListedSpace {
        key: (&space.key).into(),
        name: fit(&space.name, 100, 300),
        r#type: space.r#type.clone(),
        url: wiki.url(&format!("/spaces/{}", space.key)),
        homepage_id: space.homepage_id.as_ref().map(Clean::from),
        description: None,
    };
    let room = room.saturating_sub(json_bytes(&listed) + r#","description":"#.len());
    listed.description =
        space.description().map(|text| fit(&text.trimmed(), 300, room)).filter(|text| !text.is_empty());
    listed
}
