//! Which spaces a GPT may read is for those who may read them: no public text names one, and nobody learns what is on the list
//! by naming spaces, whether they belong to the site or not.

use causeway::sandbox::GLOBEX;
use serde_json::json;

use crate::mcp::Client;
use crate::support::{Answer, World};

/// Two that bob sees, one that he does not, and one that is not there.
const LISTED: &str = "ENG,PROD,HR,ZEBRA";

async fn world() -> World {
    let spaces = ("CAUSEWAY_SPACES", LISTED);
    World::with(&[("CAUSEWAY_SITE", "acme.atlassian.net"), spaces]).await
}

#[track_caller]
fn expect_no_name(told: &str, text: &str) {
    for key in ["PROD", "HR", "ZEBRA"] {
        let is_word = text.split(|c: char| !c.is_ascii_alphanumeric()).any(|word| word == key);
        assert!(!is_word, "{told} names {key}: {text}");
    }
}

#[tokio::test]
async fn no_public_text_names_a_space() {
    let world = world().await;
    for path in [
        "/",
        "/instructions",
        "/gpts/default/instructions",
        "/gpts/default/skill.md",
        "/privacy",
        "/docs",
        "/.well-known/oauth-authorization-server",
        "/.well-known/oauth-protected-resource/mcp",
        "/problems/not-allowed",
        "/readyz",
    ] {
        expect_no_name(path, &world.get_bare(path).await.body);
    }
    // The document's examples are the same whatever is configured.
    let open = World::with(&[("CAUSEWAY_SITE", "acme.atlassian.net")]).await;
    let document = |world: &World, answer: &Answer| answer.body.replace(&world.public_url, "-");
    let (one, other) = tokio::join!(world.get_bare("/openapi.json"), open.get_bare("/openapi.json"));
    assert_eq!(document(&world, &one), document(&open, &other));
}

#[tokio::test]
async fn an_mcp_client_hears_no_space_from_the_server_whoever_has_signed_in() {
    let world = world().await;
    for person in ["nobody", "jira", "guest", "bob"] {
        let session = world.sign_in_to_mcp(person).await;
        let hello = json!({ "protocolVersion": "2025-11-25", "capabilities": {},
            "clientInfo": { "name": "tests", "version": "1" } });
        let client = Client::new(&world, &session);
        let told = client.send("initialize", hello).await.expect(200);
        assert!(told.body.contains("some spaces only"), "{}", told.body);
        expect_no_name("initialize", &told.body);
        let client = client.speaking(crate::mcp::CURRENT);
        expect_no_name("server/discover", &client.send("server/discover", json!({})).await.body);
        for tool in
            client.send("tools/list", json!({})).await.expect(200).json["result"]["tools"].as_array().unwrap()
        {
            expect_no_name("tools/list", tool["description"].as_str().unwrap());
        }
    }
}

#[tokio::test]
async fn who_am_i_names_the_spaces_that_this_person_sees() {
    let world = world().await;
    for (person, spaces) in [("alice", vec!["ENG", "HR", "PROD"]), ("bob", vec!["ENG", "PROD"])] {
        let session = world.sign_in(person).await;
        let me = world.get(&session, "/v1/me").await.expect(200);
        let keys = me.json["spaces"].as_array().unwrap().iter();
        let mut keys: Vec<&str> = keys.map(|space| space["key"].as_str().unwrap()).collect();
        keys.sort_unstable();
        assert_eq!(keys, spaces, "{}", me.body);
    }
    for person in ["nobody", "jira", "guest"] {
        let session = world.sign_in(person).await;
        let answer = world.get(&session, "/v1/me").await.expect(403);
        expect_no_name("whoAmI", &answer.body);
    }
}

/// The calls that take a space, and where the key stands.
const NAMING: [&str; 7] = [
    "/v1/search?query=x&space={}",
    "/v1/search?query=x&space=ENG,{}",
    "/v1/passages?query=deployment&space={}",
    "/v1/pages?title=Nonesuch&space={}",
    "/v1/tree?space={}",
    "/v1/changes?space={}",
    "/v1/search?cql=title~x&space={}",
];

/// An answer without what was asked, and without the names of its headers' times.
fn plain(answer: &Answer, key: &str) -> String {
    let mut names: Vec<&str> = answer.headers.keys().map(http::HeaderName::as_str).collect();
    names.sort_unstable();
    format!("{} {names:?} {}", answer.status, answer.nameless().replace(key, "-"))
}

#[tokio::test]
async fn whoever_does_not_belong_to_the_site_hears_that_and_nothing_of_spaces_or_sites() {
    let world = world().await;
    for person in ["nobody", "jira"] {
        let session = world.sign_in(person).await;
        for call in NAMING {
            let mut answers = Vec::new();
            for key in ["ENG", "HR", "ZEBRA", "NOPE", "131081"] {
                let answer = world.get(&session, &call.replace("{}", key)).await.refused(403, "no-site");
                answers.push(plain(&answer, key));
            }
            answers.dedup();
            assert_eq!(answers.len(), 1, "{call}: {answers:?}");
        }
        for call in ["/v1/search?query=x&site={}", "/v1/me?site={}", "/v1/pages?url=https://{}/wiki/x/abc"] {
            let mut answers = Vec::new();
            for site in ["acme.atlassian.net", GLOBEX.host, "nowhere.atlassian.net"] {
                let answer = world.get(&session, &call.replace("{}", site)).await.refused(403, "no-site");
                answers.push(plain(&answer, site));
            }
            answers.dedup();
            assert_eq!(answers.len(), 1, "{call}: {answers:?}");
        }
    }
}

#[tokio::test]
async fn nobody_learns_by_naming_spaces_what_else_is_on_the_list() {
    let world = world().await;
    for (person, unreadable) in [
        // Listed and hidden, listed and absent, seen and not listed, hidden and not listed, absent, no key at all.
        ("bob", ["HR", "ZEBRA", "~alice", "~bob", "NOPE", "131081"].as_slice()),
        ("alice", &["ZEBRA", "~alice", "NOPE"]),
        ("guest", &["ENG", "HR", "ZEBRA", "NOPE"]),
    ] {
        let session = world.sign_in(person).await;
        for call in NAMING {
            let mut answers = Vec::new();
            for key in unreadable {
                let answer = world.get(&session, &call.replace("{}", key)).await.refused(403, "not-allowed");
                assert_eq!(answer.text("parameter"), "space");
                answers.push(plain(&answer, key));
            }
            answers.dedup();
            assert_eq!(answers.len(), 1, "{person}: {call}: {answers:?}");
        }
    }
    let bob = world.sign_in("bob").await;
    for call in NAMING.iter().filter(|call| !call.contains("title=Nonesuch")) {
        world.get(&bob, &call.replace("{}", "eng")).await.expect(200);
    }
}

#[tokio::test]
async fn a_space_that_is_not_on_the_list_is_refused_without_a_call_but_for_the_sites() {
    let world = world().await;
    let bob = world.sign_in("bob").await;
    for call in NAMING {
        world.replica().await.get(&bob, &call.replace("{}", "NOPE")).await.refused(403, "not-allowed");
    }
    assert!(world.confluence_calls().is_empty(), "{:?}", world.confluence_calls());
}

#[tokio::test]
async fn no_answer_of_a_gpt_with_an_allow_list_tells_what_it_cost() {
    let world = world().await;
    let (bob, at_mcp) = (world.sign_in("bob").await, world.sign_in_to_mcp("bob").await);
    let mut answers = Vec::new();
    for path in [
        "/v1/me",
        "/v1/pages/1310745",
        "/v1/pages/1331211",
        "/v1/pages/99999999",
        "/v1/pages/x",
        "/v1/tree?space=HR",
    ] {
        answers.push(world.get(&bob, path).await);
    }
    for id in ["1310745", "1331211", "99999999"] {
        let call = json!({ "name": "getPage", "arguments": { "id": id } });
        answers.push(Client::new(&world, &at_mcp).send("tools/call", call).await);
    }
    for answer in answers {
        let told = answer.header("server-timing");
        let time = told.strip_prefix("total;dur=").and_then(|time| time.parse::<f64>().ok());
        assert!(time.is_some(), "{told:?}: {}", answer.body);
    }
    let file = world.get(&bob, "/v1/attachments/att1610513?as=file").await.expect(200);
    let link = file.json["openaiFileResponse"][0].as_str().unwrap();
    let file = world.get_bare(link.strip_prefix(&world.public_url).unwrap()).await.expect(200);
    assert!(!file.headers.contains_key("server-timing"));
    // The operator still counts.
    assert!(world.counted("causeway_points_spent_total", &[]).await > 0);
}
