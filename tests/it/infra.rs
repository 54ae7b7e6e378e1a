//! What stands in `infra/` fits the gateway: its metrics, variables, paths and ports. Whether other people's tools accept
//! it is for `tests/infra/run`.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use causeway::clock::Clock;
use causeway::config::{Config, Environment, VARIABLES};
use causeway::known_actions;
use causeway::telemetry::metrics::Upstream;
use causeway::telemetry::{Metrics, Standing};
use tokio::process::Command;

use crate::support::{World, secret};

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn read(path: &str) -> String {
    std::fs::read_to_string(root().join(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
}

/// Every file below `folder` with what it holds.
fn files(folder: &Path) -> Vec<(PathBuf, String)> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()) {
        if entry.is_dir() {
            found.extend(files(&entry));
        } else {
            let text = std::fs::read_to_string(&entry).unwrap_or_default();
            found.push((entry, text));
        }
    }
    found
}

fn yaml(path: &str) -> serde_json::Value {
    yaml_serde::from_str(&read(path)).unwrap()
}

/// The queries of the dashboard and of the alerts.
fn queries() -> Vec<String> {
    let dashboard: serde_json::Value =
        serde_json::from_str(&read("infra/chart/files/dashboard.json")).unwrap();
    let alerts = yaml("infra/chart/files/alerts.yaml");
    let panels = dashboard["panels"].as_array().unwrap().iter();
    let drawn =
        panels.filter_map(|panel| panel["targets"].as_array()).flatten().map(|target| &target["expr"]);
    let rules = alerts["groups"][0]["rules"].as_array().unwrap().iter().map(|rule| &rule["expr"]);
    let variables = dashboard["templating"]["list"]
        .as_array()
        .unwrap()
        .iter()
        .map(|variable| &variable["query"]["query"]);
    drawn.chain(rules).chain(variables).filter_map(|query| query.as_str().map(str::to_owned)).collect()
}

/// Each series that is exposed, with its labels: one of everything is counted first.
fn exposed() -> BTreeMap<String, BTreeSet<String>> {
    let metrics = Metrics::new(&Clock::manual("2026-11-21T09:00:00Z".parse().unwrap()));
    metrics.request("GET", "/healthz").end(200);
    metrics.action("getPage", "mcp", "default").end("ok");
    metrics.upstream("search", Upstream::TooSlow, std::time::Duration::from_millis(1));
    metrics.cache("sites", Some(&()));
    metrics.sign_in("begun", "ok");
    metrics.refresh("ok");
    metrics.shed("too many wait");
    metrics.withheld("points low");
    metrics.points(1);
    metrics.watch(|| Standing { points_left: 1, points_an_hour: 2, breakers: [("auth", 0), ("api", 0)] });
    let text = metrics.text().unwrap();
    let mut series = BTreeMap::<String, BTreeSet<String>>::new();
    for line in text.lines().filter(|line| !line.starts_with('#')) {
        let (name, rest) = line.split_at(line.find(['{', ' ']).unwrap());
        let labels = rest
            .split(['{', ','])
            .filter_map(|part| part.split_once("=\""))
            .map(|(label, _)| label.to_owned());
        series.entry(name.to_owned()).or_default().extend(labels);
    }
    series
}

/// What a query says of one metric: its name, and the matchers that follow, label by label.
fn selections(query: &str) -> Vec<(String, Vec<(String, String)>)> {
    let is_word = |character: char| character.is_ascii_alphanumeric() || character == '_';
    let mut found = Vec::new();
    let mut rest = query;
    while let Some(start) = rest.find(is_word) {
        let (word, after) =
            rest[start..].split_at(rest[start..].find(|c| !is_word(c)).unwrap_or(rest.len() - start));
        let (matchers, beyond) = match after.strip_prefix('{') {
            Some(inner) => inner.split_once('}').unwrap(),
            None => ("", after),
        };
        let pairs = matchers.split("\",").filter_map(|part| part.split_once(['=', '!']));
        let pairs = pairs.map(|(label, value)| {
            (label.trim().to_owned(), value.trim_start_matches(['=', '~']).trim_matches('"').to_owned())
        });
        if ["causeway_", "process_"].iter().any(|ours| word.starts_with(ours)) {
            found.push((word.to_owned(), pairs.collect()));
        }
        rest = beyond;
    }
    found
}

#[test]
fn the_dashboard_and_the_alerts_ask_for_metrics_and_labels_that_there_are() {
    let exposed = exposed();
    let source: String = files(&root().join("src")).into_iter().map(|(_, text)| text).collect();
    let mut asked = BTreeSet::new();
    for query in queries() {
        for (metric, matchers) in selections(&query) {
            let labels = exposed.get(&metric).unwrap_or_else(|| panic!("there is no {metric}: {query}"));
            for (label, value) in matchers {
                // job is Prometheus' own.
                assert!(label == "job" || labels.contains(&label), "{metric} has no {label}: {query}");
                let plain = |word: &&str| !word.is_empty() && !word.contains(['.', '$', '*']);
                for word in value.split('|').filter(plain).filter(|word| word.parse::<u16>().is_err()) {
                    assert!(source.contains(&format!("\"{word}\"")), "{label} is never {word}: {query}");
                }
            }
            asked.insert(metric);
        }
        for grouped in query.split("by (").skip(1).flat_map(|text| text.split(')').next().unwrap().split(','))
        {
            let known = |label: &str| {
                ["instance", "le"].contains(&label) || exposed.values().any(|of| of.contains(label))
            };
            assert!(known(grouped.trim()), "there is no label {grouped}: {query}");
        }
    }
    let base = |metric: &String| {
        metric.trim_end_matches("_bucket").trim_end_matches("_count").trim_end_matches("_sum").to_owned()
    };
    let asked: BTreeSet<String> = asked.iter().map(base).collect();
    let unseen: Vec<String> = exposed.keys().map(base).filter(|metric| !asked.contains(metric)).collect();
    assert_eq!(unseen, Vec::<String>::new(), "what is counted and nobody looks at");
}

#[test]
fn every_variable_that_infra_names_is_one_of_ours() {
    for (file, text) in files(&root().join("infra")) {
        let words = text.split(|character: char| !(character.is_ascii_uppercase() || character == '_'));
        let ours =
            words.filter(|word| ["CAUSEWAY_", "ATLASSIAN_"].iter().any(|p| word.starts_with(p) && word != p));
        for word in ours {
            assert!(VARIABLES.iter().any(|variable| variable.name == word), "{word} in {}", file.display());
        }
    }
}

/// Loads what a container is told, with the secrets it is handed.
fn load(mut env: Environment) -> Config {
    let mut files = Vec::new();
    for (number, name) in (3..).zip(["CAUSEWAY_SECRET", "CAUSEWAY_CLIENT_SECRET", "ATLASSIAN_CLIENT_SECRET"])
    {
        assert!(!env.contains_key(name), "{name} stands in infra/");
        if let Some(path) = env.get_mut(&format!("{name}_FILE")) {
            let file = std::env::temp_dir().join(format!("causeway-infra-{}", rand::random::<u64>()));
            std::fs::write(&file, secret(number)).unwrap();
            file.to_str().unwrap().clone_into(path);
            files.push(file);
        } else {
            env.insert(name.to_owned(), secret(number));
        }
    }
    let config = Config::load(&env, &known_actions());
    for file in files {
        std::fs::remove_file(file).unwrap();
    }
    config.unwrap_or_else(|mistakes| panic!("{mistakes}"))
}

#[test]
fn compose_tells_causeway_what_it_takes_and_hides_what_is_the_operators() {
    let compose = yaml("infra/compose.yaml");
    let service = &compose["services"]["causeway"];
    let value = |value: &serde_json::Value| match value.as_str().unwrap() {
        text if text.contains("${PUBLIC_HOST") => "https://causeway.example.com".to_owned(),
        text if text.contains("${") => "given".to_owned(),
        text => text.to_owned(),
    };
    let told = service["environment"].as_object().unwrap();
    let mut env: Environment = told.iter().map(|(name, text)| (name.clone(), value(text))).collect();
    env.insert("CAUSEWAY_LISTEN".to_owned(), image_listens());
    let config = load(env);
    assert!(read("infra/Caddyfile").contains(&format!("causeway:{}", config.listen.port())));
    assert!(!config.listen.ip().is_loopback() && config.admin_listen.is_some());
    assert!(service["ports"].is_null(), "only the proxy is published");
    assert_eq!(service["read_only"], true);
    assert_eq!(service["cap_drop"][0], "ALL");
    assert_eq!(service["security_opt"][0], "no-new-privileges:true");
    for (name, _) in told.iter().filter(|(name, _)| name.ends_with("_FILE")) {
        let secret = value(&told[name]).trim_start_matches("/run/secrets/").to_owned();
        assert!(compose["secrets"][&secret].is_object(), "{name} is no secret of compose");
        assert!(service["secrets"].as_array().unwrap().contains(&secret.into()));
    }
}

/// `CAUSEWAY_LISTEN` as the image sets it.
fn image_listens() -> String {
    let dockerfile = read("infra/Dockerfile");
    let line = dockerfile.lines().find_map(|line| line.strip_prefix("ENV CAUSEWAY_LISTEN=")).unwrap();
    assert!(dockerfile.contains(&format!("EXPOSE {}", line.rsplit(':').next().unwrap())));
    line.to_owned()
}

#[tokio::test]
async fn flys_checks_and_ports_are_the_gateways() {
    let fly: toml::Table = read("infra/fly/fly.toml").parse().unwrap();
    let told = fly["env"].as_table().unwrap();
    let env = told.iter().map(|(name, value)| (name.clone(), value.as_str().unwrap().to_owned())).collect();
    let config = load(env);
    let port = |table: &toml::Value, name: &str| u16::try_from(table[name].as_integer().unwrap()).unwrap();
    assert_eq!(port(&fly["http_service"], "internal_port"), config.listen.port());
    assert_eq!(port(&fly["metrics"], "port"), config.admin_listen.unwrap().port());
    let world = World::start().await;
    for check in fly["http_service"]["checks"].as_array().unwrap() {
        world.get_bare(check["path"].as_str().unwrap()).await.expect(200);
    }
    let metrics = format!("{}{}", world.admin_url, fly["metrics"]["path"].as_str().unwrap());
    world.send(world.http.get(metrics)).await.expect(200);
}

#[tokio::test]
async fn the_charts_probes_and_scrapes_lead_to_routes() {
    let world = World::start().await;
    let deployment = read("infra/chart/templates/deployment.yaml");
    let paths: Vec<&str> = deployment
        .lines()
        .filter_map(|line| line.trim().strip_prefix("path: "))
        .filter(|path| path.starts_with('/'))
        .collect();
    assert_eq!(paths.len(), 2, "start and life: {paths:?}");
    let schema = yaml("infra/chart/values.schema.json");
    let readiness = &schema["properties"]["probes"]["properties"]["readinessPath"]["enum"];
    let readiness = readiness.as_array().unwrap().iter().map(|path| path.as_str().unwrap());
    for path in paths.into_iter().chain(readiness) {
        world.get_bare(path).await.expect(200);
    }
    assert!(deployment.contains(&format!("containerPort: {}", image_listens().rsplit(':').next().unwrap())));
    let metrics = read("infra/chart/templates/metrics.yaml");
    let path = metrics.lines().find_map(|line| line.trim().strip_prefix("path: ")).unwrap();
    world.send(world.http.get(format!("{}{path}", world.admin_url))).await.expect(200);
}

#[tokio::test]
async fn the_images_health_check_is_a_command_and_tells_life_from_death() {
    let dockerfile = read("infra/Dockerfile");
    let words: Vec<String> = serde_json::from_str(
        dockerfile.lines().find_map(|line| line.split("HEALTHCHECK").nth(1)?.split("CMD ").nth(1)).unwrap(),
    )
    .unwrap();
    let entry: Vec<String> =
        serde_json::from_str(dockerfile.lines().find_map(|line| line.strip_prefix("ENTRYPOINT ")).unwrap())
            .unwrap();
    assert_eq!(words[0], entry[0]);
    let world = World::start().await;
    for (listen, alive) in [(world.url.trim_start_matches("http://"), true), ("127.0.0.1:9", false)] {
        let mut command = Command::new(env!("CARGO_BIN_EXE_causeway"));
        command.args(&words[1..]).env_clear().envs(&world.env).env("CAUSEWAY_LISTEN", listen);
        assert_eq!(command.output().await.unwrap().status.code(), Some(i32::from(!alive)), "{words:?}");
    }
}

#[test]
fn the_image_is_built_from_what_its_context_lets_in() {
    let (dockerfile, ignore) = (read("infra/Dockerfile"), read(".dockerignore"));
    let let_in: BTreeSet<&str> = ignore.lines().filter_map(|line| line.strip_prefix('!')).collect();
    assert!(ignore.lines().any(|line| line == "*"));
    let lines = dockerfile
        .lines()
        .filter_map(|line| line.strip_prefix("COPY "))
        .filter(|line| !line.starts_with("--from"));
    let copied: BTreeSet<&str> = lines.flat_map(|line| line.rsplit_once(' ').unwrap().0.split(' ')).collect();
    assert_eq!(copied, let_in);
    for path in &copied {
        assert!(root().join(path).exists(), "{path}");
    }
    let manifest: toml::Table = read("Cargo.toml").parse().unwrap();
    for target in ["bench", "bin", "example"] {
        for table in manifest.get(target).and_then(toml::Value::as_array).into_iter().flatten() {
            let folder = if target == "bench" { "benches" } else { "src" };
            let path = table.get("path").and_then(toml::Value::as_str).unwrap_or(folder);
            let top = path.split('/').next().unwrap();
            assert!(copied.contains(top), "Cargo.toml names {path}, which the image's build does not see");
        }
    }
}

#[test]
fn the_readme_mentions_everything_in_infra() {
    let readme = read("README.md");
    for entry in std::fs::read_dir(root().join("infra")).unwrap() {
        let name = entry.unwrap().file_name().into_string().unwrap();
        assert!(readme.contains(&format!("infra/{name}")), "infra/{name} is not in the README");
    }
}
