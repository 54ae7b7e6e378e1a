use axum::extract::State;
use axum::response::Response;

use super::Pages;
use super::headers::{Keep, file, not_found};

/// Proves to OpenAI, when a plugin is published, that this domain is the operator's.
pub async fn challenge(State(pages): State<Pages>) -> Response {
    match &pages.config.openai_challenge {
        Some(value) => file("text/plain; charset=utf-8", Keep::Never, value.clone()),
        None => not_found(),
    }
}
