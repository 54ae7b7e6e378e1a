//! findPage.

use crate::support::{Answer, Session, World};

const DEPLOYMENT_GUIDE: &str = "1310745";
const GLOBEX_HOME: &str = "2621441";

async fn find(world: &World, session: &Session, parameters: &[(&str, &str)]) -> Answer {
    world.ask(session, "/v1/pages", parameters).await
}

#[tokio::test]
async fn every_form_of_a_url_leads_to_the_page_and_none_is_fetched() {
    let world = World::of_acme().await;
    let alice = world.sign_in("alice").await;
    let forms = [
        "https://acme.atlassian.net/wiki/spaces/ENG/pages/1310745/Deployment+guide",
        "https://acme.atlassian.net/wiki/spaces/ENG/pages/1310745",
        "https://ACME.atlassian.net/wiki/spaces/ENG/pages/1310745/x?focusedCommentId=1#Rollback",
        "https://acme.atlassian.net/wiki/spaces/ENG/pages/edit-v2/1310745",
        "https://acme.atlassian.net/wiki/pages/viewpage.action?pageId=1310745",
        "https://acme.atlassian.net/wiki/pages/viewpage.action?spaceKey=ENG&title=Deployment+guide",
        "https://acme.atlassian.net/wiki/display/ENG/Deployment+guide",
        "acme.atlassian.net/wiki/spaces/ENG/pages/1310745",
        "  https://acme.atlassian.net/wiki/spaces/ENG/pages/1310745  ",
        "https://acme.atlassian.net/wiki/x/GQAU",
        "https://acme.atlassian.net/wiki/display/ENG/deployment%20guide",
    ];
    for url in forms {
        let answer = find(&world, &alice, &[("url", url)]).await.expect(200);
        assert_eq!(answer.text("id"), DEPLOYMENT_GUIDE, "{url}");
    }
    for url in
        ["https://acme.atlassian.net/wiki/spaces/ENG/overview", "https://acme.atlassian.net/wiki/spaces/ENG"]
    {
        assert_eq!(
            find(&world, &alice, &[("url", url)]).await.expect(200).text("title"),
            "Engineering Home",
            "{url}"
        );
    }
    assert!(
        world.confluence_calls().iter().all(|call| call.contains(" api/v2/")),
        "{:?}",
        world.confluence_calls()
    );
}

#[tokio::test]
async fn the_link_of_each_search_result_leads_back_to_it() {
    let world = World::of_acme().await;
    let alice = world.sign_in("alice").await;
    let found = world.list(&alice, "/v1/search", &[("space", "ENG,PROD,HR,~alice"), ("limit", "25")]).await;
    assert!(found.len() >= 8);
    for result in found {
        let url = result["url"].as_str().unwrap();
        let answer = find(&world, &alice, &[("url", url)]).await.expect(200);
        assert_eq!(answer.text("id"), result["id"].as_str().unwrap(), "{url}");
    }
}

#[tokio::test]
async fn what_is_no_page_s_url_is_refused() {
    let world = World::of_acme().await;
    let alice = world.sign_in("alice").await;
    let bad = [
        "x",
        "https://",
        "ftp://acme.atlassian.net/wiki/spaces/ENG/pages/1310745",
        "javascript:alert(1)",
        "https://acme.atlassian.net/",
        "https://acme.atlassian.net/wiki/x/!!!",
        "https://acme.atlassian.net/wiki/x/",
        "https://acme.atlassian.net/wiki/spaces/ENG/pages/abc",
        "https://acme.atlassian.net/wiki/spaces/ENG/whiteboard/1",
        "https://acme.atlassian.net/jira/browse/X-1",
        "https://acme.atlassian.net/wiki/pages/viewpage.action?pageId=",
        "https://acme.atlassian.net/wiki/display/ENG/%20",
        "file:///etc/passwd",
        "https://[::1",
        "//",
        "https:///wiki",
        "https://acme.atlassian.net/wiki/spaces/%22%20OR%20/pages/",
        "https://acme.atlassian.net/wiki/x/AAAAAAAAAAA",
        "https://acme.atlassian.net/wiki/x/__________8",
        "https://acme.atlassian.net/wiki/spaces/ENG/pages/99999999999999999999",
    ];
    for url in bad {
        find(&world, &alice, &[("url", url)]).await.refuses("url");
    }
    assert!(world.confluence_calls().is_empty(), "{:?}", world.confluence_calls());
}

#[tokio::test]
async fn a_title_is_exact_but_for_its_case() {
    let world = World::of_acme().await;
    let alice = world.sign_in("alice").await;
    for title in ["Deployment guide", "DEPLOYMENT GUIDE", " deployment guide "] {
        assert_eq!(
            find(&world, &alice, &[("title", title)]).await.expect(200).text("id"),
            DEPLOYMENT_GUIDE,
            "{title}"
        );
    }
    for title in ["Deployment", "Deployment guide 2", "*", "\"Deployment guide\"", "日本語"] {
        find(&world, &alice, &[("title", title)]).await.refused(404, "not-found");
    }
    let hard = "a \"b\" & c=d + 100% \\ 日本語 😀 #?";
    let id = world.add("ENG", hard, "<p>x</p>");
    assert_eq!(find(&world, &alice, &[("title", hard)]).await.expect(200).text("id"), id);
}

#[tokio::test]
async fn a_title_of_several_pages_gives_candidates_and_a_space_decides() {
    let world = World::of_acme().await;
    let alice = world.sign_in("alice").await;
    let (eng, hr) = (world.add("ENG", "Team wiki", "<p>e</p>"), world.add("HR", "Team Wiki", "<p>h</p>"));
    let answer = find(&world, &alice, &[("title", "team wiki")]).await.refused(409, "ambiguous-title");
    let candidates = answer.json["candidates"].as_array().unwrap();
    let told: Vec<_> =
        candidates.iter().map(|one| (one["id"].as_str().unwrap(), one["space"].as_str().unwrap())).collect();
    assert_eq!(told, [(eng.as_str(), "ENG"), (hr.as_str(), "HR")]);
    assert_eq!(candidates[1]["name"], "Team Wiki");
    assert!(
        candidates[0]["url"].as_str().unwrap().starts_with("https://acme.atlassian.net/wiki/spaces/ENG/")
    );
    assert_eq!(
        find(&world, &alice, &[("title", "team wiki"), ("space", "HR")]).await.expect(200).text("id"),
        hr
    );
    find(&world, &alice, &[("title", "team wiki"), ("space", "PROD")]).await.refused(404, "not-found");
    find(&world, &alice, &[("title", "team wiki"), ("space", "NOPE")]).await.refused(404, "not-found");
    // Bob does not see HR, so for him the title is unique.
    let bob = world.sign_in("bob").await;
    assert_eq!(find(&world, &bob, &[("title", "team wiki")]).await.expect(200).text("id"), eng);
}

#[tokio::test]
async fn exactly_one_of_url_and_title_is_needed() {
    let world = World::of_acme().await;
    let alice = world.sign_in("alice").await;
    let url = ("url", "https://acme.atlassian.net/wiki/spaces/ENG/pages/1310745");
    for parameters in [&[][..], &[url, ("title", "x")], &[("url", ""), ("title", "")], &[("space", "ENG")]] {
        find(&world, &alice, parameters).await.refuses("url");
    }
    find(&world, &alice, &[url, ("space", "ENG")]).await.refuses("space");
    find(&world, &alice, &[("title", "x"), ("space", "no such key!")]).await.refuses("space");
}

#[tokio::test]
async fn a_url_chooses_its_site_by_itself() {
    let world = World::start().await;
    let alice = world.sign_in("alice").await;
    let url = ("url", "https://globex.atlassian.net/wiki/spaces/PROD/pages/2621441");
    assert_eq!(find(&world, &alice, &[url]).await.expect(200).text("id"), GLOBEX_HOME);
    assert_eq!(find(&world, &alice, &[url, ("site", "globex")]).await.expect(200).text("id"), GLOBEX_HOME);
    find(&world, &alice, &[url, ("site", "acme")]).await.refuses("site");
    let foreign = ("url", "https://initech.atlassian.net/wiki/spaces/PROD/pages/2621441");
    find(&world, &alice, &[foreign]).await.refuses("url");
    let bob = world.sign_in("bob").await;
    find(&world, &bob, &[url]).await.refuses("url");
}

#[tokio::test]
async fn a_gpt_of_one_site_refuses_another_site_s_url_without_a_call() {
    let world = World::of_acme().await;
    let alice = world.sign_in("alice").await;
    world.sandbox.forget_calls();
    for host in ["globex.atlassian.net", "acme.atlassian.net.evil.example", "127.0.0.1"] {
        let url = format!("https://{host}/wiki/spaces/PROD/pages/2621441");
        find(&world, &alice, &[("url", &url)]).await.refused(403, "not-allowed");
    }
    assert!(world.confluence_calls().is_empty(), "{:?}", world.confluence_calls());
}

#[tokio::test]
async fn the_page_is_read_as_get_page_reads_it() {
    let world = World::of_acme().await;
    let alice = world.sign_in("alice").await;
    for reading in [&[][..], &[("version", "1")], &[("section", "Rollback")], &[("maxChars", "1000")]] {
        let found =
            find(&world, &alice, &[&[("title", "deployment guide")], reading].concat()).await.expect(200);
        let read = world.ask(&alice, &format!("/v1/pages/{DEPLOYMENT_GUIDE}"), reading).await.expect(200);
        assert_eq!(found.body, read.body);
    }
}
