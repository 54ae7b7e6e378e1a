//! The old API, as much of it as OAuth still opens: search, people, downloads.

pub mod download;
mod excerpt;
mod row;

pub use row::label_id;
pub mod search;
pub mod users;

use axum::http::StatusCode;

use super::reply::Refusal;

/// What content and space endpoints answer since their removal.
pub fn gone() -> Refusal {
    Refusal::v1(
        StatusCode::GONE,
        "com.atlassian.confluence.api.service.exceptions.GoneException: This deprecated endpoint has been removed.",
    )
}
