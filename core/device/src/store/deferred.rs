//! Records whose changes wait because the server can't take them yet, as the server sees them.
//!
//! A held change may wait for weeks, until the server is brought up to date. Its record differs from the server's all
//! that time, and must not keep the rest of its stream from being compared: so digests and comparisons count such a
//! record by what the server is known to have of it.

use std::collections::{BTreeMap, BTreeSet};

use gridwalk_model::RecordId;
use gridwalk_replica::digest::Fingerprint;
use gridwalk_replica::{ChangeHash, Document};

use super::{View, sql};
use crate::error::DeviceError;

/// A record as it is here, and as the server has it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Deferred {
    /// Its fingerprint here.
    pub(crate) here: Fingerprint,
    /// Its fingerprint without what waits; `None` if nothing is left.
    pub(crate) there: Option<Fingerprint>,
}

impl View<'_> {
    /// The records of a stream of which something waits that the server can't take yet. `None` if something waits that
    /// it can take: then the two sides are bound to differ until it is sent.
    pub(crate) fn deferred(&self, stream: i64) -> Result<Option<BTreeMap<RecordId, Deferred>>, DeviceError> {
        let mut statement = self.connection.prepare_cached(
            "SELECT o.record, max(o.state) FROM outbox o JOIN record r ON r.id = o.record
             JOIN member m ON m.record = r.key WHERE m.stream = ?1 GROUP BY o.record ORDER BY o.record",
        )?;
        let rows =
            statement.query_map([stream], |row| Ok((sql::record_id(row, 0)?, row.get::<_, i64>(1)?)))?;
        let mut out = BTreeMap::new();
        for row in rows {
            let (record, state) = row?;
            if state == 0 {
                return Ok(None);
            }
            if let Some(deferred) = self.as_the_server_has_it(record)? {
                out.insert(record, deferred);
            }
        }
        Ok(Some(out))
    }

    fn as_the_server_has_it(&self, record: RecordId) -> Result<Option<Deferred>, DeviceError> {
        let Some(loaded) = self.record(record)? else { return Ok(None) };
        let Some(bytes) = loaded.readable() else { return Ok(None) };
        let waiting: BTreeSet<ChangeHash> = self.outbox_of(record)?.into_iter().map(|row| row.hash).collect();
        let history = Document::load(bytes)?.history();
        let mut heads: BTreeSet<ChangeHash> = BTreeSet::new();
        for change in history.iter().filter(|change| !waiting.contains(&change.hash)) {
            heads.insert(change.hash);
            change.deps.iter().for_each(|dep| {
                heads.remove(dep);
            });
        }
        let heads: Vec<ChangeHash> = heads.into_iter().collect();
        let there = (!heads.is_empty()).then(|| Fingerprint::of(record, &heads));
        Ok(Some(Deferred { here: loaded.fingerprint, there }))
    }
}
