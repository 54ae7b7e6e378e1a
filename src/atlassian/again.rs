//! Asking again while nothing comes: a connection may have died. What is slow is waited for all the same.

use std::pin::pin;
use std::time::Duration;

use futures_util::StreamExt as _;
use futures_util::stream::FuturesUnordered;
use tokio::time::timeout;

/// How long there may be silence before there is another call beside the first, and how many there may be.
const SILENCE: Duration = Duration::from_secs(3);
const CALLS: usize = 3;

/// The answer that comes first, whatever it is. `ask` begins a call, and may decline to.
pub async fn first_answer<T, F: Future<Output = T>>(mut ask: impl FnMut() -> Option<F>) -> Option<T> {
    let mut first = pin!(ask()?);
    if let Ok(answer) = timeout(SILENCE, &mut first).await {
        return Some(answer);
    }
    let mut others = FuturesUnordered::new();
    for _ in 1..CALLS {
        others.extend(ask());
        let next = async {
            tokio::select! {
                answer = &mut first => answer,
                Some(answer) = others.next() => answer,
            }
        };
        if let Ok(answer) = timeout(SILENCE, next).await {
            return Some(answer);
        }
    }
    tokio::select! {
        answer = first => Some(answer),
        Some(answer) = others.next() => Some(answer),
    }
}

#[cfg(test)]
mod tests {
    use std::future::pending;

    use tokio::time::sleep;

    use super::*;
    use crate::clock::Stopwatch;

    /// Asks where the first calls die and the others take so long: which call was answered, when, and how many there were.
    async fn ask(dead: usize, takes: Duration, calls: usize) -> (Option<usize>, Duration, usize) {
        let (mut asked, began) = (0, Stopwatch::start());
        let answer = first_answer(|| {
            let call = asked;
            asked += usize::from(asked < calls);
            (call < calls).then_some(async move {
                if call < dead {
                    pending::<()>().await;
                }
                sleep(takes).await;
                call
            })
        });
        (answer.await, began.elapsed(), asked)
    }

    #[tokio::test(start_paused = true)]
    async fn calls_that_died_do_not_hold_anybody_up_and_slow_ones_are_waited_for() {
        let (prompt, slow) = (SILENCE / 10, SILENCE * 3);
        for (dead, takes, calls, expected) in [
            (0, prompt, 3, (Some(0), prompt, 1)),
            (1, prompt, 3, (Some(1), SILENCE + prompt, 2)),
            (2, prompt, 3, (Some(2), SILENCE * 2 + prompt, 3)),
            (0, slow, 3, (Some(0), slow, 3)),
            (0, slow, 1, (Some(0), slow, 1)),
            (0, prompt, 0, (None, Duration::ZERO, 0)),
        ] {
            let (answer, took, asked) = ask(dead, takes, calls).await;
            let took = Duration::from_millis(u64::try_from(took.as_millis()).unwrap());
            assert_eq!((answer, took.as_secs(), asked), (expected.0, expected.1.as_secs(), expected.2));
        }
    }
}
