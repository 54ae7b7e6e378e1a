//! findPassages.

use serde::Deserialize;
use serde_json::Value;

use crate::asking::expect_no_null;
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
