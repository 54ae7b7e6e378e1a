//! What the command line says to a person. Progress and mistakes go to standard error, what was asked for to standard output.

use std::fmt::Write as _;
use std::io::{IsTerminal, Write as _, stdout};

use causeway::config::{Config, Gpt, VARIABLES, environment};
use causeway::demo::Demo;
use causeway::ids::SiteRef;
use causeway::web;
use causeway::web::checks::{Check, Verdict};

/// Prints a line of what was asked for. Whoever reads may stop early, as `head` does; nobody is left to tell then.
pub fn say(line: std::fmt::Arguments<'_>) {
    let mut out = stdout();
    writeln!(out, "{line}").and_then(|()| out.flush()).unwrap_or_default();
}

/// What `serve` serves and to whom, when it begins.
pub fn banner(config: &Config) -> String {
    let url = &config.public_url;
    let version = env!("CARGO_PKG_VERSION");
    let mut text = format!("Causeway {version} serves {url}, listening on {}\n", config.listen);
    for gpt in &config.gpts {
        let _ = writeln!(text, "  GPT      {}: {}", gpt.name, limits(gpt));
    }
    if let Some(gpt) = config.gpts.iter().find(|gpt| gpt.mcp) {
        let slug = Some(gpt.slug.as_str()).filter(|slug| *slug != config.default_gpt().slug);
        let _ = writeln!(text, "  MCP      {}, for {}", url.mcp(slug), config.mcp_clients.summary());
    }
    let _ = writeln!(text, "  set up   {url}/");
    text
}

fn limits(gpt: &Gpt) -> String {
    let site = gpt.site.as_ref().map_or("every site a person has", SiteRef::as_str);
    let spaces = match gpt.spaces.len() {
        0 => "all spaces".to_owned(),
        1 => "1 space".to_owned(),
        count => format!("{count} spaces"),
    };
    format!("{site}, {spaces}, {} actions", gpt.actions.len())
}

/// The banner's last line: what is wrong, found a moment later.
pub fn state(checks: &[Check]) -> String {
    let titles = |verdict| {
        let titles: Vec<&str> = checks
            .iter()
            .filter(|check| check.verdict == verdict)
            .map(|check| check.title.as_str())
            .collect();
        (!titles.is_empty()).then(|| titles.join("; "))
    };
    let colours = has_colours(&std::io::stderr());
    let said = match (titles(Verdict::Bad), titles(Verdict::Doubtful)) {
        (None, None) => painted("nothing that can be told from here", Verdict::Good, colours),
        (Some(bad), _) => {
            format!("{} (causeway check tells what to do)", painted(&bad, Verdict::Bad, colours))
        }
        (None, Some(doubtful)) => format!(
            "nothing; to look at: {} (causeway check tells more)",
            painted(&doubtful, Verdict::Doubtful, colours)
        ),
    };
    format!("  wrong    {said}\n")
}

/// One finding of `check`.
pub fn finding(check: &Check) -> String {
    let mark = match check.verdict {
        Verdict::Good => "ok  ",
        Verdict::Doubtful => "note",
        Verdict::Bad => "BAD ",
    };
    let mark = painted(mark, check.verdict, has_colours(&stdout()));
    let fix = check.fix.as_deref().map(|fix| format!("\n       {fix}")).unwrap_or_default();
    format!("{mark}   {}: {}{fix}", check.title, check.found)
}

/// The scopes to tick, by the tabs of Atlassian's console.
pub fn scopes(scopes: &[&'static str]) -> String {
    let (granular, classic) = web::scopes_by_tab(scopes);
    let mut text =
        "Scopes to tick in Atlassian's developer console, Permissions, Confluence API:\n".to_owned();
    for (tab, scopes) in [("granular", granular), ("classic", classic)] {
        for scope in scopes {
            let _ = writeln!(text, "  {tab:8}   {scope}");
        }
    }
    text
}

/// Fails when a finding is bad, so that a script can stop at it.
pub fn verdict(checks: &[Check]) -> Result<(), String> {
    match checks.iter().filter(|check| check.verdict == Verdict::Bad).count() {
        0 => Ok(()),
        1 => Err("1 thing is wrong".to_owned()),
        count => Err(format!("{count} things are wrong")),
    }
}

/// What `demo` says when it is ready.
pub fn welcome(demo: &Demo) -> String {
    format!(
        "Causeway demo: the gateway before a stand-in for Atlassian, with the wiki of a company called Acme.\n\
         Nothing leaves this machine.\n\n\
         Setup page   {}\n\
         Swagger UI   {}   (Authorize, choose a person, Allow, then Try it out)\n\
         Atlassian    {}   (the stand-in)\n\n\
         See permissions work: on the setup page, under \u{201c}Try it here\u{201d}, search for salary as Alice, who sees\n\
         everything. Then reload the page and search for the same as Bob, who may not read the HR space.\n\n\
         Or search from here, as Alice:\n\n{}\n\n\
         Stop with Ctrl-C.",
        demo.setup, demo.docs, demo.sandbox, demo.curl
    )
}

/// The table of variables, for `serve --help`.
pub fn variables() -> String {
    let mut text = "Environment variables:\n".to_owned();
    for variable in VARIABLES {
        let _ = writeln!(text, "  {} [{}]\n      {}", variable.name, variable.default, variable.meaning);
    }
    text
}

fn painted(text: &str, verdict: Verdict, colours: bool) -> String {
    let colour = match verdict {
        Verdict::Good => 32,
        Verdict::Doubtful => 33,
        Verdict::Bad => 31,
    };
    if colours { format!("\x1b[{colour}m{text}\x1b[0m") } else { text.to_owned() }
}

/// A person looks on, and has not asked for plain text (<https://no-color.org>).
fn has_colours(stream: &impl IsTerminal) -> bool {
    stream.is_terminal() && environment().get("NO_COLOR").is_none_or(String::is_empty)
}
