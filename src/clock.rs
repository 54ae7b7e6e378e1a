//! The only reader of the clock. Everything that asks for the time holds a [`Clock`], so that a test can move it.

#![allow(clippy::disallowed_methods)]

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use jiff::Timestamp;

/// A source of the present time: the machine's, or one that a test moves by hand.
#[derive(Clone, Debug, Default)]
pub struct Clock {
    /// Milliseconds since the Unix epoch; absent: the machine's own clock.
    manual: Option<Arc<AtomicI64>>,
    began: Stopwatch,
}

impl Clock {
    /// The machine's clock.
    pub fn system() -> Self {
        Self::default()
    }

    /// A clock that stands still at `start` until [`Clock::advance`] moves it.
    pub fn manual(start: Timestamp) -> Self {
        Self { manual: Some(Arc::new(AtomicI64::new(start.as_millisecond()))), began: Stopwatch::start() }
    }

    /// Moves a manual clock, and every clone of it, forward. The machine's clock is left alone.
    pub fn advance(&self, by: Duration) {
        if let Some(millis) = &self.manual {
            millis.fetch_add(i64::try_from(by.as_millis()).unwrap_or(i64::MAX), Ordering::SeqCst);
        }
    }

    /// The present time.
    pub fn now(&self) -> Timestamp {
        match &self.manual {
            Some(millis) => {
                Timestamp::from_millisecond(millis.load(Ordering::SeqCst)).unwrap_or(Timestamp::MAX)
            }
            None => Timestamp::now(),
        }
    }

    /// The present time in whole seconds since the Unix epoch.
    pub fn unix(&self) -> i64 {
        self.now().as_second()
    }

    /// Time that only ever goes forward, to count how often something happens; it moves with a manual clock.
    pub fn running(&self) -> Duration {
        match &self.manual {
            Some(millis) => {
                Duration::from_millis(u64::try_from(millis.load(Ordering::SeqCst)).unwrap_or_default())
            }
            None => self.began.elapsed(),
        }
    }

    /// This moment, to measure how long something takes. Always real time.
    pub fn instant(&self) -> tokio::time::Instant {
        tokio::time::Instant::now()
    }

    /// The moment until which work that may take `budget` has to be done. Always real time: it bounds waiting, not validity.
    pub fn deadline(&self, budget: Duration) -> tokio::time::Instant {
        tokio::time::Instant::now() + budget
    }
}

/// Tells how long something takes, in real time.
#[derive(Clone, Copy, Debug)]
pub struct Stopwatch(tokio::time::Instant);

impl Default for Stopwatch {
    fn default() -> Self {
        Self::start()
    }
}

impl Stopwatch {
    pub fn start() -> Self {
        Self(tokio::time::Instant::now())
    }

    pub fn elapsed(&self) -> Duration {
        self.0.elapsed()
    }
}
