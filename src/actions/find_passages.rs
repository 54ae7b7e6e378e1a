use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::conversion::convert_found;
use super::filter::Filter;
use super::shapes::{Person, ROOM, Space, fitting, status, time};
use crate::action::{Action, Caller, CommaList, FoundPages, Wiki, clip, cql_problem};
use crate::clean::{Clean, CleanText};
use crate::confluence::ContentKind;
use crate::confluence::cql::{CqlError, Filters, Words};
use crate::markdown::{Document, Passage};
use crate::problem::Problem;
use crate::ranking::{Candidate, Language, Question, Text, choose, scores};

/// How many pages are searched for passages.
const PAGES: u32 = 20;
/// The longest heading of a path, in characters.
const MAX_HEADING: usize = 120;

/// Find passages that answer a question
///
/// Returns the passages that match a question best, from the pages and blog posts that match it best: the text as Markdown, the headings above it, and of its page the title, link, space, version, and who changed it last and when. All filters given must hold.
#[derive(Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct FindPassages {
    /// A question in plain words, or the words to look for.
    #[schema(max_length = 500, example = "how long does access to production last")]
    query: String,
    /// Only these types, comma-separated: page, blogpost. Left out: both.
    #[schema(value_type = Option<String>, max_length = 100, example = "page")]
    r#type: Option<CommaList<ContentKind>>,
    #[serde(flatten)]
    filter: Filter,
    /// How many passages to return at the most.
    #[serde(default)]
    #[schema(minimum = 1, maximum = 20, default = 8)]
    limit: u32,
    /// How long the passages together may be, in characters.
    #[serde(default)]
    #[schema(minimum = 1_000, maximum = 90_000, default = 20_000)]
    max_chars: u32,
}

/// The passages, best first.
#[derive(Serialize, ToSchema)]
pub struct PassageList {
    results: Vec<FoundPassage>,
}

/// A passage.
#[derive(Serialize, ToSchema)]
pub struct FoundPassage {
    /// The passage as Markdown.
    text: CleanText,
    /// The headings it is under, outermost first.
    headings: Vec<Clean>,
    page: PassagePage,
    /// How well it matches; comparable within one answer.
    score: f64,
}

/// The page or blog post that a passage is from.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct PassagePage {
    /// The id, usable with getPage.
    id: Clean,
    title: Clean,
    #[serde(skip_serializing_if = "Option::is_none")]
    space: Option<Space>,
    /// The link to show to the person.
    url: Clean,
    /// Present when it is not current, such as archived.
    #[serde(skip_serializing_if = "Option::is_none")]
    status: Option<Clean>,
    #[serde(skip_serializing_if = "Option::is_none")]
    version: Option<u32>,
    /// RFC 3339, UTC.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, format = DateTime)]
    last_modified: Option<Clean>,
    #[serde(skip_serializing_if = "Option::is_none")]
    last_modified_by: Option<Person>,
}

impl Action for FindPassages {
    const ID: &'static str = "findPassages";
    const PATH: &'static str = "/v1/passages";
    const SCOPES: &'static [&'static str] = &[
        "search:confluence",
        "read:space:confluence",
        "read:user:confluence",
        "read:page:confluence",
        "read:content-details:confluence",
    ];
    const EXAMPLE: &'static [(&'static str, &'static str)] =
        &[("query", "how long does access to production last")];
    type Output = PassageList;

    async fn call(self, caller: Caller) -> Result<PassageList, Problem> {
        let filters = self.filters().map_err(|error| cql_problem(&error))?;
        let wiki = caller.wiki().await?;
        let filters = self.filter.with_author(&wiki, filters).await?;
        let mut found = wiki.found_pages(filters, PAGES).await?;
        let documents = convert_found(&wiki, &mut found).await;
        let bytes = documents.iter().map(|document| document.markdown().len()).sum();
        let best = wiki.aside(bytes, || best(&self.query, &found, &documents, self.limit as usize)).await;
        let mut results: Vec<FoundPassage> =
            best.into_iter().map(|ranked| ranked.shown(&wiki, &found)).collect();
        keep_within(&mut results, self.max_chars as usize);
        let fitting = fitting(&results, ROOM);
        results.truncate(fitting);
        Ok(PassageList { results })
    }

    fn listed(output: &PassageList) -> Vec<Clean> {
        output.results.iter().map(|result| result.page.id.clone()).collect()
    }
}

impl FindPassages {
    /// Any of the words will do: what holds most of them comes first, and how well it answers is decided here.
    fn filters(&self) -> Result<Filters, CqlError> {
        let query = Words::any_of("query", &Question::search_words(&self.query))?;
        let types = match &self.r#type {
            Some(types) => types.0.clone(),
            None => vec![ContentKind::Page, ContentKind::BlogPost],
        };
        Ok(Filters {
            query: Some(query),
            types: types.into_iter().map(|kind| kind.name().to_owned()).collect(),
            ..self.filter.filters()?
        })
    }
}

/// A passage of the page of this number.
struct Ranked<'a> {
    page: usize,
    passage: Passage<'a>,
    score: f32,
}

/// The best passages of all pages, best first.
fn best<'a>(query: &str, found: &FoundPages, documents: &'a [Document], limit: usize) -> Vec<Ranked<'a>> {
    let passages: Vec<(usize, Passage<'a>)> = documents
        .iter()
        .enumerate()
        .flat_map(|(page, document)| document.passages().into_iter().map(move |passage| (page, passage)))
        .collect();
    let languages: Vec<Language> =
        documents.iter().map(|document| Language::of(document.markdown())).collect();
    let texts: Vec<Text<'_>> = passages
        .iter()
        .map(|(page, passage)| Text {
            body: &passage.text,
            headings: &passage.headings,
            title: &found.pages[*page].hit.title,
            language: languages[*page],
        })
        .collect();
    let scores = scores(&Question::of(query), &texts);
    let candidates: Vec<Candidate<'_>> = passages
        .iter()
        .zip(&scores)
        .map(|((page, passage), score)| Candidate { body: &passage.text, page: *page, score: *score })
        .collect();
    let ranked = |at: usize| {
        let (page, passage) = &passages[at];
        Ranked { page: *page, passage: passage.clone(), score: scores[at] }
    };
    choose(&candidates, limit).into_iter().map(ranked).collect()
}

impl Ranked<'_> {
    fn shown(self, wiki: &Wiki, found: &FoundPages) -> FoundPassage {
        let hit = &found.pages[self.page].hit;
        let page = PassagePage {
            id: hit.id.clone(),
            title: clip(&hit.title, 255),
            space: hit.space_key.as_ref().map(|key| Space { key: key.into(), name: hit.space_name.clone() }),
            url: wiki.url(&hit.web_path),
            status: status(&hit.status),
            version: hit.version,
            last_modified: hit.last_modified.map(time),
            last_modified_by: hit.last_modified_by.as_ref().map(Person::from),
        };
        FoundPassage {
            text: self.passage.text.into(),
            headings: self
                .passage
                .headings
                .iter()
                .map(|heading| clip(&Clean::from(*heading), MAX_HEADING))
                .collect(),
            page,
            score: (f64::from(self.score) * 100.0).round() / 100.0,
        }
    }
}

/// Leaves out what does not fit `room` characters; the best passage is cut instead.
fn keep_within(results: &mut Vec<FoundPassage>, mut room: usize) {
    if let Some(best) = results.first_mut() {
        best.text = clip(&best.text, room - 1);
    }
    results.retain(|result| {
        let length = result.text.chars().count();
        let fits = length <= room;
        room -= if fits { length } else { 0 };
        fits
    });
}
