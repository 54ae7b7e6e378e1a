//! Starting gateways, and asking them things.

use std::future::pending;
use std::sync::{Arc, LazyLock};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use causeway::clock::Clock;
use causeway::config::{Config, Environment};
use causeway::sandbox::{App, Sandbox};
use causeway::{Gateway, serve, serve_admin};
use reqwest::RequestBuilder;
use sha2::{Digest as _, Sha256};
use tokio::net::TcpListener;

use super::{Answer, Browser, Session};

/// Awkward on purpose: every one of them has to be encoded somewhere.
pub const CLIENT_ID: &str = "client!+ID &=%41";
pub const CLIENT_SECRET: &str = "s3cret+% &=:/?#x";
pub const GPT_CALLBACK: &str = "https://chatgpt.com/aip/g-test/oauth/callback";
/// The program itself, which reads files in a process of its own.
pub const PROGRAM: &str = env!("CARGO_BIN_EXE_causeway");
const ATLASSIAN_ID: &str = "atlassian-app+1";
const ATLASSIAN_SECRET: &str = "ATOA&secret=+%2f";

/// A gateway with the sandbox behind it. A clone is the same world.
#[derive(Clone)]
pub struct World {
    /// The gateway's origin, as it is reached.
    pub url: String,
    /// Where the operator alone looks.
    pub admin_url: String,
    /// The gateway's origin, as it calls itself.
    pub public_url: String,
    pub sandbox: Sandbox,
    pub sandbox_url: String,
    /// Moves both the gateway and the sandbox.
    pub clock: Clock,
    pub env: Environment,
    pub http: reqwest::Client,
    /// A configuration file, while the world lasts.
    file: Option<Arc<File>>,
}

struct File(std::path::PathBuf);

impl Drop for File {
    fn drop(&mut self) {
        std::fs::remove_file(&self.0).unwrap_or_default();
    }
}

impl World {
    /// One GPT, no restrictions.
    pub async fn start() -> Self {
        Self::with(&[]).await
    }

    /// The same with variables set otherwise; an empty value unsets one.
    pub async fn with(overrides: &[(&str, &str)]) -> Self {
        Self::build(overrides, None).await
    }

    /// Several GPTs: `toml` is what `CAUSEWAY_CONFIG` names.
    pub async fn with_file(toml: &str, overrides: &[(&str, &str)]) -> Self {
        let name = format!("causeway-test-{}.toml", rand::random::<u64>());
        let path = std::env::temp_dir().join(name);
        std::fs::write(&path, toml).unwrap();
        let named = [
            ("CAUSEWAY_CONFIG", path.to_str().unwrap()),
            ("CAUSEWAY_CLIENT_ID", ""),
            ("CAUSEWAY_CLIENT_SECRET", ""),
        ];
        Self::build(&[&named, overrides].concat(), Some(Arc::new(File(path.clone())))).await
    }

    async fn build(overrides: &[(&str, &str)], file: Option<Arc<File>>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let sandbox_listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let sandbox_url = format!("http://{}", sandbox_listener.local_addr().unwrap());
        let media_host = sandbox_url.trim_start_matches("http://");
        let base = [
            ("CAUSEWAY_PUBLIC_URL", url.as_str()),
            ("CAUSEWAY_SECRET", &secret(1)),
            ("CAUSEWAY_CLIENT_ID", CLIENT_ID),
            ("CAUSEWAY_CLIENT_SECRET", CLIENT_SECRET),
            ("ATLASSIAN_CLIENT_ID", ATLASSIAN_ID),
            ("ATLASSIAN_CLIENT_SECRET", ATLASSIAN_SECRET),
            ("ATLASSIAN_AUTH_URL", &sandbox_url),
            ("ATLASSIAN_API_URL", &sandbox_url),
            ("ATLASSIAN_MEDIA_HOSTS", media_host),
        ];
        let mut env = Environment::new();
        for (name, value) in base.iter().chain(overrides) {
            env.insert((*name).to_owned(), (*value).to_owned());
        }
        env.retain(|_, value| !value.is_empty());
        let public_url = env["CAUSEWAY_PUBLIC_URL"].clone();

        let clock = Clock::manual("2026-11-21T09:00:00Z".parse().unwrap());
        let app = App {
            client_id: ATLASSIAN_ID.to_owned(),
            client_secret: ATLASSIAN_SECRET.to_owned(),
            callback: format!("{public_url}/oauth/callback"),
        };
        let sandbox = Sandbox::new(app, clock.clone());
        let router = sandbox.router();
        tokio::spawn(async move { axum::serve(sandbox_listener, router).await });
        let http = causeway::atlassian::http_builder()
            .redirect(reqwest::redirect::Policy::none())
            .no_proxy()
            // What is sent is looked at as it comes.
            .no_gzip()
            .build()
            .unwrap();
        let mut world =
            Self { url, admin_url: String::new(), public_url, sandbox, sandbox_url, clock, env, http, file };
        world.serve(listener, &[]).await;
        world
    }

    /// A second gateway with the same configuration before the same sandbox: another replica, or the same after a restart.
    pub async fn replica(&self) -> Self {
        self.replica_with(&[]).await
    }

    /// A replica whose configuration has changed.
    pub async fn replica_with(&self, overrides: &[(&str, &str)]) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let mut world = Self { url, ..self.clone() };
        world.serve(listener, overrides).await;
        world
    }

    /// The same world, its gateway reached at `url`.
    pub fn at(&self, url: String) -> Self {
        Self { url, ..self.clone() }
    }

    async fn serve(&mut self, listener: TcpListener, overrides: &[(&str, &str)]) {
        let mut env = self.env.clone();
        env.extend(overrides.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())));
        env.retain(|_, value| !value.is_empty());
        let mut config =
            Config::load(&env, &causeway::known_actions()).unwrap_or_else(|mistakes| panic!("{mistakes}"));
        config.extraction.program = Some(PROGRAM.into());
        let gateway = Gateway::new(config, self.clock.clone()).unwrap();
        let admin = TcpListener::bind("127.0.0.1:0").await.unwrap();
        self.admin_url = format!("http://{}", admin.local_addr().unwrap());
        let operators = gateway.clone();
        tokio::spawn(async move { serve_admin(admin, &operators, pending()).await.unwrap() });
        tokio::spawn(async move { serve(listener, &gateway, pending()).await.unwrap() });
    }

    /// A person's browser, without cookies.
    pub fn browser(&self) -> Browser {
        Browser::new(&self.public_url, &self.url, &self.sandbox_url)
    }

    /// GET `path` with the session's access token.
    pub async fn get(&self, session: &Session, path: &str) -> Answer {
        self.send(self.http.get(format!("{}{path}", self.url)).bearer_auth(&session.access_token)).await
    }

    /// GET `path` as anybody.
    pub async fn get_bare(&self, path: &str) -> Answer {
        self.send(self.http.get(format!("{}{path}", self.url))).await
    }

    pub async fn send(&self, request: RequestBuilder) -> Answer {
        Answer::read(request.send().await.unwrap()).await
    }

    /// How many calls the sandbox has seen whose path ends so.
    pub fn calls_to(&self, path_ends_with: &str) -> usize {
        self.sandbox.calls().iter().filter(|call| call.path.ends_with(path_ends_with)).count()
    }
}

/// A sealing key of this run; another `seed` is another key. None stands here: a gateway would refuse it.
pub fn secret(seed: u8) -> String {
    static OF_THIS_RUN: LazyLock<[u8; 32]> = LazyLock::new(rand::random);
    STANDARD.encode(Sha256::new().chain_update(*OF_THIS_RUN).chain_update([seed]).finalize())
}
