//! getPage.

use std::fmt::Write as _;

use causeway::sandbox::NewPage;

use crate::asking::expect_no_null;
use crate::support::{Answer, Session, World};

/// Has two versions.
const DEPLOYMENT_GUIDE: &str = "1310745";
/// A blog post.
const WEBHOOKS: &str = "1310870";
/// Restricted to alice and erin.
const SECURITY_KEYS: &str = "1310811";

async fn signed_in(person: &str) -> (World, Session) {
    let world = World::of_acme().await;
    let session = world.sign_in(person).await;
    (world, session)
}

/// Reads `id` part by part to its end.
async fn parts(world: &World, session: &Session, id: &str, parameters: &[(&str, &str)]) -> Vec<Answer> {
    let mut parts: Vec<Answer> = Vec::new();
    loop {
        let part = (parts.len() + 1).to_string();
        let asked = [parameters, &[("part", part.as_str())]].concat();
        let answer = world.ask(session, &format!("/v1/pages/{id}"), &asked).await.expect(200);
        assert!(answer.body.len() < 100_000, "{} bytes", answer.body.len());
        assert_eq!(answer.json["part"], parts.len() + 1);
        let next = answer.json["nextPart"].as_u64();
        parts.push(answer);
        if next.is_none() {
            assert_eq!(parts[0].json["parts"], parts.len());
            return parts;
        }
        assert_eq!(next, Some(parts.len() as u64 + 1));
        assert!(parts.len() < 1_000, "a page without end");
    }
}

fn text(parts: &[Answer]) -> String {
    parts.iter().map(|part| part.text("markdown")).collect::<Vec<_>>().join("\n")
}

#[tokio::test]
async fn a_page_comes_with_all_that_is_known_of_it() {
    let (world, alice) = signed_in("alice").await;
    let answer = world.get(&alice, &format!("/v1/pages/{DEPLOYMENT_GUIDE}")).await.expect(200);
    expect_no_null(&answer.json);
    let page = &answer.json;
    assert_eq!((answer.text("id"), answer.text("type")), (DEPLOYMENT_GUIDE, "page"));
    assert_eq!(answer.text("title"), "Deployment guide");
    assert_eq!(page["space"], serde_json::json!({ "key": "ENG", "name": "Engineering" }));
    assert!(
        answer.text("url").starts_with("https://acme.atlassian.net/wiki/spaces/ENG/pages/1310745"),
        "{page}"
    );
    assert!(page["version"].as_u64() >= Some(2));
    assert!(answer.text("lastModified").ends_with('Z'));
    assert!(!page["lastModifiedBy"]["name"].as_str().unwrap().is_empty());
    assert!(page["labels"].as_array().unwrap().iter().any(|label| label == "runbook"), "{page}");
    let headings = page["outline"].as_array().unwrap();
    assert!(headings.iter().any(|heading| heading["heading"] == "Rollback"), "{page}");
    assert!(answer.text("markdown").contains("Rollback"));
    assert_eq!((&page["part"], &page["maxChars"]), (&serde_json::json!(1), &serde_json::json!(30_000)));
    assert!(page.get("status").is_none(), "a current page needs no status");
}

#[tokio::test]
async fn a_blog_post_is_read_like_a_page() {
    let (world, alice) = signed_in("alice").await;
    let answer = world.get(&alice, &format!("/v1/pages/{WEBHOOKS}")).await.expect(200);
    assert_eq!(answer.text("type"), "blogpost");
    assert!(answer.text("url").contains("/blog/"), "{}", answer.body);
    assert!(answer.text("markdown").contains("webhooks"), "{}", answer.body);
}

#[tokio::test]
async fn an_empty_page_is_one_empty_part() {
    let (world, alice) = signed_in("alice").await;
    let id = world.add("ENG", "Blank", "");
    let answer = world.get(&alice, &format!("/v1/pages/{id}")).await.expect(200);
    assert_eq!((answer.text("markdown"), &answer.json["parts"]), ("", &serde_json::json!(1)));
    world.ask(&alice, &format!("/v1/pages/{id}"), &[("part", "2")]).await.refuses("part");
}

#[tokio::test]
async fn what_is_absent_or_not_for_this_person_is_missing_in_the_same_words() {
    let (world, bob) = signed_in("bob").await;
    let below =
        NewPage { title: "Below".to_owned(), parent: Some(SECURITY_KEYS.to_owned()), ..NewPage::default() };
    let below = world.sandbox.add_page(below);
    let absent = world.get(&bob, "/v1/pages/99999999").await.refused(404, "not-found");
    for id in [SECURITY_KEYS, below.as_str(), "1331211", "1341441", "2621441", "0", "999999999999999999"] {
        let answer = world.get(&bob, &format!("/v1/pages/{id}")).await.refused(404, "not-found");
        assert_eq!(answer.nameless(), absent.nameless(), "{id}");
        assert_eq!(answer.headers.len(), absent.headers.len());
    }
    let alice = world.sign_in("alice").await;
    world.get(&alice, &format!("/v1/pages/{SECURITY_KEYS}")).await.expect(200);
}

#[tokio::test]
async fn an_id_is_digits_and_nothing_else() {
    let (world, alice) = signed_in("alice").await;
    for id in [
        "x",
        "99999999999999999999",
        "1000000000000000000",
        "1310745x",
        "-1",
        "1e5",
        "１３１０７４５",
        "123456789012345678901",
        "%20",
        "1310745%00",
        "..%2F..%2Fspaces",
        "%22",
        "1%2F2",
    ] {
        let answer = world.get(&alice, &format!("/v1/pages/{id}")).await;
        assert!(answer.status == 400 || answer.status == 404, "{id}: {} {}", answer.status, answer.body);
        assert_eq!(answer.header("content-type"), "application/problem+json", "{id}: {}", answer.body);
    }
    assert!(world.confluence_calls().is_empty(), "{:?}", world.confluence_calls());
}

#[tokio::test]
async fn an_old_version_is_read_as_it_was_and_one_that_never_was_is_missing() {
    let (world, alice) = signed_in("alice").await;
    let path = format!("/v1/pages/{DEPLOYMENT_GUIDE}");
    let old = world.ask(&alice, &path, &[("version", "1")]).await.expect(200);
    assert_eq!(old.json["version"], 1);
    assert_ne!(old.text("markdown"), world.get(&alice, &path).await.text("markdown"));
    world.ask(&alice, &path, &[("version", "999")]).await.refused(404, "not-found");
}

/// Paragraphs, a table, a list and code, all numbered, and characters that take six bytes in JSON.
fn long_body() -> String {
    let mut body = String::new();
    for section in 0..40 {
        write!(body, "<h2>Section {section} &lt;é&gt; 日本</h2>").unwrap();
        for line in 0..60 {
            write!(body, "<p>Word{section}x{line}x \\ &quot;quoted&quot; 日本語 😀 tab</p>").unwrap();
        }
        body.push_str("<table><tbody><tr><th>Key</th><th>Value</th></tr>");
        for row in 0..60 {
            write!(body, "<tr><td>Cell{section}x{row}x</td><td>😀 | pipe</td></tr>").unwrap();
        }
        body.push_str("</tbody></table>");
        body.push_str(r#"<ac:structured-macro ac:name="code"><ac:plain-text-body><![CDATA["#);
        for line in 0..60 {
            writeln!(body, "Line{section}x{line}x = \"\\\\\";").unwrap();
        }
        body.push_str("]]></ac:plain-text-body></ac:structured-macro>");
    }
    body
}

#[tokio::test]
async fn a_very_long_page_is_read_to_its_end_with_nothing_missing_and_nothing_twice() {
    let (world, alice) = signed_in("alice").await;
    let id = world.add("ENG", "Long", &long_body());
    for max_chars in ["4000", "30000", "90000"] {
        let parts = parts(&world, &alice, &id, &[("maxChars", max_chars)]).await;
        assert!(parts.len() > 1);
        for part in &parts {
            assert!(part.text("markdown").chars().count() <= max_chars.parse().unwrap());
        }
        let text = text(&parts);
        for section in 0..40 {
            for line in 0..60 {
                for word in [
                    format!("Word{section}x{line}x"),
                    format!("Cell{section}x{line}x"),
                    format!("Line{section}x{line}x"),
                ] {
                    assert_eq!(text.matches(&word).count(), 1, "{word} with maxChars {max_chars}");
                }
            }
        }
    }
}

#[tokio::test]
async fn the_outline_says_which_part_a_heading_is_in() {
    let (world, alice) = signed_in("alice").await;
    let id = world.add("ENG", "Long", &long_body());
    let parts = parts(&world, &alice, &id, &[("maxChars", "10000")]).await;
    for entry in parts[0].json["outline"].as_array().unwrap() {
        let heading = entry["heading"].as_str().unwrap().split(' ').take(2).collect::<Vec<_>>().join(" ");
        let part = usize::try_from(entry["part"].as_u64().unwrap()).unwrap();
        assert!(
            parts[part - 1].text("markdown").contains(&format!("## {heading} ")),
            "{heading} is not in part {part}"
        );
    }
}

#[tokio::test]
async fn one_paragraph_of_a_megabyte_is_read_to_its_end_too() {
    let (world, alice) = signed_in("alice").await;
    let body = format!("<p>{}end</p>", "\u{1f63a}&quot;\\".repeat(60_000));
    let id = world.add("ENG", "One paragraph", &body);
    let parts = parts(&world, &alice, &id, &[("maxChars", "90000")]).await;
    let cats: usize = parts.iter().map(|part| part.text("markdown").matches('\u{1f63a}').count()).sum();
    assert_eq!(cats, 60_000);
    assert!(parts.last().unwrap().text("markdown").trim_end().ends_with("end"));
}

#[tokio::test]
async fn a_page_of_headings_labels_and_losses_still_fits() {
    let (world, alice) = signed_in("alice").await;
    let heading = "\u{1f63a}\"\\".repeat(80);
    let headings: String = (0..2_000)
        .map(|n| {
            format!("<h1>{n} {heading}</h1><ac:structured-macro ac:name=\"m{n}-{heading}\"/>")
                .replace('"', "&quot;")
        })
        .collect();
    let page = NewPage {
        title: "\u{1f63a}\"".repeat(125),
        labels: (0..200).map(|n| format!("label-{n}-{}", "x".repeat(240))).collect(),
        body: headings,
        ..NewPage::default()
    };
    let id = world.sandbox.add_page(page);
    let parts = parts(&world, &alice, &id, &[("maxChars", "90000")]).await;
    assert!(text(&parts).contains("1999 "), "the last heading is not reached");
}

#[tokio::test]
async fn the_same_request_gives_the_same_answer() {
    let (world, alice) = signed_in("alice").await;
    let id = world.add("ENG", "Long", &long_body());
    let ask = async || {
        world
            .ask(&alice, &format!("/v1/pages/{id}"), &[("part", "3"), ("maxChars", "7001")])
            .await
            .expect(200)
            .body
    };
    assert_eq!(ask().await, ask().await);
}

#[tokio::test]
async fn a_pinned_version_and_max_chars_give_the_same_parts_after_an_edit() {
    let (world, alice) = signed_in("alice").await;
    let path = format!("/v1/pages/{DEPLOYMENT_GUIDE}");
    let first = world.ask(&alice, &path, &[("maxChars", "1000")]).await.expect(200);
    let version = first.json["version"].to_string();
    let again = world.ask(&alice, &path, &[("maxChars", "1000"), ("version", &version)]).await.expect(200);
    assert_eq!(again.text("markdown"), first.text("markdown"));
    assert_eq!(again.json["maxChars"], 1000);
}

#[tokio::test]
async fn a_section_is_read_with_its_subsections_and_without_its_neighbours() {
    let (world, alice) = signed_in("alice").await;
    let body = "<h1>Before</h1><p>aaa</p><h1>2. Ünder \"it\"</h1><p>bbb</p><h2>Deeper</h2><p>ccc</p><h1>After</h1><p>ddd</p>";
    let id = world.add("ENG", "Sections", body);
    for heading in ["2. Ünder \"it\"", "ünder it", "2. ünder", "  2 Ünder  it "] {
        let answer = world.ask(&alice, &format!("/v1/pages/{id}"), &[("section", heading)]).await.expect(200);
        let markdown = answer.text("markdown");
        assert!(markdown.contains("bbb") && markdown.contains("ccc"), "{heading}: {markdown}");
        assert!(!markdown.contains("aaa") && !markdown.contains("ddd"), "{heading}: {markdown}");
        assert_eq!(
            answer.json["outline"].as_array().unwrap().len(),
            4,
            "the outline is that of the whole page"
        );
    }
    for heading in ["Nowhere", "---"] {
        world.ask(&alice, &format!("/v1/pages/{id}"), &[("section", heading)]).await.refuses("section");
    }
}

#[tokio::test]
async fn a_query_leaves_the_passages_that_hold_its_words_or_nothing() {
    let (world, alice) = signed_in("alice").await;
    let mut body = String::new();
    for n in 0..50 {
        write!(body, "<h2>Topic {n}</h2><p>{} narwhal{n} stands here.</p>", "filler words ".repeat(200))
            .unwrap();
    }
    let id = world.add("ENG", "Topics", &body);
    let path = format!("/v1/pages/{id}");
    let answer = world.ask(&alice, &path, &[("query", "narwhal17")]).await.expect(200);
    assert!(answer.text("markdown").contains("narwhal17") && answer.text("markdown").contains("Topic 17"));
    assert!(!answer.text("markdown").contains("narwhal3 "), "{}", answer.text("markdown"));
    let nothing = world.ask(&alice, &path, &[("query", "zzzabsent")]).await.expect(200);
    assert_eq!((nothing.text("markdown"), &nothing.json["parts"]), ("", &serde_json::json!(1)));
    let odd = world.ask(&alice, &path, &[("query", "*** ~ \"(")]).await.expect(200);
    assert_eq!(odd.text("markdown"), "");
}

#[tokio::test]
async fn an_archived_page_says_that_it_is() {
    let (world, alice) = signed_in("alice").await;
    let body = serde_json::json!({
        "id": "77", "status": "archived", "title": "Old", "spaceId": "131073",
        "version": { "number": 3, "createdAt": "2026-01-01T00:00:00.000Z", "authorId": "nobody-known" },
        "body": { "storage": { "value": "<p>old</p>", "representation": "storage" } },
        "_links": { "webui": "/spaces/ENG/pages/77/Old" },
    });
    let answer = |status: &str| {
        let kind = causeway::sandbox::FaultKind::Status {
            status: 200,
            headers: Vec::new(),
            body: body.to_string().replace("archived", status),
        };
        world.sandbox.inject(causeway::sandbox::Fault {
            path_contains: "/pages/77".to_owned(),
            times: 1,
            kind,
        });
    };
    answer("archived");
    let archived = world.get(&alice, "/v1/pages/77").await.expect(200);
    assert_eq!((archived.text("status"), archived.text("markdown").trim()), ("archived", "old"));
    assert!(archived.json.get("lastModifiedBy").is_none(), "nobody knows this account");
    for status in ["trashed", "draft", "deleted"] {
        answer(status);
        world.get(&alice, "/v1/pages/77").await.refused(404, "not-found");
    }
}
