use askama::Template;
use axum::extract::State;
use axum::response::Response;

use super::headers::{Keep, page};
use super::{Pages, VERSION};

/// What the gateway does with what it sees, and how to disconnect.
#[derive(Template)]
#[template(path = "privacy.html", config = "src/web/askama.toml")]
struct Privacy<'a> {
    version: &'a str,
    docs: bool,
    operator: Option<&'a str>,
    contact: Option<Contact<'a>>,
    audit: bool,
}

struct Contact<'a> {
    text: &'a str,
    /// Where a click leads.
    href: Option<String>,
}

pub async fn privacy(State(pages): State<Pages>) -> Response {
    let config = &pages.config;
    let template = Privacy {
        version: VERSION,
        docs: config.docs,
        operator: config.operator.as_deref(),
        contact: config.contact.as_deref().map(contact),
        audit: config.audit,
    };
    page(Keep::Briefly, &template)
}

/// An address on the web or of e-mail is a link; anything else is text.
fn contact(text: &str) -> Contact<'_> {
    let href = if text.starts_with("https://") || text.starts_with("mailto:") {
        Some(text.to_owned())
    } else if text.contains('@') && !text.contains([' ', '/', '?', ':']) {
        Some(format!("mailto:{text}"))
    } else {
        None
    };
    Contact { text: text.trim_start_matches("mailto:"), href }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_an_address_becomes_a_link() {
        let href = |text| contact(text).href;
        assert_eq!(href("wiki@acme.example").as_deref(), Some("mailto:wiki@acme.example"));
        assert_eq!(href("https://acme.example/help").as_deref(), Some("https://acme.example/help"));
        assert_eq!(href("room 4, ask for @bo"), None);
        assert_eq!(href("javascript:alert(1)@x"), None);
    }
}
