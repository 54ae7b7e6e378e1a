//! Configuration: the environment and `CAUSEWAY_CONFIG`, read once at start. Every mistake is reported at once, each with
//! the variable's name, what was found (never a secret) and what is accepted.

mod clients;
mod file;
mod read;
mod secret_files;
mod traces;
mod values;
mod variables;

use std::collections::BTreeMap;
use std::fmt;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use ipnet::IpNet;
use jiff::Timestamp;
use secrecy::SecretString;
use url::Url;

use crate::ids::SiteRef;
use crate::urls::PublicUrl;

pub use clients::{
    KNOWN_CLIENTS, Kind, KnownClient, McpClients, PinnedDocument, RedirectUri, Standing,
    is_connector_callback, is_word,
};
pub use traces::{Sampler, Traces};
pub use values::parse_secret;
pub use variables::{VARIABLES, Variable};

/// Everything the gateway was told at start.
#[derive(Clone, Debug)]
pub struct Config {
    /// `CAUSEWAY_PUBLIC_URL`: the origin that people and ChatGPT reach.
    pub public_url: PublicUrl,
    /// `CAUSEWAY_LISTEN`: where to listen.
    pub listen: SocketAddr,
    /// `CAUSEWAY_ADMIN_LISTEN`: where /metrics and /readyz with details are served, if anywhere.
    pub admin_listen: Option<SocketAddr>,
    /// `CAUSEWAY_SECRET`: the key ring. The first seals, all open. Never empty.
    pub secrets: Vec<SecretString>,
    /// The GPTs (profiles). The first is the default. Never empty.
    pub gpts: Vec<Arc<Gpt>>,
    /// `CAUSEWAY_MCP_CLIENTS`: which clients that the operator did not configure may ask for consent.
    pub mcp_clients: McpClients,
    /// `CAUSEWAY_DOCS`: whether Swagger UI is served.
    pub docs: bool,
    /// `CAUSEWAY_OPERATOR`, `CAUSEWAY_CONTACT`: who runs this and how to reach them, for the privacy page.
    pub operator: Option<String>,
    pub contact: Option<String>,
    /// `CAUSEWAY_NOT_BEFORE`: sign-ins before this time are refused.
    pub not_before: Option<Timestamp>,
    /// `CAUSEWAY_OPENAI_CHALLENGE`: what `/.well-known/openai-apps-challenge` answers.
    pub openai_challenge: Option<String>,
    pub log: Log,
    /// `OTEL_*`: where traces go, if anywhere.
    pub traces: Option<Traces>,
    /// `CAUSEWAY_AUDIT`: one audit line per action.
    pub audit: bool,
    /// `CAUSEWAY_MAX_IN_FLIGHT`: requests worked on at the same time, at most half of them for one person; others wait at most 5 s.
    pub max_in_flight: usize,
    pub atlassian: Atlassian,
    /// `CAUSEWAY_TRUSTED_PROXIES`: whose X-Forwarded-For is believed.
    pub trusted_proxies: Vec<IpNet>,
    /// How long an action may take in all; ChatGPT gives up at 45 s. Not configurable from outside.
    pub budget: Duration,
    /// Not configurable from outside.
    pub limits: Limits,
    pub extraction: Extraction,
}

/// How many connections there may be, and how patient the gateway is with them.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    pub connections: usize,
    /// How long a request's head may take, the wait for it included: longer than proxies keep an idle connection (60 s).
    pub head: Duration,
    /// How long a connection may neither be read from nor written to by its client.
    pub silence: Duration,
    /// How long a request's body may take.
    pub body: Duration,
    /// How long, at shutdown, new requests are answered still: until whoever stands in front has noticed.
    pub farewell: Duration,
    /// How long open requests may take to finish at shutdown: longer than any answer.
    pub grace: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            connections: 2048,
            head: Duration::from_secs(75),
            silence: Duration::from_secs(75),
            body: Duration::from_secs(10),
            farewell: Duration::from_secs(2),
            grace: Duration::from_secs(45),
        }
    }
}

/// How the text of files is had: by a process for each file. Not configurable from outside.
#[derive(Clone, Debug)]
pub struct Extraction {
    /// The program to start, which is this one. Whoever runs it has to say where it is; without it no file is read.
    pub program: Option<PathBuf>,
    /// The most memory that one file may take, in bytes of address space.
    pub memory: u64,
    /// The longest that one file may compute, in whole seconds.
    pub cpu: Duration,
}

/// One GPT (profile): what it is called, who may sign in with it, and what it may read.
#[derive(Clone, Debug)]
pub struct Gpt {
    /// What its URLs hold: `/gpts/{slug}/…`.
    pub slug: String,
    pub name: String,
    /// What the builder types into the GPT.
    pub client_id: String,
    pub client_secret: SecretString,
    /// GPT ids (`g-…`) whose callback is accepted; empty: any.
    pub gpt_ids: Vec<String>,
    /// Further redirect URIs that are accepted, exactly as written.
    pub redirect_uris: Vec<String>,
    /// The only site this GPT may use.
    pub site: Option<SiteRef>,
    /// Space keys this GPT may read; empty: all that the person sees. Needs `site`.
    pub spaces: Vec<String>,
    /// Enabled actions: operationIds.
    pub actions: Vec<String>,
    /// Whether it has an MCP endpoint beside its actions.
    pub mcp: bool,
}

/// What the configuration has to know of an action.
#[derive(Clone, Copy, Debug)]
pub struct KnownAction {
    /// The operationId.
    pub id: &'static str,
    pub on_by_default: bool,
    /// Whether a GPT with an allow-list of spaces may have it.
    pub keeps_to_spaces: bool,
}

impl Gpt {
    pub fn allows_action(&self, id: &str) -> bool {
        self.actions.iter().any(|action| action == id)
    }

    /// Whether it may read less than the person: nothing of an answer may then tell what lies outside from what is absent.
    pub fn restricts_content(&self) -> bool {
        !self.spaces.is_empty()
    }
}

/// `CAUSEWAY_LOG` and `CAUSEWAY_LOG_FORMAT`.
#[derive(Clone, Debug)]
pub struct Log {
    /// A `tracing` filter, such as `info` or `causeway=debug`.
    pub filter: String,
    pub json: bool,
}

/// The one 3LO app of this gateway, and where Atlassian is.
#[derive(Clone, Debug)]
pub struct Atlassian {
    pub client_id: String,
    pub client_secret: SecretString,
    /// `ATLASSIAN_AUTH_URL`, without a trailing slash.
    pub auth_url: Url,
    /// `ATLASSIAN_API_URL`, without a trailing slash.
    pub api_url: Url,
    /// `ATLASSIAN_MEDIA_HOSTS`: the hosts an attachment download may redirect to, `host` or `host:port`.
    pub media_hosts: Vec<String>,
}

impl Config {
    /// Reads the configuration from `env`. `actions` are all there are.
    pub fn load(env: &Environment, actions: &[KnownAction]) -> Result<Self, Mistakes> {
        read::config(env, actions)
    }

    /// The GPT that URLs without a slug mean.
    pub fn default_gpt(&self) -> &Arc<Gpt> {
        &self.gpts[0]
    }

    /// Whether clients that the operator did not configure may register here: some GPT has to be there for them.
    pub fn takes_registrations(&self) -> bool {
        !self.mcp_clients.is_off() && self.has_mcp()
    }

    /// Whether any GPT has an MCP endpoint.
    pub fn has_mcp(&self) -> bool {
        self.gpts.iter().any(|gpt| gpt.mcp)
    }

    pub fn gpt_by_slug(&self, slug: &str) -> Option<&Arc<Gpt>> {
        self.gpts.iter().find(|gpt| gpt.slug == slug)
    }

    pub fn gpt_by_client_id(&self, client_id: &str) -> Option<&Arc<Gpt>> {
        self.gpts.iter().find(|gpt| gpt.client_id == client_id)
    }
}

/// The variables of a process, as data: tests make their own.
pub type Environment = BTreeMap<String, String>;

/// The environment of this process. A variable that is not UTF-8 is read with replacement characters, so that its
/// parser refuses it by name.
pub fn environment() -> Environment {
    std::env::vars_os()
        .map(|(name, value)| (name.to_string_lossy().into_owned(), value.to_string_lossy().into_owned()))
        .collect()
}

/// One mistake in the configuration.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mistake {
    /// The variable, or the place in the file: `gpt[1].site`.
    pub variable: String,
    /// What was found, what is accepted, and what to do.
    pub message: String,
}

/// Every mistake of a configuration, at least one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mistakes(pub Vec<Mistake>);

impl fmt::Display for Mistakes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let count = self.0.len();
        writeln!(f, "{count} mistake{} in the configuration:", if count == 1 { "" } else { "s" })?;
        for Mistake { variable, message } in &self.0 {
            writeln!(f, "  {variable}: {message}")?;
        }
        Ok(())
    }
}

impl std::error::Error for Mistakes {}
