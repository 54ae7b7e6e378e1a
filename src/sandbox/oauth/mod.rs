//! auth.atlassian.com: consent and tokens.

pub mod authorize;
pub mod jwt;
pub mod resources;
pub mod token;

#[cfg(test)]
mod tests;

use serde_json::Value;

use super::Sandbox;
use super::people::{Person, by_key};
use super::state::Grant;

/// Records what a person allows. One grant per app and account: its scopes are replaced.
fn consent(sandbox: &Sandbox, person: &'static Person, scopes: &[&str]) -> Grant {
    let mut state = sandbox.shared.state();
    state.serial += 1;
    let serial = state.grants.get(person.key).map_or(state.serial, |grant| grant.serial);
    let grant = Grant { serial, scopes: scopes.iter().map(|scope| (*scope).to_owned()).collect() };
    state.grants.insert(person.key, grant.clone());
    grant
}

/// Consent and code exchange in one step. An unknown person gets nothing.
pub fn sign_in(sandbox: &Sandbox, person: &str, scopes: &[&str]) -> Value {
    match by_key(person) {
        Some(person) => token::issue(sandbox, person, &consent(sandbox, person, scopes)),
        None => Value::Null,
    }
}
