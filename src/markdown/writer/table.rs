//! Tables: cells are heard one by one, and written as a grid once all are known.

use std::ops::Range;

use super::super::losses;
use super::{Block, Kind, Open, ROW_RANK, Writer, inline};

/// How many copies of merged cells one table may hold.
const MOST_REPEATED: usize = 10_000;
/// What HTML allows.
const MOST_COLUMNS: usize = 1000;

#[derive(Default)]
pub(super) struct OpenTable {
    cells: String,
    grid: Vec<Row>,
    in_header: bool,
    /// What the cell that is open has put aside.
    outside: Option<Outside>,
    /// Set when the table is inside a cell of another one.
    label: Option<String>,
    after: Vec<(String, After)>,
}

struct Outside {
    line: inline::Line,
    in_cell: bool,
    start: usize,
    cell: Cell,
}

#[derive(Default)]
struct Row {
    cells: Vec<Cell>,
    header: bool,
}

struct Cell {
    text: Range<usize>,
    header: bool,
    columns: usize,
    rows: usize,
}

/// What no cell can hold, to be written below the table.
enum After {
    Table(Box<OpenTable>),
    Code { language: String, code: String },
}

impl Writer {
    pub(in super::super) fn table_open(&mut self) {
        self.end_block();
        let mut table = OpenTable::default();
        if self.in_cell {
            table.label = Some(self.put_below("table"));
        }
        self.tables.push(table);
    }

    pub(in super::super) fn table_header(&mut self, header: bool) {
        if let Some(table) = self.tables.last_mut() {
            table.in_header = header;
        }
    }

    pub(in super::super) fn row_open(&mut self) {
        self.cell_close();
        if let Some(table) = self.tables.last_mut() {
            let header = table.in_header;
            table.grid.push(Row { cells: Vec::new(), header });
        }
    }

    pub(in super::super) fn cell_open(&mut self, header: bool, columns: usize, rows: usize) {
        self.cell_close();
        self.end_line();
        let Some(table) = self.tables.last_mut() else { return };
        if table.grid.is_empty() {
            table.grid.push(Row::default());
        }
        std::mem::swap(&mut self.out, &mut table.cells);
        let cell =
            Cell { text: 0..0, header, columns: columns.clamp(1, MOST_COLUMNS), rows: rows.clamp(1, 65_534) };
        table.outside = Some(Outside {
            line: std::mem::take(&mut self.line),
            in_cell: self.in_cell,
            start: self.out.len(),
            cell,
        });
        self.in_cell = true;
        self.push_container(Kind::Cell, 0);
    }

    pub(in super::super) fn cell_close(&mut self) {
        if self.tables.last().is_none_or(|table| table.outside.is_none()) {
            return;
        }
        while self.top().kind != Kind::Cell && self.containers.len() > 1 {
            self.container_close();
        }
        self.end_block();
        self.containers.pop();
        let Some(table) = self.tables.last_mut() else { return };
        let Some(outside) = table.outside.take() else { return };
        let mut cell = outside.cell;
        cell.text = outside.start..self.out.len();
        if let Some(row) = table.grid.last_mut() {
            row.cells.push(cell);
        }
        std::mem::swap(&mut self.out, &mut table.cells);
        self.line = outside.line;
        self.in_cell = outside.in_cell;
    }

    pub(in super::super) fn table_close(&mut self) {
        self.cell_close();
        self.end_block();
        let Some(mut table) = self.tables.pop() else { return };
        if let (Some(label), Some(outer)) = (table.label.take(), self.tables.first_mut()) {
            outer.after.push((label, After::Table(Box::new(table))));
            return;
        }
        let mut after = std::mem::take(&mut table.after);
        self.write_table(&table);
        after
            .sort_by_key(|(label, _)| label.rsplit(' ').next().and_then(|number| number.parse::<u32>().ok()));
        for (label, content) in after {
            self.text(&label);
            self.text(":");
            match content {
                After::Table(table) => self.write_table(&table),
                After::Code { language, code } => self.code(&language, &code),
            }
        }
    }

    /// Code in a cell: a span if it is one line, else it goes below the table.
    pub(super) fn code_in_cell(&mut self, language: &str, code: &str) {
        self.end_block();
        let line = code.trim_matches('\n');
        if !line.contains('\n') && !line.contains("\\|") && line.trim() == line {
            if !line.is_empty() {
                self.code_span(line);
            }
            return self.end_block();
        }
        let label = self.put_below("code");
        if let Some(outer) = self.tables.first_mut() {
            let code = After::Code { language: language.to_owned(), code: code.to_owned() };
            outer.after.push((label, code));
        }
    }

    fn put_below(&mut self, what: &str) -> String {
        self.nested += 1;
        let label = format!("{what} {}", self.nested);
        self.text(&format!("({label} below)"));
        self.end_block();
        label
    }

    fn write_table(&mut self, table: &OpenTable) {
        let rows = self.lay_out(table);
        let columns = rows.iter().map(Vec::len).max().unwrap_or(0);
        if columns == 0 {
            return;
        }
        self.begin(Block::Table);
        let start = self.out.len();
        let has_header = table.grid[0].header || table.grid[0].cells.iter().all(|cell| cell.header);
        let mut body = rows.iter();
        let header = if has_header { body.next() } else { None };
        self.write_row(table, header.map_or(&[], Vec::as_slice), columns, true);
        let header = start..self.out.len();
        self.out.push('\n');
        self.write_prefix();
        self.out.push('|');
        self.out.extend(std::iter::repeat_n("---|", columns));
        let (parent, depth) = (self.top().context, self.top().depth);
        let context = self.index.add_context(parent, Open::Table { header, columns });
        for row in body {
            self.out.push('\n');
            self.note_cut(ROW_RANK, context, depth);
            self.write_prefix();
            self.write_row(table, row, 1, false);
        }
    }

    fn write_row(&mut self, table: &OpenTable, row: &[Option<&Cell>], least: usize, header: bool) {
        self.out.push('|');
        for at in 0..row.len().max(least) {
            let cell = row.get(at).copied().flatten();
            let text = cell.map_or("", |cell| &table.cells[cell.text.clone()]);
            let bold = !header && cell.is_some_and(|cell| cell.header) && is_plain(text);
            let mark = if bold { "**" } else { "" };
            if !text.is_empty() {
                self.out.extend([" ", mark, text, mark]);
            }
            self.out.push_str(" |");
        }
    }

    /// The cells of each row, merged ones in every place that they cover.
    fn lay_out<'t>(&mut self, table: &'t OpenTable) -> Vec<Vec<Option<&'t Cell>>> {
        let mut rows = Vec::with_capacity(table.grid.len());
        // For each column, the cell that reaches down into it, and for how many rows more.
        let mut above: Vec<Option<(&Cell, usize)>> = Vec::new();
        let mut copies = Copies { left: MOST_REPEATED, bytes: table.cells.len().max(1 << 16), refused: 0 };
        for source in &table.grid {
            let mut row = Vec::with_capacity(source.cells.len());
            for cell in &source.cells {
                reach_down(&mut row, &mut above, &mut copies);
                for number in 0..cell.columns {
                    if number > 0 && !copies.has_room() {
                        copies.refused += 1;
                        break;
                    }
                    let at = row.len();
                    row.push(if number == 0 { Some(cell) } else { copies.copy(cell) });
                    if cell.rows > 1 {
                        above.resize(above.len().max(at + 1), None);
                        above[at] = Some((cell, cell.rows - 1));
                    }
                }
            }
            while above.iter().skip(row.len()).any(Option::is_some) {
                if above[row.len()].is_none() {
                    row.push(None);
                }
                reach_down(&mut row, &mut above, &mut copies);
            }
            if !row.is_empty() {
                rows.push(row);
            }
        }
        self.losses.add(losses::REPEATED_CELLS, copies.refused);
        rows
    }
}

struct Copies {
    left: usize,
    bytes: usize,
    refused: u64,
}

impl Copies {
    fn has_room(&self) -> bool {
        self.left > 0
    }

    fn copy<'t>(&mut self, cell: &'t Cell) -> Option<&'t Cell> {
        let length = cell.text.len();
        if self.left == 0 || self.bytes < length {
            self.refused += 1;
            return None;
        }
        self.left -= 1;
        self.bytes -= length;
        Some(cell)
    }
}

fn reach_down<'t>(
    row: &mut Vec<Option<&'t Cell>>,
    above: &mut [Option<(&'t Cell, usize)>],
    copies: &mut Copies,
) {
    while let Some(Some((cell, rows))) = above.get_mut(row.len()) {
        let cell = *cell;
        *rows -= 1;
        if *rows == 0 {
            above[row.len()] = None;
        }
        row.push(copies.copy(cell));
    }
    if copies.left == 0 {
        above.fill(None);
    }
}

fn is_plain(text: &str) -> bool {
    !text.is_empty()
        && !text.contains(['*', '`', '<', '\\', '~'])
        && text.chars().next_back().is_some_and(char::is_alphanumeric)
}
