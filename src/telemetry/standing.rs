//! How it stands with Atlassian, asked at each scrape: what passes with time would be stale if it were told by events.

use std::fmt;
use std::sync::{Arc, OnceLock};

use prometheus_client::collector::Collector;
use prometheus_client::encoding::{DescriptorEncoder, EncodeMetric};
use prometheus_client::metrics::MetricType;
use prometheus_client::metrics::gauge::ConstGauge;

/// How it stands with Atlassian.
#[derive(Clone, Copy, Debug)]
pub struct Standing {
    /// Points that are left in this hour, as far as this replica knows, and all that there are in an hour.
    pub points_left: u64,
    pub points_an_hour: u64,
    /// Each host, and where its circuit breaker stands.
    pub breakers: [(&'static str, i64); 2],
}

type Source = Box<dyn Fn() -> Standing + Send + Sync>;

/// Tells the standing once somebody has said where it is to be asked.
#[derive(Clone, Default)]
pub struct Watched(Arc<OnceLock<Source>>);

impl Watched {
    /// The first source counts.
    pub fn from(&self, source: impl Fn() -> Standing + Send + Sync + 'static) {
        self.0.get_or_init(|| Box::new(source));
    }
}

impl fmt::Debug for Watched {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Watched")
    }
}

impl Collector for Watched {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> Result<(), fmt::Error> {
        let Some(source) = self.0.get() else { return Ok(()) };
        let Standing { points_left, points_an_hour, breakers } = source();
        let mut points = |name, help, value: u64| {
            let gauge = ConstGauge::new(i64::try_from(value).unwrap_or(i64::MAX));
            gauge.encode(encoder.encode_descriptor(name, help, None, MetricType::Gauge)?)
        };
        points(
            "causeway_points_left",
            "Points left in this hour, as far as this replica knows",
            points_left,
        )?;
        points("causeway_points_an_hour", "Points there are in an hour, for all replicas", points_an_hour)?;
        let help = "Circuit breakers of Atlassian's hosts: 0 closed, 1 half open, 2 open";
        let mut states =
            encoder.encode_descriptor("causeway_breaker_state", help, None, MetricType::Gauge)?;
        for (host, state) in breakers {
            ConstGauge::new(state).encode(states.encode_family(&[("host", host)])?)?;
        }
        Ok(())
    }
}
