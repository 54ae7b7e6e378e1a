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
        self.parts_of(0..self.text.trim_end().len(), size)
    }

    /// A range that starts at a block of the page, in parts. There is at least one.
    pub(super) fn parts_of(&self, range: Range<usize>, size: PartSize) -> Vec<Part> {
        let size = PartSize { chars: size.chars.max(1), json_bytes: size.json_bytes.max(6) };
        let end = range.start + self.text[range.clone()].trim_end().len();
        let mut parts = Vec::new();
        let mut from = Start { offset: range.start, context: 0 };
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

    /// Every heading with its part among `parts`, which are this document's own.
    pub fn outline(&self, parts: &[Part]) -> Vec<OutlineEntry<'_>> {
        let entry = |heading: &'_ Heading| number_at(parts, heading.offset);
        self.headings()
            .map(|heading| OutlineEntry {
                heading: &heading.text,
                level: heading.level,
                part: entry(heading),
            })
            .collect()
    }

    fn part(&self, from: Start, end: usize, cuts: &[Cut], size: PartSize) -> (Part, Start) {
        let opening = self.affordable_opening(from.context, size);
        let mut room = Room::of(size);
        room.take_all(&opening);
        let fits = from.offset + room.clone().fitting(&self.text[from.offset..end]);
        let (next, closing) = if fits == end {
            (Start { offset: end, context: 0 }, String::new())
        } else {
            self.best_cut(from, fits, cuts, &room)
        };
        let body = self.text[from.offset..next.offset].trim_end();
        let text = format!("{opening}{body}{closing}");
        (Part { text, source: from.offset..next.offset }, next)
    }

    /// What to write first in a part, if that leaves enough room for something new.
    fn affordable_opening(&self, context: u32, size: PartSize) -> String {
        let Frame { opening, closing } = self.frame(context);
        let mut room =
            Room { chars: size.chars.saturating_sub(16), json_bytes: size.json_bytes.saturating_sub(96) };
        let affordable = room.take_all(&opening) && room.take_all(&opening) && room.take_all(&closing);
        if affordable { opening } else { String::new() }
    }

    /// Where to end a part that reaches up to `fits` at most, and what to write there.
    fn best_cut(&self, from: Start, fits: usize, cuts: &[Cut], room: &Room) -> (Start, String) {
        let cuts = &cuts[..cuts.partition_point(|cut| cut.offset <= fits)];
        let half = from.offset + (fits - from.offset) / 2;
        let (early, late) = cuts.split_at(cuts.partition_point(|cut| cut.offset < half));
        for cuts in [late, early] {
            let mut best: Option<(&Cut, String)> = None;
            for cut in cuts.iter().rev() {
                let better = best.as_ref().is_none_or(|(best, _)| cut.rank < best.rank);
                if better && let Some(closing) = self.closing_at(from, cut, room) {
                    best = Some((cut, closing));
                }
            }
            if let Some((cut, closing)) = best {
                return (Start { offset: cut.offset, context: cut.context }, closing);
            }
        }
        self.cut_anywhere(from, fits, cuts, room)
    }

    /// What ends a part at `cut`; nothing does if the part would be empty, or too big with it.
    fn closing_at(&self, from: Start, cut: &Cut, room: &Room) -> Option<String> {
        let body = self.text[from.offset..cut.offset].trim_end();
        let closing = self.frame(cut.context).closing;
        let mut room = room.clone();
        let fits = closing.is_empty() || (room.take_all(body) && room.take_all(&closing));
        (fits && !body.trim_start().is_empty()).then_some(closing)
    }

    /// Inside a block that no border divides: after a word if there is one.
    fn cut_anywhere(&self, from: Start, fits: usize, cuts: &[Cut], room: &Room) -> (Start, String) {
        let context = cuts.last().map_or(from.context, |cut| cut.context);
        let Frame { closing, .. } = self.frame(context);
        let mut reduced = room.clone();
        let first = self.text[from.offset..].chars().next().unwrap_or(' ');
        let (context, closing, fits) =
            if !closing.is_empty() && reduced.take_all(&closing) && reduced.clone().take(first) {
                (context, closing, from.offset + reduced.fitting(&self.text[from.offset..fits]))
            } else {
                (0, String::new(), fits)
            };
        let text = &self.text[from.offset..fits];
        let after_word = text.rfind([' ', '\n']).map(|at| at + 1).filter(|at| *at > text.len() / 2);
        let offset = from.offset + after_word.unwrap_or(text.len()).max(first.len_utf8());
        (Start { offset, context }, closing)
    }

    /// What to write before and after a part that starts inside `context`.
    fn frame(&self, context: u32) -> Frame {
        let mut frame = Frame::default();
        let mut prefix = String::new();
        for open in self.index.path(context) {
            match open {
                Open::Document => {}
                Open::Quote => prefix.push_str("> "),
                Open::Item { marker } => {
                    frame.opening.push_str(&prefix);
                    let start = frame.opening.len();
                    marker.write(&mut frame.opening);
                    prefix.push_str(&" ".repeat(frame.opening.len() - start));
                    frame.opening.push_str("…\n");
                }
                Open::Table { header, columns } => {
                    let header = &self.text[header.clone()];
                    frame.opening.extend([
                        &prefix,
                        header,
                        "\n",
                        &prefix,
                        "|",
                        &"---|".repeat(*columns),
                        "\n",
                    ]);
                }
                Open::Fence { open, ticks } => {
                    frame.opening.extend([&prefix, &self.text[open.clone()], "\n"]);
                    frame.closing = format!("\n{prefix}{}", "`".repeat(*ticks));
                }
            }
        }
        frame
    }
}

#[derive(Clone, Copy)]
struct Start {
    offset: usize,
    context: u32,
}

#[derive(Default)]
struct Frame {
    opening: String,
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

/// How many bytes an escape adds at the most.
const ESCAPE: usize = 5;

fn json_length(character: char) -> usize {
    match character {
        '"' | '\\' | '\n' | '\r' | '\t' | '\u{8}' | '\u{c}' => 2,
        '\0'..='\u{1f}' => 6,
        _ => character.len_utf8(),
    }
}

fn number_at(parts: &[Part], offset: usize) -> usize {
    parts.partition_point(|part| part.source.end <= offset).min(parts.len().saturating_sub(1)) + 1
}
