//! The README's commands: each is run here as it stands, or by `.ci/run`; and what it says of configuration is so.

use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use causeway::config::VARIABLES;
use tokio::io::{AsyncBufReadExt as _, BufReader};
use tokio::process::Command;

use crate::support::World;

const README: &str = include_str!("../../README.md");
const CI: &str = include_str!("../../.ci/run");

/// What is a command when it stands within a sentence.
const PROGRAMS: &[&str] =
    &["cargo ", "causeway ", "docker ", "helm ", "kubectl ", "gcloud ", "EXPECTORATE=overwrite "];

/// The commands of each block of shell, one for each line.
fn blocks() -> Vec<Vec<&'static str>> {
    let block = |text: &'static str| {
        let lines = text.split("\n```").next().unwrap().lines().skip(1);
        lines.filter(|line| !line.trim().is_empty() && !line.starts_with('#')).collect()
    };
    README.split("\n```sh").skip(1).map(block).collect()
}

fn within_sentences() -> Vec<&'static str> {
    let prose = README.split("\n```").step_by(2).flat_map(|text| text.split('`').skip(1).step_by(2));
    let script = |code: &str| {
        code.split(' ').next().is_some_and(|word| word.ends_with("/run") && word.starts_with("tests/"))
    };
    prose.filter(|code| script(code) || PROGRAMS.iter().any(|program| code.starts_with(program))).collect()
}

/// Whether a line of `.ci/run` is this command, with further arguments perhaps.
fn ci_runs(command: &str) -> bool {
    let command = command.trim_end_matches(" .").trim();
    CI.lines()
        .map(str::trim)
        .any(|line| line == command || line.strip_prefix(command).is_some_and(|rest| rest.starts_with(' ')))
}

/// A folder in which `causeway` is the binary under test.
fn path() -> String {
    let folder = Path::new(env!("CARGO_BIN_EXE_causeway")).parent().unwrap().to_path_buf();
    let path: Vec<PathBuf> =
        [folder].into_iter().chain(std::env::split_paths(&std::env::var_os("PATH").unwrap())).collect();
    std::env::join_paths(path).unwrap().into_string().unwrap()
}

/// `sh` as somebody has it who follows the README, on a machine with nothing else to reach.
fn shell(script: &str, world: &World) -> Command {
    let mut shell = Command::new("sh");
    shell.args(["-euc", script]).env_clear().env("PATH", path()).stdin(Stdio::null()).kill_on_drop(true);
    shell.env("CAUSEWAY_LISTEN", "127.0.0.1:0").env("ATLASSIAN_AUTH_URL", &world.sandbox_url);
    shell.env("ATLASSIAN_API_URL", &world.sandbox_url);
    shell
}

#[test]
fn every_command_is_run_by_a_test_or_by_ci() {
    let commands: Vec<&str> = blocks().into_iter().flatten().chain(within_sentences()).collect();
    assert!(commands.len() > 15, "{commands:?}");
    for command in commands {
        let here = command.starts_with("export ") || command.starts_with("causeway ");
        assert!(here || ci_runs(command), "nothing runs {command:?}: add it to .ci/run");
    }
}

#[tokio::test]
async fn causeways_own_commands_do_what_they_say() {
    let world = World::start().await;
    let own: Vec<&str> = blocks()
        .into_iter()
        .flatten()
        .chain(within_sentences())
        .filter(|line| line.starts_with("causeway "))
        .collect();
    for command in
        own.into_iter().filter(|command| *command != "causeway serve" && *command != "causeway demo")
    {
        let output = shell(command, &world).envs(&world.env).output().await.unwrap();
        // The sandbox's clock stands still on a day of its own, which `check` finds wrong.
        let accepted: &[i32] = if command.starts_with("causeway check") { &[0, 1] } else { &[0] };
        assert!(accepted.contains(&output.status.code().unwrap()), "{command}: {output:?}");
    }
}

#[tokio::test]
async fn what_is_to_be_exported_makes_a_gateway_that_serves() {
    let world = World::start().await;
    let block = blocks().into_iter().find(|block| block.last() == Some(&"causeway serve")).unwrap();
    let script = block.join("\n").replace("\ncauseway serve", "\nexec causeway serve");
    let mut serve = shell(&script, &world).stderr(Stdio::piped()).spawn().unwrap();
    let mut said = BufReader::new(serve.stderr.take().unwrap()).lines();
    let banner = README.split("\n```\n").find(|text| text.starts_with("Causeway 0")).unwrap();
    let mut lines = banner.lines().map(|line| line.replace("127.0.0.1:8080", "127.0.0.1:0"));
    let wait = Duration::from_secs(30);
    for _ in 0..4 {
        let line = tokio::time::timeout(wait, said.next_line()).await.unwrap().unwrap().unwrap();
        assert_eq!(Some(without_numbers(&line)), lines.next().map(|line| without_numbers(&line)));
    }
    let last = tokio::time::timeout(wait, said.next_line()).await.unwrap().unwrap().unwrap();
    assert_eq!(last.get(..11), lines.next().unwrap().get(..11), "{last}");
    serve.kill().await.unwrap();
}

/// Versions and counts change without the README.
fn without_numbers(line: &str) -> String {
    line.chars().filter(|character| !character.is_ascii_digit()).collect()
}

#[tokio::test]
async fn the_demos_curl_line_finds_what_alice_may_see() {
    let mut demo = Command::new(env!("CARGO_BIN_EXE_causeway"));
    let mut demo = demo.arg("demo").stdout(Stdio::piped()).kill_on_drop(true).spawn().unwrap();
    let mut lines = BufReader::new(demo.stdout.take().unwrap()).lines();
    let mut curl = None;
    while curl.is_none() {
        let line =
            tokio::time::timeout(Duration::from_secs(60), lines.next_line()).await.unwrap().unwrap().unwrap();
        curl = Some(line).filter(|line| line.starts_with("curl "));
    }
    // As curl would, without needing it: curl -H 'HEADER' 'URL'.
    let curl = curl.unwrap();
    let quoted: Vec<&str> = curl.split('\'').collect();
    let (name, value) = quoted[1].split_once(": ").unwrap();
    let http = causeway::atlassian::http_builder().no_proxy().build().unwrap();
    let found = http.get(quoted[3]).header(name, value).send().await.unwrap().text().await.unwrap();
    assert!(found.contains("Salary bands 2026"), "{found}");
    demo.kill().await.unwrap();
}

#[test]
fn the_table_of_variables_is_complete() {
    for variable in VARIABLES {
        assert!(README.contains(&format!("`{}`", variable.name)), "{} is not in the README", variable.name);
    }
}

#[test]
fn what_it_points_at_is_there() {
    let links = README.split("](").skip(1).map(|text| text.split(')').next().unwrap());
    let files = links.filter(|link| !link.starts_with("http") && !link.starts_with('#'));
    for file in files {
        assert!(Path::new(env!("CARGO_MANIFEST_DIR")).join(file).exists(), "{file}");
    }
}
