//! The cookie that ties a sign-in to one browser.

use axum::http::{HeaderMap, HeaderValue, header};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use crate::seal::fingerprint;
use crate::urls::PublicUrl;

/// What ties a sign-in to one browser: a random value in a cookie. Everything else holds only its fingerprint.
pub struct Browser {
    value: String,
    fresh: bool,
}

impl Browser {
    /// The browser that sent `headers`, known or new.
    pub fn recognise(headers: &HeaderMap, urls: &PublicUrl) -> Self {
        match cookie(headers, cookie_name(urls)).filter(|value| is_random_value(value)) {
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
        let secure = if urls.is_https() { "; Secure" } else { "" };
        let name = cookie_name(urls);
        let cookie = || format!("{name}={}; Path=/; HttpOnly; SameSite=Lax{secure}", self.value);
        self.fresh.then(|| HeaderValue::try_from(cookie()).ok()).flatten()
    }
}

/// `__Host-` lets no other host and no path set the cookie; browsers refuse it without https.
fn cookie_name(urls: &PublicUrl) -> &'static str {
    if urls.is_https() { "__Host-causeway-browser" } else { "causeway-browser" }
}

fn cookie<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    let lines = headers.get_all(header::COOKIE).iter().filter_map(|line| line.to_str().ok());
    let mut pairs = lines.flat_map(|line| line.split(';')).filter_map(|pair| pair.trim().split_once('='));
    pairs.find_map(|(found, value)| (found == name).then_some(value))
}

fn is_random_value(text: &str) -> bool {
    text.len() == 43 && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_'))
}
