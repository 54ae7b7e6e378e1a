//! The few pages that the facade shows: plain HTML, no script, nothing loaded from anywhere.

use std::sync::LazyLock;

use askama::Template;
use axum::http::{HeaderName, HeaderValue, StatusCode, header};
use axum::response::{Html, IntoResponse, Response};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::error::OauthError;
use super::redirect;
use crate::config::Config;
use crate::seal::fingerprint;
use crate::seal::payloads::SignIn;

const STYLE: &str = "\
:root{color-scheme:light dark}\
body{margin:0;font:1.0625rem/1.5 system-ui,sans-serif;background:light-dark(#f4f5f7,#16181c);color:light-dark(#1c2230,#e7e9ee)}\
main{max-width:34rem;margin:8vh auto;padding:1.5rem 2rem;background:light-dark(#fff,#22252b);border-radius:.75rem}\
h1{font-size:1.4rem;line-height:1.25;margin:.25rem 0 1rem}\
dt{font-weight:600;margin-top:.75rem}dd{margin:0;overflow-wrap:anywhere}\
form{display:flex;flex-wrap:wrap;gap:.75rem;margin:1.5rem 0 .5rem}\
button{font:inherit;min-height:2.75rem;padding:.4rem 1.4rem;border-radius:.5rem;border:1px solid light-dark(#626f86,#8c9bab);background:transparent;color:inherit;cursor:pointer}\
button.allow{background:light-dark(#0c56c9,#84b5ff);border-color:transparent;color:light-dark(#fff,#10151f)}\
a{color:light-dark(#0c56c9,#84b5ff)}\
:focus-visible{outline:3px solid light-dark(#0c56c9,#84b5ff);outline-offset:2px}\
.small{font-size:.9rem;color:light-dark(#505a6d,#aab2c0)}";

/// No `form-action`: it would stop the redirect that follows the consent form.
static POLICY: LazyLock<String> = LazyLock::new(|| {
    let style = STANDARD.encode(fingerprint(STYLE));
    format!("default-src 'none'; style-src 'sha256-{style}'; base-uri 'none'; frame-ancestors 'none'")
});

#[derive(Template)]
#[template(
    ext = "html",
    source = r#"<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{{ title }}</title>
<style>{{ style|safe }}</style>
</head>
<body>
<main>
<h1>{{ title }}</h1>
{{ body|safe }}
</main>
</body>
</html>
"#
)]
struct Layout<'a> {
    title: &'a str,
    style: &'a str,
    /// Rendered by another template.
    body: &'a str,
}

#[derive(Template)]
#[template(
    ext = "html",
    source = r#"<p>{{ what }}</p>
<p>{{ next }}</p>
{% if !link.is_empty() %}<p><a href="{{ link }}" rel="noreferrer">Go back to where you came from</a></p>
{% endif %}{% if !code.is_empty() %}<p class="small">Error: {{ code }}</p>{% endif %}"#
)]
struct Notice<'a> {
    what: &'a str,
    next: &'a str,
    link: &'a str,
    code: &'a str,
}

#[derive(Template)]
#[template(
    ext = "html",
    source = r#"<p>A program that calls itself <strong>{{ client }}</strong> asks to use Confluence as you. Nobody here has checked who made it.</p>
<dl>
<dt>What it will be able to do</dt>
<dd>Search and read the pages, blog posts, comments and attachments that you can see in Confluence, within the limits of “{{ gpt }}”. It can change nothing. The permission ends when it is not used for 90 days.</dd>
<dt>Where it will send you</dt>
<dd>{% if local %}To a program on this computer ({{ host }}){% else %}To {{ host }}{% endif %}</dd>
</dl>
<p>Allow this only if you started it yourself just now and know {% if local %}the program{% else %}{{ host }}{% endif %}. Atlassian will ask you next.</p>
<form method="post" action="/oauth/consent">
<input type="hidden" name="request" value="{{ request }}">
<button class="allow" name="decision" value="allow">Allow</button>
<button name="decision" value="deny">Deny</button>
</form>
{% if !local %}<p class="small">If you allow it, this browser will not ask again for this program and {{ host }}.</p>{% endif %}"#
)]
struct Consent<'a> {
    client: &'a str,
    gpt: &'a str,
    host: &'a str,
    local: bool,
    request: &'a str,
}

/// An authorization request that goes no further.
pub fn refusal(error: OauthError) -> Response {
    let next = "Go back to where you came from and start again. If this page comes again, tell the people who set it up.";
    let notice = Notice { what: error.description, next, link: "", code: error.code.as_str() };
    page(StatusCode::BAD_REQUEST, "This sign-in cannot go on", &notice)
}

/// A sign-in that cannot be ended here, but can be begun anew.
pub fn start_again(what: &str) -> Response {
    let next = "Nothing has been shared. Go back to ChatGPT, or to the program you came from, and sign in again from there.";
    page(StatusCode::BAD_REQUEST, "Please start again", &Notice { what, next, link: "", code: "" })
}

/// The person said no. Nobody has approved the client, so the way back to it is theirs to take.
pub fn denied(link: &str) -> Response {
    let what = "You did not allow it. Nothing has been shared.";
    page(StatusCode::OK, "Not allowed", &Notice { what, next: "You can close this page.", link, code: "" })
}

/// Asks about a client that the operator did not configure; `request` comes back with the decision.
pub fn consent(client: &str, sign_in: &SignIn, config: &Config, request: &str) -> Response {
    let host = redirect::host(&sign_in.redirect_uri);
    let gpt = config.gpt_by_client_id(&sign_in.audience.gpt).map_or("Confluence", |gpt| &gpt.name);
    let local = redirect::is_local(&sign_in.redirect_uri);
    let mut response = page(
        StatusCode::OK,
        "May it use Confluence as you?",
        &Consent { client, gpt, host: &host, local, request },
    );
    // The form's Origin is checked, and browsers leave it out under no-referrer.
    response.headers_mut().insert(header::REFERRER_POLICY, HeaderValue::from_static("same-origin"));
    response
}

fn page(status: StatusCode, title: &str, body: &impl Template) -> Response {
    let rendered = body.render().and_then(|body| Layout { title, style: STYLE, body: &body }.render());
    let Ok(html) = rendered else { return StatusCode::INTERNAL_SERVER_ERROR.into_response() };
    let mut response = (status, Html(html)).into_response();
    let fixed: [(HeaderName, &str); 5] = [
        (header::CACHE_CONTROL, "no-store"),
        (header::REFERRER_POLICY, "no-referrer"),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::X_FRAME_OPTIONS, "DENY"),
        (header::CONTENT_SECURITY_POLICY, POLICY.as_str()),
    ];
    for (name, value) in fixed {
        if let Ok(value) = HeaderValue::from_str(value) {
            response.headers_mut().insert(name, value);
        }
    }
    response
}
