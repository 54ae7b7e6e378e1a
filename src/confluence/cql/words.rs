use super::CqlError;
use crate::clean;

/// Words that Lucene, which reads them behind CQL's `~`, takes for words and phrases and nothing else.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Words(String);

const LONGEST: usize = 1_000;
/// How many words may stand for each other.
const MOST: usize = 40;

impl Words {
    /// Cleans what a person typed. Operators become spaces; paired double quotes keep a phrase together.
    /// `parameter` is what an error calls it.
    pub fn parse(parameter: &'static str, input: &str) -> Result<Self, CqlError> {
        let length = input.chars().count();
        if length > LONGEST {
            return Err(CqlError::TooLong { parameter, length, limit: LONGEST });
        }
        let straight: String =
            input.chars().map(|character| if is_double_quote(character) { '"' } else { character }).collect();
        let pieces: Vec<_> = straight.split('"').collect();
        let quotes_are_paired = pieces.len() % 2 == 1;
        let mut kept = Vec::new();
        for (index, piece) in pieces.into_iter().enumerate() {
            let plain = plain_words(piece);
            if !holds_a_word(&plain) {
                continue;
            }
            let is_phrase = quotes_are_paired && index % 2 == 1;
            kept.push(if is_phrase { format!("\"{plain}\"") } else { plain });
        }
        if kept.is_empty() {
            return Err(CqlError::Unsearchable { parameter });
        }
        Ok(Self(kept.join(" ")))
    }

    /// Any of these words, best those that hold most of them.
    pub fn any_of(parameter: &'static str, words: &[String]) -> Result<Self, CqlError> {
        let plain: Vec<String> = words.iter().map(|word| plain_words(word)).collect();
        let mut single: Vec<&str> =
            plain.iter().flat_map(|word| word.split(' ')).filter(|word| holds_a_word(word)).collect();
        single.truncate(MOST);
        if single.is_empty() {
            return Err(CqlError::Unsearchable { parameter });
        }
        Ok(Self(single.join(" OR ")))
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }
}

fn holds_a_word(text: &str) -> bool {
    text.contains(char::is_alphanumeric)
}

fn plain_words(piece: &str) -> String {
    let spaced: String = piece
        .chars()
        .filter_map(|character| match character {
            space if space.is_whitespace() => Some(' '),
            hidden if hidden.is_control() || is_invisible(hidden) => None,
            '+' | '-' | '&' | '|' | '!' | '(' | ')' | '{' | '}' | '[' | ']' | '^' | '~' | '*' | '?' | ':'
            | '\\' | '/' => Some(' '),
            other => Some(other),
        })
        .collect();
    // Lucene takes these for operators only in capitals.
    let words = spaced.split(' ').filter(|word| !word.is_empty()).map(|word| match word {
        "AND" => "and",
        "OR" => "or",
        "NOT" => "not",
        "TO" => "to",
        word => word,
    });
    words.collect::<Vec<_>>().join(" ")
}

fn is_double_quote(character: char) -> bool {
    matches!(character, '"' | '\u{201c}'..='\u{201f}' | '\u{ab}' | '\u{bb}' | '\u{2033}' | '\u{ff02}')
}

/// Characters that take no room and no part in a word: a reader would not see them. The joiners of Persian, of
/// the Indic scripts and of emoji are left alone.
pub(super) fn is_invisible(character: char) -> bool {
    clean::is_invisible(character) && !clean::may_belong(character)
}
