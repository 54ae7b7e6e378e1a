//! searchConfluence.

use causeway::action::MAX_ANSWER;
use causeway::sandbox::{FaultKind, NewPage};
use serde_json::json;

use crate::asking::{each, expect_no_null};
use crate::support::{Answer, Session, World};

const ALICE: &str = "712020:5d2c1f0a-8b7e-4c64-9d0e-a11ce0000001";

/// Alice on acme, asking.
struct Asker(World, Session);

impl Asker {
    async fn new() -> Self {
        let world = World::of_acme().await;
        let alice = world.sign_in("alice").await;
        Self(world, alice)
    }

    async fn search(&self, parameters: &[(&str, &str)]) -> Answer {
        self.0.ask(&self.1, "/v1/search", parameters).await
    }

    async fn ids(&self, parameters: &[(&str, &str)]) -> Vec<String> {
        let mut ids = each(&self.0.list(&self.1, "/v1/search", parameters).await, "id");
        ids.sort();
        ids
    }

    /// A page below ENG's home with labels.
    fn labelled(&self, title: &str, labels: &[&str]) -> String {
        self.0.sandbox.add_page(NewPage {
            title: title.to_owned(),
            labels: labels.iter().map(|label| (*label).to_owned()).collect(),
            ..NewPage::default()
        })
    }
}

#[tokio::test]
async fn a_result_tells_what_where_who_and_when() {
    let asker = Asker::new().await;
    let id = asker.0.add("ENG", "Quokka care", "<p>Feed the quokkas at dawn &amp; dusk.</p>");
    let answer = asker.search(&[("query", "quokka")]).await.expect(200);
    expect_no_null(&answer.json);
    let result = &answer.json["results"][0];
    assert_eq!(result["id"], id.as_str());
    assert_eq!(result["type"], "page");
    assert_eq!(result["title"], "Quokka care");
    assert_eq!(result["space"], serde_json::json!({ "key": "ENG", "name": "Engineering" }));
    let url = format!("https://acme.atlassian.net/wiki/spaces/ENG/pages/{id}/Quokka+care");
    assert_eq!(result["url"], url.as_str());
    assert!(result["excerpt"].as_str().unwrap().contains("Feed the quokkas at dawn & dusk."), "{result}");
    assert_eq!(result["lastModified"], "2026-11-21T09:00:00Z");
    assert_eq!(result["lastModifiedBy"]["accountId"], ALICE);
    assert_eq!(result["lastModifiedBy"]["name"], "Alice Anderson");
    assert_eq!(answer.json["total"], 1);
    assert!(answer.text("cql").contains("\"quokka\""), "{}", answer.body);
}

#[tokio::test]
async fn nothing_found_is_an_answer_that_suggests_what_to_relax() {
    let asker = Asker::new().await;
    let answer =
        asker.search(&[("query", "xylophagous"), ("space", "ENG"), ("label", "x-y")]).await.expect(200);
    assert_eq!((answer.each("id").len(), &answer.json["total"]), (0, &serde_json::json!(0)));
    assert!(answer.text("suggestion").contains("space") && answer.text("suggestion").contains("label"));
    assert!(answer.json.get("nextCursor").is_none(), "{}", answer.body);
}

#[tokio::test]
async fn where_nothing_holds_all_words_those_that_hold_some_are_found_and_marked() {
    let asker = Asker::new().await;
    for n in 0..5 {
        asker.0.add("ENG", &format!("Wombat {n}"), "<p>wombat</p>");
    }
    let parameters = [("query", "the wombat zyzzyva"), ("space", "ENG"), ("limit", "2")];
    let answer = asker.search(&parameters).await.expect(200);
    assert_eq!(answer.each("id").len(), 2);
    assert!(answer.text("suggestion").contains("some of them"), "{}", answer.body);
    assert!(
        answer.text("cql").contains("wombat OR zyzzyva") && answer.text("cql").contains("ENG"),
        "{}",
        answer.body
    );
    assert_eq!(asker.ids(&parameters).await.len(), 5);
    // So is each further page of them.
    let cursor = answer.text("nextCursor");
    let next = asker.search(&[&parameters[..], &[("cursor", cursor)]].concat()).await.expect(200);
    assert!(next.text("suggestion").contains("some of them"), "{}", next.body);
    let titled = asker.search(&[("title", "wombat zyzzyva")]).await.expect(200);
    assert_eq!(titled.each("id").len(), 5);
    assert!(titled.text("suggestion").contains("some of them"));
    // What is found as asked is not marked.
    let found = asker.search(&[("query", "wombat 3")]).await.expect(200);
    assert!(found.json.get("suggestion").is_none() && found.each("title") == ["Wombat 3"], "{}", found.body);
}

#[tokio::test]
async fn a_filter_always_holds_and_the_suggestion_says_how_much_there_is_without_it() {
    let asker = Asker::new().await;
    for n in 0..3 {
        asker.0.add("PROD", &format!("Numbat {n}"), "<p>numbat</p>");
    }
    asker.0.add("PROD", "Elsewhere", "<p>bandicoot</p>");
    let suggestion = async |parameters: &[(&str, &str)]| {
        let answer = asker.search(parameters).await.expect(200);
        assert!(answer.each("id").is_empty(), "{}", answer.body);
        answer.text("suggestion").to_owned()
    };
    let without = suggestion(&[("query", "numbat"), ("space", "ENG"), ("label", "x")]).await;
    assert!(without.starts_with("Without space, label there are 3 results"), "{without}");
    let without = suggestion(&[("title", "numbat"), ("space", "ENG")]).await;
    assert!(without.starts_with("Without space there are 3 results"), "{without}");
    let without = suggestion(&[("title", "bandicoot")]).await;
    assert!(without.contains("query instead of title there is 1 result"), "{without}");
    let without = suggestion(&[("cql", "title ~ numbat"), ("space", "ENG")]).await;
    assert!(without.starts_with("Without space there are 3 results"), "{without}");
    let without = suggestion(&[("query", "zyzzyva"), ("space", "ENG")]).await;
    assert!(without.contains("nothing either"), "{without}");
    assert!(suggestion(&[("query", "zyzzyva")]).await.contains("synonyms"));
}

#[tokio::test]
async fn finding_nothing_costs_two_further_calls_at_the_most() {
    let asker = Asker::new().await;
    asker.search(&[("query", "deployment")]).await.expect(200);
    for (parameters, calls) in [
        (&[("query", "zyzzyva")][..], 1),
        (&[("query", "zyzzyva xylophagous")], 2),
        (&[("query", "zyzzyva"), ("space", "ENG")], 2),
        (&[("query", "zyzzyva xylophagous"), ("space", "ENG"), ("label", "x")], 3),
        (&[("label", "x-y-z"), ("space", "ENG")], 1),
        (&[("cql", "title ~ zyzzyva"), ("space", "ENG")], 2),
    ] {
        asker.0.sandbox.forget_calls();
        assert!(asker.search(parameters).await.expect(200).each("id").is_empty());
        assert_eq!(asker.0.sandbox.calls().len(), calls, "{parameters:?}");
    }
}

#[tokio::test]
async fn comments_and_files_are_found_with_title_link_space_and_person() {
    let asker = Asker::new().await;
    let comments =
        asker.search(&[("query", "golden signals webhook-relay"), ("type", "comment")]).await.expect(200);
    let comment = &comments.json["results"][0];
    assert_eq!((&comment["type"], &comment["title"]), (&"comment".into(), &"Re: Deployment guide".into()));
    assert_eq!(comment["space"]["key"], "ENG");
    let url = comment["url"].as_str().unwrap();
    assert!(
        url.starts_with("https://acme.atlassian.net/wiki/spaces/ENG/pages/1310745/")
            && url.contains("focusedCommentId=")
    );
    assert_eq!(comment["lastModifiedBy"]["name"], "김민아 (Mina Kim)");
    assert!(comment["excerpt"].as_str().unwrap().contains("golden signals"));
    let files = asker.search(&[("query", "failover rehearsal"), ("type", "attachment")]).await.expect(200);
    let file = &files.json["results"][0];
    assert_eq!((&file["type"], &file["title"]), (&"attachment".into(), &"postmortem-2026-05-14.pdf".into()));
    assert_eq!(file["space"]["key"], "ENG");
    assert!(
        file["url"].as_str().unwrap().contains("1310765") && file["id"].as_str().unwrap().contains("1610513"),
        "{file}"
    );
    assert!(file["lastModifiedBy"]["name"].is_string(), "{file}");
}

#[tokio::test]
async fn the_cursor_leads_to_every_result_once() {
    let asker = Asker::new().await;
    let mut added: Vec<String> =
        (0..23).map(|n| asker.0.add("ENG", &format!("Wombat {n}"), "<p>wombat</p>")).collect();
    added.sort();
    for limit in ["1", "5", "23", "25"] {
        assert_eq!(asker.ids(&[("query", "wombat"), ("limit", limit)]).await, added, "limit {limit}");
    }
}

#[tokio::test]
async fn the_same_search_gives_the_same_answer() {
    let asker = Asker::new().await;
    let search = async || asker.search(&[("space", "ENG"), ("limit", "25")]).await.expect(200).json;
    let (one, other) = (search().await, search().await);
    // Cursors are sealed anew each time; everything else is the same.
    assert_eq!(
        (&one["results"], &one["total"], &one["cql"]),
        (&other["results"], &other["total"], &other["cql"])
    );
}

#[tokio::test]
async fn a_filter_alone_is_a_search_and_all_that_is_given_must_hold() {
    let asker = Asker::new().await;
    let (both, one) = (asker.labelled("Numbat", &["a-1", "b_2"]), asker.labelled("Numbat", &["a-1"]));
    let elsewhere = asker.0.add("PROD", "Numbat", "<p>x</p>");
    let found = |parameters: &'static [(&'static str, &'static str)]| asker.ids(parameters);
    assert_eq!(found(&[("label", "a-1")]).await, [both.clone(), one.clone()]);
    assert_eq!(found(&[("label", "b_2,a-1")]).await, std::slice::from_ref(&both));
    assert_eq!(found(&[("title", "numbat"), ("space", "PROD")]).await, std::slice::from_ref(&elsewhere));
    assert_eq!(found(&[("title", "numbat"), ("space", "PROD,ENG")]).await.len(), 3);
    assert_eq!(found(&[("query", "numbat"), ("type", "blogpost")]).await.len(), 0);
    assert_eq!(found(&[("title", "numbat"), ("ancestor", "1310721")]).await, [both, one]);
}

#[tokio::test]
async fn an_author_is_me_or_an_account_id_or_a_name() {
    let asker = Asker::new().await;
    asker.0.add("ENG", "Potoroo", "<p>x</p>");
    let mine = asker.search(&[("author", "me"), ("title", "potoroo")]).await.expect(200);
    assert_eq!(mine.each("title"), ["Potoroo"]);
    let by_id = asker.search(&[("author", ALICE), ("title", "potoroo")]).await.expect(200);
    let by_name = asker.search(&[("author", "alice anderson"), ("title", "potoroo")]).await.expect(200);
    assert_eq!(by_id.json["results"], mine.json["results"]);
    assert_eq!(by_name.json["results"], mine.json["results"]);
    let bobs = asker.search(&[("author", "Bob Okafor"), ("title", "potoroo")]).await.expect(200);
    assert_eq!(bobs.each("id").len(), 0);
}

#[tokio::test]
async fn an_author_nobody_knows_or_made_of_operators_is_refused_never_an_upstream_failure() {
    let asker = Asker::new().await;
    for name in ["Zebedee Quux", "*", "Mina Kim)", "a\"b\\", "(((", "AND", "O'Neill ~", "-", "Erin \u{201d}x"]
    {
        let answer = asker.search(&[("author", name)]).await;
        assert!(answer.status == 200 || answer.status == 400, "{name}: {}", answer.body);
        if answer.status == 400 {
            answer.refuses("author");
        }
    }
}

#[tokio::test]
async fn days_are_inclusive_at_both_ends() {
    let asker = Asker::new().await;
    asker.0.add("ENG", "Bilby", "<p>x</p>");
    let count = async |after: &str, before: &str| {
        asker.ids(&[("title", "bilby"), ("updatedAfter", after), ("updatedBefore", before)]).await.len()
    };
    assert_eq!(count("2026-11-21", "2026-11-21").await, 1);
    assert_eq!(count("-1d", "").await, 1);
    assert_eq!(count("", "2026-11-20").await, 0);
    assert_eq!(count("2026-11-22", "").await, 0);
    assert_eq!(count("1970-01-01", "9998-12-31").await, 1);
}

#[tokio::test]
async fn dates_that_are_none_are_refused_by_name() {
    let asker = Asker::new().await;
    let bad = [
        "2026-02-30",
        "2026-13-01",
        "21.11.2026",
        "2026-1-1",
        "-30",
        "30d",
        "-d",
        "-0d",
        "-99999d",
        "-101y",
        "now",
        "2026-11-21T9",
        "0000-00-00",
        "٢٠٢٦-١١-٢١",
        "-1d\"",
        "1969-12-31",
    ];
    for date in bad {
        for parameter in ["updatedAfter", "updatedBefore"] {
            asker.search(&[("query", "x"), (parameter, date)]).await.refuses(parameter);
        }
    }
    let reversed = [("query", "x"), ("updatedAfter", "2026-11-22"), ("updatedBefore", "2026-11-21")];
    asker.search(&reversed).await.refuses("updatedAfter");
}

#[tokio::test]
async fn sort_beats_order_by_and_order_by_beats_relevance() {
    let asker = Asker::new().await;
    for title in ["Dingo b", "Dingo c", "Dingo a"] {
        asker.0.add("ENG", title, "<p>x</p>");
    }
    let titles = async |parameters: &[(&str, &str)]| asker.search(parameters).await.expect(200).each("title");
    let cql = ("cql", "title ~ dingo ORDER BY title desc");
    assert_eq!(titles(&[cql]).await, ["Dingo c", "Dingo b", "Dingo a"]);
    assert_eq!(titles(&[cql, ("sort", "title")]).await, ["Dingo a", "Dingo b", "Dingo c"]);
    assert_eq!(titles(&[("title", "dingo"), ("sort", "title")]).await, ["Dingo a", "Dingo b", "Dingo c"]);
    for sort in ["relevance", "updated", "created"] {
        assert_eq!(titles(&[("title", "dingo"), ("sort", sort)]).await.len(), 3, "{sort}");
    }
}

#[tokio::test]
async fn neither_query_nor_cql_nor_a_filter_is_refused_never_a_listing() {
    let asker = Asker::new().await;
    for parameters in
        [&[][..], &[("query", "")], &[("limit", "5")], &[("sort", "title")], &[("cql", ""), ("label", "")]]
    {
        asker.search(parameters).await.refused(400, "invalid-parameter");
    }
    asker.search(&[("query", "a"), ("cql", "label = a")]).await.refuses("cql");
}

#[tokio::test]
async fn a_query_with_nothing_to_look_for_is_refused_never_a_listing() {
    let asker = Asker::new().await;
    for query in
        ["*", "***", "?", "\"\"", "\" \"", " ", "~", "() AND", "!!!", "\u{200b}\u{2060}", "…", "\\", "+-&|"]
    {
        let answer = asker.search(&[("query", query)]).await;
        if query == "() AND" {
            assert!(answer.status == 200 && answer.json["total"].as_u64() < Some(20), "{}", answer.body);
        } else {
            answer.refuses("query");
        }
        if !matches!(query, "() AND") {
            asker.search(&[("title", query)]).await.refuses("title");
        }
    }
}

#[tokio::test]
async fn operators_and_quotes_in_plain_words_are_words() {
    let asker = Asker::new().await;
    let id = asker.0.add("ENG", "C++ (fast) [beta]", "<p>mongoose a/b: 100% \"sure thing\" it's ~ok</p>");
    let queries = [
        "C++ (fast)",
        "[beta] mongoose",
        "mongoose AND sure",
        "mongoose a/b:",
        "\"sure thing\"",
        "\u{201c}sure thing\u{201d}",
        "mongoose \"unpaired",
        "mongoose \\",
        "it's mongoose",
        "~ok mongoose",
        "mongoose\tsure\nthing",
        "MONGOOSE -sure",
    ];
    for query in queries {
        let answer = asker.search(&[("query", query)]).await.expect(200);
        if query != "mongoose \"unpaired" && query != "mongoose AND sure" {
            assert!(answer.each("id").contains(&id), "{query}: {}", answer.body);
        }
    }
}

#[tokio::test]
async fn hard_characters_come_back_as_they_are() {
    let asker = Asker::new().await;
    let title = "Ünï \"quoted\" <b>bold</b> &amp; 'x' \\ 100% 日本語 😀 İstanbul";
    let id = asker.0.add("ENG", title, "<p>platypus &lt;script&gt; &amp; 日本語 😀 @@@ \u{a0}</p>");
    let answer = asker.search(&[("query", "platypus 日本語")]).await.expect(200);
    assert_eq!(answer.json["results"][0]["title"], title);
    let excerpt = answer.json["results"][0]["excerpt"].as_str().unwrap();
    assert!(excerpt.contains("platypus <script> & 日本語 😀") && !excerpt.contains("@@@hl"), "{excerpt}");
    let page = asker.0.get(&asker.1, &format!("/v1/pages/{id}")).await.expect(200);
    assert_eq!(page.text("title"), title);
}

#[tokio::test]
async fn raw_cql_is_executed_and_shown_with_what_was_added() {
    let asker = Asker::new().await;
    let id = asker.0.add("ENG", "Echidna", "<p>x</p>");
    for cql in [
        "title ~ \"echidna\"",
        "title ~ 'echidna' and space = ENG",
        "(title~echidna)",
        "title = \"ECHIDNA\" OR title = \"nothing such\"",
        "creator = currentUser() AND title ~ echidna ORDER BY created",
        "title ~ echidna AND lastmodified >= now(\"-4w\")",
    ] {
        let answer = asker.search(&[("cql", cql)]).await.expect(200);
        assert_eq!(answer.each("id"), std::slice::from_ref(&id), "{cql}");
        assert!(answer.text("cql").to_lowercase().contains("echidna"), "{}", answer.body);
    }
}

#[tokio::test]
async fn cql_that_cannot_be_read_is_refused_with_a_reason_and_the_callers_cql() {
    let asker = Asker::new().await;
    for cql in [
        "title ~ \"open",
        "title ~ 'open",
        "(title ~ a",
        "title ~ a)",
        "title ~ a) OR (space = HR",
        "title",
        "title ~",
        "AND",
        "ORDER BY title",
        "title ~ a ORDER",
        "title ~ a ORDER BY",
        "(title ~ a ORDER BY title)",
        "title ~ a -- b",
        "title ~ a /* b */",
        "title ~ \u{201c}a\u{201d}",
        "title ~ a; title ~ b",
        "title IN ()",
        "title ~ a\u{0}b",
        "title = a == b",
        "NOT",
        "title ~ a ORDER BY title ORDER BY id",
    ] {
        let answer = asker.search(&[("cql", cql)]).await;
        let kind = if cql.contains('\u{0}') { "invalid-parameter" } else { "invalid-cql" };
        let answer = answer.refused(400, kind);
        assert_eq!(answer.text("parameter"), "cql", "{cql}");
    }
    // What only Confluence knows to be wrong.
    let before = asker.0.confluence_calls().len();
    let answer = asker.search(&[("cql", "frobnication = 7")]).await.refused(400, "invalid-cql");
    assert!(answer.text("detail").contains("frobnication = 7"), "{}", answer.body);
    assert!(asker.0.confluence_calls().len() > before);
}

#[tokio::test]
async fn blog_posts_are_found_beside_pages_and_a_type_narrows() {
    let asker = Asker::new().await;
    let post = NewPage { blog_post: true, title: "Kookaburra news".to_owned(), ..NewPage::default() };
    let (post, page) = (asker.0.sandbox.add_page(post), asker.0.add("ENG", "Kookaburra", "<p>x</p>"));
    assert_eq!(asker.ids(&[("title", "kookaburra")]).await, [post.clone(), page.clone()]);
    assert_eq!(asker.ids(&[("title", "kookaburra"), ("type", "blogpost")]).await, [post]);
    assert_eq!(asker.ids(&[("title", "kookaburra"), ("type", "page")]).await, [page]);
    assert_eq!(asker.ids(&[("title", "kookaburra"), ("type", "comment,attachment")]).await.len(), 0);
    asker.search(&[("title", "kookaburra"), ("type", "page,wiki")]).await.refuses("type");
}

#[tokio::test]
async fn a_site_that_lacks_site_search_is_asked_by_text_on_all_pages_of_the_results() {
    use causeway::sandbox::{Fault, FaultKind};
    let asker = Asker::new().await;
    let mut added: Vec<String> =
        (0..7).map(|n| asker.0.add("ENG", &format!("Taipan {n}"), "<p>taipan</p>")).collect();
    added.sort();
    let body = r#"{"statusCode":400,"message":"Could not parse cql : Unsupported CQL field 'siteSearch'"}"#
        .to_owned();
    let kind = FaultKind::Status { status: 400, headers: Vec::new(), body };
    asker.0.sandbox.inject(Fault { path_contains: "siteSearch".to_owned(), times: usize::MAX, kind });
    assert_eq!(asker.ids(&[("query", "taipan"), ("limit", "3")]).await, added);
}

#[tokio::test]
async fn a_person_finds_only_what_they_may_see() {
    let world = World::of_acme().await;
    let (alice, bob) = (world.sign_in("alice").await, world.sign_in("bob").await);
    let restricted =
        NewPage { title: "Cassowary".to_owned(), restricted: Some(&["alice"]), ..NewPage::default() };
    world.sandbox.add_page(restricted);
    world.add("HR", "Cassowary pay", "<p>x</p>");
    let search =
        async |session| world.ask(session, "/v1/search", &[("query", "cassowary")]).await.expect(200);
    assert_eq!(search(&alice).await.json["total"], 2);
    let bobs = search(&bob).await;
    assert_eq!((bobs.each("id").len(), &bobs.json["total"]), (0, &serde_json::json!(0)));
}

#[tokio::test]
async fn the_largest_answer_stays_below_a_hundred_thousand_bytes() {
    let asker = Asker::new().await;
    let (title, body) =
        ("\u{1f63a}".repeat(250), format!("<p>quoll {}</p>", "\u{1f63a}&quot;\\ ".repeat(3000)));
    for n in 0..25 {
        asker.0.add("ENG", &format!("{n} {title}"), &body);
    }
    let cql = format!("text ~ quoll OR title = \"{}\"", "\u{1f63a}".repeat(3900));
    let answer = asker.search(&[("cql", &cql), ("limit", "25")]).await;
    if answer.status == 200 {
        assert_eq!(answer.each("id").len(), 25);
    }
    assert!(answer.body.len() < 100_000, "{} bytes", answer.body.len());
    let answer = asker.search(&[("query", "quoll"), ("limit", "25")]).await.expect(200);
    assert!(answer.body.len() < 100_000, "{} bytes", answer.body.len());
    assert_eq!(answer.each("id").len(), 25);
}

#[tokio::test]
async fn an_answer_stays_within_its_limit_whatever_has_to_be_escaped() {
    let world = World::of_acme().await;
    let alice = world.sign_in("alice").await;
    // What takes most bytes of what is left of a text.
    let text = |length| "\u{1f63a}".repeat(length);
    let row = |number: u32| {
        json!({ "content": { "id": number.to_string(), "type": "page", "title": text(255) },
            "excerpt": format!("bandicoot{}", text(600)), "url": "/spaces/ENG/pages/1" })
    };
    let body = json!({ "results": (0..25).map(row).collect::<Vec<_>>(), "totalSize": 25 }).to_string();
    for path in ["/v1/search?query=bandicoot&limit=25", "/v1/changes?since=-1d&limit=25"] {
        world.break_confluence(1, FaultKind::Status { status: 200, headers: Vec::new(), body: body.clone() });
        let answer = world.get(&alice, path).await.expect(200);
        let rows = answer.json["results"].as_array().unwrap();
        assert!(answer.body.len() <= MAX_ANSWER, "{path}: {}", answer.body.len());
        assert!(answer.body.len() > MAX_ANSWER / 2, "{path}: {}", answer.body.len());
        assert!(
            rows.len() == 25
                && rows.iter().all(|row| row["excerpt"].as_str().unwrap().starts_with("bandicoot"))
        );
    }
}
