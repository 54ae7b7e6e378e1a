//! A forgiving tokenizer for storage format. It borrows from its input, takes whatever it is given and never looks back,
//! so its time is linear in the input even when nothing in it is closed.

use std::borrow::Cow;

use html5ever::Attribute;

use super::entities;

/// One piece of a storage body.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Token<'a> {
    Open {
        name: &'a str,
        attributes: Attributes<'a>,
        closed: bool,
    },
    Close {
        name: &'a str,
    },
    /// Character data as written, entities not yet resolved.
    Text(&'a str),
    /// Character data to be taken literally.
    CData(&'a str),
}

/// The attributes of one tag.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Attributes<'a> {
    /// As they stand in a storage body.
    Written(&'a str),
    /// As the HTML parser gives them.
    Parsed(&'a [Attribute]),
}

pub(super) struct Tokens<'a> {
    length: usize,
    rest: &'a str,
}

impl<'a> Tokens<'a> {
    pub(super) fn new(storage: &'a str) -> Self {
        Self { length: storage.len(), rest: storage }
    }

    /// How much has been read, in bytes.
    pub(super) fn offset(&self) -> usize {
        self.length - self.rest.len()
    }

    /// Splits off `length` bytes.
    fn take(&mut self, length: usize) -> &'a str {
        let (taken, rest) = self.rest.split_at(length);
        self.rest = rest;
        taken
    }

    /// Takes everything before `end`, and `end` itself; without `end`, everything there is.
    fn take_until(&mut self, end: &str) -> &'a str {
        match memchr::memmem::find(self.rest.as_bytes(), end.as_bytes()) {
            Some(at) => {
                let taken = self.take(at);
                self.take(end.len());
                taken
            }
            None => self.take(self.rest.len()),
        }
    }

    fn tag(&mut self) -> Option<Token<'a>> {
        let closing = self.rest.as_bytes().get(1) == Some(&b'/');
        let start = if closing { 2 } else { 1 };
        let tag = self.rest.get(start..)?;
        let ends_name = |byte: &u8| byte.is_ascii_whitespace() || matches!(byte, b'/' | b'>');
        let name_length = tag.as_bytes().iter().position(ends_name)?;
        let length = name_length + tag_length(&tag[name_length..])?;
        self.take(start + length + 1);
        let (name, rest) = tag[..length].split_at(name_length);
        if closing {
            return Some(Token::Close { name });
        }
        let closed = rest.ends_with('/');
        let attributes = Attributes::Written(if closed { &rest[..rest.len() - 1] } else { rest });
        Some(Token::Open { name, attributes, closed })
    }
}

impl<'a> Iterator for Tokens<'a> {
    type Item = Token<'a>;

    fn next(&mut self) -> Option<Token<'a>> {
        loop {
            let bytes = self.rest.as_bytes();
            if *bytes.first()? != b'<' {
                let length = memchr::memchr(b'<', bytes).unwrap_or(bytes.len());
                return Some(Token::Text(self.take(length)));
            }
            match bytes.get(1) {
                Some(b'!') if bytes.starts_with(b"<![CDATA[") => {
                    self.take(9);
                    return Some(Token::CData(self.take_until("]]>")));
                }
                Some(b'!') if bytes.starts_with(b"<!--") => {
                    self.take(4);
                    self.take_until("-->");
                }
                Some(b'!' | b'?') => {
                    self.take_until(">");
                }
                Some(byte) if byte.is_ascii_alphabetic() || *byte == b'/' => {
                    if let Some(token) = self.tag() {
                        return Some(token);
                    }
                    // A tag that never ends: what is left is text, so that nothing is lost.
                    return Some(Token::Text(self.take(self.rest.len())));
                }
                _ => return Some(Token::Text(self.take(1))),
            }
        }
    }
}

/// The length of a tag up to its `>`, which does not count inside quotes. A quote with a `<` inside is a broken one.
fn tag_length(tag: &str) -> Option<usize> {
    let bytes = tag.as_bytes();
    if bytes.first() == Some(&b'>') {
        return Some(0);
    }
    let mut at = 0;
    loop {
        at += memchr::memchr3(b'>', b'"', b'\'', &bytes[at..])?;
        if bytes[at] == b'>' {
            return Some(at);
        }
        match memchr::memchr2(bytes[at], b'<', &bytes[at + 1..]) {
            Some(length) if bytes[at + 1 + length] != b'<' => at += length + 2,
            _ => return Some(at + memchr::memchr(b'>', &bytes[at..])?),
        }
    }
}

impl<'a> Attributes<'a> {
    pub(super) fn get(self, name: &str) -> Option<Cow<'a, str>> {
        match self {
            Self::Written(text) => {
                let value = pairs(text).find(|(key, _)| *key == name)?.1;
                Some(entities::decode(value))
            }
            Self::Parsed(attributes) => {
                let attribute = attributes.iter().find(|attribute| &*attribute.name.local == name)?;
                Some(Cow::Borrowed(&*attribute.value))
            }
        }
    }

    pub(super) fn is_empty(self) -> bool {
        match self {
            Self::Written(text) => text.is_empty(),
            Self::Parsed(attributes) => attributes.is_empty(),
        }
    }
}

/// Names and values as written. Whatever is between them is passed over.
fn pairs(text: &str) -> impl Iterator<Item = (&str, &str)> {
    let mut rest = text;
    std::iter::from_fn(move || {
        let is_between = |byte: &u8| byte.is_ascii_whitespace() || matches!(byte, b'/' | b'=');
        rest = &rest[rest.bytes().take_while(|byte| is_between(byte)).count()..];
        if rest.is_empty() {
            return None;
        }
        let length = rest.bytes().position(|byte| is_between(&byte) && byte != b'/').unwrap_or(rest.len());
        let (key, after) = rest.split_at(length);
        rest = trim_start(after);
        let Some(after) = rest.strip_prefix('=') else { return Some((key, "")) };
        let value;
        (value, rest) = split_value(trim_start(after));
        Some((key, value))
    })
}

fn trim_start(text: &str) -> &str {
    &text[text.bytes().take_while(u8::is_ascii_whitespace).count()..]
}

fn split_value(text: &str) -> (&str, &str) {
    let quote = text.bytes().next().filter(|byte| matches!(byte, b'"' | b'\''));
    let Some(quote) = quote else {
        return text.split_at(text.bytes().position(|byte| byte.is_ascii_whitespace()).unwrap_or(text.len()));
    };
    let quoted = &text[1..];
    match memchr::memchr(quote, quoted.as_bytes()) {
        Some(length) => (&quoted[..length], &quoted[length + 1..]),
        None => (quoted, ""),
    }
}
