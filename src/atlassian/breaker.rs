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
mod tests {
    use std::future::pending;

    use tokio::task::JoinSet;

    use super::*;
    use crate::clock::Stopwatch;

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
    fn second_calls_are_few_beside_those_that_are_answered() {
        let host = Host::new();
        let spared = || (0..1000).take_while(|_| host.breaker.spares_a_call()).count();
        assert_eq!((spared(), spared()), (20, 0));
        (0..35).for_each(|_| host.admit("alice").unwrap().succeeded());
        assert_eq!((spared(), spared()), (3, 0));
        host.fail(FAILURES, &["alice", "bob"]);
        assert_eq!(spared(), 0);
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

    /// Calls that are let through now and never answered, each in a task of its own.
    fn silent(host: &Host, people: &[&str], calls: u32) -> JoinSet<Resting> {
        let people = people.iter().cycle().take(calls as usize);
        people.map(|person| unanswered(host.admit(person).unwrap())).collect()
    }

    async fn unanswered(mut trial: Trial) -> Resting {
        trial.wait_for(pending::<()>(), ()).await.unwrap_err()
    }

    #[tokio::test(start_paused = true)]
    async fn a_host_that_falls_silent_is_left_alone_within_seconds_and_not_waited_for() {
        let host = Host::new();
        let began = Stopwatch::start();
        let given_up = silent(&host, &["alice", "bob"], 2 * FAILURES).join_all().await;
        assert_eq!(given_up, [Resting(1)].repeat(2 * FAILURES as usize));
        assert!(began.elapsed() < PATIENCE + Duration::from_millis(10));
        assert_eq!(host.breaker.state(), BreakerState::Open);
    }

    #[tokio::test(start_paused = true)]
    async fn slow_calls_are_waited_for_while_another_is_answered_but_hold_nothing() {
        let host = Host::new();
        let mut waiting = silent(&host, &["alice", "bob"], 5 * FAILURES);
        let held = Arc::new(());
        let (mut slow, meanwhile) = (host.admit("carol").unwrap(), held.clone());
        waiting.spawn(async move { slow.wait_for(pending::<()>(), meanwhile).await.unwrap_err() });
        tokio::time::sleep(TURN * 9 / 10).await;
        assert_eq!(Arc::strong_count(&held), 2);
        host.admit("dora").unwrap().succeeded();
        tokio::time::sleep(TURN * 2 / 10).await;
        assert_eq!(Arc::strong_count(&held), 1);
        tokio::time::sleep(5 * PATIENCE).await;
        assert!(host.breaker.state() == BreakerState::Closed && waiting.try_join_next().is_none());
        host.fail(FAILURES, &["alice", "bob"]);
        assert_eq!(waiting.join_all().await.len(), 5 * FAILURES as usize + 1);
    }

    #[tokio::test(start_paused = true)]
    async fn a_silent_call_is_one_failure_and_its_late_answer_a_success() {
        let host = Host::new();
        let mut slow = host.admit("alice").unwrap();
        let late = tokio::time::sleep(2 * PATIENCE);
        assert_eq!(slow.wait_for(late, ()).await, Ok(()), "one is not enough");
        slow.failed();
        host.fail(FAILURES - 2, &["alice", "bob"]);
        assert_eq!(host.breaker.state(), BreakerState::Closed);
        host.fail(1, &["alice"]);
        assert_eq!(host.breaker.state(), BreakerState::Open);
        host.clock.advance(FIRST_PAUSE);
        let mut slow = host.admit("alice").unwrap();
        assert_eq!(slow.wait_for(tokio::time::sleep(2 * PATIENCE), ()).await, Ok(()));
        slow.succeeded();
        assert_eq!(host.breaker.state(), BreakerState::Closed);
    }

    #[tokio::test(start_paused = true)]
    async fn probes_that_hang_put_the_next_no_further_off_and_are_waited_for() {
        let host = Host::opened();
        let mut probes = JoinSet::new();
        for _ in 0..10 {
            host.clock.advance(LONGEST_PAUSE);
            probes.spawn(unanswered(host.admit("alice").expect("a probe is due")));
            tokio::time::sleep(LONGEST_PAUSE).await;
        }
        assert!(probes.try_join_next().is_none());
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
