//! Tables: cells are heard one by one, and written as a grid once all are known. A page may hold millions of cells: all of
//! them stand in one text, and what is noted of each is small.

use std::ops::Range;

use super::super::losses;
use super::{Block, Context, Kind, Open, ROW_RANK, Row as Place, Writer, inline};

/// How many copies of merged cells one table may hold.
const MOST_REPEATED: usize = 10_000;
/// The length of a table, in bytes, from which on its text is given room all at once.
const LARGE: usize = 1 << 20;
/// What HTML allows.
const MOST_COLUMNS: usize = 1000;

#[derive(Default)]
pub(super) struct OpenTable {
    grid: Grid,
    in_header: bool,
    /// What the cell that is open has put aside.
    outside: Option<Outside>,
    /// Set when the table is inside a cell of another one.
    number: Option<u32>,
    /// What no cell can hold, to be written below the table.
    below: Below,
}

struct Outside {
    line: inline::Line,
    in_cell: bool,
    cell: Cell,
}

/// The cells of one table, or of several that follow each other.
#[derive(Default)]
struct Grid {
    text: String,
    cells: Vec<Cell>,
    rows: Vec<Row>,
}

#[derive(Clone, Copy, Default)]
struct Row {
    /// How many cells there are up to its end.
    end: u32,
    header: bool,
}

#[derive(Clone, Copy)]
struct Cell {
    /// Where its text ends; it starts where that of the cell before ends.
    end: u32,
    /// How many columns it covers, at most [`MOST_COLUMNS`], and as the highest bit whether it is a header.
    columns: u16,
    rows: u16,
}

const HEADER: u16 = 1 << 15;
/// In place of a cell's number where there is none.
const NOTHING: u32 = u32::MAX;

/// Tables and code that are inside cells.
#[derive(Default)]
struct Below {
    tables: Grid,
    code: String,
    entries: Vec<(u32, Entry)>,
}

impl Below {
    /// About how long it is as text.
    fn length(&self) -> usize {
        let Self { tables, code, entries } = self;
        tables.text.len()
            + tables.cells.len() * "|---|".len()
            + code.len()
            + entries.len() * "code 1234567:\n\n```\n\n```\n\n".len()
    }
}

enum Entry {
    /// These rows of `tables`.
    Table(Range<u32>),
    /// Language and code, which follow each other in `code`.
    Code { start: u32, language: u32, end: u32 },
}

impl Cell {
    fn columns(self) -> usize {
        usize::from(self.columns & !HEADER)
    }

    fn is_header(self) -> bool {
        self.columns & HEADER != 0
    }
}

impl Grid {
    /// Takes the rows of another, and says which they are.
    fn append(&mut self, mut other: Self) -> Range<u32> {
        let (text, cells) = (narrow(self.text.len()), narrow(self.cells.len()));
        other.text.truncate(other.cells.last().map_or(0, |cell| cell.end as usize));
        let start = narrow(self.rows.len());
        self.text.push_str(&other.text);
        self.cells.extend(other.cells.iter().map(|cell| Cell { end: cell.end + text, ..*cell }));
        self.rows.extend(other.rows.iter().map(|row| Row { end: row.end + cells, ..*row }));
        start..narrow(self.rows.len())
    }

    /// The numbers of a row's cells.
    fn row(&self, at: usize) -> Range<usize> {
        let start = at.checked_sub(1).map_or(0, |before| self.rows[before].end);
        start as usize..self.rows[at].end as usize
    }

    fn text(&self, cell: usize) -> &str {
        let start = cell.checked_sub(1).map_or(0, |before| self.cells[before].end);
        &self.text[start as usize..self.cells[cell].end as usize]
    }
}

impl Writer {
    pub(in super::super) fn table_open(&mut self) {
        self.end_block();
        let mut table = OpenTable::default();
        if self.in_cell {
            table.number = Some(self.put_below("table"));
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
            let end = narrow(table.grid.cells.len());
            table.grid.rows.push(Row { end, header: table.in_header });
        }
    }

    pub(in super::super) fn cell_open(&mut self, header: bool, columns: usize, rows: usize) {
        self.cell_close();
        self.end_line();
        let Some(table) = self.tables.last_mut() else { return };
        if table.grid.rows.is_empty() {
            table.grid.rows.push(Row::default());
        }
        std::mem::swap(&mut self.out, &mut table.grid.text);
        let columns = u16::try_from(columns.clamp(1, MOST_COLUMNS)).unwrap_or(1);
        let header = if header { HEADER } else { 0 };
        let rows = u16::try_from(rows.clamp(1, 65_534)).unwrap_or(1);
        table.outside = Some(Outside {
            line: std::mem::take(&mut self.line),
            in_cell: self.in_cell,
            cell: Cell { end: 0, columns: columns | header, rows },
        });
        self.in_cell = true;
        self.push_container(Kind::Cell, Context::Known(0));
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
        table.grid.cells.push(Cell { end: narrow(self.out.len()), ..outside.cell });
        let end = narrow(table.grid.cells.len());
        if let Some(row) = table.grid.rows.last_mut() {
            row.end = end;
        }
        std::mem::swap(&mut self.out, &mut table.grid.text);
        self.line = outside.line;
        self.in_cell = outside.in_cell;
    }

    pub(in super::super) fn table_close(&mut self) {
        self.cell_close();
        self.end_block();
        let Some(table) = self.tables.pop() else { return };
        if let (Some(number), Some(outer)) = (table.number, self.tables.first_mut()) {
            let rows = outer.below.tables.append(table.grid);
            outer.below.entries.push((number, Entry::Table(rows)));
            return;
        }
        let OpenTable { grid, mut below, .. } = table;
        self.write_table(&grid, 0..grid.rows.len());
        drop(grid);
        below.entries.sort_unstable_by_key(|(number, _)| *number);
        self.make_room(below.length());
        for (number, entry) in below.entries {
            match entry {
                Entry::Table(rows) => {
                    self.text(&format!("table {number}:"));
                    self.write_table(&below.tables, rows.start as usize..rows.end as usize);
                }
                Entry::Code { start, language, end } => {
                    self.text(&format!("code {number}:"));
                    let text = |range: Range<u32>| &below.code[range.start as usize..range.end as usize];
                    self.code(text(start..language), text(language..end));
                }
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
        let number = self.put_below("code");
        if let Some(outer) = self.tables.first_mut() {
            let text = &mut outer.below.code;
            let start = narrow(text.len());
            text.push_str(language);
            let language = narrow(text.len());
            text.push_str(code);
            let entry = Entry::Code { start, language, end: narrow(text.len()) };
            outer.below.entries.push((number, entry));
        }
    }

    /// Says in a cell what is below the table, and gives the number that it has there.
    fn put_below(&mut self, what: &str) -> u32 {
        self.nested += 1;
        let number = self.nested;
        self.text(&format!("({what} {number} below)"));
        self.end_block();
        number
    }

    /// Writes these rows of a grid as a table.
    fn write_table(&mut self, grid: &Grid, rows: Range<usize>) {
        if rows.is_empty() {
            return;
        }
        let mut row = Vec::new();
        let (mut columns, mut cells, mut measured) = (0, 0, Layout::new(grid, rows.clone()));
        while measured.next(&mut row) {
            columns = columns.max(row.len());
            cells += row.len();
        }
        self.losses.add(losses::REPEATED_CELLS, measured.copies.refused);
        if columns == 0 {
            return;
        }
        self.begin(Block::Table);
        let most_with_text = cells.min(grid.text.len());
        self.make_room(grid.text.len() + most_with_text + cells * " |".len() + columns * "---|".len());
        let start = self.out.len();
        let first = grid.rows[rows.start];
        let has_header = first.header || grid.cells[grid.row(rows.start)].iter().all(|cell| cell.is_header());
        let mut layout = Layout::new(grid, rows);
        row.clear();
        if has_header {
            layout.next(&mut row);
        }
        self.write_row(grid, &row, columns, true);
        let header = Place::new(&(start..self.out.len()));
        self.out.push('\n');
        self.write_prefix();
        self.out.push('|');
        self.out.extend(std::iter::repeat_n("---|", columns));
        let table = Open::Table { header, columns: narrow(columns) };
        let mut context = None;
        while layout.next(&mut row) {
            self.out.push('\n');
            self.note_cut_inside(ROW_RANK, false, &mut context, &table);
            self.write_prefix();
            self.write_row(grid, &row, 1, false);
        }
    }

    /// Makes room for so much text, if that is much: a text that grows step by step is there twice at each step.
    fn make_room(&mut self, bytes: usize) {
        if bytes > LARGE {
            self.out.reserve_exact(bytes);
        }
    }

    fn write_row(&mut self, grid: &Grid, row: &[u32], least: usize, header: bool) {
        self.out.push('|');
        for at in 0..row.len().max(least) {
            let cell = row.get(at).copied().filter(|cell| *cell != NOTHING).map(|cell| cell as usize);
            let text = cell.map_or("", |cell| grid.text(cell));
            let bold = !header && cell.is_some_and(|cell| grid.cells[cell].is_header()) && is_plain(text);
            let mark = if bold { "**" } else { "" };
            if !text.is_empty() {
                self.out.extend([" ", mark, text, mark]);
            }
            self.out.push_str(" |");
        }
    }
}

/// The rows of a table one after the other, merged cells in every place that they cover.
struct Layout<'g> {
    grid: &'g Grid,
    rows: Range<usize>,
    /// For each column, the cell that reaches down into it, and for how many rows more.
    above: Vec<Option<(u32, u16)>>,
    copies: Copies,
}

impl<'g> Layout<'g> {
    fn new(grid: &'g Grid, rows: Range<usize>) -> Self {
        let cells = grid.row(rows.start).start..grid.row(rows.end - 1).end;
        let text = |cell: usize| cell.checked_sub(1).map_or(0, |before| grid.cells[before].end as usize);
        let bytes = text(cells.end) - text(cells.start);
        let copies = Copies { left: MOST_REPEATED, bytes: bytes.max(1 << 16), refused: 0 };
        Self { grid, rows, above: Vec::new(), copies }
    }

    /// The numbers of the cells in the next row that has any, or [`NOTHING`]; says whether there is one.
    fn next(&mut self, row: &mut Vec<u32>) -> bool {
        row.clear();
        while row.is_empty() {
            let Some(source) = self.rows.next() else { return false };
            self.lay_out(source, row);
        }
        true
    }

    fn lay_out(&mut self, source: usize, row: &mut Vec<u32>) {
        for number in self.grid.row(source) {
            let cell = self.grid.cells[number];
            self.reach_down(row);
            for column in 0..cell.columns() {
                if column > 0 && !self.copies.has_room() {
                    self.copies.refused += 1;
                    break;
                }
                let at = row.len();
                let number = narrow(number);
                row.push(if column == 0 { number } else { self.copies.copy(self.grid, number) });
                if cell.rows > 1 {
                    self.above.resize(self.above.len().max(at + 1), None);
                    self.above[at] = Some((number, cell.rows - 1));
                }
            }
        }
        while self.above.iter().skip(row.len()).any(Option::is_some) {
            if self.above[row.len()].is_none() {
                row.push(NOTHING);
            }
            self.reach_down(row);
        }
    }

    fn reach_down(&mut self, row: &mut Vec<u32>) {
        while let Some(Some((cell, rows))) = self.above.get_mut(row.len()) {
            let cell = *cell;
            *rows -= 1;
            if *rows == 0 {
                self.above[row.len()] = None;
            }
            row.push(self.copies.copy(self.grid, cell));
        }
        if self.copies.left == 0 {
            self.above.fill(None);
        }
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

    fn copy(&mut self, grid: &Grid, cell: u32) -> u32 {
        let length = grid.text(cell as usize).len();
        if self.left == 0 || self.bytes < length {
            self.refused += 1;
            return NOTHING;
        }
        self.left -= 1;
        self.bytes -= length;
        cell
    }
}

fn narrow(number: usize) -> u32 {
    u32::try_from(number).unwrap_or(u32::MAX)
}

fn is_plain(text: &str) -> bool {
    !text.is_empty()
        && !text.contains(['*', '`', '<', '\\', '~'])
        && text.chars().next_back().is_some_and(char::is_alphanumeric)
}
