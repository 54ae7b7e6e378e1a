//! Whatever inline markup a page has, a Markdown parser reads the page out of what is made of it: the same text, the same
//! marks on the same characters, and no link, image or block that the page does not have.
//!
//! `PROPTEST_CASES=100000 cargo test markdown::inline` tries as many pages.

use causeway::markdown::{Builder, Part, PartSize};
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;

use super::{html, storage};

#[path = "markdown_inline/page.rs"]
mod page;
#[path = "markdown_inline/parsed.rs"]
mod parsed;

use page::{Format, Page};
use parsed::{Marks, Parsed};

fn cases() -> ProptestConfig {
    let default = ProptestConfig::default();
    let cases = if std::env::var_os("PROPTEST_CASES").is_some() { default.cases } else { 2_000 };
    ProptestConfig { cases, failure_persistence: None, max_shrink_iters: 20_000, ..default }
}

fn check(page: &Page, format: Format) -> Result<(), TestCaseError> {
    let source = page.source(format);
    let document = match format {
        Format::Storage => storage(&source),
        Format::Rendered => html(&source),
    };
    let markdown = document.markdown();
    let (wanted, parsed) = (page.reading(format), Parsed::of(markdown));
    let context = format!("\n{markdown:?}\nfrom {source:?}\n");
    prop_assert_eq!(&parsed.strange, &Vec::<String>::new(), "{}", context);
    prop_assert_eq!(parsed.text(), wanted.text(), "{}", context);
    prop_assert_eq!(&parsed.blocks, &wanted.blocks, "{}", context);
    for (wanted, parsed) in wanted.glyphs.iter().zip(&parsed.glyphs) {
        prop_assert_eq!(parsed, wanted, "{}", context);
    }
    Ok(())
}

proptest! {
    #![proptest_config(cases())]

    #[test]
    fn storage_format_reads_back_as_it_was(page in page::any()) {
        check(&page, Format::Storage)?;
    }

    #[test]
    fn rendered_pages_read_back_as_they_were(page in page::any()) {
        check(&page, Format::Rendered)?;
    }

    #[test]
    fn no_part_of_a_page_has_a_link_or_an_image_of_its_own(page in page::any(), chars in 40..300_usize) {
        let source = page.source(Format::Storage);
        let document = storage(&source);
        for part in document.parts(PartSize { chars, json_bytes: 2 * chars }) {
            let parsed = Parsed::of(part.text());
            let context = format!("{:?} of {:?}", part.text(), document.markdown());
            prop_assert!(parsed.links.iter().all(|link| page::leads(link)), "{:?} in {}", parsed.links, context);
            let live = |event: &&String| event.contains("Html(") || event.contains("Image");
            let mut live = parsed.strange.iter().filter(live);
            prop_assert_eq!(live.next(), None, "{}", context);
        }
    }
}

/// A paragraph of words, marked in every way, with short links.
fn words() -> impl Strategy<Value = String> {
    let text = vec("[a-z]{1,7}[ ,.]?|[가-힣]{1,9}", 1..5).prop_map(|words| words.concat());
    let leaf = prop_oneof![
        6 => text,
        1 => "[a-z]{1,5}".prop_map(|code| format!("<code>{code} {code}</code>")),
        1 => Just("<br/>".to_owned()),
        1 => "[a-z]{1,9}".prop_map(|label| format!(" <a href=\"https://e.example/{label}\">{label} <em>x</em></a> ")),
    ];
    let marks = select(&["strong", "em", "s", "sub", "sup"][..]);
    let nested = leaf.prop_recursive(3, 40, 6, move |inner| {
        (marks.clone(), vec(inner, 1..6))
            .prop_map(|(mark, inner)| format!("<{mark}>{}</{mark}>", inner.concat()))
    });
    vec(nested, 1..30).prop_map(|all| all.concat())
}

proptest! {
    #![proptest_config(cases())]

    #[test]
    fn marks_and_links_that_a_part_divides_go_on_in_the_next(
        words in words(),
        around in select(&[["<p>", "</p>"], ["<ul><li>", "</li></ul>"], ["<blockquote><p>", "</p></blockquote>"]][..]),
        chars in 150..400_usize,
    ) {
        let document = storage(&[around[0], &words, around[1]].concat());
        let glyphs = |markdown: &str| -> Vec<(char, Marks, Option<String>)> {
            let visible = Parsed::of(markdown).glyphs.into_iter().filter(|glyph| glyph.character != '…');
            visible.map(|glyph| (glyph.character, glyph.marks, glyph.link)).collect()
        };
        let parts = document.parts(PartSize { chars, json_bytes: 3 * chars });
        let found: Vec<_> = parts.iter().flat_map(|part| glyphs(part.text())).collect();
        let texts: Vec<&str> = parts.iter().map(Part::text).collect();
        for (found, wanted) in found.iter().zip(&glyphs(document.markdown())) {
            prop_assert_eq!(found, wanted, "{:#?} of {:?}", texts, document.markdown());
        }
        prop_assert_eq!(found.len(), glyphs(document.markdown()).len(), "{:#?}", texts);
    }
}

/// What of a page's Markdown leads somewhere, shows a picture or is HTML other than a mark.
fn live(body: &str) -> Vec<String> {
    let document = storage(body);
    let Parsed { links, strange, .. } = Parsed::of(document.markdown());
    links.into_iter().chain(strange).collect()
}

fn nothing() -> Vec<String> {
    Vec::new()
}

#[test]
fn a_mark_inside_a_mark_of_its_kind_leaves_the_text_escaped() {
    let marks = ["strong", "b", "em", "i", "del", "s", "sub", "sup"];
    let places = ["<p>{}</p>", "<h2>{}</h2>", "<ul><li>{}</li></ul>", "<table><tr><td>{}</td></tr></table>"];
    for (outer, inner) in marks.iter().flat_map(|outer| marks.map(|inner| (outer, inner))) {
        for place in places {
            for (first, second) in [
                ("![x]", "(https://evil.example/p.png)"),
                ("[Log in]", "(javascript:alert(1))"),
                ("[Log in]", "[1]"),
                ("[1]", ": https://evil.example"),
                ("[", "^1]"),
                ("&", "lt;"),
                ("<", "b>"),
                ("\\", "*"),
            ] {
                let (first, second) = (page::escaped(first), page::escaped(second));
                let inline = format!("<{outer}>{first}<{inner}>{second}</{inner}></{outer}>");
                assert_eq!(live(&place.replace("{}", &inline)), nothing(), "{inline}");
            }
        }
    }
    let image = "<p><strong>a!<b><a href=\"https://e.example/\">y</a></b></strong></p>";
    assert_eq!(live(image), ["https://e.example/"]);
    let marked = storage("<p><sub><em>(a)</em><sub>b</sub></sub></p>");
    assert_eq!(marked.markdown(), "<sub><em>(a)</em>b</sub>\n");
}

#[test]
fn what_an_invisible_character_parts_stays_text_when_it_is_removed() {
    for invisible in ["&#8203;", "&#173;", "&#8238;", "&#xE0041;", "&#1;"] {
        for text in [
            "[Log in]~(javascript:alert(1))",
            "!~[x](https://evil.example/p.png)",
            "[a]~: https://evil.example",
            "[~^1]",
            "&lt;~b&gt;",
            "&amp;~lt;",
            "&amp;l~t;",
            "\\~*a*",
            "1~. a",
            "1.~ a",
            "-~ a",
            "#~ a",
            "[~x] a",
        ] {
            let body = format!("<p>{}</p>", text.replace('~', invisible));
            let shown = text.replace('~', "").replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&");
            let document = storage(&body);
            let parsed = Parsed::of(document.markdown());
            assert_eq!(parsed.text(), format!(" {shown}"), "{body} is {}", document.markdown());
            assert_eq!((live(&body), parsed.blocks), (nothing(), Vec::new()), "{body}");
        }
    }
}

#[test]
fn a_backslash_at_the_end_of_a_text_escapes_nothing_of_the_next_one() {
    assert_eq!(live("<p>[a\\]<b></b>(javascript:alert(1))</p>"), nothing());
    assert_eq!(live("<p>!\\<u>[a]</u>(https://evil.example/p.png)</p>"), nothing());
}

#[test]
fn a_number_in_several_runs_begins_no_list() {
    for number in ["<u>1</u>1. a", "<u>1</u><u>1</u>. a", "<u>1</u><span>2</span>3) a", "1<u>1.</u> a"] {
        let document = storage(&format!("<p>{number}</p>"));
        assert_eq!(Parsed::of(document.markdown()).blocks, Vec::<&str>::new(), "{}", document.markdown());
    }
}

#[test]
fn lines_of_a_paragraph_make_no_table() {
    for rule in [":-- | --", ":-|-", "-|-", "|--|--|", ": | -", "--|--"] {
        let document = storage(&format!("<p>a | b<br />{rule}</p>"));
        assert_eq!(Parsed::of(document.markdown()).blocks, Vec::<&str>::new(), "{}", document.markdown());
        let nested = storage(&format!("<ul><li>a | b<ul><li>{rule}</li></ul></li></ul>"));
        assert_eq!(Parsed::of(nested.markdown()).blocks, ["ul", "li", "ul", "li"], "{}", nested.markdown());
    }
}

#[test]
fn code_makes_no_definition_of_a_link_or_a_footnote() {
    for body in [
        "<p>[foo <code>]: https://evil.example</code></p><p>[foo <code>]</code></p>",
        "<p>[foo <code>]</code><code>: https://evil.example</code></p>",
        "<p>a<br />[<u>^</u><code>1]: https://evil.example</code></p>",
    ] {
        assert_eq!(live(body), nothing(), "{}", storage(body).markdown());
    }
    for text in ["<code>]: https://evil.example</code>", "^<code>]: x</code>"] {
        let body = format!("<p>a<br /><br /><a href=\"https://e.example/\">{text}</a></p>");
        assert_eq!(live(&body), ["https://e.example/"], "{}", storage(&body).markdown());
    }
}

#[test]
fn a_pipe_after_a_backslash_in_code_ends_no_cell() {
    // GitHub's parser ends a cell at `\\|` whatever is around it.
    let document = storage(
        "<table><tr><th>h</th></tr><tr><td><code>a\\|![x](https://e.example/p.png)</code></td></tr>\
         <tr><td><code>a\\</code><code>|b</code></td></tr></table>",
    );
    let expected =
        "| h |\n|---|\n| <code>a\\\\\\|![x\\](https://e.example/p.png)</code> |\n| `a\\` `\\|b` |\n";
    assert_eq!(document.markdown(), expected);
}

#[test]
fn a_link_inside_a_link_interrupts_it() {
    let document = storage(
        "<p><a href=\"https://a.example/\">one <a href=\"https://b.example/\">two</a> three</a> <a href=\"https://c.example/\">\
         four <a href=\"javascript:alert(1)\">five</a></a></p>",
    );
    let expected = "[one](https://a.example/) [two](https://b.example/) [three](https://a.example/) \
                    [four five](https://c.example/)\n";
    assert_eq!(document.markdown(), expected);
}

#[test]
fn what_looks_like_a_character_reference_in_an_address_stays_in_it() {
    let body = "<p><a href=\"https://e.example/?a=1&amp;copy;=2&amp;lt;\">x</a></p>";
    assert_eq!(live(body), ["https://e.example/?a=1&copy;=2&lt;"]);
    let plain = storage("<p><a href=\"https://e.example/?a=1&amp;copy=2\">x</a></p>");
    assert_eq!(plain.markdown(), "[x](https://e.example/?a=1&copy=2)\n");
}

#[test]
fn no_spelling_of_a_script_is_an_address() {
    for href in [
        "javascript:alert(1)",
        "JAVASCRIPT&#58;alert(1)",
        "java&#9;script:alert(1)",
        "java&#10;script&#58;alert(1)",
        "&#1; javascript:alert(1)",
        "&#xA0;javascript:alert(1)",
        "vbscript:x",
        "data:text/html;base64,PHNjcmlwdD4=",
        "file:///etc/passwd",
        "blob:https://e.example/1",
    ] {
        let body = format!("<p><a href=\"{href}\">x</a> <img src=\"{href}\" alt=\"y\" /></p>");
        assert_eq!(live(&body), nothing(), "{href}");
        assert_eq!(Parsed::of(html(&body).markdown()).links, nothing(), "{href}");
    }
}

#[test]
fn long_code_in_a_line_is_code_in_every_part() {
    let code = "word ![x](https://evil.example/p.png) &lt;img src=x&gt; ".repeat(100);
    for body in [
        format!("<p>a <code>{code}</code> b</p>"),
        format!("<p>a <code>` {code}</code> b</p>"),
        format!("<table><tr><td><code>{code}</code></td></tr></table>"),
    ] {
        let document = storage(&body);
        let passages = document.passages();
        assert!(passages.len() > 3);
        for passage in passages {
            let parsed = Parsed::of(&passage.text);
            assert_eq!((parsed.links, parsed.strange), (nothing(), nothing()), "{}", passage.text);
        }
    }
}

#[test]
fn a_part_that_begins_at_the_end_of_code_makes_no_link_of_the_next_code() {
    let words = "word ".repeat(12);
    let code = "<code>aa </code><a href=\"https://e.example/\"><code>*`[x](javascript:alert(1))</code></a>";
    let document = storage(&format!("<p>{words}{code}</p>"));
    for chars in 40..120 {
        for part in document.parts(PartSize { chars, json_bytes: 2 * chars }) {
            let links = Parsed::of(part.text()).links;
            assert!(links.iter().all(|link| link == "https://e.example/"), "{}", part.text());
        }
    }
}

#[test]
fn a_block_of_code_is_code_in_every_part_however_deep_it_is() {
    let line = "![x](https://evil.example/p.png) &lt;img src=x&gt; ".repeat(60);
    for depth in [0, 3, 40, 60] {
        for code in [line.clone(), format!("{}\n{line}", "`".repeat(700)), line.replace(' ', "\n")] {
            let body = format!("{}<pre>{code}</pre><p>after</p>", "<blockquote>".repeat(depth));
            let document = html(&body);
            for passage in document.passages() {
                let parsed = Parsed::of(&passage.text);
                let context = format!("{depth}: {}", passage.text);
                assert_eq!((parsed.links, parsed.strange), (nothing(), nothing()), "{context}");
            }
        }
    }
}

#[test]
fn code_stays_code_where_no_more_prefixes_can_be_written() {
    let line = "![x](https://evil.example/p.png)\n";
    let items = "<ul><li>a".repeat(200);
    let body = format!("{items}<pre>{}</pre><p>after</p>", line.repeat(5_000));
    let document = html(&body);
    let parsed = Parsed::of(document.markdown());
    assert_eq!((parsed.links, parsed.strange), (nothing(), nothing()));
    assert_eq!(document.omitted()[0].what, "nesting too deep");
}

#[test]
fn a_carriage_return_in_code_of_a_file_ends_no_fence() {
    let mut builder = Builder::new(100);
    builder.list_open(false);
    builder.item_open();
    builder.code("", "a\r![x](https://evil.example/p.png)\r\nb");
    let document = builder.finish();
    let expected = "- ```\n  a\n  ![x](https://evil.example/p.png)\n  b\n  ```\n";
    assert_eq!(document.markdown(), expected);
}

#[test]
fn text_of_files_is_escaped_across_its_runs() {
    let mut builder = Builder::new(100);
    builder.heading_open(2);
    for run in ["![x]", "(https://evil.example/p.png)"] {
        builder.text(run);
    }
    builder.heading_close();
    builder.table_open();
    builder.row_open();
    builder.cell_open(1);
    builder.strong_open();
    builder.text("[Log in]");
    builder.strong_open();
    builder.text("(javascript:alert(1))");
    builder.strong_close();
    builder.strong_close();
    builder.table_close();
    let document = builder.finish();
    let parsed = Parsed::of(document.markdown());
    assert_eq!((&parsed.links, &parsed.strange), (&nothing(), &nothing()), "{}", document.markdown());
    assert!(parsed.text().contains("![x](https://evil.example/p.png) [Log in](javascript:alert(1))"));
}

#[test]
fn underscores_between_quotation_marks_are_underscores() {
    assert_eq!(Parsed::of(storage("<p>“_a_” é_b</p>").markdown()).text(), " “_a_” é_b");
}

#[test]
fn a_line_break_before_a_task_leaves_it_a_task() {
    let document =
        storage("<ac:task-list><ac:task><ac:task-body><br />a</ac:task-body></ac:task></ac:task-list>");
    assert_eq!(document.markdown(), "- [ ] a\n");
}

#[test]
fn what_is_left_of_a_paragraph_begins_no_other_block() {
    let size = PartSize { chars: 1_000, json_bytes: 90_000 };
    for text in
        ["# Ignore the above", "> said", "1. item", "- [ ] x", "+ item", "## System", "* item", "- - -"]
    {
        let written = text.replace('>', "&gt;");
        for padding in 0..12 {
            let (before, after) = ("aaaa ".repeat(198), " tail".repeat(20));
            let body = format!("<p>{before}{} {written}{after}</p>", "w".repeat(padding));
            let parts = storage(&body).parts(size);
            assert!(parts.len() > 1);
            for part in &parts {
                let markdown = part.text();
                let mut events = pulldown_cmark::Parser::new_ext(markdown, pulldown_cmark::Options::all());
                let first = events.next();
                let paragraph = pulldown_cmark::Event::Start(pulldown_cmark::Tag::Paragraph);
                assert_eq!(first, Some(paragraph), "{padding}: {markdown}");
            }
        }
    }
}

#[test]
fn marks_beside_tildes_are_marks_to_github_too() {
    for (body, expected) in [
        ("<p><strong>Note:</strong><del>old</del></p>", "<strong>Note:</strong>~~old~~\n"),
        ("<p>see <em>(a)</em><del>b</del></p>", "see <em>(a)</em>~~b~~\n"),
        ("<p><del>a</del><strong>(b)</strong></p>", "~~a~~<strong>(b)</strong>\n"),
        ("<p><strong>a</strong><del>b</del></p>", "**a**~~b~~\n"),
    ] {
        assert_eq!(storage(body).markdown(), expected, "{body}");
    }
}
