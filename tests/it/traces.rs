//! Traces for OpenTelemetry, as a collector gets them: whole, connected with the client's own, and without anything that
//! belongs to a person.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex};

use axum::Router;
use axum::body::Bytes;
use axum::http::{HeaderMap, StatusCode};
use axum::routing::post;
use causeway::clock::Clock;
use causeway::config::{Config, Environment, Log as Level, Traces};
use causeway::known_actions;
use causeway::telemetry::{Exporting, subscriber};
use serde_json::Value;
use tokio::net::TcpListener;
use tracing_subscriber::util::SubscriberInitExt as _;

use crate::asking::ACME;
use crate::privacy_of_logs::{Log, rehearse};
use crate::support::{CLIENT_SECRET, Session, World};

const TRACE: &str = "0af7651916cd43dd8448eb211c80319c";
const PARENT: &str = "b7ad6b7169203331";

/// What a collector was sent.
#[derive(Clone, Default)]
struct Collector(Arc<Mutex<Vec<(HeaderMap, String)>>>);

impl Collector {
    /// Listens, and answers with `status`.
    async fn listen(status: StatusCode) -> (Self, String) {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let collector = Self::default();
        let kept = collector.clone();
        let take = async move |headers: HeaderMap, body: Bytes| {
            kept.0.lock().unwrap().push((headers, String::from_utf8(body.to_vec()).unwrap()));
            status
        };
        let app = Router::new().route("/v1/traces", post(take));
        tokio::spawn(async move { axum::serve(listener, app).await });
        (collector, url)
    }

    fn text(&self) -> String {
        self.0.lock().unwrap().iter().map(|(_, body)| body.as_str()).collect::<Vec<_>>().join("\n")
    }

    fn spans(&self) -> Vec<Value> {
        let bodies = self.0.lock().unwrap().iter().map(|(_, body)| body.clone()).collect::<Vec<_>>();
        let bodies = bodies.iter().map(|body| serde_json::from_str::<Value>(body).unwrap());
        bodies
            .flat_map(|body| body["resourceSpans"][0]["scopeSpans"][0]["spans"].as_array().unwrap().clone())
            .collect()
    }
}

fn configured(variables: &[(&str, &str)]) -> Result<Option<Traces>, String> {
    let mut env: Environment = [
        ("CAUSEWAY_PUBLIC_URL", "http://localhost:8080"),
        ("CAUSEWAY_SECRET", &crate::support::secret(1)),
        ("CAUSEWAY_CLIENT_ID", "x"),
        ("CAUSEWAY_CLIENT_SECRET", CLIENT_SECRET),
        ("ATLASSIAN_CLIENT_ID", "x"),
        ("ATLASSIAN_CLIENT_SECRET", "another-secret-of-ours"),
    ]
    .map(|(name, value)| (name.to_owned(), value.to_owned()))
    .into();
    env.extend(variables.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())));
    Config::load(&env, &known_actions()).map(|config| config.traces).map_err(|mistakes| mistakes.to_string())
}

/// A process that logs everything and traces to `endpoint`.
fn observed(endpoint: &str, further: &[(&str, &str)]) -> (Log, Exporting, tracing::subscriber::DefaultGuard) {
    let variables = [&[("OTEL_EXPORTER_OTLP_ENDPOINT", endpoint)], further].concat();
    let traces = configured(&variables).unwrap();
    let log = Log::default();
    let writer = log.clone();
    let level = Level { filter: "info".to_owned(), json: false };
    let (subscriber, exporter) =
        subscriber(&level, traces.as_ref(), &Clock::system(), move || writer.clone());
    let guard = subscriber.set_default();
    let http = causeway::atlassian::http_builder().no_proxy().build().unwrap();
    (log, exporter.unwrap().start(http), guard)
}

impl World {
    /// GET `path` as part of the client's own trace.
    async fn get_within(&self, session: &Session, path: &str, traceparent: &str) -> u16 {
        let request = self.http.get(format!("{}{path}", self.url)).bearer_auth(&session.access_token);
        self.send(request.header("traceparent", traceparent)).await.status
    }
}

fn attribute<'a>(span: &'a Value, name: &str) -> &'a str {
    let attributes = span["attributes"].as_array().unwrap();
    let found = attributes.iter().find(|attribute| attribute["key"] == name);
    let value = found.map_or(&Value::Null, |attribute| &attribute["value"]);
    value["stringValue"].as_str().or(value["intValue"].as_str()).unwrap_or_default()
}

#[tokio::test]
async fn a_request_its_action_and_its_calls_are_one_trace_that_goes_on_from_the_clients() {
    let (collector, url) = Collector::listen(StatusCode::OK).await;
    let further = [("OTEL_EXPORTER_OTLP_HEADERS", "x-key=a%20key"), ("OTEL_SERVICE_NAME", "wiki")];
    let (log, exporting, guard) = observed(&url, &further);
    let world = World::with(&[("CAUSEWAY_SITE", ACME)]).await;
    rehearse(&world).await;
    let alice = world.sign_in("alice").await;
    let status = world.get_within(&alice, "/v1/pages/1310745", &format!("00-{TRACE}-{PARENT}-01")).await;
    assert_eq!(status, 200);
    exporting.finish().await;
    drop(guard);

    let spans = collector.spans();
    let trace: Vec<_> = spans.iter().filter(|span| span["traceId"] == TRACE).collect();
    let request = trace.iter().find(|span| span["parentSpanId"] == PARENT).unwrap();
    assert_eq!((&request["name"], &request["kind"]), (&"GET /v1/pages/{id}".into(), &2.into()));
    assert_eq!(attribute(request, "http.response.status_code"), "200");
    let of = |parent: &Value| {
        let id = parent["spanId"].clone();
        trace.iter().filter(move |span| span["parentSpanId"] == id).collect::<Vec<_>>()
    };
    let [action] = of(request)[..] else { panic!("{trace:#?}") };
    assert_eq!((&action["name"], &action["kind"]), (&"getPage".into(), &1.into()));
    let told = ["causeway.action", "causeway.door", "causeway.gpt", "causeway.outcome"];
    assert_eq!(told.map(|name| attribute(action, name)), ["getPage", "actions", "default", "ok"]);
    let calls = of(action);
    assert!(!calls.is_empty() && calls.len() + 2 == trace.len(), "{trace:#?}");
    assert!(
        calls.iter().any(|call| call["name"].as_str().unwrap().ends_with("pages/…") && call["kind"] == 3)
    );
    for span in &spans {
        let time = |name: &str| span[name].as_str().unwrap().parse::<u128>().unwrap();
        assert!(time("startTimeUnixNano") < time("endTimeUnixNano"), "{span}");
        assert!(span["status"].get("code").is_none(), "{span}");
    }
    // Whoever reads the log finds the trace.
    assert!(log.text().lines().any(|line| line.contains("answered") && line.contains(TRACE)));
    let sent = collector.0.lock().unwrap();
    assert_eq!(sent[0].0["x-key"], "a key");
    let body: Value = serde_json::from_str(&sent[0].1).unwrap();
    let resource = &body["resourceSpans"][0]["resource"];
    assert_eq!(attribute(resource, "service.name"), "wiki");
}

#[tokio::test]
async fn a_trace_holds_nothing_that_belongs_to_a_person() {
    let (collector, url) = Collector::listen(StatusCode::OK).await;
    let (_, exporting, guard) = observed(&url, &[]);
    let world = World::with_every_action(&[]).await;
    rehearse(&world).await;
    let back = world.code("alice").await;
    let alice = Session::of(world.redeem(&back).await);
    for (_, path, query) in crate::asking::examples() {
        world.get(&alice, &crate::asking::with_query(&path, &query)).await.expect(200);
    }
    for path in ["/v1/search?query=mulgara", "/v1/mulgara", "/mulgara?x=mulgara", "/v1/search?cql=mulgara%28"]
    {
        world.get(&alice, path).await;
    }
    let renewed = Session::of(world.refresh(&alice.refresh_token).await);
    exporting.finish().await;
    drop(guard);

    let text = collector.text();
    assert!(
        collector.spans().len() > 40 && text.contains("searchConfluence") && text.contains("/oauth/token")
    );
    let piece = |secret: &str| secret[secret.len() / 2..][..20].to_owned();
    for secret in [&alice.access_token, &alice.refresh_token, &renewed.access_token, &back] {
        assert!(!text.contains(&piece(secret)));
    }
    for word in ["mulgara", "712020:", "Anderson", "1310745", "eyJhbGci", "onboarding", CLIENT_SECRET] {
        assert!(!text.to_lowercase().contains(&word.to_lowercase()), "{word} is in a trace");
    }
    let known = [
        "causeway.request",
        "http.request.method",
        "http.route",
        "http.response.status_code",
        "causeway.action",
        "causeway.door",
        "causeway.gpt",
        "causeway.call",
        "causeway.outcome",
    ];
    let spans = collector.spans();
    let attributes = spans.iter().flat_map(|span| span["attributes"].as_array().unwrap());
    let keys: BTreeSet<&str> = attributes.map(|attribute| attribute["key"].as_str().unwrap()).collect();
    assert_eq!(keys, BTreeSet::from(known));
}

#[tokio::test]
async fn what_the_client_does_not_sample_is_not_sent_and_nonsense_begins_a_trace_of_its_own() {
    let (collector, url) = Collector::listen(StatusCode::OK).await;
    let (_, exporting, guard) = observed(&url, &[]);
    let world = World::with(&[("CAUSEWAY_SITE", ACME)]).await;
    rehearse(&world).await;
    let alice = world.sign_in("alice").await;
    world.get_within(&alice, "/v1/me", &format!("00-{TRACE}-{PARENT}-00")).await;
    world.get_within(&alice, "/v1/spaces", "00-mulgara-x-01").await;
    exporting.finish().await;
    drop(guard);
    let spans = collector.spans();
    let named = |name: &str| spans.iter().filter(|span| span["name"] == name).collect::<Vec<_>>();
    assert!(named("GET /v1/me").is_empty() && named("whoAmI").is_empty());
    let [spaces] = named("GET /v1/spaces")[..] else { panic!("{spans:#?}") };
    assert!(spaces.get("parentSpanId").is_none());
    assert_eq!(named("listSpaces")[0]["traceId"], spaces["traceId"]);
    assert!(!collector.text().contains(TRACE));
}

#[tokio::test]
async fn a_collector_that_refuses_or_is_not_there_harms_nobody_and_is_told_once() {
    let (_, refusing) = Collector::listen(StatusCode::UNAUTHORIZED).await;
    for endpoint in [refusing.as_str(), "http://secret:word@127.0.0.1:9"] {
        let (log, exporting, guard) =
            observed(endpoint, &[("OTEL_EXPORTER_OTLP_HEADERS", "authorization=Bearer%20hush")]);
        let world = World::with(&[("CAUSEWAY_SITE", ACME)]).await;
        rehearse(&world).await;
        let alice = world.sign_in("alice").await;
        world.get(&alice, "/v1/pages/1310745").await.expect(200);
        exporting.finish().await;
        drop(guard);
        let log = log.text();
        assert_eq!(log.matches("traces cannot be sent").count(), 1, "{log}");
        assert!(!log.contains("hush") && !log.contains("word@"), "{log}");
    }
}

#[test]
fn traces_are_off_until_an_endpoint_is_set_and_every_mistake_is_told() {
    const ON: (&str, &str) = ("OTEL_EXPORTER_OTLP_ENDPOINT", "http://collector:4318/");
    assert!(configured(&[]).unwrap().is_none());
    assert!(configured(&[ON, ("OTEL_SDK_DISABLED", "true")]).unwrap().is_none());
    assert!(configured(&[ON, ("OTEL_TRACES_EXPORTER", "none")]).unwrap().is_none());
    let traces = configured(&[ON, ("OTEL_RESOURCE_ATTRIBUTES", "k8s.pod.name=one%2Ctwo")]).unwrap().unwrap();
    assert_eq!(traces.endpoint.as_str(), "http://collector:4318/v1/traces");
    assert!(traces.resource.contains(&("k8s.pod.name".to_owned(), "one,two".to_owned())));
    assert!(traces.resource.contains(&("service.name".to_owned(), "causeway".to_owned())));
    let own = ("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "https://traces.example/in");
    assert_eq!(configured(&[ON, own]).unwrap().unwrap().endpoint.as_str(), own.1);
    let sampler = [("OTEL_TRACES_SAMPLER", "traceidratio"), ("OTEL_TRACES_SAMPLER_ARG", "0.25")];
    let traces = configured(&[ON, sampler[0], sampler[1]]).unwrap().unwrap();
    assert_eq!((traces.sampler.follows_parent, traces.sampler.ratio), (false, 0.25));
    for (name, value, told) in [
        ("OTEL_EXPORTER_OTLP_ENDPOINT", "collector:4318", "http or https"),
        ("OTEL_EXPORTER_OTLP_PROTOCOL", "grpc", "http/json"),
        ("OTEL_EXPORTER_OTLP_HEADERS", "no pair", "name=value"),
        ("OTEL_EXPORTER_OTLP_HEADERS", "a b=c", "no header"),
        ("OTEL_TRACES_SAMPLER", "sometimes", "always_on"),
        ("OTEL_TRACES_SAMPLER_ARG", "2", "0 to 1"),
        ("OTEL_TRACES_EXPORTER", "zipkin", "otlp, none"),
        ("OTEL_SDK_DISABLED", "perhaps", "true, false"),
    ] {
        let mistakes = configured(&[(name, value)]).unwrap_err();
        assert!(mistakes.contains(name) && mistakes.contains(told), "{mistakes}");
    }
}
