//! listAttachments.

use causeway::sandbox::NewFile;

use crate::asking::{each, expect_no_null};
use crate::support::World;

const SERVICE_CATALOGUE: &str = "/v1/pages/1310734/attachments";

#[tokio::test]
async fn a_file_comes_with_name_type_size_link_and_uploader() {
    let world = World::of_acme().await;
    let alice = world.sign_in("alice").await;
    let answer = world.get(&alice, SERVICE_CATALOGUE).await.expect(200);
    expect_no_null(&answer.json);
    let files = answer.json["results"].as_array().unwrap();
    let csv = files.iter().find(|file| file["title"] == "service-inventory.csv").unwrap();
    assert_eq!(csv["mediaType"], "text/csv");
    assert!(csv["size"].as_u64().unwrap() > 0);
    assert!(csv["url"].as_str().unwrap().starts_with("https://acme.atlassian.net/wiki/"));
    assert!(!csv["lastModifiedBy"]["name"].as_str().unwrap().is_empty());
}

#[tokio::test]
async fn a_query_and_a_media_type_narrow_and_may_leave_nothing() {
    let world = World::of_acme().await;
    let alice = world.sign_in("alice").await;
    let titles = async |parameters: &[(&str, &str)]| {
        each(&world.list(&alice, SERVICE_CATALOGUE, parameters).await, "title")
    };
    assert_eq!(titles(&[("query", "INVENTORY")]).await, ["service-inventory.csv"]);
    assert_eq!(titles(&[("mediaType", "text/csv")]).await, ["service-inventory.csv"]);
    assert!(titles(&[("query", "no such name")]).await.is_empty());
}

#[tokio::test]
async fn the_cursor_leads_to_every_file_once() {
    let world = World::of_acme().await;
    let alice = world.sign_in("alice").await;
    let page = world.add("ENG", "Many files", "<p>x</p>");
    for number in 0..120 {
        world.sandbox.add_file(NewFile {
            page: page.clone(),
            title: format!("file {number:03}.txt"),
            media_type: "text/plain",
            bytes: b"x".to_vec(),
            claimed_size: None,
        });
    }
    let path = format!("/v1/pages/{page}/attachments");
    let mut titles = each(&world.list(&alice, &path, &[]).await, "title");
    titles.sort();
    let expected: Vec<String> = (0..120).map(|number| format!("file {number:03}.txt")).collect();
    assert_eq!(titles, expected);
    // What only a later page of the list holds is found all the same.
    assert_eq!(each(&world.list(&alice, &path, &[("query", "119")]).await, "title"), ["file 119.txt"]);
}

#[tokio::test]
async fn the_files_of_an_absent_page_are_missing() {
    let world = World::of_acme().await;
    let alice = world.sign_in("alice").await;
    world.get(&alice, "/v1/pages/404404/attachments").await.refused(404, "not-found");
}
