//! Pages and blog posts with their bodies, as a search finds them.

use std::collections::HashMap;
use std::sync::Arc;

use futures_util::stream::{self, StreamExt as _};

use super::Wiki;
use crate::clean::Clean;
use crate::confluence::cql::Filters;
use crate::confluence::{AccountId, ContentId, Error, Hit};
use crate::markdown::mentioned_people;
use crate::problem::{Kind, Problem};

/// How many bodies are read one by one where they do not come with the search, and how many at the same time.
const MAX_READ: usize = 8;
const AT_ONCE: usize = 4;
/// How many calls an answer costs where the bodies come with the search.
const MAX_CALLS: u64 = 3;
/// How many people have their names looked up: as many as one call takes.
const MAX_PEOPLE: usize = 250;

/// A page or blog post that a search found.
pub struct FoundPage {
    pub id: ContentId,
    pub hit: Hit,
    pub storage: String,
}

/// What a search found, with the names of the people whom it mentions.
#[derive(Default)]
pub struct FoundPages {
    pub pages: Vec<FoundPage>,
    pub people: HashMap<AccountId, Arc<Clean>>,
}

impl Wiki {
    /// Pages and blog posts that `filters` find, best first, with their bodies: in one call where Confluence sends them along.
    pub async fn found_pages(&self, filters: Filters, limit: u32) -> Result<FoundPages, Problem> {
        let hits = self.search_bodies(filters, limit).await?;
        let (came, missing): (Vec<_>, Vec<_>) = hits
            .into_iter()
            .enumerate()
            .filter(|(_, hit)| hit.kind().is_some())
            .partition(|(_, hit)| hit.storage.is_some());
        let read = missing.into_iter().take(MAX_READ).map(async |(at, hit)| (at, self.with_body(hit).await));
        let read: Vec<_> = stream::iter(read).buffered(AT_ONCE).collect().await;
        let mut numbered = came;
        let mut failure = None;
        for (at, hit) in read {
            match hit {
                Ok(hit) => numbered.extend(hit.map(|hit| (at, hit))),
                Err(problem) => failure = Some(problem),
            }
        }
        // Where there is no room for a page now, whoever asks again is told of it too.
        let is_final = failure.as_ref().is_some_and(|problem| problem.kind == Kind::Overloaded);
        if let (true, Some(problem)) = (numbered.is_empty() || is_final, failure) {
            return Err(problem);
        }
        numbered.sort_by_key(|(at, _)| *at);
        let pages: Vec<FoundPage> = numbered.into_iter().filter_map(|(_, hit)| FoundPage::of(hit)).collect();
        let people = self.mentioned(&pages).await;
        Ok(FoundPages { pages, people })
    }

    /// A hit with its body, unless it has gone or has moved out of the policy meanwhile.
    async fn with_body(&self, hit: Hit) -> Result<Option<Hit>, Problem> {
        let (Some(kind), Some(id)) = (hit.kind(), hit.content_id()) else { return Ok(None) };
        match self.connection.content_of_kind(kind, &id).await {
            Ok(mut content) if self.permit(&content.space_id).is_ok() => {
                Ok(Some(Hit { storage: Some(content.take_storage()), ..hit }))
            }
            Ok(_) | Err(Error::NotFound | Error::TooLarge) => Ok(None),
            Err(error) => Err(error.into()),
        }
    }

    /// Names of the people whom pages mention. A first answer has had to learn of sites, and of the spaces that a policy
    /// names; where that leaves no call, it does with the names that are known.
    async fn mentioned(&self, pages: &[FoundPage]) -> HashMap<AccountId, Arc<Clean>> {
        let mentioned = pages.iter().flat_map(|page| mentioned_people(&page.storage));
        let mut people: Vec<AccountId> = Vec::new();
        for id in mentioned.filter_map(|id| id.parse().ok()) {
            if people.len() < MAX_PEOPLE && !people.contains(&id) {
                people.push(id);
            }
        }
        if self.connection.calls() >= MAX_CALLS {
            return self.connection.known_names(people).await;
        }
        self.names(people).await
    }
}

impl FoundPage {
    fn of(mut hit: Hit) -> Option<Self> {
        let storage = hit.storage.take()?;
        Some(Self { id: hit.content_id()?, hit, storage })
    }
}
