//! Macros that draw on other content: what is known of it stands in their places.

use std::collections::HashMap;

use causeway::markdown::{self, Context, Document, Expansions, Inclusion, PageReference};

use super::{WIKI, with_context};

fn include(title: &str) -> String {
    format!(
        "<ac:structured-macro ac:name=\"include\" ac:macro-id=\"i\"><ac:parameter ac:name=\"\"><ac:link><ri:page ri:content-title=\"{title}\" />\
         </ac:link></ac:parameter></ac:structured-macro>"
    )
}

fn excerpt_include(title: &str, name: &str) -> String {
    format!(
        "<ac:structured-macro ac:name=\"excerpt-include\"><ac:parameter ac:name=\"\"><ac:link><ri:page ri:content-title=\"{title}\" ri:space-key=\"HR\" />\
         </ac:link></ac:parameter><ac:parameter ac:name=\"name\">{name}</ac:parameter></ac:structured-macro>"
    )
}

fn reference(space: &str, title: &str) -> PageReference {
    PageReference { space_key: Some(space.to_owned()), title: title.to_owned() }
}

fn with_page(page: &str, reference: PageReference, included: &str) -> Document {
    let people = HashMap::new();
    let context = Context { wiki_url: WIKI, page_id: "777", space_key: Some("HR"), people: &people };
    let included = HashMap::from([(reference, Inclusion { context, storage: included })]);
    let expansions = Expansions { rendered: None, included };
    with_context(|context| markdown::from_storage_with(page, &expansions, context))
}

fn with_rendered(page: &str, rendered: &str) -> Document {
    let expansions = Expansions { rendered: Some(rendered), ..Expansions::default() };
    with_context(|context| markdown::from_storage_with(page, &expansions, context))
}

#[test]
fn pages_to_include_are_listed_once_and_in_order() {
    let page = format!(
        "<ac:link><ri:page ri:content-title=\"Linked\" /></ac:link>{}{}{}",
        include("Rules"),
        excerpt_include("Fares", ""),
        include("Rules")
    );
    let pages = with_context(|context| markdown::included_pages(&page, context));
    assert_eq!(pages, [reference("ENG", "Rules"), reference("HR", "Fares")]);
}

#[test]
fn an_included_page_stands_where_its_macro_was() {
    let page = format!("<ul><li><p>see</p>{}</li><li>next</li></ul>", include("Rules"));
    let rules = "<p>No smoking. <ac:link><ri:page ri:content-title=\"Own\" /></ac:link></p></li></ul><ac:image><ri:attachment ri:filename=\"a.png\" /></ac:image>";
    let document = with_page(&page, reference("ENG", "Rules"), rules);
    let expected = "- see\n\n  No smoking. [Own](https://acme.atlassian.net/wiki/display/HR/Own)\n\n  [a.png](attachment:777/a.png)\n- next\n";
    assert_eq!(document.markdown(), expected);
    assert_eq!(document.omitted(), []);
}

#[test]
fn an_excerpt_is_found_by_its_name() {
    let fares = "<p>no</p><ac:structured-macro ac:name=\"excerpt\"><ac:rich-text-body><p>first</p></ac:rich-text-body></ac:structured-macro>\
        <ac:structured-macro ac:name=\"excerpt\"><ac:parameter ac:name=\"hidden\">true</ac:parameter><ac:parameter ac:name=\"name\">two</ac:parameter>\
        <ac:rich-text-body><p>second</p></ac:rich-text-body></ac:structured-macro>";
    for (name, text) in [("", "first\n"), ("two", "second\n")] {
        assert_eq!(
            with_page(&excerpt_include("Fares", name), reference("HR", "Fares"), fares).markdown(),
            text
        );
    }
    let absent = with_page(&excerpt_include("Fares", "three"), reference("HR", "Fares"), fares);
    assert!(absent.markdown().starts_with("[macro: excerpt-include ("));
}

#[test]
fn pages_that_include_each_other_come_to_an_end() {
    let page = include("Rules");
    // In the space HR, "Rules" names another page, which nobody fetched.
    let document = with_page(&page, reference("ENG", "Rules"), &format!("<p>once</p>{page}"));
    assert_eq!(document.markdown().matches("once").count(), 1);
    let endless = format!("<p>again</p>{}{0}", page.replace("<ri:page", "<ri:page ri:space-key=\"ENG\""));
    let document = with_page(&page, reference("ENG", "Rules"), &endless);
    assert!(document.markdown().matches("again").count() <= 10);
    assert_eq!(document.omitted()[0].what, "macro: include");
}

#[test]
fn a_macro_takes_from_the_rendered_page_what_has_its_id() {
    let page = "<p>Before</p><ac:structured-macro ac:name=\"children\" ac:macro-id=\"c-1\" /><p>After <ac:structured-macro ac:name=\"jira\" \
        ac:macro-id=\"j-1\"><ac:parameter ac:name=\"key\">RAIL-7</ac:parameter></ac:structured-macro></p>\
        <ac:structured-macro ac:name=\"org-chart\" ac:macro-id=\"o-1\" /><ac:structured-macro ac:name=\"gone\" ac:macro-id=\"g-1\" />";
    let rendered = "<div><p>Before</p><div class=\"conf-macro\" data-hasbody=\"false\" data-macro-id=\"c-1\" data-macro-name=\"children\"><ul><li>\
        <a href=\"https://acme.atlassian.net/wiki/spaces/ENG/pages/5\">Child</a></li></ul></div><span class=\"jira-issue\" data-macro-id=\"j-1\">\
        <a href=\"https://acme.atlassian.net/browse/RAIL-7\">RAIL-7</a> - Lay the track</span><div data-macro-id=\"o-1\"><script>draw()</script></div></div>";
    let document = with_rendered(page, rendered);
    let expected = "Before\n\n- [Child](https://acme.atlassian.net/wiki/spaces/ENG/pages/5)\n\n\
        After [RAIL-7](https://acme.atlassian.net/browse/RAIL-7) - Lay the track\n\n[macro: org-chart]\n\n[macro: gone]\n";
    assert_eq!(document.markdown(), expected);
    let omitted: Vec<&str> = document.omitted().iter().map(|omitted| omitted.what.as_str()).collect();
    assert_eq!(omitted, ["macro: gone", "macro: org-chart"]);
}
