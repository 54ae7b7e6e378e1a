//! JSON of others, of which what can be read is read.

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
    fn what_is_no_json_is_still_an_error() {
        assert!(serde_json::from_str::<Vec<Lenient<u8>>>("[1, {]").is_err());
    }
}
