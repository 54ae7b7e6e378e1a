//! Query strings and form bodies, read strictly: a repeated parameter, a line break or NUL, broken UTF-8 or too long a
//! value is remembered as a fault of that parameter, so that the caller can say how it is reported.

use std::collections::BTreeMap;

use percent_encoding::percent_decode;

use super::error::{Code, OauthError};

/// The longest query string or form that is read, in bytes. A refresh token is at most 24 KiB.
pub const MAX_LEN: usize = 64 * 1024;

/// Decoded parameters by name. One that is empty counts as absent (RFC 6749 §3.1).
pub struct Params(BTreeMap<String, Result<String, Fault>>);

/// What is wrong with a parameter.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    Repeated,
    ControlCharacter,
    NotUtf8,
    TooLong,
}

impl From<Fault> for OauthError {
    fn from(fault: Fault) -> Self {
        Self::new(
            Code::InvalidRequest,
            match fault {
                Fault::Repeated => "A parameter is repeated.",
                Fault::ControlCharacter => "A parameter holds a line break or a NUL.",
                Fault::NotUtf8 => "A parameter is not UTF-8.",
                Fault::TooLong => "The request is too long.",
            },
        )
    }
}

impl Params {
    /// Reads `application/x-www-form-urlencoded` text.
    pub fn parse(raw: &[u8]) -> Self {
        let mut params = BTreeMap::new();
        if raw.len() > MAX_LEN {
            params.insert(String::new(), Err(Fault::TooLong));
            return Self(params);
        }
        for pair in raw.split(|byte| *byte == b'&').filter(|pair| !pair.is_empty()) {
            let at = pair.iter().position(|byte| *byte == b'=').unwrap_or(pair.len());
            let value = decode(pair.get(at + 1..).unwrap_or_default());
            let (name, value) = match decode(&pair[..at]) {
                Ok(name) => (name, value),
                Err(fault) => (String::new(), Err(fault)),
            };
            params.entry(name).and_modify(|seen| *seen = Err(Fault::Repeated)).or_insert(value);
        }
        Self(params)
    }

    /// The value of a parameter, if there is one that is not empty.
    pub fn get(&self, name: &str) -> Result<Option<&str>, Fault> {
        match self.0.get(name) {
            None => Ok(None),
            Some(Ok(value)) => Ok(Some(value.as_str()).filter(|value| !value.is_empty())),
            Some(Err(fault)) => Err(*fault),
        }
    }

    /// The value of a parameter that has to be there.
    pub fn require(&self, name: &str, missing: &'static str) -> Result<&str, OauthError> {
        self.get(name)?.ok_or(OauthError::new(Code::InvalidRequest, missing))
    }

    /// The first fault of any parameter, known or not.
    pub fn faultless(&self) -> Result<(), Fault> {
        self.0.values().find_map(|value| value.as_ref().err()).map_or(Ok(()), |fault| Err(*fault))
    }
}

fn decode(text: &[u8]) -> Result<String, Fault> {
    let spaced: Vec<u8> = text.iter().map(|byte| if *byte == b'+' { b' ' } else { *byte }).collect();
    let decoded = percent_decode(&spaced).decode_utf8().map_err(|_| Fault::NotUtf8)?;
    if decoded.contains(['\r', '\n', '\0']) { Err(Fault::ControlCharacter) } else { Ok(decoded.into_owned()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn state(raw: &str) -> Result<Option<String>, Fault> {
        Params::parse(raw.as_bytes()).get("state").map(|value| value.map(str::to_owned))
    }

    #[test]
    fn values_are_decoded_as_forms_are() {
        assert_eq!(state("a=1&state=x+y%20z%26%3D%C3%A9&b"), Ok(Some("x y z&=é".to_owned())));
        assert_eq!(state("state=a=b"), Ok(Some("a=b".to_owned())));
        assert_eq!(state("state="), Ok(None));
        assert_eq!(state(""), Ok(None));
    }

    #[test]
    fn what_is_ambiguous_or_dangerous_is_a_fault_of_that_parameter_alone() {
        assert_eq!(state("state=a&state=a"), Err(Fault::Repeated));
        assert_eq!(state("state=a&stat%65=b"), Err(Fault::Repeated));
        assert_eq!(state("state=a%0d%0aSet-Cookie:x"), Err(Fault::ControlCharacter));
        assert_eq!(state("state=a%00"), Err(Fault::ControlCharacter));
        assert_eq!(state("state=%ff"), Err(Fault::NotUtf8));
        let params = Params::parse(b"state=a&other=%0a");
        assert_eq!(params.get("state"), Ok(Some("a")));
        assert_eq!(params.faultless(), Err(Fault::ControlCharacter));
        assert_eq!(Params::parse(b"%ff=1").faultless(), Err(Fault::NotUtf8));
        assert_eq!(Params::parse(&vec![b'a'; MAX_LEN + 1]).faultless(), Err(Fault::TooLong));
    }
}
