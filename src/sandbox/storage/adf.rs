//! A body as Atlas Doc Format: the common nodes, and macros as extensions.

use serde_json::{Value, json};

use super::parse::{Element, Node, parse};

/// The document as the JSON text that `atlas_doc_format` carries.
pub fn to_adf(body: &str) -> String {
    json!({ "type": "doc", "content": blocks(&parse(body).children), "version": 1 }).to_string()
}

fn blocks(nodes: &[Node]) -> Vec<Value> {
    let mut found = Vec::new();
    let mut loose = Vec::new();
    for node in nodes {
        match node {
            Node::Element(element) if block(element).is_some() => {
                flush(&mut loose, &mut found);
                found.extend(block(element));
            }
            Node::Text(text) if text.trim().is_empty() => {}
            node => loose.extend(inlines(std::slice::from_ref(node), &[])),
        }
    }
    flush(&mut loose, &mut found);
    found
}

fn flush(loose: &mut Vec<Value>, found: &mut Vec<Value>) {
    if !loose.is_empty() {
        found.push(json!({ "type": "paragraph", "content": std::mem::take(loose) }));
    }
}

fn block(element: &Element) -> Option<Value> {
    let children = &element.children;
    let of = |kind: &str| json!({ "type": kind, "content": blocks(children) });
    Some(match element.name.as_str() {
        "p" => json!({ "type": "paragraph", "content": inlines(children, &[]) }),
        "h1" | "h2" | "h3" | "h4" | "h5" | "h6" => {
            let level = element.name[1..].parse::<u8>().unwrap_or(1);
            json!({ "type": "heading", "attrs": { "level": level }, "content": inlines(children, &[]) })
        }
        "ul" => of("bulletList"),
        "ol" => of("orderedList"),
        "li" => of("listItem"),
        "blockquote" => of("blockquote"),
        "hr" => json!({ "type": "rule" }),
        "table" => table(element),
        "ac:task-list" => task_list(element),
        "ac:structured-macro" if element.attribute("ac:name") != Some("status") => call(element),
        "ac:layout" | "ac:layout-section" | "ac:layout-cell" | "div" | "ac:rich-text-body" => {
            let inner = blocks(children);
            match inner.len() {
                1 => inner.into_iter().next()?,
                _ => json!({ "type": "layoutSection", "content": [
                    { "type": "layoutColumn", "attrs": { "width": 100 }, "content": inner } ] }),
            }
        }
        "ac:image" => json!({ "type": "mediaSingle", "attrs": { "layout": "center" }, "content": [
            { "type": "media", "attrs": { "type": "file", "alt": element.attribute("ac:alt"),
                "__fileName": element.descendant("ri:attachment").and_then(|f| f.attribute("ri:filename")) } } ] }),
        _ => return None,
    })
}

fn table(element: &Element) -> Value {
    fn rows<'a>(element: &'a Element, found: &mut Vec<&'a Element>) {
        for child in element.elements() {
            if child.name == "tr" {
                found.push(child);
            } else if child.name != "table" {
                rows(child, found);
            }
        }
    }
    let mut found = Vec::new();
    rows(element, &mut found);
    let rows: Vec<_> = found
        .into_iter()
        .map(|row| {
            let cells: Vec<_> = row
                .elements()
                .map(|cell| {
                    let kind = if cell.name == "th" { "tableHeader" } else { "tableCell" };
                    json!({ "type": kind, "content": blocks(&cell.children) })
                })
                .collect();
            json!({ "type": "tableRow", "content": cells })
        })
        .collect();
    json!({ "type": "table", "attrs": { "layout": "default" }, "content": rows })
}

fn task_list(element: &Element) -> Value {
    let items: Vec<_> = element
        .elements()
        .filter(|task| task.name == "ac:task")
        .map(|task| {
            let done = task.child("ac:task-status").is_some_and(|status| status.text() == "complete");
            let body = task.child("ac:task-body").map(|body| inlines(&body.children, &[]));
            json!({ "type": "taskItem", "attrs": { "state": if done { "DONE" } else { "TODO" } },
                "content": body.unwrap_or_default() })
        })
        .collect();
    json!({ "type": "taskList", "content": items })
}

fn call(element: &Element) -> Value {
    let name = element.attribute("ac:name").unwrap_or_default();
    let rich = || element.child("ac:rich-text-body").map(|body| blocks(&body.children)).unwrap_or_default();
    match name {
        "code" | "noformat" => {
            let text = element.child("ac:plain-text-body").map(Element::text).unwrap_or_default();
            json!({ "type": "codeBlock", "attrs": { "language": element.parameter("language") },
                "content": [{ "type": "text", "text": text }] })
        }
        "info" | "note" | "tip" | "warning" => {
            let kind = if name == "tip" { "success" } else { name };
            json!({ "type": "panel", "attrs": { "panelType": kind }, "content": rich() })
        }
        "expand" => {
            json!({ "type": "expand", "attrs": { "title": element.parameter("title") }, "content": rich() })
        }
        _ => {
            let kind =
                if element.child("ac:rich-text-body").is_some() { "bodiedExtension" } else { "extension" };
            let parameters: serde_json::Map<_, _> = element
                .elements()
                .filter(|child| child.name == "ac:parameter")
                .filter_map(|child| {
                    Some((child.attribute("ac:name")?.to_owned(), json!({ "value": child.text() })))
                })
                .collect();
            json!({ "type": kind, "attrs": {
                "extensionType": "com.atlassian.confluence.macro.core", "extensionKey": name,
                "parameters": { "macroParams": parameters } }, "content": rich() })
        }
    }
}

fn inlines(nodes: &[Node], marks: &[Value]) -> Vec<Value> {
    nodes.iter().flat_map(|node| inline(node, marks)).collect()
}

fn inline(node: &Node, marks: &[Value]) -> Vec<Value> {
    let element = match node {
        Node::Text(text) => return text_node(text, marks),
        Node::Element(element) => element,
    };
    let marked = |mark: Value| {
        let all: Vec<_> = marks.iter().cloned().chain([mark]).collect();
        inlines(&element.children, &all)
    };
    match element.name.as_str() {
        "strong" | "b" => marked(json!({ "type": "strong" })),
        "em" | "i" => marked(json!({ "type": "em" })),
        "u" => marked(json!({ "type": "underline" })),
        "s" | "del" => marked(json!({ "type": "strike" })),
        "code" => marked(json!({ "type": "code" })),
        "sub" | "sup" => marked(json!({ "type": "subsup", "attrs": { "type": element.name } })),
        "a" => marked(json!({ "type": "link", "attrs": { "href": element.attribute("href") } })),
        "br" => vec![json!({ "type": "hardBreak" })],
        "time" => vec![json!({ "type": "date", "attrs": { "timestamp": element.attribute("datetime") } })],
        "ac:emoticon" => vec![json!({ "type": "emoji", "attrs": {
            "shortName": element.attribute("ac:emoji-shortname"), "text": element.attribute("ac:emoji-fallback") } })],
        "ac:structured-macro" => vec![json!({ "type": "status", "attrs": {
            "text": element.parameter("title"), "color": element.parameter("colour").map(|c| c.to_lowercase()) } })],
        "ac:link" => link(element, marks),
        _ => inlines(&element.children, marks),
    }
}

fn link(element: &Element, marks: &[Value]) -> Vec<Value> {
    if let Some(user) = element.child("ri:user") {
        return vec![json!({ "type": "mention", "attrs": { "id": user.attribute("ri:account-id") } })];
    }
    let title = element.descendant("ri:page").and_then(|page| page.attribute("ri:content-title"));
    let text = element.text();
    text_node(if text.is_empty() { title.unwrap_or_default() } else { &text }, marks)
}

fn text_node(text: &str, marks: &[Value]) -> Vec<Value> {
    match (text.is_empty(), marks.is_empty()) {
        (true, _) => Vec::new(),
        (false, true) => vec![json!({ "type": "text", "text": text })],
        (false, false) => vec![json!({ "type": "text", "text": text, "marks": marks })],
    }
}
