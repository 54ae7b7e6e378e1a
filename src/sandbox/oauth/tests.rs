use std::time::Duration;

use axum::body::{Body, to_bytes};
use axum::http::{Request, StatusCode, header};
use axum::response::Response;
use serde_json::{Value, json};
use tower::ServiceExt as _;
use url::{Url, form_urlencoded};

use crate::clock::Clock;
use crate::sandbox::{ACME, App, Sandbox};

const CALLBACK: &str = "https://gateway.example/oauth/callback";
const SCOPE: &str = "offline_access search:confluence read:page:confluence";

struct World {
    sandbox: Sandbox,
    clock: Clock,
}

fn world() -> World {
    let clock = Clock::manual("2026-06-15T12:00:00Z".parse().unwrap());
    let app = App {
        client_id: "client!+ID".to_owned(),
        client_secret: "s&cret=%".to_owned(),
        callback: CALLBACK.to_owned(),
    };
    World { sandbox: Sandbox::new(app, clock.clone()), clock }
}

fn parameters() -> Vec<(&'static str, &'static str)> {
    vec![
        ("audience", "api.atlassian.com"),
        ("client_id", "client!+ID"),
        ("scope", SCOPE),
        ("redirect_uri", CALLBACK),
        ("state", "st&te ü"),
        ("response_type", "code"),
        ("prompt", "consent"),
    ]
}

fn form(pairs: &[(&str, &str)]) -> String {
    form_urlencoded::Serializer::new(String::new()).extend_pairs(pairs).finish()
}

async fn text(response: Response) -> String {
    String::from_utf8(to_bytes(response.into_body(), usize::MAX).await.unwrap().to_vec()).unwrap()
}

impl World {
    async fn send(&self, request: Request<Body>) -> Response {
        self.sandbox.router().oneshot(request).await.unwrap()
    }

    async fn show(&self, parameters: &[(&str, &str)]) -> (StatusCode, String) {
        let request = Request::get(format!("/authorize?{}", form(parameters))).body(Body::empty()).unwrap();
        let response = self.send(request).await;
        (response.status(), text(response).await)
    }

    /// Presses a button and returns the query of the address it leads to.
    async fn press(&self, person: &str, decision: &str) -> Vec<(String, String)> {
        let mut fields = parameters();
        fields.extend([("person", person), ("decision", decision)]);
        let response = self.send(Request::post("/authorize").body(Body::from(form(&fields))).unwrap()).await;
        assert_eq!(response.status(), StatusCode::SEE_OTHER);
        let location = Url::parse(response.headers()[header::LOCATION].to_str().unwrap()).unwrap();
        assert!(location.as_str().starts_with(CALLBACK));
        location.query_pairs().into_owned().collect()
    }

    async fn code(&self, person: &str) -> String {
        let query = self.press(person, "allow").await;
        assert_eq!(query[1], ("state".to_owned(), "st&te ü".to_owned()));
        query[0].1.clone()
    }

    async fn token(&self, fields: Value) -> (StatusCode, Value) {
        let request = Request::post("/oauth/token")
            .header(header::CONTENT_TYPE, "application/json")
            .body(Body::from(fields.to_string()))
            .unwrap();
        let response = self.send(request).await;
        (response.status(), serde_json::from_str(&text(response).await).unwrap())
    }

    async fn redeem(&self, code: &str) -> (StatusCode, Value) {
        self.token(json!({ "grant_type": "authorization_code", "client_id": "client!+ID",
            "client_secret": "s&cret=%", "code": code, "redirect_uri": CALLBACK }))
            .await
    }

    async fn refresh(&self, token: &Value) -> (StatusCode, Value) {
        self.token(json!({ "grant_type": "refresh_token", "client_id": "client!+ID",
            "client_secret": "s&cret=%", "refresh_token": token }))
            .await
    }

    async fn get(&self, path: &str, token: &Value) -> (StatusCode, Value) {
        let bearer = format!("Bearer {}", token.as_str().unwrap());
        let request = Request::get(path).header(header::AUTHORIZATION, bearer).body(Body::empty()).unwrap();
        let response = self.send(request).await;
        (response.status(), serde_json::from_str(&text(response).await).unwrap())
    }

    fn pass(&self, seconds: u64) {
        self.clock.advance(Duration::from_secs(seconds));
    }
}

fn api(path: &str) -> String {
    format!("/ex/confluence/{}/wiki{path}", ACME.cloud_id)
}

#[tokio::test]
async fn the_consent_page_lists_people_and_repeats_the_request() {
    let (status, page) = world().show(&parameters()).await;
    assert_eq!(status, StatusCode::OK);
    for part in
        ["value=\"alice\"", "value=\"bob\"", "value=\"nobody\"", "value=\"deny\"", "st&#38;te ü", "sandbox"]
    {
        assert!(page.contains(part), "{part}: {page}");
    }
    assert!(!page.contains("value=\"erin\""), "who cannot sign in is not offered");
}

#[tokio::test]
async fn a_request_out_of_order_shows_a_page_and_never_redirects() {
    let world = world();
    for (at, (name, _)) in parameters().iter().enumerate() {
        let mut missing = parameters();
        missing.remove(at);
        let (status, page) = world.show(&missing).await;
        assert_eq!(status, StatusCode::BAD_REQUEST, "{name}");
        assert!(page.contains(name), "{page}");
        if *name != "state" {
            let mut wrong = parameters();
            wrong[at].1 = "https://elsewhere.example/oauth/callback";
            assert_eq!(world.show(&wrong).await.0, StatusCode::BAD_REQUEST, "{name}");
        }
        let mut twice = parameters();
        twice.push(twice[at]);
        assert_eq!(world.show(&twice).await.0, StatusCode::BAD_REQUEST, "{name}");
    }
}

#[tokio::test]
async fn denying_says_so_to_the_app() {
    let query = world().press("bob", "deny").await;
    let names: Vec<_> = query.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
    assert_eq!(names[0], ("error", "access_denied"));
    assert_eq!(names[1].0, "error_description");
    assert_eq!(names[2], ("state", "st&te ü"));
}

#[tokio::test]
async fn a_code_gives_tokens_once() {
    let world = world();
    let code = world.code("bob").await;
    let (status, granted) = world.redeem(&code).await;
    assert_eq!(status, StatusCode::OK);
    assert_eq!((&granted["expires_in"], &granted["scope"]), (&json!(3600), &json!(SCOPE)));
    let access = granted["access_token"].as_str().unwrap();
    assert!((1000..4000).contains(&access.len()), "{}", access.len());
    assert_eq!(access.split('.').count(), 3);
    let (status, refused) = world.redeem(&code).await;
    assert_eq!((status, &refused["error"]), (StatusCode::FORBIDDEN, &json!("invalid_grant")));
}

#[tokio::test]
async fn a_code_is_refused_when_it_is_old_or_the_rest_is_wrong() {
    let world = world();
    let code = world.code("bob").await;
    let ask = |id: &str, secret: &str, back: &str| {
        world.token(json!({ "grant_type": "authorization_code", "client_id": id, "client_secret": secret,
            "code": code, "redirect_uri": back }))
    };
    let (status, body) = ask("client!+ID", "wrong", CALLBACK).await;
    assert_eq!((status, &body["error"]), (StatusCode::UNAUTHORIZED, &json!("access_denied")));
    assert_eq!(ask("other", "s&cret=%", CALLBACK).await.0, StatusCode::UNAUTHORIZED);
    assert_eq!(ask("client!+ID", "s&cret=%", "https://x.example/").await.0, StatusCode::FORBIDDEN);
    assert_eq!(ask("client!+ID", "s&cret=%", "").await.0, StatusCode::BAD_REQUEST);
    world.pass(300);
    assert_eq!(world.redeem(&code).await.0, StatusCode::FORBIDDEN);
}

#[tokio::test]
async fn without_offline_access_there_is_no_refresh_token() {
    let world = world();
    let granted = world.sandbox.sign_in("bob", &["search:confluence"]);
    assert!(granted.get("refresh_token").is_none());
}

#[tokio::test]
async fn the_token_endpoint_takes_forms_too() {
    let world = world();
    let code = world.code("alice").await;
    let fields = form(&[
        ("grant_type", "authorization_code"),
        ("client_id", "client!+ID"),
        ("client_secret", "s&cret=%"),
        ("code", &code),
        ("redirect_uri", CALLBACK),
    ]);
    let request = Request::post("/oauth/token")
        .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded")
        .body(Body::from(fields))
        .unwrap();
    assert_eq!(world.send(request).await.status(), StatusCode::OK);
}

#[tokio::test]
async fn refresh_tokens_rotate_and_may_be_replayed_for_ten_minutes() {
    let world = world();
    let first = world.sandbox.sign_in("bob", &["offline_access", "read:page:confluence"]);
    let (_, second) = world.refresh(&first["refresh_token"]).await;
    assert_ne!(first["refresh_token"], second["refresh_token"]);
    world.pass(600);
    assert_eq!(world.refresh(&first["refresh_token"]).await.0, StatusCode::OK);
    world.pass(1);
    let (status, refused) = world.refresh(&first["refresh_token"]).await;
    assert_eq!((status, &refused["error"]), (StatusCode::FORBIDDEN, &json!("invalid_grant")));
    let (status, refused) = world.refresh(&second["refresh_token"]).await;
    assert_eq!(status, StatusCode::FORBIDDEN, "the whole grant is dead");
    assert_eq!(
        refused,
        json!({ "error": "unauthorized_client", "error_description": "refresh_token is invalid" })
    );
}

#[tokio::test]
async fn a_refresh_token_dies_after_ninety_days_of_inactivity() {
    let world = world();
    let granted = world.sandbox.sign_in("bob", &["offline_access"]);
    world.pass(90 * 86_400);
    let (status, second) = world.refresh(&granted["refresh_token"]).await;
    assert_eq!(status, StatusCode::OK);
    world.pass(90 * 86_400 + 1);
    assert_eq!(world.refresh(&second["refresh_token"]).await.0, StatusCode::FORBIDDEN);
}

#[tokio::test]
async fn a_removed_app_is_told_so() {
    let world = world();
    let granted = world.sandbox.sign_in("bob", &["offline_access", "read:page:confluence"]);
    world.sandbox.revoke("bob");
    let (status, refused) = world.refresh(&granted["refresh_token"]).await;
    assert_eq!(
        (status, &refused["error_description"]),
        (StatusCode::FORBIDDEN, &json!("refresh_token is invalid"))
    );
    let (status, _) = world.get(&api("/api/v2/pages/1310745"), &granted["access_token"]).await;
    assert_eq!(status, StatusCode::UNAUTHORIZED);
}

#[tokio::test]
async fn a_new_consent_replaces_the_scopes() {
    let world = world();
    let old = world.sandbox.sign_in("bob", &["read:page:confluence"]);
    assert_eq!(world.get(&api("/api/v2/pages/1310745"), &old["access_token"]).await.0, StatusCode::OK);
    world.sandbox.sign_in("bob", &["read:space:confluence"]);
    let (status, body) = world.get(&api("/api/v2/pages/1310745"), &old["access_token"]).await;
    assert_eq!(status, StatusCode::UNAUTHORIZED);
    assert_eq!(body, json!({ "code": 401, "message": "Unauthorized; scope does not match" }));
    assert_eq!(world.get(&api("/api/v2/spaces"), &old["access_token"]).await.0, StatusCode::OK);
}

#[tokio::test]
async fn access_tokens_last_an_hour() {
    let world = world();
    let granted = world.sandbox.sign_in("bob", &["search:confluence", "read:page:confluence"]);
    let token = &granted["access_token"];
    world.pass(3599);
    assert_eq!(world.get(&api("/api/v2/pages/1310745"), token).await.0, StatusCode::OK);
    world.pass(1);
    assert_eq!(world.get(&api("/api/v2/pages/1310745"), token).await.0, StatusCode::UNAUTHORIZED);
    world.sandbox.expire_as_reported();
    assert_eq!(world.get(&api("/api/v2/pages/1310745"), token).await.0, StatusCode::NOT_FOUND);
    assert_eq!(world.get(&api("/rest/api/search?cql=type=page"), token).await.0, StatusCode::FORBIDDEN);
}

#[tokio::test]
async fn sites_are_listed_once_for_each_product() {
    let world = world();
    let list = async |person: &str| {
        let granted = world.sandbox.sign_in(person, &["search:confluence", "read:me"]);
        world.get("/oauth/token/accessible-resources", &granted["access_token"]).await.1
    };
    let alice = list("alice").await;
    assert_eq!(alice.as_array().map(Vec::len), Some(3));
    assert_eq!(alice[0]["id"], alice[1]["id"]);
    assert_eq!(alice[1]["scopes"], json!(["search:confluence"]));
    assert_eq!(list("nobody").await, json!([]));
    assert_eq!(list("jira").await[0]["scopes"], json!(["read:jira-user", "read:jira-work"]));
    world.sandbox.without_sites("alice");
    assert_eq!(list("alice").await, json!([]));
}

#[tokio::test]
async fn who_lacks_the_product_is_told_so() {
    let world = world();
    for person in ["jira", "guest"] {
        let granted = world.sandbox.sign_in(person, &["read:page:confluence"]);
        let (status, body) = world.get(&api("/api/v2/pages/1310745"), &granted["access_token"]).await;
        assert_eq!(status, StatusCode::FORBIDDEN);
        assert_eq!(body["message"], "Current user not permitted to use Confluence");
    }
}
