//! Causeway: a stateless gateway that lets ChatGPT search and read Confluence as the person who is asking.
//!
//! # The map
//!
//! Floors; a file imports only from floors below its own:
//!
//! | floor | what |
//! | --- | --- |
//! | `main.rs` | the command line |
//! | `demo` | gateway and sandbox on loopback, signed in |
//! | this file | wiring: from a configuration to a running server |
//! | `router` | every path on one page, then the layers |
//! | `server` | connections: how many, how slow, how they end |
//! | `mcp` | the MCP door |
//! | `files` | originals of attachments, by sealed links |
//! | `web` | the pages people look at, the instructions, and what is right and wrong |
//! | `openapi` | the Actions document, and ChatGPT's rules as a lint |
//! | `actions` | one file for each action, and the list |
//! | `action` | what an action is: trait, entry, caller, validator, and the wiki behind the policy |
//! | `problem` | what callers get instead of an answer |
//! | `oauth` | the authorization server that clients see |
//! | `confluence` | the typed client of Confluence |
//! | `extract` | text of files, in a process of its own |
//! | `markdown` | storage format or HTML in, Markdown out |
//! | `ranking` | which texts answer a question |
//! | `atlassian` | sign-in and sites at Atlassian |
//! | `seal` | sealed strings, and every payload that travels in one |
//! | `clean`, `config`, `clock`, `urls`, `peer`, `telemetry`, `aside`, `fair`, `ids`, `lenient`, `memo` | the ground |
//! | `sandbox` | a stand-in for Atlassian, on the clock alone |
//!
//! A request of the Actions door: `router` → bearer to grant (`oauth::bearer`) → `action::Entry::call` (checked input, `Caller`) →
//! the action → `action::Wiki` (policy) → `confluence` (one `send`) → `markdown` → JSON. The MCP door joins at `Entry::call`.
//!
//! # Invariants
//!
//! - No action sees the app's state, a header or a raw token: it gets a `Caller`. What it reads comes through `Wiki`, which checks the policy.
//! - `confluence`, `markdown`, `ranking` and `seal` do not know axum; `markdown`, `ranking` and `seal` do no IO and are not async.
//! - Only `config` reads the environment, only `clock` the clock, only `urls` builds our own URLs, only `telemetry` configures logging.
//! - The process keeps nothing that a restart may lose. Caches may vanish at any time. No page text is cached or logged.
//! - What is remembered of upstream answers is keyed by the SHA-256 of the upstream access token and cloud id; a call under way is shared
//!   with the same request of the same token. Nothing is shared between two tokens.
//! - No secret, token, code, page text or query text reaches a log, a span, an error body or a URL that is not ours.
//! - No answer holds upstream error text but the reason of an `invalid-cql`, and of what `callConfluence` was refused.
//! - An upstream URL is a configured base and parsed ids; a URL from a person or from Confluence is never fetched. The one
//!   exception is the redirect to an attachment's bytes: once, to the configured media hosts, without Authorization.
//! - No file is parsed in this process: each has a child of its own, without our environment, with limits it cannot lift.
//! - Every string of an answer is a `Clean` or a `CleanText`, which nothing but the cleaner (`clean`) makes: no path leads around it.
//! - Every answer that belongs to a person is `Cache-Control: no-store`.

pub mod action;
pub mod actions;
pub mod aside;
pub mod atlassian;
pub mod clean;
pub mod clock;
pub mod config;
pub mod confluence;
pub mod demo;
pub mod extract;
pub mod fair;
pub mod files;
pub mod ids;
pub mod lenient;
pub mod markdown;
pub mod mcp;
pub mod memo;
pub mod oauth;
pub mod openapi;
pub mod peer;
pub mod problem;
pub mod ranking;
pub mod router;
pub mod sandbox;
pub mod seal;
pub mod server;
pub mod telemetry;
pub mod urls;
pub mod web;

use std::future::Future;
use std::io;
use std::sync::Arc;

use tokio::net::TcpListener;

use action::{Entry, Services};
use atlassian::{Auth, Breaker, Sites};
use clock::Clock;
use config::{Config, Gpt, KnownAction};
use extract::Extractor;
use oauth::AuthorizationServer;
use seal::Sealer;
use telemetry::{Metrics, Standing};
use web::checks::{Check, Checks};

/// Everything that the routes share.
#[derive(Clone)]
pub struct Gateway {
    pub config: Arc<Config>,
    pub entries: Arc<[Entry]>,
    pub services: Arc<Services>,
    pub http: reqwest::Client,
}

impl Gateway {
    /// Wires the gateway up. Fails when a key or the TLS roots are unusable.
    pub fn new(config: Config, clock: Clock) -> io::Result<Self> {
        let config = Arc::new(config);
        let entries: Arc<[Entry]> = actions::all().into();
        let sealer = Sealer::new(&config.secrets, clock.clone()).map_err(io::Error::other)?;
        let http = atlassian::http_client().map_err(io::Error::other)?;
        let metrics = Metrics::new(&clock);
        let auth = Auth::new(&config.atlassian, &config.public_url, http.clone(), metrics.clone(), &clock)
            .map_err(io::Error::other)?;
        let breaker = Breaker::new(&clock);
        let api_url = &config.atlassian.api_url;
        let sites = Sites::new(api_url, http.clone(), metrics.clone(), breaker.clone());
        let confluence = confluence::Client::new(
            http.clone(),
            api_url.clone(),
            &config.atlassian.media_hosts,
            breaker,
            metrics.clone(),
            &clock,
        );
        watch(&metrics, &auth, &confluence);
        let scopes = upstream_scopes(&config.gpts, &entries);
        let server = AuthorizationServer::new(
            config.clone(),
            sealer.clone(),
            clock.clone(),
            auth,
            sites.clone(),
            scopes,
            metrics.clone(),
        );
        let services = Services {
            server,
            sites,
            confluence,
            extractor: Extractor::new(config.extraction.clone()),
            sealer,
            urls: config.public_url.clone(),
            clock,
            metrics,
            budget: config.budget,
            audit: config.audit,
        };
        Ok(Self { config, entries, services: Arc::new(services), http })
    }
}

impl Gateway {
    /// What is right and what is wrong with this gateway.
    pub fn checks(&self) -> Checks {
        Checks::new(self.config.clone(), self.entries.clone(), self.http.clone(), self.services.clock.clone())
    }

    /// The same for the operator's eyes, and more of it: see [`Checks::thorough`].
    pub async fn thorough_checks(&self) -> Vec<Check> {
        let server = &self.services.server;
        self.checks().thorough(server.atlassian(), server.atlassian_scopes()).await
    }
}

/// Lets the operator see what is left of the app's points, and which of Atlassian's hosts are left alone.
fn watch(metrics: &Metrics, auth: &Auth, confluence: &confluence::Client) {
    let (api, auth) = (confluence.breaker().clone(), auth.breaker().clone());
    let budget = confluence.budget().clone();
    metrics.watch(move || Standing {
        points_left: budget.points_left(),
        points_an_hour: budget.limit(),
        breakers: [("api", api.state().level()), ("auth", auth.state().level())],
    });
}

/// The scopes that every sign-in asks Atlassian for: those of all GPTs' enabled actions, without doubles, in a fixed order.
/// Atlassian keeps one grant for each app and account, and a new consent replaces its scopes.
pub fn upstream_scopes(gpts: &[Arc<Gpt>], entries: &[Entry]) -> Vec<&'static str> {
    let enabled = entries.iter().filter(|entry| gpts.iter().any(|gpt| gpt.allows_action(entry.id)));
    let mut scopes: Vec<&'static str> = enabled.flat_map(|entry| entry.scopes.iter().copied()).collect();
    scopes.sort_unstable();
    scopes.dedup();
    scopes
}

/// The actions as [`Config::load`] has to know them.
pub fn known_actions() -> Vec<KnownAction> {
    let known = |entry: &Entry| KnownAction {
        id: entry.id,
        on_by_default: entry.on_by_default,
        keeps_to_spaces: entry.keeps_to_spaces,
    };
    actions::all().iter().map(known).collect()
}

/// Serves a gateway of its own on `listener` until `shutdown` resolves and open requests are answered.
pub async fn run(
    listener: TcpListener,
    config: Config,
    clock: Clock,
    shutdown: impl Future<Output = ()> + Send + 'static,
) -> io::Result<()> {
    serve(listener, &Gateway::new(config, clock)?, shutdown).await
}

/// Serves `gateway` on `listener` until `shutdown` resolves and open requests are answered.
pub async fn serve(
    listener: TcpListener,
    gateway: &Gateway,
    shutdown: impl Future<Output = ()> + Send + 'static,
) -> io::Result<()> {
    server::serve(listener, router::router(gateway), gateway.config.limits, shutdown).await
}

/// Serves what the operator alone sees of `gateway` on `listener` until `shutdown` resolves.
pub async fn serve_admin(
    listener: TcpListener,
    gateway: &Gateway,
    shutdown: impl Future<Output = ()> + Send + 'static,
) -> io::Result<()> {
    server::serve(listener, router::admin(gateway), gateway.config.limits, shutdown).await
}
