//! What is open inside a line: marks and code, as the writer writes them. A part that ends in the middle of a line closes them,
//! and the next one opens them again.

use std::ops::Range;

use super::super::escape::{is_word_character, may_be_punctuation};
use super::super::writer::Mark;

/// The most marks around one character that are closed and opened again.
const MOST: usize = 6;

/// How far the end of a link is looked for, in bytes.
const LONGEST_LINK: usize = 4096;

const TAGS: [Mark; 5] = [Mark::Strong, Mark::Emphasis, Mark::Strike, Mark::Sub, Mark::Sup];

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Inline {
    /// The outermost first.
    marks: [Option<Written>; MOST],
    /// The backticks of the code span, 0 outside of one.
    ticks: u32,
}

/// A mark, and whether it is written as a tag.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Written {
    mark: Mark,
    tag: bool,
}

impl Inline {
    /// What is open after this range of `text`, which begins inside of `before`; and where the link began that it ends in.
    pub(super) fn after(text: &str, range: Range<usize>, before: Self) -> (Self, Option<usize>) {
        let start = line_start(text, &range);
        let (at, open) = start.map_or((range.start, before), |line| (line, Self::default()));
        let mut scan = Scan { text, at, end: range.end, open, link: None, stopped: false };
        scan.run();
        let label = scan.link.filter(|_| scan.stopped || ends_as_link(&text[range.end..]));
        (scan.open, label)
    }

    pub(super) fn is_open(self) -> bool {
        self.is_code() || self.marks[0].is_some()
    }

    /// How many backticks code began with: a page may hold a run of millions, which is looked at before it is written.
    pub(super) fn ticks(self) -> usize {
        self.ticks as usize
    }

    pub(super) fn is_code(self) -> bool {
        self.ticks > 0
    }

    pub(super) fn without_marks(self) -> Self {
        Self { marks: [None; MOST], ..self }
    }

    /// Opens everything again before `rest`.
    pub(super) fn opening(self, rest: &str) -> String {
        let mut opening: String = self.marks.iter().flatten().map(|written| written.open()).collect();
        opening.push_str(&"`".repeat(self.ticks as usize));
        // Backticks must not run on with those of the code.
        if self.ticks > 1 || (self.is_code() && rest.starts_with('`')) {
            opening.push(' ');
        }
        opening
    }

    /// Closes everything.
    pub(super) fn closing(self) -> String {
        let mut closing = String::new();
        if self.ticks > 1 {
            closing.push(' ');
        }
        closing.push_str(&"`".repeat(self.ticks as usize));
        closing.extend(self.marks.iter().rev().flatten().map(|written| written.close()));
        closing
    }

    /// The length of what the innermost mark or code began with, if that is the end of `text`.
    pub(super) fn begins_with_end_of(self, text: &str) -> Option<usize> {
        if self.is_code() {
            let ticks = "`".repeat(self.ticks as usize);
            return text.trim_end_matches(' ').strip_suffix(&ticks).map(|before| text.len() - before.len());
        }
        let mark = self.marks.iter().rev().flatten().next()?;
        text.ends_with(mark.open()).then(|| mark.open().len())
    }

    fn push(&mut self, mark: Mark, tag: bool) {
        if let Some(free) = self.marks.iter_mut().find(|place| place.is_none()) {
            *free = Some(Written { mark, tag });
        }
    }

    /// Takes the innermost such mark away; says whether there was one.
    fn remove(&mut self, mark: Mark, tag: bool) -> bool {
        let Some(at) = self.marks.iter().rposition(|place| *place == Some(Written { mark, tag })) else {
            return false;
        };
        self.marks.copy_within(at + 1.., at);
        self.marks[MOST - 1] = None;
        true
    }
}

impl Written {
    fn open(self) -> &'static str {
        if self.tag { self.mark.tags().0 } else { self.mark.delimiter() }
    }

    fn close(self) -> &'static str {
        if self.tag { self.mark.tags().1 } else { self.mark.delimiter() }
    }
}

/// Where the line begins that a range ends in, if that is inside of it. What a line break divides is one line here.
fn line_start(text: &str, range: &Range<usize>) -> Option<usize> {
    let mut end = range.end;
    loop {
        let at = range.start + text[range.start..end].rfind('\n')?;
        let backslashes = text[range.start..at].bytes().rev().take_while(|byte| *byte == b'\\').count();
        if backslashes % 2 == 0 {
            return Some(at + 1);
        }
        end = at;
    }
}

/// Whether text from the middle of a label goes on to the address of a link.
fn ends_as_link(rest: &str) -> bool {
    let mut bytes = rest.bytes().take(LONGEST_LINK).peekable();
    while let Some(byte) = bytes.next() {
        match byte {
            b'\\' => drop(bytes.next()),
            b']' => return bytes.peek() == Some(&b'('),
            b'[' | b'\n' => return false,
            _ => {}
        }
    }
    false
}

struct Scan<'a> {
    text: &'a str,
    at: usize,
    end: usize,
    open: Inline,
    /// Where the last bracket or angle bracket is that may begin a link.
    link: Option<usize>,
    /// Set when the end is in the address of that link.
    stopped: bool,
}

impl Scan<'_> {
    /// Goes on to the end, or behind the link that the end is in.
    fn run(&mut self) {
        let bytes = self.text.as_bytes();
        while self.at < self.end {
            let byte = bytes[self.at];
            if byte == b'`' {
                self.ticks();
            } else if self.open.is_code() {
                // Code knows no line breaks of its own.
                self.at += 1;
            } else {
                match byte {
                    b'\\' => self.at += 2,
                    b'*' => self.asterisks(),
                    b'~' => self.tildes(),
                    b'<' => self.angle(),
                    b'[' => {
                        self.link = Some(self.at);
                        self.at += 1;
                    }
                    b']' => self.bracket(),
                    _ => self.at += 1,
                }
            }
        }
    }

    fn run_of(&self, byte: u8) -> usize {
        self.text.as_bytes()[self.at..].iter().take_while(|found| **found == byte).count()
    }

    fn ticks(&mut self) {
        // The range may end in the middle of a run.
        let ticks = self.run_of(b'`').min(self.end - self.at);
        self.at += ticks;
        let ticks = u32::try_from(ticks).unwrap_or(u32::MAX);
        self.open.ticks = match self.open.ticks {
            0 => ticks,
            open if open == ticks => 0,
            open => open,
        };
    }

    /// Whether a run of so many bytes may open, and whether it may close.
    fn flanks(&self, length: usize) -> (bool, bool) {
        let before = self.text[..self.at].chars().next_back().unwrap_or(' ');
        let after = self.text[self.at + length..].chars().next().unwrap_or(' ');
        let (space_before, space_after) = (before.is_whitespace(), after.is_whitespace());
        let opens = !space_after && (is_word_character(after) || space_before || may_be_punctuation(before));
        let closes = !space_before && (is_word_character(before) || space_after || may_be_punctuation(after));
        (opens, closes)
    }

    fn asterisks(&mut self) {
        let length = self.run_of(b'*');
        let (opens, closes) = self.flanks(length);
        let mut left = length;
        if closes {
            // Which of two marks that opened together is the inner one, the first that closes tells.
            if left >= 2 && self.open.remove(Mark::Strong, false) {
                left -= 2;
            }
            if left >= 1 && self.open.remove(Mark::Emphasis, false) {
                left -= 1;
            }
        }
        if opens && left == length {
            if left >= 2 {
                self.open.push(Mark::Strong, false);
            }
            if left % 2 == 1 {
                self.open.push(Mark::Emphasis, false);
            }
        }
        self.at += length;
    }

    fn tildes(&mut self) {
        let length = self.run_of(b'~');
        let (opens, closes) = self.flanks(length);
        let is_end = length == 2 && closes && self.open.remove(Mark::Strike, false);
        if length == 2 && opens && !is_end {
            self.open.push(Mark::Strike, false);
        }
        self.at += length;
    }

    fn angle(&mut self) {
        let rest = &self.text[self.at..];
        for mark in TAGS {
            let (open, close) = mark.tags();
            if rest.starts_with(open) {
                self.open.push(mark, true);
                self.at += open.len();
                return;
            }
            if rest.starts_with(close) {
                self.open.remove(mark, true);
                self.at += close.len();
                return;
            }
        }
        match rest.find(['>', '\n']).filter(|_| rest.starts_with("<http")) {
            Some(end) if self.at + end >= self.end => self.stop_in_link(self.at),
            Some(end) => self.at += end + 1,
            None => self.at += 1,
        }
    }

    fn bracket(&mut self) {
        let begin = self.link.take();
        let rest = &self.text[self.at + 1..];
        let end = if rest.starts_with('(') { rest.find([')', '\n']) } else { None };
        match (end, begin) {
            (Some(end), Some(begin)) if self.at + 1 + end >= self.end => self.stop_in_link(begin),
            (Some(end), _) => self.at += end + 2,
            (None, _) => self.at += 1,
        }
    }

    fn stop_in_link(&mut self, begin: usize) {
        self.link = Some(begin);
        self.stopped = true;
        self.at = self.end;
    }
}
