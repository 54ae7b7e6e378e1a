//! What is remembered for a while of spaces and people. Each entry belongs to one access token at one site; any may vanish at any time.

use std::sync::Arc;
use std::time::Duration;

use moka::future::Cache;
use secrecy::{ExposeSecret, SecretString};

use super::{AccountId, Space, SpaceId, SpaceKey};
use crate::atlassian::CloudId;
use crate::seal::fingerprint;

/// Stands for one access token at one site.
pub type Partition = [u8; 32];

pub fn partition(token: &SecretString, cloud_id: &CloudId) -> Partition {
    fingerprint(&format!("{} {}", cloud_id.as_str(), token.expose_secret()))
}

/// Several spaces, shared.
pub type SpaceList = Arc<[Arc<Space>]>;

/// The caches, each bounded in entries and time.
pub struct Caches {
    pub spaces: Cache<(Partition, SpaceId), Arc<Space>>,
    /// The spaces that a list of keys names, for allow-lists.
    pub named_spaces: Cache<(Partition, Vec<SpaceKey>), SpaceList>,
    pub people: Cache<(Partition, AccountId), Arc<str>>,
}

impl Default for Caches {
    fn default() -> Self {
        Self { spaces: cache(20_000, 600), named_spaces: cache(5_000, 600), people: cache(50_000, 3_600) }
    }
}

fn cache<K, V>(entries: u64, seconds: u64) -> Cache<K, V>
where
    K: std::hash::Hash + Eq + Send + Sync + 'static,
    V: Clone + Send + Sync + 'static,
{
    Cache::builder().max_capacity(entries).time_to_live(Duration::from_secs(seconds)).build()
}
