//! Rate limits: 65,000 points an hour for the whole app, reset at the top of the hour.

use axum::http::{HeaderMap, HeaderName, HeaderValue};
use jiff::Timestamp;

const LIMIT: u64 = 65_000;
const HOUR: i64 = 3600;

pub struct Budget {
    pub limit: u64,
    hour: i64,
    spent: u64,
}

impl Default for Budget {
    fn default() -> Self {
        Self { limit: LIMIT, hour: 0, spent: 0 }
    }
}

/// Where the budget stands after a call.
#[derive(Clone, Copy)]
pub struct Standing {
    limit: u64,
    remaining: u64,
    reset: Timestamp,
    seconds: i64,
}

impl Budget {
    pub fn spend(&mut self, points: u64, now: Timestamp) {
        let hour = now.as_second().div_euclid(HOUR);
        if hour != self.hour {
            *self = Self { hour, spent: 0, ..*self };
        }
        self.spent = self.spent.saturating_add(points);
    }

    /// What has been spent in this hour.
    pub fn spent(&mut self, now: Timestamp) -> u64 {
        self.spend(0, now);
        self.spent
    }

    pub fn standing(&mut self, now: Timestamp) -> Standing {
        self.spend(0, now);
        let reset = (self.hour + 1) * HOUR;
        Standing {
            limit: self.limit,
            remaining: self.limit.saturating_sub(self.spent),
            reset: Timestamp::from_second(reset).unwrap_or(Timestamp::MAX),
            seconds: reset - now.as_second(),
        }
    }
}

impl Standing {
    pub fn is_exhausted(self) -> bool {
        self.remaining == 0
    }

    pub fn write(self, headers: &mut HeaderMap) {
        let mut set = |name: &'static str, value: String| {
            if let Ok(value) = HeaderValue::from_str(&value) {
                headers.insert(HeaderName::from_static(name), value);
            }
        };
        set("x-ratelimit-limit", self.limit.to_string());
        set("x-ratelimit-remaining", self.remaining.to_string());
        set("x-ratelimit-reset", self.reset.strftime("%Y-%m-%dT%H:%M:%SZ").to_string());
        set("x-ratelimit-nearlimit", (self.remaining < self.limit / 5).to_string());
        if self.is_exhausted() {
            set("retry-after", self.seconds.to_string());
            set("ratelimit-reason", "confluence-quota-global-based".to_owned());
        }
    }
}
