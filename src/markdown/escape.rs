//! Which characters of a text would be read as Markdown where they stand.

use crate::clean::is_invisible;

/// What the scanner does with a byte of text.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Class {
    Plain,
    Space,
    Special,
    /// The first byte of characters some of which are invisible.
    Suspect,
}

pub(super) const CLASSES: [Class; 256] = classes();

const fn classes() -> [Class; 256] {
    let mut classes = [Class::Plain; 256];
    let mut byte = 0;
    while byte < 0x20 {
        classes[byte] = Class::Suspect;
        byte += 1;
    }
    let spaces = b" \t\n\r\x0c";
    let specials = b"\\`*_[]<&~|";
    let suspects = [0x7f, 0xc2, 0xcd, 0xd8, 0xe1, 0xe2, 0xe3, 0xef, 0xf0, 0xf1, 0xf2, 0xf3, 0xf4];
    let mut at = 0;
    while at < spaces.len() {
        classes[spaces[at] as usize] = Class::Space;
        at += 1;
    }
    at = 0;
    while at < specials.len() {
        classes[specials[at] as usize] = Class::Special;
        at += 1;
    }
    at = 0;
    while at < suspects.len() {
        classes[suspects[at]] = Class::Suspect;
        at += 1;
    }
    classes
}

/// How much of a text needs no thought: plain characters with single spaces between them.
pub(super) fn plain_length(bytes: &[u8]) -> usize {
    let is_plain = |at: usize| bytes.get(at).is_some_and(|byte| CLASSES[*byte as usize] == Class::Plain);
    let mut length = 0;
    while is_plain(length) || (bytes.get(length) == Some(&b' ') && is_plain(length + 1)) {
        length += 1;
    }
    length
}

/// Where a special character stands.
#[derive(Clone, Copy)]
#[allow(clippy::struct_excessive_bools)]
pub(super) struct Place<'a> {
    /// The character before; a space at the start of a line.
    pub(super) before: char,
    /// The text from the character on. What follows the text is not known.
    pub(super) rest: &'a str,
    pub(super) line_start: bool,
    pub(super) in_cell: bool,
    pub(super) in_link: bool,
    pub(super) in_strike: bool,
}

/// Whether the character at `place` needs a backslash to read as itself. Where the text ends right after it, or goes on
/// with something that may be removed, it gets one in case of doubt, except for what `joins` tells later.
pub(super) fn needs_escape(place: Place<'_>) -> bool {
    let rest = place.rest.as_bytes();
    let next = rest.get(1).copied().filter(|byte| !is_suspect(*byte));
    let space_before = place.before.is_whitespace();
    let space_after = next.is_some_and(|byte| byte.is_ascii_whitespace());
    match rest[0] {
        b'\\' => !next.is_some_and(is_word),
        b'`' => true,
        b'*' => {
            place.line_start
                || !(space_before && space_after && rest.get(2).is_some_and(|byte| is_word(*byte)))
        }
        b'_' => place.line_start || !(space_before || is_inside_word(place)),
        b'[' => {
            place.in_link
                || matches!(next, Some(b'!' | b'^'))
                || (place.line_start && may_be_task(&rest[1..]))
        }
        b']' => place.in_link || matches!(next, Some(b'(' | b'[' | b':')),
        b'<' => next.is_none_or(|byte| byte.is_ascii_alphabetic() || matches!(byte, b'/' | b'!' | b'?')),
        b'&' => is_reference(rest),
        b'~' => place.line_start || place.in_strike || !space_before,
        b'|' => place.in_cell || place.line_start,
        _ => false,
    }
}

/// Whether a formula reads as itself between dollars, whatever is around them.
pub(super) fn is_inert(formula: &str) -> bool {
    let mut before = '$';
    formula.char_indices().all(|(at, character)| {
        let place = Place {
            before: std::mem::replace(&mut before, character),
            rest: &formula[at..],
            line_start: false,
            in_cell: false,
            in_link: true,
            in_strike: true,
        };
        character != '$' && !needs_escape(place)
    })
}

/// Whether a character of a text that needed no backslash needs one now that `next` stands right behind it.
pub(super) fn joins(last: u8, next: char, in_link: bool) -> bool {
    match last {
        b']' => matches!(next, '(' | '[' | ':'),
        b'!' => next == '[',
        b'[' => matches!(next, '!' | '^') && !in_link,
        _ => false,
    }
}

/// Whether `text` ends in a character that a backslash before it escapes already.
pub(super) fn ends_escaped(text: &[u8]) -> bool {
    let before = text.split_last().map_or(text, |(_, before)| before);
    before.iter().rev().take_while(|byte| **byte == b'\\').count() % 2 == 1
}

/// Whether the first character of a text that starts a line would start a block, beside those that `needs_escape` knows.
pub(super) fn starts_block(text: &[u8]) -> bool {
    let next = text.get(1).copied().filter(|byte| !is_suspect(*byte));
    match text[0] {
        b'>' | b'=' => true,
        b'#' => is_marker(text, text.iter().take_while(|byte| **byte == b'#').count()),
        b'+' => is_marker(text, 1),
        // A marker, a rule, the line below a heading, or the one below the header of a table.
        b'-' => !next.is_some_and(is_word),
        // The line below the header of a table.
        b':' => next.is_none_or(|byte| matches!(byte, b'-' | b'|' | b' ')),
        _ => false,
    }
}

/// Whether a text from the middle of a line might begin another block where it begins a line.
pub(super) fn might_begin_block(text: &[u8]) -> bool {
    text.first().is_some_and(|byte| b"#>+-*=_:|~`[<".contains(byte)) || list_number(text).is_some()
}

/// A marker of `length` bytes counts where a space or nothing follows it.
fn is_marker(rest: &[u8], length: usize) -> bool {
    rest.get(length).is_none_or(|byte| byte.is_ascii_whitespace() || is_suspect(*byte))
}

/// Whether what follows a bracket at the start of a line may make it the box of a task.
fn may_be_task(rest: &[u8]) -> bool {
    match rest {
        [] => true,
        [b'x' | b'X', after @ ..] => after.first().is_none_or(|byte| *byte == b']' || is_suspect(*byte)),
        [next, ..] => next.is_ascii_whitespace() || is_suspect(*next),
    }
}

/// Whether a text that starts a line would start a numbered list; the offset of its dot.
pub(super) fn list_number(text: &[u8]) -> Option<usize> {
    let digits = text.iter().take(10).take_while(|byte| byte.is_ascii_digit()).count();
    let dot = matches!(text.get(digits), Some(b'.' | b')'));
    ((1..=9).contains(&digits) && dot && is_marker(text, digits + 1)).then_some(digits)
}

fn is_word(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || (byte >= 0x80 && !is_suspect(byte))
}

/// Whether a character may turn out to be removed.
fn is_suspect(byte: u8) -> bool {
    CLASSES[usize::from(byte)] == Class::Suspect
}

fn is_inside_word(place: Place<'_>) -> bool {
    is_word_character(place.before) && place.rest[1..].chars().next().is_some_and(is_word_character)
}

fn is_reference(rest: &[u8]) -> bool {
    let body =
        rest[1..].iter().take(33).take_while(|byte| byte.is_ascii_alphanumeric() || **byte == b'#').count();
    match rest.get(body + 1) {
        Some(b';') => body > 0,
        Some(byte) => is_suspect(*byte),
        None => true,
    }
}

/// Letters and digits; quick for the scripts that are most common.
pub(super) fn is_word_character(character: char) -> bool {
    match character {
        '\0'..='\u{7f}' => character.is_ascii_alphanumeric(),
        '\u{1161}'..='\u{11ff}'
        | '\u{1100}'..='\u{115e}'
        | '\u{4e00}'..='\u{9fff}'
        | '\u{ac00}'..='\u{d7a3}'
        | '\u{3041}'..='\u{3096}'
        | '\u{30a1}'..='\u{30fa}' => true,
        // Some blanks are letters to Unicode.
        _ => character.is_alphanumeric() && !is_invisible(character),
    }
}

/// Whether Markdown may take `character` for punctuation when it decides what an asterisk does.
pub(super) fn may_be_punctuation(character: char) -> bool {
    !is_word_character(character) && !character.is_whitespace()
}

/// Whether Markdown may take `character` for a letter then. Parsers disagree about symbols, and marks are not punctuation.
/// GitHub's looks past tildes, at what may be a letter behind them.
pub(super) fn may_be_word(character: char) -> bool {
    match character {
        '\0'..='\u{7f}' => character.is_ascii_alphanumeric() || character == '~',
        '\u{2010}'..='\u{2027}'
        | '\u{2030}'..='\u{2043}'
        | '\u{3001}'..='\u{3003}'
        | '\u{3008}'..='\u{3011}' => false,
        _ => !character.is_whitespace(),
    }
}
