//! What is inside a line: text, marks, links, code spans, line breaks. Marks open with the first character in them and
//! close after the last, so that spaces stay outside.

use super::super::escape::{self, CLASSES, Class, Place, is_word_character};
use super::super::losses;
use super::blocks::longest_run;
use super::{TEXT_LINE_RANK, Writer};

#[derive(Default)]
pub(super) struct Line {
    open: bool,
    /// A space is due before whatever comes next.
    pub(super) space: bool,
    /// What comes next belongs to what is there, whatever space is in between.
    glued: bool,
    /// What there is leads in a paragraph.
    pub(super) leads_in: bool,
    breaks: u32,
    /// Where the text of this line starts.
    start: usize,
    /// The level of the heading that the next text starts.
    pub(super) heading: Option<u8>,
    pub(super) in_heading: bool,
    pub(super) heading_text: String,
    marks: Vec<Active>,
    loose_ends: Vec<LooseEnd>,
    /// The marks that closed right where the line ends now, the outermost last.
    closed: Vec<LooseEnd>,
    link: Option<Link>,
    code: Option<String>,
    last_code: Option<CodeSpan>,
}

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
enum State {
    Due,
    Open(usize),
    /// Inside another one of its kind.
    Idle,
}

struct Active {
    mark: Mark,
    state: State,
    /// Written as a tag, because an asterisk would not do here.
    tag: bool,
}

/// A mark whose closing delimiter works only if the next character lets it.
#[derive(Clone, Copy)]
struct LooseEnd {
    mark: Mark,
    open: usize,
    close: usize,
    end: usize,
    after_punctuation: bool,
    tag: bool,
}

#[derive(Clone, Copy)]
struct CodeSpan {
    start: usize,
    end: usize,
    /// In single ticks, without padding: more may be written into it.
    plain: bool,
}

struct Link {
    target: Option<String>,
    used: bool,
    /// What cannot be inside of a link and follows it.
    after: Vec<(String, String)>,
}

impl Mark {
    fn delimiter(self) -> &'static str {
        match self {
            Self::Strong => "**",
            Self::Emphasis => "*",
            Self::Strike => "~~",
            Self::Sub => "<sub>",
            Self::Sup => "<sup>",
            Self::Link => "[",
        }
    }

    fn tags(self) -> (&'static str, &'static str) {
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

impl Writer {
    /// Text as people read it. What would be Markdown in it is escaped.
    pub(in super::super) fn text(&mut self, text: &str) {
        if self.line.in_heading || self.line.heading.is_some() {
            self.line.heading_text.push_str(text);
        }
        if self.line.code.is_some() {
            return self.code_text(text);
        }
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
        if line_start {
            if let Some(digits) = escape::list_number(&bytes[start..]) {
                at += digits;
                self.out.push_str(&text[start..at]);
                self.out.push('\\');
                from = at;
            }
        } else if matches!(first, '.' | ')') && self.ends_in_list_number() {
            self.out.push('\\');
        }
        while at < bytes.len() {
            at += escape::plain_length(&bytes[at..]);
            let Some(byte) = bytes.get(at) else { break };
            match CLASSES[*byte as usize] {
                Class::Plain => {}
                Class::Space => break,
                Class::Special => {
                    let before = if at > start { bytes[at - 1] } else { self.byte_before(line_start) };
                    let rest = &bytes[at..];
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
                        Err(length) => {
                            at += length;
                            from = at;
                            if self.line.space {
                                break;
                            }
                        }
                    }
                }
            }
        }
        self.out.push_str(&text[from..at]);
        at
    }

    fn place<'t>(&self, before: u8, rest: &'t [u8], line_start: bool) -> Place<'t> {
        Place {
            before,
            rest,
            line_start,
            in_cell: self.in_cell,
            in_link: self.line.link.is_some(),
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
        if escape::is_invisible(character) {
            let before = before.or_else(|| self.out.chars().next_back().filter(|_| !self.line.space));
            if !escape::is_joiner(character, before) {
                self.losses.add(losses::INVISIBLE_CHARACTERS, 1);
                return Err(character.len_utf8());
            }
        }
        Ok(character)
    }

    fn at_line_start(&self) -> bool {
        !self.in_cell && !self.line.in_heading && self.out.len() == self.line.start
    }

    fn byte_before(&self, line_start: bool) -> u8 {
        if line_start { b' ' } else { self.out.as_bytes().last().copied().unwrap_or(b' ') }
    }

    fn ends_in_list_number(&self) -> bool {
        let line = self.out.get(self.line.start..).unwrap_or_default();
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
        self.line.space = false;
    }

    /// A line break. At the start or end of a paragraph it is nothing, two of them start a new paragraph.
    pub(in super::super) fn line_break(&mut self) {
        if self.line.code.is_some() {
            self.flush_code();
        }
        if self.line.in_heading || self.line.heading.is_some() || self.line.link.is_some() {
            self.line.space = true;
            self.line.heading_text.push(' ');
        } else if self.line.open && self.out.len() > self.line.start {
            self.line.breaks += 1;
        }
    }

    /// Prepares for something visible that starts with `first`: the line is open, spaces and marks are written.
    fn lead(&mut self, first: char) {
        if self.line.open && self.line.breaks > 0 {
            self.write_break();
        }
        if !self.line.open {
            self.begin_line();
            self.line.open = true;
            self.line.start = self.out.len();
            self.line.space = false;
        }
        let spaced = self.line.space && self.out.len() > self.line.start;
        self.line.space = false;
        self.line.glued = false;
        self.line.leads_in = false;
        if spaced {
            self.out.push(' ');
        } else {
            self.reopen_closed();
        }
        let due = self.line.marks.iter().position(|active| active.state == State::Due);
        let next = match due {
            Some(at) => self.line.marks[at].mark.delimiter().chars().next().unwrap_or(first),
            None => first,
        };
        if !spaced {
            self.settle(next);
        }
        self.line.loose_ends.clear();
        if due.is_some() {
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
            let (context, depth) = (self.top().context, self.top().depth);
            self.note_cut(TEXT_LINE_RANK, context, depth);
            self.write_prefix();
        }
        self.line.start = self.out.len();
        self.line.space = false;
    }

    /// Repairs what turns out to mean something else when `next` follows it.
    fn settle(&mut self, next: char) {
        let escaped = |out: &str| out.len() >= 2 && out.as_bytes()[out.len() - 2] == b'\\';
        let ends_in = |out: &str, end: char| out.ends_with(end) && !escaped(out);
        let bracket = matches!(next, '(' | '[' | ':') && ends_in(&self.out, ']');
        let image = next == '[' && ends_in(&self.out, '!');
        if (bracket || image) && self.out.len() > self.line.start {
            self.out.insert(self.out.len() - 1, '\\');
        }
        if !self.line.loose_ends.is_empty() && is_word_character(next) {
            for at in 0..self.line.loose_ends.len() {
                self.write_as_tags(at);
            }
        }
    }

    fn write_as_tags(&mut self, at: usize) {
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
            let Active { mark, state: State::Open(open), tag: false } = self.line.marks[outer] else { continue };
            let length = mark.delimiter().len();
            let before = self.out[..open].chars().next_back();
            if open + length == after && mark.has_delimiter() && before.is_some_and(is_word_character) {
                self.line.marks[outer].tag = true;
                self.replace(open..open + length, mark.tags().0);
            }
            after = open;
        }
    }

    /// Replaces a delimiter in the line, and keeps in mind where what comes after it is.
    fn replace(&mut self, range: std::ops::Range<usize>, with: &str) {
        let grown = with.len() - range.len();
        let moved = |place: &mut usize| *place += if *place > range.start { grown } else { 0 };
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
        for cut in self.index.cuts.iter_mut().rev().take_while(|cut| cut.offset > range.start) {
            cut.offset += grown;
        }
    }

    fn open_marks(&mut self, first: char, spaced: bool) {
        let before =
            if spaced || self.out.len() == self.line.start { None } else { self.out.chars().next_back() };
        let word_before = before.is_some_and(is_word_character);
        let after_mark = self
            .line
            .closed
            .last()
            .filter(|last| last.end == self.out.len() && !last.tag)
            .map(|last| last.mark);
        let is_written = |active: &Active| matches!(active.state, State::Open(_)) && !active.tag;
        let has_asterisks =
            self.line.marks.iter().any(|active| active.mark.is_asterisk() && is_written(active));
        for at in 0..self.line.marks.len() {
            if self.line.marks[at].state != State::Due {
                continue;
            }
            let mark = self.line.marks[at].mark;
            if self.line.marks[..at].iter().any(|outer| outer.mark == mark && outer.state != State::Idle) {
                self.line.marks[at].state = State::Idle;
                continue;
            }
            // Asterisks side by side make one run, and what comes after the run counts.
            let in_run = |inner: &&Active| mark.is_asterisk() && inner.mark.is_asterisk();
            let mut inner = self.line.marks[at + 1..].iter().filter(|inner| inner.state == State::Due);
            let next_is_word = inner.all(|inner| in_run(&inner)) && is_word_character(first);
            let joins = after_mark
                .is_some_and(|closed| closed == mark || (closed.is_asterisk() && mark.is_asterisk()));
            // After something an asterisk may close what is open as well as open something.
            let ambiguous = mark.is_asterisk() && before.is_some() && has_asterisks;
            let tag = mark.has_delimiter() && (joins || ambiguous || (word_before && !next_is_word));
            self.line.marks[at].tag = tag;
            self.line.marks[at].state = State::Open(self.out.len());
            self.out.push_str(if tag { mark.tags().0 } else { mark.delimiter() });
        }
    }

    /// Marks that open right where the same ones closed go on instead.
    fn reopen_closed(&mut self) {
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
        self.line.marks.push(Active { mark, state: State::Due, tag: false });
    }

    /// Closes the innermost mark of a kind. Marks that were opened inside of it go on after it.
    pub(in super::super) fn mark_close(&mut self, mark: &Mark) {
        let Some(at) = self.line.marks.iter().rposition(|active| active.mark == *mark) else { return };
        for above in (at..self.line.marks.len()).rev() {
            self.write_close(above);
        }
        self.line.marks.remove(at);
    }

    fn write_close(&mut self, at: usize) {
        let Active { mark, state, tag } = self.line.marks[at];
        self.line.marks[at].state = State::Due;
        let State::Open(open) = state else { return };
        if mark == Mark::Link {
            return self.write_link_end(open);
        }
        let close = self.out.len();
        if self.line.closed.last().is_some_and(|last| last.end != close) {
            self.line.closed.clear();
        }
        let one_run =
            self.line.closed.last().filter(|last| last.mark.is_asterisk() && mark.is_asterisk() && !last.tag);
        let after_punctuation = match one_run {
            Some(last) => last.after_punctuation,
            None => self.out.chars().next_back().is_some_and(escape::is_punctuation),
        };
        self.out.push_str(if tag || !mark.has_delimiter() { mark.tags().1 } else { mark.delimiter() });
        let tag = tag || !mark.has_delimiter();
        let end = LooseEnd { mark, open, close, end: self.out.len(), after_punctuation, tag };
        if after_punctuation && !end.tag {
            self.line.loose_ends.push(end);
        }
        self.line.closed.push(end);
    }

    pub(super) fn end_line(&mut self) {
        self.flush_code();
        if self.line.open {
            for at in (0..self.line.marks.len()).rev() {
                self.write_close(at);
            }
            self.line.open = false;
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
        if let Some(heading) = self.index.headings.last_mut() {
            let visible = |c: &char| !escape::is_invisible(*c) || escape::is_joiner(*c, Some('\u{a9}'));
            let text: String = self.line.heading_text.chars().filter(visible).collect();
            heading.text = text.split_whitespace().collect::<Vec<_>>().join(" ");
        }
    }

    /// Starts a link. The target may come later, by `link_target`.
    pub(in super::super) fn link_open(&mut self, target: Option<String>) {
        self.flush_code();
        if self.line.link.is_none() {
            self.line.link = Some(Link { target, used: false, after: Vec::new() });
            self.mark_open(Mark::Link);
        }
    }

    /// Ends the link; one without text reads as `fallback`.
    pub(in super::super) fn link_close(&mut self, fallback: &str) {
        self.flush_code();
        if self.line.link.is_none() {
            return;
        }
        let open =
            self.line.marks.iter().any(|active| active.mark == Mark::Link && active.state != State::Due);
        if !open && !self.line.link.as_ref().is_some_and(|link| link.used) {
            self.text(fallback);
        }
        self.mark_close(&Mark::Link);
        let after = self.line.link.take().map(|link| link.after).unwrap_or_default();
        for (label, target) in after {
            self.line.space = true;
            self.text("(");
            self.link(&label, Some(target));
            self.text(")");
        }
    }

    /// A link in one go. Inside another link only its label stays there, and the link itself follows.
    pub(in super::super) fn link(&mut self, label: &str, target: Option<String>) {
        if let Some(outer) = &mut self.line.link {
            if let Some(target) = target {
                outer.after.push((label.to_owned(), target));
            }
            return self.text(label);
        }
        self.link_open(target);
        self.text(label);
        self.link_close("");
    }

    fn write_link_end(&mut self, open: usize) {
        let Some(link) = &mut self.line.link else { return };
        link.used = true;
        let Some(target) = &link.target else {
            self.out.remove(open);
            return;
        };
        let text = &self.out[open + 1..];
        if target.starts_with("http") && text.replace('\\', "") == *target {
            self.out.truncate(open);
            self.out.extend(["<", target, ">"]);
        } else {
            self.out.extend(["](", target, ")"]);
        }
    }

    pub(in super::super) fn code_span_open(&mut self) {
        if self.line.code.is_none() {
            self.line.code = Some(String::new());
        }
    }

    pub(in super::super) fn code_span_close(&mut self) {
        self.flush_code();
        self.line.code = None;
    }

    /// Spaces in code stay, except around line ends.
    fn code_text(&mut self, text: &str) {
        let mut code = self.line.code.take().unwrap_or_default();
        for character in text.chars() {
            if matches!(character, '\n' | '\r') {
                code.truncate(code.trim_end().len());
                code.push('\n');
            } else if character.is_whitespace() {
                if !code.ends_with('\n') {
                    code.push(' ');
                }
            } else if escape::is_invisible(character)
                && !escape::is_joiner(character, code.chars().next_back())
            {
                self.losses.add(losses::INVISIBLE_CHARACTERS, 1);
            } else {
                code.push(character);
            }
        }
        self.line.code = Some(code);
    }

    /// Writes the code heard so far as a span; more may follow in another one.
    fn flush_code(&mut self) {
        let Some(code) = &mut self.line.code else { return };
        let code = std::mem::take(code);
        if code.trim().is_empty() {
            self.line.space |= !code.is_empty();
            return;
        }
        self.line.space |= code.starts_with('\n');
        self.code_span(&code.trim_matches('\n').replace('\n', " "));
        self.line.space |= code.ends_with('\n');
    }

    /// A code span with exactly this text.
    pub(in super::super) fn code_span(&mut self, code: &str) {
        if self.goes_on_in_code(code) {
            return;
        }
        self.lead('`');
        let ticks = "`".repeat(if code.contains('`') { longest_run(code, '`') + 1 } else { 1 });
        let spaced = code.starts_with(' ') && code.ends_with(' ');
        let padded = spaced || code.starts_with('`') || code.ends_with('`');
        let pad = if padded { " " } else { "" };
        let start = self.out.len();
        self.out.extend([&ticks, pad]);
        self.push_code(code);
        self.out.extend([pad, &ticks]);
        let plain = ticks.len() == 1 && !padded;
        self.line.last_code = Some(CodeSpan { start, end: self.out.len(), plain });
    }

    /// Two spans side by side would not be two spans, so the second goes on in the first.
    fn goes_on_in_code(&mut self, code: &str) -> bool {
        let Some(CodeSpan { start, end, plain }) = self.line.last_code.take() else { return false };
        if end != self.out.len() || self.line.space || self.line.breaks > 0 || !self.line.open {
            return false;
        }
        if !plain || code.contains('`') || (code.ends_with(' ') && self.out[start + 1..].starts_with(' ')) {
            self.line.space = true;
            return false;
        }
        self.out.pop();
        self.push_code(code);
        self.out.push('`');
        self.line.last_code = Some(CodeSpan { start, end: self.out.len(), plain });
        true
    }

    fn push_code(&mut self, code: &str) {
        if self.in_cell && code.contains('|') {
            self.out.push_str(&code.replace('|', "\\|"));
        } else {
            self.out.push_str(code);
        }
    }
}
