//! What search sees of a body: its plain text, its macros and whom it mentions.

use super::parse::{Element, Node, parse};

/// A body as the index holds it.
#[derive(Debug, Clone, Default)]
pub struct Seen {
    pub text: String,
    pub macros: Vec<String>,
    /// Account ids.
    pub mentions: Vec<String>,
}

pub fn read(body: &str) -> Seen {
    let mut seen = Seen::default();
    walk(&parse(body).children, &mut seen);
    seen.text = lines(&seen.text);
    seen
}

/// Runs of white space become one space, or one line break where they hold one: excerpts keep those.
fn lines(text: &str) -> String {
    let words = |line: &str| line.split_whitespace().collect::<Vec<_>>().join(" ");
    text.lines().map(words).filter(|line| !line.is_empty()).collect::<Vec<_>>().join("\n")
}

fn walk(nodes: &[Node], seen: &mut Seen) {
    for node in nodes {
        match node {
            Node::Text(text) => seen.text.push_str(text),
            Node::Element(element) => visit(element, seen),
        }
    }
}

fn visit(element: &Element, seen: &mut Seen) {
    match element.name.as_str() {
        // Macro parameters are configuration, not text; a status shows its title.
        "ac:parameter" | "ac:task-id" | "ac:task-uuid" | "ac:task-status" | "ac:placeholder" => return,
        "ac:structured-macro" => {
            let name = element.attribute("ac:name").unwrap_or_default().to_owned();
            if name == "status" {
                seen.text.push_str(&element.parameter("title").unwrap_or_default());
            }
            seen.macros.push(name);
        }
        "ri:user" => {
            if let Some(account) = element.attribute("ri:account-id") {
                seen.mentions.push(account.to_owned());
            }
        }
        _ => {}
    }
    walk(&element.children, seen);
    if !is_inline(&element.name) {
        seen.text.push('\n');
    }
}

fn is_inline(name: &str) -> bool {
    matches!(
        name,
        "strong"
            | "b"
            | "em"
            | "i"
            | "u"
            | "s"
            | "del"
            | "code"
            | "span"
            | "sub"
            | "sup"
            | "a"
            | "ac:link"
            | "ac:link-body"
            | "ac:plain-text-link-body"
            | "ac:inline-comment-marker"
            | "small"
    )
}
