//! The Markdown, read by a Markdown parser, has the structure that the page has.

use proptest::prelude::*;
use pulldown_cmark::{CodeBlockKind, Event, HeadingLevel, Options, Parser, Tag, TagEnd};

use super::storage;

#[test]
fn code_is_the_same_to_the_byte_wherever_it_is() {
    let codes = [
        "plain",
        "  indented\n\ttab\n\n\nblank lines\n",
        "```\nfence\n```",
        "~~~\n````\n",
        "> quote\n- item\n| a | b |\n# heading",
        "trailing spaces   \n   ",
        "<b>&amp;</b> \\ * _ `x`",
    ];
    let places = [
        "{}",
        "<ul><li><p>text</p>{}</li></ul>",
        "<ul><li>{}</li></ul>",
        "<ol start=\"98\"><li>a</li><li>b<ul><li>c{}</li></ul></li><li>d</li></ol>",
        r#"<ac:structured-macro ac:name="info"><ac:rich-text-body>{}</ac:rich-text-body></ac:structured-macro>"#,
        "<blockquote><ul><li>{}<blockquote>{}</blockquote></li></ul></blockquote>",
        "<table><tbody><tr><th>code</th><td><p>see</p>{}</td></tr></tbody></table>",
    ];
    for code in codes {
        let body = code_macro(code);
        for place in places {
            let page = place.replace("{}", &body);
            let expected = vec![("sh".to_owned(), format!("{code}\n")); place.matches("{}").count()];
            let in_one_line = place.starts_with("<table") && !code.trim_matches('\n').contains('\n');
            let document = storage(&page);
            if in_one_line {
                let text = format!("see{}", code.trim_matches('\n').trim());
                assert_eq!(tables(document.markdown())[0].last().unwrap()[1], text);
            } else {
                assert_eq!(codes_of(document.markdown()), expected, "{}", document.markdown());
            }
        }
    }
}

#[test]
fn rows_and_columns_are_the_same() {
    let document = storage(
        "<table><thead><tr><th>a|b</th><th><p>c</p><p>d</p></th></tr></thead><tbody><tr><td>1</td><td><code>x | y</code></td></tr>\
         <tr><td></td><td>*</td></tr><tr><td>short</td></tr></tbody></table>",
    );
    let expected = vec![vec!["a|b", "cd"], vec!["1", "x | y"], vec!["", "*"], vec!["short", ""]];
    assert_eq!(tables(document.markdown()), [expected], "{}", document.markdown());
}

#[test]
fn merged_cells_are_repeated_and_shift_no_row() {
    let document = storage(
        "<table><tbody><tr><th>a</th><th colspan=\"2\">b</th></tr><tr><td rowspan=\"3\">1</td><td>2</td><td>3</td></tr>\
         <tr><td>4</td><td rowspan=\"9\">5</td></tr><tr><td>6</td></tr><tr><td>7</td><td>8</td></tr></tbody></table>",
    );
    let expected = vec![
        vec!["a", "b", "b"],
        vec!["1", "2", "3"],
        vec!["1", "4", "5"],
        vec!["1", "6", "5"],
        vec!["7", "8", "5"],
    ];
    assert_eq!(tables(document.markdown()), [expected]);
}

#[test]
fn repeated_cells_stop_at_ten_thousand() {
    let rows = "<tr><td>x</td></tr>".repeat(200);
    let document =
        storage(&format!("<table><tr><td rowspan=\"60000\" colspan=\"1000\">wide</td></tr>{rows}</table>"));
    assert_eq!(document.markdown().matches("wide").count(), 10_001);
    assert_eq!(document.omitted()[0].what, "repeated merged cells");
}

#[test]
fn lists_are_nested_as_they_were() {
    let page = "<ul><li>a<ul><li>b<ol><li>c<ul><li><ul><li>d</li></ul></li></ul></li><li>e</li></ol></li></ul></li><li>f</li></ul>\
                <ul><li>g</li></ul><ol start=\"7\"><li>h</li></ol><ol><li>i</li><li></li></ol>";
    let document = storage(page);
    let expected = "*(a*(b1(c*(*(d)))(e)))(f) *(g) 7(h) 1(i)()";
    assert_eq!(list_shape(document.markdown()), expected, "{}", document.markdown());
}

#[test]
fn an_empty_item_below_text_makes_no_heading_of_it() {
    let document = storage("<ul><li><p>text</p><ul><li></li><li>x</li></ul></li></ul>");
    assert_eq!(list_shape(document.markdown()), "*(text*()(x))", "{}", document.markdown());
}

#[test]
fn tasks_keep_their_state() {
    let task = |state: &str, text: &str| {
        format!(
            "<ac:task><ac:task-status>{state}</ac:task-status><ac:task-body><p>{text}</p></ac:task-body></ac:task>"
        )
    };
    let page =
        format!("<ac:task-list>{}{}</ac:task-list>", task("complete", "one"), task("incomplete", "two"));
    let document = storage(&page);
    let states: Vec<bool> = events(document.markdown())
        .into_iter()
        .filter_map(|event| if let Event::TaskListMarker(done) = event { Some(done) } else { None })
        .collect();
    assert_eq!(states, [true, false]);
}

#[test]
fn link_targets_are_the_same() {
    let document = storage(
        r#"<p><a href="https://example.com/a_b(c)*d?x=[1]&amp;y=%20">one <b>two</b></a>
           <ac:link><ri:page ri:content-title="A + B: 100% (old) 'x' ü" ri:space-key="~ada" /></ac:link>
           <ac:image><ri:attachment ri:filename="a b(1)+2%.png" /></ac:image>
           <a href="HTTP://Example.com/?q=a b">x</a></p>"#,
    );
    let expected = [
        "https://example.com/a_b%28c%29%2Ad?x=%5B1%5D&y=%20",
        "https://acme.atlassian.net/wiki/display/~ada/A+%2B+B%3A+100%25+%28old%29+%27x%27+ü",
        "attachment:12345/a%20b%281%29%2B2%25.png",
        "HTTP://Example.com/?q=a%20b",
    ];
    assert_eq!(links(document.markdown()), expected);
}

#[test]
fn nothing_becomes_an_image_or_a_foreign_scheme() {
    let document = storage(
        r#"<p>!<a href="https://example.com/x.png">x</a> ![a](javascript:b) <a href="JaVaScRiPt:alert(1)">js</a>
           <a href=" javascript:alert(1)">js</a> <a href="vbscript:x">vb</a> <a href="data:text/html,x">data</a>
           <img src="https://example.com/y.png" /> [text]: https://example.com/z</p><p>[d]: javascript:x</p><p>[d]</p>"#,
    );
    assert_eq!(links(document.markdown()), ["https://example.com/x.png", "https://example.com/y.png"]);
    assert!(
        !events(document.markdown()).iter().any(|event| matches!(event, Event::Start(Tag::Image { .. })))
    );
}

#[test]
fn formulas_hide_no_markdown() {
    for formula in [
        "![x](https://example.com/t.png)",
        "a &lt;img src=x&gt;",
        "a $ b ` c",
        "a*b*c",
        "x_i + y_{i}",
        "\\{a\\}",
        "[0, 1)",
        "a \\\\ b",
        "x~y~z",
        "a &amp;amp; b",
        "x_1 + \\frac{a}{b}",
        "a &lt; b",
    ] {
        for (name, dollars) in [("mathinline", "$"), ("mathblock", "$$")] {
            let page = format!(
                "<p>x <a href=\"https://example.com/a\">y</a> <strong>z</strong>{}</p>",
                format_args!(
                    "<ac:structured-macro ac:name=\"{name}\"><ac:parameter ac:name=\"body\">{formula}</ac:parameter></ac:structured-macro>"
                )
            );
            let document = storage(&page);
            assert_eq!(links(document.markdown()), ["https://example.com/a"], "{formula}");
            let odd = events(document.markdown()).into_iter().find(|event| {
                matches!(
                    event,
                    Event::Start(Tag::Emphasis | Tag::Strikethrough) | Event::InlineHtml(_) | Event::Html(_)
                )
            });
            assert_eq!(odd, None, "{formula}");
            let text = plain(document.markdown());
            let formula = formula.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&");
            let shown = text.replace(char::is_whitespace, "").replace(dollars, "").replace('$', "");
            assert_eq!(shown, format!("xyz{formula}").replace([' ', '$'], ""), "{text:?}");
        }
    }
}

#[test]
fn formulas_that_are_no_markdown_stand_between_dollars() {
    let formula = |name: &str, body: &str| {
        let page = format!(
            "<ac:structured-macro ac:name=\"{name}\"><ac:parameter ac:name=\"body\">{body}</ac:parameter></ac:structured-macro>"
        );
        storage(&page).markdown().trim().to_owned()
    };
    assert_eq!(formula("mathinline", "x_1 + \\frac{a}{b}"), "$x_1 + \\frac{a}{b}$");
    assert_eq!(formula("mathblock", "x_1 + 2"), "$$x_1 + 2$$");
    assert_eq!(formula("mathinline", "x_{i} * y"), "$`x_{i} * y`$");
    assert_eq!(formula("mathblock", "x_{i}\n* y"), "```math\nx_{i}\n* y\n```");
}

#[test]
fn headings_are_headings() {
    let document = storage(
        "<h1>One # <em>two</em></h1><h3># #</h3><h6>1. six</h6><blockquote><h2>in a quote</h2></blockquote>",
    );
    let headings: Vec<(HeadingLevel, String)> = headings_of(document.markdown());
    let texts: Vec<&str> = headings.iter().map(|(_, text)| text.as_str()).collect();
    assert_eq!(texts, ["One # two", "# #", "1. six", "in a quote"]);
    let ours: Vec<&str> = document.headings().map(|heading| heading.text).collect();
    assert_eq!(ours, texts);
}

proptest! {
    #![proptest_config(super::cases(500))]

    #[test]
    fn text_reads_as_itself(text in r"[ab1.#*_`~\[\]()<>&|!\\+=:;x \-/\n가é]{0,40}") {
        let page = format!("<p>{}</p>", escaped(&text));
        let document = storage(&page);
        prop_assert_eq!(plain(document.markdown()), normal(&text), "{}", document.markdown());
    }

    #[test]
    fn text_in_cells_items_links_and_headings_reads_as_itself(text in r"[ab1.#*_`~\[\]()<>&|!\\+=:;x \-/가é]{1,20}") {
        prop_assume!(!normal(&text).is_empty());
        let escaped = escaped(&text);
        let page = format!("<table><tr><th>h</th></tr><tr><td>{escaped}</td></tr></table>");
        let document = storage(&page);
        prop_assert_eq!(&tables(document.markdown())[0][1][0], &normal(&text), "{}", document.markdown());
        for page in [
            format!("<ul><li>{escaped}</li></ul>"),
            format!("<h2>{escaped}</h2>"),
            format!("<p><a href=\"https://example.com/\">{escaped}</a></p>"),
            format!("<ac:task-list><ac:task><ac:task-body>{escaped}</ac:task-body></ac:task></ac:task-list>"),
        ] {
            let document = storage(&page);
            prop_assert_eq!(plain(document.markdown()), normal(&text), "{}", document.markdown());
        }
    }

    #[test]
    fn code_spans_read_as_themselves(code in r"[ab`|\\*<&]([ab`|\\ *<&]{0,9}[ab`|\\*<&])?") {
        let document = storage(&format!("<p>x<code>{}</code>y</p>", escaped(&code)));
        prop_assert_eq!(plain(document.markdown()), normal(&format!("x{code}y")), "{}", document.markdown());
    }

    #[test]
    fn marks_read_as_themselves(pieces in prop::collection::vec((0_u8..8, "[ab.( )가*]{0,4}"), 1..7)) {
        let mut page = String::from("<p>");
        let mut expected = Vec::new();
        for (marks, text) in &pieces {
            let (strong, slanted, struck) = (marks & 1 > 0, marks & 2 > 0, marks & 4 > 0);
            let tags = [(strong, "strong"), (slanted, "em"), (struck, "s")];
            for (_, tag) in tags.iter().filter(|(has, _)| *has) {
                page.extend(["<", tag, ">"]);
            }
            page += text;
            for (_, tag) in tags.iter().rev().filter(|(has, _)| *has) {
                page.extend(["</", tag, ">"]);
            }
            expected.extend(text.chars().filter(|c| *c != ' ').map(|c| (c, strong, slanted, struck)));
        }
        page += "</p>";
        let document = storage(&page);
        prop_assert_eq!(marked(document.markdown()), expected, "{} from {}", document.markdown(), page);
    }
}

fn code_macro(code: &str) -> String {
    let code = code.replace("]]>", "]]]]><![CDATA[>");
    format!(
        "<ac:structured-macro ac:name=\"code\"><ac:parameter ac:name=\"language\">sh</ac:parameter>\
         <ac:plain-text-body><![CDATA[{code}]]></ac:plain-text-body></ac:structured-macro>"
    )
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

fn normal(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

fn events(markdown: &str) -> Vec<Event<'_>> {
    let options = Options::ENABLE_TABLES
        | Options::ENABLE_TASKLISTS
        | Options::ENABLE_STRIKETHROUGH
        | Options::ENABLE_GFM;
    Parser::new_ext(markdown, options).collect()
}

/// What a reader reads, in one line.
fn plain(markdown: &str) -> String {
    let mut text = String::new();
    for event in events(markdown) {
        match event {
            Event::Text(piece) | Event::Code(piece) => text += &piece,
            Event::SoftBreak | Event::HardBreak | Event::End(TagEnd::Paragraph | TagEnd::Item) => text += " ",
            Event::Rule => text += "[a rule]",
            _ => {}
        }
    }
    normal(&text)
}

fn codes_of(markdown: &str) -> Vec<(String, String)> {
    let mut codes: Vec<(String, String)> = Vec::new();
    let mut inside = false;
    for event in events(markdown) {
        match event {
            Event::Start(Tag::CodeBlock(CodeBlockKind::Fenced(language))) => {
                inside = true;
                codes.push((language.to_string(), String::new()));
            }
            Event::End(TagEnd::CodeBlock) => inside = false,
            Event::Text(text) if inside => codes.last_mut().unwrap().1 += &text,
            _ => {}
        }
    }
    codes
}

pub(super) fn tables(markdown: &str) -> Vec<Vec<Vec<String>>> {
    let mut tables: Vec<Vec<Vec<String>>> = Vec::new();
    for event in events(markdown) {
        match event {
            Event::Start(Tag::Table(_)) => tables.push(Vec::new()),
            Event::Start(Tag::TableHead | Tag::TableRow) => tables.last_mut().unwrap().push(Vec::new()),
            Event::Start(Tag::TableCell) => {
                tables.last_mut().unwrap().last_mut().unwrap().push(String::new());
            }
            Event::Text(text) | Event::Code(text) => {
                if let Some(cell) = tables.last_mut().and_then(|table| table.last_mut()?.last_mut()) {
                    *cell += &text;
                }
            }
            _ => {}
        }
    }
    tables
}

fn links(markdown: &str) -> Vec<String> {
    let target = |event| match event {
        Event::Start(Tag::Link { dest_url, .. }) => Some(dest_url.to_string()),
        _ => None,
    };
    events(markdown).into_iter().filter_map(target).collect()
}

fn headings_of(markdown: &str) -> Vec<(HeadingLevel, String)> {
    let mut headings: Vec<(HeadingLevel, String)> = Vec::new();
    for event in events(markdown) {
        match event {
            Event::Start(Tag::Heading { level, .. }) => headings.push((level, String::new())),
            Event::Text(text) | Event::Code(text) => {
                if let Some(heading) = headings.last_mut() {
                    heading.1 += &text;
                }
            }
            _ => {}
        }
    }
    headings
}

/// `*(a)(b*(c))` for a list of a and b, which holds a list of c.
fn list_shape(markdown: &str) -> String {
    let mut shape = String::new();
    let mut depth = 0;
    for event in events(markdown) {
        match event {
            Event::Start(Tag::List(start)) => {
                if depth == 0 && !shape.is_empty() {
                    shape.push(' ');
                }
                depth += 1;
                shape += &start.map_or("*".to_owned(), |start| start.to_string());
            }
            Event::End(TagEnd::List(_)) => depth -= 1,
            Event::Start(Tag::Item) => shape.push('('),
            Event::End(TagEnd::Item) => shape.push(')'),
            Event::Start(Tag::Heading { .. }) | Event::Rule => shape.push('!'),
            Event::Text(text) => shape += &text,
            _ => {}
        }
    }
    shape
}

/// Each character with the marks that it has.
fn marked(markdown: &str) -> Vec<(char, bool, bool, bool)> {
    let (mut strong, mut slanted, mut struck) = (0, 0, 0);
    let mut characters = Vec::new();
    for event in events(markdown) {
        match event {
            Event::Start(Tag::Strong) => strong += 1,
            Event::End(TagEnd::Strong) => strong -= 1,
            Event::Start(Tag::Emphasis) => slanted += 1,
            Event::End(TagEnd::Emphasis) => slanted -= 1,
            Event::Start(Tag::Strikethrough) => struck += 1,
            Event::End(TagEnd::Strikethrough) => struck -= 1,
            Event::InlineHtml(tag) => match &*tag {
                "<strong>" => strong += 1,
                "</strong>" => strong -= 1,
                "<em>" => slanted += 1,
                "</em>" => slanted -= 1,
                "<del>" => struck += 1,
                "</del>" => struck -= 1,
                _ => {}
            },
            Event::Text(text) => {
                let marks = (strong > 0, slanted > 0, struck > 0);
                characters.extend(text.chars().filter(|c| *c != ' ').map(|c| (c, marks.0, marks.1, marks.2)));
            }
            _ => {}
        }
    }
    characters
}
