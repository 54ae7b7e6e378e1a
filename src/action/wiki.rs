//! One person's Confluence behind one GPT's policy: everything that actions read comes through here, checked.
//!
//! The policy is decided on pairs of cloud id and space id. What lies outside is missing, not forbidden: both look the same.

use std::collections::HashMap;
use std::sync::Arc;

use crate::atlassian::Site;
use crate::config::Gpt;
use crate::confluence::cql::{self, Author, CqlError, Field, Filters};
use crate::confluence::{
    AccountId, Connection, Content, ContentId, ContentKind, Error, Found, Hit, Person, Space, SpaceId,
    SpaceKey, SpaceType,
};
use crate::markdown::mentioned_people;
use crate::problem::{Candidate, Kind, Problem};
use crate::seal::Sealer;
use crate::seal::payloads::Cursor;

/// How long a cursor is good for, in seconds.
const CURSOR_LIFETIME: i64 = 24 * 3600;

/// A site, a person and a policy.
pub struct Wiki {
    connection: Connection,
    site: Site,
    /// The spaces this GPT may read and this person sees; absent: no policy.
    allowed: Option<Arc<[Arc<Space>]>>,
    /// The allow-list as configured, to refuse a named space without a call.
    allowed_keys: Vec<SpaceKey>,
    list: String,
    sealer: Sealer,
    now: i64,
}

/// A page or blog post with what its ids mean.
pub struct Document {
    pub kind: ContentKind,
    pub content: Content,
    pub space: Arc<Space>,
    /// Names of everyone the page mentions, and of who changed it last.
    pub people: HashMap<AccountId, Arc<str>>,
}

/// A page of a list of titles.
pub struct Listed {
    pub content: Content,
    pub space: Arc<Space>,
}

/// One page of search results, within the policy.
pub struct Results {
    pub hits: Vec<Hit>,
    pub total: Option<u64>,
    /// The caller's part of the CQL, as executed.
    pub cql: String,
    pub next_cursor: Option<String>,
}

impl Wiki {
    pub(super) async fn open(
        connection: Connection,
        site: Site,
        gpt: &Gpt,
        list: String,
        sealer: Sealer,
        now: i64,
    ) -> Result<Self, Problem> {
        let allowed_keys: Vec<SpaceKey> = gpt.spaces.iter().filter_map(|key| key.parse().ok()).collect();
        let allowed =
            if allowed_keys.is_empty() { None } else { Some(connection.spaces_by_key(&allowed_keys).await?) };
        Ok(Self { connection, site, allowed, allowed_keys, list, sealer, now })
    }

    pub fn site(&self) -> &Site {
        &self.site
    }

    /// A path below `/wiki` as a URL that opens in a browser.
    pub fn url(&self, web_path: &str) -> String {
        format!("{}/wiki/{}", self.site.url, web_path.trim_start_matches('/'))
    }

    /// A page or blog post with its body, current or at `version`.
    pub async fn document(&self, id: &ContentId, version: Option<u32>) -> Result<Document, Problem> {
        let (kind, content) = self.connection.content(id, version).await?;
        self.permit(&content.space_id)?;
        // A reading of an old version is a reading; a draft or a page in the trash is not.
        if !matches!(content.status.as_str(), "current" | "archived" | "historical" | "") {
            return Err(Problem::not_found());
        }
        let mentioned = mentioned_people(content.storage()).into_iter().filter_map(|id| id.parse().ok());
        let ids: Vec<AccountId> = mentioned.chain(content.version.author_id.clone()).collect();
        let (space, people) =
            tokio::try_join!(self.space_of(&content.space_id), async { Ok(self.names(ids).await) })?;
        Ok(Document { kind, content, space, people })
    }

    /// Current pages of exactly this title, in any case, that the policy lets through.
    pub async fn titled(&self, title: &str, space: Option<&SpaceKey>) -> Result<Vec<Listed>, Problem> {
        let space_id = match space {
            Some(key) => match self.space_named(key).await? {
                Some(space) => Some(space.id.clone()),
                None => return Ok(Vec::new()),
            },
            None => None,
        };
        let pages = self.connection.pages_titled(title, space_id.as_ref()).await?;
        let mut listed = Vec::new();
        for content in pages {
            if self.permit(&content.space_id).is_ok() {
                listed.push(Listed { space: self.space_of(&content.space_id).await?, content });
            }
        }
        Ok(listed)
    }

    /// The page that a space begins with.
    pub async fn home_of(&self, key: &SpaceKey) -> Result<ContentId, Problem> {
        let space = self.space_named(key).await?.ok_or_else(Problem::not_found)?;
        space.homepage_id.clone().ok_or_else(Problem::not_found)
    }

    /// Who is meant by `me`, an account id or a name. A name costs one call; several people of one name are the caller's to choose from.
    pub async fn author(&self, text: &str) -> Result<Author, Problem> {
        if text.eq_ignore_ascii_case("me") {
            return Ok(Author::Me);
        }
        if let Some(id) = account_id(text) {
            return Ok(Author::AccountId(id));
        }
        let people = self.connection.people_named(text).await?;
        let mut meant: Vec<&Person> = people
            .iter()
            .filter(|person| person.name().to_lowercase() == text.trim().to_lowercase())
            .collect();
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

    /// Content that `filters` find, within the policy: joined to the CQL, and checked on each result.
    pub async fn search(
        &self,
        mut filters: Filters,
        limit: u32,
        cursor: Option<&str>,
    ) -> Result<Results, Problem> {
        for key in &mut filters.spaces {
            *key = self.allowed_key(key)?;
        }
        let (mut field, cursor) = self.resume_search(cursor)?;
        let mut built = self.cql(&filters, field)?;
        if self.sees_nothing() {
            return Ok(Results { hits: Vec::new(), total: Some(0), cql: built.caller, next_cursor: None });
        }
        let mut found = self.connection.search(&built.full, limit, cursor.as_deref()).await;
        if matches!(found, Err(Error::BadRequest(_))) && filters.query.is_some() && field == Field::SiteSearch
        {
            field = Field::Text;
            built = self.cql(&filters, field)?;
            found = self.connection.search(&built.full, limit, cursor.as_deref()).await;
        }
        let found = found.map_err(|error| search_problem(error, &built))?;
        let next_cursor =
            found.cursor.as_deref().map(|next| self.seal_cursor(&format!("{}{next}", mark(field))));
        Ok(self.within_policy(found, built.caller, next_cursor))
    }

    /// Spaces the person sees and the GPT may read. With an allow-list, they come in one page.
    pub async fn spaces(
        &self,
        r#type: Option<SpaceType>,
        limit: u32,
        cursor: Option<&str>,
    ) -> Result<(Vec<Arc<Space>>, Option<String>), Problem> {
        let cursor = self.open_cursor(cursor)?;
        if let Some(allowed) = &self.allowed {
            let wanted = |space: &&Arc<Space>| r#type.is_none_or(|r#type| space.r#type == r#type.name());
            return Ok((allowed.iter().filter(wanted).cloned().collect(), None));
        }
        let page = self.connection.spaces(r#type, limit, cursor.as_deref()).await?;
        Ok((page.spaces, page.cursor.as_deref().map(|next| self.seal_cursor(next))))
    }

    /// The spaces of the allow-list that this person sees; absent: no allow-list.
    pub fn allowed_spaces(&self) -> Option<&[Arc<Space>]> {
        self.allowed.as_deref()
    }

    /// The person whose sign-in this is.
    pub async fn current_person(&self) -> Result<Person, Problem> {
        Ok(self.connection.current_person().await?)
    }

    /// Names for account ids. Names are a kindness: an answer without them is still an answer.
    async fn names(&self, ids: Vec<AccountId>) -> HashMap<AccountId, Arc<str>> {
        self.connection.names(ids).await.unwrap_or_else(|error| {
            tracing::info!(%error, "names could not be looked up");
            HashMap::new()
        })
    }

    fn permit(&self, id: &SpaceId) -> Result<(), Problem> {
        match &self.allowed {
            Some(spaces) if !spaces.iter().any(|space| space.id == *id) => Err(Problem::not_found()),
            _ => Ok(()),
        }
    }

    async fn space_of(&self, id: &SpaceId) -> Result<Arc<Space>, Problem> {
        let allowed = self.allowed.iter().flat_map(|spaces| spaces.iter());
        match allowed.into_iter().find(|space| space.id == *id) {
            Some(space) => Ok(space.clone()),
            None => Ok(self.connection.space(id).await?),
        }
    }

    async fn space_named(&self, key: &SpaceKey) -> Result<Option<Arc<Space>>, Problem> {
        let key: SpaceKey = self.allowed_key(key.as_str())?.parse().map_err(|_| Problem::not_found())?;
        let spaces = match &self.allowed {
            Some(spaces) => spaces.clone(),
            None => self.connection.spaces_by_key(std::slice::from_ref(&key)).await?,
        };
        Ok(spaces.iter().find(|space| space.key.as_str().eq_ignore_ascii_case(key.as_str())).cloned())
    }

    /// A space the caller named, as configured; one that this GPT may not read is refused without a call.
    fn allowed_key(&self, key: &str) -> Result<String, Problem> {
        if self.allowed_keys.is_empty() {
            return Ok(key.to_owned());
        }
        let known = self.allowed_keys.iter().find(|allowed| allowed.as_str().eq_ignore_ascii_case(key));
        known.map(ToString::to_string).ok_or_else(|| {
            let problem = Problem::new(
                Kind::NotAllowed,
                "This GPT may not read that space.",
                "Leave space out, or use one that listSpaces returns.",
            );
            Problem { parameter: Some("space".to_owned()), ..problem }
        })
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

    /// Drops what is outside the policy. Where something had to be dropped, a total would count it, so there is none.
    fn within_policy(&self, found: Found, cql: String, next_cursor: Option<String>) -> Results {
        let before = found.hits.len();
        let hits: Vec<Hit> = found.hits.into_iter().filter(|hit| self.permits_hit(hit)).collect();
        let total = if hits.len() == before { found.total } else { None };
        Results { hits, total, cql, next_cursor }
    }

    fn permits_hit(&self, hit: &Hit) -> bool {
        let Some(allowed) = &self.allowed else { return true };
        match (&hit.space_id, &hit.space_key) {
            (Some(id), _) => allowed.iter().any(|space| space.id == *id),
            (None, Some(key)) => allowed.iter().any(|space| space.key == *key),
            (None, None) => false,
        }
    }

    fn resume_search(&self, cursor: Option<&str>) -> Result<(Field, Option<String>), Problem> {
        let Some(marked) = self.open_cursor(cursor)? else { return Ok((Field::SiteSearch, None)) };
        let field = if marked.starts_with(mark(Field::Text)) { Field::Text } else { Field::SiteSearch };
        Ok((field, Some(marked[1..].to_owned())))
    }

    fn seal_cursor(&self, next: &str) -> String {
        let list = self.list_fingerprint();
        self.sealer.seal(&Cursor { list, next: next.to_owned(), expires_at: self.now + CURSOR_LIFETIME })
    }

    fn open_cursor(&self, cursor: Option<&str>) -> Result<Option<String>, Problem> {
        let Some(sealed) = cursor else { return Ok(None) };
        let opened: Cursor = self
            .sealer
            .open(sealed)
            .map_err(|_| invalid_cursor("it is not a cursor of this gateway, or too old"))?;
        if opened.list != self.list_fingerprint() {
            return Err(invalid_cursor("it belongs to a call with other parameters"));
        }
        Ok(Some(opened.next))
    }

    fn list_fingerprint(&self) -> String {
        use base64::Engine as _;
        base64::engine::general_purpose::URL_SAFE_NO_PAD.encode(&crate::seal::fingerprint(&self.list)[..16])
    }
}

/// Account ids are 24 or more characters without spaces and hold a digit; names are not.
fn account_id(text: &str) -> Option<String> {
    let id: AccountId = text.parse().ok()?;
    (text.len() >= 20 && text.bytes().any(|byte| byte.is_ascii_digit())).then(|| id.to_string())
}

fn ambiguous_author(people: &[&Person]) -> Problem {
    let candidates = people.iter().take(25).map(|person| Candidate {
        id: person.account_id.to_string(),
        name: person.name().to_owned(),
        url: None,
        space: None,
    });
    let problem = Problem::new(
        Kind::AmbiguousAuthor,
        "Several people have this name.",
        "Call again with author set to the id of one of the candidates; ask the person which one if that is not clear.",
    );
    Problem { parameter: Some("author".to_owned()), candidates: candidates.collect(), ..problem }
}

fn mark(field: Field) -> char {
    match field {
        Field::SiteSearch => 's',
        Field::Text => 't',
    }
}

fn invalid_cursor(found: &str) -> Problem {
    Problem::invalid(
        "cursor",
        found,
        "the nextCursor of the answer before, with all other parameters unchanged",
    )
}

/// What in the caller's words makes no CQL, and what to write instead.
pub fn cql_problem(error: &CqlError) -> Problem {
    let kind = if matches!(error, CqlError::Raw { .. }) { Kind::InvalidCql } else { Kind::InvalidParameter };
    let problem = Problem::new(kind, error.to_string(), error.next_step());
    Problem { parameter: error.parameter().map(str::to_owned), ..problem }
}

/// Confluence's reason is passed on, since it names what to correct; what it quotes of the policy is not.
fn search_problem(error: Error, built: &cql::Built) -> Problem {
    let Error::BadRequest(reason) = error else { return error.into() };
    let reason = reason.replace(&built.full, &built.caller);
    let policy_shows = built.full != built.caller && reason.contains("space");
    let reason = if policy_shows { "Confluence cannot read it" } else { reason.trim_end_matches('.') };
    Problem::new(
        Kind::InvalidCql,
        format!("{reason}. The CQL was: {}", built.caller),
        "Correct the CQL and call again, or use query with plain words instead.",
    )
}
