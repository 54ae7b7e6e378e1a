//! Where a Markdown text may be cut, and what has to be written again after a cut. A page of ten megabytes may hold a million
//! lines: what is noted of each is small, and of lines close together only some are noted.

use std::ops::Range;

/// A line that a part may begin with.
#[derive(Clone, Copy, Debug)]
pub(super) struct Cut {
    offset: u32,
    /// What is open at this line, in `Index::contexts`.
    pub(super) context: u32,
    /// The lower, the better to begin here.
    pub(super) rank: u8,
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
        header: Row,
        columns: u32,
    },
    /// The opening line as written, without prefix.
    Fence {
        open: Row,
        ticks: u32,
    },
}

/// A row of the text, or a part of one.
#[derive(Clone, Copy, Debug)]
pub(super) struct Row {
    start: u32,
    end: u32,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Marker {
    Bullet(char),
    Number(u32, char),
}

/// A heading of the page.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Heading<'a> {
    pub text: &'a str,
    /// 1 to 6.
    pub level: u8,
    /// Where its line starts in the Markdown, in bytes.
    pub offset: usize,
}

#[derive(Clone, Debug)]
pub(super) struct Index {
    pub(super) cuts: Vec<Cut>,
    pub(super) contexts: Vec<Context>,
    pub(super) headings: Headings,
}

/// The headings of a page, in their order.
#[derive(Clone, Debug, Default)]
pub(super) struct Headings {
    /// The texts, one after the other.
    texts: String,
    /// For each heading where its line starts, and where its text ends, with the level in the lowest three bits.
    places: Vec<(u32, u32)>,
}

/// So many cuts are noted however close they are to each other.
const FEW: usize = 4096;
/// Beyond that, a cut closer than this to the last one, in bytes, is noted only if it is a better one.
const CLOSE: u32 = 64;
/// The longest text of a heading that is noted, in bytes.
const LONGEST: usize = 2048;

impl Default for Index {
    fn default() -> Self {
        let document = Context { parent: 0, open: Open::Document };
        Self { cuts: Vec::new(), contexts: vec![document], headings: Headings::default() }
    }
}

impl Index {
    pub(super) fn add_context(&mut self, parent: u32, open: Open) -> u32 {
        self.contexts.push(Context { parent, open });
        narrow(self.contexts.len() - 1)
    }

    /// Whether a cut here is worth a note.
    pub(super) fn wants_cut(&self, offset: usize, rank: u8) -> bool {
        if self.cuts.len() < FEW {
            return true;
        }
        let last = self.cuts.last();
        last.is_none_or(|last| rank < last.rank || narrow(offset).saturating_sub(last.offset) >= CLOSE)
    }

    pub(super) fn add_cut(&mut self, offset: usize, rank: u8, context: u32) {
        self.cuts.push(Cut { offset: narrow(offset), context, rank });
    }

    /// Notes what is open at a place before the last cuts, unless the cut before it tells the same.
    pub(super) fn note_context(&mut self, offset: usize, rank: u8, context: u32) {
        let at = self.cuts.partition_point(|cut| cut.offset() <= offset);
        if at.checked_sub(1).is_none_or(|before| self.cuts[before].context != context) {
            self.cuts.insert(at, Cut { offset: narrow(offset), context, rank });
        }
    }

    /// The cuts inside a range.
    pub(super) fn cuts_in(&self, range: &Range<usize>) -> &[Cut] {
        let start = self.cuts.partition_point(|cut| cut.offset() < range.start);
        let end = self.cuts.partition_point(|cut| cut.offset() < range.end);
        &self.cuts[start..end.max(start)]
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

impl Cut {
    pub(super) fn offset(&self) -> usize {
        self.offset as usize
    }

    pub(super) fn move_to(&mut self, offset: usize) {
        self.offset = narrow(offset);
    }
}

impl Row {
    pub(super) fn new(range: &Range<usize>) -> Self {
        Self { start: narrow(range.start), end: narrow(range.end) }
    }

    pub(super) fn range(self) -> Range<usize> {
        self.start as usize..self.end as usize
    }
}

impl Headings {
    /// A heading whose text is not known yet.
    pub(super) fn begin(&mut self, level: u8, offset: usize) {
        self.places.push((narrow(offset), narrow(self.texts.len() << 3) | u32::from(level.min(7))));
    }

    /// The text of the last heading: these words, one space apart.
    pub(super) fn name<'t>(&mut self, words: impl Iterator<Item = &'t str>) {
        let Some((_, place)) = self.places.last_mut() else { return };
        let start = self.texts.len();
        for word in words {
            if self.texts.len() > start {
                self.texts.push(' ');
            }
            let room = LONGEST.saturating_sub(self.texts.len() - start);
            let fits = word.char_indices().map(|(at, character)| at + character.len_utf8());
            let fits = if word.len() <= room {
                word.len()
            } else {
                fits.take_while(|end| *end <= room).last().unwrap_or(0)
            };
            self.texts.push_str(&word[..fits]);
        }
        *place = narrow(self.texts.len() << 3) | (*place & 7);
    }

    pub(super) fn len(&self) -> usize {
        self.places.len()
    }

    /// The heading of this number, counted from 0.
    pub(super) fn get(&self, at: usize) -> Heading<'_> {
        let (offset, place) = self.places[at];
        let start = at.checked_sub(1).map_or(0, |before| self.places[before].1 >> 3);
        Heading {
            text: &self.texts[start as usize..(place >> 3) as usize],
            level: u8::try_from(place & 7).unwrap_or(0),
            offset: offset as usize,
        }
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = Heading<'_>> {
        (0..self.len()).map(|at| self.get(at))
    }

    /// How many of them start before `offset`.
    pub(super) fn before(&self, offset: usize) -> usize {
        self.places.partition_point(|(start, _)| (*start as usize) < offset)
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

/// Texts are far smaller than four gigabytes: no source is larger than some megabytes.
fn narrow(number: usize) -> u32 {
    u32::try_from(number).unwrap_or(u32::MAX)
}
