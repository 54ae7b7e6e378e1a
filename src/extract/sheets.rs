//! Spreadsheets: each sheet a heading and a table.

use std::io::Cursor;

use calamine::{
    Data, ExcelDateTime, Reader as _, SheetVisible, Xls, XlsError, Xlsx, XlsxError,
    open_workbook_auto_from_rs,
};

use super::Failure;
use super::package::OLE;
use crate::markdown::{Builder, Document};

/// A table of more rows is written as several, each with the header: one alone is held in memory cell by cell.
const MOST_ROWS: usize = 2_000;

pub fn read(bytes: &[u8]) -> Result<Document, Failure> {
    let mut book = open_workbook_auto_from_rs(Cursor::new(bytes)).map_err(|_| reason(bytes))?;
    let mut builder = Builder::new(bytes.len());
    for sheet in book.sheets_metadata().to_vec() {
        let hidden = if sheet.visible == SheetVisible::Visible { "" } else { " (hidden)" };
        builder.heading(2, &format!("{}{hidden}", sheet.name));
        let Ok(range) = book.worksheet_range(&sheet.name) else {
            builder.lose("sheets that hold no cells", 1);
            continue;
        };
        let mut table = Table::new(&mut builder);
        for row in range.rows() {
            table.row(row.iter().map(shown).collect());
        }
        table.finish();
    }
    Ok(builder.finish())
}

/// Why none of the formats took it.
fn reason(bytes: &[u8]) -> Failure {
    let locked = if bytes.starts_with(OLE) {
        matches!(Xls::new(Cursor::new(bytes)), Err(XlsError::Password))
            || matches!(Xlsx::new(Cursor::new(bytes)), Err(XlsxError::Password))
    } else {
        false
    };
    if locked { Failure::Encrypted } else { Failure::Broken }
}

/// A cell as people see it, but for its number format.
fn shown(cell: &Data) -> String {
    match cell {
        Data::Empty => String::new(),
        Data::String(text) => text.clone(),
        Data::DateTime(time) => moment(*time),
        Data::Bool(value) => value.to_string().to_uppercase(),
        other => other.to_string(),
    }
}

fn moment(time: ExcelDateTime) -> String {
    let (year, month, day, hour, minute, second, _) = time.to_ymd_hms_milli();
    let clock = format!("{hour:02}:{minute:02}:{second:02}");
    if time.is_duration() || time.as_f64() < 1.0 {
        let hours = (time.as_f64() * 24.0).floor();
        return format!("{hours:02}:{minute:02}:{second:02}");
    }
    let date = format!("{year:04}-{month:02}-{day:02}");
    if (hour, minute, second) == (0, 0, 0) { date } else { format!("{date} {clock}") }
}

/// Writes rows as tables; the first row is the header of all of them. Empty rows at the end, and cells that are empty in
/// all of the last columns, are none.
pub struct Table<'a> {
    builder: &'a mut Builder,
    header: Option<Vec<String>>,
    /// How many rows the open table has.
    written: usize,
    /// Empty rows that count only if another one follows.
    pending: usize,
}

impl<'a> Table<'a> {
    pub fn new(builder: &'a mut Builder) -> Self {
        Self { builder, header: None, written: 0, pending: 0 }
    }

    pub fn row(&mut self, mut cells: Vec<String>) {
        while cells.last().is_some_and(|cell| cell.trim().is_empty()) {
            cells.pop();
        }
        if cells.is_empty() {
            self.pending += usize::from(self.header.is_some());
            return;
        }
        // One empty row divides; how many there are says nothing.
        if std::mem::take(&mut self.pending) > 0 {
            self.write(&[String::new()]);
        }
        if self.header.is_none() {
            self.builder.table_open();
            self.header = Some(cells.clone());
        } else if self.written >= MOST_ROWS {
            self.builder.table_close();
            self.builder.table_open();
            self.written = 0;
            let header = self.header.clone().unwrap_or_default();
            self.write(&header);
        }
        self.write(&cells);
    }

    fn write(&mut self, cells: &[String]) {
        self.builder.row_open();
        for cell in cells {
            self.builder.cell(cell);
        }
        self.written += 1;
    }

    pub fn finish(self) {
        if self.header.is_some() {
            self.builder.table_close();
        }
    }
}
