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
    let trials =
        || ["alice", "bob"].iter().cycle().take(FAILURES as usize).map(|person| host.admit(person).unwrap());
    drop(trials().collect::<Vec<_>>());
    assert_eq!(host.breaker.state(), BreakerState::Closed);
    let late: Vec<_> = trials().collect();
    tokio::time::advance(Duration::from_secs(60)).await;
    drop(late);
    assert_eq!(host.breaker.state(), BreakerState::Open);
}
