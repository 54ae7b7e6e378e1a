//! JSON of others, of which what can be read is read.

use std::borrow::Cow;

use serde::{Deserialize, Deserializer};
use serde_json::value::RawValue;

/// A value, or nothing where it has another shape: one row that cannot be read spoils no list. Only of JSON text.
pub struct Lenient<T>(pub Option<T>);

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Lenient<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = <&RawValue>::deserialize(deserializer)?;
        Ok(Self(serde_json::from_str(text.get()).ok()))
    }
}

/// JSON in which every escape names a character. Half of a pair, as a text has it that was cut inside of a character, would
/// spoil the whole answer; it becomes the character that stands for what cannot be shown.
pub fn whole_characters(json: Cow<'_, str>) -> Cow<'_, str> {
    const ESCAPE: &[u8] = b"\\u";
    let bytes = json.as_bytes();
    let mut whole: Option<String> = None;
    let (mut from, mut at) = (0, 0);
    while let Some(found) = memchr::memmem::find(&bytes[at..], ESCAPE).map(|found| at + found) {
        let backslashes = bytes[from..found].iter().rev().take_while(|byte| **byte == b'\\').count();
        at = found + ESCAPE.len();
        if backslashes % 2 == 1 {
            continue;
        }
        let half = match (code_unit(&json[found..]), json.get(found + 6..).and_then(code_unit)) {
            (Some(0xd800..=0xdbff), Some(0xdc00..=0xdfff)) => {
                at = found + 12;
                false
            }
            (Some(0xd800..=0xdfff), _) => true,
            _ => false,
        };
        if half {
            let whole = whole.get_or_insert_with(String::new);
            whole.extend([&json[from..found], "\\ufffd"]);
            (from, at) = (found + 6, found + 6);
        }
    }
    match whole {
        Some(whole) => Cow::Owned(whole + &json[from..]),
        None => json,
    }
}

/// The number in an escape that a text starts with.
fn code_unit(text: &str) -> Option<u16> {
    u16::from_str_radix(text.strip_prefix("\\u")?.get(..4)?, 16).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_has_another_shape_is_nothing_and_the_rest_is_read() {
        let list: Vec<Lenient<u8>> =
            serde_json::from_str(r#"[1, "two", {"three": [3]}, 4, 500, null]"#).unwrap();
        let read: Vec<u8> = list.into_iter().filter_map(|item| item.0).collect();
        assert_eq!(read, [1, 4]);
    }

    #[test]
    fn half_of_a_character_spoils_nothing() {
        for (json, whole) in [
            (r#"["a\ud83d", "b"]"#, r#"["a\ufffd", "b"]"#),
            (r#"["\udc69\ud83d\ud83d\udc69"]"#, r#"["\ufffd\ufffd\ud83d\udc69"]"#),
            (r#"["\\ud83d \u00e4 \ud83"]"#, r#"["\\ud83d \u00e4 \ud83"]"#),
            (r#"["\\\ud83dx"]"#, r#"["\\\ufffdx"]"#),
        ] {
            assert_eq!(whole_characters(json.into()), whole);
        }
        let read: Vec<String> = serde_json::from_str(&whole_characters(r#"["a\ud83d"]"#.into())).unwrap();
        assert_eq!(read, ["a\u{fffd}"]);
    }

    #[test]
    fn what_is_no_json_is_still_an_error() {
        assert!(serde_json::from_str::<Vec<Lenient<u8>>>("[1, {]").is_err());
    }
}
