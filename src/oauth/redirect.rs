//! Where a client is called back: the callbacks of GPTs, and how an answer is put into a redirect URI.

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

use crate::config::is_word;

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
    fn parameters_are_added_so_that_they_stay_values() {
        let location =
            with_params("https://a.example/cb?x=1", &[("code", "a b&c=d#\r\n\u{e9}"), ("iss", "i")]);
        assert_eq!(location, "https://a.example/cb?x=1&code=a%20b%26c%3Dd%23%0D%0A%C3%A9&iss=i");
    }
}
