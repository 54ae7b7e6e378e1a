//! What stands behind the gateway: a server that answers with bodies made at start, and a bare pass-through beside it.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use axum::body::{Body, Bytes};
use axum::extract::{Request, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::{Json, Router};
use causeway::clock::Clock;
use serde_json::{Value, json};
use tokio::net::TcpListener;

pub const CLOUD_ID: &str = "22222222-aaaa-4bbb-8ccc-000000000002";
pub const SITE: &str = "acme.atlassian.net";

/// Pages by id: the length of the body in storage format, in bytes.
pub const PAGES: [(&str, usize); 3] = [("8000", 8 * 1024), ("32000", 32 * 1024), ("200000", 200 * 1024)];

/// How long a search for `wait` waits. Longer than anybody waits for a place.
const SLOW: Duration = Duration::from_secs(7);

/// More points an hour than any load uses up.
const POINTS: &str = "1000000000";

struct Answers {
    sites: Bytes,
    search: Bytes,
    spaces: Bytes,
    people: Bytes,
    pages: Vec<(&'static str, Bytes)>,
    /// The same as Confluence Data Center has them, for other gateways.
    content: Vec<(&'static str, Bytes)>,
    token: AtomicU64,
}

/// Serves Atlassian's endpoints, and Data Center's, with one answer each.
pub async fn serve(listener: TcpListener) {
    let answers = Arc::new(Answers {
        sites: bytes(&sites()),
        search: bytes(&search()),
        spaces: bytes(&spaces()),
        people: bytes(&people()),
        pages: PAGES.map(|(id, length)| (id, bytes(&page(id, length)))).to_vec(),
        content: PAGES.map(|(id, length)| (id, bytes(&content(id, length)))).to_vec(),
        token: AtomicU64::new(0),
    });
    axum::serve(listener, Router::new().fallback(answer).with_state(answers)).await.unwrap();
}

async fn answer(State(answers): State<Arc<Answers>>, request: Request) -> Response {
    let path = request.uri().path();
    let last = path.rsplit('/').next().unwrap_or_default();
    let of = |pages: &[(&str, Bytes)]| {
        pages.iter().find(|(id, _)| *id == last).map(|(_, body)| body.clone()).unwrap_or_default()
    };
    let body = if path.ends_with("/rest/api/search") {
        if request.uri().query().is_some_and(|query| query.contains("wait")) {
            tokio::time::sleep(SLOW).await;
        }
        answers.search.clone()
    } else if path.contains("/api/v2/pages/") {
        of(&answers.pages)
    } else if path.contains("/rest/api/content/") {
        of(&answers.content)
    } else if path.ends_with("/api/v2/spaces") {
        answers.spaces.clone()
    } else if path.ends_with("/api/v2/users-bulk") {
        answers.people.clone()
    } else if path.ends_with("/accessible-resources") {
        answers.sites.clone()
    } else if path.ends_with("/oauth/token") {
        let number = answers.token.fetch_add(1, Ordering::Relaxed);
        bytes(
            &json!({ "access_token": format!("access {number}"), "refresh_token": format!("refresh {number}"),
            "expires_in": 3600, "token_type": "Bearer" }),
        )
    } else {
        Bytes::new()
    };
    if body.is_empty() {
        return (StatusCode::NOT_FOUND, Json(json!({ "statusCode": 404, "message": "not found" })))
            .into_response();
    }
    let headers = [
        ("content-type", "application/json".to_owned()),
        ("x-ratelimit-limit", POINTS.to_owned()),
        ("x-ratelimit-remaining", POINTS.to_owned()),
        ("x-ratelimit-reset", end_of_the_hour()),
    ];
    (headers, body).into_response()
}

fn end_of_the_hour() -> String {
    let now = Clock::system().unix();
    let end = jiff::Timestamp::from_second((now.div_euclid(3600) + 1) * 3600);
    end.unwrap().to_string()
}

/// The least that a gateway written with axum and reqwest does: hand the request on, and the answer back.
pub async fn pass_through(listener: TcpListener, upstream: String) {
    let http = causeway::atlassian::http_builder().no_proxy().pool_max_idle_per_host(64).build().unwrap();
    let router = Router::new().fallback(hand_on).with_state((http, upstream));
    axum::serve(listener, router).await.unwrap();
}

async fn hand_on(
    State((http, upstream)): State<(reqwest::Client, String)>,
    headers: HeaderMap,
    request: Request,
) -> Response {
    let path = request.uri().path_and_query().map_or("/", |path| path.as_str());
    let mut outgoing = http.get(format!("{upstream}{path}"));
    if let Some(token) = headers.get(header::AUTHORIZATION) {
        outgoing = outgoing.header(header::AUTHORIZATION, token);
    }
    match outgoing.send().await {
        Err(_) => StatusCode::BAD_GATEWAY.into_response(),
        Ok(answer) => {
            let mut response = Response::builder().status(answer.status());
            for name in [header::CONTENT_TYPE, header::CONTENT_LENGTH] {
                if let Some(value) = answer.headers().get(&name) {
                    response = response.header(name, value);
                }
            }
            response.body(Body::from_stream(answer.bytes_stream())).unwrap()
        }
    }
}

fn bytes(value: &Value) -> Bytes {
    value.to_string().into()
}

fn sites() -> Value {
    json!([{
        "id": CLOUD_ID, "name": "acme", "url": format!("https://{SITE}"), "avatarUrl": "https://avatars.example/240",
        "scopes": ["search:confluence", "read:page:confluence", "read:space:confluence", "read:user:confluence"] }])
}

fn person(number: usize) -> Value {
    json!({
        "type": "known", "accountId": account(number), "accountType": "atlassian", "email": "",
        "publicName": format!("Person {number}"), "displayName": format!("Person Number {number}"),
        "isExternalCollaborator": false, "profilePicture": {
            "path": format!("/wiki/aa-avatar/{}", account(number)), "width": 48, "height": 48, "isDefault": false },
        "_expandable": { "operations": "", "personalSpace": "" },
        "_links": { "self": format!("https://{SITE}/wiki/rest/api/user?accountId={}", account(number)) } })
}

fn account(number: usize) -> String {
    format!("712020:5d0e8a4b-94ab-4b4e-9a3d-{number:012}")
}

fn people() -> Value {
    json!({ "results": (0..3).map(person).collect::<Vec<_>>() })
}

fn spaces() -> Value {
    json!({ "results": [{
        "id": "98305", "key": "ENG", "name": "Engineering", "type": "global", "status": "current",
        "homepageId": "1310720", "description": { "plain": { "value": "How we build", "representation": "plain" } },
        "_links": { "webui": "/spaces/ENG" } }], "_links": { "base": format!("https://{SITE}/wiki") } })
}

/// Ten rows with space, version and a highlighted excerpt.
fn search() -> Value {
    let row = |number: usize| {
        json!({
            "content": {
                "id": format!("{}", 1_310_720 + number), "type": "page", "status": "current",
                "title": format!("Runbook {number}: deploying the payment service"),
                "space": {
                    "id": 98305, "key": "ENG", "alias": "ENG", "name": "Engineering", "type": "global", "status": "current",
                    "_expandable": { "settings": "/rest/api/space/ENG/settings", "metadata": "", "operations": "",
                        "lookAndFeel": "/rest/api/settings/lookandfeel?spaceKey=ENG", "homepage": "/rest/api/content/1310720" },
                    "_links": { "webui": "/spaces/ENG", "self": format!("https://{SITE}/wiki/rest/api/space/ENG") } },
                "version": { "by": person(number % 3), "when": "2026-10-02T09:21:13.117Z", "friendlyWhen": "Oct 02, 2026",
                    "message": "", "number": 7, "minorEdit": false, "contentTypeModified": false },
                "macroRenderedOutput": {}, "childTypes": {}, "restrictions": {},
                "_expandable": { "container": "/rest/api/space/ENG", "metadata": "", "extensions": "", "history": "",
                    "body": "", "ancestors": "", "descendants": "", "operations": "" },
                "_links": { "webui": format!("/spaces/ENG/pages/{}/Runbook", 1_310_720 + number), "tinyui": "/x/AQAU",
                    "self": format!("https://{SITE}/wiki/rest/api/content/{}", 1_310_720 + number) } },
            "title": format!("@@@hl@@@Runbook@@@endhl@@@ {number}: deploying the payment service"),
            "excerpt": "Before you @@@hl@@@deploy@@@endhl@@@, look at the dashboard &amp; tell the channel. Then run the \
                        pipeline for the stage, wait for the smoke tests, and promote the build. If the error rate rises \
                        above one percent within ten minutes, roll back with the button of the pipeline and open an incident.",
            "url": format!("/spaces/ENG/pages/{}/Runbook", 1_310_720 + number),
            "resultGlobalContainer": { "title": "Engineering", "displayUrl": "/spaces/ENG" },
            "breadcrumbs": [], "entityType": "content", "iconCssClass": "aui-icon content-type-page",
            "lastModified": "2026-10-02T09:21:13.000Z", "friendlyLastModified": "Oct 02, 2026", "score": 0.0 })
    };
    json!({
        "results": (0..10).map(row).collect::<Vec<_>>(), "start": 0, "limit": 10, "size": 10, "totalSize": 214,
        "cqlQuery": "siteSearch ~ \"runbook\"", "searchDuration": 41,
        "_links": { "base": format!("https://{SITE}/wiki"), "context": "/wiki",
            "next": "/rest/api/search?next=true&cursor=_f_MTA%3D_sa_WyJcdDEzMTA3MjAiXQ%3D%3D&limit=10&cql=x" } })
}

fn page(id: &str, length: usize) -> Value {
    json!({
        "parentType": "page", "parentId": "1310720", "createdAt": "2025-03-01T10:00:00.000Z", "ownerId": account(0),
        "lastOwnerId": null, "authorId": account(0), "position": 712, "spaceId": "98305", "status": "current",
        "id": id, "title": "Runbook: deploying the payment service",
        "version": { "number": 7, "message": "", "minorEdit": false, "authorId": account(1),
            "createdAt": "2026-10-02T09:21:13.117Z" },
        "body": { "storage": { "representation": "storage", "value": storage(length) } },
        "labels": { "results": [{ "id": "1", "name": "runbook", "prefix": "global" }], "meta": { "hasMore": false },
            "_links": { "self": format!("/api/v2/pages/{id}/labels") } },
        "_links": { "editui": format!("/pages/resumedraft.action?draftId={id}"), "tinyui": "/x/AQAU",
            "webui": format!("/spaces/ENG/pages/{id}/Runbook"), "base": format!("https://{SITE}/wiki") } })
}

fn content(id: &str, length: usize) -> Value {
    json!({
        "id": id, "type": "page", "status": "current", "title": "Runbook: deploying the payment service",
        "space": { "id": 98305, "key": "ENG", "name": "Engineering", "type": "global" },
        "version": { "number": 7, "when": "2026-10-02T09:21:13.117Z", "by": person(1) },
        "body": { "storage": { "representation": "storage", "value": storage(length) },
            "view": { "representation": "view", "value": storage(length) } },
        "metadata": { "labels": { "results": [{ "id": "1", "name": "runbook", "prefix": "global" }] } },
        "children": { "attachment": { "results": [] } },
        "_links": { "webui": "/display/ENG/Runbook", "base": format!("https://{SITE}/wiki") } })
}

/// What people write: headings, prose, lists, a table, code and a note, over and over up to `length` bytes.
fn storage(length: usize) -> String {
    let mut text = String::with_capacity(length);
    for section in 1.. {
        let next = SECTION.replace("{n}", &section.to_string());
        if text.len() + next.len() > length {
            break;
        }
        text += &next;
    }
    let rest = "The end. ".repeat(length.saturating_sub(text.len() + 7) / 9);
    format!("{text}<p>{rest}</p>")
}

const SECTION: &str = r#"<h2>Step {n}: roll out</h2><p>Before you start, look at the <a href="https://grafana.example.com/d/{n}">dashboard</a> &amp; tell <strong>#payments</strong> what you are about to do. The build has to be <em>green</em> on the main branch, and nobody else may be deploying; the pipeline takes about twelve minutes from the first stage to the last.</p><ol><li><p>Open the pipeline and choose <code>deploy-stage</code>.</p></li><li><p>Wait for the smoke tests, then promote the build &mdash; not the branch.</p><ul><li><p>Canary: 5&nbsp;% for ten minutes</p></li><li><p>All: when the error rate stays below 0.1&nbsp;%</p></li></ul></li><li><p>Write the version into <ac:link><ri:page ri:content-title="Release log" /><ac:plain-text-link-body><![CDATA[the log]]></ac:plain-text-link-body></ac:link>.</p></li></ol><table data-layout="default"><tbody><tr><th><p>Alarm</p></th><th><p>Meaning</p></th><th><p>What to do</p></th></tr><tr><td><p>p99 &gt; 800 ms</p></td><td><p>The cache is cold</p></td><td><p>Wait five minutes</p></td></tr><tr><td><p>5xx &gt; 1 %</p></td><td><p>A bad build</p></td><td><p>Roll back</p></td></tr></tbody></table><ac:structured-macro ac:name="code" ac:schema-version="1"><ac:parameter ac:name="language">bash</ac:parameter><ac:plain-text-body><![CDATA[kubectl -n payments rollout undo deployment/api
kubectl -n payments rollout status deployment/api --timeout=120s]]></ac:plain-text-body></ac:structured-macro><ac:structured-macro ac:name="info" ac:schema-version="1"><ac:rich-text-body><p>Rolling back is always right; asking comes later.</p></ac:rich-text-body></ac:structured-macro>"#;
