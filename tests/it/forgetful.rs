//! A Confluence that ignores what it is asked: a filter of ours is a wish, and only rows that were asked for come through.
//! What every action answers then holds nothing from outside the GPT's spaces, and still works where enough is left.

use std::collections::BTreeSet;
use std::sync::Arc;

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::extract::{Request, State};
use axum::http::HeaderMap;
use axum::http::header::{AUTHORIZATION, CONTENT_TYPE, LOCATION};
use axum::response::Response;
use causeway::sandbox::{NewComment, NewFile, NewPage};
use serde_json::{Value, json};
use tokio::net::TcpListener;

use crate::asking::examples;
use crate::mcp::Client;
use crate::support::{Answer, World, encode};

/// Stands in everything outside the allowed space.
const HIDDEN: &str = "Zirkonium";
/// Of a page inside, and of one outside that is older, so that it comes first.
pub const SHARED: &str = "Marsupial list";

type Change = dyn Fn(&str, Value) -> Value + Send + Sync;

/// A server between the gateway and the sandbox.
#[derive(Clone)]
struct Between {
    sandbox_url: String,
    /// Parameters that are left out on the way.
    ignored: &'static [&'static str],
    /// What becomes of an answer, by the path it belongs to.
    change: Arc<Change>,
    http: reqwest::Client,
}

async fn pass(State(between): State<Between>, request: Request) -> Response {
    let (parts, body) = request.into_parts();
    let query = parts.uri.query().unwrap_or_default();
    let kept = url::form_urlencoded::parse(query.as_bytes())
        .filter(|(name, _)| !between.ignored.contains(&name.as_ref()))
        .map(|(name, value)| format!("{}={}", encode(&name), encode(&value)));
    let mut kept: Vec<String> = kept.collect();
    if between.ignored.contains(&"cql") && query.contains("cql=") {
        kept.push(format!("cql={}", encode("type IN (page, blogpost, comment, attachment)")));
    }
    let path = parts.uri.path().to_owned();
    let url = format!("{}{path}?{}", between.sandbox_url, kept.join("&"));
    let mut headers = HeaderMap::new();
    for name in [AUTHORIZATION, CONTENT_TYPE] {
        headers.extend(parts.headers.get(&name).map(|value| (name.clone(), value.clone())));
    }
    let body = to_bytes(body, usize::MAX).await.unwrap();
    let asked = between.http.request(parts.method, url).headers(headers).body(body);
    let answer = asked.send().await.unwrap();
    let mut response = Response::builder().status(answer.status());
    for name in [CONTENT_TYPE, LOCATION] {
        response = answer
            .headers()
            .get(&name)
            .into_iter()
            .fold(response, |response, value| response.header(&name, value));
    }
    let bytes = answer.bytes().await.unwrap();
    let bytes = match serde_json::from_slice(&bytes) {
        Ok(json) => (between.change)(&path, json).to_string().into(),
        Err(_) => bytes,
    };
    response.body(Body::from(bytes)).unwrap()
}

/// A world of two spaces that share titles, files and words, and a gateway of ENG before a Confluence that is not what it was.
pub struct Case {
    pub world: World,
    pub inside: String,
    pub outside: String,
    outside_file: String,
}

impl Case {
    pub async fn new() -> Self {
        let world = World::of_spaces("ENG").await;
        let hidden = |title: &str| NewPage {
            space: "HR",
            title: title.to_owned(),
            body: format!("<h2>{HIDDEN}</h2><p>{HIDDEN} deployment roadmap</p>"),
            labels: vec!["zirkonium-label".to_owned()],
            ..NewPage::default()
        };
        let outside = world.sandbox.add_page(hidden(SHARED));
        world.sandbox.add_page(hidden(HIDDEN));
        let outside_file = add_around(&world, &outside, HIDDEN);
        let inside = world.add("ENG", SHARED, "<p>Openium</p>");
        add_around(&world, &inside, "Openium");
        Self { world, inside, outside, outside_file }
    }

    /// The gateway before a Confluence that ignores these parameters.
    async fn ignoring(&self, ignored: &'static [&'static str]) -> World {
        self.before(ignored, |_, json| json).await
    }

    /// The gateway before a Confluence whose answers are changed.
    pub async fn changing(&self, change: impl Fn(&str, Value) -> Value + Send + Sync + 'static) -> World {
        self.before(&[], change).await
    }

    async fn before(
        &self,
        ignored: &'static [&'static str],
        change: impl Fn(&str, Value) -> Value + Send + Sync + 'static,
    ) -> World {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let between = Between {
            sandbox_url: self.world.sandbox_url.clone(),
            ignored,
            change: Arc::new(change),
            http: self.world.http.clone(),
        };
        let router = Router::new().fallback(pass).with_state(between);
        tokio::spawn(async move { axum::serve(listener, router).await });
        self.world.replica_with(&[("ATLASSIAN_API_URL", &url)]).await
    }

    #[track_caller]
    fn expect_nothing_hidden(&self, told: &str, answer: &Answer) {
        for word in [HIDDEN, "zirkonium", "Salary", "Bluebird", "\"HR\"", "\"PROD\"", "~alice"] {
            assert!(!answer.body.contains(word), "{word:?} shows: {told}: {}", answer.body);
        }
        let listed = answer.json["results"].as_array().into_iter().flatten();
        let ids: BTreeSet<&str> =
            listed.filter(|row| row["problem"].is_null()).filter_map(|row| row["id"].as_str()).collect();
        assert!(!ids.contains(self.outside.as_str()), "{told}: {}", answer.body);
    }
}

/// A comment with a reply, and a file.
fn add_around(world: &World, page: &str, text: &str) -> String {
    let comment = |parent, verb: &str| NewComment {
        page: page.to_owned(),
        parent,
        body: format!("<p>{text} {verb}</p>"),
        selection: None,
    };
    let thread = world.sandbox.add_comment(&comment(None, "said"));
    world.sandbox.add_comment(&comment(Some(thread), "answered"));
    world.sandbox.add_file(NewFile {
        page: page.to_owned(),
        title: format!("{text}.csv"),
        media_type: "text/csv",
        bytes: format!("{text}\n").into_bytes(),
        claimed_size: None,
    })
}

/// Calls of every action that a filter of ours stands behind.
fn calls(case: &Case) -> Vec<String> {
    let mut calls: Vec<String> =
        examples().iter().map(|(_, path, query)| crate::asking::with_query(path, query)).collect();
    let (inside, outside) = (&case.inside, &case.outside);
    let title = encode(SHARED);
    calls.extend([
        format!("/v1/pages?title={title}"),
        format!("/v1/pages?title={title}&space=ENG"),
        format!("/v1/pages?title={HIDDEN}"),
        format!("/v1/pages?url=https://acme.atlassian.net/wiki/display/ENG/{HIDDEN}"),
        "/v1/pages?url=https://acme.atlassian.net/wiki/display/HR/Marsupial%2Blist".to_owned(),
        "/v1/pages?url=https://acme.atlassian.net/wiki/spaces/HR/overview".to_owned(),
        format!("/v1/search?query={HIDDEN}"),
        "/v1/search?query=deployment&space=ENG&limit=25".to_owned(),
        "/v1/search?cql=space%3DHR%20OR%20type%3Dpage&limit=25".to_owned(),
        format!("/v1/passages?query={HIDDEN}"),
        "/v1/passages?query=deployment%20roadmap".to_owned(),
        "/v1/spaces?query=people".to_owned(),
        "/v1/spaces?type=personal".to_owned(),
        "/v1/tree?space=ENG&depth=5".to_owned(),
        format!("/v1/tree?page={inside}"),
        "/v1/changes?since=-1y&limit=25".to_owned(),
        format!("/v1/pages/batch?ids={outside},{inside}"),
        format!("/v1/attachments/{}", case.outside_file),
        format!("/v1/attachments/attachment:{inside}%2F{HIDDEN}.csv"),
        format!("/v1/attachments/attachment:{outside}%2F{HIDDEN}.csv"),
    ]);
    for page in [inside, outside] {
        calls
            .extend(["", "/comments", "/attachments", "/versions"].map(|of| format!("/v1/pages/{page}{of}")));
    }
    calls
}

async fn every_call_keeps_to_the_spaces(case: &Case, world: &World, told: &str) -> usize {
    let (alice, at_mcp) = (case.world.sign_in("alice").await, case.world.sign_in_to_mcp("alice").await);
    let mut answered = 0;
    for call in calls(case) {
        let answer = world.get(&alice, &call).await;
        // What the caller wrote may come back in the echo of its CQL.
        let mut plain = answer.clone();
        plain.body = plain.body.replace(&format!("\\\"{HIDDEN}\\\""), "").replace("space = HR", "");
        case.expect_nothing_hidden(&format!("{told}: {call}"), &plain);
        answered += usize::from(answer.status == 200);
    }
    let client = Client::new(world, &at_mcp);
    for (tool, arguments) in [
        ("search", json!({ "query": "deployment" })),
        ("fetch", json!({ "id": format!("{}/{}", causeway::sandbox::ACME.cloud_id, case.outside) })),
        ("findPage", json!({ "title": SHARED })),
        ("whoAmI", json!({})),
    ] {
        let params = json!({ "name": tool, "arguments": arguments });
        case.expect_nothing_hidden(&format!("{told}: {tool}"), &client.send("tools/call", params).await);
    }
    answered
}

#[tokio::test]
async fn whichever_parameter_confluence_ignores_nothing_from_outside_comes_through() {
    let case = Case::new().await;
    let all = every_call_keeps_to_the_spaces(&case, &case.ignoring(&[]).await, "nothing").await;
    for ignored in [
        &["keys"][..],
        &["ids"],
        &["title"],
        &["space-id"],
        &["cql"],
        &["cursor"],
        &["keys", "ids", "title", "space-id", "status", "type", "filename", "mediaType", "depth", "cql"],
    ] {
        let told = format!("{ignored:?}");
        let answered = every_call_keeps_to_the_spaces(&case, &case.ignoring(ignored).await, &told).await;
        assert!(answered >= all / 2, "{ignored:?}: {answered} of {all} calls are answered still");
    }
}

#[tokio::test]
async fn with_all_spaces_for_an_answer_the_person_still_sees_those_of_the_list_alone() {
    let case = Case::new().await;
    let alice = case.world.sign_in("alice").await;
    let world = case.ignoring(&["keys", "ids"]).await;
    assert_eq!(world.get(&alice, "/v1/spaces").await.expect(200).each("key"), ["ENG"]);
    let me = world.get(&alice, "/v1/me").await.expect(200);
    assert_eq!(me.json["spaces"], json!([{ "key": "ENG", "name": "Engineering" }]), "{}", me.body);
    world.get(&alice, &format!("/v1/pages/{}", case.outside)).await.refused(404, "not-found");
    world.get(&alice, &format!("/v1/pages/{}", case.inside)).await.expect(200);
}

#[tokio::test]
async fn an_alias_puts_no_space_on_the_list() {
    let case = Case::new().await;
    let alice = case.world.sign_in("alice").await;
    let world = case
        .before(&["keys"], |path, mut json| {
            if path.ends_with("/api/v2/spaces") {
                set(&mut json, "currentActiveAlias", &json!("ENG"));
            }
            json
        })
        .await;
    assert_eq!(world.get(&alice, "/v1/spaces").await.expect(200).each("key"), ["ENG"]);
    world.get(&alice, &format!("/v1/pages/{}", case.outside)).await.refused(404, "not-found");
}

#[tokio::test]
async fn pages_outside_crowd_out_none_inside() {
    let case = Case::new().await;
    let alice = case.world.sign_in("alice").await;
    for _ in 0..260 {
        case.world.add("HR", SHARED, "<p>Zirkonium</p>");
    }
    case.world.sandbox.add_page(NewPage { title: SHARED.to_owned(), ..NewPage::default() });
    let title = [("title", SHARED)];
    let several = case.world.ask(&alice, "/v1/pages", &title).await.refused(409, "ambiguous-title");
    assert_eq!(several.json["candidates"].as_array().unwrap().len(), 2, "{}", several.body);
}

#[tokio::test]
async fn filters_hold_without_an_allow_list_too() {
    let mut case = Case::new().await;
    case.world.env.remove("CAUSEWAY_SPACES");
    let alice = case.world.sign_in("alice").await;
    let forgetful = case
        .ignoring(&["keys", "ids", "title", "space-id", "type", "filename", "mediaType", "cql", "status"])
        .await;
    let ask = async |path: &str| forgetful.get(&alice, path).await;
    for space in ask("/v1/spaces?type=personal").await.expect(200).json["results"].as_array().unwrap() {
        assert_eq!(space["type"], "personal", "{space}");
    }
    let search = "/v1/search?query=deployment&limit=25";
    for hit in ask(&format!("{search}&space=HR")).await.expect(200).json["results"].as_array().unwrap() {
        assert_eq!(hit["space"]["key"], "HR", "{hit}");
    }
    for hit in ask(&format!("{search}&type=blogpost")).await.expect(200).json["results"].as_array().unwrap() {
        assert_eq!(hit["type"], "blogpost", "{hit}");
    }
    ask("/v1/pages?title=Nonesuch").await.refused(404, "not-found");
    ask("/v1/pages?url=https://acme.atlassian.net/wiki/spaces/NOPE/overview").await.refused(404, "not-found");
    let files = ask("/v1/pages/1310734/attachments?mediaType=image/png").await.expect(200);
    for file in files.json["results"].as_array().unwrap() {
        assert_eq!(file["mediaType"], "image/png", "{file}");
    }
    ask(&format!("/v1/attachments/attachment:{}%2FNonesuch.csv", case.inside))
        .await
        .refused(404, "not-found");
    let titled = ask(&format!("/v1/pages?title={}&space=ENG", encode(SHARED))).await.expect(200);
    assert_eq!(titled.text("id"), case.inside);
    // Each page is in the space that it is in, not in the first one of a list or the last; each gateway knows nothing yet.
    for (page, key) in [("1310745", "ENG"), ("1331211", "HR")] {
        let world = case.ignoring(&["ids"]).await;
        let read = world.get(&alice, &format!("/v1/pages/{page}")).await.expect(200);
        assert_eq!(read.json["space"]["key"], key, "{}", read.body);
    }
}

/// Replaces every member of this name, at any depth.
pub fn set(value: &mut Value, name: &str, with: &Value) {
    match value {
        Value::Array(items) => items.iter_mut().for_each(|item| set(item, name, with)),
        Value::Object(members) => {
            members.values_mut().for_each(|member| set(member, name, with));
            if members.contains_key(name) {
                members.insert(name.to_owned(), with.clone());
            }
        }
        _ => {}
    }
}
