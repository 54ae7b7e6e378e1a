//! Cutting a document into parts. A part ends where a block ends, unless a block alone is too big: then a list ends with
//! an item, a table with a row and code with a line, and what was open is opened again in the next part.

use std::ops::Range;

use super::document::Document;
use super::escape;
use super::index::{Cut, Open};
use super::writer::NO_BORDER;
use crate::clean::CleanText;

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
}

/// Where the parts of a document begin and end. Their texts are written when they are asked for, one by one.
#[derive(Clone, Debug)]
pub struct Parts<'a> {
    document: &'a Document,
    size: PartSize,
    starts: Vec<Start>,
    end: usize,
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

    pub fn into_text(self) -> CleanText {
        self.text.into()
    }
}

impl Parts<'_> {
    /// How many there are: at least one.
    pub fn count(&self) -> usize {
        self.starts.len()
    }

    /// The part of this number, counted from 1.
    pub fn get(&self, number: usize) -> Option<Part> {
        let from = *self.starts.get(number.checked_sub(1)?)?;
        let (part, _) = self.document.part(from, self.end, self.document.cuts_after(from), self.size);
        Some(part.write(self.document))
    }

    /// Every heading of the document with its part.
    pub fn outline(&self) -> impl Iterator<Item = OutlineEntry<'_>> {
        self.document.headings().map(|heading| OutlineEntry {
            heading: heading.text,
            level: heading.level,
            part: self.number_at(heading.offset),
        })
    }

    /// The number (from 1) of the part that holds `offset`.
    fn number_at(&self, offset: usize) -> usize {
        self.starts.partition_point(|start| start.offset() <= offset).max(1)
    }
}

impl Document {
    /// The document in parts, always the same ones for the same size. There is at least one.
    pub fn parts(&self, size: PartSize) -> Vec<Part> {
        self.parts_of(0..self.text.trim_end().len(), size)
    }

    /// The same, of which only those are written that are asked for.
    pub fn cut(&self, size: PartSize) -> Parts<'_> {
        let mut starts = Vec::new();
        let end = self.cut_range(0..self.text.trim_end().len(), size, |from, _| starts.push(from));
        Parts { document: self, size: size.usable(), starts, end }
    }

    /// A range that starts at a block of the page, in parts. There is at least one.
    pub(super) fn parts_of(&self, range: Range<usize>, size: PartSize) -> Vec<Part> {
        let mut parts = Vec::new();
        self.cut_range(range, size, |_, part| parts.push(part.write(self)));
        parts
    }

    /// Tells `found` of each part of a range and where it begins; gives the end of the last.
    fn cut_range(&self, range: Range<usize>, size: PartSize, mut found: impl FnMut(Start, Piece)) -> usize {
        let size = size.usable();
        let end = range.start + self.text[range.clone()].trim_end().len();
        let mut from = Start::new(range.start, 0, 0);
        let mut cuts = self.cuts_after(from);
        loop {
            cuts = &cuts[cuts.partition_point(|cut| cut.offset() <= from.offset())..];
            let (part, next) = self.part(from, end, cuts, size);
            found(from, part);
            from = next;
            if from.offset() >= end {
                return end;
            }
        }
    }

    fn cuts_after(&self, start: Start) -> &[Cut] {
        let cuts = self.index.cuts.as_slice();
        &cuts[cuts.partition_point(|cut| cut.offset() <= start.offset())..]
    }

    fn part(&self, from: Start, end: usize, cuts: &[Cut], size: PartSize) -> (Piece, Start) {
        let Some(opening) = self.affordable_opening(from, size) else {
            return self.part_of_bare_code(from, end, cuts, size);
        };
        let mut room = Room::of(size);
        room.take_all(&opening);
        let fits = from.offset() + room.clone().fitting(&self.text[from.offset()..end]);
        let (next, closing) = if fits == end {
            (Start::new(end, 0, 0), Some(String::new()))
        } else {
            self.best_cut(from, fits, cuts, &room)
        };
        (Piece { opening, range: from.offset()..next.offset(), closing }, next)
    }

    /// Code that is nested so deep, or in so long a fence, that a part has no room for the fence.
    fn part_of_bare_code(&self, from: Start, end: usize, cuts: &[Cut], size: PartSize) -> (Piece, Start) {
        let reach = from.offset().saturating_add(size.chars.saturating_mul(4));
        let near = cuts.iter().take_while(|cut| cut.offset() <= reach.min(end));
        let after = near.into_iter().find(|cut| cut.context != from.context);
        let end = after.map_or(end, Cut::offset);
        let fits = from.offset() + Room::of(size).fitting(&self.text[from.offset()..end]);
        let next = match after {
            Some(cut) if fits == end => Start::new(fits, cut.context, 0),
            _ => Start::new(fits, from.context, self.open_code(from, fits)),
        };
        (Piece { opening: String::new(), range: from.offset()..fits, closing: None }, next)
    }

    /// What to write first in a part, if that leaves enough room for something new; without room for the fence of code
    /// nothing.
    fn affordable_opening(&self, from: Start, size: PartSize) -> Option<String> {
        if from.ticks() > 0 {
            let affordable = from.ticks() * 4 <= size.chars.min(size.json_bytes);
            return affordable.then(|| code_span_start(from.ticks(), &self.text[from.offset()..]));
        }
        let Some(Frame { mut opening, closing, prefix }) = self.frame(from.context) else {
            return (!self.is_code(from.context)).then(String::new);
        };
        if from.offset() > 0 && !self.text[..from.offset()].ends_with('\n') {
            if !closing.is_empty() {
                // What is left of a line of code has to be in the containers of its fence.
                opening.push_str(&prefix);
            } else if opening.is_empty() && escape::might_begin_block(&self.text.as_bytes()[from.offset()..])
            {
                // What is left of a paragraph must not read as a heading, a list or a quote.
                opening.push('…');
            }
        }
        let mut room =
            Room { chars: size.chars.saturating_sub(16), json_bytes: size.json_bytes.saturating_sub(96) };
        let affordable = room.take_all(&opening) && room.take_all(&opening) && room.take_all(&closing);
        match affordable {
            true => Some(opening),
            false if closing.is_empty() => Some(String::new()),
            false => None,
        }
    }

    /// Where to end a part that reaches up to `fits` at most, and what to write there.
    fn best_cut(&self, from: Start, fits: usize, cuts: &[Cut], room: &Room) -> (Start, Option<String>) {
        let cuts = &cuts[..cuts.partition_point(|cut| cut.offset() <= fits)];
        let half = from.offset() + (fits - from.offset()) / 2;
        let (early, late) = cuts.split_at(cuts.partition_point(|cut| cut.offset() < half));
        for cuts in [late, early] {
            let mut best: Option<(&Cut, String)> = None;
            for cut in cuts.iter().rev() {
                if cut.rank == NO_BORDER {
                    continue;
                }
                let better = best.as_ref().is_none_or(|(best, _)| cut.rank < best.rank);
                if better && let Some(closing) = self.closing_at(from, cut, room) {
                    best = Some((cut, closing));
                }
            }
            if let Some((cut, closing)) = best {
                return (Start::new(cut.offset(), cut.context, 0), Some(closing));
            }
        }
        self.cut_anywhere(from, fits, cuts, room)
    }

    /// What ends a part at `cut`; nothing does if the part would be empty, or too big with it.
    fn closing_at(&self, from: Start, cut: &Cut, room: &Room) -> Option<String> {
        let body = self.text[from.offset()..cut.offset()].trim_end();
        let closing = self.frame(cut.context)?.closing;
        let mut room = room.clone();
        let fits = closing.is_empty() || (room.take_all(body) && room.take_all(&closing));
        (fits && !body.trim_start().is_empty()).then_some(closing)
    }

    /// Inside a block that no border divides: after a word if there is one. Code that is cut is closed; there may be no room
    /// to do so.
    fn cut_anywhere(&self, from: Start, fits: usize, cuts: &[Cut], room: &Room) -> (Start, Option<String>) {
        let context = cuts.last().map_or(from.context, |cut| cut.context);
        if self.is_code(context) {
            let closing = self.frame(context).map(|frame| frame.closing).unwrap_or_default();
            let (offset, closing) = match self.fitting_with(&closing, from, fits, room) {
                Some(fits) => (self.end_of_piece(from, fits), closing),
                None => (self.end_of_piece(from, fits), String::new()),
            };
            return (Start::new(offset, context, 0), Some(closing));
        }
        let offset = self.end_of_piece(from, fits);
        let ticks = self.open_code(from, offset);
        if ticks == 0 {
            return (Start::new(offset, 0, ticks), Some(String::new()));
        }
        let closing = code_span_end(ticks);
        let Some(fits) = self.fitting_with(&closing, from, fits, room) else {
            return (Start::new(offset, 0, ticks), None);
        };
        let offset = self.end_of_piece(from, fits);
        match self.open_code(from, offset) {
            0 => (Start::new(offset, 0, 0), Some(String::new())),
            ticks if code_span_end(ticks) == closing => (Start::new(offset, 0, ticks), Some(closing)),
            ticks => (Start::new(offset, 0, ticks), None),
        }
    }

    /// How far a part reaches if it has to end with `closing`.
    fn fitting_with(&self, closing: &str, from: Start, fits: usize, room: &Room) -> Option<usize> {
        let mut reduced = room.clone();
        let first = self.text[from.offset()..].chars().next().unwrap_or(' ');
        let affordable = reduced.take_all(closing) && reduced.clone().take(first);
        affordable.then(|| from.offset() + reduced.fitting(&self.text[from.offset()..fits]))
    }

    /// Where a piece that reaches up to `fits` best ends: after a word, else not before a tag, nor between a backslash
    /// and what it escapes or two backticks.
    fn end_of_piece(&self, from: Start, fits: usize) -> usize {
        let text = &self.text[from.offset()..fits];
        if let Some(space) = text.rfind([' ', '\n']).filter(|at| at + 1 > text.len() / 2) {
            return from.offset() + space + 1;
        }
        let mut kept = text.len();
        while let Some(back) = self.steps_back(from.offset() + kept, &text[..kept]) {
            if back >= kept || text.len() - kept > MOST_BACK {
                kept = text.len();
                break;
            }
            kept -= back;
        }
        let first = self.text[from.offset()..].chars().next().map_or(1, char::len_utf8);
        from.offset() + kept.max(first)
    }

    /// How much nearer to its beginning a piece that ends at `offset` had better end.
    fn steps_back(&self, offset: usize, piece: &str) -> Option<usize> {
        let run = |of: u8| piece.bytes().rev().take_while(|byte| *byte == of).count();
        match self.text.as_bytes().get(offset) {
            Some(b'`') if run(b'`') > 0 => Some(run(b'`')),
            // On a line of its own a tag would begin a block of HTML.
            Some(b'<') => piece.chars().next_back().map(char::len_utf8),
            _ if run(b'\\') % 2 == 1 => Some(1),
            _ => {
                let name = piece.bytes().rev().take_while(|byte| byte.is_ascii_lowercase() || *byte == b'/');
                let length = name.take("/strong".len()).count();
                piece[..piece.len() - length].ends_with('<').then_some(length + 1)
            }
        }
    }

    /// How many backticks the code span at `offset` began with, 0 outside of one.
    fn open_code(&self, from: Start, offset: usize) -> usize {
        let text = &self.text[from.offset()..offset];
        let (line, mut open) = match text.rfind('\n') {
            Some(end) => (&text[end + 1..], 0),
            None => (text, from.ticks()),
        };
        if self.is_code(from.context) {
            return 0;
        }
        let mut rest = line.as_bytes();
        while let Some(at) = rest.iter().position(|byte| *byte == b'`' || (open == 0 && *byte == b'\\')) {
            let ticks = rest[at..].iter().take_while(|byte| **byte == b'`').count();
            open = match open {
                0 => ticks,
                _ if open == ticks => 0,
                _ => open,
            };
            // A backslash takes the character after it along.
            rest = rest.get(at + if ticks > 0 { ticks } else { 2 }..).unwrap_or_default();
        }
        open
    }

    /// Whether `context` is a block of code.
    fn is_code(&self, context: u32) -> bool {
        matches!(self.index.contexts[context as usize].open, Open::Fence { .. })
    }

    /// What to write before and after a part that starts inside `context`, unless that would be longer than any part.
    fn frame(&self, context: u32) -> Option<Frame> {
        let Frame { mut opening, mut closing, mut prefix } = Frame::default();
        for open in self.index.path(context) {
            match open {
                Open::Document => {}
                Open::Quote => prefix.push_str("> "),
                Open::Item { marker } => {
                    opening.push_str(&prefix);
                    let start = opening.len();
                    marker.write(&mut opening);
                    prefix.push_str(&" ".repeat(opening.len() - start));
                    opening.push_str("…\n");
                }
                Open::Table { header, columns } => {
                    let header = &self.text[header.range()];
                    let columns = *columns as usize;
                    if header.len() + columns > LONGEST_OPENING {
                        return None;
                    }
                    opening.extend([&prefix, header, "\n", &prefix, "|", &"---|".repeat(columns), "\n"]);
                }
                Open::Fence { open, ticks } => {
                    if open.range().len() > LONGEST_OPENING {
                        return None;
                    }
                    opening.extend([&prefix, &self.text[open.range()], "\n"]);
                    closing = format!("\n{prefix}{}", "`".repeat(*ticks as usize));
                }
            }
        }
        Some(Frame { opening, closing, prefix })
    }
}

/// What stands above a row, in bytes, from which on it is not repeated: no part has so much room.
const LONGEST_OPENING: usize = 100_000;

/// Where a part starts, and inside what.
#[derive(Clone, Copy, Debug)]
struct Start {
    offset: u32,
    context: u32,
    /// The backticks of the code span that it is in.
    ticks: u32,
}

impl Start {
    fn new(offset: usize, context: u32, ticks: usize) -> Self {
        let narrow = |number| u32::try_from(number).unwrap_or(u32::MAX);
        Self { offset: narrow(offset), context, ticks: narrow(ticks) }
    }

    fn offset(self) -> usize {
        self.offset as usize
    }

    fn ticks(self) -> usize {
        self.ticks as usize
    }
}

/// A part that is not written yet.
struct Piece {
    opening: String,
    range: Range<usize>,
    /// Absent where nothing can mark the code in it as code.
    closing: Option<String>,
}

impl Piece {
    fn write(self, document: &Document) -> Part {
        let Self { opening, range, closing } = self;
        let body = document.text[range].trim_end();
        let text = match closing {
            Some(closing) => format!("{opening}{body}{closing}"),
            None => format!("{opening}{}", disarmed(body)),
        };
        Part { text }
    }
}

impl PartSize {
    /// With room for at least one character.
    fn usable(self) -> Self {
        Self { chars: self.chars.max(1), json_bytes: self.json_bytes.max(6) }
    }
}

/// Backticks must not run on with those of the code, nor with those that end it.
fn code_span_start(ticks: usize, code: &str) -> String {
    "`".repeat(ticks) + if ticks > 1 || code.starts_with('`') { " " } else { "" }
}

fn code_span_end(ticks: usize) -> String {
    let space = if ticks > 1 { " " } else { "" };
    space.to_owned() + &"`".repeat(ticks)
}

/// Code that nothing marks as code, without what would be a link, an image or a tag in it; as long as it was.
fn disarmed(code: &str) -> String {
    code.replace(['[', '<'], "(")
}

#[derive(Default)]
struct Frame {
    opening: String,
    closing: String,
    /// What every line inside begins with.
    prefix: String,
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

/// How many bytes a piece may end before it would have to.
const MOST_BACK: usize = 200;

/// How many bytes an escape adds at the most.
const ESCAPE: usize = 5;

fn json_length(character: char) -> usize {
    match character {
        '"' | '\\' | '\n' | '\r' | '\t' | '\u{8}' | '\u{c}' => 2,
        '\0'..='\u{1f}' => 6,
        _ => character.len_utf8(),
    }
}
