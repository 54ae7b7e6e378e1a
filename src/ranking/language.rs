//! The language of a text, told by its small words, and what is known of it: which words are small, and what stems are.

use std::collections::HashMap;
use std::sync::LazyLock;

use rust_stemmers::{Algorithm, Stemmer};

use super::words::words;

/// One of `LANGUAGES`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Language(usize);

/// Every language that has both a list of small words and a stemmer. The first is taken where nothing tells.
const LANGUAGES: [(&str, Algorithm); 17] = [
    ("en", Algorithm::English),
    ("de", Algorithm::German),
    ("fr", Algorithm::French),
    ("es", Algorithm::Spanish),
    ("it", Algorithm::Italian),
    ("pt", Algorithm::Portuguese),
    ("nl", Algorithm::Dutch),
    ("da", Algorithm::Danish),
    ("no", Algorithm::Norwegian),
    ("sv", Algorithm::Swedish),
    ("fi", Algorithm::Finnish),
    ("hu", Algorithm::Hungarian),
    ("ro", Algorithm::Romanian),
    ("ru", Algorithm::Russian),
    ("el", Algorithm::Greek),
    ("tr", Algorithm::Turkish),
    ("ar", Algorithm::Arabic),
];

/// Words of English questions that no list of small words has, since texts are made of others.
const ASKING: [&str; 16] = [
    "also", "could", "get", "let", "many", "may", "might", "much", "must", "please", "shall", "still",
    "tell", "us", "want", "would",
];

/// How many words of a text are looked at to tell its language.
const ENOUGH: usize = 400;

/// In which languages a word is small: a bit for each.
static SMALL: LazyLock<HashMap<String, u32>> = LazyLock::new(|| {
    let mut small: HashMap<String, u32> = HashMap::new();
    for (at, (code, _)) in LANGUAGES.iter().enumerate() {
        let listed = stop_words::lookup(code).unwrap_or_default();
        for word in listed.iter().flat_map(|word| words(word)) {
            *small.entry(word).or_default() |= 1 << at;
        }
    }
    for word in ASKING {
        *small.entry(word.to_owned()).or_default() |= 1;
    }
    small
});

impl Language {
    /// The language whose small words a text holds most of.
    pub fn of(text: &str) -> Self {
        let mut counts = [0_u32; LANGUAGES.len()];
        for word in words(text).take(ENOUGH) {
            let languages = SMALL.get(&word).copied().unwrap_or_default();
            for (at, count) in counts.iter_mut().enumerate() {
                *count += languages >> at & 1;
            }
        }
        let most = counts.iter().copied().max().unwrap_or_default();
        Self(counts.iter().position(|count| *count == most).unwrap_or_default())
    }

    /// Whether a word says nothing of what a text is about.
    pub fn is_small(self, word: &str) -> bool {
        SMALL.get(word).is_some_and(|languages| languages >> self.0 & 1 == 1)
    }

    /// What the forms of a word have in common.
    pub fn stem(self, word: &str) -> String {
        Stemmer::create(LANGUAGES[self.0].1).stem(word).into_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_language_has_small_words() {
        for (code, _) in LANGUAGES {
            assert!(stop_words::lookup(code).is_some_and(|list| list.len() > 50), "{code}");
        }
    }

    #[test]
    fn a_text_tells_its_language_by_its_small_words() {
        let code = |text: &str| LANGUAGES[Language::of(text).0].0;
        assert_eq!(code("After how many days does a feature flag die?"), "en");
        assert_eq!(code("Wie lange dauert es, bis ein Feature Flag stirbt?"), "de");
        assert_eq!(code("Combien de jours avant que le drapeau ne soit supprimé ?"), "fr");
        assert_eq!(code("Сколько дней живёт этот флаг и что с ним будет?"), "ru");
        assert_eq!(code("E1742"), "en");
        assert_eq!(code("로컬 데이터베이스"), "en");
        assert_eq!(code(""), "en");
    }
}
