//! Files that are text already.

use std::collections::HashMap;

use super::charset::decode;
use super::{Failure, charset, sheets};
use crate::markdown::{Builder, Context, Document, from_html, from_markdown};

/// Text in a fence, so that nothing in it reads as Markdown.
pub fn code(bytes: &[u8], language: &str) -> Result<Document, Failure> {
    let text = text(bytes)?;
    let mut builder = Builder::new(text.len());
    if !text.trim().is_empty() {
        builder.code(language, text.trim_end());
    }
    Ok(builder.finish())
}

/// Markdown, written again so that it is no more than what it says.
pub fn markdown(bytes: &[u8]) -> Result<Document, Failure> {
    Ok(from_markdown(&text(bytes)?, &nowhere(&HashMap::new())))
}

pub fn html(bytes: &[u8]) -> Result<Document, Failure> {
    Ok(from_html(&text(bytes)?, &nowhere(&HashMap::new())))
}

/// A file on its own is nowhere: what its links are relative to is not known.
fn nowhere(people: &HashMap<String, String>) -> Context<'_> {
    Context { wiki_url: "", page_id: "", space_key: None, people }
}

/// Rows of cells, with this character or a more frequent one of the usual between them.
pub fn rows(bytes: &[u8], separator: u8) -> Result<Document, Failure> {
    let text = text(bytes)?;
    let separator = separator_of(&text, separator);
    let mut reader = csv::ReaderBuilder::new()
        .has_headers(false)
        .flexible(true)
        .delimiter(separator)
        .from_reader(text.as_bytes());
    let mut builder = Builder::new(text.len());
    let mut table = sheets::Table::new(&mut builder);
    let mut row = csv::StringRecord::new();
    while reader.read_record(&mut row).map_err(|_| Failure::Broken)? {
        table.row(row.iter().map(str::to_owned).collect());
    }
    table.finish();
    Ok(builder.finish())
}

/// Spreadsheets of many countries write semicolons into what they call comma-separated.
fn separator_of(text: &str, default: u8) -> u8 {
    let first = text.lines().find(|line| !line.trim().is_empty()).unwrap_or_default();
    let count = |separator: u8| first.bytes().filter(|byte| *byte == separator).count();
    if count(default) > 0 {
        return default;
    }
    [b';', b'\t', b'|', b',']
        .into_iter()
        .max_by_key(|separator| count(*separator))
        .filter(|s| count(*s) > 0)
        .unwrap_or(default)
}

fn text(bytes: &[u8]) -> Result<String, Failure> {
    if charset::is_text(bytes) { Ok(decode(bytes)) } else { Err(Failure::Broken) }
}
