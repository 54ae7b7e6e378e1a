//! What only storage format has: `ac:` and `ri:` elements. Macros are in `macros`.

use super::convert::{self, Converter};
use super::element::Element;
use super::emoji;
use super::entities;
use super::expansions::{Expansions, Known};
use super::macros::Macro;
use super::references::{Link, Picture};
use super::resources::Resource;
use super::tokens::{Attributes, Token, Tokens};
use super::writer::Mark;
use super::{Context, Document};

/// Storage elements that are open.
#[derive(Default)]
pub(super) struct Open {
    pub(super) links: Vec<Link>,
    pub(super) pictures: Vec<Picture>,
    tasks: Vec<Task>,
    extensions: Vec<Extension>,
}

#[derive(Default)]
struct Task {
    done: bool,
    written: bool,
}

struct Extension {
    /// How much was written when it began.
    length: usize,
}

#[derive(Debug)]
pub(super) enum Close {
    Macro,
    Parameter { name: String },
    RichBody,
    PlainBody,
    Link,
    LinkBody,
    Picture,
    Caption,
    TaskList,
    Task,
    TaskStatus,
    Resource,
    Placeholder,
    AdfExtension,
    AdfNode,
    AdfAttribute { key: String },
    AdfContent,
}

pub fn from_storage(storage: &str, context: &Context<'_>) -> Document {
    let mut converter = Converter::new(context, storage.len());
    feed(&mut converter, storage);
    converter.finish()
}

/// Like `from_storage`, with what macros stand for in their places.
pub fn from_storage_with(storage: &str, expansions: &Expansions<'_>, context: &Context<'_>) -> Document {
    let mut converter = Converter::new(context, storage.len());
    converter.known = Some(Known::new(expansions));
    feed(&mut converter, storage);
    converter.finish()
}

pub(super) fn feed(converter: &mut Converter<'_>, storage: &str) {
    for token in Tokens::new(storage) {
        match token {
            Token::Text(text) => converter.text(&entities::decode(text)),
            Token::CData(text) => converter.text(text),
            Token::Close { name } => converter.close(Element::named(name)),
            Token::Open { name, attributes, closed } => {
                let element = Element::named(name);
                converter.open(element, attributes, |converter| converter.begin(element, name, attributes));
                if closed || is_void(element) {
                    converter.close(element);
                }
            }
        }
    }
}

fn is_void(element: Element) -> bool {
    matches!(element, Element::Break | Element::Rule | Element::Image | Element::Nothing)
}

impl Converter<'_> {
    fn begin(&mut self, element: Element, name: &str, attributes: Attributes<'_>) -> convert::Close {
        let get = |key: &str| {
            attributes.get(key).map(std::borrow::Cow::into_owned).filter(|value| !value.is_empty())
        };
        convert::Close::Storage(match element {
            Element::Macro if !self.is_capturing() => {
                let id = get("ac:macro-id").unwrap_or_default();
                self.begin_macro(Macro::named(&get("ac:name").unwrap_or_default(), id));
                Close::Macro
            }
            Element::Parameter => {
                self.slots.push(None);
                self.capture();
                Close::Parameter { name: get("ac:name").unwrap_or_default() }
            }
            Element::RichBody if !self.is_capturing() => {
                self.begin_rich_body();
                Close::RichBody
            }
            Element::PlainBody => {
                self.capture();
                Close::PlainBody
            }
            Element::Link if !self.is_capturing() => {
                self.slots.push(None);
                self.storage.links.push(Link { anchor: get("ac:anchor"), has_body: false });
                Close::Link
            }
            Element::LinkBody if !self.is_capturing() => return self.begin_link_body(),
            Element::Picture if !self.is_capturing() => {
                let inline = self.is_inline();
                self.slots.push(None);
                let picture =
                    Picture { label: get("ac:alt"), title: get("ac:title"), inline, written: false };
                self.storage.pictures.push(picture);
                Close::Picture
            }
            Element::Caption if name == "ac:caption" && !self.is_capturing() => {
                self.write_picture();
                self.writer.end_block();
                self.writer.mark_open(Mark::Emphasis);
                Close::Caption
            }
            Element::Resource => {
                if let (Some(resource), Some(slot)) =
                    (Resource::read(name, attributes), self.slots.last_mut())
                {
                    *slot = Some(resource);
                }
                self.slots.push(None);
                Close::Resource
            }
            Element::TaskList | Element::Task | Element::TaskStatus | Element::TaskBody => {
                return self.begin_task(element);
            }
            Element::Emoticon => {
                let emoji = emoji::read(attributes);
                self.text(&emoji);
                return convert::Close::Nothing;
            }
            Element::Placeholder if !self.is_capturing() => {
                self.writer.text("[placeholder: ");
                Close::Placeholder
            }
            Element::AdfExtension
            | Element::AdfNode
            | Element::AdfAttribute
            | Element::AdfContent
            | Element::AdfFallback => return self.begin_adf(element, attributes),
            _ => return self.begin_html(element, attributes),
        })
    }

    pub(super) fn close_storage(&mut self, close: Close) {
        match close {
            Close::Macro | Close::AdfNode => self.end_macro(),
            Close::Parameter { name } => {
                let text = self.captured();
                let resource = self.slots.pop().flatten();
                if let Some(open) = self.macros.last_mut() {
                    open.add_parameter(name, text, resource);
                }
            }
            Close::RichBody | Close::AdfContent => self.end_rich_body(),
            Close::PlainBody => {
                let body = self.captured();
                if let Some(open) = self.macros.last_mut() {
                    open.plain_body.get_or_insert_default().push_str(&body);
                }
            }
            Close::Link => self.end_link(),
            Close::LinkBody => self.writer.link_close(""),
            Close::Picture => self.end_picture(),
            Close::Caption => {
                self.writer.mark_close(Mark::Emphasis);
                self.writer.end_block();
            }
            Close::TaskList => self.writer.list_close(),
            Close::Task => self.end_task(),
            Close::TaskStatus => {
                let status = self.captured();
                if let Some(task) = self.storage.tasks.last_mut() {
                    task.done = status.trim() == "complete";
                }
            }
            Close::Resource => {
                let holder = self.slots.pop().flatten();
                if let (Some(holder), Some(Some(Resource::Attachment { on, .. }))) =
                    (holder, self.slots.last_mut())
                {
                    *on = Some(Box::new(holder));
                }
            }
            Close::Placeholder => self.writer.text("]"),
            Close::AdfExtension => {
                self.storage.extensions.pop();
            }
            Close::AdfAttribute { key } => {
                let value = self.captured();
                if let Some(open) = self.macros.last_mut() {
                    open.add_parameter(key, value, None);
                }
            }
        }
    }

    fn begin_task(&mut self, element: Element) -> convert::Close {
        convert::Close::Storage(match element {
            Element::TaskList => {
                self.writer.list_open(false, 1);
                Close::TaskList
            }
            Element::Task => {
                self.storage.tasks.push(Task::default());
                Close::Task
            }
            Element::TaskStatus => {
                self.capture();
                Close::TaskStatus
            }
            _ => {
                self.write_task();
                return convert::Close::Nothing;
            }
        })
    }

    fn write_task(&mut self) {
        if let Some(task) = self.storage.tasks.last_mut().filter(|task| !task.written) {
            task.written = true;
            let mark = if task.done { "[x]" } else { "[ ]" };
            self.writer.item_open();
            self.writer.raw(mark, "");
            self.writer.lead_in();
        }
    }

    fn end_task(&mut self) {
        self.write_task();
        self.storage.tasks.pop();
        self.writer.item_close();
    }

    fn begin_adf(&mut self, element: Element, attributes: Attributes<'_>) -> convert::Close {
        let get = |key: &str| attributes.get(key).map(std::borrow::Cow::into_owned);
        convert::Close::Storage(match element {
            Element::AdfExtension => {
                self.storage.extensions.push(Extension { length: self.writer.length() });
                Close::AdfExtension
            }
            Element::AdfNode => {
                self.begin_macro(Macro::node(&get("type").unwrap_or_default()));
                Close::AdfNode
            }
            Element::AdfAttribute => {
                self.capture();
                Close::AdfAttribute { key: get("key").unwrap_or_default() }
            }
            Element::AdfContent => {
                self.begin_rich_body();
                Close::AdfContent
            }
            _ => {
                // The fallback says the same once more.
                let said =
                    self.storage.extensions.last().is_some_and(|open| open.length != self.writer.length());
                if said {
                    self.skip(None);
                }
                return convert::Close::Nothing;
            }
        })
    }
}

/// Whether a word stands anywhere in a body: the body is only taken apart where it is worth it.
pub(super) fn mentions(storage: &str, word: &str) -> bool {
    memchr::memmem::find(storage.as_bytes(), word.as_bytes()).is_some()
}

/// The account ids that a page mentions, each once, in their order, 250 at most.
pub fn mentioned_people(storage: &str) -> Vec<String> {
    const MOST: usize = 250;
    let mut people = Vec::new();
    if !mentions(storage, "ri:user") {
        return people;
    }
    let mut seen = std::collections::HashSet::new();
    for token in Tokens::new(storage) {
        if let Token::Open { name: "ri:user", attributes, .. } = token
            && let Some(Resource::User { id }) = Resource::read("ri:user", attributes)
            && seen.insert(id.clone())
        {
            people.push(id);
            if people.len() == MOST {
                break;
            }
        }
    }
    people
}
