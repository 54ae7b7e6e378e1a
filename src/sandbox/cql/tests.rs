use std::time::Duration;

use jiff::Timestamp;

use super::lucene;
use super::words::{stem, words};
use super::{Scope, search};
use crate::sandbox::NewPage;
use crate::sandbox::changes::add;
use crate::sandbox::people::{ACME, by_key};
use crate::sandbox::wiki::{View, committed};

const NOW: &str = "2026-06-15T12:00:00Z";

/// Six pages among themselves: their titles are their letters, found by the label `t`.
fn view() -> View {
    let mut wiki = (*committed()).clone();
    let now: Timestamp = NOW.parse().unwrap();
    let mut page = |title: &str, body: &str, labels: &[&str], days: u64| {
        let labels = ["t"].iter().chain(labels).map(|label| (*label).to_owned()).collect();
        let page = NewPage { title: title.to_owned(), body: body.to_owned(), labels, ..NewPage::default() };
        add(&mut wiki, page, now - Duration::from_secs(days * 86_400))
    };
    page("A", "<p>Deploying the payments service with canaries</p>", &["x"], 0);
    page("B", "<p>The payment service deploys at night, C++ &amp; Rust</p>", &["x", "y"], 1);
    page("C", "<p>Rolling back a deployment</p>", &["y"], 2);
    page("D", "<p>데이터베이스 설정</p>", &[], 30);
    page("E", "<p>color colour coloured</p><ac:structured-macro ac:name=\"toc\"/>", &[], 31);
    page("F", "<p><ac:link><ri:user ri:account-id=\"5b10ac8d82e05b22cc7d4ef5\"/></ac:link></p>", &[], 400);
    View { wiki: wiki.into(), site: &ACME, person: by_key("alice").unwrap() }
}

fn titles(cql: &str) -> Result<String, String> {
    let found = search(cql, Scope::Everything, &view(), NOW.parse().unwrap()).map_err(|bad| bad.0)?;
    let mut titles: Vec<_> = found.docs.iter().map(super::Doc::title).collect();
    if !cql.to_lowercase().contains("order by") {
        titles.sort();
    }
    Ok(titles.join(""))
}

#[track_caller]
fn check(cql: &str, expected: &str) {
    assert_eq!(titles(&format!("label = t and ({cql})")).as_deref(), Ok(expected), "{cql}");
}

#[track_caller]
fn check_whole(cql: &str, expected: &str) {
    assert_eq!(titles(cql).as_deref(), Ok(expected), "{cql}");
}

#[track_caller]
fn check_refused(cql: &str, reason: &str) {
    let found = titles(cql).expect_err(cql);
    assert!(found.contains(reason), "{cql}: {found}");
}

#[test]
fn words_are_found_in_any_form_and_all_of_them_are_needed() {
    check("text ~ \"deploy\"", "AB");
    check("text ~ \"deploying payment\"", "AB");
    check("text ~ \"payment canary\"", "A");
    check("text ~ \"payment nothing\"", "");
    check("text ~ \"the\"", "");
    check("siteSearch ~ \"rolling\"", "C");
    check("title ~ \"deploy\"", "");
    check_whole("label = t and text !~ \"deploy\"", "CDEF");
}

#[test]
fn lucene_operators_do_what_they_do() {
    check("text ~ \"canary OR rolling\"", "AC");
    check("text ~ \"deploys NOT night\"", "A");
    check("text ~ \"+deploys -night\"", "A");
    check("text ~ \"deplo*\"", "ABC");
    check("text ~ \"d?ploy\"", "AB");
    check("text ~ \"canarys~1\"", "A");
    check("text ~ \"\\\"payment service\\\"\"", "AB");
    check("text ~ \"\\\"service payment\\\"\"", "");
    check("text ~ \"\\\"payment canaries\\\"~2\"", "A");
    check("text ~ \"(night OR canary) payment^2\"", "AB");
    check("text ~ 'night'", "B");
    check("text ~ \"-night\"", "");
}

#[test]
fn korean_is_found_by_its_parts() {
    check("text ~ \"데이터\"", "D");
    check("text ~ \"터데\"", "");
}

#[test]
fn unescaped_lucene_characters_are_refused() {
    for query in [
        "night +", "a:b", "what?)", "(open", "[x]", "{x}", "*x", "?x", "a/b", "a AND", "OR b", "a ^2", "-",
        "!",
    ] {
        check_refused(&format!("text ~ \"{query}\""), "Cannot parse");
    }
    check_refused("text ~ \"\\\"open\"", "Cannot parse");
    check_refused("text ~ \"\"", "needs words");
    check("text ~ \"C\\\\+\\\\+ rust\"", "B");
    check("text ~ \"c++ night\"", "B");
    check_refused("text ~ \"R & D\"", "Cannot parse");
}

#[test]
fn without_parentheses_it_is_read_from_left_to_right() {
    check_whole("label = y or label = x and title = \"C\"", "C");
    check_whole("title = \"C\" and label = y or label = x", "ABC");
    check_whole("label = t and (title = \"A\" or title = \"B\") and label = y", "B");
}

#[test]
fn negative_clauses_may_not_come_first() {
    check_refused("NOT label = x", "begin with NOT");
    check_refused("label != x", "negative");
    check_refused("text !~ \"x\"", "negative");
    check_refused("space not in (ENG)", "negative");
    check_refused("label = t and (title != \"A\")", "negative");
    check_whole("label = t and not label = x", "CDEF");
    check_whole("label = t and label not in (x, y)", "DEF");
    check_whole("label = t and title != \"A\"", "BCDEF");
}

#[test]
fn fields_compare_as_documented() {
    check("title = \"a\"", "A");
    check("space = ENG", "ABCDEF");
    check("space = \"eng\"", "ABCDEF");
    check("space in (\"PROD\", \"HR\")", "");
    check("space.type = global", "ABCDEF");
    check("space.title ~ \"engineering\"", "ABCDEF");
    check("type in (page, blogpost)", "ABCDEF");
    check("label in (x, y)", "ABC");
    check("label = \"global:x\"", "AB");
    check("creator = currentUser()", "ABCDEF");
    check("contributor = \"5b10ac8d82e05b22cc7d4ef5\"", "");
    check("mention = \"5b10ac8d82e05b22cc7d4ef5\"", "F");
    check("macro = toc", "E");
    check("parent = 1310721", "ABCDEF");
    check("ancestor in (1310721)", "ABCDEF");
    check("watcher = currentUser()", "");
}

#[test]
fn a_date_is_a_whole_day_and_a_minute_a_minute() {
    check("lastmodified = \"2026-06-14\"", "B");
    check("lastmodified >= \"2026/06/14\"", "AB");
    check("lastmodified > \"2026-06-14\"", "A");
    check("lastmodified <= \"2026-06-14\" and lastmodified >= \"2026-06-13\"", "BC");
    check("lastmodified < \"2026-06-14\"", "CDEF");
    check("created = \"2026-06-14 12:00\"", "B");
    check("created > \"2026/06/14 12:00\"", "A");
    check("created >= now(\"-1d\")", "AB");
    check("created < now(\"-1y\")", "F");
    check("created >= now(-4w)", "ABC");
    check("created >= startOfDay()", "A");
    check("created >= startOfMonth() and created < endOfMonth()", "ABC");
    for odd in [
        "2026-06-14T12:00:00Z",
        "2026-6-1",
        "2026-02-30",
        "14.06.2026",
        "-30d",
        "2026-06-14 12:00:00",
        "soon",
    ] {
        check_refused(&format!("created > \"{odd}\""), "not valid");
    }
    check_refused("created > now(\"-30q\")", "period");
    check_refused("created > now(\"-99999999999999999999d\")", "period");
    check_refused("created ~ \"2026-06-14\"", "operator");
    check_refused("created in (\"2026-06-14\")", "operator");
}

#[test]
fn what_is_found_can_be_ordered() {
    check_whole("label = t order by title desc", "FEDCBA");
    check_whole("label = t order by lastmodified asc", "FEDCBA");
    check_whole("label = t ORDER BY space, created DESC", "ABCDEF");
    check_refused("label = t order by text", "ORDER BY");
    check_refused("order by title", "field");
}

#[test]
fn what_is_not_cql_is_refused() {
    for (cql, reason) in [
        ("label", "operator"),
        ("label =", "value"),
        ("= x", "field"),
        ("label = x label = y", "after the end"),
        ("label = x and", "field"),
        ("(label = x", "')'"),
        ("label = x)", "after the end"),
        ("label = \"x", "unterminated"),
        ("label in x", "'('"),
        ("label in (x", "')'"),
        ("label in ()", "value"),
        ("label ~ x", "operator"),
        ("text = x", "operator"),
        ("space = ENG; drop", "character"),
        ("type = novel", "Invalid value"),
        ("id = abc", "Invalid value"),
        ("status = current", "Unsupported CQL field 'status'"),
        ("user.fullname ~ \"alice\"", "Unsupported CQL field"),
        ("label = currentUser()", "not supported"),
        ("creator = nobody()", "not supported"),
    ] {
        check_refused(cql, reason);
    }
    let deep = format!("{}label = x{}", "(".repeat(60), ")".repeat(60));
    check_refused(&deep, "parentheses");
}

#[test]
fn quotes_and_backslashes_can_be_escaped() {
    check_whole("title = \"say \\\"hi\\\"\"", "");
    check_whole("label = t and title = 'A'", "A");
    check_refused("title = \"A\\\"", "unterminated");
}

#[test]
fn people_are_found_by_name() {
    let people = |cql: &str| {
        let found = search(cql, Scope::Users, &view(), NOW.parse().unwrap()).map_err(|bad| bad.0)?;
        Ok::<_, String>(found.docs.iter().map(super::Doc::title).collect::<Vec<_>>())
    };
    assert_eq!(people("user.fullname ~ \"bob\""), Ok(vec!["Bob Okafor".to_owned()]));
    assert_eq!(people("user.fullname ~ \"frank\""), Ok(vec![]), "accounts that are gone are not listed");
    assert_eq!(people("user = \"5b10ac8d82e05b22cc7d4ef5\""), Ok(vec!["Erin O’Neill".to_owned()]));
    assert!(people("title = x").is_err());
}

#[test]
fn each_person_finds_what_they_see() {
    let count = |person: &str, cql: &str| {
        let view = View { wiki: committed(), site: &ACME, person: by_key(person).unwrap() };
        search(cql, Scope::Everything, &view, NOW.parse().unwrap()).unwrap().docs.len()
    };
    assert!(count("alice", "space = HR") > 0);
    assert_eq!(count("bob", "space = HR"), 0);
    assert_eq!(count("bob", "space = \"~alice\""), 0);
    assert_eq!(count("bob", "title = \"Security keys and rotation\""), 0);
    assert_eq!(count("alice", "title = \"Security keys and rotation\""), 1);
}

#[test]
fn stems_bring_forms_together() {
    for group in
        [["deploy", "deploys", "deployed", "deploying"], ["policy", "policies", "policy", "policy's"]]
    {
        let stems: Vec<_> = group.iter().map(|word| words(word)[0].stem.clone()).collect();
        assert!(stems.iter().all(|stem| *stem == stems[0]), "{stems:?}");
    }
    assert_eq!(stem("release"), stem("released"));
    assert_eq!(stem("running"), "run");
    assert_eq!(stem("process"), stem("processes"));
    assert_eq!(stem("bus"), "bus");
}

#[test]
fn hostile_lucene_never_panics() {
    for query in [
        "~",
        "^",
        "a~~",
        "\"\"~5",
        "a^",
        "((((a",
        "\\",
        "a\\",
        "&&",
        "a && b || c",
        "(a))",
        "a~99999999999999999999",
    ] {
        let _ = lucene::parse(query);
    }
}
