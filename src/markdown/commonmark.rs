//! Markdown as somebody wrote it: read, and written again by the writer, so that nothing in it is more than what it says.
//! Images become links, addresses are judged as those of pages are, and HTML goes through the reader of rendered pages.

use pulldown_cmark::{
    BlockQuoteKind, CodeBlockKind, CowStr, Event, LinkType, MetadataBlockKind, Options, Parser, Tag, TagEnd,
};

use super::convert::Converter;
use super::writer::Mark;
use super::{Builder, Context, Document, html, losses, resources};

/// Longer Markdown, in bytes, is shown as it is: the tree of it would take many times as much.
const LONGEST: usize = 4 * 1024 * 1024;
/// How many quotes and items may begin on one line, and how wide their indentation may be. Each line is held against all
/// that are open.
const MOST_MARKERS: usize = 50;
const MOST_COLUMNS: usize = 120;

/// Markdown written again. What is too long or too deep to be taken apart is shown in a fence, as it is.
pub fn from_markdown(markdown: &str, context: &Context<'_>) -> Document {
    if markdown.len() > LONGEST || nests_too_deep(markdown) {
        let mut builder = Builder::new(markdown.len());
        builder.code("markdown", markdown.trim_end());
        return builder.finish();
    }
    let options = Options::ENABLE_TABLES
        | Options::ENABLE_STRIKETHROUGH
        | Options::ENABLE_TASKLISTS
        | Options::ENABLE_GFM
        | Options::ENABLE_YAML_STYLE_METADATA_BLOCKS;
    let mut reader = Reader { converter: Converter::new(context, markdown.len()), held: Held::Nothing };
    for event in Parser::new_ext(markdown, options) {
        reader.hear(event);
    }
    reader.converter.finish()
}

fn nests_too_deep(markdown: &str) -> bool {
    markdown.lines().any(|line| {
        let (mut markers, mut columns) = (0, 0);
        let mut rest = line.as_bytes();
        while markers <= MOST_MARKERS && columns <= MOST_COLUMNS {
            let digits = rest.iter().take(9).take_while(|byte| byte.is_ascii_digit()).count();
            let length = match &rest[digits..] {
                [b' ' | b'\t', ..] if digits == 0 => {
                    columns += if rest[0] == b' ' { 1 } else { 4 };
                    1
                }
                [b'>', ..] | [b'-' | b'+' | b'*', b' ' | b'\t', ..] if digits == 0 => 1,
                [b'.' | b')', b' ' | b'\t', ..] if digits > 0 => digits + 1,
                _ => return false,
            };
            markers += usize::from(!rest[0].is_ascii_whitespace());
            rest = &rest[length..];
        }
        true
    })
}

struct Reader<'a> {
    converter: Converter<'a>,
    held: Held,
}

/// What is being collected, as it is written in one go.
enum Held {
    Nothing,
    Code {
        language: String,
        code: String,
    },
    Html(String),
    Picture {
        label: String,
        url: String,
        /// How many images are open in it.
        inside: usize,
    },
}

impl Reader<'_> {
    fn hear(&mut self, event: Event<'_>) {
        let writer = &mut self.converter.writer;
        match event {
            Event::Start(tag) => self.start(tag),
            Event::End(tag) => self.end(tag),
            Event::Text(text) => self.text(&text),
            Event::Code(code) => self.code_span(&code),
            Event::Html(source) => match &mut self.held {
                Held::Html(html) => html.push_str(&source),
                _ => self.html(&source),
            },
            Event::InlineHtml(source) => {
                if matches!(self.held, Held::Nothing) {
                    self.html(&source);
                }
            }
            Event::SoftBreak => self.text("\n"),
            Event::HardBreak => match self.held {
                Held::Nothing => writer.line_break(),
                _ => self.text("\n"),
            },
            Event::Rule => {
                self.settle();
                self.converter.writer.rule();
            }
            Event::TaskListMarker(done) => {
                writer.raw(if done { "[x]" } else { "[ ]" }, "");
                writer.lead_in();
            }
            // Not asked for.
            Event::InlineMath(_) | Event::DisplayMath(_) | Event::FootnoteReference(_) => {}
        }
    }

    fn text(&mut self, text: &str) {
        match &mut self.held {
            Held::Nothing => self.converter.text(text),
            Held::Code { code, .. } => code.push_str(text),
            Held::Html(html) => html.push_str(text),
            Held::Picture { label, .. } => label.push_str(text),
        }
    }

    fn code_span(&mut self, code: &str) {
        if !matches!(self.held, Held::Nothing) || self.converter.is_skipping() {
            return self.text(code);
        }
        self.converter.writer.code_span_open();
        self.converter.text(code);
        self.converter.writer.code_span_close();
    }

    /// Elements that are open in HTML end with the block that they are in: what is never closed swallows nothing more.
    fn settle(&mut self) {
        self.converter.close_all();
    }

    fn html(&mut self, source: &str) {
        if source.trim_start().starts_with("<!--") {
            self.converter.writer.losses.add(losses::HIDDEN_TEXT, 1);
        }
        html::feed(&mut self.converter, source);
    }

    fn start(&mut self, tag: Tag<'_>) {
        if let Held::Picture { inside, .. } = &mut self.held {
            *inside += usize::from(matches!(tag, Tag::Image { .. }));
            return;
        }
        if !is_inline(tag.to_end()) {
            self.settle();
        }
        let writer = &mut self.converter.writer;
        match tag {
            Tag::Paragraph => writer.paragraph_open(),
            Tag::Heading { level, .. } => writer.heading_open(level as u8),
            Tag::BlockQuote(None) => writer.quote_open(),
            Tag::BlockQuote(Some(kind)) => writer.alert_open(alert(kind)),
            Tag::CodeBlock(kind) => {
                writer.end_block();
                self.held = Held::Code { language: language(&kind), code: String::new() };
            }
            Tag::MetadataBlock(kind) => {
                let language = if kind == MetadataBlockKind::YamlStyle { "yaml" } else { "toml" };
                self.held = Held::Code { language: language.to_owned(), code: String::new() };
            }
            Tag::HtmlBlock => self.held = Held::Html(String::new()),
            Tag::List(start) => writer.list_open(start.is_some(), start.unwrap_or(1)),
            Tag::Item => writer.item_open(),
            Tag::Table(_) => writer.table_open(),
            Tag::TableHead => {
                writer.table_header(true);
                writer.row_open();
            }
            Tag::TableRow => writer.row_open(),
            Tag::TableCell => writer.cell_open(false, 1, 1),
            Tag::Emphasis => writer.mark_open(Mark::Emphasis),
            Tag::Strong => writer.mark_open(Mark::Strong),
            Tag::Strikethrough => writer.mark_open(Mark::Strike),
            Tag::Link { link_type, dest_url, .. } => self.open_link(link_type, &dest_url),
            Tag::Image { dest_url, .. } => {
                self.held = Held::Picture { label: String::new(), url: dest_url.into_string(), inside: 0 };
            }
            // Not asked for.
            Tag::FootnoteDefinition(_)
            | Tag::DefinitionList
            | Tag::DefinitionListTitle
            | Tag::DefinitionListDefinition
            | Tag::Superscript
            | Tag::Subscript => {}
        }
    }

    fn open_link(&mut self, link_type: LinkType, url: &str) {
        let address = match link_type {
            _ if url.is_empty() => None,
            LinkType::Email => self.converter.address(&format!("mailto:{url}")),
            _ => self.converter.address(url),
        };
        self.converter.writer.link_open(address);
    }

    fn end(&mut self, tag: TagEnd) {
        if let Held::Picture { inside, .. } = &mut self.held {
            match (tag, inside) {
                (TagEnd::Image, 0) => self.picture(),
                (TagEnd::Image, inside) => *inside -= 1,
                _ => {}
            }
            return;
        }
        if !is_inline(tag) {
            self.settle();
        }
        let writer = &mut self.converter.writer;
        match tag {
            TagEnd::Paragraph => writer.end_block(),
            TagEnd::Heading(_) => writer.heading_close(),
            TagEnd::BlockQuote(_) => writer.quote_close(),
            TagEnd::CodeBlock | TagEnd::MetadataBlock(_) | TagEnd::HtmlBlock => self.block(),
            TagEnd::List(_) => writer.list_close(),
            TagEnd::Item => writer.item_close(),
            TagEnd::Table => writer.table_close(),
            TagEnd::TableHead => writer.table_header(false),
            TagEnd::TableCell => writer.cell_close(),
            TagEnd::Emphasis => writer.mark_close(Mark::Emphasis),
            TagEnd::Strong => writer.mark_close(Mark::Strong),
            TagEnd::Strikethrough => writer.mark_close(Mark::Strike),
            TagEnd::Link => writer.link_close("link"),
            _ => {}
        }
    }

    /// Writes the block that was collected.
    fn block(&mut self) {
        match std::mem::replace(&mut self.held, Held::Nothing) {
            Held::Code { language, code } => {
                self.converter.code(&language, code.strip_suffix('\n').unwrap_or(&code));
            }
            Held::Html(html) => {
                self.converter.writer.end_block();
                self.html(&html);
                self.settle();
                self.converter.writer.end_block();
            }
            Held::Nothing | Held::Picture { .. } => {}
        }
    }

    fn picture(&mut self) {
        let Held::Picture { label, url, .. } = std::mem::replace(&mut self.held, Held::Nothing) else {
            return;
        };
        let label = if label.trim().is_empty() { resources::file_name(&url) } else { label.trim() };
        if self.converter.is_skipping() {
            return self.converter.text(label);
        }
        let address = self.converter.address(&url);
        self.converter.writer.link(label, address);
    }
}

fn is_inline(tag: TagEnd) -> bool {
    matches!(tag, TagEnd::Emphasis | TagEnd::Strong | TagEnd::Strikethrough | TagEnd::Link | TagEnd::Image)
}

fn alert(kind: BlockQuoteKind) -> &'static str {
    match kind {
        BlockQuoteKind::Note => "NOTE",
        BlockQuoteKind::Tip => "TIP",
        BlockQuoteKind::Important => "IMPORTANT",
        BlockQuoteKind::Warning => "WARNING",
        BlockQuoteKind::Caution => "CAUTION",
    }
}

/// The first word behind a fence's ticks.
fn language(kind: &CodeBlockKind<'_>) -> String {
    let info = match kind {
        CodeBlockKind::Fenced(info) => info,
        CodeBlockKind::Indented => &CowStr::Borrowed(""),
    };
    info.split([' ', '\t', ',', '{']).next().unwrap_or_default().to_owned()
}
