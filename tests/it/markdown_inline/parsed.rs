//! What a Markdown parser reads.

use pulldown_cmark::{BlockQuoteKind, CodeBlockKind, Event, Options, Parser, Tag, TagEnd};

/// A visible character, and what it is marked as.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Glyph {
    pub(super) character: char,
    /// Whether a space or the border of a block is before it.
    pub(super) spaced: bool,
    pub(super) marks: Marks,
    pub(super) link: Option<String>,
}

#[derive(Clone, Copy, Debug, Default, PartialEq)]
#[allow(clippy::struct_excessive_bools)]
pub(super) struct Marks {
    pub(super) strong: bool,
    pub(super) emphasis: bool,
    pub(super) strike: bool,
    pub(super) sub: bool,
    pub(super) sup: bool,
    pub(super) code: bool,
}

/// Characters and blocks in their order.
#[derive(Default)]
pub(super) struct Parsed {
    pub(super) glyphs: Vec<Glyph>,
    pub(super) blocks: Vec<&'static str>,
    /// What no page has.
    pub(super) strange: Vec<String>,
    pub(super) links: Vec<String>,
    pending: bool,
}

impl Parsed {
    pub(super) fn of(markdown: &str) -> Self {
        let options = Options::ENABLE_TABLES
            | Options::ENABLE_TASKLISTS
            | Options::ENABLE_STRIKETHROUGH
            | Options::ENABLE_FOOTNOTES
            | Options::ENABLE_GFM;
        let mut read = Self { pending: true, ..Self::default() };
        let mut counts = Counts::default();
        let mut in_code = false;
        let mut links = Vec::new();
        for event in Parser::new_ext(markdown, options) {
            match event {
                Event::Start(Tag::CodeBlock(CodeBlockKind::Fenced(language))) if language.is_empty() => {
                    read.pending = true;
                    read.blocks.push("code");
                    in_code = true;
                }
                Event::End(TagEnd::CodeBlock) => {
                    read.pending = true;
                    in_code = false;
                }
                Event::Text(text) => read.push_all(&text, counts.marks(in_code), links.last()),
                Event::Code(text) => read.push_all(&text, counts.marks(true), links.last()),
                Event::InlineHtml(tag) | Event::Html(tag) if tag.trim() == "<br>" => read.pending = true,
                Event::InlineHtml(tag) | Event::Html(tag) if counts.tag(tag.trim()) => {}
                Event::TaskListMarker(true) => read.blocks.push("task"),
                Event::Start(Tag::Strong) => counts.strong += 1,
                Event::End(TagEnd::Strong) => counts.strong -= 1,
                Event::Start(Tag::Emphasis) => counts.emphasis += 1,
                Event::End(TagEnd::Emphasis) => counts.emphasis -= 1,
                Event::Start(Tag::Strikethrough) => counts.strike += 1,
                Event::End(TagEnd::Strikethrough) => counts.strike -= 1,
                Event::Start(Tag::Link { dest_url, title, .. }) if title.is_empty() => {
                    read.links.push(dest_url.to_string());
                    links.push(dest_url.to_string());
                }
                Event::End(TagEnd::Link) => {
                    links.pop();
                }
                Event::Start(tag) => read.block(&tag),
                Event::SoftBreak | Event::HardBreak | Event::End(_) => read.pending = true,
                strange => read.strange.push(format!("{strange:?}")),
            }
        }
        read
    }

    fn block(&mut self, tag: &Tag<'_>) {
        self.pending = true;
        self.blocks.push(match tag {
            Tag::Paragraph | Tag::TableHead | Tag::TableRow => return,
            Tag::Heading { level, .. } => ["h1", "h2", "h3", "h4", "h5", "h6"][*level as usize - 1],
            Tag::List(None) => "ul",
            Tag::List(Some(_)) => "ol",
            Tag::Item => "li",
            Tag::Table(_) => "table",
            Tag::TableCell => "cell",
            Tag::BlockQuote(None) => "quote",
            Tag::BlockQuote(Some(BlockQuoteKind::Note)) => "note",
            strange => return self.strange.push(format!("{strange:?}")),
        });
    }

    pub(super) fn push_all(&mut self, text: &str, marks: Marks, link: Option<&String>) {
        for character in text.chars() {
            self.push(character, marks, link);
        }
    }

    pub(super) fn push(&mut self, character: char, marks: Marks, link: Option<&String>) {
        if character.is_whitespace() {
            self.pending = true;
            return;
        }
        // Code right after code is written with or without a space between them.
        let in_code = marks.code && self.glyphs.last().is_some_and(|last| last.marks.code);
        let spaced = std::mem::take(&mut self.pending) && !in_code;
        self.glyphs.push(Glyph { character, spaced, marks, link: link.cloned() });
    }

    pub(super) fn space(&mut self) {
        self.pending = true;
    }

    pub(super) fn text(&self) -> String {
        let spaces = |glyph: &Glyph| if glyph.spaced { " " } else { "" };
        self.glyphs.iter().flat_map(|glyph| spaces(glyph).chars().chain([glyph.character])).collect()
    }
}

/// How many of each are open.
#[derive(Default)]
struct Counts {
    strong: i32,
    emphasis: i32,
    strike: i32,
    sub: i32,
    sup: i32,
    code: i32,
}

impl Counts {
    fn marks(&self, code: bool) -> Marks {
        Marks {
            strong: self.strong > 0,
            emphasis: self.emphasis > 0,
            strike: self.strike > 0,
            sub: self.sub > 0,
            sup: self.sup > 0,
            code: code || self.code > 0,
        }
    }

    /// Counts a tag that stands for a mark; says whether it does.
    fn tag(&mut self, tag: &str) -> bool {
        match tag {
            "<strong>" => self.strong += 1,
            "</strong>" => self.strong -= 1,
            "<em>" => self.emphasis += 1,
            "</em>" => self.emphasis -= 1,
            "<del>" => self.strike += 1,
            "</del>" => self.strike -= 1,
            "<code>" => self.code += 1,
            "</code>" => self.code -= 1,
            "<sub>" => self.sub += 1,
            "</sub>" => self.sub -= 1,
            "<sup>" => self.sup += 1,
            "</sup>" => self.sup -= 1,
            _ => return false,
        }
        true
    }
}
