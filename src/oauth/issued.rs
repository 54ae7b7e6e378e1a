//! What a client is given for a code or a refresh token: Atlassian's tokens, sealed.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use secrecy::ExposeSecret;
use serde_json::json;

use super::client::Client;
use super::{AuthorizationServer, SCOPE};
use crate::atlassian::Tokens;
use crate::seal::SealError;
use crate::seal::payloads::{Access, Audience, Refresh};

/// How much sooner than Atlassian's token ours expires, in seconds, so that no request is sent with a dying one.
const MARGIN: i64 = 60;

/// How long a refresh token lives from its last use, in seconds: as long as Atlassian's.
const REFRESH_LIFETIME: i64 = 90 * 24 * 3600;

/// What a client is given.
pub struct Issued {
    access_token: String,
    /// Absent for Swagger UI.
    refresh_token: Option<String>,
    /// When Atlassian answered, in seconds since the Unix epoch, as is the next.
    pub at: i64,
    expires_at: i64,
}

impl Issued {
    /// RFC 6749 §5.1; `bearer` in lower case, as ChatGPT expects it.
    pub fn to_json(&self, now: i64) -> serde_json::Value {
        let mut body = json!({
            "access_token": self.access_token,
            "token_type": "bearer",
            "expires_in": (self.expires_at - now).max(0),
            "scope": SCOPE,
        });
        if let Some(refresh_token) = &self.refresh_token {
            body["refresh_token"] = json!(refresh_token);
        }
        body
    }
}

/// What stays the same at each refresh.
pub struct SignedIn {
    pub audience: Audience,
    /// In seconds since the Unix epoch.
    pub at: i64,
    /// Where the client was called back; not kept for clients with a secret.
    pub redirect_uri: Option<String>,
}

/// Seals what Atlassian granted. `previous` is its refresh token of before, which stays when it does not rotate;
/// `asked` are the scopes that hold when it names none.
pub fn issue(
    server: &AuthorizationServer,
    client: &Client,
    SignedIn { audience, at: signed_in_at, redirect_uri }: SignedIn,
    tokens: Tokens,
    previous: Option<String>,
    asked: impl FnOnce() -> String,
) -> Result<Issued, SealError> {
    let now = server.clock.unix();
    let person = server.sealer.pseudonym(&URL_SAFE_NO_PAD.encode(tokens.access_token.account().as_bytes()));
    let lifetime = i64::try_from(tokens.expires_in.as_secs()).unwrap_or(i64::MAX / 2);
    let access = Access {
        token: tokens.access_token.expose().to_owned(),
        scopes: tokens.scopes.unwrap_or_else(asked),
        client_id: client.key().to_owned(),
        audience,
        signed_in_at,
        expires_at: now + (lifetime - MARGIN).max(1),
    };
    let token = tokens.refresh_token.map(|token| token.expose_secret().to_owned()).or(previous);
    if token.is_none() {
        tracing::warn!("Atlassian gave no refresh token: sign-ins end within the hour");
    }
    let refresh_token = token.filter(|_| !matches!(client, Client::Docs)).map(|token| {
        let expires_at = now + REFRESH_LIFETIME;
        let Access { scopes, client_id, audience, .. } = access.clone();
        server.sealer.seal(&Refresh {
            token,
            scopes,
            client_id,
            audience,
            signed_in_at,
            person,
            redirect_uri: redirect_uri.filter(|_| !client.is_proven()),
            expires_at,
        })
    });
    Ok(Issued {
        access_token: server.sealer.seal(&access)?,
        refresh_token: refresh_token.transpose()?,
        at: now,
        expires_at: access.expires_at,
    })
}
