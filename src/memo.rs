//! What is remembered for a while, bounded in entries and in time. Any of it may vanish at any moment.

use std::any::Any;
use std::fmt;
use std::future::Future;
use std::marker::PhantomData;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use moka::future::{Cache, CacheBuilder};

/// Values of one kind, by keys of bytes. A clone shares them.
///
/// Inside, the values of all memos are of one type: a cache for each kind would add as many times 150 KB to the binary.
pub struct Memo<V> {
    known: Cache<Vec<u8>, Anything>,
    kind: PhantomData<fn() -> V>,
}

type Anything = Arc<dyn Any + Send + Sync>;
type Making<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

impl<V> Clone for Memo<V> {
    fn clone(&self) -> Self {
        Self { known: self.known.clone(), kind: PhantomData }
    }
}

impl<V> fmt::Debug for Memo<V> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Memo").finish_non_exhaustive()
    }
}

impl<V: Clone + Send + Sync + 'static> Memo<V> {
    /// Remembers each value for so long, and the latest `entries` of them.
    pub fn lasting(entries: u64, lifetime: Duration) -> Self {
        Self::of(Cache::builder().max_capacity(entries).time_to_live(lifetime))
    }

    /// Remembers each value until nobody has asked for it for so long.
    pub fn while_used(entries: u64, idle: Duration) -> Self {
        Self::of(Cache::builder().max_capacity(entries).time_to_idle(idle))
    }

    fn of(cache: CacheBuilder<Vec<u8>, Anything, Cache<Vec<u8>, Anything>>) -> Self {
        Self { known: cache.build(), kind: PhantomData }
    }

    pub async fn get(&self, key: &[u8]) -> Option<V> {
        self.known.get(key).await.map(|value| as_kind(&value))
    }

    pub async fn insert(&self, key: Vec<u8>, value: V) {
        self.known.insert(key, Arc::new(value)).await;
    }

    pub async fn forget(&self, key: &[u8]) {
        self.known.invalidate(key).await;
    }

    /// What is known, or else what `make` gives; who asks meanwhile waits for the same.
    pub async fn get_or(&self, key: &[u8], make: impl Future<Output = V> + Send) -> V {
        if let Some(known) = self.get(key).await {
            return known;
        }
        let make: Making<'_, Anything> = Box::pin(async { Arc::new(make.await) as Anything });
        as_kind(&self.known.get_with_by_ref(key, make).await)
    }

    /// The same of something that may fail. Who waited for a failure is told of it; it is not remembered.
    pub async fn try_get_or<E: Send + Sync + 'static>(
        &self,
        key: &[u8],
        make: impl Future<Output = Result<V, E>> + Send,
    ) -> Result<V, Arc<E>> {
        if let Some(known) = self.get(key).await {
            return Ok(known);
        }
        let make: Making<'_, Result<Anything, Anything>> = Box::pin(async {
            match make.await {
                Ok(value) => Ok(Arc::new(value) as Anything),
                Err(error) => Err(Arc::new(Arc::new(error)) as Anything),
            }
        });
        let outcome = self.known.try_get_with_by_ref(key, make).await;
        outcome.map(|value| as_kind(&value)).map_err(|error| as_kind(&error))
    }
}

/// What was put in as such.
fn as_kind<T: Clone + 'static>(value: &Anything) -> T {
    match value.downcast_ref::<T>() {
        Some(value) => value.clone(),
        None => unreachable!("a memo holds values of its own kind alone"),
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use super::*;

    const HOUR: Duration = Duration::from_secs(3600);

    #[tokio::test]
    async fn what_is_known_is_not_made_again() {
        let memo: Memo<Arc<str>> = Memo::lasting(10, HOUR);
        assert_eq!(memo.get(b"a").await, None);
        assert_eq!(&*memo.get_or(b"a", async { "first".into() }).await, "first");
        assert_eq!(&*memo.get_or(b"a", async { "second".into() }).await, "first");
        memo.insert(b"a".to_vec(), "third".into()).await;
        assert_eq!(memo.clone().get(b"a").await.as_deref(), Some("third"));
        memo.forget(b"a").await;
        assert_eq!(memo.get(b"a").await, None);
    }

    #[tokio::test]
    async fn who_asks_together_waits_for_one_answer_and_failures_are_forgotten() {
        let memo: Memo<u8> = Memo::while_used(10, HOUR);
        let times = AtomicUsize::new(0);
        let make = async |outcome: Result<u8, &'static str>| {
            times.fetch_add(1, Ordering::Relaxed);
            tokio::task::yield_now().await;
            outcome
        };
        let ask = |outcome| memo.try_get_or(b"a", make(outcome));
        let (one, two) = tokio::join!(ask(Err("no")), ask(Err("neither")));
        assert_eq!((one, two), (Err(Arc::new("no")), Err(Arc::new("no"))));
        assert_eq!(times.load(Ordering::Relaxed), 1);
        assert_eq!((ask(Ok(7)).await, ask(Err("no")).await), (Ok(7), Ok(7)));
        assert_eq!(times.load(Ordering::Relaxed), 2);
    }
}
