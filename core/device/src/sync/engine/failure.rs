//! What becomes of a request for records that failed.

use gridwalk_model::Timestamp;
use gridwalk_replica::protocol::ProtocolError;

use super::{Effect, Engine, floor_of, random};
use crate::error::DeviceError;
use crate::net::NetError;
use crate::store::{Commit, OutboxState, Store};
use crate::sync::request::RequestContext;
use crate::sync::status::LastError;

/// How long a request's last record, refused as a whole, waits.
const STUCK_MS: i64 = 60 * 60 * 1000;
/// Refusals in a row of a request that offers nothing, after which the cursors are taken to be void.
const VOID_AFTER: u32 = 2;

impl Engine {
    /// Tells the worker what failed. Returns whether it means that the phone is locked, and nothing is tried again.
    pub(super) fn tell_failure(
        &mut self,
        error: &NetError,
        store: &mut Store,
        now: Timestamp,
        effects: &mut Vec<Effect>,
    ) -> Result<bool, DeviceError> {
        self.last_error = Some(LastError { zh: error.zh().into(), en: error.en().into(), at: now });
        self.lock_if_revoked(error, store, now, effects)
    }

    pub(super) fn records_failed(
        &mut self,
        error: &NetError,
        context: &RequestContext,
        store: &mut Store,
        now: Timestamp,
        effects: &mut Vec<Effect>,
    ) -> Result<(), DeviceError> {
        if self.tell_failure(error, store, now, effects)? {
            return Ok(());
        }
        let whole_request = matches!(
            error,
            NetError::Server(
                ProtocolError::Malformed { .. } | ProtocolError::TooLarge | ProtocolError::Internal
            )
        );
        if whole_request && context.records().next().is_some() {
            self.narrow(context, store, now)?;
        } else if matches!(error, NetError::Server(ProtocolError::Malformed { .. }))
            && self.records.backoff.failures() >= VOID_AFTER
        {
            // Nothing was offered, so it is the cursors that the server does not understand. Pulling from the start
            // merges, and loses nothing.
            store.write(Commit::Request, |tx| tx.void_cursors())?;
        }
        let random = random(store)?;
        self.records.backoff.fail(now, floor_of(error), random);
        Ok(())
    }

    /// The server refuses a request as a whole: offer less until the record at fault stands alone, then let that one
    /// wait and go on with the others.
    fn narrow(
        &mut self,
        context: &RequestContext,
        store: &mut Store,
        now: Timestamp,
    ) -> Result<(), DeviceError> {
        let records: Vec<_> = context.records().collect();
        if let [only] = records.as_slice() {
            store.write(Commit::Request, |tx| {
                tx.defer(*only, OutboxState::Stranded, now.plus_millis(STUCK_MS))?;
                if let Some((key, _)) = tx.record_key(*only)? {
                    tx.set_flag(key, crate::store::flag::WANTED, false)?;
                }
                Ok(())
            })?;
            self.limits = self.config.push;
        } else {
            self.limits.records = (records.len() / 2).max(1);
        }
        Ok(())
    }
}
