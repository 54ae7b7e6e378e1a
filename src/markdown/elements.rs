//! Elements that mean the same in storage format and in HTML.

use std::borrow::Cow;

use super::convert::{Close, Converter};
use super::element::Element;
use super::escape;
use super::losses;
use super::resources;
use super::tokens::Attributes;
use super::writer::Mark;
use crate::clean;

impl Converter<'_> {
    /// A block of code without what nobody can see in it.
    pub(super) fn code(&mut self, language: &str, code: &str) {
        let kept = self.visible(code);
        let plain = |c: &char| escape::is_word_character(*c) || matches!(c, '+' | '-' | '#' | '.' | '_');
        let language: String = language.to_lowercase().chars().filter(plain).take(40).collect();
        if !kept.trim().is_empty() {
            self.writer.code(if language == "none" { "" } else { &language }, &kept);
        }
    }

    /// A text without what nobody can see in it; that is counted.
    pub(super) fn visible<'t>(&mut self, text: &'t str) -> Cow<'t, str> {
        let (kept, lost) = clean::visible(text);
        self.writer.losses.add(losses::INVISIBLE_CHARACTERS, u64::from(lost));
        kept
    }

    /// Elements that mean the same in storage format and in HTML.
    pub(super) fn begin_html(&mut self, element: Element, attributes: Attributes<'_>) -> Close {
        if self.is_capturing() {
            if element == Element::Break {
                self.text("\n");
            }
            return Close::Nothing;
        }
        let number = |name: &str| attributes.get(name).and_then(|value| value.trim().parse::<usize>().ok());
        let writer = &mut self.writer;
        match element {
            Element::Paragraph => {
                writer.paragraph_open();
                return Close::Block;
            }
            Element::Block | Element::Caption => {
                writer.end_block();
                return Close::Block;
            }
            Element::Heading(level) => {
                writer.heading_open(level);
                return Close::Heading;
            }
            Element::Bullets => writer.list_open(false, 1),
            Element::Numbers => writer.list_open(true, number("start").map_or(1, |start| start as u64)),
            Element::Item => {
                writer.item_open();
                return Close::Item;
            }
            Element::Table => {
                writer.table_open();
                return Close::Table;
            }
            Element::TableHead => {
                writer.table_header(true);
                return Close::TableHead;
            }
            Element::Row => writer.row_open(),
            Element::HeaderCell | Element::Cell => {
                let columns = number("colspan").unwrap_or(1);
                writer.cell_open(element == Element::HeaderCell, columns, number("rowspan").unwrap_or(1));
                return Close::Cell;
            }
            Element::Strong | Element::Summary => return self.mark(Mark::Strong),
            Element::Emphasis => return self.mark(Mark::Emphasis),
            Element::Strike => return self.mark(Mark::Strike),
            Element::Sub => return self.mark(Mark::Sub),
            Element::Sup => return self.mark(Mark::Sup),
            Element::Quotation => {
                writer.text("\"");
                return Close::Text("\"");
            }
            Element::Code => {
                writer.code_span_open();
                return Close::Code;
            }
            Element::Preformatted => {
                writer.end_block();
                self.capture();
                return Close::Preformatted { language: String::new() };
            }
            Element::Anchor => return self.anchor(attributes),
            Element::Break => writer.line_break(),
            Element::Rule => writer.rule(),
            Element::Image => self.image(attributes),
            Element::Quote | Element::Definition => {
                writer.quote_open();
                return Close::Quote;
            }
            Element::Term => {
                writer.end_block();
                writer.mark_open(Mark::Strong);
                return Close::Mark(Mark::Strong);
            }
            Element::Time => {
                let date = attributes.get("datetime").unwrap_or_default().into_owned();
                return Close::Time { date, length: writer.length() };
            }
            _ => {}
        }
        if matches!(element, Element::Bullets | Element::Numbers) { Close::List } else { Close::Nothing }
    }

    pub(super) fn mark(&mut self, mark: Mark) -> Close {
        self.writer.mark_open(mark);
        Close::Mark(mark)
    }

    fn anchor(&mut self, attributes: Attributes<'_>) -> Close {
        let Some(url) = attributes.get("href").filter(|url| !url.is_empty()) else { return Close::Nothing };
        let address = self.address(&url);
        if address.is_none() {
            return Close::Nothing;
        }
        self.writer.link_open(address);
        Close::Link { label: attributes.get("title").unwrap_or(url).into_owned() }
    }

    /// The address that a link may have; one that it may not have is counted.
    pub(super) fn address(&mut self, url: &str) -> Option<String> {
        let address = resources::web_address(url, self.context);
        if address.is_none() {
            self.writer.losses.add(losses::UNSAFE_LINKS, 1);
        }
        address
    }

    fn image(&mut self, attributes: Attributes<'_>) {
        let url = attributes.get("src").unwrap_or_default();
        let label =
            attributes.get("alt").or_else(|| attributes.get("title")).filter(|label| !label.is_empty());
        let label = label.as_deref().unwrap_or_else(|| resources::file_name(&url)).to_owned();
        let address = self.address(&url);
        self.writer.link(&label, address);
    }
}
