//! The spaces of a GPT: with an allow-list, no request of any shape returns anything of another space, and what lies
//! outside looks exactly like what does not exist. The person may see more than the GPT: alice sees everything.

use causeway::sandbox::{GLOBEX, NewPage};

use crate::asking::ACME;
use crate::support::{Answer, GPT_CALLBACK, Request, Session, World};

/// Stands in every title and text outside the allowed space, and nowhere inside.
const HIDDEN: &str = "Zirkonium";
/// Stands inside.
const SHOWN: &str = "Openium";

struct Case {
    world: World,
    alice: Session,
    inside: String,
    /// Pages and posts of other spaces and the other site, by what they are.
    outside: Vec<(&'static str, String)>,
}

/// A GPT of ENG, asked by somebody who sees all.
async fn case() -> Case {
    let world = World::of_spaces("ENG").await;
    let body = |word: &str| format!("<h1>{word} heading</h1><p>{word} text with marsupial</p>");
    let inside = world.add("ENG", "Openium page", &body(SHOWN));
    let page = |space, blog_post| NewPage {
        space,
        title: format!("{HIDDEN} {space}"),
        body: body(HIDDEN),
        labels: vec!["zirkonium-label".to_owned()],
        blog_post,
        ..NewPage::default()
    };
    let mut outside: Vec<(&str, String)> = ["PROD", "HR", "~alice"]
        .into_iter()
        .map(|space| (space, world.sandbox.add_page(page(space, false))))
        .collect();
    outside.push(("a blog post", world.sandbox.add_page(page("HR", true))));
    outside.push(("globex", world.sandbox.add_page(NewPage { site: &GLOBEX, ..page("PROD", false) })));
    outside.push(("a home page", "1331201".to_owned()));
    let alice = world.sign_in("alice").await;
    Case { world, alice, inside, outside }
}

impl Case {
    async fn ask(&self, path: &str, parameters: &[(&str, &str)]) -> Answer {
        let answer = self.world.ask(&self.alice, path, parameters).await;
        self.expect_nothing_hidden(&answer);
        answer
    }

    #[track_caller]
    fn expect_nothing_hidden(&self, answer: &Answer) {
        assert!(answer.status < 500, "{}", answer.body);
        // What the caller wrote may come back; what Confluence holds may not.
        let told = answer.json["results"].to_string()
            + &answer.json["candidates"].to_string()
            + answer.text("markdown")
            + answer.text("title");
        assert!(!told.contains(HIDDEN) && !told.contains("zirkonium-label"), "{}", answer.body);
        for result in answer.json["results"].as_array().into_iter().flatten() {
            assert!(result["space"]["key"] == "ENG" || result["key"] == "ENG", "{}", answer.body);
        }
        for (what, id) in &self.outside {
            let found = answer.json["results"]
                .as_array()
                .into_iter()
                .flatten()
                .any(|result| result["id"] == id.as_str());
            assert!(!found, "{what}: {}", answer.body);
        }
    }
}

/// Fragments that a model, or a page that talks to it, could put together to get out of `(…) AND space IN ("ENG")`.
fn attacks() -> Vec<String> {
    let leaves = [
        "text ~ \"Zirkonium\"",
        "space = HR",
        "space IN (HR, PROD, \"~alice\")",
        "space != ENG",
        "space NOT IN (ENG)",
        "title ~ 'Zirkonium'",
        "label = \"zirkonium-label\"",
        "type = page",
        "type IN (space, page, user)",
        "creator = currentUser()",
        "siteSearch ~ \"marsupial OR Zirkonium\"",
        "ancestor = 1331201",
        "id = 1331201",
        "lastmodified > now(\"-1d\")",
    ];
    let wholes = [
        "{}",
        "({})",
        "(({}))",
        "{} OR {}",
        "{} OR type = page OR {}",
        "({} OR {}) OR {}",
        "{} AND title ~ marsupial OR {}",
        "NOT {}",
        "title ~ x OR NOT {}",
        "{} ORDER BY title",
        "{} ORDER BY title) OR ({}",
        "{}) OR ({}",
        "{}) OR {} OR (type = page",
        "{} OR {}) ORDER BY (title",
        "{} /* ) OR ( */ OR {}",
        "{} -- \nOR {}",
        "{} // OR {}",
        "{}; {}",
        "{} # OR {}",
        "title ~ \"a\\\" OR {} OR title ~ \\\"b\"",
        "title ~ \"a\\\\\" OR {} OR title ~ \"b\"",
        "title ~ 'a\\' OR {} OR title ~ \\'b'",
        "title ~ 'a\" OR {} OR title ~ \"b'",
        "title ~ \"a' OR {} OR title ~ 'b\"",
        "title ~ \u{201c}a\u{201d} OR {}",
        "title ~ \"a\u{201d} OR {} OR title ~ \u{201c}b\"",
        "title ~ \u{2018}a\u{2019} OR {}",
        "title ~ \u{ff02}a\u{ff02} OR {}",
        "\u{ff08}{}\u{ff09} OR {}",
        "title ~ \"a\"\u{a0}OR\u{2003}{}",
        "title ~ a\u{200b} OR {}",
        "TITLE ~ a oR {}",
        "title ~ \"a\" \nOR\t{}",
        "title ~ \"a\")\nOR\n({}",
        "title ~ \"\" OR {}",
        "\" OR {} OR \"",
        "' OR {} OR '",
        "title ~ \"a\" OR {} OR (",
        "title ~ \"a\" OR {} OR \"",
        "title ~ a\\) OR {}",
        "title IN (\"a\", \"b\") OR {})",
        "title ~ \"a\" OR {} LIMIT 100",
        "title ~ \"a\" UNION {}",
        "title ~ \"a\" AND (NOT ({})) OR {}",
    ];
    let mut attacks = Vec::new();
    for (index, whole) in wholes.iter().enumerate() {
        for (at, leaf) in leaves.iter().enumerate() {
            let other = leaves[(at + index + 1) % leaves.len()];
            let cql = whole.replacen("{}", leaf, 1).replacen("{}", other, 1).replace("{}", "type = page");
            attacks.push(cql);
        }
    }
    attacks
}

#[tokio::test]
async fn no_cql_returns_anything_of_another_space() {
    let case = case().await;
    let (mut answered, mut refused) = (0, 0);
    for cql in attacks() {
        let answer = case.ask("/v1/search", &[("cql", &cql), ("limit", "25")]).await;
        match answer.status {
            200 => answered += 1,
            400 => refused += 1,
            other => panic!("{cql}: {other} {}", answer.body),
        }
        if let Some(total) = answer.json["total"].as_u64() {
            let narrowed = format!("({})", cql.split(" ORDER BY").next().unwrap());
            assert!(total < 60, "{narrowed} counts {total}, more than ENG holds");
        }
    }
    assert!(answered > 150 && refused > 150, "{answered} answered, {refused} refused");
}

#[tokio::test]
async fn totals_count_what_may_be_seen_and_nothing_else() {
    let case = case().await;
    let total = async |parameters: &[(&str, &str)]| {
        case.ask("/v1/search", parameters).await.expect(200).json["total"].clone()
    };
    assert_eq!(total(&[("query", "marsupial")]).await, 1);
    assert_eq!(total(&[("query", HIDDEN)]).await, 0);
    assert_eq!(total(&[("label", "zirkonium-label")]).await, 0);
    for cql in ["text ~ marsupial", "text ~ marsupial OR text ~ Zirkonium", "space = HR OR text ~ marsupial"]
    {
        assert_eq!(total(&[("cql", cql)]).await, 1, "{cql}");
    }
    for cql in
        ["space = HR", "type = user", "type = space AND space = HR", "ancestor = 1331201", "space = NOPE"]
    {
        assert_eq!(total(&[("cql", cql)]).await, 0, "{cql}");
    }
}

#[tokio::test]
async fn what_is_outside_and_what_is_absent_are_one_answer_to_a_search() {
    let case = case().await;
    let neutral = |answer: &Answer, name: &str| answer.body.replace(name, "-");
    let hidden = case.ask("/v1/search", &[("cql", "space = HR AND title ~ a")]).await.expect(200);
    let absent = case.ask("/v1/search", &[("cql", "space = QQ AND title ~ a")]).await.expect(200);
    assert_eq!(neutral(&hidden, "HR"), neutral(&absent, "QQ"));
    let hidden = case.ask("/v1/search", &[("title", HIDDEN)]).await.expect(200);
    let absent = case.ask("/v1/search", &[("title", "Nonesuchs")]).await.expect(200);
    assert_eq!(neutral(&hidden, HIDDEN), neutral(&absent, "Nonesuchs"));
    let hidden = case.ask("/v1/search", &[("ancestor", "1331201"), ("query", "a1")]).await.expect(200);
    let absent = case.ask("/v1/search", &[("ancestor", "9999999"), ("query", "a1")]).await.expect(200);
    assert_eq!(neutral(&hidden, "1331201"), neutral(&absent, "9999999"));
}

#[tokio::test]
async fn a_page_outside_is_missing_byte_for_byte() {
    let case = case().await;
    let readings = [
        &[][..],
        &[("part", "7")],
        &[("version", "1")],
        &[("section", "x")],
        &[("query", "x")],
        &[("maxChars", "1000")],
    ];
    for reading in readings {
        let absent = case.ask("/v1/pages/99999999", reading).await.refused(404, "not-found");
        for (what, id) in &case.outside {
            let answer = case.ask(&format!("/v1/pages/{id}"), reading).await.refused(404, "not-found");
            assert_eq!(answer.nameless(), absent.nameless(), "{what}");
            let names = |answer: &Answer| answer.headers.keys().map(ToString::to_string).collect::<Vec<_>>();
            assert_eq!(names(&answer), names(&absent), "{what}");
            assert_eq!(answer.header("content-length"), absent.header("content-length"));
        }
    }
    let inside = case.ask(&format!("/v1/pages/{}", case.inside), &[]).await.expect(200);
    assert!(inside.text("markdown").contains(SHOWN));
}

#[tokio::test]
async fn a_url_outside_is_missing_byte_for_byte() {
    let case = case().await;
    let at = |path: &str| format!("https://{ACME}/wiki/{path}");
    let absent =
        case.ask("/v1/pages", &[("url", &at("spaces/ENG/pages/99999999"))]).await.refused(404, "not-found");
    let mut urls: Vec<String> = Vec::new();
    for (what, id) in case.outside.iter().filter(|(what, _)| *what != "globex") {
        // The key in a URL says nothing: it is the id that counts.
        for key in ["ENG", "HR", "NOPE"] {
            urls.push(at(&format!("spaces/{key}/pages/{id}/x")));
        }
        urls.push(at(&format!("pages/viewpage.action?pageId={id}")));
        if !what.contains(' ') {
            urls.push(at(&format!("display/{what}/{HIDDEN}+{what}")));
        }
    }
    urls.extend(
        [
            "spaces/HR/overview",
            "spaces/HR",
            "display/HR",
            "spaces/NOPE",
            "display/NOPE/x",
            "display/ENG/NOPE",
            "display/HR/Salary+bands+2026",
            "spaces/~alice/overview",
        ]
        .map(at),
    );
    for url in urls {
        let answer = case.ask("/v1/pages", &[("url", &url)]).await.refused(404, "not-found");
        assert_eq!(answer.nameless(), absent.nameless(), "{url}");
    }
    case.ask("/v1/pages", &[("url", &at("display/ENG/Openium+page"))]).await.expect(200);
    case.ask("/v1/pages", &[("url", &at("spaces/ENG/overview"))]).await.expect(200);
}

#[tokio::test]
async fn a_title_outside_is_missing_and_no_candidate() {
    let case = case().await;
    let absent = case.ask("/v1/pages", &[("title", "Nonesuch")]).await.refused(404, "not-found");
    for title in ["Zirkonium HR", "Zirkonium PROD", "zirkonium ~ALICE", "Salary bands 2026", "Product Home"] {
        let answer = case.ask("/v1/pages", &[("title", title)]).await.refused(404, "not-found");
        assert_eq!(answer.nameless(), absent.nameless(), "{title}");
    }
    // The same title inside and outside is unique, and twice inside the candidates are those inside.
    case.world.add("HR", "Openium page", &format!("<p>{HIDDEN}</p>"));
    let one = case.ask("/v1/pages", &[("title", "openium PAGE")]).await.expect(200);
    assert_eq!(one.text("id"), case.inside);
    case.world.sandbox.add_page(NewPage { title: "OPENIUM page".to_owned(), ..NewPage::default() });
    let several = case.ask("/v1/pages", &[("title", "Openium page")]).await.refused(409, "ambiguous-title");
    assert_eq!(several.json["candidates"].as_array().unwrap().len(), 2, "{}", several.body);
    assert!(several.text("detail").starts_with('2'), "{}", several.body);
}

#[tokio::test]
async fn whatever_else_is_asked_about_a_page_outside_it_is_missing_byte_for_byte() {
    let case = case().await;
    let mut tried = 0;
    for (entry, ..) in
        crate::asking::examples().into_iter().filter(|(entry, ..)| entry.path.starts_with("/v1/pages/{id}"))
    {
        let ask = async |id: &str| case.world.get(&case.alice, &entry.path.replace("{id}", id)).await;
        let absent = ask("99999999").await.refused(404, "not-found");
        for (what, id) in &case.outside {
            let answer = ask(id).await.refused(404, "not-found");
            assert_eq!(answer.nameless(), absent.nameless(), "{} of {what}", entry.id);
            tried += 1;
        }
        ask(&case.inside).await.expect(200);
    }
    assert!(tried >= case.outside.len());
}

#[tokio::test]
async fn a_batch_a_tree_and_a_list_of_changes_hold_nothing_from_outside() {
    let case = case().await;
    let ids: Vec<&str> = case.outside.iter().map(|(_, id)| id.as_str()).collect();
    let all = format!("{},99999999,{}", ids.join(","), case.inside);
    let answer = case.world.ask(&case.alice, "/v1/pages/batch", &[("ids", &all)]).await.expect(200);
    assert!(!answer.body.contains(HIDDEN), "{}", answer.body);
    let results = answer.json["results"].as_array().unwrap();
    let (absent, inside) = (&results[ids.len()], &results[ids.len() + 1]);
    assert_eq!(inside["title"], "Openium page", "{}", answer.body);
    for (result, id) in results.iter().zip(&ids) {
        assert_eq!(result.to_string().replace(id, "-"), absent.to_string().replace("99999999", "-"));
    }
    let absent = case.ask("/v1/tree", &[("page", "99999999")]).await.refused(404, "not-found");
    for (what, id) in case.outside.iter().filter(|(what, _)| *what != "a blog post") {
        let answer = case.ask("/v1/tree", &[("page", id)]).await.refused(404, "not-found");
        assert_eq!(answer.nameless(), absent.nameless(), "{what}");
    }
    for space in ["HR", "NOPE"] {
        case.ask("/v1/tree", &[("space", space)]).await.refused(403, "not-allowed");
        case.ask("/v1/changes", &[("space", space)]).await.refused(403, "not-allowed");
    }
    for parameters in
        [&[("since", "-1d")][..], &[("since", "-1y"), ("mine", "true")], &[("since", "-1y"), ("limit", "25")]]
    {
        let found = case.world.list(&case.alice, "/v1/changes", parameters).await;
        assert!(!found.is_empty());
        for change in found {
            assert_eq!(change["space"]["key"], "ENG", "{change}");
        }
    }
}

#[tokio::test]
async fn a_space_or_site_that_is_named_and_not_allowed_is_refused_without_a_call() {
    let case = case().await;
    case.ask("/v1/me", &[]).await.expect(200);
    case.world.sandbox.forget_calls();
    for space in ["HR", "hr", "~alice", "NOPE", "ENG,HR", "131081"] {
        let answer =
            case.ask("/v1/search", &[("query", "x"), ("space", space)]).await.refused(403, "not-allowed");
        assert_eq!(answer.text("parameter"), "space");
    }
    for (path, title) in [("/v1/pages", "Salary bands 2026"), ("/v1/pages", "Nonesuch")] {
        case.ask(path, &[("title", title), ("space", "HR")]).await.refused(403, "not-allowed");
    }
    for path in ["/v1/search?query=x", "/v1/spaces?", "/v1/me?", "/v1/pages?title=x", "/v1/pages/1310745?"] {
        for site in ["globex", "globex.atlassian.net", GLOBEX.cloud_id] {
            let answer =
                case.world.get(&case.alice, &format!("{path}&site={site}")).await.refused(403, "not-allowed");
            assert_eq!(answer.text("parameter"), "site");
        }
    }
    assert!(case.world.sandbox.calls().is_empty(), "{:?}", case.world.confluence_calls());
}

#[tokio::test]
async fn an_allowed_space_is_allowed_in_any_case() {
    let case = case().await;
    for space in ["ENG", "eng", "Eng"] {
        let answer = case.ask("/v1/search", &[("query", "marsupial"), ("space", space)]).await.expect(200);
        assert_eq!(answer.each("id"), std::slice::from_ref(&case.inside));
    }
}

#[tokio::test]
async fn the_list_of_spaces_and_who_am_i_name_the_allowed_ones_only() {
    let case = case().await;
    for parameters in [&[][..], &[("query", "people")], &[("type", "personal")], &[("limit", "1")]] {
        let answer = case.ask("/v1/spaces", parameters).await.expect(200);
        assert!(
            !answer.body.contains("HR") && !answer.body.contains("~alice") && !answer.body.contains("PROD"),
            "{}",
            answer.body
        );
    }
    let me = case.ask("/v1/me", &[]).await.expect(200);
    assert!(!me.body.contains("HR") && !me.body.contains("globex"), "{}", me.body);
}

#[tokio::test]
async fn a_wrong_key_from_confluence_does_not_let_anything_out() {
    use causeway::sandbox::{Fault, FaultKind};
    // Confluence ignores the policy in the CQL: the results are checked all the same, and a total would count them.
    let case = case().await;
    case.ask("/v1/me", &[]).await.expect(200);
    let row = |id: &str, space: &str| {
        serde_json::json!({
        "content": { "id": id, "type": "page", "title": format!("{HIDDEN} {id}"), "space": serde_json::from_str::<serde_json::Value>(space).unwrap() },
        "title": HIDDEN, "excerpt": HIDDEN, "url": "/x" })
    };
    let rows = [
        row("1", r#"{"id": 131081, "key": "HR", "name": "HR"}"#),
        row("2", r#"{"id": 131081, "key": "ENG", "name": "HR"}"#),
        row("3", r#"{"key": "HR", "name": "HR"}"#),
        row("4", "null"),
        row("5", "{}"),
    ];
    let body = serde_json::json!({ "results": rows, "totalSize": 5, "_links": {} }).to_string();
    let kind = FaultKind::Status { status: 200, headers: Vec::new(), body };
    case.world.sandbox.inject(Fault { path_contains: "/rest/api/search".to_owned(), times: 1, kind });
    let answer = case.ask("/v1/search", &[("query", "marsupial")]).await.expect(200);
    assert!(answer.each("id").is_empty() && answer.json.get("total").is_none(), "{}", answer.body);
    assert!(!answer.body.contains(HIDDEN), "{}", answer.body);
}

#[tokio::test]
async fn the_reason_of_a_refused_query_does_not_show_the_policy() {
    let case = case().await;
    for cql in [
        "frobnication = 7",
        "title = 7 AND label > 3",
        "text = \"a\"",
        "created = \"x\"",
        "type = nonsense",
        "ancestor = x",
    ] {
        let answer = case.ask("/v1/search", &[("cql", cql)]).await.refused(400, "invalid-cql");
        assert!(!answer.body.contains("ENG") && !answer.body.contains("space IN"), "{}", answer.body);
        assert!(answer.text("detail").contains(&cql[..5]), "{}", answer.body);
    }
}

#[tokio::test]
async fn a_person_who_sees_none_of_the_allowed_spaces_finds_nothing() {
    let world = World::of_spaces("HR").await;
    let (alice, bob) = (world.sign_in("alice").await, world.sign_in("bob").await);
    assert!(!world.ask(&alice, "/v1/search", &[("type", "page")]).await.expect(200).each("id").is_empty());
    for parameters in
        [&[("type", "page")][..], &[("cql", "type = page OR space = ENG")], &[("query", "deployment")]]
    {
        let answer = world.ask(&bob, "/v1/search", parameters).await.expect(200);
        assert!(answer.each("id").is_empty(), "{}", answer.body);
        assert_eq!(answer.json["total"], 0);
    }
    assert!(world.get(&bob, "/v1/spaces").await.expect(200).each("key").is_empty());
    let absent = world.get(&bob, "/v1/pages/99999999").await.refused(404, "not-found");
    for id in ["1310745", "1331211"] {
        assert_eq!(
            world.get(&bob, &format!("/v1/pages/{id}")).await.refused(404, "not-found").nameless(),
            absent.nameless()
        );
    }
    let me = world.get(&bob, "/v1/me").await.expect(200);
    assert_eq!(me.json["spaces"], serde_json::json!([]));
}

#[tokio::test]
async fn restricted_pages_stay_hidden_from_bob_in_an_allowed_space() {
    let world = World::of_spaces("ENG").await;
    let bob = world.sign_in("bob").await;
    let restricted = NewPage {
        title: "Zirkonium plan".to_owned(),
        body: "<p>marsupial</p>".to_owned(),
        restricted: Some(&["alice"]),
        ..NewPage::default()
    };
    let id = world.sandbox.add_page(restricted);
    let below = world.sandbox.add_page(NewPage {
        title: "Zirkonium below".to_owned(),
        parent: Some(id.clone()),
        ..NewPage::default()
    });
    let absent = world.get(&bob, "/v1/pages/99999999").await.refused(404, "not-found");
    for id in [&id, &below] {
        assert_eq!(world.get(&bob, &format!("/v1/pages/{id}")).await.nameless(), absent.nameless());
    }
    for cql in
        ["title ~ zirkonium", "text ~ marsupial", "type = page AND title ~ zirkonium OR text ~ marsupial"]
    {
        assert_eq!(world.ask(&bob, "/v1/search", &[("cql", cql)]).await.expect(200).json["total"], 0);
    }
    world.ask(&bob, "/v1/pages", &[("title", "zirkonium plan")]).await.refused(404, "not-found");
}

const TWO_GPTS: &str = r#"
[[gpt]]
slug = "wide"
client_id = "wide!"
client_secret = { env = "WIDE" }
site = "acme.atlassian.net"

[[gpt]]
slug = "narrow"
client_id = "narrow!"
client_secret = { env = "NARROW" }
site = "acme.atlassian.net"
spaces = ["ENG"]
"#;

async fn sign_in_to(world: &World, client_id: &str, secret: &str) -> Session {
    let back = world
        .consent(&mut world.browser(), &Request::new(client_id, GPT_CALLBACK).and("state", "x"), "alice")
        .await;
    let form = [
        ("grant_type", "authorization_code"),
        ("client_id", client_id),
        ("client_secret", secret),
        ("code", back.code.as_str()),
        ("redirect_uri", GPT_CALLBACK),
    ];
    Session::of(world.token(&form).await)
}

#[tokio::test]
async fn a_token_has_the_rights_of_its_own_gpt_and_its_cursors_too() {
    let world = World::with_file(TWO_GPTS, &[("WIDE", "wide-secret"), ("NARROW", "narrow-secret")]).await;
    for n in 0..3 {
        world.add("HR", &format!("{HIDDEN} {n}"), "<p>marsupial</p>");
        world.add("ENG", &format!("{SHOWN} {n}"), "<p>marsupial</p>");
    }
    let wide = sign_in_to(&world, "wide!", "wide-secret").await;
    let narrow = sign_in_to(&world, "narrow!", "narrow-secret").await;
    let search = [("query", "marsupial"), ("limit", "1")];
    let wides = world.ask(&wide, "/v1/search", &search).await.expect(200);
    let narrows = world.ask(&narrow, "/v1/search", &search).await.expect(200);
    assert_eq!((&wides.json["total"], &narrows.json["total"]), (&6.into(), &3.into()));
    for (session, cursor) in [(&narrow, wides.text("nextCursor")), (&wide, narrows.text("nextCursor"))] {
        world
            .ask(session, "/v1/search", &[search.as_slice(), &[("cursor", cursor)]].concat())
            .await
            .refuses("cursor");
    }
    world.get(&wide, "/v1/pages/1331211").await.expect(200);
    world.get(&narrow, "/v1/pages/1331211").await.refused(404, "not-found");
}

#[tokio::test]
async fn a_changed_allow_list_holds_for_tokens_and_cursors_that_are_out_already() {
    let world = World::of_acme().await;
    let alice = world.sign_in("alice").await;
    for n in 0..3 {
        world.add("HR", &format!("{HIDDEN} {n}"), "<p>marsupial</p>");
    }
    let search = [("query", "marsupial"), ("limit", "1")];
    let cursor = world.ask(&alice, "/v1/search", &search).await.expect(200).text("nextCursor").to_owned();
    let narrowed = world.replica_with(&[("CAUSEWAY_SPACES", "ENG")]).await;
    let next =
        narrowed.ask(&alice, "/v1/search", &[search.as_slice(), &[("cursor", &cursor)]].concat()).await;
    assert!(!next.body.contains(HIDDEN), "{}", next.body);
    narrowed.get(&alice, "/v1/pages/1331211").await.refused(404, "not-found");
    assert_eq!(narrowed.ask(&alice, "/v1/search", &search).await.expect(200).json["total"], 0);
}
