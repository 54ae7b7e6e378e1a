//! Every path on one page, then the layers.

mod admission;
mod body;
mod documents;
mod health;
mod layers;

use std::sync::Arc;

use axum::Router;
use axum::middleware::{from_fn, from_fn_with_state};
use axum::routing::{get, post};
use tower_http::limit::RequestBodyLimitLayer;

use crate::files::{self, Files};
use crate::web::{self, Pages};
use crate::{Gateway, action, mcp, oauth};
use documents::Documents;
use health::Health;

/// The largest request body, in bytes. Token requests and MCP calls are far smaller.
const MAX_BODY: usize = 256 * 1024;

/// The same for what anybody may send unasked: a sealed token has at most 24 KB.
const MAX_OAUTH_BODY: usize = 128 * 1024;

/// What the operator alone sees (`CAUSEWAY_ADMIN_LISTEN`).
pub fn admin(gateway: &Gateway) -> Router {
    let metrics =
        Router::new().route("/metrics", get(health::metrics)).with_state(gateway.services.metrics.clone());
    Router::new().route("/readyz", get(health::details)).with_state(gateway.checks()).merge(metrics)
}

/// The whole gateway as a service.
pub fn router(gateway: &Gateway) -> Router {
    let frame = layers::Frame {
        metrics: gateway.services.metrics.clone(),
        urls: gateway.config.public_url.clone(),
        bodies: body::Bodies::new(gateway.config.limits.body),
    };
    let server_metadata = || get(oauth::server_metadata).options(oauth::preflight);
    let resource_metadata = || get(oauth::resource_metadata).options(oauth::preflight);
    let in_flight = admission::InFlight::new(gateway.config.max_in_flight, gateway.services.metrics.clone());
    let in_flight = Arc::new(in_flight);
    let entrance = admission::Entrance { services: gateway.services.clone(), in_flight: in_flight.clone() };

    // Layers are passed from the last to the first: the bearer comes before the body, and both before a place.
    let actions: Router = action::router(gateway.entries.iter()).with_state(gateway.services.clone()).into();
    let actions = actions.layer(from_fn_with_state(Arc::new(entrance), admission::enter_actions));
    let door = mcp::Door::new(gateway.services.clone(), &gateway.entries, gateway.config.clone());
    let mcp = Router::new()
        .route("/mcp", post(mcp::answer))
        .route("/gpts/{gpt}/mcp", post(mcp::answer))
        .with_state(door.clone())
        .layer(from_fn_with_state(in_flight, admission::wait_for_a_place))
        .layer(from_fn(body::whole))
        .layer(from_fn_with_state(door, mcp::open_bearer));
    let oauth = Router::new()
        .route("/oauth/authorize", get(oauth::authorize))
        .route("/oauth/consent", post(oauth::consent))
        .route("/oauth/callback", get(oauth::callback))
        .route("/oauth/token", post(oauth::token).options(oauth::preflight))
        .route("/oauth/register", post(oauth::register).options(oauth::preflight))
        .route("/.well-known/oauth-authorization-server", server_metadata())
        .route("/.well-known/oauth-authorization-server/{*resource}", server_metadata())
        .route("/.well-known/oauth-protected-resource/mcp", resource_metadata())
        .route("/.well-known/oauth-protected-resource/gpts/{gpt}/mcp", resource_metadata())
        .with_state(gateway.services.server.clone())
        .layer(RequestBodyLimitLayer::new(MAX_OAUTH_BODY));
    let documents = Router::new()
        .route("/openapi.json", get(documents::json))
        .route("/openapi.yaml", get(documents::yaml))
        .route("/gpts/{gpt}/openapi.json", get(documents::json))
        .route("/gpts/{gpt}/openapi.yaml", get(documents::yaml))
        .with_state(Documents::new(gateway));
    let pages = Router::new()
        .route("/", get(web::setup))
        .route("/instructions", get(web::instructions_page))
        .route("/gpts/{gpt}/instructions", get(web::instructions_page))
        .route("/gpts/{gpt}/skill.md", get(web::skill_page))
        .route("/privacy", get(web::privacy))
        .route("/problems/{kind}", get(web::problem_kind))
        .route("/docs", get(web::docs))
        .route("/docs/{file}", get(web::docs_file))
        .route("/assets/{file}", get(web::asset))
        .route("/.well-known/openai-apps-challenge", get(web::challenge))
        .with_state(Pages::new(
            gateway.config.clone(),
            gateway.entries.clone(),
            gateway.services.server.atlassian_scopes(),
            gateway.http.clone(),
            gateway.services.clock.clone(),
        ));
    let files = Router::new().route("/files/{sealed}", get(files::file)).with_state(Files::new(gateway));
    let health = Router::new()
        .route("/healthz", get(health::alive))
        .route("/readyz", get(health::ready))
        .with_state(Health::new(gateway));

    Router::new()
        .merge(actions)
        .merge(mcp)
        .merge(oauth)
        .merge(documents)
        .merge(pages)
        .merge(files)
        .merge(health)
        .fallback(layers::no_such_path)
        .method_not_allowed_fallback(layers::no_such_method)
        .layer(RequestBodyLimitLayer::new(MAX_BODY))
        .layer(from_fn_with_state(Arc::new(frame), layers::frame))
}
