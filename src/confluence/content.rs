//! Pages and blog posts.

use std::str::FromStr;

use jiff::Timestamp;
use serde::Deserialize;

use super::cursor::List;
use super::points::{Counted, Price};
use super::{AccountId, BODIES, Call, Connection, ContentId, Error, PASSAGES, ROWS, SpaceId};
use crate::clean::{Clean, CleanText};
use crate::lenient::Lenient;

/// Which of the two endpoints something came from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ContentKind {
    Page,
    BlogPost,
}

impl ContentKind {
    /// The name that CQL and our answers use.
    pub fn name(self) -> &'static str {
        match self {
            Self::Page => "page",
            Self::BlogPost => "blogpost",
        }
    }

    pub(super) fn segment(self) -> &'static str {
        match self {
            Self::Page => "pages",
            Self::BlogPost => "blogposts",
        }
    }
}

impl FromStr for ContentKind {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text {
            "page" => Ok(Self::Page),
            "blogpost" => Ok(Self::BlogPost),
            _ => Err("not one of page, blogpost"),
        }
    }
}

/// A page or blog post as v2 sends it.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Content {
    pub id: ContentId,
    #[serde(default)]
    pub status: Clean,
    #[serde(default)]
    pub title: Clean,
    pub space_id: SpaceId,
    pub version: Version,
    #[serde(default)]
    body: Bodies,
    #[serde(default)]
    labels: Labels,
    #[serde(rename = "_links", default)]
    links: WebLinks,
}

impl Content {
    /// The body in storage format, where it was asked for.
    pub fn storage(&self) -> &str {
        self.body.storage()
    }

    /// Takes the body out.
    pub fn take_storage(&mut self) -> String {
        std::mem::take(&mut self.body).into_storage().unwrap_or_default()
    }

    pub fn labels(&self) -> Vec<Clean> {
        self.labels.results.iter().map(|label| label.name.clone()).collect()
    }

    /// The path of the page below `/wiki`, beginning with a slash.
    pub fn web_path(&self) -> Clean {
        let by_id = || format!("/pages/viewpage.action?pageId={}", self.id).into();
        self.links.webui.clone().unwrap_or_else(by_id)
    }
}

impl Counted for Content {
    fn rows(&self) -> usize {
        1
    }
}

/// One version of a page.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Version {
    pub number: u32,
    pub created_at: Timestamp,
    pub author_id: Option<AccountId>,
    #[serde(default)]
    pub message: Option<CleanText>,
}

/// A version in a list, and what it is a version of, where that is said.
#[derive(Deserialize)]
struct VersionRow {
    #[serde(flatten)]
    version: Version,
    page: Option<Owner>,
    blogpost: Option<Owner>,
}

#[derive(Deserialize)]
struct Owner {
    id: ContentId,
}

impl VersionRow {
    fn owner(&self) -> Option<&ContentId> {
        self.page.as_ref().or(self.blogpost.as_ref()).map(|owner| &owner.id)
    }
}

#[derive(Clone, Debug, Default, Deserialize)]
pub(super) struct Bodies {
    storage: Option<Body>,
    export_view: Option<Body>,
}

impl Bodies {
    pub(super) fn storage(&self) -> &str {
        self.storage.as_ref().map_or("", |body| &body.value)
    }

    pub(super) fn into_storage(self) -> Option<String> {
        self.storage.map(|body| body.value)
    }
}

#[derive(Clone, Debug, Deserialize)]
struct Body {
    value: String,
}

#[derive(Clone, Debug, Default, Deserialize)]
struct Labels {
    #[serde(default)]
    results: Vec<Label>,
}

#[derive(Clone, Debug, Deserialize)]
struct Label {
    name: Clean,
}

#[derive(Clone, Debug, Default, Deserialize)]
pub(super) struct WebLinks {
    pub(super) webui: Option<Clean>,
}

/// How many pages of one title are looked at, and in how many spaces at the most where spaces are named.
const SAME_TITLE: usize = 250;
const MAX_SPACES: usize = 100;

impl Connection {
    /// A page or blog post with its body, current or at `version`. An id that is no page may be a blog post's.
    pub async fn content(
        &self,
        id: &ContentId,
        version: Option<u32>,
    ) -> Result<(ContentKind, Content), Error> {
        let mut query = vec![("body-format", "storage".to_owned()), ("include-labels", "true".to_owned())];
        query.extend(version.map(|number| ("version", number.to_string())));
        self.page_or_blog_post(id, query).await
    }

    /// The same without its body and labels: to learn what and where it is.
    pub async fn located(&self, id: &ContentId) -> Result<(ContentKind, Content), Error> {
        self.page_or_blog_post(id, Vec::new()).await
    }

    /// The same of what is known to be one of the two.
    pub async fn located_as(&self, kind: ContentKind, id: &ContentId) -> Result<Content, Error> {
        self.one(kind, id, Vec::new(), ROWS).await
    }

    async fn page_or_blog_post(
        &self,
        id: &ContentId,
        query: Vec<(&'static str, String)>,
    ) -> Result<(ContentKind, Content), Error> {
        match self.one(ContentKind::Page, id, query.clone(), BODIES).await {
            Ok(page) => Ok((ContentKind::Page, page)),
            Err(Error::NotFound) => {
                Ok((ContentKind::BlogPost, self.one(ContentKind::BlogPost, id, query, BODIES).await?))
            }
            Err(error) => Err(error),
        }
    }

    /// The page or blog post of this id; another than was asked for is none.
    async fn one(
        &self,
        kind: ContentKind,
        id: &ContentId,
        query: Vec<(&'static str, String)>,
        weight: usize,
    ) -> Result<Content, Error> {
        let path = ["api", "v2", kind.segment(), id.as_str()];
        let content: Content = self.send(Call::get(Price::One, &path, query).weighing(weight)).await?;
        if content.id == *id { Ok(content) } else { Err(Error::NotFound) }
    }

    /// What is known to be a page, or a blog post, with its body.
    pub async fn content_of_kind(&self, kind: ContentKind, id: &ContentId) -> Result<Content, Error> {
        self.one(kind, id, vec![("body-format", "storage".to_owned())], PASSAGES).await
    }

    /// A page or blog post as Confluence renders it (`export_view`), current or at `version`.
    pub async fn rendered(
        &self,
        of: (ContentKind, &ContentId),
        version: Option<u32>,
    ) -> Result<String, Error> {
        let mut query = vec![("body-format", "export_view".to_owned())];
        query.extend(version.map(|number| ("version", number.to_string())));
        let content = self.one(of.0, of.1, query, BODIES).await?;
        Ok(content.body.export_view.map(|body| body.value).unwrap_or_default())
    }

    /// The current page of this title in a space, with its body.
    pub async fn page_titled(&self, title: &str, space: &SpaceId) -> Result<Option<Content>, Error> {
        let query = vec![
            ("title", title.to_owned()),
            ("space-id", space.to_string()),
            ("status", "current".to_owned()),
            ("body-format", "storage".to_owned()),
            ("limit", "1".to_owned()),
        ];
        Ok(self.pages(query, title, std::slice::from_ref(space)).await?.into_iter().next())
    }

    /// The versions of a page or blog post, newest first, and where the list goes on.
    pub async fn versions(
        &self,
        of: (ContentKind, &ContentId),
        limit: u32,
        cursor: Option<&str>,
    ) -> Result<(Vec<Version>, Option<String>), Error> {
        let mut query = vec![("limit", limit.to_string()), ("sort", "-modified-date".to_owned())];
        query.extend(cursor.map(|cursor| ("cursor", cursor.to_owned())));
        let path = ["api", "v2", of.0.segment(), of.1.as_str(), "versions"];
        let list: List<VersionRow> = self.send(Call::get(Price::List, &path, query)).await?;
        let cursor = list.cursor();
        let own = list.results.into_iter().filter(|row| row.owner().is_none_or(|owner| owner == of.1));
        Ok((own.map(|row| row.version).collect(), cursor))
    }

    /// Current pages of exactly this title, in these spaces or, where none is named, in all that the person sees; without bodies.
    pub async fn pages_titled(&self, title: &str, spaces: &[SpaceId]) -> Result<Vec<Content>, Error> {
        let mut query = vec![
            ("title", title.to_owned()),
            ("status", "current".to_owned()),
            ("limit", SAME_TITLE.to_string()),
        ];
        if (1..=MAX_SPACES).contains(&spaces.len()) {
            let ids: Vec<&str> = spaces.iter().map(SpaceId::as_str).collect();
            query.push(("space-id", ids.join(",")));
        }
        self.pages(query, title, spaces).await
    }

    /// Current pages, but none of another title or space than was asked for: a filter that Confluence ignores lets nothing in.
    async fn pages(
        &self,
        query: Vec<(&'static str, String)>,
        title: &str,
        spaces: &[SpaceId],
    ) -> Result<Vec<Content>, Error> {
        let list: List<Lenient<Content>> =
            self.send(Call::get(Price::List, &["api", "v2", "pages"], query).weighing(BODIES)).await?;
        if list.cursor().is_some() {
            tracing::debug!("more pages of one title than are looked at");
        }
        let asked = |page: &Content| {
            is_same_title(&page.title, title)
                && (spaces.is_empty() || spaces.contains(&page.space_id))
                && matches!(page.status.as_str(), "" | "current")
        };
        Ok(list.results.into_iter().filter_map(|row| row.0).filter(asked).collect())
    }
}

/// Confluence minds neither case nor spaces around a title.
fn is_same_title(one: &str, other: &str) -> bool {
    one.trim().to_lowercase() == other.trim().to_lowercase()
}
