use std::collections::BTreeSet;

use jiff::Timestamp;

use super::*;
use crate::sandbox::people::by_key;
use crate::sandbox::storage;

#[test]
fn ids_are_unique_numbers() {
    let wiki = committed();
    let all: Vec<_> = wiki
        .content
        .iter()
        .map(|content| content.id.as_str())
        .chain(wiki.comments.iter().map(|comment| comment.id.as_str()))
        .chain(wiki.attachments.iter().map(|file| file.id.as_str()))
        .chain(wiki.spaces.iter().map(|space| space.id))
        .collect();
    assert!(all.iter().all(|id| id.bytes().all(|b| b.is_ascii_digit())));
    assert_eq!(all.iter().collect::<BTreeSet<_>>().len(), all.len());
    assert!(wiki.content.len() > 50, "{}", wiki.content.len());
}

#[test]
fn everything_hangs_together() {
    let wiki = committed();
    let find = |id: &str| wiki.content.iter().find(|content| content.id == id);
    for content in &wiki.content {
        if let Some(parent) = &content.parent {
            let parent = find(parent).unwrap_or_else(|| panic!("{} has no parent", content.title));
            assert_eq!(parent.space.id, content.space.id, "{}", content.title);
        }
        assert!(content.versions.is_sorted_by_key(|version| version.at), "{}", content.title);
        for version in &content.versions {
            assert!(version.at > Timestamp::UNIX_EPOCH && by_key(version.by).is_some(), "{}", content.title);
        }
    }
    for space in &wiki.spaces {
        assert!(find(space.homepage).is_some_and(|home| home.space.id == space.id), "{}", space.name);
        assert!(by_key(space.author).is_some());
    }
    for comment in &wiki.comments {
        let on = find(&comment.container).expect("a comment hangs on content");
        assert!(comment.at > on.first().at && by_key(comment.by).is_some(), "{}", comment.id);
        if let Some(parent) = &comment.parent {
            let parent =
                wiki.comments.iter().find(|other| other.id == *parent).expect("a reply has a parent");
            assert_eq!(parent.container, comment.container);
        }
        if let (Place::Inline { marker, selection }, false) = (comment.place, comment.id == "1510429") {
            let body = &on.current().body;
            assert!(body.contains(marker) && body.contains(selection), "{}", comment.id);
        }
    }
    for file in &wiki.attachments {
        assert!(find(&file.container).is_some(), "{}", file.title);
    }
}

/// What links point to, by element and attribute.
fn targets(body: &str, element: &str, attribute: &str) -> Vec<String> {
    body.split(&format!("<{element} "))
        .skip(1)
        .filter_map(|rest| {
            rest[..rest.find('>')?].split_once(&format!("{attribute}=\""))?.1.split('"').next()
        })
        .map(str::to_owned)
        .collect()
}

#[test]
fn every_link_has_a_target() {
    let wiki = committed();
    for content in &wiki.content {
        let body = &content.current().body;
        for title in targets(body, "ri:page", "ri:content-title") {
            assert!(wiki.content.iter().any(|page| page.title == title), "{}: {title}", content.title);
        }
        for name in targets(body, "ri:attachment", "ri:filename") {
            assert!(wiki.attachments.iter().any(|file| file.title == name), "{}: {name}", content.title);
        }
        for account in targets(body, "ri:user", "ri:account-id") {
            assert!(crate::sandbox::people::by_account(&account).is_some(), "{}: {account}", content.title);
        }
    }
}

#[test]
fn one_page_is_very_long_and_always_the_same() {
    let body = long::log_messages();
    assert!(body.len() > 300_000, "{}", body.len());
    assert_eq!(body, long::log_messages());
    assert_eq!(body.matches("notary").count(), 1);
}

#[test]
fn code_and_entities_are_read_as_they_are_meant() {
    let seen = storage::read(
        "<p>a&nbsp;&amp;&lt;b&#x41;</p><ac:plain-text-body><![CDATA[x]]]]><![CDATA[>y <z> &amp;]]></ac:plain-text-body>",
    );
    assert_eq!(seen.text, "a &<bA\nx]]>y <z> &amp;");
}

#[test]
fn titles_shared_by_two_spaces_and_two_sites_exist() {
    let wiki = committed();
    let count = |title: &str| wiki.content.iter().filter(|content| content.title == title).count();
    assert_eq!((count("Getting started"), count("Roadmap 2026")), (3, 2));
}
