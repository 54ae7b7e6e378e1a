//! Whose access token it is.

use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;

use crate::seal::fingerprint;

/// Stands for one person, whichever of their tokens is sent: what a fair share is measured by. A hint and no proof; nothing
/// that one person may see and another may not hangs on it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Account([u8; 32]);

impl Account {
    pub fn of(token: &SecretString) -> Self {
        match account_id(token) {
            Some(id) => Self(fingerprint(&format!("account {id}"))),
            None => Self(fingerprint(token.expose_secret())),
        }
    }

    /// Of whoever holds this secret.
    pub fn of_holder(secret: &[u8]) -> Self {
        Self(crate::seal::fingerprint_bytes(secret))
    }
}

#[derive(Deserialize)]
struct Claims {
    sub: String,
}

/// The account id that Atlassian's token names, unverified: good enough to tell people apart.
pub fn account_id(token: &SecretString) -> Option<String> {
    let claims = jsonwebtoken::dangerous::insecure_decode_claims::<Claims>(token.expose_secret());
    claims.ok().map(|claims| claims.sub)
}
