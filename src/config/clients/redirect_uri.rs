//! Redirect URIs that every reader understands alike: what is not written as it is parsed is refused.

use url::Url;

use crate::urls::is_loopback_host;

/// The longest redirect URI, in bytes.
pub const MAX_LEN: usize = 512;

/// The hosts at which programs listen on a port of their choice (RFC 8252 §7.3), as they are written in a URL.
const LOOPBACK: [&str; 3] = ["127.0.0.1", "[::1]", "localhost"];

/// Schemes that no program of a person's own has: what browsers and systems run, read or hand on under them is not a callback.
const REFUSED_SCHEMES: [&str; 33] = [
    "about",
    "blob",
    "cid",
    "chrome",
    "chrome-extension",
    "content",
    "data",
    "edge",
    "feed",
    "file",
    "filesystem",
    "ftp",
    "ftps",
    "intent",
    "jar",
    "javascript",
    "jscript",
    "livescript",
    "mailto",
    "mhtml",
    "moz-extension",
    "ms-its",
    "mk",
    "opera",
    "res",
    "resource",
    "sms",
    "tel",
    "urn",
    "vbscript",
    "view-source",
    "ws",
    "wss",
];

/// A redirect URI, byte for byte as it was written.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct RedirectUri {
    text: String,
    kind: Kind,
    /// With the port where it is written; empty for some private-use schemes.
    host: String,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    /// https, on any host.
    Web,
    /// http on this very computer (RFC 8252 §7.3).
    Loopback,
    /// A private-use scheme (RFC 8252 §7.1), which the system hands to a program.
    App,
}

impl RedirectUri {
    /// Reads a redirect URI; fails with what is wrong, as the rest of a sentence that begins with the URI.
    pub fn parse(text: &str) -> Result<Self, &'static str> {
        if text.is_empty() || text.len() > MAX_LEN {
            return Err("is empty or longer than 512 bytes");
        }
        if !text.bytes().all(is_plain) {
            return Err("has a fragment, or characters that a URI does not have");
        }
        let url = Url::parse(text).map_err(|_| "is not an absolute URL")?;
        let kind = match url.scheme() {
            "https" => Kind::Web,
            "http" if url.host_str().is_some_and(is_loopback_host) => Kind::Loopback,
            "http" => return Err("is http on a host that is not loopback"),
            scheme if REFUSED_SCHEMES.contains(&scheme) => return Err("has a scheme that is never accepted"),
            _ => Kind::App,
        };
        // The parser forgives much: a missing slash, capitals, `/../`, tabs, `0x7f.1`, `%63`, `:443`. Another may read it otherwise.
        if url.as_str() != text {
            return Err("is not written the way it is read");
        }
        if !url.username().is_empty() || url.password().is_some() {
            return Err("has a user name");
        }
        let host = url.host_str().unwrap_or_default();
        if host.ends_with('.') || (kind == Kind::Web && host.is_empty()) {
            return Err("has a host that ends with a dot, or none");
        }
        let host = url.port().map_or_else(|| host.to_owned(), |port| format!("{host}:{port}"));
        Ok(Self { text: text.to_owned(), kind, host })
    }

    pub fn as_str(&self) -> &str {
        &self.text
    }

    pub fn kind(&self) -> Kind {
        self.kind
    }

    /// The host it leads to, with its port if that is unusual; empty for some private-use schemes.
    pub fn host(&self) -> &str {
        &self.host
    }

    /// Whether it leads to a program on the person's own computer, whatever its scheme.
    pub fn is_local(&self) -> bool {
        let host = self
            .host
            .rsplit_once(':')
            .filter(|(host, _)| !host.ends_with(':'))
            .map_or(&*self.host, |(host, _)| host);
        self.kind != Kind::Web || is_loopback_host(host) || is_loopback_host(&self.host)
    }

    /// Whether it is the callback of a custom GPT, however its path is spelt. Anybody can make a GPT, so that these are for
    /// clients with a secret alone.
    pub fn is_of_a_gpt(&self) -> bool {
        let host = self.host.split(':').next().unwrap_or_default();
        let of_openai = ["chatgpt.com", "openai.com"].iter().any(|domain| {
            host == *domain || host.strip_suffix(domain).is_some_and(|rest| rest.ends_with('.'))
        });
        of_openai && decoded(&self.text).split(|c: char| !c.is_ascii_alphanumeric()).any(|word| word == "aip")
    }

    /// Whether a client that registered `registered` may use this: exactly that, or on loopback with another port (RFC 8252 §7.3).
    pub fn is_registered_as(&self, registered: &str) -> bool {
        registered == self.text
            || (self.ignores_port() && without_port(registered) == without_port(&self.text))
    }

    /// Whether it is http on one of the hosts at which programs listen on any port.
    pub fn ignores_port(&self) -> bool {
        self.kind == Kind::Loopback && without_port(&self.text).is_some()
    }
}

/// What RFC 3986 lets stand in a URI, without fragments: those never reach the client's server.
fn is_plain(byte: u8) -> bool {
    byte.is_ascii_graphic()
        && !matches!(byte, b'"' | b'#' | b'<' | b'>' | b'\\' | b'^' | b'`' | b'{' | b'|' | b'}' | b'\'')
}

/// A URI in lower case with every percent-encoding undone, however often it was done.
fn decoded(text: &str) -> String {
    let mut text = text.to_ascii_lowercase();
    for _ in 0..MAX_LEN {
        let next = percent_encoding::percent_decode_str(&text).decode_utf8_lossy().to_ascii_lowercase();
        if next == text {
            break;
        }
        text = next;
    }
    text
}

/// Host and rest of an http URI on loopback, its port left out.
fn without_port(uri: &str) -> Option<(&str, &str)> {
    let after_scheme = uri.strip_prefix("http://")?;
    let host = LOOPBACK.into_iter().find(|host| after_scheme.starts_with(host))?;
    let after_host = &after_scheme[host.len()..];
    let rest = after_host
        .strip_prefix(':')
        .map_or(after_host, |port| port.trim_start_matches(|digit: char| digit.is_ascii_digit()));
    rest.starts_with(['/', '?']).then_some((host, rest))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn what_every_reader_understands_alike_is_accepted() {
        for (good, kind) in [
            ("https://agent.example/cb", Kind::Web),
            ("https://agent.example:8443/cb?a=1&b=%20", Kind::Web),
            ("https://1.1.1.1/", Kind::Web),
            ("http://127.0.0.1/cb", Kind::Loopback),
            ("http://localhost:33418/", Kind::Loopback),
            ("http://[::1]:1/cb?a", Kind::Loopback),
            ("cursor://anysphere.cursor-mcp/oauth/callback", Kind::App),
            ("com.example.app:/cb", Kind::App),
        ] {
            assert_eq!(RedirectUri::parse(good).map(|uri| uri.kind()), Ok(kind), "{good}");
        }
    }

    /// Each of these is read by some parser as something that a person would not see in it.
    pub const AMBIGUOUS: [&str; 44] = [
        "https:chatgpt.com/connector/oauth/x",
        "https:/chatgpt.com/connector/oauth/x",
        "https:///chatgpt.com/connector/oauth/x",
        "HTTPS://chatgpt.com/connector/oauth/x",
        "https://ChatGPT.com/connector/oauth/x",
        "https://%63hatgpt.com/connector/oauth/x",
        "https://chatgpt%2ecom/connector/oauth/x",
        "https://chatgpt.com./connector/oauth/x",
        "https://chatgpt.com/a/../connector/oauth/x",
        "https://chatgpt.com/./connector/oauth/x",
        "https://chatgpt.com/%2e%2e/connector/oauth/x",
        "https://chatgpt.com:443/connector/oauth/x",
        "https://chatgpt.com:/connector/oauth/x",
        "https://chatgpt.com:0443/connector/oauth/x",
        "https://@chatgpt.com/connector/oauth/x",
        "https://:@chatgpt.com/connector/oauth/x",
        "https://u@chatgpt.com/connector/oauth/x",
        "https://u:p@chatgpt.com/connector/oauth/x",
        "https://chatgpt.com@evil.example/",
        "https://chatgpt.com\\@evil.example/",
        "https://evil.example\\@chatgpt.com/",
        "https:\\\\chatgpt.com\\connector\\oauth\\x",
        "https://chatgpt.com/connector/oauth/x#",
        "https://chatgpt.com/connector/oauth/x#y",
        "https://chatgpt.com/connector/oauth/x\t",
        "https://chatgpt.com/connec\ntor/oauth/x",
        " https://chatgpt.com/connector/oauth/x",
        "https://chatgpt.com/connector/oauth/x ",
        "https://chatgpt.com",
        "https://chatgpt.com?x",
        "https://chatgpt\u{3002}com/connector/oauth/x",
        "https://ch\u{430}tgpt.com/connector/oauth/x",
        "https://chatgpt\u{ad}.com/connector/oauth/x",
        "https://\u{ff43}hatgpt.com/connector/oauth/x",
        "https://0x7f000001/",
        "https://2130706433/",
        "https://127.1/",
        "https://0177.0.0.1/",
        "https://[0:0:0:0:0:0:0:1]/",
        "https://[::ffff:127.0.0.1]/",
        "//chatgpt.com/connector/oauth/x",
        "chatgpt.com/connector/oauth/x",
        "https://chatgpt.com/connector/oauth/\u{e9}",
        "",
    ];

    #[test]
    fn what_readers_take_differently_is_refused() {
        for bad in AMBIGUOUS {
            assert!(RedirectUri::parse(bad).is_err(), "{bad}");
        }
        for bad in [
            "http://127.1/cb",
            "http://127.0.0.1:80/cb",
            "http://127.0.0.1:/cb",
            "http://127.0.0.1:99999/cb",
            "http://LOCALHOST/cb",
            "http://localhost./cb",
            "http://0/cb",
            "http://[::1%25lo]/cb",
            "http://127.0.0.1",
            "CURSOR://anysphere.cursor-mcp/oauth/callback",
        ] {
            assert!(RedirectUri::parse(bad).is_err(), "{bad}");
        }
        assert!(RedirectUri::parse(&format!("https://a.example/{}", "x".repeat(MAX_LEN))).is_err());
    }

    #[test]
    fn http_leads_to_loopback_alone_and_some_schemes_nowhere() {
        for bad in [
            "http://chatgpt.com/connector/oauth/x",
            "http://localhost.evil.example/cb",
            "http://127.0.0.1.evil.example/cb",
            "http://10.0.0.1/cb",
            "javascript:alert(1)",
            "data:text/html,x",
            "blob:https://chatgpt.com/1",
            "file:///etc/passwd",
            "about:blank",
            "view-source:https://chatgpt.com/",
            "intent://chatgpt.com/",
            "vbscript:x",
            "wss://chatgpt.com/",
            "ftp://chatgpt.com/",
        ] {
            assert!(RedirectUri::parse(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn the_callbacks_of_gpts_are_recognised_however_they_are_spelt() {
        for gpts in [
            "https://chatgpt.com/aip/g-1/oauth/callback",
            "https://chat.openai.com/aip/g-1/oauth/callback",
            "https://www.chatgpt.com/aip/g-1/oauth/callback",
            "https://chatgpt.com//aip/g-1/oauth/callback",
            "https://chatgpt.com/AIP/g-1/oauth/callback",
            "https://chatgpt.com/%61ip/g-1/oauth/callback",
            "https://chatgpt.com/%2561ip/g-1/oauth/callback",
            "https://chatgpt.com/x%2f..%2faip/g-1/oauth/callback",
            "https://chatgpt.com:8443/aip/g-1/oauth/callback",
            "https://chatgpt.com/aip;x/g-1/oauth/callback",
        ] {
            assert!(RedirectUri::parse(gpts).unwrap().is_of_a_gpt(), "{gpts}");
        }
        for other in ["https://chatgpt.com/connector/oauth/aipx", "https://notchatgpt.com/aip/x"] {
            assert!(!RedirectUri::parse(other).unwrap().is_of_a_gpt(), "{other}");
        }
    }

    #[test]
    fn loopback_redirects_ignore_the_port_and_nothing_else() {
        let registered = "http://127.0.0.1:1/cb?a";
        let fits = |registered: &str, uri: &str| {
            RedirectUri::parse(uri).is_ok_and(|uri| uri.is_registered_as(registered))
        };
        for good in ["http://127.0.0.1:65535/cb?a", "http://127.0.0.1/cb?a", registered] {
            assert!(fits(registered, good), "{good}");
        }
        for bad in [
            "http://127.0.0.1:1/cb",
            "http://localhost:1/cb?a",
            "http://[::1]:1/cb?a",
            "https://127.0.0.1:1/cb?a",
            "http://127.0.0.1:123456/cb?a",
            "http://127.0.0.1:/cb?a",
            "http://127.0.0.1:1@evil.example/cb?a",
            "http://127.0.0.1.evil.example:1/cb?a",
        ] {
            assert!(!fits(registered, bad), "{bad}");
        }
        assert!(!fits("https://a.example:1/cb", "https://a.example:2/cb"));
        assert!(!fits("http://127.0.0.1.evil.example:1/cb", "http://127.0.0.1:1/cb"));
    }

    #[test]
    fn what_leads_to_this_computer_is_local() {
        for local in [
            "http://127.0.0.1:1/",
            "https://localhost/",
            "https://127.0.0.2:8443/",
            "https://[::1]/",
            "https://[::1]:5/",
            "x://y",
        ] {
            assert!(RedirectUri::parse(local).unwrap().is_local(), "{local}");
        }
        assert!(!RedirectUri::parse("https://agent.example:8443/").unwrap().is_local());
    }

    proptest! {
        #[test]
        fn whatever_is_accepted_parses_to_itself(
            scheme in "(https|http|HTTPS|cursor|[a-z]{1,8})",
            slashes in "(:|:/|://|:///|:\\\\\\\\|://@)",
            host in "(chatgpt\\.com|127\\.0\\.0\\.1|localhost|[ -~]{0,12}|\\PC{0,6})",
            port in "(|:|:443|:80|:[0-9]{1,6})",
            rest in "(|/|/cb|[ -~]{0,20}|/\\PC{0,8})",
        ) {
            let text = format!("{scheme}{slashes}{host}{port}{rest}");
            if let Ok(uri) = RedirectUri::parse(&text) {
                let url = Url::parse(&text).unwrap();
                prop_assert_eq!(url.as_str(), uri.as_str());
                prop_assert_eq!(uri.as_str(), &text);
                prop_assert!(url.username().is_empty() && url.password().is_none() && url.fragment().is_none());
                prop_assert!(url.scheme() != "http" || is_loopback_host(url.host_str().unwrap()));
            }
        }
    }
}
