//! How many calls may be under way at once: Atlassian answers bursts of 20 to 30 with 429, whatever the hour's budget. Counted
//! for this replica.

use std::hash::Hash;
use std::sync::Arc;
use std::time::Duration;

use moka::future::Cache;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::atlassian::{Account, CloudId};

/// Calls at once for one person, and for all people of one site.
const OF_PERSON: usize = 8;
const OF_SITE: usize = 20;
/// How long the places of somebody who does not ask are kept. Whoever comes back finds all of them free.
const IDLE: Duration = Duration::from_secs(600);

/// The places of everybody who has asked lately.
pub struct Places {
    people: Cache<Account, Arc<Semaphore>>,
    sites: Cache<CloudId, Arc<Semaphore>>,
}

/// A place, given back when dropped.
pub struct Place {
    _person: Option<OwnedSemaphorePermit>,
    _site: Option<OwnedSemaphorePermit>,
}

impl Default for Places {
    fn default() -> Self {
        Self { people: kept(50_000), sites: kept(10_000) }
    }
}

impl Places {
    /// Waits for a place, first come, first served. Whoever has all of their own places taken stands in nobody else's way.
    pub async fn take(&self, account: Account, site: CloudId) -> Place {
        let person = take(&self.people, account, OF_PERSON).await;
        let site = take(&self.sites, site, OF_SITE).await;
        Place { _person: person, _site: site }
    }
}

async fn take<K>(of: &Cache<K, Arc<Semaphore>>, key: K, places: usize) -> Option<OwnedSemaphorePermit>
where
    K: Hash + Eq + Send + Sync + 'static,
{
    let semaphore = of.get_with(key, async { Arc::new(Semaphore::new(places)) }).await;
    // Nobody closes these semaphores.
    semaphore.acquire_owned().await.ok()
}

fn kept<K>(entries: u64) -> Cache<K, Arc<Semaphore>>
where
    K: Hash + Eq + Send + Sync + 'static,
{
    Cache::builder().max_capacity(entries).time_to_idle(IDLE).build()
}

#[cfg(test)]
mod tests {
    use futures_util::FutureExt as _;

    use super::*;

    #[tokio::test]
    async fn one_person_s_crowd_stands_in_nobody_else_s_way() {
        let places = Places::default();
        let site = || CloudId::parse("11111111-aaaa-4bbb-8ccc-000000000001").unwrap();
        let account = |number: usize| Account::of_holder(&number.to_be_bytes());
        let mut taken = Vec::new();
        for _ in 0..OF_PERSON {
            taken.push(places.take(account(0), site()).await);
        }
        assert!(places.take(account(0), site()).now_or_never().is_none());
        for number in OF_PERSON..OF_SITE {
            taken.push(places.take(account(number), site()).await);
        }
        let mut next = Box::pin(places.take(account(OF_SITE), site()));
        assert!((&mut next).now_or_never().is_none(), "the site is full");
        taken.pop();
        next.await;
    }
}
