//! The loss report: what is not in the Markdown, counted by name.

use std::borrow::Cow;
use std::collections::BTreeMap;

use serde::Serialize;

use crate::clean::{Clean, visible};

/// Something that the page holds and its Markdown does not.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Omitted {
    pub what: Clean,
    pub count: u64,
}

#[derive(Debug, Default)]
pub(super) struct Losses(BTreeMap<Cow<'static, str>, u64>);

pub(super) const HIDDEN_TEXT: &str = "hidden text";
/// What characters count as that people do not see, wherever they were taken out.
pub const INVISIBLE_CHARACTERS: &str = "invisible characters";
pub(super) const REPEATED_CELLS: &str = "repeated merged cells";
pub(super) const TOO_DEEP: &str = "nesting too deep";
pub(super) const UNKNOWN_PEOPLE: &str = "unknown people";
pub(super) const UNSAFE_LINKS: &str = "unsafe link addresses";

impl Losses {
    pub(super) fn add(&mut self, what: impl Into<Cow<'static, str>>, count: u64) {
        if count > 0 {
            *self.0.entry(what.into()).or_default() += count;
        }
    }

    /// The names hold none of what is counted in the text.
    pub(super) fn into_list(self) -> Vec<Omitted> {
        self.0.into_iter().map(|(what, count)| Omitted { what: visible(&what).0.into(), count }).collect()
    }
}
