//! The only place that configures logging and tracing; and what is counted.

pub mod metrics;
mod otlp;
mod standing;
mod traceparent;
mod traces;

use std::io::IsTerminal as _;

use tracing::{Metadata, Subscriber};
use tracing_subscriber::filter::{FilterExt as _, LevelFilter, Targets, filter_fn};
use tracing_subscriber::fmt::MakeWriter;
use tracing_subscriber::layer::{Layer as _, SubscriberExt as _};
use tracing_subscriber::util::SubscriberInitExt as _;
use tracing_subscriber::{Registry, fmt};

use crate::clock::Clock;
use crate::config::{Log, Traces};

pub use metrics::Metrics;
pub use otlp::{Exporter, Exporting};
pub use standing::Standing;
pub use traceparent::Traceparent;
pub use traces::TRACED;
use traces::Tracer;

/// Starts logging to standard error, and tracing where that is configured. A second call in one process changes nothing.
#[must_use]
pub fn start(log: &Log, traces: Option<&Traces>) -> Option<Exporter> {
    let (subscriber, exporter) = subscriber(log, traces, &Clock::system(), std::io::stderr);
    subscriber.try_init().unwrap_or_default();
    exporter
}

/// What writes the log to `writer`: what the filter lets through, and nothing of libraries that tell too much. Beside it,
/// what makes traces.
pub fn subscriber<W>(
    log: &Log,
    traces: Option<&Traces>,
    clock: &Clock,
    writer: W,
) -> (impl Subscriber + Send + Sync + 'static, Option<Exporter>)
where
    W: for<'w> MakeWriter<'w> + Send + Sync + 'static,
{
    let (spans, exporter) = traces.map(|traces| Tracer::new(traces, clock)).unzip();
    let filter = log.filter.parse().unwrap_or_else(|_| Targets::new().with_default(LevelFilter::INFO));
    let lines = fmt::layer().with_writer(writer).with_ansi(std::io::stderr().is_terminal());
    let lines = if log.json { lines.json().boxed() } else { lines.compact().boxed() };
    let lines = lines.with_filter(filter.and(filter_fn(is_discreet)));
    let spans = spans.map(|spans| spans.with_filter(filter_fn(Tracer::wants)));
    (Registry::default().with(lines).with(spans), exporter)
}

/// Libraries that log what they work on, queries and page text included: they are silent whatever the filter says.
const INDISCREET: [&str; 2] = ["rmcp", "html5ever"];

fn is_discreet(metadata: &Metadata<'_>) -> bool {
    metadata.target() != TRACED && !INDISCREET.iter().any(|library| metadata.target().starts_with(library))
}

/// What names one request in its answer and in the log: 16 hexadecimal digits, made here, never taken from outside.
#[derive(Clone, Copy, Debug, Default)]
pub struct RequestId(u64);

impl RequestId {
    pub fn random() -> Self {
        Self(rand::random())
    }
}

impl std::fmt::Display for RequestId {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{:016x}", self.0)
    }
}
