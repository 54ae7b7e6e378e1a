//! PDF: the text of each page under its number.

use std::panic::{AssertUnwindSafe, catch_unwind};

use pdf_extract::{Document as Pdf, PlainTextOutput, output_doc_page};

use super::Failure;
use crate::markdown::{Builder, Document};

pub fn read(bytes: &[u8]) -> Result<Document, Failure> {
    let mut pdf = Pdf::load_mem(bytes).map_err(|_| Failure::Broken)?;
    // Many are encrypted so that nobody changes them, with an empty password.
    if pdf.is_encrypted() && pdf.decrypt("").is_err() {
        return Err(Failure::Encrypted);
    }
    let pages: Vec<u32> = pdf.get_pages().into_keys().collect();
    if pages.is_empty() {
        return Err(Failure::Broken);
    }
    let mut builder = Builder::new(bytes.len());
    for page in pages {
        match text(&pdf, page) {
            Some(text) if text.trim().is_empty() => builder.lose("pages without text", 1),
            Some(text) => {
                builder.heading(2, &format!("Page {page}"));
                paragraphs(&mut builder, &text);
            }
            None => builder.lose("pages that cannot be read", 1),
        }
    }
    Ok(builder.finish())
}

/// One page; what its reader cannot take it panics at, and the other pages are still worth having.
fn text(pdf: &Pdf, page: u32) -> Option<String> {
    let mut text = String::new();
    let read = catch_unwind(AssertUnwindSafe(|| {
        output_doc_page(pdf, &mut PlainTextOutput::new(&mut text), page).is_ok()
    }));
    read.unwrap_or(false).then_some(text)
}

fn paragraphs(builder: &mut Builder, text: &str) {
    let mut paragraph: Vec<&str> = Vec::new();
    for line in text.lines().chain([""]) {
        let line = line.trim();
        if !line.is_empty() {
            paragraph.push(line);
        } else if !paragraph.is_empty() {
            builder.paragraph(&std::mem::take(&mut paragraph).join("\n"));
        }
    }
}
