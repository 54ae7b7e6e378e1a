use std::fmt;

/// Why something cannot be made into CQL.
///
/// `Display` says which part is wrong and what was found; [`CqlError::next_step`] what to write instead.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CqlError {
    /// Neither words nor CQL nor a filter.
    Nothing,
    /// Words that hold nothing to look for once the operators are gone.
    Unsearchable {
        parameter: &'static str,
    },
    TooLong {
        parameter: &'static str,
        length: usize,
        limit: usize,
    },
    BadDate {
        parameter: &'static str,
        found: String,
    },
    ReversedDates,
    /// The policy allows no space at all.
    NoAllowedSpace,
    /// Raw CQL that is refused; `position` counts characters from 1.
    Raw {
        position: usize,
        fault: Fault,
    },
}

/// What is wrong with raw CQL.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fault {
    Empty,
    /// A control character, an invisible one, a typographic quote or an operator that CQL does not have.
    Character(char),
    Comment(&'static str),
    UnclosedQuote(char),
    UnclosedParenthesis,
    ExtraParenthesis,
    TooDeep,
    OrderByInside,
    OrderByTwice,
    Unexpected {
        found: String,
        wanted: &'static str,
    },
}

impl CqlError {
    /// The parameter that the caller has to change; `None` when no single one is to blame.
    pub fn parameter(&self) -> Option<&'static str> {
        match self {
            Self::Unsearchable { parameter }
            | Self::TooLong { parameter, .. }
            | Self::BadDate { parameter, .. } => Some(parameter),
            Self::ReversedDates => Some("updatedAfter"),
            Self::Raw { .. } => Some("cql"),
            Self::Nothing | Self::NoAllowedSpace => None,
        }
    }

    /// One sentence that tells the model what to do about it.
    pub fn next_step(&self) -> &'static str {
        match self {
            Self::Nothing => {
                "Send `query`, `cql`, or at least one of `space`, `title`, `label`, `author`, `ancestor`, \
                 `updatedAfter` and `updatedBefore`."
            }
            Self::Unsearchable { .. } => "Send at least one word made of letters or digits.",
            Self::TooLong { .. } => "Send a shorter value: the few words or clauses that matter most.",
            Self::BadDate { .. } => {
                "Write a calendar date from 1970-01-01 to 9999-12-31 as YYYY-MM-DD, or a time ago as -N with \
                 d, w, m or y, at most 100 years back, for example 2026-01-31 or -30d."
            }
            Self::ReversedDates => "Let `updatedAfter` be the earlier of the two, or send only one.",
            Self::NoAllowedSpace => "Tell the person that whoever runs this GPT has to allow it a space.",
            Self::Raw { fault, .. } => fault.next_step(),
        }
    }
}

impl Fault {
    fn next_step(&self) -> &'static str {
        match self {
            Self::Empty => "Write at least one comparison, for example: label = \"howto\".",
            Self::Character(_) => {
                "Write comparisons with = != ~ !~ > >= < <= IN and NOT IN, joined by AND, OR and NOT, and put \
                 every value into straight double quotes."
            }
            Self::Comment(_) => {
                "Leave comments out, and put a value that holds these characters into double quotes."
            }
            Self::UnclosedQuote(_) => {
                "Close the quote; inside a quoted value write \\\" for a double quote and \\\\ for a backslash."
            }
            Self::UnclosedParenthesis | Self::ExtraParenthesis => "Give each ( its ) and each ) its (.",
            Self::TooDeep => "Use fewer nested parentheses; `field IN (\"a\", \"b\")` replaces most of them.",
            Self::OrderByInside | Self::OrderByTwice => {
                "Write ORDER BY once, at the very end, or leave it out and send `sort`."
            }
            Self::Unexpected { .. } => {
                "Write `field operator value` with the value in double quotes, and join comparisons by AND or OR."
            }
        }
    }
}

impl fmt::Display for CqlError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Nothing => f.write_str("There is nothing to search for."),
            Self::Unsearchable { parameter } => {
                write!(f, "`{parameter}` holds nothing that can be searched for: no letter and no digit.")
            }
            Self::TooLong { parameter, length, limit } => {
                write!(f, "`{parameter}` has {length} characters; at most {limit} are accepted.")
            }
            Self::BadDate { parameter, found } => {
                write!(f, "`{parameter}` is no date that is accepted: {found:?}.")
            }
            Self::ReversedDates => f.write_str("`updatedAfter` is later than `updatedBefore`."),
            Self::NoAllowedSpace => f.write_str("This GPT is not allowed to search any space."),
            Self::Raw { fault: Fault::Empty, .. } => f.write_str("`cql` holds no comparison."),
            Self::Raw { position, fault } => write!(f, "`cql`, character {position}: {fault}."),
        }
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Empty => f.write_str("no comparison"),
            Self::Character(character) if character.is_ascii_graphic() => {
                write!(f, "{character} is not accepted outside quotes")
            }
            Self::Character(character) => {
                write!(f, "the character U+{:04X} is not accepted", u32::from(*character))
            }
            Self::Comment(mark) => write!(f, "{mark} looks like a comment"),
            Self::UnclosedQuote(quote) => write!(f, "the quote {quote} is never closed"),
            Self::UnclosedParenthesis => f.write_str("this parenthesis is never closed"),
            Self::ExtraParenthesis => f.write_str("this parenthesis was never opened"),
            Self::TooDeep => f.write_str("the parentheses are nested too deeply"),
            Self::OrderByInside => f.write_str("ORDER BY stands inside parentheses"),
            Self::OrderByTwice => f.write_str("ORDER BY stands there a second time"),
            Self::Unexpected { found, wanted } => write!(f, "found {found} where {wanted} was expected"),
        }
    }
}

impl std::error::Error for CqlError {}
