//! What a request's access token is good for.

use std::sync::Arc;

use axum::http::{Extensions, HeaderMap, header};

use super::AuthorizationServer;
use super::client::is_still_welcome;
use super::opened::Opened;
use crate::atlassian::{AccessToken, Tally};
use crate::config::Gpt;
use crate::seal::OpenError;
use crate::seal::payloads::{Audience, Door, File};

/// What a person granted, as it holds for one request.
#[derive(Clone)]
pub struct Grant {
    /// The GPT whose rights hold, as it is configured now.
    pub gpt: Arc<Gpt>,
    /// The door that the request came through.
    pub door: Door,
    /// What the access token holds.
    pub access: Arc<Opened>,
    /// What answering the request has cost so far.
    pub tally: Tally,
}

impl Grant {
    /// Puts the grant where the layers and the handler behind find it, and whose it is.
    pub fn attach(self, extensions: &mut Extensions) {
        extensions.insert(self.access.token.account());
        extensions.insert(self);
    }
}

/// Why a request's token does not count.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BearerError {
    #[error("there is no access token")]
    Missing,
    #[error("the Authorization header is not one bearer token")]
    Malformed,
    #[error("the token is not one of this gateway, or its client or GPT is gone")]
    Foreign,
    #[error("the token has expired")]
    Expired,
    /// The sign-in was before `CAUSEWAY_NOT_BEFORE`.
    #[error("the sign-in has been revoked")]
    Revoked,
    #[error("the token is for another door or another GPT")]
    Audience,
}

impl From<OpenError> for BearerError {
    fn from(error: OpenError) -> Self {
        match error {
            OpenError::Expired => Self::Expired,
            OpenError::Foreign => Self::Foreign,
        }
    }
}

impl AuthorizationServer {
    /// Reads the access token of a request that came through `door`. `gpt` is the client id of the GPT whose door it is;
    /// without it any GPT's token will do, and says which GPT is meant.
    pub fn grant(&self, headers: &HeaderMap, door: Door, gpt: Option<&str>) -> Result<Grant, BearerError> {
        let sealed = bearer(headers)?;
        let access = self.opened.open(&self.sealer, sealed, self.clock.unix())?;
        if access.audience.door != door || gpt.is_some_and(|gpt| gpt != access.audience.gpt) {
            return Err(BearerError::Audience);
        }
        let gpt = self.rights(&access.audience.gpt, &access.client_id, access.signed_in_at)?;
        if !gpt.has(door) {
            return Err(BearerError::Audience);
        }
        Ok(Grant { gpt, door, access, tally: Tally::start(&self.clock) })
    }

    /// Reads the sealed link to a file. It is good for that file alone, so that it names no scopes.
    pub fn file_grant(&self, sealed: &str) -> Result<(File, Grant), BearerError> {
        let file = self.sealer.open::<File>(sealed)?;
        let door = Door::Actions;
        let opened = Opened {
            token: AccessToken::new(file.token.clone()),
            scopes: Vec::new(),
            client_id: file.client_id.clone(),
            audience: Audience { gpt: file.gpt.clone(), door },
            signed_in_at: file.signed_in_at,
            expires_at: file.expires_at,
        };
        let gpt = self.rights(&file.gpt, &file.client_id, file.signed_in_at)?;
        Ok((file, Grant { gpt, door, access: Arc::new(opened), tally: Tally::start(&self.clock) }))
    }

    /// The GPT as it is configured now, if the client and the sign-in still count.
    fn rights(&self, gpt: &str, client_id: &str, signed_in_at: i64) -> Result<Arc<Gpt>, BearerError> {
        if self.is_revoked(signed_in_at) {
            return Err(BearerError::Revoked);
        }
        let gpt = self.config.gpt_by_client_id(gpt).ok_or(BearerError::Foreign)?;
        if is_still_welcome(&self.config, client_id) { Ok(gpt.clone()) } else { Err(BearerError::Foreign) }
    }
}

fn bearer(headers: &HeaderMap) -> Result<&str, BearerError> {
    let mut values = headers.get_all(header::AUTHORIZATION).iter();
    let value = values.next().ok_or(BearerError::Missing)?;
    if values.next().is_some() {
        return Err(BearerError::Malformed);
    }
    let (scheme, token) =
        value.to_str().ok().and_then(|text| text.split_once(' ')).ok_or(BearerError::Malformed)?;
    let token = token.trim();
    if !scheme.eq_ignore_ascii_case("bearer") || token.is_empty() {
        return Err(BearerError::Malformed);
    }
    Ok(token)
}
