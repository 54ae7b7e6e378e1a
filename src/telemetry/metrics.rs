//! Counts and durations for the operator (`/metrics` on `CAUSEWAY_ADMIN_LISTEN`), one set for each gateway.
//!
//! Every label is from a bounded set: action ids, route templates, slugs of GPTs, kinds of problems, words of ours. Never a
//! person, an id, a path or a query.

use std::collections::BTreeSet;
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use prometheus_client::collector::Collector;
use prometheus_client::encoding::{DescriptorEncoder, EncodeLabelSet, EncodeMetric, text};
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::{ConstGauge, Gauge};
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::metrics::info::Info;
use prometheus_client::registry::{Registry, Unit};

use super::standing::{Standing, Watched};
use crate::clock::{Clock, Stopwatch};

/// What `/metrics` is sent as.
pub const CONTENT_TYPE: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

/// In seconds: from an answer out of a cache to the longest that a request may take.
const BUCKETS: [f64; 13] = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 10.0, 40.0];

/// How many different calls upstream are told apart; the client knows about thirty.
const MAX_CALLS: usize = 100;

/// What a request or an action counts as when whoever asked hung up.
const ABANDONED: &str = "abandoned";

/// The counts of one gateway. A clone counts into the same.
#[derive(Clone)]
pub struct Metrics(Arc<Inner>);

struct Inner {
    registry: Registry,
    requests: Family<RequestLabels, Counter>,
    request_seconds: Family<RouteLabels, Histogram, fn() -> Histogram>,
    actions: Family<ActionLabels, Counter>,
    action_seconds: Family<DoorLabels, Histogram, fn() -> Histogram>,
    upstream: Family<CallLabels, Counter>,
    upstream_seconds: Family<CallNameLabels, Histogram, fn() -> Histogram>,
    /// The calls upstream that are told apart.
    calls: Mutex<BTreeSet<String>>,
    caches: Family<CacheLabels, Counter>,
    sign_ins: Family<StepLabels, Counter>,
    refreshes: Family<OutcomeLabels, Counter>,
    sheds: Family<ReasonLabels, Counter>,
    withheld: Family<ReasonLabels, Counter>,
    points: Counter,
    invisible: Family<NameLabels, Counter>,
    standing: Watched,
    in_flight: Gauge,
    waiting: Gauge,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct RequestLabels {
    method: &'static str,
    route: String,
    status: String,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct RouteLabels {
    route: String,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct ActionLabels {
    action: &'static str,
    door: &'static str,
    gpt: String,
    outcome: &'static str,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct DoorLabels {
    action: &'static str,
    door: &'static str,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct CallLabels {
    call: String,
    outcome: &'static str,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct CallNameLabels {
    call: String,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct CacheLabels {
    cache: &'static str,
    result: &'static str,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct StepLabels {
    step: &'static str,
    outcome: &'static str,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct OutcomeLabels {
    outcome: &'static str,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct ReasonLabels {
    reason: &'static str,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct NameLabels {
    action: &'static str,
}

/// What a call upstream came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Upstream {
    Status(u16),
    /// The connection or the answer was unusable.
    Failed,
    TooSlow,
}

impl Upstream {
    /// A word for it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Status(429) => "429",
            Self::Status(..300) => "2xx",
            Self::Status(300..400) => "3xx",
            Self::Status(400..500) => "4xx",
            Self::Status(_) => "5xx",
            Self::Failed => "failed",
            Self::TooSlow => "timeout",
        }
    }
}

impl Metrics {
    pub fn new(clock: &Clock) -> Self {
        let mut registry = Registry::default();
        let version = vec![("version", env!("CARGO_PKG_VERSION"))];
        registry.register("causeway_build", "Which Causeway this is", Info::new(version));
        registry.register_collector(Box::new(Process { started_at: clock.unix() }));
        let mut kept = Inner::families();
        registry.register_collector(Box::new(kept.standing.clone()));
        kept.register(&mut registry);
        kept.registry = registry;
        Self(Arc::new(kept))
    }

    /// Everything that was counted, as `OpenMetrics` text, which Prometheus reads.
    pub fn text(&self) -> Result<String, fmt::Error> {
        let mut written = String::new();
        text::encode(&mut written, &self.0.registry)?;
        Ok(written)
    }

    /// A request begins; it counts when it ends, or when it is dropped because whoever asked hung up.
    pub fn request(&self, method: &'static str, route: &str) -> RunningRequest {
        let route = route.to_owned();
        RunningRequest { metrics: self.clone(), began: Stopwatch::start(), method, route, status: None }
    }

    /// An action begins; the same holds.
    pub fn action(&self, action: &'static str, door: &'static str, gpt: &str) -> RunningAction {
        let gpt = gpt.to_owned();
        let (metrics, began) = (self.clone(), Stopwatch::start());
        RunningAction { metrics, began, action, door, gpt, outcome: ABANDONED }
    }

    /// A call to Atlassian ended. `call` is its template, without any id.
    pub fn upstream(&self, call: &str, outcome: Upstream, took: Duration) {
        let call = if self.0.knows(call) { call } else { "other" }.to_owned();
        let labels = CallNameLabels { call: call.clone() };
        self.0.upstream_seconds.get_or_create(&labels).observe(took.as_secs_f64());
        self.0.upstream.get_or_create(&CallLabels { call, outcome: outcome.name() }).inc();
    }

    /// Something was looked up in a cache.
    pub fn cache<T>(&self, cache: &'static str, found: Option<&T>) {
        let result = if found.is_some() { "hit" } else { "miss" };
        self.0.caches.get_or_create(&CacheLabels { cache, result }).inc();
    }

    /// A sign-in reached a step: `begun`, `returned` from Atlassian, `redeemed`.
    pub fn sign_in(&self, step: &'static str, outcome: &'static str) {
        self.0.sign_ins.get_or_create(&StepLabels { step, outcome }).inc();
    }

    pub fn refresh(&self, outcome: &'static str) {
        self.0.refreshes.get_or_create(&OutcomeLabels { outcome }).inc();
    }

    /// A request was turned away unread.
    pub fn shed(&self, reason: &'static str) {
        self.0.sheds.get_or_create(&ReasonLabels { reason }).inc();
    }

    /// A call to Atlassian was not made, because it would be in vain or at the cost of others.
    pub fn withheld(&self, reason: &'static str) {
        self.0.withheld.get_or_create(&ReasonLabels { reason }).inc();
    }

    /// Points of the app's were spent.
    pub fn points(&self, spent: u64) {
        self.0.points.inc_by(spent);
    }

    /// Characters that nobody sees were taken out of an answer of this action.
    pub fn invisible_characters(&self, action: &'static str, count: u64) {
        if count > 0 {
            self.0.invisible.get_or_create(&NameLabels { action }).inc_by(count);
        }
    }

    /// Where to ask how it stands with Atlassian.
    pub fn watch(&self, source: impl Fn() -> Standing + Send + Sync + 'static) {
        self.0.standing.from(source);
    }

    /// Counts as in flight until it is dropped.
    pub fn in_flight(&self) -> Present {
        Present::in_(&self.0.in_flight)
    }

    /// Counts as waiting for a place until it is dropped.
    pub fn waiting(&self) -> Present {
        Present::in_(&self.0.waiting)
    }
}

impl Inner {
    fn families() -> Self {
        let seconds: fn() -> Histogram = || Histogram::new(BUCKETS);
        Self {
            registry: Registry::default(),
            requests: Family::default(),
            request_seconds: Family::new_with_constructor(seconds),
            actions: Family::default(),
            action_seconds: Family::new_with_constructor(seconds),
            upstream: Family::default(),
            upstream_seconds: Family::new_with_constructor(seconds),
            calls: Mutex::default(),
            caches: Family::default(),
            sign_ins: Family::default(),
            refreshes: Family::default(),
            sheds: Family::default(),
            withheld: Family::default(),
            points: Counter::default(),
            invisible: Family::default(),
            standing: Watched::default(),
            in_flight: Gauge::default(),
            waiting: Gauge::default(),
        }
    }

    /// Whether a call is told apart from others, for which there is room up to a limit.
    fn knows(&self, call: &str) -> bool {
        let mut calls = self.calls.lock().unwrap_or_else(PoisonError::into_inner);
        calls.contains(call) || (calls.len() < MAX_CALLS && calls.insert(call.to_owned()))
    }

    fn register(&self, registry: &mut Registry) {
        let r = registry.sub_registry_with_prefix("causeway");
        let seconds = || Unit::Seconds;
        r.register("http_requests", "Requests by method, route and status", self.requests.clone());
        let help = "How long requests take";
        r.register_with_unit("http_request_duration", help, seconds(), self.request_seconds.clone());
        r.register(
            "actions",
            "Actions by door, GPT and outcome: ok or a kind of problem",
            self.actions.clone(),
        );
        let help = "How long actions take";
        r.register_with_unit("action_duration", help, seconds(), self.action_seconds.clone());
        r.register("upstream_calls", "Calls to Atlassian by template and outcome", self.upstream.clone());
        let help = "How long calls to Atlassian take";
        r.register_with_unit("upstream_call_duration", help, seconds(), self.upstream_seconds.clone());
        r.register("cache_lookups", "Look-ups in caches by result", self.caches.clone());
        r.register("sign_ins", "Sign-ins by step and outcome", self.sign_ins.clone());
        r.register("refreshes", "Refreshes by outcome", self.refreshes.clone());
        r.register("sheds", "Requests that were turned away, by reason", self.sheds.clone());
        let help = "Calls to Atlassian that were not made, by reason";
        r.register("upstream_calls_withheld", help, self.withheld.clone());
        let help = "Points of the app's that this replica has spent, by its own counting";
        r.register("points_spent", help, self.points.clone());
        let help = "Invisible characters taken out of titles, names and excerpts of answers, by action";
        r.register("invisible_characters", help, self.invisible.clone());
        r.register("requests_in_flight", "Requests that hold one of the places", self.in_flight.clone());
        r.register("requests_waiting", "Requests that wait for a place", self.waiting.clone());
    }
}

/// A request on its way.
pub struct RunningRequest {
    metrics: Metrics,
    began: Stopwatch,
    method: &'static str,
    route: String,
    status: Option<u16>,
}

impl RunningRequest {
    pub fn end(mut self, status: u16) {
        self.status = Some(status);
    }
}

impl Drop for RunningRequest {
    fn drop(&mut self) {
        let Inner { requests, request_seconds, .. } = &*self.metrics.0;
        let route = std::mem::take(&mut self.route);
        let status = self.status.map_or_else(|| ABANDONED.to_owned(), |status| status.to_string());
        let took = self.began.elapsed().as_secs_f64();
        request_seconds.get_or_create(&RouteLabels { route: route.clone() }).observe(took);
        requests.get_or_create(&RequestLabels { method: self.method, route, status }).inc();
    }
}

/// An action on its way.
pub struct RunningAction {
    metrics: Metrics,
    began: Stopwatch,
    action: &'static str,
    door: &'static str,
    gpt: String,
    outcome: &'static str,
}

impl RunningAction {
    pub fn end(mut self, outcome: &'static str) {
        self.outcome = outcome;
    }
}

impl Drop for RunningAction {
    fn drop(&mut self) {
        let Inner { actions, action_seconds, .. } = &*self.metrics.0;
        let (action, door, outcome) = (self.action, self.door, self.outcome);
        let took = self.began.elapsed().as_secs_f64();
        action_seconds.get_or_create(&DoorLabels { action, door }).observe(took);
        let gpt = std::mem::take(&mut self.gpt);
        actions.get_or_create(&ActionLabels { action, door, gpt, outcome }).inc();
    }
}

/// Counts in a gauge for as long as it is held.
pub struct Present(Gauge);

impl Present {
    fn in_(gauge: &Gauge) -> Self {
        gauge.inc();
        Self(gauge.clone())
    }
}

impl Drop for Present {
    fn drop(&mut self) {
        self.0.dec();
    }
}

/// What the system knows of this process, asked at each scrape; absent where there is no /proc.
#[derive(Debug)]
struct Process {
    started_at: i64,
}

impl Collector for Process {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> Result<(), fmt::Error> {
        let mut gauge = |name, help, value: i64| {
            let gauge = ConstGauge::new(value);
            gauge.encode(encoder.encode_descriptor(name, help, None, gauge.metric_type())?)
        };
        gauge("process_start_time_seconds", "When the gateway was made", self.started_at)?;
        if let Some(bytes) = resident_bytes() {
            gauge("process_resident_memory_bytes", "Memory that is resident", bytes)?;
        }
        if let Ok(files) = std::fs::read_dir("/proc/self/fd") {
            let open = i64::try_from(files.count()).unwrap_or(i64::MAX);
            gauge("process_open_fds", "Files and sockets that are open", open)?;
        }
        Ok(())
    }
}

fn resident_bytes() -> Option<i64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
    let kilobytes: i64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
    Some(kilobytes * 1024)
}
