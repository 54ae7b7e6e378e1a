//! How big a part may be, and what is left of that while it is made.

/// How big a part may be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PartSize {
    /// In Unicode scalar values.
    pub chars: usize,
    /// In bytes, once escaped inside a JSON string.
    pub json_bytes: usize,
}

impl PartSize {
    /// With room for at least one character.
    pub(super) fn usable(self) -> Self {
        Self { chars: self.chars.max(1), json_bytes: self.json_bytes.max(6) }
    }
}

/// What is left of a part's size.
#[derive(Clone)]
pub(super) struct Room {
    pub(super) chars: usize,
    pub(super) json_bytes: usize,
}

impl Room {
    pub(super) fn of(size: PartSize) -> Self {
        Self { chars: size.chars, json_bytes: size.json_bytes }
    }

    /// Takes as much of `text` as fits, and says how many bytes of it that is.
    pub(super) fn fitting(mut self, text: &str) -> usize {
        if self.surely_fits(text) {
            return text.len();
        }
        for (at, character) in text.char_indices() {
            if !self.take(character) {
                return at;
            }
        }
        text.len()
    }

    /// Whether all of `text` fits, however much of it has to be escaped as far as a glance tells.
    fn surely_fits(&self, text: &str) -> bool {
        if text.len() > self.chars {
            return false;
        }
        // Counted in single bytes, many can be looked at at once.
        let is_escaped = |byte: &u8| u8::from(*byte < b' ' || matches!(byte, b'"' | b'\\'));
        let count = |bytes: &[u8]| usize::from(bytes.iter().map(is_escaped).sum::<u8>());
        let escapes: usize = text.as_bytes().chunks(usize::from(u8::MAX)).map(count).sum();
        text.len() + ESCAPE * escapes <= self.json_bytes
    }

    /// Takes all of `text`, or nothing of worth.
    pub(super) fn take_all(&mut self, text: &str) -> bool {
        text.chars().all(|character| self.take(character))
    }

    pub(super) fn take(&mut self, character: char) -> bool {
        let bytes = json_length(character);
        if self.chars == 0 || self.json_bytes < bytes {
            return false;
        }
        self.chars -= 1;
        self.json_bytes -= bytes;
        true
    }
}

/// How many bytes an escape adds at the most.
const ESCAPE: usize = 5;

fn json_length(character: char) -> usize {
    match character {
        '"' | '\\' | '\n' | '\r' | '\t' | '\u{8}' | '\u{c}' => 2,
        '\0'..='\u{1f}' => 6,
        _ => character.len_utf8(),
    }
}
