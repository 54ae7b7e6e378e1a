//! The setup page: every value to paste, for each GPT and for MCP, and what is right and wrong with this gateway.

use askama::Template;
use axum::extract::State;
use axum::response::Response;

use super::checks::{Check, Verdict};
use super::headers::{Keep, page};
use super::instructions::{instructions, starters};
use super::{Pages, VERSION};
use crate::action::Entry;
use crate::config::{Config, Gpt, McpClients};
use crate::oauth::{DOCS_CLIENT_ID, SCOPE};
use crate::urls::PublicUrl;

#[derive(Template)]
#[template(path = "setup.html", config = "src/web/askama.toml")]
struct Setup<'a> {
    version: &'a str,
    docs: bool,
    /// Whether the page lets a person sign in and search.
    try_it: bool,
    urls: &'a PublicUrl,
    gpts: Vec<Profile<'a>>,
    mcp_clients: &'a McpClients,
    client_id: &'a str,
    scope: &'a str,
    granular_scopes: Vec<&'static str>,
    classic_scopes: Vec<&'static str>,
    checks: &'a [Check],
}

/// One GPT as it is set up.
struct Profile<'a> {
    slug: &'a str,
    name: &'a str,
    client_id: &'a str,
    document: String,
    instructions_url: String,
    instructions: String,
    skill: String,
    /// Absent where it has no MCP endpoint.
    mcp: Option<String>,
    /// What a sign-in names to mean this GPT's actions (RFC 8707).
    resource: String,
    starters: Vec<&'static str>,
    actions: Vec<&'a Entry>,
    /// Whether a try-out can search.
    searches: bool,
}

pub async fn setup(State(pages): State<Pages>) -> Response {
    let checks = pages.checks.all().await;
    page(Keep::Never, &view(&pages, &checks))
}

fn view<'a>(pages: &'a Pages, checks: &'a [Check]) -> Setup<'a> {
    let config: &Config = &pages.config;
    let gpts: Vec<Profile<'_>> = config.gpts.iter().map(|gpt| profile(pages, gpt)).collect();
    let (granular_scopes, classic_scopes) = scopes_by_tab(&pages.scopes);
    Setup {
        version: VERSION,
        docs: config.docs,
        try_it: config.docs && gpts.iter().any(|gpt| gpt.searches),
        urls: &config.public_url,
        gpts,
        mcp_clients: &config.mcp_clients,
        client_id: DOCS_CLIENT_ID,
        scope: SCOPE,
        granular_scopes,
        classic_scopes,
        checks,
    }
}

fn profile<'a>(pages: &'a Pages, gpt: &'a Gpt) -> Profile<'a> {
    let (urls, slug) = (&pages.config.public_url, pages.slug(gpt));
    Profile {
        slug: &gpt.slug,
        name: &gpt.name,
        client_id: &gpt.client_id,
        document: urls.openapi(slug),
        instructions_url: urls.instructions(slug),
        instructions: instructions(gpt, &pages.entries),
        skill: urls.skill(&gpt.slug),
        mcp: gpt.mcp.then(|| urls.mcp(slug)),
        resource: urls.actions(slug),
        starters: starters(gpt),
        actions: pages.entries.iter().filter(|entry| gpt.allows_action(entry.id)).collect(),
        searches: gpt.allows_action("searchConfluence"),
    }
}

/// The scopes to tick, by the tabs of Atlassian's console: granular and classic.
pub fn scopes_by_tab(scopes: &[&'static str]) -> (Vec<&'static str>, Vec<&'static str>) {
    scopes.iter().filter(|scope| **scope != "offline_access").partition(|scope| !is_classic(scope))
}

fn is_classic(scope: &str) -> bool {
    scope == "search:confluence" || scope.contains(":confluence-") || scope.starts_with("readonly:")
}

impl Setup<'_> {
    /// A label that tells several GPTs apart.
    fn label(&self, text: &str, gpt: &Profile<'_>) -> String {
        if self.gpts.len() == 1 { text.to_owned() } else { format!("{text} of {}", gpt.name) }
    }

    /// The level of the headings of steps: with several GPTs each has a heading of its own above them.
    fn step_level(&self) -> usize {
        if self.gpts.len() == 1 { 3 } else { 4 }
    }

    fn has_mcp(&self) -> bool {
        self.gpts.iter().any(|gpt| gpt.mcp.is_some())
    }

    /// What needs attention, in one sentence.
    fn summary(&self) -> String {
        let count = |verdict| self.checks.iter().filter(|check| check.verdict == verdict).count();
        let things = |count: usize| if count == 1 { "1 thing".to_owned() } else { format!("{count} things") };
        match (count(Verdict::Bad), count(Verdict::Doubtful)) {
            (0, 0) => "Everything that can be checked from here is right.".to_owned(),
            (0, doubtful) => format!("It works. Have a look at {}.", things(doubtful)),
            (bad, _) => format!("{} to mend before this works.", things(bad)),
        }
    }

    fn verdict(&self) -> Verdict {
        self.checks.iter().map(|check| check.verdict).max().unwrap_or(Verdict::Good)
    }
}

impl Verdict {
    /// For the style sheet.
    fn class(self) -> &'static str {
        match self {
            Self::Good => "good",
            Self::Doubtful => "doubtful",
            Self::Bad => "bad",
        }
    }

    fn word(self) -> &'static str {
        match self {
            Self::Good => "Right",
            Self::Doubtful => "Look at this",
            Self::Bad => "Wrong",
        }
    }
}
