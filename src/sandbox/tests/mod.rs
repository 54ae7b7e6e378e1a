//! The API as callers meet it.

mod doors;
mod odd_days;
mod reading;
mod searching;

use std::time::Duration;

use axum::body::{Body, to_bytes};
use axum::http::{HeaderMap, Request, StatusCode, header};
use serde_json::Value;
use tower::ServiceExt as _;

use super::*;

struct World {
    sandbox: Sandbox,
    clock: Clock,
}

struct Got {
    status: StatusCode,
    headers: HeaderMap,
    text: String,
}

impl Got {
    fn json(&self) -> Value {
        serde_json::from_str(&self.text).unwrap_or_default()
    }

    fn ids(&self) -> Vec<String> {
        let rows = self.json()["results"].as_array().cloned().unwrap_or_default();
        let id =
            |row: &Value| row["id"].as_str().or(row["content"]["id"].as_str()).unwrap_or_default().to_owned();
        rows.iter().map(id).collect()
    }

    fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }
}

fn world() -> World {
    let clock = Clock::manual("2026-06-17T09:30:00Z".parse().unwrap());
    let app =
        App { client_id: "id".to_owned(), client_secret: "s".to_owned(), callback: "https://g/".to_owned() };
    World { sandbox: Sandbox::new(app, clock.clone()), clock }
}

fn every_scope() -> Vec<&'static str> {
    SCOPES.iter().map(|(name, _)| *name).collect()
}

impl World {
    fn pass(&self, seconds: u64) {
        self.clock.advance(Duration::from_secs(seconds));
    }

    async fn send(&self, request: Request<Body>) -> Got {
        let response = self.sandbox.router().oneshot(request).await.unwrap();
        let (status, headers) = (response.status(), response.headers().clone());
        let bytes = to_bytes(response.into_body(), usize::MAX).await.unwrap();
        Got { status, headers, text: String::from_utf8_lossy(&bytes).into_owned() }
    }

    async fn with_scopes(&self, person: &str, scopes: &[&str], path: &str) -> Got {
        let token = self.sandbox.sign_in(person, scopes);
        let request = Request::get(path)
            .header(header::AUTHORIZATION, format!("Bearer {}", token["access_token"].as_str().unwrap()))
            .header(header::HOST, "api.example:8080");
        self.send(request.body(Body::empty()).unwrap()).await
    }

    async fn at(&self, site: &Site, person: &str, path: &str) -> Got {
        self.with_scopes(person, &every_scope(), &format!("/ex/confluence/{}/wiki{path}", site.cloud_id))
            .await
    }

    async fn get(&self, person: &str, path: &str) -> Got {
        self.at(&ACME, person, path).await
    }

    async fn post(&self, person: &str, path: &str, body: &Value) -> Got {
        let token = self.sandbox.sign_in(person, &every_scope());
        let request = Request::post(format!("/ex/confluence/{}/wiki{path}", ACME.cloud_id))
            .header(header::AUTHORIZATION, format!("Bearer {}", token["access_token"].as_str().unwrap()))
            .header(header::CONTENT_TYPE, "application/json");
        self.send(request.body(Body::from(body.to_string())).unwrap()).await
    }

    async fn search(&self, person: &str, cql: &str, rest: &str) -> Got {
        let cql = links::escape_path(cql);
        self.get(person, &format!("/rest/api/search?cql={cql}{rest}")).await
    }
}
