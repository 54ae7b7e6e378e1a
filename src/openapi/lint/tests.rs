use proptest::prelude::*;
use serde_json::json;

use super::*;

const SEARCH: &str = "/paths/~1v1~1search/get";
const PAGE: &str = "/paths/~1v1~1pages~1{id}/get";
const NOTE: &str = "/paths/~1v1~1pages~1{id}~1notes/post";

fn good() -> Value {
    json!({
        "openapi": "3.1.0",
        "info": {"title": "Causeway", "version": "1"},
        "servers": [{"url": "https://wiki.acme.example"}],
        "paths": {
            "/v1/search": {"get": {
                "operationId": "searchConfluence",
                "summary": "Search",
                "description": "Finds pages and returns them, best first.",
                "x-openai-isConsequential": false,
                "parameters": [
                    {"name": "query", "in": "query", "description": "Words.", "schema": {"type": "string"}},
                    {"name": "limit", "in": "query", "description": "How many.", "schema": {"type": "integer"}},
                ],
                "responses": {
                    "200": {"description": "Pages.", "content": {"application/json": {
                        "schema": {"type": "array", "items": {"$ref": "#/components/schemas/Page"}}
                    }}},
                    "default": {"$ref": "#/components/responses/Problem"},
                },
            }},
            "/v1/pages/{id}": {
                "parameters": [
                    {"name": "id", "in": "path", "required": true, "description": "Which.", "schema": {"type": "string"}},
                ],
                "get": {
                    "operationId": "getPage",
                    "summary": "Read a page",
                    "description": "Returns a page as Markdown.",
                    "x-openai-isConsequential": false,
                    "responses": {"200": {"description": "The page.", "content": {"application/json": {
                        "schema": {"$ref": "#/components/schemas/Page"}
                    }}}},
                },
            },
            "/v1/pages/{id}/notes": {"post": {
                "operationId": "addNote",
                "summary": "Add a note",
                "description": "Adds a note to a page and returns nothing.",
                "x-openai-isConsequential": true,
                "parameters": [
                    {"name": "id", "in": "path", "required": true, "description": "Which.", "schema": {"type": "string"}},
                ],
                "requestBody": {"content": {"application/json": {"schema": {"$ref": "#/components/schemas/Note"}}}},
                "responses": {"204": {"description": "Added."}},
            }},
        },
        "components": {
            "schemas": {
                "Page": {"type": "object", "properties": {
                    "id": {"type": "string"},
                    "enum": {"type": "array", "items": {"type": "string", "enum": ["a"]}},
                    "space": {"$ref": "#/components/schemas/Space"},
                }},
                "Space": {"type": "object", "properties": {"key": {"type": "string", "example": {"$ref": "data"}}}},
                "Note": {"type": "object", "properties": {"text": {"type": "string"}}},
            },
            "responses": {"Problem": {"description": "What went wrong.", "content": {"application/problem+json": {
                "schema": {"type": "object", "properties": {"title": {"type": "string"}}}
            }}}},
            "securitySchemes": {"oauth": {"type": "oauth2", "flows": {}}},
        },
        "security": [{"oauth": ["confluence:read"]}],
    })
}

/// The good document with `value` at `pointer`: in the place of what is there, or new.
fn with(pointer: &str, value: Value) -> Value {
    let mut document = good();
    let (parent, name) = pointer.rsplit_once('/').unwrap();
    let name = name.replace("~1", "/").replace("~0", "~");
    match document.pointer_mut(parent).unwrap() {
        Value::Object(members) => drop(members.insert(name, value)),
        Value::Array(items) => match name.parse::<usize>() {
            Ok(index) => items[index] = value,
            Err(_) => items.push(value),
        },
        other => panic!("{parent} is {other}"),
    }
    document
}

fn without(pointer: &str) -> Value {
    let mut document = good();
    let (parent, name) = pointer.rsplit_once('/').unwrap();
    let parent = document.pointer_mut(parent).unwrap().as_object_mut().unwrap();
    parent.shift_remove(&name.replace("~1", "/")).unwrap();
    document
}

#[track_caller]
fn check(document: &Value, expected: &[(Severity, &str, &str)]) {
    let findings = lint(document);
    let found: Vec<_> = findings.iter().map(|it| (it.severity, it.rule, it.at.as_str())).collect();
    assert_eq!(found, expected, "{findings:#?}");
}

/// Exactly one finding, an error.
#[track_caller]
fn check_error(document: &Value, rule: &str, at: &str) {
    check(document, &[(Severity::Error, rule, at)]);
}

#[track_caller]
fn check_warning(document: &Value, rule: &str, at: &str) {
    check(document, &[(Severity::Warning, rule, at)]);
}

#[test]
fn the_good_document_has_no_finding() {
    check(&good(), &[]);
    assert_eq!(lint_import(&good(), "https://wiki.acme.example/openapi.json"), []);
}

#[test]
fn a_finding_reads_as_one_line() {
    let finding = &lint(&with("/openapi", json!("3.0.3")))[0];
    let line = "error: /openapi: Must be \"3.1.0\", found \"3.0.3\". [openapi-version]";
    assert_eq!(finding.to_string(), line);
    assert!(lint(&json!(1))[0].to_string().starts_with("error: the document: "));
}

#[test]
fn what_is_no_document_is_a_finding() {
    for nothing in [json!(null), json!([]), json!("openapi"), json!(3.1)] {
        check_error(&nothing, "document", "");
    }
    assert!(lint(&json!({})).len() > 4);
}

#[test]
fn the_version_is_exact() {
    for version in [json!("3.1.1"), json!("3.0.0"), json!("2.0"), json!(3.1)] {
        check_error(&with("/openapi", version), "openapi-version", "/openapi");
    }
    check_error(&without("/openapi"), "openapi-version", "");
    check_error(&without("/info/title"), "info", "/info");
    check_error(&with("/info/version", json!(" ")), "info", "/info");
}

#[test]
fn there_is_one_server_and_chatgpt_can_call_it() {
    let url = "/servers/0/url";
    check_error(&without("/servers"), "servers", "/servers");
    check_error(&with("/servers", json!([])), "servers", "/servers");
    check_error(&with("/servers/-", json!({"url": "https://b.example"})), "servers", "/servers");
    check_error(&with("/servers/0", json!({})), "servers", "/servers/0");
    check_error(&with(&format!("{SEARCH}/servers"), json!([])), "servers", &format!("{SEARCH}/servers"));
    check_error(&with("/paths/~1v1~1search/servers", json!([])), "servers", "/paths/~1v1~1search/servers");
    for bad in [
        "/v1",
        "wiki.acme.example",
        "",
        "http://wiki.acme.example",
        "ftp://a.example",
        "https://a.example:8443",
        "https://a.example/",
        "https://a.example?x=1",
        "https://a.example#x",
        "https://me@a.example",
        "https://{host}.example",
    ] {
        let found = lint(&with(url, json!(bad)));
        assert!(
            found.iter().any(|it| (it.severity, it.rule, &*it.at) == (Severity::Error, "server-url", url)),
            "{bad}"
        );
    }
    for fine in ["https://a.example:443", "https://a.example/base"] {
        check(&with(url, json!(fine)), &[]);
    }
    for loopback in ["http://127.0.0.1:8080", "http://localhost:3000", "http://[::1]:8080"] {
        check_warning(&with(url, json!(loopback)), "server-url", url);
    }
}

#[test]
fn the_server_is_the_host_of_the_import() {
    let rules = |import| lint_import(&good(), import).into_iter().map(|it| it.rule).collect::<Vec<_>>();
    assert_eq!(rules("https://WIKI.acme.example/gpts/hr/openapi.json"), [""; 0]);
    assert_eq!(rules("https://acme.example/openapi.json"), ["import-host"]);
    assert_eq!(rules("openapi.json"), ["import-host"]);
}

#[test]
fn there_are_one_to_thirty_operations() {
    let mut document = good();
    let template = document.pointer(SEARCH).unwrap().clone();
    for number in 3..30 {
        let mut operation = template.clone();
        operation["operationId"] = json!(format!("search{number}"));
        document["paths"][format!("/v1/search{number}")] = json!({ "get": operation });
    }
    check(&document, &[]);
    let mut operation = template;
    operation["operationId"] = json!("oneMore");
    document["paths"]["/v1/more"] = json!({ "post": operation });
    check_error(&document, "operations", "/paths");
    check_error(&with("/paths", json!({})), "operations", "/paths");
    check_error(&without("/paths"), "operations", "/paths");
    check_error(&with(SEARCH, json!("GET")), "operation", SEARCH);
    check_error(&with("/paths/~1v1~1more", json!([])), "path", "/paths/~1v1~1more");
    check_error(&with("/paths/more", json!({})), "path", "/paths/more");
    check_error(&with("/paths/~1v1~1search/GET", json!({})), "path", "/paths/~1v1~1search/GET");
}

#[test]
fn operation_ids_are_unique_names() {
    let at = format!("{SEARCH}/operationId");
    check_error(&without(&at), "operation-id", SEARCH);
    for bad in ["", "search confluence", "such:e", "größe", &"a".repeat(65)] {
        check_error(&with(&at, json!(bad)), "operation-id", &at);
    }
    let document = with(&at, json!("getPage"));
    check_error(&document, "operation-id", &format!("{PAGE}/operationId"));
}

#[test]
fn summaries_and_descriptions_are_short_and_describe() {
    for member in ["summary", "description"] {
        let at = format!("{SEARCH}/{member}");
        check_error(&without(&at), "operation-text", SEARCH);
        check_error(&with(&at, json!("  ")), "operation-text", SEARCH);
        check(&with(&at, json!("ü".repeat(300))), &[]);
        check_error(&with(&at, json!("ü".repeat(301))), "operation-text", &at);
        check_warning(&with(&at, json!("Use this when a page is asked for.")), "operation-text-style", &at);
    }
    let parameter = format!("{SEARCH}/parameters/0");
    let at = format!("{parameter}/description");
    check_warning(&without(&at), "parameter-text", &parameter);
    check(&with(&at, json!("x".repeat(700))), &[]);
    check_error(&with(&at, json!("x".repeat(701))), "parameter-text", &at);
}

#[test]
fn parameters_are_inline_in_path_or_query_and_of_one_name() {
    let at = format!("{SEARCH}/parameters/0");
    let parameter =
        |place| json!({"name": "q", "in": place, "description": "Q.", "schema": {"type": "string"}});
    let inline = with(&at, json!({"$ref": "#/components/parameters/Query"}));
    check(&inline, &[(Severity::Error, "parameter-inline", &at), (Severity::Error, "reference", &at)]);
    let schema = format!("{at}/schema");
    let reference = json!({"$ref": "#/components/schemas/Space"});
    check_error(&with(&schema, reference), "parameter-inline", &schema);
    for place in ["header", "cookie", "body"] {
        check_error(&with(&at, parameter(place)), "parameter-in", &at);
    }
    check_error(&without(&format!("{at}/in")), "parameter-in", &at);
    check_error(&without(&format!("{at}/name")), "parameter", &at);
    check_error(&without(&schema), "parameter", &at);
    check_error(
        &with(&format!("{SEARCH}/parameters"), json!({})),
        "parameter",
        &format!("{SEARCH}/parameters"),
    );

    let second = format!("{SEARCH}/parameters/1");
    check_error(&with(&format!("{second}/name"), json!("query")), "parameter-name", &second);
    let in_body = json!({"id": {"type": "string"}});
    let document = with("/components/schemas/Note/properties", in_body);
    check_error(&document, "parameter-name", &format!("{NOTE}/requestBody"));
}

#[test]
fn path_parameters_match_the_template() {
    check_error(&without("/paths/~1v1~1pages~1{id}/parameters"), "path-parameter", PAGE);
    check_error(&with(&format!("{NOTE}/parameters"), json!([])), "path-parameter", NOTE);
    let at = "/paths/~1v1~1pages~1{id}/parameters/0";
    check_error(&with(&format!("{at}/required"), json!(false)), "path-parameter", at);
    let second = format!("{SEARCH}/parameters/1");
    let extra = json!({"name": "site", "in": "path", "required": true, "description": "S.", "schema": {"type": "string"}});
    check_error(&with(&second, extra.clone()), "path-parameter", &second);
    // The same name in two places is two things with one name.
    let in_query = json!([{"name": "id", "in": "query", "description": "I.", "schema": {"type": "string"}}]);
    check_error(&with(&format!("{PAGE}/parameters"), in_query), "parameter-name", at);
    // The operation's own declaration replaces the path's.
    let own = good().pointer(at).unwrap().clone();
    check(&with(&format!("{PAGE}/parameters"), json!([own])), &[]);
}

#[test]
fn bodies_are_json_objects_with_listed_properties() {
    let at = format!("{NOTE}/requestBody");
    let schema = format!("{at}/content/application~1json/schema");
    check_error(&with(&at, json!({})), "request-body", &at);
    check_error(&with(&at, json!({"$ref": "#/components/requestBodies/No"})), "reference", &at);
    let form = json!({"schema": {"type": "object", "properties": {"a": {"type": "string"}}}});
    check_error(&with(&format!("{at}/content/text~1html"), form.clone()), "request-body", &at);
    let only_form = with(&format!("{at}/content"), json!({ "multipart/form-data": form }));
    check(&only_form, &[(Severity::Error, "request-body", &at), (Severity::Error, "request-body", &at)]);
    for bad in [json!({"type": "string"}), json!({"type": "object", "properties": {}})] {
        check_error(&with(&schema, bad), "request-body", &at);
    }
    check_error(&without(&schema), "request-body", &at);
}

#[test]
fn answers_are_described() {
    let at = format!("{PAGE}/responses");
    check_error(&without(&at), "responses", &at);
    check_error(&with(&at, json!({"404": {"description": "No."}})), "responses", &at);
    check_error(&without(&format!("{at}/200/description")), "responses", &format!("{at}/200"));
    let json = format!("{at}/200/content/application~1json");
    check_error(&without(&format!("{json}/schema")), "responses", &json);
    let nowhere = json!({"$ref": "#/components/responses/None"});
    check_error(&with(&format!("{at}/200"), nowhere), "reference", &format!("{at}/200"));
}

#[test]
fn what_changes_things_is_stated() {
    let at = format!("{SEARCH}/x-openai-isConsequential");
    check_error(&without(&at), "consequential", SEARCH);
    check_error(&with(&at, json!("false")), "consequential", SEARCH);
}

#[test]
fn schemas_are_plain() {
    let at = "/components/schemas/Space/properties/key";
    let key = |value| with(at, value);
    check_error(&key(json!({"type": ["string", "null"]})), "type-array", &format!("{at}/type"));
    check_error(&key(json!({"type": "null"})), "schema-type", &format!("{at}/type"));
    check_error(&key(json!({"type": 1})), "schema-type", &format!("{at}/type"));
    check_error(&key(json!({"type": "object"})), "object-properties", at);
    check_error(&key(json!({"type": "array"})), "array-items", at);
    check_error(
        &key(json!({"type": "array", "items": {"type": "array"}})),
        "array-items",
        &format!("{at}/items"),
    );
    check_error(&key(json!({"type": "array", "items": true})), "schema", &format!("{at}/items"));
    check_error(&key(json!(true)), "schema", at);
    check_warning(&key(json!({"description": "Anything."})), "schema-type", at);
    check(&key(json!({"type": "object", "properties": {}})), &[]);
    let listed = json!({"type": "object", "properties": []});
    check_error(&key(listed), "object-properties", &format!("{at}/properties"));
    let map = json!({"type": "object", "properties": {}, "additionalProperties": {"type": "array"}});
    check_error(&key(map), "array-items", &format!("{at}/additionalProperties"));
    for combination in ["oneOf", "anyOf", "allOf"] {
        let document = key(json!({combination: [{"type": "string"}]}));
        check_error(&document, "schema-combination", &format!("{at}/{combination}"));
    }
    let not = key(json!({"not": {"type": "object"}}));
    let inner = format!("{at}/not");
    check(
        &not,
        &[(Severity::Error, "schema-combination", &inner), (Severity::Error, "object-properties", &inner)],
    );
    let parameter = format!("{SEARCH}/parameters/1/schema");
    let nullable = json!({"type": ["integer", "null"]});
    check_error(&with(&parameter, nullable), "type-array", &format!("{parameter}/type"));
    let problem = "/components/responses/Problem/content/application~1problem+json/schema";
    check_error(&with(problem, json!({"type": "object"})), "object-properties", problem);
    let answer = format!("{PAGE}/responses/200/content/application~1json/schema");
    check_error(&with(&answer, json!({"type": "object"})), "object-properties", &answer);
}

#[test]
fn components_have_schemas() {
    let mut document = good();
    document["paths"] = json!({"/v1/pages/{id}/notes": document["paths"]["/v1/pages/{id}/notes"]});
    let schema = json!({"type": "object", "properties": {"text": {"type": "string"}}});
    document["paths"]["/v1/pages/{id}/notes"]["post"]["requestBody"]["content"]["application/json"]["schema"] =
        schema;
    document["components"]["schemas"] = json!({});
    check(&document, &[]);
    document["components"]["schemas"] = json!([]);
    check_error(&document, "components-schemas", "/components/schemas");
    document["components"].as_object_mut().unwrap().shift_remove("schemas");
    check_error(&document, "components-schemas", "/components/schemas");
}

#[test]
fn references_lead_somewhere_and_not_in_circles() {
    let at = "/components/schemas/Space/properties/key";
    for bad in ["#/components/schemas/None", "https://a.example/s.json", "other.json#/A", "Page", "#Page"] {
        check_error(&with(at, json!({"$ref": bad})), "reference", at);
    }
    check_error(&with(at, json!({"$ref": 7})), "reference", at);
    // Data, but for a property of that name.
    let nowhere = json!({"$ref": "#/nowhere"});
    check(&with(at, json!({"type": "string", "default": nowhere})), &[]);
    let named = "/components/schemas/Space/properties/default";
    check_error(&with(named, nowhere), "reference", named);
    let space = "/components/schemas/Space";
    let page = "/components/schemas/Page";
    let itself = with(at, json!({"type": "array", "items": {"$ref": "#/components/schemas/Space"}}));
    check_error(&itself, "circular-reference", space);
    let both = with(at, json!({"$ref": "#/components/schemas/Page"}));
    let circle = "circular-reference";
    check(&both, &[(Severity::Error, circle, page), (Severity::Error, circle, space)]);
    check_error(&with(at, json!({"$ref": format!("#{at}")})), circle, at);
}

#[test]
fn there_is_one_security_scheme() {
    let at = "/components/securitySchemes";
    let key = json!({"type": "apiKey", "in": "header", "name": "k"});
    check_error(&with(&format!("{at}/key"), key), "security-scheme", at);
    check_error(&with(&format!("{at}/oauth"), json!({})), "security-scheme", &format!("{at}/oauth"));
    check_error(&without("/security"), "security", "");
    check_error(&with("/security", json!({})), "security", "/security");
    check_error(&with("/security/0", json!({"other": []})), "security", "/security/0");
    check_error(&with("/security/-", json!({})), "security", "/security");
    let own = format!("{SEARCH}/security");
    check_error(&with(&own, json!([{"other": []}])), "security", &format!("{own}/0"));
    let mut open = without(at);
    open.as_object_mut().unwrap().shift_remove("security");
    check_warning(&open, "security-scheme", at);
}

#[test]
fn nesting_is_bounded() {
    let mut deep = json!({"type": "string"});
    for _ in 0..200 {
        deep = json!({"type": "array", "items": deep});
    }
    let document = with("/components/schemas/Deep", deep);
    let findings = lint(&document);
    assert_eq!(findings.len(), 1);
    assert_eq!((findings[0].rule, findings[0].severity), ("nesting", Severity::Error));
}

fn anything() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(json!(null)),
        any::<bool>().prop_map(Value::from),
        any::<i32>().prop_map(Value::from),
        prop_oneof![Just("object"), Just("array"), Just("#/paths"), Just("#"), Just("~"), Just("ü{")]
            .prop_map(Value::from),
    ];
    leaf.prop_recursive(5, 40, 5, |inner| {
        let name = prop_oneof![
            Just("$ref"),
            Just("schema"),
            Just("properties"),
            Just("items"),
            Just("type"),
            Just("parameters"),
            Just("in"),
            Just("name"),
            Just("content"),
            Just("application/json"),
            Just("get"),
            Just("responses"),
            Just("200"),
            Just("/a{b"),
        ];
        prop_oneof![
            proptest::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            proptest::collection::vec((name.prop_map(str::to_owned), inner), 0..5)
                .prop_map(|members| Value::Object(members.into_iter().collect())),
        ]
    })
}

fn places(value: &Value, at: String, found: &mut Vec<String>) {
    match value {
        Value::Object(members) => members.iter().for_each(|(name, it)| places(it, child(&at, name), found)),
        Value::Array(items) => {
            items.iter().enumerate().for_each(|(index, it)| places(it, child(&at, index), found));
        }
        _ => {}
    }
    found.push(at);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    #[test]
    fn nothing_makes_it_panic(value in anything(), place in any::<prop::sample::Index>()) {
        let mut all = Vec::new();
        places(&good(), String::new(), &mut all);
        let place = place.get(&all);
        let mut document = good();
        *document.pointer_mut(place).unwrap() = value;
        lint_import(&document, "https://wiki.acme.example/openapi.json");
    }
}
