//! Search within the policy.

use super::{Titled, Wiki};
use crate::action::clip;
use crate::clean::Clean;
use crate::confluence::cql::{self, Author, CqlError, Field, Filters, Words};
use crate::confluence::{AccountId, Error, Found, Hit, Person, Rows, SpaceKey};
use crate::problem::{Candidate, Kind, Problem};

/// The longest reason of Confluence's that is passed on, in characters.
const MAX_REASON: usize = 300;
/// How many results of a search for a title are looked at.
const SAME_TITLE: u32 = 50;

/// One page of search results, within the policy.
pub struct Results {
    pub hits: Vec<Hit>,
    pub total: Option<u64>,
    /// The caller's part of the CQL, as executed.
    pub cql: Clean,
    pub next_cursor: Option<Clean>,
    /// What was searched for.
    pub breadth: Breadth,
}

/// What a search was for: what was asked, or something wider, since nothing was found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Breadth {
    AsAsked,
    Wider,
}

/// Where a search begins or goes on.
#[derive(Default)]
struct Start {
    field: Field,
    wider: bool,
    cursor: Option<String>,
}

impl Results {
    pub fn are_empty(&self) -> bool {
        self.hits.is_empty() && self.next_cursor.is_none()
    }
}

impl Wiki {
    /// Content that `filters` find, within the policy: joined to the CQL, and checked on each result.
    pub async fn search(
        &self,
        filters: Filters,
        limit: u32,
        cursor: Option<&str>,
    ) -> Result<Results, Problem> {
        let start = self.resume_search(cursor)?;
        Ok(self.results(filters, Rows::WithExcerpts, limit, start).await?.0)
    }

    /// The same; where nothing at all is found, what the filters find that `loosen` makes of them, if it can.
    pub async fn search_or(
        &self,
        filters: &Filters,
        loosen: impl Fn(&Filters) -> Option<Filters>,
        limit: u32,
        cursor: Option<&str>,
    ) -> Result<Results, Problem> {
        let start = self.resume_search(cursor)?;
        let begins = start.cursor.is_none();
        let asked = start.wider.then(|| loosen(filters)).flatten().unwrap_or_else(|| filters.clone());
        let (found, field) = self.results(asked, Rows::WithExcerpts, limit, start).await?;
        if !begins || !found.are_empty() {
            return Ok(found);
        }
        let Some(wider) = loosen(filters) else { return Ok(found) };
        let start = Start { field, wider: true, cursor: None };
        // That nothing was found is an answer already; what goes wrong beyond it is not worth failing for.
        match self.results(wider, Rows::WithExcerpts, limit, start).await {
            Ok((more, _)) if !more.are_empty() => Ok(more),
            _ => Ok(found),
        }
    }

    /// Content with its body, best first, without a cursor.
    pub(super) async fn search_bodies(&self, filters: Filters, limit: u32) -> Result<Vec<Hit>, Problem> {
        Ok(self.results(filters, Rows::WithBodies, limit, Start::default()).await?.0.hits)
    }

    /// One page of results, and the field that was searched in the end.
    async fn results(
        &self,
        mut filters: Filters,
        rows: Rows,
        limit: u32,
        start: Start,
    ) -> Result<(Results, Field), Problem> {
        for key in &mut filters.spaces {
            *key = self.allowed_key(key)?;
        }
        let Start { mut field, wider, cursor } = start;
        let breadth = if wider { Breadth::Wider } else { Breadth::AsAsked };
        let mut built = self.cql(&filters, field)?;
        if self.sees_nothing() {
            let nothing = Results {
                hits: Vec::new(),
                total: Some(0),
                cql: built.caller.into(),
                next_cursor: None,
                breadth,
            };
            return Ok((nothing, field));
        }
        let mut found = self.connection.search(&built.full, rows, limit, cursor.as_deref()).await;
        if matches!(found, Err(Error::BadRequest(_))) && filters.query.is_some() && field == Field::SiteSearch
        {
            field = Field::Text;
            built = self.cql(&filters, field)?;
            found = self.connection.search(&built.full, rows, limit, cursor.as_deref()).await;
        }
        // Bodies that are too many to read at once are not there; the rows still are.
        if matches!(found, Err(Error::TooLarge)) && rows == Rows::WithBodies {
            found = self.connection.search(&built.full, Rows::WithExcerpts, limit, cursor.as_deref()).await;
        }
        let found = found.map_err(|error| search_problem(error, &built))?;
        let mark = mark(field, breadth);
        let next = found.cursor.as_deref();
        let next_cursor = next.map(|next| self.seal_cursor(&format!("{mark}{next}"))).transpose()?;
        let (hits, total) = self.within_policy(found, &filters);
        Ok((Results { hits, total, cql: built.caller.into(), next_cursor, breadth }, field))
    }

    /// Pages and blog posts of exactly this title, by search.
    pub(super) async fn search_title(
        &self,
        title: &str,
        space: Option<&SpaceKey>,
    ) -> Result<Vec<Titled>, Problem> {
        // A title without a searchable word is no title that a search finds.
        let Ok(words) = Words::parse("title", title) else { return Ok(Vec::new()) };
        let spaces = space.map(ToString::to_string).into_iter().collect();
        let filters = Filters { title: Some(words), spaces, ..Filters::default() };
        let found = self.search(filters, SAME_TITLE, None).await?;
        let title = Clean::from(title).trim().to_lowercase();
        let same = |hit: &Hit| hit.title.trim().to_lowercase() == title;
        let titled = found.hits.into_iter().filter(same).filter_map(|hit| {
            Some(Titled {
                id: hit.content_id()?,
                title: hit.title,
                web_path: hit.web_path,
                space: hit.space_key,
            })
        });
        Ok(titled.collect())
    }

    /// Who is meant by `me`, an account id or a name. A name costs one call; several people of one name are the caller's to choose from.
    pub async fn author(&self, text: &str) -> Result<Author, Problem> {
        if text.eq_ignore_ascii_case("me") {
            return Ok(Author::Me);
        }
        if let Some(id) = account_id(text) {
            return Ok(Author::AccountId(id));
        }
        let words = Words::parse("author", text).map_err(|error| cql_problem(&error))?;
        let people = self.connection.people_named(&words).await?;
        let name = Clean::from(text).trim().to_lowercase();
        let mut meant: Vec<&Person> =
            people.iter().filter(|person| person.name().to_lowercase() == name).collect();
        if meant.is_empty() {
            meant = people.iter().collect();
        }
        match meant.as_slice() {
            [person] => Ok(Author::AccountId(person.account_id.to_string())),
            [] => Err(Problem::invalid(
                "author",
                "nobody of this name is known",
                "me, an account id, or a name as Confluence shows it",
            )),
            several => Err(ambiguous_author(several)),
        }
    }

    /// Whether there is an allow-list and the person sees none of its spaces.
    fn sees_nothing(&self) -> bool {
        self.allowed.as_ref().is_some_and(|spaces| spaces.is_empty())
    }

    fn cql(&self, filters: &Filters, field: Field) -> Result<cql::Built, Problem> {
        let keys: Option<Vec<String>> =
            self.allowed.as_ref().map(|spaces| spaces.iter().map(|space| space.key.to_string()).collect());
        let keys = keys.filter(|keys| !keys.is_empty());
        cql::build(filters, field, keys.as_deref()).map_err(|error| cql_problem(&error))
    }

    /// Drops what is outside the policy, and what was not asked for. Where something had to be dropped, a total would count it,
    /// so there is none.
    fn within_policy(&self, found: Found, filters: &Filters) -> (Vec<Hit>, Option<u64>) {
        let before = found.hits.len();
        let asked = |hit: &Hit| self.permits_hit(hit) && self.is_asked_for(hit, filters);
        let hits: Vec<Hit> = found.hits.into_iter().filter(asked).collect();
        let total = if hits.len() == before { found.total } else { None };
        (hits, total)
    }

    /// Decided on the space id alone; what has none is outside.
    fn permits_hit(&self, hit: &Hit) -> bool {
        let Some(allowed) = &self.allowed else { return true };
        hit.space_id.as_ref().is_some_and(|id| allowed.iter().any(|space| space.id == *id))
    }

    /// Whether a hit is of a type and a space that `filters` name. What raw CQL asks for, Confluence alone can tell.
    fn is_asked_for(&self, hit: &Hit, filters: &Filters) -> bool {
        let in_space = |key: &String| match self.allowed_space(key) {
            Some(space) => hit.space_id.as_ref() == Some(&space.id),
            None => self.allowed.is_none() && hit.is_in(key),
        };
        filters.asks_for_type(&hit.r#type)
            && (filters.spaces.is_empty() || filters.spaces.iter().any(in_space))
    }

    fn resume_search(&self, cursor: Option<&str>) -> Result<Start, Problem> {
        let Some(marked) = self.open_cursor(cursor)? else { return Ok(Start::default()) };
        let mut rest = marked.chars();
        let mark = rest.next().unwrap_or_default();
        let field = if mark.eq_ignore_ascii_case(&'t') { Field::Text } else { Field::SiteSearch };
        Ok(Start { field, wider: mark.is_ascii_uppercase(), cursor: Some(rest.as_str().to_owned()) })
    }
}

/// Account ids are 24 or more characters without spaces and hold a digit; names are not.
fn account_id(text: &str) -> Option<String> {
    let id: AccountId = text.parse().ok()?;
    (text.len() >= 20 && text.bytes().any(|byte| byte.is_ascii_digit())).then(|| id.to_string())
}

fn ambiguous_author(people: &[&Person]) -> Problem {
    let candidates = people.iter().take(25).map(|person| Candidate {
        id: (&person.account_id).into(),
        name: person.name().clone(),
        url: None,
        space: None,
    });
    let problem = Problem::new(
        Kind::AmbiguousAuthor,
        "Several people have this name.",
        "Call again with author set to the id of one of the candidates; ask the person which one if that is not clear.",
    );
    Problem { parameter: Some("author".into()), candidates: candidates.collect(), ..problem }
}

/// What stands before a cursor, to go on with the same search.
fn mark(field: Field, breadth: Breadth) -> char {
    match (field, breadth) {
        (Field::SiteSearch, Breadth::AsAsked) => 's',
        (Field::SiteSearch, Breadth::Wider) => 'S',
        (Field::Text, Breadth::AsAsked) => 't',
        (Field::Text, Breadth::Wider) => 'T',
    }
}

/// What in the caller's words makes no CQL, and what to write instead.
pub fn cql_problem(error: &CqlError) -> Problem {
    let kind = if matches!(error, CqlError::Raw { .. }) { Kind::InvalidCql } else { Kind::InvalidParameter };
    let problem = Problem::new(kind, error.to_string(), error.next_step());
    Problem { parameter: error.parameter().map(Clean::from), ..problem }
}

/// Confluence's reason is passed on, since it names what to correct; what it quotes of the policy is not.
fn search_problem(error: Error, built: &cql::Built) -> Problem {
    let Error::BadRequest(reason) = error else { return error.into() };
    let reason = reason.rsplit_once("Exception: ").map_or(&*reason, |(_, reason)| reason);
    let reason = reason.replace(&built.full, "").replace("Could not parse cql :", "");
    let reason = reason.trim_matches([' ', ':', '.']);
    let policy_shows = built.full != built.caller && reason.contains("space");
    let reason = if policy_shows || reason.is_empty() {
        "Confluence cannot read it".into()
    } else {
        clip(&Clean::from(reason), MAX_REASON)
    };
    Problem::new(
        Kind::InvalidCql,
        format!("{reason}. The CQL was: {}", built.caller),
        "Correct the CQL and call again, or use query with plain words instead.",
    )
}
