//! Pieces to quote: the sections of a document in passages, and those that hold the words of a query.

use std::ops::Range;

use super::document::Document;
use super::parts::PartSize;

/// A piece of a document, small enough to quote.
#[derive(Clone, Debug, PartialEq)]
pub struct Passage<'a> {
    /// Markdown. What starts inside a list, a table or code says so.
    pub text: String,
    /// The headings it is under, outermost first.
    pub headings: Vec<&'a str>,
}

/// Blocks under one heading are joined into passages of about this size, in bytes; a block that is larger alone is cut.
const PASSAGE: usize = 1200;

/// A passage must match this well, compared with the best one of its document.
const FAR_BELOW_BEST: f64 = 0.4;

impl Document {
    /// The whole document in passages, in its order. A table, a list or code stays whole where it fits.
    pub fn passages(&self) -> Vec<Passage<'_>> {
        let parents = self.parents();
        let size = PartSize { chars: PASSAGE, json_bytes: 2 * PASSAGE };
        let mut passages = Vec::new();
        for block in self.blocks() {
            let path = self.path(block.heading, &parents);
            let headings: Vec<&str> = path.into_iter().map(|at| self.index.headings.get(at).text).collect();
            let texts = if block.range.len() <= PASSAGE {
                vec![self.text[block.range].trim_end().to_owned()]
            } else {
                self.parts_of(block.range, size)
                    .into_iter()
                    .map(|part| part.into_text().into_string())
                    .collect()
            };
            let texts = texts.into_iter().filter(|text| !text.trim().is_empty());
            passages.extend(texts.map(|text| Passage { text, headings: headings.clone() }));
        }
        passages
    }

    /// Only what matches the query, in the page's order, each piece under its headings.
    pub fn matching(&self, query: &str) -> Option<Self> {
        let words = Words::of(query);
        let parents = self.parents();
        let scored: Vec<(Range<usize>, f64)> = self
            .blocks()
            .into_iter()
            .filter_map(|block| Some((block.range.clone(), self.score(&block, &words, &parents)?)))
            .collect();
        let best = scored.iter().map(|(_, score)| *score).fold(0.0, f64::max);
        let good = scored.into_iter().filter(|(_, score)| *score >= best * FAR_BELOW_BEST);
        let ranges: Vec<Range<usize>> = good.map(|(range, _)| range).collect();
        (!ranges.is_empty()).then(|| self.select_under_headings(&ranges, &parents))
    }

    fn select_under_headings(&self, ranges: &[Range<usize>], parents: &[Option<usize>]) -> Self {
        let mut wanted: Vec<Range<usize>> = Vec::new();
        let mut shown = vec![false; self.index.headings.len()];
        for range in ranges {
            for heading in self.path(range.start, parents) {
                let start = self.index.headings.get(heading).offset;
                if !std::mem::replace(&mut shown[heading], true) && !range.contains(&start) {
                    let length = self.text[start..].find('\n').unwrap_or(self.text.len() - start);
                    wanted.push(start..start + length);
                }
            }
            wanted.push(range.clone());
        }
        self.select(&wanted)
    }

    /// The document in blocks, joined under their heading while they are small. A heading begins a new one, unless there are
    /// only headings before it.
    fn blocks(&self) -> Vec<Block> {
        let mut blocks: Vec<Block> = Vec::new();
        let mut only_headings = false;
        let mut cuts = self.index.cuts.iter().filter(|cut| cut.rank <= WHOLE).peekable();
        while let Some(cut) = cuts.next() {
            let end = cuts.peek().map_or(self.text.len(), |next| next.offset());
            let is_heading = cut.rank == HEADING;
            match blocks.last_mut() {
                Some(last) if only_headings => {
                    last.range.end = end;
                    last.heading = if is_heading { cut.offset() } else { last.heading };
                }
                Some(last) if !is_heading && end - last.range.start <= PASSAGE => last.range.end = end,
                _ => blocks.push(Block { range: cut.offset()..end, heading: cut.offset() }),
            }
            only_headings = is_heading;
        }
        blocks
    }

    /// How well a block and the headings above it match, if the block itself does at all.
    fn score(&self, block: &Block, words: &Words, parents: &[Option<usize>]) -> Option<f64> {
        let body = self.text[block.range.clone()].to_lowercase();
        let headings = self.path(block.heading, parents);
        let above: Vec<String> =
            headings.iter().map(|at| self.index.headings.get(*at).text.to_lowercase()).collect();
        let mut score = 0.0;
        let mut matches = false;
        for word in &words.all {
            let times = occurrences(&body, &word.text);
            matches |= times > 0;
            score += word.weight * saturated(times);
            if above.iter().any(|heading| occurrences(heading, &word.text) > 0) {
                score += word.weight * 0.5;
            }
        }
        matches.then(|| score / words.weight)
    }

    /// The headings (by number) that a place is under, with the one that it starts with.
    fn path(&self, offset: usize, parents: &[Option<usize>]) -> Vec<usize> {
        let before = self.index.headings.before(offset + 1);
        let innermost = before.checked_sub(1);
        let mut path: Vec<usize> = std::iter::successors(innermost, |heading| parents[*heading]).collect();
        path.reverse();
        path
    }

    /// For each heading, the one that it is under.
    fn parents(&self) -> Vec<Option<usize>> {
        let mut open: Vec<usize> = Vec::new();
        let mut parents = Vec::with_capacity(self.index.headings.len());
        for (at, heading) in self.index.headings.iter().enumerate() {
            while open.pop_if(|outer| self.index.headings.get(*outer).level >= heading.level).is_some() {}
            parents.push(open.last().copied());
            open.push(at);
        }
        parents
    }
}

struct Block {
    range: Range<usize>,
    /// A place under the headings that the block is under.
    heading: usize,
}

/// Ranks of cuts: headings and blocks of the page; those of items and rows are higher.
const HEADING: u8 = 0;
const WHOLE: u8 = 1;

/// The words of a query, lower case, each once.
struct Words {
    all: Vec<Word>,
    weight: f64,
}

struct Word {
    text: String,
    weight: f64,
}

impl Words {
    fn of(query: &str) -> Self {
        const MOST: usize = 40;
        let lower = query.to_lowercase();
        let mut all: Vec<Word> = Vec::new();
        for text in lower.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty()) {
            if all.len() < MOST && !all.iter().any(|known| known.text == text) {
                let weight = if COMMON.contains(&text) { 0.05 } else { 1.0 };
                all.push(Word { text: text.to_owned(), weight });
            }
        }
        let weight = all.iter().map(|word| word.weight).sum();
        Self { all, weight }
    }
}

/// Words that say nothing about what a question is about.
const COMMON: [&str; 44] = [
    "a", "about", "all", "an", "and", "any", "are", "as", "at", "be", "by", "can", "do", "does", "for",
    "from", "has", "have", "how", "i", "if", "in", "is", "it", "me", "my", "not", "of", "on", "or", "our",
    "that", "the", "there", "this", "to", "was", "we", "what", "when", "which", "who", "with", "you",
];

/// How often a word occurs, as the beginning of a word; a short one as a whole word. Scripts that put no spaces between
/// words have it anywhere.
fn occurrences(text: &str, word: &str) -> u8 {
    let anywhere = !word.is_ascii();
    let is_word = |c: Option<char>| c.is_some_and(char::is_alphanumeric);
    let counts = |at: &usize| {
        let starts = !is_word(text[..*at].chars().next_back());
        let ends = word.len() > 3 || !is_word(text[at + word.len()..].chars().next());
        anywhere || (starts && ends)
    };
    let times = text.match_indices(word).map(|(at, _)| at).filter(counts).take(8).count();
    u8::try_from(times).unwrap_or(u8::MAX)
}

/// Twice as often is better, but not twice as good.
fn saturated(times: u8) -> f64 {
    if times == 0 { 0.0 } else { 1.0 + f64::from(times).ln() * 0.2 }
}
