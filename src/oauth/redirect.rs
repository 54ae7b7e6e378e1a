//! Redirect URIs, compared as the raw strings they are: nothing is decoded, folded or resolved first.

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use url::Url;

use crate::config::McpClients;
use crate::urls::is_loopback_host;

/// The longest redirect URI of a client that the operator did not configure, in bytes.
pub const MAX_LEN: usize = 512;

/// The hosts of `CAUSEWAY_MCP_CLIENTS=known`, beside loopback.
const KNOWN_HOSTS: [&str; 2] = ["chatgpt.com", "claude.ai"];

/// RFC 3986's unreserved characters stay as they are.
const VALUE: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// Whether `uri` is the callback of a custom GPT: of those in `gpt_ids`, or of any when there are none.
pub fn is_gpt_callback(uri: &str, gpt_ids: &[String]) -> bool {
    let rest = ["https://chatgpt.com/aip/", "https://chat.openai.com/aip/"]
        .iter()
        .find_map(|host| uri.strip_prefix(host));
    let Some(id) = rest.and_then(|rest| rest.strip_suffix("/oauth/callback")) else { return false };
    let shaped = id.strip_prefix("g-").is_some_and(is_word);
    shaped && (gpt_ids.is_empty() || gpt_ids.iter().any(|allowed| allowed == id))
}

/// Whether `uri` is where ChatGPT's plugins (connectors) return to.
pub fn is_connector_callback(uri: &str) -> bool {
    uri == "https://chatgpt.com/connector_platform_oauth_redirect"
        || uri.strip_prefix("https://chatgpt.com/connector/oauth/").is_some_and(is_word)
}

fn is_word(text: &str) -> bool {
    !text.is_empty()
        && text.len() <= 128
        && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_'))
}

/// Whether a client that registered `registered` may use `uri`: exactly that, or on loopback with another port (RFC 8252 §7.3).
pub fn matches(registered: &str, uri: &str) -> bool {
    registered == uri
        || loopback_without_port(uri).is_some_and(|parts| loopback_without_port(registered) == Some(parts))
}

/// Whether `uri` leads to a program on the person's own machine, whatever its scheme.
pub fn is_local(uri: &str) -> bool {
    Url::parse(uri).is_ok_and(|url| url.host_str().is_some_and(is_loopback_host))
}

/// Host and rest of an http URI on loopback, its port left out.
fn loopback_without_port(uri: &str) -> Option<(&str, &str)> {
    let after_scheme = uri.strip_prefix("http://")?;
    let host = ["127.0.0.1", "[::1]", "localhost"].into_iter().find(|host| after_scheme.starts_with(host))?;
    let after_host = &after_scheme[host.len()..];
    let rest = after_host
        .strip_prefix(':')
        .map_or(after_host, |port| port.trim_start_matches(|digit: char| digit.is_ascii_digit()));
    let digits = after_host.len() - rest.len();
    let port_is_sound = digits == 0 || (2..=6).contains(&digits);
    (port_is_sound && (rest.is_empty() || rest.starts_with(['/', '?']))).then_some((host, rest))
}

/// Whether a client that the operator did not configure may name `uri` as a redirect at all: an absolute https URL, or http
/// on loopback, that every reader understands alike.
pub fn is_acceptable(uri: &str, clients: &McpClients) -> bool {
    let plain = uri.len() <= MAX_LEN
        && uri
            .bytes()
            .all(|byte| byte.is_ascii_graphic() && !matches!(byte, b'\\' | b'#' | b'"' | b'<' | b'>'));
    let Ok(url) = Url::parse(uri) else { return false };
    let anonymous = url.username().is_empty() && url.password().is_none();
    let authority = uri.split('/').nth(2).unwrap_or_default();
    let as_written = url.scheme() == "https" || loopback_without_port(uri).is_some();
    plain && anonymous && !authority.contains('@') && as_written && host_is_allowed(&url, clients)
}

/// Whether `CAUSEWAY_MCP_CLIENTS` lets a client use `url`, as a redirect or as its metadata document.
pub fn host_is_allowed(url: &Url, clients: &McpClients) -> bool {
    let host = url.host_str().unwrap_or_default();
    let loopback = url.scheme() == "http" && is_loopback_host(host);
    if url.scheme() != "https" && !loopback {
        return false;
    }
    let host_and_port = url.port().map_or_else(|| host.to_owned(), |port| format!("{host}:{port}"));
    match clients {
        McpClients::Off => false,
        McpClients::Any => !host.is_empty(),
        McpClients::Known => loopback || KNOWN_HOSTS.contains(&host_and_port.as_str()),
        McpClients::Hosts(hosts) if loopback => hosts.iter().any(|allowed| is_loopback_host(allowed)),
        McpClients::Hosts(hosts) => hosts.contains(&host_and_port),
    }
}

/// The host a redirect leads to, with its port if that is unusual: what the consent page shows and remembers.
pub fn host(uri: &str) -> String {
    let Ok(url) = Url::parse(uri) else { return String::new() };
    let host = url.host_str().unwrap_or_default();
    url.port().map_or_else(|| host.to_owned(), |port| format!("{host}:{port}"))
}

/// `uri` with `params` added to its query. Values are percent-encoded, so nothing in them ends a header or a parameter.
pub fn with_params(uri: &str, params: &[(&str, &str)]) -> String {
    let mut location = uri.to_owned();
    let mut separator = if uri.contains('?') { '&' } else { '?' };
    for (name, value) in params {
        location.push(separator);
        location.push_str(name);
        location.push('=');
        location.extend(utf8_percent_encode(value, VALUE));
        separator = '&';
    }
    location
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_gpt_callback_is_matched_from_end_to_end() {
        for good in [
            "https://chatgpt.com/aip/g-1aB/oauth/callback",
            "https://chat.openai.com/aip/g-1-a_b/oauth/callback",
        ] {
            assert!(is_gpt_callback(good, &[]), "{good}");
        }
        for bad in [
            "https://chatgpt.com/aip/g-1/oauth/callback/",
            "https://chatgpt.com/aip/g-1/oauth/callback?x",
            "https://chatgpt.com/aip/g-1/oauth/callback#x",
            "https://chatgpt.com/aip/g-1/../g-2/oauth/callback",
            "https://chatgpt.com/aip/g-1%2f/oauth/callback",
            "https://chatgpt.com/aip/g-/oauth/callback",
            "https://chatgpt.com/aip/x/oauth/callback",
            "https://chatgpt.com:443/aip/g-1/oauth/callback",
            "https://chatgpt.com@evil.example/aip/g-1/oauth/callback",
            "https://chatgpt.com.evil.example/aip/g-1/oauth/callback",
            "https://ChatGPT.com/aip/g-1/oauth/callback",
            "HTTPS://chatgpt.com/aip/g-1/oauth/callback",
            "http://chatgpt.com/aip/g-1/oauth/callback",
            " https://chatgpt.com/aip/g-1/oauth/callback",
            "https://evil.example/?https://chatgpt.com/aip/g-1/oauth/callback",
        ] {
            assert!(!is_gpt_callback(bad, &[]), "{bad}");
        }
    }

    #[test]
    fn pinned_gpt_ids_leave_no_other() {
        let pinned = ["g-1".to_owned()];
        assert!(is_gpt_callback("https://chatgpt.com/aip/g-1/oauth/callback", &pinned));
        assert!(!is_gpt_callback("https://chatgpt.com/aip/g-11/oauth/callback", &pinned));
    }

    #[test]
    fn loopback_redirects_ignore_the_port_and_nothing_else() {
        let registered = "http://127.0.0.1:1/cb?a";
        for good in ["http://127.0.0.1:65535/cb?a", "http://127.0.0.1/cb?a", registered] {
            assert!(matches(registered, good), "{good}");
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
            assert!(!matches(registered, bad), "{bad}");
        }
        assert!(!matches("https://a.example:1/cb", "https://a.example:2/cb"));
    }

    #[test]
    fn only_plain_https_or_loopback_is_acceptable_and_only_on_allowed_hosts() {
        for good in ["https://chatgpt.com/connector/oauth/x", "http://localhost:3000/cb", "http://[::1]/cb"] {
            assert!(is_acceptable(good, &McpClients::Known), "{good}");
        }
        for bad in [
            "https://evil.example/cb",
            "https://chatgpt.com:8443/cb",
            "https://chatgpt.com.evil.example/cb",
            "https://chatgpt.com@evil.example/cb",
            "https://@chatgpt.com/cb",
            "https://chatgpt.com/cb#fragment",
            "https://chatgpt.com\\@evil.example/cb",
            "https://chatgpt.com/ cb",
            "http://chatgpt.com/cb",
            "http://127.1/cb",
            "http://localhost.evil.example/cb",
            "javascript:alert(1)",
            "data:text/html,x",
            "com.example.app:/cb",
            "/cb",
            "",
        ] {
            assert!(!is_acceptable(bad, &McpClients::Known), "{bad}");
        }
        assert!(is_acceptable("https://evil.example/cb", &McpClients::Any));
        assert!(!is_acceptable(&format!("https://a.example/{}", "x".repeat(MAX_LEN)), &McpClients::Any));
        assert!(!is_acceptable("http://localhost/cb", &McpClients::Hosts(vec!["a.example".to_owned()])));
        assert!(is_acceptable(
            "https://a.example:8443/cb",
            &McpClients::Hosts(vec!["a.example:8443".to_owned()])
        ));
        assert!(!is_acceptable("http://localhost/cb", &McpClients::Off));
    }

    #[test]
    fn parameters_are_added_so_that_they_stay_values() {
        let location =
            with_params("https://a.example/cb?x=1", &[("code", "a b&c=d#\r\n\u{e9}"), ("iss", "i")]);
        assert_eq!(location, "https://a.example/cb?x=1&code=a%20b%26c%3Dd%23%0D%0A%C3%A9&iss=i");
    }
}
