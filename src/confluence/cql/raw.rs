use super::{CqlError, Fault, quote, words::is_invisible};

/// CQL from the model, understood and written anew.
///
/// The clause is one well-formed expression: every parenthesis and quote in it is one that [`parse_raw`] opened
/// and closed, each value is quoted or a number, and each word outside quotes is a keyword, a field or a
/// function. So `({clause}) AND …` can only be a conjunction.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RawCql {
    clause: String,
    order_by: Option<String>,
    fields: Vec<String>,
}

impl RawCql {
    /// The expression, without ORDER BY and without parentheses around it.
    pub fn clause(&self) -> &str {
        &self.clause
    }

    /// What followed ORDER BY, for example `lastmodified desc, title`.
    pub fn order_by(&self) -> Option<&str> {
        self.order_by.as_deref()
    }

    /// Whether a comparison names `field`, in any case.
    pub fn names_field(&self, field: &str) -> bool {
        self.fields.iter().any(|name| name.eq_ignore_ascii_case(field))
    }
}

const LONGEST: usize = 4_000;
const DEEPEST: usize = 40;
const KEYWORDS: [&str; 6] = ["AND", "OR", "NOT", "IN", "ORDER", "BY"];

/// Reads CQL that somebody else wrote, and refuses what it does not wholly understand.
pub fn parse_raw(input: &str) -> Result<RawCql, CqlError> {
    let length = input.chars().count();
    if length > LONGEST {
        return Err(CqlError::TooLong { parameter: "cql", length, limit: LONGEST });
    }
    let tokens = tokens(input)?;
    if tokens.is_empty() || is_keyword(&tokens[0], "ORDER") {
        return Err(CqlError::Raw { position: 1, fault: Fault::Empty });
    }
    let mut parser =
        Parser { tokens: &tokens, next: 0, end: length + 1, clause: String::new(), fields: Vec::new() };
    parser.expression(0)?;
    let order_by = parser.order_by()?;
    match parser.peek() {
        None => Ok(RawCql { clause: parser.clause, order_by, fields: parser.fields }),
        Some(Kind::Close) => Err(parser.fault(Fault::ExtraParenthesis)),
        Some(Kind::Word(_)) if order_by.is_some() && parser.at_keyword("ORDER") => {
            Err(parser.fault(Fault::OrderByTwice))
        }
        Some(_) => Err(parser.unexpected("AND, OR or the end")),
    }
}

struct Token {
    /// Counts characters from 1.
    position: usize,
    kind: Kind,
}

enum Kind {
    Open,
    Close,
    Comma,
    Operator(&'static str),
    /// What stood between quotes, unescaped.
    Text(String),
    Word(String),
}

fn tokens(input: &str) -> Result<Vec<Token>, CqlError> {
    let characters: Vec<char> = input.chars().collect();
    let mut tokens: Vec<Token> = Vec::new();
    let mut next = 0;
    while let Some(&character) = characters.get(next) {
        let following = characters.get(next + 1).copied();
        let (kind, length) = match character {
            // Whatever separates words here is one ASCII space in what we write.
            space if space.is_whitespace() => {
                next += 1;
                continue;
            }
            '(' => (Kind::Open, 1),
            ')' => (Kind::Close, 1),
            ',' => (Kind::Comma, 1),
            '=' => (Kind::Operator("="), 1),
            '!' if following == Some('=') => (Kind::Operator("!="), 2),
            '!' if following == Some('~') => (Kind::Operator("!~"), 2),
            '>' if following == Some('=') => (Kind::Operator(">="), 2),
            '<' if following == Some('=') => (Kind::Operator("<="), 2),
            '>' => (Kind::Operator(">"), 1),
            '<' => (Kind::Operator("<"), 1),
            // The key of a personal space begins with a tilde.
            '~' if begins_value(tokens.last()) && following.is_some_and(is_word) => word(&characters, next)?,
            '~' => (Kind::Operator("~"), 1),
            '"' | '\'' => text(&characters, next)?,
            letter if is_word(letter) => word(&characters, next)?,
            other => return Err(fault(next, Fault::Character(other))),
        };
        tokens.push(Token { position: next + 1, kind });
        next += length;
    }
    Ok(tokens)
}

fn begins_value(previous: Option<&Token>) -> bool {
    matches!(previous.map(|token| &token.kind), Some(Kind::Operator("=" | "!=") | Kind::Open | Kind::Comma))
}

fn is_word(character: char) -> bool {
    character.is_alphanumeric()
        || matches!(character, '_' | '-' | '.' | ':' | '@' | '/' | '*' | '?' | '[' | ']')
}

fn word(characters: &[char], start: usize) -> Result<(Kind, usize), CqlError> {
    let rest = characters[start + 1..].iter().take_while(|character| is_word(**character));
    let word: String = characters[start..=start].iter().chain(rest).collect();
    if let Some(mark) = ["--", "//", "/*", "*/"].into_iter().find(|mark| word.contains(mark)) {
        return Err(fault(start, Fault::Comment(mark)));
    }
    let length = word.chars().count();
    Ok((Kind::Word(word), length))
}

/// The quoted text at `start`, and how many characters it takes, its quotes included.
fn text(characters: &[char], start: usize) -> Result<(Kind, usize), CqlError> {
    let quote = characters[start];
    let mut text = String::new();
    let mut next = start + 1;
    loop {
        let Some(&character) = characters.get(next) else {
            return Err(fault(start, Fault::UnclosedQuote(quote)));
        };
        match (character, characters.get(next + 1)) {
            (end, _) if end == quote => return Ok((Kind::Text(text), next + 1 - start)),
            ('\\', Some(&escaped @ ('\\' | '"' | '\''))) => {
                text.push(escaped);
                next += 2;
                continue;
            }
            ('\t' | '\n' | '\r', _) => text.push(' '),
            (hidden, _) if hidden.is_control() || is_invisible(hidden) => {
                return Err(fault(next, Fault::Character(hidden)));
            }
            // A backslash before anything else is meant for Lucene, and `quote` doubles it on the way there.
            (other, _) => text.push(other),
        }
        next += 1;
    }
}

fn fault(index: usize, fault: Fault) -> CqlError {
    CqlError::Raw { position: index + 1, fault }
}

fn is_keyword(token: &Token, keyword: &str) -> bool {
    matches!(&token.kind, Kind::Word(word) if word.eq_ignore_ascii_case(keyword))
}

/// expression: term ((AND | OR) term)*    term: NOT* ( "(" expression ")" | field operator value )
struct Parser<'t> {
    tokens: &'t [Token],
    next: usize,
    /// The position after the last character.
    end: usize,
    clause: String,
    fields: Vec<String>,
}

impl<'t> Parser<'t> {
    fn expression(&mut self, depth: usize) -> Result<(), CqlError> {
        loop {
            self.term(depth)?;
            if self.take_keyword("AND") {
                self.clause.push_str(" AND ");
            } else if self.take_keyword("OR") {
                self.clause.push_str(" OR ");
            } else {
                return Ok(());
            }
        }
    }

    fn term(&mut self, depth: usize) -> Result<(), CqlError> {
        while self.take_keyword("NOT") {
            self.clause.push_str("NOT ");
        }
        if !matches!(self.peek(), Some(Kind::Open)) {
            return self.comparison();
        }
        if depth == DEEPEST {
            return Err(self.fault(Fault::TooDeep));
        }
        let opened = self.position();
        self.next += 1;
        self.clause.push('(');
        self.expression(depth + 1)?;
        if self.at_keyword("ORDER") {
            return Err(self.fault(Fault::OrderByInside));
        }
        self.close(opened, "AND, OR or )")?;
        self.clause.push(')');
        Ok(())
    }

    fn comparison(&mut self) -> Result<(), CqlError> {
        let field = match self.peek() {
            Some(Kind::Word(word)) if is_name(word) => word.clone(),
            _ => return Err(self.unexpected("a field")),
        };
        self.next += 1;
        self.clause.push_str(&field);
        self.fields.push(field);
        if let Some(&Kind::Operator(operator)) = self.peek() {
            self.next += 1;
            self.clause.extend([" ", operator, " "]);
            return self.value();
        }
        if self.take_keyword("NOT") {
            self.clause.push_str(" NOT");
        }
        if !self.take_keyword("IN") {
            return Err(self.unexpected("one of = != ~ !~ > >= < <= IN and NOT IN"));
        }
        self.clause.push_str(" IN ");
        if !matches!(self.peek(), Some(Kind::Open)) {
            return self.function();
        }
        let opened = self.position();
        self.next += 1;
        self.clause.push('(');
        self.values(opened, Self::value)
    }

    /// The rest of a list whose parenthesis at `opened` is read already: at least one value.
    fn values(
        &mut self,
        opened: usize,
        value: fn(&mut Self) -> Result<(), CqlError>,
    ) -> Result<(), CqlError> {
        loop {
            value(self)?;
            if !matches!(self.peek(), Some(Kind::Comma)) {
                break;
            }
            self.next += 1;
            self.clause.push_str(", ");
        }
        self.close(opened, "a comma or )")?;
        self.clause.push(')');
        Ok(())
    }

    fn value(&mut self) -> Result<(), CqlError> {
        match self.peek_second() {
            Some(Kind::Open) => self.function(),
            _ => self.plain_value(),
        }
    }

    fn plain_value(&mut self) -> Result<(), CqlError> {
        match self.peek() {
            // Numbers stay numbers, for fields that are compared as such.
            Some(Kind::Word(word)) if word.bytes().all(|byte| byte.is_ascii_digit()) => {
                self.clause.push_str(word);
            }
            Some(Kind::Word(word)) if !is_reserved(word) => self.clause.push_str(&quote(word)),
            Some(Kind::Text(text)) => self.clause.push_str(&quote(text)),
            _ => return Err(self.unexpected("a value")),
        }
        self.next += 1;
        Ok(())
    }

    /// `currentUser()`, `now("-4w")`: a name and plain values.
    fn function(&mut self) -> Result<(), CqlError> {
        let (Some(Kind::Word(name)), Some(Kind::Open)) = (self.peek(), self.peek_second()) else {
            return Err(self.unexpected("a list in parentheses or a function"));
        };
        if !is_name(name) || !name.bytes().all(|byte| byte.is_ascii_alphanumeric()) {
            return Err(self.unexpected("a value or a function"));
        }
        self.clause.push_str(name);
        self.clause.push('(');
        self.next += 1;
        let opened = self.position();
        self.next += 1;
        if matches!(self.peek(), Some(Kind::Close)) {
            self.next += 1;
            self.clause.push(')');
            return Ok(());
        }
        self.values(opened, Self::plain_value)
    }

    /// ORDER BY and its fields, where it stands next.
    fn order_by(&mut self) -> Result<Option<String>, CqlError> {
        if !self.take_keyword("ORDER") {
            return Ok(None);
        }
        if !self.take_keyword("BY") {
            return Err(self.unexpected("BY"));
        }
        let mut fields = Vec::new();
        loop {
            let mut field = match self.peek() {
                Some(Kind::Word(word)) if is_name(word) => word.clone(),
                _ => return Err(self.unexpected("a field to sort by")),
            };
            self.next += 1;
            if self.take_keyword("ASC") {
                field.push_str(" asc");
            } else if self.take_keyword("DESC") {
                field.push_str(" desc");
            }
            fields.push(field);
            if !matches!(self.peek(), Some(Kind::Comma)) {
                return Ok(Some(fields.join(", ")));
            }
            self.next += 1;
        }
    }

    fn close(&mut self, opened: usize, wanted: &'static str) -> Result<(), CqlError> {
        match self.peek() {
            Some(Kind::Close) => {
                self.next += 1;
                Ok(())
            }
            None => Err(CqlError::Raw { position: opened, fault: Fault::UnclosedParenthesis }),
            Some(_) => Err(self.unexpected(wanted)),
        }
    }

    fn peek(&self) -> Option<&'t Kind> {
        self.tokens.get(self.next).map(|token| &token.kind)
    }

    fn peek_second(&self) -> Option<&'t Kind> {
        self.tokens.get(self.next + 1).map(|token| &token.kind)
    }

    fn at_keyword(&self, keyword: &str) -> bool {
        self.tokens.get(self.next).is_some_and(|token| is_keyword(token, keyword))
    }

    fn take_keyword(&mut self, keyword: &str) -> bool {
        let found = self.at_keyword(keyword);
        self.next += usize::from(found);
        found
    }

    fn position(&self) -> usize {
        self.tokens.get(self.next).map_or(self.end, |token| token.position)
    }

    fn fault(&self, fault: Fault) -> CqlError {
        CqlError::Raw { position: self.position(), fault }
    }

    fn unexpected(&self, wanted: &'static str) -> CqlError {
        let found = match self.peek() {
            None => "the end".to_owned(),
            Some(Kind::Open) => "(".to_owned(),
            Some(Kind::Close) => ")".to_owned(),
            Some(Kind::Comma) => "a comma".to_owned(),
            Some(Kind::Operator(operator)) => (*operator).to_owned(),
            Some(Kind::Text(_)) => "a quoted value".to_owned(),
            Some(Kind::Word(word)) => word.chars().take(40).collect(),
        };
        self.fault(Fault::Unexpected { found, wanted })
    }
}

/// Whether `word` can name a field or a function: ASCII, from a letter on, and no keyword.
fn is_name(word: &str) -> bool {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'.');
    // The key of a content property stands in brackets: `content.property[approval].state`.
    let mut pieces = word.split('[');
    let before_brackets = pieces.next().unwrap_or_default();
    before_brackets.starts_with(|first: char| first.is_ascii_alphabetic())
        && before_brackets.bytes().all(plain)
        && pieces.all(|piece| {
            piece
                .split_once(']')
                .is_some_and(|(key, rest)| !key.is_empty() && key.bytes().chain(rest.bytes()).all(plain))
        })
        && !is_reserved(word)
}

fn is_reserved(word: &str) -> bool {
    KEYWORDS.iter().any(|keyword| word.eq_ignore_ascii_case(keyword))
}
