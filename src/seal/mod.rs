//! Sealed strings: everything the gateway must remember travels in one, so that the process keeps nothing.
//!
//! A sealed string is a PASETO v4.local token (`XChaCha20` and keyed `BLAKE2b`, encrypt then authenticate). Its implicit
//! assertion is the payload's purpose, so that no sealed string opens as another kind. The first key of the ring seals, all open.

pub mod payloads;

use std::sync::Arc;

use hkdf::Hkdf;
use hmac::{Hmac, KeyInit, Mac};
use pasetors::Local;
use pasetors::keys::SymmetricKey;
use pasetors::token::UntrustedToken;
use pasetors::version4::{LocalToken, V4};
use secrecy::{ExposeSecret, SecretString};
use serde::Serialize;
use serde::de::DeserializeOwned;
use sha2::{Digest, Sha256};
use zeroize::Zeroizing;

use crate::clock::Clock;
use crate::config::parse_secret;

/// The longest sealed string that is looked at, in bytes. Atlassian's access tokens are at most 4 KB.
const MAX_LEN: usize = 24 * 1024;

/// Something that travels sealed.
pub trait Payload: Serialize + DeserializeOwned {
    /// What the string is for. A string sealed for one purpose does not open for another.
    const PURPOSE: &'static str;

    /// When it stops being valid, in seconds since the Unix epoch.
    fn expires_at(&self) -> i64;
}

/// Why a sealed string does not open.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum OpenError {
    /// Not ours: tampered with, cut, for another purpose, or sealed with a key that is not in the ring.
    #[error("not a sealed string of this gateway for this purpose")]
    Foreign,
    #[error("expired")]
    Expired,
}

/// Why something cannot be sealed. There is nothing to send then, and nothing is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SealError {
    #[error("it cannot be written as JSON")]
    Unwritable,
    #[error("it would be longer than what can be opened again")]
    TooLong,
    /// The system has no randomness.
    #[error("it could not be encrypted")]
    NotEncrypted,
}

/// Seals and opens, with a ring of keys. A clone is another handle to the same.
#[derive(Clone)]
pub struct Sealer(Arc<Keys>);

struct Keys {
    ring: Vec<SymmetricKey<V4>>,
    /// What pseudonyms are made with.
    pseudonyms: Hmac<Sha256>,
    clock: Clock,
}

impl Sealer {
    /// `secrets` are the keys of `CAUSEWAY_SECRET`, parsed and not empty.
    pub fn new(secrets: &[SecretString], clock: Clock) -> Result<Self, String> {
        let ring: Vec<_> = secrets.iter().map(key).collect::<Result<_, _>>()?;
        let first = secrets.first().ok_or("no sealing key")?;
        let pseudonyms = Hmac::new_from_slice(&*derive(first, b"causeway pseudonyms, version 1")?);
        let pseudonyms = pseudonyms.map_err(|error| error.to_string())?;
        Ok(Self(Arc::new(Keys { ring, pseudonyms, clock })))
    }

    /// Seals `payload` with the first key: URL-safe text of at most 24 KiB.
    pub fn seal<P: Payload>(&self, payload: &P) -> Result<String, SealError> {
        let message = Zeroizing::new(serde_json::to_vec(payload).map_err(|_| SealError::Unwritable)?);
        let purpose = Some(P::PURPOSE.as_bytes());
        let sealed = LocalToken::encrypt(&self.0.ring[0], &message, None, purpose)
            .map_err(|_| SealError::NotEncrypted)?;
        if sealed.len() > MAX_LEN { Err(SealError::TooLong) } else { Ok(sealed) }
    }

    /// A stable stand-in for a text, which only the holder of the first key can make: 16 hexadecimal digits.
    pub fn pseudonym(&self, text: &str) -> String {
        let mut mac = self.0.pseudonyms.clone();
        mac.update(text.as_bytes());
        let digest = mac.finalize().into_bytes();
        let first = digest.iter().take(8).fold(0_u64, |number, byte| number << 8 | u64::from(*byte));
        format!("{first:016x}")
    }

    /// Opens a string sealed for `P` by any key of the ring, if it has not expired.
    pub fn open<P: Payload>(&self, sealed: &str) -> Result<P, OpenError> {
        if sealed.len() > MAX_LEN {
            return Err(OpenError::Foreign);
        }
        let token = UntrustedToken::<Local, V4>::try_from(sealed).map_err(|_| OpenError::Foreign)?;
        let opened = self
            .0
            .ring
            .iter()
            .find_map(|key| LocalToken::decrypt(key, &token, None, Some(P::PURPOSE.as_bytes())).ok())
            .ok_or(OpenError::Foreign)?;
        let payload: P = serde_json::from_str(opened.payload()).map_err(|_| OpenError::Foreign)?;
        if payload.expires_at() <= self.0.clock.unix() { Err(OpenError::Expired) } else { Ok(payload) }
    }
}

/// The SHA-256 of a text: what caches are keyed by, and what stands for a secret where the secret itself may not.
pub fn fingerprint(text: &str) -> [u8; 32] {
    fingerprint_bytes(text.as_bytes())
}

/// The same of any bytes.
pub fn fingerprint_bytes(bytes: &[u8]) -> [u8; 32] {
    Sha256::digest(bytes).into()
}

fn key(secret: &SecretString) -> Result<SymmetricKey<V4>, String> {
    let derived = derive(secret, b"causeway sealed strings, version 1")?;
    SymmetricKey::from(&*derived).map_err(|error| format!("{error:?}"))
}

/// Key material is wiped wherever it is let go; so is what `Hkdf`, `Hmac` and `SymmetricKey` keep of it.
fn derive(secret: &SecretString, purpose: &[u8]) -> Result<Zeroizing<[u8; 32]>, String> {
    let bytes = parse_secret(secret.expose_secret())?;
    let mut derived = Zeroizing::new([0; 32]);
    let expanded = Hkdf::<Sha256>::new(None, &bytes).expand(purpose, &mut *derived);
    expanded.map(|()| derived).map_err(|error| error.to_string())
}

/// A key for one test: none may stand in the repository, since a gateway would start with it.
#[cfg(test)]
pub fn random_key() -> String {
    use base64::Engine as _;
    base64::engine::general_purpose::STANDARD.encode(rand::random::<[u8; 32]>())
}

#[cfg(test)]
mod tests {
    use std::sync::LazyLock;
    use std::time::Duration;

    use base64::Engine as _;
    use base64::engine::general_purpose::STANDARD;
    use serde::Deserialize;

    use super::*;

    #[derive(Serialize, Deserialize, Debug, PartialEq)]
    struct Note(i64);

    impl Payload for Note {
        const PURPOSE: &'static str = "note";
        fn expires_at(&self) -> i64 {
            self.0
        }
    }

    #[derive(Serialize, Deserialize, Debug)]
    struct Other(i64);

    impl Payload for Other {
        const PURPOSE: &'static str = "other";
        fn expires_at(&self) -> i64 {
            self.0
        }
    }

    fn secret(seed: u8) -> SecretString {
        static OF_THIS_RUN: LazyLock<[u8; 32]> = LazyLock::new(rand::random);
        STANDARD.encode(Sha256::new().chain_update(*OF_THIS_RUN).chain_update([seed]).finalize()).into()
    }

    fn sealer(seeds: &[u8], clock: &Clock) -> Sealer {
        let secrets: Vec<_> = seeds.iter().map(|seed| secret(*seed)).collect();
        Sealer::new(&secrets, clock.clone()).unwrap()
    }

    #[test]
    fn a_sealed_string_opens_until_it_expires_and_for_its_purpose_only() {
        let clock = Clock::manual("2026-11-21T09:00:00Z".parse().unwrap());
        let sealer = sealer(&[1], &clock);
        let text = sealer.seal(&Note(clock.unix() + 60)).unwrap();
        assert_eq!(sealer.open::<Note>(&text), Ok(Note(clock.unix() + 60)));
        assert_eq!(sealer.open::<Other>(&text).unwrap_err(), OpenError::Foreign);
        clock.advance(Duration::from_secs(60));
        assert_eq!(sealer.open::<Note>(&text).unwrap_err(), OpenError::Expired);
    }

    #[test]
    fn every_key_of_the_ring_opens_and_a_dropped_one_does_not() {
        let clock = Clock::manual("2026-11-21T09:00:00Z".parse().unwrap());
        let text = sealer(&[1], &clock).seal(&Note(clock.unix() + 60)).unwrap();
        assert!(sealer(&[2, 1], &clock).open::<Note>(&text).is_ok());
        assert_eq!(sealer(&[2], &clock).open::<Note>(&text), Err(OpenError::Foreign));
    }

    #[test]
    fn a_changed_or_cut_string_does_not_open() {
        let clock = Clock::manual("2026-11-21T09:00:00Z".parse().unwrap());
        let sealer = sealer(&[1], &clock);
        let text = sealer.seal(&Note(clock.unix() + 60)).unwrap();
        for at in "v4.local.".len()..text.len() {
            assert!(sealer.open::<Note>(&text[..at]).is_err());
            let mut changed = text.clone().into_bytes();
            changed[at] = if changed[at] == b'A' { b'B' } else { b'A' };
            // The last character holds bits that do not count; base64 refuses them when set.
            assert!(sealer.open::<Note>(&String::from_utf8(changed).unwrap()).is_err());
        }
    }

    #[derive(Deserialize, Debug)]
    struct Unwritable;

    impl Serialize for Unwritable {
        fn serialize<S: serde::Serializer>(&self, _: S) -> Result<S::Ok, S::Error> {
            Err(serde::ser::Error::custom("injected"))
        }
    }

    impl Payload for Unwritable {
        const PURPOSE: &'static str = "unwritable";
        fn expires_at(&self) -> i64 {
            0
        }
    }

    #[derive(Serialize, Deserialize, Debug)]
    struct Long(String);

    impl Payload for Long {
        const PURPOSE: &'static str = "long";
        fn expires_at(&self) -> i64 {
            i64::MAX
        }
    }

    #[test]
    fn what_cannot_be_sealed_or_opened_again_is_an_error_and_never_an_empty_string() {
        let clock = Clock::manual("2026-11-21T09:00:00Z".parse().unwrap());
        let sealer = sealer(&[1], &clock);
        assert_eq!(sealer.seal(&Unwritable), Err(SealError::Unwritable));
        assert_eq!(sealer.seal(&Long("x".repeat(MAX_LEN))), Err(SealError::TooLong));
        for length in [0, 17_000, 18_000] {
            let text = sealer.seal(&Long("x".repeat(length))).unwrap();
            assert_eq!(sealer.open::<Long>(&text).unwrap().0.len(), length);
        }
    }
}
