//! Locked by the deployment: the lane that hands in what was not sent. See [`crate::keeping`] for the steps.
//!
//! A locked device still asks for news now and then: that is how it learns that it was reinstated.

use gridwalk_model::Timestamp;
use gridwalk_replica::protocol::HandedIn;
use gridwalk_replica::wire::{ServerNotes, SyncResponse};

use super::{Effect, Engine, Work, floor_of, random};
use crate::error::DeviceError;
use crate::keeping::{LOCKED, WIPE};
use crate::net::NetError;
use crate::store::{Commit, Setting, Store};
use crate::sync::request::RequestContext;
use crate::sync::status::LastError;

/// What an answer says of the device itself.
pub(super) struct Word {
    notes: Option<ServerNotes>,
    /// Whether an older server would have answered otherwise if the device were locked: it lets a locked one pull
    /// nothing, and refuses one that says nothing.
    not_locked: bool,
    /// The reads of sensitive records that are in the audit log now.
    reads_through: Option<i64>,
}

impl Word {
    pub(super) fn of(context: &RequestContext, response: &SyncResponse) -> Self {
        let granted = response.grants.iter().flatten().any(|grant| !grant.revoking);
        let through = response.notes.as_ref().and_then(|notes| notes.reads_through);
        Self {
            notes: response.notes.clone(),
            not_locked: granted || context.says_nothing(),
            // Never more than it was told of.
            reads_through: through.zip(context.last_read).map(|(through, last)| through.min(last)),
        }
    }
}

impl Engine {
    /// Whether the deployment locked the device.
    pub const fn is_locked(&self) -> bool {
        self.locked
    }

    /// Reads what an earlier run was told.
    ///
    /// # Errors
    /// Failures of the store.
    pub(crate) fn recall_lock(&mut self, store: &Store) -> Result<(), DeviceError> {
        if !self.recalled {
            self.locked = store.view().get_number(Setting::Locked)?.is_some();
            self.recalled = true;
        }
        Ok(())
    }

    /// The server's word: nothing is shown from now on.
    pub(super) fn lock(
        &mut self,
        wipe: bool,
        store: &mut Store,
        now: Timestamp,
        effects: &mut Vec<Effect>,
    ) -> Result<(), DeviceError> {
        store
            .write(Commit::Setting, |tx| tx.put_number(Setting::Locked, if wipe { WIPE } else { LOCKED }))?;
        if !self.locked {
            self.previews.work = Work::Idle;
            self.photos.work = Work::Idle;
            effects.push(Effect::CancelAll);
        }
        self.locked = true;
        self.sealing.wanted = true;
        self.records.wanted = false;
        self.next_poll = Some(now.plus_millis(self.config.poll_ms));
        effects.push(if wipe { Effect::Wipe } else { Effect::Changed });
        Ok(())
    }

    /// What the server said beside its answer, which was taken.
    pub(super) fn take_word(
        &mut self,
        word: &Word,
        store: &mut Store,
        now: Timestamp,
        effects: &mut Vec<Effect>,
    ) -> Result<(), DeviceError> {
        let notes = word.notes.as_ref();
        if let Some(key) = notes.and_then(|notes| notes.sealing_key.as_ref()) {
            store.set_sealing_key(key)?;
        }
        if let Some(rules) = notes.and_then(|notes| notes.rules.as_ref()) {
            store.take_rules(rules)?;
        }
        if let Some(through) = word.reads_through {
            store.forget_reads(through)?;
            self.records.wanted |= !store.sensitive_reads(i64::MIN, 1)?.is_empty();
        }
        if notes.is_some_and(|notes| notes.locked == Some(true)) {
            let again = self.records.wanted;
            if !self.locked {
                self.lock(false, store, now, effects)?;
            }
            // What the server takes in the ordinary way need not be sealed.
            self.records.wanted = again;
            self.sealing.wanted = true;
        } else if self.locked && (notes.is_some() || word.not_locked) {
            self.reinstate(store, now)?;
            effects.push(Effect::Changed);
        }
        Ok(())
    }

    fn reinstate(&mut self, store: &mut Store, now: Timestamp) -> Result<(), DeviceError> {
        store.unlock()?;
        self.locked = false;
        self.sealing.work = Work::Idle;
        self.next_part = 0;
        self.begin_session(store, now)
    }

    /// Seals, and hands in the part that the server lacks, once the ordinary exchange has nothing to say.
    pub(super) fn start_sealing(
        &mut self,
        store: &mut Store,
        now: Timestamp,
        effects: &mut Vec<Effect>,
    ) -> Result<(), DeviceError> {
        let lane = &self.sealing;
        if !self.records.lets_others(now)
            || !lane.wanted
            || !lane.is_idle()
            || lane.backoff.until(now).is_some()
        {
            return Ok(());
        }
        let sealed = match store.seal_unsent() {
            // An older server takes no package. What was not sent stays here.
            Ok(None) => {
                self.sealing.wanted = false;
                return Ok(());
            }
            Ok(Some(package)) => {
                let part = self.next_part.min(package.of.saturating_sub(1));
                store.sealed_part(package, part)
            }
            Err(error) => Err(error),
        };
        match sealed {
            Ok(part) => {
                self.number += 1;
                self.sealing.work = Work::HandingIn { n: self.number };
                effects.push(Effect::HandIn { n: self.number, part: Box::new(part) });
                Ok(())
            }
            Err(error) => {
                let random = random(store)?;
                self.sealing.backoff.fail(now, 0, random);
                Err(error)
            }
        }
    }

    pub(super) fn handed_in(
        &mut self,
        n: u64,
        result: Result<HandedIn, NetError>,
        store: &mut Store,
        now: Timestamp,
        effects: &mut Vec<Effect>,
    ) -> Result<(), DeviceError> {
        if !matches!(self.sealing.work, Work::HandingIn { n: mine } if mine == n) {
            return Ok(());
        }
        self.sealing.work = Work::Idle;
        effects.push(Effect::Changed);
        match result {
            Ok(HandedIn { locked: false, .. }) => self.reinstate(store, now),
            // The receipt.
            Ok(HandedIn { next: None, .. }) => self.lock(true, store, now, effects),
            Ok(HandedIn { next: Some(next), .. }) => {
                if next == self.next_part {
                    // It took nothing: asking at once would ask for ever.
                    self.idle_parts += 1;
                } else {
                    self.idle_parts = 0;
                    self.sealing.backoff.clear();
                }
                self.next_part = next;
                if self.idle_parts > 1 {
                    let random = random(store)?;
                    self.sealing.backoff.fail(now, 0, random);
                }
                Ok(())
            }
            Err(error) => {
                self.last_error = Some(LastError { zh: error.zh().into(), en: error.en().into(), at: now });
                if self.lock_if_revoked(&error, store, now, effects)? {
                    return Ok(());
                }
                let random = random(store)?;
                self.sealing.backoff.fail(now, floor_of(&error), random);
                Ok(())
            }
        }
    }
}
