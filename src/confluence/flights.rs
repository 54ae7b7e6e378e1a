//! Identical work under way at the same moment is done once. Nothing outlives the flight: who comes later asks again.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use futures_util::FutureExt as _;
use futures_util::future::{BoxFuture, Shared, WeakShared};

/// What makes two pieces of work the same.
pub type Key = [u8; 32];

/// Work that several wait for. It is driven by whoever waits, and ends with the last of them: one who goes away, or whose
/// time is up, takes nothing from the others.
pub type Flight<T> = Shared<BoxFuture<'static, T>>;

/// All work under way.
pub struct Flights<T> {
    under_way: Mutex<HashMap<Key, Entry<T>>>,
    numbers: AtomicU64,
}

struct Entry<T> {
    number: u64,
    flight: WeakShared<BoxFuture<'static, T>>,
}

impl<T> Default for Flights<T> {
    fn default() -> Self {
        Self { under_way: Mutex::default(), numbers: AtomicU64::default() }
    }
}

impl<T: Clone + Send + Sync + 'static> Flights<T> {
    /// The flight of this key that is under way, or else `work` as a new one.
    pub fn join(self: &Arc<Self>, key: Key, work: impl Future<Output = T> + Send + 'static) -> Flight<T> {
        let mut under_way = self.under_way();
        if let Some(flight) = under_way.get(&key).and_then(|entry| entry.flight.upgrade()) {
            return flight;
        }
        let number = self.numbers.fetch_add(1, Ordering::Relaxed);
        let landing = Landing { flights: self.clone(), key, number };
        let flight = async move {
            let _landing = landing;
            work.await
        };
        let flight = flight.boxed().shared();
        if let Some(weak) = flight.downgrade() {
            under_way.insert(key, Entry { number, flight: weak });
        }
        flight
    }
}

impl<T> Flights<T> {
    /// Held for moments only. No flight may be dropped meanwhile, for its landing takes the lock.
    fn under_way(&self) -> MutexGuard<'_, HashMap<Key, Entry<T>>> {
        self.under_way.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// How much is under way.
    #[cfg(test)]
    fn len(&self) -> usize {
        self.under_way().len()
    }
}

/// Takes a flight off the list, however it ends.
struct Landing<T> {
    flights: Arc<Flights<T>>,
    key: Key,
    number: u64,
}

impl<T> Drop for Landing<T> {
    fn drop(&mut self) {
        let mut under_way = self.flights.under_way();
        // Between the end of a flight and this moment another may have taken its place.
        if under_way.get(&self.key).is_some_and(|entry| entry.number == self.number) {
            under_way.remove(&self.key);
        }
    }
}

#[cfg(test)]
mod tests {
    use tokio::sync::oneshot;

    use super::*;

    #[tokio::test]
    async fn the_same_at_the_same_time_is_done_once_and_then_anew() {
        let flights: Arc<Flights<u32>> = Arc::default();
        let (done, result) = oneshot::channel();
        let first = flights.join([1; 32], async { result.await.unwrap() });
        let second = flights.join([1; 32], async { unreachable!("the first is under way") });
        let other = flights.join([2; 32], async { 7 });
        done.send(5).unwrap();
        assert_eq!((first.await, second.await, other.await), (5, 5, 7));
        assert_eq!(flights.join([1; 32], async { 6 }).await, 6);
        assert_eq!(flights.len(), 0);
    }

    #[tokio::test]
    async fn one_who_leaves_takes_nothing_from_the_others_and_the_last_ends_the_work() {
        let flights: Arc<Flights<u32>> = Arc::default();
        let (done, result) = oneshot::channel();
        let mut first = flights.join([1; 32], async { result.await.unwrap() });
        assert!((&mut first).now_or_never().is_none(), "the first drives the work");
        let mut second = flights.join([1; 32], async { unreachable!("the first is under way") });
        assert!((&mut second).now_or_never().is_none());
        drop(first);
        done.send(5).unwrap();
        assert_eq!(second.await, 5);

        let (work, gone) = oneshot::channel::<()>();
        let alone = flights.join([1; 32], async move {
            let _work = work;
            std::future::pending().await
        });
        drop(alone);
        assert!(gone.await.is_err(), "nobody waits, nothing is under way");
        assert_eq!(flights.len(), 0);
    }
}
