//! Input that nobody meant to write, or that somebody meant badly.

use proptest::prelude::*;

use super::{html, storage};

fn omitted(body: &str) -> Vec<(String, u64)> {
    storage(body).omitted().iter().map(|omitted| (omitted.what.to_string(), omitted.count)).collect()
}

#[test]
fn nesting_is_bounded_and_keeps_the_text() {
    let tags = [
        "p",
        "div",
        "ul><li",
        "blockquote",
        "strong",
        "table><tr><td",
        "ac:structured-macro ac:name=\"info\"><ac:rich-text-body",
        "a href=\"x\"",
        "h1",
        "span",
    ];
    for tag in tags {
        let body = format!("{}deep{}", format!("<{tag}>").repeat(10_000), "</div>".repeat(10_000));
        for document in [storage(&body), html(&body)] {
            assert!(document.markdown().contains("deep"), "{tag}");
            assert!(document.markdown().len() < 2_000_000, "{tag}: {}", document.markdown().len());
        }
    }
    assert_eq!(omitted(&format!("{}x", "<div>".repeat(600))), [("nesting too deep".to_owned(), 88)]);
}

#[test]
fn two_hundred_nested_lists_stay_nested() {
    let body = "<ul><li>x".repeat(200) + &"</li></ul>".repeat(200);
    let document = storage(&body);
    assert_eq!(document.omitted(), []);
    assert_eq!(document.markdown().lines().last().unwrap().trim_end().len(), 2 * 200 + 1);
}

#[test]
fn ten_megabytes_of_anything_come_to_an_end() {
    let pieces = [
        "<",
        "<a",
        "<a b='",
        "<p>",
        "</p>",
        "&",
        "&amp;",
        "<![CDATA[",
        "]]>",
        "<!--",
        "<p a=\"<",
        "<ul><li>",
        "<li>",
        "<b>",
        "</b>",
        "*",
        "`",
        "[",
        "](",
        "<code>x</code>",
        "<b>x</b>",
        "<td>",
        "<tr>",
        "<table>",
        "x<br/>",
        "<td rowspan=\"99\" colspan=\"99\">x",
        "<ac:link>",
        "<ac:parameter>",
        "\u{200b}",
        " ",
        "\n",
        "<h1>x",
        "<b>x.</b>y",
        "<ac:task>",
        "<p><b class=\"y\">",
        "<blockquote>x</blockquote>",
        "<ol><li>y</ol>",
        "<ac:structured-macro ac:name=\"code\"><ac:plain-text-body>",
    ];
    for piece in pieces {
        let body = piece.repeat((if cfg!(debug_assertions) { 1 << 16 } else { 10 << 20 }) / piece.len());
        for document in [storage(&body), html(&body)] {
            let size = document.markdown().len();
            assert!(size <= 20 * body.len() + (2 << 20), "{piece:?}: {size}");
            document.parts(causeway::markdown::PartSize { chars: 30_000, json_bytes: 90_000 });
        }
    }
}

#[test]
fn what_people_cannot_see_is_not_shown_but_counted() {
    let body = "<p>a<span style=\"display:none\">IGNORE</span>b\u{200b}\u{202e}c\u{e0041}</p><p hidden=\"hidden\">no</p>\
                <ac:structured-macro ac:name=\"code\"><ac:plain-text-body><![CDATA[if\u{2066} x]]></ac:plain-text-body></ac:structured-macro>";
    let document = storage(body);
    assert_eq!(document.markdown(), "abc\n\n```\nif x\n```\n");
    assert_eq!(omitted(body), [("hidden text".to_owned(), 2), ("invisible characters".to_owned(), 4)]);
}

#[test]
fn a_server_that_is_no_host_gets_no_link() {
    for server in
        ["Jira (evil.example)(javascript:x)", "Jira (a.b/c)", "Jira (a.b](javascript:x)", "Jira (x@a.b)"]
    {
        let page = format!(
            "<ac:structured-macro ac:name=\"jira\"><ac:parameter ac:name=\"server\">{server}</ac:parameter>\
             <ac:parameter ac:name=\"key\">X-1</ac:parameter></ac:structured-macro>"
        );
        let expected =
            if server.contains(")(") { "[X-1](https://evil.example/browse/X-1)\n" } else { "X-1\n" };
        assert_eq!(storage(&page).markdown(), expected);
    }
}

#[test]
fn scripts_and_signed_addresses_never_pass() {
    let document = html(
        "<p>ok</p><script>var a = '<p>no</p>';</script><style>p{}</style><iframe src=\"https://x.example/?jwt=s\">no</iframe>\
         <img src=\"https://api.media.atlassian.com/file/1/image?token=eyJhbGciOi&client=c\" alt=\"pic\">\
         <a href=\"https://files.example.com/a?X-Amz-Signature=abc\">file</a>",
    );
    assert!(!document.markdown().contains("no"), "{}", document.markdown());
    assert!(!document.markdown().contains("eyJ") && !document.markdown().contains("Signature"));
    assert!(document.markdown().contains("pic") && document.markdown().contains("file"));
}

fn soup() -> impl Strategy<Value = String> {
    let piece = prop_oneof![
        r"[a-z <>&;/='\x22\[\]!\-*`|#\n]{0,12}",
        Just("<ac:structured-macro ac:name=\"info\">".to_owned()),
        Just("<ac:rich-text-body>".to_owned()),
        Just("</ac:structured-macro>".to_owned()),
        Just("<ac:plain-text-body><![CDATA[".to_owned()),
        Just("]]>".to_owned()),
        Just("<ac:parameter ac:name=\"title\">".to_owned()),
        Just("<ac:link><ri:page ri:content-title=\"T\"/>".to_owned()),
        Just("<ac:link-body>".to_owned()),
        Just("<ac:task-list><ac:task><ac:task-body>".to_owned()),
        Just("<ac:image><ri:attachment ri:filename=\"f\">".to_owned()),
        Just("<ac:caption>".to_owned()),
        Just("<ac:adf-extension><ac:adf-node type=\"decision-list\">".to_owned()),
        Just("<ac:adf-node type=\"decision-item\"><ac:adf-content>".to_owned()),
        Just("</ac:adf-node>".to_owned()),
        "</?(p|b|em|s|code|pre|a|ul|ol|li|table|tr|td|th|thead|h1|h3|br|hr|blockquote|div|span|time|dt|dd|sub|img|ac:link|ac:image)( href=\"u\"| rowspan=\"3\"| colspan=\"2\"| style=\"display:none\"| start=\"5\")?/?>",
    ];
    prop::collection::vec(piece, 0..60).prop_map(|pieces| pieces.concat())
}

proptest! {
    #![proptest_config(super::cases(1000))]

    #[test]
    fn whatever_comes_in_something_comes_out(body in soup(), chars in 1_usize..60) {
        for document in [storage(&body), html(&body)] {
            for part in document.parts(causeway::markdown::PartSize { chars, json_bytes: chars }) {
                prop_assert!(part.text().chars().count() <= chars);
            }
            for heading in document.headings() {
                prop_assert!(document.markdown().is_char_boundary(heading.offset));
                document.section(heading.text);
            }
            document.matching("a p");
            document.passages();
        }
    }

    #[test]
    fn any_text_at_all_is_taken(body in any::<String>()) {
        storage(&body);
        html(&body);
    }
}
