//! `search` and `fetch`, as ChatGPT's deep research and company knowledge use them.

use causeway::sandbox::{GLOBEX, NewPage};
use serde_json::{Value, json};

use crate::mcp::Client;
use crate::support::World;

const ACME_ID: &str = "9f1c7a52-3a0e-4f6e-8f5d-2b7a61c0d4e1";

/// The one text item of a result, which has to be the structured content as JSON.
#[track_caller]
fn both_forms(result: &Value) -> Value {
    assert_eq!(result["isError"], false, "{result}");
    let content = result["content"].as_array().unwrap();
    assert_eq!((content.len(), &content[0]["type"]), (1, &json!("text")), "{result}");
    let text: Value = serde_json::from_str(content[0]["text"].as_str().unwrap()).unwrap();
    assert_eq!(text, result["structuredContent"]);
    text
}

fn members(value: &Value) -> Vec<&str> {
    value.as_object().unwrap().keys().map(String::as_str).collect()
}

#[tokio::test]
async fn search_then_fetch_gives_what_the_actions_give() {
    let world = World::of_acme().await;
    let page =
        world.add("ENG", "Quokka care", "<h2>Food</h2><p>Feed the quokkas at <strong>dawn</strong>.</p>");
    let by_actions = world.sign_in("alice").await;
    let hit = world.ask(&by_actions, "/v1/search", &[("query", "quokka")]).await.expect(200).json["results"]
        [0]
    .clone();
    let read = world.get(&by_actions, &format!("/v1/pages/{page}")).await.expect(200).json;

    let alice = world.sign_in_to_mcp("alice").await;
    let client = Client::new(&world, &alice);
    let found = both_forms(&client.call("search", json!({ "query": "quokka" })).await);
    let id = format!("{ACME_ID}/{page}");
    assert_eq!(found, json!({ "results": [{ "id": id, "title": hit["title"], "url": hit["url"] }] }));

    let fetched = both_forms(&client.call("fetch", json!({ "id": id })).await);
    assert_eq!(members(&fetched), ["id", "title", "text", "url", "metadata"]);
    assert_eq!(fetched["id"], id.as_str());
    assert_eq!(fetched["title"], read["title"]);
    assert_eq!(fetched["text"], read["markdown"]);
    assert_eq!(fetched["url"], read["url"]);
    let metadata = &fetched["metadata"];
    assert_eq!(metadata["lastModified"], read["lastModified"]);
    assert_eq!((&metadata["space"], &metadata["part"]), (&json!("Engineering"), &json!("1 of 1")));
    assert!(metadata.as_object().unwrap().values().all(Value::is_string), "{metadata}");
    assert!(metadata.get("nextId").is_none());
}

#[tokio::test]
async fn a_long_page_is_fetched_part_by_part_to_its_end() {
    let world = World::of_acme().await;
    let paragraphs = (0..900)
        .map(|number| format!("<p>Paragraph {number} of the quokka saga. {}</p>", "é\"\\ ".repeat(30)))
        .collect::<Vec<_>>()
        .concat();
    let page = world.add("ENG", "Quokka saga", &paragraphs);
    let (by_actions, alice) = (world.sign_in("alice").await, world.sign_in_to_mcp("alice").await);
    let client = Client::new(&world, &alice);
    let mut id = format!("{ACME_ID}/{page}");
    let mut text = String::new();
    for part in 1.. {
        let result = client.call("fetch", json!({ "id": id })).await;
        assert!(result["content"][0]["text"].as_str().unwrap().len() <= 100_000);
        let fetched = both_forms(&result);
        let read = world.get(&by_actions, &format!("/v1/pages/{page}?part={part}")).await.expect(200).json;
        assert_eq!(fetched["text"], read["markdown"]);
        text.push_str(fetched["text"].as_str().unwrap());
        let Some(next) = fetched["metadata"]["nextId"].as_str() else {
            assert!(part > 2, "{part} parts");
            break;
        };
        assert_eq!(next, format!("{ACME_ID}/{page}#{}", part + 1));
        next.clone_into(&mut id);
    }
    assert!((0..900).all(|number| text.contains(&format!("Paragraph {number} of"))));
    let past_the_end = client.problem("fetch", json!({ "id": format!("{ACME_ID}/{page}#999") })).await;
    assert!(past_the_end["type"].as_str().unwrap().ends_with("/invalid-parameter"));
}

#[tokio::test]
async fn search_asks_every_site_of_the_person_and_fetch_knows_which_it_was() {
    let world = World::start().await;
    for number in 1..=3 {
        world.add("ENG", &format!("Quokka on acme {number}"), "<p>Acme's quokka.</p>");
    }
    world.sandbox.add_page(NewPage {
        site: &GLOBEX,
        space: "PROD",
        title: "Quokka on globex".to_owned(),
        body: "<p>Globex's quokka.</p>".to_owned(),
        ..NewPage::default()
    });
    let alice = world.sign_in_to_mcp("alice").await;
    let client = Client::new(&world, &alice);
    let found = client.answer("search", json!({ "query": "quokka" })).await;
    let results = found["results"].as_array().unwrap();
    assert_eq!(results.len(), 4);
    let globex = results.iter().position(|result| result["title"] == "Quokka on globex").unwrap();
    assert!(globex < 2, "sites take turns: {found}");
    for result in results {
        let fetched = client.answer("fetch", json!({ "id": result["id"] })).await;
        let host = if fetched["title"] == "Quokka on globex" { "globex" } else { "acme" };
        assert!(result["url"].as_str().unwrap().starts_with(&format!("https://{host}.atlassian.net/wiki/")));
        assert_eq!(fetched["url"], result["url"]);
    }
}

#[tokio::test]
async fn nothing_is_reported_absent_because_a_site_did_not_answer() {
    let world = World::start().await;
    let alice = world.sign_in_to_mcp("alice").await;
    world.sandbox.inject(causeway::sandbox::Fault {
        path_contains: format!("/ex/confluence/{}", GLOBEX.cloud_id),
        times: usize::MAX,
        kind: causeway::sandbox::FaultKind::MalformedJson,
    });
    let problem = Client::new(&world, &alice).problem("search", json!({ "query": "quokka" })).await;
    assert!(problem["type"].as_str().unwrap().ends_with("/confluence-unavailable"), "{problem}");
}

#[tokio::test]
async fn a_gpt_that_reads_few_spaces_searches_and_fetches_in_them_only() {
    let world = World::of_spaces("PROD").await;
    let page = world.add("ENG", "Quokka care", "<p>Secret quokka.</p>");
    let alice = world.sign_in_to_mcp("alice").await;
    let client = Client::new(&world, &alice);
    assert_eq!(client.answer("search", json!({ "query": "quokka" })).await, json!({ "results": [] }));
    let problem = client.problem("fetch", json!({ "id": format!("{ACME_ID}/{page}") })).await;
    assert!(problem["type"].as_str().unwrap().ends_with("/not-found"), "{problem}");
    let problem = client.problem("fetch", json!({ "id": format!("{}/{page}", GLOBEX.cloud_id) })).await;
    assert!(problem["type"].as_str().unwrap().ends_with("/not-allowed"), "{problem}");
}

#[tokio::test]
async fn arguments_that_mean_nothing_are_explained() {
    let world = World::of_acme().await;
    let alice = world.sign_in_to_mcp("alice").await;
    let client = Client::new(&world, &alice);
    for (tool, arguments) in [
        ("search", json!({})),
        ("search", json!({ "query": "" })),
        ("search", json!({ "query": 7 })),
        ("search", json!({ "query": "x", "limit": 3 })),
        ("search", json!({ "query": "x".repeat(501) })),
        ("fetch", json!({})),
        ("fetch", json!({ "id": "" })),
        ("fetch", json!({ "id": "1310741" })),
        ("fetch", json!({ "id": "https://acme.atlassian.net/wiki/spaces/ENG/pages/1310741" })),
        ("fetch", json!({ "id": format!("{ACME_ID}/1310741#0") })),
        ("fetch", json!({ "id": format!("{ACME_ID}/1310741#x") })),
    ] {
        let problem = client.problem(tool, arguments.clone()).await;
        assert_eq!(problem["status"], 400, "{tool} {arguments}: {problem}");
        assert!(!problem["nextStep"].as_str().unwrap().is_empty());
    }
}
