//! Any reading call of the REST APIs, for what the other calls do not cover: where it may go, and what of its answer may
//! leave. The URL is built from a parsed path and a parsed query string; nothing is fetched as it was given.

use std::cell::Cell;
use std::str::FromStr;

use percent_encoding::percent_decode_str;
use serde::Deserialize;
use serde_json::Value;

use super::points::{Counted, Price};
use super::{Call, Connection, Error, VALUES};
use crate::clean::CleanText;

const MAX_SEGMENTS: usize = 20;
const MAX_SEGMENT: usize = 255;
/// What stands for something that was taken out of an answer.
const REMOVED: &str = "[removed]";
/// Members that hold an address of a file's bytes.
const DOWNLOADS: [&str; 6] =
    ["download", "downloadLink", "downloadUrl", "thumbnail", "thumbnailLink", "thumbnailUrl"];
/// How the names of parameters end that open what they stand at to whoever holds the address.
const SECRET_PARAMETERS: [&str; 4] = ["token", "jwt", "signature", "sig"];

/// Why a path or query is not one that may be called.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct RawError(pub &'static str);

/// Any JSON. What is no list costs as much as a list of one row.
#[derive(Deserialize)]
struct Answer(Value);

impl Counted for Answer {
    fn rows(&self) -> usize {
        self.0["results"].as_array().map_or(1, Vec::len)
    }
}

/// A path below `/wiki/api/v2` or `/wiki/rest/api`: its segments below `/wiki`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RawPath(Vec<String>);

impl FromStr for RawPath {
    type Err = RawError;

    fn from_str(text: &str) -> Result<Self, RawError> {
        if text.contains(['?', '#']) {
            return Err(RawError("it holds a query or a fragment"));
        }
        let path = text.strip_prefix('/').unwrap_or(text);
        let path = path.strip_prefix("wiki/").unwrap_or(path);
        let segments: Vec<&str> = path.split('/').collect();
        if !segments.iter().all(|segment| is_plain(segment)) {
            return Err(RawError("it has a segment that is not plain"));
        }
        if !matches!(segments.as_slice(), ["api", "v2", _, ..] | ["rest", "api", _, ..])
            || segments.len() > MAX_SEGMENTS
        {
            return Err(RawError("it is not below /wiki/api/v2 or /wiki/rest/api"));
        }
        if segments.iter().any(|segment| matches!(*segment, "download" | "thumbnail")) {
            return Err(RawError("it leads to the bytes of a file, not to JSON"));
        }
        Ok(Self(segments.into_iter().map(str::to_owned).collect()))
    }
}

impl RawPath {
    /// The page that the path leads to, or to something of.
    pub fn page(&self) -> Option<&str> {
        let at = self.0.iter().position(|name| matches!(name.as_str(), "pages" | "blogposts" | "content"))?;
        let id = self.0.get(at + 1)?;
        id.bytes().all(|byte| byte.is_ascii_digit()).then_some(id)
    }
}

/// Letters, digits and what stands in ids, keys and account ids. Not only dots, and nothing that could be read as encoded.
fn is_plain(segment: &str) -> bool {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.~:".contains(&byte);
    (1..=MAX_SEGMENT).contains(&segment.len())
        && segment.bytes().all(plain)
        && segment.bytes().any(|byte| byte != b'.')
}

/// A query string: names and values, no name twice.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RawQuery(Vec<(String, String)>);

impl FromStr for RawQuery {
    type Err = RawError;

    fn from_str(text: &str) -> Result<Self, RawError> {
        let mut pairs: Vec<(String, String)> = Vec::new();
        for pair in text.strip_prefix('?').unwrap_or(text).split('&').filter(|pair| !pair.is_empty()) {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            if name.is_empty()
                || !name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte))
            {
                return Err(RawError("it has a name that is not plain"));
            }
            if opens(name) || name.eq_ignore_ascii_case("os_authType") {
                return Err(RawError("a token may not stand in it"));
            }
            if pairs.iter().any(|(known, _)| known.eq_ignore_ascii_case(name)) {
                return Err(RawError(
                    "it names something twice; several values of one name are comma-separated",
                ));
            }
            let value = value.replace('+', " ");
            let value = percent_decode_str(&value)
                .decode_utf8()
                .map_err(|_| RawError("it is not percent-encoded UTF-8"))?;
            if value.chars().any(char::is_control) {
                return Err(RawError("it holds control characters"));
            }
            pairs.push((name.to_owned(), value.into_owned()));
        }
        Ok(Self(pairs))
    }
}

impl Connection {
    /// What Confluence answers to GET `path`, without addresses that open files to whoever holds them.
    pub async fn raw(&self, path: &RawPath, query: &RawQuery) -> Result<(Value, u32), Error> {
        let segments: Vec<&str> = path.0.iter().map(String::as_str).collect();
        let query = query.0.iter().map(|(name, value)| (name.as_str(), value.clone())).collect();
        let Answer(answer) = self
            .send(Call::get(Price::List, &segments, query).weighing(VALUES))
            .await
            .map_err(|error| self.clean(error))?;
        let length = answer.to_string().len();
        let clean = || {
            let scrubber = self.scrubber();
            let value = scrubber.value(answer);
            (value, scrubber.removed.get())
        };
        Ok(self.aside(length, clean).await)
    }

    /// The same of a refusal's reason.
    fn clean(&self, error: Error) -> Error {
        let scrubber = self.scrubber();
        match error {
            Error::BadRequest(reason) => Error::BadRequest(scrubber.text(&reason).into()),
            Error::Refused { status, reason } => {
                Error::Refused { status, reason: scrubber.text(&reason).into() }
            }
            error => error,
        }
    }

    fn scrubber(&self) -> Scrubber<'_> {
        let api = format!("{}/ex/", self.client.api.authority());
        let hosts = self.client.media_hosts.iter().chain([&api]);
        Scrubber {
            hosts: hosts.map(|host| host.to_ascii_lowercase()).collect(),
            token: self.token.expose(),
            removed: Cell::default(),
        }
    }
}

/// Takes out of an answer what opens a file, and where and with what it was asked for.
struct Scrubber<'a> {
    /// How addresses begin that are of no use or too much to whoever reads the answer, without the scheme, in lower case.
    hosts: Vec<String>,
    token: &'a str,
    /// How many invisible characters were taken out.
    removed: Cell<u32>,
}

impl Scrubber<'_> {
    fn value(&self, value: Value) -> Value {
        match value {
            Value::String(text) => Value::String(self.text(&text)),
            Value::Array(items) => items.into_iter().map(|item| self.value(item)).collect(),
            Value::Object(members) => {
                let kept = members.into_iter().filter(|(name, _)| !DOWNLOADS.contains(&name.as_str()));
                kept.map(|(name, value)| (self.text(&name), self.value(value))).collect()
            }
            value => value,
        }
    }

    /// Text may hold addresses anywhere, in markup and in JSON within JSON: each word is judged for itself, where quotes and
    /// angle brackets end words.
    /// What nobody sees is taken out first: it could stand inside an address.
    fn text(&self, text: &str) -> String {
        let text = CleanText::of_source(text);
        self.removed.set(self.removed.get().saturating_add(text.removed()));
        let text = text.into_string();
        if !self.is_suspicious(&text) {
            return text;
        }
        let ends = |character: char| character.is_whitespace() || "\"'<>`".contains(character);
        let cleaned = text.split_inclusive(ends).map(|piece| {
            let word = piece.trim_end_matches(ends);
            if self.is_suspicious(word) { piece.replacen(word, REMOVED, 1) } else { piece.to_owned() }
        });
        cleaned.collect()
    }

    /// As written, and as it would be once entities, percent signs and escaped slashes are undone.
    fn is_suspicious(&self, text: &str) -> bool {
        if text.contains(self.token) {
            return true;
        }
        let plain = htmlize::unescape(text).replace("\\/", "/").to_ascii_lowercase();
        let once = percent_decode_str(&plain).decode_utf8_lossy();
        let twice = percent_decode_str(&once).decode_utf8_lossy();
        [plain.as_str(), &once, &twice].iter().any(|text| {
            self.hosts.iter().any(|host| text.contains(host.as_str()))
                || text.contains("/wiki/download/")
                || text.split(['?', '&', ';']).skip(1).any(|pair| {
                    pair.split_once('=').is_some_and(|(name, value)| opens(name) && !value.is_empty())
                })
        })
    }
}

fn opens(parameter: &str) -> bool {
    let name = parameter.to_ascii_lowercase();
    SECRET_PARAMETERS.iter().any(|secret| name.ends_with(secret))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_is_plain_segments_below_an_api_or_nothing() {
        let path = |text: &str| text.parse::<RawPath>().map(|path| path.0.join("/")).ok();
        for text in ["/wiki/api/v2/pages/12", "wiki/api/v2/pages/12", "/api/v2/pages/12"] {
            assert_eq!(path(text).as_deref(), Some("api/v2/pages/12"), "{text}");
        }
        assert_eq!(path("/rest/api/user/712020:a-b").as_deref(), Some("rest/api/user/712020:a-b"));
        for text in [
            "",
            "/",
            "/wiki",
            "/wiki/api/v2",
            "/wiki/api/v2/",
            "/wiki/api/v2//pages",
            "/wiki/api/v2/pages/",
            "/wiki/api/v3/pages",
            "/wiki/rest/api/..",
            "/wiki/api/v2/../../rest/x",
            "/wiki/api/v2/./pages",
            "/wiki/api/v2/.../pages",
            "/wiki/api/v2/pages/%2e%2e/x",
            "/wiki/api/v2/pages%2F12",
            "/wiki/api/v2/pages\\12",
            "/wiki/api/v2/pages;x=1",
            "/wiki/api/v2/pages?limit=1",
            "/wiki/api/v2/pages#x",
            "/wiki/api/v2/pages 12",
            "/wiki/api/v2/pages\u{ff0e}",
            "https://api.atlassian.com/wiki/api/v2/pages",
            "//evil.example/wiki/api/v2/pages",
            "/ex/confluence/other-cloud/wiki/api/v2/pages",
            "/wiki/wiki/api/v2/pages",
            "/wiki/rest/api/content/1/child/attachment/att2/download",
            "/wiki/rest/atlassian-connect/1/addons",
        ] {
            assert_eq!(path(text), None, "{text}");
        }
        assert_eq!(path(&format!("/api/v2{}", "/x".repeat(MAX_SEGMENTS))), None);
        assert_eq!(path(&format!("/api/v2/{}", "x".repeat(MAX_SEGMENT + 1))), None);
    }

    #[test]
    fn a_query_is_read_once_and_names_nothing_twice() {
        let query = |text: &str| text.parse::<RawQuery>().map(|query| query.0).ok();
        let pairs = |pairs: &[(&str, &str)]| {
            Some(pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect())
        };
        assert_eq!(query(""), pairs(&[]));
        assert_eq!(query("?limit=5&title=a+b%26c%3D%2B"), pairs(&[("limit", "5"), ("title", "a b&c=+")]));
        assert_eq!(query("a&b="), pairs(&[("a", ""), ("b", "")]));
        for bad in [
            "a=1&a=2",
            "a=1&A=2",
            "a%20b=1",
            "=1",
            "a=%ff",
            "a=%00",
            "a=%0d%0aX: y",
            "access_token=x",
            "jwt=x",
        ] {
            assert_eq!(query(bad), None, "{bad}");
        }
    }

    #[test]
    fn what_opens_a_file_is_taken_out_of_any_text() {
        let scrubber = Scrubber {
            hosts: vec!["api.media.atlassian.com".to_owned()],
            token: "eyJ.own.token",
            removed: Cell::default(),
        };
        for secret in [
            "https://api.media.atlassian.com/file/1/binary?token=SECRET",
            "https%3A%2F%2Fapi.media.atlassian.com%2Ffile%3Ftoken%3DSECRET",
            "https:\\/\\/API.media.atlassian.com\\/SECRET",
            "https://other.example/x?a=1&amp;token=SECRET",
            "https://s3.example/x?X-Amz-Signature=SECRET",
            "https://x.example/?u=https%253A%252F%252Fapi.media.atlassian.com%252FSECRET",
            "/wiki/download/attachments/1/SECRET.pdf",
            "eyJ.own.token",
        ] {
            for around in ["@", "see @ now", "<img src=\"@\"/>", "{\\\"url\\\":\\\"@\\\"}", "'@'"] {
                let cleaned = scrubber.text(&around.replace('@', secret));
                assert!(cleaned.contains(REMOVED), "{around}: {cleaned}");
                assert!(!cleaned.contains("SECRET") && !cleaned.contains("eyJ"), "{around}: {cleaned}");
            }
        }
        for harmless in ["a token of thanks", "/wiki/spaces/ENG/pages/1", "?cursor=abc&limit=2", "x=1;y=2"] {
            assert_eq!(scrubber.text(harmless), harmless);
        }
        let value =
            serde_json::json!({ "a": { "downloadLink": "x", "_links": { "download": "y", "webui": "z" } } });
        assert_eq!(scrubber.value(value), serde_json::json!({ "a": { "_links": { "webui": "z" } } }));
    }
}
