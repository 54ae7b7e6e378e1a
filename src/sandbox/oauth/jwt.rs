//! Access tokens: JWTs of the size and shape of Atlassian's, opaque to everybody else.

use jsonwebtoken::{Algorithm, DecodingKey, EncodingKey, Header, Validation, decode, encode};
use serde::{Deserialize, Serialize};

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

pub fn sign(key: &[u8], claims: &Claims) -> String {
    encode(&Header::new(Algorithm::HS256), claims, &EncodingKey::from_secret(key)).unwrap_or_default()
}

/// The claims of a token of ours, whether or not it has expired.
pub fn open(key: &[u8], token: &str) -> Option<Claims> {
    let mut validation = Validation::new(Algorithm::HS256);
    validation.validate_exp = false;
    validation.validate_nbf = false;
    validation.validate_aud = false;
    validation.required_spec_claims.clear();
    decode(token, &DecodingKey::from_secret(key), &validation).ok().map(|data| data.claims)
}
