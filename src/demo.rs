//! `causeway demo`: the gateway and the sandbox on loopback, with random secrets and a person already signed in.
//!
//! The demo signs in through its own front door, as ChatGPT does; there is no back door.

use std::collections::BTreeMap;
use std::future::{Future, pending};
use std::io;
use std::path::PathBuf;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use reqwest::header::{COOKIE, LOCATION, SET_COOKIE};
use serde::{Deserialize, Serialize};
use tokio::net::TcpListener;
use url::Url;

use crate::atlassian::http_builder;
use crate::clock::Clock;
use crate::config::{Config, Environment};
use crate::sandbox::{App, Sandbox};
use crate::{known_actions, run, server};

/// Where the demo would like to be; other ports are taken when these are.
const PORTS: [u16; 2] = [8080, 8081];
/// Who is signed in.
const PERSON: &str = "alice";
/// A callback as ChatGPT has it. It is never fetched.
const REDIRECT: &str = "https://chatgpt.com/aip/g-demo/oauth/callback";

/// What to open and what to try.
#[derive(Clone, Debug, Serialize)]
pub struct Demo {
    /// The setup page.
    pub setup: String,
    /// Swagger UI.
    pub docs: String,
    /// An access token for the actions, of the person who sees everything.
    pub token: String,
    /// A command that searches with it.
    pub curl: String,
    /// The stand-in for Atlassian.
    pub sandbox: String,
}

/// Starts both servers, signs in, hands what to open to `ready`, and serves until `shutdown` resolves.
/// `program` is what to start to read a file.
pub async fn demo(
    program: Option<PathBuf>,
    ready: impl FnOnce(&Demo),
    shutdown: impl Future<Output = ()> + Send + 'static,
) -> io::Result<()> {
    let (gateway_listener, sandbox_listener) = (listen(PORTS[0]).await?, listen(PORTS[1]).await?);
    let gateway = format!("http://{}", gateway_listener.local_addr()?);
    let sandbox = format!("http://{}", sandbox_listener.local_addr()?);
    let env = environment(&gateway, &sandbox);
    let app = App {
        client_id: env["ATLASSIAN_CLIENT_ID"].clone(),
        client_secret: env["ATLASSIAN_CLIENT_SECRET"].clone(),
        callback: format!("{gateway}/oauth/callback"),
    };
    let mut config = Config::load(&env, &known_actions()).map_err(io::Error::other)?;
    config.extraction.program = program;
    // Nobody stands in front of it.
    config.limits.farewell = Duration::ZERO;
    let atlassian = Sandbox::new(app, Clock::system());
    atlassian.catch_up();
    let atlassian = atlassian.router();
    tokio::spawn(server::serve(sandbox_listener, atlassian, config.limits, pending()));
    let server = tokio::spawn(run(gateway_listener, config, Clock::system(), shutdown));

    let token = sign_in(&gateway, &sandbox, &env).await.map_err(io::Error::other)?;
    let curl = format!("curl -H 'Authorization: Bearer {token}' '{gateway}/v1/search?query=salary'");
    ready(&Demo { setup: format!("{gateway}/"), docs: format!("{gateway}/docs"), token, curl, sandbox });
    server.await.map_err(io::Error::other)?
}

async fn listen(port: u16) -> io::Result<TcpListener> {
    match TcpListener::bind(("127.0.0.1", port)).await {
        Ok(listener) => Ok(listener),
        Err(_) => TcpListener::bind(("127.0.0.1", 0)).await,
    }
}

fn environment(gateway: &str, sandbox: &str) -> Environment {
    let media_host = sandbox.trim_start_matches("http://").to_owned();
    BTreeMap::from(
        [
            ("CAUSEWAY_PUBLIC_URL", gateway.to_owned()),
            ("CAUSEWAY_SECRET", random()),
            ("CAUSEWAY_CLIENT_ID", "demo-gpt".to_owned()),
            ("CAUSEWAY_CLIENT_SECRET", random()),
            // Alice has two sites; with one chosen, no call has to say which.
            ("CAUSEWAY_SITE", "acme.atlassian.net".to_owned()),
            ("CAUSEWAY_NAME", "Acme wiki (demo)".to_owned()),
            ("CAUSEWAY_CONTACT", "demo@causeway.example".to_owned()),
            ("CAUSEWAY_OPERATOR", "the Causeway demo on this machine".to_owned()),
            ("ATLASSIAN_CLIENT_ID", random()),
            ("ATLASSIAN_CLIENT_SECRET", random()),
            ("ATLASSIAN_AUTH_URL", sandbox.to_owned()),
            ("ATLASSIAN_API_URL", sandbox.to_owned()),
            ("ATLASSIAN_MEDIA_HOSTS", media_host),
        ]
        .map(|(name, value)| (name.to_owned(), value)),
    )
}

fn random() -> String {
    STANDARD.encode(rand::random::<[u8; 32]>())
}

#[derive(Deserialize)]
struct TokenAnswer {
    access_token: String,
}

/// The browser leg and the token leg, as ChatGPT has them.
async fn sign_in(
    gateway: &str,
    sandbox: &str,
    env: &Environment,
) -> Result<String, Box<dyn std::error::Error + Send + Sync>> {
    let http = http_builder().redirect(reqwest::redirect::Policy::none()).no_proxy().build()?;
    let client_id = &env["CAUSEWAY_CLIENT_ID"];
    let request = [
        ("response_type", "code"),
        ("client_id", client_id),
        ("redirect_uri", REDIRECT),
        ("scope", ""),
        ("state", "demo"),
    ];
    let answer = http.get(format!("{gateway}/oauth/authorize")).query(&request).send().await?;
    let cookie = header(&answer, SET_COOKIE.as_str())?.split(';').next().unwrap_or_default().to_owned();
    let mut consent: Vec<(String, String)> = location(&answer)?.query_pairs().into_owned().collect();
    consent.extend(
        [("person", PERSON), ("decision", "allow")].map(|(name, value)| (name.to_owned(), value.to_owned())),
    );
    let answer = http.post(format!("{sandbox}/authorize")).form(&consent).send().await?;
    let answer = http.get(location(&answer)?).header(COOKIE, cookie).send().await?;
    let code = location(&answer)?
        .query_pairs()
        .find(|(name, _)| name == "code")
        .map(|(_, code)| code.into_owned())
        .ok_or("no code")?;
    let request = [
        ("grant_type", "authorization_code"),
        ("client_id", client_id),
        ("client_secret", &env["CAUSEWAY_CLIENT_SECRET"]),
        ("code", &code),
        ("redirect_uri", REDIRECT),
    ];
    let answer =
        http.post(format!("{gateway}/oauth/token")).form(&request).send().await?.error_for_status()?;
    Ok(answer.json::<TokenAnswer>().await?.access_token)
}

fn location(answer: &reqwest::Response) -> Result<Url, Box<dyn std::error::Error + Send + Sync>> {
    Ok(Url::parse(header(answer, LOCATION.as_str())?)?)
}

fn header<'a>(
    answer: &'a reqwest::Response,
    name: &str,
) -> Result<&'a str, Box<dyn std::error::Error + Send + Sync>> {
    let value = answer.headers().get(name).ok_or_else(|| format!("{} without {name}", answer.status()))?;
    Ok(value.to_str()?)
}
