//! From variables to a [`Config`]: a reader that collects mistakes.

use std::sync::Arc;
use std::time::Duration;

use super::{
    Atlassian, Config, Environment, Extraction, Gpt, KnownAction, Limits, Log, McpClients, Mistake, Mistakes,
    VARIABLES, file, secret_files, traces, values,
};

/// The time an action may take in all. With 5 s of waiting for a place, every answer leaves within 40 s.
const BUDGET: Duration = Duration::from_secs(34);

/// What reading one file may take.
const EXTRACTION: Extraction =
    Extraction { program: None, memory: 512 * 1024 * 1024, cpu: Duration::from_secs(10) };

pub fn config(env: &Environment, actions: &[KnownAction]) -> Result<Config, Mistakes> {
    let (env, mistakes) = secret_files::read(env);
    let mut reader = Reader { env: &env, mistakes };
    reader.unknown_variables();
    let public_url = reader.required("CAUSEWAY_PUBLIC_URL", values::public_url);
    let secrets = reader.required("CAUSEWAY_SECRET", values::parse_key_ring);
    let gpts = gpts(&mut reader, actions);
    let atlassian_id = reader.required("ATLASSIAN_CLIENT_ID", values::token_text);
    let atlassian_secret = reader.required("ATLASSIAN_CLIENT_SECRET", values::secret_text);
    let auth_url = reader.or("ATLASSIAN_AUTH_URL", "https://auth.atlassian.com", values::upstream_url);
    let api_url = reader.or("ATLASSIAN_API_URL", "https://api.atlassian.com", values::upstream_url);
    let media_hosts = reader.or("ATLASSIAN_MEDIA_HOSTS", "api.media.atlassian.com", values::hosts);
    let listen = reader.or("CAUSEWAY_LISTEN", "127.0.0.1:8080", values::address);
    let admin_listen = reader.optional("CAUSEWAY_ADMIN_LISTEN", values::address);
    let mcp_clients = reader.or("CAUSEWAY_MCP_CLIENTS", "known", McpClients::parse);
    let docs = reader.or("CAUSEWAY_DOCS", "on", values::on_or_off);
    let audit = reader.or("CAUSEWAY_AUDIT", "on", values::on_or_off);
    let operator = reader.optional("CAUSEWAY_OPERATOR", values::line);
    let contact = reader.optional("CAUSEWAY_CONTACT", values::line);
    let not_before = reader.optional("CAUSEWAY_NOT_BEFORE", values::time);
    let openai_challenge = reader.optional("CAUSEWAY_OPENAI_CHALLENGE", values::line);
    let filter = reader.or("CAUSEWAY_LOG", "info", values::log_filter);
    let json = reader.or("CAUSEWAY_LOG_FORMAT", "text", values::log_format);
    let traces = traces::traces(&mut reader);
    let max_in_flight = reader.or("CAUSEWAY_MAX_IN_FLIGHT", "64", values::in_flight);
    let trusted_proxies = reader
        .optional("CAUSEWAY_TRUSTED_PROXIES", |text| values::each(text, values::network))
        .unwrap_or_default();
    reader.optional("SSL_CERT_FILE", values::certificates);
    for name in ["HTTPS_PROXY", "https_proxy"] {
        reader.optional(name, values::proxy);
    }
    reader.contradictions();

    let complete = move || {
        Some(Config {
            public_url: public_url?,
            listen: listen?,
            admin_listen,
            secrets: secrets?,
            gpts: gpts?,
            mcp_clients: mcp_clients?,
            docs: docs?,
            operator,
            contact,
            not_before,
            openai_challenge,
            log: Log { filter: filter?, json: json? },
            traces,
            audit: audit?,
            max_in_flight: max_in_flight?,
            atlassian: Atlassian {
                client_id: atlassian_id?,
                client_secret: atlassian_secret?,
                auth_url: auth_url?,
                api_url: api_url?,
                media_hosts: media_hosts?,
            },
            trusted_proxies,
            budget: BUDGET,
            limits: Limits::default(),
            extraction: EXTRACTION,
        })
    };
    match complete() {
        Some(config) if reader.mistakes.is_empty() => Ok(config),
        _ => Err(Mistakes(reader.mistakes)),
    }
}

/// Reads variables and keeps what was wrong with them.
pub struct Reader<'a> {
    env: &'a Environment,
    mistakes: Vec<Mistake>,
}

impl Reader<'_> {
    /// A variable's value; an empty one means absent.
    pub fn value(&self, name: &str) -> Option<&str> {
        self.env.get(name).map(|value| value.trim()).filter(|value| !value.is_empty())
    }

    pub fn mistake(&mut self, variable: impl Into<String>, message: impl Into<String>) {
        self.mistakes.push(Mistake { variable: variable.into(), message: message.into() });
    }

    /// Keeps the mistake, if `result` is one.
    pub fn keep<T>(&mut self, name: &str, result: Result<T, String>) -> Option<T> {
        result.map_err(|message| self.mistake(name, message)).ok()
    }

    pub fn optional<T>(&mut self, name: &str, parse: impl Fn(&str) -> Result<T, String>) -> Option<T> {
        let parsed = self.value(name).map(parse)?;
        self.keep(name, parsed)
    }

    fn or<T>(&mut self, name: &str, default: &str, parse: impl Fn(&str) -> Result<T, String>) -> Option<T> {
        let parsed = parse(self.value(name).unwrap_or(default));
        self.keep(name, parsed)
    }

    pub fn required<T>(&mut self, name: &str, parse: impl Fn(&str) -> Result<T, String>) -> Option<T> {
        if self.value(name).is_none() {
            if self.value(&secret_files::named(name)).is_some() {
                return None; // What is wrong with the file has been told.
            }
            let meaning = VARIABLES.iter().find(|variable| variable.name == name).map_or("", |v| v.meaning);
            self.mistake(name, format!("is not set. Set it to {meaning}"));
            return None;
        }
        self.optional(name, parse)
    }

    fn equal(&self, one: &str, other: &str) -> bool {
        self.value(one).is_some() && self.value(one) == self.value(other)
    }

    /// What is good by itself and wrong together.
    fn contradictions(&mut self) {
        if self.equal("CAUSEWAY_CLIENT_SECRET", "ATLASSIAN_CLIENT_SECRET") {
            self.mistake(
                "CAUSEWAY_CLIENT_SECRET",
                "is the same as ATLASSIAN_CLIENT_SECRET, which nobody but this gateway may know; this one is typed into \
                 ChatGPT. Make another with causeway keygen",
            );
        }
        if self.equal("CAUSEWAY_ADMIN_LISTEN", "CAUSEWAY_LISTEN") {
            self.mistake(
                "CAUSEWAY_ADMIN_LISTEN",
                "is the same as CAUSEWAY_LISTEN. What it serves is for the operator alone: choose a port that the internet \
                 does not reach",
            );
        }
    }

    /// A misspelt variable would silently change nothing, so it is a mistake.
    fn unknown_variables(&mut self) {
        let unknown: Vec<String> = self
            .env
            .keys()
            .filter(|name| {
                name.starts_with("CAUSEWAY_") && !VARIABLES.iter().any(|known| known.name == *name)
            })
            .cloned()
            .collect();
        for name in unknown {
            self.mistake(
                name,
                "is not a variable of Causeway. Remove it, or look its name up in causeway serve --help",
            );
        }
    }
}

/// The profiles: one from variables, or those of the file.
fn gpts(reader: &mut Reader<'_>, actions: &[KnownAction]) -> Option<Vec<Arc<Gpt>>> {
    let gpts = match (
        reader.value("CAUSEWAY_CONFIG").map(str::to_owned),
        reader.value("CAUSEWAY_CLIENT_ID").is_some(),
    ) {
        (Some(_), true) => {
            reader.mistake("CAUSEWAY_CONFIG", "is set together with CAUSEWAY_CLIENT_ID. Keep one: the file for several GPTs, or the variables for one");
            return None;
        }
        (Some(path), false) => file::gpts(reader, &path, actions)?,
        (None, _) => vec![single_gpt(reader, actions)?],
    };
    Some(gpts.into_iter().map(Arc::new).collect())
}

fn single_gpt(reader: &mut Reader<'_>, actions: &[KnownAction]) -> Option<Gpt> {
    let client_id = reader.required("CAUSEWAY_CLIENT_ID", values::client_id);
    let client_secret = reader.required("CAUSEWAY_CLIENT_SECRET", values::secret_text);
    let name = reader.or("CAUSEWAY_NAME", "Confluence", values::line);
    let gpt_ids =
        reader.optional("CAUSEWAY_GPT_IDS", |text| values::each(text, values::gpt_id)).unwrap_or_default();
    let redirect_uris = reader
        .optional("CAUSEWAY_REDIRECT_URIS", |text| values::each(text, values::redirect_uri))
        .unwrap_or_default();
    let site = reader.optional("CAUSEWAY_SITE", values::site);
    let spaces =
        reader.optional("CAUSEWAY_SPACES", |text| values::each(text, values::space_key)).unwrap_or_default();
    let listed =
        reader.optional("CAUSEWAY_ACTIONS", |text| values::each(text, |name| values::action(name, actions)));
    if !spaces.is_empty() && reader.value("CAUSEWAY_SITE").is_none() {
        reader.mistake("CAUSEWAY_SPACES", SPACES_NEED_A_SITE);
    }
    let enabled = listed.unwrap_or_else(|| default_actions(actions));
    if let Some(why) = reads_too_much(&spaces, &enabled, actions) {
        reader.mistake("CAUSEWAY_ACTIONS", why);
    }
    Some(Gpt {
        slug: "default".to_owned(),
        name: name?,
        client_id: client_id?,
        client_secret: client_secret?,
        gpt_ids,
        redirect_uris,
        site,
        spaces,
        actions: enabled,
        mcp: true,
    })
}

pub const SPACES_NEED_A_SITE: &str = "lists spaces, but no site: a space key means nothing without one. Set the site (its host, such as acme.atlassian.net) too";

pub fn default_actions(actions: &[KnownAction]) -> Vec<String> {
    actions.iter().filter(|action| action.on_by_default).map(|action| action.id.to_owned()).collect()
}

/// An enabled action that does not keep to the spaces that are allowed.
pub fn reads_too_much(spaces: &[String], enabled: &[String], actions: &[KnownAction]) -> Option<String> {
    let unbound =
        |name: &&String| actions.iter().any(|action| action.id == **name && !action.keeps_to_spaces);
    let name = enabled.iter().find(unbound).filter(|_| !spaces.is_empty())?;
    Some(format!(
        "holds {name:?}, which reads any space, while the GPT is limited to {}. Remove one of the two",
        spaces.join(", ")
    ))
}
