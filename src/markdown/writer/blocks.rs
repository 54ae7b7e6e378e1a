//! Blocks and containers.

use super::{
    Before, Block, CODE_LINE_RANK, Container, Context, Kind, Mark, Marker, NO_BORDER, Open, Row, Writer,
};

impl Writer {
    pub(in super::super) fn heading_open(&mut self, level: u8) {
        self.end_block();
        self.line.heading = Some(level);
        if self.in_cell {
            self.mark_open(Mark::Strong);
        }
    }

    pub(in super::super) fn heading_close(&mut self) {
        if self.in_cell {
            self.mark_close(Mark::Strong);
        }
        self.end_block();
        self.line.heading = None;
    }

    /// Starts the line of a heading or a paragraph, for the text that is about to come.
    pub(super) fn begin_line(&mut self) {
        let heading_text = std::mem::take(&mut self.line.heading_text);
        match self.line.heading.take() {
            Some(level) if !self.in_cell => {
                self.begin(Block::Heading);
                self.line.heading_text = heading_text;
                let offset = self.out.rfind('\n').map_or(0, |at| at + 1);
                for _ in 0..level {
                    self.out.push('#');
                }
                self.out.push(' ');
                self.index.headings.begin(level, offset);
                self.line.in_heading = true;
            }
            _ => self.begin(Block::Paragraph),
        }
    }

    /// Starts a paragraph, or goes on with what leads it in.
    pub(in super::super) fn paragraph_open(&mut self) {
        if !self.line.leads_in {
            self.end_block();
        }
    }

    /// What has just been written is the beginning of the next paragraph, if one comes.
    pub(in super::super) fn lead_in(&mut self) {
        self.line.space = true;
        self.line.leads_in = true;
    }

    /// Ends the paragraph or heading that is open. What comes next starts a new one.
    pub(in super::super) fn end_block(&mut self) {
        self.end_line();
        self.line.heading = None;
    }

    pub(in super::super) fn rule(&mut self) {
        if self.in_cell {
            return self.end_block();
        }
        self.begin(Block::Rule);
        let after_marker = self.out.ends_with(' ');
        self.out.push_str(if after_marker { "***" } else { "---" });
    }

    /// A block of code, byte for byte.
    pub(in super::super) fn code(&mut self, language: &str, code: &str) {
        if self.in_cell {
            return self.code_in_cell(language, code);
        }
        let lines = || code.bytes().filter(|byte| *byte == b'\n').count() + 3;
        if !self.prefix.is_empty() && self.prefix.len().saturating_mul(lines()) > self.budget {
            // A fence has to end in the container that it begins in.
            self.end_block();
            self.leave_containers();
        }
        self.begin(Block::Code);
        let ticks = longest_run(code, '`').max(2) + 1;
        let open = Row::new(&(self.out.len()..self.out.len() + ticks + language.len()));
        self.push_ticks(ticks);
        self.out.push_str(language);
        let fence = Open::Fence { open, ticks: u32::try_from(ticks).unwrap_or(u32::MAX) };
        let mut context = None;
        for (number, line) in code.split('\n').enumerate() {
            self.out.push('\n');
            // A long line may have to be cut itself, and then it has to be known that it is code.
            let must = context.is_none() && line.len() > LONG_LINE;
            let rank = if number > 0 { CODE_LINE_RANK } else { NO_BORDER };
            self.note_cut_inside(rank, must, &mut context, &fence);
            if !line.is_empty() || !self.prefix.trim_end().is_empty() {
                self.write_prefix();
            }
            self.out.push_str(line);
        }
        self.out.push('\n');
        self.write_prefix();
        self.push_ticks(ticks);
    }

    fn push_ticks(&mut self, ticks: usize) {
        self.out.extend(std::iter::repeat_n('`', ticks));
    }

    pub(in super::super) fn quote_open(&mut self) {
        self.end_block();
        let before = Before { length: self.out.len(), cuts: self.index.cuts.len(), last: self.top().last };
        self.begin(Block::Quote);
        self.push_container(Kind::Quote, Context::Quote);
        self.top().before = Some(before);
        if !self.in_cell {
            self.prefix.push_str("> ");
            self.out.push_str("> ");
        }
    }

    /// A quote that says of what kind it is, as GitHub writes it.
    pub(in super::super) fn alert_open(&mut self, kind: &str) {
        self.quote_open();
        if !self.in_cell {
            self.out.extend(["[!", kind, "]\n"]);
            return self.write_prefix();
        }
        let (first, rest) = kind.split_at(1);
        self.mark_open(Mark::Strong);
        self.text(first);
        self.text(&rest.to_ascii_lowercase());
        self.text(":");
        self.mark_close(Mark::Strong);
        self.lead_in();
    }

    pub(in super::super) fn quote_close(&mut self) {
        self.close_container(|kind| kind == Kind::Quote);
    }

    pub(in super::super) fn list_open(&mut self, ordered: bool, start: u64) {
        self.end_block();
        if matches!(self.top().kind, Kind::List { .. }) {
            self.item_reopen();
        }
        let top = *self.top();
        let follows_same =
            matches!(top.last, Some(Block::List { ordered: same, alternate: false }) if same == ordered);
        // A bullet right after a bullet of the same kind could read as a rule.
        let first_in_item = top.kind == Kind::Item && top.last.is_none();
        let parent_alternate = self.containers.iter().rev().find_map(|container| match container.kind {
            Kind::List { ordered: false, alternate, .. } => Some(alternate),
            _ => None,
        });
        let alternate =
            if first_in_item && !ordered { parent_alternate == Some(false) } else { follows_same };
        let tight_after_text = top.kind == Kind::Item && top.last == Some(Block::Paragraph);
        let next = u32::try_from(start.min(999_999_999)).unwrap_or(1);
        self.push_container(
            Kind::List { ordered, next, indent: 0, alternate, tight_after_text },
            Context::Same,
        );
    }

    pub(in super::super) fn list_close(&mut self) {
        self.close_container(|kind| matches!(kind, Kind::List { .. }));
    }

    pub(in super::super) fn item_open(&mut self) {
        self.end_block();
        let Kind::List { ordered, next, alternate, .. } = self.top().kind else {
            // An item without a list.
            self.list_open(false, 1);
            return self.item_open();
        };
        let marker = match (ordered, alternate) {
            (false, false) => Marker::Bullet('-'),
            (false, true) => Marker::Bullet('+'),
            (true, false) => Marker::Number(next, '.'),
            (true, true) => Marker::Number(next, ')'),
        };
        if self.top().last.is_none() {
            self.begin_list(ordered, alternate, next);
        } else {
            self.begin(Block::Item);
        }
        self.top().last = Some(Block::Item);
        let start = self.out.len();
        if self.in_cell {
            self.write_cell_marker(marker);
        } else {
            marker.write(&mut self.out);
        }
        let width = self.out.len() - start;
        if let Kind::List { next, indent, .. } = &mut self.top().kind {
            *next = (*next + 1).min(999_999_999);
            *indent = u8::try_from(width).unwrap_or(u8::MAX);
        }
        self.push_container(Kind::Item, Context::Item(marker));
        if !self.in_cell {
            self.prefix.extend(std::iter::repeat_n(' ', width));
        }
    }

    /// A list right inside a list belongs to the item before it.
    fn item_reopen(&mut self) {
        let Kind::List { indent: indent @ 1.., .. } = self.top().kind else { return self.item_open() };
        self.push_container(Kind::Item, Context::Same);
        self.top().last = Some(Block::Paragraph);
        if !self.in_cell {
            self.prefix.extend(std::iter::repeat_n(' ', usize::from(indent)));
        }
    }

    /// The first item of a list starts the list as a block of what the list is in.
    fn begin_list(&mut self, ordered: bool, alternate: bool, number: u32) {
        let Some(list) = self.containers.pop() else { return };
        let block = Block::List { ordered: ordered && number != 1, alternate };
        self.begin(block);
        self.top().last = Some(Block::List { ordered, alternate });
        self.containers.push(list);
    }

    fn write_cell_marker(&mut self, marker: Marker) {
        let depth = self
            .containers
            .iter()
            .rev()
            .take_while(|container| container.kind != Kind::Cell)
            .filter(|container| matches!(container.kind, Kind::List { .. }))
            .count();
        match marker {
            Marker::Bullet(_) if depth > 1 => self.out.push_str("◦ "),
            Marker::Bullet(_) => self.out.push_str("• "),
            Marker::Number(..) => marker.write(&mut self.out),
        }
    }

    pub(in super::super) fn item_close(&mut self) {
        self.close_container(|kind| kind == Kind::Item);
    }

    pub(super) fn push_container(&mut self, kind: Kind, context: Context) {
        let top = *self.top();
        let deeper = matches!(kind, Kind::Item | Kind::Quote);
        self.containers.push(Container {
            kind,
            prefix: self.prefix.len(),
            context,
            depth: top.depth.saturating_add(u8::from(deeper)),
            last: None,
            before: None,
        });
    }

    /// Closes the innermost container of a kind and all in it, but never across the border of a cell.
    fn close_container(&mut self, wanted: impl Fn(Kind) -> bool) {
        self.end_block();
        let inner = self.containers.iter().rev().take_while(|container| container.kind != Kind::Cell);
        let Some(above) = inner.clone().position(|container| wanted(container.kind)) else { return };
        for _ in 0..=above {
            self.container_close();
        }
    }

    pub(super) fn container_close(&mut self) {
        self.end_block();
        let Some(container) = self.containers.pop() else { return };
        self.prefix.truncate(container.prefix);
        if container.last.is_some() {
            return;
        }
        if let Some(before) = container.before {
            self.out.truncate(before.length);
            self.index.cuts.truncate(before.cuts);
            self.top().last = before.last;
        } else if container.kind == Kind::Item {
            self.trim_empty_item();
        }
    }

    fn trim_empty_item(&mut self) {
        let length = self.out.trim_end_matches(' ').len();
        self.out.truncate(length);
        // Right below a paragraph a lone dash would make the paragraph a heading.
        let Kind::List { tight_after_text: true, .. } = self.top().kind else { return };
        if self.in_cell {
            return;
        }
        let line = self.out.rfind('\n').map_or(0, |at| at + 1);
        let blank = format!("{}\n", self.prefix.trim_end());
        if !self.out[..line].ends_with(&format!("\n{blank}")) {
            self.out.insert_str(line, &blank);
            if let Some(cut) = self.index.cuts.last_mut().filter(|cut| cut.offset() == line) {
                cut.move_to(line + blank.len());
            }
        }
    }
}

/// Lines of code longer than this, in bytes, may be cut in themselves.
const LONG_LINE: usize = 256;

/// The length of the longest run of `character`.
pub(super) fn longest_run(text: &str, character: char) -> usize {
    if !text.contains(character) {
        return 0;
    }
    let mut longest = 0;
    let mut run = 0;
    for each in text.chars() {
        run = if each == character { run + 1 } else { 0 };
        longest = longest.max(run);
    }
    longest
}
