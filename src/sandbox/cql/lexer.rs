//! Tokens of CQL.

use super::Bad;

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Token {
    Open,
    Close,
    Comma,
    Operator(Operator),
    /// A bare word; keywords are told apart by the parser.
    Word(String),
    /// A quoted value, unescaped.
    Quoted(String),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Operator {
    Equal,
    NotEqual,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
    Contains,
    NotContains,
    In,
    NotIn,
}

impl Operator {
    pub fn is_negative(self) -> bool {
        matches!(self, Operator::NotEqual | Operator::NotContains | Operator::NotIn)
    }
}

pub fn tokens(cql: &str) -> Result<Vec<Token>, Bad> {
    let mut found = Vec::new();
    let mut rest = cql.trim_start();
    while let Some(first) = rest.chars().next() {
        let (token, length) = match first {
            '(' => (Token::Open, 1),
            ')' => (Token::Close, 1),
            ',' => (Token::Comma, 1),
            '"' | '\'' => quoted(rest, first)?,
            '=' | '!' | '<' | '>' | '~' => operator(rest)?,
            _ => word(rest)?,
        };
        found.push(token);
        rest = rest[length..].trim_start();
    }
    Ok(found)
}

fn operator(rest: &str) -> Result<(Token, usize), Bad> {
    const ALL: &[(&str, Operator)] = &[
        ("!=", Operator::NotEqual),
        ("!~", Operator::NotContains),
        ("<=", Operator::LessOrEqual),
        (">=", Operator::GreaterOrEqual),
        ("=", Operator::Equal),
        ("~", Operator::Contains),
        ("<", Operator::Less),
        (">", Operator::Greater),
    ];
    ALL.iter()
        .find(|(text, _)| rest.starts_with(text))
        .map(|(text, operator)| (Token::Operator(*operator), text.len()))
        .ok_or_else(|| Bad::new("unexpected '!'"))
}

fn quoted(rest: &str, quote: char) -> Result<(Token, usize), Bad> {
    let mut value = String::new();
    let mut chars = rest.char_indices().skip(1);
    while let Some((at, c)) = chars.next() {
        match c {
            // A backslash before the quote or another backslash is CQL's; any other belongs to the value.
            '\\' => match chars.next() {
                Some((_, next)) if next == quote || next == '\\' => value.push(next),
                Some((_, next)) => value.extend(['\\', next]),
                None => break,
            },
            c if c == quote => return Ok((Token::Quoted(value), at + 1)),
            c => value.push(c),
        }
    }
    Err(Bad::new("unterminated string"))
}

fn word(rest: &str) -> Result<(Token, usize), Bad> {
    let end = rest.find(|c: char| c.is_whitespace() || "()=!<>~,\"'".contains(c)).unwrap_or(rest.len());
    let word = &rest[..end];
    match word.chars().find(|c| !(c.is_alphanumeric() || "_-./:@*?%".contains(*c))) {
        Some(odd) => Err(Bad::new(format!("unexpected character '{odd}'"))),
        None => Ok((Token::Word(word.to_owned()), end)),
    }
}
