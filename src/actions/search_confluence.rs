use std::mem;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::filter::Filter;
use super::shapes::{Person, Space, status, time};
use crate::action::{
    Action, Breadth, Caller, CommaList, MAX_ANSWER, Wiki, clip, cql_problem, fit, json_bytes,
};
use crate::clean::Clean;
use crate::confluence::Hit;
use crate::confluence::cql::{CqlError, Filters, Sort, Words, parse_raw};
use crate::problem::Problem;
use crate::ranking::Question;

/// What an answer holds beside the results and their CQL, at the most, in bytes: the cursor and the suggestion.
const AROUND: usize = 5_000;
/// The longest excerpt, in characters.
const EXCERPT: usize = 500;

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
    /// Only these types, comma-separated: page, blogpost, comment, attachment. Left out: page,blogpost.
    #[schema(value_type = Option<String>, max_length = 100, example = "page,blogpost")]
    r#type: Option<CommaList<ContentType>>,
    #[serde(flatten)]
    filter: Filter,
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
    cql: Clean,
    /// There is more: call again with this as cursor.
    #[serde(skip_serializing_if = "Option::is_none")]
    next_cursor: Option<Clean>,
    /// When nothing was found as asked: what was searched for instead, or what to change.
    #[serde(skip_serializing_if = "Option::is_none")]
    suggestion: Option<Clean>,
}

/// One result.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct SearchResult {
    /// The id, usable with getPage for pages and blog posts and with getAttachment for attachments.
    pub id: Clean,
    /// page, blogpost, comment or attachment.
    r#type: Clean,
    title: Clean,
    #[serde(skip_serializing_if = "Option::is_none")]
    space: Option<Space>,
    /// The link to show to the person.
    url: Clean,
    /// Plain text around what matched.
    excerpt: Clean,
    /// RFC 3339, UTC.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, format = DateTime)]
    last_modified: Option<Clean>,
    #[serde(skip_serializing_if = "Option::is_none")]
    last_modified_by: Option<Person>,
    /// Present when it is not current, such as archived.
    #[serde(skip_serializing_if = "Option::is_none")]
    status: Option<Clean>,
}

impl Action for SearchConfluence {
    const ID: &'static str = "searchConfluence";
    const PATH: &'static str = "/v1/search";
    const SCOPES: &'static [&'static str] =
        &["search:confluence", "read:space:confluence", "read:content-details:confluence"];
    const EXAMPLE: &'static [(&'static str, &'static str)] = &[("query", "onboarding")];
    type Output = SearchResults;

    async fn call(self, caller: Caller) -> Result<SearchResults, Problem> {
        let filters = self.filters()?;
        let wiki = caller.wiki().await?;
        let filters = self.filter.with_author(&wiki, filters).await?;
        let cursor = self.cursor.as_deref();
        let found = wiki.search_or(&filters, |filters| self.wider(filters), self.limit, cursor).await?;
        let suggestion = match found.breadth {
            Breadth::Wider => Some(ANY_WORD.into()),
            Breadth::AsAsked if found.are_empty() && cursor.is_none() => {
                Some(self.suggestion(&wiki, filters).await.into())
            }
            Breadth::AsAsked => None,
        };
        Ok(SearchResults {
            results: found.hits.into_iter().map(|hit| result(&wiki, hit)).collect(),
            total: found.total,
            cql: found.cql,
            next_cursor: found.next_cursor,
            suggestion,
        })
    }

    fn shorten(output: &mut SearchResults) {
        let room = (MAX_ANSWER - AROUND).saturating_sub(json_bytes(&output.cql));
        let room = room / output.results.len().max(1);
        output.results.iter_mut().for_each(|result| result.shorten(room));
    }

    fn listed(output: &SearchResults) -> Vec<Clean> {
        output.results.iter().map(|result| result.id.clone()).collect()
    }
}

/// What is said of results that hold some of the words.
const ANY_WORD: &str = "Nothing holds all of these words. These results hold some of them, those with most of them first; \
    check that they are about what was asked, or try other words.";

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
        if self.query.is_none() && self.cql.is_none() && self.given().is_empty() {
            return Err(cql_problem(&CqlError::Nothing));
        }
        let read = || -> Result<Filters, CqlError> {
            Ok(Filters {
                types: self.r#type.iter().flat_map(|list| &list.0).map(|one| one.name().to_owned()).collect(),
                query: self.query.as_deref().map(|text| Words::parse("query", text)).transpose()?,
                raw: self.cql.as_deref().map(parse_raw).transpose()?,
                sort: self.sort.map(SortBy::order),
                ..self.filter.filters()?
            })
        };
        read().map_err(|error| cql_problem(&error))
    }

    /// The names of the filters that are given.
    fn given(&self) -> Vec<&'static str> {
        self.r#type.iter().map(|_| "type").chain(self.filter.given()).collect()
    }

    /// The same filters with any of the words instead of all of them, where there are several.
    fn wider(&self, filters: &Filters) -> Option<Filters> {
        let any = |name, text: Option<&str>| {
            let words = Question::search_words(text?);
            if words.len() > 1 { Words::any_of(name, &words).ok() } else { None }
        };
        match (&self.query, self.filter.title()) {
            (Some(query), _) => Some(Filters { query: Some(any("query", Some(query))?), ..filters.clone() }),
            (None, title) => Some(Filters { title: Some(any("title", title)?), ..filters.clone() }),
        }
    }

    /// What to change when nothing was found. Costs a call where it can say how much there would be.
    async fn suggestion(&self, wiki: &Wiki, filters: Filters) -> String {
        let given = self.given();
        let (without, way) = match (&filters, self.filter.title()) {
            (Filters { query: None, raw: None, .. }, Some(_)) if given.len() == 1 => {
                let text = Filters { query: filters.title.clone(), ..Filters::default() };
                (text, "With these words as query instead of title".to_owned())
            }
            (Filters { query: None, raw: None, .. }, Some(_)) => {
                let others: Vec<&str> = given.into_iter().filter(|name| *name != "title").collect();
                (
                    Filters { title: filters.title, ..Filters::default() },
                    format!("Without {}", others.join(", ")),
                )
            }
            (Filters { query: None, raw: None, .. }, None) => {
                return format!("Try without {}.", given.join(" or without "));
            }
            _ if given.is_empty() => return self.other_words(),
            _ => {
                let Filters { query, raw, .. } = filters;
                (Filters { query, raw, ..Filters::default() }, format!("Without {}", given.join(", ")))
            }
        };
        // How much there would be is a kindness, too.
        let found = wiki.search(without, 1, None).await.ok().filter(|found| !found.are_empty());
        match found.map(|found| found.total) {
            Some(Some(1)) => format!("{way} there is 1 result: call again so, if that is meant."),
            Some(Some(total)) => format!("{way} there are {total} results: call again so, if that is meant."),
            Some(None) => format!("{way} there are results: call again so, if that is meant."),
            None => format!("{way} there is nothing either. {}", self.other_words()),
        }
    }

    fn other_words(&self) -> String {
        let advice = if self.cql.is_some() {
            "Try a wider CQL expression, or query with plain words."
        } else if self.r#type.is_some() {
            "Try fewer words, synonyms, or words in the wiki's own language."
        } else {
            "Try fewer words, synonyms, words in the wiki's own language, or type=comment,attachment."
        };
        advice.to_owned()
    }
}

/// A result as answers show it.
pub fn result(wiki: &Wiki, hit: Hit) -> SearchResult {
    SearchResult {
        url: wiki.url(&hit.web_path),
        space: hit.space_key.map(|key| Space { key: (&key).into(), name: hit.space_name }),
        excerpt: clip(&hit.excerpt, EXCERPT),
        last_modified: hit.last_modified.map(time),
        last_modified_by: hit.last_modified_by.as_ref().map(Person::from),
        status: status(&hit.status),
        id: hit.id,
        r#type: hit.r#type,
        title: clip(&hit.title, 255),
    }
}

impl SearchResult {
    /// Shortens the excerpt until the result takes at most `room` bytes of JSON.
    pub fn shorten(&mut self, room: usize) {
        let excerpt = mem::take(&mut self.excerpt);
        self.excerpt = fit(&excerpt, EXCERPT, room.saturating_sub(json_bytes(self)));
    }
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
