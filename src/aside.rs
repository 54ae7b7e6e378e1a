//! Work that takes its time: done where it holds up nothing else, in turns that people share fairly.

use std::num::NonZero;
use std::sync::LazyLock;
use std::thread::available_parallelism;
use std::time::Duration;

use tokio::runtime::{Handle, RuntimeFlavor};

use crate::atlassian::Account;
use crate::fair::{FairPool, Shares};

/// From how many bytes on work is taken aside: below, it is done sooner than it is moved.
const LARGE: usize = 256 * 1024;

/// How much of such work is done at once: more would be done no sooner, and take memory and threads all the while. One person
/// may have all turns while nobody else wants one; the next goes to whoever has the fewest.
static TURNS: LazyLock<FairPool<Account>> = LazyLock::new(|| {
    let turns = available_parallelism().map_or(1, NonZero::get);
    FairPool::new(Shares { permits: turns, of_one: turns, waiting: usize::MAX })
});

/// How many bytes are worked on at once, whatever the number of processors; more than this alone. What is made of a byte may
/// take some times as much memory while it is made.
static BYTES: LazyLock<FairPool<Account>> = LazyLock::new(|| {
    let permits = AT_ONCE / UNIT;
    FairPool::new(Shares { permits, of_one: permits, waiting: usize::MAX })
});
const AT_ONCE: usize = 10 * 1024 * 1024;
const UNIT: usize = 1024;

/// Does work on so many bytes for somebody. When it is much, it waits for its turn, and the thread leaves what else it has to do
/// to another meanwhile; a runtime of one thread has no other.
pub async fn aside<T>(account: Account, bytes: usize, work: impl FnOnce() -> T) -> T {
    if bytes <= LARGE {
        return work();
    }
    // Nobody is refused: the time that a request has ends the wait.
    let _bytes = BYTES.acquire(account, bytes / UNIT, Duration::MAX).await;
    let _turn = TURNS.acquire(account, 1, Duration::MAX).await;
    let threads = Handle::try_current().map(|runtime| runtime.runtime_flavor());
    if matches!(threads, Ok(RuntimeFlavor::MultiThread)) { tokio::task::block_in_place(work) } else { work() }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};
    use std::sync::mpsc::channel;

    use tokio::task::JoinSet;

    use super::*;

    fn somebody() -> Account {
        Account::of_holder(b"somebody")
    }

    #[tokio::test(flavor = "multi_thread", worker_threads = 1)]
    async fn much_work_leaves_the_thread_to_others() {
        let done = tokio::spawn(async {
            let (say, heard) = channel();
            tokio::spawn(async move { say.send("in the meantime").unwrap() });
            aside(somebody(), LARGE + 1, move || heard.recv().unwrap()).await
        });
        assert_eq!(done.await.unwrap(), "in the meantime");
    }

    #[tokio::test(flavor = "multi_thread", worker_threads = 4)]
    async fn much_work_is_done_in_turns() {
        static AT_WORK: AtomicUsize = AtomicUsize::new(0);
        let work = || {
            let at_once = AT_WORK.fetch_add(1, Ordering::SeqCst) + 1;
            (0..1000).for_each(|_| std::thread::yield_now());
            AT_WORK.fetch_sub(1, Ordering::SeqCst);
            at_once
        };
        let all: JoinSet<usize> =
            (0..50).map(|_| async move { aside(somebody(), usize::MAX, work).await }).collect();
        let most = all.join_all().await.into_iter().max().unwrap();
        assert!(most <= available_parallelism().unwrap().get(), "{most} at once");
    }

    #[tokio::test]
    async fn a_runtime_of_one_thread_does_it_all_the_same() {
        assert_eq!(aside(somebody(), usize::MAX, || 7).await, 7);
    }
}
