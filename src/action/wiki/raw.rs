//! Whatever else Confluence's REST APIs answer, as it is.

use serde_json::{Value, json};

use super::Wiki;
use crate::confluence::{Error, RawPath, RawQuery};
use crate::problem::Problem;

/// What Confluence answered.
pub struct Raw {
    pub status: u16,
    pub body: Value,
}

impl Wiki {
    /// GET `path`. What an answer belongs to cannot be told, so that no policy could hold: with an allow-list there is none.
    pub async fn raw(&self, path: &RawPath, query: &RawQuery) -> Result<Raw, Problem> {
        if self.allowed.is_some() {
            return Err(Problem::not_found());
        }
        let refused = |status, reason: String| Ok(Raw { status, body: json!({ "message": reason }) });
        match self.connection.raw(path, query).await {
            Ok(body) => Ok(Raw { status: 200, body }),
            Err(Error::BadRequest(reason)) => refused(400, reason),
            Err(Error::Refused { status, reason }) => refused(status, reason),
            Err(error) => Err(error.into()),
        }
    }
}
