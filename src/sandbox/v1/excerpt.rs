//! Excerpts and highlighted titles.

use std::ops::Range;

use crate::sandbox::cql::{Found, Word};
use crate::sandbox::storage::escape;

/// How many characters an excerpt has, more or less.
const LENGTH: usize = 320;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Style {
    pub marked: bool,
    pub escaped: bool,
}

/// The first stretch of text around a match, with the matches marked. `words` are those of the text.
pub fn excerpt(text: &str, words: &[Word], found: &Found, style: Style) -> String {
    let first = (0..words.len()).find(|at| style.marked && found.marks(words, *at));
    let start = first.map_or(0, |at| boundary(text, words[at].start.saturating_sub(80)));
    let end = boundary(text, (start + LENGTH).min(text.len()));
    mark(text, start..end, words, found, style)
}

/// A stretch of text with every match between `@@@hl@@@` and `@@@endhl@@@`.
pub fn mark(text: &str, stretch: Range<usize>, words: &[Word], found: &Found, style: Style) -> String {
    let put = |piece: &str| if style.escaped { escape(piece) } else { piece.to_owned() };
    let mut out = String::new();
    let mut done = stretch.start;
    for (at, word) in words.iter().enumerate() {
        let inside = word.start >= done && word.end <= stretch.end;
        if style.marked && inside && found.marks(words, at) {
            out.push_str(&put(&text[done..word.start]));
            out.push_str("@@@hl@@@");
            out.push_str(&put(&text[word.start..word.end]));
            out.push_str("@@@endhl@@@");
            done = word.end;
        }
    }
    out.push_str(&put(&text[done..stretch.end]));
    out
}

/// The beginning of a word at or after `at`, or the end.
fn boundary(text: &str, at: usize) -> usize {
    if at == 0 || at >= text.len() {
        return at.min(text.len());
    }
    let at = (at..text.len()).find(|at| text.is_char_boundary(*at)).unwrap_or(text.len());
    let spaces = text[at..].char_indices().take(60).find(|(_, c)| c.is_whitespace());
    spaces.map_or(at, |(offset, space)| at + offset + space.len_utf8())
}
