//! Storage format: a lenient reader, and what the sandbox makes of it (plain text, HTML, ADF).

mod adf;
mod html;
mod parse;
mod text;

pub use adf::to_adf;
pub use html::{Mode, Render, escape, to_html};
pub use text::{Seen, read};
