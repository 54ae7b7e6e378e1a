//! A stand-in for Atlassian: auth.atlassian.com and api.atlassian.com on one origin, over a small wiki.
//!
//! The demo runs on it and so do most tests, so it is as strict as Atlassian: what passes here must pass there.
//! It keeps everything in memory, asks its [`Clock`] for the time, and can be told to misbehave ([`Fault`]).

mod changes;
mod cql;
mod faults;
mod gate;
mod links;
mod oauth;
mod paging;
mod people;
mod points;
mod query;
mod record;
mod reply;
mod routes;
mod scopes;
mod state;
mod storage;
mod survey;
mod v1;
mod v2;
mod wiki;

#[cfg(test)]
mod tests;

use std::sync::Arc;

use axum::Router;

use crate::clock::Clock;

pub use changes::{NewComment, NewFile, NewPage};
pub use faults::{Fault, FaultKind};
pub use people::{ACME, GLOBEX, PEOPLE, Person, Product, SITES, Site};
pub use record::Call;
pub use scopes::SCOPES;
use state::Shared;
pub use survey::Piece;

/// The stand-in. Clones share everything.
#[derive(Clone)]
pub struct Sandbox {
    shared: Arc<Shared>,
}

/// The 3LO app registered at the sandbox.
#[derive(Debug, Clone)]
pub struct App {
    pub client_id: String,
    pub client_secret: String,
    /// Its one callback URL, matched exactly.
    pub callback: String,
}

impl Sandbox {
    /// A sandbox with the committed wiki and nobody signed in.
    pub fn new(app: App, clock: Clock) -> Self {
        Self { shared: Arc::new(Shared::new(app, clock)) }
    }

    /// Everything that both of Atlassian's hosts serve, on one origin.
    pub fn router(&self) -> Router {
        routes::router(self.clone())
    }

    /// Every request since the last [`Sandbox::forget_calls`], the authorize page left out.
    pub fn calls(&self) -> Vec<Call> {
        self.shared.state().calls.clone()
    }

    pub fn forget_calls(&self) {
        let mut state = self.shared.state();
        state.calls.clear();
        state.most_under_way = state.under_way;
    }

    /// The most requests that were under way at once since the last [`Sandbox::forget_calls`].
    pub fn most_at_once(&self) -> usize {
        self.shared.state().most_under_way
    }

    pub fn inject(&self, fault: Fault) {
        self.shared.state().faults.push(fault);
    }

    pub fn clear_faults(&self) {
        self.shared.state().faults.clear();
    }

    /// As if the person had removed the app from their account: every token dies.
    pub fn revoke(&self, person: &str) {
        self.shared.state().grants.remove(person);
    }

    /// As if the person had lost all their sites.
    pub fn without_sites(&self, person: &str) {
        self.shared.state().siteless.insert(person.to_owned());
    }

    /// Lets expired tokens answer 404 (v2) and 403 (v1), as people report, instead of 401.
    pub fn expire_as_reported(&self) {
        self.shared.state().expired_as_reported = true;
    }

    /// Uses up points of this hour's budget, as other people of the app would.
    pub fn spend_points(&self, points: u64) {
        let now = self.shared.clock.now();
        self.shared.state().budget.spend(points, now);
    }

    /// Gives the app so many points an hour.
    pub fn allow_points(&self, points: u64) {
        self.shared.state().budget.limit = points;
    }

    /// The points of this hour's budget that are used up.
    pub fn points_spent(&self) -> u64 {
        let now = self.shared.clock.now();
        self.shared.state().budget.spent(now)
    }

    /// Lets every answer in JSON, but for tokens and files, go out as `alter` leaves it, which is given the path.
    pub fn alter_answers(&self, alter: impl Fn(&str, &mut serde_json::Value) + Send + Sync + 'static) {
        self.shared.state().alteration = Some(Arc::new(alter));
    }

    /// Signs a person in without the browser: what the token endpoint would answer after consent.
    pub fn sign_in(&self, person: &str, scopes: &[&str]) -> serde_json::Value {
        oauth::sign_in(self, person, scopes)
    }
}
