//! Emoticons and emoji.

use std::borrow::Cow;

use super::tokens::Attributes;

/// The emoji that an emoticon stands for, or its short name.
pub(super) fn read(attributes: Attributes<'_>) -> Cow<'static, str> {
    let get = |name: &str| attributes.get(name).filter(|value| !value.is_empty());
    if let Some(fallback) = get("ac:emoji-fallback").map(|fallback| unescape(&fallback))
        && !fallback.is_ascii()
    {
        return Cow::Owned(fallback);
    }
    if let Some(emoji) = get("ac:emoji-id").and_then(|id| from_code_points(&id)) {
        return Cow::Owned(emoji);
    }
    let name = get("ac:name").unwrap_or_default();
    match (get("ac:emoji-shortname"), by_name(&name)) {
        (Some(short), _) if name.is_empty() || name == "blue-star" => Cow::Owned(short.into_owned()),
        (_, Some(emoji)) => Cow::Borrowed(emoji),
        (Some(short), None) => Cow::Owned(short.into_owned()),
        (None, None) if name.is_empty() => Cow::Borrowed(""),
        (None, None) => Cow::Owned(format!(":{name}:")),
    }
}

/// `1f468-200d-1f4bb` as characters. Custom emoji have other ids.
pub(super) fn from_code_points(id: &str) -> Option<String> {
    id.split('-')
        .map(|code| u32::from_str_radix(code, 16).ok().filter(|code| *code > 0xa8).and_then(char::from_u32))
        .collect()
}

/// Resolves `\uD83E\uDD14`, as some bodies have it.
fn unescape(text: &str) -> String {
    if !text.contains("\\u") {
        return text.to_owned();
    }
    let mut units = Vec::new();
    let mut rest = text;
    while let Some(character) = rest.chars().next() {
        if let Some(unit) =
            rest.strip_prefix("\\u").and_then(|hex| u16::from_str_radix(hex.get(..4)?, 16).ok())
        {
            units.push(unit);
            rest = &rest[6..];
        } else {
            units.extend_from_slice(character.encode_utf16(&mut [0; 2]));
            rest = &rest[character.len_utf8()..];
        }
    }
    String::from_utf16_lossy(&units)
}

fn by_name(name: &str) -> Option<&'static str> {
    Some(match name {
        "smile" => "🙂",
        "sad" => "🙁",
        "cheeky" => "😛",
        "laugh" => "😀",
        "wink" => "😉",
        "thumbs-up" => "👍",
        "thumbs-down" => "👎",
        "information" => "ℹ️",
        "tick" => "✅",
        "cross" => "❌",
        "warning" => "⚠️",
        "plus" => "➕",
        "minus" => "➖",
        "question" => "❓",
        "light-on" => "💡",
        "light-off" => "🔌",
        "yellow-star" | "red-star" | "green-star" | "blue-star" => "⭐",
        "heart" => "❤️",
        "broken-heart" => "💔",
        _ => return None,
    })
}

/// The emoji that an image of one shows.
pub(super) fn rendered(attributes: Attributes<'_>) -> String {
    let get = |name: &str| attributes.get(name).filter(|value| !value.is_empty());
    let fallback = get("data-emoji-fallback").map(|fallback| unescape(&fallback));
    if let Some(fallback) = fallback.as_ref().filter(|fallback| !fallback.is_ascii()) {
        return fallback.clone();
    }
    get("data-emoji-id")
        .and_then(|id| from_code_points(&id))
        .or_else(|| {
            let name = get("data-emoticon-name").filter(|name| name != "blue-star")?;
            by_name(&name).map(str::to_owned)
        })
        .or_else(|| get("data-emoji-shortname").map(Cow::into_owned))
        .or(fallback)
        .or_else(|| get("alt").map(Cow::into_owned))
        .unwrap_or_default()
}
