use serde_json::Value;

use super::{Report, child};

/// Every `$ref` leads to a place in this document, and none leads back to itself.
pub(super) fn check(document: &Value, report: &mut Report) {
    let mut references = Vec::new();
    collect(document, "", &mut references);
    let mut sound = Vec::new();
    for (at, target) in references {
        match target.as_str().map(|text| (text, text.strip_prefix('#'))) {
            None => report.error("reference", at, "`$ref` must be a string."),
            Some((text, None)) => {
                report.error(
                    "reference",
                    at,
                    format!("{text:?} is outside the document: ChatGPT follows no other."),
                );
            }
            Some((text, Some(pointer))) => match document.pointer(pointer) {
                Some(_) => sound.push((at, pointer)),
                None => {
                    report.error("reference", at, format!("{text:?} leads nowhere: add it or name another."));
                }
            },
        }
    }
    check_circles(&sound, report);
}

/// The places and targets of all references. What is data (examples, defaults) or a name is no reference.
fn collect<'d>(value: &'d Value, at: &str, references: &mut Vec<(String, &'d Value)>) {
    match value {
        Value::Object(members) => {
            for (name, member) in members {
                match name.as_str() {
                    "$ref" => references.push((at.to_owned(), member)),
                    "example" | "examples" | "default" | "enum" | "const" if !holds_names(at) => {}
                    _ => collect(member, &child(at, name), references),
                }
            }
        }
        Value::Array(items) => {
            for (index, item) in items.iter().enumerate() {
                collect(item, &child(at, index), references);
            }
        }
        _ => {}
    }
}

/// Whether the members of the object at this place are named by its author.
fn holds_names(at: &str) -> bool {
    ["/properties", "/schemas", "/responses", "/patternProperties", "/$defs"]
        .iter()
        .any(|end| at.ends_with(end))
}

fn check_circles(references: &[(String, &str)], report: &mut Report) {
    let mut targets: Vec<&str> = references.iter().map(|(_, target)| *target).collect();
    targets.sort_unstable();
    targets.dedup();
    // From each target to the targets that are named within it.
    let leads_to: Vec<Vec<usize>> = targets
        .iter()
        .map(|target| {
            let inside = references.iter().filter(|(at, _)| is_within(at, target));
            inside.filter_map(|(_, next)| targets.binary_search(next).ok()).collect()
        })
        .collect();
    for (start, target) in targets.iter().enumerate() {
        let mut seen = vec![false; targets.len()];
        let mut open = leads_to[start].clone();
        while let Some(next) = open.pop() {
            if !std::mem::replace(&mut seen[next], true) {
                open.extend(&leads_to[next]);
            }
        }
        if seen[start] {
            report.error(
                "circular-reference",
                *target,
                "Refers back to itself: ChatGPT needs it flat, such as a list of ids.",
            );
        }
    }
}

fn is_within(at: &str, target: &str) -> bool {
    at.strip_prefix(target).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}
