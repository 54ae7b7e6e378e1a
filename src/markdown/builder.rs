//! Documents of other origin than a page, written block by block.

use super::writer::{Mark, Writer};
use super::{Document, losses};
use crate::clean;

/// Writes a document block by block. Text is text: what would be Markdown in it is escaped.
pub struct Builder {
    writer: Writer,
    /// How many rows the open tables have, the innermost last.
    rows: Vec<usize>,
}

impl Builder {
    /// `length` is about how long the text will be, in bytes.
    pub fn new(length: usize) -> Self {
        Self { writer: Writer::new(length), rows: Vec::new() }
    }

    /// A heading of level 1 to 6.
    pub fn heading(&mut self, level: u8, text: &str) {
        self.heading_open(level);
        self.text(text);
        self.heading_close();
    }

    pub fn heading_open(&mut self, level: u8) {
        self.writer.heading_open(level.clamp(1, 6));
    }

    pub fn heading_close(&mut self) {
        self.writer.heading_close();
    }

    /// A paragraph that keeps its lines.
    pub fn paragraph(&mut self, text: &str) {
        for (number, line) in text.lines().enumerate() {
            if number > 0 {
                self.writer.line_break();
            }
            self.text(line);
        }
        self.end_block();
    }

    /// Text of the block that is open; of a new paragraph if there is none.
    pub fn text(&mut self, text: &str) {
        self.writer.text(text);
    }

    pub fn line_break(&mut self) {
        self.writer.line_break();
    }

    /// Ends the paragraph that is open.
    pub fn end_block(&mut self) {
        self.writer.end_block();
    }

    pub fn strong_open(&mut self) {
        self.writer.mark_open(Mark::Strong);
    }

    pub fn strong_close(&mut self) {
        self.writer.mark_close(Mark::Strong);
    }

    pub fn list_open(&mut self, ordered: bool) {
        self.writer.list_open(ordered, 1);
    }

    pub fn list_close(&mut self) {
        self.writer.list_close();
    }

    pub fn item_open(&mut self) {
        self.writer.item_open();
    }

    pub fn item_close(&mut self) {
        self.writer.item_close();
    }

    /// A table, whose first row is its header.
    pub fn table_open(&mut self) {
        self.writer.table_open();
        self.rows.push(0);
    }

    pub fn row_open(&mut self) {
        self.writer.row_open();
        if let Some(rows) = self.rows.last_mut() {
            *rows += 1;
        }
    }

    /// A cell as wide as so many columns.
    pub fn cell_open(&mut self, columns: usize) {
        let in_header = self.rows.last() == Some(&1);
        self.writer.cell_open(in_header, columns.max(1), 1);
    }

    pub fn cell(&mut self, text: &str) {
        self.cell_open(1);
        self.paragraph(text);
    }

    pub fn table_close(&mut self) {
        self.writer.table_close();
        self.rows.pop();
    }

    /// A block of code, byte for byte but for what nobody sees.
    pub fn code(&mut self, language: &str, code: &str) {
        let (code, lost) = clean::visible(code);
        self.writer.losses.add(losses::INVISIBLE_CHARACTERS, u64::from(lost));
        if code.contains('\r') {
            // A carriage return alone ends a line too, which then would be outside of what is around the fence.
            return self.writer.code(language, &code.replace("\r\n", "\n").replace('\r', "\n"));
        }
        self.writer.code(language, &code);
    }

    /// Notes that something is not in the text.
    pub fn lose(&mut self, what: &'static str, count: u64) {
        self.writer.losses.add(what, count);
    }

    pub fn finish(self) -> Document {
        Document::new(self.writer)
    }
}
