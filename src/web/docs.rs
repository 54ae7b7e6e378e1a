//! Swagger UI, with a sign-in that works: our own small page around the vendored files.

use std::io::Read as _;
use std::sync::Arc;

use askama::Template;
use axum::extract::{Path, Query, State};
use axum::http::header::{ACCEPT_ENCODING, CONTENT_ENCODING, VARY};
use axum::http::{HeaderMap, HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use flate2::read::GzDecoder;
use serde::Deserialize;
use utoipa_swagger_ui::Config as SwaggerConfig;

use super::headers::{Keep, file, framed_script, not_found, page};
use super::{Pages, VERSION};
use crate::config::Gpt;
use crate::oauth::{DOCS_CLIENT_ID, SCOPE};

#[derive(Template)]
#[template(path = "docs.html", config = "src/web/askama.toml")]
struct SwaggerUi<'a> {
    version: &'a str,
    docs: bool,
    gpts: &'a [Arc<Gpt>],
    chosen: &'a Gpt,
    document: String,
    redirect: String,
    client_id: &'a str,
    scope: &'a str,
}

#[derive(Deserialize)]
pub struct Choice {
    gpt: Option<String>,
}

/// Swagger UI for the document of one GPT.
pub async fn docs(State(pages): State<Pages>, Query(choice): Query<Choice>) -> Response {
    let config = &pages.config;
    let gpt = choice.gpt.as_deref().map_or(Some(config.default_gpt()), |slug| config.gpt_by_slug(slug));
    let Some(chosen) = gpt.filter(|_| config.docs) else { return not_found() };
    let template = SwaggerUi {
        version: VERSION,
        docs: true,
        gpts: &config.gpts,
        chosen,
        document: config.public_url.openapi(pages.slug(chosen)),
        redirect: config.public_url.docs_redirect(),
        client_id: DOCS_CLIENT_ID,
        scope: SCOPE,
    };
    page(Keep::Briefly, &template)
}

/// The vendored files that the page needs, and no other. They are kept compressed, and unpacked for whoever needs that.
pub async fn docs_file(State(pages): State<Pages>, Path(name): Path<String>, headers: HeaderMap) -> Response {
    let known = ["swagger-ui.css", "swagger-ui-bundle.js", "oauth2-redirect.html", "oauth2-redirect.js"];
    if !pages.config.docs || !known.contains(&name.as_str()) {
        return not_found();
    }
    let Ok(Some(vendored)) = utoipa_swagger_ui::serve(&name, Arc::new(SwaggerConfig::from("/openapi.json")))
    else {
        return StatusCode::INTERNAL_SERVER_ERROR.into_response();
    };
    let compressed = vendored.gzpipped && takes_gzip(&headers);
    let mut body = vendored.bytes.into_owned();
    if vendored.gzpipped && !compressed {
        let mut plain = Vec::new();
        if GzDecoder::new(body.as_slice()).read_to_end(&mut plain).is_err() {
            return StatusCode::INTERNAL_SERVER_ERROR.into_response();
        }
        body = plain;
    }
    // The redirect's address holds a code, and its page is tiny: browsers do not keep it.
    let mut response = match name.as_str() {
        "oauth2-redirect.html" => framed_script("text/html; charset=utf-8", Keep::Never, body),
        _ => file(&vendored.content_type, Keep::Long, body),
    };
    response.headers_mut().insert(VARY, HeaderValue::from_static("accept-encoding"));
    if compressed {
        response.headers_mut().insert(CONTENT_ENCODING, HeaderValue::from_static("gzip"));
    }
    response
}

/// Whether the client names gzip, as every browser does, and does not refuse it.
fn takes_gzip(headers: &HeaderMap) -> bool {
    let named = headers.get_all(ACCEPT_ENCODING).iter().filter_map(|value| value.to_str().ok());
    let mut codings = named.flat_map(|value| value.split(',')).map(|coding| coding.replace(' ', ""));
    codings.any(|coding| match coding.split_once(";q=") {
        Some((name, weight)) => name == "gzip" && weight.parse().is_ok_and(|weight: f32| weight > 0.0),
        None => coding == "gzip",
    })
}
