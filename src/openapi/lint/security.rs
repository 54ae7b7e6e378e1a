use serde_json::{Map, Value};

use super::{Report, child};

/// One security scheme, and no requirement that names another.
pub(super) fn check(root: &Map<String, Value>, report: &mut Report) {
    let at = "/components/securitySchemes";
    let empty = Map::new();
    let schemes = root.get("components").and_then(|components| components.get("securitySchemes"));
    let schemes = schemes.and_then(Value::as_object).unwrap_or(&empty);
    match schemes.len() {
        0 => report.warning(
            "security-scheme",
            at,
            "Declare the one security scheme: without it nobody signs in.",
        ),
        1 => {}
        count => {
            report.error("security-scheme", at, format!("ChatGPT takes one security scheme, found {count}."));
        }
    }
    for (name, scheme) in schemes {
        let kind = scheme.get("type").and_then(Value::as_str);
        if !matches!(kind, Some("oauth2" | "http" | "apiKey")) {
            report.error("security-scheme", child(at, name), "`type` must be oauth2, http or apiKey.");
        }
    }
    let mut requirements: Vec<_> =
        root.get("security").map(|it| ("/security".to_owned(), it)).into_iter().collect();
    for (path, item) in root.get("paths").and_then(Value::as_object).into_iter().flatten() {
        for (method, operation) in item.as_object().into_iter().flatten() {
            let at = child(&child(&child("/paths", path), method), "security");
            requirements.extend(operation.get("security").map(|security| (at, security)));
        }
    }
    if requirements.is_empty() && !schemes.is_empty() {
        report.error(
            "security",
            "",
            "Add `security` with the name of the scheme, or no call carries a token.",
        );
    }
    for (at, requirement) in requirements {
        check_requirement(requirement, schemes, &at, report);
    }
}

fn check_requirement(requirement: &Value, schemes: &Map<String, Value>, at: &str, report: &mut Report) {
    let Some(alternatives) = requirement.as_array() else {
        return report.error("security", at, "Must be a list with one object in it.");
    };
    if alternatives.len() > 1 {
        report.error("security", at, "ChatGPT takes one way to sign in: leave one alternative.");
    }
    for (index, alternative) in alternatives.iter().enumerate() {
        let at = child(at, index);
        match alternative.as_object() {
            None => report.error("security", at, "Must be an object that names the scheme."),
            Some(names) => {
                for name in names.keys().filter(|name| !schemes.contains_key(*name)) {
                    report.error(
                        "security",
                        &at,
                        format!("Names {name:?}, which components does not declare."),
                    );
                }
            }
        }
    }
}
