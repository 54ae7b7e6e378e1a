//! Whose share of what everybody shares.

use std::hash::{Hash, Hasher};

use crate::seal::{fingerprint, fingerprint_bytes};

/// Stands for one person, whichever of their tokens is sent: what a fair share is measured by. A hint and no proof; nothing
/// that one person may see and another may not hangs on it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Account([u8; 32]);

impl Hash for Account {
    /// It is a hash: a part of it tells as much as all of it.
    fn hash<H: Hasher>(&self, state: &mut H) {
        state.write(&self.0[..8]);
    }
}

impl Account {
    /// Of the person a token names, or of whoever has that token.
    pub fn of(account_id: Option<&str>, token: [u8; 32]) -> Self {
        account_id.map_or(Self(token), |id| Self(fingerprint(&format!("account {id}"))))
    }

    /// Of whoever holds this secret.
    pub fn of_holder(secret: &[u8]) -> Self {
        Self(fingerprint_bytes(secret))
    }

    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }
}
