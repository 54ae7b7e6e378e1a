//! Traces for OpenTelemetry: which spans leave this process, and what of them.
//!
//! A request, the actions in it and their calls to Atlassian are spans; nothing else is, whatever a library offers. Of their
//! fields only those of [`ATTRIBUTES`] are taken: templates and words of ours. Never a text, an id, a token, a path or a person.

use std::fmt;
use std::time::Duration;

use serde_json::{Value, json};
use tokio::sync::mpsc;
use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Id, Record};
use tracing::{Metadata, Subscriber};
use tracing_subscriber::layer::{Context, Layer};
use tracing_subscriber::registry::LookupSpan;

use super::otlp::Exporter;
use super::traceparent::Traceparent;
use crate::clock::{Clock, Stopwatch};
use crate::config::{Sampler, Traces};

/// The target of spans that are for traces alone, and of no log.
pub const TRACED: &str = "causeway::traced";

/// The span of a request, which logs have too.
pub const REQUEST: &str = "request";

/// How many spans may wait to be sent. More are dropped.
const MAX_WAITING: usize = 4096;

/// Fields of spans, and the attributes they become.
const ATTRIBUTES: [(&str, &str); 9] = [
    ("id", "causeway.request"),
    ("method", "http.request.method"),
    ("route", "http.route"),
    ("status", "http.response.status_code"),
    ("action", "causeway.action"),
    ("door", "causeway.door"),
    ("gpt", "causeway.gpt"),
    ("call", "causeway.call"),
    ("outcome", "causeway.outcome"),
];

/// Makes spans of what happens and hands them to its [`Exporter`].
pub struct Tracer {
    sampler: Sampler,
    clock: Clock,
    ended: mpsc::Sender<Value>,
}

impl Tracer {
    pub fn new(config: &Traces, clock: &Clock) -> (Self, Exporter) {
        let (ended, waiting) = mpsc::channel(MAX_WAITING);
        let tracer = Self { sampler: config.sampler, clock: clock.clone(), ended };
        (tracer, Exporter::new(config, waiting))
    }

    pub fn wants(metadata: &Metadata<'_>) -> bool {
        metadata.is_span()
            && (metadata.target() == TRACED
                || (metadata.name() == REQUEST && metadata.target().starts_with("causeway::")))
    }

    /// Whether a trace that begins or comes in here is kept.
    fn samples(&self, parent: Option<Traceparent>, trace: u128) -> bool {
        // The ratio is of the lower half of the id, as OpenTelemetry has it, so that all who look at a trace agree.
        #[allow(clippy::cast_possible_truncation, clippy::cast_precision_loss)]
        let chosen = |ratio: f64| ((trace as u64) >> 11) as f64 / ((1_u64 << 53) as f64) < ratio;
        match (self.sampler.follows_parent, parent) {
            (true, Some(parent)) => parent.is_sampled,
            _ => chosen(self.sampler.ratio),
        }
    }
}

/// A span under way.
struct Running {
    trace: u128,
    span: u64,
    parent: Option<u64>,
    is_sampled: bool,
    started_at: i128,
    took: Stopwatch,
    fields: Fields,
}

#[derive(Default)]
struct Fields {
    known: Vec<(&'static str, Value)>,
    /// What the request said of the trace it belongs to.
    traceparent: Option<Traceparent>,
}

impl Fields {
    fn keep(&mut self, field: &Field, value: Value) {
        if let Some((name, _)) = ATTRIBUTES.iter().find(|(name, _)| *name == field.name()) {
            self.known.push((name, value));
        }
    }

    fn text(&self, wanted: &str) -> &str {
        let found = self.known.iter().find(|(name, _)| *name == wanted);
        found.and_then(|(_, value)| value.as_str()).unwrap_or_default()
    }

    fn number(&self, wanted: &str) -> u64 {
        let found = self.known.iter().find(|(name, _)| *name == wanted);
        found.and_then(|(_, value)| value.as_u64()).unwrap_or_default()
    }
}

impl Visit for Fields {
    fn record_u64(&mut self, field: &Field, value: u64) {
        self.keep(field, json!(value));
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        self.keep(field, json!(value));
    }

    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        let text = format!("{value:?}");
        if field.name() == "traceparent" {
            self.traceparent = Traceparent::parse(&text);
        } else {
            self.keep(field, json!(text));
        }
    }
}

impl<S: Subscriber + for<'s> LookupSpan<'s>> Layer<S> for Tracer {
    fn on_new_span(&self, attributes: &Attributes<'_>, id: &Id, context: Context<'_, S>) {
        let Some(span) = context.span(id) else { return };
        let mut fields = Fields::default();
        attributes.record(&mut fields);
        let above = span.parent().and_then(|parent| {
            let extensions = parent.extensions();
            extensions.get::<Running>().map(|above| (above.trace, above.span, above.is_sampled))
        });
        let (trace, parent, is_sampled) = match (above, fields.traceparent) {
            (Some((trace, span, is_sampled)), _) => (trace, Some(span), is_sampled),
            (None, Some(remote)) => {
                (remote.trace, Some(remote.span), self.samples(Some(remote), remote.trace))
            }
            (None, None) => {
                let trace = rand::random::<u128>().max(1);
                (trace, None, self.samples(None, trace))
            }
        };
        span.extensions_mut().insert(Running {
            trace,
            span: rand::random::<u64>().max(1),
            parent,
            is_sampled,
            started_at: self.clock.now().as_nanosecond(),
            took: Stopwatch::start(),
            fields,
        });
    }

    fn on_record(&self, id: &Id, values: &Record<'_>, context: Context<'_, S>) {
        if let Some(span) = context.span(id)
            && let Some(running) = span.extensions_mut().get_mut::<Running>()
        {
            values.record(&mut running.fields);
        }
    }

    fn on_close(&self, id: Id, context: Context<'_, S>) {
        let running = context.span(&id).and_then(|span| span.extensions_mut().remove::<Running>());
        if let Some(running) = running.filter(|running| running.is_sampled) {
            // Nobody waits for a slow collector: what does not fit is lost.
            self.ended.try_send(running.to_json()).unwrap_or_default();
        }
    }
}

impl Running {
    /// As OTLP has spans in JSON.
    fn to_json(&self) -> Value {
        let fields = &self.fields;
        let (action, call) = (fields.text("action"), fields.text("call"));
        let (name, kind) = match () {
            () if !action.is_empty() => (action.to_owned(), 1),
            () if !call.is_empty() => (call.to_owned(), 3),
            () => (format!("{} {}", fields.text("method"), fields.text("route")), 2),
        };
        let is_broken = fields.number("status") >= 500
            || matches!(fields.text("outcome"), "5xx" | "failed" | "timeout" | "internal");
        let attribute = |(name, value): &(&str, Value)| {
            let key = ATTRIBUTES.iter().find(|(known, _)| known == name).map(|(_, key)| key);
            let value = match value {
                Value::Number(number) => json!({ "intValue": number.to_string() }),
                text => json!({ "stringValue": text }),
            };
            json!({ "key": key, "value": value })
        };
        let nanoseconds = |time: i128| time.to_string();
        let took = i128::try_from(self.took.elapsed().max(Duration::from_nanos(1)).as_nanos()).unwrap_or(1);
        let mut span = json!({
            "traceId": format!("{:032x}", self.trace),
            "spanId": format!("{:016x}", self.span),
            "name": name,
            "kind": kind,
            "startTimeUnixNano": nanoseconds(self.started_at),
            "endTimeUnixNano": nanoseconds(self.started_at + took),
            "attributes": fields.known.iter().map(attribute).collect::<Vec<_>>(),
            "status": if is_broken { json!({ "code": 2 }) } else { json!({}) },
        });
        if let Some(parent) = self.parent {
            span["parentSpanId"] = json!(format!("{parent:016x}"));
        }
        span
    }
}
