//! What the index makes of text: lower-case words without their endings.

/// A word of a text and where it stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Word {
    pub start: usize,
    pub end: usize,
    pub raw: String,
    pub stem: String,
}

/// The words of a title and, after them, of a body.
#[derive(Debug, Clone, Default)]
pub struct Tokens {
    all: Vec<Word>,
    in_title: usize,
}

impl Tokens {
    pub fn of(title: &str, body: &str) -> Self {
        let mut all = words(title);
        let in_title = all.len();
        all.append(&mut words(body));
        Self { all, in_title }
    }

    pub fn all(&self) -> &[Word] {
        &self.all
    }

    pub fn title(&self) -> &[Word] {
        &self.all[..self.in_title]
    }

    pub fn body(&self) -> &[Word] {
        &self.all[self.in_title..]
    }
}

/// The words worth finding, in order. Each Chinese, Japanese or Korean character is one word.
pub fn words(text: &str) -> Vec<Word> {
    let mut found = Vec::new();
    let mut start = None;
    for (at, c) in text.char_indices() {
        let inside = c.is_alphanumeric() || c == '_' || c == '’' || c == '\'';
        if inside && !is_cjk(c) {
            start.get_or_insert(at);
            continue;
        }
        if let Some(start) = start.take() {
            push(text, start, at, &mut found);
        }
        if is_cjk(c) {
            push(text, at, at + c.len_utf8(), &mut found);
        }
    }
    if let Some(start) = start {
        push(text, start, text.len(), &mut found);
    }
    found
}

fn push(text: &str, start: usize, end: usize, found: &mut Vec<Word>) {
    let raw = text[start..end].to_lowercase().replace('’', "'");
    let raw = raw.trim_matches('\'').trim_end_matches("'s").to_owned();
    if raw.is_empty() || STOP.contains(&raw.as_str()) {
        return;
    }
    found.push(Word { start, end, stem: stem(&raw), raw });
}

/// Words that the English analyser leaves out.
const STOP: &[&str] = &[
    "a", "an", "and", "are", "as", "at", "be", "but", "by", "for", "if", "in", "into", "is", "it", "no",
    "not", "of", "on", "or", "such", "that", "the", "their", "then", "there", "these", "they", "this", "to",
    "was", "will", "with",
];

fn is_cjk(c: char) -> bool {
    matches!(u32::from(c), 0x1100..=0x11ff | 0x3040..=0x30ff | 0x3400..=0x9fff | 0xac00..=0xd7af | 0xf900..=0xfaff)
}

/// A modest English stemmer: plural, -ing, -ed, doubled consonants and a final e.
pub fn stem(word: &str) -> String {
    if !word.is_ascii() || word.len() < 4 || word.bytes().any(|b| b.is_ascii_digit()) {
        return word.to_owned();
    }
    let mut stem = match word {
        w if w.ends_with("ies") && w.len() > 4 => format!("{}y", &w[..w.len() - 3]),
        w if w.ends_with("sses") || w.ends_with("xes") || w.ends_with("ches") || w.ends_with("shes") => {
            w[..w.len() - 2].to_owned()
        }
        w if w.ends_with('s') && !w.ends_with("ss") && !w.ends_with("us") && !w.ends_with("is") => {
            w[..w.len() - 1].to_owned()
        }
        w => w.to_owned(),
    };
    for ending in ["ing", "ed"] {
        if let Some(short) = stem.strip_suffix(ending)
            && short.len() >= 3
            && short.bytes().any(|b| b"aeiouy".contains(&b))
        {
            stem = undouble(short);
            break;
        }
    }
    if stem.len() > 3 && stem.ends_with('e') {
        stem.pop();
    }
    stem
}

fn undouble(stem: &str) -> String {
    let bytes = stem.as_bytes();
    let last = bytes[bytes.len() - 1];
    if bytes[bytes.len() - 2] == last && !b"aeioulsz".contains(&last) {
        stem[..stem.len() - 1].to_owned()
    } else {
        stem.to_owned()
    }
}
