//! Atlassian's side of a sign-in: consent, tokens and the sites a token reaches. Facts are in `auth.rs` and `sites.rs`,
//! beside the code that depends on them.

mod account;
mod again;
mod auth;
mod breaker;
mod probe;
mod sites;
mod tally;
mod token;

use std::future::Future;
use std::time::Duration;

use jiff::fmt::rfc2822;
use reqwest::header::{DATE, HeaderMap, RETRY_AFTER};
use tracing::{Instrument as _, field};

use crate::clock::Stopwatch;
use crate::telemetry::metrics::Upstream;
use crate::telemetry::{Metrics, TRACED};

pub use account::Account;
pub(crate) use again::first_answer;
pub use auth::{Auth, AuthError, Tokens};
pub use breaker::{Breaker, BreakerState, Resting, Trial};
pub use probe::Beginning;
pub use sites::{Site, Sites, SitesError};
pub use tally::{Kept, Tally};

pub use crate::ids::CloudId;
pub use token::AccessToken;

/// Why a call was not made to a host that is left alone, as it is counted.
pub(crate) const RESTS: &str = "host rests";

/// The one client for every call to Atlassian. It follows no redirect: an answer that sends us elsewhere is not an answer.
pub fn http_client() -> Result<reqwest::Client, reqwest::Error> {
    http_builder()
        .redirect(reqwest::redirect::Policy::none())
        .connect_timeout(Duration::from_secs(5))
        .pool_idle_timeout(Duration::from_secs(60))
        .pool_max_idle_per_host(64)
        // Pages are long and the way to Atlassian is too: larger windows, though no larger than what a slow reader of a file may
        // let pile up here; and a connection that has died is noticed.
        .http2_initial_stream_window_size(256 * 1024)
        .http2_initial_connection_window_size(24 * 1024 * 1024)
        .http2_keep_alive_interval(Duration::from_secs(20))
        .http2_keep_alive_timeout(Duration::from_secs(10))
        .tcp_keepalive(Duration::from_secs(60))
        .user_agent(concat!("causeway/", env!("CARGO_PKG_VERSION")))
        .build()
}

/// Awaits the head of an answer, and counts the call under its template.
async fn counted(
    metrics: &Metrics,
    call: &str,
    sent: impl Future<Output = reqwest::Result<reqwest::Response>>,
) -> reqwest::Result<reqwest::Response> {
    let began = Stopwatch::start();
    let span = tracing::info_span!(target: TRACED, "call", call, outcome = field::Empty);
    let answer = sent.instrument(span.clone()).await;
    let outcome = match &answer {
        Ok(response) => Upstream::Status(response.status().as_u16()),
        Err(error) if error.is_timeout() => Upstream::TooSlow,
        Err(_) => Upstream::Failed,
    };
    span.record("outcome", outcome.name());
    metrics.upstream(call, outcome, began.elapsed());
    answer
}

/// Where every client begins: with the one provider of cryptography there is.
#[allow(clippy::disallowed_methods)]
pub fn http_builder() -> reqwest::ClientBuilder {
    // Whoever comes later finds it installed.
    drop(rustls::crypto::ring::default_provider().install_default());
    reqwest::Client::builder()
}

/// Reads a body that may be at most `limit` bytes long.
async fn read(mut response: reqwest::Response, limit: usize) -> Result<Vec<u8>, String> {
    let mut body = Vec::new();
    while let Some(chunk) = response.chunk().await.map_err(describe)? {
        if body.len() + chunk.len() > limit {
            return Err(format!("the answer is longer than {limit} bytes"));
        }
        body.extend_from_slice(&chunk);
    }
    Ok(body)
}

/// What went wrong, for the log: without the URL, which may hold a secret.
pub(crate) fn describe(error: reqwest::Error) -> String {
    let error = error.without_url();
    let mut text = error.to_string();
    let mut source = std::error::Error::source(&error);
    while let Some(cause) = source {
        text = format!("{text}: {cause}");
        source = cause.source();
    }
    text
}

/// `Retry-After` in seconds: as it is given, or until the time that it names by the clock of whoever names it.
pub(crate) fn retry_after(headers: &HeaderMap) -> Option<u64> {
    let named = headers.get(RETRY_AFTER)?.to_str().ok()?.trim();
    if let Ok(seconds) = named.parse() {
        return Some(seconds);
    }
    let time = |text: &str| rfc2822::parse(text.trim()).ok().map(|time| time.timestamp().as_second());
    let now = time(headers.get(DATE)?.to_str().ok()?)?;
    Some(u64::try_from(time(named)? - now).unwrap_or(0))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_wait_is_named_in_seconds_or_as_the_time_when_it_ends() {
        let wait = |named: &str| {
            let date = (DATE, "Sat, 21 Nov 2026 09:15:00 GMT".parse().unwrap());
            retry_after(&[(RETRY_AFTER, named.parse().unwrap()), date].into_iter().collect())
        };
        for (named, seconds) in [
            ("7", Some(7)),
            (" 0 ", Some(0)),
            ("Sat, 21 Nov 2026 09:15:30 GMT", Some(30)),
            ("Sat, 21 Nov 2026 10:00:00 GMT", Some(45 * 60)),
            ("Sat, 21 Nov 2026 09:00:00 GMT", Some(0)),
            ("Mon, 21 Nov 2026 09:15:30 GMT", None),
            ("soon", None),
            ("-5", None),
            ("1.5", None),
            ("", None),
        ] {
            assert_eq!(wait(named), seconds, "{named}");
        }
        let alone = [(RETRY_AFTER, "Sat, 21 Nov 2026 09:15:30 GMT".parse().unwrap())];
        assert_eq!(retry_after(&alone.into_iter().collect()), None);
    }
}
