use serde_json::{Map, Value};
use url::{Host, Url};

use super::{Report, child};

/// Exactly one server, of the kind that ChatGPT calls.
pub(super) fn check(root: &Map<String, Value>, report: &mut Report) {
    let servers = root.get("servers").and_then(Value::as_array).map_or(&[][..], Vec::as_slice);
    if servers.len() != 1 {
        report.error(
            "servers",
            "/servers",
            format!("Must hold exactly one server, holds {}.", servers.len()),
        );
    }
    for (index, server) in servers.iter().enumerate() {
        let at = child("/servers", index);
        match server.get("url").and_then(Value::as_str) {
            Some(url) => check_url(url, &child(&at, "url"), report),
            None => report.error("servers", at, "Add a `url`: the absolute https URL of the API."),
        }
    }
}

fn check_url(text: &str, at: &str, report: &mut Report) {
    let Ok(url) = Url::parse(text) else {
        return report.error("server-url", at, format!("{text:?} is no absolute URL: write https://host."));
    };
    match url.scheme() {
        "http" if is_loopback(&url) => {
            report.warning(
                "server-url",
                at,
                "ChatGPT cannot reach loopback: fit for trying things out only.",
            );
        }
        "https" if url.port_or_known_default() == Some(443) => {}
        "https" => report.error("server-url", at, "ChatGPT calls port 443 only: leave the port out."),
        scheme => report.error("server-url", at, format!("ChatGPT calls https only, not {scheme}.")),
    }
    if text.contains(['{', '}']) {
        report.error("server-url", at, "Write the host out: ChatGPT fills in no variables.");
    }
    if url.query().is_some()
        || url.fragment().is_some()
        || !url.username().is_empty()
        || url.password().is_some()
    {
        report.error("server-url", at, "Leave out query, fragment, user and password.");
    }
    if text.ends_with('/') {
        report.error("server-url", at, "Leave out the slash at the end: every path begins with one.");
    }
}

/// ChatGPT takes only a document whose server is the host it was imported from.
pub(super) fn check_import(document: &Value, import_url: &str, report: &mut Report) {
    let Ok(import) = Url::parse(import_url) else {
        return report.error("import-host", "", format!("{import_url:?} is no absolute URL to import from."));
    };
    let Some(server) = document.pointer("/servers/0/url").and_then(Value::as_str) else { return };
    if Url::parse(server).is_ok_and(|server| server.host() == import.host()) {
        return;
    }
    let host = import.host_str().unwrap_or_default();
    let message =
        format!("The document is imported from {host}, so its server must be on {host} too, not {server}.");
    report.error("import-host", "/servers/0/url", message);
}

fn is_loopback(url: &Url) -> bool {
    match url.host() {
        Some(Host::Domain(name)) => name == "localhost" || name.ends_with(".localhost"),
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        None => false,
    }
}
