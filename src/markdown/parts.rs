//! Cutting a document into parts. A part ends where a block ends, unless a block alone is too big: then a list ends with
//! an item, a table with a row and code with a line, and what was open is opened again in the next part.

use std::ops::Range;

use super::document::Document;
use super::index::{Cut, Heading, Open};

/// How big a part may be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PartSize {
    /// In Unicode scalar values.
    pub chars: usize,
    /// In bytes, once escaped inside a JSON string.
    pub json_bytes: usize,
}

/// A piece of a document.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Part {
    text: String,
    source: Range<usize>,
}

/// A heading, and the part (from 1) that it is in.
#[derive(Clone, Copy, Debug)]
pub struct OutlineEntry<'a> {
    pub heading: &'a str,
    pub level: u8,
    pub part: usize,
}

impl Part {
    pub fn text(&self) -> &str {
        &self.text
    }

    pub fn into_text(self) -> String {
        self.text
    }
}

impl Document {
    /// The document in parts, always the same ones for the same size. There is at least one.
    pub fn parts(&self, size: PartSize) -> Vec<Part> {
        let size = PartSize { chars: size.chars.max(1), json_bytes: size.json_bytes.max(6) };
        let end = self.text.trim_end().len();
        let mut parts = Vec::new();
        let mut from = Start { offset: 0, context: 0 };
        let mut cuts = self.index.cuts.as_slice();
        while from.offset < end || parts.is_empty() {
            cuts = &cuts[cuts.partition_point(|cut| cut.offset <= from.offset)..];
            let (part, next) = self.part(from, end, cuts, size);
            parts.push(part);
            from = next;
        }
        parts
    }

    /// The number (from 1) of the part that holds `offset`.
    pub fn part_of(&self, offset: usize, size: PartSize) -> usize {
        number_at(&self.parts(size), offset)
    }

    /// Every heading with its part.
    pub fn outline(&self, size: PartSize) -> Vec<OutlineEntry<'_>> {
        let parts = self.parts(size);
        let entry = |heading: &'_ Heading| number_at(&parts, heading.offset);
        self.headings()
            .map(|heading| OutlineEntry { heading: &heading.text, level: heading.level, part: entry(heading) })
            .collect()
    }

    fn part(&self, from: Start, end: usize, cuts: &[Cut], size: PartSize) -> (Part, Start) {
        let mut opening = self.opening(from.context);
        let mut room = Room::of(size);
        let mut needed = Room::of(size);
        if !(needed.take_all(&opening.text) && needed.take_all(&opening.text) && needed.chars > 16) {
            opening = Opening::default();
        }
        room.take_all(&opening.text);
        let rest = &self.text[from.offset..end];
        let fits = from.offset + room.clone().fitting(rest);
        if fits == end && room.clone().take_all(&opening.closing) {
            let text = format!("{}{rest}{}", opening.text, opening.closing);
            return (Part { text, source: from.offset..end }, Start { offset: end, context: 0 });
        }
        let (next, closing) = self.best_cut(from, fits, cuts, room, &opening);
        let body = self.text[from.offset..next.offset].trim_end();
        let text = format!("{}{body}{closing}", opening.text);
        (Part { text, source: from.offset..next.offset }, next)
    }

    /// Where to end a part that reaches up to `fits` at most.
    fn best_cut(&self, from: Start, fits: usize, cuts: &[Cut], room: Room, opening: &Opening) -> (Start, String) {
        let cuts = &cuts[..cuts.partition_point(|cut| cut.offset <= fits)];
        let fitting = |cut: &&Cut| {
            let closing = self.opening(cut.context).closing;
            let mut room = room.clone();
            closing.is_empty()
                || (room.take_all(self.text[from.offset..cut.offset].trim_end()) && room.take_all(&closing))
        };
        let late = from.offset + (fits - from.offset) / 2;
        let (early, late) = cuts.split_at(cuts.partition_point(|cut| cut.offset < late));
        for cuts in [late, early] {
            let mut best: Option<&Cut> = None;
            for cut in cuts.iter().rev() {
                if best.is_none_or(|best| cut.rank < best.rank) && self.is_useful(from, cut) && fitting(&cut) {
                    best = Some(cut);
                }
            }
            if let Some(cut) = best {
                let closing = self.opening(cut.context).closing;
                return (Start { offset: cut.offset, context: cut.context }, closing);
            }
        }
        self.cut_anywhere(from, fits, room, opening)
    }

    /// A cut that leaves something before it.
    fn is_useful(&self, from: Start, cut: &Cut) -> bool {
        cut.offset > from.offset && !self.text[from.offset..cut.offset].trim().is_empty()
    }

    /// Inside a block that no border divides: after a word if there is one.
    fn cut_anywhere(&self, from: Start, fits: usize, mut room: Room, opening: &Opening) -> (Start, String) {
        let closing = if room.take_all(&opening.closing) { opening.closing.as_str() } else { "" };
        let fits = if closing.is_empty() { fits } else { from.offset + room.fitting(&self.text[from.offset..fits]) };
        let text = &self.text[from.offset..fits];
        let after_word = text.rfind([' ', '\n']).map(|at| at + 1).filter(|at| *at > text.len() / 2);
        let first = self.text[from.offset..].chars().next().map_or(1, char::len_utf8);
        let offset = from.offset + after_word.unwrap_or(text.len()).max(first);
        (Start { offset, context: if closing.is_empty() { 0 } else { from.context } }, closing.to_owned())
    }

    /// What to write before and after a part that starts inside `context`.
    fn opening(&self, context: u32) -> Opening {
        let mut opening = Opening::default();
        let mut prefix = String::new();
        for open in self.index.path(context) {
            match open {
                Open::Document => {}
                Open::Quote => prefix.push_str("> "),
                Open::Item { marker } => {
                    let marker = marker.text();
                    opening.text.extend([&prefix, marker.as_str(), "…\n"]);
                    prefix.push_str(&" ".repeat(marker.len()));
                }
                Open::Table { header, columns } => {
                    let header = &self.text[header.clone()];
                    opening.text.extend([&prefix, header, "\n", &prefix, "|", &"---|".repeat(*columns), "\n"]);
                }
                Open::Fence { open, ticks } => {
                    opening.text.extend([&prefix, &self.text[open.clone()], "\n"]);
                    opening.closing = format!("\n{prefix}{}", "`".repeat(*ticks));
                }
            }
        }
        opening
    }
}

#[derive(Clone, Copy)]
struct Start {
    offset: usize,
    context: u32,
}

#[derive(Default)]
struct Opening {
    text: String,
    closing: String,
}

/// What is left of a part's size.
#[derive(Clone)]
struct Room {
    chars: usize,
    json_bytes: usize,
}

impl Room {
    fn of(size: PartSize) -> Self {
        Self { chars: size.chars, json_bytes: size.json_bytes }
    }

    /// Takes as much of `text` as fits, and says how many bytes of it that is.
    fn fitting(mut self, text: &str) -> usize {
        for (at, character) in text.char_indices() {
            if !self.take(character) {
                return at;
            }
        }
        text.len()
    }

    /// Takes all of `text`, or nothing of worth.
    fn take_all(&mut self, text: &str) -> bool {
        text.chars().all(|character| self.take(character))
    }

    fn take(&mut self, character: char) -> bool {
        let bytes = json_length(character);
        if self.chars == 0 || self.json_bytes < bytes {
            return false;
        }
        self.chars -= 1;
        self.json_bytes -= bytes;
        true
    }
}

fn json_length(character: char) -> usize {
    match character {
        '"' | '\\' | '\n' | '\r' | '\t' | '\u{8}' | '\u{c}' => 2,
        '\0'..='\u{1f}' => 6,
        _ => character.len_utf8(),
    }
}

fn number_at(parts: &[Part], offset: usize) -> usize {
    parts.partition_point(|part| part.source.end <= offset).min(parts.len() - 1) + 1
}
