//! What one request has cost at Atlassian so far: calls, points, and the time spent waiting for them; and which pages it has
//! read for that.

use std::any::Any;
use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

use crate::clock::Clock;
use crate::fair::PATIENCE;

/// However long a request has taken, it may wait for so long for what is scarce.
const LEAST_PATIENCE: Duration = Duration::from_millis(500);

/// The costs of one request. Clones count together. A call that is shared with another request of the same person counts
/// there, where it was begun.
#[derive(Clone)]
pub struct Tally(Arc<Counts>);

struct Counts {
    clock: Clock,
    /// The request that this is a part of.
    whole: Option<Tally>,
    started: Instant,
    calls: AtomicU64,
    points: AtomicU64,
    waiting: Mutex<Waiting>,
    /// The ids of pages that have been read, in order.
    pages: Mutex<Vec<String>>,
    kept: Mutex<Vec<Kept>>,
}

/// Something that is given back by dropping it.
pub type Kept = Arc<dyn Any + Send + Sync>;

/// The time in which at least one call was being waited for: calls side by side do not add up.
#[derive(Default)]
struct Waiting {
    open: usize,
    since: Option<Instant>,
    total: Duration,
}

impl Tally {
    /// Begins to count, and to measure the whole time.
    pub fn start(clock: &Clock) -> Self {
        Self::counting(clock, None)
    }

    /// Counts a part of this request by itself; the whole counts it too.
    #[must_use]
    pub fn part(&self) -> Self {
        Self::counting(&self.0.clock, Some(self.clone()))
    }

    fn counting(clock: &Clock, whole: Option<Self>) -> Self {
        Self(Arc::new(Counts {
            clock: clock.clone(),
            whole,
            started: clock.instant(),
            calls: AtomicU64::new(0),
            points: AtomicU64::new(0),
            waiting: Mutex::default(),
            pages: Mutex::default(),
            kept: Mutex::default(),
        }))
    }

    /// Keeps something until the answer to the request has been sent.
    pub fn keep(&self, kept: Kept) {
        match &self.0.whole {
            Some(whole) => whole.keep(kept),
            None => self.0.kept.lock().unwrap_or_else(PoisonError::into_inner).push(kept),
        }
    }

    /// What has to be kept until the answer has been sent.
    pub fn kept(&self) -> Vec<Kept> {
        std::mem::take(&mut *self.0.kept.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Counts one call that is about to be sent.
    pub fn call(&self) {
        self.0.calls.fetch_add(1, Ordering::Relaxed);
        self.0.whole.iter().for_each(Self::call);
    }

    /// Counts what a call cost of the app's points.
    pub fn spend(&self, points: u64) {
        self.0.points.fetch_add(points, Ordering::Relaxed);
        self.0.whole.iter().for_each(|whole| whole.spend(points));
    }

    /// Remembers that a page has been read.
    pub fn read(&self, page: &str) {
        let mut pages = self.0.pages.lock().unwrap_or_else(PoisonError::into_inner);
        if !pages.iter().any(|known| known == page) {
            pages.push(page.to_owned());
        }
    }

    /// The ids of the pages that have been read so far.
    pub fn pages(&self) -> Vec<String> {
        self.0.pages.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Measures as waiting for Atlassian for as long as the guard lives.
    pub fn wait(&self) -> Wait {
        self.begin();
        Wait(self.clone())
    }

    fn begin(&self) {
        let mut waiting = self.0.waiting();
        if waiting.open == 0 {
            waiting.since = Some(self.0.clock.instant());
        }
        waiting.open += 1;
        self.0.whole.iter().for_each(Self::begin);
    }

    fn end(&self) {
        let mut waiting = self.0.waiting();
        waiting.open -= 1;
        if waiting.open == 0
            && let Some(since) = waiting.since.take()
        {
            waiting.total += self.0.clock.instant() - since;
        }
        self.0.whole.iter().for_each(Self::end);
    }

    pub fn calls(&self) -> u64 {
        self.0.calls.load(Ordering::Relaxed)
    }

    pub fn points(&self) -> u64 {
        self.0.points.load(Ordering::Relaxed)
    }

    /// How long Atlassian has been waited for, places and pauses before a retry included.
    pub fn upstream(&self) -> Duration {
        let waiting = self.0.waiting();
        waiting.total + waiting.since.map_or(Duration::ZERO, |since| self.0.clock.instant() - since)
    }

    /// How long the whole request may still wait for something scarce.
    pub fn patience(&self) -> Duration {
        match &self.0.whole {
            Some(whole) => whole.patience(),
            None => PATIENCE.saturating_sub(self.total()).max(LEAST_PATIENCE),
        }
    }

    /// How long the request has taken in all.
    pub fn total(&self) -> Duration {
        self.0.clock.instant() - self.0.started
    }

    /// The value of a `Server-Timing` header that tells the whole time and nothing of calls.
    pub fn total_timing(&self) -> String {
        format!("total;dur={:.1}", millis(self.total()))
    }
}

/// The value of a `Server-Timing` header: durations in milliseconds.
impl fmt::Display for Tally {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (upstream, calls, points) = (millis(self.upstream()), self.calls(), self.points());
        let total = self.total_timing();
        write!(f, "upstream;dur={upstream:.1};desc=\"{calls} calls, {points} points\", {total}")
    }
}

fn millis(time: Duration) -> f64 {
    time.as_secs_f64() * 1000.0
}

/// See [`Tally::wait`].
pub struct Wait(Tally);

impl Drop for Wait {
    fn drop(&mut self) {
        self.0.end();
    }
}

impl Counts {
    fn waiting(&self) -> MutexGuard<'_, Waiting> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn waits_side_by_side_are_measured_once() {
        let tally = Tally::start(&Clock::system());
        let part = tally.part();
        let (first, second) = (tally.wait(), part.wait());
        tokio::time::advance(Duration::from_millis(20)).await;
        drop(first);
        tokio::time::advance(Duration::from_millis(10)).await;
        drop(second);
        tokio::time::advance(Duration::from_millis(5)).await;
        drop(tally.wait());
        part.call();
        tally.call();
        part.spend(7);
        assert_eq!((part.calls(), part.points(), part.upstream()), (1, 7, Duration::from_millis(30)));
        assert_eq!(tally.to_string(), "upstream;dur=30.0;desc=\"2 calls, 7 points\", total;dur=35.0");
        assert_eq!(tally.total_timing(), "total;dur=35.0");
    }
}
