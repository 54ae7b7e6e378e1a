//! What links, images and parameters refer to, and the addresses of it.

use std::borrow::Cow;

use percent_encoding::percent_decode_str;

use super::Context;
use super::escape::is_word_character;
use super::tokens::Attributes;
use crate::clean::{is_invisible, push_encoded, safe_address};

/// What a `ri:` element names.
#[derive(Clone, Debug)]
pub(super) enum Resource {
    Page {
        title: String,
        space: Option<String>,
    },
    BlogPost {
        title: String,
        space: Option<String>,
        day: String,
    },
    Attachment {
        name: String,
        on: Option<Box<Resource>>,
    },
    User {
        id: String,
    },
    Space {
        key: String,
    },
    Content {
        id: String,
    },
    Url {
        url: String,
    },
    /// A link to another system, configured elsewhere.
    Shortcut {
        label: String,
    },
}

impl Resource {
    pub(super) fn read(name: &str, attributes: Attributes<'_>) -> Option<Self> {
        let get = |key: &str| attributes.get(key).map(Cow::into_owned);
        let title = || get("ri:content-title").unwrap_or_default();
        Some(match name {
            "ri:page" => Self::Page { title: title(), space: get("ri:space-key") },
            "ri:blog-post" => Self::BlogPost {
                title: title(),
                space: get("ri:space-key"),
                day: get("ri:posting-day").unwrap_or_default(),
            },
            "ri:attachment" => Self::Attachment { name: get("ri:filename")?, on: None },
            "ri:user" => Self::User {
                id: get("ri:account-id").or_else(|| get("ri:userkey")).or_else(|| get("ri:username"))?,
            },
            "ri:space" => Self::Space { key: get("ri:space-key")? },
            "ri:content-entity" => Self::Content { id: get("ri:content-id")? },
            "ri:url" => Self::Url { url: get("ri:value")? },
            "ri:shortcut" => Self::Shortcut {
                label: format!("{}@{}", get("ri:parameter")?, get("ri:key").unwrap_or_default()),
            },
            _ => return None,
        })
    }

    /// What to call it when nobody says otherwise.
    pub(super) fn label(&self) -> &str {
        match self {
            Self::Page { title, .. } | Self::BlogPost { title, .. } => title,
            Self::Attachment { name, .. } => name,
            Self::User { .. } => "",
            Self::Space { key } => key,
            Self::Content { .. } => "page",
            Self::Url { url } => url,
            Self::Shortcut { label } => label,
        }
    }

    /// Where it is, if that can be told.
    pub(super) fn address(&self, context: &Context<'_>) -> Option<String> {
        let wiki = context.wiki_url;
        match self {
            Self::Page { title, .. } if title.is_empty() => None,
            Self::Page { title, space } => {
                let space = space.as_deref().or(context.space_key)?;
                Some(format!("{wiki}/display/{}/{}", encode(space, '+'), encode(title, '+')))
            }
            Self::BlogPost { title, space, day } => {
                let space = space.as_deref().or(context.space_key)?;
                let day: Vec<String> = day.split(['/', '-']).map(|number| encode(number, '+')).collect();
                Some(format!(
                    "{wiki}/display/{}/{}/{}",
                    encode(space, '+'),
                    day.join("/"),
                    encode(title, '+')
                ))
            }
            Self::Attachment { name, on: None } => Some(attachment(context.page_id, name)),
            Self::Attachment { name, on: Some(on) } => match &**on {
                Self::Content { id } => Some(attachment(id, name)),
                // Its page has no id here, so the page itself has to do.
                page => page.address(context),
            },
            Self::Space { key } => Some(format!("{wiki}/spaces/{}", encode(key, '+'))),
            Self::Content { id } => Some(format!("{wiki}/pages/viewpage.action?pageId={}", encode(id, '+'))),
            Self::Url { url } => web_address(url, context),
            Self::User { .. } | Self::Shortcut { .. } => None,
        }
    }
}

/// The last segment of a URL's path, for want of a better name.
pub(super) fn file_name(url: &str) -> &str {
    let path = url.split(['?', '#']).next().unwrap_or_default();
    let name = path.rsplit('/').next().unwrap_or_default();
    if name.is_empty() || url.starts_with("data:") { "image" } else { name }
}

pub(super) fn attachment(page: &str, name: &str) -> String {
    format!("attachment:{}/{}", encode(page, '_'), encode(name, '_'))
}

/// Percent-encodes what does not belong in the segment of a path. Letters and digits of all scripts stay readable.
/// A space becomes `space`, or `%20` when that is `_`.
pub(super) fn encode(text: &str, space: char) -> String {
    let mut encoded = String::with_capacity(text.len());
    for character in text.chars() {
        if is_word_character(character) || matches!(character, '-' | '.' | '_' | '~') {
            encoded.push(character);
        } else if character == ' ' && space != '_' {
            encoded.push(space);
        } else {
            push_encoded(&mut encoded, character);
        }
    }
    encoded
}

/// The address that a link may keep: http, https, mailto or a place on this page; paths are on the wiki's own site.
pub(super) fn web_address(url: &str, context: &Context<'_>) -> Option<String> {
    // What browsers pass over could hide what an address begins with.
    let passed_over = |c: char| c.is_ascii_control() || (c.is_whitespace() && c != ' ') || is_invisible(c);
    let bare = if url.contains(passed_over) { Cow::Owned(url.replace(passed_over, "")) } else { url.into() };
    let is_of_the_web =
        |scheme: &str| ["http", "https", "mailto"].iter().any(|known| scheme.eq_ignore_ascii_case(known));
    if bare.trim().split_once(':').is_some_and(|(scheme, _)| is_scheme(scheme) && !is_of_the_web(scheme)) {
        return None;
    }
    let url = &*as_browsers_read(url);
    let origin = origin(context.wiki_url);
    let address = if let Some(anchor) = url.strip_prefix('#') {
        return (!anchor.is_empty()).then(|| safe_address(url));
    } else if let Some(rest) = url.strip_prefix("//") {
        format!("https://{rest}")
    } else if url.starts_with('/') {
        format!("{origin}{url}")
    } else if let Some((scheme, _)) = url.split_once(':').filter(|(scheme, _)| is_scheme(scheme)) {
        if !is_of_the_web(scheme) {
            return None;
        }
        url.to_owned()
    } else if url.is_empty() {
        return None;
    } else if context.wiki_url.is_empty() {
        // Nobody knows what it is relative to. Of no scheme it stays.
        let first = url.split(['/', '?', '#']).next().unwrap_or_default();
        if first.contains(':') { format!("./{url}") } else { url.to_owned() }
    } else {
        format!("{}/{url}", context.wiki_url)
    };
    if is_signed(&address) {
        return None;
    }
    Some(safe_address(&address))
}

/// Browsers pass over line ends and tabs in an address, and over controls around it.
fn as_browsers_read(url: &str) -> Cow<'_, str> {
    let url = url.trim_matches(|c: char| c.is_control() || c.is_whitespace());
    if url.contains(['\t', '\n', '\r']) {
        Cow::Owned(url.replace(['\t', '\n', '\r'], ""))
    } else {
        Cow::Borrowed(url)
    }
}

pub(super) fn origin(wiki_url: &str) -> &str {
    let host = wiki_url.find("://").map_or(0, |at| at + 3);
    wiki_url[host..].find('/').map_or(wiki_url, |path| &wiki_url[..host + path])
}

fn is_scheme(text: &str) -> bool {
    text.starts_with(|c: char| c.is_ascii_alphabetic())
        && text.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '+' | '-' | '.'))
}

/// Links to media that whoever holds them may fetch.
fn is_signed(url: &str) -> bool {
    let host = url.split("://").nth(1).unwrap_or(url);
    let (host, rest) = host.split_once(['/', '?']).unwrap_or((host, ""));
    host.eq_ignore_ascii_case("api.media.atlassian.com")
        || host.to_ascii_lowercase().ends_with(".media.atlassian.com")
        || rest.contains('=') && is_signed_query(rest)
}

fn is_signed_query(rest: &str) -> bool {
    ["token=eyJ", "X-Amz-Signature=", "client=", "Signature="]
        .iter()
        .any(|part| rest.contains(part) && (rest.contains("token=") || rest.contains("Signature=")))
}

/// Undoes percent-encoding; what is no text then stays as it is.
pub(super) fn decode_percent(text: &str) -> String {
    percent_decode_str(text).decode_utf8().unwrap_or(Cow::Borrowed(text)).into_owned()
}
