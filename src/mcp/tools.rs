//! The tools of a GPT: its enabled actions, and ChatGPT's `search` and `fetch` on top of them.

use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use rmcp::model::{CallToolResult, ContentBlock, JsonObject, Tool, ToolAnnotations};
use serde_json::Value;

use super::research;
use crate::action::{Answer, Entry, Image};
use crate::config::Gpt;

/// What a GPT's endpoint lists and runs.
pub struct Toolbox {
    tools: Vec<Tool>,
    actions: Vec<Entry>,
}

/// What a tool does.
#[derive(Clone, Copy)]
pub enum Use<'a> {
    Action(&'a Entry),
    Search(&'a Entry),
    Fetch(&'a Entry),
}

impl Toolbox {
    pub fn new(gpt: &Gpt, entries: &[Entry]) -> Self {
        let actions: Vec<Entry> =
            entries.iter().filter(|entry| gpt.allows_action(entry.id)).cloned().collect();
        let mut toolbox = Self { tools: actions.iter().map(of_action).collect(), actions };
        for tool in [research::search_tool(), research::fetch_tool()] {
            if toolbox.find(&tool.name).is_some() {
                toolbox.tools.push(tool);
            }
        }
        toolbox
    }

    pub fn tools(&self) -> &[Tool] {
        &self.tools
    }

    pub fn find(&self, name: &str) -> Option<Use<'_>> {
        match name {
            research::SEARCH => self.action(research::SEARCHES_WITH).map(Use::Search),
            research::FETCH => self.action(research::FETCHES_WITH).map(Use::Fetch),
            _ => self.action(name).map(Use::Action),
        }
    }

    fn action(&self, id: &str) -> Option<&Entry> {
        self.actions.iter().find(|entry| entry.id == id)
    }
}

fn of_action(entry: &Entry) -> Tool {
    tool(entry.id, &entry.summary, &entry.description, entry.input.clone(), entry.output.clone())
}

/// A tool that only reads. Its world is closed: one company's Confluence, as one person sees it, never the open web.
pub fn tool(
    name: &'static str,
    title: &str,
    description: &str,
    input: Arc<JsonObject>,
    output: Arc<JsonObject>,
) -> Tool {
    let annotations = ToolAnnotations::with_title(title)
        .read_only(true)
        .destructive(false)
        .idempotent(true)
        .open_world(false);
    Tool::new(name, description.to_owned(), input)
        .with_title(title)
        .with_raw_output_schema(output)
        .with_annotations(annotations)
}

/// An action's answer: as it is, as text, and as an image where it has one. A page's text is its Markdown, followed by the rest
/// as JSON, for clients that show the model nothing but text.
pub fn answer(Answer { json, image, .. }: Answer) -> CallToolResult {
    let object: JsonObject = serde_json::from_str(&json).unwrap_or_default();
    let mut content = match object.get("markdown").and_then(Value::as_str) {
        Some(markdown) => {
            let rest = object.iter().filter(|(name, _)| *name != "markdown");
            let rest: JsonObject = rest.map(|(name, value)| (name.clone(), value.clone())).collect();
            [markdown.to_owned(), Value::Object(rest).to_string()].map(ContentBlock::text).into()
        }
        None => vec![ContentBlock::text(json)],
    };
    let block = |image: Image| ContentBlock::image(STANDARD.encode(image.bytes), image.media_type);
    content.extend(image.map(block));
    let mut result = CallToolResult::success(content);
    result.structured_content = Some(Value::Object(object));
    result
}
