//! GET and POST /authorize: the consent page, with a picker instead of a login.

use askama::Template;
use axum::body::Bytes;
use axum::extract::{RawQuery, State};
use axum::http::{StatusCode, header};
use axum::response::{Html, IntoResponse, Redirect, Response};
use url::{Url, form_urlencoded};

use super::token::random;
use crate::sandbox::Sandbox;
use crate::sandbox::people::{PEOPLE, Person, by_key};
use crate::sandbox::query::Query;
use crate::sandbox::scopes;
use crate::sandbox::state::Code;

/// How long a code lives, in seconds.
const CODE_LIFETIME: i64 = 300;

#[derive(Template)]
#[template(
    ext = "html",
    source = r#"<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Allow access? · Sandbox for Atlassian</title>
<style>
:root { color-scheme: light dark; --ink: #172b4d; --soft: #505f79; --line: #c1c7d0; --page: #f4f5f7; --card: #fff; --blue: #0052cc; --on-blue: #fff; --mark: #fff0b3; --on-mark: #172b4d; }
@media (prefers-color-scheme: dark) { :root { --ink: #e6edf7; --soft: #a9b7cc; --line: #44546f; --page: #161a1d; --card: #22272b; --blue: #579dff; --on-blue: #0b1220; --mark: #533f04; --on-mark: #f8e6a0; } }
* { box-sizing: border-box; }
body { margin: 0; background: var(--page); color: var(--ink); font: 16px/1.5 system-ui, sans-serif; }
main { max-width: 34rem; margin: 2rem auto; padding: 1.5rem; background: var(--card); border: 1px solid var(--line); border-radius: 8px; }
h1 { margin: 1rem 0 .5rem; font-size: 1.5rem; line-height: 1.25; }
.note { margin: 0; padding: .5rem .75rem; border-radius: 4px; background: var(--mark); color: var(--on-mark); }
fieldset { margin: 1.25rem 0; padding: 0; border: 0; }
legend, summary { padding: 0; font-weight: 600; }
label { display: flex; gap: .75rem; margin-top: .5rem; padding: .6rem .75rem; border: 1px solid var(--line); border-radius: 6px; cursor: pointer; }
label:has(:checked) { border-color: var(--blue); box-shadow: 0 0 0 1px var(--blue); }
label small { display: block; color: var(--soft); font-size: .875rem; }
input { accent-color: var(--blue); width: 1.1rem; height: 1.1rem; margin: .25rem 0 0; flex: none; }
.buttons { display: flex; gap: .75rem; flex-wrap: wrap; margin-top: 1.25rem; }
button { min-height: 2.75rem; padding: 0 1.5rem; border: 1px solid var(--line); border-radius: 6px; background: none; color: inherit; font: inherit; cursor: pointer; }
button[value=allow] { border-color: var(--blue); background: var(--blue); color: var(--on-blue); font-weight: 600; }
:focus-visible { outline: 3px solid var(--blue); outline-offset: 2px; }
</style>
</head>
<body>
<main>
<p class="note">This is a sandbox. It stands in for Atlassian; nobody’s real account is involved.</p>
<h1>{{ app }} is asking for access to your Atlassian account</h1>
<form method="post" action="/authorize">
{% for (name, value) in hidden %}<input type="hidden" name="{{ name }}" value="{{ value }}">
{% endfor %}<fieldset>
<legend>Who are you?</legend>
{% for person in people %}<label><input type="radio" name="person" value="{{ person.key }}" required{% if loop.first %} checked{% endif %}><span>{{ person.name }}<small>{{ person.blurb.unwrap_or_default() }}</small></span></label>
{% endfor %}</fieldset>
<details>
<summary>What {{ app }} would like to do</summary>
<ul>
{% for scope in scopes %}<li>{{ crate::sandbox::scopes::describe(scope) }} (<code>{{ scope }}</code>)</li>
{% endfor %}</ul>
</details>
<div class="buttons">
<button type="submit" name="decision" value="allow">Allow</button>
<button type="submit" name="decision" value="deny">Deny</button>
</div>
</form>
</main>
</body>
</html>
"#
)]
struct Consent<'a> {
    app: &'a str,
    hidden: Vec<(&'a str, &'a str)>,
    people: Vec<&'static Person>,
    scopes: Vec<&'a str>,
}

#[derive(Template)]
#[template(
    ext = "html",
    source = r#"<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Something went wrong · Sandbox for Atlassian</title>
<style>:root { color-scheme: light dark; } body { max-width: 34rem; margin: 3rem auto; padding: 0 1.5rem; font: 16px/1.5 system-ui, sans-serif; }</style>
</head>
<body>
<main>
<h1>Hmm… something went wrong</h1>
<p>{{ why }}</p>
<p>There’s an issue with the link to this page: the app that sent you here has to mend it. (This is a sandbox that stands in for Atlassian.)</p>
</main>
</body>
</html>
"#
)]
struct Wrong<'a> {
    why: &'a str,
}

fn wrong(why: &str) -> Response {
    page(StatusCode::BAD_REQUEST, &Wrong { why })
}

fn page(status: StatusCode, template: &impl Template) -> Response {
    let html = template.render().unwrap_or_default();
    let headers = [
        (header::CACHE_CONTROL, "no-store"),
        (
            header::CONTENT_SECURITY_POLICY,
            "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'",
        ),
    ];
    (status, headers, Html(html)).into_response()
}

/// The parameters that Atlassian demands; the page repeats them to itself.
const PARAMETERS: &[&str] =
    &["audience", "client_id", "scope", "redirect_uri", "state", "response_type", "prompt"];

/// A request for consent that is in order.
struct Wanted<'a> {
    redirect_uri: &'a str,
    state: &'a str,
    scopes: Vec<&'a str>,
}

fn check<'a>(sandbox: &Sandbox, query: &'a Query) -> Result<Wanted<'a>, String> {
    let value = |name: &str| match query.get(name).filter(|value| !value.is_empty()) {
        Some(_) if query.0.iter().filter(|(key, _)| key == name).count() > 1 => {
            Err(format!("{name} was sent more than once."))
        }
        Some(value) => Ok(value),
        None => Err(format!("{name} is missing.")),
    };
    let app = &sandbox.shared.app;
    for (name, expected) in [
        ("audience", "api.atlassian.com"),
        ("client_id", app.client_id.as_str()),
        ("response_type", "code"),
        ("prompt", "consent"),
        ("redirect_uri", app.callback.as_str()),
    ] {
        if value(name)? != expected {
            return Err(match name {
                "redirect_uri" => "redirect_uri is not registered for client.".to_owned(),
                "client_id" => "The client_id does not exist.".to_owned(),
                _ => format!("{name} is not valid; it has to be {expected}."),
            });
        }
    }
    let scopes: Vec<_> = value("scope")?.split_whitespace().collect();
    if scopes.is_empty() {
        return Err("scope is missing.".to_owned());
    }
    if let Some(odd) = scopes.iter().find(|scope| !scopes::known(scope)) {
        return Err(format!("The scope {odd} is not one that this app may request."));
    }
    Ok(Wanted { redirect_uri: value("redirect_uri")?, state: value("state")?, scopes })
}

pub async fn show(State(sandbox): State<Sandbox>, RawQuery(raw): RawQuery) -> Response {
    let query = Query::parse(raw.as_deref());
    match check(&sandbox, &query) {
        Err(why) => wrong(&why),
        Ok(wanted) => {
            let hidden = PARAMETERS.iter().filter_map(|name| Some((*name, query.get(name)?))).collect();
            let people = PEOPLE.iter().filter(|person| person.blurb.is_some()).collect();
            page(StatusCode::OK, &Consent { app: "Causeway", hidden, people, scopes: wanted.scopes })
        }
    }
}

pub async fn decide(State(sandbox): State<Sandbox>, body: Bytes) -> Response {
    let form = Query(form_urlencoded::parse(&body).into_owned().collect());
    let wanted = match check(&sandbox, &form) {
        Ok(wanted) => wanted,
        Err(why) => return wrong(&why),
    };
    let answer = match (
        form.get("decision"),
        form.get("person").and_then(by_key).filter(|person| person.blurb.is_some()),
    ) {
        (Some("deny"), _) => vec![
            ("error", "access_denied".to_owned()),
            ("error_description", "User did not authorize the request".to_owned()),
        ],
        (Some("allow"), Some(person)) => vec![("code", grant(&sandbox, person, &wanted))],
        (Some("allow"), None) => return wrong("The person is missing."),
        _ => return wrong("The decision is missing."),
    };
    let Ok(mut back) = Url::parse(wanted.redirect_uri) else { return wrong("redirect_uri is not a URL.") };
    back.query_pairs_mut().extend_pairs(answer).append_pair("state", wanted.state);
    Redirect::to(back.as_str()).into_response()
}

/// Records the consent and gives a code for it.
fn grant(sandbox: &Sandbox, person: &'static Person, wanted: &Wanted<'_>) -> String {
    let code = format!("eyJhbGciOiJIUzI1NiJ9.{}", random(180));
    let expires = sandbox.shared.clock.unix() + CODE_LIFETIME;
    let grant = super::consent(sandbox, person, &wanted.scopes).serial;
    let redirect_uri = wanted.redirect_uri.to_owned();
    let record = Code { person: person.key, grant, redirect_uri, expires, used: false };
    sandbox.shared.state().codes.insert(code.clone(), record);
    code
}
