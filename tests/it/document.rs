//! The committed document.

use std::collections::BTreeMap;
use std::path::Path;

use causeway::config::{Config, Environment};
use causeway::openapi::{document, json, lint::lint};
use causeway::{actions, known_actions};

use crate::support::secret;

/// The configuration that the committed document is made with.
pub fn example() -> Environment {
    let pairs = [
        ("CAUSEWAY_PUBLIC_URL", "https://causeway.example.com"),
        ("CAUSEWAY_SECRET", &secret(1)),
        ("CAUSEWAY_CLIENT_ID", "example"),
        ("CAUSEWAY_CLIENT_SECRET", "example-gpt-secret"),
        ("ATLASSIAN_CLIENT_ID", "example"),
        ("ATLASSIAN_CLIENT_SECRET", "example-secret"),
    ];
    BTreeMap::from(pairs.map(|(name, value)| (name.to_owned(), value.to_owned())))
}

fn committed() -> causeway::openapi::OpenApi {
    let config = Config::load(&example(), &known_actions()).unwrap();
    document(&actions::all(), config.default_gpt(), None, &config.public_url)
}

/// Rewrite the file with `EXPECTORATE=overwrite cargo test document`.
#[test]
fn the_committed_document_is_what_the_code_generates() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("openapi/causeway.json");
    expectorate::assert_contents(path, &format!("{}\n", committed().to_pretty_json().unwrap()));
}

#[test]
fn our_own_lint_finds_nothing_in_the_committed_document() {
    let findings = lint(&json(&committed()));
    assert!(findings.is_empty(), "{findings:#?}");
}
