//! From storage format to Markdown, with the names of people and what macros draw on.

use std::collections::HashMap;
use std::sync::Arc;

use tokio::sync::{Mutex, MutexGuard};

use crate::action::{Document, FoundPage, FoundPages, Included, Wiki};
use crate::clean::Clean;
use crate::confluence::{AccountId, ContentId, Space, SpaceKey};
use crate::markdown::{
    self, Context, Expansions, Inclusion, from_storage, from_storage_with, included_pages, mentioned_people,
};
use crate::problem::{Kind, Problem};

/// Storage format as Markdown, with the names of the people it mentions.
pub fn convert(
    wiki: &Wiki,
    storage: &str,
    page: &ContentId,
    space: &Space,
    people: &HashMap<AccountId, Arc<Clean>>,
) -> markdown::Document {
    let known = Known::new(wiki, people);
    from_storage(storage, &known.context(page, space))
}

/// Pages that a search found as Markdown, as their bodies stand: what their macros draw on is not in it. The bodies are let
/// go of.
pub async fn convert_found(wiki: &Wiki, found: &mut FoundPages) -> Vec<markdown::Document> {
    let known = Known::new(wiki, &found.people);
    let bytes = found.pages.iter().map(|page| page.storage.len()).sum();
    let convert = |page: &mut FoundPage| {
        let storage = std::mem::take(&mut page.storage);
        let context = Context {
            wiki_url: &known.wiki_url,
            page_id: page.id.as_str(),
            space_key: page.hit.space_key.as_ref().map(SpaceKey::as_str),
            people: &known.people,
        };
        from_storage(&storage, &context)
    };
    wiki.aside(bytes, || found.pages.iter_mut().map(convert).collect()).await
}

/// A page as Markdown, with what else is known of it. All who ask for it at the same moment share it.
pub struct Converted {
    /// Without its body.
    pub page: Document,
    pub markdown: markdown::Document,
    /// The pages that have been read for it.
    read: Vec<ContentId>,
    /// Selections of a large page are as large again: one at a time is made.
    selecting: Mutex<()>,
    /// Holds the room that all of this takes.
    _wiki: Wiki,
}

/// Converted documents below this size, in bytes, are selected from by several at once.
const SMALL: usize = 64 * 1024;

impl Converted {
    /// Whoever selects from it holds this meanwhile.
    pub async fn turn(&self) -> Option<MutexGuard<'_, ()>> {
        if self.markdown.markdown().len() < SMALL { None } else { Some(self.selecting.lock().await) }
    }
}

/// A page or blog post as Markdown, current or at `version`: read and converted once for all who ask for it at this moment.
pub async fn converted(wiki: &Wiki, id: &ContentId, version: Option<u32>) -> Result<Arc<Converted>, Problem> {
    let number = version.map(|number| number.to_string()).unwrap_or_default();
    let work = Box::pin(read_and_convert(wiki.apart(), id.clone(), version));
    let shared = wiki.once(&["page", id.as_str(), &number], work).await;
    let converted = match shared {
        // Who began it may have had less time left.
        Some(Err(problem)) if problem.kind == Kind::TooSlow => {
            Box::pin(read_and_convert(wiki.apart(), id.clone(), version)).await?
        }
        Some(shared) => shared?,
        None => return Err(Problem::internal("shared work of another kind")),
    };
    wiki.have_read(&converted.read);
    Ok(converted)
}

async fn read_and_convert(
    wiki: Wiki,
    id: ContentId,
    version: Option<u32>,
) -> Result<Arc<Converted>, Problem> {
    let mut page = wiki.document(&id, version).await?;
    let storage = page.content.take_storage();
    let (markdown, included) = convert_page(&wiki, &page, storage, version).await;
    let read = included.into_iter().chain([page.content.id.clone()]).collect();
    Ok(Arc::new(Converted { page, markdown, read, selecting: Mutex::default(), _wiki: wiki }))
}

/// A page as Markdown, its macros replaced by what they show where that can be had: included pages by their own text, the
/// others by what Confluence renders. A page without such macros costs no call. The ids are those of the included pages.
async fn convert_page(
    wiki: &Wiki,
    document: &Document,
    storage: String,
    version: Option<u32>,
) -> (markdown::Document, Vec<ContentId>) {
    let page = &document.content.id;
    let mut known = Known::new(wiki, &document.people);
    let references =
        wiki.aside(storage.len(), || included_pages(&storage, &known.context(page, &document.space))).await;
    let included = wiki.included(document, references).await;
    known.learn(wiki, &included).await;
    let ids = included.iter().map(|one| one.content.id.clone()).collect();
    let expansions = |rendered| Expansions {
        rendered,
        included: included.iter().map(|one| (one.reference.clone(), known.inclusion(one))).collect(),
    };
    let context = known.context(page, &document.space);
    let included_bytes: usize = included.iter().map(|page| page.content.storage().len()).sum();
    let bytes = storage.len() + included_bytes;
    let converted = wiki.aside(bytes, || from_storage_with(&storage, &expansions(None), &context)).await;
    if !converted.wants_rendering() {
        return (converted, ids);
    }
    match wiki.rendered(document, version).await {
        Some(rendered) => {
            drop(converted);
            let convert = || from_storage_with(&storage, &expansions(Some(&rendered)), &context);
            (wiki.aside(bytes + rendered.len(), convert).await, ids)
        }
        None => (converted, ids),
    }
}

/// What is known of a wiki and its people.
struct Known {
    wiki_url: String,
    people: HashMap<String, String>,
}

impl Known {
    fn new(wiki: &Wiki, people: &HashMap<AccountId, Arc<Clean>>) -> Self {
        let people = people.iter().map(|(id, name)| (id.to_string(), name.to_string())).collect();
        Self { wiki_url: wiki.url("").trim_end_matches('/').to_owned(), people }
    }

    /// The people whom included pages mention.
    async fn learn(&mut self, wiki: &Wiki, included: &[Included]) {
        let ids = included.iter().flat_map(|page| mentioned_people(page.content.storage()));
        let ids: Vec<AccountId> = ids.filter_map(|id| id.parse().ok()).collect();
        let names = wiki.people(ids).await;
        self.people.extend(names.iter().map(|(id, name)| (id.to_string(), name.to_string())));
    }

    fn context<'a>(&'a self, page: &'a ContentId, space: &'a Space) -> Context<'a> {
        Context {
            wiki_url: &self.wiki_url,
            page_id: page.as_str(),
            space_key: Some(space.key.as_str()),
            people: &self.people,
        }
    }

    fn inclusion<'a>(&'a self, page: &'a Included) -> Inclusion<'a> {
        Inclusion { context: self.context(&page.content.id, &page.space), storage: page.content.storage() }
    }
}
