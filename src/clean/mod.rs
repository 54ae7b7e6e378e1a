//! Text from elsewhere, without what nobody sees: the only kind of text that answers are made of.
//!
//! [`Clean`] is a line, such as a title, a name or a sentence; [`CleanText`] keeps its lines, as Markdown and excerpts do.
//! Nothing but the cleaner makes either of them: what is read of an upstream answer, of a file's process or of a caller's
//! words goes through it once, and carries the type from there on. Both remember how many characters were taken out.

mod address;
mod invisible;
mod written_out;

use std::borrow::Cow;
use std::cell::Cell;
use std::fmt;
use std::ops::Deref;

use serde::de::{Error, Visitor};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use utoipa::openapi::{RefOr, Schema};
use utoipa::{PartialSchema, ToSchema};

pub use address::{push_encoded, safe_address};
pub use invisible::{belongs, is_invisible, is_plain, may_belong};

macro_rules! clean {
    ($(#[$doc:meta])* $name:ident, $breaks:expr) => {
        $(#[$doc])*
        #[derive(Clone, Default)]
        pub struct $name {
            text: String,
            removed: u32,
        }

        impl $name {
            pub fn as_str(&self) -> &str {
                &self.text
            }

            pub fn into_string(self) -> String {
                self.text
            }

            /// How many characters were taken out of it.
            pub fn removed(&self) -> u32 {
                self.removed
            }

            /// The same without spaces around it.
            #[must_use]
            pub fn trimmed(&self) -> Self {
                Self { text: self.text.trim().to_owned(), removed: self.removed }
            }

            /// The same, with what was taken out of what it was made of.
            #[must_use]
            pub fn and_removed(self, more: u32) -> Self {
                Self { removed: self.removed.saturating_add(more), ..self }
            }
        }

        impl From<&str> for $name {
            fn from(text: &str) -> Self {
                match sift(text, $breaks) {
                    Some((text, removed)) => Self { text, removed },
                    None => Self { text: text.to_owned(), removed: 0 },
                }
            }
        }

        impl From<String> for $name {
            fn from(text: String) -> Self {
                match sift(&text, $breaks) {
                    Some((text, removed)) => Self { text, removed },
                    None => Self { text, removed: 0 },
                }
            }
        }

        impl From<Cow<'_, str>> for $name {
            fn from(text: Cow<'_, str>) -> Self {
                match text {
                    Cow::Borrowed(text) => text.into(),
                    Cow::Owned(text) => text.into(),
                }
            }
        }

        impl Deref for $name {
            type Target = str;

            fn deref(&self) -> &str {
                &self.text
            }
        }

        impl PartialEq for $name {
            fn eq(&self, other: &Self) -> bool {
                self.text == other.text
            }
        }

        impl Eq for $name {}

        impl PartialEq<str> for $name {
            fn eq(&self, other: &str) -> bool {
                self.text == other
            }
        }

        impl PartialEq<&str> for $name {
            fn eq(&self, other: &&str) -> bool {
                self.text == *other
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.text)
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.text.fmt(f)
            }
        }

        impl Serialize for $name {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                REMOVED.set(REMOVED.get() + u64::from(self.removed));
                serializer.serialize_str(&self.text)
            }
        }

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                deserializer.deserialize_string(Text).map(Self::from)
            }
        }

        impl PartialSchema for $name {
            fn schema() -> RefOr<Schema> {
                String::schema()
            }
        }

        impl ToSchema for $name {}
    };
}

clean!(
    /// A line without invisible characters. Line ends and tabs are spaces.
    Clean,
    Breaks::Spaces
);
clean!(
    /// Lines without invisible characters.
    CleanText,
    Breaks::Lines
);

/// What has been cleaned, whichever of the two it is.
pub trait Cleaned: Deref<Target = str> + From<String> + Clone {
    #[must_use]
    fn with_removed_of(self, other: &Self) -> Self;
}

impl Cleaned for Clean {
    fn with_removed_of(self, other: &Self) -> Self {
        self.and_removed(other.removed)
    }
}

impl Cleaned for CleanText {
    fn with_removed_of(self, other: &Self) -> Self {
        self.and_removed(other.removed)
    }
}

impl From<Clean> for CleanText {
    fn from(line: Clean) -> Self {
        Self { text: line.text, removed: line.removed }
    }
}

/// Takes a string as it comes, without a copy where there is one already.
struct Text;

impl<'de> Visitor<'de> for Text {
    type Value = Cow<'de, str>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a string")
    }

    fn visit_borrowed_str<E: Error>(self, text: &'de str) -> Result<Self::Value, E> {
        Ok(Cow::Borrowed(text))
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<Self::Value, E> {
        Ok(Cow::Owned(text.to_owned()))
    }

    fn visit_string<E: Error>(self, text: String) -> Result<Self::Value, E> {
        Ok(Cow::Owned(text))
    }
}

thread_local! {
    static REMOVED: Cell<u64> = const { Cell::new(0) };
}

/// Serializes something, and tells how many characters were taken out of all the clean text in it.
pub fn counting_removed<T>(serialize: impl FnOnce() -> T) -> (T, u64) {
    let before = REMOVED.get();
    let written = serialize();
    (written, REMOVED.get() - before)
}

/// A text without what nobody sees in it, its lines as they are, and how many characters that were.
pub fn visible(text: &str) -> (Cow<'_, str>, u32) {
    match sift(text, Breaks::Lines) {
        Some((text, removed)) => (Cow::Owned(text), removed),
        None => (Cow::Borrowed(text), 0),
    }
}

/// What ends of lines become.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Breaks {
    Spaces,
    Lines,
}

/// What becomes of a character.
enum Fate {
    Stays,
    Becomes(char),
    /// The first half of a line end of two characters.
    Merges,
    Goes,
}

impl Breaks {
    fn fate(self, character: char, before: Option<char>, after: Option<char>) -> Fate {
        match character {
            ' '..='~' => Fate::Stays,
            '\n' | '\t' if self == Self::Lines => Fate::Stays,
            '\r' if after == Some('\n') => Fate::Merges,
            '\t'..='\r' | '\u{85}' | '\u{2028}' | '\u{2029}' => {
                Fate::Becomes(if self == Self::Lines { '\n' } else { ' ' })
            }
            _ if is_invisible(character) && !belongs(character, before, after) => Fate::Goes,
            _ => Fate::Stays,
        }
    }

    fn leaves(self, text: &str) -> bool {
        is_plain(text) && (self == Self::Lines || memchr::memchr2(b'\n', b'\t', text.as_bytes()).is_none())
    }
}

/// The text as it has to be, and how many characters are gone; nothing where it is so already.
fn sift(text: &str, breaks: Breaks) -> Option<(String, u32)> {
    if breaks.leaves(text) {
        return None;
    }
    let mut sifted: Option<String> = None;
    let (mut removed, mut before) = (0_u32, None);
    let mut characters = text.char_indices().peekable();
    while let Some((at, character)) = characters.next() {
        let after = characters.peek().map(|(_, after)| *after);
        let fate = breaks.fate(character, before, after);
        let kept = match fate {
            Fate::Stays => Some(character),
            Fate::Becomes(other) => Some(other),
            Fate::Merges => None,
            Fate::Goes => {
                removed = removed.saturating_add(1);
                None
            }
        };
        before = kept.or(before);
        if kept == Some(character) {
            if let Some(sifted) = &mut sifted {
                sifted.push(character);
            }
        } else {
            let sifted = sifted.get_or_insert_with(|| {
                let mut start = String::with_capacity(text.len());
                start.push_str(&text[..at]);
                start
            });
            sifted.extend(kept);
        }
    }
    sifted.map(|sifted| (sifted, removed))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_nobody_sees_goes_and_is_counted() {
        for hidden in [
            "\u{202e}",
            "\u{2066}",
            "\u{200b}",
            "\u{200e}",
            "\u{feff}",
            "\u{ad}",
            "\u{7}",
            "\u{7f}",
            "\u{9b}",
            "\u{34f}",
            "\u{61c}",
            "\u{115f}",
            "\u{1160}",
            "\u{17b4}",
            "\u{180e}",
            "\u{2028}b",
            "\u{2060}",
            "\u{206f}",
            "\u{2800}",
            "\u{3164}",
            "\u{fdd0}",
            "\u{fe00}",
            "\u{fe0f}",
            "\u{ffa0}",
            "\u{fff9}",
            "\u{ffff}",
            "\u{13430}",
            "\u{1bca0}",
            "\u{1d159}",
            "\u{1d173}",
            "\u{e0001}",
            "\u{e0041}",
            "\u{e0100}",
            "\u{10ffff}",
            "\u{200d}",
            "\u{200c}",
        ] {
            let clean = Clean::from(format!("a{hidden}c"));
            let expected = if hidden.ends_with('b') { ("a bc", 0) } else { ("ac", 1) };
            assert_eq!((clean.as_str(), clean.removed()), expected, "{hidden:?}");
            let again = Clean::from(clean.as_str());
            assert_eq!((again.as_str(), again.removed()), (clean.as_str(), 0), "{hidden:?}");
        }
    }

    #[test]
    fn what_belongs_to_a_text_stays() {
        for text in [
            "Ünïcödé 안녕 日本語 שלום",
            "👩\u{200d}💻 👨\u{200d}👩\u{200d}👧 🏳\u{fe0f}\u{200d}🌈 👁\u{fe0f}\u{200d}🗨\u{fe0f}",
            "1\u{fe0f}\u{20e3} #\u{fe0f}\u{20e3} ℹ\u{fe0f} ❤\u{fe0f} ☎\u{fe0e} 👍🏽",
            "می\u{200c}خواهم",
            "क्\u{200d}ष क्\u{200c}ष",
            "র\u{200d}্য",
            "⠓⠑\u{2800}⠇",
            "ᠠ\u{180b}",
            "a\u{a0}b\u{3000}c",
        ] {
            let clean = Clean::from(text);
            assert_eq!((clean.as_str(), clean.removed()), (text, 0));
        }
    }

    #[test]
    fn joiners_hide_nothing_where_they_join_nothing() {
        for (text, expected) in [
            ("é\u{200d}\u{200c}x", "éx"),
            ("п\u{200d}р", "пр"),
            ("日\u{fe0f}本", "日本"),
            ("👩\u{200d}x", "👩x"),
            ("👩\u{200d}\u{200d}💻", "👩\u{200d}💻"),
            ("👩\u{fe0f}\u{fe0e}\u{fe0f}", "👩\u{fe0f}"),
            ("7\u{fe0f}", "7"),
            ("می\u{200c}\u{200c}\u{200d}خ", "می\u{200c}خ"),
            ("👍\u{e0067}\u{e007f}", "👍"),
        ] {
            assert_eq!(Clean::from(text), expected, "{text:?}");
        }
    }

    #[test]
    fn a_line_has_no_ends_of_lines_and_text_has_plain_ones() {
        assert_eq!(Clean::from("a\nb\tc\r\nd\re\u{2029}f"), "a b c d e f");
        let text = CleanText::from("a\nb\tc\r\nd\re\u{2029}f\u{200b}");
        assert_eq!((text.as_str(), text.removed()), ("a\nb\tc\nd\ne\nf", 1));
    }

    #[test]
    fn what_is_read_is_cleaned_and_what_is_written_is_counted() {
        let read: Vec<Clean> = serde_json::from_str(r#"["a\u202eb", "c"]"#).unwrap();
        assert_eq!(read, ["ab", "c"]);
        let (written, removed) = counting_removed(|| serde_json::to_string(&read).unwrap());
        assert_eq!((written.as_str(), removed), (r#"["ab","c"]"#, 1));
    }
}
