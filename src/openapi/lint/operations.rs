use std::collections::BTreeSet;

use serde_json::{Map, Value};

use super::{Report, child, has_text, resolve};

const METHODS: [&str; 8] = ["get", "put", "post", "delete", "options", "head", "patch", "trace"];
const MOST_OPERATIONS: usize = 30;
const LONGEST_ID: usize = 64;
const LONGEST_TEXT: usize = 300;
const LONGEST_PARAMETER_TEXT: usize = 700;

/// Every operation: how many, what they are called, what goes in and what comes out.
pub(super) fn check(document: &Value, report: &mut Report) {
    let Some(paths) = document.get("paths").and_then(Value::as_object) else {
        return report.error("operations", "/paths", "Add `paths`, an object with at least one operation.");
    };
    let mut ids = BTreeSet::new();
    let mut count = 0;
    for (path, item) in paths {
        let at = child("/paths", path);
        if !path.starts_with('/') || path.contains(['?', '#']) {
            report.error("path", &at, "A path begins with a slash and holds neither ? nor #.");
        }
        let Some(item) = item.as_object() else {
            report.error("path", &at, "Must be an object with one operation for each method.");
            continue;
        };
        for (method, operation) in item {
            let at = child(&at, method);
            match method.as_str() {
                method if METHODS.contains(&method) => {
                    count += 1;
                    let operation = Operation { document, path, item, value: operation, at };
                    operation.check(&mut ids, report);
                }
                "servers" => report.error("servers", at, "The document has one server: leave this one out."),
                "parameters" | "summary" | "description" => {}
                extension if extension.starts_with("x-") => {}
                other => {
                    report.error("path", at, format!("{other:?} is no method: write it in small letters."));
                }
            }
        }
    }
    match count {
        0 => report.error("operations", "/paths", "There is no operation to call."),
        1..=MOST_OPERATIONS => {}
        many => report.error(
            "operations",
            "/paths",
            format!("ChatGPT takes {MOST_OPERATIONS} operations, found {many}."),
        ),
    }
}

struct Operation<'d> {
    document: &'d Value,
    path: &'d str,
    item: &'d Map<String, Value>,
    value: &'d Value,
    at: String,
}

impl<'d> Operation<'d> {
    fn check(&self, ids: &mut BTreeSet<&'d str>, report: &mut Report) {
        if !self.value.is_object() {
            return report.error("operation", &self.at, "An operation must be an object.");
        }
        self.check_id(ids, report);
        self.check_texts(report);
        let names = self.check_parameters(report);
        self.check_body(&names, report);
        self.check_responses(report);
        if self.value.get("servers").is_some() {
            report.error(
                "servers",
                child(&self.at, "servers"),
                "The document has one server: leave this one out.",
            );
        }
        if !matches!(self.value.get("x-openai-isConsequential"), Some(Value::Bool(_))) {
            let message =
                "State `x-openai-isConsequential`: false for what only reads, true for what changes.";
            report.error("consequential", &self.at, message);
        }
    }

    fn check_id(&self, ids: &mut BTreeSet<&'d str>, report: &mut Report) {
        let at = child(&self.at, "operationId");
        let Some(id) = self.value.get("operationId").and_then(Value::as_str) else {
            return report.error(
                "operation-id",
                &self.at,
                "Add an `operationId`: the model calls the operation by it.",
            );
        };
        let plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-');
        if id.is_empty() || id.len() > LONGEST_ID || !id.bytes().all(plain) {
            let message = format!("{id:?}: use 1 to {LONGEST_ID} ASCII letters, digits, _ and -.");
            report.error("operation-id", &at, message);
        }
        if !ids.insert(id) {
            report.error("operation-id", at, format!("{id:?} names another operation already."));
        }
    }

    fn check_texts(&self, report: &mut Report) {
        for member in ["summary", "description"] {
            let at = child(&self.at, member);
            if !has_text(self.value, member) {
                report.error(
                    "operation-text",
                    &self.at,
                    format!("Add a `{member}`: the model chooses by it."),
                );
                continue;
            }
            let text = self.value.get(member).and_then(Value::as_str).unwrap_or_default();
            check_length("operation-text", text, LONGEST_TEXT, &at, report);
            let lower = text.to_lowercase();
            if let Some(phrase) = PERSUASION.iter().find(|phrase| lower.contains(**phrase)) {
                let message =
                    format!("Say what it does and returns, not when to use it: leave out {phrase:?}.");
                report.warning("operation-text-style", at, message);
            }
        }
    }

    /// Returns the names of path and query parameters.
    fn check_parameters(&self, report: &mut Report) -> BTreeSet<&'d str> {
        let own = parameters(self.value.get("parameters"), &self.at, report);
        let item_at = self.at.rsplit_once('/').map_or("", |(item, _)| item);
        let shared = parameters(self.item.get("parameters"), item_at, report);
        // An operation's parameter replaces the path's of the same name and place.
        let shared = shared.into_iter().filter(|shared| !own.iter().any(|own| own.key() == shared.key()));
        let parameters: Vec<_> = own.iter().cloned().chain(shared).collect();

        let template = template_names(self.path);
        let mut names = BTreeSet::new();
        for parameter in &parameters {
            if !names.insert(parameter.name) {
                let message =
                    format!("{:?} is declared twice: every name stands for one thing.", parameter.name);
                report.error("parameter-name", &parameter.at, message);
            }
            if parameter.place == "path" && !template.contains(parameter.name) {
                let message = format!("The path has no {{{}}}.", parameter.name);
                report.error("path-parameter", &parameter.at, message);
            }
        }
        for name in template {
            if !parameters.iter().any(|parameter| parameter.place == "path" && parameter.name == name) {
                report.error(
                    "path-parameter",
                    &self.at,
                    format!("Declare {{{name}}}, which the path names."),
                );
            }
        }
        names
    }

    fn check_body(&self, names: &BTreeSet<&str>, report: &mut Report) {
        let Some(body) = self.value.get("requestBody") else { return };
        let at = child(&self.at, "requestBody");
        // Where a reference leads nowhere, that is a finding of its own.
        let Some(body) = resolve(self.document, body) else { return };
        let Some(content) = body.get("content").and_then(Value::as_object) else {
            return report.error("request-body", at, "Add `content` with application/json.");
        };
        for media_type in content.keys().filter(|media_type| *media_type != "application/json") {
            report.error(
                "request-body",
                &at,
                format!("ChatGPT sends application/json only, not {media_type}."),
            );
        }
        let Some(json) = content.get("application/json") else {
            return report.error("request-body", at, "Add application/json: ChatGPT sends nothing else.");
        };
        let schema = json.get("schema").and_then(|schema| resolve(self.document, schema));
        let properties = schema.and_then(|schema| schema.get("properties")).and_then(Value::as_object);
        let is_object = schema.and_then(|schema| schema.get("type")).is_some_and(|kind| kind == "object");
        let Some(properties) = properties.filter(|properties| is_object && !properties.is_empty()) else {
            let message = "The body must be an object that lists its properties: others are refused unsent.";
            return report.error("request-body", at, message);
        };
        for name in properties.keys().filter(|name| names.contains(name.as_str())) {
            let message = format!("{name:?} is a parameter too: rename one of them.");
            report.error("parameter-name", &at, message);
        }
    }

    fn check_responses(&self, report: &mut Report) {
        let at = child(&self.at, "responses");
        let empty = Map::new();
        let responses = self.value.get("responses").and_then(Value::as_object).unwrap_or(&empty);
        if !responses.keys().any(|status| status.starts_with('2') || status == "default") {
            report.error("responses", &at, "Describe the answer: add `200` with a description and a schema.");
        }
        for (status, response) in responses {
            let at = child(&at, status);
            let Some(response) = resolve(self.document, response) else { continue };
            if !has_text(response, "description") {
                report.error("responses", &at, "Add a `description`.");
            }
            for (media_type, content) in
                response.get("content").and_then(Value::as_object).into_iter().flatten()
            {
                if content.get("schema").is_none() {
                    let at = child(&child(&at, "content"), media_type);
                    report.error("responses", at, "Add a `schema`: the model reads answers by it.");
                }
            }
        }
    }
}

#[derive(Clone)]
struct Parameter<'d> {
    name: &'d str,
    place: &'d str,
    at: String,
}

impl<'d> Parameter<'d> {
    fn key(&self) -> (&'d str, &'d str) {
        (self.name, self.place)
    }
}

fn parameters<'d>(list: Option<&'d Value>, owner_at: &str, report: &mut Report) -> Vec<Parameter<'d>> {
    let at = child(owner_at, "parameters");
    let Some(list) = list else { return Vec::new() };
    let Some(list) = list.as_array() else {
        report.error("parameter", at, "`parameters` must be a list.");
        return Vec::new();
    };
    let each = list.iter().enumerate();
    each.filter_map(|(index, value)| check_parameter(value, child(&at, index), report)).collect()
}

fn check_parameter<'d>(value: &'d Value, at: String, report: &mut Report) -> Option<Parameter<'d>> {
    if let Some(inside) = find_reference(value, &at) {
        report.error("parameter-inline", inside, "Write parameters out: ChatGPT follows no `$ref` here.");
    }
    if value.get("$ref").is_some() {
        return None;
    }
    match value.get("description").and_then(Value::as_str) {
        Some(text) => {
            let at = child(&at, "description");
            check_length("parameter-text", text, LONGEST_PARAMETER_TEXT, &at, report);
        }
        None => {
            report.warning(
                "parameter-text",
                &at,
                "Add a `description`: the model fills parameters in by it.",
            );
        }
    }
    if value.get("schema").is_none() {
        report.error("parameter", &at, "Add a `schema`.");
    }
    let Some(name) = value.get("name").and_then(Value::as_str).filter(|name| !name.is_empty()) else {
        report.error("parameter", at, "Add a `name`.");
        return None;
    };
    match value.get("in").and_then(Value::as_str) {
        Some(place @ ("path" | "query")) => {
            if place == "path" && value.get("required") != Some(&Value::Bool(true)) {
                report.error("path-parameter", &at, "A path parameter is `required: true`.");
            }
            Some(Parameter { name, place, at })
        }
        Some(place @ ("header" | "cookie")) => {
            let message = format!("ChatGPT drops parameters in {place}: use the path or the query.");
            report.error("parameter-in", at, message);
            None
        }
        _ => {
            report.error("parameter-in", at, "`in` must be path or query.");
            None
        }
    }
}

/// What urges the model instead of describing.
const PERSUASION: [&str; 9] = [
    "use this when",
    "use this action",
    "use this operation",
    "use this tool",
    "use it when",
    "use when",
    "call this",
    "always call",
    "when the user",
];

fn check_length(rule: &'static str, text: &str, limit: usize, at: &str, report: &mut Report) {
    let length = text.chars().count();
    if length > limit {
        report.error(
            rule,
            at,
            format!("{length} characters, {limit} are accepted: shorten it by {}.", length - limit),
        );
    }
}

/// Where a `$ref` stands in `value`, if anywhere.
fn find_reference(value: &Value, at: &str) -> Option<String> {
    match value {
        Value::Object(members) if members.contains_key("$ref") => Some(at.to_owned()),
        Value::Object(members) => {
            members.iter().find_map(|(name, member)| find_reference(member, &child(at, name)))
        }
        Value::Array(items) => {
            items.iter().enumerate().find_map(|(index, item)| find_reference(item, &child(at, index)))
        }
        _ => None,
    }
}

fn template_names(path: &str) -> BTreeSet<&str> {
    path.split('{').skip(1).filter_map(|piece| piece.split_once('}')).map(|(name, _)| name).collect()
}
