//! What people look at: the setup page, the instructions for a GPT, Swagger UI, the privacy page, and what each kind of
//! problem means. All of it is public, so that none of it names a secret, a space or a person.
//!
//! Pages are rendered here and need no script; the little there is copies values, starts Swagger UI and lets a person try a
//! search. Nothing is loaded from elsewhere.

mod assets;
mod challenge;
pub mod checks;
mod docs;
mod headers;
mod instructions;
mod privacy;
mod problem_kind;
mod setup;

use std::sync::Arc;

use crate::action::Entry;
use crate::clock::Clock;
use crate::config::{Config, Gpt};

pub use assets::asset;
pub use challenge::challenge;
pub use docs::{docs, docs_file};
pub use instructions::{instructions, instructions_page, skill_page};
pub use privacy::privacy;
pub use problem_kind::problem_kind;
pub use setup::{scopes_by_tab, setup};

/// Part of the address of everything that browsers keep, so that a new version is fetched at once.
const VERSION: &str = env!("CARGO_PKG_VERSION");

/// What the pages are made of. A clone is another handle to the same.
#[derive(Clone)]
pub struct Pages {
    config: Arc<Config>,
    entries: Arc<[Entry]>,
    /// What Atlassian is asked for at every sign-in.
    scopes: Arc<[&'static str]>,
    checks: checks::Checks,
}

impl Pages {
    /// `scopes` are what Atlassian is asked for at every sign-in; `http` is for the live checks.
    pub fn new(
        config: Arc<Config>,
        entries: Arc<[Entry]>,
        scopes: &[&'static str],
        http: reqwest::Client,
        clock: Clock,
    ) -> Self {
        let checks = checks::Checks::new(config.clone(), entries.clone(), http, clock);
        Self { config, entries, scopes: scopes.into(), checks }
    }

    /// What URLs call `gpt`: nothing for the default one.
    fn slug<'a>(&self, gpt: &'a Gpt) -> Option<&'a str> {
        slug(&self.config, gpt)
    }
}

fn slug<'a>(config: &Config, gpt: &'a Gpt) -> Option<&'a str> {
    Some(gpt.slug.as_str()).filter(|slug| *slug != config.default_gpt().slug)
}
