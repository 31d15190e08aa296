//! What is not kept for good: where somebody walked.
//!
//! The file goes before its row: killed in between, the next run removes the row, and nobody can read the track any
//! more. Copies in backups that were made before go with those backups.

use super::Media;
use super::content::Form;
use super::error::MediaError;
use crate::audit::{self, Entry};

/// Tracks that are removed in one transaction.
const BATCH: u32 = 100;

impl Media {
    /// Removes the tracks of patrols that began more than `days` ago. Returns how many. Written down.
    ///
    /// # Errors
    /// Failures of store and disk; what was removed so far stays removed.
    pub fn remove_tracks(&self, days: u32) -> Result<u64, MediaError> {
        let now = self.clock.now();
        let before = now.plus_days(-i64::from(days));
        let mut removed = 0;
        loop {
            let tracks = self.storage.view(|tx| Ok::<_, MediaError>(tx.tracks_before(before, BATCH)?))?;
            if tracks.is_empty() {
                return Ok(removed);
            }
            let mut gone = Vec::new();
            for hash in &tracks {
                // Whatever a patrol calls its track: nothing but a track is removed.
                let form = self.open_blob(hash)?.map(|blob| blob.form);
                if form.is_some_and(|form| form != Form::Track) {
                    continue;
                }
                self.files.remove_blob(hash)?;
                gone.push(*hash);
            }
            self.storage.update(|tx| {
                for hash in &tracks {
                    tx.track_is_removed(hash)?;
                }
                let mut stored = 0u64;
                for hash in &gone {
                    stored += u64::from(tx.media(hash)?.is_some());
                    tx.delete_media(hash)?;
                }
                if stored > 0 {
                    removed += stored;
                    let detail = format!("{stored} tracks of patrols from before {before}");
                    let entry = Entry {
                        actor: "server",
                        action: "tracks.removed",
                        target: "media",
                        detail: &detail,
                        alarm: false,
                    };
                    audit::append(tx, now, &entry)?;
                }
                Ok::<_, MediaError>(())
            })?;
        }
    }
}

#[cfg(test)]
mod tests {
    use gridwalk_model::time::DAY_MS;
    use std::sync::Arc;

    use gridwalk_model::geo::track::Path;
    use gridwalk_model::geo::{Fix, LatLon};
    use gridwalk_model::{ContentHash, Kind, RecordId, Timestamp, Value};

    use super::*;
    use crate::media::MediaLimits;
    use crate::sync::Principal;
    use crate::testing::{Phone, World};

    fn track(n: i64) -> (ContentHash, Vec<u8>) {
        let fix = |at: i64| Fix {
            at: Timestamp::from_millis(at),
            point: LatLon { lat: 36.0, lon: 120.0 + n as f64 / 1_000.0 },
        };
        let bytes = Path::new(&[fix(1_000), fix(2_000)], 60_000).to_bytes();
        (ContentHash::from_bytes(gridwalk_evidence::sha256(&bytes)), bytes)
    }

    fn patrol(phone: &mut Phone, world: &World, area: RecordId, hash: &ContentHash) -> RecordId {
        let fields = [
            ("area", area.into()),
            ("worker", phone.user.into()),
            ("started_at", Value::Time(world.now())),
            ("track", Value::Bytes(hash.as_bytes().to_vec())),
        ];
        let id = phone.create(world, Kind::Patrol, &fields);
        phone.sync(world);
        id
    }

    fn removals(world: &World) -> usize {
        let log = world.store().view(|tx| tx.audit(0, 1_000)).unwrap();
        log.iter().filter(|row| row.action == "tracks.removed").count()
    }

    #[test]
    fn a_track_goes_thirty_days_after_its_walk_however_late_it_came() {
        let world = World::new();
        let folder = tempfile::tempdir().unwrap();
        let (storage, clock) = (world.storage.clone() as _, world.clock.clone() as _);
        let media = Media::open(folder.path(), storage, clock, MediaLimits::default()).unwrap();
        let g1 = world.area("g1");
        let mut phone = world.worker("甲", &[g1]);
        phone.sync(&world);
        let principal: Principal = world.principal(phone.device).unwrap();
        let ((old, old_bytes), (new, new_bytes), (late, late_bytes)) = (track(1), track(2), track(3));
        patrol(&mut phone, &world, g1, &old);
        patrol(&mut phone, &world, g1, &late);
        media.take_whole(&principal, old, &old_bytes).unwrap();
        world.clock.advance(20 * DAY_MS);
        patrol(&mut phone, &world, g1, &new);
        media.take_whole(&principal, new, &new_bytes).unwrap();
        assert_eq!(media.remove_tracks(30).unwrap(), 0);
        world.clock.advance(11 * DAY_MS);
        assert_eq!(media.remove_tracks(30).unwrap(), 1);
        assert!(media.open_blob(&old).unwrap().is_none() && media.open_blob(&new).unwrap().is_some());
        assert_eq!((media.remove_tracks(30).unwrap(), removals(&world)), (0, 1));
        // What arrives after its time, for the first time or again, goes with the next run.
        media.take_whole(&principal, late, &late_bytes).unwrap();
        media.take_whole(&principal, old, &old_bytes).unwrap();
        assert_eq!(media.remove_tracks(30).unwrap(), 2);
        assert_eq!(media.remove_tracks(9).unwrap(), 1, "a deployment may keep them for less");
        assert_eq!(removals(&world), 3);
    }

    #[test]
    fn a_photo_that_a_patrol_calls_its_track_stays() {
        let world = World::new();
        let folder = tempfile::tempdir().unwrap();
        let (storage, clock): (Arc<dyn crate::storage::Storage>, _) =
            (world.storage.clone() as _, world.clock.clone() as _);
        let media = Media::open(folder.path(), storage, clock, MediaLimits::default()).unwrap();
        let g1 = world.area("g1");
        let mut phone = world.worker("甲", &[g1]);
        phone.sync(&world);
        let photo = crate::media::test_support::photo(1);
        let hash = ContentHash::from_bytes(gridwalk_evidence::sha256(&photo));
        let principal = world.principal(phone.device).unwrap();
        media.take_whole(&principal, hash, &photo).unwrap();
        patrol(&mut phone, &world, g1, &hash);
        world.clock.advance(31 * DAY_MS);
        assert_eq!(media.remove_tracks(30).unwrap(), 0);
        assert!(media.open_blob(&hash).unwrap().is_some());
    }
}
