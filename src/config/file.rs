//! `CAUSEWAY_CONFIG`: a TOML file with a `[[gpt]]` table for each GPT.

use std::collections::{BTreeMap, BTreeSet};

use secrecy::SecretString;
use serde::Deserialize;

use super::read::{Reader, SPACES_NEED_A_SITE, default_actions, reads_too_much};
use super::values::{
    EMPTY_LIST, action, client_id, gpt_id, line, redirect_uri, secret_text, site, space_key,
};
use super::{Gpt, KnownAction};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    #[serde(default)]
    gpt: Vec<Table>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Table {
    slug: String,
    name: Option<String>,
    client_id: String,
    client_secret: SecretSource,
    gpt_ids: Option<Vec<String>>,
    redirect_uris: Option<Vec<String>>,
    site: Option<String>,
    spaces: Option<Vec<String>>,
    actions: Option<Vec<String>>,
    mcp: Option<bool>,
}

/// Where a secret comes from: never the file itself.
#[derive(Deserialize)]
#[serde(untagged)]
enum SecretSource {
    Table(SecretTable),
    Inline(serde::de::IgnoredAny),
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct SecretTable {
    env: Option<String>,
    file: Option<String>,
}

/// Reads the profiles from the file at `path`.
pub fn gpts(reader: &mut Reader<'_>, path: &str, actions: &[KnownAction]) -> Option<Vec<Gpt>> {
    let text = std::fs::read_to_string(path)
        .map_err(|error| format!("names the file {path:?}, which cannot be read: {error}"));
    let text = reader.keep("CAUSEWAY_CONFIG", text)?;
    // The parser's own message may quote the line, and the line may hold a secret: only its place is told.
    let parsed = toml::from_str::<File>(&text).map_err(|error| {
        let line =
            error.span().map_or(1, |span| text[..span.start.min(text.len())].matches('\n').count() + 1);
        format!("names the file {path:?}, whose line {line} is not as expected: {}", error.message())
    });
    let file = reader.keep("CAUSEWAY_CONFIG", parsed)?;
    if file.gpt.is_empty() {
        reader.mistake(
            "CAUSEWAY_CONFIG",
            format!("names the file {path:?}, which has no [[gpt]] table. Add one for each GPT"),
        );
        return None;
    }
    for name in [
        "CAUSEWAY_CLIENT_SECRET",
        "CAUSEWAY_NAME",
        "CAUSEWAY_GPT_IDS",
        "CAUSEWAY_REDIRECT_URIS",
        "CAUSEWAY_SITE",
        "CAUSEWAY_SPACES",
        "CAUSEWAY_ACTIONS",
    ] {
        if reader.value(name).is_some() {
            reader.mistake(
                name,
                "is set together with CAUSEWAY_CONFIG, where each GPT says this for itself. Remove it",
            );
        }
    }
    unique(reader, &file.gpt);
    let gpts: Vec<Option<Gpt>> =
        file.gpt.into_iter().enumerate().map(|(index, table)| gpt(reader, index, &table, actions)).collect();
    gpts.into_iter().collect()
}

fn gpt(reader: &mut Reader<'_>, index: usize, table: &Table, actions: &[KnownAction]) -> Option<Gpt> {
    let at = |field: &str| format!("CAUSEWAY_CONFIG gpt[{index}].{field}");
    let slug = reader.keep(&at("slug"), slug(&table.slug));
    let name = reader.keep(&at("name"), line(table.name.as_deref().unwrap_or("Confluence")));
    let client_id = reader.keep(&at("client_id"), client_id(&table.client_id));
    let secret = secret(reader, &table.client_secret);
    let client_secret = reader.keep(&at("client_secret"), secret);
    let gpt_ids = reader.keep(&at("gpt_ids"), all(table.gpt_ids.as_deref(), gpt_id));
    let redirect_uris = reader.keep(&at("redirect_uris"), all(table.redirect_uris.as_deref(), redirect_uri));
    let site = reader.keep(&at("site"), table.site.as_deref().map(site).transpose());
    let spaces = reader.keep(&at("spaces"), all(table.spaces.as_deref(), space_key));
    let listed = all(table.actions.as_deref(), |name| action(name, actions));
    let listed = listed.map(|listed| if table.actions.is_some() { listed } else { default_actions(actions) });
    let enabled = reader.keep(&at("actions"), listed);
    if table.spaces.is_some() && table.site.is_none() {
        reader.mistake(at("spaces"), SPACES_NEED_A_SITE);
    }
    if let (Some(spaces), Some(enabled)) = (&spaces, &enabled)
        && let Some(why) = reads_too_much(spaces, enabled, actions)
    {
        reader.mistake(at("actions"), why);
    }
    Some(Gpt {
        slug: slug?,
        name: name?,
        client_id: client_id?,
        client_secret: client_secret?,
        gpt_ids: gpt_ids?,
        redirect_uris: redirect_uris?,
        site: site?,
        spaces: spaces?,
        actions: enabled?,
        mcp: table.mcp.unwrap_or(true),
    })
}

/// Parses a list; one that is left out is empty, and one that is there is not.
fn all<T>(texts: Option<&[String]>, parse: impl Fn(&str) -> Result<T, String>) -> Result<Vec<T>, String> {
    match texts {
        Some([]) => Err(EMPTY_LIST.to_owned()),
        texts => texts.unwrap_or_default().iter().map(|text| parse(text)).collect(),
    }
}

fn slug(text: &str) -> Result<String, String> {
    let plain = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
    if text.is_empty() || text.len() > 64 || !text.bytes().all(plain) {
        return Err(format!("is {text:?}. Accepted: 1 to 64 of a-z, 0-9 and -"));
    }
    Ok(text.to_owned())
}

fn secret(reader: &Reader<'_>, source: &SecretSource) -> Result<SecretString, String> {
    const ACCEPTED: &str = "Accepted: { env = \"NAME\" } or { file = \"path\" }";
    let SecretSource::Table(table) = source else {
        return Err(format!("is written into the file. {ACCEPTED}"));
    };
    match (&table.env, &table.file) {
        (Some(name), None) => secret_text(
            reader.value(name).ok_or_else(|| format!("names the variable {name}, which is not set"))?,
        ),
        (None, Some(path)) => {
            let text = std::fs::read_to_string(path)
                .map_err(|error| format!("names the file {path:?}, which cannot be read: {error}"))?;
            secret_text(text.trim())
        }
        _ => Err(ACCEPTED.to_owned()),
    }
}

/// Slugs and client ids say which GPT is meant, so no two GPTs may share one.
fn unique(reader: &mut Reader<'_>, tables: &[Table]) {
    let mut seen: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    for (index, table) in tables.iter().enumerate() {
        for (field, value) in [("slug", table.slug.as_str()), ("client_id", table.client_id.as_str())] {
            if !seen.entry(field).or_default().insert(value) {
                reader.mistake(
                    format!("CAUSEWAY_CONFIG gpt[{index}].{field}"),
                    format!("is {value:?}, which an earlier GPT has already. Give each GPT its own"),
                );
            }
        }
    }
}
