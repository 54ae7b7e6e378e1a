//! Who asks: a GPT that the operator configured, our own Swagger UI, or a client that nobody here knows.

use std::sync::Arc;

use axum::http::{HeaderMap, header};
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use percent_encoding::percent_decode_str;
use secrecy::ExposeSecret;
use subtle::ConstantTimeEq;

use super::AuthorizationServer;
use super::error::{Code, OauthError};
use super::metadata_document::DocumentUrl;
use super::params::Params;
use super::redirect;
use crate::config::{Config, Gpt, PinnedDocument, RedirectUri, Standing, is_connector_callback};
use crate::seal::fingerprint;
use crate::seal::payloads::{Audience, Door, Refresh, Registration};

/// The client id of our own Swagger UI. No GPT can be configured with it.
pub const DOCS: &str = "causeway-docs";

/// How the key of a client that registered itself begins. No client id of a GPT begins so.
const REGISTERED: &str = "v4.local.#";

/// An OAuth client.
#[derive(Clone, Debug)]
pub enum Client {
    /// Holds a secret, and always needs it.
    Configured(Arc<Gpt>),
    /// Swagger UI: public, first-party, without refresh tokens.
    Docs,
    /// Public, and asked about on our consent page.
    Dynamic(Dynamic),
    /// Public, and registered under a key that is gone: its refresh token tells who it is. It may go on refreshing what it
    /// holds, and has to register again for anything else.
    Forgotten { key: String },
}

/// A client that the operator did not configure. What it says of itself is hearsay.
#[derive(Clone, Debug)]
pub struct Dynamic {
    /// What sealed strings call it: its metadata document's URL, or the fingerprint of its registration.
    pub key: String,
    /// What it calls itself; for whoever shows it to clean.
    pub name: String,
    pub redirects: Redirects,
}

/// Where a dynamic client says that it is called back.
#[derive(Clone, Debug)]
pub enum Redirects {
    /// In its registration, or in its metadata document.
    Named(Vec<String>),
    /// In our own table.
    Pinned(&'static PinnedDocument),
    /// In a metadata document that has not been fetched.
    Unfetched,
}

pub const UNKNOWN: OauthError = OauthError::new(Code::InvalidClient, "The client is not known here.");

impl Client {
    /// The client of an authorization request, as far as it is known without fetching anything; and what would have to be
    /// fetched to know where it may be called back.
    pub fn at_authorize(
        server: &AuthorizationServer,
        client_id: &str,
    ) -> Result<(Self, Option<DocumentUrl>), OauthError> {
        match Self::known(server, client_id)? {
            Known::Client(client) => Ok((client, None)),
            Known::Document(url) => {
                let client = Self::Dynamic(url.client());
                let fetched = Some(url).filter(DocumentUrl::is_fetched);
                Ok((client, fetched))
            }
        }
    }

    /// The client of a token request, authenticated as it has to be (RFC 6749 §2.3).
    pub fn at_token(
        server: &AuthorizationServer,
        params: &Params,
        headers: &HeaderMap,
    ) -> Result<Self, OauthError> {
        let credentials = Credentials::read(params, headers)?;
        let known = credentials.ids().find_map(|id| Self::known(server, id).ok());
        let held =
            params.get("refresh_token")?.filter(|_| params.get("grant_type") == Ok(Some("refresh_token")));
        let forgotten = || credentials.ids().find_map(|id| Self::forgotten(server, id, held?));
        match known.or_else(forgotten).ok_or(UNKNOWN)? {
            Known::Client(Self::Configured(gpt)) if credentials.prove(&gpt) => Ok(Self::Configured(gpt)),
            Known::Client(Self::Configured(_)) => {
                Err(OauthError::new(Code::InvalidClient, "The client secret is missing or wrong."))
            }
            _ if credentials.has_secret() => {
                Err(OauthError::new(Code::InvalidClient, "This client has no secret."))
            }
            Known::Client(client) => Ok(client),
            Known::Document(url) => Ok(Self::Dynamic(url.client())),
        }
    }

    fn known(server: &AuthorizationServer, client_id: &str) -> Result<Known, OauthError> {
        let config = &server.config;
        if let Some(gpt) = config.gpt_by_client_id(client_id) {
            return Ok(Known::Client(Self::Configured(gpt.clone())));
        }
        if client_id == DOCS && config.docs {
            return Ok(Known::Client(Self::Docs));
        }
        if let Some(url) = DocumentUrl::parse(client_id, config) {
            return Ok(Known::Document(url));
        }
        let registration = server.sealer.open::<Registration>(client_id).map_err(|_| UNKNOWN)?;
        if !registration.redirect_uris.iter().any(|uri| is_allowed(config, uri)) {
            return Err(UNKNOWN);
        }
        let key = registered(client_id);
        let Registration { name, redirect_uris, .. } = registration;
        let redirects = Redirects::Named(redirect_uris);
        Ok(Known::Client(Self::Dynamic(Dynamic { key, name, redirects })))
    }

    /// Whoever holds a refresh token of a client of this id, from where clients may still come.
    fn forgotten(server: &AuthorizationServer, client_id: &str, refresh_token: &str) -> Option<Known> {
        let held: Refresh = server.sealer.open(refresh_token).ok()?;
        let key = registered(client_id);
        let is_welcome = is_allowed(&server.config, &held.redirect_uri?);
        (held.client_id == key && is_welcome).then_some(Known::Client(Self::Forgotten { key }))
    }

    /// What sealed strings call this client.
    pub fn key(&self) -> &str {
        match self {
            Self::Configured(gpt) => &gpt.client_id,
            Self::Docs => DOCS,
            Self::Dynamic(client) => &client.key,
            Self::Forgotten { key } => key,
        }
    }

    /// Whether at the token endpoint only this client can have been it.
    pub fn is_proven(&self) -> bool {
        matches!(self, Self::Configured(_))
    }

    /// Whether the person may be sent back to `uri`. `door` is what the request is for, if it says so soundly.
    pub fn may_redirect_to(&self, config: &Config, uri: &RedirectUri, door: Option<Door>) -> bool {
        match self {
            Self::Configured(gpt) => {
                redirect::is_gpt_callback(uri.as_str(), &gpt.gpt_ids)
                    || gpt.redirect_uris.iter().any(|configured| uri.is_registered_as(configured))
                    || (door == Some(Door::Mcp) && is_connector_callback(uri.as_str()))
            }
            Self::Docs => uri.as_str() == config.public_url.docs_redirect(),
            Self::Dynamic(client) => client.standing(config, uri).is_some(),
            Self::Forgotten { .. } => false,
        }
    }

    /// Where a client that registered itself may be called back today.
    pub fn acceptable_redirect_uri(&self, config: &Config) -> Option<String> {
        match self {
            Self::Dynamic(Dynamic { redirects: Redirects::Named(uris), .. }) => {
                uris.iter().find(|uri| is_allowed(config, uri)).cloned()
            }
            _ => None,
        }
    }

    /// Whether an authorization request needs a PKCE challenge: a public client's always, and any for MCP.
    pub fn needs_challenge(&self, audience: &Audience) -> bool {
        !matches!(self, Self::Configured(_)) || audience.door == Door::Mcp
    }
}

impl Dynamic {
    /// Whether and why this client may be called back at `uri`: it has said so itself, as far as that is known, and it is
    /// allowed here.
    pub fn standing(&self, config: &Config, uri: &RedirectUri) -> Option<Standing> {
        let named = match &self.redirects {
            Redirects::Named(uris) => uris.iter().any(|named| uri.is_registered_as(named)),
            Redirects::Pinned(document) => document.allows(uri),
            Redirects::Unfetched => true,
        };
        config.mcp_clients.standing(uri).filter(|_| named)
    }
}

/// Whether a client that the operator did not configure may be called back at `uri`.
pub fn is_allowed(config: &Config, uri: &str) -> bool {
    RedirectUri::parse(uri).is_ok_and(|uri| config.mcp_clients.standing(&uri).is_some())
}

/// What sealed strings call a client that registered itself.
fn registered(client_id: &str) -> String {
    format!("{REGISTERED}{}", URL_SAFE_NO_PAD.encode(fingerprint(client_id)))
}

enum Known {
    Client(Client),
    Document(DocumentUrl),
}

/// Whether the client that a token was given to would still be let in.
pub fn is_still_welcome(config: &Config, key: &str) -> bool {
    if config.gpt_by_client_id(key).is_some() {
        return true;
    }
    if key == DOCS {
        return config.docs;
    }
    if key.starts_with(REGISTERED) {
        return !config.mcp_clients.is_off();
    }
    DocumentUrl::parse(key, config).is_some()
}

/// A client id and secret as they were sent. Basic wants both form-encoded (RFC 6749 §2.3.1), which half of all clients do
/// not do, so both readings count.
struct Credentials {
    raw: Pair,
    decoded: Option<Pair>,
}

struct Pair {
    id: String,
    secret: Option<String>,
}

impl Credentials {
    fn read(params: &Params, headers: &HeaderMap) -> Result<Self, OauthError> {
        let refuse = |why| Err(OauthError::new(Code::InvalidRequest, why));
        let (id, secret) = (params.get("client_id")?, params.get("client_secret")?);
        if headers.get_all(header::AUTHORIZATION).iter().count() > 1 {
            return refuse("There is more than one Authorization header.");
        }
        let Some(authorization) = headers.get(header::AUTHORIZATION) else {
            let id = id.ok_or(OauthError::new(Code::InvalidClient, "There is no client_id."))?;
            return Ok(Self {
                raw: Pair { id: id.to_owned(), secret: secret.map(str::to_owned) },
                decoded: None,
            });
        };
        if secret.is_some() {
            return refuse("The client secret is sent twice: in the Authorization header and in the form.");
        }
        let text = authorization.to_str().ok().and_then(basic);
        let Some((basic_id, basic_secret)) = text.as_deref().and_then(|text| text.split_once(':')) else {
            return Err(OauthError::new(
                Code::InvalidClient,
                "The Authorization header is not Basic credentials.",
            ));
        };
        let pair = |id: String, secret: String| Pair {
            id,
            secret: Some(secret).filter(|secret| !secret.is_empty()),
        };
        let decoded =
            form_decode(basic_id).zip(form_decode(basic_secret)).map(|(id, secret)| pair(id, secret));
        let credentials = Self { raw: pair(basic_id.to_owned(), basic_secret.to_owned()), decoded };
        match id {
            Some(id) if !credentials.ids().any(|known| known == id) => {
                refuse("The client_id of the form is not that of the Authorization header.")
            }
            _ => Ok(credentials),
        }
    }

    fn pairs(&self) -> impl Iterator<Item = &Pair> {
        std::iter::once(&self.raw).chain(&self.decoded)
    }

    fn ids(&self) -> impl Iterator<Item = &str> {
        self.pairs().map(|pair| pair.id.as_str())
    }

    fn has_secret(&self) -> bool {
        self.pairs().any(|pair| pair.secret.is_some())
    }

    /// Compares fingerprints, so that not even the length of the secret shows in the time it takes.
    fn prove(&self, gpt: &Gpt) -> bool {
        let expected = fingerprint(gpt.client_secret.expose_secret());
        let proofs =
            self.pairs().filter(|pair| pair.id == gpt.client_id).filter_map(|pair| pair.secret.as_deref());
        proofs.fold(false, |proven, secret| proven | bool::from(fingerprint(secret).ct_eq(&expected)))
    }
}

fn basic(value: &str) -> Option<String> {
    let (scheme, encoded) = value.split_once(' ')?;
    let decoded = scheme.eq_ignore_ascii_case("basic").then(|| STANDARD.decode(encoded.trim()).ok())??;
    String::from_utf8(decoded).ok()
}

fn form_decode(text: &str) -> Option<String> {
    let spaced = text.replace('+', " ");
    percent_decode_str(&spaced).decode_utf8().ok().map(std::borrow::Cow::into_owned)
}
