//! How often something may be tried. A refresh that opens and matches is never refused for what others sent: junk is counted by
//! the address it comes from, and there only changes what the next junk is told; good refreshes by the person who signed in. Only
//! Atlassian tells a made-up code from a good one, so that each counts as made up from when it comes through the callback until it
//! is redeemed. Where too many are out, the next one waits at the callback; no code that was given out is ever refused for it.
//!
//! All of ChatGPT shares few addresses, and without `CAUSEWAY_TRUSTED_PROXIES` everybody behind a proxy shares one, so the address
//! of a token request is never a reason to refuse what would succeed.

use std::borrow::Cow;
use std::hash::Hash;
use std::net::IpAddr;
use std::num::NonZeroUsize;
use std::sync::Arc;
use std::time::Duration;

use axum::http::HeaderMap;
use ipnet::IpNet;
use lru::LruCache;
use parking_lot::Mutex;

use super::error::{Code, OauthError};
use crate::clock::Clock;
use crate::config::Config;
use crate::peer::{Peer, household};
use crate::seal::payloads::CameThrough;
use crate::telemetry::Metrics;

/// The failures of one address that are explained.
const FAILURES: Allowance = Allowance { burst: 60, period: Duration::from_secs(1) };

/// The refreshes of one person that reach Atlassian. A session needs one an hour; a person may have several, and clients retry.
const REFRESHES: Allowance = Allowance { burst: 100, period: Duration::from_secs(1) };

/// The codes of one browser that are not redeemed: a person has one or two, made-up ones come by the hundred.
const CODES_OF_A_BROWSER: Allowance = Allowance { burst: 5, period: Duration::from_secs(60) };

/// The same of one address, at which many people may be, to clients of one sort: with a secret or without.
const CODES_OF_AN_ADDRESS: Allowance = Allowance { burst: 40, period: Duration::from_secs(10) };

/// How many keys are remembered of each kind. Keys are anybody's choice, so only those used last are.
const MAX_REMEMBERED: NonZeroUsize = NonZeroUsize::new(10_000).unwrap();

/// The paces of one gateway. A clone counts with it.
#[derive(Clone)]
pub struct Pace {
    failures: Buckets<IpAddr>,
    refreshes: Buckets<String>,
    browsers: Buckets<String>,
    addresses: Buckets<String>,
    /// Browsers that brought a code which Atlassian accepted: they answer for themselves, not for their address.
    proven: Seen<String>,
    proxies: Arc<[IpNet]>,
    metrics: Metrics,
}

impl Pace {
    pub fn new(config: &Config, clock: &Clock, metrics: &Metrics) -> Self {
        Self {
            failures: Buckets::new(FAILURES, clock),
            refreshes: Buckets::new(REFRESHES, clock),
            browsers: Buckets::new(CODES_OF_A_BROWSER, clock),
            addresses: Buckets::new(CODES_OF_AN_ADDRESS, clock),
            proven: Seen::new(),
            proxies: config.trusted_proxies.as_slice().into(),
            metrics: metrics.clone(),
        }
    }

    /// The address that a request counts for; of IPv6 the /64.
    pub fn address(&self, peer: Peer, headers: &HeaderMap) -> IpAddr {
        let values =
            headers.get_all("x-forwarded-for").iter().map(|value| value.to_str().unwrap_or_default());
        household(peer.client(&values.collect::<Vec<_>>().join(","), &self.proxies))
    }

    /// Counts a failure, and answers in its place that there have been too many, where there have.
    pub fn failed(&self, address: IpAddr, error: OauthError) -> OauthError {
        self.failures.take(&address).map_or_else(|wait| self.refuse(wait), |()| error)
    }

    /// Counts a refresh that is about to reach Atlassian, for the person who signed in.
    pub fn refresh(&self, person: &str) -> Result<(), OauthError> {
        self.refreshes.take(&person.to_owned()).map_err(|wait| self.refuse(wait))
    }

    /// Counts a code that somebody brings through the callback as one that Atlassian will refuse, until it is known better.
    pub fn code(&self, browser: String, address: String) -> Result<CameThrough, OauthError> {
        self.browsers.take(&browser).map_err(|wait| self.refuse(wait))?;
        if self.proven.holds(&browser) {
            return Ok(CameThrough { browser, address: None });
        }
        if let Err(wait) = self.addresses.take(&address) {
            self.browsers.give_back(&browser);
            return Err(self.refuse(wait));
        }
        Ok(CameThrough { browser, address: Some(address) })
    }

    /// Counts it no longer, because it was good.
    pub fn accepted(&self, from: CameThrough) {
        self.browsers.give_back(&from.browser);
        if let Some(address) = &from.address {
            self.addresses.give_back(address);
        }
        self.proven.insert(from.browser, ());
    }

    fn refuse(&self, wait: Duration) -> OauthError {
        self.metrics.shed("pace");
        too_many(wait)
    }
}

/// Says to come back later.
pub fn too_many(wait: Duration) -> OauthError {
    let description = Cow::Borrowed("There are too many requests.");
    OauthError { code: Code::TooManyRequests, description, retry_after: Some(wait.as_secs() + 1) }
}

/// So many at once, then one each `period`.
#[derive(Clone, Copy, Debug)]
pub struct Allowance {
    pub burst: u32,
    pub period: Duration,
}

/// An allowance for each key, counted as the generic cell rate algorithm does. A clone counts with it.
#[derive(Clone)]
pub struct Buckets<K: Hash + Eq> {
    allowance: Allowance,
    clock: Clock,
    /// When all of what was taken will be back.
    full_again: Arc<Mutex<LruCache<K, Duration>>>,
}

impl<K: Hash + Eq + Clone> Buckets<K> {
    pub fn new(allowance: Allowance, clock: &Clock) -> Self {
        let full_again = Arc::new(Mutex::new(LruCache::new(MAX_REMEMBERED)));
        Self { allowance, clock: clock.clone(), full_again }
    }

    /// Takes one; where that is one too many, how long to wait.
    pub fn take(&self, key: &K) -> Result<(), Duration> {
        let mut full_again = self.full_again.lock();
        let next = self.after_one_more(full_again.get(key).copied())?;
        full_again.put(key.clone(), next);
        Ok(())
    }

    /// Puts back one that was taken.
    pub fn give_back(&self, key: &K) {
        if let Some(full_again) = self.full_again.lock().get_mut(key) {
            *full_again = full_again.saturating_sub(self.allowance.period);
        }
    }

    fn after_one_more(&self, full_again: Option<Duration>) -> Result<Duration, Duration> {
        let now = self.clock.running();
        let next = full_again.unwrap_or_default().max(now) + self.allowance.period;
        let latest = now + self.allowance.period * self.allowance.burst;
        let wait = next.saturating_sub(latest);
        if wait.is_zero() { Ok(next) } else { Err(wait) }
    }
}

/// What has been seen, with something about it; those seen last, so many. A clone shares them.
#[derive(Clone)]
pub struct Seen<K: Hash + Eq, V = ()>(Arc<Mutex<LruCache<K, V>>>);

impl<K: Hash + Eq, V: Clone> Seen<K, V> {
    pub fn new() -> Self {
        Self(Arc::new(Mutex::new(LruCache::new(MAX_REMEMBERED))))
    }

    /// Remembers `key` with `value`, or answers with what it was seen with before, which stays.
    pub fn insert(&self, key: K, value: V) -> Option<V> {
        let mut seen = self.0.lock();
        let before = seen.get(&key).cloned();
        if before.is_none() {
            seen.put(key, value);
        }
        before
    }

    pub fn holds(&self, key: &K) -> bool {
        self.0.lock().get(key).is_some()
    }

    pub fn forget(&self, key: &K) {
        self.0.lock().pop(key);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn buckets(burst: u32) -> (Buckets<u32>, Clock) {
        let clock = Clock::manual("2026-11-21T09:00:00Z".parse().unwrap());
        (Buckets::new(Allowance { burst, period: Duration::from_secs(10) }, &clock), clock)
    }

    #[test]
    fn so_many_are_had_at_once_and_then_one_each_period() {
        let (buckets, clock) = buckets(3);
        assert_eq!([1, 2, 3].map(|_| buckets.take(&1)), [Ok(()); 3]);
        assert_eq!(buckets.take(&1), Err(Duration::from_secs(10)));
        assert_eq!(buckets.take(&2), Ok(()));
        clock.advance(Duration::from_secs(9));
        assert_eq!(buckets.take(&1), Err(Duration::from_secs(1)));
        clock.advance(Duration::from_secs(1));
        assert_eq!((buckets.take(&1), buckets.take(&1)), (Ok(()), Err(Duration::from_secs(10))));
        clock.advance(Duration::from_secs(3600));
        assert_eq!([1, 2, 3, 4].map(|_| buckets.take(&1).is_ok()), [true, true, true, false]);
    }

    #[test]
    fn what_is_given_back_can_be_had_again() {
        let (buckets, _) = buckets(1);
        for _ in 0..5 {
            assert_eq!(buckets.take(&1), Ok(()));
            buckets.give_back(&1);
        }
        assert_eq!((buckets.take(&1), buckets.take(&1).is_err()), (Ok(()), true));
    }

    #[test]
    fn keys_that_nobody_uses_are_forgotten_and_memory_is_bounded() {
        let (buckets, _) = buckets(1);
        for key in 0..20_000 {
            buckets.take(&key).unwrap();
        }
        assert_eq!(buckets.full_again.lock().len(), MAX_REMEMBERED.get());
        let seen = Seen::new();
        assert_eq!(
            (seen.insert(1, 'a'), seen.insert(1, 'b'), seen.insert(1, 'c')),
            (None, Some('a'), Some('a'))
        );
        (0..20_000).for_each(|key| assert!(key == 1 || seen.insert(key, 'x').is_none()));
        assert_eq!(seen.0.lock().len(), MAX_REMEMBERED.get());
    }
}
