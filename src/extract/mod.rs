//! The text of files as Markdown: plain text, PDF, Word, spreadsheets, presentations.
//!
//! Files are hostile and their parsers many, so that none of them is read in the gateway's own process. [`Extractor`] starts
//! this very program as `causeway extract`, for one file, without our environment; [`child`] is that process: it takes limits on
//! memory, computing time and files upon itself before it reads a byte of its input, and answers with one part of the text.

mod charset;
mod child;
mod format;
mod limits;
mod package;
mod pdf;
mod process;
mod sheets;
mod slides;
mod text;
mod word;

use serde::{Deserialize, Serialize};

use crate::clean::{Clean, CleanText};
use crate::markdown::Omitted;

pub use child::child;
pub use format::{Format, picture_or_film};
pub use limits::Limits;
pub use process::{Extraction, Extractor, ProcessError};

/// What the child is asked for; the bytes of the file follow.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Job {
    /// As Confluence says.
    pub media_type: String,
    pub name: String,
    /// Which part of the text, counted from 1.
    pub part: u32,
    /// How big a part may be: in characters, and in bytes of JSON.
    pub chars: usize,
    pub json_bytes: usize,
}

/// One part of a file's text.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Extracted {
    /// Absent where there is no such part.
    pub markdown: Option<CleanText>,
    pub parts: u32,
    pub omitted: Vec<Loss>,
}

/// Something that is in the file and not in the text.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Loss {
    pub what: Clean,
    pub count: u64,
}

impl From<&Omitted> for Loss {
    fn from(omitted: &Omitted) -> Self {
        Self { what: omitted.what.clone(), count: omitted.count }
    }
}

/// Why a file has no text here.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error, Serialize, Deserialize)]
pub enum Failure {
    #[error("Files of this type have no text that can be read here.")]
    Unsupported,
    #[error("The file is encrypted or needs a password.")]
    Encrypted,
    #[error("The file is broken, or not of the type that it is said to be.")]
    Broken,
    #[error("The file takes more memory or computing than a file may.")]
    TooMuch,
}
