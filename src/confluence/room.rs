//! Room for large answers: all of them together have a limit, so that many large pages asked for at once do not take the
//! memory that everything else needs. Answers of usual size need none.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::timeout;

/// The room that there is, in bytes. What is made of an answer takes some times as much.
const ALL: usize = 32 * 1024 * 1024;
/// The largest answer that needs no room, in bytes.
pub const USUAL: usize = 256 * 1024;
/// What is counted, in bytes.
const UNIT: usize = 1024;
/// How long room is waited for.
const PATIENCE: Duration = Duration::from_secs(5);

/// All the room there is.
pub struct Room(Arc<Semaphore>);

/// Room that is taken, until it is dropped.
pub struct Taken(OwnedSemaphorePermit);

impl Default for Room {
    fn default() -> Self {
        Self(Arc::new(Semaphore::new(ALL / UNIT)))
    }
}

impl Room {
    /// Room for an answer of at most so many bytes, at once or after a while.
    pub async fn take(&self, bytes: usize) -> Option<Taken> {
        let permits = self.0.clone().acquire_many_owned(units(bytes));
        timeout(PATIENCE, permits).await.ok()?.ok().map(Taken)
    }
}

impl Taken {
    /// Gives back what an answer that turned out to have so many bytes does not need.
    pub fn shrink(&mut self, bytes: usize) {
        let over = self.0.num_permits().saturating_sub(units(bytes) as usize);
        drop(self.0.split(over));
    }
}

fn units(bytes: usize) -> u32 {
    u32::try_from(bytes.min(ALL).div_ceil(UNIT)).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests {
    use futures_util::FutureExt as _;

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn what_is_taken_together_has_a_limit_and_room_is_not_waited_for_for_ever() {
        let room = Room::default();
        let mut first = room.take(ALL / 2).await.unwrap();
        let _second = room.take(ALL / 2).await.unwrap();
        assert!(room.take(1).await.is_none());
        first.shrink(ALL / 4);
        let third = room.take(ALL / 4).now_or_never().flatten().unwrap();
        assert!(room.take(1).now_or_never().is_none());
        drop(third);
        assert!(room.take(ALL / 4).now_or_never().flatten().is_some());
    }

    #[tokio::test]
    async fn an_answer_that_grows_smaller_than_nothing_changes_nothing() {
        let room = Room::default();
        let mut taken = room.take(10 * UNIT).await.unwrap();
        taken.shrink(ALL);
        assert_eq!(taken.0.num_permits(), 10);
    }
}
