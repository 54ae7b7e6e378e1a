//! Finding what a question is about: sections and blocks whose words match.

use std::ops::Range;

use super::document::Document;

/// A piece of a document that matches a query.
#[derive(Clone, Debug, PartialEq)]
pub struct Passage<'a> {
    /// Markdown.
    pub text: &'a str,
    /// The headings above it, outermost first.
    pub headings: Vec<&'a str>,
    /// How well it matches: the higher the better, above 0, comparable across documents for the same query.
    pub score: f64,
    /// Where it starts in the Markdown, in bytes.
    pub offset: usize,
}

/// Blocks are joined into passages of about this size, in bytes.
const PASSAGE: usize = 1200;

impl Document {
    /// The passages that hold words of the query, best first.
    pub fn passages(&self, query: &str) -> Vec<Passage<'_>> {
        let words = words(query);
        let mut passages: Vec<Passage<'_>> =
            self.blocks().into_iter().filter_map(|range| self.passage(range, &words)).collect();
        passages.sort_by(|a, b| b.score.total_cmp(&a.score).then(a.offset.cmp(&b.offset)));
        passages
    }

    /// Only what matches the query, in the page's order, each piece under its headings.
    pub fn matching(&self, query: &str) -> Option<Self> {
        let words = words(query);
        let matching = |range: &Range<usize>| self.passage(range.clone(), &words).is_some();
        let ranges: Vec<_> = self.blocks().into_iter().filter(matching).collect();
        if ranges.is_empty() {
            return None;
        }
        Some(self.select_under_headings(&ranges))
    }

    fn select_under_headings(&self, ranges: &[Range<usize>]) -> Self {
        let mut wanted: Vec<Range<usize>> = Vec::new();
        for range in ranges {
            for heading in self.path(range.start) {
                let start = self.index.headings[heading].offset;
                let line = start..self.text[start..].find('\n').map_or(self.text.len(), |end| start + end);
                if wanted.iter().all(|known| !known.contains(&start)) && !range.contains(&start) {
                    wanted.push(line);
                }
            }
            wanted.push(range.clone());
        }
        self.select(&wanted)
    }

    /// The document in passages: blocks, joined under their heading while they are small.
    fn blocks(&self) -> Vec<Range<usize>> {
        let mut blocks: Vec<Range<usize>> = Vec::new();
        let mut starts: Vec<(usize, u8)> = self.index.cuts.iter().map(|cut| (cut.offset, cut.rank)).collect();
        starts.retain(|(_, rank)| *rank <= 1);
        starts.push((self.text.len(), 0));
        for pair in starts.windows(2) {
            let (start, rank) = pair[0];
            let end = pair[1].0;
            match blocks.last_mut() {
                Some(last) if rank > 0 && end - last.start <= PASSAGE => last.end = end,
                _ => blocks.push(start..end),
            }
        }
        blocks
    }

    fn passage(&self, range: Range<usize>, words: &[String]) -> Option<Passage<'_>> {
        let text = self.text[range.clone()].trim();
        let headings: Vec<&str> =
            self.path(range.start).into_iter().map(|at| self.index.headings[at].text.as_str()).collect();
        let body = text.to_lowercase();
        let above = headings.join(" ").to_lowercase();
        let mut score = 0.0;
        let mut in_body = false;
        for word in words {
            let times = body.matches(word.as_str()).count();
            in_body |= times > 0;
            #[allow(clippy::cast_precision_loss)]
            let often = times.min(8) as f64;
            score += if times > 0 { 1.0 + often.ln() * 0.3 } else { 0.0 };
            score += if above.contains(word.as_str()) { 0.5 } else { 0.0 };
        }
        if score <= 0.0 || (!in_body && text.starts_with('#') && !text.contains('\n')) {
            return None;
        }
        #[allow(clippy::cast_precision_loss)]
        let score = score / words.len() as f64;
        Some(Passage { text, headings, score, offset: range.start })
    }

    /// The headings (by number) that a place is under, with the one that it starts with.
    fn path(&self, offset: usize) -> Vec<usize> {
        let headings = &self.index.headings;
        let before = headings.partition_point(|heading| heading.offset <= offset);
        let mut path = Vec::new();
        let mut level = u8::MAX;
        for at in (0..before).rev() {
            if headings[at].level < level {
                level = headings[at].level;
                path.push(at);
            }
            if level == 1 {
                break;
            }
        }
        path.reverse();
        path
    }
}

/// The words of a query, lower case, each once.
fn words(query: &str) -> Vec<String> {
    let mut words: Vec<String> = Vec::new();
    let lower = query.to_lowercase();
    for word in lower.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty()) {
        if !words.iter().any(|known| known == word) {
            words.push(word.to_owned());
        }
    }
    words
}
