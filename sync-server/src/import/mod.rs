//! Import of what offices already have: areas as GeoJSON, and ledgers of dwellings, residents and places as CSV.
//!
//! # What an import does to records
//!
//! Every row of a file is known by a source key (the office's code of a door, a keyed hash of an ID number). The
//! last value that an import brought is kept for each field ([`merge`]). A field is written only if the file says
//! something else than last time, and nobody else wrote it since; otherwise both values stand in the
//! [`ImportReport`] and the record is left alone. So a file imported twice changes nothing the second time, and a
//! row that is missing from a later file removes nothing.
//!
//! Good rows are loaded; bad rows come back with their line and the reasons, as a file that can be mended and
//! imported again.
//!
//! # Personal data
//!
//! An ID number stands in its own sensitive document and nowhere else: source keys and last values of it are
//! HMACs under a key that never leaves the store, because a plain hash of a number with 18 digits is reversed by
//! trying them all. Reports hold what the officer's own file said and go back to that officer only; what is
//! audited and logged are counts.
//!
//! # Work beside others
//!
//! Rows are written some hundreds a transaction, so that phones go on syncing. An import that is broken off is
//! simply started again. What did not change is found on a read snapshot and never meets the writer.

mod areas;
mod cells;
mod columns;
mod csv_source;
mod ledger;
mod merge;
mod report;
mod residents;

#[cfg(test)]
mod tests;

pub use areas::{AreaOptions, AreaProblem, AreaReport, run_areas};
pub use cells::{Problem, RowReason};
pub use ledger::{LedgerFiles, LedgerOptions, run_ledger};
pub use report::{BadRow, ImportReport, KeptEdit, LeftOut, Proposal, ProposalKind, RowCounts};

use gridwalk_model::Timestamp;
use gridwalk_model::geo::GeoError;

use crate::clock::Entropy;
use crate::edit::EditError;
use crate::storage::StorageError;

/// Largest file, in bytes.
pub const FILE_MAX_BYTES: usize = 64 * 1024 * 1024;
/// Most rows of one file.
pub const ROWS_MAX: usize = 200_000;
/// Longest cell, in bytes of UTF-8.
pub const CELL_MAX_BYTES: usize = 16 * 1024;
/// How many rows one writing transaction takes.
const BATCH_ROWS: usize = 300;

/// What an import needs beside its file.
#[derive(Clone, Copy)]
pub struct ImportContext<'a> {
    /// When the import is made.
    pub now: Timestamp,
    /// Randomness for new identifiers.
    pub entropy: &'a dyn Entropy,
    /// Who imports, for the audit log: an id or `operator`.
    pub actor: &'a str,
    /// Told after every batch, on the importing thread.
    pub progress: &'a dyn Fn(Progress),
}

/// How far an import has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Progress {
    /// Which file.
    pub table: Table,
    /// Rows that are done.
    pub done: usize,
    /// Rows that there are.
    pub total: usize,
}

/// What a file holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Table {
    /// Areas with their boundaries.
    Areas,
    /// 实有房屋.
    Dwellings,
    /// 实有人口.
    Residents,
    /// 场所.
    Places,
}

impl Table {
    /// Its name in Chinese.
    pub const fn zh(self) -> &'static str {
        match self {
            Self::Areas => "区域",
            Self::Dwellings => "房屋",
            Self::Residents => "人口",
            Self::Places => "场所",
        }
    }

    /// Its name in English, as it names files as well.
    pub const fn en(self) -> &'static str {
        match self {
            Self::Areas => "areas",
            Self::Dwellings => "dwellings",
            Self::Residents => "residents",
            Self::Places => "places",
        }
    }
}

/// Why a file was not imported. Rows that were written before a failure of the store stay; importing again goes on.
///
/// `Display` is the English text; [`Self::zh`] is the Chinese one.
#[derive(Debug, thiserror::Error)]
pub enum ImportError {
    /// The file is larger than accepted.
    #[error("{}: file has {bytes} bytes, at most {max} are taken", table.en())]
    TooLarge {
        /// Which file.
        table: Table,
        /// Its size.
        bytes: usize,
        /// What is accepted.
        max: usize,
    },
    /// The file has more rows than accepted.
    #[error("{}: more than {max} rows", table.en())]
    TooManyRows {
        /// Which file.
        table: Table,
        /// What is accepted.
        max: usize,
    },
    /// A cell is longer than accepted: as a rule a quotation mark that is never closed.
    #[error("{}: line {line} has a cell of more than {max} bytes; is a quotation mark missing?", table.en())]
    CellTooLong {
        /// Which file.
        table: Table,
        /// Line on which the row begins, from 1.
        line: u64,
        /// What is accepted.
        max: usize,
    },
    /// Neither UTF-8 nor UTF-16 nor GB18030.
    #[error("{}: file is not text in UTF-8 or GB18030; was a workbook saved as CSV?", table.en())]
    NotText {
        /// Which file.
        table: Table,
    },
    /// No row among the first ones has all required headings.
    #[error("{}: no row of headings found; missing: {}", table.en(), missing.join(", "))]
    NoHeadings {
        /// Which file.
        table: Table,
        /// Headings that the best row lacks.
        missing: Vec<&'static str>,
    },
    /// Not a file of areas.
    #[error(transparent)]
    Geo(#[from] GeoError),
    /// A record refused an edit.
    #[error(transparent)]
    Edit(EditError),
    /// The store failed.
    #[error(transparent)]
    Storage(#[from] StorageError),
}

impl From<EditError> for ImportError {
    fn from(error: EditError) -> Self {
        match error {
            EditError::Storage(error) => Self::Storage(error),
            other => Self::Edit(other),
        }
    }
}

impl ImportError {
    /// The text in Chinese.
    pub fn zh(&self) -> String {
        match self {
            Self::TooLarge { table, bytes, max } => {
                format!("{}：文件有 {bytes} 字节，超过上限 {max} 字节", table.zh())
            }
            Self::TooManyRows { table, max } => format!("{}：超过 {max} 行", table.zh()),
            Self::CellTooLong { table, line, max } => {
                format!("{}：第 {line} 行有单元格超过 {max} 字节，是否缺少引号？", table.zh())
            }
            Self::NotText { table } => {
                format!("{}：文件不是 UTF-8 或 GB18030 文本，请将工作簿另存为 CSV", table.zh())
            }
            Self::NoHeadings { table, missing } => {
                format!("{}：没有找到表头，缺少：{}", table.zh(), missing.join("、"))
            }
            Self::Geo(error) => error.zh(),
            Self::Edit(error) => format!("记录无法写入：{error}"),
            Self::Storage(error) => format!("存储失败：{error}"),
        }
    }
}
