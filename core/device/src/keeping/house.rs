//! The one call that tidies up: once a day, and when the shift ends.

use gridwalk_model::time::{DAY_MS, HOUR_MS};
use gridwalk_model::{ContentHash, Timestamp};

use super::{KeepingLimits, PhoneState, Saving};
use crate::error::DeviceError;
use crate::store::{Commit, Setting, Store};

/// What house-keeping came to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Kept {
    /// Media that went because their time was over: photos after their receipt, tracks after their days, leftovers.
    pub media: usize,
    /// Reports, drafts of visits and patrols that were thrown away long enough ago.
    pub drafts: usize,
    /// Originals whose photo was attached already.
    pub captures: usize,
    /// Notes on records that have left with their grid.
    pub notes: usize,
    /// Media that went before their time, to make room.
    pub evicted: usize,
    /// Bytes that the store takes now.
    pub bytes: u64,
    /// Bytes of it above the budget that cannot go: they are not at the server, or not in a backup of it, yet.
    pub over: u64,
}

impl Store {
    /// Removes whatever need not be here any more, and then, if the store is beyond its budget or the phone is short of
    /// space, what can be fetched again: photos of others, own photos that are in a backup of the server, previews of
    /// others. Nothing that only this phone has is removed, tracks after their days excepted.
    ///
    /// # Errors
    /// Failures of SQLite; what was done so far stays done.
    pub fn keep_house(
        &mut self,
        limits: &KeepingLimits,
        state: &PhoneState,
        now: Timestamp,
    ) -> Result<Kept, DeviceError> {
        let mut kept = Kept {
            media: self.expire_tracks(&limits.patrols, now)? + self.sweep_received(now, limits.photos_ms)?,
            drafts: self.sweep_drafts(now)?,
            captures: self.sweep_captures()?,
            notes: self.forget_departed(now.plus_millis(limits.departed_ms.saturating_neg()))?,
            ..Kept::default()
        };
        let short = Saving::of(state, limits).storage;
        if short {
            // Previews go for the budget only.
            for evict in [Evict::Fetched, Evict::BackedUp] {
                kept.evicted += self.evict(evict, u64::MAX, now)?;
            }
        }
        kept.evicted += self.evict_beyond(limits.budget_bytes, now)?;
        self.give_space_back()?;
        kept.bytes = self.used_bytes()?;
        kept.over = kept.bytes.saturating_sub(limits.budget_bytes);
        Ok(kept)
    }

    /// [`Self::keep_house`], if that was not done within a day, or within an hour while the phone is short of space. A
    /// clock that was put back is no reason to wait.
    ///
    /// # Errors
    /// As there.
    pub fn keep_house_daily(
        &mut self,
        limits: &KeepingLimits,
        state: &PhoneState,
        now: Timestamp,
    ) -> Result<Option<Kept>, DeviceError> {
        let last = self.view().get_number(Setting::HouseKept)?.unwrap_or(i64::MIN);
        let every = if Saving::of(state, limits).storage { HOUR_MS } else { DAY_MS };
        if (last..last.saturating_add(every)).contains(&now.millis()) {
            return Ok(None);
        }
        let kept = self.keep_house(limits, state, now)?;
        self.write(Commit::Setting, |tx| tx.put_number(Setting::HouseKept, now.millis()))?;
        Ok(Some(kept))
    }

    /// Removes what can be fetched again until the store takes no more than `budget` bytes, or nothing such is left.
    pub(crate) fn evict_beyond(&mut self, budget: u64, now: Timestamp) -> Result<usize, DeviceError> {
        let mut gone = 0;
        for evict in [Evict::Fetched, Evict::BackedUp, Evict::Previews] {
            let excess = self.used_bytes()?.saturating_sub(budget);
            gone += self.evict(evict, excess, now)?;
        }
        Ok(gone)
    }

    /// Removes media of one sort, the oldest first, until `wanted` bytes are free.
    fn evict(&mut self, what: Evict, wanted: u64, now: Timestamp) -> Result<usize, DeviceError> {
        if wanted == 0 {
            return Ok(0);
        }
        let mut gone: Vec<ContentHash> = Vec::new();
        let mut freed = 0;
        for (hash, bytes) in self.evictable(what, now)? {
            if freed >= wanted {
                break;
            }
            freed = freed.saturating_add(bytes);
            gone.push(hash);
        }
        if !gone.is_empty() {
            self.forget_media(what, &gone, now)?;
        }
        Ok(gone.len())
    }
}

/// What may go before its time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Evict {
    /// Full photos that were fetched to be looked at.
    Fetched,
    /// Own full photos and voice notes whose receipt is in a backup.
    BackedUp,
    /// Previews of photos that others took.
    Previews,
}
