//! Signing in, exactly as ChatGPT does: a browser leg with cookies, a form-encoded token leg, no PKCE.

use reqwest::RequestBuilder;
use serde_json::{Value, json};

use super::world::{CLIENT_ID, CLIENT_SECRET, GPT_CALLBACK, World};
use super::{Answer, Browser, Page, encode, param};

/// Where clients on a person's own machine are called back.
pub const MCP_CALLBACK: &str = "http://127.0.0.1:33418/cb";

/// A person who has signed in.
#[derive(Clone, Debug)]
pub struct Session {
    pub access_token: String,
    /// Empty when there is none.
    pub refresh_token: String,
    pub expires_in: i64,
}

/// An authorization request: its parameters, to be changed one by one.
#[derive(Clone, Debug)]
pub struct Request(pub Vec<(String, String)>);

/// What a client hears when the browser comes back to it.
#[derive(Clone, Debug)]
pub struct Back {
    pub url: String,
    /// Empty when there is none.
    pub code: String,
    pub error: String,
    pub state: Option<String>,
}

impl Request {
    /// What ChatGPT's Actions send for the default GPT.
    pub fn of_chatgpt() -> Self {
        Self::new(CLIENT_ID, GPT_CALLBACK).and("scope", "").and("state", "st/at+e=1 &x")
    }

    pub fn new(client_id: &str, redirect_uri: &str) -> Self {
        let pairs = [("response_type", "code"), ("client_id", client_id), ("redirect_uri", redirect_uri)];
        Self(pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect())
    }

    /// What Swagger UI sends.
    pub fn of_docs(world: &World) -> Self {
        let redirect = format!("{}/docs/oauth2-redirect.html", world.public_url);
        Self::new("causeway-docs", &redirect).and("state", "s").with_pkce()
    }

    /// What an MCP client sends for the default GPT.
    pub fn of_mcp(world: &World, client_id: &str, redirect_uri: &str) -> Self {
        let resource = format!("{}/mcp", world.public_url);
        Self::new(client_id, redirect_uri).and("resource", &resource).and("state", "s").with_pkce()
    }

    pub fn with_pkce(self) -> Self {
        self.and("code_challenge", super::CHALLENGE).and("code_challenge_method", "S256")
    }

    /// Sets a parameter.
    pub fn and(mut self, name: &str, value: &str) -> Self {
        self.0.retain(|(known, _)| known != name);
        self.0.push((name.to_owned(), value.to_owned()));
        self
    }

    /// Adds a parameter, even if it is there already.
    pub fn also(mut self, name: &str, value: &str) -> Self {
        self.0.push((name.to_owned(), value.to_owned()));
        self
    }

    pub fn without(mut self, name: &str) -> Self {
        self.0.retain(|(known, _)| known != name);
        self
    }

    pub fn url(&self, origin: &str) -> String {
        let pairs: Vec<_> =
            self.0.iter().map(|(name, value)| format!("{}={}", encode(name), encode(value))).collect();
        format!("{origin}/oauth/authorize?{}", pairs.join("&"))
    }
}

impl Back {
    #[track_caller]
    pub fn at(page: &Page) -> Self {
        let url = page.left().to_owned();
        let text = |name| param(&url, name).unwrap_or_default();
        Self { code: text("code"), error: text("error"), state: param(&url, "state"), url }
    }
}

impl Session {
    #[track_caller]
    pub fn of(answer: Answer) -> Self {
        let answer = answer.expect(200);
        Self {
            access_token: answer.text("access_token").to_owned(),
            refresh_token: answer.text("refresh_token").to_owned(),
            expires_in: answer.json["expires_in"].as_i64().unwrap(),
        }
    }
}

impl World {
    /// The browser leg: from the authorization request over Atlassian's consent back to the client.
    pub async fn consent(&self, browser: &mut Browser, request: &Request, person: &str) -> Back {
        let page = browser.get(&request.url(&self.public_url)).await;
        assert!(page.url.starts_with(&self.sandbox_url), "not at Atlassian: {} {}", page.status, page.html);
        Back::at(&browser.submit(&page, &[("person", person), ("decision", "allow")]).await)
    }

    /// The default GPT's code for `person`.
    pub async fn code(&self, person: &str) -> String {
        self.consent(&mut self.browser(), &Request::of_chatgpt(), person).await.code
    }

    /// Signs `person` in to the default GPT.
    pub async fn sign_in(&self, person: &str) -> Session {
        Session::of(self.redeem(&self.code(person).await).await)
    }

    /// The token request that ChatGPT sends for a code.
    pub async fn redeem(&self, code: &str) -> Answer {
        self.token(&[
            ("grant_type", "authorization_code"),
            ("client_id", CLIENT_ID),
            ("client_secret", CLIENT_SECRET),
            ("code", code),
            ("redirect_uri", GPT_CALLBACK),
        ])
        .await
    }

    /// The token request that ChatGPT sends for a refresh token.
    pub async fn refresh(&self, refresh_token: &str) -> Answer {
        self.token(&[
            ("grant_type", "refresh_token"),
            ("client_id", CLIENT_ID),
            ("client_secret", CLIENT_SECRET),
            ("refresh_token", refresh_token),
        ])
        .await
    }

    /// The token request of a public client.
    pub async fn redeem_publicly(&self, client_id: &str, redirect_uri: &str, code: &str) -> Answer {
        self.token(&[
            ("grant_type", "authorization_code"),
            ("client_id", client_id),
            ("code", code),
            ("redirect_uri", redirect_uri),
            ("code_verifier", super::VERIFIER),
        ])
        .await
    }

    /// The token request of a public client for a refresh token.
    pub async fn refresh_publicly(&self, client_id: &str, refresh_token: &str) -> Answer {
        let refresh = ("grant_type", "refresh_token");
        self.token(&[refresh, ("client_id", client_id), ("refresh_token", refresh_token)]).await
    }

    /// Registers an MCP client and returns its client id.
    pub async fn register(&self, redirect_uris: &[&str]) -> String {
        let metadata = json!({ "client_name": "Wiki <Helper>", "redirect_uris": redirect_uris });
        let request = self.http.post(format!("{}/oauth/register", self.url)).json(&metadata);
        self.send(request).await.expect(201).text("client_id").to_owned()
    }

    /// The browser leg of a client that has to be approved first.
    pub async fn consent_twice(&self, browser: &mut Browser, request: &Request, person: &str) -> Back {
        let ours = browser.get(&request.url(&self.public_url)).await;
        assert!(ours.html.contains("/oauth/consent"), "not our consent page: {} {}", ours.status, ours.html);
        let atlassian = browser.submit(&ours, &[("decision", "allow")]).await;
        Back::at(&browser.submit(&atlassian, &[("person", person), ("decision", "allow")]).await)
    }

    /// Signs `person` in to the default GPT's MCP endpoint through a client that registered itself.
    pub async fn sign_in_to_mcp(&self, person: &str) -> Session {
        let client_id = self.register(&[MCP_CALLBACK]).await;
        self.sign_in_to_mcp_by(&client_id, person).await
    }

    /// The same through this client, registered with [`MCP_CALLBACK`].
    pub async fn sign_in_to_mcp_by(&self, client_id: &str, person: &str) -> Session {
        let request = Request::of_mcp(self, client_id, MCP_CALLBACK);
        let back = self.consent_twice(&mut self.browser(), &request, person).await;
        Session::of(self.redeem_publicly(client_id, MCP_CALLBACK, &back.code).await)
    }

    /// POST to an MCP endpoint, as far as its door: an empty list of tools is asked for.
    pub async fn knock(&self, session: &Session, path: &str) -> Answer {
        self.send(self.mcp(session, path, "tools/list", &json!({}))).await
    }

    /// A request to an MCP endpoint.
    pub fn mcp(&self, session: &Session, path: &str, method: &str, params: &Value) -> RequestBuilder {
        self.http
            .post(format!("{}{path}", self.url))
            .bearer_auth(&session.access_token)
            .header("accept", "application/json, text/event-stream")
            .header("mcp-protocol-version", "2025-11-25")
            .json(&json!({ "jsonrpc": "2.0", "id": 1, "method": method, "params": params }))
    }

    /// Any form to the token endpoint.
    pub async fn token(&self, form: &[(&str, &str)]) -> Answer {
        self.send(self.http.post(format!("{}/oauth/token", self.url)).form(form)).await
    }
}
