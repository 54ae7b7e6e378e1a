//! The Actions documents of all GPTs, written once at start.

use std::collections::HashMap;
use std::sync::Arc;

use axum::body::Bytes;
use axum::extract::{Path, State};
use axum::http::header::CONTENT_TYPE;
use axum::response::{IntoResponse, Response};

use crate::openapi;
use crate::problem::Problem;
use crate::{Gateway, router::layers};

/// By slug; without one, the default GPT's.
#[derive(Clone)]
pub struct Documents(Arc<HashMap<Option<String>, Written>>);

struct Written {
    json: Bytes,
    yaml: Bytes,
}

impl Documents {
    pub fn new(gateway: &Gateway) -> Self {
        let config = &gateway.config;
        let write = |slug: Option<&str>, gpt| {
            let document = openapi::document(&gateway.entries, gpt, slug, &config.public_url);
            Written {
                json: kept(document.to_json().unwrap_or_default()),
                yaml: kept(openapi::yaml(&document)),
            }
        };
        let default = config.default_gpt();
        let mut documents = HashMap::from([(None, write(None, default))]);
        for gpt in &config.gpts {
            let slug = Some(gpt.slug.as_str()).filter(|_| gpt.slug != default.slug);
            documents.insert(Some(gpt.slug.clone()), write(slug, gpt));
        }
        Self(Arc::new(documents))
    }

    fn find(&self, slug: Option<Path<String>>) -> Result<&Written, Problem> {
        self.0.get(&slug.map(|Path(slug)| slug)).ok_or_else(layers::nothing_here)
    }
}

/// A text in no more memory than it takes.
fn kept(text: String) -> Bytes {
    text.into_boxed_str().into_boxed_bytes().into()
}

pub async fn json(
    State(documents): State<Documents>,
    slug: Option<Path<String>>,
) -> Result<Response, Problem> {
    Ok(([(CONTENT_TYPE, "application/json")], documents.find(slug)?.json.clone()).into_response())
}

pub async fn yaml(
    State(documents): State<Documents>,
    slug: Option<Path<String>>,
) -> Result<Response, Problem> {
    Ok(([(CONTENT_TYPE, "application/yaml")], documents.find(slug)?.yaml.clone()).into_response())
}
