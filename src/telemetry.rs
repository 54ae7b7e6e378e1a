//! The only place that configures logging.

use tracing_subscriber::EnvFilter;

use crate::config::Log;

/// Starts logging to standard error. A second call in one process changes nothing.
pub fn start(log: &Log) {
    let filter = EnvFilter::try_new(&log.filter).unwrap_or_else(|_| EnvFilter::new("info"));
    let builder = tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr);
    let started = if log.json { builder.json().try_init() } else { builder.compact().try_init() };
    started.unwrap_or_default();
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
