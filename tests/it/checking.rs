//! `causeway check`, and what the operator's own address tells.

use axum::Router;
use axum::extract::Request;
use axum::http::header::{AUTHORIZATION, CACHE_CONTROL};
use axum::http::{HeaderValue, StatusCode};
use axum::response::{IntoResponse as _, Response};
use causeway::sandbox::{Fault, FaultKind};
use serde_json::Value;
use tokio::net::TcpListener;
use tokio::process::Command;

use crate::support::World;

async fn check(world: &World, overrides: &[(&str, &str)], arguments: &[&str]) -> (bool, String) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_causeway"));
    command.arg("check").args(arguments).env_clear().envs(&world.env).envs(overrides.iter().copied());
    let output = command.output().await.unwrap();
    let text = [output.stdout, output.stderr].concat();
    (output.status.success(), String::from_utf8(text).unwrap())
}

#[tokio::test]
async fn a_sound_gateway_passes_and_the_scopes_to_tick_are_listed() {
    let world = World::start().await;
    let (passed, text) = check(&world, &[], &[]).await;
    // The sandbox's clock stands still on a day of its own; nothing else is wrong.
    let bad: Vec<&str> = text.lines().filter(|line| line.starts_with("BAD")).collect();
    assert!(bad.iter().all(|line| line.contains("Clock")), "{text}");
    assert_eq!(passed, bad.is_empty(), "{text}");
    assert!(
        text.contains("  classic    search:confluence") && text.contains("  granular   read:page:confluence"),
        "{text}"
    );
    assert!(!text.contains("offline_access"), "it is in no list of the console: {text}");
}

#[tokio::test]
async fn a_gateway_for_every_site_says_who_may_sign_in_and_one_for_a_site_does_not() {
    let open = World::start().await;
    let (_, text) = check(&open, &[], &[]).await;
    let said = "Any Atlassian account may sign in";
    assert!(text.contains(said) && text.contains("CAUSEWAY_SITE"), "{text}");
    assert!(open.get_bare("/").await.expect(200).body.contains(said));
    let closed = World::of_acme().await;
    let (_, text) = check(&closed, &[], &[]).await;
    assert!(!text.contains(said), "{text}");
    assert!(!closed.get_bare("/").await.expect(200).body.contains(said));
}

#[tokio::test]
async fn what_is_wrong_is_said_with_its_remedy_and_fails_the_command() {
    let world = World::start().await;
    let (passed, text) = check(&world, &[("ATLASSIAN_AUTH_URL", "http://127.0.0.1:9")], &["--json"]).await;
    assert!(!passed);
    let findings: Value = serde_json::from_str(text.lines().next().unwrap()).unwrap();
    let bad = findings["checks"].as_array().unwrap().iter().find(|check| check["verdict"] == "bad").unwrap();
    assert!(!bad["fix"].as_str().unwrap().is_empty(), "{bad}");
}

#[tokio::test]
async fn a_wrong_configuration_is_said_before_anything_is_asked() {
    let world = World::start().await;
    let (passed, text) = check(&world, &[("CAUSEWAY_SECRET", "short")], &[]).await;
    assert!(!passed && text.contains("CAUSEWAY_SECRET"), "{text}");
}

#[tokio::test]
async fn the_operators_address_tells_the_findings_and_nothing_else() {
    let world = World::start().await;
    world.sandbox.inject(Fault {
        path_contains: String::new(),
        times: usize::MAX,
        kind: FaultKind::Status { status: 500, headers: Vec::new(), body: String::new() },
    });
    let answer = world.http.get(format!("{}/readyz", world.admin_url)).send().await.unwrap();
    let findings: Value = serde_json::from_str(&answer.text().await.unwrap()).unwrap();
    assert!(findings.as_array().unwrap().iter().all(|check| check["found"].is_string()), "{findings}");
    let elsewhere = world.http.get(format!("{}/v1/me", world.admin_url)).send().await.unwrap();
    assert_eq!(elsewhere.status(), 404);
}

#[tokio::test]
async fn a_containers_health_check_asks_the_gateway_of_this_machine_alone() {
    let world = World::start().await;
    let listen = world.url.trim_start_matches("http://");
    let nowhere = [("CAUSEWAY_PUBLIC_URL", "https://causeway.invalid"), ("HTTP_PROXY", "http://127.0.0.1:9")];
    let (alive, _) =
        check(&world, &[nowhere[0], nowhere[1], ("CAUSEWAY_LISTEN", listen)], &["--alive"]).await;
    assert!(alive);
    let everywhere = listen.replace("127.0.0.1", "0.0.0.0");
    assert!(check(&world, &[("CAUSEWAY_LISTEN", &everywhere)], &["--alive"]).await.0);
    let (alive, told) = check(&world, &[("CAUSEWAY_LISTEN", "127.0.0.1:9")], &["--alive"]).await;
    assert!(!alive && told.contains("CAUSEWAY_LISTEN"), "{told}");
    assert!(world.sandbox.calls().is_empty(), "Atlassian is not asked");
}

/// What a proxy in front can do to requests and answers.
#[derive(Clone, Copy, Debug)]
enum Flaw {
    None,
    DropsAuthorization,
    LimitsHeaders,
    LimitsAddresses,
    LimitsBodies,
    LetsCache,
    LeadsElsewhere,
}

/// A gateway behind a proxy with a flaw.
async fn behind(flaw: Flaw) -> World {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let public_url = format!("http://{}", listener.local_addr().unwrap());
    let world = World::with(&[("CAUSEWAY_PUBLIC_URL", &public_url)]).await;
    let (http, origin) = (world.http.clone(), world.url.clone());
    let pass = move |request: Request| pass_on(http.clone(), origin.clone(), flaw, request);
    tokio::spawn(async move { axum::serve(listener, Router::new().fallback(pass)).await });
    world
}

async fn pass_on(http: reqwest::Client, origin: String, flaw: Flaw, request: Request) -> Response {
    let (mut parts, body) = request.into_parts();
    let body = axum::body::to_bytes(body, usize::MAX).await.unwrap();
    let path = parts.uri.path_and_query().unwrap().as_str().to_owned();
    let header_bytes: usize = parts.headers.values().map(HeaderValue::len).sum();
    match flaw {
        Flaw::DropsAuthorization => drop(parts.headers.remove(AUTHORIZATION)),
        Flaw::LimitsHeaders if header_bytes > 4096 => return StatusCode::BAD_REQUEST.into_response(),
        Flaw::LimitsAddresses if path.len() > 4096 => return StatusCode::URI_TOO_LONG.into_response(),
        Flaw::LimitsBodies if body.len() > 8192 => return StatusCode::PAYLOAD_TOO_LARGE.into_response(),
        Flaw::LeadsElsewhere if path == "/openapi.json" => return "{}".into_response(),
        _ => {}
    }
    let answer = http.request(parts.method, format!("{origin}{path}")).headers(parts.headers).body(body);
    let answer = answer.send().await.unwrap();
    let (status, mut headers) = (answer.status(), answer.headers().clone());
    if matches!(flaw, Flaw::LetsCache) {
        headers.remove(CACHE_CONTROL);
    }
    (status, headers, answer.bytes().await.unwrap()).into_response()
}

#[tokio::test]
async fn what_a_proxy_in_front_does_to_requests_is_found() {
    for (flaw, told) in [
        (Flaw::None, None),
        (Flaw::DropsAuthorization, Some("BAD    Proxy passes the Authorization header: It does not arrive")),
        (
            Flaw::LimitsHeaders,
            Some("BAD    Proxy passes long requests: It does not pass an Authorization header of 7 KB."),
        ),
        (
            Flaw::LimitsAddresses,
            Some("BAD    Proxy passes long requests: It does not pass an address of 7 KB."),
        ),
        (Flaw::LimitsBodies, Some("BAD    Proxy passes long requests: It does not pass a body of 32 KB.")),
        (Flaw::LetsCache, Some("note   Proxy leaves caching alone: ")),
        (Flaw::LeadsElsewhere, Some("note   Public address leads to this configuration: ")),
    ] {
        let world = behind(flaw).await;
        let (_, text) = check(&world, &[], &[]).await;
        let found: Vec<&str> = text
            .lines()
            .filter(|line| line.contains("   Proxy ") || line.contains("   Public address leads to"))
            .collect();
        assert_eq!(found.len(), 4, "{flaw:?}: {text}");
        let amiss: Vec<&&str> = found.iter().filter(|line| !line.starts_with("ok ")).collect();
        assert_eq!(amiss.len(), usize::from(told.is_some()), "{flaw:?}: {text}");
        assert!(told.is_none_or(|told| amiss[0].starts_with(told)), "{flaw:?}: {text}");
    }
}

#[tokio::test]
async fn what_only_the_operator_may_learn_is_not_on_the_page() {
    let world = World::with(&[("ATLASSIAN_CLIENT_SECRET", "ATOA-of-another-app")]).await;
    let (_, text) = check(&world, &[], &[]).await;
    assert!(text.contains("Atlassian refuses them (access_denied)"), "{text}");
    let asked = world.calls_to("/oauth/token");
    let page = world.get_bare("/").await.expect(200).body;
    assert!(!page.contains("Atlassian refuses"));
    assert_eq!(world.calls_to("/oauth/token"), asked, "a visitor sets off no token request");
}

#[tokio::test]
async fn a_host_that_could_be_an_exact_redirect_uri_is_told_to_the_operator_alone() {
    let world = World::with(&[("CAUSEWAY_MCP_CLIENTS", "known,agent.example")]).await;
    let (_, text) = check(&world, &[], &[]).await;
    assert!(text.contains("Any page of agent.example") && text.contains("exact redirect URI"), "{text}");
    assert!(!world.get_bare("/").await.expect(200).body.contains("agent.example"));
    let (_, text) =
        check(&world, &[("CAUSEWAY_MCP_CLIENTS", "known,https://agent.example/cb,claude.ai")], &[]).await;
    assert!(!text.contains("Any page of"), "{text}");
}

#[tokio::test]
async fn a_client_secret_that_could_be_guessed_is_told_to_the_operator_alone() {
    let world = World::with(&[("CAUSEWAY_CLIENT_SECRET", "guess-me")]).await;
    let (_, text) = check(&world, &[], &[]).await;
    let found = text.lines().find(|line| line.contains("Client secret")).unwrap_or_else(|| panic!("{text}"));
    assert!(found.starts_with("note ") && found.contains("8 characters") && text.contains("causeway keygen"));
    assert!(!text.contains("guess-me"), "{text}");
    assert!(!world.get_bare("/").await.expect(200).body.contains("guessed"));
    let (_, text) = check(&world, &[("CAUSEWAY_CLIENT_SECRET", "one-of-16-chars.")], &[]).await;
    assert!(!text.contains("guessed"), "{text}");
}
