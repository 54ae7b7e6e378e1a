//! whoAmI, and people with no site, one or several.

use causeway::sandbox::{ACME, GLOBEX};

use crate::asking::{examples, expect_no_null};
use crate::support::World;

#[tokio::test]
async fn who_am_i_names_the_person_the_site_and_what_the_gpt_may_do() {
    let world = World::of_spaces("ENG,HR").await;
    let (alice, bob) = (world.sign_in("alice").await, world.sign_in("bob").await);
    let answer = world.get(&alice, "/v1/me").await.expect(200);
    expect_no_null(&answer.json);
    assert_eq!(answer.text("name"), "Alice Anderson");
    assert_eq!(answer.text("accountId"), "712020:5d2c1f0a-8b7e-4c64-9d0e-a11ce0000001");
    assert_eq!(answer.json["site"]["id"], ACME.cloud_id);
    assert_eq!(answer.json["site"]["url"], "https://acme.atlassian.net");
    assert_eq!(answer.json["sites"].as_array().unwrap().len(), 1, "globex is not this GPT's");
    let keys = |answer: &crate::support::Answer| -> Vec<String> {
        let spaces = answer.json["spaces"].as_array().unwrap();
        spaces.iter().map(|space| space["key"].as_str().unwrap().to_owned()).collect()
    };
    assert_eq!(keys(&answer), ["ENG", "HR"]);
    let bobs = world.get(&bob, "/v1/me").await.expect(200);
    assert_eq!((bobs.text("name"), keys(&bobs)), ("Bob Okafor", vec!["ENG".to_owned()]));
    let actions: Vec<&str> =
        answer.json["actions"].as_array().unwrap().iter().filter_map(|id| id.as_str()).collect();
    let known: Vec<&str> = examples().iter().map(|(entry, ..)| entry.id).collect();
    assert_eq!(actions, known);
}

#[tokio::test]
async fn without_an_allow_list_no_spaces_are_named() {
    let world = World::of_acme().await;
    let bob = world.sign_in("bob").await;
    assert!(world.get(&bob, "/v1/me").await.expect(200).json.get("spaces").is_none());
}

#[tokio::test]
async fn with_several_sites_who_am_i_lists_them_and_leaves_open_which() {
    let world = World::start().await;
    let alice = world.sign_in("alice").await;
    let answer = world.get(&alice, "/v1/me").await.expect(200);
    assert!(answer.json.get("site").is_none(), "{}", answer.body);
    let sites = answer.json["sites"].as_array().unwrap();
    let ids: Vec<&str> = sites.iter().map(|site| site["id"].as_str().unwrap()).collect();
    assert_eq!(ids, [ACME.cloud_id, GLOBEX.cloud_id]);
    let chosen = world.ask(&alice, "/v1/me", &[("site", "globex")]).await.expect(200);
    assert_eq!(chosen.json["site"]["name"], "globex");
}

#[tokio::test]
async fn with_several_sites_every_other_action_asks_which_and_any_name_of_one_will_do() {
    let world = World::start().await;
    let alice = world.sign_in("alice").await;
    for (entry, path, query) in examples().into_iter().filter(|(entry, ..)| entry.id != "whoAmI") {
        if query.iter().any(|(name, _)| *name == "url") {
            continue;
        }
        let answer = world.ask(&alice, &path, &query).await.refused(409, "ambiguous-site");
        let candidates = answer.json["candidates"].as_array().unwrap();
        assert_eq!(candidates.len(), 2, "{}: {}", entry.id, answer.body);
        for name in [
            "acme",
            "ACME.atlassian.net",
            "https://acme.atlassian.net/",
            ACME.cloud_id,
            candidates[0]["id"].as_str().unwrap(),
        ] {
            world.ask(&alice, &path, &[query.as_slice(), &[("site", name)]].concat()).await.expect(200);
        }
        world.ask(&alice, &path, &[query.as_slice(), &[("site", "initech")]].concat()).await.refuses("site");
    }
}

#[tokio::test]
async fn any_name_of_the_gpt_s_own_site_is_accepted_and_any_other_refused() {
    for own in ["acme.atlassian.net", ACME.cloud_id] {
        let world = World::with(&[("CAUSEWAY_SITE", own)]).await;
        let alice = world.sign_in("alice").await;
        for name in [
            "acme",
            "Acme",
            " acme ",
            "ACME.atlassian.net",
            "https://acme.atlassian.net",
            "https://acme.atlassian.net/",
            ACME.cloud_id,
        ] {
            world.ask(&alice, "/v1/me", &[("site", name)]).await.expect(200);
        }
        for name in [
            "globex",
            "globex.atlassian.net",
            "https://globex.atlassian.net/",
            GLOBEX.cloud_id,
            "initech",
            "*",
            "acme.atlassian.net.evil.example",
        ] {
            let answer = world.ask(&alice, "/v1/me", &[("site", name)]).await.refused(403, "not-allowed");
            assert_eq!(answer.text("parameter"), "site");
        }
    }
}

#[tokio::test]
async fn a_person_without_the_site_or_the_product_hears_so_from_every_action() {
    let world = World::of_acme().await;
    for (person, kind) in [("nobody", "no-site"), ("jira", "no-site"), ("guest", "no-access")] {
        let session = world.sign_in(person).await;
        for (entry, path, query) in examples() {
            let answer = world.ask(&session, &path, &query).await.refused_or_each(403, kind);
            assert!(answer.body.contains("nextStep"), "{}", entry.id);
        }
    }
    let globex = World::with(&[("CAUSEWAY_SITE", "globex.atlassian.net")]).await;
    let bob = globex.sign_in("bob").await;
    globex.get(&bob, "/v1/me").await.refused(403, "no-site");
}
