//! Macros and ADF nodes: what each of them says, and what it leaves unsaid.

use super::convert::Converter;
use super::escape;
use super::expansions::Wanted;
use super::losses;
use super::macro_names::{is_dynamic, is_inline, is_telling, is_transparent};
use super::resources::{self, Resource};
use super::writer::Mark;

#[derive(Default)]
pub(super) struct Macro {
    name: String,
    id: String,
    parameters: Vec<Parameter>,
    pub(super) plain_body: Option<String>,
    bodies: u32,
    inline: bool,
    wrap: Wrap,
}

struct Parameter {
    name: String,
    text: String,
    resource: Option<Resource>,
}

/// What is around the body of a macro.
#[derive(Clone, Copy, Default, PartialEq, Eq)]
enum Wrap {
    #[default]
    Nothing,
    Quote,
    Item,
    List,
}

impl Macro {
    pub(super) fn named(name: &str, id: String) -> Self {
        Self { name: name.to_owned(), id, ..Self::default() }
    }

    /// An ADF node, under the name of the macro that it is like.
    pub(super) fn node(kind: &str) -> Self {
        Self::named(&format!("adf:{kind}"), String::new())
    }

    pub(super) fn add_parameter(&mut self, name: String, text: String, resource: Option<Resource>) {
        self.parameters.push(Parameter { name, text, resource });
    }

    fn get(&self, name: &str) -> Option<&str> {
        let found = self.parameters.iter().find(|parameter| parameter.name == name);
        found.map(|parameter| parameter.text.trim()).filter(|text| !text.is_empty())
    }

    fn is(&self, name: &str, value: &str) -> bool {
        self.get(name).is_some_and(|found| found.eq_ignore_ascii_case(value))
    }

    fn resource(&self) -> Option<&Resource> {
        self.parameters.iter().find_map(|parameter| parameter.resource.as_ref())
    }

    /// GitHub's word for a panel of this kind. The macro `note` is what the editor calls a warning, and `warning` what it
    /// calls an error; ADF says it as the editor does.
    fn alert(&self) -> Option<&'static str> {
        if self.name == "adf:panel" {
            return Some(match self.get("panel-type").unwrap_or("info") {
                "info" => "NOTE",
                "tip" | "success" => "TIP",
                "note" => "IMPORTANT",
                "warning" => "WARNING",
                "error" => "CAUTION",
                _ => return None,
            });
        }
        Some(match self.name.as_str() {
            "info" => "NOTE",
            "tip" => "TIP",
            "note" => "WARNING",
            "warning" => "CAUTION",
            _ => return None,
        })
    }
}

impl Converter<'_> {
    pub(super) fn begin_macro(&mut self, mut open: Macro) {
        open.inline = self.is_inline();
        if open.name == "adf:decision-list" {
            self.writer.list_open(false, 1);
            open.wrap = Wrap::List;
        }
        self.macros.push(open);
    }

    pub(super) fn begin_rich_body(&mut self) {
        let Some(mut open) = self.macros.pop() else { return };
        open.bodies += 1;
        open.wrap = self.begin_body(&open);
        self.macros.push(open);
    }

    fn begin_body(&mut self, open: &Macro) -> Wrap {
        if open.name == "adf:decision-item" {
            self.writer.item_open();
            let label = if open.is("state", "UNDECIDED") { "Undecided:" } else { "Decision:" };
            self.label(label);
            self.writer.lead_in();
            return Wrap::Item;
        }
        self.writer.end_block();
        if matches!(open.name.as_str(), "excerpt" | "details") && open.is("hidden", "true") {
            self.skip(Some(losses::HIDDEN_TEXT));
            return Wrap::Nothing;
        }
        if let Some(kind) = open.alert() {
            self.writer.alert_open(kind);
            self.title(open);
            return Wrap::Quote;
        }
        match open.name.as_str() {
            "panel" | "adf:panel" | "expand" | "ui-expand" | "adf:expand" | "adf:nested-expand"
            | "auimessage" | "ui-text-box" => {
                self.writer.quote_open();
                if open.get("bgColor").is_some() {
                    self.set_ground();
                }
                self.title(open);
                Wrap::Quote
            }
            name if is_transparent(name) => {
                self.title(open);
                Wrap::Nothing
            }
            _ => {
                self.unknown(open);
                self.writer.end_block();
                Wrap::Nothing
            }
        }
    }

    pub(super) fn end_rich_body(&mut self) {
        let wrap = self.macros.last_mut().map(|open| std::mem::take(&mut open.wrap));
        match wrap {
            Some(Wrap::Quote) => self.writer.quote_close(),
            Some(Wrap::Item) => self.writer.item_close(),
            _ => self.writer.end_block(),
        }
    }

    pub(super) fn end_macro(&mut self) {
        let Some(open) = self.macros.pop() else { return };
        if open.wrap == Wrap::List {
            return self.writer.list_close();
        }
        if open.bodies > 0 {
            return;
        }
        let inline = open.inline || is_inline(&open.name);
        if !inline {
            self.writer.end_block();
        }
        match &open.plain_body {
            Some(body) => self.plain_body(&open, body),
            None => self.bodyless(&open),
        }
        if !inline {
            self.writer.end_block();
        }
    }

    fn plain_body(&mut self, open: &Macro, body: &str) {
        match open.name.as_str() {
            "code" | "noformat" | "adf:code-block" => {
                self.title(open);
                self.code(open.get("language").unwrap_or_default(), body);
            }
            "mathinline" | "mathblock" | "easy-math-inline" | "easy-math-block" | "latex" | "math" => {
                self.math(open, body);
            }
            "html" | "markdown" | "sql" | "csv" | "mermaid" | "plantuml" => self.code(&open.name, body),
            _ => {
                self.unknown(open);
                self.writer.space();
                match body.trim() {
                    "" => {}
                    line if line.contains('\n') => self.code("", body),
                    line => self.code_span(line),
                }
            }
        }
    }

    fn code_span(&mut self, text: &str) {
        self.writer.code_span_open();
        self.writer.text(text);
        self.writer.code_span_close();
    }

    fn math(&mut self, open: &Macro, formula: &str) {
        let formula = formula
            .strip_prefix("--uriencoded--")
            .map_or_else(|| formula.to_owned(), resources::decode_percent);
        let inline = open.inline || open.name.ends_with("inline");
        let formula = self.visible(formula.trim());
        let line = formula.replace(['\n', '\r'], " ");
        // Readers that know no math would find emphasis, links or tags in some, and GitHub knows a way to write these.
        match (escape::is_inert(&line), inline) {
            _ if line.is_empty() => {}
            (true, true) => self.writer.raw(&format!("${line}$"), &line),
            (true, false) => self.writer.raw(&format!("$${line}$$"), &line),
            (false, true) => {
                self.writer.text("$");
                self.code_span(&line);
                self.writer.text("$");
            }
            (false, false) => self.code("math", &formula),
        }
    }

    fn bodyless(&mut self, open: &Macro) {
        if is_dynamic(&open.name) && self.expand(open) {
            return;
        }
        match open.name.as_str() {
            "status" => {
                if let Some(title) =
                    open.get("title").or_else(|| open.get("colour")).or_else(|| open.get("color"))
                {
                    self.code_span(title);
                }
            }
            "anchor" => {}
            "toc" | "toc-zone" => self.writer.losses.add("table of contents", 1),
            "jira" | "jiraissues" => self.jira(open),
            "mathinline" | "mathblock" | "easy-math-inline" | "easy-math-block" | "latex" | "math" => {
                let formula = open.get("body").or_else(|| open.get("formula")).unwrap_or_default();
                self.math(open, formula);
            }
            "view-file" | "viewpdf" | "viewdoc" | "viewppt" | "viewxls" | "multimedia" | "profile" => {
                match open.resource() {
                    Some(resource) => self.resource(resource, resource.address(self.context)),
                    None => match open.get("name").or_else(|| open.get("filename")) {
                        Some(name) => {
                            let target = resources::attachment(self.context.page_id, name);
                            self.writer.link(name, Some(target));
                        }
                        None => self.unknown(open),
                    },
                }
            }
            "info" | "note" | "tip" | "warning" | "panel" | "expand" | "code" | "noformat" | "excerpt"
            | "details" | "section" | "column" | "adf:panel" | "adf:decision-item" => self.title(open),
            _ => self.unknown(open),
        }
    }

    /// Writes what a macro stands for, if that is known.
    fn expand(&mut self, open: &Macro) -> bool {
        let wanted = match open.name.as_str() {
            "include" => Some(Wanted::Page),
            "excerpt-include" => Some(Wanted::Excerpt { name: open.get("name") }),
            _ => None,
        };
        if let (Some(wanted), Some(page)) = (wanted, open.resource())
            && self.write_included(page, wanted)
        {
            return true;
        }
        self.write_rendered(&open.id)
    }

    fn jira(&mut self, open: &Macro) {
        let server = open.get("server").unwrap_or("System Jira");
        let host =
            server.split_once('(').and_then(|(_, rest)| rest.split_once(')')).map(|(host, _)| host.trim());
        let base = match host.filter(|host| is_host(host)) {
            Some(host) => Some(format!("https://{host}")),
            None if server.eq_ignore_ascii_case("system jira") => {
                Some(resources::origin(self.context.wiki_url).to_owned())
            }
            None => None,
        };
        if let Some(key) = open.get("key") {
            let target = base.map(|base| format!("{base}/browse/{}", resources::encode(key, '_')));
            return self.writer.link(key, target);
        }
        let query = open.get("jqlQuery").or_else(|| open.get("jql")).or_else(|| open.get("url"));
        let Some(query) = query else { return self.unknown(open) };
        self.writer.losses.add("macro: jira", 1);
        let target = base.map(|base| format!("{base}/issues/?jql={}", resources::encode(query, '_')));
        self.writer.link(&format!("Jira issues: {query}"), target);
    }

    /// The title of a macro with a body, and its icon.
    fn title(&mut self, open: &Macro) {
        let icon =
            open.get("panelIconText").or_else(|| open.get("panel-icon-text")).filter(|icon| !icon.is_ascii());
        if let Some(icon) = icon {
            self.writer.text(icon);
            self.writer.lead_in();
        }
        if let Some(title) = open.get("title").or_else(|| open.get("label")) {
            self.label(title);
            self.writer.end_block();
        }
    }

    fn label(&mut self, label: &str) {
        self.writer.mark_open(Mark::Strong);
        self.writer.text(label);
        self.writer.mark_close(Mark::Strong);
        self.writer.space();
    }

    /// A named reference to a macro whose content is not here.
    fn unknown(&mut self, open: &Macro) {
        let name = open.name.strip_prefix("adf:").unwrap_or(&open.name);
        let name = if name.is_empty() { "unknown" } else { name };
        self.writer.losses.add(format!("macro: {name}"), 1);
        self.writer.text(&format!("[macro: {name}"));
        let mut separator = " (";
        for parameter in open.parameters.iter().filter(|parameter| is_telling(&parameter.name)).take(12) {
            let value = parameter.text.trim();
            if value.is_empty() && parameter.resource.is_none() {
                continue;
            }
            self.writer.text(separator);
            separator = ", ";
            if !parameter.name.is_empty() {
                self.writer.text(&format!("{}: ", parameter.name));
            }
            match &parameter.resource {
                Some(resource) => self.resource(resource, resource.address(self.context)),
                None => self.writer.text(&shortened(value)),
            }
        }
        self.writer.text(if separator == ", " { ")]" } else { "]" });
    }
}

fn is_host(text: &str) -> bool {
    text.contains('.')
        && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'-' | b':'))
}

fn shortened(value: &str) -> String {
    const MOST: usize = 200;
    match value.char_indices().nth(MOST) {
        Some((end, _)) => format!("{}…", &value[..end]),
        None => value.to_owned(),
    }
}
