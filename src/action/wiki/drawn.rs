//! What the macros of a page draw on, as far as the person and the GPT may see it. None of it is worth failing for: what
//! cannot be had stays a placeholder.

use std::sync::Arc;

use super::{Document, Wiki};
use crate::confluence::{Content, Space};
use crate::markdown::PageReference;
use crate::problem::Problem;

/// How many pages one page may include; each costs a call.
const MAX_INCLUDED: usize = 5;

/// A page that another includes.
pub struct Included {
    pub reference: PageReference,
    pub content: Content,
    pub space: Arc<Space>,
}

impl Wiki {
    /// The pages that `document` includes.
    pub async fn included(&self, document: &Document, references: Vec<PageReference>) -> Vec<Included> {
        let mut pages = Vec::new();
        for reference in references.into_iter().take(MAX_INCLUDED) {
            match self.include(document, &reference).await {
                Ok(Some((content, space))) => pages.push(Included { reference, content, space }),
                Ok(None) => {}
                Err(problem) => tracing::info!(kind = problem.kind.name(), "an included page cannot be read"),
            }
        }
        pages
    }

    /// The policy is asked about the space before anything of the page is.
    async fn include(
        &self,
        document: &Document,
        reference: &PageReference,
    ) -> Result<Option<(Content, Arc<Space>)>, Problem> {
        let own = reference.space_key.as_deref().is_none_or(|key| key == document.space.key.as_str());
        let space = match &reference.space_key {
            Some(key) if !own => match key.parse() {
                Ok(key) => self.space_named(&key).await?,
                Err(_) => None,
            },
            _ => Some(document.space.clone()),
        };
        let Some(space) = space else { return Ok(None) };
        self.permit(&space.id)?;
        let page = self.connection.page_titled(&reference.title, &space.id).await?;
        // What a wrong id from Confluence would let out is left out.
        let page = page.filter(|page| self.permit(&page.space_id).is_ok());
        if let Some(page) = &page {
            self.connection.has_read(page.id.as_str());
        }
        Ok(page.map(|page| (page, space)))
    }

    /// The page as Confluence renders it. It may show what this GPT may not: with an allow-list there is none.
    pub async fn rendered(&self, document: &Document, version: Option<u32>) -> Option<String> {
        if self.allowed.is_some() {
            return None;
        }
        let of = (document.kind, &document.content.id);
        let rendered = self.connection.rendered(of, version).await;
        rendered.inspect_err(|error| tracing::info!(%error, "a page could not be rendered")).ok()
    }
}
