//! The pages people look at.

use std::io::Read as _;

use causeway::config::{Config, Gpt};
use causeway::problem::Kind;
use causeway::{actions, known_actions, web};

use crate::support::{Answer, CLIENT_SECRET, Request, World, param};

/// Two GPTs, one of them limited to spaces with telling names.
const TWO_GPTS: &str = r#"
[[gpt]]
slug = "wiki"
name = "The <Wiki> & more"
client_id = "wiki+client"
client_secret = { env = "FIRST_SECRET" }

[[gpt]]
slug = "people"
name = "People"
client_id = "people+client"
client_secret = { env = "SECOND_SECRET" }
site = "acme.atlassian.net"
spaces = ["ZEBRAFISH", "~quagga"]
actions = ["searchConfluence", "getPage"]
"#;

const SECRETS: &[(&str, &str)] =
    &[("FIRST_SECRET", "tell-nobody-the-first"), ("SECOND_SECRET", "tell-nobody-the-second")];

async fn two_gpts() -> World {
    World::with_file(TWO_GPTS, SECRETS).await
}

fn public_pages() -> Vec<String> {
    let fixed = [
        "/",
        "/instructions",
        "/gpts/wiki/instructions",
        "/gpts/people/instructions",
        "/gpts/people/skill.md",
        "/privacy",
        "/docs",
        "/docs?gpt=people",
        "/docs/oauth2-redirect.html",
        "/openapi.json",
        "/gpts/people/openapi.json",
    ];
    let kinds = Kind::ALL.iter().map(|kind| format!("/problems/{}", kind.name()));
    fixed.iter().map(|path| (*path).to_owned()).chain(kinds).collect()
}

fn unescaped(answer: &Answer) -> String {
    answer.body.replace("&#60;", "<").replace("&#62;", ">").replace("&#38;", "&")
}

#[tokio::test]
async fn no_public_page_names_a_secret_or_a_space() {
    let world = two_gpts().await;
    let atlassian = world.env["ATLASSIAN_CLIENT_SECRET"].as_str();
    let told_to_nobody = [
        "tell-nobody",
        atlassian,
        world.env["CAUSEWAY_SECRET"].as_str(),
        CLIENT_SECRET,
        "ZEBRAFISH",
        "quagga",
    ];
    for path in public_pages() {
        let answer = world.get_bare(&path).await.expect(200);
        let text = unescaped(&answer);
        for secret in told_to_nobody {
            assert!(!text.contains(secret), "{path} names {secret}");
        }
    }
}

#[tokio::test]
async fn the_setup_page_holds_every_value_to_paste_for_each_gpt() {
    let world = two_gpts().await;
    let page = unescaped(&world.get_bare("/").await.expect(200));
    for path in [
        "/oauth/authorize",
        "/oauth/token",
        "/oauth/callback",
        "/openapi.json",
        "/gpts/people/openapi.json",
        "/mcp",
        "/gpts/people/mcp",
        "/gpts/wiki/skill.md",
        "/gpts/people/skill.md",
        "/privacy",
    ] {
        assert!(page.contains(&format!(">{}{path}</code>", world.public_url)), "{path}");
    }
    for value in ["The <Wiki> & more", "wiki+client", "people+client", "confluence:read"] {
        assert!(page.contains(&format!(">{value}</code>")), "{value}");
    }
    assert!(page.contains("Default (POST request)"));
}

#[tokio::test]
async fn the_scopes_to_tick_are_those_that_a_sign_in_asks_for() {
    let world = World::start().await;
    let page = world.get_bare("/").await.expect(200).body;
    let answer = world.get_bare(&Request::of_docs(&world).url("")).await;
    let asked = param(answer.header("location"), "scope").unwrap();
    for scope in asked.split(' ') {
        let listed = page.contains(&format!("<li><code>{scope}</code></li>"));
        assert_eq!(listed, scope != "offline_access", "{scope}");
    }
}

#[tokio::test]
async fn every_page_tells_browsers_to_run_and_load_nothing_from_elsewhere() {
    let world = two_gpts().await;
    for path in public_pages().iter().filter(|path| !path.ends_with("openapi.json")) {
        let answer = world.get_bare(path).await.expect(200);
        let policy = answer.header("content-security-policy");
        assert!(
            policy.starts_with("default-src 'none';") && policy.contains("frame-ancestors 'none'"),
            "{path}"
        );
        assert!(!policy.contains("unsafe") && !policy.contains("http"), "{path}: {policy}");
        assert_eq!(answer.header("x-content-type-options"), "nosniff", "{path}");
        assert_eq!(answer.header("referrer-policy"), "no-referrer", "{path}");
        assert_eq!(answer.header("cross-origin-opener-policy"), "", "{path}: it would cut off the popup");
        for inline in ["<style", " style=", " onclick=", "javascript:", "<script>"] {
            assert!(!answer.body.contains(inline), "{path} holds {inline}");
        }
    }
}

#[tokio::test]
async fn everything_a_page_refers_to_on_this_gateway_is_there() {
    let world = two_gpts().await;
    for path in ["/", "/privacy", "/docs", "/problems/not-found"] {
        let html = world.get_bare(path).await.expect(200).body;
        let links = html.split('"').filter(|text| text.starts_with('/') && text.len() > 1);
        for link in links {
            world.get_bare(link).await.expect(200);
        }
    }
}

#[tokio::test]
async fn instructions_fit_chatgpts_box_and_name_only_what_the_gpt_may_do() {
    let world = two_gpts().await;
    let text = world.get_bare("/gpts/people/instructions").await.expect(200).body;
    assert!(text.chars().count() <= 8_000);
    assert!(text.contains("\u{201c}People\u{201d}") && text.contains("`searchConfluence`"));
    assert!(!text.contains("`findPage`") && !text.contains("`whoAmI`"));
    let default = world.get_bare("/instructions").await.expect(200);
    assert!(default.body.contains("The <Wiki> & more") && default.body.contains("`whoAmI`"));
    assert!(default.body.chars().count() <= 8_000);
    assert_eq!(default.body, world.get_bare("/gpts/wiki/instructions").await.expect(200).body);
    world.get_bare("/gpts/nobody/instructions").await.expect(404);
    world.get_bare("/gpts/nobody/skill.md").await.expect(404);
}

#[tokio::test]
async fn the_instructions_are_the_same_for_those_who_run_the_gpt_and_name_no_space() {
    let world =
        World::with(&[("CAUSEWAY_SITE", "acme.atlassian.net"), ("CAUSEWAY_SPACES", "ENG,~alice")]).await;
    let config = Config::load(&world.env, &known_actions()).unwrap();
    let gpt: &Gpt = config.default_gpt();
    let told = web::instructions(gpt, &actions::all());
    assert!(!told.contains("ENG") && !told.contains("~alice"), "{told}");
    assert_eq!(world.get_bare("/instructions").await.expect(200).body, told);
}

#[tokio::test]
async fn each_kind_of_problem_has_a_page_where_its_type_leads() {
    let world = World::start().await;
    let problem = world.get_bare("/v1/me").await.expect(401);
    let path = problem.text("type").strip_prefix(&world.public_url).unwrap().to_owned();
    assert!(world.get_bare(&path).await.expect(200).body.contains("What to do"));
    for kind in Kind::ALL {
        let page = unescaped(&world.get_bare(&format!("/problems/{}", kind.name())).await.expect(200));
        assert!(page.contains(kind.title()), "{}", kind.name());
    }
    world.get_bare("/problems/of-some-other-kind").await.expect(404);
}

#[tokio::test]
async fn the_privacy_page_names_the_operator_safely_and_tells_how_to_disconnect() {
    let operator = [("CAUSEWAY_OPERATOR", "Acme <IT> \"Ops\""), ("CAUSEWAY_CONTACT", "wiki@acme.example")];
    let world = World::with(&operator).await;
    let page = world.get_bare("/privacy").await.expect(200).body;
    assert!(!page.contains("<IT>") && page.contains("Acme &#60;IT&#62;"));
    assert!(page.contains("href=\"mailto:wiki@acme.example\""));
    assert!(page.contains("https://id.atlassian.com/manage-profile/apps"));
}

#[tokio::test]
async fn swagger_ui_is_served_for_any_gpt_and_not_at_all_when_switched_off() {
    let world = two_gpts().await;
    let page = world.get_bare("/docs?gpt=people").await.expect(200).body;
    assert!(page.contains(&format!("data-document=\"{}/gpts/people/openapi.json\"", world.public_url)));
    world.get_bare("/docs?gpt=nobody").await.expect(404);
    world.get_bare("/docs/swagger-initializer.js").await.expect(404);
    world.get_bare("/docs/..%2f..%2fCargo.toml").await.expect(404);
    let without = World::with(&[("CAUSEWAY_DOCS", "off")]).await;
    for path in ["/docs", "/docs/oauth2-redirect.html", "/docs/swagger-ui-bundle.js"] {
        without.get_bare(path).await.expect(404);
    }
    let setup = without.get_bare("/").await.expect(200).body;
    assert!(!setup.contains("href=\"/docs\"") && !setup.contains("id=\"try\""));
}

#[tokio::test]
async fn swagger_ui_s_files_are_sent_compressed_to_whoever_takes_that() {
    let world = World::start().await;
    for (path, holds) in [
        ("/docs/swagger-ui-bundle.js", "SwaggerUI"),
        ("/docs/swagger-ui.css", ".swagger-ui"),
        ("/docs/oauth2-redirect.html", "oauth2-redirect.js"),
    ] {
        let plain = world.get_bare(path).await.expect(200);
        assert_eq!((plain.header("content-encoding"), plain.header("vary")), ("", "accept-encoding"));
        assert!(plain.body.contains(holds), "{path}");
        let as_encoded = |accepted: &str| {
            world.http.get(format!("{}{path}", world.url)).header("accept-encoding", accepted).send()
        };
        for refused in ["identity", "br", "gzip;q=0", "gzip; q=0.0, br"] {
            let answer = Answer::read(as_encoded(refused).await.unwrap()).await;
            assert_eq!(answer.body, plain.body, "{path} {refused}");
        }
        for accepted in ["gzip", "br, gzip, deflate", "gzip;q=0.5"] {
            let answer = as_encoded(accepted).await.unwrap();
            assert_eq!(answer.headers()["content-encoding"], "gzip", "{path} {accepted}");
            let mut unpacked = String::new();
            let packed = answer.bytes().await.unwrap();
            flate2::read::GzDecoder::new(&packed[..]).read_to_string(&mut unpacked).unwrap();
            assert_eq!(unpacked, plain.body, "{path} {accepted}");
        }
    }
}

#[tokio::test]
async fn the_domain_check_answers_what_is_configured_and_nothing_otherwise() {
    const PATH: &str = "/.well-known/openai-apps-challenge";
    let world = World::with(&[("CAUSEWAY_OPENAI_CHALLENGE", "a-B_c.123")]).await;
    let answer = world.get_bare(PATH).await.expect(200);
    assert_eq!(
        (answer.body.as_str(), answer.header("content-type")),
        ("a-B_c.123", "text/plain; charset=utf-8")
    );
    World::start().await.get_bare(PATH).await.expect(404);
}

#[tokio::test]
async fn the_check_list_finds_what_is_wrong_and_says_what_to_do() {
    let nowhere =
        [("ATLASSIAN_API_URL", "http://127.0.0.1:9"), ("CAUSEWAY_PUBLIC_URL", "https://causeway.invalid")];
    let world = World::with(&nowhere).await;
    let page = world.get_bare("/").await.expect(200).body;
    assert!(page.contains("class=\"card status bad\""));
    assert!(page.contains("This gateway cannot reach itself at https://causeway.invalid."));
    assert!(page.contains("does not answer within 3 seconds") && page.contains("HTTPS_PROXY"));
    assert!(page.contains("https://causeway.invalid is."), "https is right all the same");
}
