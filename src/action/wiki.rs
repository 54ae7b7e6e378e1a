//! One person's Confluence behind one GPT's policy: everything that actions read comes through here, checked.
//!
//! The policy is decided on pairs of cloud id and space id. What lies outside is missing, not forbidden: both look the same.

mod around;
mod bodies;
mod cursor;
mod drawn;
mod files;
mod raw;
mod search;

use std::collections::HashMap;
use std::sync::Arc;

use super::caller::foreign_space;
use crate::atlassian::Site;
use crate::clean::{Clean, safe_address};
use crate::config::Gpt;
use crate::confluence::{
    AccountId, Connection, Content, ContentId, ContentKind, Error, Person, Space, SpaceId, SpaceKey,
    SpaceType,
};
use crate::extract::Extractor;
use crate::markdown::mentioned_people;
use crate::problem::Problem;
use crate::seal::Sealer;

pub use around::Located;
pub use bodies::{FoundPage, FoundPages};
pub use drawn::Included;
pub use files::{AttachmentRef, Filed};
pub use raw::Raw;
pub use search::{Breadth, Results, cql_problem};

/// A site, a person and a policy.
#[derive(Clone)]
pub struct Wiki {
    connection: Connection,
    site: Site,
    /// The spaces this GPT may read and this person sees; absent: no policy.
    allowed: Option<Arc<[Arc<Space>]>>,
    list: String,
    /// The client id of the GPT.
    gpt: String,
    sealer: Sealer,
    extractor: Extractor,
    now: i64,
}

/// A page or blog post with what its ids mean.
pub struct Document {
    pub kind: ContentKind,
    pub content: Content,
    pub space: Arc<Space>,
    /// Names of everyone the page mentions, and of who changed it last.
    pub people: HashMap<AccountId, Arc<Clean>>,
}

/// A page or blog post that a title names.
pub struct Titled {
    pub id: ContentId,
    pub title: Clean,
    /// The path below `/wiki`, beginning with a slash.
    pub web_path: Clean,
    pub space: Option<SpaceKey>,
}

impl Wiki {
    pub(super) async fn open(
        connection: Connection,
        site: Site,
        gpt: &Gpt,
        list: String,
        sealer: Sealer,
        extractor: Extractor,
        now: i64,
    ) -> Result<Self, Problem> {
        let allowed = match gpt.spaces.as_slice() {
            [] => None,
            listed => {
                let keys: Vec<SpaceKey> = listed.iter().filter_map(|key| key.parse().ok()).collect();
                let spaces = connection.spaces_by_key(&keys).await?;
                // The list is of keys: an alias, which whoever runs a space may choose, puts no space on it.
                let is_listed = |space: &&Arc<Space>| keys.iter().any(|key| space.has_key(key));
                Some(spaces.iter().filter(is_listed).cloned().collect())
            }
        };
        let gpt = gpt.client_id.clone();
        Ok(Self { connection, site, allowed, list, gpt, sealer, extractor, now })
    }

    pub fn site(&self) -> &Site {
        &self.site
    }

    /// A path below `/wiki` as a URL that opens in a browser.
    pub fn url(&self, web_path: &str) -> Clean {
        format!("{}/wiki/{}", self.site.url, safe_address(web_path.trim_start_matches('/'))).into()
    }

    /// The same for a piece of work that has an end of its own: what it holds of large answers is given back with the last
    /// clone of it.
    #[must_use]
    pub fn apart(&self) -> Self {
        Self { connection: self.connection.apart(), ..self.clone() }
    }

    /// Does work on so many bytes that takes its time.
    pub async fn aside<T>(&self, bytes: usize, work: impl FnOnce() -> T) -> T {
        self.connection.aside(bytes, work).await
    }

    /// Does once what several requests of this person, by this GPT, ask for at the same moment.
    pub async fn once<T: Clone + Send + Sync + 'static>(
        &self,
        what: &[&str],
        work: impl Future<Output = T> + Send + 'static,
    ) -> Option<T> {
        let what: Vec<&str> = [self.gpt.as_str()].into_iter().chain(what.iter().copied()).collect();
        self.connection.once(&what, work).await
    }

    /// Counts pages among those that this answer has read, where another request read them for both.
    pub fn have_read(&self, pages: &[ContentId]) {
        for page in pages {
            self.connection.has_read(page.as_str());
        }
    }

    /// A page or blog post with its body, current or at `version`.
    pub async fn document(&self, id: &ContentId, version: Option<u32>) -> Result<Document, Problem> {
        let (kind, content) = match self.connection.content(id, version).await {
            Ok(found) => found,
            // Too large, say: where it is decides first whether that may be told. A failure may be of this very body.
            Err(error)
                if self.allowed.is_some()
                    && (tells_of_content(&error) || matches!(error, Error::Unavailable(_))) =>
            {
                Box::pin(self.located(id)).await?;
                return Err(error.into());
            }
            Err(error) => return Err(error.into()),
        };
        self.permit(&content.space_id)?;
        readable(&content.status)?;
        self.connection.has_read(content.id.as_str());
        let storage = content.storage();
        let mentioned = self.aside(storage.len(), || mentioned_people(storage)).await;
        let mentioned = mentioned.into_iter().filter_map(|id| id.parse().ok());
        let ids: Vec<AccountId> = mentioned.chain(content.version.author_id.clone()).collect();
        let (space, people) =
            tokio::try_join!(self.space_of(&content.space_id), async { Ok(self.names(ids).await) })?;
        Ok(Document { kind, content, space, people })
    }

    /// Current pages and blog posts of exactly this title, in any case, that the policy lets through.
    pub async fn titled(&self, title: &str, space: Option<&Space>) -> Result<Vec<Titled>, Problem> {
        // Those outside, however many, crowd out none inside.
        let spaces: Vec<SpaceId> = match (space, &self.allowed) {
            (Some(space), _) => vec![space.id.clone()],
            (None, Some(allowed)) if allowed.is_empty() => return Ok(Vec::new()),
            (None, allowed) => {
                allowed.iter().flat_map(|spaces| spaces.iter()).map(|space| space.id.clone()).collect()
            }
        };
        let mut titled = Vec::new();
        for content in self.connection.pages_titled(title, &spaces).await? {
            if self.permit(&content.space_id).is_ok() {
                let space = Some(self.space_of(&content.space_id).await?.key.clone());
                let web_path = content.web_path();
                titled.push(Titled { id: content.id, title: content.title, web_path, space });
            }
        }
        // Blog posts, and titles that differ in case where Confluence minds it, are found by search alone.
        if titled.is_empty() {
            self.search_title(title, space.map(|space| &space.key)).await
        } else {
            Ok(titled)
        }
    }

    /// The space that the key in a URL leads to. The key may be an alias: the policy is asked about the id behind it, and
    /// what lies outside is missing.
    pub async fn space_at(&self, key: &SpaceKey) -> Result<Arc<Space>, Problem> {
        if let Some(space) = self.allowed_space(key.as_str()) {
            return Ok(space.clone());
        }
        let spaces = self.connection.spaces_by_key(std::slice::from_ref(key)).await?;
        let space = spaces.first().ok_or_else(Problem::not_found)?;
        self.permit(&space.id)?;
        Ok(space.clone())
    }

    /// Spaces the person sees and the GPT may read. Those of an allow-list are known; their cursor counts them.
    pub async fn spaces(
        &self,
        r#type: Option<SpaceType>,
        limit: u32,
        cursor: Option<&str>,
    ) -> Result<(Vec<Arc<Space>>, Option<Clean>), Problem> {
        let cursor = self.open_cursor(cursor)?;
        if let Some(allowed) = &self.allowed {
            let wanted = |space: &&Arc<Space>| r#type.is_none_or(|r#type| *space.r#type == *r#type.name());
            let from = cursor.and_then(|count| count.parse().ok()).unwrap_or(0);
            let to = from + limit as usize;
            let wanted: Vec<_> = allowed.iter().filter(wanted).cloned().collect();
            let next = (to < wanted.len()).then(|| self.seal_cursor(&to.to_string())).transpose()?;
            return Ok((wanted.into_iter().skip(from).take(limit as usize).collect(), next));
        }
        let page = self.connection.spaces(r#type, limit, cursor.as_deref()).await?;
        let next = page.cursor.as_deref().map(|next| self.seal_cursor(next)).transpose()?;
        Ok((page.spaces, next))
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
    async fn names(&self, ids: Vec<AccountId>) -> HashMap<AccountId, Arc<Clean>> {
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
        if let Some(space) = self.allowed_space(key.as_str()) {
            return Ok(Some(space.clone()));
        }
        let spaces = self.connection.spaces_by_key(std::slice::from_ref(&key)).await?;
        Ok(spaces.first().cloned())
    }

    /// The space of this key among those of the allow-list that the person sees.
    fn allowed_space(&self, key: &str) -> Option<&Arc<Space>> {
        let mut allowed = self.allowed.iter().flat_map(|spaces| spaces.iter());
        allowed.find(|space| space.key.as_str().eq_ignore_ascii_case(key))
    }

    /// A space the caller named, as Confluence writes it; one that this GPT may not read for this person is refused.
    fn allowed_key(&self, key: &str) -> Result<String, Problem> {
        if self.allowed.is_none() {
            return Ok(key.to_owned());
        }
        self.allowed_space(key).map(|space| space.key.to_string()).ok_or_else(foreign_space)
    }

    /// What is said when something cannot be read whose place is not known yet: with an allow-list, nothing that would tell
    /// that it exists.
    fn unplaced(&self, error: Error) -> Problem {
        if self.allowed.is_some() && tells_of_content(&error) { Problem::not_found() } else { error.into() }
    }
}

/// Whether an error says something of the very content that was asked for, rather than of the person or the moment.
fn tells_of_content(error: &Error) -> bool {
    matches!(
        error,
        Error::NoProduct
            | Error::Blocked
            | Error::BadRequest(_)
            | Error::Refused { .. }
            | Error::TooLarge
            | Error::NoRoom
            | Error::FileTooLarge
            | Error::Unreadable(_)
    )
}

/// A reading of an old version is a reading; a draft or a page in the trash is not.
fn readable(status: &str) -> Result<(), Problem> {
    if matches!(status, "current" | "archived" | "historical" | "") {
        Ok(())
    } else {
        Err(Problem::not_found())
    }
}
