//! Every payload that travels sealed. This is the complete list.

use serde::{Deserialize, Serialize};

use super::Payload;

/// What each kind of string is for; every one of them says itself when it expires.
macro_rules! purposes {
    ($($payload:ident: $purpose:literal,)*) => {$(
        impl Payload for $payload {
            const PURPOSE: &'static str = $purpose;
            fn expires_at(&self) -> i64 {
                self.expires_at
            }
        }
    )*};
}

purposes! {
    SignIn: "sign-in",
    Code: "code",
    Access: "access token",
    Refresh: "refresh token",
    Registration: "client registration",
    Cursor: "cursor",
    File: "file",
}

/// Which door of which GPT a token opens (RFC 8707).
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Audience {
    /// The client id of the GPT (profile) whose rights hold.
    #[serde(rename = "g")]
    pub gpt: String,
    #[serde(rename = "d")]
    pub door: Door,
}

/// The two front doors.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Door {
    #[serde(rename = "a")]
    Actions,
    #[serde(rename = "m")]
    Mcp,
}

impl Door {
    /// Its name in logs and metrics.
    pub fn name(self) -> &'static str {
        match self {
            Self::Actions => "actions",
            Self::Mcp => "mcp",
        }
    }
}

/// What a client asked for at `/oauth/authorize`; travels as Atlassian's `state`, and through the consent page.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SignIn {
    pub client_id: String,
    /// Exactly as sent: where the person goes back to.
    pub redirect_uri: String,
    /// The client's own `state`, echoed byte for byte.
    pub client_state: Option<String>,
    /// The PKCE S256 challenge.
    pub challenge: Option<String>,
    pub audience: Audience,
    /// The fingerprint of the browser's cookie, base64url.
    pub browser: String,
    pub expires_at: i64,
}

/// The same request while our consent page shows it: another purpose, so that consent cannot be skipped.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct ConsentRequest(pub SignIn);

impl Payload for ConsentRequest {
    const PURPOSE: &'static str = "consent";
    fn expires_at(&self) -> i64 {
        self.0.expires_at
    }
}

/// Our authorization code: Atlassian's code, not yet redeemed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Code {
    pub atlassian_code: String,
    pub client_id: String,
    pub redirect_uri: String,
    pub challenge: Option<String>,
    pub audience: Audience,
    /// Whom the code counts against until it is redeemed.
    #[serde(default)]
    pub from: CameThrough,
    pub expires_at: i64,
}

/// Who came through the callback, as pseudonyms: enough to count by. A browser that has brought a good code counts for itself, and not
/// for its address.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct CameThrough {
    #[serde(rename = "a")]
    pub address: Option<String>,
    #[serde(rename = "b")]
    pub browser: String,
}

/// Our access token.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Access {
    /// Atlassian's access token.
    #[serde(rename = "t")]
    pub token: String,
    /// The scopes Atlassian granted, separated by spaces.
    #[serde(rename = "s")]
    pub scopes: String,
    #[serde(rename = "c")]
    pub client_id: String,
    #[serde(rename = "a")]
    pub audience: Audience,
    /// When the person consented, in seconds since the Unix epoch.
    #[serde(rename = "i")]
    pub signed_in_at: i64,
    #[serde(rename = "e")]
    pub expires_at: i64,
}

/// Our refresh token.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Refresh {
    /// Atlassian's refresh token.
    #[serde(rename = "t")]
    pub token: String,
    #[serde(rename = "s")]
    pub scopes: String,
    #[serde(rename = "c")]
    pub client_id: String,
    #[serde(rename = "a")]
    pub audience: Audience,
    #[serde(rename = "i")]
    pub signed_in_at: i64,
    /// A pseudonym of the person's, so that refreshes are counted by person; empty in tokens of before it was kept.
    #[serde(rename = "p", default, skip_serializing_if = "String::is_empty")]
    pub person: String,
    /// Where a client without a secret was called back.
    #[serde(rename = "u", default, skip_serializing_if = "Option::is_none")]
    pub redirect_uri: Option<String>,
    #[serde(rename = "e")]
    pub expires_at: i64,
}

/// A client that registered itself (RFC 7591): its client id *is* this, sealed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Registration {
    pub name: String,
    pub redirect_uris: Vec<String>,
    pub expires_at: i64,
}

/// Where the next page of a list begins.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Cursor {
    /// The client id of the GPT, the cloud id, the action and its parameters, as a fingerprint: a cursor continues exactly one list.
    #[serde(rename = "l")]
    pub list: String,
    /// Where Confluence's own list goes on.
    #[serde(rename = "n")]
    pub next: String,
    #[serde(rename = "e")]
    pub expires_at: i64,
}

/// A link to one version of an attachment: whoever holds it may fetch that file, as the person who asked for it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct File {
    /// Atlassian's access token.
    #[serde(rename = "t")]
    pub token: String,
    #[serde(rename = "c")]
    pub client_id: String,
    /// The client id of the GPT whose rights hold.
    #[serde(rename = "g")]
    pub gpt: String,
    /// When the person consented, in seconds since the Unix epoch.
    #[serde(rename = "i")]
    pub signed_in_at: i64,
    /// The cloud id.
    #[serde(rename = "l")]
    pub site: String,
    /// The attachment's id.
    #[serde(rename = "a")]
    pub attachment: String,
    #[serde(rename = "v")]
    pub version: u32,
    #[serde(rename = "e")]
    pub expires_at: i64,
}
