use serde::Deserialize;
use utoipa::ToSchema;

use super::page_url::PageUrl;
use super::reading::{Page, Reading};
use crate::action::{Action, Caller, MAX_ANSWER, Titled, Wiki};
use crate::clean::Clean;
use crate::confluence::{ContentId, SpaceKey};
use crate::problem::{Candidate, Kind, Problem};

/// Read the page behind a link or title
///
/// Returns the page that a Confluence URL (short links too) or an exact title names, just as getPage does. When several pages have the title, the error lists them as candidates.
#[derive(Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct FindPage {
    /// The URL of a page or blog post, as copied from a browser or from Confluence's Share button.
    #[schema(max_length = 2000, example = "https://acme.atlassian.net/wiki/spaces/ENG/overview")]
    url: Option<String>,
    /// The exact title, in upper or lower case. Instead of url.
    #[schema(max_length = 255, example = "Engineering Home")]
    title: Option<String>,
    /// The key of the space that the title is in, where several spaces have such a page.
    #[schema(value_type = Option<String>, max_length = 256, example = "ENG")]
    space: Option<SpaceKey>,
    #[serde(flatten)]
    reading: Reading,
}

impl Action for FindPage {
    const ID: &'static str = "findPage";
    const PATH: &'static str = "/v1/pages";
    const SCOPES: &'static [&'static str] =
        &["read:page:confluence", "read:space:confluence", "read:user:confluence", "search:confluence"];
    const EXAMPLE: &'static [(&'static str, &'static str)] = &[("title", "Engineering Home")];
    type Output = Page;

    async fn call(self, caller: Caller) -> Result<Page, Problem> {
        let (wiki, id) = match (&self.url, &self.title) {
            (Some(url), None) => {
                if self.space.is_some() {
                    return Err(Problem::invalid(
                        "space",
                        "it is given together with url",
                        "only together with title",
                    ));
                }
                let (host, url) = PageUrl::parse(url)?;
                let wiki = caller.wiki_at(&host).await?;
                let id = locate(&wiki, url).await?;
                (wiki, id)
            }
            (None, Some(title)) => {
                let wiki = caller.wiki().await?;
                let space = match &self.space {
                    Some(key) => Some(wiki.space(key).await?),
                    None => None,
                };
                let id = the_one(&wiki, &wiki.titled(title.trim(), space.as_deref()).await?)?;
                (wiki, id)
            }
            _ => {
                return Err(Problem::invalid(
                    "url",
                    "exactly one of url and title is needed",
                    "url alone, or title with an optional space",
                ));
            }
        };
        self.reading.read(&wiki, &id, MAX_ANSWER).await
    }
}

async fn locate(wiki: &Wiki, url: PageUrl) -> Result<ContentId, Problem> {
    match url {
        PageUrl::Id(id) => Ok(id),
        PageUrl::Title { space, title } => {
            let space = wiki.space_at(&space).await?;
            the_one(wiki, &wiki.titled(&title, Some(&space)).await?)
        }
        PageUrl::Home { space } => {
            wiki.space_at(&space).await?.homepage_id.clone().ok_or_else(Problem::not_found)
        }
    }
}

fn the_one(wiki: &Wiki, pages: &[Titled]) -> Result<ContentId, Problem> {
    match pages {
        [page] => Ok(page.id.clone()),
        [] => Err(Problem::not_found()),
        several => {
            let candidates = several.iter().take(25).map(|page| Candidate {
                id: (&page.id).into(),
                name: page.title.clone(),
                url: Some(wiki.url(&page.web_path)),
                space: page.space.as_ref().map(Clean::from),
            });
            let problem = Problem::new(
                Kind::AmbiguousTitle,
                format!("{} pages have this title.", several.len()),
                "Call getPage with the id of one of the candidates; ask the person which one if that is not clear.",
            );
            Err(Problem { candidates: candidates.collect(), ..problem })
        }
    }
}
