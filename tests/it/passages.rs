//! findPassages.

use causeway::sandbox::{Fault, FaultKind, NewPage};
use serde::Deserialize;
use serde_json::Value;

use crate::asking::{ACME, expect_no_null};
use crate::support::{Answer, Session, World};

/// What colleagues ask, and where the answer is.
#[derive(Deserialize)]
struct Questions {
    question: Vec<Asked>,
}

#[derive(Deserialize)]
struct Asked {
    ask: String,
    page: String,
    text: String,
}

fn questions() -> Vec<Asked> {
    let questions: Questions = toml::from_str(include_str!("../fixtures/questions.toml")).unwrap();
    questions.question
}

impl Asked {
    fn is_page(&self, result: &Value) -> bool {
        result["page"]["title"] == self.page.as_str()
    }

    fn is_answer(&self, result: &Value) -> bool {
        self.is_page(result) && result["text"].as_str().unwrap().contains(&self.text)
    }
}

/// How many of the questions, in hundredths.
fn percent(count: usize, of: usize) -> usize {
    count * 100 / of
}

#[tokio::test]
async fn questions_of_colleagues_find_their_passage() {
    let world = World::of_acme().await;
    let alice = world.sign_in("alice").await;
    let questions = questions();
    assert!(questions.len() >= 40);
    let (mut found, mut first, mut among, mut searched) = (0, 0, 0, 0);
    let mut missed = Vec::new();
    for asked in &questions {
        let answer = world.ask(&alice, "/v1/passages", &[("query", &asked.ask)]).await.expect(200);
        let results = answer.json["results"].as_array().unwrap();
        let is_found = results.iter().any(|result| asked.is_page(result));
        let is_first = results.first().is_some_and(|result| asked.is_answer(result));
        let is_among = results.iter().any(|result| asked.is_answer(result));
        found += usize::from(is_found);
        first += usize::from(is_first);
        among += usize::from(is_among);
        if !is_first {
            let title = results.first().map_or("nothing", |result| result["page"]["title"].as_str().unwrap());
            missed.push(format!("{} → {title} (page {is_found}, passage {is_among})", asked.ask));
        }
        let searched_for = [("query", asked.ask.as_str()), ("limit", "1")];
        let answer = world.ask(&alice, "/v1/search", &searched_for).await.expect(200);
        searched += usize::from(answer.json["results"][0]["title"] == asked.page.as_str());
    }
    let count = questions.len();
    println!(
        "{count} questions; right page among the passages {found}, right passage among them {among}, first {first};"
    );
    println!("right page first in search order {searched}; not first:\n{}", missed.join("\n"));
    assert!(percent(found, count) >= 95 && percent(first, count) >= 80, "{found} and {first} of {count}");
    assert!(first > searched);
}

/// Alice on acme, asking.
struct Asker(World, Session);

impl Asker {
    async fn new() -> Self {
        Self::of(World::of_acme().await, "alice").await
    }

    async fn of(world: World, person: &str) -> Self {
        let session = world.sign_in(person).await;
        Self(world, session)
    }

    async fn find(&self, parameters: &[(&str, &str)]) -> Answer {
        self.0.ask(&self.1, "/v1/passages", parameters).await
    }

    async fn titles(&self, parameters: &[(&str, &str)]) -> Vec<String> {
        titles(&self.find(parameters).await.expect(200))
    }
}

fn results(answer: &Answer) -> &[Value] {
    answer.json["results"].as_array().unwrap()
}

/// The title of the page of each passage.
fn titles(answer: &Answer) -> Vec<String> {
    results(answer).iter().map(|result| result["page"]["title"].as_str().unwrap().to_owned()).collect()
}

#[tokio::test]
async fn a_passage_says_where_it_stands_and_who_wrote_it_when() {
    let asker = Asker::new().await;
    let answer = asker.find(&[("query", "acmectl rollback, previous image")]).await.expect(200);
    expect_no_null(&answer.json);
    let best = &results(&answer)[0];
    assert!(best["text"].as_str().unwrap().contains("`acmectl rollback checkout`"), "{best}");
    assert_eq!(best["headings"], serde_json::json!(["Deploying a service", "Rollback"]));
    let page = &best["page"];
    assert_eq!((&page["id"], &page["title"]), (&"1310745".into(), &"Deployment guide".into()));
    assert_eq!(page["space"], serde_json::json!({ "key": "ENG", "name": "Engineering" }));
    assert_eq!(page["url"], "https://acme.atlassian.net/wiki/spaces/ENG/pages/1310745/Deployment+guide");
    assert_eq!((&page["version"], &page["lastModified"]), (&3.into(), &"2026-05-10T10:02:05.777Z".into()));
    assert_eq!(page["lastModifiedBy"]["name"], "Bob Okafor");
    let scores: Vec<f64> = results(&answer).iter().map(|result| result["score"].as_f64().unwrap()).collect();
    assert!(scores.is_sorted_by(|one, other| one >= other) && scores[0] > 0.0, "{scores:?}");
    assert!(results(&answer).len() <= 8);
}

#[tokio::test]
async fn people_in_passages_have_names() {
    let asker = Asker::new().await;
    let answer = asker.find(&[("query", "who is on call in week 2026-W24")]).await.expect(200);
    assert!(results(&answer)[0]["text"].as_str().unwrap().contains("Mina Kim"), "{}", answer.body);
}

#[tokio::test]
async fn words_that_no_page_holds_find_nothing() {
    let asker = Asker::new().await;
    let answer = asker.find(&[("query", "xylophagous zyzzyva")]).await.expect(200);
    assert!(results(&answer).is_empty());
}

#[tokio::test]
async fn a_query_is_needed_and_all_values_are_checked() {
    let asker = Asker::new().await;
    let before = asker.0.confluence_calls().len();
    for (parameters, refused) in [
        (&[][..], "query"),
        (&[("query", "")], "query"),
        (&[("query", "***")], "query"),
        (&[("query", "x"), ("limit", "0")], "limit"),
        (&[("query", "x"), ("limit", "21")], "limit"),
        (&[("query", "x"), ("maxChars", "999")], "maxChars"),
        (&[("query", "x"), ("type", "comment")], "type"),
        (&[("query", "x"), ("ancestor", "x")], "ancestor"),
        (&[("query", "x"), ("updatedAfter", "yesterday")], "updatedAfter"),
        (&[("query", "x"), ("title", "*")], "title"),
        (&[("query", "x"), ("cql", "type = page")], "cql"),
    ] {
        asker.find(parameters).await.refuses(refused);
    }
    assert_eq!(asker.0.confluence_calls().len(), before);
}

#[tokio::test]
async fn operators_and_quotes_in_a_question_are_words() {
    let asker = Asker::new().await;
    asker.0.add("ENG", "Mongoose", "<p>a mongoose (fast) or a cat</p>");
    for query in [
        "mongoose AND (fast",
        "\"mongoose",
        "mongoose*",
        "-mongoose OR",
        "mongoose: [fast] ~",
        "NOT mongoose",
    ] {
        assert_eq!(asker.titles(&[("query", query)]).await[0], "Mongoose", "{query}");
    }
}

#[tokio::test]
async fn every_filter_holds() {
    let asker = Asker::new().await;
    let page = |space: &'static str, title: &str| NewPage {
        space,
        title: title.to_owned(),
        body: "<p>numbat</p>".to_owned(),
        ..NewPage::default()
    };
    let parent = asker.0.sandbox.add_page(page("ENG", "Numbat parent"));
    asker.0.sandbox.add_page(NewPage { parent: Some(parent.clone()), ..page("ENG", "Numbat child") });
    asker.0.sandbox.add_page(NewPage { blog_post: true, ..page("ENG", "Numbat news") });
    asker.0.sandbox.add_page(NewPage { labels: vec!["n-1".to_owned()], ..page("PROD", "Numbat product") });
    let found = async |name: &str, value: &str| {
        let mut titles = asker.titles(&[("query", "numbat"), (name, value)]).await;
        titles.sort();
        titles.dedup();
        titles
    };
    assert_eq!(found("space", "PROD").await, ["Numbat product"]);
    assert_eq!(found("type", "blogpost").await, ["Numbat news"]);
    assert_eq!(found("title", "child").await, ["Numbat child"]);
    assert_eq!(found("label", "n-1").await, ["Numbat product"]);
    assert_eq!(found("ancestor", &parent).await, ["Numbat child"]);
    assert_eq!(found("author", "me").await.len(), found("updatedAfter", "2026-11-21").await.len());
    assert!(found("author", "Bob Okafor").await.is_empty());
    assert!(found("updatedBefore", "2026-11-20").await.is_empty());
}

#[tokio::test]
async fn a_passage_that_stands_in_two_pages_comes_once() {
    let asker = Asker::new().await;
    let text =
        "<p>The wombat ferry leaves the northern pier at seven, and on Sundays at nine, unless it rains.</p>";
    for title in ["Ferries", "Timetables, copied"] {
        asker.0.add("ENG", title, text);
    }
    asker.0.add(
        "ENG",
        "Piers",
        "<p>The wombat ferry has a second pier, which nobody uses in winter or at night.</p>",
    );
    let titles = asker.titles(&[("query", "wombat ferry")]).await;
    assert_eq!(titles.len(), 2, "{titles:?}");
    assert!(titles.contains(&"Piers".to_owned()));
}

#[tokio::test]
async fn no_page_takes_all_places() {
    let asker = Asker::new().await;
    let sections: Vec<String> = (0..30)
        .map(|n| format!("<h2>Quoll {n}</h2><p>quoll quoll number {n} eats {n} beetles</p>"))
        .collect();
    asker.0.add("ENG", "Quolls", &sections.concat());
    for n in 0..3 {
        let body = format!(
            "<p>In this long page about other things, {n}, there is one quoll among {n} cats and dogs.</p>"
        );
        asker.0.add("ENG", &format!("Zoo {n}"), &body);
    }
    let titles = asker.titles(&[("query", "quoll"), ("limit", "6")]).await;
    assert_eq!(titles.len(), 6);
    assert_eq!(titles.iter().filter(|title| *title == "Quolls").count(), 3, "{titles:?}");
}

#[tokio::test]
async fn the_same_question_has_the_same_answer() {
    let asker = Asker::new().await;
    let ask = async || {
        asker.find(&[("query", "how do merchants get webhooks"), ("limit", "20")]).await.expect(200).body
    };
    assert_eq!(ask().await, ask().await);
}

#[tokio::test]
async fn passages_stay_within_their_characters_and_an_answer_within_its_bytes() {
    let asker = Asker::new().await;
    let title = "\u{1f63a}\"".repeat(120);
    for n in 0..25 {
        let body = format!(
            "<h1>{title}</h1>{}",
            format!("<p>galah{n} {}</p>", "\u{1f63a}&quot;\\ ".repeat(400)).repeat(4)
        );
        let unlike = (0..200).map(|word| format!("w{} ", word * n)).collect::<Vec<_>>().concat();
        asker.0.add(
            "ENG",
            &format!("{n} {title}"),
            &format!("<p>galah {unlike}</p>{}", body.replace("galah", "galah ")),
        );
    }
    let answer = asker.find(&[("query", "galah"), ("limit", "20"), ("maxChars", "90000")]).await.expect(200);
    assert!(
        answer.body.len() <= causeway::action::MAX_ANSWER && results(&answer).len() > 5,
        "{}",
        answer.body.len()
    );
    for (max, most) in [("1000", 1000), ("2500", 2500)] {
        let answer = asker.find(&[("query", "galah"), ("limit", "20"), ("maxChars", max)]).await.expect(200);
        let length: usize =
            results(&answer).iter().map(|result| result["text"].as_str().unwrap().chars().count()).sum();
        assert!(length <= most && length > 0, "{length}");
    }
}

#[tokio::test]
async fn an_answer_costs_three_calls_at_the_most() {
    for variables in
        [&[("CAUSEWAY_SITE", ACME)][..], &[("CAUSEWAY_SITE", ACME), ("CAUSEWAY_SPACES", "ENG,PROD")]]
    {
        let asker = Asker::of(World::with(variables).await, "alice").await;
        let replica = asker.0.replica().await;
        let calls = async || {
            asker.0.sandbox.forget_calls();
            replica
                .ask(&asker.1, "/v1/passages", &[("query", "who is on call in week 2026-W24")])
                .await
                .expect(200);
            asker.0.sandbox.calls().len()
        };
        assert!(calls().await <= 3);
        assert!(calls().await <= 2);
        assert_eq!(calls().await, 1);
    }
}

#[tokio::test]
async fn bodies_that_do_not_come_with_the_search_are_read_one_by_one() {
    let asker = Asker::new().await;
    for n in 0..12 {
        let post = NewPage {
            blog_post: n % 2 == 1,
            title: format!("Taipan {n}"),
            body: format!("<p>taipan number {n}</p>"),
            ..NewPage::default()
        };
        asker.0.sandbox.add_page(post);
    }
    let found = asker.find(&[("query", "taipan"), ("limit", "20")]).await.expect(200);
    assert_eq!(results(&found).len(), 12);
    asker.0.sandbox.inject(Fault {
        path_contains: "body.storage".to_owned(),
        times: 1,
        kind: FaultKind::HugeBody,
    });
    asker.0.sandbox.forget_calls();
    let read = asker.find(&[("query", "taipan"), ("limit", "20")]).await.expect(200);
    assert_eq!(results(&read).len(), 8, "{}", read.body);
    assert!(
        results(&read).iter().all(|result| result["text"].as_str().unwrap().starts_with("taipan number"))
    );
    let calls = asker.0.confluence_calls();
    assert_eq!(calls.iter().filter(|call| call.contains("api/v2/")).count(), 8, "{calls:?}");
}

#[tokio::test]
async fn a_site_that_lacks_site_search_is_asked_by_text() {
    let asker = Asker::new().await;
    asker.0.add("ENG", "Bilby", "<p>bilby burrow</p>");
    let body = r#"{"statusCode":400,"message":"Could not parse cql : Unsupported CQL field 'siteSearch'"}"#;
    let kind = FaultKind::Status { status: 400, headers: Vec::new(), body: body.to_owned() };
    asker.0.sandbox.inject(Fault { path_contains: "siteSearch".to_owned(), times: usize::MAX, kind });
    assert_eq!(asker.titles(&[("query", "where is the bilby?")]).await, ["Bilby"]);
}

#[tokio::test]
async fn nothing_from_outside_the_spaces_of_a_gpt_is_ranked_or_read() {
    let asker = Asker::of(World::of_spaces("ENG").await, "alice").await;
    asker.0.add("ENG", "Openium", "<p>marsupial rules</p>");
    for space in ["PROD", "HR", "~alice"] {
        asker.0.add(space, "Zirkonium", "<p>marsupial Zirkonium rules</p>");
    }
    for query in ["marsupial rules", "marsupial Zirkonium", "siteSearch OR space = HR marsupial"] {
        let answer = asker.find(&[("query", query), ("limit", "20")]).await.expect(200);
        assert!(!answer.body.contains("Zirkonium") && !results(&answer).is_empty(), "{}", answer.body);
        assert!(
            results(&answer).iter().all(|result| result["page"]["space"]["key"] == "ENG"),
            "{}",
            answer.body
        );
    }
    assert!(results(&asker.find(&[("query", "zirkonium")]).await.expect(200)).is_empty());
    asker.find(&[("query", "marsupial"), ("space", "HR")]).await.refused(403, "not-allowed");
    // A row that Confluence should not have sent.
    let row = |space_id: u64| {
        serde_json::json!({ "content": { "id": "77", "type": "page", "status": "current", "title": "Zirkonium",
            "space": { "id": space_id, "key": "ENG", "name": "Engineering" },
            "body": { "storage": { "value": "<p>marsupial Zirkonium</p>" } } },
            "title": "Zirkonium", "excerpt": "", "url": "/spaces/ENG/pages/77" })
    };
    let body =
        serde_json::json!({ "results": [row(131_081), row(1)], "totalSize": 2, "_links": {} }).to_string();
    let kind = FaultKind::Status { status: 200, headers: Vec::new(), body };
    asker.0.sandbox.inject(Fault { path_contains: "rest/api/search".to_owned(), times: 1, kind });
    assert!(results(&asker.find(&[("query", "marsupial")]).await.expect(200)).is_empty());
}

#[tokio::test]
async fn a_person_gets_passages_of_what_they_may_see_alone() {
    let world = World::of_acme().await;
    let (alice, bob) = (world.sign_in("alice").await, world.sign_in("bob").await);
    let query = [("query", "how much do we offer for the terminal business of Globex, project Bluebird?")];
    let alices = world.ask(&alice, "/v1/passages", &query).await.expect(200);
    assert!(alices.body.contains("42 million"));
    let bobs = world.ask(&bob, "/v1/passages", &query).await.expect(200);
    assert!(!bobs.body.contains("Bluebird") && !bobs.body.contains("42 million"), "{}", bobs.body);
}
