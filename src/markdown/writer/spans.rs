//! Links and code spans.

use std::borrow::Cow;

use super::super::losses;
use super::Writer;
use super::blocks::longest_run;
use super::marks::{Active, Mark, State};
use crate::clean::{belongs, is_invisible};

#[derive(Clone, Copy)]
pub(super) struct CodeSpan {
    pub(super) start: usize,
    pub(super) end: usize,
    /// In single ticks, without padding: more may be written into it.
    pub(super) plain: bool,
}

pub(super) struct Link {
    target: Option<String>,
    /// Whether there is anything to click on.
    used: bool,
    /// What cannot be inside of a link and follows it.
    after: Vec<(String, String)>,
}

impl Writer {
    /// Starts a link. Inside another link it interrupts that one; without a target its text is text.
    pub(in super::super) fn link_open(&mut self, target: Option<String>) {
        self.flush_code();
        if target.is_some() {
            self.interrupt_link();
            self.mark_open(Mark::Link);
        }
        self.line.links.push(Link { target, used: false, after: Vec::new() });
    }

    /// Ends the innermost link; one without text reads as `fallback`.
    pub(in super::super) fn link_close(&mut self, fallback: &str) {
        self.flush_code();
        let Some(Link { target, used, .. }) = self.line.links.last() else { return };
        if target.is_none() {
            self.line.links.pop();
            return;
        }
        if !used && !self.line.marks.iter().any(Active::is_open_link) {
            self.text(fallback);
            self.flush_code();
        }
        self.mark_close(Mark::Link);
        let after = self.line.links.pop().map(|link| link.after).unwrap_or_default();
        if let Some(outer) = self.resume_link() {
            return outer.after.extend(after);
        }
        for (label, target) in after {
            self.line.space = true;
            self.text("(");
            self.link(&label, Some(target));
            self.text(")");
        }
    }

    /// A link in one go. Inside another link only its label stays there, and the link itself follows.
    pub(in super::super) fn link(&mut self, label: &str, target: Option<String>) {
        let Some(target) = target else { return self.text(label) };
        if let Some(outer) = self.line.links.iter_mut().rfind(|link| link.target.is_some()) {
            outer.after.push((label.to_owned(), target));
            return self.text(label);
        }
        self.link_open(Some(target));
        self.text(label);
        self.link_close("");
    }

    /// Whether text is the text of a link.
    pub(super) fn in_link(&self) -> bool {
        self.line.links.iter().any(|link| link.target.is_some())
    }

    fn interrupt_link(&mut self) {
        let Some(outer) = self.line.marks.iter().rposition(|active| active.mark == Mark::Link) else {
            return;
        };
        for at in (outer..self.line.marks.len()).rev() {
            self.write_close(at);
        }
        self.line.marks[outer].state = State::Off;
    }

    /// Goes on with the link that the one which has ended was in, if there is one.
    fn resume_link(&mut self) -> Option<&mut Link> {
        let outer = self.line.marks.iter().rposition(|active| active.mark == Mark::Link)?;
        for inner in (outer + 1..self.line.marks.len()).rev() {
            self.write_close(inner);
        }
        self.line.marks[outer].state = State::Due;
        let link = self.line.links.iter_mut().rfind(|link| link.target.is_some())?;
        link.used = true;
        Some(link)
    }

    pub(super) fn write_link_end(&mut self, open: usize) {
        let Some(link) = self.line.links.iter_mut().rfind(|link| link.target.is_some()) else { return };
        link.used = true;
        let Some(target) = &link.target else { return };
        let text = &self.out[open + 1..];
        if target.starts_with("http") && !target.contains('&') && reads_as(text, target) {
            self.out.truncate(open);
            self.out.extend(["<", target, ">"]);
            self.line.closed.clear();
            self.line.loose_ends.retain(|end| end.end <= open);
        } else {
            self.out.extend(["](", &without_references(target), ")"]);
        }
    }

    pub(in super::super) fn code_span_open(&mut self) {
        self.line.code.get_or_insert_default();
        self.line.code_depth += 1;
    }

    pub(in super::super) fn code_span_close(&mut self) {
        self.flush_code();
        self.line.code_depth = self.line.code_depth.saturating_sub(1);
        if self.line.code_depth == 0 {
            self.line.code = None;
        }
    }

    /// Spaces in code stay, except around line ends.
    pub(super) fn code_text(&mut self, text: &str) {
        let mut code = self.line.code.take().unwrap_or_default();
        let mut characters = text.chars().peekable();
        while let Some(character) = characters.next() {
            if matches!(character, '\n' | '\r') {
                code.truncate(code.trim_end().len());
                code.push('\n');
            } else if character.is_whitespace() {
                if !code.ends_with('\n') {
                    code.push(' ');
                }
            } else if is_invisible(character)
                && !belongs(character, code.chars().next_back(), characters.peek().copied())
            {
                self.losses.add(losses::INVISIBLE_CHARACTERS, 1);
            } else {
                code.push(character);
            }
        }
        self.line.code = Some(code);
    }

    /// Writes the code heard so far as a span; more may follow in another one.
    #[inline]
    pub(super) fn flush_code(&mut self) {
        if let Some(code) = &mut self.line.code {
            let code = std::mem::take(code);
            self.write_code(&code);
        }
    }

    fn write_code(&mut self, code: &str) {
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
        self.lead('`');
        // A pipe after a backslash would end a cell even in code.
        if self.ends_label(code) || (self.in_cell && code.contains("\\|")) {
            self.out.push_str("<code>");
            self.escaped(code);
            self.out.push_str("</code>");
            return;
        }
        if self.goes_on_in_code(code) {
            return;
        }
        let ticks = "`".repeat(longest_run(code, '`') + 1);
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

    /// Whether code would end the label of a link reference definition, to which code is nothing special. Where the bracket
    /// that begins the label is of the text, it gets a backslash instead.
    fn ends_label(&mut self, code: &str) -> bool {
        const LONGEST_LABEL: usize = 1000;
        if self.in_cell || self.line.in_heading || !(code.contains("]:") || code.starts_with(':')) {
            return false;
        }
        let Some(label) = self.out.get(self.line.first..).and_then(|text| text.strip_prefix('[')) else {
            return false;
        };
        let mut escaped = false;
        let ends = label.bytes().take(LONGEST_LABEL).any(|byte| {
            let bracket = !escaped && matches!(byte, b'[' | b']');
            escaped = byte == b'\\' && !escaped;
            bracket
        });
        if ends {
            return false;
        }
        if !self.in_link() {
            self.replace(self.line.first..self.line.first, "\\");
        }
        self.in_link()
    }

    /// Two spans side by side would not be two spans, so the second goes on in the first, or a space parts them.
    fn goes_on_in_code(&mut self, code: &str) -> bool {
        let Some(CodeSpan { start, end, plain }) = self.line.last_code.take() else { return false };
        if end != self.out.len() {
            return false;
        }
        let divides = self.in_cell && code.starts_with('|') && self.out[..end - 1].ends_with('\\');
        if !plain
            || divides
            || code.contains('`')
            || (code.ends_with(' ') && self.out[start + 1..].starts_with(' '))
        {
            self.out.push(' ');
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

/// Whether escaped text shows nothing but `plain`.
fn reads_as(text: &str, plain: &str) -> bool {
    let mut bytes = text.bytes().peekable();
    let shown = std::iter::from_fn(|| match bytes.next() {
        Some(b'\\') => bytes.next_if(u8::is_ascii_punctuation).or(Some(b'\\')),
        byte => byte,
    });
    shown.eq(plain.bytes())
}

/// A link's address in which nothing reads as a character reference.
fn without_references(target: &str) -> Cow<'_, str> {
    let reads_as_reference = |at: usize| {
        let body = target[at + 1..].trim_start_matches(|c: char| c.is_ascii_alphanumeric() || c == '#');
        body.starts_with(';')
    };
    if target.match_indices('&').any(|(at, _)| reads_as_reference(at)) {
        Cow::Owned(target.replace('&', "&amp;"))
    } else {
        Cow::Borrowed(target)
    }
}
