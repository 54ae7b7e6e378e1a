//! Where a Markdown text may be cut, and what has to be written again after a cut.

use std::ops::Range;

use crate::clean::Clean;

/// A line that a part may begin with.
#[derive(Clone, Copy, Debug)]
pub(super) struct Cut {
    pub(super) offset: usize,
    /// The lower, the better to begin here.
    pub(super) rank: u8,
    /// What is open at this line, in `Index::contexts`.
    pub(super) context: u32,
}

/// Something open around a line, and around it what `parent` says.
#[derive(Clone, Debug)]
pub(super) struct Context {
    pub(super) parent: u32,
    pub(super) open: Open,
}

#[derive(Clone, Debug)]
pub(super) enum Open {
    Document,
    Quote,
    Item {
        marker: Marker,
    },
    /// The header row as written, without prefix.
    Table {
        header: Range<usize>,
        columns: usize,
    },
    /// The opening line as written, without prefix.
    Fence {
        open: Range<usize>,
        ticks: usize,
    },
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Marker {
    Bullet(char),
    Number(u64, char),
}

/// A heading of the page.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Heading {
    pub text: Clean,
    /// 1 to 6.
    pub level: u8,
    /// Where its line starts in the Markdown, in bytes.
    pub offset: usize,
}

#[derive(Clone, Debug)]
pub(super) struct Index {
    pub(super) cuts: Vec<Cut>,
    pub(super) contexts: Vec<Context>,
    pub(super) headings: Vec<Heading>,
}

impl Default for Index {
    fn default() -> Self {
        let document = Context { parent: 0, open: Open::Document };
        Self { cuts: Vec::new(), contexts: vec![document], headings: Vec::new() }
    }
}

impl Index {
    pub(super) fn add_context(&mut self, parent: u32, open: Open) -> u32 {
        self.contexts.push(Context { parent, open });
        u32::try_from(self.contexts.len() - 1).unwrap_or(0)
    }

    /// The contexts around a line, outermost first.
    pub(super) fn path(&self, context: u32) -> Vec<&Open> {
        let mut path = Vec::new();
        let mut at = context as usize;
        while at != 0 {
            path.push(&self.contexts[at].open);
            at = self.contexts[at].parent as usize;
        }
        path.reverse();
        path
    }
}

impl Marker {
    /// Writes the marker with the space after it.
    pub(super) fn write(self, out: &mut String) {
        let end = match self {
            Self::Bullet(bullet) => bullet,
            Self::Number(number, delimiter) => {
                out.push_str(&number.to_string());
                delimiter
            }
        };
        out.extend([end, ' ']);
    }
}
