//! Room for large answers: all that is held of them at a time has a limit, from the first byte that is read to what is made
//! of it in the end, and people share it fairly. Answers of usual size need none.
//!
//! Whoever has room never waits for more, so that nobody waits for somebody who waits: a piece of work ([`Holding`]) waits for
//! its first large answer, and gets what else it needs at once or not at all.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use parking_lot::Mutex;
use tokio::time::{Instant, timeout_at};

use crate::atlassian::Account;
use crate::clock::Clock;
use crate::fair::{FairPool, Permit, Shares};

/// The room that there is, in bytes.
pub const ALL: usize = 128 * 1024 * 1024;
/// What one person has of it, unless a single answer needs more.
const OF_ONE: usize = 80 * 1024 * 1024;
/// The largest answer that needs no room, in bytes.
pub const USUAL: usize = 32 * 1024;
/// What is counted, in bytes.
const UNIT: usize = 1024;
/// How many answers wait for room at the most. Each has a connection that stands still.
const WAITING: usize = 1000;
/// How long a request waits for room in all. Who is told to come back is told within five seconds.
const PATIENCE: Duration = Duration::from_millis(4500);

/// All the room there is. A clone is another handle to it.
#[derive(Clone)]
pub struct Room(FairPool<Account>);

impl Default for Room {
    fn default() -> Self {
        Self(FairPool::new(Shares { permits: ALL / UNIT, of_one: OF_ONE / UNIT, waiting: WAITING }))
    }
}

impl Room {
    /// For a request that begins now.
    pub fn holding(&self, account: Account, clock: &Clock) -> Holding {
        Holding::new(self.clone(), account, clock.clone(), clock.instant() + PATIENCE)
    }
}

/// The room that one piece of work holds: a page that is read, or a whole request. It is given back with the last clone.
#[derive(Clone)]
pub struct Holding(Arc<Held>);

struct Held {
    room: Room,
    account: Account,
    clock: Clock,
    /// Until when room may be waited for.
    until: Instant,
    /// One answer at a time waits, so that none waits beside room that another has.
    turn: tokio::sync::Mutex<()>,
    /// What has been taken, and how much more is taken by answers on their way.
    kept: Mutex<Vec<Permit<Account>>>,
    on_the_way: AtomicUsize,
}

/// Room for one answer that is on its way.
pub struct Taken {
    permit: Permit<Account>,
    by: Holding,
}

impl Holding {
    fn new(room: Room, account: Account, clock: Clock, until: Instant) -> Self {
        let (turn, kept) = (tokio::sync::Mutex::default(), Mutex::default());
        Self(Arc::new(Held { room, account, clock, until, turn, kept, on_the_way: AtomicUsize::new(0) }))
    }

    /// The same for another piece of work of the same request, which ends without waiting for this one.
    #[must_use]
    pub fn apart(&self) -> Self {
        Self::new(self.0.room.clone(), self.0.account, self.0.clock.clone(), self.0.until)
    }

    /// Room for so many bytes: at once, or after a while where this work holds none yet.
    pub async fn take(&self, bytes: usize) -> Option<Taken> {
        let _turn = timeout_at(self.0.until, self.0.turn.lock()).await.ok()?;
        if self.holds_room() {
            return self.try_take(bytes).await;
        }
        let patience = self.0.until.saturating_duration_since(self.0.clock.instant());
        self.acquire(bytes, patience).await
    }

    /// Room for so many bytes at once.
    pub async fn try_take(&self, bytes: usize) -> Option<Taken> {
        self.acquire(bytes, Duration::ZERO).await
    }

    async fn acquire(&self, bytes: usize, patience: Duration) -> Option<Taken> {
        let permit = self.0.room.0.acquire(self.0.account, units(bytes), patience).await.ok()?;
        Some(Taken::new(permit, self))
    }

    fn holds_room(&self) -> bool {
        self.0.on_the_way.load(Ordering::Acquire) > 0 || !self.0.kept.lock().is_empty()
    }

    /// Holds what was taken for an answer for as long as the work lasts, whoever took it.
    pub fn keep(&self, taken: Taken) {
        self.0.kept.lock().push(taken.into_permit());
    }
}

impl Taken {
    fn new(permit: Permit<Account>, by: &Holding) -> Self {
        by.0.on_the_way.fetch_add(1, Ordering::AcqRel);
        Self { permit, by: by.clone() }
    }

    /// Takes as much more as makes it so many bytes, if there is as much at once.
    pub fn grow(&mut self, bytes: usize) -> bool {
        self.permit.grow(units(bytes))
    }

    /// Gives back what an answer that turned out to take so many bytes does not need.
    pub fn shrink(&mut self, bytes: usize) {
        self.permit.shrink(units(bytes));
    }

    fn into_permit(mut self) -> Permit<Account> {
        self.permit.split_off()
    }
}

impl Drop for Taken {
    fn drop(&mut self) {
        self.by.0.on_the_way.fetch_sub(1, Ordering::AcqRel);
    }
}

fn units(bytes: usize) -> usize {
    bytes.min(ALL).div_ceil(UNIT)
}

#[cfg(test)]
mod tests {
    use futures_util::FutureExt as _;

    use super::*;
    use crate::clock::Stopwatch;

    fn account(number: usize) -> Account {
        Account::of_holder(&number.to_be_bytes())
    }

    fn holding(room: &Room, number: usize) -> Holding {
        room.holding(account(number), &Clock::system())
    }

    #[tokio::test(start_paused = true)]
    async fn what_is_taken_together_has_a_limit_and_room_is_not_waited_for_for_ever() {
        let room = Room::default();
        let mut first = holding(&room, 1).take(ALL / 2).await.unwrap();
        let second = holding(&room, 2).take(ALL / 2).await.unwrap();
        let began = Stopwatch::start();
        assert!(holding(&room, 3).take(1).await.is_none());
        assert!(began.elapsed() < Duration::from_secs(5));
        first.shrink(ALL / 4);
        let third = holding(&room, 3).take(ALL / 4).now_or_never().flatten().unwrap();
        assert!(holding(&room, 4).take(1).now_or_never().is_none());
        drop((second, third));
        assert!(holding(&room, 4).take(ALL / 4).now_or_never().flatten().is_some());
    }

    #[tokio::test(start_paused = true)]
    async fn work_that_holds_room_never_waits_for_more_of_it() {
        let room = Room::default();
        let (one, other) = (holding(&room, 1), holding(&room, 2));
        one.keep(one.take(OF_ONE).await.unwrap());
        let rest = other.take(ALL - OF_ONE).await.unwrap();
        assert!(one.take(1).now_or_never().unwrap().is_none(), "neither with what is kept");
        assert!(other.take(1).now_or_never().unwrap().is_none(), "nor with an answer on its way");
        assert!(other.apart().take(1).now_or_never().is_none(), "other work waits");
        drop(rest);
        assert!(other.take(1).now_or_never().unwrap().is_some());
    }

    #[tokio::test(start_paused = true)]
    async fn room_goes_with_the_answer_to_whoever_reads_it() {
        let room = Room::default();
        let (one, other) = (holding(&room, 1), holding(&room, 2));
        other.keep(one.take(OF_ONE).await.unwrap());
        assert!(!one.holds_room() && other.holds_room());
        drop(other);
        assert_eq!(room.0.free(), ALL / UNIT);
    }

    #[tokio::test(start_paused = true)]
    async fn one_person_s_large_answers_leave_room_for_somebody_else_s() {
        let room = Room::default();
        let page = 48 * 1024 * 1024;
        let _first = holding(&room, 1).take(page).await.unwrap();
        let crowd: Vec<_> = (0..60).map(|_| holding(&room, 1)).collect();
        let mut waiting: Vec<_> = crowd.iter().map(|holding| Box::pin(holding.take(page))).collect();
        assert!(waiting.iter_mut().all(|asked| asked.now_or_never().is_none()));
        assert!(holding(&room, 2).take(page).now_or_never().flatten().is_some());
    }

    #[tokio::test]
    async fn an_answer_that_grows_smaller_than_nothing_changes_nothing() {
        let room = Room::default();
        let mut taken = holding(&room, 1).take(10 * UNIT).await.unwrap();
        taken.shrink(ALL);
        assert_eq!(taken.permit.permits(), 10);
    }
}
