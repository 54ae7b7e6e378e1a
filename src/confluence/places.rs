//! How many calls may be under way at once: Atlassian answers bursts of 20 to 30 with 429, whatever the hour's budget. Counted
//! for this replica. What becomes free of a site's places goes to whoever has the fewest of them.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::atlassian::{Account, CloudId};
use crate::fair::{FairPool, Permit, Shares};
use crate::memo::Memo;

/// Calls at once for one person, and for all people of one site.
const OF_PERSON: usize = 8;
const OF_SITE: usize = 20;
/// Whoever waits for a place at a site waits until the request's own time is up.
const PATIENCE: Duration = Duration::MAX;
const SHARES: Shares = Shares { permits: OF_SITE, of_one: OF_PERSON, waiting: usize::MAX };
/// How long the places of somebody who does not ask are kept. Whoever comes back finds all of them free.
const IDLE: Duration = Duration::from_secs(600);

/// The places of everybody who has asked lately.
pub struct Places {
    people: Memo<Arc<Semaphore>>,
    sites: Memo<FairPool<Account>>,
}

/// A place, given back when dropped.
pub struct Place {
    _person: Option<OwnedSemaphorePermit>,
    _site: Option<Permit<Account>>,
}

impl Default for Places {
    fn default() -> Self {
        Self { people: Memo::while_used(50_000, IDLE), sites: Memo::while_used(10_000, IDLE) }
    }
}

impl Places {
    /// Waits for a place, first come, first served for each person. Whoever has all of their own places taken stands in nobody
    /// else's way.
    pub async fn take(&self, account: Account, site: &CloudId) -> Place {
        let person =
            self.people.get_or(account.as_bytes(), async { Arc::new(Semaphore::new(OF_PERSON)) }).await;
        // Nobody closes these semaphores.
        let person = person.acquire_owned().await.ok();
        let site = self.sites.get_or(site.as_str().as_bytes(), async { FairPool::new(SHARES) }).await;
        // Nobody is refused, and nobody waits in vain.
        let site = site.acquire(account, 1, PATIENCE).await.ok();
        Place { _person: person, _site: site }
    }
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

    #[tokio::test]
    async fn who_has_fewest_places_of_a_site_is_next() {
        let places = Places::default();
        let site = CloudId::parse("11111111-aaaa-4bbb-8ccc-000000000001").unwrap();
        let account = |number: usize| Account::of_holder(&number.to_be_bytes());
        let mut taken = Vec::new();
        for number in 0..OF_SITE {
            taken.push(places.take(account(number % 3), &site).await);
        }
        let mut crowd: Vec<_> = (0..3).map(|number| Box::pin(places.take(account(number), &site))).collect();
        for waiting in &mut crowd {
            assert!(waiting.now_or_never().is_none(), "the site is full");
        }
        let mut next = Box::pin(places.take(account(3), &site));
        assert!((&mut next).now_or_never().is_none(), "the site is full");
        taken.pop();
        assert!(next.now_or_never().is_some(), "who has none comes before those who have some");
    }
}
