//! What `causeway check` looks at beyond the page: it takes longer, sends our secrets where they belong, and tells more than
//! anyone may know.

use std::sync::Arc;

use axum::http::StatusCode;
use axum::http::header::CACHE_CONTROL;
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use secrecy::ExposeSecret;

use super::{Check, Checks, PATIENCE, bad, document_check, doubtful, findings, good};
use crate::atlassian::{Auth, AuthError, Beginning};
use crate::config::Gpt;
use crate::openapi::{self, lint::Finding};

/// As long as an `Authorization` header or an address gets: Atlassian's tokens reach 4 KB, and are longer when sealed.
const LONG: usize = 7_000;

/// As long as a token request gets, with room.
const LONG_BODY: usize = 32 * 1024;

/// What the token endpoint says to a client that it knows and that asks for nothing it gives.
const KNOWN: &str = "unsupported_grant_type";

impl Checks {
    /// Everything of [`Checks::all`]; every finding about a document; what Atlassian thinks of the app, which is asked for
    /// `scopes`; and what becomes of a request on its way from the internet to here.
    pub async fn thorough(&self, auth: &Auth, scopes: &[&'static str]) -> Vec<Check> {
        let (all, client, consent, way) =
            tokio::join!(self.all(), client(auth), self.consent(auth, scopes), self.way());
        let further = self.config.gpts.iter().flat_map(|gpt| self.further_findings(gpt));
        let told = all.iter().cloned().chain(further).chain(self.confidential());
        told.chain([client, consent]).chain(way).collect()
    }

    /// What the lint finds beyond the worst, which [`Checks::all`] tells.
    fn further_findings(&self, gpt: &Arc<Gpt>) -> Vec<Check> {
        let (title, mut findings) = findings(&self.config, &self.entries, gpt);
        findings.sort_by_key(|finding| std::cmp::Reverse(finding.severity));
        let rest: &[Finding] = findings.get(1..).unwrap_or_default();
        rest.iter().map(|finding| document_check(title.clone(), std::slice::from_ref(finding))).collect()
    }

    async fn consent(&self, auth: &Auth, scopes: &[&'static str]) -> Check {
        let title = "Atlassian app: callback URL and scopes";
        let callback = self.config.public_url.callback();
        match auth.begin(scopes).await {
            Beginning::Begins => good(title, "Atlassian lets a sign-in begin with them."),
            Beginning::WrongCallback => bad(
                title,
                &format!("Atlassian refuses the callback URL {callback}."),
                &format!(
                    "In the developer console, Authorization, OAuth 2.0 (3LO), set the callback URL to {callback}, \
                     character for character; or CAUSEWAY_PUBLIC_URL to what is registered there."
                ),
            ),
            Beginning::WrongScope => bad(
                title,
                "Atlassian refuses a scope.",
                "In the developer console, Permissions, Confluence API, tick exactly the scopes listed below.",
            ),
            Beginning::WrongClient => bad(
                title,
                "Atlassian does not know the app.",
                "Set ATLASSIAN_CLIENT_ID to the client id of the app's Settings.",
            ),
            Beginning::Refused(status) => doubtful(
                title,
                &format!("Atlassian answers the beginning of a sign-in with status {status}."),
                &format!(
                    "Sign in once at {}: Atlassian's own page says what is wrong.",
                    self.config.public_url.docs()
                ),
            ),
            Beginning::NoAnswer => {
                doubtful(title, "Atlassian could not be asked.", "Mend the way to Atlassian first.")
            }
        }
    }

    /// What a request meets between the internet and this gateway. Nothing when it does not get here at all, which
    /// [`Checks::all`] tells.
    async fn way(&self) -> Vec<Check> {
        let origin = self.config.public_url.origin();
        let alive = self.status(self.http.get(format!("{origin}/healthz"))).await;
        if alive != Some(StatusCode::OK) {
            return Vec::new();
        }
        let (same, credentials, long, caching) =
            tokio::join!(self.same_document(), self.credentials(), self.long_requests(), self.caching());
        vec![same, credentials, long, caching]
    }

    /// Whether what runs there is configured as we are.
    async fn same_document(&self) -> Check {
        let title = "Public address leads to this configuration";
        let gpt = self.config.default_gpt();
        let ours = openapi::json(&openapi::document(&self.entries, gpt, None, &self.config.public_url));
        let answer = self.http.get(self.config.public_url.openapi(None)).timeout(PATIENCE).send().await;
        let theirs = match answer {
            Ok(answer) => answer.json::<serde_json::Value>().await.ok(),
            Err(_) => None,
        };
        if theirs.is_some_and(|theirs| theirs == ours) {
            return good(title, "Its Actions document is ours.");
        }
        doubtful(
            title,
            "Its Actions document is not the one that this configuration makes.",
            "Restart the gateway with this configuration, run this check where the gateway runs, or look where the \
             proxy in front leads.",
        )
    }

    /// Whether a proxy lets credentials through, and whether they are ours.
    async fn credentials(&self) -> Check {
        let title = "Proxy passes the Authorization header";
        let gpt = self.config.default_gpt();
        let (id, secret) = (encoded(&gpt.client_id), encoded(gpt.client_secret.expose_secret()));
        let in_header = self.http.post(self.config.public_url.token()).basic_auth(&id, Some(&secret));
        let in_header = self.token_error(in_header, "grant_type=check".to_owned());
        let body = format!("grant_type=check&client_id={id}&client_secret={secret}");
        let in_body = self.token_error(self.http.post(self.config.public_url.token()), body);
        match tokio::join!(in_header, in_body) {
            (Some(error), _) if error == KNOWN => good(title, "And the client secret there is ours."),
            (_, Some(error)) if error == KNOWN => bad(
                title,
                "It does not arrive, so that every call would be refused as not signed in.",
                "Let the proxy in front pass the header Authorization on as it is.",
            ),
            (Some(error), Some(_)) if error == "invalid_client" => bad(
                title,
                "The gateway there refuses this configuration\u{2019}s client id and secret.",
                "Restart it with this CAUSEWAY_CLIENT_ID and CAUSEWAY_CLIENT_SECRET, and type the same into the GPT.",
            ),
            _ => doubtful(
                title,
                "The token endpoint gives no answer that could be read.",
                "Let the proxy in front pass POST /oauth/token on as it is.",
            ),
        }
    }

    /// The `error` of the token endpoint's answer to a form.
    async fn token_error(&self, request: reqwest::RequestBuilder, body: String) -> Option<String> {
        let request = request.header("content-type", "application/x-www-form-urlencoded").body(body);
        let answer = request.timeout(PATIENCE).send().await.ok()?;
        let answer: serde_json::Value = answer.json().await.ok()?;
        answer["error"].as_str().map(str::to_owned)
    }

    async fn long_requests(&self) -> Check {
        let title = "Proxy passes long requests";
        let alive = format!("{}/healthz", self.config.public_url.origin());
        let header = self.status(self.http.get(&alive).bearer_auth("x".repeat(LONG)));
        let address = self.status(self.http.get(format!("{alive}?{}", "x".repeat(LONG))));
        let form = format!("grant_type=check&padding={}", "x".repeat(LONG_BODY));
        let body = self.token_error(self.http.post(self.config.public_url.token()), form);
        let (header, address, body) = tokio::join!(header, address, body);
        let refused: Vec<&str> = [
            (header == Some(StatusCode::OK), "an Authorization header of 7 KB"),
            (address == Some(StatusCode::OK), "an address of 7 KB"),
            (body.is_some(), "a body of 32 KB"),
        ]
        .into_iter()
        .filter_map(|(passes, what)| (!passes).then_some(what))
        .collect();
        if refused.is_empty() {
            return good(title, "Headers and addresses of 7 KB, bodies of 32 KB.");
        }
        bad(
            title,
            &format!("It does not pass {}.", refused.join(" or ")),
            "Raise the limit of the proxy in front: sign-ins are sealed into tokens and addresses of that length. In nginx: \
             large_client_header_buffers 4 16k; client_max_body_size 256k.",
        )
    }

    async fn caching(&self) -> Check {
        let title = "Proxy leaves caching alone";
        let request = self.http.get(format!("{}/v1/me", self.config.public_url.origin()));
        let answer = request.timeout(PATIENCE).send().await.ok();
        let kept = answer
            .as_ref()
            .and_then(|answer| answer.headers().get(CACHE_CONTROL)?.to_str().ok())
            .is_some_and(|value| value.contains("no-store"));
        if kept {
            return good(title, "Answers that belong to a person say no-store.");
        }
        doubtful(
            title,
            "The header Cache-Control: no-store does not arrive.",
            "Let the proxy in front pass it on and cache nothing below /v1, /mcp and /oauth.",
        )
    }

    async fn status(&self, request: reqwest::RequestBuilder) -> Option<StatusCode> {
        Some(request.timeout(PATIENCE).send().await.ok()?.status())
    }
}

/// Client id and secret of the Atlassian app.
async fn client(auth: &Auth) -> Check {
    let title = "Atlassian app: client id and secret";
    match auth.knows_client().await {
        Ok(()) => good(title, "Atlassian accepts them."),
        Err(AuthError::Misconfigured(code)) => bad(
            title,
            &format!("Atlassian refuses them ({code})."),
            "Set ATLASSIAN_CLIENT_ID and ATLASSIAN_CLIENT_SECRET to what Settings of the app in the developer console shows.",
        ),
        Err(_) => doubtful(title, "Atlassian could not be asked.", "Mend the way to Atlassian first."),
    }
}

/// As a form and RFC 6749 §2.3.1 want it.
fn encoded(text: &str) -> String {
    utf8_percent_encode(text, NON_ALPHANUMERIC).to_string()
}
