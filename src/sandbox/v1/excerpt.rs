//! Excerpts and highlighted titles.

use crate::sandbox::cql::{Found, words};
use crate::sandbox::storage::escape;

/// How many characters an excerpt has, more or less.
const LENGTH: usize = 320;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Style {
    pub marked: bool,
    pub escaped: bool,
}

/// The first stretch of text around a match, with the matches marked.
pub fn excerpt(text: &str, found: &Found, style: Style) -> String {
    let all = words(text);
    let first = (0..all.len()).find(|at| style.marked && found.marks(&all, *at));
    let start = first.map_or(0, |at| boundary(text, all[at].start.saturating_sub(80)));
    let end = boundary(text, (start + LENGTH).min(text.len()));
    mark(&text[start..end], found, style)
}

/// The text with every match between `@@@hl@@@` and `@@@endhl@@@`.
pub fn mark(text: &str, found: &Found, style: Style) -> String {
    let put = |piece: &str| if style.escaped { escape(piece) } else { piece.to_owned() };
    if !style.marked {
        return put(text);
    }
    let all = words(text);
    let mut out = String::new();
    let mut done = 0;
    for (at, word) in all.iter().enumerate() {
        if found.marks(&all, at) {
            out.push_str(&put(&text[done..word.start]));
            out.push_str("@@@hl@@@");
            out.push_str(&put(&text[word.start..word.end]));
            out.push_str("@@@endhl@@@");
            done = word.end;
        }
    }
    out.push_str(&put(&text[done..]));
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
