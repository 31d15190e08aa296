//! Areas from GeoJSON, with the report on their boundaries before anything is written.

use std::collections::BTreeSet;
use std::fmt::{self, Write as _};

use gridwalk_model::codes;
use gridwalk_model::geo::geojson::AreaFeature;
use gridwalk_model::geo::{
    AreaFile, BoundaryReport, Datum, Finding, PropertyNames, Severity, Tolerance, read_areas,
};
use gridwalk_model::validate::Reason;
use gridwalk_model::{Fields, Kind, Value};
use gridwalk_replica::limits::VALUE_MAX_BYTES;

use super::ledger::{Done, Import, Unit, write_down};
use super::merge::{self, Sink};
use super::report::{ImportReport, RowCounts};
use super::{FILE_MAX_BYTES, ImportContext, ImportError, ROWS_MAX, Table};
use crate::storage::Storage;

/// What a file of areas does not say itself.
#[derive(Clone, Debug, PartialEq)]
pub struct AreaOptions {
    /// The datum of its coordinates.
    pub datum: Datum,
    /// Which properties hold what.
    pub names: PropertyNames,
    /// What the boundary report lets pass.
    pub tolerance: Tolerance,
    /// Whether to import what can be read although the report has errors.
    pub force: bool,
}

impl AreaOptions {
    /// The usual properties and tolerance; errors stop the import.
    pub fn new(datum: Datum) -> Self {
        Self { datum, names: PropertyNames::default(), tolerance: Tolerance::default(), force: false }
    }
}

/// What is wrong with an area beyond its boundary. Stops the import like an error of the boundary report.
#[derive(Clone, Debug, PartialEq)]
pub enum AreaProblem {
    /// The boundary takes more room than a record has. Forced, the area is imported without it.
    BoundaryTooLarge {
        /// The area's code.
        code: String,
        /// Size of the encoded boundary.
        bytes: usize,
        /// What a record takes.
        max: usize,
    },
    /// A property is bad. Forced, the area is left out.
    Field {
        /// The area's code.
        code: String,
        /// The field.
        field: String,
        /// Why.
        reason: Reason,
    },
}

impl AreaProblem {
    /// The problem in Chinese.
    pub fn zh(&self) -> String {
        match self {
            Self::BoundaryTooLarge { code, bytes, max } => {
                format!("{code}的边界编码后有{bytes}字节，超过{max}字节，请先简化")
            }
            Self::Field { code, field, reason } => format!("{code}的“{field}”：{}", reason.zh()),
        }
    }

    /// The problem in English.
    pub fn en(&self) -> String {
        match self {
            Self::BoundaryTooLarge { code, bytes, max } => {
                format!("boundary of {code} takes {bytes} bytes of {max}: simplify it first")
            }
            Self::Field { code, field, reason } => format!("{code}, {field}: {}", reason.en()),
        }
    }
}

/// What became of a file of areas.
#[derive(Debug, PartialEq)]
pub struct AreaReport {
    /// What is wrong with codes, parents and boundaries.
    pub boundary: BoundaryReport,
    /// What else is wrong.
    pub problems: Vec<AreaProblem>,
    /// What was written; `None` if errors stopped the import.
    pub imported: Option<ImportReport>,
}

impl AreaReport {
    /// Rows by what became of them; all zero if nothing was written.
    pub fn counts(&self) -> RowCounts {
        let rows = self.imported.as_ref().and_then(|report| report.rows.get(&Table::Areas));
        rows.copied().unwrap_or_default()
    }

    fn errors(&self) -> usize {
        let grave = |finding: &&Finding| finding.severity() == Severity::Error;
        self.boundary.findings.iter().filter(grave).count() + self.problems.len()
    }

    /// The report for a terminal, in Chinese.
    pub fn zh(&self) -> String {
        let mut out = self.imported.as_ref().map(ImportReport::zh).unwrap_or_default();
        if self.imported.is_none() {
            let _ = writeln!(out, "有 {} 处错误，未导入", self.errors());
        }
        for finding in &self.boundary.findings {
            let weight = match finding.severity() {
                Severity::Error => "错误",
                Severity::Warning => "警告",
                Severity::Note => "提示",
            };
            let _ = writeln!(out, "  {weight}：{}", finding.zh());
        }
        for problem in &self.problems {
            let _ = writeln!(out, "  错误：{}", problem.zh());
        }
        out
    }

    /// The report for a terminal, in English.
    pub fn en(&self) -> String {
        let mut out = self.imported.as_ref().map(ImportReport::en).unwrap_or_default();
        if self.imported.is_none() {
            let _ = writeln!(out, "{} errors, nothing imported", self.errors());
        }
        for finding in &self.boundary.findings {
            let weight = match finding.severity() {
                Severity::Error => "error",
                Severity::Warning => "warning",
                Severity::Note => "note",
            };
            let _ = writeln!(out, "  {weight}: {}", finding.en());
        }
        for problem in &self.problems {
            let _ = writeln!(out, "  error: {}", problem.en());
        }
        out
    }
}

impl fmt::Display for AreaReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.en())
    }
}

/// Imports areas. Those that are known by their code are updated, those that the file does not have are left alone.
///
/// With errors in the report nothing is written, unless forced. Memory grows to some tens of times the size of the
/// file. Blocks; keep it off async threads.
///
/// # Errors
/// See [`ImportError`].
pub fn run_areas(
    storage: &dyn Storage,
    context: &ImportContext<'_>,
    bytes: &[u8],
    options: &AreaOptions,
) -> Result<AreaReport, ImportError> {
    let table = Table::Areas;
    if bytes.len() > FILE_MAX_BYTES {
        return Err(ImportError::TooLarge { table, bytes: bytes.len(), max: FILE_MAX_BYTES });
    }
    let file = read_areas(bytes, options.datum, &options.names)?;
    if file.areas.len() > ROWS_MAX {
        return Err(ImportError::TooManyRows { table, max: ROWS_MAX });
    }
    let boundary = BoundaryReport::new(&file, &options.tolerance);
    let (units, problems) = units(storage, &file, &boundary)?;
    let mut report = AreaReport { boundary, problems, imported: None };
    if report.errors() > 0 && !options.force {
        return Ok(report);
    }
    let mut import = Import::new(storage, context, options.datum)?;
    import.load(table, file.areas.len(), &units)?;
    let imported = import.finish();
    write_down(storage, context, "import.areas", &imported.counts())?;
    report.imported = Some(imported);
    Ok(report)
}

/// An area on its way into the store.
struct AreaUnit {
    line: u64,
    code: String,
    parent: Option<String>,
    fields: Fields,
}

impl Unit for AreaUnit {
    fn rows(&self) -> usize {
        1
    }

    fn apply(&self, sink: &mut dyn Sink, done: &mut Done) -> Result<(), ImportError> {
        let id = sink.id_for(merge::AREA, &self.code)?;
        let mut fields = self.fields.clone();
        if let Some(parent) = &self.parent {
            fields.insert("parent".to_owned(), Value::from(sink.id_for(merge::AREA, parent)?));
        }
        done.outcomes.push(sink.put(self.line, id, Kind::Area, &fields)?);
        Ok(())
    }
}

/// The areas that can be written: each code once, with parents that are in the file or in the store.
fn units(
    storage: &dyn Storage,
    file: &AreaFile,
    boundary: &BoundaryReport,
) -> Result<(Vec<AreaUnit>, Vec<AreaProblem>), ImportError> {
    let cyclic: BTreeSet<&str> = boundary
        .findings
        .iter()
        .filter_map(|finding| match finding {
            Finding::ParentCycle { code } => Some(code.as_str()),
            _ => None,
        })
        .collect();
    let mut problems = Vec::new();
    let mut taken = BTreeSet::new();
    let mut units = Vec::with_capacity(file.areas.len());
    for area in &file.areas {
        let code = codes::normalise(&area.code);
        let Some(fields) = fields(area, &code, &mut problems) else { continue };
        if taken.insert(code.clone()) {
            let parent = area.parent.as_deref().filter(|_| !cyclic.contains(area.code.as_str()));
            let line = area.index as u64 + 1;
            units.push(AreaUnit { line, code, parent: parent.map(codes::normalise), fields });
        }
    }
    storage.view(|tx| {
        for unit in &mut units {
            if let Some(parent) = &unit.parent
                && !taken.contains(parent)
                && tx.source_key(merge::AREA, parent)?.is_none()
            {
                unit.parent = None;
            }
        }
        Ok::<_, ImportError>(())
    })?;
    Ok((units, problems))
}

/// The fields of an area but its parent; `None` if it cannot be a record.
fn fields(area: &AreaFeature, code: &str, problems: &mut Vec<AreaProblem>) -> Option<Fields> {
    let mut fields = Fields::from([
        ("code".to_owned(), Value::from(code)),
        ("name".to_owned(), Value::from(area.name.as_str())),
        ("level".to_owned(), Value::from(area.level.as_str())),
    ]);
    let boundary = area.shape.to_bytes();
    if boundary.len() > VALUE_MAX_BYTES {
        let (code, bytes) = (code.to_owned(), boundary.len());
        problems.push(AreaProblem::BoundaryTooLarge { code, bytes, max: VALUE_MAX_BYTES });
    } else {
        fields.insert("boundary".to_owned(), Value::Bytes(boundary));
    }
    let errors = gridwalk_model::validate::validate(Kind::Area, &fields);
    let before = problems.len();
    problems.extend(errors.into_iter().filter(|error| !error.is_warning()).map(|error| AreaProblem::Field {
        code: code.to_owned(),
        field: error.field,
        reason: error.reason,
    }));
    (problems.len() == before).then_some(fields)
}
