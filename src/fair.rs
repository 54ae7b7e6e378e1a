//! A pool of permits that people share fairly: nobody holds more than a share of it, and when a permit becomes free, it goes
//! to whoever of those who wait holds the least.
//!
//! Everything scarce is handed out by such a pool: places for requests, readers of files, links under way, room in memory. A
//! key stands for one person ([`Account`](crate::atlassian::Account)), so that many requests of one person wait for each
//! other and not in front of somebody else's.

use std::collections::{HashMap, VecDeque};
use std::hash::Hash;
use std::sync::Arc;
use std::time::Duration;

use parking_lot::Mutex;
use tokio::sync::oneshot;
use tokio::time::timeout;

/// How long a request may wait for permits in all: whoever gets none hears so within 5 seconds.
pub const PATIENCE: Duration = Duration::from_secs(4);

/// How much there is, and how much of it is one person's at the most.
#[derive(Clone, Copy, Debug)]
pub struct Shares {
    /// Permits in all.
    pub permits: usize,
    /// The most permits that one key holds. A single demand for more is met when the key holds nothing else.
    pub of_one: usize,
    /// The most demands that wait at a time, of all keys together. When more come, the key that waits most often gives way.
    pub waiting: usize,
}

/// Why there is no permit.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refused {
    #[error("too many wait already")]
    TooManyWait,
    #[error("no permit became free in time")]
    NotInTime,
}

impl Refused {
    /// A word for it in metrics.
    pub fn name(self) -> &'static str {
        match self {
            Self::TooManyWait => "too many wait",
            Self::NotInTime => "no place in time",
        }
    }
}

/// A pool of permits. A clone is another handle to the same pool.
pub struct FairPool<K: Key>(Arc<Mutex<State<K>>>);

/// What a share is counted by.
pub trait Key: Copy + Eq + Hash + Send + Sync + 'static {}
impl<K: Copy + Eq + Hash + Send + Sync + 'static> Key for K {}

/// Permits that are held until this is dropped.
pub struct Permit<K: Key> {
    pool: FairPool<K>,
    key: K,
    permits: usize,
}

struct State<K: Key> {
    shares: Shares,
    free: usize,
    held: HashMap<K, usize>,
    /// First come, first served for each key.
    queues: HashMap<K, VecDeque<Demand<K>>>,
    waiting: usize,
    tickets: u64,
}

struct Demand<K: Key> {
    ticket: u64,
    permits: usize,
    answer: oneshot::Sender<Permit<K>>,
}

impl<K: Key> Clone for FairPool<K> {
    fn clone(&self) -> Self {
        Self(self.0.clone())
    }
}

impl<K: Key> FairPool<K> {
    pub fn new(shares: Shares) -> Self {
        Self(Arc::new(Mutex::new(State {
            shares,
            free: shares.permits,
            held: HashMap::new(),
            queues: HashMap::new(),
            waiting: 0,
            tickets: 0,
        })))
    }

    /// Permits for `key`, at once or within `patience`. A demand for more than the pool has is met with all of it.
    pub async fn acquire(&self, key: K, permits: usize, patience: Duration) -> Result<Permit<K>, Refused> {
        let (ticket, answer) = match self.demand(key, permits) {
            Demanded::Met(permit) => return Ok(permit),
            Demanded::Refused => return Err(Refused::TooManyWait),
            Demanded::Waits(ticket, answer) => (ticket, answer),
        };
        let _withdrawal = Withdrawal { pool: self, key, ticket };
        // Without an end of its own, a wait needs no timer.
        let answer = async {
            if patience == Duration::MAX { Ok(answer.await) } else { timeout(patience, answer).await }
        };
        match answer.await {
            Ok(Ok(permit)) => Ok(permit),
            // Somebody who waits for less had to be let in instead.
            Ok(Err(_)) => Err(Refused::TooManyWait),
            Err(_) => Err(Refused::NotInTime),
        }
    }

    /// Permits for `key`, if there are any now and nobody waits for them.
    pub fn try_acquire(&self, key: K, permits: usize) -> Option<Permit<K>> {
        self.take_at_once(&mut self.0.lock(), key, permits)
    }

    /// Whether one more permit for `key` would have to be waited for.
    pub fn is_used_up_for(&self, key: K) -> bool {
        let state = self.0.lock();
        state.free == 0 || !state.is_within_share(key, 1) || state.next().is_some()
    }

    /// How many permits nobody holds.
    pub fn free(&self) -> usize {
        self.0.lock().free
    }

    /// How many demands wait.
    pub fn waiting(&self) -> usize {
        self.0.lock().waiting
    }

    fn demand(&self, key: K, permits: usize) -> Demanded<K> {
        let mut state = self.0.lock();
        let permits = permits.min(state.shares.permits);
        if let Some(permit) = self.take_at_once(&mut state, key, permits) {
            return Demanded::Met(permit);
        }
        let evicted = match state.make_way(key) {
            Ok(evicted) => evicted,
            Err(Refused::TooManyWait | Refused::NotInTime) => return Demanded::Refused,
        };
        let (sender, answer) = oneshot::channel();
        state.tickets += 1;
        let ticket = state.tickets;
        state.waiting += 1;
        state.queues.entry(key).or_default().push_back(Demand { ticket, permits, answer: sender });
        drop(state);
        drop(evicted);
        Demanded::Waits(ticket, answer)
    }

    fn take_at_once(&self, state: &mut State<K>, key: K, permits: usize) -> Option<Permit<K>> {
        let permits = permits.min(state.shares.permits);
        // Those who wait while there is enough for this demand wait for their own shares, or for more than there is.
        if permits > state.free || !state.is_within_share(key, permits) || state.next().is_some() {
            return None;
        }
        state.take(key, permits);
        Some(self.permit(key, permits))
    }

    fn permit(&self, key: K, permits: usize) -> Permit<K> {
        Permit { pool: self.clone(), key, permits }
    }

    fn give_back(&self, key: K, permits: usize) {
        let mut state = self.0.lock();
        state.free += permits;
        if let Some(held) = state.held.get_mut(&key) {
            *held -= permits;
            if *held == 0 {
                state.held.remove(&key);
            }
        }
        self.serve(state);
    }

    /// Meets as many demands as there are permits for. The answers are sent when the lock is free again: one that nobody
    /// waits for any more comes back as a permit that is dropped.
    fn serve(&self, mut state: parking_lot::MutexGuard<'_, State<K>>) {
        let mut met = Vec::new();
        while let Some(key) = state.next() {
            let Some(demand) = state.queues.get(&key).and_then(VecDeque::front) else { break };
            let permits = demand.permits;
            if permits > state.free {
                break;
            }
            if let Some(demand) = state.dequeue(key) {
                state.take(key, permits);
                met.push((demand.answer, self.permit(key, permits)));
            }
        }
        drop(state);
        for (answer, permit) in met {
            drop(answer.send(permit));
        }
    }
}

enum Demanded<K: Key> {
    Met(Permit<K>),
    Waits(u64, oneshot::Receiver<Permit<K>>),
    Refused,
}

impl<K: Key> State<K> {
    fn held(&self, key: K) -> usize {
        self.held.get(&key).copied().unwrap_or_default()
    }

    fn is_within_share(&self, key: K, permits: usize) -> bool {
        let held = self.held(key);
        held == 0 || held + permits <= self.shares.of_one
    }

    fn take(&mut self, key: K, permits: usize) {
        self.free -= permits;
        *self.held.entry(key).or_default() += permits;
    }

    /// Whose turn it is: of those whose share allows it, who holds the least, and of these who came first. A large demand at
    /// its turn is waited for, so that small ones do not starve it.
    fn next(&self) -> Option<K> {
        let first = self.queues.iter().filter_map(|(key, queue)| queue.front().map(|demand| (*key, demand)));
        let allowed = first.filter(|(key, demand)| self.is_within_share(*key, demand.permits));
        allowed.min_by_key(|(key, demand)| (self.held(*key), demand.ticket)).map(|(key, _)| key)
    }

    /// Makes sure that one more demand of `key` may wait: where too many do, the last of whoever has most of them goes.
    fn make_way(&mut self, key: K) -> Result<Option<Demand<K>>, Refused> {
        if self.waiting < self.shares.waiting {
            return Ok(None);
        }
        let most = self.queues.iter().max_by_key(|(_, queue)| queue.len());
        let (most, count) = most.map(|(key, queue)| (*key, queue.len())).ok_or(Refused::TooManyWait)?;
        let own = self.queues.get(&key).map_or(0, VecDeque::len);
        if own + 1 >= count {
            return Err(Refused::TooManyWait);
        }
        let evicted = self.queues.get_mut(&most).and_then(VecDeque::pop_back);
        self.waiting -= usize::from(evicted.is_some());
        Ok(evicted)
    }

    fn dequeue(&mut self, key: K) -> Option<Demand<K>> {
        let queue = self.queues.get_mut(&key)?;
        let demand = queue.pop_front();
        if queue.is_empty() {
            self.queues.remove(&key);
        }
        self.waiting -= usize::from(demand.is_some());
        demand
    }
}

/// Takes a demand out of its queue when nobody waits for it any more.
struct Withdrawal<'a, K: Key> {
    pool: &'a FairPool<K>,
    key: K,
    ticket: u64,
}

impl<K: Key> Drop for Withdrawal<'_, K> {
    fn drop(&mut self) {
        let mut state = self.pool.0.lock();
        let Some(queue) = state.queues.get_mut(&self.key) else { return };
        let Some(at) = queue.iter().position(|demand| demand.ticket == self.ticket) else { return };
        let withdrawn = queue.remove(at);
        if queue.is_empty() {
            state.queues.remove(&self.key);
        }
        state.waiting -= 1;
        // It may have been the large one that everybody waited for.
        self.pool.serve(state);
        drop(withdrawn);
    }
}

impl<K: Key> Permit<K> {
    /// How many permits this is.
    pub fn permits(&self) -> usize {
        self.permits
    }

    /// Makes it so many permits, if there are as many right now; says whether there were. Who holds permits already waits for
    /// nobody. As with a single demand, what the key holds nothing beside may be more than its share.
    pub fn grow(&mut self, permits: usize) -> bool {
        let mut state = self.pool.0.lock();
        let more = permits.saturating_sub(self.permits);
        let is_alone = state.held(self.key) == self.permits;
        if more > state.free || !(is_alone || state.is_within_share(self.key, more)) {
            return false;
        }
        state.take(self.key, more);
        self.permits += more;
        true
    }

    /// The same permits in other hands: nothing is left of this one.
    #[must_use]
    pub fn split_off(&mut self) -> Self {
        let permits = std::mem::take(&mut self.permits);
        Self { pool: self.pool.clone(), key: self.key, permits }
    }

    /// Gives back all but `permits` of it.
    pub fn shrink(&mut self, permits: usize) {
        let over = self.permits.saturating_sub(permits);
        if over > 0 {
            self.permits -= over;
            self.pool.give_back(self.key, over);
        }
    }
}

impl<K: Key> Drop for Permit<K> {
    fn drop(&mut self) {
        if self.permits > 0 {
            self.pool.give_back(self.key, self.permits);
        }
    }
}

#[cfg(test)]
mod tests {
    use futures_util::FutureExt as _;

    use super::*;

    fn pool(permits: usize, of_one: usize, waiting: usize) -> FairPool<char> {
        FairPool::new(Shares { permits, of_one, waiting })
    }

    /// A demand that has been made and is not awaited yet.
    fn ask(
        pool: &FairPool<char>,
        key: char,
        permits: usize,
    ) -> std::pin::Pin<Box<impl Future<Output = Result<Permit<char>, Refused>> + '_>> {
        let mut asked = Box::pin(pool.acquire(key, permits, PATIENCE));
        assert!((&mut asked).now_or_never().is_none(), "{key} has to wait");
        asked
    }

    fn take(pool: &FairPool<char>, key: char, permits: usize) -> Permit<char> {
        pool.acquire(key, permits, PATIENCE).now_or_never().expect("at once").unwrap()
    }

    #[tokio::test]
    async fn one_person_leaves_places_for_others_however_many_they_ask_for() {
        let pool = pool(4, 2, 100);
        let _held = [take(&pool, 'a', 1), take(&pool, 'a', 1)];
        let waiting: Vec<_> = (0..10).map(|_| ask(&pool, 'a', 1)).collect();
        let _others = [take(&pool, 'b', 1), take(&pool, 'c', 1)];
        assert_eq!((pool.free(), pool.waiting()), (0, 10));
        drop(waiting);
        assert_eq!(pool.waiting(), 0);
    }

    #[tokio::test]
    async fn what_becomes_free_goes_to_whoever_holds_least() {
        let pool = pool(4, 3, 100);
        let mut held = vec![take(&pool, 'a', 2), take(&pool, 'b', 1), take(&pool, 'c', 1)];
        let (mut a, mut d) = (ask(&pool, 'a', 1), ask(&pool, 'd', 1));
        held.pop();
        assert!((&mut a).now_or_never().is_none());
        let d = (&mut d).now_or_never().unwrap().unwrap();
        drop(d);
        assert!((&mut a).now_or_never().is_some());
    }

    #[tokio::test(start_paused = true)]
    async fn who_waits_in_vain_is_told_so_and_holds_up_nobody() {
        let pool = pool(2, 2, 100);
        let held = take(&pool, 'a', 1);
        let mut large = ask(&pool, 'b', 2);
        let mut small = ask(&pool, 'c', 1);
        assert_eq!((&mut large).await.err(), Some(Refused::NotInTime));
        drop(large);
        assert!((&mut small).now_or_never().unwrap().is_ok());
        drop((small, held));
        assert_eq!((pool.free(), pool.waiting()), (2, 0));
    }

    #[tokio::test]
    async fn a_large_demand_is_not_starved_by_small_ones() {
        let pool = pool(4, 4, 100);
        let held = take(&pool, 'a', 2);
        let mut large = ask(&pool, 'b', 4);
        let mut small = ask(&pool, 'c', 1);
        drop(held);
        let large = (&mut large).now_or_never().unwrap().unwrap();
        assert!((&mut small).now_or_never().is_none());
        drop(large);
        assert!((&mut small).now_or_never().is_some());
    }

    #[tokio::test]
    async fn whoever_waits_most_often_gives_way_to_others_who_want_to_wait() {
        let pool = pool(1, 1, 3);
        let held = take(&pool, 'a', 1);
        let mut crowd: Vec<_> = (0..3).map(|_| ask(&pool, 'a', 1)).collect();
        assert_eq!(pool.acquire('a', 1, PATIENCE).now_or_never().unwrap().err(), Some(Refused::TooManyWait));
        let mut other = ask(&pool, 'b', 1);
        let last = crowd.pop().unwrap();
        assert_eq!(last.now_or_never().unwrap().err(), Some(Refused::TooManyWait));
        drop(crowd);
        drop(held);
        assert!((&mut other).now_or_never().is_some());
    }

    #[tokio::test]
    async fn a_demand_above_the_share_is_met_alone_and_above_the_pool_with_all_of_it() {
        let pool = pool(10, 4, 100);
        let mut all = take(&pool, 'a', 100);
        assert_eq!((all.permits(), pool.free()), (10, 0));
        all.shrink(7);
        assert_eq!(pool.free(), 3);
        let waiting = ask(&pool, 'a', 1);
        drop(take(&pool, 'b', 3));
        drop((all, waiting));
        assert_eq!((pool.free(), pool.waiting()), (10, 0));
    }

    #[tokio::test]
    async fn a_permit_grows_at_once_or_not_at_all() {
        let pool = pool(10, 4, 100);
        let (mut one, mut other) = (take(&pool, 'a', 1), take(&pool, 'b', 1));
        assert!(one.grow(6) && !one.grow(10), "alone, it may be more than a share");
        assert_eq!((one.permits(), pool.free()), (6, 3));
        let second = take(&pool, 'b', 1);
        assert!(!other.grow(4) && other.grow(3), "two are a share together");
        let mut moved = one.split_off();
        drop((one, second));
        assert!(moved.grow(6) && moved.permits() == 6);
        drop((moved, other));
        assert_eq!(pool.free(), 10);
    }

    #[tokio::test]
    async fn a_permit_that_nobody_waits_for_any_more_is_not_lost() {
        let pool = pool(1, 1, 10);
        let held = take(&pool, 'a', 1);
        let gone = ask(&pool, 'b', 1);
        let mut next = ask(&pool, 'c', 1);
        drop(gone);
        drop(held);
        assert!((&mut next).now_or_never().is_some());
        assert_eq!(pool.free(), 1);
    }
}
