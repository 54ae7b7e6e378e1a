//! Writes Markdown as it hears of blocks, one after the other, and notes where it may be cut. This file knows blocks and
//! the containers around them; `inline` knows what is inside a line, `table` what is inside a table.

mod blocks;
mod inline;
mod marks;
mod spans;
mod table;

use super::index::{Index, Marker, Open, Row};
use super::losses::{self, Losses};

pub(super) use marks::Mark;

#[derive(Default)]
pub(super) struct Writer {
    out: String,
    index: Index,
    pub(super) losses: Losses,
    /// What every line inside the open containers begins with.
    prefix: String,
    containers: Vec<Container>,
    line: inline::Line,
    tables: Vec<table::OpenTable>,
    in_cell: bool,
    nested: u32,
    /// How many bytes of prefixes may still be written.
    budget: usize,
}

/// What a block is in, and what was last written in there.
#[derive(Clone, Copy)]
struct Container {
    kind: Kind,
    /// The length of the prefix outside of it.
    prefix: usize,
    context: Context,
    depth: u8,
    last: Option<Block>,
    before: Option<Before>,
}

/// What a container is in the index. Most are never asked for: they have no line that a part may begin with.
#[derive(Clone, Copy)]
enum Context {
    Known(u32),
    /// What is around it.
    Same,
    /// One of its own, not noted yet.
    Item(Marker),
    Quote,
}

/// How things were before a container, to take it back if nothing comes.
#[derive(Clone, Copy)]
struct Before {
    length: usize,
    cuts: usize,
    last: Option<Block>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Document,
    Cell,
    Quote,
    Item,
    /// `indent` is that of its last item.
    List {
        ordered: bool,
        next: u32,
        indent: u8,
        alternate: bool,
        tight_after_text: bool,
    },
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Block {
    Paragraph,
    Heading,
    List { ordered: bool, alternate: bool },
    Item,
    Code,
    Table,
    Quote,
    Rule,
}

/// The finished text with its index.
pub(super) struct Written {
    pub(super) text: String,
    pub(super) index: Index,
    pub(super) losses: Losses,
}

/// How many bytes of prefixes a document may hold, beside the size of its source.
const PREFIX_BUDGET: usize = 1 << 20;

impl Writer {
    pub(super) fn new(source_length: usize) -> Self {
        let document = Container {
            kind: Kind::Document,
            prefix: 0,
            context: Context::Known(0),
            depth: 0,
            last: None,
            before: None,
        };
        Self {
            out: String::with_capacity(source_length / 2),
            containers: vec![document],
            budget: source_length + PREFIX_BUDGET,
            ..Self::default()
        }
    }

    pub(super) fn finish(mut self) -> Written {
        self.end_block();
        while !self.tables.is_empty() {
            self.table_close();
        }
        while self.containers.len() > 1 {
            self.container_close();
        }
        self.end_block();
        if !self.out.is_empty() {
            self.out.push('\n');
        }
        Written { text: self.out, index: self.index, losses: self.losses }
    }

    /// How much has been written: tells whether something came of an element.
    pub(super) fn length(&self) -> usize {
        self.out.len()
    }

    fn top(&mut self) -> &mut Container {
        let last = self.containers.len() - 1;
        &mut self.containers[last]
    }

    /// Starts a block on a line of its own.
    fn begin(&mut self, block: Block) {
        self.end_block();
        if matches!(self.top().kind, Kind::List { .. }) && block != Block::Item {
            self.item_open();
        }
        let top = *self.top();
        if self.in_cell {
            if top.last.is_some() {
                self.out.push_str("<br>");
            }
            self.top().last = Some(block);
            return;
        }
        if let Some(last) = top.last {
            self.separate(top, last, block);
        }
        if top.last.is_some() || top.kind == Kind::Document {
            self.note_cut(rank(block));
            self.write_prefix();
        }
        self.top().last = Some(block);
    }

    fn separate(&mut self, top: Container, last: Block, block: Block) {
        let item_follows_item = matches!(top.kind, Kind::List { .. });
        let list_follows_text = top.kind == Kind::Item
            && last == Block::Paragraph
            && matches!(block, Block::List { ordered: false, .. });
        self.out.push('\n');
        if !item_follows_item && !list_follows_text {
            self.blank_line();
        }
    }

    /// Notes that a part may begin here, if that is worth a note.
    fn note_cut(&mut self, rank: u8) {
        self.note_cut_inside(rank, false, &mut None, &Open::Document);
    }

    /// The same inside of what is open but no container, whose context is noted with its first cut.
    fn note_cut_inside(&mut self, rank: u8, must: bool, inside: &mut Option<u32>, open: &Open) {
        let rank = rank.saturating_add(self.top().depth.saturating_mul(2));
        if !must && !self.index.wants_cut(self.out.len(), rank) {
            return;
        }
        let context = inside.unwrap_or_else(|| {
            let around = self.context();
            match open {
                Open::Document => around,
                open => self.index.add_context(around, open.clone()),
            }
        });
        *inside = Some(context);
        self.index.add_cut(self.out.len(), rank, context);
    }

    /// Notes what is open around a line that began at `start`: the cut before it stands where its containers begin.
    fn note_line(&mut self, start: usize) {
        if self.containers.len() > 1 {
            let context = self.context();
            self.index.note_context(start, NO_BORDER, context);
        }
    }

    /// The context of the innermost container, noted with those around it if it is not yet.
    fn context(&mut self) -> u32 {
        let mut around = 0;
        let known =
            self.containers.iter().rposition(|container| matches!(container.context, Context::Known(_)));
        for container in &mut self.containers[known.unwrap_or(0)..] {
            around = match container.context {
                Context::Known(context) => context,
                Context::Same => around,
                Context::Item(marker) => self.index.add_context(around, Open::Item { marker }),
                Context::Quote => self.index.add_context(around, Open::Quote),
            };
            container.context = Context::Known(around);
        }
        around
    }

    fn write_prefix(&mut self) {
        if self.prefix.len() > self.budget {
            self.leave_containers();
        }
        self.budget -= self.prefix.len();
        self.out.push_str(&self.prefix);
    }

    /// From here on nothing is nested in what is open.
    fn leave_containers(&mut self) {
        self.losses.add(losses::TOO_DEEP, 1);
        self.prefix.clear();
        for container in &mut self.containers {
            (container.prefix, container.context) = (0, Context::Known(0));
        }
    }

    fn blank_line(&mut self) {
        let prefix = self.prefix.trim_end();
        self.budget = self.budget.saturating_sub(prefix.len());
        self.out.push_str(prefix);
        self.out.push('\n');
    }
}

/// How good it is to begin a part with this block.
fn rank(block: Block) -> u8 {
    match block {
        Block::Heading => 0,
        Block::Item => 2,
        _ => 1,
    }
}

/// Ranks of lines inside a block.
const ROW_RANK: u8 = 3;
const CODE_LINE_RANK: u8 = 4;
const TEXT_LINE_RANK: u8 = 5;
/// No part begins at such a line; it is noted for what is open there.
pub(super) const NO_BORDER: u8 = u8::MAX;
