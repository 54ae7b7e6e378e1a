//! Work that takes its time: done where it holds up nothing else.

use tokio::runtime::{Handle, RuntimeFlavor};

/// From how many bytes on work is taken aside: below, it is done sooner than it is moved.
const LARGE: usize = 256 * 1024;

/// Does work on so many bytes. The thread leaves what else it has to do to another while it does much; a runtime of one
/// thread has no other.
pub fn aside<T>(bytes: usize, work: impl FnOnce() -> T) -> T {
    let threads = Handle::try_current().map(|runtime| runtime.runtime_flavor());
    if bytes > LARGE && matches!(threads, Ok(RuntimeFlavor::MultiThread)) {
        tokio::task::block_in_place(work)
    } else {
        work()
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc::channel;

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
}
