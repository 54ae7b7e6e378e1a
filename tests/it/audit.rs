//! The audit log: one line of JSON for each call, which says who, by which GPT, did what, with what outcome, and which pages
//! were touched; and never a word of them.

use causeway::sandbox::{NewComment, NewFile, NewPage};
use serde_json::{Value, json};

use crate::asking::ACME;
use crate::mcp::Client;
use crate::privacy_of_logs::{Log, rehearse};
use crate::support::{Session, World};

/// The lines of the audit log.
fn lines(log: &Log) -> Vec<Value> {
    let text = log.text();
    let lines = text.lines().map(|line| {
        serde_json::from_str::<Value>(line).unwrap_or_else(|error| panic!("not JSON: {error}: {line}"))
    });
    lines.filter(|line| line["target"] == "causeway::audit").collect()
}

fn ids(line: &Value) -> Vec<&str> {
    line["fields"]["ids"].as_str().unwrap().split(',').filter(|id| !id.is_empty()).collect()
}

/// A page that includes another, with a comment and a file, below a parent. All their words begin with mulgara.
struct Pages {
    page: String,
    included: String,
    comment: String,
    file: String,
}

impl Pages {
    fn add(world: &World) -> Self {
        let page = |title: &str, body: String, parent: Option<String>| {
            let (title, labels) = (title.to_owned(), vec!["mulgara-label".to_owned()]);
            world.sandbox.add_page(NewPage { title, body, parent, labels, ..NewPage::default() })
        };
        let included = page("Mulgara source", "<p>Mulgara inside</p>".to_owned(), None);
        let body = "<p>Mulgara outside</p><ac:structured-macro ac:name=\"include\"><ac:parameter ac:name=\"\"><ac:link>\
                    <ri:page ri:content-title=\"Mulgara source\"/></ac:link></ac:parameter></ac:structured-macro>";
        let page = page("Mulgara page", body.to_owned(), Some(included.clone()));
        let thread = "<p>Mulgara comment</p>".to_owned();
        let comment = world.sandbox.add_comment(&NewComment {
            page: page.clone(),
            parent: None,
            body: thread,
            selection: None,
        });
        let file = world.sandbox.add_file(NewFile {
            page: page.clone(),
            title: "mulgara.txt".to_owned(),
            media_type: "text/plain",
            bytes: b"mulgara in a file".to_vec(),
            claimed_size: None,
        });
        world.sandbox.edit_page(&page, body, "mulgara edit");
        Self { page, included, comment, file }
    }

    /// A call of each action, and the pages, comments and files that it touches.
    fn calls(&self) -> Vec<(&'static str, String, Vec<&str>)> {
        let Self { page, included, comment, file } = self;
        let (page, included, comment) = (page.as_str(), included.as_str(), comment.as_str());
        let raw = format!("/v1/raw?path=/wiki/api/v2/pages/{page}/labels");
        vec![
            ("searchConfluence", "/v1/search?query=mulgara&type=page".to_owned(), vec![page, included]),
            ("findPassages", "/v1/passages?query=mulgara+outside".to_owned(), vec![page]),
            ("getPage", format!("/v1/pages/{page}"), vec![page, included]),
            ("getPages", format!("/v1/pages/batch?ids={page},99999999"), vec![page, included]),
            ("findPage", "/v1/pages?title=mulgara+page".to_owned(), vec![page, included]),
            ("getPageTree", format!("/v1/tree?page={included}"), vec![included, page]),
            ("listSpaces", "/v1/spaces?query=mulgara".to_owned(), vec![]),
            ("listComments", format!("/v1/pages/{page}/comments"), vec![page, comment]),
            ("listAttachments", format!("/v1/pages/{page}/attachments?query=mulgara"), vec![page, file]),
            ("getAttachment", format!("/v1/attachments/{file}"), vec![page, file]),
            ("getAttachment", format!("/v1/attachments/attachment:{page}%2Fmulgara.txt?as=file"), vec![page]),
            ("getPageHistory", format!("/v1/pages/{page}/versions?compare=1"), vec![page]),
            ("getRecentChanges", "/v1/changes?since=-1d&space=ENG".to_owned(), vec![page, included]),
            ("whoAmI", "/v1/me".to_owned(), vec![]),
            ("callConfluence", raw, vec![page]),
            (
                "callConfluence",
                "/v1/raw?path=/wiki/api/v2/pages&query=title%3DMulgara%20page".to_owned(),
                vec![page],
            ),
        ]
    }
}

#[tokio::test]
async fn each_action_s_line_names_what_it_touched_and_no_word_of_it() {
    let (log, guard) = Log::of("info", true);
    let world = World::with_every_action(&[]).await;
    rehearse(&world).await;
    let pages = Pages::add(&world);
    let alice = world.sign_in("alice").await;
    let calls = pages.calls();
    for entry in causeway::actions::all() {
        assert!(calls.iter().any(|(action, ..)| *action == entry.id), "{} is not called", entry.id);
    }
    for (action, path, touched) in &calls {
        let before = lines(&log).len();
        world.get(&alice, path).await.expect(200);
        let lines = lines(&log);
        assert_eq!(lines.len(), before + 1, "{path} leaves one line");
        let line = lines.last().unwrap();
        let fields = &line["fields"];
        assert_eq!(fields["action"], *action);
        assert_eq!([&fields["outcome"], &fields["gpt"]], ["ok", "default"], "{line}");
        for page in touched {
            assert!(ids(line).contains(page), "{path} touched {page}: {line}");
        }
        assert!(!ids(line).contains(&"99999999"), "nothing was read of it: {line}");
        let mut once = ids(line);
        once.sort_unstable();
        once.dedup();
        assert_eq!(once.len(), ids(line).len(), "{line}");
        assert!(line["timestamp"].is_string() && line["span"]["route"].is_string(), "{line}");
    }
    drop(guard);
    let log = log.text().to_lowercase();
    assert!(!log.contains("mulgara") && !log.contains("712020:"), "{log}");
}

#[tokio::test]
async fn a_refusal_has_its_line_too_and_people_are_told_apart_but_not_named() {
    let (log, guard) = Log::of("info", true);
    let world = World::with(&[("CAUSEWAY_SITE", ACME)]).await;
    rehearse(&world).await;
    let before = lines(&log).len();
    let (alice, bob) = (world.sign_in("alice").await, world.sign_in("bob").await);
    world.get(&alice, "/v1/pages/1310745").await.expect(200);
    let renewed = Session::of(world.refresh(&alice.refresh_token).await);
    world.get(&renewed, "/v1/pages/99999999").await.expect(404);
    world.get(&bob, "/v1/search?limit=0&query=x").await.expect(400);
    let at_mcp = world.sign_in_to_mcp("alice").await;
    Client::new(&world, &at_mcp).answer("getPage", json!({ "id": "1310745" })).await;
    drop(guard);
    let lines = &lines(&log)[before..];
    let all = |name: &str| lines.iter().map(|line| line["fields"][name].clone()).collect::<Vec<_>>();
    assert_eq!(all("outcome"), ["ok", "not-found", "invalid-parameter", "ok"]);
    assert_eq!(all("ids"), ["1310745", "", "", "1310745"]);
    let who = all("who");
    assert!(who[0] == who[1] && who[0] == who[3] && who[0] != who[2], "{who:?}");
    let is_hash = |who: &Value| {
        who.as_str().is_some_and(|who| who.len() == 16 && who.bytes().all(|byte| byte.is_ascii_hexdigit()))
    };
    assert!(who.iter().all(is_hash), "{who:?}");
}

#[tokio::test]
async fn without_an_audit_there_is_no_line() {
    let (log, guard) = Log::of("info", true);
    let world = World::with(&[("CAUSEWAY_SITE", ACME), ("CAUSEWAY_AUDIT", "off")]).await;
    rehearse(&world).await;
    let alice = world.sign_in("alice").await;
    world.get(&alice, "/v1/pages/1310745").await.expect(200);
    drop(guard);
    assert!(log.text().contains("answered"));
    assert_eq!(lines(&log), Vec::<Value>::new());
}

#[tokio::test]
async fn a_file_that_a_link_gives_has_its_line_too() {
    let (log, guard) = Log::of("info", true);
    let world = World::with(&[("CAUSEWAY_SITE", ACME)]).await;
    rehearse(&world).await;
    let pages = Pages::add(&world);
    let alice = world.sign_in("alice").await;
    let link = world.link(&alice, &pages.file).await;
    world.get_bare(&link).await.expect(200);
    world.get_bare(&link[..link.len() - 1]).await.expect(404);
    drop(guard);
    let lines = lines(&log);
    let [.., asked, fetched] = lines.as_slice() else { panic!("{lines:?}") };
    let fields = |name: &str| [asked, fetched].map(|line| line["fields"][name].as_str().unwrap().to_owned());
    assert_eq!(fields("action"), ["getAttachment", "file"]);
    assert_eq!(fields("outcome"), ["ok", "ok"]);
    assert!(ids(fetched).contains(&pages.file.as_str()), "{fetched}");
    assert_eq!(fields("who")[0], fields("who")[1]);
}
