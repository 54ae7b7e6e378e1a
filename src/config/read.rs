//! From variables to a [`Config`]: one small parser for each kind of value, and a reader that collects mistakes.

use std::collections::BTreeSet;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, STANDARD_NO_PAD, URL_SAFE, URL_SAFE_NO_PAD};
use ipnet::IpNet;
use secrecy::{ExposeSecret, SecretString};
use url::Url;
use zeroize::Zeroizing;

use super::{
    Atlassian, Config, Environment, Extraction, Gpt, KnownAction, Limits, Log, McpClients, Mistake, Mistakes,
    VARIABLES, file, secret_files, traces,
};
use crate::urls::{PublicUrl, is_loopback_host};

/// The time an action may take in all. With 5 s of waiting for a place, every answer leaves within 40 s.
const BUDGET: Duration = Duration::from_secs(34);

/// What reading one file may take.
const EXTRACTION: Extraction =
    Extraction { program: None, memory: 512 * 1024 * 1024, cpu: Duration::from_secs(10) };

pub fn config(env: &Environment, actions: &[KnownAction]) -> Result<Config, Mistakes> {
    let (env, mistakes) = secret_files::read(env);
    let mut reader = Reader { env: &env, mistakes };
    reader.unknown_variables();
    let public_url = reader.required("CAUSEWAY_PUBLIC_URL", public_url);
    let secrets = reader.required("CAUSEWAY_SECRET", parse_key_ring);
    let gpts = gpts(&mut reader, actions);
    let atlassian_id = reader.required("ATLASSIAN_CLIENT_ID", token_text);
    let atlassian_secret = reader.required("ATLASSIAN_CLIENT_SECRET", secret_text);
    let auth_url = reader.or("ATLASSIAN_AUTH_URL", "https://auth.atlassian.com", upstream_url);
    let api_url = reader.or("ATLASSIAN_API_URL", "https://api.atlassian.com", upstream_url);
    let media_hosts = reader.or("ATLASSIAN_MEDIA_HOSTS", "api.media.atlassian.com", hosts);
    let listen = reader.or("CAUSEWAY_LISTEN", "127.0.0.1:8080", address);
    let admin_listen = reader.optional("CAUSEWAY_ADMIN_LISTEN", address);
    let mcp_clients = reader.or("CAUSEWAY_MCP_CLIENTS", "known", mcp_clients);
    let docs = reader.or("CAUSEWAY_DOCS", "on", on_or_off);
    let audit = reader.or("CAUSEWAY_AUDIT", "on", on_or_off);
    let operator = reader.optional("CAUSEWAY_OPERATOR", line);
    let contact = reader.optional("CAUSEWAY_CONTACT", line);
    let not_before = reader.optional("CAUSEWAY_NOT_BEFORE", time);
    let openai_challenge = reader.optional("CAUSEWAY_OPENAI_CHALLENGE", line);
    let filter = reader.or("CAUSEWAY_LOG", "info", log_filter);
    let json = reader.or("CAUSEWAY_LOG_FORMAT", "text", log_format);
    let traces = traces::traces(&mut reader);
    let max_in_flight = reader.or("CAUSEWAY_MAX_IN_FLIGHT", "64", in_flight);
    let trusted_proxies =
        reader.optional("CAUSEWAY_TRUSTED_PROXIES", |text| each(text, network)).unwrap_or_default();
    reader.optional("SSL_CERT_FILE", certificates);
    for name in ["HTTPS_PROXY", "https_proxy"] {
        reader.optional(name, proxy);
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
    let client_id = reader.required("CAUSEWAY_CLIENT_ID", client_id);
    let client_secret = reader.required("CAUSEWAY_CLIENT_SECRET", secret_text);
    let name = reader.or("CAUSEWAY_NAME", "Confluence", line);
    let gpt_ids = reader.optional("CAUSEWAY_GPT_IDS", |text| each(text, gpt_id)).unwrap_or_default();
    let redirect_uris =
        reader.optional("CAUSEWAY_REDIRECT_URIS", |text| each(text, redirect_uri)).unwrap_or_default();
    let site = reader.optional("CAUSEWAY_SITE", site);
    let spaces = reader.optional("CAUSEWAY_SPACES", |text| each(text, space_key)).unwrap_or_default();
    let listed = reader.optional("CAUSEWAY_ACTIONS", |text| each(text, |name| action(name, actions)));
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
    })
}

fn public_url(text: &str) -> Result<PublicUrl, String> {
    PublicUrl::parse(text).map_err(|why| {
        format!("is {}: {why}. Accepted: an https origin such as https://causeway.example.com, or http on loopback", shown(text))
    })
}

/// A URL as found. One with a user name is not repeated: a password may stand beside it.
fn shown(url: &str) -> String {
    if url.contains('@') { "a URL with a user name".to_owned() } else { format!("{url:?}") }
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

/// What an empty list is told: it could be meant as none, and must not be taken for all.
pub const EMPTY_LIST: &str = "holds no value. List at least one, or remove it";

/// Splits a comma-separated list, drops doubles and parses each; there is at least one.
pub fn each<T: Ord + Clone>(text: &str, parse: impl Fn(&str) -> Result<T, String>) -> Result<Vec<T>, String> {
    let mut seen = BTreeSet::new();
    let items = text.split(',').map(str::trim).filter(|item| !item.is_empty());
    let parsed: Vec<T> = items.map(parse).collect::<Result<_, _>>()?;
    if parsed.is_empty() {
        return Err(EMPTY_LIST.to_owned());
    }
    Ok(parsed.into_iter().filter(|item| seen.insert(item.clone())).collect())
}

fn parse_key_ring(text: &str) -> Result<Vec<SecretString>, String> {
    let keys: Vec<SecretString> = text
        .split(',')
        .map(str::trim)
        .filter(|key| !key.is_empty())
        .map(|key| parse_secret(key).map(|_| key.into()))
        .collect::<Result<_, _>>()?;
    if keys.is_empty() { Err("holds no key. Make one with causeway keygen".to_owned()) } else { Ok(keys) }
}

/// The bytes of one key of `CAUSEWAY_SECRET`: base64, standard or URL-safe, padded or not, of 32 bytes or more.
pub fn parse_secret(text: &str) -> Result<Zeroizing<Vec<u8>>, String> {
    let engines = [&STANDARD, &STANDARD_NO_PAD, &URL_SAFE, &URL_SAFE_NO_PAD];
    let bytes = engines
        .iter()
        .find_map(|engine| engine.decode(text).ok())
        .map(Zeroizing::new)
        .ok_or("holds a key that is not base64. Make one with causeway keygen")?;
    if bytes.len() < 32 {
        return Err(format!(
            "holds a key of {} bytes; 32 or more are needed. Make one with causeway keygen",
            bytes.len()
        ));
    }
    let distinct: BTreeSet<u8> = bytes.iter().copied().collect();
    if distinct.len() < 12 {
        return Err("holds a key that is not random. Make one with causeway keygen".to_owned());
    }
    Ok(bytes)
}

pub fn client_id(text: &str) -> Result<String, String> {
    if text == "causeway-docs" {
        return Err("is causeway-docs, which Swagger UI uses. Choose another".to_owned());
    }
    if text.starts_with("https://") || text.starts_with("v4.local.") {
        return Err("looks like the id of a client that registers itself. Choose a plain name".to_owned());
    }
    token_text(text)
}

/// A value of visible ASCII characters (RFC 6749 appendix A: VSCHAR), at most 255.
fn token_text(text: &str) -> Result<String, String> {
    if text.len() > 255 || !text.bytes().all(|byte| (0x20..=0x7e).contains(&byte)) {
        return Err("holds characters that are not plain ASCII, or more than 255 of them. Accepted: 1 to 255 plain ASCII characters".to_owned());
    }
    Ok(text.to_owned())
}

pub fn secret_text(text: &str) -> Result<SecretString, String> {
    let secret: SecretString = token_text(text)?.into();
    if secret.expose_secret().len() < 8 {
        return Err("is shorter than 8 characters. Make one with causeway keygen".to_owned());
    }
    Ok(secret)
}

pub fn line(text: &str) -> Result<String, String> {
    if text.chars().any(char::is_control) || text.chars().count() > 200 {
        return Err("must be one line of at most 200 characters".to_owned());
    }
    Ok(text.to_owned())
}

pub fn gpt_id(text: &str) -> Result<String, String> {
    let tail = text.strip_prefix("g-").unwrap_or_default();
    if tail.is_empty() || !tail.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-') {
        return Err(format!("holds {text:?}, which is not a GPT id such as g-abc123"));
    }
    Ok(text.to_owned())
}

pub fn redirect_uri(text: &str) -> Result<String, String> {
    let wrong = |why: &str| {
        format!("holds {}: {why}. A redirect URI is an absolute https URL without a fragment", shown(text))
    };
    let url = Url::parse(text).map_err(|_| wrong("it is not a URL"))?;
    let loopback = url.scheme() == "http" && url.host_str().is_some_and(is_loopback_host);
    if url.scheme() != "https" && !loopback {
        return Err(wrong("its scheme is not https"));
    }
    if url.fragment().is_some() || !url.username().is_empty() || url.password().is_some() {
        return Err(wrong("it has a fragment or a user name"));
    }
    Ok(text.to_owned())
}

/// A host such as `acme.atlassian.net`, or a cloud id. A whole URL is accepted and cut down to its host.
pub fn site(text: &str) -> Result<String, String> {
    let lower = text.to_ascii_lowercase();
    let host = lower.strip_prefix("https://").unwrap_or(&lower);
    let host = host.split('/').next().unwrap_or_default();
    let plain = !host.is_empty()
        && host.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'-'));
    if !plain || !(host.contains('.') || is_cloud_id(host)) {
        return Err(format!(
            "is {text:?}, which is neither a host such as acme.atlassian.net nor a cloud id"
        ));
    }
    Ok(host.to_owned())
}

fn is_cloud_id(text: &str) -> bool {
    text.len() == 36 && text.bytes().all(|byte| byte.is_ascii_hexdigit() || byte == b'-')
}

pub fn space_key(text: &str) -> Result<String, String> {
    let bare = text.strip_prefix('~').unwrap_or(text);
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'_' | b':' | b'-');
    if bare.is_empty() || bare.len() > 255 || !bare.bytes().all(plain) {
        return Err(format!("holds {text:?}, which is not a space key such as ENG or ~712020abc"));
    }
    Ok(text.to_owned())
}

pub fn action(name: &str, actions: &[KnownAction]) -> Result<String, String> {
    if actions.iter().any(|action| action.id == name) {
        return Ok(name.to_owned());
    }
    let known: Vec<&str> = actions.iter().map(|action| action.id).collect();
    Err(format!("holds {name:?}, which is not an action. Accepted: {}", known.join(", ")))
}

fn upstream_url(text: &str) -> Result<Url, String> {
    let wrong =
        |why: &str| format!("is {}: {why}. Accepted: an https origin, or http on loopback", shown(text));
    let url = Url::parse(text).map_err(|_| wrong("it is not a URL"))?;
    let loopback = url.host_str().is_some_and(is_loopback_host);
    match url.scheme() {
        "https" => {}
        "http" if loopback => {}
        _ => return Err(wrong("its scheme is not https")),
    }
    if url.query().is_some() || url.fragment().is_some() || !url.username().is_empty() || url.path() != "/" {
        return Err(wrong("it holds more than a host and a port"));
    }
    Ok(url)
}

/// The TLS library reads this file by itself, and goes without when it cannot.
fn certificates(path: &str) -> Result<(), String> {
    let wrong = |why: String| {
        format!("names the file {path:?}, {why}. Accepted: a PEM file of certificates to trust; or remove it")
    };
    let text = std::fs::read(path).map_err(|error| wrong(format!("which cannot be read: {error}")))?;
    let marker = b"-----BEGIN CERTIFICATE-----";
    if text.windows(marker.len()).any(|window| window == marker) {
        return Ok(());
    }
    Err(wrong("which holds no certificate".to_owned()))
}

/// The HTTP library reads this by itself, and goes without when it cannot.
fn proxy(text: &str) -> Result<(), String> {
    let url = if text.contains("://") { Url::parse(text) } else { Url::parse(&format!("http://{text}")) };
    match url {
        Ok(url) if url.has_host() => Ok(()),
        _ => Err(format!("is {}, which is not a proxy such as http://proxy.example.com:3128", shown(text))),
    }
}

fn hosts(text: &str) -> Result<Vec<String>, String> {
    each(text, |host| {
        let plain = host
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'-' | b':' | b'[' | b']'));
        if plain {
            Ok(host.to_ascii_lowercase())
        } else {
            Err(format!("holds {host:?}, which is not a host such as chatgpt.com"))
        }
    })
}

fn address(text: &str) -> Result<std::net::SocketAddr, String> {
    text.parse().map_err(|_| format!("is {text:?}, which is not an address and port such as 0.0.0.0:8080"))
}

/// An address alone is a block of one.
fn network(text: &str) -> Result<IpNet, String> {
    let alone = || text.parse::<IpAddr>().map(IpNet::from);
    text.parse().or_else(|_| alone()).map_err(|_| {
        format!("holds {text:?}, which is not an address or a block of addresses such as 10.0.0.0/8")
    })
}

fn mcp_clients(text: &str) -> Result<McpClients, String> {
    match text {
        "known" => Ok(McpClients::Known),
        "any" => Ok(McpClients::Any),
        "off" => Ok(McpClients::Off),
        list => {
            let hosts = hosts(list)?;
            if let Some(word) = hosts
                .iter()
                .find(|host| !host.contains('.') && *host != "localhost" && !host.starts_with('['))
            {
                return Err(format!(
                    "holds {word:?}. Accepted: known, any, off, or comma-separated hosts such as chatgpt.com"
                ));
            }
            Ok(McpClients::Hosts(hosts))
        }
    }
}

fn on_or_off(text: &str) -> Result<bool, String> {
    match text {
        "on" => Ok(true),
        "off" => Ok(false),
        other => Err(format!("is {other:?}. Accepted: on, off")),
    }
}

fn time(text: &str) -> Result<jiff::Timestamp, String> {
    text.parse()
        .map_err(|_| format!("is {text:?}, which is not an RFC 3339 time such as 2026-11-21T09:00:00Z"))
}

fn log_filter(text: &str) -> Result<String, String> {
    let directives: Vec<&str> = text.split(',').map(str::trim).filter(|one| !one.is_empty()).collect();
    let filter = directives.join(",");
    // Spans and their fields are no targets, though they would be taken for some.
    let parsed = filter.parse::<tracing_subscriber::filter::Targets>().ok();
    parsed
        .filter(|_| !filter.is_empty() && !filter.contains('['))
        .map(|_| filter)
        .ok_or_else(|| format!("is {text:?}, which is not a log filter such as info or causeway=debug"))
}

fn log_format(text: &str) -> Result<bool, String> {
    match text {
        "text" => Ok(false),
        "json" => Ok(true),
        other => Err(format!("is {other:?}. Accepted: text, json")),
    }
}

fn in_flight(text: &str) -> Result<usize, String> {
    let number = text.parse().ok().filter(|number| (1..=65_536).contains(number));
    number.ok_or_else(|| format!("is {text:?}. Accepted: a whole number from 1 to 65536"))
}
