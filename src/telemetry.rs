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
