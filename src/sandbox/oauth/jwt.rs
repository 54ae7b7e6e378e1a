//! Access tokens: JWTs of the size and shape of Atlassian's, opaque to everybody else.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use hmac::{Hmac, KeyInit, Mac};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use sha2::Sha256;

use crate::sandbox::people::{Person, by_account};

#[derive(Debug, Serialize, Deserialize)]
pub struct Claims {
    pub jti: String,
    pub sub: String,
    pub aud: String,
    pub iss: String,
    pub iat: i64,
    pub nbf: i64,
    pub exp: i64,
    pub scope: String,
    pub client_id: String,
    /// Which grant it came from: it dies with it.
    pub grant: u64,
    #[serde(rename = "https://id.atlassian.com/ari")]
    pub ari: String,
    #[serde(rename = "https://id.atlassian.com/verified")]
    pub verified: bool,
    #[serde(rename = "https://id.atlassian.com/processRegion")]
    pub region: String,
    #[serde(rename = "https://id.atlassian.com/ujt")]
    pub ujt: String,
    #[serde(rename = "https://atlassian.com/systemAccountEmail")]
    pub system_email: String,
    #[serde(rename = "https://atlassian.com/emailDomain")]
    pub email_domain: String,
    #[serde(rename = "https://atlassian.com/3lo")]
    pub three_legged: bool,
    /// Fills the token up to the size of real ones.
    #[serde(rename = "https://id.atlassian.com/session")]
    pub session: String,
}

impl Claims {
    pub fn person(&self) -> Option<&'static Person> {
        by_account(&self.sub)
    }
}

/// {"alg":"HS256","typ":"JWT"}
const HEADER: &str = "eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9";

pub fn sign(key: &[u8], claims: &impl Serialize) -> String {
    let claims = URL_SAFE_NO_PAD.encode(serde_json::to_vec(claims).unwrap_or_default());
    let signed = format!("{HEADER}.{claims}");
    let signature = mac(key, &signed).map(|mac| URL_SAFE_NO_PAD.encode(mac.finalize().into_bytes()));
    format!("{signed}.{}", signature.unwrap_or_default())
}

/// The claims of a token of ours, whether or not it has expired.
pub fn open<T: DeserializeOwned>(key: &[u8], token: &str) -> Option<T> {
    let (signed, signature) = token.rsplit_once('.')?;
    mac(key, signed)?.verify_slice(&URL_SAFE_NO_PAD.decode(signature).ok()?).ok()?;
    let claims = signed.strip_prefix(HEADER)?.strip_prefix('.')?;
    serde_json::from_slice(&URL_SAFE_NO_PAD.decode(claims).ok()?).ok()
}

fn mac(key: &[u8], signed: &str) -> Option<Hmac<Sha256>> {
    Some(Hmac::new_from_slice(key).ok()?.chain_update(signed))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_is_a_jwt_and_opens_with_its_key_alone() {
        let claims = serde_json::json!({ "sub": "712020:x" });
        let token = sign(b"a key", &claims);
        assert_eq!(open(b"a key", &token), Some(claims));
        assert_eq!(open::<serde_json::Value>(b"another", &token), None);
        assert_eq!(open::<serde_json::Value>(b"a key", &token.replacen('.', ".e", 1)), None);
        assert_eq!(open::<serde_json::Value>(b"a key", "a.jwt"), None);
        let decoded = jsonwebtoken::dangerous::insecure_decode_claims::<serde_json::Value>(&token).unwrap();
        assert_eq!(decoded["sub"], "712020:x");
    }
}
