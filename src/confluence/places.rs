//! How many calls may be under way at once: Atlassian answers bursts of 20 to 30 with 429, whatever the hour's budget. Counted
//! for this replica.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::atlassian::{Account, CloudId};
use crate::memo::Memo;

/// Calls at once for one person, and for all people of one site.
const OF_PERSON: usize = 8;
const OF_SITE: usize = 20;
/// How long the places of somebody who does not ask are kept. Whoever comes back finds all of them free.
const IDLE: Duration = Duration::from_secs(600);

/// The places of everybody who has asked lately.
pub struct Places {
    people: Memo<Arc<Semaphore>>,
    sites: Memo<Arc<Semaphore>>,
}

/// A place, given back when dropped.
pub struct Place {
    _person: Option<OwnedSemaphorePermit>,
    _site: Option<OwnedSemaphorePermit>,
}

impl Default for Places {
    fn default() -> Self {
        Self { people: Memo::while_used(50_000, IDLE), sites: Memo::while_used(10_000, IDLE) }
    }
}

impl Places {
    /// Waits for a place, first come, first served. Whoever has all of their own places taken stands in nobody else's way.
    pub async fn take(&self, account: Account, site: &CloudId) -> Place {
        let person = take(&self.people, account.as_bytes(), OF_PERSON).await;
        let site = take(&self.sites, site.as_str().as_bytes(), OF_SITE).await;
        Place { _person: person, _site: site }
    }
}

async fn take(of: &Memo<Arc<Semaphore>>, key: &[u8], places: usize) -> Option<OwnedSemaphorePermit> {
    let semaphore = of.get_or(key, async { Arc::new(Semaphore::new(places)) }).await;
    // Nobody closes these semaphores.
    semaphore.acquire_owned().await.ok()
}

#[cfg(test)]
mod tests {
    use futures_util::FutureExt as _;

    use super::*;

    #[tokio::test]
    async fn one_person_s_crowd_stands_in_nobody_else_s_way() {
        let places = Places::default();
        let site = CloudId::parse("11111111-aaaa-4bbb-8ccc-000000000001").unwrap();
        let account = |number: usize| Account::of_holder(&number.to_be_bytes());
        let mut taken = Vec::new();
        for _ in 0..OF_PERSON {
            taken.push(places.take(account(0), &site).await);
        }
        assert!(places.take(account(0), &site).now_or_never().is_none());
        for number in OF_PERSON..OF_SITE {
            taken.push(places.take(account(number), &site).await);
        }
        let mut next = Box::pin(places.take(account(OF_SITE), &site));
        assert!((&mut next).now_or_never().is_none(), "the site is full");
        taken.pop();
        next.await;
    }
}
