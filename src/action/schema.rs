//! Makes utoipa's schemas plain: what ChatGPT accepts, and what MCP tools need, is a tree without references, nulls,
//! `allOf` or recursion.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};
use utoipa::ToSchema;

/// The plain schema of `T`: an object whose parts are all written out.
///
/// A recursive type has no such schema and gives an object that refers to nothing; the lint of the document finds it.
pub fn plain<T: ToSchema>() -> Map<String, Value> {
    let mut referenced = Vec::new();
    T::schemas(&mut referenced);
    let definitions: BTreeMap<String, Value> = referenced
        .into_iter()
        .map(|(name, schema)| (name, serde_json::to_value(schema).unwrap_or_default()))
        .collect();
    let root = serde_json::to_value(T::schema()).unwrap_or_default();
    match flatten(root, &definitions, &mut Vec::new()) {
        Value::Object(object) => object,
        _ => Map::new(),
    }
}

/// Every action takes the site, for people with more than one.
pub fn add_site(input: &mut Map<String, Value>) {
    let properties = input.entry("properties").or_insert_with(|| json!({}));
    properties["site"] = json!({
        "type": "string",
        "maxLength": 255,
        "description": "Which Confluence site to use, for people with more than one: its name, host or cloud id. Leave it out otherwise.",
        "examples": ["acme.atlassian.net"],
    });
}

/// Resolves one schema and everything below it. `open` holds the names being resolved, so that recursion ends.
fn flatten(schema: Value, definitions: &BTreeMap<String, Value>, open: &mut Vec<String>) -> Value {
    let Value::Object(mut schema) = schema else { return schema };
    if let Some(Value::String(reference)) = schema.remove("$ref") {
        let name = reference.rsplit('/').next().unwrap_or_default().to_owned();
        let target = definitions.get(&name).filter(|_| !open.contains(&name));
        let Some(target) = target.cloned() else { return json!({ "$ref": reference }) };
        open.push(name);
        let resolved = flatten(target, definitions, open);
        open.pop();
        return merge(resolved, schema);
    }
    for word in ["oneOf", "anyOf", "allOf"] {
        if let Some(Value::Array(parts)) = schema.remove(word) {
            let parts = parts.into_iter().filter(|part| part.get("type") != Some(&json!("null")));
            let merged = parts.map(|part| member(part, word, definitions, open)).fold(json!({}), combine);
            return merge(merged, schema);
        }
    }
    without_null(&mut schema);
    for word in ["properties", "patternProperties"] {
        if let Some(Value::Object(properties)) = schema.get_mut(word) {
            for property in properties.values_mut() {
                *property = flatten(property.take(), definitions, open);
            }
        }
    }
    for word in ["items", "additionalProperties"] {
        if let Some(inner) = schema.get_mut(word) {
            *inner = flatten(inner.take(), definitions, open);
        }
    }
    Value::Object(schema)
}

/// A part of a combination. Flattened into another object, what may be null requires nothing.
fn member(part: Value, word: &str, definitions: &BTreeMap<String, Value>, open: &mut Vec<String>) -> Value {
    let alternatives = part.get("oneOf").and_then(Value::as_array);
    let optional =
        alternatives.is_some_and(|all| all.iter().any(|one| one.get("type") == Some(&json!("null"))));
    let mut part = flatten(part, definitions, open);
    if let (true, "allOf", Some(object)) = (optional, word, part.as_object_mut()) {
        object.remove("required");
    }
    part
}

/// `["string", "null"]` is `string` that may be absent; formats of integers say nothing that their limits do not.
fn without_null(schema: &mut Map<String, Value>) {
    if let Some(Value::Array(types)) = schema.get("type") {
        let kept = types.iter().find(|name| *name != "null").cloned();
        schema.insert("type".to_owned(), kept.unwrap_or_default());
    }
    if schema.get("type") == Some(&json!("integer")) || schema.get("type") == Some(&json!("number")) {
        schema.remove("format");
    }
    if let Some(example) = schema.remove("example") {
        schema.insert("examples".to_owned(), json!([example]));
    }
}

/// What stands beside a reference, such as a field's own description, counts more than what the target says.
fn merge(base: Value, beside: Map<String, Value>) -> Value {
    let Value::Object(mut base) = base else { return Value::Object(beside) };
    let mut beside = beside;
    without_null(&mut beside);
    base.extend(beside);
    Value::Object(base)
}

/// Two parts of an `allOf` as one object.
fn combine(one: Value, other: Value) -> Value {
    let (Value::Object(mut one), Value::Object(other)) = (one, other) else { return json!({}) };
    for (word, value) in other {
        match (one.get_mut(&word), value) {
            (Some(Value::Object(known)), Value::Object(more)) => known.extend(more),
            (Some(Value::Array(known)), Value::Array(more)) => known.extend(more),
            // Beside a reference, utoipa calls the bearer of a default an object, whatever the reference is.
            (Some(_), _) if word == "type" => {}
            (_, value) => drop(one.insert(word, value)),
        }
    }
    Value::Object(one)
}

#[cfg(test)]
mod tests {
    use serde::Serialize;

    use super::*;

    #[derive(Serialize, ToSchema)]
    struct Inner {
        /// A number.
        #[schema(minimum = 1, example = 3)]
        count: Option<u32>,
    }

    #[derive(Serialize, ToSchema)]
    struct Shared {
        id: String,
    }

    /// Outer.
    #[derive(Serialize, ToSchema)]
    struct Outer {
        #[serde(flatten)]
        shared: Shared,
        /// My inner.
        inner: Option<Inner>,
        list: Vec<Inner>,
    }

    #[test]
    fn a_schema_becomes_a_tree_without_references_nulls_or_combinations() {
        let text = Value::Object(plain::<Outer>()).to_string();
        for word in ["$ref", "null", "allOf", "oneOf", "anyOf"] {
            assert!(!text.contains(word), "{word} in {text}");
        }
        let schema = Value::Object(plain::<Outer>());
        assert_eq!(schema["properties"]["inner"]["description"], "My inner.");
        assert_eq!(schema["properties"]["id"]["type"], "string");
        assert_eq!(
            schema["properties"]["list"]["items"]["properties"]["count"],
            json!({"type": "integer", "minimum": 1, "description": "A number.", "examples": [3]})
        );
    }

    #[derive(Serialize, ToSchema)]
    struct Endless {
        #[schema(no_recursion)]
        more: Vec<Endless>,
    }

    #[test]
    fn recursion_is_left_as_a_reference_for_the_lint_to_find() {
        assert!(Value::Object(plain::<Endless>()).to_string().contains("$ref"));
    }
}
