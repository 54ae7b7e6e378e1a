//! The Actions document: pure assembly over the entries. What all operations share is said here, once.

pub mod lint;

pub use utoipa::openapi::OpenApi;

use serde_json::{Value, json};
use utoipa::openapi::security::{
    AuthorizationCode, Flow, OAuth2, Scopes, SecurityRequirement, SecurityScheme,
};
use utoipa::openapi::{
    ComponentsBuilder, ContentBuilder, InfoBuilder, OpenApiBuilder, Ref, ResponseBuilder, ServerBuilder,
};

use crate::action::{self, Entry};
use crate::config::Gpt;
use crate::oauth::SCOPE;
use crate::problem;
use crate::urls::PublicUrl;

/// The document of one GPT: its enabled actions, with `urls` as the one server.
///
/// `slug` is the GPT's own where several share the gateway and it is not the default one.
pub fn document(entries: &[Entry], gpt: &Gpt, slug: Option<&str>, urls: &PublicUrl) -> OpenApi {
    let enabled = entries.iter().filter(|entry| gpt.allows_action(entry.id));
    let mut document = action::router(enabled).into_openapi();
    for item in document.paths.paths.values_mut() {
        let Some(operation) = item.get.as_mut() else { continue };
        operation.responses.responses.insert("default".to_owned(), failure());
        operation.security = Some(vec![SecurityRequirement::new("oauth2", [SCOPE])]);
    }
    let components = ComponentsBuilder::new()
        .schema("Problem", plain_problem())
        .security_scheme("oauth2", SecurityScheme::OAuth2(sign_in(slug, urls)))
        .build();
    let info = InfoBuilder::new()
        .title(gpt.name.clone())
        .version(env!("CARGO_PKG_VERSION"))
        .description(Some("Search and read Confluence as the person who is asking."))
        .build();
    OpenApiBuilder::new()
        .info(info)
        .servers(Some([ServerBuilder::new().url(urls.origin()).build()]))
        .paths(document.paths)
        .components(Some(components))
        .build()
}

/// The document as JSON, as it is served and committed.
pub fn json(document: &OpenApi) -> Value {
    serde_json::to_value(document).unwrap_or_else(|_| json!({}))
}

fn failure() -> utoipa::openapi::RefOr<utoipa::openapi::Response> {
    let content = ContentBuilder::new().schema(Some(Ref::from_schema_name("Problem"))).build();
    ResponseBuilder::new()
        .description("What went wrong, and in nextStep what to do next.")
        .content("application/problem+json", content)
        .build()
        .into()
}

fn plain_problem() -> utoipa::openapi::RefOr<utoipa::openapi::schema::Schema> {
    action::as_schema(action::plain::<problem::Body>())
}

/// Where to sign in. A GPT that is not the default one is named by its resource (RFC 8707).
fn sign_in(slug: Option<&str>, urls: &PublicUrl) -> OAuth2 {
    let resource = slug.map(|slug| {
        format!(
            "?resource={}",
            percent_encoding::utf8_percent_encode(
                &urls.actions(Some(slug)),
                percent_encoding::NON_ALPHANUMERIC
            )
        )
    });
    let authorize = format!("{}{}", urls.authorize(), resource.unwrap_or_default());
    let scopes = Scopes::from_iter([(SCOPE, "Search and read Confluence as the person who is asking.")]);
    OAuth2::new([Flow::AuthorizationCode(AuthorizationCode::new(authorize, urls.token(), scopes))])
}

/// The document as YAML.
pub fn yaml(document: &OpenApi) -> String {
    yaml_serde::to_string(&json(document)).unwrap_or_default()
}
