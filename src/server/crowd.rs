//! Who is connected, and who has to make way.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::time::Duration;

use tokio::sync::{Notify, OwnedSemaphorePermit, Semaphore};
use tokio::task::yield_now;
use tokio::time::timeout;

use crate::clock::Stopwatch;

/// How often it is tried again to free a place when everybody has a request in work.
const AGAIN: Duration = Duration::from_millis(50);

/// How long every connection has at least to send a request, in milliseconds: however many others come, those who come with
/// good intentions are heard. Newcomers wait until then.
const HEARING: u64 = 500;

/// How long a client may take nothing of an answer before its connection counts as idle, in milliseconds.
const STALLED: u64 = 2_000;

/// From how many bytes on a request that is not whole is a large one. Hardly any good client has any.
const LARGE: usize = 16 * 1024;
/// How many connections may have one: each costs three times what was read of it.
const MAX_LARGE: usize = 256;

/// All connections. A clone is the same crowd.
#[derive(Clone)]
pub struct Crowd(Arc<Shared>);

struct Shared {
    free: Arc<Semaphore>,
    members: Mutex<BTreeMap<u64, Arc<Member>>>,
    next: AtomicU64,
    began: Stopwatch,
}

/// One connection.
struct Member {
    /// Requests in work. One whose body is still on its way is not yet.
    working: AtomicUsize,
    /// How many of them are being answered: nothing but the client is waited for.
    answering: AtomicUsize,
    /// Whether somebody who is signed in has been answered on it.
    is_known: AtomicBool,
    /// How many bytes were read of requests that are not whole.
    unfinished: AtomicUsize,
    /// When a request began or ended, something of an answer was taken, or the connection itself began: milliseconds of the
    /// crowd's own time.
    idle_since: AtomicU64,
    leave: Notify,
    /// It was asked to leave, and has not heard of it yet.
    leaving: AtomicBool,
}

impl Crowd {
    pub fn new(places: usize) -> Self {
        Self(Arc::new(Shared {
            free: Arc::new(Semaphore::new(places)),
            members: Mutex::default(),
            next: AtomicU64::new(0),
            began: Stopwatch::start(),
        }))
    }

    /// A place: a free one, or that of the connection that has been idle for longest, a stranger's first, once it has been heard.
    pub async fn enter(&self) -> Place {
        loop {
            let free = self.0.free.clone();
            if let Ok(permit) = free.clone().try_acquire_owned() {
                return self.place(permit);
            }
            self.turn_one_out();
            if let Ok(Ok(permit)) = timeout(AGAIN, free.acquire_owned()).await {
                return self.place(permit);
            }
        }
    }

    /// Asks the connection that has been idle for longest to leave, if it has been heard. It may have a request in work before it hears of it.
    pub fn turn_one_out(&self) {
        self.thin_out(0, HEARING, |_| true);
    }

    /// Asks the idlest of these to leave where there are more than so many, strangers first, if it has been idle for so many
    /// milliseconds.
    fn thin_out(&self, enough: usize, idle_for: u64, of: impl Fn(&Member) -> bool) {
        let members = self.0.members.lock().unwrap_or_else(PoisonError::into_inner);
        let now = self.0.now();
        let leaves = |member: &Member| member.leaving.load(Ordering::Relaxed);
        let idle = || members.values().filter(|member| member.is_idle(now) && !leaves(member) && of(member));
        if idle().count() > enough
            && let Some(member) = idle().min_by_key(|member| member.worth())
            && member.idle_since.load(Ordering::Relaxed) + idle_for <= now
        {
            member.leaving.store(true, Ordering::Relaxed);
            member.leave.notify_one();
        }
    }

    fn place(&self, permit: OwnedSemaphorePermit) -> Place {
        let member = Arc::new(Member {
            working: AtomicUsize::new(0),
            answering: AtomicUsize::new(0),
            is_known: AtomicBool::new(false),
            unfinished: AtomicUsize::new(0),
            idle_since: AtomicU64::new(self.0.now()),
            leave: Notify::new(),
            leaving: AtomicBool::new(false),
        });
        let key = self.0.next.fetch_add(1, Ordering::Relaxed);
        self.0.members.lock().unwrap_or_else(PoisonError::into_inner).insert(key, member.clone());
        Place { crowd: self.clone(), key, member, _permit: permit }
    }
}

impl Member {
    /// Whether it has nothing in work, or only answers of which nothing is taken.
    fn is_idle(&self, now: u64) -> bool {
        let working = self.working.load(Ordering::Relaxed);
        let is_stalled = || self.idle_since.load(Ordering::Relaxed) + STALLED <= now;
        working == 0 || working <= self.answering.load(Ordering::Relaxed) && is_stalled()
    }

    fn worth(&self) -> (bool, u64) {
        (self.is_known.load(Ordering::Relaxed), self.idle_since.load(Ordering::Relaxed))
    }
}

impl Shared {
    fn now(&self) -> u64 {
        u64::try_from(self.began.elapsed().as_millis()).unwrap_or(u64::MAX)
    }
}

/// A connection's place, until it is dropped.
pub struct Place {
    crowd: Crowd,
    key: u64,
    member: Arc<Member>,
    _permit: OwnedSemaphorePermit,
}

impl Place {
    /// Resolves when this connection should make way, and what has arrived until then can be read.
    pub async fn turned_out(&self) {
        self.member.leave.notified().await;
        yield_now().await;
    }

    /// Whether it is still without a request in work; else it stays.
    pub fn leaves(&self) -> bool {
        let leaves = self.member.is_idle(self.crowd.0.now());
        self.member.leaving.store(leaves, Ordering::Relaxed);
        leaves
    }

    /// A handle that tells of the connection's requests.
    pub fn handle(&self) -> Handle {
        Handle { crowd: self.crowd.clone(), member: self.member.clone() }
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        self.crowd.0.members.lock().unwrap_or_else(PoisonError::into_inner).remove(&self.key);
    }
}

/// Tells of a connection's requests.
#[derive(Clone)]
pub struct Handle {
    crowd: Crowd,
    member: Arc<Member>,
}

impl Handle {
    /// So many bytes have been read.
    pub fn read(&self, length: usize) {
        let before = self.member.unfinished.fetch_add(length, Ordering::Relaxed);
        if before <= LARGE && before + length > LARGE {
            self.crowd.thin_out(MAX_LARGE, 0, |member| member.unfinished.load(Ordering::Relaxed) > LARGE);
        }
    }

    /// The head of a request has arrived.
    pub fn request(&self) -> Work {
        self.touch();
        self.member.unfinished.store(0, Ordering::Relaxed);
        Work(Arc::new(OnceLock::new()), self.clone())
    }

    /// Somebody who is signed in is answered.
    pub fn know(&self) {
        self.member.is_known.store(true, Ordering::Relaxed);
    }

    /// Something of an answer was taken.
    pub fn taken(&self) {
        self.touch();
    }

    fn touch(&self) {
        self.member.idle_since.store(self.crowd.0.now(), Ordering::Relaxed);
    }
}

/// A request, in work from when it has begun until all clones of this are dropped.
#[derive(Clone)]
pub struct Work(Arc<OnceLock<Working>>, Handle);

impl Work {
    /// All of the request is there.
    pub fn begin(&self) {
        self.0.get_or_init(|| {
            self.1.member.unfinished.store(0, Ordering::Relaxed);
            self.1.member.working.fetch_add(1, Ordering::Relaxed);
            Working(self.1.clone())
        });
    }
}

impl Work {
    /// The answer is there, and being sent until this is dropped.
    pub fn answer(self) -> Answering {
        self.begin();
        self.1.touch();
        self.1.member.answering.fetch_add(1, Ordering::Relaxed);
        Answering(self)
    }
}

/// A request whose answer is being sent.
pub struct Answering(Work);

impl Drop for Answering {
    fn drop(&mut self) {
        self.0.1.member.answering.fetch_sub(1, Ordering::Relaxed);
    }
}

struct Working(Handle);

impl Drop for Working {
    fn drop(&mut self) {
        self.0.touch();
        self.0.member.working.fetch_sub(1, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use futures_util::FutureExt as _;
    use tokio::time::sleep;

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn who_has_just_come_is_heard_however_many_others_come() {
        let crowd = Crowd::new(1);
        let (begin, first) = (Stopwatch::start(), crowd.enter().await);
        let leave = async {
            first.turned_out().await;
            assert!(first.leaves());
            drop(first);
        };
        tokio::join!(leave, crowd.enter());
        let heard = Duration::from_millis(HEARING);
        assert!((heard..heard + 2 * AGAIN).contains(&begin.elapsed()), "{:?}", begin.elapsed());
    }

    #[tokio::test(start_paused = true)]
    async fn who_takes_nothing_of_an_answer_makes_way_and_who_takes_some_does_not() {
        let crowd = Crowd::new(1);
        let place = crowd.enter().await;
        let handle = place.handle();
        let answering = handle.request().answer();
        let began = Stopwatch::start();
        let taking = async {
            for _ in 0..10 {
                sleep(Duration::from_secs(1)).await;
                handle.taken();
            }
        };
        let leaving = async {
            place.turned_out().await;
            assert!(place.leaves());
        };
        tokio::select! {
            biased;
            ((), ()) = async { tokio::join!(taking, leaving) } => {}
            _ = crowd.enter() => panic!("there is no place"),
        }
        drop((answering, place));
        crowd.enter().await;
        let stalled = Duration::from_secs(10) + Duration::from_millis(STALLED);
        assert!((stalled..stalled + 4 * AGAIN).contains(&began.elapsed()), "{:?}", began.elapsed());
    }

    #[tokio::test(start_paused = true)]
    async fn a_request_that_is_worked_on_is_not_idle_however_long_it_takes() {
        let crowd = Crowd::new(1);
        let place = crowd.enter().await;
        let work = place.handle().request();
        work.begin();
        let waited = timeout(Duration::from_secs(60), crowd.enter()).await;
        assert!(waited.is_err() && place.turned_out().now_or_never().is_none());
    }
}
