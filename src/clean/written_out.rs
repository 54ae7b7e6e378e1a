//! Text that holds text: JSON in a string, or markup, where a character may stand written out as `\u202e` or `&#x202e;`.

use std::borrow::Cow;

use super::{Breaks, CleanText, Fate};

/// The longest character reference that is looked at, in bytes. The longest name of an invisible character has 24.
const LONGEST_REFERENCE: usize = 32;

/// How often a text is looked through again, as what was taken out may have stood between the halves of another one.
const ROUNDS: usize = 3;

impl CleanText {
    /// The same of text in which characters may be written out. Those that nobody would see go as well.
    pub fn of_source(text: &str) -> Self {
        let mut clean = Self::from(text);
        for round in 0..=ROUNDS {
            if memchr::memchr2(b'\\', b'&', clean.as_bytes()).is_none() {
                break;
            }
            // In the end something visible takes their places, so that nothing new comes together.
            let instead = (round == ROUNDS).then_some(char::REPLACEMENT_CHARACTER);
            let (sifted, removed) = sift_units(&clean, instead);
            clean = Self::from(sifted).and_removed(clean.removed).and_removed(removed);
            if removed == 0 {
                break;
            }
        }
        clean
    }
}

fn sift_units(text: &str, instead: Option<char>) -> (String, u32) {
    let mut sifted = String::with_capacity(text.len());
    let (mut removed, mut before, mut at) = (0, None, 0);
    let mut unit = Unit::at(text, 0);
    while let Some(Unit { character, length }) = unit {
        let next = Unit::at(text, at + length);
        let after = next.as_ref().map(|next| next.character);
        let is_itself = length == character.len_utf8();
        match Breaks::Lines.fate(character, before, after) {
            Fate::Goes => {
                removed += 1;
                sifted.extend(instead);
            }
            // Where a line end is written out, one as it is would break the text inside.
            Fate::Becomes(_) if !is_itself && character > '~' => sifted.push(' '),
            _ => {
                before = Some(character);
                sifted.push_str(&text[at..at + length]);
            }
        }
        at += length;
        unit = next;
    }
    (sifted, removed)
}

/// A character, as it is or written out.
struct Unit {
    character: char,
    /// Of what is written, in bytes.
    length: usize,
}

impl Unit {
    fn at(text: &str, at: usize) -> Option<Self> {
        let rest = &text[at..];
        let character = rest.chars().next()?;
        let written_out = match character {
            '\\' => escaped(rest),
            '&' => referenced(rest),
            _ => None,
        };
        Some(written_out.unwrap_or(Self { character, length: character.len_utf8() }))
    }
}

/// `\u202e`, or two of them that make one character; with more backslashes where text is nested deeper. Half of a pair is
/// no character.
fn escaped(text: &str) -> Option<Unit> {
    const NONE: char = '\u{ffff}';
    let (first, length) = code_unit(text)?;
    if !(0xd800..0xe000).contains(&first) {
        return Some(Unit { character: char::from_u32(u32::from(first))?, length });
    }
    let second = code_unit(&text[length..]);
    let pair = second.and_then(|(second, more)| {
        let character = char::decode_utf16([first, second]).next()?.ok()?;
        Some(Unit { character, length: length + more })
    });
    Some(pair.unwrap_or(Unit { character: NONE, length }))
}

fn code_unit(text: &str) -> Option<(u16, usize)> {
    let backslashes = text.bytes().take_while(|byte| *byte == b'\\').count();
    let digits = text[backslashes..].strip_prefix('u')?.get(..4)?;
    let plain = backslashes > 0 && digits.bytes().all(|byte| byte.is_ascii_hexdigit());
    Some((u16::from_str_radix(digits, 16).ok().filter(|_| plain)?, backslashes + 5))
}

/// A character reference of HTML, by number or by name; `&amp;#x202e;` as well, as nested markup has it.
fn referenced(text: &str) -> Option<Unit> {
    let end = text.bytes().take(LONGEST_REFERENCE).position(|byte| byte == b';')?;
    if text[1..end].starts_with("amp") && end == 4 {
        let inner = format!("&{}", &text[5..].chars().take(LONGEST_REFERENCE).collect::<String>());
        return referenced(&inner).map(|unit| Unit { length: unit.length + 4, ..unit });
    }
    let Cow::Owned(resolved) = htmlize::unescape(&text[..=end]) else { return None };
    let mut characters = resolved.chars();
    match (characters.next(), characters.next()) {
        (Some(character), None) => Some(Unit { character, length: end + 1 }),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_out_goes_as_well() {
        for (source, expected, removed) in [
            (r#"{"text":"a\u202eb\\u200bc"}"#, r#"{"text":"abc"}"#, 2),
            (r"\udb40\udc41x\\udb40\\udc41", "x", 2),
            (r"half \ud83d of a pair", "half  of a pair", 1),
            (r"\ud83d\udc69\u200d\ud83d\udcbb \u200d", r"\ud83d\udc69\u200d\ud83d\udcbb ", 1),
            ("a&#x202e;b&#8238;c&shy;d&ZeroWidthSpace;e&amp;#8203;f&#xE0041;", "abcdef", 6),
            (
                "&lt;p&gt;&amp;&nbsp;&auml;&#8364; AT&T; \\n \\u00e4",
                "&lt;p&gt;&amp;&nbsp;&auml;&#8364; AT&T; \\n \\u00e4",
                0,
            ),
            (r"a\u2028b", "a b", 0),
            (r"\u20\u200b2e", "", 2),
            ("a\u{202e}b", "ab", 1),
        ] {
            let clean = CleanText::of_source(source);
            assert_eq!((clean.as_str(), clean.removed()), (expected, removed), "{source}");
        }
    }
}
