//! Text that has to fit.

use serde::Serialize;

/// The first `limit` characters of `text`, with an ellipsis where something was cut.
pub fn clip(text: &str, limit: usize) -> String {
    match text.char_indices().nth(limit) {
        None => text.to_owned(),
        Some((end, _)) => format!("{}…", text[..end].trim_end()),
    }
}

/// The same, cut further until it takes at most `room` bytes of JSON.
pub fn fit(text: &str, limit: usize, room: usize) -> String {
    let text = clip(text, limit);
    if limit == 0 || json_bytes(&text) <= room { text } else { fit(&text, limit / 2, room) }
}

/// As much of `text` from its start as takes at most `room` bytes inside a JSON string.
pub fn start(text: &str, mut room: usize) -> &str {
    let end = text.char_indices().find(|(_, character)| {
        let bytes = json_bytes(character) - 2;
        let fits = bytes <= room;
        room = room.saturating_sub(bytes);
        !fits
    });
    end.map_or(text, |(end, _)| &text[..end])
}

/// How many bytes of JSON a value takes.
pub fn json_bytes(value: &impl Serialize) -> usize {
    serde_json::to_string(value).map_or(0, |text| text.len())
}
