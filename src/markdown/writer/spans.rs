//! Links and code spans.

use super::super::escape;
use super::super::losses;
use super::Writer;
use super::blocks::longest_run;
use super::marks::{Mark, State};

#[derive(Clone, Copy)]
pub(super) struct CodeSpan {
    pub(super) start: usize,
    pub(super) end: usize,
    /// In single ticks, without padding: more may be written into it.
    pub(super) plain: bool,
}

pub(super) struct Link {
    pub(super) target: Option<String>,
    pub(super) used: bool,
    /// What cannot be inside of a link and follows it.
    pub(super) after: Vec<(String, String)>,
}

impl Writer {
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
        self.mark_close(Mark::Link);
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

    pub(super) fn write_link_end(&mut self, open: usize) {
        let Some(link) = &mut self.line.link else { return };
        link.used = true;
        let Some(target) = &link.target else {
            return self.replace(open..open + 1, "");
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
    pub(super) fn code_text(&mut self, text: &str) {
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
        if self.goes_on_in_code(code) {
            return;
        }
        self.lead('`');
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
