//! `CAUSEWAY_MCP_CLIENTS`: which clients that the operator did not configure may ask a person for consent.

mod known;
mod redirect_uri;

use super::values::{EMPTY_LIST, shown};
use crate::urls::is_loopback_host;

pub use known::{KNOWN_CLIENTS, KnownClient, PinnedDocument, is_connector_callback, is_word};
pub use redirect_uri::{Kind, RedirectUri};

/// `CAUSEWAY_MCP_CLIENTS`, as what it allows. Nothing at all: `off`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct McpClients {
    /// Those of the table: all of them with `known`, or those whose hosts are listed.
    pub clients: Vec<&'static KnownClient>,
    /// Whether programs on the person's own computer may ask, which listen on loopback.
    pub loopback: bool,
    /// `any`: every https URL.
    pub any: bool,
    /// Further hosts, `host` or `host:port` in lower case: any of their https URLs.
    pub hosts: Vec<String>,
    /// Further redirect URIs, and URLs of metadata documents, exactly.
    pub uris: Vec<RedirectUri>,
}

/// Why a redirect URI is allowed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Standing {
    /// It is in the table of known clients.
    Known(&'static KnownClient),
    /// The operator lists exactly this URI.
    Listed,
    /// http on loopback: whichever program listens there.
    Loopback,
    /// On a host that the operator lists, or on any with `any`: nobody knows whose it is.
    Permitted,
}

impl McpClients {
    /// `known`, `any` or `off`, and hosts or URIs beside or instead of them.
    pub fn parse(text: &str) -> Result<Self, String> {
        let entries: Vec<&str> = text.split(',').map(str::trim).filter(|entry| !entry.is_empty()).collect();
        let mut allowed = Self::default();
        match entries.as_slice() {
            [] => return Err(EMPTY_LIST.to_owned()),
            ["off"] => return Ok(allowed),
            _ => {}
        }
        for entry in entries {
            match entry {
                "off" => {
                    return Err(
                        "holds off beside something else. Accepted: off alone, or what is allowed".to_owned()
                    );
                }
                "known" => allowed.allow_known(),
                "any" => {
                    allowed.allow_known();
                    allowed.any = true;
                }
                uri if uri.contains('/') => {
                    let uri = listed_uri(uri)?;
                    if !allowed.uris.contains(&uri) {
                        allowed.uris.push(uri);
                    }
                }
                host => allowed.allow_host(host)?,
            }
        }
        Ok(allowed)
    }

    fn allow_known(&mut self) {
        self.clients = KNOWN_CLIENTS.iter().collect();
        self.loopback = true;
    }

    /// A host of a known client stands for that client's redirect URIs, one of loopback for loopback.
    fn allow_host(&mut self, text: &str) -> Result<(), String> {
        let host = host(text)?;
        let known = KNOWN_CLIENTS.iter().find(|client| client.hosts.contains(&host.as_str()));
        let without_port = host.rsplit_once(':').map_or(host.as_str(), |(host, _)| host);
        if is_loopback_host(&host) || is_loopback_host(without_port) {
            self.loopback = true;
        } else if let Some(known) = known {
            if !self.clients.contains(&known) {
                self.clients.push(known);
            }
        } else if !self.hosts.contains(&host) {
            self.hosts.push(host);
        }
        Ok(())
    }

    pub fn is_off(&self) -> bool {
        *self == Self::default()
    }

    /// `known`, and nothing beside it.
    pub fn is_known_alone(&self) -> bool {
        let mut known = Self::default();
        known.allow_known();
        *self == known
    }

    /// Whether and why a client that the operator did not configure may be called back at `uri`.
    pub fn standing(&self, uri: &RedirectUri) -> Option<Standing> {
        if uri.is_of_a_gpt() {
            return None;
        }
        if let Some(known) = self.clients.iter().find(|client| client.is_called_back_at(uri)) {
            return Some(Standing::Known(known));
        }
        if self.uris.iter().any(|listed| uri.is_registered_as(listed.as_str())) {
            return Some(Standing::Listed);
        }
        match uri.kind() {
            Kind::Loopback if self.loopback && uri.ignores_port() => Some(Standing::Loopback),
            Kind::Web if self.permits_host(uri.host()) => Some(Standing::Permitted),
            _ => None,
        }
    }

    /// Whether the metadata document at `url`, which is not one of the table's, may say who a client is.
    pub fn allows_document(&self, url: &RedirectUri) -> bool {
        url.kind() == Kind::Web && (self.uris.contains(url) || self.permits_host(url.host()))
    }

    /// Whether a client of the table with this metadata document could be called back anywhere.
    pub fn allows_pinned(&self, client: &'static KnownClient, document: &PinnedDocument) -> bool {
        let on_loopback = document.redirect_uris.iter().all(|uri| uri.starts_with("http://"));
        if on_loopback { self.loopback } else { self.clients.contains(&client) }
    }

    /// A label of punycode looks like another host to a person: such a host is listed, or not allowed.
    fn permits_host(&self, host: &str) -> bool {
        let is_punycode = host.split('.').any(|label| label.starts_with("xn--"));
        self.hosts.iter().any(|allowed| allowed == host) || (self.any && !is_punycode)
    }

    /// Who may ask, in words.
    pub fn summary(&self) -> String {
        if self.is_off() {
            return "the GPT's own client id and secret only".to_owned();
        }
        if self.any {
            return "any client that a person allows".to_owned();
        }
        let mut names: Vec<String> = self.clients.iter().map(|client| client.name.to_owned()).collect();
        names.extend(self.hosts.iter().cloned());
        names.extend(self.uris.iter().map(|uri| uri.as_str().to_owned()));
        if self.loopback {
            names.push("programs on a person's own machine".to_owned());
        }
        match names.pop() {
            Some(last) if !names.is_empty() => format!("{} and {last}", names.join(", ")),
            last => last.unwrap_or_default(),
        }
    }
}

fn listed_uri(text: &str) -> Result<RedirectUri, String> {
    let accepted = "A redirect URI is written exactly as it is read: https, http on loopback, or a scheme of a program's own";
    let uri =
        RedirectUri::parse(text).map_err(|why| format!("holds {}, which {why}. {accepted}", shown(text)))?;
    if uri.is_of_a_gpt() {
        return Err(format!(
            "holds {text:?}, the callback of a custom GPT. That is for a configured client, with CAUSEWAY_GPT_IDS"
        ));
    }
    Ok(uri)
}

/// A host as a URL has it, with a port where it is unusual.
fn host(text: &str) -> Result<String, String> {
    let host = text.to_ascii_lowercase();
    let has_dot = host.contains('.') || host.starts_with('[') || host.starts_with("localhost");
    let parsed = RedirectUri::parse(&format!("https://{host}/"));
    if has_dot && parsed.is_ok_and(|parsed| parsed.host() == host) {
        return Ok(host);
    }
    Err(format!(
        "holds {}. Accepted: known, any, off, and comma-separated hosts such as agent.example or redirect URIs such as https://agent.example/cb",
        shown(text)
    ))
}

#[cfg(test)]
mod tests;
