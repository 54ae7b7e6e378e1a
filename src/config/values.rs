//! One small parser for each kind of value. What is wrong with a value is told without its name: "is …, which is not …".

use std::collections::BTreeSet;
use std::net::IpAddr;

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, STANDARD_NO_PAD, URL_SAFE, URL_SAFE_NO_PAD};
use ipnet::IpNet;
use secrecy::{ExposeSecret, SecretString};
use url::Url;
use zeroize::Zeroizing;

use super::{Kind, KnownAction, RedirectUri};
use crate::ids::SiteRef;
use crate::urls::{PublicUrl, is_loopback_host};

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

pub fn parse_key_ring(text: &str) -> Result<Vec<SecretString>, String> {
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
    if is_pattern(&bytes) {
        return Err("holds a key that is not random. Make one with causeway keygen".to_owned());
    }
    Ok(bytes)
}

/// Whether bytes are few, repeated, or counted up or down, as those of examples and tests are: of random keys not one in 2^60
/// is. Every key that ever stood in this repository is such a pattern.
fn is_pattern(bytes: &[u8]) -> bool {
    let distinct: BTreeSet<&u8> = bytes.iter().collect();
    let repeats = |period| bytes.iter().zip(&bytes[period..]).all(|(one, other)| one == other);
    let masked: Vec<u8> = bytes.iter().map(|byte| byte ^ bytes[0]).collect();
    distinct.len() < 12 || (1..=bytes.len() / 2).any(repeats) || is_counted(bytes) || is_counted(&masked)
}

/// Whether most steps from one byte to the next are the same.
fn is_counted(bytes: &[u8]) -> bool {
    let mut steps = [0_usize; 256];
    for pair in bytes.windows(2) {
        steps[usize::from(pair[1].wrapping_sub(pair[0]))] += 1;
    }
    steps.iter().any(|times| *times > bytes.len() / 2)
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
pub fn token_text(text: &str) -> Result<String, String> {
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

/// A redirect URI of a client with a secret: on the web, or on loopback.
pub fn redirect_uri(text: &str) -> Result<String, String> {
    let wrong = |why: &str| {
        format!(
            "holds {}, which {why}. A redirect URI is an absolute https URL without a fragment, written exactly as it is read",
            shown(text)
        )
    };
    match RedirectUri::parse(text).map_err(wrong)? {
        uri if uri.kind() == Kind::App => Err(wrong("has a scheme that is not https")),
        uri => Ok(uri.as_str().to_owned()),
    }
}

/// A host such as `acme.atlassian.net`, or a cloud id. A whole URL is accepted and cut down to its host.
pub fn site(text: &str) -> Result<SiteRef, String> {
    let lower = text.to_ascii_lowercase();
    let host = lower.strip_prefix("https://").unwrap_or(&lower);
    let host = host.split('/').next().unwrap_or_default();
    SiteRef::parse(host).ok_or_else(|| {
        format!(
            "is {text:?}, which is neither a host such as acme.atlassian.net nor a cloud id such as \
             11111111-2222-3333-4444-555555555555"
        )
    })
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

pub fn upstream_url(text: &str) -> Result<Url, String> {
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
pub fn certificates(path: &str) -> Result<(), String> {
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
pub fn proxy(text: &str) -> Result<(), String> {
    let url = if text.contains("://") { Url::parse(text) } else { Url::parse(&format!("http://{text}")) };
    match url {
        Ok(url) if url.has_host() => Ok(()),
        _ => Err(format!("is {}, which is not a proxy such as http://proxy.example.com:3128", shown(text))),
    }
}

pub fn hosts(text: &str) -> Result<Vec<String>, String> {
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

pub fn address(text: &str) -> Result<std::net::SocketAddr, String> {
    text.parse().map_err(|_| format!("is {text:?}, which is not an address and port such as 0.0.0.0:8080"))
}

/// An address alone is a block of one.
pub fn network(text: &str) -> Result<IpNet, String> {
    let alone = || text.parse::<IpAddr>().map(IpNet::from);
    text.parse().or_else(|_| alone()).map_err(|_| {
        format!("holds {text:?}, which is not an address or a block of addresses such as 10.0.0.0/8")
    })
}

pub fn on_or_off(text: &str) -> Result<bool, String> {
    match text {
        "on" => Ok(true),
        "off" => Ok(false),
        other => Err(format!("is {other:?}. Accepted: on, off")),
    }
}

pub fn time(text: &str) -> Result<jiff::Timestamp, String> {
    text.parse()
        .map_err(|_| format!("is {text:?}, which is not an RFC 3339 time such as 2026-11-21T09:00:00Z"))
}

pub fn log_filter(text: &str) -> Result<String, String> {
    let directives: Vec<&str> = text.split(',').map(str::trim).filter(|one| !one.is_empty()).collect();
    let filter = directives.join(",");
    // Spans and their fields are no targets, though they would be taken for some.
    let parsed = filter.parse::<tracing_subscriber::filter::Targets>().ok();
    parsed
        .filter(|_| !filter.is_empty() && !filter.contains('['))
        .map(|_| filter)
        .ok_or_else(|| format!("is {text:?}, which is not a log filter such as info or causeway=debug"))
}

pub fn log_format(text: &str) -> Result<bool, String> {
    match text {
        "text" => Ok(false),
        "json" => Ok(true),
        other => Err(format!("is {other:?}. Accepted: text, json")),
    }
}

pub fn in_flight(text: &str) -> Result<usize, String> {
    let number = text.parse().ok().filter(|number| (1..=65_536).contains(number));
    number.ok_or_else(|| format!("is {text:?}. Accepted: a whole number from 1 to 65536"))
}

pub fn public_url(text: &str) -> Result<PublicUrl, String> {
    PublicUrl::parse(text).map_err(|why| {
        format!("is {}: {why}. Accepted: an https origin such as https://causeway.example.com, or http on loopback", shown(text))
    })
}

/// A URL as found. One with a user name is not repeated: a password may stand beside it.
pub fn shown(url: &str) -> String {
    if url.contains('@') { "a URL with a user name".to_owned() } else { format!("{url:?}") }
}
