//! Parts, sections, outlines and passages.

use causeway::markdown::PartSize;
use proptest::prelude::*;

use super::parse_back::tables;
use super::{convert, fixtures, storage};

fn size(chars: usize) -> PartSize {
    PartSize { chars, json_bytes: usize::MAX }
}

fn texts(page: &str, chars: usize) -> Vec<String> {
    storage(page).parts(size(chars)).into_iter().map(|part| part.into_text().into_string()).collect()
}

#[test]
fn an_empty_page_has_one_part() {
    let document = storage("<p />");
    assert_eq!(document.markdown(), "");
    let parts = document.parts(size(10));
    assert_eq!(parts.len(), 1);
    assert_eq!(parts[0].text(), "");
}

#[test]
fn parts_end_where_blocks_end() {
    let page = "<h1>One</h1><p>aaaa aaaa</p><h1>Two</h1><p>bbbb bbbb</p><p>cccc</p>";
    assert_eq!(texts(page, 20), ["# One\n\naaaa aaaa", "# Two\n\nbbbb bbbb", "cccc"]);
}

#[test]
fn what_happens_in_a_cell_moves_no_border_outside() {
    let page = "<p>one</p><p>two</p><p>three</p><table><tr><td>a<b>(x)</b>y</td></tr></table>";
    assert_eq!(texts(page, 6)[..3], ["one", "two", "three"]);
}

#[test]
fn a_table_that_is_cut_repeats_its_header() {
    let rows: Vec<String> = (0..6).map(|row| format!("<tr><td>{row}</td><td>row</td></tr>")).collect();
    let rows = rows.concat();
    let page = format!("<table><tr><th>n</th><th>what</th></tr>{rows}</table>");
    let parts = texts(&page, 70);
    assert!(parts.len() > 1);
    let mut all = Vec::new();
    for part in &parts {
        assert!(part.starts_with("| n | what |\n|---|---|\n"), "{part}");
        all.extend(tables(part)[0][1..].to_vec());
    }
    assert_eq!(all.len(), 6);
    assert_eq!(all[5], ["5", "row"]);
}

#[test]
fn a_fence_that_is_cut_is_closed_and_opened_again() {
    let lines: Vec<String> = (0..9).map(|line| format!("  line {line}")).collect();
    let code = format!(
        "<ac:structured-macro ac:name=\"code\"><ac:parameter ac:name=\"language\">sh</ac:parameter><ac:plain-text-body><![CDATA[{}]]></ac:plain-text-body></ac:structured-macro>",
        lines.join("\n")
    );
    for (page, prefix) in [(code.clone(), ""), (format!("<blockquote>{code}</blockquote>"), "> ")] {
        let mut found = Vec::new();
        for part in texts(&page, 60) {
            let inner: Vec<&str> = part.lines().map(|line| line.strip_prefix(prefix).unwrap()).collect();
            assert_eq!((inner[0], inner[inner.len() - 1]), ("```sh", "```"), "{part}");
            found.extend(inner[1..inner.len() - 1].iter().map(|line| (*line).to_owned()));
        }
        assert_eq!(found, lines);
    }
}

#[test]
fn a_list_is_cut_between_items_and_nested_items_keep_their_place() {
    let page =
        "<ul><li>first item</li><li>second item<ol><li>inner one</li><li>inner two</li></ol></li></ul>";
    assert_eq!(texts(page, 34), ["- first item\n- second item", "- …\n  1. inner one\n  2. inner two"]);
}

#[test]
fn sections_are_found_by_their_heading() {
    let page = "<h1>Guide</h1><p>a</p><h2>1.2 Getting <em>started</em>!</h2><p>b</p><h3>Deep</h3><p>c</p><h2>Next</h2><p>d</p>";
    let document = storage(page);
    for name in ["1.2 Getting started!", "getting   STARTED", "1.2 getting", "Getting"] {
        let section = document.section(name).unwrap();
        assert_eq!(section.markdown(), "## 1.2 Getting *started*!\n\nb\n\n### Deep\n\nc\n");
        let headings: Vec<_> = section.headings().map(|heading| (heading.level, heading.offset)).collect();
        assert_eq!(headings, [(2, 0), (3, 30)]);
    }
    assert_eq!(document.section("guide").unwrap().markdown(), document.markdown());
    assert!(document.section("absent").is_none());
    assert!(document.section(" ").is_none());
}

#[test]
fn the_outline_says_in_which_part_a_heading_is() {
    let document = storage("<h1>One</h1><p>aaaa aaaa</p><h2>Two</h2><p>bbbb bbbb</p><h2>Three</h2>");
    let outline: Vec<_> = document
        .cut(size(20))
        .outline()
        .map(|entry| (entry.heading.to_owned(), entry.level, entry.part))
        .collect();
    assert_eq!(outline, [("One".to_owned(), 1, 1), ("Two".to_owned(), 2, 2), ("Three".to_owned(), 2, 3)]);
}

#[test]
fn a_query_returns_only_what_matches_under_its_headings() {
    let filler = "<p>nothing of the kind</p>".repeat(80);
    let page = format!(
        "<h1>Trains</h1>{filler}<h2>Brakes</h2><p>Check the <b>air pressure</b> daily.</p>{filler}<h2>Doors</h2><p>Close them.</p>"
    );
    let document = storage(&page);
    let matching = document.matching("Pressure?").unwrap();
    assert!(
        matching.markdown().starts_with("# Trains\n\n## Brakes\n\nCheck the **air pressure** daily."),
        "{}",
        matching.markdown()
    );
    assert!(!matching.markdown().contains("Doors"));
    assert!(document.matching("zeppelin ing").is_none());
    assert!(document.matching("").is_none());
}

#[test]
fn passages_hold_the_whole_page_each_under_its_headings() {
    let filler = "<p>nothing of the kind</p>".repeat(80);
    let page = format!(
        "<p>Before.</p><h1>Trains</h1><h2>Brakes</h2><p>Check the air.</p><ul><li>daily</li></ul>{filler}<h3>Doors</h3><p>Close.</p>\
         <h1>Buses</h1>"
    );
    let document = storage(&page);
    let passages = document.passages();
    let texts: Vec<&str> = passages.iter().map(|passage| passage.text.as_str()).collect();
    assert_eq!(texts.join("\n\n"), document.markdown().trim_end());
    assert_eq!(texts[0], "Before.");
    assert!(
        texts[1].starts_with("# Trains\n\n## Brakes\n\nCheck the air.\n\n- daily\n\nnothing"),
        "{}",
        texts[1]
    );
    assert!(texts.iter().all(|text| text.len() <= 1200));
    assert_eq!(passages[0].headings, [""; 0]);
    assert!(passages[1..passages.len() - 2].iter().all(|passage| passage.headings == ["Trains", "Brakes"]));
    assert_eq!(passages[passages.len() - 2].headings, ["Trains", "Brakes", "Doors"]);
    assert_eq!(passages[passages.len() - 1].headings, ["Buses"]);
}

#[test]
fn a_table_or_code_stays_whole_in_a_passage_where_it_fits() {
    let text = format!("<h1>H</h1><p>{}</p>", "word ".repeat(180));
    let rows = "<tr><td>row</td><td>value</td></tr>".repeat(40);
    let document = storage(&format!("{text}<table>{rows}</table>"));
    let passages = document.passages();
    assert_eq!(passages.len(), 2);
    assert_eq!(passages[1].text.matches("value").count(), 40);
    let line = "let x = 1;\n".repeat(60);
    let code = format!(
        r#"<ac:structured-macro ac:name="code"><ac:plain-text-body><![CDATA[{line}]]></ac:plain-text-body></ac:structured-macro>"#
    );
    let document = storage(&format!("{text}{code}"));
    assert_eq!(document.passages()[1].text.matches("let x").count(), 60);
}

#[test]
fn a_passage_from_a_long_table_or_code_says_what_it_is_part_of() {
    let rows: Vec<String> =
        (0..200).map(|row| format!("<tr><td>{row}</td><td>station {row}x</td></tr>")).collect();
    let document = storage(&format!(
        "<h1>Stations</h1><table><tr><th>n</th><th>name</th></tr>{}</table>",
        rows.concat()
    ));
    let passages = document.passages();
    assert!(passages.len() > 2);
    for passage in &passages[1..] {
        assert!(passage.text.starts_with("| n | name |\n|---|---|\n| "), "{}", passage.text);
        assert!(passage.text.len() <= 1200);
        assert_eq!(passage.headings, ["Stations"]);
    }
    let code = format!(
        r#"<ac:structured-macro ac:name="code"><ac:plain-text-body><![CDATA[{}]]></ac:plain-text-body></ac:structured-macro>"#,
        "let x = 1;\n".repeat(600)
    );
    for passage in storage(&code).passages() {
        assert!(passage.text.starts_with("```") && passage.text.ends_with("```"), "{}", passage.text);
    }
}

fn page() -> impl Strategy<Value = String> {
    let leaf = prop_oneof![
        "[a-z\"\\\\é가🚂 ]{0,60}".prop_map(|text| format!("<p>{text}</p>")),
        "[a-z ]{1,10}".prop_map(|text| format!("<h2>{text}</h2>")),
        "[a-z\n` ]{0,80}".prop_map(|text| format!(
            "<ac:structured-macro ac:name=\"code\"><ac:plain-text-body><![CDATA[{text}]]></ac:plain-text-body></ac:structured-macro>"
        )),
        "[a-z]{0,60}(<br/>[a-z]{1,9}){0,4}",
        prop::collection::vec(("[a-z ]{0,9}", "[a-z ]{0,9}"), 1..8).prop_map(|rows| {
            let rows: Vec<String> = rows.iter().map(|(a, b)| format!("<tr><td>{a}</td><td>{b}</td></tr>")).collect();
            format!("<table>{}</table>", rows.concat())
        }),
    ];
    leaf.prop_recursive(4, 40, 5, |inner| {
        let many = prop::collection::vec(inner, 1..5);
        prop_oneof![
            many.clone().prop_map(|items| format!("<ul><li>{}</li></ul>", items.join("</li><li>"))),
            many.clone().prop_map(|items| format!("<ol><li>{}</li></ol>", items.join("</li><li>"))),
            many.clone().prop_map(|blocks| format!("<blockquote>{}</blockquote>", blocks.concat())),
            many.prop_map(|blocks| blocks.concat()),
        ]
    })
}

proptest! {
    #![proptest_config(super::cases(500))]

    #[test]
    fn parts_are_never_too_big_and_nothing_is_missing(page in page(), chars in 1_usize..400, bytes in 1_usize..600) {
        let document = storage(&page);
        let size = PartSize { chars, json_bytes: bytes };
        let parts = document.parts(size);
        prop_assert_eq!(&parts, &document.parts(size));
        let mut letters = String::new();
        for part in &parts {
            prop_assert!(part.text().chars().count() <= chars.max(1));
            prop_assert!(serde_json::to_string(part.text()).unwrap().len() - 2 <= bytes.max(6));
            letters.extend(part.text().chars().filter(|c| c.is_alphabetic()));
        }
        let whole: String = document.markdown().chars().filter(|c| c.is_alphabetic()).collect();
        if document.markdown().contains('|') {
            prop_assert!(letters.len() >= whole.len());
        } else {
            prop_assert_eq!(letters, whole);
        }
    }

    #[test]
    fn parts_big_enough_for_every_block_cut_none(page in page()) {
        let document = storage(&page);
        let whole = document.markdown().chars().count();
        prop_assert_eq!(document.parts(size(whole.max(1))).len(), 1);
    }
}

#[test]
fn fixtures_in_small_parts_keep_every_letter() {
    for path in fixtures() {
        let (_, document) = convert(&path);
        for chars in [40, 100, 500] {
            let parts = document.parts(size(chars));
            let mut rest = parts.iter().flat_map(|part| part.text().chars()).filter(|c| c.is_alphanumeric());
            for letter in document.markdown().chars().filter(|c| c.is_alphanumeric()) {
                assert!(rest.any(|found| found == letter), "{} in parts of {chars}", path.display());
            }
        }
    }
}
