//! What is remembered for a while of spaces and people. Each entry belongs to one access token at one site; any may vanish at any time.

use std::sync::Arc;
use std::time::Duration;

use sha2::{Digest as _, Sha256};

use super::Space;
use crate::atlassian::{AccessToken, CloudId};
use crate::clean::Clean;
use crate::memo::Memo;
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
    /// By id.
    pub spaces: Counted<Arc<Space>>,
    /// The spaces that a list of keys names, for allow-lists, by the keys with commas.
    pub named_spaces: Counted<SpaceList>,
    /// Names by account id.
    pub people: Counted<Arc<Clean>>,
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
pub struct Counted<V> {
    name: &'static str,
    known: Memo<V>,
    metrics: Metrics,
}

impl<V: Clone + Send + Sync + 'static> Counted<V> {
    fn new(name: &'static str, entries: u64, seconds: u64, metrics: &Metrics) -> Self {
        let known = Memo::lasting(entries, Duration::from_secs(seconds));
        Self { name, known, metrics: metrics.clone() }
    }

    pub async fn get(&self, partition: &Partition, name: &str) -> Option<V> {
        let found = self.known.get(&key(partition, name)).await;
        self.metrics.cache(self.name, found.as_ref());
        found
    }

    pub async fn insert(&self, partition: &Partition, name: &str, value: V) {
        self.known.insert(key(partition, name), value).await;
    }

    /// Inserts what is not there, or not as `same` knows it: to write is slower than to look. Nobody counts this as a look-up.
    pub async fn correct(
        &self,
        partition: &Partition,
        name: &str,
        same: impl FnOnce(&V) -> bool,
        value: impl FnOnce() -> V,
    ) {
        let key = key(partition, name);
        if !self.known.get(&key).await.is_some_and(|known| same(&known)) {
            self.known.insert(key, value()).await;
        }
    }
}

/// What something of this name is remembered by.
pub fn key(partition: &Partition, name: &str) -> Vec<u8> {
    [partition, name.as_bytes()].concat()
}
