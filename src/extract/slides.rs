//! PowerPoint (pptx): each slide a heading with its title, its text and tables, and the speaker's notes.

use std::collections::HashSet;

use super::Failure;
use super::package::{Node, Package, Xml};
use crate::markdown::{Builder, Document};

const DECK: &str = "ppt/presentation.xml";

pub fn read(package: &mut Package<'_>) -> Result<Document, Failure> {
    let slides = slides(package)?;
    let mut builder = Builder::new(16 * 1024);
    for (number, name) in (1..).zip(slides) {
        let part = package.part(&name)?;
        let title = title(&part)?;
        let title = title.split_whitespace().collect::<Vec<_>>().join(" ");
        let heading =
            if title.is_empty() { format!("Slide {number}") } else { format!("Slide {number}: {title}") };
        builder.heading(2, &heading);
        body(&mut builder, &part)?;
        let relations = package.relations(&name)?;
        if let Some(notes) = relations.values().find(|relation| relation.kind == "notesSlide")
            && let Some(part) = package.find(&notes.target)?
        {
            let notes = notes_text(&part)?;
            if !notes.trim().is_empty() {
                builder.strong_open();
                builder.text("Notes:");
                builder.strong_close();
                builder.line_break();
                builder.paragraph(&notes);
            }
        }
    }
    Ok(builder.finish())
}

/// The parts of the slides, in the order they are shown. Each is one slide, however often a hostile deck lists it.
fn slides(package: &mut Package<'_>) -> Result<Vec<String>, Failure> {
    let relations = package.relations(DECK)?;
    let deck = package.part(DECK)?;
    let mut xml = Xml::new(&deck);
    let (mut slides, mut listed) = (Vec::new(), HashSet::new());
    while let Some(node) = xml.next()? {
        if let Node::Open(element) = node
            && element.name() == "sldId"
            && let Some(relation) = element.get_prefixed("r:id").and_then(|id| relations.get(&id))
            && listed.insert(&relation.target)
        {
            slides.push(relation.target.clone());
        }
    }
    Ok(slides)
}

/// What kind of placeholder a shape is; empty: none of the kinds that matter.
fn kind(placeholder: Option<&str>) -> &'static str {
    match placeholder {
        Some("title" | "ctrTitle") => "title",
        Some("sldNum" | "dt" | "ftr" | "hdr" | "sldImg") => "furniture",
        _ => "",
    }
}

fn title(part: &[u8]) -> Result<String, Failure> {
    texts(part, "title")
}

fn notes_text(part: &[u8]) -> Result<String, Failure> {
    texts(part, "")
}

/// The text of all shapes of a kind, a line for each paragraph.
fn texts(part: &[u8], wanted: &str) -> Result<String, Failure> {
    let mut xml = Xml::new(part);
    let (mut text, mut of, mut in_text) = (String::new(), "", false);
    while let Some(node) = xml.next()? {
        match node {
            Node::Open(element) => match element.name() {
                "sp" => of = "",
                "ph" => of = kind(element.get("type").as_deref()),
                "t" => in_text = true,
                "br" if of == wanted => text.push('\n'),
                _ => {}
            },
            Node::Text(piece) if in_text && of == wanted => text.push_str(&piece),
            Node::Text(_) => {}
            Node::Close(name) => match name.as_str() {
                "t" => in_text = false,
                "p" if of == wanted && !text.is_empty() => text.push('\n'),
                _ => {}
            },
        }
    }
    Ok(text)
}

/// Everything but the title, and what every slide repeats.
fn body(builder: &mut Builder, part: &[u8]) -> Result<(), Failure> {
    let mut xml = Xml::new(part);
    let (mut of, mut in_text, mut in_table) = ("", false, false);
    // The level of the paragraph that is open, until its first text comes.
    let mut paragraph: Option<usize> = None;
    let mut lists = 0;
    let close = |builder: &mut Builder, lists: &mut usize, left: usize| {
        while *lists > left {
            builder.list_close();
            *lists -= 1;
        }
    };
    while let Some(node) = xml.next()? {
        match node {
            Node::Open(element) => match element.name() {
                "sp" => of = "",
                "ph" => of = kind(element.get("type").as_deref()),
                "tbl" => {
                    builder.table_open();
                    in_table = true;
                }
                "tr" => builder.row_open(),
                "tc" => builder.cell_open(1),
                "p" => paragraph = Some(0),
                "pPr" if paragraph.is_some() => {
                    let level = element.get("lvl").and_then(|level| level.parse().ok());
                    paragraph = Some(level.unwrap_or(0).min(8));
                }
                "t" => in_text = true,
                "br" if of.is_empty() => builder.line_break(),
                "blip" => builder.lose("images", 1),
                "chart" | "relIds" => builder.lose("diagrams", 1),
                "Fallback" => xml.skip()?,
                _ => {}
            },
            Node::Text(text) if in_text && of.is_empty() => {
                if let Some(level) = paragraph.take().filter(|_| !in_table) {
                    close(builder, &mut lists, level + 1);
                    while lists <= level {
                        builder.list_open(false);
                        lists += 1;
                    }
                    builder.item_open();
                }
                builder.text(&text);
            }
            Node::Text(_) => {}
            Node::Close(name) => match name.as_str() {
                "t" => in_text = false,
                "p" => {
                    builder.end_block();
                    paragraph = None;
                }
                "tbl" => {
                    builder.table_close();
                    in_table = false;
                }
                "sp" | "graphicFrame" => close(builder, &mut lists, 0),
                _ => {}
            },
        }
    }
    close(builder, &mut lists, 0);
    Ok(())
}
