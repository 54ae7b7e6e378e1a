use std::str::FromStr;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::shapes::{Person, Space, status, time};
use crate::action::{
    Action, Caller, CommaList, MAX_ANSWER, Results, Wiki, clip, cql_problem, fit, json_bytes,
};
use crate::confluence::cql::{CqlError, DateBound, Filters, Sort, Words, parse_raw};
use crate::confluence::{ContentId, Hit, SpaceKey};
use crate::problem::Problem;

/// What an answer holds beside the results and their CQL, at the most, in bytes: the cursor and the suggestion.
const AROUND: usize = 5_000;

/// Search Confluence
///
/// Returns pages, blog posts, comments or attachments that match plain words (query), CQL (cql) or filters, best first: title, space, link, excerpt, who changed it last and when. Give at least one of query, cql or a filter; all that is given must hold.
#[derive(Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct SearchConfluence {
    /// Plain words to look for, as in Confluence's own search box. Not together with cql.
    #[schema(max_length = 500, example = "vpn setup")]
    query: Option<String>,
    /// A CQL expression instead of query, for what words and filters cannot say. ORDER BY may end it.
    #[schema(max_length = 4000, example = "title ~ \"release\" AND lastmodified >= now(\"-90d\")")]
    cql: Option<String>,
    /// Only in these spaces: comma-separated space keys, any of them.
    #[schema(value_type = Option<String>, max_length = 2000, example = "ENG,PROD")]
    space: Option<CommaList<SpaceKey>>,
    /// Only these types, comma-separated: page, blogpost, comment, attachment. Left out: page,blogpost.
    #[schema(value_type = Option<String>, max_length = 100, example = "page,blogpost")]
    r#type: Option<CommaList<ContentType>>,
    /// Words that the title has to hold.
    #[schema(max_length = 255, example = "onboarding")]
    title: Option<String>,
    /// Labels, comma-separated; a result has all of them.
    #[schema(value_type = Option<String>, max_length = 1000, example = "runbook")]
    label: Option<CommaList<String>>,
    /// Who created it: me, an account id or a person's name.
    #[schema(max_length = 255, example = "me")]
    author: Option<String>,
    /// Only below this page, at any depth: its id.
    #[schema(value_type = Option<String>, max_length = 20, example = "1310745")]
    ancestor: Option<ContentId>,
    /// Changed on this day or later: YYYY-MM-DD, or a time ago as -N with d, w, m or y.
    #[schema(max_length = 12, example = "-30d")]
    updated_after: Option<String>,
    /// Changed on this day or earlier: YYYY-MM-DD, or a time ago as -N with d, w, m or y.
    #[schema(max_length = 12, example = "2026-12-31")]
    updated_before: Option<String>,
    /// The order of the results; it beats an ORDER BY in cql. Left out: the order of cql, else relevance.
    #[schema(inline)]
    sort: Option<SortBy>,
    /// How many results to return.
    #[serde(default)]
    #[schema(minimum = 1, maximum = 25, default = 10)]
    limit: u32,
    /// The nextCursor of the answer before, to go on; all other parameters unchanged.
    #[schema(max_length = 4000)]
    cursor: Option<String>,
}

#[derive(Clone, Copy, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
enum SortBy {
    Relevance,
    Updated,
    Created,
    Title,
}

#[derive(Clone, Copy)]
enum ContentType {
    Page,
    BlogPost,
    Comment,
    Attachment,
}

/// What was found.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct SearchResults {
    results: Vec<SearchResult>,
    /// How many there are in all.
    #[serde(skip_serializing_if = "Option::is_none")]
    total: Option<u64>,
    /// The CQL of this search, as executed.
    cql: String,
    /// There is more: call again with this as cursor.
    #[serde(skip_serializing_if = "Option::is_none")]
    next_cursor: Option<String>,
    /// When nothing was found: what to change.
    #[serde(skip_serializing_if = "Option::is_none")]
    suggestion: Option<String>,
}

/// One result.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct SearchResult {
    /// The id, usable with getPage for pages and blog posts.
    id: String,
    /// page, blogpost, comment or attachment.
    r#type: String,
    title: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    space: Option<Space>,
    /// The link to show to the person.
    url: String,
    /// Plain text around what matched.
    excerpt: String,
    /// RFC 3339, UTC.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(format = DateTime)]
    last_modified: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    last_modified_by: Option<Person>,
    /// Present when it is not current, such as archived.
    #[serde(skip_serializing_if = "Option::is_none")]
    status: Option<String>,
}

impl Action for SearchConfluence {
    const ID: &'static str = "searchConfluence";
    const PATH: &'static str = "/v1/search";
    const SCOPES: &'static [&'static str] =
        &["search:confluence", "read:space:confluence", "read:content-details:confluence"];
    const EXAMPLE: &'static [(&'static str, &'static str)] = &[("query", "onboarding")];
    type Output = SearchResults;

    async fn call(self, caller: Caller) -> Result<SearchResults, Problem> {
        let mut filters = self.filters()?;
        let wiki = caller.wiki().await?;
        if let Some(author) = &self.author {
            filters.author = Some(wiki.author(author).await?);
        }
        let found = wiki.search(filters, self.limit, self.cursor.as_deref()).await?;
        Ok(self.answer(&wiki, found))
    }
}

impl SearchConfluence {
    /// The parameters as filters, all but the author, who may have to be looked up.
    fn filters(&self) -> Result<Filters, Problem> {
        if self.query.is_some() && self.cql.is_some() {
            return Err(Problem::invalid(
                "cql",
                "it is given together with query",
                "either query or cql, never both",
            ));
        }
        if self.says_nothing() {
            return Err(cql_problem(&CqlError::Nothing));
        }
        let words =
            |name, text: &Option<String>| text.as_deref().map(|text| Words::parse(name, text)).transpose();
        let date = |name, text: &Option<String>| {
            text.as_deref().map(|text| DateBound::parse(name, text)).transpose()
        };
        let read = || -> Result<Filters, CqlError> {
            Ok(Filters {
                types: self.r#type.iter().flat_map(|list| &list.0).map(|one| one.name().to_owned()).collect(),
                query: words("query", &self.query)?,
                raw: self.cql.as_deref().map(parse_raw).transpose()?,
                spaces: self.space.iter().flat_map(|list| &list.0).map(ToString::to_string).collect(),
                title: words("title", &self.title)?,
                labels: self.label.as_ref().map(|list| list.0.clone()).unwrap_or_default(),
                author: None,
                contributor: None,
                ancestor: self.ancestor.as_ref().map(ToString::to_string),
                updated_after: date("updatedAfter", &self.updated_after)?,
                updated_before: date("updatedBefore", &self.updated_before)?,
                sort: self.sort.map(SortBy::order),
            })
        };
        read().map_err(|error| cql_problem(&error))
    }

    fn says_nothing(&self) -> bool {
        self.query.is_none()
            && self.cql.is_none()
            && self.space.is_none()
            && self.r#type.is_none()
            && self.title.is_none()
            && self.label.is_none()
            && self.author.is_none()
            && self.ancestor.is_none()
            && self.updated_after.is_none()
            && self.updated_before.is_none()
    }

    fn answer(&self, wiki: &Wiki, found: Results) -> SearchResults {
        let nothing = found.hits.is_empty() && found.next_cursor.is_none();
        let room = (MAX_ANSWER - AROUND).saturating_sub(json_bytes(&found.cql)) / found.hits.len().max(1);
        SearchResults {
            suggestion: nothing.then(|| self.suggestion()),
            results: found.hits.into_iter().map(|hit| result(wiki, hit, room)).collect(),
            total: found.total,
            cql: found.cql,
            next_cursor: found.next_cursor,
        }
    }

    /// What could be relaxed, most promising first.
    fn suggestion(&self) -> String {
        let filters = [
            ("space", self.space.is_some()),
            ("type", self.r#type.is_some()),
            ("title", self.title.is_some()),
            ("label", self.label.is_some()),
            ("author", self.author.is_some()),
            ("ancestor", self.ancestor.is_some()),
            ("updatedAfter", self.updated_after.is_some()),
            ("updatedBefore", self.updated_before.is_some()),
        ];
        let used: Vec<&str> = filters.iter().filter(|(_, used)| *used).map(|(name, _)| *name).collect();
        match (used.is_empty(), self.query.is_some()) {
            (false, true) => format!("Try without {}, or with fewer or other words.", used.join(", ")),
            (false, false) => format!("Try without {}.", used.join(", ")),
            (true, true) => "Try fewer words, synonyms, or words in the wiki's own language.".to_owned(),
            (true, false) => "Try a wider CQL expression, or query with plain words.".to_owned(),
        }
    }
}

/// A result as answers show it, in at most `room` bytes.
pub fn result(wiki: &Wiki, hit: Hit, room: usize) -> SearchResult {
    let mut result = SearchResult {
        url: wiki.url(&hit.web_path),
        space: hit.space_key.map(|key| Space { key: key.to_string(), name: hit.space_name }),
        excerpt: String::new(),
        last_modified: hit.last_modified.map(time),
        last_modified_by: hit.last_modified_by.as_ref().map(Person::from),
        status: status(&hit.status),
        id: hit.id,
        r#type: hit.r#type,
        title: clip(&hit.title, 255),
    };
    result.excerpt = fit(&hit.excerpt, 500, room.saturating_sub(json_bytes(&result)));
    result
}

impl SortBy {
    fn order(self) -> Sort {
        match self {
            Self::Relevance => Sort::Relevance,
            Self::Updated => Sort::Updated,
            Self::Created => Sort::Created,
            Self::Title => Sort::Title,
        }
    }
}

impl ContentType {
    fn name(self) -> &'static str {
        match self {
            Self::Page => "page",
            Self::BlogPost => "blogpost",
            Self::Comment => "comment",
            Self::Attachment => "attachment",
        }
    }
}

impl FromStr for ContentType {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text {
            "page" => Ok(Self::Page),
            "blogpost" => Ok(Self::BlogPost),
            "comment" => Ok(Self::Comment),
            "attachment" => Ok(Self::Attachment),
            _ => Err("not one of page, blogpost, comment, attachment"),
        }
    }
}
