//! The command line: parses, starts logging, binds, and calls the library.

#![allow(clippy::print_stdout, clippy::print_stderr)]

use std::fmt::Write as _;
use std::io::{self, IsTerminal as _};

use std::net::SocketAddr;
use std::process::ExitCode;
use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use causeway::clock::Clock;
use causeway::config::{Config, Gpt, Log, VARIABLES, environment};
use causeway::demo::{Demo, demo};
use causeway::sandbox::{App, Sandbox};
use causeway::web::checks::{Check, Verdict};
use causeway::{Gateway, actions, known_actions, openapi, telemetry, web};
use clap::{CommandFactory, FromArgMatches, Parser, Subcommand};
use tokio::net::TcpListener;

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
    /// Print a new key for `CAUSEWAY_SECRET`, or a secret for anything else.
    Keygen,
}

fn main() -> ExitCode {
    let command = Cli::command().mut_subcommand("serve", |serve| serve.after_help(variables()));
    let cli = Cli::from_arg_matches(&command.get_matches()).unwrap_or_else(|error| error.exit());
    let result = match cli.command {
        Command::Serve => serve(),
        Command::Demo { json } => run_demo(json),
        Command::Sandbox { listen, client_id, client_secret, callback } => {
            sandbox(listen, App { client_id, client_secret, callback })
        }
        Command::Check { json } => check(json),
        Command::Openapi { gpt, yaml } => print_document(gpt.as_deref(), yaml),
        Command::Instructions { gpt } => print_instructions(gpt.as_deref()),
        Command::Keygen => {
            println!("{}", STANDARD.encode(rand::random::<[u8; 32]>()));
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
    Config::load(&environment(), &known_actions()).map_err(|mistakes| mistakes.to_string())
}

fn serve() -> Result<(), String> {
    let config = configuration()?;
    telemetry::start(&config.log);
    let listen = config.listen;
    block_on(async move {
        let listener = bind("CAUSEWAY_LISTEN", listen).await?;
        eprint!("{}", banner(&config));
        let admin = config.admin_listen;
        let gateway = Gateway::new(config, Clock::system()).map_err(|error| error.to_string())?;
        if let Some(address) = admin {
            let listener = bind("CAUSEWAY_ADMIN_LISTEN", address).await?;
            let gateway = gateway.clone();
            tokio::spawn(async move { causeway::serve_admin(listener, &gateway, shutdown()).await });
        }
        causeway::serve(listener, &gateway, shutdown()).await.map_err(|error| error.to_string())
    })
}

fn run_demo(json: bool) -> Result<(), String> {
    telemetry::start(&Log { filter: "warn".to_owned(), json: false });
    let show = move |demo: &Demo| {
        if json {
            println!("{}", serde_json::to_string(demo).unwrap_or_default());
        } else {
            println!("{}", welcome(demo));
        }
    };
    block_on(async move { demo(show, shutdown()).await.map_err(|error| error.to_string()) })
}

fn sandbox(listen: SocketAddr, app: App) -> Result<(), String> {
    block_on(async move {
        let listener = bind("--listen", listen).await?;
        println!(
            "The sandbox listens on http://{listen} for the app {} with callback {}",
            app.client_id, app.callback
        );
        let router = Sandbox::new(app, Clock::system()).router();
        axum::serve(listener, router)
            .with_graceful_shutdown(shutdown())
            .await
            .map_err(|error| error.to_string())
    })
}

/// Fails when a finding is bad, so that a script can stop at it.
fn check(json: bool) -> Result<(), String> {
    let gateway = Gateway::new(configuration()?, Clock::system()).map_err(|error| error.to_string())?;
    let checks = block_on(async { Ok(gateway.checks().all().await) })?;
    let scopes = gateway.services.server.atlassian_scopes();
    if json {
        println!("{}", serde_json::json!({ "checks": checks, "scopes": scopes }));
    } else {
        let colours = io::stdout().is_terminal();
        checks.iter().for_each(|check| println!("{}", finding(check, colours)));
        println!("Scopes to tick at Atlassian: {}", scopes.join(" "));
    }
    match checks.iter().filter(|check| check.verdict == Verdict::Bad).count() {
        0 => Ok(()),
        1 => Err("1 thing is wrong".to_owned()),
        count => Err(format!("{count} things are wrong")),
    }
}

fn finding(check: &Check, colours: bool) -> String {
    let (mark, colour) = match check.verdict {
        Verdict::Good => ("ok  ", 32),
        Verdict::Doubtful => ("note", 33),
        Verdict::Bad => ("BAD ", 31),
    };
    let mark = if colours { format!("\x1b[{colour}m{mark}\x1b[0m") } else { mark.to_owned() };
    let fix = check.fix.as_deref().map(|fix| format!("\n       {fix}")).unwrap_or_default();
    format!("{mark}   {}: {}{fix}", check.title, check.found)
}

fn print_document(gpt: Option<&str>, yaml: bool) -> Result<(), String> {
    let config = configuration()?;
    let profile = find(&config, gpt)?;
    let slug = gpt.filter(|slug| *slug != config.default_gpt().slug);
    let document = openapi::document(&actions::all(), profile, slug, &config.public_url);
    if yaml {
        println!("{}", openapi::yaml(&document));
    } else {
        println!("{}", document.to_pretty_json().map_err(|error| error.to_string())?);
    }
    Ok(())
}

fn print_instructions(gpt: Option<&str>) -> Result<(), String> {
    let config = configuration()?;
    println!("{}", web::instructions(find(&config, gpt)?, &actions::all()));
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

async fn bind(name: &str, address: SocketAddr) -> Result<TcpListener, String> {
    TcpListener::bind(address).await.map_err(|error| {
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

fn banner(config: &Config) -> String {
    let mut text = format!("Causeway {} serves {}\n", env!("CARGO_PKG_VERSION"), config.public_url);
    for gpt in &config.gpts {
        let site = gpt.site.as_deref().unwrap_or("any site");
        let spaces = if gpt.spaces.is_empty() {
            "all spaces".to_owned()
        } else {
            format!("{} spaces", gpt.spaces.len())
        };
        let _ =
            writeln!(text, "  {} ({}): {site}, {spaces}, {} actions", gpt.name, gpt.slug, gpt.actions.len());
    }
    let _ = writeln!(text, "  listening on {}; set-up page {}/", config.listen, config.public_url);
    text
}

fn welcome(demo: &Demo) -> String {
    format!(
        "Causeway demo: the gateway on a stand-in for Atlassian. Nothing leaves this machine.\n\n\
         Setup page   {}\n\
         Swagger UI   {}   (Authorize, choose a person, Allow, then try a search)\n\
         Atlassian    {}   (the stand-in)\n\n\
         Search as Alice, who sees everything:\n\n{}\n\n\
         Stop with Ctrl-C.",
        demo.setup, demo.docs, demo.sandbox, demo.curl
    )
}

fn variables() -> String {
    let mut text = "Environment variables:\n".to_owned();
    for variable in VARIABLES {
        let _ = writeln!(text, "  {} [{}]\n      {}", variable.name, variable.default, variable.meaning);
    }
    text
}
