//! Cutting a document into parts. A part ends where a block ends, unless a block alone is too big: then a list ends with
//! an item, a table with a row and code with a line, and what was open is opened again in the next part.

mod inline;
mod room;

use std::ops::Range;

use super::document::Document;
use super::escape;
use super::index::{Cut, Open};
use super::writer::NO_BORDER;
use crate::clean::CleanText;
use inline::Inline;
use room::Room;

pub use room::PartSize;

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
        let mut from = Start::of_block(range.start, 0);
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

    /// Where the text of a part begins: where it opens marks, what the lines of its containers begin with is written before them.
    fn behind_prefix(&self, from: Start, inline: Inline) -> u32 {
        if !inline.is_open() || inline.is_code() {
            return from.offset;
        }
        let starts_line = self.text[..from.offset()].ends_with('\n');
        let prefix =
            self.frame(from.context).filter(|_| starts_line).map(|frame| frame.prefix).unwrap_or_default();
        let is_there = self.text[from.offset()..].starts_with(&prefix);
        from.offset + if is_there { narrow(prefix.len()) } else { 0 }
    }

    fn cuts_after(&self, start: Start) -> &[Cut] {
        let cuts = self.index.cuts.as_slice();
        &cuts[cuts.partition_point(|cut| cut.offset() <= start.offset())..]
    }

    fn part(&self, from: Start, end: usize, cuts: &[Cut], size: PartSize) -> (Piece, Start) {
        let Some((opening, inline)) = self.affordable_opening(from, size) else {
            return self.part_of_bare_code(from, end, cuts, size);
        };
        let from = Start { offset: self.behind_prefix(from, inline), inline, ..from };
        let mut room = Room::of(size);
        room.take_all(&opening);
        let fits = from.offset() + room.clone().fitting(&self.text[from.offset()..end]);
        let Ending { range_end, closing, next } = if fits == end {
            Ending { range_end: end, closing: Some(String::new()), next: Start::of_block(end, 0) }
        } else {
            self.best_cut(from, fits, cuts, &room)
        };
        (Piece { opening, range: from.offset()..range_end, closing }, next)
    }

    /// Code that is nested so deep, or in so long a fence, that a part has no room for the fence.
    fn part_of_bare_code(&self, from: Start, end: usize, cuts: &[Cut], size: PartSize) -> (Piece, Start) {
        let reach = from.offset().saturating_add(size.chars.saturating_mul(4));
        let near = cuts.iter().take_while(|cut| cut.offset() <= reach.min(end));
        let after = near.into_iter().find(|cut| cut.context != from.context);
        let end = after.map_or(end, Cut::offset);
        let fits = from.offset() + Room::of(size).fitting(&self.text[from.offset()..end]);
        let next = match after {
            Some(cut) if fits == end => Start::of_block(fits, cut.context),
            _ if self.is_code(from.context) => Start::of_block(fits, from.context),
            _ => Start::new(fits, from.context, self.inline_at(from, fits)),
        };
        (Piece { opening: String::new(), range: from.offset()..fits, closing: None }, next)
    }

    /// What to write first in a part, if that leaves enough room for something new, and what of its marks that opens; without
    /// room for the fence of code nothing.
    fn affordable_opening(&self, from: Start, size: PartSize) -> Option<(String, Inline)> {
        let (inline, bare) = (from.inline, from.inline.without_marks());
        let starts_inside = from.offset() > 0 && !self.text[..from.offset()].ends_with('\n');
        if inline.ticks() * 4 > size.chars.min(size.json_bytes) {
            return None;
        }
        let rest = &self.text[from.offset()..];
        let frame = self.frame(from.context).map(|Frame { mut opening, closing, prefix }| {
            if starts_inside || inline.is_open() {
                // What is left of a line has to be in its containers.
                opening.push_str(&prefix);
            }
            (opening, closing)
        });
        if inline.is_open()
            && let Some((opening, closing)) = &frame
        {
            let opening = opening.clone() + &inline.opening(rest);
            if is_affordable(&opening, closing, size) {
                return Some((opening, inline));
            }
        }
        if inline.is_code() {
            return Some((bare.opening(rest), bare));
        }
        let Some((mut opening, closing)) = frame else {
            return (!self.is_code(from.context)).then(|| (String::new(), bare));
        };
        let is_code = !closing.is_empty();
        if starts_inside && !is_code && escape::might_begin_block(&self.text.as_bytes()[from.offset()..]) {
            // What is left of a paragraph must not read as a heading, a list or a quote.
            opening.push('…');
        }
        match is_affordable(&opening, &closing, size) {
            true => Some((opening, bare)),
            false if closing.is_empty() => Some((String::new(), bare)),
            false => None,
        }
    }

    /// Where to end a part that reaches up to `fits` at most, and what to write there.
    fn best_cut(&self, from: Start, fits: usize, cuts: &[Cut], room: &Room) -> Ending {
        let cuts = &cuts[..cuts.partition_point(|cut| cut.offset() <= fits)];
        let half = from.offset() + (fits - from.offset()) / 2;
        let (early, late) = cuts.split_at(cuts.partition_point(|cut| cut.offset() < half));
        for cuts in [late, early] {
            let mut best: Option<(u8, Ending)> = None;
            for cut in cuts.iter().rev() {
                if cut.rank == NO_BORDER {
                    continue;
                }
                let better = best.as_ref().is_none_or(|(rank, _)| cut.rank < *rank);
                if better && let Some(ending) = self.ending_at(from, cut, room) {
                    best = Some((cut.rank, ending));
                }
            }
            if let Some((_, ending)) = best {
                return ending;
            }
        }
        self.cut_anywhere(from, fits, cuts, room)
    }

    /// How a part ends at `cut`; nothing if it would be empty, or too big with what it has to end with.
    fn ending_at(&self, from: Start, cut: &Cut, room: &Room) -> Option<Ending> {
        let (mut range_end, mut inline) = (cut.offset(), Inline::default());
        if self.is_line_break(cut) {
            // A line break is nothing at the end of a part. What is open there goes on in the next line.
            inline = self.inline_at(from, range_end);
            range_end -= "\\\n".len();
        }
        let body = self.text.get(from.offset()..range_end)?.trim_end();
        let closing = inline.closing() + &self.frame(cut.context)?.closing;
        let mut room = room.clone();
        let fits = closing.is_empty() || (room.take_all(body) && room.take_all(&closing));
        let next = Start::new(cut.offset(), cut.context, inline);
        (fits && !body.trim_start().is_empty()).then_some(Ending { range_end, closing: Some(closing), next })
    }

    /// Whether a line of text goes on in the next one there.
    fn is_line_break(&self, cut: &Cut) -> bool {
        let line = self.text[..cut.offset()].strip_suffix('\n').unwrap_or_default();
        let backslashes = line.bytes().rev().take_while(|byte| *byte == b'\\').count();
        backslashes % 2 == 1 && !self.is_code(cut.context)
    }

    /// Inside a block that no border divides: after a word if there is one. Code and marks that are cut are closed; there may
    /// be no room to do so.
    fn cut_anywhere(&self, from: Start, fits: usize, cuts: &[Cut], room: &Room) -> Ending {
        let here = self.index.cuts.partition_point(|cut| cut.offset() <= from.offset());
        let here =
            here.checked_sub(1).map(|at| &self.index.cuts[at]).filter(|cut| cut.offset() == from.offset());
        let context = cuts.last().or(here).map_or(from.context, |cut| cut.context);
        if self.is_code(context) {
            let closing = self.frame(context).map(|frame| frame.closing).unwrap_or_default();
            let (end, closing) = match self.fitting_with(&closing, from, fits, room) {
                Some(fits) => (self.end_of_piece(from, fits), closing),
                None => (self.end_of_piece(from, fits), String::new()),
            };
            let next = Start::of_block(end, context);
            return Ending { range_end: end, closing: Some(closing), next };
        }
        let (range_end, inline, closing) = self.closed_piece(from, fits, room);
        // What is left of a row is no row.
        let is_row = matches!(self.index.contexts[context as usize].open, Open::Table { .. });
        let context = if is_row { 0 } else { context };
        Ending { range_end, closing, next: Start::new(range_end, context, inline) }
    }

    /// Where a piece of a line ends that reaches up to `fits` at most, what goes on behind it, and what closes it.
    fn closed_piece(&self, from: Start, fits: usize, room: &Room) -> (usize, Inline, Option<String>) {
        // What closes it makes it end earlier, where other things may be open.
        const TRIES: usize = 4;
        let whole = |inline: Inline| inline;
        let tries =
            [whole, Inline::without_marks].into_iter().flat_map(|keep| std::iter::repeat_n(keep, TRIES));
        let mut reserved = String::new();
        for (number, keep) in tries.enumerate() {
            if number == TRIES {
                reserved.clear();
            }
            let Some(fits) = self.fitting_with(&reserved, from, fits, room) else { continue };
            let end = self.end_of_piece(from, fits);
            // A space at the end is not written.
            let end = end + usize::from(self.text.as_bytes().get(end) == Some(&b' '));
            let inline = keep(self.inline_at(from, end));
            let closing = inline.closing();
            if closing.len() <= reserved.len() {
                return (end, inline, Some(closing));
            }
            reserved = closing;
        }
        let end = self.end_of_piece(from, fits);
        let inline = self.inline_at(from, end).without_marks();
        (end, inline, (!inline.is_code()).then(String::new))
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
            return self.before_link(from, from.offset() + space + 1);
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
        self.before_link(from, from.offset() + kept.max(first))
    }

    /// Where a piece that would end at `end` inside a link ends before it, unless that were too little of it; and before a mark
    /// that has nothing in it yet.
    fn before_link(&self, from: Start, end: usize) -> usize {
        let (_, link) = Inline::after(&self.text, from.offset()..end, from.inline);
        let mut end = link.filter(|link| (link - from.offset()) * 2 > end - from.offset()).unwrap_or(end);
        while let Some(mark) = self.inline_at(from, end).begins_with_end_of(&self.text[from.offset()..end])
            && from.offset() + mark < end
        {
            end -= mark;
        }
        end
    }

    /// How much nearer to its beginning a piece that ends at `offset` had better end.
    fn steps_back(&self, offset: usize, piece: &str) -> Option<usize> {
        let run = |of: u8| piece.bytes().rev().take_while(|byte| *byte == of).count();
        match self.text.as_bytes().get(offset) {
            Some(b'`') if run(b'`') > 0 => Some(run(b'`')),
            // On a line of its own a tag would begin a block of HTML, and a mark that ends here needs something in it.
            Some(b'<' | b'*' | b'~') => piece.chars().next_back().map(char::len_utf8),
            _ if run(b'*') + run(b'~') > 0 => Some(run(b'*').max(run(b'~'))),
            _ if run(b'\\') % 2 == 1 => Some(1),
            _ => {
                let name = piece.bytes().rev().take_while(|byte| byte.is_ascii_lowercase() || *byte == b'/');
                let length = name.take("/strong".len()).count();
                piece[..piece.len() - length].ends_with('<').then_some(length + 1)
            }
        }
    }

    /// What is open inside the line at `offset`.
    fn inline_at(&self, from: Start, offset: usize) -> Inline {
        Inline::after(&self.text, from.offset()..offset, from.inline).0
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
    inline: Inline,
}

impl Start {
    fn new(offset: usize, context: u32, inline: Inline) -> Self {
        Self { offset: narrow(offset), context, inline }
    }

    /// Where a block starts.
    fn of_block(offset: usize, context: u32) -> Self {
        Self::new(offset, context, Inline::default())
    }

    fn offset(self) -> usize {
        self.offset as usize
    }
}

/// How a part ends.
struct Ending {
    range_end: usize,
    /// See [`Piece::closing`].
    closing: Option<String>,
    next: Start,
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

/// Code that nothing marks as code, without what would be a link, an image or a tag in it; as long as it was.
fn disarmed(code: &str) -> String {
    code.replace(['[', '<'], "(")
}

fn narrow(number: usize) -> u32 {
    u32::try_from(number).unwrap_or(u32::MAX)
}

/// Whether a part has room for its opening and for something new.
fn is_affordable(opening: &str, closing: &str, size: PartSize) -> bool {
    let mut room =
        Room { chars: size.chars.saturating_sub(16), json_bytes: size.json_bytes.saturating_sub(96) };
    room.take_all(opening) && room.take_all(opening) && room.take_all(closing)
}

#[derive(Default)]
struct Frame {
    opening: String,
    closing: String,
    /// What every line inside begins with.
    prefix: String,
}

/// How many bytes a piece may end before it would have to.
const MOST_BACK: usize = 200;
