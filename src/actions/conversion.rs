//! From storage format to Markdown, with the names of people and what macros draw on.

use std::collections::HashMap;
use std::sync::Arc;

use crate::action::{Document, FoundPage, FoundPages, Included, Wiki};
use crate::aside::aside;
use crate::clean::Clean;
use crate::confluence::{AccountId, ContentId, Space, SpaceKey};
use crate::markdown::{
    self, Context, Expansions, Inclusion, from_storage, from_storage_with, included_pages, mentioned_people,
};

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

/// Pages that a search found as Markdown, as their bodies stand: what their macros draw on is not in it.
pub async fn convert_found(wiki: &Wiki, found: &FoundPages) -> Vec<markdown::Document> {
    let known = Known::new(wiki, &found.people);
    let convert = |page: &FoundPage| {
        let context = Context {
            wiki_url: &known.wiki_url,
            page_id: page.id.as_str(),
            space_key: page.hit.space_key.as_ref().map(SpaceKey::as_str),
            people: &known.people,
        };
        from_storage(&page.storage, &context)
    };
    let bytes = found.pages.iter().map(|page| page.storage.len()).sum();
    aside(bytes, || found.pages.iter().map(convert).collect()).await
}

/// A page as Markdown, its macros replaced by what they show where that can be had: included pages by their own text, the
/// others by what Confluence renders. A page without such macros costs no call.
pub async fn convert_page(wiki: &Wiki, document: &Document, version: Option<u32>) -> markdown::Document {
    let (page, storage) = (&document.content.id, document.content.storage());
    let mut known = Known::new(wiki, &document.people);
    let references =
        aside(storage.len(), || included_pages(storage, &known.context(page, &document.space))).await;
    let included = wiki.included(document, references).await;
    known.learn(wiki, &included).await;
    let expansions = |rendered| Expansions {
        rendered,
        included: included.iter().map(|one| (one.reference.clone(), known.inclusion(one))).collect(),
    };
    let context = known.context(page, &document.space);
    let included_bytes: usize = included.iter().map(|page| page.content.storage().len()).sum();
    let bytes = storage.len() + included_bytes;
    let converted = aside(bytes, || from_storage_with(storage, &expansions(None), &context)).await;
    if !converted.wants_rendering() {
        return converted;
    }
    match wiki.rendered(document, version).await {
        Some(rendered) => {
            aside(bytes + rendered.len(), || {
                from_storage_with(storage, &expansions(Some(&rendered)), &context)
            })
            .await
        }
        None => converted,
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
