//! Atlassian's access token of one person.

use std::sync::Arc;

use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;

use super::Account;
use crate::seal::fingerprint;

/// An access token, and what is known of it. A clone is another handle to the same.
#[derive(Clone)]
pub struct AccessToken(Arc<Known>);

struct Known {
    secret: SecretString,
    fingerprint: [u8; 32],
    account_id: Option<String>,
    account: Account,
}

impl AccessToken {
    pub fn new(token: String) -> Self {
        let account_id = account_id(&token);
        let fingerprint = fingerprint(&token);
        let account = Account::of(account_id.as_deref(), fingerprint);
        Self(Arc::new(Known { secret: token.into(), fingerprint, account_id, account }))
    }

    /// The token itself.
    pub fn expose(&self) -> &str {
        self.0.secret.expose_secret()
    }

    /// Its SHA-256: what stands for it wherever something is remembered.
    pub fn fingerprint(&self) -> &[u8; 32] {
        &self.0.fingerprint
    }

    /// The account id that it names, unverified: good enough to tell people apart.
    pub fn account_id(&self) -> Option<&str> {
        self.0.account_id.as_deref()
    }

    /// Whose share of points and places is used.
    pub fn account(&self) -> Account {
        self.0.account
    }
}

#[derive(Deserialize)]
struct Claims {
    sub: String,
}

fn account_id(token: &str) -> Option<String> {
    let claims = jsonwebtoken::dangerous::insecure_decode_claims::<Claims>(token);
    claims.ok().map(|claims| claims.sub)
}
