//! Alive, and ready: yes or no for everyone, details for the operator.

use std::sync::Arc;
use std::time::Duration;

use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::{Extension, Json};
use url::Url;

use crate::Gateway;
use crate::memo::Memo;
use crate::server::Leaving;
use crate::telemetry::{Metrics, metrics::CONTENT_TYPE};
use crate::web::checks::{Check, Checks, Verdict};

/// How long an answer about upstream holds, so that probes do not become load.
const REMEMBERED: Duration = Duration::from_secs(10);
/// How long upstream may take to answer at all.
const PATIENCE: Duration = Duration::from_secs(5);

/// Asks Atlassian's two hosts for a sign of life.
#[derive(Clone)]
pub struct Health {
    http: reqwest::Client,
    upstreams: [Url; 2],
    known: Memo<bool>,
}

impl Health {
    pub fn new(gateway: &Gateway) -> Self {
        let atlassian = &gateway.config.atlassian;
        Self {
            http: gateway.http.clone(),
            upstreams: [atlassian.auth_url.clone(), atlassian.api_url.clone()],
            known: Memo::lasting(1, REMEMBERED),
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

/// Every check with its finding: 200 when nothing is wrong, else 503.
pub async fn details(State(checks): State<Checks>) -> (StatusCode, Json<Arc<[Check]>>) {
    let checks = checks.all().await;
    let sound = checks.iter().all(|check| check.verdict < Verdict::Bad);
    (if sound { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE }, Json(checks))
}

/// What was counted, for Prometheus.
pub async fn metrics(State(metrics): State<Metrics>) -> Response {
    match metrics.text() {
        Ok(text) => ([(header::CONTENT_TYPE, CONTENT_TYPE)], text).into_response(),
        Err(_) => StatusCode::INTERNAL_SERVER_ERROR.into_response(),
    }
}

pub async fn ready(
    State(health): State<Health>,
    leaving: Option<Extension<Leaving>>,
) -> (StatusCode, &'static str) {
    if leaving.is_some() {
        (StatusCode::SERVICE_UNAVAILABLE, "leaving\n")
    } else if health.known.get_or(&[], health.upstream_answers()).await {
        (StatusCode::OK, "ready\n")
    } else {
        (StatusCode::SERVICE_UNAVAILABLE, "not ready\n")
    }
}
