//! Bad input: whatever is wrong with a parameter, the answer names it and says what is accepted.
//! These tests read the actions' own schemas, so they hold for every action there will be.

use serde_json::Value;

use crate::asking::{examples, with_query};
use crate::support::{Session, World, encode};

struct Target {
    path: String,
    query: Vec<(&'static str, &'static str)>,
    properties: Vec<(String, Value)>,
}

/// Each action's good call, and its parameters outside the path.
fn targets() -> Vec<Target> {
    let target = |(entry, path, query): (causeway::action::Entry, String, Vec<_>)| {
        let properties = entry.input["properties"].as_object().unwrap().iter();
        let outside = properties.filter(|(name, _)| !entry.path.contains(&format!("{{{name}}}")));
        let properties = outside.map(|(name, property)| (name.clone(), property.clone())).collect();
        Target { path, query, properties }
    };
    examples().into_iter().map(target).collect()
}

impl Target {
    /// The good call with `name` set otherwise.
    fn with(&self, name: &str, value: &str) -> String {
        let mut query: Vec<(&str, &str)> = self.query.clone();
        query.retain(|(known, _)| *known != name);
        query.push((name, value));
        with_query(&self.path, &query)
    }

    /// The good call followed by something that is not encoded.
    fn and(&self, raw: &str) -> String {
        let good = with_query(&self.path, &self.query);
        let joint = if good.contains('?') { '&' } else { '?' };
        format!("{good}{joint}{raw}")
    }
}

async fn alice() -> (World, Session) {
    let world = World::of_acme().await;
    let alice = world.sign_in("alice").await;
    world.sandbox.forget_calls();
    (world, alice)
}

#[tokio::test]
async fn numbers_out_of_range_or_no_numbers_are_refused_never_clamped() {
    let (world, alice) = alice().await;
    let mut count = 0;
    for target in targets() {
        for (name, property) in target.properties.iter().filter(|(_, property)| property["type"] == "integer")
        {
            let (least, most) =
                (property["minimum"].as_i64().unwrap(), property["maximum"].as_i64().unwrap());
            let outside = [
                (least - 1).to_string(),
                (most + 1).to_string(),
                "-1".to_owned(),
                "0".to_owned(),
                "9".repeat(30),
            ];
            let odd = ["x", "1.5", "1e1", "0x1", "٣", "1,2", "1 2", "--1", "true", "NaN", "null"]
                .map(str::to_owned);
            for value in outside.into_iter().chain(odd) {
                let answer = world.get(&alice, &target.with(name, &value)).await.refuses(name);
                let accepted = format!("from {least} to {most}");
                assert!(answer.text("nextStep").contains(&accepted), "{name}={value}: {}", answer.body);
                count += 1;
            }
        }
    }
    assert!(count > 60, "only {count} cases");
    assert!(world.confluence_calls().is_empty());
}

#[tokio::test]
async fn a_value_that_is_none_of_the_choices_is_refused_with_the_choices() {
    let (world, alice) = alice().await;
    let mut count = 0;
    for target in targets() {
        for (name, property) in target.properties.iter().filter(|(_, property)| property["enum"].is_array()) {
            let choice = property["enum"][0].as_str().unwrap();
            for value in
                ["x", &choice.to_uppercase(), &format!("{choice},{choice}"), &format!("{choice} "), "null"]
            {
                let answer = world.get(&alice, &target.with(name, value)).await.refuses(name);
                assert!(answer.text("nextStep").contains(choice), "{name}={value}: {}", answer.body);
                count += 1;
            }
        }
    }
    assert!(count >= 10);
    assert!(world.confluence_calls().is_empty());
}

#[tokio::test]
async fn texts_too_long_or_with_control_characters_are_refused_and_not_repeated() {
    let (world, alice) = alice().await;
    for target in targets() {
        for (name, property) in target.properties.iter().filter(|(_, property)| property["type"] == "string")
        {
            let most = usize::try_from(property["maxLength"].as_u64().unwrap_or(2_000)).unwrap();
            let bad = [
                "\u{1f63a}".repeat(most + 1),
                "a\0b".to_owned(),
                "a\rb".to_owned(),
                "a\u{1b}[0m".to_owned(),
                "\u{7f}".to_owned(),
                "x\u{85}".to_owned(),
            ];
            for value in bad {
                let answer = world.get(&alice, &target.with(name, &value)).await.refuses(name);
                assert!(answer.body.len() < 2_000, "{name}: {} bytes", answer.body.len());
                assert!(!answer.body.contains("\\u00"), "{}", answer.body);
            }
        }
    }
    assert!(world.confluence_calls().is_empty());
}

#[tokio::test]
async fn an_empty_value_means_absent() {
    let (world, alice) = alice().await;
    for target in targets() {
        let good = world.get(&alice, &with_query(&target.path, &target.query)).await.expect(200);
        for (name, _) in
            target.properties.iter().filter(|(name, _)| !target.query.iter().any(|(used, _)| used == name))
        {
            for raw in [format!("{name}="), name.clone()] {
                let answer = world.get(&alice, &target.and(&raw)).await.expect(200);
                assert_eq!(without_cursor(&answer.json), without_cursor(&good.json), "{raw}");
            }
        }
        // Nor do empty pairs count.
        world.get(&alice, &target.and("&&")).await.expect(200);
    }
}

fn without_cursor(answer: &Value) -> Value {
    let mut answer = answer.clone();
    answer["nextCursor"] = Value::Null;
    answer
}

#[tokio::test]
async fn a_parameter_given_twice_is_refused_even_with_one_value() {
    let (world, alice) = alice().await;
    for target in targets() {
        for (name, _) in &target.properties {
            let raw = format!("{name}=1&{name}=1");
            world.get(&alice, &format!("{}?{raw}", target.path)).await.refuses(name);
        }
    }
    world.get(&alice, "/v1/pages/1310745?id=1310745").await.refuses("id");
    assert!(world.confluence_calls().is_empty());
}

#[tokio::test]
async fn an_unknown_parameter_is_refused_with_the_known_ones() {
    let (world, alice) = alice().await;
    for target in targets() {
        for (name, shown) in [
            ("frobnicate", "frobnicate"),
            ("Query", "Query"),
            ("limit[]", "limit[]"),
            ("a\u{0}b", "ab"),
            ("日本", "日本"),
        ] {
            let raw = format!("{}=1", encode(name));
            let answer = world.get(&alice, &target.and(&raw)).await.refuses(shown);
            assert!(answer.text("nextStep").contains("site"), "{}", answer.body);
        }
        let long = format!("{}=1", "x".repeat(5_000));
        let answer = world.get(&alice, &target.and(&long)).await.refused(400, "invalid-parameter");
        assert!(answer.body.len() < 2_000, "{} bytes", answer.body.len());
        let twice =
            world.get(&alice, &target.and(&format!("{long}&{long}"))).await.refused(400, "invalid-parameter");
        assert!(twice.body.len() < 2_000, "{} bytes", twice.body.len());
    }
    assert!(world.confluence_calls().is_empty());
}

#[tokio::test]
async fn what_is_not_utf_8_is_refused() {
    let (world, alice) = alice().await;
    for target in targets() {
        let (name, _) = &target.properties[0];
        for raw in [format!("{name}=%FF"), format!("{name}=%C3%28"), format!("{name}=%ED%A0%80")] {
            let path = format!("{}?{raw}", target.path);
            world.get(&alice, &path).await.refuses(name);
        }
        world.get(&alice, &target.and("%FF=1")).await.refused(400, "invalid-parameter");
    }
    world.get(&alice, "/v1/pages/%FF").await.refused(404, "not-found");
    assert!(world.confluence_calls().is_empty());
}

#[tokio::test]
async fn a_token_in_the_query_is_refused_and_not_repeated() {
    let (world, alice) = alice().await;
    for target in targets() {
        for name in ["access_token", "token", "bearer"] {
            let answer = world.get(&alice, &target.and(&format!("{name}=hush-hush"))).await.refuses(name);
            assert!(!answer.body.contains("hush"), "{}", answer.body);
        }
    }
    assert_eq!(world.get_bare("/v1/me?access_token=x").await.status, 401);
}

#[tokio::test]
async fn lists_hold_items_and_only_good_ones() {
    let (world, alice) = alice().await;
    let search = async |name: &str, value: &str| {
        world.ask(&alice, "/v1/search", &[("query", "x"), (name, value)]).await
    };
    for (name, value) in [
        ("space", ","),
        ("space", "ENG,no such"),
        ("space", "E\"NG"),
        ("space", "~"),
        ("space", "ENG)OR(1"),
        ("type", "page;blogpost"),
        ("type", ",,"),
        ("label", " , "),
        ("ancestor", "x"),
        ("ancestor", "1,2"),
        ("ancestor", "-1"),
    ] {
        search(name, value).await.refuses(name);
    }
    let many = vec!["K"; 101].join(",");
    search("space", &many).await.refuses("space");
    for (name, value) in [("space", " ENG , PROD,"), ("type", "page, blogpost"), ("label", "a b,\"c\"")] {
        search(name, value).await.expect(200);
    }
}

#[tokio::test]
async fn a_cursor_that_is_not_ours_is_refused() {
    let (world, alice) = alice().await;
    for cursor in ["x", "eyJhdCI6NX0=", "v4.local.AAAA", &alice.access_token[..200], &"v4.local.".repeat(400)]
    {
        for path in ["/v1/search?query=x", "/v1/spaces?limit=1"] {
            world.get(&alice, &format!("{path}&cursor={}", encode(cursor))).await.refuses("cursor");
        }
    }
}

#[tokio::test]
async fn a_cursor_continues_its_own_list_only_and_not_forever() {
    let (world, alice) = alice().await;
    for n in 0..4 {
        world.add("ENG", &format!("Thylacine {n}"), "<p>thylacine</p>");
    }
    let parameters = [("query", "thylacine"), ("limit", "1")];
    let first = world.ask(&alice, "/v1/search", &parameters).await.expect(200);
    let cursor = first.text("nextCursor").to_owned();
    let next = |parameters: &[(&'static str, &'static str)], path: &str| {
        let all: Vec<(&str, &str)> =
            parameters.iter().copied().chain([("cursor", cursor.as_str())]).collect();
        with_query(path, &all)
    };
    world.get(&alice, &next(&parameters, "/v1/search")).await.expect(200);
    // The order of parameters does not matter, nor how the site is named.
    world
        .get(&alice, &next(&[("limit", "1"), ("query", "thylacine"), ("site", "acme")], "/v1/search"))
        .await
        .expect(200);
    for other in [
        &[("query", "thylacine"), ("limit", "2")][..],
        &[("query", "thylacines"), ("limit", "1")],
        &[("query", "thylacine")],
    ] {
        world.get(&alice, &next(other, "/v1/search")).await.refuses("cursor");
    }
    world.get(&alice, &next(&[("limit", "1")], "/v1/spaces")).await.refuses("cursor");
    world.clock.advance(std::time::Duration::from_secs(25 * 3600));
    let later = world.sign_in("alice").await;
    world.get(&later, &next(&parameters, "/v1/search")).await.refuses("cursor");
}

#[tokio::test]
async fn a_request_without_a_good_bearer_is_told_to_sign_in() {
    let (world, alice) = alice().await;
    let headers = [
        None,
        Some(String::new()),
        Some("Bearer".to_owned()),
        Some("Bearer x".to_owned()),
        Some("Basic YTpi".to_owned()),
        Some(alice.access_token.clone()),
        Some(format!("Bearer {}x", alice.access_token)),
        Some(format!("Bearer {}", &alice.access_token[..alice.access_token.len() - 2])),
        Some(format!("Bearer {}", alice.refresh_token)),
        Some(format!("Bearer {} {}", alice.access_token, alice.access_token)),
        Some(format!("Bearer {}", "v".repeat(60_000))),
    ];
    for (_, path, query) in examples() {
        for header in &headers {
            let mut request = world.http.get(format!("{}{}", world.url, with_query(&path, &query)));
            if let Some(header) = header {
                request = request.header("authorization", header);
            }
            let answer = world.send(request).await.refused(401, "sign-in-required");
            assert!(answer.header("www-authenticate").starts_with("Bearer"), "{header:?}");
        }
    }
    assert!(world.confluence_calls().is_empty());
}

mod anything {
    //! Whatever is asked, the answer is one the document knows.

    use proptest::prelude::*;
    use proptest::test_runner::{Config, TestRunner};

    use super::alice;
    use crate::support::encode;

    #[test]
    fn no_request_at_all_gives_a_500_or_an_answer_that_is_not_json() {
        let runtime =
            tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
        let (world, session) = runtime.block_on(alice());
        let name = prop_oneof![
            4 => prop::sample::select(vec!["query", "cql", "space", "type", "title", "label", "author", "ancestor", "updatedAfter", "limit", "cursor", "site", "url", "part", "section", "maxChars", "version"]),
            1 => Just("other"),
        ];
        let value = prop_oneof![
            any::<String>(),
            "[ -~]{0,40}",
            "[0-9.eE+-]{1,8}",
            r#"(title|space|text)( ?(=|~|!=|IN|>) ?)["'(]?[a-zA-Z*)]{0,6}["')]?( (OR|AND|NOT|ORDER BY) [a-z]{1,5})?"#
        ];
        let parameters = prop::collection::vec((name, value), 0..4);
        let path = prop_oneof![
            4 => prop::sample::select(vec!["/v1/search", "/v1/pages", "/v1/pages/1310745", "/v1/spaces", "/v1/me"]).prop_map(str::to_owned),
            1 => "/v1/pages/[0-9a-z%./]{1,12}".prop_filter("no dots", |path| !path.contains("..")),
        ];
        let config = Config { cases: 400, failure_persistence: None, ..Config::default() };
        let mut runner = TestRunner::new_with_rng(
            config,
            proptest::test_runner::TestRng::deterministic_rng(proptest::test_runner::RngAlgorithm::ChaCha),
        );
        runner
            .run(&(path, parameters), |(path, parameters)| {
                let pairs: Vec<String> =
                    parameters.iter().map(|(name, value)| format!("{name}={}", encode(value))).collect();
                let answer = runtime.block_on(world.get(&session, &format!("{path}?{}", pairs.join("&"))));
                prop_assert!(
                    matches!(answer.status, 200 | 400 | 403 | 404 | 409),
                    "{} {}",
                    answer.status,
                    answer.body
                );
                prop_assert!(answer.json.is_object(), "{}", answer.body);
                prop_assert!(answer.body.len() < 100_000);
                Ok(())
            })
            .unwrap();
    }
}
