//! Who is connected, and who has to make way.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::sync::{Notify, OwnedSemaphorePermit, Semaphore};
use tokio::time::timeout;

use crate::clock::Stopwatch;

/// How often it is tried again to free a place when everybody has a request in work.
const AGAIN: Duration = Duration::from_millis(50);

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
    /// Requests in work.
    working: AtomicUsize,
    /// When it had no request any more, or began: milliseconds of the crowd's own time.
    idle_since: AtomicU64,
    leave: Notify,
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

    /// A place: a free one, or that of the connection that has been idle for longest.
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

    /// Asks the connection that has been idle for longest to leave.
    pub fn turn_one_out(&self) {
        let members = self.0.members.lock().unwrap_or_else(PoisonError::into_inner);
        let idle = members.values().filter(|member| member.working.load(Ordering::Relaxed) == 0);
        if let Some(member) = idle.min_by_key(|member| member.idle_since.load(Ordering::Relaxed)) {
            member.leave.notify_one();
        }
    }

    fn place(&self, permit: OwnedSemaphorePermit) -> Place {
        let member = Arc::new(Member {
            working: AtomicUsize::new(0),
            idle_since: AtomicU64::new(self.0.now()),
            leave: Notify::new(),
        });
        let key = self.0.next.fetch_add(1, Ordering::Relaxed);
        self.0.members.lock().unwrap_or_else(PoisonError::into_inner).insert(key, member.clone());
        Place { crowd: self.clone(), key, member, _permit: permit }
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
    /// Resolves when this connection has to make way.
    pub async fn turned_out(&self) {
        self.member.leave.notified().await;
    }

    /// A handle that marks the connection as working.
    pub fn handle(&self) -> Handle {
        Handle { crowd: self.crowd.clone(), member: self.member.clone() }
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        self.crowd.0.members.lock().unwrap_or_else(PoisonError::into_inner).remove(&self.key);
    }
}

/// Marks a connection as working.
#[derive(Clone)]
pub struct Handle {
    crowd: Crowd,
    member: Arc<Member>,
}

impl Handle {
    /// The connection works on one more request, until the result is dropped.
    pub fn work(&self) -> Working {
        self.member.working.fetch_add(1, Ordering::Relaxed);
        Working(self.clone())
    }
}

/// A request in work.
pub struct Working(Handle);

impl Drop for Working {
    fn drop(&mut self) {
        let Handle { crowd, member } = &self.0;
        member.idle_since.store(crowd.0.now(), Ordering::Relaxed);
        member.working.fetch_sub(1, Ordering::Relaxed);
    }
}
