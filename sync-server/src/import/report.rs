//! What an import did, for the officer who made it: counts, rows to mend, edits that were kept, proposals.

use std::collections::BTreeMap;
use std::fmt::{self, Write as _};

use gridwalk_model::geo::Position;
use gridwalk_model::validate::Reason;
use gridwalk_model::{Kind, RecordId, Value, codes};

use super::Table;
use super::cells::Problem;
use super::merge::Outcome;

/// How many bad rows and kept edits the text of a report names; the files have them all.
const NAMED_MAX: usize = 10;

/// Rows of one file by what became of them. A row counts as created if its own record is new, as updated if any of
/// the records behind it was written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct RowCounts {
    /// New.
    pub created: u64,
    /// Changed.
    pub updated: u64,
    /// As they were.
    pub unchanged: u64,
}

/// A row that was not loaded.
#[derive(Clone, PartialEq)]
pub struct BadRow {
    /// Which file.
    pub table: Table,
    /// Line on which it begins, from 1.
    pub line: u64,
    /// What is wrong.
    pub problems: Vec<Problem>,
    /// Its cells as they were.
    pub cells: Vec<String>,
}

/// A field that the file changed and somebody else changed too: nothing was overwritten, both values stand here.
#[derive(Clone, PartialEq)]
pub struct KeptEdit {
    /// Line of the file; 0 for areas.
    pub line: u64,
    /// The record.
    pub record: RecordId,
    /// Its kind.
    pub kind: Kind,
    /// The field.
    pub field: String,
    /// The file's value.
    pub file: String,
    /// What stands; `None` if the record was removed.
    pub current: Option<String>,
}

/// What is to be decided by a person.
#[derive(Clone, PartialEq)]
pub struct Proposal {
    /// Line of the file.
    pub line: u64,
    /// The resident.
    pub resident: RecordId,
    /// What about them.
    pub kind: ProposalKind,
}

/// What a person is asked.
#[derive(Clone, PartialEq)]
pub enum ProposalKind {
    /// The ledger has labels for them. A care tag needs purpose, approver and an end, so none is made.
    Labels(String),
    /// A known resident stands at a door that is new to them. Earlier residencies were left as they are.
    NewDoor,
}

/// What a file says and this product does not keep about people ([`Reason::Forbidden`]): a whole column, or labels in
/// a row. Nothing of it is offered or stored; what it said stands here neither.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LeftOut {
    /// Which file.
    pub table: Table,
    /// Line of the file; 0 for a column.
    pub line: u64,
    /// The column, as the file calls it.
    pub column: String,
    /// How many labels of the row; 0 for a column.
    pub labels: usize,
}

/// What an import did. Holds personal data of the imported file; for the officer who imported it, never for logs
/// (`Debug` shows counts).
#[derive(Clone, Default, PartialEq)]
pub struct ImportReport {
    /// Rows that were loaded, by file.
    pub rows: BTreeMap<Table, RowCounts>,
    /// Rows that were not.
    pub bad_rows: Vec<BadRow>,
    /// Where a person's edit stands against the file.
    pub kept_edits: Vec<KeptEdit>,
    /// What is to be decided by a person.
    pub proposals: Vec<Proposal>,
    /// What was not taken, since it is not kept.
    pub left_out: Vec<LeftOut>,
    /// The headings of each file, for the files of bad rows.
    pub(super) headings: BTreeMap<Table, Vec<String>>,
}

impl ImportReport {
    /// New rows of all files.
    pub fn created(&self) -> u64 {
        self.rows.values().map(|counts| counts.created).sum()
    }

    /// Changed rows of all files.
    pub fn updated(&self) -> u64 {
        self.rows.values().map(|counts| counts.updated).sum()
    }

    /// Rows of all files that were as they are.
    pub fn unchanged(&self) -> u64 {
        self.rows.values().map(|counts| counts.unchanged).sum()
    }

    pub(super) fn count(&mut self, table: Table, outcome: Outcome, rows: u64) {
        let counts = self.rows.entry(table).or_default();
        match outcome {
            Outcome::Created => counts.created += rows,
            Outcome::Updated => counts.updated += rows,
            Outcome::Unchanged => counts.unchanged += rows,
        }
    }

    /// The bad rows as one CSV for each file that has any: the file's own columns, then 行号 and 原因. UTF-8 with a
    /// mark, so that spreadsheets read it; cells that a spreadsheet would compute begin with an apostrophe, which
    /// the importer takes off again.
    pub fn to_csv(&self) -> Vec<(Table, Vec<u8>)> {
        let tables = self.headings.iter().filter_map(|(table, headings)| {
            let bad: Vec<&BadRow> = self.bad_rows.iter().filter(|row| row.table == *table).collect();
            if bad.is_empty() {
                return None;
            }
            let width = headings.len();
            let mut lines = vec![with_tail(headings, width, ["行号".to_owned(), "原因".to_owned()])];
            for row in bad {
                let reasons = row.problems.iter().map(|problem| {
                    format!("{}：{} / {}", problem.column, problem.reason.zh(), problem.reason.en())
                });
                let reasons = reasons.collect::<Vec<_>>().join("；");
                lines.push(with_tail(&row.cells, width, [row.line.to_string(), reasons]));
            }
            Some((*table, csv_of(&lines)))
        });
        tables.collect()
    }

    /// The kept edits as a CSV.
    pub fn kept_edits_csv(&self) -> Vec<u8> {
        let mut lines =
            vec![["行号", "记录", "类别", "字段", "文件中的值", "现有值"].map(str::to_owned).to_vec()];
        for edit in &self.kept_edits {
            let current = edit.current.clone().unwrap_or_else(|| "（记录已删除）".to_owned());
            let record = edit.record.to_string();
            let kind = edit.kind.schema().zh.to_owned();
            lines.push(vec![
                edit.line.to_string(),
                record,
                kind,
                edit.label_zh(),
                edit.file.clone(),
                current,
            ]);
        }
        csv_of(&lines)
    }

    /// The proposals as a CSV.
    pub fn proposals_csv(&self) -> Vec<u8> {
        let mut lines = vec![["行号", "人员", "事项", "内容"].map(str::to_owned).to_vec()];
        for proposal in &self.proposals {
            let (what, content) = match &proposal.kind {
                ProposalKind::Labels(labels) => ("台账标签，是否建立关爱登记", labels.clone()),
                ProposalKind::NewDoor => ("台账中住址有变，请核对原居住关系", String::new()),
            };
            let resident = proposal.resident.to_string();
            lines.push(vec![proposal.line.to_string(), resident, what.to_owned(), content]);
        }
        csv_of(&lines)
    }

    /// Counts for the audit log: no personal data.
    pub(super) fn counts(&self) -> String {
        let mut out = String::new();
        for (table, counts) in &self.rows {
            let RowCounts { created, updated, unchanged } = counts;
            let _ = write!(out, "{}: {created} new, {updated} changed, {unchanged} unchanged; ", table.en());
        }
        let (bad, kept, proposals) = (self.bad_rows.len(), self.kept_edits.len(), self.proposals.len());
        let _ = write!(out, "{bad} bad rows, {kept} edits kept, {proposals} proposals");
        if !self.left_out.is_empty() {
            let _ = write!(out, ", {} left out", self.left_out.len());
        }
        out
    }

    /// The report for a terminal, in Chinese. Names lines and columns, never what stands in them.
    pub fn zh(&self) -> String {
        let mut out = String::new();
        for (table, counts) in &self.rows {
            let RowCounts { created, updated, unchanged } = counts;
            let _ =
                writeln!(out, "{}：新增 {created} 行，更新 {updated} 行，未变 {unchanged} 行", table.zh());
        }
        if !self.bad_rows.is_empty() {
            let _ = writeln!(out, "未导入 {} 行：", self.bad_rows.len());
            for row in self.bad_rows.iter().take(NAMED_MAX) {
                let reasons: Vec<String> =
                    row.problems.iter().map(|p| format!("{}：{}", p.column, p.reason.zh())).collect();
                let _ = writeln!(out, "  {} 第 {} 行 {}", row.table.zh(), row.line, reasons.join("；"));
            }
            if let Some(more) = self.bad_rows.len().checked_sub(NAMED_MAX).filter(|more| *more > 0) {
                let _ = writeln!(out, "  另有 {more} 行");
            }
        }
        if !self.kept_edits.is_empty() {
            let _ = writeln!(out, "文件与人工修改不一致 {} 处，均未覆盖：", self.kept_edits.len());
            for edit in self.kept_edits.iter().take(NAMED_MAX) {
                let _ = writeln!(out, "  第 {} 行 {}·{}", edit.line, edit.kind.schema().zh, edit.label_zh());
            }
        }
        if !self.proposals.is_empty() {
            let _ = writeln!(out, "待人工确认 {} 项", self.proposals.len());
        }
        if !self.left_out.is_empty() {
            let _ = writeln!(out, "未采用 {} 处：{}", self.left_out.len(), Reason::Forbidden.zh());
            for left in self.left_out.iter().take(NAMED_MAX) {
                let place =
                    if left.line == 0 { "整列".to_owned() } else { format!("第 {} 行", left.line) };
                let _ = writeln!(out, "  {} {place} {}", left.table.zh(), left.column);
            }
        }
        out
    }

    /// The report for a terminal, in English.
    pub fn en(&self) -> String {
        let mut out = String::new();
        for (table, counts) in &self.rows {
            let RowCounts { created, updated, unchanged } = counts;
            let _ = writeln!(out, "{}: {created} new, {updated} changed, {unchanged} unchanged", table.en());
        }
        if !self.bad_rows.is_empty() {
            let _ = writeln!(out, "{} rows not loaded:", self.bad_rows.len());
            for row in self.bad_rows.iter().take(NAMED_MAX) {
                let reasons: Vec<String> =
                    row.problems.iter().map(|p| format!("{}: {}", p.column, p.reason.en())).collect();
                let _ = writeln!(out, "  {} line {} {}", row.table.en(), row.line, reasons.join("; "));
            }
            if let Some(more) = self.bad_rows.len().checked_sub(NAMED_MAX).filter(|more| *more > 0) {
                let _ = writeln!(out, "  and {more} more");
            }
        }
        if !self.kept_edits.is_empty() {
            let _ = writeln!(
                out,
                "{} values differ from people's edits; none was overwritten:",
                self.kept_edits.len()
            );
            for edit in self.kept_edits.iter().take(NAMED_MAX) {
                let _ = writeln!(out, "  line {} {}.{}", edit.line, edit.kind.tag(), edit.field);
            }
        }
        if !self.proposals.is_empty() {
            let _ = writeln!(out, "{} proposals for a person to decide", self.proposals.len());
        }
        if !self.left_out.is_empty() {
            let _ = writeln!(out, "{} left out: {}", self.left_out.len(), Reason::Forbidden.en());
            for left in self.left_out.iter().take(NAMED_MAX) {
                let place = if left.line == 0 { "column".to_owned() } else { format!("line {}", left.line) };
                let _ = writeln!(out, "  {} {place} {}", left.table.en(), left.column);
            }
        }
        out
    }
}

impl fmt::Display for ImportReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.en())
    }
}

impl fmt::Debug for ImportReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ImportReport({})", self.counts())
    }
}

impl KeptEdit {
    fn label_zh(&self) -> String {
        let field = self.kind.schema().field_of_key(&self.field);
        field.map_or_else(|| self.field.clone(), |(field, _)| field.zh.to_owned())
    }
}

/// A value for a person to read. ID numbers are masked.
pub(super) fn shown(kind: Kind, field: &str, value: &Value) -> String {
    let words = kind.schema().field_of_key(field).map_or(&[][..], |(field, _)| field.words);
    match value {
        Value::Null => String::new(),
        Value::Flag(flag) => if *flag { "是" } else { "否" }.to_owned(),
        Value::Int(number) => number.to_string(),
        Value::Real(number) => number.to_string(),
        Value::Text(text) if kind == Kind::ResidentId && field == "number" => codes::mask::id_number(text),
        Value::Text(text) => words
            .iter()
            .find(|word| word.word == text)
            .map_or_else(|| text.clone(), |word| word.zh.to_owned()),
        Value::Bytes(bytes) => match (value.as_link(), Position::from_bytes(bytes)) {
            (Some(link), _) => link.to_string(),
            (None, Ok(position)) => format!("{:.6} {:.6}", position.lon(), position.lat()),
            (None, Err(_)) => format!("{} bytes", bytes.len()),
        },
        Value::Time(at) => at.to_string(),
    }
}

/// A row filled up to `width` cells, with what is added at its end.
fn with_tail(cells: &[String], width: usize, tail: [String; 2]) -> Vec<String> {
    let blank = String::new();
    let cells = (0..width).map(|at| cells.get(at).unwrap_or(&blank).clone());
    cells.chain(tail).collect()
}

fn csv_of(lines: &[Vec<String>]) -> Vec<u8> {
    let mut writer = csv::WriterBuilder::new()
        .flexible(true)
        .terminator(csv::Terminator::CRLF)
        .from_writer("\u{feff}".as_bytes().to_vec());
    for line in lines {
        let written = writer.write_record(line.iter().map(|cell| neutral(cell)));
        debug_assert!(written.is_ok(), "writing into memory cannot fail");
    }
    writer.into_inner().unwrap_or_default()
}

/// A cell that a spreadsheet does not take for a formula.
fn neutral(cell: &str) -> String {
    if cell.starts_with(['=', '+', '-', '@', '\t', '\r', '\n']) {
        format!("'{cell}")
    } else {
        cell.to_owned()
    }
}
