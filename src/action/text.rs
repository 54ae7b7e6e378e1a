//! Text that has to fit.

use std::io;

use serde::Serialize;

use crate::clean::Cleaned;

/// The most bytes of JSON that a byte of text takes.
const ESCAPED: usize = 6;

/// The first `limit` characters of `text`, with an ellipsis where something was cut.
pub fn clip<T: Cleaned>(text: &T, limit: usize) -> T {
    // No text has more characters than bytes.
    let beyond = if text.len() <= limit { None } else { text.char_indices().nth(limit) };
    match beyond {
        None => text.clone(),
        Some((end, _)) => T::from(format!("{}…", text[..end].trim_end())).with_removed_of(text),
    }
}

/// The same, cut further until it takes at most `room` bytes of JSON.
pub fn fit<T: Cleaned + Serialize>(text: &T, limit: usize, room: usize) -> T {
    let text = clip(text, limit);
    let fits = text.len() <= room / ESCAPED || json_bytes(&text) <= room;
    if limit == 0 || fits { text } else { fit(&text, limit / 2, room) }
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
    let mut counted = Counted(0);
    serde_json::to_writer(&mut counted, value).map_or(0, |()| counted.0)
}

/// Counts what is written.
struct Counted(usize);

impl io::Write for Counted {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0 += bytes.len();
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
