//! `causeway check`, and what the operator's own address tells.

use causeway::sandbox::{Fault, FaultKind};
use serde_json::Value;
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
    assert!(text.contains("search:confluence") && text.contains("offline_access"), "{text}");
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
