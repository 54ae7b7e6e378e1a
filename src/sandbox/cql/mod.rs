//! CQL: read left to right, evaluated over what one person sees.

mod dates;
mod eval;
mod fields;
mod lexer;
mod lucene;
mod parser;
mod words;

#[cfg(test)]
mod tests;

pub use eval::{Doc, Found, Scope, search};
pub use words::{Tokens, Word};

/// Why a query was refused, in the words of the answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Bad(pub String);

impl Bad {
    fn new(reason: impl Into<String>) -> Self {
        Self(reason.into())
    }
}
