//! Reading a CSV as an office saves it: encodings, title rows before the headings, headings over two rows.

use std::borrow::Cow;

use csv::{ReaderBuilder, StringRecord};
use encoding_rs::{GB18030, UTF_16BE, UTF_16LE};

use super::columns::{self, Column};
use super::{CELL_MAX_BYTES, FILE_MAX_BYTES, ImportError, ROWS_MAX, Table};

/// Among how many rows the headings are looked for.
const TITLE_ROWS_MAX: usize = 20;

/// A row of a file.
#[derive(Debug)]
pub(super) struct Row {
    /// Line on which it begins, from 1.
    pub(super) line: u64,
    pub(super) cells: StringRecord,
}

/// A file whose headings are understood.
#[derive(Debug)]
pub(super) struct Sheet {
    pub(super) table: Table,
    /// The headings as they stand in the file.
    pub(super) headings: Vec<String>,
    /// The rows below the headings; blank ones are left out.
    pub(super) rows: Vec<Row>,
    /// Where each column that we know is in this file.
    places: Vec<(&'static str, usize)>,
}

impl Sheet {
    /// Reads a file.
    pub(super) fn read(table: Table, bytes: &[u8]) -> Result<Self, ImportError> {
        if bytes.len() > FILE_MAX_BYTES {
            return Err(ImportError::TooLarge { table, bytes: bytes.len(), max: FILE_MAX_BYTES });
        }
        let text = decode(bytes).ok_or(ImportError::NotText { table })?;
        let columns = columns::of(table);
        let mut best: Option<Header> = None;
        for delimiter in [b',', b'\t', b';'] {
            let top = read_rows(table, &text, delimiter, TITLE_ROWS_MAX)?;
            let header = find_header(&top, columns);
            if best.as_ref().is_none_or(|best| header.lacks.len() < best.lacks.len()) {
                best = Some(Header { delimiter, ..header });
            }
        }
        let header = best.unwrap_or_else(|| understand(Vec::new(), 0, columns));
        if !header.lacks.is_empty() {
            return Err(ImportError::NoHeadings { table, missing: header.lacks });
        }
        let mut rows = read_rows(table, &text, header.delimiter, ROWS_MAX + TITLE_ROWS_MAX + 1)?;
        rows.drain(..header.below.min(rows.len()));
        rows.retain(|row| row.cells.iter().any(|cell| !cell.trim().is_empty()));
        if rows.len() > ROWS_MAX {
            return Err(ImportError::TooManyRows { table, max: ROWS_MAX });
        }
        Ok(Self { table, headings: header.headings, rows, places: header.places })
    }

    /// A cell without what surrounds it. `None` if the file has no such column; a missing cell is blank.
    pub(super) fn cell<'r>(&self, row: &'r Row, column: &str) -> Option<&'r str> {
        let (_, at) = self.places.iter().find(|(name, _)| *name == column)?;
        Some(clean(row.cells.get(*at).unwrap_or_default()))
    }

    /// What the file calls a column, or what it is usually called.
    pub(super) fn heading(&self, column: &str) -> String {
        let at = self.places.iter().find(|(name, _)| *name == column);
        let own = at.and_then(|(_, at)| self.headings.get(*at)).map(|text| text.trim().to_owned());
        own.filter(|text| !text.is_empty())
            .or_else(|| columns::heading(self.table, column).map(str::to_owned))
            .unwrap_or_else(|| column.to_owned())
    }
}

/// Spreadsheets mark text that looks like a number with an apostrophe or a tab; ours marks formulas so as well.
fn clean(cell: &str) -> &str {
    let cell = cell.trim_matches(|c: char| c.is_whitespace() || matches!(c, '\u{feff}' | '\u{200b}'));
    cell.strip_prefix('\'').map_or(cell, str::trim_start)
}

/// The text of a file: by its mark, else UTF-8, else GB18030.
fn decode(bytes: &[u8]) -> Option<Cow<'_, str>> {
    let text = match bytes {
        [0xef, 0xbb, 0xbf, rest @ ..] => std::str::from_utf8(rest).ok().map(Cow::Borrowed),
        [0xff, 0xfe, rest @ ..] => UTF_16LE.decode_without_bom_handling_and_without_replacement(rest),
        [0xfe, 0xff, rest @ ..] => UTF_16BE.decode_without_bom_handling_and_without_replacement(rest),
        _ => std::str::from_utf8(bytes)
            .ok()
            .map(Cow::Borrowed)
            .or_else(|| GB18030.decode_without_bom_handling_and_without_replacement(bytes)),
    };
    // A workbook or an image can pass for GB18030; a text has no zero bytes.
    text.filter(|text| !text.contains('\0'))
}

fn read_rows(table: Table, text: &str, delimiter: u8, most: usize) -> Result<Vec<Row>, ImportError> {
    let mut reader = ReaderBuilder::new()
        .has_headers(false)
        .flexible(true)
        .delimiter(delimiter)
        .from_reader(text.as_bytes());
    let mut rows = Vec::new();
    let mut lines = Lines { bytes: text.as_bytes(), at: 0, line: 1 };
    for record in reader.records().take(most) {
        let cells = record.map_err(|_| ImportError::NotText { table })?;
        let line = lines.of(cells.position().map_or(0, csv::Position::byte));
        if cells.iter().any(|cell| cell.len() > CELL_MAX_BYTES) {
            return Err(ImportError::CellTooLong { table, line, max: CELL_MAX_BYTES });
        }
        rows.push(Row { line, cells });
    }
    Ok(rows)
}

/// Counts lines as an editor shows them. The reader's own count is one behind where lines end in CR LF, since a row
/// then begins with the LF of the row before.
struct Lines<'t> {
    bytes: &'t [u8],
    at: usize,
    line: u64,
}

impl Lines<'_> {
    /// The line of the first character at or after `byte` that ends no line. Ask in ascending order.
    fn of(&mut self, byte: u64) -> u64 {
        let begin = usize::try_from(byte).unwrap_or(usize::MAX).max(self.at);
        let rest = self.bytes.get(begin..).unwrap_or_default();
        let skip = rest.iter().take_while(|byte| matches!(byte, b'\r' | b'\n')).count();
        let passed = self.bytes.get(self.at..begin + skip).unwrap_or_default();
        self.line += passed.iter().filter(|byte| **byte == b'\n').count() as u64;
        self.at = begin + skip;
        self.line
    }
}

/// The headings that were found.
struct Header {
    delimiter: u8,
    headings: Vec<String>,
    /// Number of the first row below them.
    below: usize,
    places: Vec<(&'static str, usize)>,
    /// Required columns that are not among them.
    lacks: Vec<&'static str>,
}

/// The row, or the two rows read as one, that lacks the least and knows the most; one row rather than two.
fn find_header(rows: &[Row], columns: &'static [Column]) -> Header {
    let single = |row: &Row| row.cells.iter().map(str::to_owned).collect::<Vec<String>>();
    let singles = rows.iter().enumerate().map(|(at, row)| (single(row), at + 1));
    let pairs = rows.iter().zip(rows.iter().skip(1)).enumerate();
    let pairs = pairs.map(|(at, (upper, lower))| (joined(&single(upper), &lower.cells), at + 2));
    let mut best = understand(Vec::new(), 0, columns);
    for (headings, below) in singles.chain(pairs) {
        let header = understand(headings, below, columns);
        let rank = |header: &Header| (header.lacks.len(), std::cmp::Reverse(header.places.len()));
        if rank(&header) < rank(&best) {
            best = header;
        }
    }
    best
}

/// A heading merged over two rows stands in the upper one; one that is divided stands in the lower one.
fn joined(upper: &[String], lower: &StringRecord) -> Vec<String> {
    let width = upper.len().max(lower.len());
    let cell = |at: usize| {
        let below = lower.get(at).unwrap_or_default();
        let above = upper.get(at).map(String::as_str).unwrap_or_default();
        if below.trim().is_empty() { above.to_owned() } else { below.to_owned() }
    };
    (0..width).map(cell).collect()
}

fn understand(headings: Vec<String>, below: usize, columns: &'static [Column]) -> Header {
    let normal: Vec<String> = headings.iter().map(|heading| columns::normalise(heading)).collect();
    let mut places = Vec::new();
    let mut lacks = Vec::new();
    for column in columns {
        // The usual name counts before the others, whatever the order of the file.
        let at = column.headings.iter().find_map(|heading| normal.iter().position(|own| own == heading));
        match at {
            Some(at) => places.push((column.name, at)),
            None if column.required => lacks.extend(column.headings.first()),
            None => {}
        }
    }
    Header { delimiter: b',', headings, below, places, lacks }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PLAIN: &str = "网格编码,场所名称,场所类别,备注\n1,甲,小商店,\"a\nb\"\n,,,\n2,乙\n";

    fn lines(sheet: &Sheet) -> Vec<(u64, String)> {
        sheet.rows.iter().map(|row| (row.line, sheet.cell(row, "name").unwrap().to_owned())).collect()
    }

    #[test]
    fn every_usual_encoding_and_delimiter_reads_alike() {
        let utf16: Vec<u8> = [0xff, 0xfe]
            .into_iter()
            .chain(PLAIN.replace(',', "\t").encode_utf16().flat_map(u16::to_le_bytes))
            .collect();
        let gb = GB18030.encode(PLAIN).0.into_owned();
        assert!(std::str::from_utf8(&gb).is_err());
        let files = [
            PLAIN.as_bytes().to_vec(),
            format!("\u{feff}{PLAIN}").into_bytes(),
            gb,
            utf16,
            PLAIN.replace(',', ";").replace('\n', "\r\n").into_bytes(),
        ];
        for bytes in files {
            let sheet = Sheet::read(Table::Places, &bytes).unwrap();
            assert_eq!(lines(&sheet), [(2, "甲".to_owned()), (5, "乙".to_owned())]);
            assert_eq!(sheet.cell(&sheet.rows[1], "category"), Some(""));
            assert_eq!(sheet.cell(&sheet.rows[1], "phone"), None);
        }
    }

    #[test]
    fn titles_and_headings_over_two_rows_are_understood() {
        let titled = "某街道场所台账（虚构）,,,\n填报单位：甲,,,\n,,,\n网格代码*,名称（必填）,类型,电话\n1,甲,小商店,110\n";
        let sheet = Sheet::read(Table::Places, titled.as_bytes()).unwrap();
        assert_eq!(lines(&sheet), [(5, "甲".to_owned())]);
        assert_eq!(sheet.heading("name"), "名称（必填）");
        assert_eq!(sheet.heading("manager"), "负责人");
        let merged = "网格编码,基本信息,,位置,\n,场所名称,场所类别,经度,纬度\n1,甲,小商店,120,36\n";
        let sheet = Sheet::read(Table::Places, merged.as_bytes()).unwrap();
        assert_eq!(lines(&sheet), [(3, "甲".to_owned())]);
        assert_eq!(sheet.cell(&sheet.rows[0], "lat"), Some("36"));
        assert_eq!(sheet.cell(&sheet.rows[0], "area"), Some("1"));
    }

    #[test]
    fn files_that_are_no_ledger_are_refused_with_what_is_missing() {
        let refused = |bytes: &[u8]| Sheet::read(Table::Places, bytes).unwrap_err();
        assert_eq!(
            refused("网格编码,电话\n1,2\n".as_bytes()).to_string(),
            "places: no row of headings found; missing: 场所名称, 场所类别"
        );
        assert!(matches!(refused(b""), ImportError::NoHeadings { .. }));
        assert!(matches!(refused(b"PK\x03\x04\x14\x00\x06\x00"), ImportError::NotText { .. }));
        assert!(matches!(refused(&[0xff; 40]), ImportError::NotText { .. }));
        let long = format!("{PLAIN}\"{}", "字".repeat(CELL_MAX_BYTES));
        assert!(matches!(refused(long.as_bytes()), ImportError::CellTooLong { line: 6, .. }));
        let many = format!("网格编码,场所名称,场所类别\n{}", "1,甲,乙\n".repeat(ROWS_MAX + 1));
        assert!(matches!(refused(many.as_bytes()), ImportError::TooManyRows { .. }));
        assert!(matches!(refused(&vec![b' '; FILE_MAX_BYTES + 1]), ImportError::TooLarge { .. }));
    }
}
