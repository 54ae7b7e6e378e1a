//! A browser: cookies, redirects and forms, no script. It goes to the gateway and the sandbox only; where a redirect
//! leads anywhere else, it stops and tells.

use std::collections::BTreeMap;

use reqwest::Method;
use reqwest::header::{COOKIE, HeaderMap, LOCATION, ORIGIN, SET_COOKIE};
use url::Url;

#[derive(Clone)]
pub struct Browser {
    http: reqwest::Client,
    /// Where requests to the public origin really go.
    public_url: String,
    gateway: String,
    sandbox: String,
    /// By host, then by name.
    cookies: BTreeMap<String, BTreeMap<String, String>>,
    /// Every `Set-Cookie` that was received.
    pub set_cookies: Vec<String>,
    /// The address that a proxy in front tells.
    forwarded_for: Option<String>,
}

/// Where a browser has come to.
#[derive(Clone, Debug)]
pub struct Page {
    pub url: String,
    pub status: u16,
    pub headers: HeaderMap,
    pub html: String,
    /// The redirect that leads away from the gateway and the sandbox, where one did.
    pub left_to: Option<String>,
}

impl Browser {
    pub fn new(public_url: &str, gateway: &str, sandbox: &str) -> Self {
        let http = causeway::atlassian::http_builder()
            .redirect(reqwest::redirect::Policy::none())
            .no_proxy()
            .build()
            .unwrap();
        Self {
            http,
            public_url: public_url.to_owned(),
            gateway: gateway.to_owned(),
            sandbox: sandbox.to_owned(),
            cookies: BTreeMap::new(),
            set_cookies: Vec::new(),
            forwarded_for: None,
        }
    }

    /// The same browser at this address, for which a proxy passes requests on.
    pub fn behind(self, address: &str) -> Self {
        Self { forwarded_for: Some(address.to_owned()), ..self }
    }

    /// Goes to `url` and follows redirects.
    pub async fn get(&mut self, url: &str) -> Page {
        self.go(Method::GET, url.to_owned(), None, None).await
    }

    /// Submits the form of `page` with its hidden fields and `fields`, and follows redirects.
    pub async fn submit(&mut self, page: &Page, fields: &[(&str, &str)]) -> Page {
        let mut form = page.hidden_fields();
        form.extend(fields.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())));
        let url = Url::parse(&page.url).unwrap();
        let action = url.join(&page.form_action()).unwrap();
        self.go(Method::POST, action.into(), Some(form), Some(url.origin().ascii_serialization())).await
    }

    /// Posts a form that a page at `origin` made up.
    pub async fn post(&mut self, url: &str, fields: &[(&str, &str)], origin: Option<&str>) -> Page {
        let form = fields.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        self.go(Method::POST, url.to_owned(), Some(form), origin.map(str::to_owned)).await
    }

    /// Takes over another browser's cookies: the same browser, reaching another replica.
    pub fn adopt_cookies(&mut self, other: &Self) {
        self.cookies = other.cookies.clone();
    }

    pub fn forget_cookies(&mut self) {
        self.cookies.clear();
    }

    /// The value of a cookie of the gateway's whose name ends so.
    pub fn cookie(&self, name_ends_with: &str) -> Option<String> {
        let mut all = self.cookies.values().flatten();
        all.find_map(|(name, value)| name.ends_with(name_ends_with).then(|| value.clone()))
    }

    async fn go(
        &mut self,
        mut method: Method,
        mut url: String,
        mut form: Option<Vec<(String, String)>>,
        origin: Option<String>,
    ) -> Page {
        for _ in 0..10 {
            let host = Url::parse(&url).unwrap().host_str().unwrap().to_owned();
            let mut request = self.http.request(method.clone(), self.really(&url));
            if let Some(cookies) = self.cookies.get(&host) {
                let pairs: Vec<_> = cookies.iter().map(|(name, value)| format!("{name}={value}")).collect();
                request = request.header(COOKIE, pairs.join("; "));
            }
            if let Some(address) = &self.forwarded_for {
                request = request.header("x-forwarded-for", address);
            }
            if let Some(form) = form.take() {
                request = request.form(&form);
                if let Some(origin) = &origin {
                    request = request.header(ORIGIN, origin);
                }
            }
            let response = request.send().await.unwrap();
            self.keep_cookies(&host, response.headers());
            let (status, headers) = (response.status(), response.headers().clone());
            let html = response.text().await.unwrap();
            let page = Page { url: url.clone(), status: status.as_u16(), headers, html, left_to: None };
            let Some(location) = page.headers.get(LOCATION).filter(|_| status.is_redirection()) else {
                return page;
            };
            let location = Url::parse(&url).unwrap().join(location.to_str().unwrap()).unwrap().to_string();
            if ![&self.public_url, &self.gateway, &self.sandbox]
                .iter()
                .any(|base| location.starts_with(*base))
            {
                return Page { left_to: Some(location), ..page };
            }
            (method, url) = (Method::GET, location);
        }
        panic!("redirects without end at {url}");
    }

    fn really(&self, url: &str) -> String {
        match url.strip_prefix(&self.public_url) {
            Some(rest) => format!("{}{rest}", self.gateway),
            None => url.to_owned(),
        }
    }

    fn keep_cookies(&mut self, host: &str, headers: &HeaderMap) {
        for line in headers.get_all(SET_COOKIE) {
            let line = line.to_str().unwrap();
            let (name, value) = line.split(';').next().unwrap().split_once('=').unwrap();
            if name.starts_with("__Host-") {
                let lower = line.to_ascii_lowercase();
                assert!(
                    lower.contains("; secure") && lower.contains("; path=/;") && !lower.contains("domain="),
                    "{line}"
                );
            }
            self.set_cookies.push(line.to_owned());
            self.cookies.entry(host.to_owned()).or_default().insert(name.to_owned(), value.to_owned());
        }
    }
}

impl Page {
    /// The redirect away; fails when there was none.
    #[track_caller]
    pub fn left(&self) -> &str {
        self.left_to
            .as_deref()
            .unwrap_or_else(|| panic!("still at {}: {} {}", self.url, self.status, self.html))
    }

    /// The page's words without tags, spaces made one.
    pub fn text(&self) -> String {
        let mut text = String::new();
        for piece in self.html.split('<') {
            let (tag, words) = piece.split_once('>').unwrap_or(("", piece));
            if !tag.starts_with("style") {
                text.push_str(words);
                text.push(' ');
            }
        }
        unescape(&text.split_whitespace().collect::<Vec<_>>().join(" "))
    }

    pub fn hidden_fields(&self) -> Vec<(String, String)> {
        let inputs = self.html.split("<input ").skip(1).filter(|rest| rest.starts_with("type=\"hidden\""));
        inputs.map(|input| (attribute(input, "name"), attribute(input, "value"))).collect()
    }

    fn form_action(&self) -> String {
        let form = self
            .html
            .split("<form ")
            .nth(1)
            .unwrap_or_else(|| panic!("no form at {}: {}", self.url, self.html));
        attribute(form, "action")
    }
}

fn attribute(tag: &str, name: &str) -> String {
    let rest = tag.split(&format!("{name}=\"")).nth(1).unwrap();
    unescape(rest.split('"').next().unwrap())
}

fn unescape(text: &str) -> String {
    let plain = [
        ("&#34;", "\""),
        ("&quot;", "\""),
        ("&#39;", "'"),
        ("&#60;", "<"),
        ("&lt;", "<"),
        ("&#62;", ">"),
        ("&gt;", ">"),
    ];
    let text =
        plain.iter().fold(text.to_owned(), |text, (entity, character)| text.replace(entity, character));
    text.replace("&#38;", "&").replace("&amp;", "&")
}
