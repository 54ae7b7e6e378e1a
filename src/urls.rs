//! The only place that builds Causeway's own URLs.

use std::fmt;

use url::Url;

/// The origin that people and ChatGPT reach (`CAUSEWAY_PUBLIC_URL`), and every URL below it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PublicUrl {
    url: Url,
    /// Without a trailing slash.
    origin: String,
}

impl PublicUrl {
    /// An https origin, or an http one on loopback; no path, query, fragment or credentials.
    pub fn parse(text: &str) -> Result<Self, String> {
        let url = Url::parse(text).map_err(|error| error.to_string())?;
        let host = url.host_str().ok_or("it has no host")?;
        if !matches!(url.path(), "" | "/") || url.query().is_some() || url.fragment().is_some() {
            return Err("it must end after the host and port: no path, query or fragment".to_owned());
        }
        if !url.username().is_empty() || url.password().is_some() {
            return Err("it must not hold a user name or password".to_owned());
        }
        match url.scheme() {
            "https" => {}
            "http" if is_loopback_host(host) => {}
            "http" => return Err("http is accepted for loopback only; ChatGPT needs https".to_owned()),
            other => return Err(format!("the scheme {other} is not https")),
        }
        let origin = url.origin().ascii_serialization();
        Ok(Self { url, origin })
    }

    /// The origin, without a trailing slash: the issuer of RFC 8414 and the document's one server.
    pub fn origin(&self) -> &str {
        &self.origin
    }

    pub fn host(&self) -> &str {
        self.url.host_str().unwrap_or_default()
    }

    pub fn is_https(&self) -> bool {
        self.url.scheme() == "https"
    }

    pub fn authorize(&self) -> String {
        self.at("/oauth/authorize")
    }

    pub fn consent(&self) -> String {
        self.at("/oauth/consent")
    }

    /// The callback URL registered with the Atlassian app.
    pub fn callback(&self) -> String {
        self.at("/oauth/callback")
    }

    pub fn token(&self) -> String {
        self.at("/oauth/token")
    }

    pub fn register(&self) -> String {
        self.at("/oauth/register")
    }

    pub fn privacy(&self) -> String {
        self.at("/privacy")
    }

    pub fn docs(&self) -> String {
        self.at("/docs")
    }

    pub fn docs_redirect(&self) -> String {
        self.at("/docs/oauth2-redirect.html")
    }

    /// What a problem's `type` points at.
    pub fn problem(&self, kind: &str) -> String {
        self.at(&format!("/problems/{kind}"))
    }

    pub fn file(&self, sealed: &str) -> String {
        self.at(&format!("/files/{sealed}"))
    }

    /// The Actions document of a GPT; without a slug, the default GPT's.
    pub fn openapi(&self, slug: Option<&str>) -> String {
        self.of_gpt(slug, "/openapi.json")
    }

    pub fn instructions(&self, slug: Option<&str>) -> String {
        self.of_gpt(slug, "/instructions")
    }

    pub fn skill(&self, slug: &str) -> String {
        self.of_gpt(Some(slug), "/skill.md")
    }

    /// The MCP endpoint of a GPT, which is also its resource identifier (RFC 8707).
    pub fn mcp(&self, slug: Option<&str>) -> String {
        self.of_gpt(slug, "/mcp")
    }

    /// The resource identifier (RFC 8707) of a GPT's actions.
    pub fn actions(&self, slug: Option<&str>) -> String {
        self.of_gpt(slug, "/v1")
    }

    /// Where a GPT's MCP endpoint describes itself (RFC 9728 §3.1).
    pub fn mcp_metadata(&self, slug: Option<&str>) -> String {
        let path = slug.map_or_else(|| "/mcp".to_owned(), |slug| format!("/gpts/{slug}/mcp"));
        self.at(&format!("/.well-known/oauth-protected-resource{path}"))
    }

    fn of_gpt(&self, slug: Option<&str>, path: &str) -> String {
        match slug {
            Some(slug) => self.at(&format!("/gpts/{slug}{path}")),
            None => self.at(path),
        }
    }

    fn at(&self, path: &str) -> String {
        format!("{}{path}", self.origin)
    }
}

impl fmt::Display for PublicUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.origin)
    }
}

/// Whether a URL's host is this machine: `localhost`, `127.0.0.0/8` or `[::1]`.
pub fn is_loopback_host(host: &str) -> bool {
    let bare = host.trim_start_matches('[').trim_end_matches(']');
    host.eq_ignore_ascii_case("localhost")
        || bare.parse::<std::net::IpAddr>().is_ok_and(|address| address.is_loopback())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_https_origin_or_loopback_is_accepted_and_nothing_else() {
        for good in [
            "https://wiki.example.com",
            "https://wiki.example.com:8443/",
            "http://127.0.0.1:8080",
            "http://[::1]:1",
        ] {
            assert!(PublicUrl::parse(good).is_ok(), "{good}");
        }
        for bad in
            ["http://wiki.example.com", "https://x.example/path", "https://u:p@x.example", "ftp://x", "x", ""]
        {
            assert!(PublicUrl::parse(bad).is_err(), "{bad}");
        }
    }
}
