//! What is left of the app's points: 65,000 an hour for all people and sites together, reset at the top of the UTC hour.
//!
//! Known from what answers say and from our own counting, for this replica: what others have used shows in the next answer.
//! As the points run low, those who have used more than an even share are told to wait, so that the others can go on. It is a
//! window that Atlassian counts, not a rate: the crates for rate limiting (GCRA) would refuse what Atlassian allows.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use jiff::Timestamp;
use reqwest::header::HeaderMap;

use crate::atlassian::Account;
use crate::clock::Clock;

/// Points an hour, until an answer says otherwise.
const LIMIT: u64 = 65_000;
const HOUR: i64 = 3600;
/// Below which part of the limit points are low: where Atlassian's own warning begins.
const LOW: u64 = 5;

/// The budget of the present hour.
pub struct Budget {
    clock: Clock,
    hour: Mutex<Hour>,
}

struct Hour {
    /// When it ends, in seconds since the Unix epoch.
    ends: i64,
    limit: u64,
    /// The least that an answer of this hour has said is left.
    told: Option<u64>,
    /// What this replica has spent, and who of it how much.
    spent: u64,
    by: HashMap<Account, u64>,
}

impl Budget {
    pub fn new(clock: &Clock) -> Self {
        let hour = Hour { ends: 0, limit: LIMIT, told: None, spent: 0, by: HashMap::new() };
        Self { clock: clock.clone(), hour: Mutex::new(hour) }
    }

    /// The points that are left in this hour, as far as is known.
    pub fn points_left(&self) -> u64 {
        self.hour().left()
    }

    /// The points there are in an hour.
    pub fn limit(&self) -> u64 {
        self.hour().limit
    }

    /// Whether this person may make a call now; if not, after how many seconds.
    pub fn admit(&self, account: Account) -> Result<(), u64> {
        let hour = self.hour();
        // Our own counting alone refuses nobody for good: it may be wrong, and Atlassian says when it is not.
        let exhausted = hour.told == Some(0);
        if exhausted || hour.is_low() && hour.has_had_a_share(account) {
            return Err(u64::try_from(hour.ends - self.clock.unix()).unwrap_or(1).max(1));
        }
        Ok(())
    }

    /// Counts what a person's call has cost.
    pub fn charge(&self, account: Account, points: u64) {
        let mut hour = self.hour();
        hour.spent = hour.spent.saturating_add(points);
        let by = hour.by.entry(account).or_default();
        *by = by.saturating_add(points);
    }

    /// Takes in what an answer's headers say of the hour. Those of other limits, such as bursts, reset at other times.
    pub fn learn(&self, headers: &HeaderMap) {
        let text = |name: &str| headers.get(name).and_then(|value| value.to_str().ok()).map(str::trim);
        let number = |name: &str| text(name).and_then(|text| text.parse::<u64>().ok());
        let mut hour = self.hour();
        let reset = text("x-ratelimit-reset").and_then(|text| text.parse::<Timestamp>().ok());
        if reset.is_none_or(|reset| reset.as_second() != hour.ends) {
            return;
        }
        if let Some(limit) = number("x-ratelimit-limit").filter(|limit| *limit > 0) {
            hour.limit = limit;
        }
        let near = text("x-ratelimit-nearlimit").is_some_and(|text| text.eq_ignore_ascii_case("true"));
        let most = (hour.limit / LOW).saturating_sub(1);
        let remaining = number("x-ratelimit-remaining").or(near.then_some(most));
        // Answers overtake each other; within the hour there is never more than there was.
        hour.told = [hour.told, remaining].into_iter().flatten().min();
    }

    /// The present hour. Held for moments only.
    fn hour(&self) -> MutexGuard<'_, Hour> {
        let now = self.clock.unix();
        let mut hour = self.hour.lock().unwrap_or_else(PoisonError::into_inner);
        if now >= hour.ends {
            let ends = (now.div_euclid(HOUR) + 1) * HOUR;
            *hour = Hour { ends, limit: hour.limit, told: None, spent: 0, by: HashMap::new() };
        }
        hour
    }
}

impl Hour {
    fn left(&self) -> u64 {
        self.limit.saturating_sub(self.spent).min(self.told.unwrap_or(u64::MAX))
    }

    fn is_low(&self) -> bool {
        self.left() < self.limit / LOW
    }

    /// Whether somebody has used what each would have if all that this replica has spent, and all that is left, were divided
    /// evenly among those who have asked in this hour. Whoever has used less than that always has something left.
    fn has_had_a_share(&self, account: Account) -> bool {
        let own = self.by.get(&account).copied().unwrap_or(0);
        let people = self.by.len() as u64;
        people > 1 && own.saturating_mul(people) >= self.spent.saturating_add(self.left())
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    fn at_quarter_past() -> (Clock, Budget) {
        let clock = Clock::manual("2026-11-21T09:15:00Z".parse().unwrap());
        let budget = Budget::new(&clock);
        (clock, budget)
    }

    fn person(name: &str) -> Account {
        Account::of_holder(name.as_bytes())
    }

    fn says(budget: &Budget, headers: &[(&'static str, &str)]) {
        let headers = headers
            .iter()
            .map(|(name, value)| (reqwest::header::HeaderName::from_static(name), value.parse().unwrap()));
        budget.learn(&headers.collect());
    }

    const THIS_HOUR: (&str, &str) = ("x-ratelimit-reset", "2026-11-21T10:00:00Z");

    #[test]
    fn a_heavy_user_is_told_to_wait_before_a_light_one_and_only_when_points_are_low() {
        let (clock, budget) = at_quarter_past();
        budget.charge(person("heavy"), 50_000);
        budget.charge(person("light"), 100);
        assert_eq!(budget.admit(person("heavy")), Ok(()), "there is enough for all");
        budget.charge(person("heavy"), 5_000);
        assert_eq!(budget.admit(person("heavy")), Err(45 * 60));
        assert_eq!((budget.admit(person("light")), budget.admit(person("new"))), (Ok(()), Ok(())));
        clock.advance(Duration::from_secs(45 * 60));
        assert_eq!((budget.admit(person("heavy")), budget.points_left()), (Ok(()), LIMIT));
    }

    #[test]
    fn one_person_alone_may_use_it_up() {
        let (_, budget) = at_quarter_past();
        budget.charge(person("only"), 64_999);
        assert_eq!((budget.admit(person("only")), budget.points_left()), (Ok(()), 1));
    }

    #[test]
    fn those_below_an_even_share_go_on_to_the_last_point() {
        let (_, budget) = at_quarter_past();
        let people: Vec<Account> = (0..50).map(|number| person(&number.to_string())).collect();
        let mut refused = vec![false; people.len()];
        // Everybody asks as much as they like, the first of each ten in every round, the last in every tenth.
        for round in 0_usize.. {
            for (index, account) in people.iter().enumerate() {
                if round.is_multiple_of(1 + index % 10) && budget.points_left() > 0 {
                    match budget.admit(*account) {
                        Ok(()) => budget.charge(*account, 5),
                        Err(_) => refused[index] = true,
                    }
                }
            }
            if budget.points_left() == 0 {
                break;
            }
        }
        for (index, refused) in refused.into_iter().enumerate() {
            match index % 10 {
                0 => assert!(refused, "{index} asks most"),
                5.. => assert!(!refused, "{index} asks little"),
                _ => {}
            }
        }
    }

    #[test]
    fn answers_tell_what_others_have_used() {
        let (_, budget) = at_quarter_past();
        says(&budget, &[THIS_HOUR, ("x-ratelimit-limit", "50000"), ("x-ratelimit-remaining", "700")]);
        assert_eq!((budget.limit(), budget.points_left()), (50_000, 700));
        // One that was overtaken changes nothing.
        says(&budget, &[THIS_HOUR, ("x-ratelimit-remaining", "900")]);
        assert_eq!(budget.points_left(), 700);
        says(&budget, &[THIS_HOUR, ("x-ratelimit-remaining", "0")]);
        assert_eq!(budget.admit(person("new")), Err(45 * 60));
    }

    #[test]
    fn a_warning_alone_means_that_points_are_low() {
        let (_, budget) = at_quarter_past();
        budget.charge(person("heavy"), 14_000);
        budget.charge(person("light"), 10);
        says(&budget, &[THIS_HOUR, ("x-ratelimit-nearlimit", "true")]);
        assert_eq!((budget.admit(person("heavy")), budget.admit(person("light"))), (Err(45 * 60), Ok(())));
    }

    #[test]
    fn other_limits_and_nonsense_are_not_taken_for_the_hour_s() {
        let (_, budget) = at_quarter_past();
        for headers in [
            [("x-ratelimit-remaining", "0"), ("x-ratelimit-reset", "2026-11-21T09:15:10Z")],
            [("x-ratelimit-remaining", "0"), ("x-ratelimit-reset", "soon")],
            [("x-ratelimit-remaining", "0"), ("x-ratelimit-limit", "100")],
            [THIS_HOUR, ("x-ratelimit-remaining", "-1")],
            [THIS_HOUR, ("x-ratelimit-limit", "0")],
        ] {
            says(&budget, &headers);
            assert_eq!((budget.points_left(), budget.limit()), (LIMIT, LIMIT), "{headers:?}");
        }
    }
}
