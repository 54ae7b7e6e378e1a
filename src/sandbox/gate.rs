//! Who asks, at which site, and whether the token is good for it.

use std::sync::Arc;

use axum::body::{Bytes, to_bytes};
use axum::extract::{OriginalUri, RawPathParams, Request, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::{MethodFilter, MethodRouter, on};
use jiff::Timestamp;

use super::Sandbox;
use super::oauth::jwt;
use super::people::{Person, Product, SITES, Site};
use super::query::Query;
use super::record::bearer;
use super::reply::{Answer, Refusal};
use super::scopes;
use super::v1::gone;
use super::wiki::View;

/// A call that passed the gate.
pub struct Ask {
    pub sandbox: Sandbox,
    pub view: View,
    pub now: Timestamp,
    /// The path below the site, as links repeat it: `/wiki/api/v2/pages`.
    pub path: String,
    /// What the caller called this server.
    pub host: String,
    params: Vec<(String, String)>,
    pub query: Query,
    pub body: Bytes,
}

impl Ask {
    pub fn param(&self, name: &str) -> &str {
        self.params.iter().find(|(key, _)| key == name).map_or("", |(_, value)| value)
    }

    /// An id in the path of the new API.
    pub fn id(&self) -> Result<&str, Refusal> {
        let id = self.param("id");
        if super::query::is_id(id) { Ok(id) } else { Err(Refusal::wrong_type(id, "id", "long")) }
    }
}

/// A bearer of a live token.
pub struct Caller {
    pub person: &'static Person,
    pub scopes: Vec<String>,
}

/// An endpoint of a site: its method, the scope it needs, and what it does.
pub fn endpoint(
    method: MethodFilter,
    scope: &'static str,
    handler: fn(&Ask) -> Answer,
) -> MethodRouter<Sandbox> {
    on(method, move |State(sandbox): State<Sandbox>, params: RawPathParams, request: Request| async move {
        match enter(sandbox, &params, request, scope).await {
            Ok(ask) => handler(&ask).unwrap_or_else(IntoResponse::into_response),
            Err(refusal) => refusal.into_response(),
        }
    })
}

pub fn get(scope: &'static str, handler: fn(&Ask) -> Answer) -> MethodRouter<Sandbox> {
    endpoint(MethodFilter::GET, scope, handler)
}

pub fn post(scope: &'static str, handler: fn(&Ask) -> Answer) -> MethodRouter<Sandbox> {
    endpoint(MethodFilter::POST, scope, handler)
}

async fn enter(
    sandbox: Sandbox,
    params: &RawPathParams,
    request: Request,
    scope: &str,
) -> Result<Ask, Refusal> {
    let params: Vec<_> = params.iter().map(|(key, value)| (key.to_owned(), value.to_owned())).collect();
    let cloud_id = params.iter().find(|(key, _)| key == "cloudid").map_or("", |(_, value)| value);
    // Nesting shortens the path; links and refusals need all of it.
    let uri = request.extensions().get::<OriginalUri>().map_or(request.uri(), |original| &original.0);
    let path = uri.path().to_owned();
    let query = Query::parse(uri.query());
    let (site, caller) = admit(&sandbox, request.headers(), &path, cloud_id, Some(scope))?;
    let host = request.headers().get(header::HOST).and_then(|host| host.to_str().ok()).unwrap_or_default();
    let host = host.to_owned();
    let path = path.find("/wiki/").map_or_else(|| path.clone(), |at| path[at..].to_owned());
    let body = to_bytes(request.into_body(), 1 << 20).await.unwrap_or_default();
    let wiki = Arc::clone(&sandbox.shared.state().wiki);
    let now = sandbox.shared.clock.now();
    let view = View { wiki, site, person: caller.person };
    Ok(Ask { sandbox, view, now, path, host, params, query, body })
}

/// Everything that is checked before an endpoint is reached.
pub fn admit(
    sandbox: &Sandbox,
    headers: &HeaderMap,
    path: &str,
    cloud_id: &str,
    scope: Option<&str>,
) -> Result<(&'static Site, Caller), Refusal> {
    let caller = caller(sandbox, headers, Some(path))?;
    let not_installed = || Refusal::gateway(StatusCode::NOT_FOUND, "No message available");
    let site = SITES.iter().find(|site| site.cloud_id == cloud_id).ok_or_else(not_installed)?;
    let listed = resources(sandbox, caller.person).iter().any(|(at, _)| at.cloud_id == cloud_id);
    if !listed {
        return Err(not_installed());
    }
    if scope.is_some_and(|scope| !caller.scopes.iter().any(|held| held == scope)) {
        return Err(Refusal::gateway(StatusCode::UNAUTHORIZED, "Unauthorized; scope does not match"));
    }
    let has_product = resources(sandbox, caller.person)
        .iter()
        .any(|(at, product)| at.cloud_id == cloud_id && *product == Product::Confluence);
    if !has_product || !caller.person.uses_confluence {
        let body = serde_json::json!({
            "message": "Current user not permitted to use Confluence", "statusCode": 403 });
        return Err(Refusal { status: StatusCode::FORBIDDEN, body });
    }
    Ok((site, caller))
}

/// The sites of a person, none when a test took them away.
pub fn resources(sandbox: &Sandbox, person: &Person) -> &'static [(&'static Site, Product)] {
    if sandbox.shared.state().siteless.contains(person.key) {
        return &[];
    }
    super::people::by_key(person.key).map_or(&[], |person| person.resources)
}

/// Reads the token. `path` is given for calls to a site, where expired tokens may answer in several ways.
pub fn caller(sandbox: &Sandbox, headers: &HeaderMap, path: Option<&str>) -> Result<Caller, Refusal> {
    let unauthorized = || Refusal::gateway(StatusCode::UNAUTHORIZED, "Unauthorized");
    let token = bearer(headers).ok_or_else(unauthorized)?;
    let claims: jwt::Claims = jwt::open(&sandbox.shared.key, token).ok_or_else(unauthorized)?;
    let person = claims.person().ok_or_else(unauthorized)?;
    if claims.exp <= sandbox.shared.clock.unix() {
        return Err(expired(sandbox, path));
    }
    let state = sandbox.shared.state();
    let grant = state.grants.get(person.key).filter(|grant| grant.serial == claims.grant);
    let grant = grant.ok_or_else(unauthorized)?;
    Ok(Caller { person, scopes: grant.scopes.clone() })
}

/// 401 as documented; when a test asks for it, 404 (v2) and 403 (v1) as people report.
fn expired(sandbox: &Sandbox, path: Option<&str>) -> Refusal {
    let as_reported = sandbox.shared.state().expired_as_reported;
    match path {
        Some(path) if as_reported && path.contains("/wiki/api/v2/") => Refusal::not_found(),
        Some(path) if as_reported && path.contains("/wiki/rest/") => {
            let body = serde_json::json!({
                "message": "Request rejected because issuer is either not authorized or not authorized to impersonate",
                "status-code": 403 });
            Refusal { status: StatusCode::FORBIDDEN, body }
        }
        _ => Refusal::gateway(StatusCode::UNAUTHORIZED, "Unauthorized"),
    }
}

/// Whether a scope held by a grant is named on a Confluence entry of accessible-resources.
pub fn confluence_scopes(held: &[String]) -> Vec<&str> {
    held.iter().map(String::as_str).filter(|scope| scopes::of_confluence(scope)).collect()
}

/// The answer to paths that do not exist, or no more.
pub async fn unknown(State(sandbox): State<Sandbox>, request: Request) -> Response {
    let path = request.uri().path();
    let Some(below) = path.strip_prefix("/ex/confluence/") else {
        return Refusal::gateway(StatusCode::NOT_FOUND, "Not Found").into_response();
    };
    let (cloud_id, below) = below.split_once('/').unwrap_or((below, ""));
    if let Err(refusal) = admit(&sandbox, request.headers(), path, cloud_id, None) {
        return refusal.into_response();
    }
    if below.starts_with("wiki/rest/api/content") || below.starts_with("wiki/rest/api/space") {
        return gone().into_response();
    }
    if below.starts_with("wiki/api/v2/") {
        return Refusal::not_found().into_response();
    }
    let body = serde_json::json!({ "message": format!("null for uri: /{below}"), "status-code": 404 });
    Refusal { status: StatusCode::NOT_FOUND, body }.into_response()
}
