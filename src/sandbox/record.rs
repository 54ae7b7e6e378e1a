//! The layer around everything: records calls, puts faults in the way, counts points.

use axum::extract::{Request, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};

use super::Sandbox;
use super::faults::{FaultKind, Outcome};
use super::oauth::jwt;
use super::reply::{Points, Refusal};

/// A request that reached the API or the token endpoint.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Call {
    pub method: String,
    pub path: String,
    pub query: String,
    /// Key of the person whose token was sent.
    pub person: Option<String>,
    /// 0 while, or if never, answered.
    pub status: u16,
}

pub async fn layer(State(sandbox): State<Sandbox>, request: Request, next: Next) -> Response {
    let path = request.uri().path().to_owned();
    if path.starts_with("/authorize") {
        return next.run(request).await;
    }
    let is_api = path.starts_with("/ex/");
    let at = begin(&sandbox, &request);
    let _under_way = UnderWay(&sandbox);
    let response = match due_fault(&sandbox, &path, request.uri().query()).map(FaultKind::outcome) {
        Some(Outcome::Never) => std::future::pending().await,
        Some(Outcome::Answer(response)) => response,
        Some(Outcome::Late(wait, given)) => {
            tokio::time::sleep(wait).await;
            match given {
                Some(response) => response,
                None => answer(&sandbox, request, next, is_api).await,
            }
        }
        None => answer(&sandbox, request, next, is_api).await,
    };
    let response = altered(&sandbox, &path, response).await;
    if let Some(call) = sandbox.shared.state().calls.get_mut(at) {
        call.status = response.status().as_u16();
    }
    response
}

async fn altered(sandbox: &Sandbox, path: &str, response: Response) -> Response {
    let alteration = sandbox.shared.state().alteration.clone();
    let Some(alter) = alteration.filter(|_| path != "/oauth/token" && !path.starts_with("/media/")) else {
        return response;
    };
    let (mut parts, body) = response.into_parts();
    let body = axum::body::to_bytes(body, usize::MAX).await.unwrap_or_default();
    let Ok(mut value) = serde_json::from_slice(&body) else {
        return Response::from_parts(parts, body.into());
    };
    alter(path, &mut value);
    parts.headers.remove(header::CONTENT_LENGTH);
    Response::from_parts(parts, value.to_string().into())
}

fn begin(sandbox: &Sandbox, request: &Request) -> usize {
    let call = Call {
        method: request.method().to_string(),
        path: request.uri().path().to_owned(),
        query: request.uri().query().unwrap_or_default().to_owned(),
        person: person(sandbox, request.headers()),
        status: 0,
    };
    let mut state = sandbox.shared.state();
    state.under_way += 1;
    state.most_under_way = state.most_under_way.max(state.under_way);
    state.calls.push(call);
    state.calls.len() - 1
}

/// A request until it is answered, or left.
struct UnderWay<'a>(&'a Sandbox);

impl Drop for UnderWay<'_> {
    fn drop(&mut self) {
        self.0.shared.state().under_way -= 1;
    }
}

fn person(sandbox: &Sandbox, headers: &HeaderMap) -> Option<String> {
    let token = bearer(headers)?;
    Some(jwt::open::<jwt::Claims>(&sandbox.shared.key, token)?.person()?.key.to_owned())
}

pub fn bearer(headers: &HeaderMap) -> Option<&str> {
    headers.get(header::AUTHORIZATION)?.to_str().ok()?.strip_prefix("Bearer ").map(str::trim)
}

fn due_fault(sandbox: &Sandbox, path: &str, query: Option<&str>) -> Option<FaultKind> {
    let whole = format!("{path}?{}", query.unwrap_or_default());
    let mut state = sandbox.shared.state();
    let at = state.faults.iter().position(|fault| whole.contains(&fault.path_contains))?;
    let fault = &mut state.faults[at];
    let kind = fault.kind.clone();
    if fault.times != usize::MAX {
        fault.times = fault.times.saturating_sub(1);
    }
    if fault.times == 0 {
        state.faults.remove(at);
    }
    Some(kind)
}

async fn answer(sandbox: &Sandbox, request: Request, next: Next, is_api: bool) -> Response {
    if !is_api {
        return next.run(request).await;
    }
    let now = sandbox.shared.clock.now();
    let before = sandbox.shared.state().budget.standing(now);
    let mut response = if before.is_exhausted() {
        Refusal::gateway(StatusCode::TOO_MANY_REQUESTS, "Rate limit exceeded").into_response()
    } else {
        next.run(request).await
    };
    let points = response.extensions().get::<Points>().map_or(1, |points| points.0);
    let mut state = sandbox.shared.state();
    if !before.is_exhausted() {
        state.budget.spend(points, now);
    }
    state.budget.standing(now).write(response.headers_mut());
    response
}
