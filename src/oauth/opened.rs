//! Access tokens that were opened a moment ago: a conversation sends the same one with each request, and opening it costs
//! more than everything else that is done with it.

use std::num::NonZeroUsize;
use std::sync::{Arc, Mutex, PoisonError};

use lru::LruCache;

use crate::atlassian::AccessToken;
use crate::seal::payloads::{Access, Audience};
use crate::seal::{OpenError, Sealer, fingerprint};

/// How many are kept: at most about 6 MB.
const CAPACITY: NonZeroUsize = NonZeroUsize::new(1_000).unwrap();
/// For how long nobody has sent one that is let go when the next is kept, in seconds.
const IDLE: i64 = 60;

/// What an access token holds. What it is good for is decided anew at each request.
pub struct Opened {
    pub token: AccessToken,
    pub scopes: Vec<String>,
    pub client_id: String,
    pub audience: Audience,
    pub signed_in_at: i64,
    pub expires_at: i64,
}

impl From<Access> for Opened {
    fn from(access: Access) -> Self {
        let scopes = access.scopes.split(' ').filter(|scope| !scope.is_empty());
        Self {
            scopes: scopes.map(str::to_owned).collect(),
            token: AccessToken::new(access.token),
            client_id: access.client_id,
            audience: access.audience,
            signed_in_at: access.signed_in_at,
            expires_at: access.expires_at,
        }
    }
}

/// The tokens that were sent last, by their SHA-256.
pub struct Recent(Mutex<LruCache<[u8; 32], Kept>>);

struct Kept {
    opened: Arc<Opened>,
    sent_at: i64,
}

impl Recent {
    pub fn new() -> Self {
        Self(Mutex::new(LruCache::new(CAPACITY)))
    }

    /// Opens a token, or finds it opened, if it has not expired `now`, in seconds since the Unix epoch.
    pub fn open(&self, sealer: &Sealer, token: &str, now: i64) -> Result<Arc<Opened>, OpenError> {
        let key = fingerprint(token);
        let found = self.find(&key, now);
        let opened = match found {
            Some(opened) => opened,
            None => self.keep(key, Opened::from(sealer.open::<Access>(token)?), now),
        };
        if opened.expires_at <= now { Err(OpenError::Expired) } else { Ok(opened) }
    }

    fn find(&self, key: &[u8; 32], now: i64) -> Option<Arc<Opened>> {
        let mut recent = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let kept = recent.get_mut(key)?;
        kept.sent_at = now;
        Some(kept.opened.clone())
    }

    /// Keeps one more, and lets go of those that nobody has sent for long.
    fn keep(&self, key: [u8; 32], opened: Opened, now: i64) -> Arc<Opened> {
        let opened = Arc::new(opened);
        let mut recent = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        while recent.peek_lru().is_some_and(|(_, oldest)| oldest.sent_at + IDLE < now) {
            recent.pop_lru();
        }
        recent.put(key, Kept { opened: opened.clone(), sent_at: now });
        opened
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::clock::Clock;
    use crate::seal::payloads::Door;
    use crate::seal::random_key;

    const HOUR: i64 = 3_600;

    fn sealer(clock: &Clock) -> Sealer {
        Sealer::new(&[random_key().into()], clock.clone()).unwrap()
    }

    fn token(sealer: &Sealer, number: usize, expires_at: i64) -> String {
        sealer
            .seal(&Access {
                token: format!("upstream token {number}"),
                scopes: "read:a read:b".to_owned(),
                client_id: "gpt".to_owned(),
                audience: Audience { gpt: "gpt".to_owned(), door: Door::Actions },
                signed_in_at: expires_at - HOUR,
                expires_at,
            })
            .unwrap()
    }

    #[test]
    fn a_token_expires_whether_or_not_it_was_opened_before() {
        let clock = Clock::manual("2026-11-21T09:00:00Z".parse().unwrap());
        let (sealer, recent) = (sealer(&clock), Recent::new());
        let sent = token(&sealer, 1, clock.unix() + HOUR);
        for _ in 0..2 {
            let opened = recent.open(&sealer, &sent, clock.unix()).unwrap();
            assert_eq!((opened.token.expose(), opened.scopes.len()), ("upstream token 1", 2));
        }
        clock.advance(Duration::from_secs(3_600));
        assert_eq!(recent.open(&sealer, &sent, clock.unix()).err(), Some(OpenError::Expired));
        assert_eq!(recent.open(&sealer, &sent[..40], clock.unix()).err(), Some(OpenError::Foreign));
    }

    #[test]
    fn what_nobody_sends_any_more_is_let_go() {
        let clock = Clock::manual("2026-11-21T09:00:00Z".parse().unwrap());
        let (sealer, recent) = (sealer(&clock), Recent::new());
        let kept = |number| {
            let sent = token(&sealer, number, clock.unix() + HOUR);
            Arc::downgrade(&recent.open(&sealer, &sent, clock.unix()).unwrap())
        };
        let old = [kept(1), kept(2)];
        clock.advance(Duration::from_secs(61));
        let new = kept(3);
        assert!(old.iter().all(|old| old.upgrade().is_none()) && new.upgrade().is_some());
        let many: Vec<_> = (4..1_100).map(kept).collect();
        assert_eq!(many.iter().filter(|one| one.upgrade().is_some()).count(), 1_000);
    }
}
