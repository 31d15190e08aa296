//! The two lanes of media: ask what the server lacks, upload it, ask for the receipts.

use gridwalk_model::{ContentHash, Timestamp};
use gridwalk_replica::protocol::ProtocolError;

use super::{Effect, Engine, LaneState, Work, floor_of, random};
use crate::error::DeviceError;
use crate::net::NetError;
use crate::store::{Lane, Store};

/// Media asked about at once.
const ASK_MAX: usize = 100;
/// How long a medium that cannot be uploaded waits, so that others go on.
const STUCK_MS: i64 = 10 * 60 * 1000;

impl Engine {
    pub(super) fn start_media(
        &mut self,
        lane: Lane,
        store: &Store,
        now: Timestamp,
        effects: &mut Vec<Effect>,
    ) -> Result<(), DeviceError> {
        let number = self.number + 1;
        let state = self.lane(lane);
        if !state.wanted || !state.is_idle() || state.backoff.until(now).is_some() {
            return Ok(());
        }
        let waiting = store.view().uploads_waiting(lane, now, ASK_MAX)?;
        if waiting.is_empty() {
            state.wanted = false;
            return Ok(());
        }
        state.work = Work::Asking { n: number };
        self.number = number;
        let hashes = waiting.into_iter().map(|upload| upload.hash).collect();
        effects.push(Effect::AskMissing { n: number, hashes });
        Ok(())
    }

    /// Whether a lane waits for better times.
    pub(super) const fn puts_off(&self, lane: Lane) -> bool {
        match lane {
            Lane::Preview => self.saving.small_media_waits,
            Lane::Full => self.saving.photos_wait,
        }
    }

    const fn lane(&mut self, lane: Lane) -> &mut LaneState {
        match lane {
            Lane::Preview => &mut self.previews,
            Lane::Full => &mut self.photos,
        }
    }

    pub(super) fn told_missing(
        &mut self,
        n: u64,
        result: Result<(Vec<ContentHash>, Vec<ContentHash>), NetError>,
        store: &mut Store,
        now: Timestamp,
        effects: &mut Vec<Effect>,
    ) -> Result<(), DeviceError> {
        let Some(lane) = self.lane_of(|work| matches!(work, Work::Asking { n: mine } if *mine == n)) else {
            return Ok(());
        };
        self.lane(lane).work = Work::Idle;
        let (missing, stored) = match result {
            Ok(told) => told,
            Err(error) => return self.media_failed(lane, &error, store, now, effects),
        };
        self.lane(lane).backoff.clear();
        if !stored.is_empty() {
            store.receipts(&stored, now)?;
            effects.push(Effect::Changed);
        }
        if missing.is_empty() && stored.is_empty() {
            // A server that says nothing of what was asked.
            return self.media_failed(lane, &NetError::Unreadable, store, now, effects);
        }
        self.upload_next(lane, missing, store, effects)
    }

    /// Begins the upload of the first of `rest`. At the end the server is asked for its receipts.
    fn upload_next(
        &mut self,
        lane: Lane,
        mut rest: Vec<ContentHash>,
        store: &mut Store,
        effects: &mut Vec<Effect>,
    ) -> Result<(), DeviceError> {
        while !rest.is_empty() && !self.puts_off(lane) {
            let hash = rest.remove(0);
            let Some(upload) = store.view().upload(&hash)? else { continue };
            if store.media_len(&hash)?.is_none() {
                // Its bytes are gone (a damaged media file): nothing can be sent.
                store.lose_upload(&hash)?;
                continue;
            }
            self.number += 1;
            let n = self.number;
            self.lane(lane).work = Work::Uploading { n, rest };
            effects.push(Effect::Upload { n, upload });
            return Ok(());
        }
        self.lane(lane).wanted = true;
        Ok(())
    }

    pub(super) fn uploaded(
        &mut self,
        n: u64,
        hash: ContentHash,
        result: Result<(), NetError>,
        store: &mut Store,
        now: Timestamp,
        effects: &mut Vec<Effect>,
    ) -> Result<(), DeviceError> {
        let Some(lane) = self.lane_of(|work| matches!(work, Work::Uploading { n: mine, .. } if *mine == n))
        else {
            return Ok(());
        };
        let Work::Uploading { rest, .. } = std::mem::take(&mut self.lane(lane).work) else { return Ok(()) };
        effects.push(Effect::Changed);
        match result {
            Ok(()) => {
                self.lane(lane).backoff.clear();
                self.upload_next(lane, rest, store, effects)
            }
            Err(NetError::Server(ProtocolError::Malformed { .. } | ProtocolError::TooLarge)) => {
                // This one is at fault: the others go on.
                store.refuse_upload(&hash, now.plus_millis(STUCK_MS), now)?;
                self.upload_next(lane, rest, store, effects)
            }
            Err(error) => self.media_failed(lane, &error, store, now, effects),
        }
    }

    fn media_failed(
        &mut self,
        lane: Lane,
        error: &NetError,
        store: &mut Store,
        now: Timestamp,
        effects: &mut Vec<Effect>,
    ) -> Result<(), DeviceError> {
        if self.tell_failure(error, store, now, effects)? {
            return Ok(());
        }
        let random = random(store)?;
        let state = self.lane(lane);
        state.wanted = true;
        state.backoff.fail(now, floor_of(error), random);
        effects.push(Effect::Changed);
        Ok(())
    }

    fn lane_of(&self, matches: impl Fn(&Work) -> bool) -> Option<Lane> {
        if matches(&self.previews.work) {
            Some(Lane::Preview)
        } else if matches(&self.photos.work) {
            Some(Lane::Full)
        } else {
            None
        }
    }
}
