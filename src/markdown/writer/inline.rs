//! What is inside a line: text, spaces and line breaks. Everything visible goes through `lead` first.

use super::super::escape::{self, CLASSES, Class, Place};
use super::super::losses;
use super::marks::{Active, LooseEnd, Mark, State};
use super::spans::{CodeSpan, Link};
use super::{TEXT_LINE_RANK, Writer};
use crate::clean::{belongs, is_invisible, visible};

/// How much of a heading's text is kept for the outline, in bytes.
const HEADING: usize = 4096;

/// From how many bytes on a part may end inside a line where others fit, and what is open around it has to be known.
const LONG: usize = 256;

#[derive(Default)]
#[allow(clippy::struct_excessive_bools)]
pub(super) struct Line {
    pub(super) open: bool,
    /// A space is due before whatever comes next.
    pub(super) space: bool,
    /// What comes next belongs to what is there, whatever space is in between.
    pub(super) glued: bool,
    /// What there is leads in a paragraph.
    pub(super) leads_in: bool,
    pub(super) breaks: u32,
    /// Where the text of this line starts.
    pub(super) start: usize,
    /// Where the first line of its block starts.
    pub(super) first: usize,
    /// The level of the heading that the next text starts.
    pub(super) heading: Option<u8>,
    pub(super) in_heading: bool,
    pub(super) heading_text: String,
    pub(super) marks: Vec<Active>,
    pub(super) loose_ends: Vec<LooseEnd>,
    /// The marks that closed right where the line ends now, the outermost last.
    pub(super) closed: Vec<LooseEnd>,
    /// The links that are open, the innermost last.
    pub(super) links: Vec<Link>,
    pub(super) code: Option<String>,
    /// How many elements around are code.
    pub(super) code_depth: u32,
    pub(super) last_code: Option<CodeSpan>,
}

impl Writer {
    /// Text as people read it. What would be Markdown in it is escaped.
    pub(in super::super) fn text(&mut self, text: &str) {
        if self.line.in_heading || self.line.heading.is_some() {
            self.line
                .heading_text
                .extend(text.chars().take(HEADING.saturating_sub(self.line.heading_text.len())));
        }
        if self.line.code.is_some() {
            return self.code_text(text);
        }
        self.escaped(text);
    }

    /// Writes a text with a backslash wherever it would be Markdown.
    pub(super) fn escaped(&mut self, text: &str) {
        let bytes = text.as_bytes();
        let mut at = 0;
        while at < bytes.len() {
            match CLASSES[bytes[at] as usize] {
                Class::Space => {
                    self.line.space |= !self.line.glued;
                    at += 1;
                }
                Class::Suspect => match self.visible(&text[at..], None) {
                    Ok(character) => at = self.run(text, at, character),
                    Err(length) => at += length,
                },
                _ => at = self.run(text, at, text[at..].chars().next().unwrap_or(' ')),
            }
        }
    }

    /// Writes from `start` up to the next wide space, and says where it stopped.
    fn run(&mut self, text: &str, start: usize, first: char) -> usize {
        self.lead(first);
        let bytes = text.as_bytes();
        let line_start = self.at_line_start();
        let mut from = start;
        let mut at = start;
        // Digits of a list's number may be in several runs.
        let may_number = line_start || (first.is_ascii_digit() && self.ends_in_list_number());
        if may_number && let Some(digits) = escape::list_number(&bytes[start..]) {
            at += digits;
            self.out.push_str(&text[start..at]);
            self.out.push('\\');
            from = at;
        } else if line_start {
            if escape::starts_block(&bytes[start..]) {
                self.out.push('\\');
            }
        } else if (matches!(first, '.' | ')') && self.ends_in_list_number())
            || (matches!(first, '^' | '!') && self.begins_link())
        {
            self.out.push('\\');
        }
        while at < bytes.len() {
            at += escape::plain_length(&bytes[at..]);
            let Some(byte) = bytes.get(at) else { break };
            match CLASSES[*byte as usize] {
                Class::Plain => {}
                Class::Space => break,
                Class::Special => {
                    let before = text[start..at].chars().next_back().or_else(|| self.before()).unwrap_or(' ');
                    let rest = &text[at..];
                    if escape::needs_escape(self.place(before, rest, line_start && at == start)) {
                        self.out.push_str(&text[from..at]);
                        self.out.push('\\');
                        from = at;
                    }
                    at += 1;
                }
                Class::Suspect => {
                    let before = text[from..at].chars().next_back();
                    if from < at || before.is_none() {
                        self.out.push_str(&text[from..at]);
                        from = at;
                    }
                    match self.visible(&text[at..], before) {
                        Ok(character) => at += character.len_utf8(),
                        // What comes next meets what is there.
                        Err(length) => return at + length,
                    }
                }
            }
        }
        self.out.push_str(&text[from..at]);
        at
    }

    fn place<'t>(&self, before: char, rest: &'t str, line_start: bool) -> Place<'t> {
        Place {
            before,
            rest,
            line_start,
            in_cell: self.in_cell,
            in_link: self.in_link(),
            in_strike: self.line.marks.iter().any(|active| active.mark == Mark::Strike),
        }
    }

    /// The character at the start of `text` if people see it, else its length; spaces and what is removed are noted.
    fn visible(&mut self, text: &str, before: Option<char>) -> Result<char, usize> {
        let Some(character) = text.chars().next() else { return Err(1) };
        if character.is_whitespace() {
            self.line.space = true;
            return Err(character.len_utf8());
        }
        if is_invisible(character) {
            let before = before.or_else(|| self.out.chars().next_back().filter(|_| !self.line.space));
            if !belongs(character, before, text.chars().nth(1)) {
                self.losses.add(losses::INVISIBLE_CHARACTERS, 1);
                return Err(character.len_utf8());
            }
        }
        Ok(character)
    }

    fn at_line_start(&self) -> bool {
        !self.in_cell && !self.line.in_heading && self.out.len() == self.line.start
    }

    /// The character that what comes next would stand right behind.
    pub(super) fn before(&self) -> Option<char> {
        let after_break = self.in_cell && self.written().is_empty() && self.out.ends_with("<br>");
        if after_break { Some('>') } else { self.written().chars().next_back() }
    }

    /// What is written of the line so far.
    pub(super) fn written(&self) -> &str {
        self.out.get(self.line.start..).unwrap_or_default()
    }

    /// Whether the bracket of a link is the last that is written: a caret would make it a footnote.
    fn begins_link(&self) -> bool {
        let ends = |active: &Active| matches!(active.state, State::Open(at) if at + 1 == self.out.len());
        self.line.marks.iter().any(|active| active.mark == Mark::Link && ends(active))
    }

    fn ends_in_list_number(&self) -> bool {
        let line = self.written();
        !self.in_cell
            && !self.line.in_heading
            && (1..=9).contains(&line.len())
            && line.bytes().all(|byte| byte.is_ascii_digit())
    }

    /// Markdown that is already right, to be read as `label`.
    pub(in super::super) fn raw(&mut self, markdown: &str, label: &str) {
        let Some(first) = markdown.chars().next() else { return };
        self.lead(first);
        if self.line.in_heading {
            self.line.heading_text.push_str(label);
        }
        if self.in_cell && markdown.contains('|') {
            self.out.push_str(&markdown.replace('|', "\\|"));
        } else {
            self.out.push_str(markdown);
        }
    }

    pub(in super::super) fn space(&mut self) {
        self.line.space = true;
    }

    /// What comes next follows without a space, whatever comes in between.
    pub(in super::super) fn glue(&mut self) {
        self.line.glued = true;
    }

    /// Forgets a space that has not been written yet.
    pub(in super::super) fn trim(&mut self) {
        match &mut self.line.code {
            Some(code) => code.truncate(code.trim_end().len()),
            None => self.line.space = false,
        }
    }

    /// A line break. At the start or end of a paragraph it is nothing, two of them start a new paragraph.
    pub(in super::super) fn line_break(&mut self) {
        if self.line.code.is_some() {
            self.flush_code();
        }
        if self.line.in_heading || self.line.heading.is_some() || self.in_link() {
            self.line.space = true;
            self.line.heading_text.push(' ');
        } else if self.line.open && self.out.len() > self.line.start && !self.line.leads_in {
            self.line.breaks += 1;
        }
    }

    /// Prepares for something visible that starts with `first`: the line is open, spaces and marks are written.
    pub(super) fn lead(&mut self, first: char) {
        if self.line.open && self.line.breaks > 0 {
            self.write_break();
        }
        if !self.line.open {
            self.begin_line();
            self.line.open = true;
            self.line.start = self.out.len();
            self.line.first = self.line.start;
            self.line.space = false;
        }
        let spaced = self.line.space && self.out.len() > self.line.start;
        self.line.space = false;
        self.line.glued = false;
        self.line.leads_in = false;
        if self.line.marks.len() > 1 {
            self.rest_nested();
        }
        if spaced {
            self.out.push(' ');
        } else {
            self.reopen_closed();
            self.settle(first);
        }
        self.line.loose_ends.clear();
        if self.line.marks.iter().any(|active| active.state == State::Due) {
            self.open_marks(first, spaced);
        }
        self.line.closed.clear();
    }

    fn write_break(&mut self) {
        let paragraph = self.line.breaks > 1 && !self.in_cell;
        self.line.breaks = 0;
        self.line.loose_ends.clear();
        if paragraph {
            return self.end_line();
        }
        if self.in_cell {
            self.out.push_str("<br>");
        } else {
            self.out.push_str("\\\n");
            self.note_cut(TEXT_LINE_RANK);
            self.write_prefix();
        }
        self.line.start = self.out.len();
        self.line.space = false;
    }

    /// Repairs what turns out to mean something else when `first`, or the mark that opens before it, follows it.
    fn settle(&mut self, first: char) {
        let last = self.out.as_bytes().last().copied();
        let unsettled = matches!(last, Some(b']' | b'!' | b'[' | b'~'));
        if !unsettled && self.line.loose_ends.is_empty() {
            return;
        }
        let due = self.line.marks.iter().find(|active| active.state == State::Due);
        let next = due.and_then(|active| active.mark.delimiter().chars().next()).unwrap_or(first);
        let written = self.written().as_bytes();
        if let Some(last) = written.last()
            && !escape::ends_escaped(written)
            && (escape::joins(*last, next, self.in_link()) || (next == '~' && self.ends_in_bare_tilde()))
        {
            self.out.insert(self.out.len() - 1, '\\');
        }
        if !self.line.loose_ends.is_empty() && escape::may_be_word(next) {
            for at in 0..self.line.loose_ends.len() {
                self.write_as_tags(at);
            }
        }
    }

    /// Whether the line ends in a tilde of the text that has no backslash.
    pub(super) fn ends_in_bare_tilde(&self) -> bool {
        let of_text = || self.line.closed.last().is_none_or(|closed| closed.end != self.out.len());
        let written = self.written();
        written.ends_with('~') && of_text() && !escape::ends_escaped(written.as_bytes())
    }

    pub(super) fn end_line(&mut self) {
        self.flush_code();
        if self.line.open {
            for at in (0..self.line.marks.len()).rev() {
                self.write_close(at);
            }
            self.line.open = false;
            if !self.in_cell && self.out.len() - self.line.first > LONG {
                self.note_line(self.line.first);
            }
        }
        if self.line.in_heading {
            self.end_heading();
        }
        self.line.heading_text.clear();
        self.line.leads_in = false;
        self.line.space = false;
        self.line.breaks = 0;
        self.line.loose_ends.clear();
        self.line.closed.clear();
        self.line.last_code = None;
    }

    fn end_heading(&mut self) {
        self.line.in_heading = false;
        let text = self.out.trim_end_matches('#');
        if text.len() < self.out.len() && text.ends_with(' ') {
            self.out.insert(self.out.len() - 1, '\\');
        }
        let words: Vec<&str> = self.line.heading_text.split_whitespace().collect();
        // What goes from it has been counted with the text.
        self.index.headings.name(visible(&words.join(" ")).0.split(' '));
    }
}
