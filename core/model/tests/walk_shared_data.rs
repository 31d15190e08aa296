//! Patrols on real walks: recorded GPX tracks are measured, stored and exported again. Where the shared data is absent
//! the test says so and proves nothing; see `geo_shared_data.rs`.

// Test code, but its helpers are outside `#[test]` functions, where clippy does not see that.
#![allow(clippy::unwrap_used, clippy::indexing_slicing)]

use std::fs;
use std::path::PathBuf;

use gridwalk_model::geo::{Path, TrackPoint, read_gpx};
use gridwalk_model::time::Timestamp;
use gridwalk_model::walk::{PatrolRules, Walk};

#[path = "../../../tests/support/shared_data.rs"]
mod shared_data;

fn tracks() -> Vec<PathBuf> {
    let Some(folder) = shared_data::shared("tracks") else { return Vec::new() };
    let found = fs::read_dir(folder).unwrap();
    let tracks: Vec<PathBuf> = found
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|e| e == "gpx"))
        .collect();
    assert!(tracks.len() >= 4, "{} tracks are too few to prove anything", tracks.len());
    tracks
}

#[test]
fn real_walks_are_measured_stored_and_exported() {
    let rules = PatrolRules::default();
    for path in tracks() {
        let file = read_gpx(&fs::read(&path).unwrap()).unwrap();
        for track in &file.tracks {
            let mut fixes = track.timed_fixes();
            if fixes.is_empty() {
                fixes = track.paced_fixes(Timestamp::from_millis(1_760_000_000_000), 1.2);
            }
            let points: Vec<TrackPoint> = fixes.iter().copied().map(TrackPoint::bare).collect();
            let walk = Walk::measure(&points, &[], &rules);
            assert_eq!(walk.recorded, points.len());
            assert_eq!(walk.path.fixes().count() + walk.dropped + walk.mock, points.len());
            let bytes = walk.track(&rules).unwrap();
            assert!(bytes.len() <= points.len() * 6 + 64 && bytes.len() <= rules.track_max_bytes);
            let stored = Path::from_bytes(&bytes).unwrap();
            assert_eq!(stored.gaps().len(), walk.gaps.len(), "{}", path.display());
            let exported = read_gpx(stored.to_gpx("walk").as_bytes()).unwrap();
            assert_eq!((exported.skipped_points, exported.bad_times), (0, 0));
            let fixes: usize = exported.tracks.iter().map(|track| track.timed_fixes().len()).sum();
            assert_eq!(fixes, stored.fixes().count());
            assert!(stored.length_m() <= walk.path.length_m() + 1.0);
        }
    }
}
