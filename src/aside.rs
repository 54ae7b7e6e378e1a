//! Work that takes its time: done where it holds up nothing else.

use std::num::NonZero;
use std::sync::{Condvar, LazyLock, Mutex, PoisonError};
use std::thread::available_parallelism;

use tokio::runtime::{Handle, RuntimeFlavor};

/// From how many bytes on work is taken aside: below, it is done sooner than it is moved.
const LARGE: usize = 256 * 1024;

/// How much of such work is done at once: more would be done no sooner, and take memory all the while.
static TURNS: LazyLock<Turns> = LazyLock::new(|| Turns::new(available_parallelism().map_or(1, NonZero::get)));

/// Does work on so many bytes. The thread leaves what else it has to do to another while it does much, in its turn; a runtime
/// of one thread has no other. Such work is in one piece: it takes none aside itself.
pub fn aside<T>(bytes: usize, work: impl FnOnce() -> T) -> T {
    let threads = Handle::try_current().map(|runtime| runtime.runtime_flavor());
    if bytes > LARGE && matches!(threads, Ok(RuntimeFlavor::MultiThread)) {
        tokio::task::block_in_place(|| TURNS.take_one(work))
    } else {
        work()
    }
}

/// So many may be at work; the others wait, each on its thread.
struct Turns {
    free: Mutex<usize>,
    given_back: Condvar,
}

impl Turns {
    fn new(turns: usize) -> Self {
        Self { free: Mutex::new(turns), given_back: Condvar::new() }
    }

    fn take_one<T>(&self, work: impl FnOnce() -> T) -> T {
        let free = self.free.lock().unwrap_or_else(PoisonError::into_inner);
        let free = self.given_back.wait_while(free, |free| *free == 0);
        *free.unwrap_or_else(PoisonError::into_inner) -= 1;
        let _turn = Turn(self);
        work()
    }
}

/// Given back however the work ends.
struct Turn<'a>(&'a Turns);

impl Drop for Turn<'_> {
    fn drop(&mut self) {
        *self.0.free.lock().unwrap_or_else(PoisonError::into_inner) += 1;
        self.0.given_back.notify_one();
    }
}

#[cfg(test)]
mod tests {
    use std::panic::{AssertUnwindSafe, catch_unwind};
    use std::sync::atomic::{AtomicUsize, Ordering};
    use std::sync::mpsc::channel;
    use std::thread::{scope, yield_now};

    use super::*;

    #[tokio::test(flavor = "multi_thread", worker_threads = 1)]
    async fn much_work_leaves_the_thread_to_others() {
        let done = tokio::spawn(async {
            let (say, heard) = channel();
            tokio::spawn(async move { say.send("in the meantime").unwrap() });
            aside(LARGE + 1, || heard.recv().unwrap())
        });
        assert_eq!(done.await.unwrap(), "in the meantime");
    }

    #[tokio::test]
    async fn a_runtime_of_one_thread_does_it_all_the_same() {
        assert_eq!(aside(usize::MAX, || 7), 7);
    }

    #[test]
    fn only_so_much_is_done_at_once_and_what_panics_gives_its_turn_back() {
        let (turns, at_work, most) = (Turns::new(2), AtomicUsize::new(0), AtomicUsize::new(0));
        let work = || {
            most.fetch_max(at_work.fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
            (0..100).for_each(|_| yield_now());
            at_work.fetch_sub(1, Ordering::SeqCst);
            std::panic::resume_unwind(Box::new("no matter what"));
        };
        scope(|scope| {
            for _ in 0..8 {
                scope.spawn(|| catch_unwind(AssertUnwindSafe(|| turns.take_one(work))).unwrap_err());
            }
        });
        assert!(most.into_inner() <= 2);
        assert_eq!(turns.free.into_inner().unwrap(), 2);
    }
}
