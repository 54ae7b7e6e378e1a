//! How fast a file has to be handed over: what makes no progress is ended, be it the reader or the media host.

use std::time::Duration;

use tokio::time::Instant;

use crate::clock::Clock;

/// How long nothing may be taken. ChatGPT itself gives up after 10 seconds.
const LONGEST_PAUSE: Duration = Duration::from_secs(10);
/// How many bytes a second have to be taken on the whole, once that pause is over: the largest file, of 10 MB, takes two
/// minutes at the most.
const LEAST_PACE: u64 = 90_000;

/// What has been taken of one file, and when.
pub struct Pace {
    clock: Clock,
    began: Instant,
    taken_at: Instant,
    taken: u64,
}

impl Pace {
    pub fn start(clock: &Clock) -> Self {
        let now = clock.instant();
        Self { clock: clock.clone(), began: now, taken_at: now, taken: 0 }
    }

    /// So many bytes more have been taken.
    pub fn progress(&mut self, bytes: usize) {
        self.taken += bytes as u64;
        self.taken_at = self.clock.instant();
    }

    /// When the next bytes have to be taken.
    pub fn deadline(&self) -> Instant {
        let earned = Duration::from_millis(self.taken * 1000 / LEAST_PACE);
        (self.taken_at + LONGEST_PAUSE).min(self.began + LONGEST_PAUSE + earned)
    }
}
