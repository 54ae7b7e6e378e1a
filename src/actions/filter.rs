//! The filters that the searching actions share.

use serde::Deserialize;
use utoipa::ToSchema;

use crate::action::{CommaList, Wiki};
use crate::confluence::cql::{CqlError, DateBound, Filters, Words};
use crate::confluence::{ContentId, SpaceKey};
use crate::problem::Problem;

/// What a result has to be like. Everything given must hold.
#[derive(Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Filter {
    /// Only in these spaces: comma-separated space keys, any of them.
    #[schema(value_type = Option<String>, max_length = 2000, example = "ENG,PROD")]
    space: Option<CommaList<SpaceKey>>,
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
}

impl Filter {
    /// The filters but for the author, who may have to be looked up.
    pub fn filters(&self) -> Result<Filters, CqlError> {
        let date = |name, text: &Option<String>| {
            text.as_deref().map(|text| DateBound::parse(name, text)).transpose()
        };
        Ok(Filters {
            spaces: self.space.iter().flat_map(|list| &list.0).map(ToString::to_string).collect(),
            title: self.title.as_deref().map(|text| Words::parse("title", text)).transpose()?,
            labels: self.label.as_ref().map(|list| list.0.clone()).unwrap_or_default(),
            ancestor: self.ancestor.as_ref().map(ToString::to_string),
            updated_after: date("updatedAfter", &self.updated_after)?,
            updated_before: date("updatedBefore", &self.updated_before)?,
            ..Filters::default()
        })
    }

    /// The same with the author.
    pub async fn with_author(&self, wiki: &Wiki, mut filters: Filters) -> Result<Filters, Problem> {
        if let Some(author) = &self.author {
            filters.author = Some(wiki.author(author).await?);
        }
        Ok(filters)
    }

    pub fn title(&self) -> Option<&str> {
        self.title.as_deref()
    }

    /// The names of what is given.
    pub fn given(&self) -> Vec<&'static str> {
        let filters = [
            ("space", self.space.is_some()),
            ("title", self.title.is_some()),
            ("label", self.label.is_some()),
            ("author", self.author.is_some()),
            ("ancestor", self.ancestor.is_some()),
            ("updatedAfter", self.updated_after.is_some()),
            ("updatedBefore", self.updated_before.is_some()),
        ];
        filters.into_iter().filter(|(_, given)| *given).map(|(name, _)| name).collect()
    }
}
