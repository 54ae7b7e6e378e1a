use serde::Deserialize;
use utoipa::ToSchema;

use super::reading::{Page, Reading};
use crate::action::{Action, Caller, MAX_ANSWER};
use crate::confluence::ContentId;
use crate::problem::Problem;

/// Read a page or blog post
///
/// Returns one page or blog post as Markdown, in parts when it is long, with its outline, labels, version and who changed it last. omitted counts what the Markdown does not show. section or query narrow it to what is needed.
#[derive(Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct GetPage {
    /// The id of the page or blog post, from a search result or a URL.
    #[schema(value_type = String, max_length = 20, example = "1310745")]
    id: ContentId,
    #[serde(flatten)]
    reading: Reading,
}

impl Action for GetPage {
    const ID: &'static str = "getPage";
    const PATH: &'static str = "/v1/pages/{id}";
    const SCOPES: &'static [&'static str] =
        &["read:page:confluence", "read:space:confluence", "read:user:confluence"];
    const EXAMPLE: &'static [(&'static str, &'static str)] = &[("id", "1310745")];
    type Output = Page;

    async fn call(self, caller: Caller) -> Result<Page, Problem> {
        let wiki = caller.wiki().await?;
        self.reading.read(&wiki, &self.id, MAX_ANSWER).await
    }
}
