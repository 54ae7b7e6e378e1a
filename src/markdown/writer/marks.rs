//! Bold, slanted and so on. Marks open with the first character in them and close after the last, so that spaces stay
//! outside. Where a delimiter would not do what it should, a tag takes its place.

use std::ops::Range;

use super::super::escape::{self, is_word_character};
use super::Writer;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in super::super) enum Mark {
    Strong,
    Emphasis,
    Strike,
    Sub,
    Sup,
    Link,
}

#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum State {
    Due,
    Open(usize),
    /// Inside another one of its kind.
    Idle,
    /// Not to be written: a mark inside code, or a link while there is another one in it.
    Off,
}

pub(super) struct Active {
    pub(super) mark: Mark,
    pub(super) state: State,
    /// Written as a tag, because an asterisk would not do here.
    pub(super) tag: bool,
}

/// A mark whose closing delimiter works only if the next character lets it.
#[derive(Clone, Copy)]
pub(super) struct LooseEnd {
    pub(super) mark: Mark,
    pub(super) open: usize,
    pub(super) close: usize,
    pub(super) end: usize,
    pub(super) after_punctuation: bool,
    pub(super) tag: bool,
}

impl Mark {
    pub(in super::super) fn delimiter(self) -> &'static str {
        match self {
            Self::Strong => "**",
            Self::Emphasis => "*",
            Self::Strike => "~~",
            Self::Sub => "<sub>",
            Self::Sup => "<sup>",
            Self::Link => "[",
        }
    }

    pub(in super::super) fn tags(self) -> (&'static str, &'static str) {
        match self {
            Self::Strong => ("<strong>", "</strong>"),
            Self::Emphasis => ("<em>", "</em>"),
            Self::Strike => ("<del>", "</del>"),
            Self::Sub => ("<sub>", "</sub>"),
            Self::Sup => ("<sup>", "</sup>"),
            Self::Link => ("", ""),
        }
    }

    fn is_asterisk(self) -> bool {
        matches!(self, Self::Strong | Self::Emphasis)
    }

    fn has_delimiter(self) -> bool {
        matches!(self, Self::Strong | Self::Emphasis | Self::Strike)
    }
}

impl Active {
    pub(super) fn is_open_link(&self) -> bool {
        self.mark == Mark::Link && matches!(self.state, State::Open(_))
    }
}

impl Writer {
    pub(super) fn write_as_tags(&mut self, at: usize) {
        let LooseEnd { mark, open, close, end, tag, .. } = self.line.loose_ends[at];
        if tag {
            return;
        }
        let (open_tag, close_tag) = mark.tags();
        self.replace(close..end, close_tag);
        self.replace(open..open + mark.delimiter().len(), open_tag);
        // An asterisk right before the tag and right after a word would no longer open anything.
        let mut after = open;
        for outer in (0..self.line.marks.len()).rev() {
            let Active { mark, state: State::Open(open), tag: false } = self.line.marks[outer] else {
                continue;
            };
            let length = mark.delimiter().len();
            let before = self.out[..open].chars().next_back();
            if open + length == after && mark.has_delimiter() && before.is_some_and(escape::may_be_word) {
                self.line.marks[outer].tag = true;
                self.replace(open..open + length, mark.tags().0);
            }
            after = open;
        }
    }

    /// Replaces a delimiter in the line, and keeps in mind where what comes after it is.
    pub(super) fn replace(&mut self, range: Range<usize>, with: &str) {
        let moved = |place: &mut usize| {
            if *place > range.start {
                *place = *place + with.len() - range.len();
            }
        };
        self.out.replace_range(range.clone(), with);
        for end in self.line.loose_ends.iter_mut().chain(&mut self.line.closed) {
            moved(&mut end.open);
            moved(&mut end.close);
            moved(&mut end.end);
        }
        for active in &mut self.line.marks {
            if let State::Open(open) = &mut active.state {
                moved(open);
            }
        }
        if let Some(span) = &mut self.line.last_code {
            moved(&mut span.start);
            moved(&mut span.end);
        }
        moved(&mut self.line.start);
        if self.in_cell {
            // The text of a cell is not in its place yet, and has no cuts.
            return;
        }
        for cut in self.index.cuts.iter_mut().rev().take_while(|cut| cut.offset() > range.start) {
            cut.move_to(cut.offset() + with.len() - range.len());
        }
    }

    /// A mark inside another one of its kind changes nothing, so that nothing is written for it.
    pub(super) fn rest_nested(&mut self) {
        for at in 1..self.line.marks.len() {
            let (outer, inner) = self.line.marks.split_at_mut(at);
            let nested = |outer: &Active| {
                outer.mark == inner[0].mark && matches!(outer.state, State::Due | State::Open(_))
            };
            if inner[0].state == State::Due && outer.iter().any(nested) {
                inner[0].state = State::Idle;
            }
        }
    }

    /// Opens the marks that the text about to come has and what is before it has not.
    pub(super) fn open_marks(&mut self, first: char, spaced: bool) {
        let after_mark = self
            .line
            .closed
            .last()
            .filter(|last| last.end == self.out.len() && !last.tag)
            .map(|last| last.mark);
        let start = self.out.len();
        let mut before = if spaced { None } else { self.before() };
        let mut has_asterisks = self.has_open_asterisks();
        let mut in_run = false;
        for at in 0..self.line.marks.len() {
            let Active { mark, state: State::Due, .. } = self.line.marks[at] else { continue };
            // Asterisks side by side make one run, and what is before and after the run counts.
            if self.out.len() > start && !(in_run && mark.is_asterisk()) {
                before = self.out.chars().next_back();
                has_asterisks = self.has_open_asterisks();
            }
            let joined = |inner: &&Active| mark.is_asterisk() && inner.mark.is_asterisk();
            let mut inner = self.line.marks[at + 1..].iter().filter(|inner| inner.state == State::Due);
            let before_word = inner.all(|inner| joined(&inner)) && is_word_character(first);
            let after_word = before.is_some_and(escape::may_be_word);
            let joins = after_mark
                .is_some_and(|closed| closed == mark || (closed.is_asterisk() && mark.is_asterisk()));
            // Such an asterisk may close what is open as well as open something.
            let ambiguous =
                mark.is_asterisk() && has_asterisks && before.is_some() && (after_word || !before_word);
            let tag = mark.has_delimiter() && (joins || ambiguous || (after_word && !before_word));
            self.line.marks[at].tag = tag;
            self.line.marks[at].state = State::Open(self.out.len());
            self.out.push_str(if tag { mark.tags().0 } else { mark.delimiter() });
            in_run = mark.is_asterisk() && !tag;
        }
    }

    fn has_open_asterisks(&self) -> bool {
        let is_open = |active: &Active| matches!(active.state, State::Open(_)) && !active.tag;
        self.line.marks.iter().any(|active| active.mark.is_asterisk() && is_open(active))
    }

    /// Marks that open right where the same ones closed go on instead.
    pub(super) fn reopen_closed(&mut self) {
        while let Some(last) = self.line.closed.pop_if(|last| last.end == self.out.len()) {
            let due = self.line.marks.iter_mut().find(|active| active.state == State::Due);
            let Some(active) = due.filter(|active| active.mark == last.mark) else {
                self.line.closed.push(last);
                return;
            };
            active.state = State::Open(last.open);
            active.tag = last.tag;
            self.out.truncate(last.close);
            self.line.loose_ends.retain(|end| end.end <= last.close);
        }
    }

    pub(in super::super) fn mark_open(&mut self, mark: Mark) {
        let in_code = self.line.code.is_some() && mark != Mark::Link;
        let state = if in_code { State::Off } else { State::Due };
        self.line.marks.push(Active { mark, state, tag: false });
    }

    /// Closes the innermost mark of a kind. Marks that were opened inside of it go on after it.
    pub(in super::super) fn mark_close(&mut self, mark: Mark) {
        let Some(at) = self.line.marks.iter().rposition(|active| active.mark == mark) else { return };
        for above in (at..self.line.marks.len()).rev() {
            self.write_close(above);
        }
        self.line.marks.remove(at);
    }

    pub(super) fn write_close(&mut self, at: usize) {
        let Active { mark, state, tag } = self.line.marks[at];
        if state == State::Off {
            return;
        }
        self.line.marks[at].state = State::Due;
        let State::Open(open) = state else { return };
        if mark == Mark::Link {
            return self.write_link_end(open);
        }
        // GitHub's parser looks past a tilde for what is before asterisks, and not past a backslash.
        if mark.is_asterisk() && self.ends_in_bare_tilde() {
            self.out.insert(self.out.len() - 1, '\\');
        }
        let close = self.out.len();
        if self.line.closed.last().is_some_and(|last| last.end != close) {
            self.line.closed.clear();
        }
        let one_run =
            self.line.closed.last().filter(|last| last.mark.is_asterisk() && mark.is_asterisk() && !last.tag);
        let after_punctuation = match one_run {
            Some(last) => last.after_punctuation,
            None => self.out.chars().next_back().is_some_and(escape::may_be_punctuation),
        };
        self.out.push_str(if tag || !mark.has_delimiter() { mark.tags().1 } else { mark.delimiter() });
        let tag = tag || !mark.has_delimiter();
        let end = LooseEnd { mark, open, close, end: self.out.len(), after_punctuation, tag };
        if after_punctuation && !end.tag {
            self.line.loose_ends.push(end);
        }
        self.line.closed.push(end);
    }
}
