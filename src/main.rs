//! The command line: parses, starts logging, binds, and calls the library.

#![allow(clippy::print_stdout, clippy::print_stderr)]

mod console;

use std::io::{self, IsTerminal as _};
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use causeway::clock::Clock;
use causeway::config::{self, Config, Gpt, Log, environment};
use causeway::demo::{Demo, demo};
use causeway::extract::{self, Limits};
use causeway::sandbox::{App, Sandbox};
use causeway::web::checks::Verdict;
use causeway::{Gateway, actions, known_actions, openapi, server, telemetry, web};
use clap::{CommandFactory, FromArgMatches, Parser, Subcommand};
use mimalloc::MiMalloc;
use tokio::net::TcpListener;

#[global_allocator]
static ALLOCATOR: MiMalloc = MiMalloc;

/// Lets ChatGPT search and read Confluence as the person who is asking.
#[derive(Parser)]
#[command(name = "causeway", version)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Serve the gateway, configured by environment variables.
    Serve,
    /// Serve the gateway on a built-in stand-in for Atlassian, with a small wiki and no account needed.
    Demo {
        /// Print what to open as one line of JSON.
        #[arg(long)]
        json: bool,
    },
    /// Serve the stand-in for Atlassian alone.
    Sandbox {
        /// The address and port to listen on.
        #[arg(long, default_value = "127.0.0.1:8081")]
        listen: SocketAddr,
        /// The client id of the one 3LO app.
        #[arg(long, default_value = "sandbox-app")]
        client_id: String,
        /// Its secret.
        #[arg(long, default_value = "sandbox-secret")]
        client_secret: String,
        /// Its callback URL.
        #[arg(long, default_value = "http://127.0.0.1:8080/oauth/callback")]
        callback: String,
    },
    /// Say what is right and what is wrong with the configuration, the document and the way to Atlassian.
    Check {
        /// Print the findings as one line of JSON.
        #[arg(long)]
        json: bool,
        /// Only ask whether the gateway on this machine answers: a container's health check.
        #[arg(long, conflicts_with = "json")]
        alive: bool,
    },
    /// Print the OpenAPI document.
    Openapi {
        /// The slug of the GPT; left out: the default one.
        #[arg(long)]
        gpt: Option<String>,
        /// As YAML instead of JSON.
        #[arg(long)]
        yaml: bool,
    },
    /// Print the text for the GPT's Instructions box.
    Instructions {
        /// The slug of the GPT; left out: the default one.
        #[arg(long)]
        gpt: Option<String>,
    },
    /// Read one file for the gateway, which starts this itself.
    #[command(hide = true)]
    Extract {
        /// The most memory it may take, in bytes.
        #[arg(long)]
        memory: u64,
        /// The longest it may compute, in seconds.
        #[arg(long)]
        cpu_seconds: u64,
    },
    /// Print a new key for `CAUSEWAY_SECRET`, or a secret for anything else.
    Keygen,
}

fn main() -> ExitCode {
    let command = Cli::command().mut_subcommand("serve", |serve| serve.after_help(console::variables()));
    let cli = Cli::from_arg_matches(&command.get_matches()).unwrap_or_else(|error| error.exit());
    let result = match cli.command {
        Command::Serve => serve(),
        Command::Demo { json } => run_demo(json),
        Command::Sandbox { listen, client_id, client_secret, callback } => {
            sandbox(listen, App { client_id, client_secret, callback })
        }
        Command::Check { alive: true, .. } => alive(),
        Command::Check { json, .. } => check(json),
        Command::Openapi { gpt, yaml } => print_document(gpt.as_deref(), yaml),
        Command::Instructions { gpt } => print_instructions(gpt.as_deref()),
        Command::Extract { memory, cpu_seconds } => {
            extract::child(Limits { memory, cpu: Duration::from_secs(cpu_seconds) })
        }
        Command::Keygen => {
            console::say(format_args!("{}", STANDARD.encode(rand::random::<[u8; 32]>())));
            Ok(())
        }
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(message) => {
            eprintln!("{}", message.trim_end());
            ExitCode::FAILURE
        }
    }
}

fn configuration() -> Result<Config, String> {
    let mut config =
        Config::load(&environment(), &known_actions()).map_err(|mistakes| mistakes.to_string())?;
    config.extraction.program = this_program();
    Ok(config)
}

/// What to start to read a file. On Linux this stays the program that runs, even when its file has been replaced.
fn this_program() -> Option<PathBuf> {
    if cfg!(target_os = "linux") { Some("/proc/self/exe".into()) } else { std::env::current_exe().ok() }
}

fn serve() -> Result<(), String> {
    let config = configuration()?;
    let exporter = telemetry::start(&config.log, config.traces.as_ref());
    let listen = config.listen;
    block_on(async move {
        let listener = bind("CAUSEWAY_LISTEN", listen)?;
        let admin = config.admin_listen;
        let gateway = Gateway::new(config, Clock::system()).map_err(|error| error.to_string())?;
        if let Some(address) = admin {
            let listener = bind("CAUSEWAY_ADMIN_LISTEN", address)?;
            let gateway = gateway.clone();
            tokio::spawn(async move { causeway::serve_admin(listener, &gateway, shutdown()).await });
        }
        let exporting = exporter.map(|exporter| exporter.start(gateway.http.clone()));
        // In one task with what accepts connections: a thread that looks once through all documents would keep the memory.
        let ((), served) = tokio::join!(announce(&gateway), causeway::serve(listener, &gateway, shutdown()));
        if let Some(exporting) = exporting {
            exporting.finish().await;
        }
        served.map_err(|error| error.to_string())
    })
}

/// Says what is served, and a moment later what is wrong: for a person in a few lines, for a machine as its log.
async fn announce(gateway: &Gateway) {
    let (config, checks) = (&gateway.config, gateway.checks());
    if config.log.json {
        let gpts: Vec<&str> = config.gpts.iter().map(|gpt| gpt.slug.as_str()).collect();
        tracing::info!(public_url = %config.public_url, listen = %config.listen, gpts = gpts.join(","), "serving");
    } else {
        eprint!("{}", console::banner(config));
    }
    let checks = [checks.all().await.to_vec(), checks.confidential()].concat();
    if !config.log.json {
        return eprint!("{}", console::state(&checks));
    }
    for check in checks.iter().filter(|check| check.verdict > Verdict::Good) {
        tracing::warn!(check = check.title, found = check.found, fix = check.fix, "not as it should be");
    }
}

fn run_demo(json: bool) -> Result<(), String> {
    let _no_traces = telemetry::start(&Log { filter: "warn".to_owned(), json: false }, None);
    let show = move |demo: &Demo| {
        if json {
            console::say(format_args!("{}", serde_json::to_string(demo).unwrap_or_default()));
        } else {
            console::say(format_args!("{}", console::welcome(demo)));
        }
    };
    block_on(async move { demo(this_program(), show, shutdown()).await.map_err(|error| error.to_string()) })
}

fn sandbox(listen: SocketAddr, app: App) -> Result<(), String> {
    block_on(async move {
        let listener = bind("--listen", listen)?;
        console::say(format_args!(
            "The sandbox listens on http://{listen} for the app {} with callback {}",
            app.client_id, app.callback
        ));
        let router = Sandbox::new(app, Clock::system()).router();
        // Nobody stands in front of it.
        let limits = config::Limits { farewell: Duration::ZERO, ..config::Limits::default() };
        server::serve(listener, router, limits, shutdown()).await.map_err(|error| error.to_string())
    })
}

fn check(json: bool) -> Result<(), String> {
    let gateway = Gateway::new(configuration()?, Clock::system()).map_err(|error| error.to_string())?;
    if io::stderr().is_terminal() {
        eprintln!("Asking Atlassian, and the public address …");
    }
    let checks = block_on(async { Ok(gateway.thorough_checks().await) })?;
    let scopes = gateway.services.server.atlassian_scopes();
    if json {
        console::say(format_args!("{}", serde_json::json!({ "checks": checks, "scopes": scopes })));
    } else {
        for check in &checks {
            console::say(format_args!("{}", console::finding(check)));
        }
        console::say(format_args!("\n{}", console::scopes(scopes).trim_end()));
    }
    console::verdict(&checks)
}

/// Asks the gateway of this machine, not its public address, and nobody else.
fn alive() -> Result<(), String> {
    let mut address = configuration()?.listen;
    if address.ip().is_unspecified() {
        address.set_ip(IpAddr::from(Ipv4Addr::LOCALHOST));
    }
    let asked = block_on(async {
        let http = causeway::atlassian::http_builder().no_proxy().timeout(Duration::from_secs(3)).build();
        let answer = http.map_err(|error| error.to_string())?.get(format!("http://{address}/healthz")).send();
        Ok(answer.await.is_ok_and(|answer| answer.status().is_success()))
    })?;
    if asked { Ok(()) } else { Err(format!("nothing is alive at {address} (CAUSEWAY_LISTEN)")) }
}

fn print_document(gpt: Option<&str>, yaml: bool) -> Result<(), String> {
    let config = configuration()?;
    let profile = find(&config, gpt)?;
    let slug = gpt.filter(|slug| *slug != config.default_gpt().slug);
    let document = openapi::document(&actions::all(), profile, slug, &config.public_url);
    if yaml {
        console::say(format_args!("{}", openapi::yaml(&document)));
    } else {
        console::say(format_args!("{}", document.to_pretty_json().map_err(|error| error.to_string())?));
    }
    Ok(())
}

fn print_instructions(gpt: Option<&str>) -> Result<(), String> {
    let config = configuration()?;
    console::say(format_args!("{}", web::instructions(find(&config, gpt)?, &actions::all())));
    Ok(())
}

fn find<'a>(config: &'a Config, slug: Option<&str>) -> Result<&'a Arc<Gpt>, String> {
    let Some(slug) = slug else { return Ok(config.default_gpt()) };
    config.gpt_by_slug(slug).ok_or_else(|| {
        let known: Vec<&str> = config.gpts.iter().map(|gpt| gpt.slug.as_str()).collect();
        format!("--gpt: there is no GPT {slug:?}. Accepted: {}", known.join(", "))
    })
}

fn block_on<T>(work: impl Future<Output = Result<T, String>>) -> Result<T, String> {
    tokio::runtime::Runtime::new().map_err(|error| error.to_string())?.block_on(work)
}

fn bind(name: &str, address: SocketAddr) -> Result<TcpListener, String> {
    server::listen(address).map_err(|error| {
        format!(
            "{name}: cannot listen on {address}: {error}. Choose another port, or stop what uses this one"
        )
    })
}

/// Resolves at SIGTERM or Ctrl-C.
async fn shutdown() {
    let interrupted = async { tokio::signal::ctrl_c().await.unwrap_or_default() };
    #[cfg(unix)]
    let terminated = async {
        match tokio::signal::unix::signal(tokio::signal::unix::SignalKind::terminate()) {
            Ok(mut signal) => drop(signal.recv().await),
            Err(_) => std::future::pending().await,
        }
    };
    #[cfg(not(unix))]
    let terminated = std::future::pending::<()>();
    tokio::select! {
        () = interrupted => {}
        () = terminated => {}
    }
}
