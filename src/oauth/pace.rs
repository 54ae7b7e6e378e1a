//! How fast clients may ask for tokens and registrations: each client at its own pace, and addresses only where requests
//! fail. All of ChatGPT shares few addresses, and without `CAUSEWAY_TRUSTED_PROXIES` everybody behind a proxy shares one, so
//! an address is never a reason to refuse what would succeed.

use std::net::IpAddr;
use std::num::NonZeroU32;
use std::sync::Arc;
use std::time::Duration;

use axum::http::HeaderMap;
use governor::middleware::NoOpMiddleware;
use governor::state::{InMemoryState, NotKeyed};
use governor::{Quota, RateLimiter};
use ipnet::IpNet;

use super::error::{Code, OauthError};
use crate::clock::Clock;
use crate::config::Config;
use crate::memo::Memo;
use crate::peer::{Peer, household};
use crate::telemetry::Metrics;

/// What one client may ask for: so many at once, so many a second. With 65,000 points an hour, no more people than this can
/// be at work.
const OF_A_CLIENT: [u32; 2] = [600, 20];

/// The failures of one address that are explained, likewise.
const OF_FAILURES: [u32; 2] = [60, 1];

/// How many clients, and how many addresses, are remembered.
const MAX_REMEMBERED: u64 = 10_000;

/// How long a pace is remembered after its last use: longer than it takes to have all of it back.
const REMEMBERED_FOR: Duration = Duration::from_secs(5 * 60);

/// Who is counted as one client: the client, and where it proves nothing, its address, so that nobody uses up what is
/// another's.
#[derive(Clone, Debug)]
pub struct Asker {
    pub client: String,
    pub address: Option<IpAddr>,
}

impl Asker {
    /// The address comes first: a client may be called anything.
    fn key(&self) -> String {
        let address = self.address.map(|address| address.to_string()).unwrap_or_default();
        format!("{address} {}", self.client)
    }
}

/// The paces of one gateway. A clone counts with it.
#[derive(Clone)]
pub struct Pace {
    clients: Limiter,
    failures: Limiter,
    proxies: Arc<[IpNet]>,
    metrics: Metrics,
}

impl Pace {
    pub fn new(config: &Config, clock: &Clock, metrics: &Metrics) -> Self {
        Self {
            clients: Limiter::new(OF_A_CLIENT, clock),
            failures: Limiter::new(OF_FAILURES, clock),
            proxies: config.trusted_proxies.as_slice().into(),
            metrics: metrics.clone(),
        }
    }

    /// The address that a request counts for.
    pub fn address(&self, peer: Peer, headers: &HeaderMap) -> IpAddr {
        let values =
            headers.get_all("x-forwarded-for").iter().map(|value| value.to_str().unwrap_or_default());
        household(peer.client(&values.collect::<Vec<_>>().join(","), &self.proxies))
    }

    /// Counts a request of a client's, and refuses it where there have been too many.
    pub async fn admit(&self, asker: Asker) -> Result<(), OauthError> {
        self.clients.count(&asker.key()).await.map_err(|wait| self.too_many(wait))
    }

    /// Counts a failure, and answers in its place that there have been too many, where there have.
    pub async fn failed(&self, address: IpAddr, error: OauthError) -> OauthError {
        match self.failures.count(&address.to_string()).await {
            Ok(()) => error,
            Err(wait) => self.too_many(wait),
        }
    }

    fn too_many(&self, wait: Duration) -> OauthError {
        self.metrics.shed("pace");
        let retry_after = Some(wait.as_secs() + 1);
        OauthError { retry_after, ..OauthError::new(Code::TooManyRequests, "There are too many requests.") }
    }
}

type Direct = RateLimiter<NotKeyed, InMemoryState, Clock, NoOpMiddleware<Duration>>;

/// One pace for each key. Keys are anybody's choice, so only the latest are remembered.
#[derive(Clone)]
struct Limiter {
    quota: Quota,
    clock: Clock,
    states: Memo<Arc<Direct>>,
}

impl Limiter {
    fn new(pace: [u32; 2], clock: &Clock) -> Self {
        let [burst, per_second] = pace.map(|number| NonZeroU32::new(number).unwrap_or(NonZeroU32::MIN));
        let states = Memo::while_used(MAX_REMEMBERED, REMEMBERED_FOR);
        Self { quota: Quota::per_second(per_second).allow_burst(burst), clock: clock.clone(), states }
    }

    /// Counts one; where that is one too many, how long to wait.
    async fn count(&self, key: &str) -> Result<(), Duration> {
        let new = async { Arc::new(RateLimiter::direct_with_clock(self.quota, self.clock.clone())) };
        let state = self.states.get_or(key.as_bytes(), new).await;
        state.check().map_err(|until| until.wait_time_from(self.clock.running()))
    }
}

impl governor::clock::Clock for Clock {
    type Instant = Duration;

    fn now(&self) -> Duration {
        self.running()
    }
}
