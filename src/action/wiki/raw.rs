//! Whatever else Confluence's REST APIs answer, as it is.

use serde_json::{Value, json};

use super::Wiki;
use crate::clean::Clean;
use crate::confluence::{Error, RawPath, RawQuery};
use crate::problem::Problem;

/// What Confluence answered.
pub struct Raw {
    pub status: u16,
    pub body: Value,
    /// How many characters were taken out of its strings.
    pub removed: u32,
}

impl Wiki {
    /// GET `path`. What an answer belongs to cannot be told, so that no policy could hold: with an allow-list there is none.
    pub async fn raw(&self, path: &RawPath, query: &RawQuery) -> Result<Raw, Problem> {
        if self.allowed.is_some() {
            return Err(Problem::not_found());
        }
        let refused = |status, reason: Clean| {
            Ok(Raw { status, removed: reason.removed(), body: json!({ "message": reason }) })
        };
        match self.connection.raw(path, query).await {
            Ok((body, removed)) => {
                path.page().into_iter().chain(pages(&body)).for_each(|page| self.connection.has_read(page));
                Ok(Raw { status: 200, body, removed })
            }
            Err(Error::BadRequest(reason)) => refused(400, reason),
            Err(Error::Refused { status, reason }) => refused(status, reason),
            Err(error) => Err(error.into()),
        }
    }
}

/// The ids of the pages in an answer, or that its rows belong to. What else has an id, such as a label, has no title.
fn pages(body: &Value) -> impl Iterator<Item = &str> {
    let rows = body["results"].as_array().into_iter().flatten();
    std::iter::once(body).chain(rows).filter_map(|row| {
        let content = if row["content"].is_object() { &row["content"] } else { row };
        let own = content["title"].as_str().and(content["id"].as_str());
        own.or(row["pageId"].as_str()).or(row["blogPostId"].as_str())
    })
}
