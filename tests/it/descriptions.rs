//! What the model reads of the actions before it calls one: short, with examples, and nothing said twice.

use std::collections::{BTreeMap, BTreeSet};

use causeway::config::{Config, Environment};
use causeway::{actions, known_actions, openapi};
use serde_json::Value;

use crate::document::example;

/// How much of their wording the descriptions of two operations may share.
const MOST_SHARED: f64 = 0.5;

/// The document with every action in it.
fn document() -> Value {
    let all: Vec<&str> = known_actions().iter().map(|action| action.id).collect();
    let mut environment: Environment = example();
    environment.insert("CAUSEWAY_ACTIONS".to_owned(), all.join(","));
    let config = Config::load(&environment, &known_actions()).unwrap();
    let all = actions::all();
    let document = openapi::json(&openapi::document(&all, config.default_gpt(), None, &config.public_url));
    assert_eq!(operations(&document).len(), all.len());
    document
}

fn operations(document: &Value) -> Vec<&Value> {
    document["paths"].as_object().unwrap().values().map(|path| &path["get"]).collect()
}

fn parameters(operation: &Value) -> Vec<(&str, &Value)> {
    let listed = operation["parameters"].as_array().unwrap();
    listed.iter().map(|parameter| (text(parameter, "name"), parameter)).collect()
}

#[track_caller]
fn text<'v>(value: &'v Value, member: &str) -> &'v str {
    value[member].as_str().unwrap_or_else(|| panic!("no {member}: {value}"))
}

/// The words that carry the meaning.
fn words(text: &str) -> BTreeSet<String> {
    let words = text.split(|c: char| !c.is_alphanumeric()).filter(|word| word.chars().count() > 3);
    words.map(str::to_lowercase).collect()
}

#[test]
fn operations_are_at_most_fourteen_unless_more_are_enabled() {
    let config = Config::load(&example(), &known_actions()).unwrap();
    let default =
        openapi::json(&openapi::document(&actions::all(), config.default_gpt(), None, &config.public_url));
    assert!(operations(&default).len() <= 14);
}

#[test]
fn a_description_is_one_to_three_sentences_that_say_what_is_returned() {
    for operation in operations(&document()) {
        let (id, summary, description) =
            (text(operation, "operationId"), text(operation, "summary"), text(operation, "description"));
        assert!((10..=60).contains(&summary.chars().count()), "{id}: {summary}");
        assert!(!summary.ends_with('.'), "{id}: {summary}");
        assert!((80..=300).contains(&description.chars().count()), "{id}: {description}");
        assert!(description.starts_with("Returns ") && description.ends_with('.'), "{id}: {description}");
        assert!(description.split(". ").count() <= 3, "{id}: {description}");
        for (name, parameter) in parameters(operation) {
            let description = text(parameter, "description");
            assert!((15..=160).contains(&description.chars().count()), "{id}, {name}: {description}");
            assert!(description.ends_with('.'), "{id}, {name}: {description}");
        }
    }
}

#[test]
fn every_parameter_shows_a_good_value_but_the_cursor_that_only_an_answer_gives() {
    for operation in operations(&document()) {
        for (name, parameter) in parameters(operation) {
            let schema = &parameter["schema"];
            let shown = ["examples", "default", "enum"].iter().any(|member| schema.get(*member).is_some());
            assert!(shown != (name == "cursor"), "{}, {name}: {schema}", text(operation, "operationId"));
        }
    }
}

#[test]
fn no_two_operations_say_the_same() {
    let document = document();
    let operations = operations(&document);
    for (at, one) in operations.iter().enumerate() {
        for other in &operations[..at] {
            let pair = format!("{} and {}", text(one, "operationId"), text(other, "operationId"));
            assert_ne!(text(one, "summary"), text(other, "summary"), "{pair}");
            let (one, other) = (words(text(one, "description")), words(text(other, "description")));
            let (shared, all) = (one.intersection(&other).count(), one.union(&other).count());
            #[allow(clippy::cast_precision_loss)]
            let share = shared as f64 / all as f64;
            assert!(share < MOST_SHARED, "{pair} share {share:.2} of their words");
        }
    }
}

#[test]
fn what_means_the_same_has_one_name_and_nothing_is_asked_for_twice() {
    let document = document();
    let mut names: BTreeMap<&str, &str> = BTreeMap::new();
    for operation in operations(&document) {
        let mut said = BTreeSet::new();
        for (name, parameter) in parameters(operation) {
            let description = text(parameter, "description");
            assert!(said.insert(description), "{}: {description}", text(operation, "operationId"));
            assert_eq!(*names.entry(description).or_insert(name), name, "{description}");
        }
    }
}
