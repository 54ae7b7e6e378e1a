//! What is remembered for a while of spaces and people. Each entry belongs to one access token at one site; any may vanish at any time.

use std::sync::Arc;
use std::time::Duration;

use moka::future::Cache;
use sha2::{Digest as _, Sha256};

use super::{AccountId, Space, SpaceId, SpaceKey};
use crate::atlassian::{AccessToken, CloudId};
use crate::telemetry::Metrics;

/// Stands for one access token at one site.
pub type Partition = [u8; 32];

pub fn partition(token: &AccessToken, cloud_id: &CloudId) -> Partition {
    Sha256::new().chain_update(token.fingerprint()).chain_update(cloud_id.as_str()).finalize().into()
}

/// Several spaces, shared.
pub type SpaceList = Arc<[Arc<Space>]>;

/// The caches, each bounded in entries and time.
pub struct Caches {
    pub spaces: Counted<(Partition, SpaceId), Arc<Space>>,
    /// The spaces that a list of keys names, for allow-lists.
    pub named_spaces: Counted<(Partition, Vec<SpaceKey>), SpaceList>,
    pub people: Counted<(Partition, AccountId), Arc<str>>,
}

impl Caches {
    pub fn new(metrics: &Metrics) -> Self {
        Self {
            spaces: Counted::new("spaces", 20_000, 600, metrics),
            named_spaces: Counted::new("named spaces", 5_000, 600, metrics),
            people: Counted::new("people", 50_000, 3_600, metrics),
        }
    }
}

/// A cache whose hits and misses are counted.
pub struct Counted<K, V> {
    name: &'static str,
    known: Cache<K, V>,
    metrics: Metrics,
}

impl<K, V> Counted<K, V>
where
    K: std::hash::Hash + Eq + Send + Sync + 'static,
    V: Clone + Send + Sync + 'static,
{
    fn new(name: &'static str, entries: u64, seconds: u64, metrics: &Metrics) -> Self {
        let known = Cache::builder().max_capacity(entries).time_to_live(Duration::from_secs(seconds)).build();
        Self { name, known, metrics: metrics.clone() }
    }

    pub async fn get(&self, key: &K) -> Option<V> {
        let found = self.known.get(key).await;
        self.metrics.cache(self.name, found.as_ref());
        found
    }

    pub async fn insert(&self, key: K, value: V) {
        self.known.insert(key, value).await;
    }

    /// Inserts what is not there, or not as `same` knows it: to write is slower than to look. Nobody counts this as a look-up.
    pub async fn correct(&self, key: K, same: impl FnOnce(&V) -> bool, value: impl FnOnce() -> V) {
        if !self.known.get(&key).await.is_some_and(|known| same(&known)) {
            self.known.insert(key, value()).await;
        }
    }
}
