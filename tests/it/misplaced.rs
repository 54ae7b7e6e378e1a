//! Answers that do not say where something belongs, or that belong to something else than was asked for, or that lead elsewhere:
//! none of it comes through, and nothing is told of what lies outside.

use causeway::sandbox::{Fault, FaultKind};
use serde_json::{Value, json};

use crate::forgetful::{Case, SHARED, set};
use crate::support::{Session, encode};

#[tokio::test]
async fn a_row_without_the_field_that_decides_is_outside() {
    let case = Case::new().await;
    let alice = case.world.sign_in("alice").await;
    for (path_holds, field, call) in [
        ("/api/v2/pages/", "spaceId", format!("/v1/pages/{}", case.inside)),
        ("/api/v2/pages/", "spaceId", format!("/v1/pages/{}/comments", case.inside)),
        ("/api/v2/pages", "spaceId", format!("/v1/pages?title={}&space=ENG", encode(SHARED))),
        ("/api/v2/spaces", "key", format!("/v1/pages/{}", case.inside)),
        ("/api/v2/spaces", "id", format!("/v1/pages/{}", case.inside)),
        ("/api/v2/attachments/", "pageId", format!("/v1/attachments/{}", file_of(&case, &alice).await)),
    ] {
        let world = case
            .changing(move |path, mut json| {
                if path.contains(path_holds) {
                    set(&mut json, field, &Value::Null);
                }
                json
            })
            .await;
        let answer = world.get(&alice, &call).await;
        assert_eq!(answer.status, 404, "{call} without {field}: {}", answer.body);
    }
    for (path_holds, field, call) in [
        ("/footer-comments", "pageId", format!("/v1/pages/{}/comments", case.inside)),
        ("/attachments", "pageId", format!("/v1/pages/{}/attachments", case.inside)),
        ("/rest/api/search", "space", "/v1/search?query=openium".to_owned()),
        ("/spaces/", "spaceId", "/v1/tree?space=ENG".to_owned()),
        ("/descendants", "parentId", "/v1/tree?page=1310721".to_owned()),
    ] {
        assert_ne!(case.world.get(&alice, &call).await.expect(200).json["results"], json!([]), "{call}");
        let world = case
            .changing(move |path, mut json| {
                if path.contains(path_holds) {
                    set(&mut json, field, &Value::Null);
                }
                json
            })
            .await;
        let answer = world.get(&alice, &call).await.expect(200);
        assert_eq!(answer.json["results"], json!([]), "{call} without {field}: {}", answer.body);
    }
}

async fn file_of(case: &Case, session: &Session) -> String {
    let files = case.world.get(session, &format!("/v1/pages/{}/attachments", case.inside)).await;
    files.expect(200).each("id")[0].clone()
}

#[tokio::test]
async fn what_belongs_to_another_page_than_was_asked_for_is_dropped() {
    let case = Case::new().await;
    let alice = case.world.sign_in("alice").await;
    let other = json!("1310721");
    let file = file_of(&case, &alice).await;
    let world = case
        .changing(|path, mut json| {
            if path.contains("/api/v2/attachments/") {
                set(&mut json, "id", &json!("att1610513"));
            }
            json
        })
        .await;
    world.get(&alice, &format!("/v1/attachments/{file}?as=file")).await.refused(404, "not-found");
    // What is said to stand in another space stands in no tree.
    let world = case
        .changing(|path, mut json| {
            if path.ends_with("/descendants") {
                for row in json["results"].as_array_mut().unwrap() {
                    row["spaceId"] = json!("131081");
                }
            }
            json
        })
        .await;
    let tree = world.get(&alice, "/v1/tree?page=1310721").await.expect(200);
    assert_eq!(tree.json["results"], json!([]), "{}", tree.body);
    // Another page of the same space: even there it is not what was asked for.
    for (path_holds, field) in [
        ("/api/v2/pages/", "id"),
        ("/footer-comments", "pageId"),
        ("/children", "parentCommentId"),
        ("/attachments", "pageId"),
        ("/versions", "id"),
    ] {
        let other = other.clone();
        let world = case
            .changing(move |path, mut json| {
                let last = path.rsplit('/').next().unwrap_or_default();
                let is_page = path_holds.ends_with('/') && last.bytes().all(|byte| byte.is_ascii_digit());
                if path.contains(path_holds) && (is_page || !path_holds.ends_with('/')) {
                    set(&mut json, field, &other);
                }
                json
            })
            .await;
        let page = &case.inside;
        match field {
            "id" if path_holds == "/api/v2/pages/" => {
                for of in ["", "/comments", "/attachments", "/versions"] {
                    world.get(&alice, &format!("/v1/pages/{page}{of}")).await.refused(404, "not-found");
                }
            }
            "parentCommentId" => {
                let threads = world.get(&alice, &format!("/v1/pages/{page}/comments")).await.expect(200);
                assert_eq!(threads.json["results"][0]["replies"], json!([]), "{}", threads.body);
            }
            _ => {
                let of = path_holds.replace("footer-", "");
                let rows = world.get(&alice, &format!("/v1/pages/{page}{of}")).await.expect(200);
                assert_eq!(rows.json["results"], json!([]), "{path_holds}: {}", rows.body);
            }
        }
    }
}

#[tokio::test]
async fn an_answer_that_leads_elsewhere_leads_nowhere() {
    let case = Case::new().await;
    let alice = case.world.sign_in("alice").await;
    case.world.get(&alice, "/v1/me").await.expect(200);
    let elsewhere = format!("{}/ex/other", case.world.sandbox_url);
    for status in [301, 302, 307, 308] {
        let kind = FaultKind::Status {
            status,
            headers: vec![("location".to_owned(), elsewhere.clone())],
            body: String::new(),
        };
        case.world.sandbox.inject(Fault { path_contains: "/api/v2/pages/".to_owned(), times: 2, kind });
        case.world.sandbox.forget_calls();
        let answer = case.world.get(&alice, &format!("/v1/pages/{}", case.inside)).await;
        assert!([404, 502].contains(&answer.status), "{status}: {}", answer.body);
        assert!(!case.world.sandbox.calls().iter().any(|call| call.path.starts_with("/ex/other")));
        case.world.sandbox.clear_faults();
    }
}

#[tokio::test]
async fn what_is_wrong_with_a_page_outside_is_not_told() {
    let case = Case::new().await;
    let alice = case.world.sign_in("alice").await;
    let absent = case.world.get(&alice, "/v1/pages/99999999").await.refused(404, "not-found");
    let refusal = |status| FaultKind::Status { status, headers: Vec::new(), body: "{}".to_owned() };
    for kind in [
        FaultKind::HugeBody,
        FaultKind::MalformedJson,
        FaultKind::AccessBlocked,
        refusal(200),
        refusal(400),
        refusal(403),
        refusal(409),
        refusal(451),
    ] {
        for of in ["", "?version=1", "/comments", "/attachments", "/versions"] {
            // The first reading goes wrong; where the page is, Confluence still says.
            let fault = Fault { path_contains: "/api/v2/pages/".to_owned(), times: 1, kind: kind.clone() };
            case.world.sandbox.inject(fault);
            let answer = case.world.get(&alice, &format!("/v1/pages/{}{of}", case.outside)).await;
            assert_eq!((answer.status, answer.nameless()), (404, absent.nameless()), "{kind:?} {of}");
            case.world.sandbox.clear_faults();
        }
    }
    // A body alone may make Confluence fail.
    let fault = Fault { path_contains: "body-format".to_owned(), times: 1, kind: refusal(500) };
    case.world.sandbox.inject(fault);
    let answer = case.world.get(&alice, &format!("/v1/pages/{}", case.outside)).await;
    assert_eq!((answer.status, answer.nameless()), (404, absent.nameless()));
    // Inside, what is wrong is said.
    let fault = Fault { path_contains: "body-format".to_owned(), times: 1, kind: FaultKind::HugeBody };
    case.world.sandbox.inject(fault);
    let answer = case.world.get(&alice, &format!("/v1/pages/{}", case.inside)).await;
    answer.refused(502, "confluence-unavailable");
}
