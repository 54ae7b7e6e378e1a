//! What a sandbox remembers: grants, codes, refresh tokens, calls, faults, and its copy of the wiki.

use std::collections::{HashMap, HashSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use serde_json::Value;

use crate::clock::Clock;

use super::App;
use super::faults::Fault;
use super::points::Budget;
use super::record::Call;
use super::wiki::{self, Wiki};

/// Shared by every clone of a sandbox.
pub struct Shared {
    pub app: App,
    pub clock: Clock,
    /// Signs the access tokens.
    pub key: [u8; 32],
    state: Mutex<State>,
}

/// What changes an answer's JSON on its way out, by the path that was asked for.
pub type Alteration = Arc<dyn Fn(&str, &mut Value) + Send + Sync>;

pub struct State {
    pub wiki: Arc<Wiki>,
    /// By key of the person: one grant per app and account.
    pub grants: HashMap<&'static str, Grant>,
    pub codes: HashMap<String, Code>,
    pub refresh: HashMap<String, Refresh>,
    pub serial: u64,
    pub calls: Vec<Call>,
    /// How many requests are under way, and the most there ever were.
    pub under_way: usize,
    pub most_under_way: usize,
    pub faults: Vec<Fault>,
    pub budget: Budget,
    pub siteless: HashSet<String>,
    pub expired_as_reported: bool,
    pub alteration: Option<Alteration>,
}

/// What a person has allowed the app. A new consent replaces the scopes.
#[derive(Clone)]
pub struct Grant {
    pub serial: u64,
    pub scopes: Vec<String>,
}

pub struct Code {
    pub person: &'static str,
    pub grant: u64,
    pub redirect_uri: String,
    pub expires: i64,
    pub used: bool,
}

pub struct Refresh {
    pub person: &'static str,
    pub grant: u64,
    pub issued: i64,
    /// When it was exchanged for the first time.
    pub used: Option<i64>,
}

impl Shared {
    pub fn new(app: App, clock: Clock) -> Self {
        let state = State {
            wiki: wiki::committed(),
            grants: HashMap::new(),
            codes: HashMap::new(),
            refresh: HashMap::new(),
            serial: 0,
            calls: Vec::new(),
            under_way: 0,
            most_under_way: 0,
            faults: Vec::new(),
            budget: Budget::default(),
            siteless: HashSet::new(),
            expired_as_reported: false,
            alteration: None,
        };
        Self { app, clock, key: rand::random(), state: Mutex::new(state) }
    }

    /// Held for moments only, never across an await.
    pub fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
