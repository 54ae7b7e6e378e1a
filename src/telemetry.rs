//! The only place that configures logging; and what is counted.

pub mod metrics;
mod standing;

use std::io::IsTerminal as _;

use tracing::{Metadata, Subscriber};
use tracing_subscriber::filter::filter_fn;
use tracing_subscriber::fmt::MakeWriter;
use tracing_subscriber::layer::{Layer as _, SubscriberExt as _};
use tracing_subscriber::util::SubscriberInitExt as _;
use tracing_subscriber::{EnvFilter, Registry, fmt};

use crate::config::Log;

pub use metrics::Metrics;
pub use standing::Standing;

/// Starts logging to standard error. A second call in one process changes nothing.
pub fn start(log: &Log) {
    subscriber(log, std::io::stderr).try_init().unwrap_or_default();
}

/// What writes the log to `writer`: what the filter lets through, and nothing of libraries that tell too much.
pub fn subscriber<W>(log: &Log, writer: W) -> impl Subscriber + Send + Sync + 'static
where
    W: for<'w> MakeWriter<'w> + Send + Sync + 'static,
{
    let filter = EnvFilter::try_new(&log.filter).unwrap_or_else(|_| EnvFilter::new("info"));
    let lines = fmt::layer().with_writer(writer).with_ansi(std::io::stderr().is_terminal());
    let lines = if log.json { lines.json().boxed() } else { lines.compact().boxed() };
    Registry::default().with(lines.with_filter(filter).with_filter(filter_fn(is_discreet)))
}

/// Libraries that log what they work on, queries and page text included: they are silent whatever the filter says.
const INDISCREET: [&str; 2] = ["rmcp", "html5ever"];

fn is_discreet(metadata: &Metadata<'_>) -> bool {
    !INDISCREET.iter().any(|library| metadata.target().starts_with(library))
}

/// What names one request in its answer and in the log: 16 hexadecimal digits, made here, never taken from outside.
#[derive(Clone, Debug, Default)]
pub struct RequestId(String);

impl RequestId {
    pub fn random() -> Self {
        Self(format!("{:016x}", rand::random::<u64>()))
    }
}

impl std::fmt::Display for RequestId {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}
