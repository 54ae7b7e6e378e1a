//! Our own style sheet, scripts and mark.

use axum::extract::Path;
use axum::response::Response;

use super::headers::{Keep, file, not_found};

const JAVASCRIPT: &str = "text/javascript; charset=utf-8";

pub async fn asset(Path(name): Path<String>) -> Response {
    let (content_type, body) = match name.as_str() {
        "style.css" => ("text/css; charset=utf-8", include_str!("assets/style.css")),
        "docs.css" => ("text/css; charset=utf-8", include_str!("assets/docs.css")),
        "copy.js" => (JAVASCRIPT, include_str!("assets/copy.js")),
        "docs.js" => (JAVASCRIPT, include_str!("assets/docs.js")),
        "try.js" => (JAVASCRIPT, include_str!("assets/try.js")),
        "mark.svg" => ("image/svg+xml", include_str!("assets/mark.svg")),
        _ => return not_found(),
    };
    file(content_type, Keep::Long, body)
}
