//! The Actions door: an entry as an OpenAPI operation, and as the route that answers it.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use axum::Extension;
use axum::body::{Body, Bytes, HttpBody};
use axum::extract::rejection::RawPathParamsRejection;
use axum::extract::{RawPathParams, RawQuery, Request, State};
use axum::http::HeaderValue;
use axum::http::header::CONTENT_TYPE;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use http_body::{Frame, SizeHint};
use serde_json::{Map, Value, json};
use utoipa::openapi::extensions::ExtensionsBuilder;
use utoipa::openapi::path::{
    HttpMethod, Operation, OperationBuilder, Parameter, ParameterBuilder, ParameterIn, PathItem, Paths,
};
use utoipa::openapi::schema::Schema;
use utoipa::openapi::{ContentBuilder, RefOr, Required, ResponseBuilder};
use utoipa_axum::router::{OpenApiRouter, UtoipaMethodRouter};

use super::{Entry, Services, from_request};
use crate::atlassian::{Account, Kept, Tally};
use crate::config::Gpt;
use crate::oauth::{BearerError, Grant};
use crate::problem::Problem;
use crate::seal::payloads::Door;

/// The routes of `entries` together with their document: what is served and what is described come from one expression.
pub fn router<'a>(entries: impl IntoIterator<Item = &'a Entry>) -> OpenApiRouter<Arc<Services>> {
    entries.into_iter().fold(OpenApiRouter::new(), |router, entry| router.routes(entry.routes()))
}

impl Entry {
    /// The route and its operation, as [`OpenApiRouter::routes`] takes them.
    fn routes(&self) -> UtoipaMethodRouter<Arc<Services>> {
        let mut paths = Paths::new();
        paths.paths.insert(self.path.to_owned(), PathItem::new(HttpMethod::Get, self.operation()));
        // Each layer clones what it wraps for each request.
        let entry = Arc::new(self.clone());
        let answer = move |State(services): State<Arc<Services>>,
                           Extension(grant): Extension<Grant>,
                           path: PathParams,
                           RawQuery(query): RawQuery| async move {
            answer(&entry, &services, grant, path, query.as_deref().unwrap_or_default()).await
        };
        (Vec::new(), paths, get(answer))
    }

    /// The operation of the document, without what all operations share.
    fn operation(&self) -> Operation {
        let ok = ContentBuilder::new().schema(Some(as_schema((*self.output).clone()))).build();
        let mut operation = OperationBuilder::new()
            .operation_id(Some(self.id))
            .summary(Some(self.summary.clone()))
            .description(Some(self.description.clone()))
            .response(
                "200",
                ResponseBuilder::new().description("The answer.").content("application/json", ok).build(),
            )
            .extensions(Some(ExtensionsBuilder::new().add("x-openai-isConsequential", json!(false)).build()));
        for (name, property) in self.properties() {
            operation = operation.parameter(self.parameter(name, property));
        }
        operation.build()
    }

    fn properties(&self) -> impl Iterator<Item = (&String, &Map<String, Value>)> {
        let properties = self.input.get("properties").and_then(Value::as_object).into_iter().flatten();
        properties.filter_map(|(name, property)| Some((name, property.as_object()?)))
    }

    fn parameter(&self, name: &str, property: &Map<String, Value>) -> Parameter {
        let mut property = property.clone();
        let description = property.remove("description").and_then(|text| text.as_str().map(str::to_owned));
        // Swagger UI fills in what stands as `example`, all at once: one call that works. The schema's own `examples` only tell.
        let example = self
            .example
            .iter()
            .find(|(parameter, _)| *parameter == name)
            .map(|(_, value)| Value::from(*value));
        let in_path = self.path.contains(&format!("{{{name}}}"));
        let required = self
            .input
            .get("required")
            .and_then(Value::as_array)
            .is_some_and(|names| names.iter().any(|one| one == name));
        ParameterBuilder::new()
            .name(name)
            .parameter_in(if in_path { ParameterIn::Path } else { ParameterIn::Query })
            .required(if required { Required::True } else { Required::False })
            .description(description)
            .schema(Some(as_schema(property)))
            .example(example)
            .build()
    }
}

/// A path that is not UTF-8 has no parameters.
type PathParams = Result<RawPathParams, RawPathParamsRejection>;

/// Opens the bearer token before anything else is done: the handler finds the grant in the request's extensions. Without a
/// token that counts the answer is 401 at once.
pub fn open_bearer(services: &Services, request: &mut Request) -> Result<Account, Problem> {
    let grant = services.server.grant(request.headers(), Door::Actions, None).map_err(sign_in)?;
    let account = grant.access.token.account();
    grant.attach(request.extensions_mut());
    Ok(account)
}

async fn answer(
    entry: &Entry,
    services: &Arc<Services>,
    grant: Grant,
    path: PathParams,
    query: &str,
) -> Response {
    let (tally, gpt) = (grant.tally.clone(), grant.gpt.clone());
    let json = output(entry, services, grant, path, query).await;
    let answer = json.map(|json| ([(CONTENT_TYPE, HeaderValue::from_static("application/json"))], json));
    timed(answer.into_response(), &tally, &gpt)
}

async fn output(
    entry: &Entry,
    services: &Arc<Services>,
    grant: Grant,
    path: PathParams,
    query: &str,
) -> Result<String, Problem> {
    let path = path.map_err(|_| Problem::not_found())?;
    let path: Vec<(String, String)> =
        path.iter().map(|(name, value)| (name.to_owned(), value.to_owned())).collect();
    let input = from_request(&entry.input, &path, query)?;
    Ok(entry.call(input, services, grant).await?.json)
}

/// Tells of an answer what it cost and how long it took (`Server-Timing`). The header goes to whoever got the answer. Where a
/// GPT restricts spaces it tells the whole time alone: what lies outside costs other calls than what is absent. Metrics and
/// the audit log count both. What is kept for the answer is kept until it has been sent.
pub fn timed(mut response: Response, tally: &Tally, gpt: &Gpt) -> Response {
    let timing = if gpt.restricts_content() { tally.total_timing() } else { tally.to_string() };
    if let Ok(value) = HeaderValue::try_from(timing) {
        response.headers_mut().insert("server-timing", value);
    }
    let kept = tally.kept();
    if kept.is_empty() { response } else { response.map(|body| Body::new(Holding { body, kept })) }
}

fn sign_in(error: BearerError) -> Problem {
    let problem = Problem::sign_in_required(&format!("{error}."));
    Problem { cause: Some(format!("{error:?}")), ..problem }
}

/// A body that keeps something until it has been sent.
struct Holding {
    body: Body,
    #[expect(dead_code, reason = "kept for its end")]
    kept: Vec<Kept>,
}

impl HttpBody for Holding {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        Pin::new(&mut self.body).poll_frame(context)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

/// A plain schema in utoipa's types.
pub fn as_schema(plain: Map<String, Value>) -> RefOr<Schema> {
    serde_json::from_value(Value::Object(plain)).unwrap_or_else(|_| RefOr::T(Schema::default()))
}
