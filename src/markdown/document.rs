//! A page as Markdown, with what is needed to hand it out in pieces.

use std::collections::HashMap;
use std::ops::Range;

use super::index::{Heading, Index, Open, Row};
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

    pub fn headings(&self) -> impl Iterator<Item = Heading<'_>> {
        self.index.headings.iter()
    }

    /// The section under the first heading that reads like `heading`, with its subsections. Case, spacing and
    /// punctuation do not matter, a number in front may be missing, and so may the end when nothing fits exactly.
    pub fn section(&self, heading: &str) -> Option<Self> {
        let wanted = plain(heading);
        if wanted.is_empty() {
            return None;
        }
        // Of those that fit equally well, the first.
        let mut best: Option<(u8, usize)> = None;
        for (at, heading) in self.headings().enumerate() {
            if let Some(distance) = distance(&plain(heading.text), &wanted)
                && best.is_none_or(|(least, _)| distance < least)
            {
                best = Some((distance, at));
                if distance == 0 {
                    break;
                }
            }
        }
        let (_, at) = best?;
        Some(self.select(&[self.section_range(at)]))
    }

    /// From a heading down to the next of the same or a higher level.
    pub(super) fn section_range(&self, heading: usize) -> Range<usize> {
        let headings = &self.index.headings;
        let Heading { level, offset, .. } = headings.get(heading);
        let mut after = (heading + 1..headings.len()).map(|at| headings.get(at));
        let next = after.find(|next| next.level <= level);
        offset..next.map_or(self.text.len(), |next| next.offset)
    }

    /// A document of these ranges, which start and end at lines.
    pub(super) fn select(&self, ranges: &[Range<usize>]) -> Self {
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

    /// Notes in `index` what there is to note of a range, which will begin at `at`.
    fn append(&self, index: &mut Index, range: &Range<usize>, at: usize) {
        let moved = |offset: usize| offset - range.start + at;
        let mut contexts = HashMap::from([(0, 0)]);
        for cut in self.index.cuts_in(range) {
            let context = self.append_context(index, cut.context, &mut contexts, &|row| {
                let row = row.range();
                let inside = row.start >= range.start && row.end <= range.end;
                inside.then(|| Row::new(&(moved(row.start)..moved(row.end))))
            });
            index.add_cut(moved(cut.offset()), cut.rank, context);
        }
        let headings = &self.index.headings;
        for heading in (headings.before(range.start)..headings.before(range.end)).map(|at| headings.get(at)) {
            index.headings.begin(heading.level, moved(heading.offset));
            index.headings.name(std::iter::once(heading.text));
        }
    }

    /// Notes a context of this document, and those around it, in `index`. A row that does not move along is not opened again.
    fn append_context(
        &self,
        index: &mut Index,
        context: u32,
        known: &mut HashMap<u32, u32>,
        moved: &dyn Fn(Row) -> Option<Row>,
    ) -> u32 {
        let mut path = Vec::new();
        let mut at = context;
        while !known.contains_key(&at) {
            path.push(at);
            at = self.index.contexts[at as usize].parent;
        }
        let mut around = known.get(&at).copied().unwrap_or(0);
        for at in path.into_iter().rev() {
            let mut open = self.index.contexts[at as usize].open.clone();
            if let Open::Table { header: row, .. } | Open::Fence { open: row, .. } = &mut open {
                match moved(*row) {
                    Some(moved) => *row = moved,
                    None => open = Open::Document,
                }
            }
            around = index.add_context(around, open);
            known.insert(at, around);
        }
        around
    }
}

/// How far a heading is from the one that is wanted; nothing: it is another.
fn distance(title: &str, wanted: &str) -> Option<u8> {
    let (bare, wanted_bare) = (without_number(title), without_number(wanted));
    let fits =
        [title == wanted, bare == wanted_bare, title.starts_with(wanted), bare.starts_with(wanted_bare)];
    fits.into_iter().position(|fits| fits).and_then(|at| u8::try_from(at).ok())
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
