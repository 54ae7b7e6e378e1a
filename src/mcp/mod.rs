//! The MCP door: the enabled actions of a GPT as tools, over Streamable HTTP without sessions. Any replica answers any
//! request, in JSON; nothing is ever pushed, so that GET and DELETE have nothing to do here.
//!
//! The journey of a request: [`open_bearer`] (origin, bearer) → [`answer`] (JSON-RPC) → rmcp (protocol versions) → `session` → [`Entry::call`].

mod guard;
mod research;
mod session;
mod tools;

use std::sync::Arc;

use axum::Extension;
use axum::body::{Body, Bytes, to_bytes};
use axum::extract::{Path, Request, State};
use axum::http::header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE};
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderValue, StatusCode};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use rmcp::model::{ClientJsonRpcMessage, ErrorCode, Implementation, ServerCapabilities, ServerConfig};
use rmcp::transport::streamable_http_server::session::never::NeverSessionManager;
use rmcp::transport::streamable_http_server::{StreamableHttpServerConfig, StreamableHttpService};
use serde_json::{Value, json};

use crate::action::{Entry, Services, timed};
use crate::config::{Config, Gpt};
use crate::oauth::Grant;
use crate::problem::{Kind, Problem};
use crate::seal::payloads;
use crate::telemetry::RequestId;
use crate::urls::is_loopback_host;
use crate::web;
use guard::Challenge;
use session::Session;
use tools::Toolbox;

/// The largest request, in bytes: arguments are short texts.
const MAX_BODY: usize = 256 * 1024;

/// The most commas that a request holds, those of its texts included: the longest text has 4,000 characters.
const MOST_VALUES: usize = 8192;

/// The MCP endpoints of all GPTs. A clone is another handle to the same.
#[derive(Clone)]
pub struct Door(Arc<Shared>);

struct Shared {
    services: Arc<Services>,
    config: Arc<Config>,
    profiles: Vec<Arc<Profile>>,
}

/// What one GPT's endpoint offers.
struct Profile {
    gpt: Arc<Gpt>,
    toolbox: Toolbox,
    /// What the server says of itself.
    about: ServerConfig,
}

impl Door {
    pub fn new(services: Arc<Services>, entries: &Arc<[Entry]>, config: Arc<Config>) -> Self {
        let profiles = config.gpts.iter().map(|gpt| Arc::new(Profile::new(gpt, entries, &config))).collect();
        Self(Arc::new(Shared { services, config, profiles }))
    }

    /// The GPT whose endpoint this is, if it has one; without a slug, the default one.
    fn profile(&self, slug: Option<&str>) -> Option<&Arc<Profile>> {
        match slug {
            Some(slug) => self.0.profiles.iter().find(|profile| profile.gpt.slug == slug),
            None => self.0.profiles.first(),
        }
        .filter(|profile| profile.gpt.mcp)
    }
}

impl Profile {
    fn new(gpt: &Arc<Gpt>, entries: &Arc<[Entry]>, config: &Config) -> Self {
        let identity = Implementation::new("causeway", env!("CARGO_PKG_VERSION"))
            .with_title(&gpt.name)
            .with_website_url(config.public_url.origin());
        let about = ServerConfig::new(ServerCapabilities::builder().enable_tools().build())
            .with_server_info(identity)
            .with_instructions(web::instructions(gpt, entries));
        Self { gpt: gpt.clone(), toolbox: Toolbox::new(gpt, entries), about }
    }
}

/// Opens the bearer token of a request to an MCP endpoint before anything else is done, its body read included: [`answer`]
/// and the layers between find the grant in the request's extensions. Without a token that counts the answer is 401 at once.
pub async fn open_bearer(
    State(door): State<Door>,
    slug: Option<Path<String>>,
    mut request: Request,
    next: Next,
) -> Response {
    let slug = slug.as_ref().map(|Path(slug)| slug.as_str());
    match door.identify(slug, request.headers()) {
        Ok(grant) => grant.attach(request.extensions_mut()),
        Err(refusal) => return refusal.answer(&door, slug),
    }
    next.run(request).await
}

/// Answers `POST /mcp` and `POST /gpts/{gpt}/mcp`, behind [`open_bearer`].
pub async fn answer(
    State(door): State<Door>,
    slug: Option<Path<String>>,
    Extension(grant): Extension<Grant>,
    request: Request,
) -> Response {
    let slug = slug.as_ref().map(|Path(slug)| slug.as_str());
    door.respond(slug, grant, request).await.unwrap_or_else(|refusal| refusal.answer(&door, slug))
}

/// Why a request gets no answer of the protocol.
enum Refusal {
    Problem(Problem),
    Challenge(Challenge),
    JsonRpc(ErrorCode, &'static str),
}

impl Refusal {
    fn answer(self, door: &Door, slug: Option<&str>) -> Response {
        match self {
            Self::Problem(problem) => problem.into_response(),
            Self::Challenge(challenge) => challenge.answer(&door.0.config.public_url, slug),
            Self::JsonRpc(code, message) => not_json_rpc(code, message),
        }
    }
}

impl Door {
    /// Who calls this endpoint, from where it may be called.
    fn identify(&self, slug: Option<&str>, headers: &HeaderMap) -> Result<Grant, Refusal> {
        let Shared { services, config, .. } = &*self.0;
        let profile = self.endpoint(slug)?;
        guard::check_origin(headers, &config.public_url).map_err(Refusal::Problem)?;
        let grant = services.server.grant(headers, payloads::Door::Mcp, Some(&profile.gpt.client_id));
        grant.map_err(|error| Refusal::Challenge(error.into()))
    }

    fn endpoint(&self, slug: Option<&str>) -> Result<&Arc<Profile>, Refusal> {
        self.profile(slug).ok_or_else(|| Refusal::Problem(no_such_gpt()))
    }

    async fn respond(&self, slug: Option<&str>, grant: Grant, request: Request) -> Result<Response, Refusal> {
        let profile = self.endpoint(slug)?;
        let (mut parts, body) = request.into_parts();
        let body = to_bytes(body, MAX_BODY).await.map_err(|_| Refusal::Problem(too_large()))?;
        check_message(&parts.headers, &body)?;
        prepare(&mut parts);

        let tally = grant.tally.clone();
        let request_id = parts.extensions.get::<RequestId>().copied().unwrap_or_default();
        let session = Session::new(self.0.clone(), profile.clone(), grant, request_id);
        let answered = session.clone();
        let service = StreamableHttpService::new(
            move || Ok(session.clone()),
            Arc::new(NeverSessionManager::default()),
            self.transport(),
        );
        let response = service.handle(Request::from_parts(parts, Body::from(body))).await;
        match answered.challenge() {
            Some(challenge) => Err(Refusal::Challenge(challenge)),
            None => Ok(timed(response.map(Body::new), &tally, &profile.gpt)),
        }
    }

    /// Stateless, in JSON. A local gateway insists on a local `Host`, against DNS rebinding; a public one stands behind
    /// proxies that may rewrite it.
    fn transport(&self) -> StreamableHttpServerConfig {
        let transport = StreamableHttpServerConfig::default()
            .with_legacy_session_mode(false)
            .with_json_response(true)
            .with_max_request_body_bytes(MAX_BODY);
        if is_loopback_host(self.0.config.public_url.host()) {
            transport
        } else {
            transport.disable_allowed_hosts()
        }
    }
}

/// Refuses what is not one JSON-RPC message, in JSON-RPC's own words.
fn check_message(headers: &HeaderMap, body: &Bytes) -> Result<(), Refusal> {
    let media_type = headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    if !media_type.split(';').next().unwrap_or_default().trim().eq_ignore_ascii_case("application/json") {
        let problem = Problem::new(
            Kind::UnsupportedMedia,
            "The body is not declared as application/json.",
            "Send one JSON-RPC message with Content-Type: application/json.",
        );
        return Err(Refusal::Problem(problem));
    }
    // A value takes 72 bytes, be it a zero: what holds many would be many times as large as it is long.
    if memchr::memchr_iter(b',', body).count() > MOST_VALUES {
        return Err(Refusal::JsonRpc(ErrorCode::INVALID_REQUEST, "The message holds too many values."));
    }
    let Ok(message) = serde_json::from_slice::<Value>(body) else {
        return Err(Refusal::JsonRpc(ErrorCode::PARSE_ERROR, "The body is not JSON."));
    };
    if message.is_array() {
        return Err(Refusal::JsonRpc(
            ErrorCode::INVALID_REQUEST,
            "Batches are not accepted; send one message.",
        ));
    }
    match serde_json::from_value::<ClientJsonRpcMessage>(message) {
        Ok(_) => Ok(()),
        Err(_) => {
            Err(Refusal::JsonRpc(ErrorCode::INVALID_REQUEST, "The body is not a JSON-RPC 2.0 message."))
        }
    }
}

/// What rmcp need not see: the token. What it insists on and this door does not: that JSON is accepted as an event stream too.
fn prepare(parts: &mut Parts) {
    parts.headers.remove(AUTHORIZATION);
    let accepted = parts.headers.get_all(ACCEPT).iter().filter_map(|value| value.to_str().ok());
    let takes_json = accepted.flat_map(|value| value.split(',')).any(|range| {
        let media_type = range.split(';').next().unwrap_or_default().trim();
        ["application/json", "application/*", "*/*"].iter().any(|json| media_type.eq_ignore_ascii_case(json))
    });
    if takes_json || !parts.headers.contains_key(ACCEPT) {
        parts.headers.insert(ACCEPT, HeaderValue::from_static("application/json, text/event-stream"));
    }
}

fn not_json_rpc(code: ErrorCode, message: &str) -> Response {
    let body = json!({ "jsonrpc": "2.0", "id": null, "error": { "code": code.0, "message": message } });
    (StatusCode::BAD_REQUEST, axum::Json(body)).into_response()
}

fn no_such_gpt() -> Problem {
    Problem::new(
        Kind::NotFound,
        "There is no such MCP endpoint.",
        "Use the MCP URL that the setup page shows.",
    )
}

fn too_large() -> Problem {
    Problem::new(Kind::PayloadTooLarge, "The request is too large.", "Send shorter arguments.")
}
