//! The two cookies of a browser: one that ties a sign-in to it, one that remembers what was allowed in it.

use axum::http::{HeaderMap, HeaderValue, header};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use super::{AuthorizationServer, redirect};
use crate::seal::fingerprint;
use crate::seal::payloads::{Approvals, Audience, SignIn};
use crate::urls::PublicUrl;

/// How many approvals one browser remembers; the newest stay.
const MAX_APPROVALS: usize = 20;

/// How long an approval is remembered, in seconds.
const APPROVALS_LIFETIME: i64 = 90 * 24 * 3600;

/// What ties a sign-in to one browser: a random value in a cookie. Everything else holds only its fingerprint.
pub struct Browser {
    value: String,
    fresh: bool,
}

impl Browser {
    /// The browser that sent `headers`, known or new.
    pub fn recognise(headers: &HeaderMap, urls: &PublicUrl) -> Self {
        match cookie(headers, &cookie_name(urls, "browser")).filter(|value| is_random_value(value)) {
            Some(value) => Self { value: value.to_owned(), fresh: false },
            None => Self { value: URL_SAFE_NO_PAD.encode(rand::random::<[u8; 32]>()), fresh: true },
        }
    }

    /// What sealed strings hold of this browser.
    pub fn fingerprint(&self) -> String {
        URL_SAFE_NO_PAD.encode(fingerprint(&self.value))
    }

    /// Whether this is the browser whose fingerprint is `expected`. A new one never is.
    pub fn is(&self, expected: &str) -> bool {
        !self.fresh && self.fingerprint() == expected
    }

    /// The cookie to set, when it is not there yet.
    pub fn set_cookie(&self, urls: &PublicUrl) -> Option<HeaderValue> {
        let name = cookie_name(urls, "browser");
        self.fresh.then(|| set_cookie(urls, &name, &self.value, None)).flatten()
    }
}

/// Whether this browser's person has allowed this client to go there for that.
pub fn is_approved(
    headers: &HeaderMap,
    server: &AuthorizationServer,
    client_id: &str,
    redirect_uri: &str,
    audience: &Audience,
) -> bool {
    approvals(headers, server).contains(&approval(client_id, redirect_uri, audience))
}

/// The cookie that remembers `sign_in` as allowed, beside the newest of what it held before. What leads to loopback is not
/// remembered: any program may listen there.
pub fn approve(headers: &HeaderMap, server: &AuthorizationServer, sign_in: &SignIn) -> Option<HeaderValue> {
    if redirect::is_local(&sign_in.redirect_uri) {
        return None;
    }
    let urls = &server.config.public_url;
    let allowed = approval(&sign_in.client_id, &sign_in.redirect_uri, &sign_in.audience);
    let mut fingerprints = approvals(headers, server);
    fingerprints.retain(|known| *known != allowed);
    fingerprints.insert(0, allowed);
    fingerprints.truncate(MAX_APPROVALS);
    let expires_at = server.clock.unix() + APPROVALS_LIFETIME;
    let sealed = server.sealer.seal(&Approvals { fingerprints, expires_at });
    set_cookie(urls, &cookie_name(urls, "approvals"), &sealed, Some(APPROVALS_LIFETIME))
}

fn approvals(headers: &HeaderMap, server: &AuthorizationServer) -> Vec<String> {
    let sealed = cookie(headers, &cookie_name(&server.config.public_url, "approvals")).unwrap_or_default();
    server.sealer.open::<Approvals>(sealed).map(|approvals| approvals.fingerprints).unwrap_or_default()
}

/// 96 bits are plenty for what only we can seal, and keep the cookie small.
fn approval(client_id: &str, redirect_uri: &str, audience: &Audience) -> String {
    let host = redirect::host(redirect_uri);
    let parts = format!("{client_id}\n{host}\n{}\n{:?}", audience.gpt, audience.door);
    URL_SAFE_NO_PAD.encode(&fingerprint(&parts)[..12])
}

/// `__Host-` lets no other host and no path set the cookie; browsers refuse it without https.
fn cookie_name(urls: &PublicUrl, name: &str) -> String {
    if urls.is_https() { format!("__Host-causeway-{name}") } else { format!("causeway-{name}") }
}

fn set_cookie(urls: &PublicUrl, name: &str, value: &str, max_age: Option<i64>) -> Option<HeaderValue> {
    let secure = if urls.is_https() { "; Secure" } else { "" };
    let max_age = max_age.map(|seconds| format!("; Max-Age={seconds}")).unwrap_or_default();
    HeaderValue::try_from(format!("{name}={value}; Path=/{max_age}; HttpOnly; SameSite=Lax{secure}")).ok()
}

fn cookie<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    let lines = headers.get_all(header::COOKIE).iter().filter_map(|line| line.to_str().ok());
    let mut pairs = lines.flat_map(|line| line.split(';')).filter_map(|pair| pair.trim().split_once('='));
    pairs.find_map(|(found, value)| (found == name).then_some(value))
}

fn is_random_value(text: &str) -> bool {
    text.len() == 43 && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_'))
}
