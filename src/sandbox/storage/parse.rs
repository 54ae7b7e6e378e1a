//! A small reader of storage format: good enough for well-formed bodies, never failing on others.

/// A piece of a body. Entities and CDATA are resolved.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Node {
    Text(String),
    Element(Element),
}

#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Element {
    pub name: String,
    pub attributes: Vec<(String, String)>,
    pub children: Vec<Node>,
}

impl Element {
    pub fn attribute(&self, name: &str) -> Option<&str> {
        self.attributes.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
    }

    pub fn elements(&self) -> impl Iterator<Item = &Element> {
        self.children.iter().filter_map(|node| match node {
            Node::Element(element) => Some(element),
            Node::Text(_) => None,
        })
    }

    pub fn child(&self, name: &str) -> Option<&Element> {
        self.elements().find(|element| element.name == name)
    }

    /// The first element of this name at any depth.
    pub fn descendant(&self, name: &str) -> Option<&Element> {
        self.elements()
            .find_map(|element| if element.name == name { Some(element) } else { element.descendant(name) })
    }

    /// The value of a macro's `ac:parameter`.
    pub fn parameter(&self, name: &str) -> Option<String> {
        self.elements()
            .find(|child| child.name == "ac:parameter" && child.attribute("ac:name") == Some(name))
            .map(Element::text)
    }

    /// All text below, as it stands.
    pub fn text(&self) -> String {
        let mut text = String::new();
        collect(&self.children, &mut text);
        text
    }
}

fn collect(nodes: &[Node], into: &mut String) {
    for node in nodes {
        match node {
            Node::Text(text) => into.push_str(text),
            Node::Element(element) => collect(&element.children, into),
        }
    }
}

/// Reads a body into the children of one nameless element.
pub fn parse(body: &str) -> Element {
    let mut open = vec![Element::default()];
    let mut rest = body;
    while !rest.is_empty() {
        let Some(at) = rest.find('<') else {
            push_text(&mut open, &unescape(rest));
            break;
        };
        push_text(&mut open, &unescape(&rest[..at]));
        rest = tag(&rest[at..], &mut open);
    }
    while open.len() > 1 {
        close(&mut open);
    }
    open.pop().unwrap_or_default()
}

/// Reads what begins with `<` and returns what follows it.
fn tag<'a>(rest: &'a str, open: &mut Vec<Element>) -> &'a str {
    if let Some(data) = rest.strip_prefix("<![CDATA[") {
        let end = data.find("]]>").unwrap_or(data.len());
        push_text(open, &data[..end]);
        return data.get(end + 3..).unwrap_or("");
    }
    if let Some(comment) = rest.strip_prefix("<!--") {
        return comment.find("-->").map_or("", |end| &comment[end + 3..]);
    }
    let end = tag_end(rest);
    let inside = rest[1..end].trim_end_matches('>');
    if let Some(name) = inside.strip_prefix('/') {
        let name = name.trim();
        if let Some(depth) = open.iter().rposition(|element| element.name == name).filter(|depth| *depth > 0)
        {
            while open.len() > depth {
                close(open);
            }
        }
    } else if !inside.starts_with(['!', '?']) {
        let inner = inside.trim_end_matches('/');
        let empty = inner.len() < inside.len();
        open.push(element(inner));
        if empty || matches!(open.last().map(|e| e.name.as_str()), Some("br" | "hr" | "img" | "col")) {
            close(open);
        }
    }
    &rest[end..]
}

/// Where a tag ends: after the first `>` outside quotes.
fn tag_end(rest: &str) -> usize {
    let mut quote = None;
    for (at, c) in rest.char_indices() {
        match (quote, c) {
            (None, '"' | '\'') => quote = Some(c),
            (Some(open), c) if open == c => quote = None,
            (None, '>') => return at + 1,
            _ => {}
        }
    }
    rest.len()
}

fn element(inside: &str) -> Element {
    let name_end = inside.find(char::is_whitespace).unwrap_or(inside.len());
    let mut element = Element { name: inside[..name_end].to_owned(), ..Element::default() };
    let mut rest = inside[name_end..].trim_start();
    while let Some(equals) = rest.find('=') {
        let name = rest[..equals].trim();
        let value = rest[equals + 1..].trim_start();
        let Some(quote) = value.chars().next().filter(|c| matches!(c, '"' | '\'')) else { break };
        let end = value[1..].find(quote).map_or(value.len(), |at| at + 1);
        element.attributes.push((name.to_owned(), unescape(&value[1..end])));
        rest = value.get(end + 1..).unwrap_or("").trim_start();
    }
    element
}

fn push_text(open: &mut [Element], text: &str) {
    if text.is_empty() {
        return;
    }
    if let Some(element) = open.last_mut() {
        element.children.push(Node::Text(text.to_owned()));
    }
}

fn close(open: &mut Vec<Element>) {
    if let Some(element) = open.pop()
        && let Some(parent) = open.last_mut()
    {
        parent.children.push(Node::Element(element));
    }
}

/// Resolves the entities that storage format uses.
pub fn unescape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find('&') {
        out.push_str(&rest[..at]);
        rest = &rest[at..];
        let end = rest.find(';').filter(|end| *end < 12);
        let resolved = end.and_then(|end| Some((entity(&rest[1..end])?, end)));
        let (c, end) = resolved.unwrap_or(('&', 0));
        out.push(c);
        rest = &rest[end + 1..];
    }
    out.push_str(rest);
    out
}

fn entity(name: &str) -> Option<char> {
    if let Some(number) = name.strip_prefix('#') {
        let code = match number.strip_prefix(['x', 'X']) {
            Some(hex) => u32::from_str_radix(hex, 16).ok()?,
            None => number.parse().ok()?,
        };
        return char::from_u32(code);
    }
    Some(match name {
        "amp" => '&',
        "lt" => '<',
        "gt" => '>',
        "quot" => '"',
        "apos" => '\'',
        "nbsp" => '\u{a0}',
        "ndash" => '–',
        "mdash" => '—',
        "hellip" => '…',
        "rarr" => '→',
        "larr" => '←',
        "bull" => '•',
        "middot" => '·',
        "lsquo" => '‘',
        "rsquo" => '’',
        "ldquo" => '“',
        "rdquo" => '”',
        "eacute" => 'é',
        "uuml" => 'ü',
        "ouml" => 'ö',
        "auml" => 'ä',
        "szlig" => 'ß',
        "times" => '×',
        "euro" => '€',
        "copy" => '©',
        "deg" => '°',
        "le" => '≤',
        "ge" => '≥',
        _ => return None,
    })
}
