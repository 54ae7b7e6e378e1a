//! What calls cost of the app's points: 65,000 an hour for all people and sites together.

/// How a call is charged. Atlassian publishes the rules and not each endpoint's place in them; what the gateway counts by
/// itself is corrected by what the headers of answers say.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Price {
    /// A page, blog post or the like.
    One,
    /// Pages, spaces, comments, results: one point, and one for each row.
    List,
    /// People, each of them; somebody who does not exist is one too.
    People,
}

/// An answer whose rows can be counted.
pub trait Counted {
    fn rows(&self) -> usize;
}

/// What a refused or failed call costs.
pub const FAILURE: u64 = 1;

/// What the way to an attachment's bytes costs; the bytes themselves come from elsewhere.
pub const REDIRECT: u64 = 1;

impl Price {
    /// The points of an answer with so many rows; what is no list has one.
    pub fn of(self, rows: usize) -> u64 {
        let rows = rows as u64;
        match self {
            Self::One => 2,
            Self::List => 1 + rows,
            Self::People => 3 * rows.max(1),
        }
    }
}
