//! A circuit breaker for each of Atlassian's hosts: a host that only fails is left alone but for a probe now and then, and
//! callers hear so at once instead of waiting.
//!
//! The crates for this read the machine's clock themselves; here it is moved by hand in tests, as everywhere.

use std::pin::pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use jiff::Timestamp;
use tokio::sync::Notify;
use tokio::time::{Instant, timeout};

use super::Account;
use crate::clock::Clock;

/// How many failures in a row, without any success between them, open the breaker.
const FAILURES: u32 = 10;
/// The time between two probes, at first and at the most: short enough that a host is in use within 5 seconds of its recovery.
const FIRST_PAUSE: Duration = Duration::from_secs(1);
const LONGEST_PAUSE: Duration = Duration::from_secs(3);

/// How long a call keeps what others wait for. Longer than a host takes to answer in its turn; short enough that others are
/// answered within 5 seconds when a host that was silent speaks again.
const TURN: Duration = Duration::from_secs(3);
/// How long a call may be without an answer, while nobody else has one, before that is a failure: longer than a slow search, so
/// that only a host that has fallen silent is taken for one. Of a call that has less time than usual, a part of it.
const PATIENCE: Duration = Duration::from_secs(8);
const PART_OF_TIME: u32 = 2;

/// What a second call beside one that is not answered costs of what answers bring in, one each, and the most that there is to
/// spend: as many calls more as a tenth of those that are answered, and twenty at once.
const SECOND_CALL: u32 = 10;
const MOST_TO_SPEND: u32 = 20 * SECOND_CALL;

/// One host's breaker. A clone is another handle to the same.
#[derive(Clone)]
pub struct Breaker(Arc<Inner>);

struct Inner {
    clock: Clock,
    state: Mutex<State>,
    /// Told to all who wait whenever the breaker opens.
    opened: Notify,
}

#[derive(Default)]
struct State {
    /// How many calls have been answered, ever.
    successes: u64,
    /// Failures since the last success.
    failures: u32,
    /// Who met the first of them, and whether anybody else met one: what fails for one person only is not the host's failure.
    first: Option<Account>,
    several: bool,
    open: Option<Open>,
    /// What second calls have cost that answers have not brought in yet.
    spent: u32,
}

#[derive(Clone, Copy)]
struct Open {
    /// When the next call may go through, to see how the host is.
    probe_at: Timestamp,
    pause: Duration,
}

/// Where a breaker stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BreakerState {
    Closed,
    Open,
    /// The next call is a probe.
    HalfOpen,
}

impl BreakerState {
    /// As a number that grows with the trouble.
    pub fn level(self) -> i64 {
        match self {
            Self::Closed => 0,
            Self::HalfOpen => 1,
            Self::Open => 2,
        }
    }
}

/// The host is left alone; the next probe is due after so many seconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Resting(pub u64);

impl Breaker {
    pub fn new(clock: &Clock) -> Self {
        Self(Arc::new(Inner { clock: clock.clone(), state: Mutex::default(), opened: Notify::new() }))
    }

    pub fn state(&self) -> BreakerState {
        match self.0.state().open {
            None => BreakerState::Closed,
            Some(open) if open.probe_at > self.0.clock.now() => BreakerState::Open,
            Some(_) => BreakerState::HalfOpen,
        }
    }

    /// Whether a call would be refused now.
    pub fn check(&self) -> Result<(), Resting> {
        match self.0.state().open {
            Some(open) => open.check(self.0.clock.now()),
            None => Ok(()),
        }
    }

    /// While the breaker is open: when the next probe is due, be it now.
    fn rest(&self) -> Result<(), Resting> {
        match self.0.state().open {
            Some(open) => Err(open.check(self.0.clock.now()).err().unwrap_or(Resting(1))),
            None => Ok(()),
        }
    }

    /// Lets one call through, which has to be answered by `deadline`. While the breaker is open, one call at a time is let
    /// through as a probe; if it says nothing the next may go after another pause.
    pub fn admit(&self, account: Account, deadline: Instant) -> Result<Trial, Resting> {
        let now = self.0.clock.now();
        let mut state = self.0.state();
        let purpose = match &mut state.open {
            Some(open) => {
                open.check(now)?;
                open.probe_at = now + open.pause;
                Purpose::Probe(now)
            }
            None => Purpose::Call,
        };
        let successes = state.successes;
        Ok(Trial { breaker: self.clone(), account, deadline, purpose, successes, verdict: None })
    }

    /// Whether there may be a second call now, beside one that is not answered.
    pub fn spares_a_call(&self) -> bool {
        let mut state = self.0.state();
        let spent = state.spent + SECOND_CALL;
        let spares = state.open.is_none() && spent <= MOST_TO_SPEND;
        if spares {
            state.spent = spent;
        }
        spares
    }

    fn succeeded(&self) {
        let mut state = self.0.state();
        if state.open.is_some() {
            tracing::info!("Atlassian's host answers again");
        }
        let (successes, spent) = (state.successes.wrapping_add(1), state.spent.saturating_sub(1));
        *state = State { successes, spent, ..State::default() };
    }

    fn failed(&self, account: Account, purpose: Purpose) {
        let now = self.0.clock.now();
        let state = &mut *self.0.state();
        state.failures = state.failures.saturating_add(1);
        state.several |= *state.first.get_or_insert(account) != account;
        match (&mut state.open, purpose) {
            // The pause runs from when the probe went: one that takes its time to fail puts the next no further off.
            (Some(open), Purpose::Probe(sent)) => {
                open.pause = (open.pause * 2).min(LONGEST_PAUSE);
                open.probe_at = open.probe_at.max(sent + open.pause);
            }
            (None, _) if state.failures >= FAILURES && state.several => {
                tracing::warn!(
                    failures = state.failures,
                    "Atlassian's host only fails and is left alone for a while"
                );
                state.open = Some(Open { probe_at: now + FIRST_PAUSE, pause: FIRST_PAUSE });
                self.0.opened.notify_waiters();
            }
            // Not yet; or a call from before it opened, which tells nothing new.
            (None, _) | (Some(_), Purpose::Call) => {}
        }
    }
}

impl Inner {
    /// Held for moments only.
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Open {
    fn check(self, now: Timestamp) -> Result<(), Resting> {
        match u64::try_from(self.probe_at.as_millisecond() - now.as_millisecond()) {
            Ok(millis @ 1..) => Err(Resting(millis.div_ceil(1000))),
            _ => Ok(()),
        }
    }
}

/// One call that was let through. Dropped without a verdict it says nothing, unless the deadline has passed: then the host
/// did not answer in time, which is a failure too.
pub struct Trial {
    breaker: Breaker,
    account: Account,
    deadline: Instant,
    purpose: Purpose,
    /// How many calls had been answered when this one was let through.
    successes: u64,
    verdict: Option<Verdict>,
}

/// Why a call was let through.
#[derive(Clone, Copy)]
enum Purpose {
    Call,
    /// To see how the host is, at this time.
    Probe(Timestamp),
}

#[derive(Clone, Copy)]
enum Verdict {
    Succeeded,
    Failed,
    /// A failure that has been counted already.
    Silent,
}

impl Trial {
    /// Waits for an answer, until it makes no sense to wait any longer: everybody else has been without one for as long, and
    /// the host is left alone. A probe is waited for to its end. What is held `meanwhile` is let go when the answer does not come
    /// in its turn.
    pub async fn wait_for<T>(
        &mut self,
        answer: impl Future<Output = T>,
        meanwhile: impl Send,
    ) -> Result<T, Resting> {
        let mut answer = pin!(answer);
        let left = self.deadline.saturating_duration_since(self.breaker.0.clock.instant());
        let (patience, turn) = (PATIENCE.min(left / PART_OF_TIME), TURN.min(left / PART_OF_TIME));
        if let Ok(answer) = timeout(turn, &mut answer).await {
            return Ok(answer);
        }
        drop(meanwhile);
        if let Ok(answer) = timeout(patience.saturating_sub(turn), &mut answer).await {
            return Ok(answer);
        }
        tokio::select! {
            answer = answer => Ok(answer),
            resting = self.hopeless() => Err(resting),
        }
    }

    async fn hopeless(&mut self) -> Resting {
        let breaker = self.breaker.clone();
        if self.is_silent() {
            self.verdict = Some(Verdict::Silent);
            breaker.failed(self.account, self.purpose);
        }
        loop {
            let opened = breaker.0.opened.notified();
            if let (Purpose::Call, Err(resting)) = (self.purpose, breaker.rest()) {
                return resting;
            }
            opened.await;
        }
    }

    /// Whether nobody has had an answer since this call went.
    fn is_silent(&self) -> bool {
        self.verdict.is_none() && self.breaker.0.state().successes == self.successes
    }

    /// The host answered, be it with a refusal.
    pub fn succeeded(mut self) {
        self.verdict = Some(Verdict::Succeeded);
    }

    /// The host did not answer, or said that it cannot.
    pub fn failed(mut self) {
        self.verdict.get_or_insert(Verdict::Failed);
    }
}

impl Drop for Trial {
    fn drop(&mut self) {
        match self.verdict {
            Some(Verdict::Succeeded) => self.breaker.succeeded(),
            Some(Verdict::Failed) => self.breaker.failed(self.account, self.purpose),
            None if self.breaker.0.clock.instant() >= self.deadline => {
                self.breaker.failed(self.account, self.purpose);
            }
            Some(Verdict::Silent) | None => {}
        }
    }
}

#[cfg(test)]
mod tests;
