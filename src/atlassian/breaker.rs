//! A circuit breaker for each of Atlassian's hosts: a host that only fails is left alone but for a probe now and then, and
//! callers hear so at once instead of waiting.
//!
//! The crates for this read the machine's clock themselves; here it is moved by hand in tests, as everywhere.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use jiff::Timestamp;
use tokio::time::Instant;

use super::Account;
use crate::clock::Clock;

/// How many failures in a row, without any success between them, open the breaker.
const FAILURES: u32 = 10;
/// The time between two probes, at first and at the most: short enough that a host is in use within 5 seconds of its recovery.
const FIRST_PAUSE: Duration = Duration::from_secs(1);
const LONGEST_PAUSE: Duration = Duration::from_secs(3);

/// One host's breaker. A clone is another handle to the same.
#[derive(Clone)]
pub struct Breaker(Arc<Inner>);

struct Inner {
    clock: Clock,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    /// Failures since the last success.
    failures: u32,
    /// Who met the first of them, and whether anybody else met one: what fails for one person only is not the host's failure.
    first: Option<Account>,
    several: bool,
    open: Option<Open>,
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
        Self(Arc::new(Inner { clock: clock.clone(), state: Mutex::default() }))
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

    /// Lets one call through, which has to be answered by `deadline`. While the breaker is open, one call at a time is let
    /// through as a probe; if it says nothing the next may go after another pause.
    pub fn admit(&self, account: Account, deadline: Instant) -> Result<Trial, Resting> {
        let now = self.0.clock.now();
        let mut state = self.0.state();
        let purpose = match &mut state.open {
            Some(open) => {
                open.check(now)?;
                open.probe_at = now + open.pause;
                Purpose::Probe
            }
            None => Purpose::Call,
        };
        Ok(Trial { breaker: self.clone(), account, deadline, purpose, verdict: None })
    }

    fn succeeded(&self) {
        let mut state = self.0.state();
        if state.open.is_some() {
            tracing::info!("Atlassian's host answers again");
        }
        *state = State::default();
    }

    fn failed(&self, account: Account, purpose: Purpose) {
        let now = self.0.clock.now();
        let mut state = self.0.state();
        state.failures = state.failures.saturating_add(1);
        state.several |= *state.first.get_or_insert(account) != account;
        let pause = match state.open {
            Some(open) if purpose == Purpose::Probe => (open.pause * 2).min(LONGEST_PAUSE),
            None if state.failures >= FAILURES && state.several => {
                tracing::warn!(
                    failures = state.failures,
                    "Atlassian's host only fails and is left alone for a while"
                );
                FIRST_PAUSE
            }
            // Too few yet; or calls from before it opened, which tell nothing new.
            Some(_) | None => return,
        };
        state.open = Some(Open { probe_at: now + pause, pause });
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
    verdict: Option<Verdict>,
}

/// Why a call was let through.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Purpose {
    Call,
    Probe,
}

#[derive(Clone, Copy)]
enum Verdict {
    Succeeded,
    Failed,
}

impl Trial {
    /// The host answered, be it with a refusal.
    pub fn succeeded(mut self) {
        self.verdict = Some(Verdict::Succeeded);
    }

    /// The host did not answer, or said that it cannot.
    pub fn failed(mut self) {
        self.verdict = Some(Verdict::Failed);
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
            None => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Host {
        clock: Clock,
        breaker: Breaker,
    }

    impl Host {
        fn new() -> Self {
            let clock = Clock::manual("2026-11-21T09:00:00Z".parse().unwrap());
            Self { breaker: Breaker::new(&clock), clock }
        }

        fn admit(&self, person: &str) -> Result<Trial, Resting> {
            self.breaker
                .admit(Account::of_holder(person.as_bytes()), self.clock.deadline(Duration::from_secs(60)))
        }

        fn fail(&self, times: u32, people: &[&str]) {
            for person in people.iter().cycle().take(times as usize) {
                self.admit(person).unwrap().failed();
            }
        }

        fn opened() -> Self {
            let host = Self::new();
            host.fail(FAILURES, &["alice", "bob"]);
            assert_eq!(host.breaker.state(), BreakerState::Open);
            host
        }
    }

    #[test]
    fn failures_in_a_row_of_several_people_open_it() {
        let host = Host::new();
        host.fail(FAILURES - 1, &["alice", "bob"]);
        assert_eq!(host.breaker.state(), BreakerState::Closed);
        host.fail(1, &["alice"]);
        assert_eq!(host.breaker.state(), BreakerState::Open);
        assert_eq!(host.admit("carol").err(), Some(Resting(1)));
        assert_eq!(host.breaker.check(), Err(Resting(1)));
    }

    #[test]
    fn one_person_alone_never_opens_it() {
        let host = Host::new();
        host.fail(10 * FAILURES, &["alice"]);
        assert_eq!(host.breaker.state(), BreakerState::Closed);
        host.fail(1, &["bob"]);
        assert_eq!(host.breaker.state(), BreakerState::Open);
    }

    #[test]
    fn any_success_begins_the_count_anew() {
        let host = Host::new();
        for _ in 0..20 {
            host.fail(FAILURES - 1, &["alice", "bob"]);
            host.admit("alice").unwrap().succeeded();
        }
        assert_eq!(host.breaker.state(), BreakerState::Closed);
    }

    #[test]
    fn one_probe_at_a_time_goes_through_and_its_success_closes_it() {
        let host = Host::opened();
        host.clock.advance(Duration::from_secs(1));
        assert_eq!(host.breaker.state(), BreakerState::HalfOpen);
        let probe = host.admit("alice").unwrap();
        assert!(host.admit("bob").is_err());
        probe.succeeded();
        assert_eq!(host.breaker.state(), BreakerState::Closed);
        assert!(host.admit("alice").is_ok() && host.admit("bob").is_ok());
    }

    #[test]
    fn however_long_it_fails_a_probe_is_never_more_than_three_seconds_away() {
        let host = Host::opened();
        for _ in 0..50 {
            host.clock.advance(Duration::from_secs(3));
            host.admit("alice").unwrap().failed();
            assert!(host.breaker.check().unwrap_err().0 <= 3);
        }
    }

    #[test]
    fn calls_from_before_it_opened_do_not_put_the_next_probe_off() {
        let host = Host::new();
        let late: Vec<_> = (0..5).map(|_| host.admit("carol").unwrap()).collect();
        host.fail(FAILURES, &["alice", "bob"]);
        late.into_iter().for_each(Trial::failed);
        assert_eq!(host.breaker.check(), Err(Resting(1)));
    }

    #[test]
    fn a_probe_that_says_nothing_does_not_bar_the_next() {
        let host = Host::opened();
        host.clock.advance(Duration::from_secs(1));
        let hanging = host.admit("alice").unwrap();
        host.clock.advance(Duration::from_secs(1));
        host.admit("bob").unwrap().succeeded();
        drop(hanging);
        assert_eq!(host.breaker.state(), BreakerState::Closed);
    }

    #[tokio::test(start_paused = true)]
    async fn what_is_left_at_its_deadline_has_failed_and_what_is_left_earlier_has_not() {
        let host = Host::new();
        let trials = || {
            ["alice", "bob"].iter().cycle().take(FAILURES as usize).map(|person| host.admit(person).unwrap())
        };
        drop(trials().collect::<Vec<_>>());
        assert_eq!(host.breaker.state(), BreakerState::Closed);
        let late: Vec<_> = trials().collect();
        tokio::time::advance(Duration::from_secs(60)).await;
        drop(late);
        assert_eq!(host.breaker.state(), BreakerState::Open);
    }
}
