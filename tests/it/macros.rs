//! What the macros of a page draw on, in getPage.

use causeway::sandbox::{Fault, FaultKind};

use crate::support::{Answer, Session, World};

const ENGINEERING_HOME: &str = "1310721";

async fn read(world: &World, person: &Session, id: &str) -> Answer {
    world.get(person, &format!("/v1/pages/{id}?maxChars=60000")).await.expect(200)
}

fn including(title: &str, space: Option<&str>) -> String {
    let space = space.map(|key| format!(" ri:space-key=\"{key}\"")).unwrap_or_default();
    format!(
        "<p>before</p><ac:structured-macro ac:name=\"include\" ac:macro-id=\"m1\"><ac:parameter ac:name=\"\"><ac:link>\
         <ri:page ri:content-title=\"{title}\"{space}/></ac:link></ac:parameter></ac:structured-macro><p>after</p>"
    )
}

#[tokio::test]
async fn an_included_page_is_read_in_its_place() {
    let world = World::of_acme().await;
    let alice = world.sign_in("alice").await;
    let target = "<p>Included <ac:link><ri:user ri:account-id=\"712020:5d2c1f0a-8b7e-4c64-9d0e-b0b000000002\"/></ac:link></p>";
    world.add("PROD", "To be included", target);
    let id = world.add("ENG", "Including", &including("To be included", Some("PROD")));
    let answer = read(&world, &alice, &id).await;
    assert_eq!(answer.text("markdown"), "before\n\nIncluded @Bob Okafor\n\nafter");
    assert_eq!(answer.json["omitted"], serde_json::json!([]));
}

#[tokio::test]
async fn what_the_gpt_may_not_read_is_not_included_and_looks_like_what_is_not_there() {
    let world = World::of_spaces("ENG").await;
    let alice = world.sign_in("alice").await;
    world.add("HR", "Hidden", "<p>hidden text</p>");
    let hidden = world.add("ENG", "Including hidden", &including("Hidden", Some("HR")));
    let absent = world.add("ENG", "Including absent", &including("Hidden", Some("NOSUCH")));
    let (hidden, absent) = (read(&world, &alice, &hidden).await, read(&world, &alice, &absent).await);
    assert!(!hidden.body.contains("hidden text"), "{}", hidden.body);
    assert_eq!(hidden.json["omitted"], absent.json["omitted"]);
    assert_eq!(
        hidden.text("markdown").replace("/HR/", "/NOSUCH/").replace("HR", "NOSUCH"),
        absent.text("markdown")
    );
}

#[tokio::test]
async fn what_the_person_may_not_read_is_not_included() {
    let world = World::of_acme().await;
    let bob = world.sign_in("bob").await;
    let id = world.add("ENG", "Including restricted", &including("Security keys and rotation", None));
    let answer = read(&world, &bob, &id).await;
    assert!(!answer.body.contains("signing key"), "{}", answer.body);
    assert!(answer.text("markdown").contains("[macro: include"), "{}", answer.body);
}

#[tokio::test]
async fn a_macro_that_exists_only_rendered_is_rendered() {
    let world = World::of_acme().await;
    let alice = world.sign_in("alice").await;
    let answer = read(&world, &alice, ENGINEERING_HOME).await;
    assert!(answer.text("markdown").contains("[Deployment guide]("), "{}", answer.body);
    assert!(!answer.text("markdown").contains("[macro: children"), "{}", answer.body);
    assert_eq!(world.sandbox.calls().iter().filter(|call| call.query.contains("export_view")).count(), 1);
}

#[tokio::test]
async fn a_diagram_is_named_without_a_call_that_would_only_draw_it() {
    let world = World::of_acme().await;
    let alice = world.sign_in("alice").await;
    let drawing = "<ac:structured-macro ac:name=\"drawio\"><ac:parameter ac:name=\"diagramName\">tracks</ac:parameter></ac:structured-macro>";
    let id = world.add("ENG", "A drawing", drawing);
    let answer = read(&world, &alice, &id).await;
    assert_eq!(answer.text("markdown"), "[macro: drawio (diagramName: tracks)]");
    assert!(world.sandbox.calls().iter().all(|call| !call.query.contains("export_view")));
}

#[tokio::test]
async fn with_an_allow_list_nothing_is_rendered() {
    let world = World::of_spaces("ENG").await;
    let alice = world.sign_in("alice").await;
    let answer = read(&world, &alice, ENGINEERING_HOME).await;
    assert!(answer.text("markdown").contains("[macro: children"), "{}", answer.body);
    assert!(world.sandbox.calls().iter().all(|call| !call.query.contains("export_view")));
}

#[tokio::test]
async fn a_page_that_cannot_be_rendered_is_read_with_placeholders() {
    let world = World::of_acme().await;
    let alice = world.sign_in("alice").await;
    world.sandbox.inject(Fault {
        path_contains: "export_view".to_owned(),
        times: usize::MAX,
        kind: FaultKind::Status { status: 500, headers: Vec::new(), body: String::new() },
    });
    let answer = read(&world, &alice, ENGINEERING_HOME).await;
    assert!(answer.text("markdown").contains("[macro: children"), "{}", answer.body);
}

#[tokio::test]
async fn a_page_that_includes_itself_ends() {
    let world = World::of_acme().await;
    let alice = world.sign_in("alice").await;
    let id = world.add("ENG", "Ouroboros", &including("Ouroboros", None));
    let answer = read(&world, &alice, &id).await;
    assert!(answer.text("markdown").contains("before"), "{}", answer.body);
}
