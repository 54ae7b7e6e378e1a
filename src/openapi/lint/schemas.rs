use serde_json::{Map, Value};

use super::{Report, child};

/// Every schema of the document, wherever it stands.
pub(super) fn check(document: &Value, report: &mut Report) {
    match document.pointer("/components/schemas") {
        Some(Value::Object(_)) => {}
        _ => report.error(
            "components-schemas",
            "/components/schemas",
            "Must be an object, {} when there is none.",
        ),
    }
    for part in ["paths", "components", "webhooks"] {
        if let Some(value) = document.get(part) {
            find(value, &format!("/{part}"), report);
        }
    }
}

/// Looks for schemas below something that is not one.
fn find(value: &Value, at: &str, report: &mut Report) {
    match value {
        Value::Object(members) => {
            for (name, member) in members {
                let at = child(at, name);
                match (name.as_str(), member) {
                    ("schema", _) => check_schema(member, &at, report),
                    ("schemas", Value::Object(schemas)) if at == "/components/schemas" => {
                        check_named(schemas, &at, report);
                    }
                    ("example" | "examples", _) => {}
                    _ => find(member, &at, report),
                }
            }
        }
        Value::Array(items) => {
            for (index, item) in items.iter().enumerate() {
                find(item, &child(at, index), report);
            }
        }
        _ => {}
    }
}

fn check_named(schemas: &Map<String, Value>, at: &str, report: &mut Report) {
    for (name, schema) in schemas {
        check_schema(schema, &child(at, name), report);
    }
}

fn check_schema(schema: &Value, at: &str, report: &mut Report) {
    let Some(members) = schema.as_object() else {
        return report.error("schema", at, "A schema must be an object, with a `type` or a `$ref`.");
    };
    check_type(members, at, report);
    for (name, member) in members {
        let at = child(at, name);
        match (name.as_str(), member) {
            ("oneOf" | "anyOf" | "allOf" | "not" | "if" | "then" | "else", _) => {
                let message = format!("ChatGPT stumbles over `{name}`: write one plain schema instead.");
                report.error("schema-combination", &at, message);
                check_inner(member, &at, report);
            }
            (
                "properties" | "patternProperties" | "$defs" | "definitions" | "dependentSchemas",
                Value::Object(named),
            ) => {
                check_named(named, &at, report);
            }
            ("items" | "prefixItems" | "contains" | "propertyNames", _) => check_inner(member, &at, report),
            ("additionalProperties" | "unevaluatedProperties", Value::Object(_)) => {
                check_schema(member, &at, report);
            }
            _ => {}
        }
    }
}

/// One schema, or a list of them.
fn check_inner(value: &Value, at: &str, report: &mut Report) {
    match value {
        Value::Array(schemas) => {
            for (index, schema) in schemas.iter().enumerate() {
                check_schema(schema, &child(at, index), report);
            }
        }
        one => check_schema(one, at, report),
    }
}

fn check_type(schema: &Map<String, Value>, at: &str, report: &mut Report) {
    let properties = schema.get("properties");
    match schema.get("type") {
        Some(Value::String(kind)) => match kind.as_str() {
            "object" if properties.is_none() => {
                report.error("object-properties", at, "An object must list its `properties`.");
            }
            "array" if schema.get("items").is_none() => {
                report.error("array-items", at, "An array must say what its `items` are.");
            }
            "object" | "array" | "string" | "number" | "integer" | "boolean" => {}
            other => {
                report.error(
                    "schema-type",
                    child(at, "type"),
                    format!("{other:?} is no type ChatGPT knows."),
                );
            }
        },
        Some(Value::Array(_)) => {
            let message = "One type only: for something that may be absent, leave it out of `required`.";
            report.error("type-array", child(at, "type"), message);
        }
        Some(_) => report.error("schema-type", child(at, "type"), "`type` must be a string."),
        None if ["$ref", "oneOf", "anyOf", "allOf", "not"]
            .iter()
            .any(|member| schema.contains_key(*member)) => {}
        None => report.warning("schema-type", at, "Add a `type`: without it the model has to guess."),
    }
    if properties.is_some_and(|properties| !properties.is_object()) {
        report.error("object-properties", child(at, "properties"), "`properties` must be an object.");
    }
}
