//! getPageTree.

use std::collections::BTreeMap;

use serde_json::Value;

use crate::asking::{each, expect_no_null};
use crate::support::World;

#[tokio::test]
async fn a_tree_is_a_flat_list_in_reading_order_with_depth_and_parent() {
    let world = World::of_acme().await;
    let alice = world.sign_in("alice").await;
    let answer = world.ask(&alice, "/v1/tree", &[("page", "1310721"), ("depth", "5")]).await.expect(200);
    expect_no_null(&answer.json);
    let nodes = answer.json["results"].as_array().unwrap();
    let mut depths: BTreeMap<&str, u64> = BTreeMap::from([("1310721", 0)]);
    let mut path: Vec<&str> = vec!["1310721"];
    for node in nodes {
        let (id, parent) = (node["id"].as_str().unwrap(), node["parentId"].as_str().unwrap());
        let depth = node["depth"].as_u64().unwrap();
        assert_eq!(depth, depths[parent] + 1, "{node}");
        // In reading order, the parent is on the way from the root to the node before.
        path.truncate(usize::try_from(depth).unwrap());
        assert_eq!(path.last(), Some(&parent), "{node}");
        path.push(id);
        depths.insert(id, depth);
    }
    let kinds: Vec<&str> = nodes.iter().map(|node| node["type"].as_str().unwrap()).collect();
    for kind in ["page", "folder", "whiteboard", "database"] {
        assert!(kinds.contains(&kind), "{kind}: {kinds:?}");
    }
    assert!(nodes.iter().any(|node| depths[node["parentId"].as_str().unwrap()] >= 1), "the tree is flat");
}

#[tokio::test]
async fn depth_limits_the_levels_and_a_space_begins_at_its_top() {
    let world = World::of_acme().await;
    let alice = world.sign_in("alice").await;
    let deepest = async |parameters: &[(&str, &str)]| {
        let nodes = world.list(&alice, "/v1/tree", parameters).await;
        nodes.iter().map(|node| node["depth"].as_u64().unwrap()).max().unwrap()
    };
    assert_eq!(deepest(&[("page", "1310721"), ("depth", "1")]).await, 1);
    assert_eq!(deepest(&[("space", "ENG"), ("depth", "1")]).await, 1);
    assert_eq!(deepest(&[("space", "ENG"), ("depth", "2")]).await, 2);
    let tops = world.list(&alice, "/v1/tree", &[("space", "ENG"), ("depth", "1")]).await;
    assert_eq!(tops[0]["title"], "Engineering Home");
    assert!(tops.iter().all(|node: &Value| node.get("parentId").is_none()));
}

#[tokio::test]
async fn the_cursor_leads_to_every_node_once() {
    let world = World::of_acme().await;
    let alice = world.sign_in("alice").await;
    let root = world.add("PROD", "Root of many", "<p>x</p>");
    for number in 0..600 {
        world.sandbox.add_page(causeway::sandbox::NewPage {
            space: "PROD",
            title: format!("Child \"{number}\" 아이 {}", "long title ".repeat(8)),
            body: String::new(),
            parent: Some(root.clone()),
            ..Default::default()
        });
    }
    let mut ids = each(&world.list(&alice, "/v1/tree", &[("page", &root)]).await, "id");
    assert_eq!(ids.len(), 600);
    ids.sort();
    ids.dedup();
    assert_eq!(ids.len(), 600, "a node comes twice");
}

#[tokio::test]
async fn a_leaf_has_an_empty_tree_and_what_is_absent_none() {
    let world = World::of_acme().await;
    let alice = world.sign_in("alice").await;
    let leaf = world.add("ENG", "A leaf", "<p>x</p>");
    assert!(world.list(&alice, "/v1/tree", &[("page", &leaf)]).await.is_empty());
    world.ask(&alice, "/v1/tree", &[("page", "404404")]).await.refused(404, "not-found");
    world.ask(&alice, "/v1/tree", &[("space", "NOSUCH")]).await.refused(404, "not-found");
    world.ask(&alice, "/v1/tree", &[]).await.refuses("page");
    world.ask(&alice, "/v1/tree", &[("page", &leaf), ("space", "ENG")]).await.refuses("page");
}
