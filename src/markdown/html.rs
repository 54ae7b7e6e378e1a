//! Rendered pages: the `view` and `export_view` bodies. Confluence says in classes and data attributes what its elements
//! were before they were rendered.

use std::cell::RefCell;

use html5ever::tendril::StrTendril;
use html5ever::tokenizer::{
    BufferQueue, Tag, TagKind, Token, TokenSink, TokenSinkResult, Tokenizer, TokenizerOpts, states,
};

use super::convert::{self, Converter};
use super::element::Element;
use super::tokens::Attributes;
use super::writer::Mark;
use super::{Context, Document, emoji, resources};

#[derive(Debug)]
pub(super) enum Close {
    Label,
    Status,
    Mention,
    Task,
    /// A macro that may turn out to be empty.
    Shell {
        name: String,
        length: usize,
    },
}

pub fn from_html(html: &str, context: &Context<'_>) -> Document {
    let mut converter = Converter::new(context, html.len());
    feed(&mut converter, html);
    converter.finish()
}

pub(super) fn feed(converter: &mut Converter<'_>, html: &str) {
    let state = RefCell::new(State { converter, text: StrTendril::new() });
    let tokenizer = Tokenizer::new(Sink(state), TokenizerOpts::default());
    let input = BufferQueue::default();
    let mut rest = html;
    while !rest.is_empty() {
        let end = (PIECE..rest.len()).find(|end| rest.is_char_boundary(*end)).unwrap_or(rest.len());
        let (piece, after) = rest.split_at(end);
        input.push_back(StrTendril::from_slice(piece));
        let _ = tokenizer.feed(&input);
        rest = after;
    }
    tokenizer.end();
}

/// How much of a page the tokenizer copies at a time, in bytes.
const PIECE: usize = 64 * 1024;

pub(super) fn is_void(name: &str) -> bool {
    matches!(Element::named(name), Element::Break | Element::Rule | Element::Image | Element::Nothing)
}

/// Classes of what is there for scripts and screen readers only.
const UNSEEN_CLASSES: [&str; 5] = ["hidden", "assistive", "visually-hidden", "sr-only", "aui-icon"];

struct Sink<'c, 'a>(RefCell<State<'c, 'a>>);

struct State<'c, 'a> {
    converter: &'c mut Converter<'a>,
    /// What has been heard since the last tag. The parser hands over each character reference on its own.
    text: StrTendril,
}

impl TokenSink for Sink<'_, '_> {
    type Handle = ();

    fn process_token(&self, token: Token, _line: u64) -> TokenSinkResult<()> {
        let mut state = self.0.borrow_mut();
        match token {
            Token::CharacterTokens(text) => state.text.push_tendril(&text),
            Token::TagToken(tag) => {
                state.flush();
                return state.converter.tag(&tag);
            }
            Token::EOFToken => state.flush(),
            _ => {}
        }
        TokenSinkResult::Continue
    }
}

impl State<'_, '_> {
    fn flush(&mut self) {
        if !self.text.is_empty() {
            self.converter.text(&std::mem::take(&mut self.text));
        }
    }
}

impl Converter<'_> {
    fn tag(&mut self, tag: &Tag) -> TokenSinkResult<()> {
        let name: &str = &tag.name;
        let element = Element::named(name);
        if tag.kind == TagKind::EndTag {
            self.close(element);
            return TokenSinkResult::Continue;
        }
        if matches!(name, "iframe" | "object" | "embed" | "audio" | "video") {
            self.writer.losses.add("embedded media", 1);
        }
        let attributes = Attributes::Parsed(&tag.attrs);
        let class = attributes.get("class").unwrap_or_default();
        let classes = Classes(&class);
        // What can be unfolded is closed at first, but anyone can see it.
        let attributes = if classes.has("expand-content") { Attributes::Parsed(&[]) } else { attributes };
        self.open(element, attributes, |converter| converter.begin_rendered(element, attributes, classes));
        if is_void(name) || tag.self_closing {
            self.close(element);
            return TokenSinkResult::Continue;
        }
        match name {
            "script" => TokenSinkResult::RawData(states::RawKind::ScriptData),
            "style" | "xmp" | "iframe" | "noembed" | "noframes" => {
                TokenSinkResult::RawData(states::RawKind::Rawtext)
            }
            "textarea" | "title" => TokenSinkResult::RawData(states::RawKind::Rcdata),
            _ => TokenSinkResult::Continue,
        }
    }

    fn begin_rendered(
        &mut self,
        element: Element,
        attributes: Attributes<'_>,
        classes: Classes<'_>,
    ) -> convert::Close {
        let get = |key: &str| attributes.get(key).filter(|value| !value.is_empty());
        if UNSEEN_CLASSES.iter().any(|class| classes.has(class)) {
            self.skip(Some(super::losses::HIDDEN_TEXT));
            return convert::Close::Nothing;
        }
        match element {
            Element::Block => return self.begin_block(attributes, classes),
            Element::Span if classes.has("status-macro") || classes.has("aui-lozenge") => {
                self.writer.code_span_open();
                return convert::Close::Html(Close::Status);
            }
            Element::Span if classes.has("expand-control-text") => return self.begin_label(),
            Element::Paragraph if classes.has("title") => {
                self.writer.end_block();
                return self.begin_label();
            }
            Element::Anchor if classes.has("user-mention") => {
                self.writer.text("@");
                self.writer.glue();
                return convert::Close::Html(Close::Mention);
            }
            Element::Anchor => {
                if let Some(target) = attached(attributes, get("href").as_deref().unwrap_or_default()) {
                    self.writer.link_open(Some(target));
                    let label = get("data-linked-resource-default-alias").unwrap_or_default().into_owned();
                    return convert::Close::Link { label };
                }
            }
            Element::Image => return self.rendered_image(attributes, classes),
            Element::Preformatted => {
                self.writer.end_block();
                self.capture();
                let parameters = get("data-syntaxhighlighter-params").unwrap_or_default();
                let brush = parameters.split(';').find_map(|one| one.trim().strip_prefix("brush:"));
                let language = brush.map_or_else(
                    || get("data-language").unwrap_or_default().into_owned(),
                    |brush| brush.trim().to_owned(),
                );
                return convert::Close::Preformatted { language };
            }
            Element::Item if get("data-inline-task-id").is_some() || classes.has("task-item") => {
                self.writer.item_open();
                self.writer.raw(if classes.has("checked") { "[x]" } else { "[ ]" }, "");
                self.writer.lead_in();
                return convert::Close::Html(Close::Task);
            }
            _ => {}
        }
        self.begin_html(element, attributes)
    }

    fn begin_block(&mut self, attributes: Attributes<'_>, classes: Classes<'_>) -> convert::Close {
        if self.is_capturing() {
            return convert::Close::Nothing;
        }
        self.writer.end_block();
        let kinds = [
            ("information", "NOTE"),
            ("info", "NOTE"),
            ("tip", "TIP"),
            ("success", "TIP"),
            ("note", "WARNING"),
            ("hint", "NOTE"),
            ("warning", "CAUTION"),
            ("error", "CAUTION"),
        ];
        if classes.has("confluence-information-macro") || classes.has("aui-message") {
            let kind = kinds.iter().find(|(kind, _)| {
                classes.has(&format!("confluence-information-macro-{kind}"))
                    || classes.has(&format!("aui-message-{kind}"))
                    || classes.has(kind)
            });
            self.writer.alert_open(kind.map_or("NOTE", |(_, alert)| alert));
            return convert::Close::Quote;
        }
        let is_code = classes.has("code") || classes.has("preformatted");
        if (classes.has("panel") && !is_code) || classes.has("expand-container") {
            self.writer.quote_open();
            return convert::Close::Quote;
        }
        if ["panelHeader", "codeHeader", "preformattedHeader"].iter().any(|class| classes.has(class)) {
            return self.begin_label();
        }
        if classes.has("toc-macro") {
            self.writer.losses.add("table of contents", 1);
            self.skip(None);
            return convert::Close::Nothing;
        }
        match attributes.get("data-macro-name") {
            Some(name) if attributes.get("data-hasbody").is_some_and(|has| has == "false") => {
                let length = self.writer.length();
                convert::Close::Html(Close::Shell { name: name.into_owned(), length })
            }
            _ => convert::Close::Block,
        }
    }

    fn begin_label(&mut self) -> convert::Close {
        self.writer.mark_open(Mark::Strong);
        convert::Close::Html(Close::Label)
    }

    pub(super) fn close_html(&mut self, close: Close) {
        match close {
            Close::Label => {
                self.writer.mark_close(Mark::Strong);
                self.writer.end_block();
            }
            Close::Status => self.writer.code_span_close(),
            Close::Mention => self.writer.trim(),
            Close::Task => self.writer.item_close(),
            Close::Shell { name, length } => {
                if self.writer.length() == length {
                    self.writer.losses.add(format!("macro: {name}"), 1);
                    self.writer.text(&format!("[macro: {name}]"));
                }
                self.writer.end_block();
            }
        }
    }

    fn rendered_image(&mut self, attributes: Attributes<'_>, classes: Classes<'_>) -> convert::Close {
        let get = |key: &str| attributes.get(key).filter(|value| !value.is_empty());
        if classes.has("emoticon") {
            let text = emoji::rendered(attributes);
            self.writer.text(&text);
            return convert::Close::Nothing;
        }
        let decorative =
            ["icon", "expand-control-image", "userLogo", "logo"].iter().any(|class| classes.has(class));
        if decorative || self.is_capturing() {
            return convert::Close::Nothing;
        }
        let url = get("data-image-src").or_else(|| get("src")).unwrap_or_default();
        let alias = get("data-linked-resource-default-alias");
        let Some(target) = attached(attributes, &url) else {
            return self.begin_html(Element::Image, attributes);
        };
        let name = alias.map_or_else(|| file_name(&target), std::borrow::Cow::into_owned);
        let label = get("alt").or_else(|| get("title")).map_or(name, std::borrow::Cow::into_owned);
        self.writer.link(&label, Some(target));
        convert::Close::Nothing
    }
}

/// The `attachment:` address of an element that shows or links an attachment.
fn attached(attributes: Attributes<'_>, url: &str) -> Option<String> {
    let get = |key: &str| attributes.get(key).filter(|value| !value.is_empty());
    if get("data-linked-resource-type").is_some_and(|kind| kind == "attachment")
        && let (Some(page), Some(name)) =
            (get("data-linked-resource-container-id"), get("data-linked-resource-default-alias"))
    {
        return Some(resources::attachment(&page, &name));
    }
    let (_, path) =
        url.split_once("/download/attachments/").or_else(|| url.split_once("/download/thumbnails/"))?;
    let (page, name) = path.split(['?', '#']).next()?.split_once('/')?;
    let plausible = page.bytes().all(|byte| byte.is_ascii_digit()) && !name.is_empty() && !name.contains('/');
    plausible.then(|| resources::attachment(page, &resources::decode_percent(&name.replace('+', " "))))
}

fn file_name(target: &str) -> String {
    resources::decode_percent(target.rsplit('/').next().unwrap_or_default())
}

/// The classes of an element.
#[derive(Clone, Copy)]
struct Classes<'a>(&'a str);

impl Classes<'_> {
    fn has(self, class: &str) -> bool {
        !self.0.is_empty() && self.0.split_ascii_whitespace().any(|one| one == class)
    }
}
