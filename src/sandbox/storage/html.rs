//! Rendering storage format as `view`, `styled_view` and `export_view` do, simply and honestly.

use super::parse::{Element, Node, parse};

/// What rendering needs to know of the wiki around a body.
pub trait Render {
    fn person(&self, account_id: &str) -> Option<String>;
    /// Address of a page by title, in the given or the same space.
    fn page_url(&self, title: &str, space: Option<&str>) -> Option<String>;
    fn attachment_url(&self, name: &str, page: Option<&str>) -> String;
    /// The storage body of another page, for includes; none when it is not visible.
    fn body(&self, title: &str, space: Option<&str>) -> Option<String>;
    /// Titles and addresses of the pages below this one.
    fn children(&self) -> Vec<(String, String)>;
    /// Titles and addresses of the pages with a label.
    fn labelled(&self, label: &str) -> Vec<(String, String)>;
}

/// Which of the rendered forms is wanted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    View,
    Export,
}

pub fn to_html(body: &str, mode: Mode, around: &dyn Render) -> String {
    let mut out = String::with_capacity(body.len());
    let mut writer = Writer { around, mode, depth: 0 };
    writer.nodes(&parse(body).children, &mut out);
    out
}

pub fn escape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            c => out.push(c),
        }
    }
    out
}

struct Writer<'a> {
    around: &'a dyn Render,
    mode: Mode,
    /// How many includes deep.
    depth: usize,
}

impl Writer<'_> {
    fn nodes(&mut self, nodes: &[Node], out: &mut String) {
        for node in nodes {
            match node {
                Node::Text(text) => out.push_str(&escape(text)),
                Node::Element(element) => self.element(element, out),
            }
        }
    }

    fn inside(&mut self, element: &Element) -> String {
        let mut out = String::new();
        self.nodes(&element.children, &mut out);
        out
    }

    /// Exports carry whole addresses, views those without a host.
    fn address(&self, url: &str) -> String {
        match (self.mode, url.strip_prefix("https://").and_then(|rest| rest.split_once('/'))) {
            (Mode::View, Some((host, path))) if host.ends_with(".atlassian.net") => format!("/{path}"),
            _ => url.to_owned(),
        }
    }

    fn element(&mut self, element: &Element, out: &mut String) {
        match element.name.as_str() {
            "ac:structured-macro" | "ac:macro" => self.call(element, out),
            "ac:link" => self.link(element, out),
            "ac:image" => self.image(element, out),
            "ac:task-list" => wrap("ul class=\"inline-task-list\"", "ul", &self.inside(element), out),
            "ac:task" => self.task(element, out),
            "ac:emoticon" => out.push_str(&escape(
                element
                    .attribute("ac:emoji-fallback")
                    .or_else(|| element.attribute("ac:name"))
                    .unwrap_or_default(),
            )),
            "time" => {
                let date = element.attribute("datetime").unwrap_or_default();
                wrap(&format!("time datetime=\"{}\"", escape(date)), "time", &escape(date), out);
            }
            "ac:layout" => wrap("div class=\"contentLayout2\"", "div", &self.inside(element), out),
            "ac:layout-section" => wrap("div class=\"columnLayout\"", "div", &self.inside(element), out),
            "ac:layout-cell" => wrap("div class=\"cell\"", "div", &self.inside(element), out),
            "ac:inline-comment-marker" => {
                wrap("span class=\"inline-comment-marker\"", "span", &self.inside(element), out);
            }
            "ac:adf-extension" => {
                if let Some(fallback) = element.child("ac:adf-fallback") {
                    out.push_str(&self.inside(fallback));
                }
            }
            "ac:placeholder" => {}
            name if name.starts_with("ac:") || name.starts_with("ri:") => {
                out.push_str(&self.inside(element));
            }
            _ => self.plain(element, out),
        }
    }

    fn plain(&mut self, element: &Element, out: &mut String) {
        let mut open = element.name.clone();
        for (name, value) in &element.attributes {
            if !name.contains(':') {
                open = format!("{open} {name}=\"{}\"", escape(value));
            }
        }
        if matches!(element.name.as_str(), "br" | "hr" | "img" | "col") {
            out.extend(["<", &open, " />"]);
        } else {
            wrap(&open, &element.name, &self.inside(element), out);
        }
    }

    fn link(&mut self, element: &Element, out: &mut String) {
        let body = element
            .child("ac:link-body")
            .or_else(|| element.child("ac:plain-text-link-body"))
            .map(|body| self.inside(body));
        let anchor = element.attribute("ac:anchor").map(|anchor| format!("#{anchor}")).unwrap_or_default();
        let (url, name) = if let Some(user) = element.child("ri:user") {
            let account = user.attribute("ri:account-id").unwrap_or_default();
            let name = self.around.person(account).unwrap_or_else(|| "Unknown user".to_owned());
            (format!("/wiki/people/{account}"), format!("@{name}"))
        } else if let Some(page) = element.child("ri:page") {
            let title = page.attribute("ri:content-title").unwrap_or_default();
            match self.around.page_url(title, page.attribute("ri:space-key")) {
                Some(url) => (format!("{url}{anchor}"), title.to_owned()),
                None => return out.push_str(&body.unwrap_or_else(|| escape(title))),
            }
        } else if let Some(file) = element.child("ri:attachment") {
            let name = file.attribute("ri:filename").unwrap_or_default();
            let page = file.child("ri:page").and_then(|page| page.attribute("ri:content-title"));
            (self.around.attachment_url(name, page), name.to_owned())
        } else {
            (anchor.clone(), anchor.trim_start_matches('#').to_owned())
        };
        let body = body.unwrap_or_else(|| escape(&name));
        wrap(&format!("a href=\"{}\"", escape(&self.address(&url))), "a", &body, out);
    }

    fn image(&mut self, element: &Element, out: &mut String) {
        let alt = element.attribute("ac:alt").unwrap_or_default();
        let url = match (element.child("ri:attachment"), element.child("ri:url")) {
            (Some(file), _) => {
                self.around.attachment_url(file.attribute("ri:filename").unwrap_or_default(), None)
            }
            (None, Some(url)) => url.attribute("ri:value").unwrap_or_default().to_owned(),
            (None, None) => return,
        };
        let open = format!(
            "img class=\"confluence-embedded-image\" src=\"{}\" alt=\"{}\" /",
            escape(&self.address(&url)),
            escape(alt)
        );
        wrap("span class=\"confluence-embedded-file-wrapper\"", "span", &format!("<{open}>"), out);
    }

    fn task(&mut self, element: &Element, out: &mut String) {
        let done = element.child("ac:task-status").is_some_and(|status| status.text() == "complete");
        let body = element.child("ac:task-body").map(|body| self.inside(body)).unwrap_or_default();
        let open = if done { "li class=\"checked\"" } else { "li" };
        wrap(open, "li", &body, out);
    }

    fn call(&mut self, element: &Element, out: &mut String) {
        let name = element.attribute("ac:name").unwrap_or_default();
        let parameter = |name: &str| element.parameter(name).unwrap_or_default();
        match name {
            "code" | "noformat" => code(element, out),
            "info" | "note" | "tip" | "warning" | "panel" => self.panel(name, element, out),
            "expand" => self.expand(element, out),
            "status" => {
                wrap("span class=\"status-macro aui-lozenge\"", "span", &escape(&parameter("title")), out);
            }
            "include" | "excerpt-include" => self.include(element, name == "include", out),
            "children" | "pagetree" => output(element, &links(&self.around.children()), out),
            "contentbylabel" | "detailssummary" => {
                let label = label_of(&parameter("cql")).unwrap_or_else(|| parameter("labels"));
                output(element, &links(&self.around.labelled(&label)), out);
            }
            "toc" | "anchor" | "recently-updated" | "livesearch" => {
                wrap(&format!("div class=\"{name}-macro\""), "div", "", out);
            }
            "jira" => wrap("span class=\"jira-issue\"", "span", &escape(&parameter("key")), out),
            _ if element.child("ac:rich-text-body").is_some() => out.push_str(&self.rich(element)),
            // A third party's macro is drawn by a script: its place stays empty.
            _ => {
                let open = format!("div class=\"ap-container\" data-macro-name=\"{}\"", escape(name));
                wrap(&open, "div", "", out);
            }
        }
    }

    /// The rich body of a macro, rendered.
    fn rich(&mut self, element: &Element) -> String {
        element.child("ac:rich-text-body").map(|rich| self.inside(rich)).unwrap_or_default()
    }

    fn panel(&mut self, name: &str, element: &Element, out: &mut String) {
        let mut body = String::new();
        if let Some(title) = element.parameter("title") {
            wrap("p class=\"title\"", "p", &escape(&title), &mut body);
        }
        body.push_str(&self.rich(element));
        let open = format!("div class=\"confluence-information-macro confluence-information-macro-{name}\"");
        wrap(&open, "div", &body, out);
    }

    fn expand(&mut self, element: &Element, out: &mut String) {
        let title = element.parameter("title").unwrap_or_else(|| "Click here to expand...".to_owned());
        let mut body = String::new();
        wrap("p class=\"expand-control\"", "p", &escape(&title), &mut body);
        body.push_str(&self.rich(element));
        wrap("div class=\"expand-container\"", "div", &body, out);
    }

    fn include(&mut self, element: &Element, whole: bool, out: &mut String) {
        let Some(page) = element.descendant("ri:page") else { return };
        let title = page.attribute("ri:content-title").unwrap_or_default();
        let body = self.around.body(title, page.attribute("ri:space-key"));
        let Some(body) = body.filter(|_| self.depth < 4) else {
            let message = format!("Unable to render {{include}} Page not found: {title}.");
            return wrap("p class=\"error\"", "p", &escape(&message), out);
        };
        self.depth += 1;
        let tree = parse(&body);
        match excerpt(&tree).filter(|_| !whole) {
            Some(excerpt) => self.nodes(&excerpt.children, out),
            None => self.nodes(&tree.children, out),
        }
        self.depth -= 1;
    }
}

fn code(element: &Element, out: &mut String) {
    let text = element.child("ac:plain-text-body").map(Element::text).unwrap_or_default();
    let language = element.parameter("language").unwrap_or_default();
    let open = format!(
        "pre class=\"syntaxhighlighter-pre\" data-syntaxhighlighter-params=\"brush: {}\"",
        escape(&language)
    );
    wrap(&open, "pre", &escape(&text), out);
}

/// The body of the first excerpt macro.
fn excerpt(element: &Element) -> Option<&Element> {
    element.elements().find_map(|child| {
        if child.attribute("ac:name") == Some("excerpt") {
            child.child("ac:rich-text-body")
        } else {
            excerpt(child)
        }
    })
}

/// `label = "x"` of a macro's CQL.
fn label_of(cql: &str) -> Option<String> {
    let after = cql.split("label").nth(1)?;
    after.split('"').nth(1).map(str::to_owned)
}

/// What a macro without a body came to, marked as the macro's.
fn output(element: &Element, html: &str, out: &mut String) {
    let attribute = |name: &str| escape(element.attribute(name).unwrap_or_default());
    let open = format!(
        "div class=\"conf-macro output-block\" data-hasbody=\"false\" data-macro-name=\"{}\" data-macro-id=\"{}\"",
        attribute("ac:name"),
        attribute("ac:macro-id")
    );
    wrap(&open, "div", html, out);
}

fn links(pages: &[(String, String)]) -> String {
    let mut items = String::new();
    for (title, url) in pages {
        let mut link = String::new();
        wrap(&format!("a href=\"{}\"", escape(url)), "a", &escape(title), &mut link);
        wrap("li", "li", &link, &mut items);
    }
    let mut list = String::new();
    wrap("ul class=\"childpages-macro\"", "ul", &items, &mut list);
    list
}

fn wrap(open: &str, name: &str, body: &str, out: &mut String) {
    out.extend(["<", open, ">", body, "</", name, ">"]);
}
