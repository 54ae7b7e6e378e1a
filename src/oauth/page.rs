//! The few pages that the facade shows: plain HTML, no script, nothing loaded from anywhere.

use std::sync::LazyLock;

use askama::Template;
use axum::http::{HeaderName, HeaderValue, StatusCode, header};
use axum::response::{Html, IntoResponse, Response};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::SCOPE;
use super::error::{Code, OauthError};
use super::name::display_name;
use crate::config::{Config, RedirectUri, Standing};
use crate::seal::fingerprint;

const STYLE: &str = "\
:root{color-scheme:light dark}\
body{margin:0;font:1.0625rem/1.5 system-ui,sans-serif;background:light-dark(#f4f5f7,#16181c);color:light-dark(#1c2230,#e7e9ee)}\
main{max-width:34rem;margin:8vh auto;padding:1.5rem 2rem;background:light-dark(#fff,#22252b);border-radius:.75rem}\
h1{font-size:1.4rem;line-height:1.25;margin:.25rem 0 1rem}\
dt{font-weight:600;margin-top:.75rem}dd{margin:0;overflow-wrap:anywhere}\
p{overflow-wrap:anywhere}code{font:.9rem/1.4 ui-monospace,monospace}\
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
    source = r#"<p>{% match who %}
{% when Who::Known with (name, host) %}<strong>{{ name }}, at {{ host }}</strong>, asks to use Confluence as you.
{% when Who::Listed with (host) %}A client at <strong>{{ host }}</strong>, which the operator of this gateway knows, asks to use Confluence as you.
{% when Who::App %}<strong>An app on this computer</strong> asks to use Confluence as you.
{% when Who::Stranger with (host) %}Somebody at <strong>{{ host }}</strong> asks to use Confluence as you.
{% endmatch %}{% if let Some(claim) = claim %} It calls itself “{{ claim }}”, but nobody here has checked who made it.{% endif %}</p>
<dl>
<dt>What it will be able to do</dt>
<dd>Search and read the pages, blog posts, comments and attachments that you can see in Confluence, within the limits of “{{ gpt }}”. It can change nothing. The permission ends when it is not used for 90 days.</dd>
<dt>Permission</dt>
<dd><code>{{ scope }}</code></dd>
<dt>Where you will be sent</dt>
<dd><code>{{ redirect_uri }}</code></dd>
</dl>
<p><strong>Continue only if you started this yourself a moment ago.</strong>{% match who %}
{% when Who::App %} If a page that fails to load opens afterwards, never send its address to anybody: whoever has it can read Confluence as you.
{% when Who::Stranger with (host) %} If you do not know {{ host }}, choose Deny: whoever is there could read what you can read.
{% when _ %}
{% endmatch %} Atlassian will ask you next.</p>
<form method="post" action="/oauth/consent">
<input type="hidden" name="request" value="{{ request }}">
<button class="allow" name="decision" value="allow">Allow</button>
<button name="decision" value="deny">Deny</button>
</form>
<p class="small">“{{ gpt }}” is served by {{ gateway }}{% if let Some(operator) = operator %}, run by {{ operator }}{% endif %}. <a href="{{ privacy }}">Privacy</a></p>"#
)]
struct Consent<'a> {
    who: Who<'a>,
    /// What it calls itself, where nothing better is known.
    claim: Option<String>,
    gpt: &'a str,
    scope: &'a str,
    redirect_uri: &'a str,
    request: &'a str,
    gateway: &'a str,
    operator: Option<&'a str>,
    privacy: String,
}

/// Who asks, as far as where it is called back tells.
enum Who<'a> {
    Known(&'static str, &'a str),
    Listed(&'a str),
    /// Whichever program on this computer gets hold of it.
    App,
    Stranger(&'a str),
}

impl<'a> Who<'a> {
    fn is_at(uri: &'a RedirectUri, standing: Standing) -> Self {
        match standing {
            _ if uri.is_local() => Self::App,
            Standing::Known(client) if client.alone_receives(uri) => Self::Known(client.name, uri.host()),
            Standing::Known(_) | Standing::Loopback => Self::App,
            Standing::Listed => Self::Listed(uri.host()),
            Standing::Permitted => Self::Stranger(uri.host()),
        }
    }
}

/// An authorization request that goes no further.
pub fn refusal(error: &OauthError) -> Response {
    let next = "Go back to where you came from and start again. If this page comes again, tell the people who set it up.";
    let notice = Notice { what: &error.description, next, link: "", code: error.code.as_str() };
    let status = match error.code {
        Code::ServerError => StatusCode::INTERNAL_SERVER_ERROR,
        Code::TooManyRequests => return too_many(error),
        _ => StatusCode::BAD_REQUEST,
    };
    page(status, "This sign-in cannot go on", &notice)
}

/// A sign-in that has to wait, because others that came the same way led to nothing.
pub fn too_many(error: &OauthError) -> Response {
    let what = "Too many sign-ins from this browser or network were not completed. Nothing has been shared.";
    let next = "Wait a minute, then go back to where you came from and sign in again. If this page comes again, tell the people who set it up.";
    let notice = Notice { what, next, link: "", code: error.code.as_str() };
    let mut response = page(StatusCode::TOO_MANY_REQUESTS, "Please wait a moment", &notice);
    if let Some(seconds) = error.retry_after {
        response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from(seconds));
    }
    response
}

/// A sign-in that cannot be ended here, but can be begun anew.
pub fn start_again(what: &str) -> Response {
    let next = "Nothing has been shared. Go back to ChatGPT, or to the program you came from, and sign in again from there.";
    page(StatusCode::BAD_REQUEST, "Please start again", &Notice { what, next, link: "", code: "" })
}

/// The person said no. Nobody here knows the client, so the way back to it is theirs to take.
pub fn denied(link: &str) -> Response {
    let what = "You did not allow it. Nothing has been shared.";
    page(StatusCode::OK, "Not allowed", &Notice { what, next: "You can close this page.", link, code: "" })
}

/// What the consent page is about.
pub struct Asked<'a> {
    /// What the client calls itself.
    pub name: &'a str,
    pub redirect_uri: &'a RedirectUri,
    pub standing: Standing,
    /// The client id of the GPT.
    pub gpt: &'a str,
    /// What comes back with the decision.
    pub request: &'a str,
}

/// Asks about a client that the operator did not configure.
pub fn consent(asked: &Asked<'_>, config: &Config) -> Response {
    let who = Who::is_at(asked.redirect_uri, asked.standing);
    let claim = match who {
        Who::Known(..) | Who::Listed(_) => None,
        Who::App | Who::Stranger(_) => display_name(asked.name),
    };
    let gpt = config.gpt_by_client_id(asked.gpt).map_or("Confluence", |gpt| &gpt.name);
    let body = Consent {
        who,
        claim,
        gpt,
        scope: SCOPE,
        redirect_uri: asked.redirect_uri.as_str(),
        request: asked.request,
        gateway: config.public_url.origin(),
        operator: config.operator.as_deref(),
        privacy: config.public_url.privacy(),
    };
    let mut response = page(StatusCode::OK, "May it use Confluence as you?", &body);
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
