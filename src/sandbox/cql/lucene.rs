//! The query language inside `~` values. Its operators bite: what is not escaped and not an operator is refused.

use super::Bad;
use super::words::{Word, stem, words};

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Text {
    /// A word by its stem, or several in a row with up to `slop` others between them.
    Phrase {
        stems: Vec<String>,
        slop: usize,
    },
    /// A pattern of `*` and `?`.
    Pattern(String),
    /// A word with up to `distance` letters changed.
    Fuzzy {
        word: String,
        distance: usize,
    },
    All(Vec<Text>),
    Any(Vec<Text>),
    Not(Box<Text>),
    /// Only stop words: finds nothing, excludes nothing.
    Nothing,
}

pub fn parse(query: &str) -> Result<Text, Bad> {
    let mut reader = Reader { query, rest: query };
    let text = reader.group(0)?;
    if reader.rest.is_empty() { Ok(text) } else { Err(reader.refused("unexpected ')'")) }
}

struct Reader<'a> {
    query: &'a str,
    rest: &'a str,
}

/// How a term of a group takes part.
#[derive(PartialEq)]
enum Joint {
    And,
    Or,
}

impl Reader<'_> {
    fn refused(&self, why: &str) -> Bad {
        Bad::new(format!("Cannot parse '{}': {why}", self.query))
    }

    fn skip(&mut self, length: usize) {
        self.rest = &self.rest[length..];
    }

    /// Terms until the end or a closing parenthesis.
    fn group(&mut self, depth: usize) -> Result<Text, Bad> {
        if depth > 20 {
            return Err(self.refused("too many parentheses"));
        }
        let mut any: Vec<Vec<Text>> = vec![Vec::new()];
        let mut joint = None;
        let mut found = false;
        loop {
            self.rest = self.rest.trim_start();
            if self.rest.is_empty() || self.rest.starts_with(')') {
                break;
            }
            if let Some((next, length)) = self.joint() {
                if joint.is_some() || !found {
                    return Err(self.refused("an operator stands where a term should"));
                }
                self.skip(length);
                joint = Some(next);
                continue;
            }
            let term = self.term(depth)?;
            found = true;
            if joint.take() == Some(Joint::Or) {
                any.push(Vec::new());
            }
            if let (Some(all), true) = (any.last_mut(), term != Text::Nothing) {
                all.push(term);
            }
        }
        if joint.is_some() || !found {
            return Err(self.refused("a term is missing at the end"));
        }
        Ok(join(any))
    }

    fn joint(&self) -> Option<(Joint, usize)> {
        let word = |name: &str| {
            self.rest.strip_prefix(name).is_some_and(|rest| {
                rest.starts_with(|c: char| c.is_whitespace() || c == '(') || rest.is_empty()
            })
        };
        match self.rest {
            _ if word("AND") => Some((Joint::And, 3)),
            _ if word("OR") => Some((Joint::Or, 2)),
            rest if rest.starts_with("&&") => Some((Joint::And, 2)),
            rest if rest.starts_with("||") => Some((Joint::Or, 2)),
            _ => None,
        }
    }

    fn term(&mut self, depth: usize) -> Result<Text, Bad> {
        let not_word =
            self.rest.strip_prefix("NOT").is_some_and(|rest| rest.starts_with(char::is_whitespace));
        let first = self.rest.chars().next().unwrap_or(' ');
        match first {
            '-' | '!' | 'N' if first != 'N' || not_word => {
                self.skip(if not_word { 3 } else { 1 });
                self.rest = if not_word { self.rest.trim_start() } else { self.rest };
                self.operand(depth).map(|term| Text::Not(Box::new(term)))
            }
            '+' => {
                self.skip(1);
                self.operand(depth)
            }
            _ => self.operand(depth),
        }
    }

    fn operand(&mut self, depth: usize) -> Result<Text, Bad> {
        let text = match self.rest.chars().next() {
            Some('(') => {
                self.skip(1);
                let inner = self.group(depth + 1)?;
                if !self.rest.starts_with(')') {
                    return Err(self.refused("missing ')'"));
                }
                self.skip(1);
                inner
            }
            Some('"') => self.phrase()?,
            Some('[' | ']' | '{' | '}') => return Err(self.refused("ranges are not for text")),
            Some('/') => return Err(self.refused("regular expressions are not for text")),
            Some('*' | '?') => {
                return Err(self.refused("'*' or '?' not allowed as first character in WildcardQuery"));
            }
            Some(c) if c.is_whitespace() => return Err(self.refused("a term is missing after an operator")),
            Some('+' | '-' | '!' | '^' | '~' | ':' | '&' | '|' | ')') | None => {
                return Err(self.refused("a term is missing after an operator"));
            }
            Some(_) => self.word()?,
        };
        self.boost()?;
        Ok(text)
    }

    fn boost(&mut self) -> Result<(), Bad> {
        if let Some(rest) = self.rest.strip_prefix('^') {
            let end = rest.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(rest.len());
            if end == 0 {
                return Err(self.refused("a number is missing after '^'"));
            }
            self.skip(1 + end);
        }
        Ok(())
    }

    fn phrase(&mut self) -> Result<Text, Bad> {
        let Some(end) = self.rest[1..].find('"') else { return Err(self.refused("missing '\"'")) };
        let stems: Vec<_> = words(&self.rest[1..=end]).into_iter().map(|word| word.stem).collect();
        self.skip(end + 2);
        let slop = self.tilde(0)?.unwrap_or(0);
        Ok(if stems.is_empty() { Text::Nothing } else { Text::Phrase { stems, slop } })
    }

    /// `~` and the number after it, if they stand here; `default` without a number.
    fn tilde(&mut self, default: usize) -> Result<Option<usize>, Bad> {
        let Some(rest) = self.rest.strip_prefix('~') else { return Ok(None) };
        let end = rest.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(rest.len());
        let number = &rest[..end];
        let distance = match number {
            "" => default,
            number if number.contains('.') => 2,
            number => number.parse().map_err(|_| self.refused("the number after '~' is too large"))?,
        };
        self.skip(1 + end);
        Ok(Some(distance))
    }

    fn word(&mut self) -> Result<Text, Bad> {
        let (mut word, mut pattern) = (String::new(), false);
        let mut chars = self.rest.char_indices();
        let mut end = self.rest.len();
        while let Some((at, c)) = chars.next() {
            match c {
                '\\' => match chars.next() {
                    Some((_, escaped)) => word.push(escaped),
                    None => return Err(self.refused("a '\\' stands at the end")),
                },
                '*' | '?' => {
                    pattern = true;
                    word.push(c);
                }
                c if c.is_whitespace() || "()^~\"".contains(c) => {
                    end = at;
                    break;
                }
                ':' | '[' | ']' | '{' | '}' | '/' | '!' => {
                    return Err(self.refused(&format!("'{c}' is an operator here")));
                }
                c => word.push(c),
            }
        }
        self.skip(end);
        if pattern {
            return Ok(Text::Pattern(word.to_lowercase()));
        }
        let found = words(&word);
        Ok(match (self.tilde(2)?, found.as_slice()) {
            (_, []) => Text::Nothing,
            (Some(distance), [one]) => Text::Fuzzy { word: one.raw.clone(), distance: distance.min(2) },
            _ => Text::Phrase { stems: found.into_iter().map(|word| word.stem).collect(), slop: 0 },
        })
    }
}

fn join(any: Vec<Vec<Text>>) -> Text {
    let mut any: Vec<_> = any
        .into_iter()
        // What only excludes finds nothing.
        .filter(|all| all.iter().any(|term| !matches!(term, Text::Not(_))))
        .map(|mut all| if all.len() == 1 { all.remove(0) } else { Text::All(all) })
        .collect();
    match any.len() {
        0 => Text::Nothing,
        1 => any.remove(0),
        _ => Text::Any(any),
    }
}

impl Text {
    /// How often it is found, weighted by how telling it is; none when it does not match.
    pub fn score(&self, text: &[Word]) -> Option<f64> {
        match self {
            Text::Nothing => None,
            Text::Not(inner) => inner.score(text).is_none().then_some(0.0),
            Text::All(all) => all.iter().map(|part| part.score(text)).sum(),
            Text::Any(any) => any.iter().filter_map(|part| part.score(text)).reduce(|a, b| a + b),
            Text::Phrase { .. } | Text::Pattern(_) | Text::Fuzzy { .. } => {
                let hits = (0..text.len()).filter(|at| self.at(text, *at)).count();
                #[expect(clippy::cast_precision_loss)]
                (hits > 0).then(|| (1.0 + hits as f64).ln() / (8.0 + (1.0 + text.len() as f64).ln()))
            }
        }
    }

    /// Whether the leaf stands at this word.
    fn at(&self, text: &[Word], at: usize) -> bool {
        match self {
            Text::Phrase { stems, slop } => phrase_at(stems, *slop, text, at),
            Text::Pattern(pattern) => matches(pattern, &text[at].raw) || matches(pattern, &text[at].stem),
            Text::Fuzzy { word, distance } => {
                near(word, &text[at].raw, *distance) || near(&stem(word), &text[at].stem, *distance)
            }
            _ => false,
        }
    }

    /// Whether a word at this place is to be marked in an excerpt.
    pub fn marks(&self, text: &[Word], at: usize) -> bool {
        match self {
            Text::All(parts) | Text::Any(parts) => parts.iter().any(|part| part.marks(text, at)),
            Text::Phrase { stems, slop } => {
                let reach = stems.len() + slop;
                (at.saturating_sub(reach)..=at)
                    .any(|start| phrase_at(stems, *slop, text, start) && at < start + reach)
                    && stems.contains(&text[at].stem)
            }
            Text::Not(_) | Text::Nothing => false,
            leaf => leaf.at(text, at),
        }
    }
}

fn phrase_at(stems: &[String], slop: usize, text: &[Word], at: usize) -> bool {
    let mut next = at;
    let mut left = slop;
    for (count, stem) in stems.iter().enumerate() {
        let room = if count == 0 { 0 } else { left };
        let Some(gap) = (0..=room).find(|gap| text.get(next + gap).is_some_and(|word| word.stem == *stem))
        else {
            return false;
        };
        left -= gap;
        next += gap + 1;
    }
    true
}

fn matches(pattern: &str, word: &str) -> bool {
    let Some(first) = pattern.chars().next() else { return word.is_empty() };
    let rest = &pattern[first.len_utf8()..];
    match first {
        '*' => word.char_indices().map(|(at, _)| at).chain([word.len()]).any(|at| matches(rest, &word[at..])),
        '?' => word.chars().next().is_some_and(|c| matches(rest, &word[c.len_utf8()..])),
        first => word.strip_prefix(first).is_some_and(|word| matches(rest, word)),
    }
}

/// Whether one word becomes the other by changing, adding or leaving out that many letters.
fn near(a: &str, b: &str, distance: usize) -> bool {
    let (a, b): (Vec<_>, Vec<_>) = (a.chars().collect(), b.chars().collect());
    if a.len().abs_diff(b.len()) > distance {
        return false;
    }
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, x) in a.iter().enumerate() {
        let mut corner = row[0];
        row[0] = i + 1;
        for (j, y) in b.iter().enumerate() {
            let change = corner + usize::from(x != y);
            corner = row[j + 1];
            row[j + 1] = change.min(corner + 1).min(row[j] + 1);
        }
    }
    row[b.len()] <= distance
}
