//! Ledgers of dwellings, residents and places.

use std::collections::BTreeMap;

use gridwalk_model::geo::Datum;
use gridwalk_model::{Fields, Kind, RecordId, Value};

use super::cells::{Problem, RowReader, RowReason};
use super::columns::{ADDRESS_CODE, GRID_CODE};
use super::csv_source::{Row, Sheet};
use super::merge::{self, Checker, Outcome, Secret, Sink, Writer};
use super::report::{BadRow, ImportReport, LeftOut, Proposal};
use super::{BATCH_ROWS, ImportContext, ImportError, Progress, Table, residents};
use crate::audit::{self, Entry};
use crate::storage::Storage;

/// Longest alias that a record takes, in characters.
const ALIAS_MAX: usize = 64;

/// The files of a ledger. Any of them may be left out.
#[derive(Clone, Copy, Debug, Default)]
pub struct LedgerFiles<'f> {
    /// 房屋. Residents need the dwellings, of this file or of an earlier import.
    pub dwellings: Option<&'f [u8]>,
    /// 人口.
    pub residents: Option<&'f [u8]>,
    /// 场所.
    pub places: Option<&'f [u8]>,
}

/// What the files do not say themselves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LedgerOptions {
    /// The datum of 经度 and 纬度.
    pub datum: Datum,
}

/// Imports a ledger. The areas must have been imported ([`super::run_areas`]).
///
/// All files are read before anything is written. Blocks for some seconds; keep it off async threads.
///
/// # Errors
/// See [`ImportError`]. Bad rows are no error: they are in the report.
pub fn run_ledger(
    storage: &dyn Storage,
    context: &ImportContext<'_>,
    files: &LedgerFiles<'_>,
    options: &LedgerOptions,
) -> Result<ImportReport, ImportError> {
    let open = |table, file: Option<&[u8]>| file.map(|bytes| Sheet::read(table, bytes)).transpose();
    let dwellings = open(Table::Dwellings, files.dwellings)?;
    let people = open(Table::Residents, files.residents)?;
    let places = open(Table::Places, files.places)?;
    let mut import = Import::new(storage, context, options.datum)?;
    if let Some(sheet) = &dwellings {
        import.dwellings(sheet)?;
    }
    if let Some(sheet) = &people {
        import.residents(sheet)?;
    }
    if let Some(sheet) = &places {
        import.places(sheet)?;
    }
    let report = import.finish();
    write_down(storage, context, "import.ledger", &report.counts())?;
    Ok(report)
}

/// One audit row for an import.
pub(super) fn write_down(
    storage: &dyn Storage,
    context: &ImportContext<'_>,
    action: &str,
    counts: &str,
) -> Result<(), ImportError> {
    let entry = Entry { actor: context.actor, action, target: "server", detail: counts, alarm: false };
    storage.update(|tx| audit::append(tx, context.now, &entry).map_err(ImportError::from))
}

/// What is written or left as one: a row, or the rows of one household.
pub(super) trait Unit {
    /// How many rows of the file it is.
    fn rows(&self) -> usize;

    /// Brings it into `sink`; tells `done` what became of each row.
    fn apply(&self, sink: &mut dyn Sink, done: &mut Done) -> Result<(), ImportError>;
}

/// What became of rows.
#[derive(Default)]
pub(super) struct Done {
    pub(super) outcomes: Vec<Outcome>,
    pub(super) proposals: Vec<Proposal>,
}

/// A row that is one record.
struct Single {
    line: u64,
    source: &'static str,
    key: String,
    kind: Kind,
    fields: Fields,
}

impl Unit for Single {
    fn rows(&self) -> usize {
        1
    }

    fn apply(&self, sink: &mut dyn Sink, done: &mut Done) -> Result<(), ImportError> {
        let id = sink.id_for(self.source, &self.key)?;
        done.outcomes.push(sink.put(self.line, id, self.kind, &self.fields)?);
        Ok(())
    }
}

/// An import under way.
pub(super) struct Import<'i> {
    storage: &'i dyn Storage,
    context: &'i ImportContext<'i>,
    secret: Secret,
    datum: Datum,
    report: ImportReport,
}

impl<'i> Import<'i> {
    pub(super) fn new(
        storage: &'i dyn Storage,
        context: &'i ImportContext<'i>,
        datum: Datum,
    ) -> Result<Self, ImportError> {
        let secret = Secret::of(storage, context)?;
        Ok(Self { storage, context, secret, datum, report: ImportReport::default() })
    }

    /// The report, in the order of the files.
    pub(super) fn finish(mut self) -> ImportReport {
        self.report.bad_rows.sort_by_key(|row| (row.table, row.line));
        self.report.proposals.sort_by_key(|proposal| proposal.line);
        self.report.left_out.sort_by_key(|left| (left.table, left.line));
        self.report
    }

    fn dwellings(&mut self, sheet: &Sheet) -> Result<(), ImportError> {
        let grids = self.known(merge::AREA, sheet, GRID_CODE)?;
        let mut seen = BTreeMap::new();
        let mut units = Vec::with_capacity(sheet.rows.len());
        for row in &sheet.rows {
            let mut reader = RowReader::new(sheet, row);
            link(&mut reader, GRID_CODE, &grids, RowReason::UnknownGrid);
            let code = reader.code(ADDRESS_CODE).filter(|code| alias(&mut reader, ADDRESS_CODE, code));
            if let Some(code) = &code {
                reader.fields.insert("source_keys/ledger".to_owned(), Value::from(code.as_str()));
            }
            for name in ["estate", "building", "unit", "room", "address", "remarks"] {
                reader.text(name);
            }
            reader.int("floor");
            reader.word(Kind::Dwelling, "usage");
            reader.word(Kind::Dwelling, "occupancy");
            reader.flag("rented");
            reader.real("area_m2");
            reader.position(self.datum);
            let unit = single(reader, row, merge::DWELLING, code, Kind::Dwelling, ADDRESS_CODE, &mut seen);
            self.sort(sheet, row, unit, &mut units);
        }
        self.load_sheet(sheet, &units)
    }

    fn places(&mut self, sheet: &Sheet) -> Result<(), ImportError> {
        let grids = self.known(merge::AREA, sheet, GRID_CODE)?;
        let mut seen = BTreeMap::new();
        let mut units = Vec::with_capacity(sheet.rows.len());
        for row in &sheet.rows {
            let mut reader = RowReader::new(sheet, row);
            let grid = link(&mut reader, GRID_CODE, &grids, RowReason::UnknownGrid);
            for name in ["name", "category", "address", "manager", "phone", "remarks"] {
                reader.text(name);
            }
            reader.int("inspection_interval_days");
            reader.position(self.datum);
            // Ledgers seldom number their places: the name within the grid stands in.
            let own = reader.cell("place_code").filter(|code| !code.is_empty()).map(str::to_owned);
            let own = own.filter(|code| alias(&mut reader, "place_code", code));
            if let Some(code) = &own {
                reader.fields.insert("source_keys/ledger".to_owned(), Value::from(code.as_str()));
            }
            let name = reader.cell("name").unwrap_or_default();
            let by_name = grid.map(|grid| format!("{}/{name}", grid.to_hex()));
            let key = own.map(|code| format!("code/{code}")).or(by_name);
            let unit = single(reader, row, merge::PLACE, key, Kind::Place, "name", &mut seen);
            self.sort(sheet, row, unit, &mut units);
        }
        self.load_sheet(sheet, &units)
    }

    fn residents(&mut self, sheet: &Sheet) -> Result<(), ImportError> {
        let doors = self.known(merge::DWELLING, sheet, ADDRESS_CODE)?;
        let (units, bad, left_out) = residents::read(sheet, &doors, &self.secret);
        self.report.left_out.extend(left_out);
        for (row, problems) in bad {
            self.refuse(sheet, row, problems);
        }
        self.load_sheet(sheet, &units)
    }

    /// The records behind the codes in a column.
    fn known(
        &self,
        source: &str,
        sheet: &Sheet,
        column: &str,
    ) -> Result<BTreeMap<String, RecordId>, ImportError> {
        let codes = sheet.rows.iter().filter_map(|row| sheet.cell(row, column));
        let codes: std::collections::BTreeSet<String> = codes.map(gridwalk_model::codes::normalise).collect();
        self.storage.view(|tx| {
            let mut known = BTreeMap::new();
            for code in codes {
                if let Some(id) = tx.source_key(source, &code)? {
                    known.insert(code, id);
                }
            }
            Ok(known)
        })
    }

    fn sort<U>(&mut self, sheet: &Sheet, row: &Row, unit: Result<U, Vec<Problem>>, units: &mut Vec<U>) {
        match unit {
            Ok(unit) => units.push(unit),
            Err(problems) => self.refuse(sheet, row, problems),
        }
    }

    fn refuse(&mut self, sheet: &Sheet, row: &Row, problems: Vec<Problem>) {
        let cells = row.cells.iter().map(str::to_owned).collect();
        self.report.bad_rows.push(BadRow { table: sheet.table, line: row.line, problems, cells });
    }

    fn load_sheet<U: Unit>(&mut self, sheet: &Sheet, units: &[U]) -> Result<(), ImportError> {
        self.report.headings.insert(sheet.table, sheet.headings.clone());
        let unkept =
            sheet.headings.iter().filter(|heading| gridwalk_model::forbidden::find(heading).is_some());
        let unkept = unkept.map(|heading| heading.trim().to_owned());
        let left_out = unkept.map(|column| LeftOut { table: sheet.table, line: 0, column, labels: 0 });
        self.report.left_out.extend(left_out);
        self.load(sheet.table, sheet.rows.len(), units)
    }

    /// Writes units, some hundred rows a transaction. `total` counts the rows that were refused as well.
    pub(super) fn load<U: Unit>(
        &mut self,
        table: Table,
        total: usize,
        units: &[U],
    ) -> Result<(), ImportError> {
        self.report.rows.entry(table).or_default();
        let refused = total.saturating_sub(units.iter().map(Unit::rows).sum());
        let (mut from, mut rows, mut done) = (0, 0, refused);
        for (at, unit) in units.iter().enumerate() {
            rows += unit.rows();
            if rows >= BATCH_ROWS || at + 1 == units.len() {
                self.batch(table, units.get(from..=at).unwrap_or_default())?;
                done += rows;
                (from, rows) = (at + 1, 0);
                (self.context.progress)(Progress { table, done, total });
            }
        }
        Ok(())
    }

    /// Writes some units in one transaction; those that change nothing are found on a snapshot before.
    fn batch<U: Unit>(&mut self, table: Table, units: &[U]) -> Result<(), ImportError> {
        let mut changing = Vec::new();
        self.storage.view(|tx| {
            for unit in units {
                let mut done = Done::default();
                let mut checker = Checker { tx, secret: &self.secret, changes: false };
                unit.apply(&mut checker, &mut done)?;
                if checker.changes {
                    changing.push(unit);
                } else {
                    self.report.count(table, Outcome::Unchanged, unit.rows() as u64);
                    self.report.proposals.extend(done.proposals);
                }
            }
            Ok::<_, ImportError>(())
        })?;
        if changing.is_empty() {
            return Ok(());
        }
        let (done, kept) = self.storage.update(|tx| {
            let mut done = Done::default();
            let mut writer = Writer::begin(tx, self.context, &self.secret)?;
            for unit in &changing {
                unit.apply(&mut writer, &mut done)?;
            }
            Ok::<_, ImportError>((done, writer.finish()?))
        })?;
        for outcome in done.outcomes {
            self.report.count(table, outcome, 1);
        }
        self.report.proposals.extend(done.proposals);
        self.report.kept_edits.extend(kept);
        Ok(())
    }
}

/// Reads a code and puts a link to its record into the field of the same name.
pub(super) fn link(
    reader: &mut RowReader<'_>,
    column: &str,
    known: &BTreeMap<String, RecordId>,
    unknown: RowReason,
) -> Option<RecordId> {
    let code = reader.code(column)?;
    match known.get(&code) {
        Some(id) => {
            reader.fields.insert(column.to_owned(), Value::from(*id));
            Some(*id)
        }
        None => {
            reader.problem(column, unknown);
            None
        }
    }
}

/// Whether a code is short enough to be an alias; says so if not.
fn alias(reader: &mut RowReader<'_>, column: &str, code: &str) -> bool {
    let fits = code.chars().count() <= ALIAS_MAX;
    if !fits {
        let reason = gridwalk_model::validate::Reason::TooLong { max: ALIAS_MAX };
        reader.problem(column, RowReason::Field(reason));
    }
    fits
}

/// Ends a row that is one record. `column` is named where the key stood in an earlier row.
fn single(
    mut reader: RowReader<'_>,
    row: &Row,
    source: &'static str,
    key: Option<String>,
    kind: Kind,
    column: &str,
    seen: &mut BTreeMap<String, u64>,
) -> Result<Single, Vec<Problem>> {
    let fields = reader.fields.clone();
    reader.validate(kind, &fields);
    if let Some(line) = key.as_ref().and_then(|key| seen.get(key)) {
        reader.problem(column, RowReason::Repeated { line: *line });
    }
    match key {
        Some(key) if reader.is_good() => {
            seen.insert(key.clone(), row.line);
            Ok(Single { line: row.line, source, key, kind, fields })
        }
        _ => Err(reader.into_problems()),
    }
}
