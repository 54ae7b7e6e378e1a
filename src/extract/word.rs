//! Word (docx): paragraphs, headings, lists and tables in their order, then the notes.

use std::collections::HashMap;

use super::Failure;
use super::package::{Element, Node, Package, Xml};
use crate::markdown::{Builder, Document};

const BODY: &str = "word/document.xml";

pub fn read(package: &mut Package<'_>) -> Result<Document, Failure> {
    let body = package.part(BODY)?;
    let styles = package.find("word/styles.xml")?.map_or(Ok(HashMap::new()), |part| styles(&part))?;
    let ordered = package.find("word/numbering.xml")?.map_or(Ok(HashMap::new()), |part| numbering(&part))?;
    let mut writer = Writer { builder: Builder::new(body.len()), styles, ordered, lists: Vec::new() };
    writer.part(&body)?;
    for (name, title) in [("word/footnotes.xml", "Footnotes"), ("word/endnotes.xml", "Endnotes")] {
        if let Some(part) = package.find(name)?.filter(|part| memchr::memmem::find(part, b"<w:t").is_some()) {
            writer.close_lists(0);
            writer.builder.heading(2, title);
            writer.part(&part)?;
        }
    }
    writer.close_lists(0);
    Ok(writer.builder.finish())
}

/// What a style means.
#[derive(Clone, Default)]
struct Style {
    /// Of a heading.
    level: Option<u8>,
    list: Option<List>,
}

/// A place in a numbering.
#[derive(Clone, Default)]
struct List {
    number: String,
    level: usize,
}

struct Writer {
    builder: Builder,
    styles: HashMap<String, Style>,
    /// By number and level, whether the items are counted.
    ordered: HashMap<(String, usize), bool>,
    /// The lists that are open, the innermost last: whether their items are counted.
    lists: Vec<bool>,
}

impl Writer {
    fn part(&mut self, part: &[u8]) -> Result<(), Failure> {
        let mut xml = Xml::new(part);
        // What the paragraph is, until its first text comes.
        let mut paragraph: Option<Style> = None;
        let mut in_heading = false;
        let mut in_text = false;
        while let Some(node) = xml.next()? {
            match node {
                Node::Open(element) => match element.name() {
                    "p" => paragraph = Some(Style::default()),
                    "pStyle" => {
                        let id = element.get("val").unwrap_or_default();
                        let named = self.styles.get(&id).cloned().or_else(|| builtin(&id));
                        paragraph = named.or(paragraph);
                    }
                    "numPr" => {
                        let list = list(&mut xml)?;
                        paragraph = paragraph.map(|style| Style { list: Some(list), ..style });
                    }
                    "outlineLvl" => {
                        let level = heading_level(&element);
                        paragraph = paragraph.map(|style| Style { level, ..style });
                    }
                    "t" => in_text = true,
                    "tab" if paragraph.is_none() => self.builder.text(" "),
                    "br" | "cr" => self.builder.line_break(),
                    "noBreakHyphen" => self.builder.text("-"),
                    "tbl" => {
                        self.close_lists(0);
                        self.builder.table_open();
                    }
                    "tr" => self.builder.row_open(),
                    "tc" => self.builder.cell_open(width(&mut xml)?),
                    "blip" | "imagedata" => self.builder.lose("images", 1),
                    "chart" | "relIds" => self.builder.lose("diagrams", 1),
                    // Deleted text, the old place of moved text, and what stands in for newer drawings.
                    "del" | "moveFrom" | "Fallback" | "pPrChange" | "rPrChange" | "instrText" => {
                        xml.skip()?;
                    }
                    _ => {}
                },
                Node::Text(text) if in_text => {
                    if let Some(style) = paragraph.take() {
                        in_heading = self.begin(&style);
                    }
                    self.builder.text(&text);
                }
                Node::Text(_) => {}
                Node::Close(name) => match name.as_str() {
                    "t" => in_text = false,
                    "p" => {
                        if std::mem::take(&mut in_heading) {
                            self.builder.heading_close();
                        }
                        self.builder.end_block();
                        paragraph = None;
                    }
                    "tc" => self.close_lists(0),
                    "tbl" => self.builder.table_close(),
                    _ => {}
                },
            }
        }
        Ok(())
    }

    /// Begins a paragraph of this style; says whether it is a heading.
    fn begin(&mut self, style: &Style) -> bool {
        match (&style.list, style.level) {
            (_, Some(level)) => {
                self.close_lists(0);
                self.builder.heading_open(level);
                true
            }
            (Some(list), None) if list.number != "0" => {
                let level = list.level.min(8);
                let ordered = self.ordered.get(&(list.number.clone(), list.level)).copied().unwrap_or(false);
                self.close_lists(level + 1);
                if self.lists.len() == level + 1 && self.lists.last() != Some(&ordered) {
                    self.close_lists(level);
                }
                while self.lists.len() <= level {
                    self.builder.list_open(ordered);
                    self.lists.push(ordered);
                }
                self.builder.item_open();
                false
            }
            _ => {
                self.close_lists(0);
                false
            }
        }
    }

    fn close_lists(&mut self, left: usize) {
        while self.lists.len() > left {
            self.builder.list_close();
            self.lists.pop();
        }
    }
}

/// How many columns the cell that has just been opened spans: its properties come first.
fn width(xml: &mut Xml<'_>) -> Result<usize, Failure> {
    match xml.next()? {
        Some(Node::Open(element)) if element.name() == "tcPr" => {}
        Some(node) => {
            xml.put_back(node);
            return Ok(1);
        }
        None => return Ok(1),
    }
    let mut width = 1;
    while let Some(node) = xml.next()? {
        match node {
            Node::Open(element) if element.name() == "gridSpan" => {
                width = element.get("val").and_then(|value| value.parse().ok()).unwrap_or(1);
            }
            Node::Close(name) if name == "tcPr" => break,
            _ => {}
        }
    }
    Ok(width)
}

/// `numPr`, up to its end.
fn list(xml: &mut Xml<'_>) -> Result<List, Failure> {
    let mut list = List::default();
    while let Some(node) = xml.next()? {
        match node {
            Node::Open(element) => match element.name() {
                "ilvl" => list.level = element.get("val").and_then(|v| v.parse().ok()).unwrap_or(0),
                "numId" => list.number = element.get("val").unwrap_or_default(),
                _ => {}
            },
            Node::Close(name) if name == "numPr" => break,
            _ => {}
        }
    }
    Ok(list)
}

/// A style that the file does not describe, by the id that Word itself gives it.
fn builtin(id: &str) -> Option<Style> {
    let level = id.strip_prefix("Heading").and_then(|number| number.parse::<u8>().ok());
    let level = if id == "Title" { Some(1) } else { level.map(|level| level.clamp(1, 6)) };
    level.map(|level| Style { level: Some(level), list: None })
}

/// `outlineLvl` counts from 0; 9 is body text.
fn heading_level(element: &Element<'_>) -> Option<u8> {
    let level: u8 = element.get("val")?.parse().ok()?;
    (level < 9).then(|| (level + 1).min(6))
}

/// By id: which styles are headings or lists. Their names are English in every language of Word.
fn styles(part: &[u8]) -> Result<HashMap<String, Style>, Failure> {
    let mut styles: HashMap<String, Style> = HashMap::new();
    let mut open = String::new();
    let mut xml = Xml::new(part);
    while let Some(node) = xml.next()? {
        let Node::Open(element) = node else { continue };
        match element.name() {
            "style" => open = element.get("styleId").unwrap_or_default(),
            "name" => {
                let name = element.get("val").unwrap_or_default().to_ascii_lowercase();
                let number = name.strip_prefix("heading ").and_then(|number| number.parse::<u8>().ok());
                let level = if name == "title" { Some(1) } else { number.map(|number| number.clamp(1, 6)) };
                styles.entry(open.clone()).or_default().level = level;
            }
            "outlineLvl" => {
                let style = styles.entry(open.clone()).or_default();
                style.level = style.level.or(heading_level(&element));
            }
            "numPr" => styles.entry(open.clone()).or_default().list = Some(list(&mut xml)?),
            _ => {}
        }
    }
    Ok(styles)
}

/// By number and level: whether items are counted rather than marked.
fn numbering(part: &[u8]) -> Result<HashMap<(String, usize), bool>, Failure> {
    let mut formats: HashMap<(String, usize), bool> = HashMap::new();
    let mut numbers: Vec<(String, String)> = Vec::new();
    let (mut definition, mut level, mut number) = (String::new(), 0, String::new());
    let mut xml = Xml::new(part);
    while let Some(node) = xml.next()? {
        let Node::Open(element) = node else { continue };
        match element.name() {
            "abstractNum" => definition = element.get("abstractNumId").unwrap_or_default(),
            "lvl" => level = element.get("ilvl").and_then(|value| value.parse().ok()).unwrap_or(0),
            "numFmt" => {
                let counted = !matches!(element.get("val").as_deref(), Some("bullet" | "none") | None);
                formats.insert((definition.clone(), level), counted);
            }
            "num" => number = element.get("numId").unwrap_or_default(),
            "abstractNumId" => numbers.push((number.clone(), element.get("val").unwrap_or_default())),
            _ => {}
        }
    }
    let mut ordered = HashMap::new();
    for (number, definition) in numbers {
        for level in 0..9 {
            if let Some(counted) = formats.get(&(definition.clone(), level)) {
                ordered.insert((number.clone(), level), *counted);
            }
        }
    }
    Ok(ordered)
}

#[cfg(test)]
mod tests {
    use std::io::{Cursor, Write as _};

    use zip::ZipWriter;
    use zip::write::SimpleFileOptions;

    use super::*;

    /// A document of this XML.
    fn docx(body: &str) -> Vec<u8> {
        let mut zip = ZipWriter::new(Cursor::new(Vec::new()));
        zip.start_file(BODY, SimpleFileOptions::default()).unwrap();
        zip.write_all(body.as_bytes()).unwrap();
        zip.finish().unwrap().into_inner()
    }

    #[test]
    fn a_cell_without_properties_keeps_what_it_begins_with() {
        let file = docx(
            "<w:document><w:tbl><w:tr><w:tc><w:tcPr><w:gridSpan w:val=\"2\"/></w:tcPr><w:p><w:r><w:t>wide</w:t></w:r></w:p></w:tc></w:tr>\
             <w:tr><w:tc><w:p><w:r><w:t>one</w:t></w:r></w:p></w:tc><w:tc><w:p><w:r><w:t>two</w:t></w:r></w:p></w:tc></w:tr></w:tbl></w:document>",
        );
        let document = read(&mut Package::open(&file).unwrap()).unwrap();
        assert_eq!(document.markdown().trim(), "| wide | wide |\n|---|---|\n| one | two |");
    }
}
