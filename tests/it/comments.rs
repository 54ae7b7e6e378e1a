//! listComments.

use causeway::sandbox::NewComment;
use serde_json::Value;

use crate::asking::{each, expect_no_null};
use crate::support::World;

const DEPLOYMENT_GUIDE: &str = "/v1/pages/1310745/comments";

fn comment(page: &str, parent: Option<&str>, body: &str, selection: Option<&'static str>) -> NewComment {
    NewComment { page: page.to_owned(), parent: parent.map(str::to_owned), body: body.to_owned(), selection }
}

#[tokio::test]
async fn a_thread_comes_with_author_text_replies_and_what_it_stands_at() {
    let world = World::of_acme().await;
    let alice = world.sign_in("alice").await;
    let answer = world.get(&alice, DEPLOYMENT_GUIDE).await.expect(200);
    expect_no_null(&answer.json);
    let threads = answer.json["results"].as_array().unwrap();
    let inline = threads.iter().find(|thread| thread["kind"] == "inline").unwrap();
    assert_eq!(inline["quotedText"], "except after a database migration");
    assert_eq!(inline["resolved"], true);
    assert_eq!(inline["author"]["name"], "Alice Anderson");
    assert_eq!(inline["replies"][0]["markdown"], "Done.");
    let footer = threads.iter().find(|thread| thread["kind"] == "footer").unwrap();
    assert_eq!(footer["resolved"], false);
    assert!(footer.get("quotedText").is_none());
    // A mention in a reply has its name.
    assert!(footer["replies"][0]["markdown"].as_str().unwrap().starts_with("@김민아 (Mina Kim)"));
}

#[tokio::test]
async fn kind_chooses_footer_or_inline_and_all_is_both() {
    let world = World::of_acme().await;
    let alice = world.sign_in("alice").await;
    let ids = async |kind: &str| each(&world.list(&alice, DEPLOYMENT_GUIDE, &[("kind", kind)]).await, "id");
    let (footer, inline, all) = (ids("footer").await, ids("inline").await, ids("all").await);
    assert!(!footer.is_empty() && !inline.is_empty());
    assert_eq!([footer, inline].concat(), all);
    world.ask(&alice, DEPLOYMENT_GUIDE, &[("kind", "private")]).await.refuses("kind");
}

#[tokio::test]
async fn the_cursor_leads_to_every_thread_once_whatever_fits_an_answer() {
    let world = World::of_acme().await;
    let alice = world.sign_in("alice").await;
    let page = world.add("ENG", "Much discussed", "<p>x</p>");
    let long = format!("<p>{}</p>", "discussed 토론 \"at length\" ".repeat(400));
    for number in 0..23 {
        let body = if number % 3 == 0 { long.clone() } else { format!("<p>short {number}</p>") };
        let thread = world.sandbox.add_comment(&comment(&page, None, &body, None));
        world.sandbox.add_comment(&comment(&page, Some(&thread), "<p>a reply</p>", None));
    }
    world.sandbox.add_comment(&comment(&page, None, "<p>inline</p>", Some("x")));
    let threads = world.list(&alice, &format!("/v1/pages/{page}/comments"), &[]).await;
    let mut ids = each(&threads, "id");
    assert_eq!(ids.len(), 24);
    ids.sort();
    ids.dedup();
    assert_eq!(ids.len(), 24, "a thread comes twice");
    let replies = |thread: &&Value| thread["replies"].as_array().unwrap().len() == 1;
    assert_eq!(threads.iter().filter(replies).count(), 23);
}

#[tokio::test]
async fn a_thread_with_more_replies_than_fit_says_so() {
    let world = World::of_acme().await;
    let alice = world.sign_in("alice").await;
    let page = world.add("ENG", "Endless thread", "<p>x</p>");
    let thread = world.sandbox.add_comment(&comment(&page, None, "<p>begin</p>", None));
    let long = format!("<p>{}</p>", "on and on ".repeat(1_900));
    for _ in 0..6 {
        world.sandbox.add_comment(&comment(&page, Some(&thread), &long, None));
    }
    let answer = world.get(&alice, &format!("/v1/pages/{page}/comments")).await.expect(200);
    assert!(answer.body.len() <= causeway::action::MAX_ANSWER);
    assert_eq!(answer.json["results"][0]["moreReplies"], true);
    assert!(answer.json.get("nextCursor").is_none());
}

#[tokio::test]
async fn a_page_without_comments_has_an_empty_list_and_an_absent_page_none() {
    let world = World::of_acme().await;
    let alice = world.sign_in("alice").await;
    let page = world.add("ENG", "Nobody says a word", "<p>x</p>");
    assert!(world.list(&alice, &format!("/v1/pages/{page}/comments"), &[]).await.is_empty());
    world.get(&alice, "/v1/pages/404404/comments").await.refused(404, "not-found");
}
