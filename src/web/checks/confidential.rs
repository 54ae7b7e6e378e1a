//! What can be told without asking anybody, and to the operator alone.

use secrecy::ExposeSecret;

use super::{Check, Checks, doubtful};
use crate::config::{Config, Gpt};

/// Fewer characters than this can be guessed where guesses are not slowed down; 16 random ones hold about 95 bits.
const SHORTEST: usize = 16;

impl Checks {
    /// What is wrong with the secrets, and what is allowed more widely than it has to be, where something is.
    pub fn confidential(&self) -> Vec<Check> {
        let secrets = self.config.gpts.iter().filter_map(|gpt| client_secret(gpt));
        secrets.chain(mcp_hosts(&self.config)).collect()
    }
}

fn mcp_hosts(config: &Config) -> Option<Check> {
    let hosts = &config.mcp_clients.hosts;
    let found = format!("Any page of {} may be sent codes, and people are warned of it.", hosts.join(", "));
    let fix = "In CAUSEWAY_MCP_CLIENTS list the exact redirect URI of the client instead of its host, as in known,https://agent.example/cb; a refused registration names it.";
    (!hosts.is_empty()).then(|| doubtful("MCP clients", &found, fix))
}

fn client_secret(gpt: &Gpt) -> Option<Check> {
    let length = gpt.client_secret.expose_secret().len();
    let found =
        format!("That of \u{201c}{}\u{201d} has {length} characters, few enough to be guessed.", gpt.name);
    let fix = format!("Make one of {SHORTEST} or more, with causeway keygen, and type it into the GPT too.");
    (length < SHORTEST).then(|| doubtful("Client secret", &found, &fix))
}
