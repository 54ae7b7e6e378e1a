//! The process that reads one file: a job in a line of JSON, the bytes, and back comes one line of JSON.

use std::io::{self, BufRead as _, Read as _, Write as _};
use std::panic::catch_unwind;

use super::package::{OLE, Package};
use super::{
    Extracted, Failure, Format, Job, Limits, Loss, charset, limits, pdf, sheets, slides, text, word,
};
use crate::markdown::{Document, Part, PartSize};

/// The longest job, in bytes.
const LONGEST_JOB: u64 = 64 * 1024;

/// Reads a job and a file from standard input and answers on standard output. The process is given up afterwards.
pub fn child(limits: Limits) -> Result<(), String> {
    limits::take(limits)?;
    // What parsers say of hostile files is nothing to repeat.
    std::panic::set_hook(Box::new(|_| {}));
    let mut input = io::stdin().lock();
    let mut job = String::new();
    (&mut input).take(LONGEST_JOB).read_line(&mut job).map_err(|error| error.to_string())?;
    let job: Job = serde_json::from_str(&job).map_err(|error| error.to_string())?;
    let mut bytes = Vec::new();
    input.read_to_end(&mut bytes).map_err(|error| error.to_string())?;
    let answer = catch_unwind(|| extract(&job, &bytes)).unwrap_or(Err(Failure::Broken));
    let answer = serde_json::to_vec(&answer).map_err(|error| error.to_string())?;
    io::stdout().write_all(&answer).map_err(|error| error.to_string())
}

fn extract(job: &Job, bytes: &[u8]) -> Result<Extracted, Failure> {
    let document = document(job, bytes)?;
    let parts = document.cut(PartSize { chars: job.chars, json_bytes: job.json_bytes });
    Ok(Extracted {
        markdown: parts.get(job.part as usize).map(Part::into_text),
        parts: u32::try_from(parts.count()).unwrap_or(u32::MAX),
        omitted: document.omitted().iter().map(Loss::from).collect(),
    })
}

/// What the file is by its first bytes counts more than what it is called.
fn document(job: &Job, bytes: &[u8]) -> Result<Document, Failure> {
    let format = Format::of(&job.media_type, &job.name).ok_or(Failure::Unsupported)?;
    if bytes.is_empty() {
        return Ok(Document::empty());
    }
    let head = &bytes[..bytes.len().min(1024)];
    if memchr::memmem::find(head, b"%PDF-").is_some() && !matches!(format, Format::Code(_) | Format::Markdown)
    {
        return pdf::read(bytes);
    }
    if bytes.starts_with(b"PK\x03\x04") {
        return packed(bytes);
    }
    match format {
        Format::Sheets => sheets::read(bytes),
        Format::Word | Format::Slides if bytes.starts_with(OLE) => {
            Err(Package::open(bytes).err().unwrap_or(Failure::Broken))
        }
        Format::Pdf | Format::Word | Format::Slides => Err(Failure::Broken),
        Format::Code(language) => text::code(bytes, language),
        Format::Markdown => text::markdown(bytes),
        Format::Html => text::html(bytes),
        Format::Rows(separator) => text::rows(bytes, separator),
        Format::Unknown if charset::is_text(bytes) => text::code(bytes, ""),
        Format::Unknown => Err(Failure::Unsupported),
    }
}

/// One of the Office formats, whichever its parts make it.
fn packed(bytes: &[u8]) -> Result<Document, Failure> {
    let mut package = Package::open(bytes)?;
    if package.holds("word/document.xml") {
        word::read(&mut package)
    } else if package.holds("ppt/presentation.xml") {
        slides::read(&mut package)
    } else if package.holds("xl/workbook.xml")
        || package.holds("xl/workbook.bin")
        || package.holds("content.xml")
    {
        sheets::read(bytes)
    } else {
        Err(Failure::Unsupported)
    }
}
