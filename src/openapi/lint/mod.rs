//! ChatGPT's rules for an Actions document, as a pure function.
//!
//! ChatGPT refuses a document as a whole and seldom says why; a finding says where, what, and how to mend it.

mod operations;
mod references;
mod schemas;
mod security;
mod servers;
#[cfg(test)]
mod tests;

use std::fmt;

use serde_json::{Map, Value};

/// Something ChatGPT will refuse, drop or misread.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    pub severity: Severity,
    /// A short name, the same for every breach of one rule.
    pub rule: &'static str,
    /// A JSON pointer into the document; empty for the document itself.
    pub at: String,
    /// What is wrong and how to mend it.
    pub message: String,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Severity {
    /// Works, but not for everyone or not as meant.
    Warning,
    /// ChatGPT refuses the document or a call.
    Error,
}

/// Everything in `document` that breaks one of ChatGPT's rules, in the order of the document's parts.
pub fn lint(document: &Value) -> Vec<Finding> {
    let mut report = Report::default();
    let Some(root) = document.as_object() else {
        report.error("document", "", "An OpenAPI document is a JSON object.");
        return report.findings;
    };
    // Every later pass walks the document by recursion.
    if let Some(at) = too_deep(document) {
        report.error("nesting", at, format!("Nested more than {DEEPEST} levels deep: flatten it."));
        return report.findings;
    }
    version(root, &mut report);
    servers::check(root, &mut report);
    operations::check(document, &mut report);
    security::check(root, &mut report);
    schemas::check(document, &mut report);
    references::check(document, &mut report);
    // What several operations share is found once for each of them.
    let mut findings = Vec::with_capacity(report.findings.len());
    for finding in report.findings {
        if !findings.contains(&finding) {
            findings.push(finding);
        }
    }
    findings
}

/// [`lint`], and whether the document fits the URL that a builder pastes into ChatGPT to import it.
pub fn lint_import(document: &Value, import_url: &str) -> Vec<Finding> {
    let mut findings = lint(document);
    let mut report = Report::default();
    servers::check_import(document, import_url, &mut report);
    findings.append(&mut report.findings);
    findings
}

fn version(root: &Map<String, Value>, report: &mut Report) {
    match root.get("openapi") {
        Some(Value::String(version)) if version == "3.1.0" => {}
        Some(found) => {
            report.error("openapi-version", "/openapi", format!("Must be \"3.1.0\", found {found}."));
        }
        None => report.error("openapi-version", "", "Add `openapi: \"3.1.0\"`."),
    }
    let info = root.get("info");
    for member in ["title", "version"] {
        if info.is_none_or(|info| !has_text(info, member)) {
            report.error("info", "/info", format!("Add a `{member}`, a string that is not empty."));
        }
    }
}

const DEEPEST: usize = 64;

/// Where the document first nests deeper than anything may. Keeps its own stack.
fn too_deep(document: &Value) -> Option<String> {
    let mut open = vec![(document, 0, String::new())];
    while let Some((value, depth, at)) = open.pop() {
        if depth > DEEPEST {
            return Some(at);
        }
        match value {
            Value::Object(members) => {
                open.extend(members.iter().map(|(name, member)| (member, depth + 1, child(&at, name))));
            }
            Value::Array(items) => {
                open.extend(
                    items.iter().enumerate().map(|(index, item)| (item, depth + 1, child(&at, index))),
                );
            }
            _ => {}
        }
    }
    None
}

#[derive(Default)]
struct Report {
    findings: Vec<Finding>,
}

impl Report {
    fn error(&mut self, rule: &'static str, at: impl Into<String>, message: impl Into<String>) {
        self.push(Severity::Error, rule, at.into(), message.into());
    }

    fn warning(&mut self, rule: &'static str, at: impl Into<String>, message: impl Into<String>) {
        self.push(Severity::Warning, rule, at.into(), message.into());
    }

    fn push(&mut self, severity: Severity, rule: &'static str, at: String, message: String) {
        self.findings.push(Finding { severity, rule, at, message });
    }
}

/// The JSON pointer of `member` below `at`.
fn child(at: &str, member: impl fmt::Display) -> String {
    format!("{at}/{}", member.to_string().replace('~', "~0").replace('/', "~1"))
}

fn has_text(value: &Value, member: &str) -> bool {
    value.get(member).and_then(Value::as_str).is_some_and(|text| !text.trim().is_empty())
}

/// What a chain of `$ref`s at `value` ends at; `value` itself without one. `None` when it leads nowhere.
fn resolve<'d>(document: &'d Value, value: &'d Value) -> Option<&'d Value> {
    let mut value = value;
    for _ in 0..16 {
        match value.get("$ref") {
            None => return Some(value),
            Some(reference) => value = document.pointer(reference.as_str()?.strip_prefix('#')?)?,
        }
    }
    None
}

impl fmt::Display for Severity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Warning => "warning",
            Self::Error => "error",
        })
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let at = if self.at.is_empty() { "the document" } else { &self.at };
        write!(f, "{}: {at}: {} [{}]", self.severity, self.message, self.rule)
    }
}
