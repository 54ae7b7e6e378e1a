use askama::Template;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::Response;

use super::headers::{Keep, page};
use super::{Pages, VERSION};
use crate::problem::Kind;

/// What a kind of problem means and what to do: where the `type` of a problem leads.
#[derive(Template)]
#[template(path = "problem.html", config = "src/web/askama.toml")]
struct ProblemKind {
    version: &'static str,
    docs: bool,
    /// Absent: there is no such kind.
    kind: Option<Explained>,
    all: [Kind; Kind::ALL.len()],
}

struct Explained {
    kind: Kind,
    meaning: &'static str,
    remedy: &'static str,
}

pub async fn problem_kind(State(pages): State<Pages>, Path(name): Path<String>) -> Response {
    let kind = Kind::ALL.into_iter().find(|kind| kind.name() == name).map(explained);
    let status = if kind.is_some() { StatusCode::OK } else { StatusCode::NOT_FOUND };
    let template = ProblemKind { version: VERSION, docs: pages.config.docs, kind, all: Kind::ALL };
    let mut response = page(Keep::Briefly, &template);
    *response.status_mut() = status;
    response
}

fn explained(kind: Kind) -> Explained {
    let (meaning, remedy) = explanation(kind);
    Explained { kind, meaning, remedy }
}

/// What it means, and what to do about it.
fn explanation(kind: Kind) -> (&'static str, &'static str) {
    match kind {
        Kind::InvalidParameter => (
            "A parameter is unknown, missing, repeated, out of range or not in the form that is accepted. Nothing was asked of Confluence.",
            "The member parameter names it, and nextStep says what is accepted. Values are never silently changed.",
        ),
        Kind::InvalidCql => (
            "The CQL (Confluence\u{2019}s query language) does not hold together, or Confluence refuses it.",
            "Mend the expression, or use query with plain words and the filters instead.",
        ),
        Kind::AmbiguousSite => (
            "The person can reach several Confluence sites, and the call does not say which one is meant.",
            "Call again with site set to the id of one of the candidates. An operator can fix the site of a GPT with CAUSEWAY_SITE.",
        ),
        Kind::AmbiguousTitle => (
            "Several pages have this title.",
            "Call getPage with the id of one of the candidates, or name the space as well.",
        ),
        Kind::AmbiguousAuthor => {
            ("Several people have this name.", "Call again with the id of one of the candidates as author.")
        }
        Kind::SignInRequired => (
            "There is no sign-in, it has expired, or Atlassian has ended it. That happens after 90 days without use, when access is \
             removed at Atlassian, or when the operator asks everyone to sign in again.",
            "Sign in again. ChatGPT renews sign-ins by itself; when it asks again and again, disconnect the GPT in ChatGPT and connect it anew.",
        ),
        Kind::MissingScope => (
            "The person\u{2019}s sign-in does not include a permission (scope) that the action needs. Most often the operator has enabled \
             an action since, or the Atlassian app lacks the scope.",
            "Sign in again. If that does not help, the operator adds the scopes that the setup page lists to the Atlassian app.",
        ),
        Kind::NotAllowed => (
            "The call names an action, a site or a space that this GPT may not use. Nothing was asked of Confluence.",
            "Leave it out. Only the operator can change what a GPT may use.",
        ),
        Kind::NoSite => (
            "The sign-in includes no Confluence site, or not the one this GPT uses.",
            "Sign in again and choose the site on Atlassian\u{2019}s page. If it is not offered, ask its administrator for access to Confluence.",
        ),
        Kind::NoAccess => (
            "Confluence lets this person in nowhere on the site, or an administrator has blocked apps from what was asked for.",
            "Ask the site\u{2019}s administrator for access to Confluence, or about the data security policy.",
        ),
        Kind::NotFound => (
            "It does not exist, or this person or this GPT may not see it. The answer is the same on purpose: it does not tell which.",
            "Check the id, link or title, or search for it. Someone who can see the page can share it with the person.",
        ),
        Kind::MethodNotAllowed => (
            "The address exists but does not take this HTTP method.",
            "Use the method that the Actions document or the header Allow names.",
        ),
        Kind::PayloadTooLarge => ("The request is larger than this gateway accepts.", "Send less."),
        Kind::UnsupportedMedia => (
            "The request, or the file that was asked for, is of a type that this gateway does not read.",
            "Open the file in Confluence instead; url leads there.",
        ),
        Kind::RateLimited => (
            "Confluence limits how often it may be asked, and that limit is reached.",
            "Wait for as many seconds as the header Retry-After says, then go on with fewer calls.",
        ),
        Kind::ConfluenceUnavailable => (
            "Confluence did not answer, or not in a way that can be used.",
            "Try once more. If it stays like this, status.atlassian.com tells whether Atlassian has trouble.",
        ),
        Kind::Internal => (
            "The gateway itself failed. That is a defect.",
            "Try once more. If it fails again, give the operator the requestId: the log has more under it.",
        ),
        Kind::Overloaded => (
            "The gateway works on as many requests as it may, and this one waited too long.",
            "Wait for as many seconds as the header Retry-After says. An operator can add replicas or raise CAUSEWAY_MAX_IN_FLIGHT.",
        ),
        Kind::TooSlow => (
            "Confluence took longer than ChatGPT waits.",
            "Try once more with a smaller limit, a narrower search, or part of the page.",
        ),
    }
}
