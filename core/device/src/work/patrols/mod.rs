//! Patrols: a walk that the worker starts and ends.
//!
//! While it lasts, each point is journaled on its own, so a kill loses at most the one that was on its way. At its end
//! the points are filtered, measured and simplified; the track goes into the media file, then, in one transaction,
//! the record is made, the upload waits and the journal is emptied. A crash between the two leaves bytes that the same
//! end makes again, and that are swept up otherwise.
//!
//! A track is never live: nothing of a patrol leaves the phone before the worker ends it. After 30 days its points
//! are gone from here, sent or not (design text 1); the measures stay in the record.

#[cfg(test)]
mod tests;

use std::collections::BTreeSet;

use gridwalk_model::geo::sampling::NextFix;
use gridwalk_model::geo::{Path, TrackPoint};
use gridwalk_model::records::{BaseVerification, Patrol, Place, Visit};
use gridwalk_model::walk::{OutdoorPoint, PatrolRules, Walk};
use gridwalk_model::{ContentHash, Kind, Record, RecordId, Timestamp};

use crate::edit::Edits;
use crate::error::DeviceError;
use crate::store::{Commit, DiscardedPatrol, MediaForm, OpenPatrol, Store, day_in};
use crate::work::doors::WhoLives;

/// The patrol under way, as a screen shows it.
#[derive(Clone, Debug, PartialEq)]
pub struct PatrolNow {
    /// Which one.
    pub patrol: OpenPatrol,
    /// What it has come to so far.
    pub walk: Walk,
    /// Doors and places that were visited or verified on it. Doors count by this only, never by being near.
    pub reached: BTreeSet<RecordId>,
    /// When the next point is wanted.
    pub next: NextFix,
}

/// A patrol that has just ended.
#[derive(Clone, Debug, PartialEq)]
pub struct PatrolEnded {
    /// The record.
    pub id: RecordId,
    /// What it came to.
    pub walk: Walk,
    /// The stored track; none if there was no good point.
    pub track: Option<ContentHash>,
}

impl Store {
    /// Starts a patrol of a grid. From now on, and only now, points are recorded.
    ///
    /// # Errors
    /// [`DeviceError::PatrolUnderWay`], [`DeviceError::NotEnrolled`].
    pub fn start_patrol(&mut self, area: RecordId, now: Timestamp) -> Result<OpenPatrol, DeviceError> {
        self.write(Commit::Edit, |tx| {
            tx.identity()?;
            if tx.open_patrol()?.is_some() {
                return Err(DeviceError::PatrolUnderWay);
            }
            let patrol = OpenPatrol { id: tx.new_id(now)?, area, started_at: now };
            tx.insert_patrol(&patrol)?;
            Ok(patrol)
        })
    }

    /// The patrol under way: to be asked for when the app starts, since it survives a kill.
    ///
    /// # Errors
    /// Failures of SQLite.
    pub fn open_patrol(&self) -> Result<Option<OpenPatrol>, DeviceError> {
        self.view().open_patrol()
    }

    /// Journals points in the order in which the platform gave them, durable when this returns, and says when the next
    /// is wanted; `saving` for a weak battery. Points from before the start of the patrol (a provider's old fix), and
    /// those that are nowhere on earth, are left out.
    ///
    /// # Errors
    /// [`DeviceError::NoPatrol`], [`DeviceError::StorageFull`].
    pub fn journal_points(
        &mut self,
        points: &[TrackPoint],
        saving: bool,
        rules: &PatrolRules,
    ) -> Result<NextFix, DeviceError> {
        let patrol = self.open_patrol()?.ok_or(DeviceError::NoPatrol)?;
        let fits =
            |point: &&TrackPoint| point.fix.at >= patrol.started_at && point.fix.point.checked().is_ok();
        let kept: Vec<TrackPoint> = points.iter().filter(fits).copied().map(storable).collect();
        if !kept.is_empty() {
            self.put_patrol_points(patrol.id, &kept)?;
        }
        self.next_fix(patrol.id, saving, rules)
    }

    fn next_fix(&self, id: RecordId, saving: bool, rules: &PatrolRules) -> Result<NextFix, DeviceError> {
        let latest = self.view().last_patrol_points(id, 2)?;
        Ok(rules.sampling.next(latest.get(1), latest.first(), saving))
    }

    /// The patrol under way, measured: path, gaps, metres, outdoor points. `None` if there is none.
    ///
    /// # Errors
    /// Failures of SQLite.
    pub fn patrol_now(&self, rules: &PatrolRules) -> Result<Option<PatrolNow>, DeviceError> {
        let Some(patrol) = self.open_patrol()? else { return Ok(None) };
        let walk = self.measure(&patrol, rules)?;
        let reached = self.reached_on(patrol.id)?;
        Ok(Some(PatrolNow { walk, reached, next: self.next_fix(patrol.id, false, rules)?, patrol }))
    }

    fn measure(&self, patrol: &OpenPatrol, rules: &PatrolRules) -> Result<Walk, DeviceError> {
        let points = self.view().patrol_points(patrol.id)?;
        Ok(Walk::measure(&points, &self.outdoor_points(patrol.area)?, rules))
    }

    /// The outdoor points of a grid: places with a position that have no door and no company in them. Doors, and
    /// whoever is behind one, count by a visit only.
    ///
    /// # Errors
    /// Failures of SQLite.
    pub fn outdoor_points(&self, area: RecordId) -> Result<Vec<OutdoorPoint>, DeviceError> {
        let places = self.list::<Place>(None, usize::MAX)?.entries;
        let outdoor = places.into_iter().filter(|place| {
            let place = &place.record;
            place.area == area
                && place.closed != Some(true)
                && place.dwelling.is_none()
                && place.organization.is_none()
        });
        Ok(outdoor
            .filter_map(|place| {
                let position = place.record.position?;
                Some(OutdoorPoint { record: place.id, point: position.point() })
            })
            .collect())
    }

    /// What was reached on a patrol: not where nobody opened, nor by telephone. Whoever was visited counts by the door where they live.
    ///
    /// # Errors
    /// Failures of SQLite.
    pub fn reached_on(&self, patrol: RecordId) -> Result<BTreeSet<RecordId>, DeviceError> {
        let verified = self.list_linked::<BaseVerification>("patrol", patrol)?.into_iter();
        let verified = verified.map(|entry| entry.record);
        let opened = verified.filter(BaseVerification::reaches);
        let visited = self.list_linked::<Visit>("patrol", patrol)?.into_iter().map(|entry| entry.record);
        let met = visited.filter(|visit| visit.result.is_complete()).map(|visit| (visit.target, visit.at));
        let local = self.field_rules()?.local();
        opened
            .map(|made| (made.target, made.at))
            .chain(met)
            .map(|(target, at)| {
                let door = WhoLives::on(self.view(), day_in(local, at)?).door_of(target)?;
                Ok(door.unwrap_or(target))
            })
            .collect()
    }

    /// Ends the patrol: the record with its measures, and the track as a medium that waits for upload.
    ///
    /// # Errors
    /// [`DeviceError::NoPatrol`], [`DeviceError::Invalid`] for remarks that are too long, [`DeviceError::StorageFull`];
    /// then the patrol goes on.
    pub fn end_patrol(
        &mut self,
        remarks: Option<String>,
        rules: &PatrolRules,
        now: Timestamp,
    ) -> Result<PatrolEnded, DeviceError> {
        let patrol = self.open_patrol()?.ok_or(DeviceError::NoPatrol)?;
        let walk = self.measure(&patrol, rules)?;
        let bytes = walk.track(rules);
        let track = bytes.as_ref().map(|bytes| ContentHash::from_bytes(gridwalk_evidence::sha256(bytes)));
        if let (Some(hash), Some(bytes)) = (track, &bytes) {
            self.put_media(&[(hash, MediaForm::Track, bytes)], now)?;
        }
        let length = bytes.map_or(0, |bytes| bytes.len() as u64);
        self.write(Commit::Edit, |tx| {
            let record = Patrol {
                area: patrol.area,
                worker: tx.identity()?.user,
                started_at: patrol.started_at,
                // The phone's clock may have been set back.
                ended_at: Some(now.max(patrol.started_at)),
                track,
                metres: Some(walk.metres.clamp(0, 1_000_000)),
                outdoor_coverage: walk.coverage_percent.map(i64::from),
                remarks,
            };
            Edits::over(tx, now).create_with_id(patrol.id, Kind::Patrol, &record.to_fields())?;
            if let Some(hash) = track {
                tx.add_upload(&hash, patrol.id, MediaForm::Track, length, now)?;
            }
            tx.remove_patrol(patrol.id)
        })?;
        Ok(PatrolEnded { id: patrol.id, walk, track })
    }

    /// Throws the patrol under way and its points away, as if it had not been started. Returns whether there was one. It
    /// can be taken back by [`Self::restore_patrol`] until [`Self::sweep_drafts`] finds it old enough; its points are
    /// not sent, nor handed in, meanwhile.
    ///
    /// # Errors
    /// Failures of SQLite.
    pub fn discard_patrol(&mut self, now: Timestamp) -> Result<bool, DeviceError> {
        let Some(patrol) = self.open_patrol()? else { return Ok(false) };
        self.write(Commit::Edit, |tx| tx.discard_patrol(patrol.id, Some(now)))?;
        Ok(true)
    }

    /// Patrols that were thrown away and can be taken back, the last one first.
    ///
    /// # Errors
    /// Failures of SQLite.
    pub fn discarded_patrols(&self) -> Result<Vec<DiscardedPatrol>, DeviceError> {
        self.view().discarded_patrols()
    }

    /// Takes a patrol back that was thrown away: it is under way again with its points, and what was walked meanwhile is a
    /// gap. The same again changes nothing.
    ///
    /// # Errors
    /// [`DeviceError::PatrolUnderWay`] while another is, [`DeviceError::UnknownRecord`] where it was swept or ended.
    pub fn restore_patrol(&mut self, id: RecordId) -> Result<OpenPatrol, DeviceError> {
        self.write(Commit::Edit, |tx| {
            match tx.open_patrol()? {
                Some(open) if open.id == id => return Ok(open),
                Some(_) => return Err(DeviceError::PatrolUnderWay),
                None => {}
            }
            let found = tx.discarded_patrols()?.into_iter().find(|discarded| discarded.patrol.id == id);
            let found = found.ok_or(DeviceError::UnknownRecord { record: id })?;
            tx.discard_patrol(id, None)?;
            Ok(found.patrol)
        })
    }

    /// The path of a patrol: of the one under way from its journal, of an ended one from its track. `None` if its
    /// points are not on this phone (any more).
    ///
    /// # Errors
    /// [`DeviceError::UnknownRecord`], [`DeviceError::Damaged`].
    pub fn patrol_path(&self, id: RecordId, rules: &PatrolRules) -> Result<Option<Path>, DeviceError> {
        if let Some(patrol) = self.open_patrol()?.filter(|patrol| patrol.id == id) {
            return Ok(Some(self.measure(&patrol, rules)?.path));
        }
        let patrol = self.get::<Patrol>(id)?.ok_or(DeviceError::UnknownRecord { record: id })?;
        let Some(hash) = patrol.record.track else { return Ok(None) };
        let Some(bytes) = self.media(&hash)? else { return Ok(None) };
        Path::from_bytes(&bytes).map(Some).map_err(|_| DeviceError::Damaged)
    }

    /// The same as a GPX 1.1 file, named by the day and the patrol's identifier and by nobody's name.
    ///
    /// # Errors
    /// As [`Self::patrol_path`].
    pub fn patrol_gpx(&self, id: RecordId, rules: &PatrolRules) -> Result<Option<String>, DeviceError> {
        Ok(self.patrol_path(id, rules)?.map(|path| path.to_gpx(&format!("Gridwalk {id}"))))
    }

    /// Removes the points of patrols after their days, from journal and media, whether the server has them or not:
    /// what is older is nobody's business any more. Returns how many tracks went. [`Self::sweep_media`] does so too.
    ///
    /// # Errors
    /// Failures of SQLite.
    pub fn expire_tracks(&mut self, rules: &PatrolRules, now: Timestamp) -> Result<usize, DeviceError> {
        let before = now.plus_days(rules.keep_days.saturating_neg());
        self.drop_patrol_points(before)?;
        let expired = self.media_older_than(MediaForm::Track, before)?;
        if !expired.is_empty() {
            self.write(Commit::Sweep, |tx| tx.forget_uploads(&expired))?;
            self.remove_media(&expired)?;
        }
        Ok(expired.len())
    }
}

/// SQLite keeps no NaN: an accuracy that is no number is as bad as one can be, a speed that is none is not known.
fn storable(point: TrackPoint) -> TrackPoint {
    TrackPoint {
        accuracy_m: point.accuracy_m.map(|metres| if metres.is_nan() { f32::MAX } else { metres }),
        speed_mps: point.speed_mps.filter(|speed| speed.is_finite()),
        ..point
    }
}
