//! Alive, and ready: yes or no, without details.

use std::time::Duration;

use axum::extract::State;
use axum::http::StatusCode;
use moka::future::Cache;
use url::Url;

use crate::Gateway;

/// How long an answer about upstream holds, so that probes do not become load.
const REMEMBERED: Duration = Duration::from_secs(10);
/// How long upstream may take to answer at all.
const PATIENCE: Duration = Duration::from_secs(5);

/// Asks Atlassian's two hosts for a sign of life.
#[derive(Clone)]
pub struct Health {
    http: reqwest::Client,
    upstreams: [Url; 2],
    known: Cache<(), bool>,
}

impl Health {
    pub fn new(gateway: &Gateway) -> Self {
        let atlassian = &gateway.config.atlassian;
        Self {
            http: gateway.http.clone(),
            upstreams: [atlassian.auth_url.clone(), atlassian.api_url.clone()],
            known: Cache::builder().max_capacity(1).time_to_live(REMEMBERED).build(),
        }
    }

    /// Whether both hosts answer, with whatever status.
    async fn upstream_answers(&self) -> bool {
        for url in &self.upstreams {
            let answer = self.http.head(url.clone()).timeout(PATIENCE).send().await;
            if answer.is_err() {
                return false;
            }
        }
        true
    }
}

pub async fn alive() -> &'static str {
    "alive\n"
}

pub async fn ready(State(health): State<Health>) -> (StatusCode, &'static str) {
    if health.known.get_with((), health.upstream_answers()).await {
        (StatusCode::OK, "ready\n")
    } else {
        (StatusCode::SERVICE_UNAVAILABLE, "not ready\n")
    }
}
