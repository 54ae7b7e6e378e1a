//! What is right and what is wrong with this gateway, as far as it can tell by itself, each with the way to mend it.
//!
//! The findings of [`Checks::all`] are shown to anyone, so that they hold no address but the public one and nothing of an
//! upstream answer.

mod confidential;
mod thorough;

use std::sync::Arc;
use std::time::Duration;

use axum::http::StatusCode;
use axum::http::header::DATE;
use jiff::Timestamp;
use serde::Serialize;
use url::Url;

use super::slug;
use crate::action::Entry;
use crate::clock::Clock;
use crate::config::{Config, Gpt};
use crate::memo::Memo;
use crate::openapi;
use crate::openapi::lint::{Finding, Severity, lint_import};

/// How long findings hold, so that visitors do not become load.
const REMEMBERED: Duration = Duration::from_secs(30);

/// How long anything may take to answer.
const PATIENCE: Duration = Duration::from_secs(3);

/// How far the clock may be off before tokens are misjudged, in seconds.
const MAX_SKEW: i64 = 30;

/// One thing that was looked at.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Check {
    pub title: String,
    pub verdict: Verdict,
    /// What was found.
    pub found: String,
    /// What to do about it; absent when nothing needs doing.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub fix: Option<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Verdict {
    Good,
    /// It works, but not for everyone or not as meant; or it cannot be told from here.
    Doubtful,
    /// It does not work like this.
    Bad,
}

/// Looks when asked, and remembers for a moment.
#[derive(Clone)]
pub struct Checks {
    config: Arc<Config>,
    entries: Arc<[Entry]>,
    http: reqwest::Client,
    clock: Clock,
    known: Memo<Arc<[Check]>>,
}

impl Checks {
    pub fn new(config: Arc<Config>, entries: Arc<[Entry]>, http: reqwest::Client, clock: Clock) -> Self {
        let known = Memo::lasting(1, REMEMBERED);
        Self { config, entries, http, clock, known }
    }

    /// Every check, in the order in which things have to be right.
    pub async fn all(&self) -> Arc<[Check]> {
        self.known.get_or(&[], self.look()).await
    }

    async fn look(&self) -> Arc<[Check]> {
        let (reachable, atlassian) = tokio::join!(self.reachable(), self.atlassian());
        let mut checks = vec![public_url(&self.config), reachable];
        checks.push(good("Sealing key", "At least 256 bits, and not a pattern."));
        checks.extend(atlassian);
        checks.push(site(&self.config));
        checks.extend(documents(&self.config, &self.entries));
        checks.push(operator(&self.config));
        checks.into()
    }

    async fn reachable(&self) -> Check {
        let title = "Public address answers";
        let origin = self.config.public_url.origin();
        let answer = self.http.get(format!("{origin}/healthz")).timeout(PATIENCE).send().await;
        let found = match answer.map(|answer| answer.status()) {
            Ok(status) if status.is_success() => return good(title, &format!("{origin} leads here.")),
            Ok(status) => {
                format!("{origin} answers with status {}: perhaps it is not this gateway.", status.as_u16())
            }
            Err(_) => format!("This gateway cannot reach itself at {origin}."),
        };
        let fix = format!(
            "Open {origin}/healthz from another network; it has to say \u{201c}alive\u{201d}. If it does, all is well: some \
             networks do not let a machine reach its own public address. If not, look at DNS, the certificate and the proxy \
             in front."
        );
        doubtful(title, &found, &fix)
    }

    /// Both of Atlassian's hosts, and how far our clock is from theirs.
    async fn atlassian(&self) -> Vec<Check> {
        let atlassian = &self.config.atlassian;
        let (sign_in, api) = tokio::join!(self.probe(&atlassian.auth_url), self.probe(&atlassian.api_url));
        let checks = vec![
            upstream(
                "Atlassian\u{2019}s sign-in answers",
                sign_in,
                &atlassian.auth_url,
                "ATLASSIAN_AUTH_URL",
            ),
            upstream("Atlassian\u{2019}s API answers", api, &atlassian.api_url, "ATLASSIAN_API_URL"),
        ];
        checks
            .into_iter()
            .chain(sign_in.or(api).and_then(|answer| answer.date).map(|date| self.skew(date)))
            .collect()
    }

    async fn probe(&self, base: &Url) -> Option<Sign> {
        let answer = self.http.head(base.clone()).timeout(PATIENCE).send().await.ok()?;
        let date = answer.headers().get(DATE).and_then(|date| date.to_str().ok());
        let date = date.and_then(|date| jiff::fmt::rfc2822::parse(date).ok()).map(|date| date.timestamp());
        Some(Sign { status: answer.status(), date })
    }

    fn skew(&self, theirs: Timestamp) -> Check {
        let title = "Clock";
        match self.clock.unix() - theirs.as_second() {
            off if off.abs() <= MAX_SKEW => good(title, "Agrees with Atlassian\u{2019}s."),
            off => bad(
                title,
                &format!(
                    "It is {} seconds {} Atlassian\u{2019}s.",
                    off.abs(),
                    if off > 0 { "ahead of" } else { "behind" }
                ),
                "Let this machine keep time with NTP; sign-ins expire at the wrong moment otherwise.",
            ),
        }
    }
}

/// A sign of life.
#[derive(Clone, Copy)]
struct Sign {
    status: StatusCode,
    date: Option<Timestamp>,
}

fn good(title: &str, found: &str) -> Check {
    Check { title: title.to_owned(), verdict: Verdict::Good, found: found.to_owned(), fix: None }
}

fn doubtful(title: &str, found: &str, fix: &str) -> Check {
    let (title, found, fix) = (title.to_owned(), found.to_owned(), Some(fix.to_owned()));
    Check { title, verdict: Verdict::Doubtful, found, fix }
}

fn bad(title: &str, found: &str, fix: &str) -> Check {
    Check { verdict: Verdict::Bad, ..doubtful(title, found, fix) }
}

fn public_url(config: &Config) -> Check {
    let title = "Public address is https";
    let origin = config.public_url.origin();
    if config.public_url.is_https() {
        return good(title, &format!("{origin} is."));
    }
    doubtful(
        title,
        &format!("{origin} is for this machine alone: fine for a try, but ChatGPT cannot reach it."),
        "For ChatGPT set CAUSEWAY_PUBLIC_URL to an https address that the internet reaches.",
    )
}

fn upstream(title: &str, sign: Option<Sign>, base: &Url, variable: &str) -> Check {
    let host = base.host_str().unwrap_or_default();
    match sign {
        Some(sign) if !sign.status.is_server_error() => good(title, &format!("{host} does.")),
        Some(sign) => doubtful(
            title,
            &format!("{host} answers with status {}.", sign.status.as_u16()),
            "Wait a little; status.atlassian.com tells when Atlassian has trouble.",
        ),
        None => bad(
            title,
            &format!("{host} does not answer within {} seconds.", PATIENCE.as_secs()),
            &format!(
                "Let this machine reach {}: look at the firewall and DNS, at HTTPS_PROXY when there is a proxy, at \
                 SSL_CERT_FILE when it has a certificate of its own, and at {variable} when that is set.",
                base.origin().ascii_serialization()
            ),
        ),
    }
}

/// Atlassian lets anybody sign in to an app that is shared, each with sites of their own.
fn site(config: &Config) -> Check {
    let title = "Confluence site is set";
    let open: Vec<String> = config
        .gpts
        .iter()
        .filter(|gpt| gpt.site.is_none())
        .map(|gpt| format!("\u{201c}{}\u{201d}", gpt.name))
        .collect();
    if open.is_empty() {
        return good(title, "Only people of that site are served.");
    }
    doubtful(
        title,
        &format!(
            "Any Atlassian account may sign in to {} and spend the app\u{2019}s points on a site of its own.",
            open.join(", ")
        ),
        "Set CAUSEWAY_SITE, or site in CAUSEWAY_CONFIG, to the host of your site, such as your-company.atlassian.net.",
    )
}

fn documents(config: &Config, entries: &[Entry]) -> Vec<Check> {
    let check = |gpt| {
        let (title, findings) = findings(config, entries, gpt);
        document_check(title, &findings)
    };
    config.gpts.iter().map(check).collect()
}

/// What a GPT's document is called here, and what the lint finds in it.
fn findings(config: &Config, entries: &[Entry], gpt: &Arc<Gpt>) -> (String, Vec<Finding>) {
    let slug = slug(config, gpt);
    let document = openapi::json(&openapi::document(entries, gpt, slug, &config.public_url));
    let title = match config.gpts.len() {
        1 => "Actions document".to_owned(),
        _ => format!("Actions document of \u{201c}{}\u{201d}", gpt.name),
    };
    (title, lint_import(&document, &config.public_url.openapi(slug)))
}

fn document_check(title: String, findings: &[Finding]) -> Check {
    let Some(worst) = findings.iter().max_by_key(|finding| finding.severity) else {
        return good(&title, "Keeps every rule of ChatGPT\u{2019}s that we know.");
    };
    let others = match findings.len() - 1 {
        0 => String::new(),
        more => format!(" And {more} more: causeway check lists them."),
    };
    let (verdict, found) = match worst.severity {
        Severity::Error => (Verdict::Bad, "ChatGPT will refuse it."),
        Severity::Warning => (Verdict::Doubtful, "Usable, with a reservation."),
    };
    Check { title, verdict, found: found.to_owned(), fix: Some(format!("{}{others}", worst.message)) }
}

fn operator(config: &Config) -> Check {
    let title = "Privacy page names who runs this";
    let (found, fix) = match (&config.operator, &config.contact) {
        (Some(_), Some(_)) => return good(title, "And how to reach them."),
        (Some(_), None) => ("It does not say how to reach them.", "Set CAUSEWAY_CONTACT."),
        (None, Some(_)) => ("It does not.", "Set CAUSEWAY_OPERATOR."),
        (None, None) => {
            ("It does not, nor how to reach them.", "Set CAUSEWAY_OPERATOR and CAUSEWAY_CONTACT.")
        }
    };
    doubtful(title, found, fix)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn finding(severity: Severity, message: &str) -> Finding {
        Finding { severity, rule: "a-rule", at: "/paths".to_owned(), message: message.to_owned() }
    }

    #[test]
    fn the_worst_finding_of_a_document_decides_and_is_shown() {
        let check = |findings: &[Finding]| document_check("Actions document".to_owned(), findings);
        assert_eq!(check(&[]).verdict, Verdict::Good);
        let found =
            check(&[finding(Severity::Warning, "Mind this."), finding(Severity::Error, "Mend that.")]);
        assert_eq!(found.verdict, Verdict::Bad);
        assert_eq!(found.fix.unwrap(), "Mend that. And 1 more: causeway check lists them.");
    }

    #[test]
    fn an_upstream_that_answers_at_all_is_there_and_one_that_fails_is_doubtful() {
        let base = Url::parse("https://api.atlassian.com").unwrap();
        let check = |status| upstream("x", Some(Sign { status, date: None }), &base, "X").verdict;
        assert_eq!(check(StatusCode::NOT_FOUND), Verdict::Good);
        assert_eq!(check(StatusCode::BAD_GATEWAY), Verdict::Doubtful);
        assert_eq!(upstream("x", None, &base, "X").verdict, Verdict::Bad);
    }
}
