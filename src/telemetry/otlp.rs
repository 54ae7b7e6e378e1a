//! Sends spans to a collector: OTLP over HTTP, in JSON, in batches, off the path of any request.

use std::time::Duration;

use http::{HeaderName, HeaderValue};
use reqwest::header::CONTENT_TYPE;
use secrecy::ExposeSecret;
use serde_json::{Value, json};
use tokio::sync::{mpsc, oneshot};
use tokio::task::JoinHandle;
use tokio::time::timeout;

use crate::config::Traces;

/// How many spans are sent at once, how long the first of them waits for others, and how long a collector may take.
const BATCH: usize = 512;
const GATHERING: Duration = Duration::from_secs(5);
const PATIENCE: Duration = Duration::from_secs(5);

/// Spans on their way out, until it is started.
pub struct Exporter {
    config: Traces,
    waiting: mpsc::Receiver<Value>,
}

/// An exporter at work.
pub struct Exporting {
    stop: oneshot::Sender<()>,
    task: JoinHandle<()>,
}

impl Exporter {
    pub(super) fn new(config: &Traces, waiting: mpsc::Receiver<Value>) -> Self {
        Self { config: config.clone(), waiting }
    }

    /// Sends from now on, with `http`.
    pub fn start(mut self, http: reqwest::Client) -> Exporting {
        let (stop, mut stopped) = oneshot::channel();
        let task = tokio::spawn(async move {
            let mut is_well = true;
            loop {
                let mut batch = Vec::new();
                let ending = tokio::select! {
                    () = self.gather(&mut batch) => false,
                    _ = &mut stopped => true,
                };
                if ending {
                    while let Ok(span) = self.waiting.try_recv() {
                        batch.push(span);
                    }
                }
                if !batch.is_empty() {
                    is_well = self.send(&http, batch, is_well).await;
                }
                if ending {
                    return;
                }
            }
        });
        Exporting { stop, task }
    }

    /// Spans as they come, until there are enough or the first has waited long enough.
    async fn gather(&mut self, batch: &mut Vec<Value>) {
        // The tracer lives as long as the process.
        let Some(first) = self.waiting.recv().await else { return std::future::pending().await };
        batch.push(first);
        let more = async {
            while batch.len() < BATCH {
                let Some(span) = self.waiting.recv().await else { return };
                batch.push(span);
            }
        };
        timeout(GATHERING, more).await.unwrap_or_default();
    }

    /// Whether it worked. A collector that does not answer is told of once, until it answers again; its spans are lost.
    async fn send(&self, http: &reqwest::Client, spans: Vec<Value>, was_well: bool) -> bool {
        let attributes = self.config.resource.iter();
        let attributes: Vec<Value> =
            attributes.map(|(key, value)| json!({ "key": key, "value": { "stringValue": value } })).collect();
        let scope = json!({ "name": "causeway", "version": env!("CARGO_PKG_VERSION") });
        let body = json!({ "resourceSpans": [{
            "resource": { "attributes": attributes },
            "scopeSpans": [{ "scope": scope, "spans": spans }],
        }] });
        let mut request = http.post(self.config.endpoint.clone()).timeout(PATIENCE);
        for (name, value) in &self.config.headers {
            let value = HeaderValue::from_str(value.expose_secret());
            if let (Ok(name), Ok(mut value)) = (HeaderName::try_from(name), value) {
                value.set_sensitive(true);
                request = request.header(name, value);
            }
        }
        let answer = request.header(CONTENT_TYPE, "application/json").body(body.to_string()).send().await;
        let refused = match answer {
            Ok(answer) if answer.status().is_success() => return true,
            Ok(answer) => format!("status {}", answer.status().as_u16()),
            Err(error) => error.without_url().to_string(),
        };
        if was_well {
            tracing::warn!(refused, "traces cannot be sent to OTEL_EXPORTER_OTLP_ENDPOINT");
        }
        false
    }
}

impl Exporting {
    /// Sends what is left, and ends.
    pub async fn finish(self) {
        self.stop.send(()).unwrap_or_default();
        timeout(PATIENCE + PATIENCE, self.task).await.map(drop).unwrap_or_default();
    }
}
