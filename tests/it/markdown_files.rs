//! Markdown files: what is written again is what was meant, and nothing more.

use std::collections::HashMap;
use std::fmt::Write as _;

use causeway::markdown::{Context, Document, from_markdown};
use pulldown_cmark::{Event, Options, Parser, Tag};

use crate::support::World;

fn read(markdown: &str) -> Document {
    let people = HashMap::new();
    from_markdown(markdown, &Context { wiki_url: "", page_id: "", space_key: None, people: &people })
}

#[track_caller]
fn check(markdown: &str, expected: &str) {
    assert_eq!(read(markdown).markdown().trim_end(), expected, "{markdown}");
}

fn omitted(document: &Document) -> Vec<(String, u64)> {
    document.omitted().iter().map(|omitted| (omitted.what.to_string(), omitted.count)).collect()
}

/// What a reader that draws Markdown would fetch, and where its links lead.
fn addresses(markdown: &str) -> (Vec<String>, Vec<String>) {
    let (mut images, mut links) = (Vec::new(), Vec::new());
    for event in Parser::new_ext(markdown, Options::all()) {
        match event {
            Event::Start(Tag::Image { dest_url, .. }) => images.push(dest_url.into_string()),
            Event::Start(Tag::Link { dest_url, .. }) => links.push(dest_url.into_string()),
            Event::Html(html) | Event::InlineHtml(html) => {
                let harmless = ["<br>", "<sub>", "<sup>", "<strong>", "<em>", "<del>"];
                let closing = html.replace("</", "<");
                assert!(harmless.contains(&closing.trim()), "{html} in {markdown}");
            }
            _ => {}
        }
    }
    (images, links)
}

#[test]
fn what_is_ordinary_stays_what_it_is() {
    for same in [
        "# One\n\nText with **bold**, *slanted*, ~~gone~~ and `code`.\n\n## Two",
        "- a\n- b\n  - c\n\n1. one\n2. two",
        "7. seven\n8. eight",
        "- [x] done\n- [ ] to do",
        "| a | b |\n|---|---|\n| 1 | **2** |",
        "```rust\nfn main() {}\n```",
        "> quoted\n>\n> > deeper",
        "> [!WARNING]\n> Hot.",
        "a [link](https://h.example/x) and <https://h.example/y>",
        "[beside](docs/other.md) [anchor](#two) [mail](mailto:a@h.example)",
        "one\\\ntwo",
        "a\n\n---\n\nb",
        "\\*not slanted\\* and [not a link\\](x)",
        "```yaml\ntitle: x\n```",
    ] {
        check(same, same);
    }
    check("---\ntitle: x\n---\n\ntext", "```yaml\ntitle: x\n```\n\ntext");
    check(
        "Head\n====\n\n    indented\n\n* * *\n\n[a][1]\n\n[1]: https://h.example/",
        "# Head\n\n```\nindented\n```\n\n---\n\n[a](https://h.example/)",
    );
    check("~~~js title=x\na\n~~~", "```js\na\n```");
}

#[test]
fn images_are_links_and_links_lead_to_the_web_or_nowhere() {
    check("![A *chart*](https://h.example/c.png \"t\")", "[A chart](https://h.example/c.png)");
    check("![](img/c.png)", "[c.png](img/c.png)");
    check(
        "[![badge](https://h.example/b.svg)](https://h.example/ci)",
        "[badge](https://h.example/ci) ([badge](https://h.example/b.svg))",
    );
    for hostile in [
        "[x](javascript:alert(1))",
        "[x](JaVaScRiPt:alert(1))",
        "[x](<java\tscript:alert(1)>)",
        "[x](&#x6A;avascript:alert(1))",
        "[x](java&Tab;script:alert(1))",
        "[x](java&NewLine;script:alert(1))",
        "[x](&#1;javascript:alert(1))",
        "[x](java\u{200b}script:alert(1))",
        "[x](\u{feff}javascript:alert(1))",
        "[x](vbscript:x)",
        "[x](data:text/html;base64,AA)",
        "[x](file:///etc/passwd)",
        "[x][r]\n\n[r]: javascript:alert(1)",
        "<javascript:alert(1)>",
        "![x](data:image/png;base64,AA)",
        "<a href=\"javascript:alert(1)\">x</a>",
        "<img src=\"javascript:alert(1)\" alt=\"x\">",
        "<div>\n<a href=' java\nscript:alert(1)'>x</a>\n</div>",
    ] {
        let document = read(hostile);
        let (images, links) = addresses(document.markdown());
        assert_eq!((images.len(), links.len()), (0, 0), "{hostile}: {}", document.markdown());
        let unsafe_links = ("unsafe link addresses".to_owned(), 1);
        assert!(omitted(&document).contains(&unsafe_links), "{hostile}: {:?}", document.omitted());
    }
}

#[test]
fn html_in_markdown_is_read_as_html_and_hides_nothing_else() {
    check("a <b>bold</b> <br> b", "a **bold**\\\nb");
    check(
        "<details>\n<summary>More</summary>\n\ninside *it*\n\n</details>\n\nafter",
        "**More**\n\ninside *it*\n\nafter",
    );
    check("a <img src=\"https://h.example/p.png\" alt=\"p\">", "a [p](https://h.example/p.png)");
    check("a <script>x\n\nb <title>c\n\nd <pre>e\n\nf", "a\n\nb\n\nd\n\n```\ne\n```\n\nf");
    check("<table><tr><td>1</td></tr></table>", "| |\n|---|\n| 1 |");
    let document = read(
        "a <!-- do as I say --> b\n\n<!--\nand this\n-->\n\n<span style=\"display:none\">or this</span>",
    );
    assert_eq!(document.markdown(), "a b\n");
    assert_eq!(omitted(&document), [("hidden text".to_owned(), 3)]);
}

#[test]
fn invisible_characters_go_from_every_part_and_are_counted() {
    let document = read(
        "# a\u{202e}\n\n`b\u{200b}` [c\u{2066}](https://h.example) ![d\u{feff}](x.png)\n\n```e\u{ad}\nf\u{e0041}\n```\n\n<b>g\u{7}</b> &#x202e;&shy;",
    );
    let text = document.markdown();
    assert_eq!(text, "# a\n\n`b` [c](https://h.example) [d](x.png)\n\n```e\nf\n```\n\n**g**\n");
    assert_eq!(omitted(&document), [("invisible characters".to_owned(), 8)]);
}

#[test]
fn what_nests_without_end_is_shown_as_it_is_or_ends_in_time() {
    let deep = |marker: &str, lines: &str| format!("{}x{}", marker.repeat(100_000), lines.repeat(100_000));
    for (hostile, fenced) in [
        (deep("> ", "\n"), true),
        (deep("- ", "\n"), true),
        (deep("1. ", "\n"), true),
        (format!("- a\n{}b", " ".repeat(200_000)), true),
        (deep("*a ", ""), false),
        (deep("[", ""), false),
        (deep("![a](", ")"), false),
        (deep("<b>", ""), false),
        (deep("`a``", ""), false),
        (deep("|", "\n|"), false),
        (deep("\\", ""), false),
        (deep("&", ";"), false),
    ] {
        let document = read(&hostile);
        assert_eq!(document.markdown().starts_with("```markdown\n"), fenced, "{}", &hostile[..20]);
        assert!(document.markdown().len() < 8 * hostile.len() + 10_000, "{}", &hostile[..20]);
    }
    let mut stairs = String::new();
    for depth in 0..40 {
        writeln!(stairs, "{}- {depth}", "  ".repeat(depth)).unwrap();
    }
    assert!(read(&stairs).markdown().contains("- 39"));
    let long = "text \u{200b}\n".repeat(600_000);
    let document = read(&long);
    assert!(document.markdown().starts_with("```markdown\ntext \n"));
    assert_eq!(omitted(&document), [("invisible characters".to_owned(), 600_000)]);
}

#[tokio::test]
async fn an_attached_markdown_file_is_no_more_than_what_it_says() {
    let world = World::of_acme().await;
    let alice = world.sign_in("alice").await;
    let hostile = "# Notes\n\n![x](https://evil.example/p.png)\n\n[Log in](javascript:alert(1)) <img src=x onerror=alert(1)>\n";
    let id = world.attach("notes.md", "text/markdown", hostile);
    let answer = world.attachment(&alice, &id, &[]).await.expect(200);
    let (images, links) = addresses(answer.text("markdown"));
    assert_eq!((images, links), (vec![], vec!["https://evil.example/p.png".to_owned(), "x".to_owned()]));
    assert!(answer.json["omitted"].to_string().contains("unsafe link addresses"), "{}", answer.body);
    assert!(
        answer.text("markdown").starts_with("# Notes\n\n[x](https://evil.example/p.png)"),
        "{}",
        answer.body
    );
}
