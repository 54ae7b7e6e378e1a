//! Which characters of a text would be read as Markdown where they stand, and which ones nobody can see.

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
    let specials = b"\\`*_[]<>&~|#+-=!.)";
    let suspects = [0x7f, 0xc2, 0xcd, 0xd8, 0xe1, 0xe2, 0xe3, 0xef, 0xf3];
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

/// Where a special character stands. Bytes suffice: whatever is not ASCII counts as a letter or is harmless.
#[derive(Clone, Copy)]
#[allow(clippy::struct_excessive_bools)]
pub(super) struct Place<'a> {
    /// The byte before; a space at the start of a line.
    pub(super) before: u8,
    /// The text from the character on.
    pub(super) rest: &'a [u8],
    pub(super) line_start: bool,
    pub(super) in_cell: bool,
    pub(super) in_link: bool,
    pub(super) in_strike: bool,
}

/// Whether the character at `place` needs a backslash to read as itself.
pub(super) fn needs_escape(place: Place<'_>) -> bool {
    let next = place.rest.get(1).copied();
    let space_before = place.before.is_ascii_whitespace();
    let space_after = next.is_some_and(|byte| byte.is_ascii_whitespace());
    match place.rest[0] {
        b'\\' => !next.is_some_and(is_word),
        b'`' => true,
        b'*' => {
            place.line_start
                || !(space_before && space_after && place.rest.get(2).copied().is_some_and(is_word))
        }
        b'_' => {
            let inside_word = is_word(place.before) && next.is_some_and(is_word);
            place.line_start || !(space_before || inside_word)
        }
        b'[' => {
            place.in_link
                || matches!(next, Some(b'!' | b'^'))
                || (place.line_start && matches!(place.rest, [_, b' ' | b'x' | b'X', b']', ..]))
        }
        b']' => place.in_link || matches!(next, Some(b'(' | b'[' | b':')),
        b'<' => next.is_none_or(|byte| byte.is_ascii_alphabetic() || matches!(byte, b'/' | b'!' | b'?')),
        b'&' => is_reference(place.rest),
        b'~' => place.line_start || place.in_strike || !space_before,
        b'|' => place.in_cell,
        b'>' | b'=' => place.line_start,
        b'#' => {
            place.line_start && is_marker(place.rest, place.rest.iter().take_while(|b| **b == b'#').count())
        }
        b'+' => place.line_start && is_marker(place.rest, 1),
        b'-' => place.line_start && (next == Some(b'-') || is_marker(place.rest, 1)),
        _ => false,
    }
}

/// A marker of `length` bytes counts where a space or nothing follows it.
fn is_marker(rest: &[u8], length: usize) -> bool {
    rest.get(length).is_none_or(u8::is_ascii_whitespace)
}

/// Whether a text that starts a line would start a numbered list; the offset of its dot.
pub(super) fn list_number(text: &[u8]) -> Option<usize> {
    let digits = text.iter().take(10).take_while(|byte| byte.is_ascii_digit()).count();
    let dot = matches!(text.get(digits), Some(b'.' | b')'));
    ((1..=9).contains(&digits) && dot && is_marker(text, digits + 1)).then_some(digits)
}

fn is_word(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte >= 0x80
}

fn is_reference(rest: &[u8]) -> bool {
    let body =
        rest[1..].iter().take(33).take_while(|byte| byte.is_ascii_alphanumeric() || **byte == b'#').count();
    match rest.get(body + 1) {
        Some(b';') => body > 0,
        Some(_) => false,
        None => true,
    }
}

/// Characters that people do not see and a model does: controls, zero-width and bidirectional marks, tags, fillers.
/// Joiners are decided by what surrounds them (see `is_joiner`).
pub(super) fn is_invisible(character: char) -> bool {
    matches!(character,
        '\0'..='\u{8}' | '\u{b}' | '\u{e}'..='\u{1f}' | '\u{7f}'..='\u{9f}' | '\u{ad}' | '\u{34f}' | '\u{61c}'
        | '\u{115f}' | '\u{1160}' | '\u{17b4}' | '\u{17b5}' | '\u{180b}'..='\u{180f}'
        | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{3164}'
        | '\u{fe00}'..='\u{fe0f}' | '\u{feff}' | '\u{ffa0}' | '\u{fff0}'..='\u{fffb}'
        | '\u{e0000}'..='\u{e0fff}')
}

/// Whether a text is of printable ASCII and line ends alone, as most are: quicker to tell than what is invisible.
pub(super) fn is_plain(text: &str) -> bool {
    text.bytes().fold(true, |plain, byte| plain & matches!(byte, b'\t' | b'\n' | b' '..=b'~'))
}

/// Joiners and emoji variation selectors belong to the text when they follow a character that they can change.
pub(super) fn is_joiner(character: char, before: Option<char>) -> bool {
    let changeable =
        before.is_some_and(|before| before >= '\u{a9}' && !is_invisible(before) || before == '\u{fe0f}');
    match character {
        '\u{200c}' | '\u{200d}' => changeable,
        '\u{fe0f}' | '\u{fe0e}' => before.is_some_and(|before| {
            before >= '\u{a9}' && !is_invisible(before) || matches!(before, '0'..='9' | '#' | '*')
        }),
        _ => false,
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
        _ => character.is_alphanumeric(),
    }
}

/// Whether Markdown takes `character` for punctuation when it decides what an asterisk does.
pub(super) fn is_punctuation(character: char) -> bool {
    !is_word_character(character) && !character.is_whitespace()
}
