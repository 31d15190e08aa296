//! What was refused: the bytes, and what the worker is told.

use gridwalk_model::{RecordId, Timestamp, Value};
use gridwalk_replica::ChangeHash;
use gridwalk_replica::admission::{Reason, Verdict};

use super::fields::{decode_value, encode_value};
use super::{Commit, OutboxRow, Store, Tx, View, sql};
use crate::error::DeviceError;

/// Why an edit of the worker was not accepted and not made again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RefusedReason {
    /// The worker may not write this, or not here.
    Forbidden,
    /// The change was not valid.
    Invalid(Reason),
    /// Somebody else has changed the field in the meantime; this phone had not seen it.
    ChangedMeanwhile,
    /// The record could not be made, so nothing can be written to it.
    NoRecord,
}

impl RefusedReason {
    /// The stored word.
    fn word(self) -> String {
        match self {
            Self::Forbidden => "forbidden".into(),
            Self::Invalid(reason) => format!("invalid:{}", reason as u8),
            Self::ChangedMeanwhile => "changed_meanwhile".into(),
            Self::NoRecord => "no_record".into(),
        }
    }

    fn of_word(word: &str) -> Self {
        match word {
            "forbidden" => Self::Forbidden,
            "changed_meanwhile" => Self::ChangedMeanwhile,
            "no_record" => Self::NoRecord,
            other => {
                let code = other.strip_prefix("invalid:").and_then(|code| code.parse().ok()).unwrap_or(255);
                Self::Invalid(Reason::from_code(code))
            }
        }
    }

    /// The reason for the worker, in Chinese.
    pub const fn zh(self) -> &'static str {
        match self {
            Self::Forbidden => "没有修改权限",
            Self::Invalid(reason) => reason.zh(),
            Self::ChangedMeanwhile => "他人已同时修改该项，请核对后重新填写",
            Self::NoRecord => "该记录未被接受",
        }
    }

    /// The reason for the worker, in English.
    pub const fn en(self) -> &'static str {
        match self {
            Self::Forbidden => "You may not change this",
            Self::Invalid(reason) => reason.en(),
            Self::ChangedMeanwhile => {
                "Somebody else changed this in the meantime; check it and write it again"
            }
            Self::NoRecord => "The record was not accepted",
        }
    }
}

/// An edit that was not accepted: the worker edits again, or discards it.
#[derive(Clone, Debug, PartialEq)]
pub struct RefusedEdit {
    /// Its number, to settle it by.
    pub n: i64,
    /// The record.
    pub record: RecordId,
    /// The word for its kind.
    pub kind: String,
    /// The root key.
    pub field: String,
    /// What the worker had written.
    pub value: Value,
    /// Why it was not accepted.
    pub reason: RefusedReason,
    /// When the worker had written it.
    pub at: Timestamp,
}

/// A refused change, byte for byte.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Quarantined {
    /// The record.
    pub record: RecordId,
    /// Name of the change.
    pub hash: ChangeHash,
    /// Its bytes.
    pub raw: Vec<u8>,
    /// What the server said.
    pub verdict: Verdict,
    /// When it was refused.
    pub at: Timestamp,
}

impl View<'_> {
    fn refused(&self) -> Result<Vec<RefusedEdit>, DeviceError> {
        let mut statement = self.connection.prepare_cached(
            "SELECT n, record, kind, field, value, reason, at FROM refused_edit ORDER BY n",
        )?;
        let mut rows = statement.query([])?;
        let mut out = Vec::new();
        while let Some(row) = rows.next()? {
            out.push(RefusedEdit {
                n: row.get(0)?,
                record: sql::record_id(row, 1)?,
                kind: row.get(2)?,
                field: row.get(3)?,
                value: decode_value(&row.get::<_, Vec<u8>>(4)?)?,
                reason: RefusedReason::of_word(&row.get::<_, String>(5)?),
                at: sql::time(row, 6)?,
            });
        }
        Ok(out)
    }

    fn quarantined(&self) -> Result<Vec<Quarantined>, DeviceError> {
        let mut statement = self
            .connection
            .prepare_cached("SELECT record, hash, raw, verdict, at FROM quarantine ORDER BY n")?;
        let mut rows = statement.query([])?;
        let mut out = Vec::new();
        while let Some(row) = rows.next()? {
            let verdict: Vec<u8> = row.get(3)?;
            out.push(Quarantined {
                record: sql::record_id(row, 0)?,
                hash: sql::change_hash(row, 1)?,
                raw: row.get(2)?,
                verdict: minicbor::decode(&verdict).map_err(|_| DeviceError::Damaged)?,
                at: sql::time(row, 4)?,
            });
        }
        Ok(out)
    }
}

impl Tx<'_> {
    /// Moves a waiting change into quarantine.
    pub(crate) fn quarantine(
        &mut self,
        row: &OutboxRow,
        verdict: Verdict,
        now: Timestamp,
    ) -> Result<(), DeviceError> {
        self.dequeue(row.n)?;
        self.quarantine_bytes(row.record, &row.kind, row.hash, &row.raw, verdict, now)
    }

    /// The same for bytes that do not wait.
    pub(crate) fn quarantine_bytes(
        &mut self,
        record: RecordId,
        kind: &str,
        hash: ChangeHash,
        raw: &[u8],
        verdict: Verdict,
        now: Timestamp,
    ) -> Result<(), DeviceError> {
        self.connection.prepare_cached("DELETE FROM sent WHERE hash = ?1")?.execute([hash.0])?;
        let verdict = minicbor::to_vec(verdict).map_err(|_| DeviceError::Bug("verdict does not encode"))?;
        self.connection
            .prepare_cached(
                "INSERT INTO quarantine (record, kind, hash, raw, verdict, at) VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
            )?
            .execute((record.as_bytes(), kind, hash.0, raw, verdict, now.millis()))?;
        Ok(())
    }

    /// Lists an edit as not accepted.
    pub(crate) fn list_refused(
        &mut self,
        record: RecordId,
        kind: &str,
        field: &str,
        value: &Value,
        reason: RefusedReason,
        at: Timestamp,
    ) -> Result<(), DeviceError> {
        self.connection
            .prepare_cached(
                "INSERT INTO refused_edit (record, kind, field, value, reason, at) VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
            )?
            .execute((record.as_bytes(), kind, field, encode_value(value), reason.word(), at.millis()))?;
        Ok(())
    }
}

impl Store {
    /// Edits that were not accepted and not settled yet, in the order in which they were refused, of any class: for rules
    /// of this crate, not for screens, which ask [`Self::refused_edits`].
    pub(crate) fn refused_edits_any(&self) -> Result<Vec<RefusedEdit>, DeviceError> {
        self.view().refused()
    }

    /// Takes an edit off the list: the worker wrote it again or gave it up. The quarantined bytes stay.
    ///
    /// # Errors
    /// Failures of SQLite.
    pub fn settle_refused(&mut self, n: i64) -> Result<(), DeviceError> {
        self.write(Commit::Setting, |tx| tx.drop_refused(n))
    }

    /// Every refused change, in the order in which they were refused.
    ///
    /// # Errors
    /// Failures of SQLite.
    pub fn quarantined(&self) -> Result<Vec<Quarantined>, DeviceError> {
        self.view().quarantined()
    }
}
