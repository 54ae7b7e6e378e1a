//! Ids and keys, parsed at the border: what is inside can be put into a path, a query or CQL as it stands.

use std::fmt;
use std::marker::PhantomData;
use std::str::FromStr;

use serde::de::{Error, Visitor};
use serde::{Deserialize, Deserializer, Serialize};

use crate::clean::Clean;

/// A text that is not what it should be.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not {0}")]
pub struct ParseError(&'static str);

macro_rules! id {
    ($(#[$doc:meta])* $name:ident, $accepts:path, $what:literal) => {
        $(#[$doc])*
        #[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
        #[serde(transparent)]
        pub struct $name(String);

        impl $name {
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl FromStr for $name {
            type Err = ParseError;

            fn from_str(text: &str) -> Result<Self, ParseError> {
                if $accepts(text) { Ok(Self(text.to_owned())) } else { Err(ParseError($what)) }
            }
        }

        impl From<&$name> for Clean {
            fn from(id: &$name) -> Self {
                id.as_str().into()
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                deserializer.deserialize_any(Text(PhantomData))
            }
        }
    };
}

id!(
    /// The id of a page, blog post or other content: 1 to 18 digits.
    ContentId,
    is_digits,
    "an id of 1 to 18 digits"
);
id!(
    /// The id of an attachment: 1 to 18 digits, with or without `att` before them.
    AttachmentId,
    is_attachment_id,
    "an attachment's id, such as att1610505"
);
id!(
    /// The id of a space: 1 to 18 digits.
    SpaceId,
    is_digits,
    "a space id of 1 to 18 digits"
);
id!(
    /// A space key: letters, digits and `. _ : -`, at most 255; a personal one begins with `~`.
    SpaceKey,
    is_space_key,
    "a space key such as ENG or ~712020abc"
);
id!(
    /// An Atlassian account id: letters, digits and `: - _ .`, at most 128.
    AccountId,
    is_account_id,
    "an account id"
);

impl AttachmentId {
    /// Whether both name one attachment, with or without `att`.
    pub fn is_same(&self, other: &Self) -> bool {
        let number = |id: &Self| id.0.strip_prefix("att").unwrap_or(&id.0).to_owned();
        number(self) == number(other)
    }
}

/// Reads an id from a string, or from the bare number that v1 sends.
struct Text<T>(PhantomData<T>);

impl<T: FromStr<Err = ParseError>> Visitor<'_> for Text<T> {
    type Value = T;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a string or a number")
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<T, E> {
        text.parse().map_err(E::custom)
    }

    fn visit_u64<E: Error>(self, number: u64) -> Result<T, E> {
        self.visit_str(&number.to_string())
    }
}

/// Confluence counts in 64 bits, and calls a larger number malformed rather than missing.
fn is_digits(text: &str) -> bool {
    (1..=18).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_digit())
}

fn is_attachment_id(text: &str) -> bool {
    is_digits(text.strip_prefix("att").unwrap_or(text))
}

fn is_space_key(text: &str) -> bool {
    let bare = text.strip_prefix('~').unwrap_or(text);
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'_' | b':' | b'-');
    (1..=255).contains(&bare.len()) && bare.bytes().all(plain)
}

fn is_account_id(text: &str) -> bool {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'_' | b':' | b'-');
    (1..=128).contains(&text.len()) && text.bytes().all(plain)
}
