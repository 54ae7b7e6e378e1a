//! Which texts answer a question: languages, words, BM25, and the choice of the best. Pure: no IO, nothing async, the same
//! answer every time.
//!
//! A text is ranked by its words' stems in its own language; the headings above it and the title of its page count too.

mod choice;
mod language;
mod words;

use std::collections::HashSet;

use bm25::{Embedder, EmbedderBuilder, Embedding, Scorer, Tokenizer};

pub use choice::{Candidate, choose};
pub use language::Language;

use words::words;

/// How many times a word of a heading, or of the title, counts beside those of the text itself.
const HEADINGS: usize = 1;
const TITLE: usize = 1;
/// How much the length of a text counts against it (BM25's b): little, since passages are of about one size.
const LENGTH: f32 = 0.5;

/// The words of a question that say what it is about.
pub struct Question {
    words: Vec<String>,
    language: Language,
}

/// A text that may answer it.
pub struct Text<'a> {
    pub body: &'a str,
    /// The headings it is under, outermost first.
    pub headings: &'a [&'a str],
    /// Of its page.
    pub title: &'a str,
    /// Of its page.
    pub language: Language,
}

impl Question {
    pub fn of(question: &str) -> Self {
        Self { words: words(question).collect(), language: Language::of(question) }
    }

    /// The words to search with: those that say something, each once, as they were written but for their case. A question
    /// of nothing but small words keeps them.
    pub fn search_words(question: &str) -> Vec<String> {
        let language = Language::of(question);
        let all = distinct(words::whole(question));
        let telling: Vec<String> = all.iter().filter(|word| !language.is_small(word)).cloned().collect();
        if telling.is_empty() { all } else { telling }
    }

    /// The stems to look for in texts of these languages.
    fn stems(&self, languages: &HashSet<Language>) -> Vec<String> {
        let mut telling: Vec<&String> =
            self.words.iter().filter(|word| !self.language.is_small(word)).collect();
        if telling.is_empty() {
            telling = self.words.iter().collect();
        }
        let mut languages: Vec<&Language> = languages.iter().collect();
        languages.sort();
        distinct(telling.into_iter().flat_map(|word| languages.iter().map(|language| language.stem(word))))
    }
}

/// How well each text answers, by BM25; 0 where none of the question's words is in it.
pub fn scores(question: &Question, texts: &[Text<'_>]) -> Vec<f32> {
    let stems = question.stems(&texts.iter().map(|text| text.language).collect());
    let prepared: Vec<String> = texts.iter().map(Text::stems).collect();
    let corpus: Vec<&str> = prepared.iter().map(String::as_str).collect();
    let embedder: Embedder<u64, Prepared> =
        EmbedderBuilder::with_tokenizer_and_fit_to_corpus(Prepared, &corpus).b(LENGTH).build();
    let wanted = embedder.embed(&stems.join(" "));
    let known: HashSet<u64> = wanted.indices().copied().collect();
    let mut scorer: Scorer<usize, u64> = Scorer::new();
    let mut shares = Vec::with_capacity(texts.len());
    for (at, text) in corpus.iter().enumerate() {
        // Only what the question asks for is worth indexing.
        let Embedding(words) = embedder.embed(text);
        let words: Vec<_> = words.into_iter().filter(|word| known.contains(&word.index)).collect();
        let distinct: HashSet<u64> = words.iter().map(|word| word.index).collect();
        shares.push(share(distinct.len(), known.len()));
        scorer.upsert(&at, Embedding(words));
    }
    let score = |at: usize| scorer.score(&at, &wanted).unwrap_or(0.0) * (1.0 + shares[at]) / 2.0;
    (0..texts.len()).map(score).collect()
}

/// How many of the words are there: a text with all of them counts for up to twice as much as one that repeats a single one.
#[expect(clippy::cast_precision_loss)]
fn share(there: usize, wanted: usize) -> f32 {
    there as f32 / wanted.max(1) as f32
}

impl Text<'_> {
    /// Its stems with a space between each two; headings and title count as part of it.
    fn stems(&self) -> String {
        let headings =
            self.headings.iter().copied().flat_map(|heading| std::iter::repeat_n(heading, HEADINGS));
        let around = headings.chain(std::iter::repeat_n(self.title, TITLE));
        let mut stems = String::with_capacity(self.body.len());
        for word in around.chain([self.body]).flat_map(words) {
            stems.push_str(&self.language.stem(&word));
            stems.push(' ');
        }
        stems
    }
}

/// For texts that are stems already.
struct Prepared;

impl Tokenizer for Prepared {
    fn tokenize(&self, text: &str) -> Vec<String> {
        text.split_ascii_whitespace().map(str::to_owned).collect()
    }
}

/// Each once, in order.
fn distinct(words: impl IntoIterator<Item = String>) -> Vec<String> {
    let mut seen = HashSet::new();
    words.into_iter().filter(|word| seen.insert(word.clone())).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The numbers of `bodies`, best first, without those that do not match.
    fn ranked(question: &str, bodies: &[&str]) -> Vec<usize> {
        let texts: Vec<Text<'_>> = bodies
            .iter()
            .map(|body| Text { body, headings: &[], title: "", language: Language::of(body) })
            .collect();
        let scores = scores(&Question::of(question), &texts);
        let mut order: Vec<usize> = (0..bodies.len()).filter(|at| scores[*at] > 0.0).collect();
        order.sort_by(|a, b| scores[*b].total_cmp(&scores[*a]));
        order
    }

    #[test]
    fn a_word_is_found_in_its_other_forms_in_the_language_of_the_text() {
        assert_eq!(ranked("how are deployments approved?", &["cats purr", "who approves a deployment"]), [1]);
        let german = "Die Rechnungen werden von der Buchhaltung geprüft und sind am Ende des Monats fällig.";
        assert_eq!(ranked("Wann ist die Rechnung fällig?", &["the cat", german]), [1]);
        assert_eq!(ranked("포트 번호", &["the port", "로컬 데이터베이스 포트는 15432번입니다"]), [1]);
    }

    #[test]
    fn small_words_find_nothing_unless_there_are_no_others() {
        assert!(
            ranked("how do we get to the moon?", &["we do what we have to do, and the how is ours"])
                .is_empty()
        );
        assert_eq!(ranked("who are we", &["a cat", "who we are and what we do"]), [1]);
        assert_eq!(
            Question::search_words("How do I roll back a deployment?"),
            ["roll", "back", "deployment"]
        );
        assert_eq!(Question::search_words("Who are we?"), ["who", "are", "we"]);
    }

    #[test]
    fn rare_words_count_for_more_and_headings_count() {
        let bodies = ["the payment service", "the payment ledger", "the payment page"];
        assert_eq!(ranked("payment ledger", &bodies)[0], 1);
        let text = |headings| Text { body: "twice a year", headings, title: "", language: Language::of("") };
        let scores = scores(&Question::of("reviews"), &[text(&["Travel"]), text(&["Reviews"])]);
        assert!(scores[1] > 0.0 && scores[0] == 0.0);
    }
}
