//! Whatever comes in, conversion ends, parts keep their size, and cutting loses no letter.

#![no_main]

#[allow(dead_code, unused_imports)]
#[path = "../../../src/clean/mod.rs"]
mod clean;
#[allow(dead_code, unused_imports)]
#[path = "../../../src/markdown/mod.rs"]
mod markdown;

use std::collections::HashMap;

use libfuzzer_sys::fuzz_target;
use markdown::{Context, Document, Expansions, PartSize, from_html, from_storage, from_storage_with};

fuzz_target!(|data: &[u8]| {
    let Ok(body) = std::str::from_utf8(data) else { return };
    let number =
        data.iter().fold(data.len(), |number, byte| number.wrapping_mul(31).wrapping_add(usize::from(*byte)));
    let people = HashMap::new();
    let context = Context {
        wiki_url: "https://acme.atlassian.net/wiki",
        page_id: "1",
        space_key: Some("ENG"),
        people: &people,
    };
    let size = PartSize { chars: number % 512 + 1, json_bytes: number / 512 % 1024 + 6 };
    check(&from_storage(body, &context), size);
    check(&from_html(body, &context), size);
    let expansions = Expansions { rendered: Some(body), ..Expansions::default() };
    check(&from_storage_with(body, &expansions, &context), size);
});

fn check(document: &Document, size: PartSize) {
    let markdown = document.markdown();
    assert!(!markdown.contains(['\0', '\u{202e}', '\u{200b}', '\u{e0041}']));
    let mut rest = markdown.chars().filter(|c| c.is_alphanumeric()).peekable();
    for part in document.parts(size) {
        let text = part.text();
        assert!(text.chars().count() <= size.chars);
        assert!(serde_json::to_string(text).unwrap().len() - 2 <= size.json_bytes);
        for letter in text.chars().filter(|c| c.is_alphanumeric()) {
            rest.next_if_eq(&letter);
        }
    }
    assert_eq!(rest.next(), None, "a letter is in no part");
    for heading in document.headings() {
        assert!(markdown[heading.offset..].contains('#'));
        if let Some(section) = document.section(heading.text) {
            section.parts(size);
        }
    }
    let parts = document.cut(size);
    assert!(parts.outline().all(|entry| (1..=parts.count()).contains(&entry.part)));
    document.passages();
    if let Some(matching) = document.matching("a the x") {
        matching.parts(size);
    }
}
