//! Markdown of Confluence bodies. What each element becomes is in `tests/fixtures/markdown/`: NAME.xhtml (storage format) or
//! NAME.html (rendered) and NAME.md. `EXPECTORATE=overwrite cargo test markdown` rewrites the .md files.

use std::collections::HashMap;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use causeway::markdown::{self, Context, Document};
use proptest::test_runner::Config as ProptestConfig;

#[path = "markdown_expansions.rs"]
mod expansions;
#[path = "markdown_hostile.rs"]
mod hostile;
#[path = "markdown_inline.rs"]
mod inline;
#[path = "markdown_parse_back.rs"]
mod parse_back;
#[path = "markdown_parts.rs"]
mod parts;

const WIKI: &str = "https://acme.atlassian.net/wiki";

fn cases(cases: u32) -> ProptestConfig {
    ProptestConfig { cases, failure_persistence: None, ..ProptestConfig::default() }
}

fn people() -> HashMap<String, String> {
    let people = [("557058:ada", "Ada Lovelace"), ("557058:eve", "![x](https://evil.example/p.png)")];
    people.into_iter().map(|(id, name)| (id.to_owned(), name.to_owned())).collect()
}

fn with_context<T>(use_it: impl FnOnce(&Context<'_>) -> T) -> T {
    let people = people();
    use_it(&Context { wiki_url: WIKI, page_id: "12345", space_key: Some("ENG"), people: &people })
}

fn storage(body: &str) -> Document {
    with_context(|context| markdown::from_storage(body, context))
}

fn html(body: &str) -> Document {
    with_context(|context| markdown::from_html(body, context))
}

fn fixtures() -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/markdown");
    let mut paths: Vec<PathBuf> =
        std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    paths
        .retain(|path| path.extension().is_some_and(|extension| extension == "xhtml" || extension == "html"));
    paths.sort();
    paths
}

fn convert(path: &Path) -> (String, Document) {
    let source = std::fs::read_to_string(path).unwrap();
    let is_html = path.extension().is_some_and(|extension| extension == "html");
    let document = if is_html { html(&source) } else { storage(&source) };
    (source, document)
}

#[test]
fn every_element_becomes_what_its_golden_file_says() {
    for path in fixtures() {
        let (_, document) = convert(&path);
        let mut expected = document.markdown().to_owned();
        for omitted in document.omitted() {
            write!(expected, "\n<!-- omitted: {} × {} -->", omitted.what, omitted.count).unwrap();
        }
        if !document.omitted().is_empty() {
            expected.push('\n');
        }
        expectorate::assert_contents(path.with_extension("md"), &expected);
    }
}

#[test]
fn no_visible_word_of_a_page_is_lost() {
    for path in fixtures() {
        let (source, document) = convert(&path);
        let mut rest = words(&unmarked(document.markdown()));
        for (word, count) in words(&visible_text(&source)) {
            let found = rest.remove(&word).unwrap_or_default();
            assert!(
                found >= count || !document.omitted().is_empty(),
                "{}: {word:?} is there {count} times, in the Markdown {found} times",
                path.display(),
            );
        }
    }
}

#[test]
fn mentioned_people_are_listed_once_and_in_order() {
    let body = r#"<ac:link><ri:user ri:account-id="b" /></ac:link><ac:link><ri:user ri:account-id='a&amp;1'/></ac:link>
        <ac:task-body><ri:user ri:account-id="b"></ri:user></ac:task-body><ri:user />"#;
    assert_eq!(markdown::mentioned_people(body), ["b", "a&1"]);
}

fn words(text: &str) -> HashMap<String, usize> {
    let mut words = HashMap::new();
    for word in text.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty()) {
        *words.entry(word.to_owned()).or_default() += 1;
    }
    words
}

/// Markdown without backslashes, tags and marks, as far as words are concerned.
fn unmarked(markdown: &str) -> String {
    let mut text = String::new();
    let mut characters = markdown.replace("<br>", " ").chars().collect::<Vec<_>>().into_iter().peekable();
    while let Some(character) = characters.next() {
        if character != '\\' || !characters.peek().is_some_and(char::is_ascii_punctuation) {
            text.push(character);
        }
    }
    for mark in ["**", "~~", "`", "*", "<strong>", "</strong>", "<sub>", "</sub>", "<sup>", "</sup>"] {
        text = text.replace(mark, "");
    }
    text
}

/// The text between tags, without parameters and what is never shown. Marks do not divide words, other tags do.
fn visible_text(source: &str) -> String {
    const UNSEEN: [&str; 9] = [
        "ac:parameter",
        "ac:task-id",
        "ac:task-uuid",
        "ac:task-status",
        "ac:adf-attribute",
        "ac:adf-fallback",
        "script",
        "style",
        "iframe",
    ];
    const MARKS: [&str; 12] =
        ["strong", "b", "em", "i", "u", "s", "sub", "sup", "span", "code", "a", "ac:inline-comment-marker"];
    let mut text = String::new();
    let mut unseen = 0;
    let mut rest = source;
    while let Some(at) = rest.find('<') {
        if unseen == 0 {
            text.push_str(&unescaped(&rest[..at]));
        }
        rest = &rest[at..];
        if let Some(literal) = rest.strip_prefix("<![CDATA[") {
            let end = literal.find("]]>").unwrap_or(literal.len());
            if unseen == 0 {
                text.push_str(&literal[..end]);
            }
            rest = literal.get(end + 3..).unwrap_or_default();
            continue;
        }
        let end = if rest.starts_with("<!--") { rest.find("-->").map(|at| at + 2) } else { rest.find('>') };
        let Some(end) = end else { return text };
        let tag = &rest[1..end];
        let name = tag.trim_start_matches('/').split([' ', '/', '\n']).next().unwrap_or_default();
        if !name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '!') {
            text.push('<');
            rest = &rest[1..];
            continue;
        }
        if UNSEEN.contains(&name) && !tag.ends_with('/') {
            unseen = if tag.starts_with('/') { usize::max(unseen, 1) - 1 } else { unseen + 1 };
        }
        if !MARKS.contains(&name) {
            text.push(' ');
        }
        rest = &rest[end + 1..];
    }
    text + &unescaped(rest)
}

fn unescaped(text: &str) -> String {
    let named = [
        ("&nbsp;", " "),
        ("&mdash;", "—"),
        ("&hellip;", "…"),
        ("&eacute;", "é"),
        ("&#233;", "é"),
        ("&#xe9;", "é"),
    ];
    let signs = [
        ("&copy;", "©"),
        ("&lt;", "<"),
        ("&gt;", ">"),
        ("&notin;", "∉"),
        ("&hearts;", "♥"),
        ("&#x1F682;", "🚂"),
    ];
    let mut text = text.to_owned();
    for (name, character) in named.iter().chain(&signs).chain(&[("&amp;", "&")]) {
        text = text.replace(name, character);
    }
    text
}
