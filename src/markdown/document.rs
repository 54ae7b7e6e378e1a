//! A page as Markdown, with what is needed to hand it out in pieces.

use super::index::{Heading, Index, Open};
use super::losses::{INVISIBLE_CHARACTERS, Omitted};
use super::macro_names::is_wordless;
use super::writer::{Writer, Written};

/// A page as Markdown.
#[derive(Clone, Debug)]
pub struct Document {
    pub(super) text: String,
    pub(super) index: Index,
    pub(super) omitted: Vec<Omitted>,
}

impl Document {
    pub(super) fn new(writer: Writer) -> Self {
        let Written { text, index, losses } = writer.finish();
        Self { text, index, omitted: losses.into_list() }
    }

    /// A document of nothing.
    pub fn empty() -> Self {
        Self { text: String::new(), index: Index::default(), omitted: Vec::new() }
    }

    pub fn markdown(&self) -> &str {
        &self.text
    }

    /// What the page holds and its Markdown does not, by name.
    pub fn omitted(&self) -> &[Omitted] {
        &self.omitted
    }

    /// How many characters were left out that people do not see.
    pub fn invisible_characters(&self) -> u64 {
        let counted = self.omitted.iter().find(|omitted| omitted.what == INVISIBLE_CHARACTERS);
        counted.map_or(0, |omitted| omitted.count)
    }

    /// Whether a macro stands in it by its name alone whose rendering would say more.
    pub fn wants_rendering(&self) -> bool {
        let macros = self.omitted.iter().filter_map(|omitted| omitted.what.strip_prefix("macro: "));
        macros.into_iter().any(|name| !is_wordless(name))
    }

    pub fn headings(&self) -> impl Iterator<Item = &Heading> {
        self.index.headings.iter()
    }

    /// The section under the first heading that reads like `heading`, with its subsections. Case, spacing and
    /// punctuation do not matter, a number in front may be missing, and so may the end when nothing fits exactly.
    pub fn section(&self, heading: &str) -> Option<Self> {
        let wanted = plain(heading);
        if wanted.is_empty() {
            return None;
        }
        let titles: Vec<String> = self.headings().map(|heading| plain(&heading.text)).collect();
        let find = |fits: &dyn Fn(&str) -> bool| titles.iter().position(|title| fits(title));
        let at = find(&|title| title == wanted)
            .or_else(|| find(&|title| without_number(title) == without_number(&wanted)))
            .or_else(|| find(&|title| title.starts_with(&wanted)))
            .or_else(|| find(&|title| without_number(title).starts_with(without_number(&wanted))))?;
        Some(self.select(&[self.section_range(at)]))
    }

    /// From a heading down to the next of the same or a higher level.
    pub(super) fn section_range(&self, heading: usize) -> std::ops::Range<usize> {
        let headings = &self.index.headings;
        let level = headings[heading].level;
        let next = headings[heading + 1..].iter().find(|next| next.level <= level);
        headings[heading].offset..next.map_or(self.text.len(), |next| next.offset)
    }

    /// A document of these ranges, which start and end at lines.
    pub(super) fn select(&self, ranges: &[std::ops::Range<usize>]) -> Self {
        let mut text = String::new();
        let mut index = Index::default();
        for range in ranges {
            if !text.is_empty() {
                text.push('\n');
            }
            self.append(&mut index, range, text.len());
            text.push_str(self.text[range.clone()].trim_end());
            text.push('\n');
        }
        Self { text, index, omitted: self.omitted.clone() }
    }

    fn append(&self, index: &mut Index, range: &std::ops::Range<usize>, at: usize) {
        let base = u32::try_from(index.contexts.len()).unwrap_or(0);
        let inside = |offset: &usize| range.contains(offset);
        let moved = |offset: usize| offset - range.start + at;
        for context in &self.index.contexts {
            let mut context = context.clone();
            context.parent += base;
            if let Open::Table { header: row, .. } | Open::Fence { open: row, .. } = &mut context.open {
                if row.start < range.start || row.end > range.end {
                    context.open = Open::Document;
                } else {
                    *row = moved(row.start)..moved(row.end);
                }
            }
            index.contexts.push(context);
        }
        index.contexts[base as usize].parent = 0;
        for cut in self.index.cuts.iter().filter(|cut| inside(&cut.offset)) {
            let mut cut = *cut;
            cut.offset = moved(cut.offset);
            cut.context += base;
            index.cuts.push(cut);
        }
        for heading in self.headings().filter(|heading| inside(&heading.offset)) {
            index.headings.push(Heading { offset: moved(heading.offset), ..heading.clone() });
        }
    }
}

/// Letters and digits only, lower case, words one space apart.
pub(super) fn plain(text: &str) -> String {
    let lower = text.to_lowercase();
    let words = lower.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty());
    words.collect::<Vec<_>>().join(" ")
}

fn without_number(title: &str) -> &str {
    let rest = title.trim_start_matches(|c: char| c.is_numeric() || c == ' ');
    if rest.is_empty() { title } else { rest }
}
