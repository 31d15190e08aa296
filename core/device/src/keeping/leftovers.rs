//! What nothing belongs to any more: originals whose photo is attached already, patrols and visits that were thrown
//! away long enough ago, and notes on records that have left the phone with their grid.

use std::collections::BTreeSet;

use gridwalk_model::photo::PhotoRef;
use gridwalk_model::{ContentHash, Timestamp, Value};
use sha2::{Digest, Sha256};

use crate::error::DeviceError;
use crate::store::{Commit, Store, VoicePlace};

impl Store {
    /// Throws away journaled originals whose photo was attached to a record before a crash came in between. One that
    /// belongs to a draft, or was journaled again after its twin was attached, stays.
    ///
    /// # Errors
    /// Failures of SQLite.
    pub fn sweep_captures(&mut self) -> Result<usize, DeviceError> {
        let loose = self.draft_tray()?.loose;
        if loose.is_empty() {
            return Ok(0);
        }
        let attached = self.attached_originals()?;
        let mut gone = 0;
        for n in loose {
            let Some((body, facts)) = self.journaled_photo(n)? else { continue };
            let hash = ContentHash::from_bytes(Sha256::digest(&body).into());
            if attached.contains(&(hash, facts.at.millis())) {
                self.remove_capture(n)?;
                gone += 1;
            }
        }
        Ok(gone)
    }

    /// Originals of photos that wait for upload or have a receipt, with the time that their capture was given.
    fn attached_originals(&self) -> Result<BTreeSet<(ContentHash, i64)>, DeviceError> {
        let mut out = BTreeSet::new();
        for record in self.view().records_with_uploads()? {
            let Some((_, fields)) = self.fields_any(record)? else { continue };
            for (key, value) in &fields {
                let (true, Value::Bytes(bytes)) = (key.starts_with("photos/"), value) else { continue };
                let Ok(photo) = PhotoRef::from_bytes(bytes) else { continue };
                if let (Some(original), Some(at)) = (photo.original_hash, photo.taken_at) {
                    out.insert((original, at.millis()));
                }
            }
        }
        Ok(out)
    }

    /// Removes patrols and drafts of visits, with their voice notes, that were thrown away no later than `before`. Returns
    /// how many.
    pub(crate) fn sweep_discarded(&mut self, before: Timestamp) -> Result<usize, DeviceError> {
        let (mut patrols, mut visits) = (self.view().discarded_patrols()?, self.view().discarded_visits()?);
        patrols.retain(|patrol| patrol.discarded_at <= before);
        visits.retain(|visit| visit.discarded_at <= before);
        let gone = patrols.len() + visits.len();
        if gone > 0 {
            // The drafts last: a crash in between finds them again.
            let places: Vec<_> = visits.iter().map(|visit| VoicePlace::Visit(visit.n)).collect();
            self.remove_sounds_of(&places)?;
            self.write(Commit::Sweep, |tx| {
                for discarded in &patrols {
                    tx.remove_patrol(discarded.patrol.id)?;
                }
                for discarded in &visits {
                    tx.delete_visit_draft(discarded.n)?;
                }
                Ok(())
            })?;
        }
        Ok(gone)
    }

    /// Forgets what this phone noted before `before` of records that are not on it any more: drafts of visits, what
    /// could be undone at doors. Changes that were not accepted stay: they are the worker's.
    ///
    /// # Errors
    /// Failures of SQLite.
    pub fn forget_departed(&mut self, before: Timestamp) -> Result<usize, DeviceError> {
        self.write(Commit::Sweep, |tx| tx.drop_notes_on_departed(before))
    }
}
