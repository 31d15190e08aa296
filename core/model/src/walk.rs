//! What a patrol comes to: the path, how far it went, what it came by. One pure function of the recorded points,
//! for the phone that shows it and the server that checks it.

use crate::geo::coverage::{DEFAULT_RADIUS_M, reached_percent};
use crate::geo::sampling::Sampling;
use crate::geo::simplify::DEFAULT_TOLERANCE_M;
use crate::geo::track::{DEFAULT_GAP_MS, Gap};
use crate::geo::track_filter::Filtered;
use crate::geo::{LatLon, Path, TrackFilter, TrackPoint};
use crate::id::RecordId;

/// How patrols are recorded and measured. Data that a deployment may set otherwise.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct PatrolRules {
    /// How often points are wanted.
    pub sampling: Sampling,
    /// Which points are good.
    pub filter: TrackFilter,
    /// A longer pause between points is a gap, in milliseconds.
    pub gap_ms: i64,
    /// A shorter step does not count as walked, in metres.
    pub min_step_m: f64,
    /// How far the stored path may be from the recorded one, in metres.
    pub tolerance_m: f64,
    /// Who passes an outdoor point within this many metres has come by.
    pub radius_m: f64,
    /// The longest encoded track, in bytes: what the server takes.
    pub track_max_bytes: usize,
    /// Days after which a track is gone from the phone (design text 1).
    pub keep_days: i64,
}

impl Default for PatrolRules {
    fn default() -> Self {
        Self {
            sampling: Sampling::default(),
            filter: TrackFilter::default(),
            gap_ms: DEFAULT_GAP_MS,
            min_step_m: DEFAULT_TOLERANCE_M,
            tolerance_m: DEFAULT_TOLERANCE_M,
            radius_m: DEFAULT_RADIUS_M,
            track_max_bytes: 1024 * 1024,
            keep_days: 30,
        }
    }
}

/// A point outdoors that a round should come by. Doors are none: they count by a visit only, since all doors of a
/// tower share one point.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct OutdoorPoint {
    /// The record that is there.
    pub record: RecordId,
    /// Where.
    pub point: LatLon,
}

/// A patrol, measured.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Walk {
    /// The good points as a path, gaps kept.
    pub path: Path,
    /// The times of which nothing is known. They are shown, and never bridged.
    pub gaps: Vec<Gap>,
    /// Metres walked, rounded down, gaps not bridged.
    pub metres: i64,
    /// Each outdoor point, and whether the path came by.
    pub outdoor: Vec<(RecordId, bool)>,
    /// The share of them in whole percent; `None` where there are none.
    pub coverage_percent: Option<u8>,
    /// How many points were recorded, made-up and bad ones included.
    pub recorded: usize,
    /// Points that an app made up.
    pub mock: usize,
    /// Points left out for any other reason.
    pub dropped: usize,
}

impl Walk {
    /// Measures recorded points.
    pub fn measure(points: &[TrackPoint], outdoor: &[OutdoorPoint], rules: &PatrolRules) -> Self {
        let filtered: Filtered = rules.filter.apply(points);
        let path = filtered.path(rules.gap_ms);
        let targets: Vec<LatLon> = outdoor.iter().map(|target| target.point).collect();
        let reached = path.reached(&targets, rules.radius_m);
        Self {
            gaps: path.gaps(),
            metres: path.walked_m(rules.min_step_m) as i64,
            coverage_percent: reached_percent(&reached),
            outdoor: outdoor.iter().map(|target| target.record).zip(reached).collect(),
            recorded: points.len(),
            mock: filtered.mock,
            dropped: filtered.inaccurate + filtered.too_fast + filtered.same_time,
            path,
        }
    }

    /// The path as it is stored: simplified, and more coarsely if it would be too long. The same walk always gives the
    /// same bytes. `None` if there is no path, or none that fits.
    pub fn track(&self, rules: &PatrolRules) -> Option<Vec<u8>> {
        if self.path.stretches().is_empty() {
            return None;
        }
        let mut tolerance = rules.tolerance_m.max(1.0);
        // At 20 km every stretch is down to its ends.
        while tolerance < 20_000.0 {
            let bytes = self.path.simplify(tolerance).to_bytes();
            if bytes.len() <= rules.track_max_bytes {
                return Some(bytes);
            }
            tolerance *= 2.0;
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::geo::Fix;
    use crate::geo::LocalFrame;
    use crate::time::Timestamp;

    fn at(north_m: f64, east_m: f64) -> LatLon {
        LocalFrame::at(LatLon { lat: 36.1, lon: 120.47 }).to_globe(geo::Coord { x: east_m, y: north_m })
    }

    fn point(seconds: i64, north_m: f64) -> TrackPoint {
        TrackPoint::bare(Fix { at: Timestamp::from_millis(seconds * 1000), point: at(north_m, 0.0) })
    }

    fn target(n: u8, north_m: f64, east_m: f64) -> OutdoorPoint {
        OutdoorPoint { record: RecordId::from_bytes([n; 16]), point: at(north_m, east_m) }
    }

    #[test]
    fn a_walk_with_a_gap_is_measured_on_both_sides_of_it() {
        let mut points: Vec<TrackPoint> = (0..=10).map(|i| point(i * 10, i as f64 * 10.0)).collect();
        points.push(TrackPoint { mock: true, ..point(105, 5_000.0) });
        points.extend((0..=10).map(|i| point(1_000 + i * 10, 500.0 + i as f64 * 10.0)));
        let rules = PatrolRules::default();
        let outdoor = [target(1, 50.0, 20.0), target(2, 300.0, 0.0), target(3, 550.0, 0.0)];
        let walk = Walk::measure(&points, &outdoor, &rules);
        assert!((198..=200).contains(&walk.metres), "{}", walk.metres);
        assert_eq!(walk.gaps.len(), 1);
        assert_eq!(walk.outdoor.iter().map(|found| found.1).collect::<Vec<_>>(), [true, false, true]);
        assert_eq!(walk.coverage_percent, Some(66));
        assert_eq!((walk.recorded, walk.mock, walk.dropped), (23, 1, 0));
        let stored = Path::from_bytes(&walk.track(&rules).unwrap()).unwrap();
        assert_eq!(stored.stretches().len(), 2, "the gap is still one");
        assert!((stored.length_m() - 200.0).abs() < 1.0);
    }

    #[test]
    fn no_points_are_no_track_and_a_long_one_is_made_to_fit() {
        let rules = PatrolRules::default();
        assert_eq!(Walk::measure(&[], &[], &rules).track(&rules), None);
        let zigzag: Vec<TrackPoint> = (0..2_000)
            .map(|i| {
                let fix = Fix {
                    at: Timestamp::from_millis(i * 10_000),
                    point: at(i as f64 * 3.0, if i % 2 == 0 { 0.0 } else { 50.0 }),
                };
                TrackPoint::bare(fix)
            })
            .collect();
        let small = PatrolRules { track_max_bytes: 400, ..rules };
        let walk = Walk::measure(&zigzag, &[], &small);
        assert!(walk.track(&rules).unwrap().len() > 5_000);
        assert!(walk.track(&small).unwrap().len() <= 400);
    }

    proptest! {
        #[test]
        fn a_track_is_stored_alike_and_close(
            steps in proptest::collection::vec((1i64..300, -30.0..30.0f64), 1..60),
        ) {
            let (mut seconds, mut north) = (0, 0.0);
            let points: Vec<TrackPoint> = steps
                .iter()
                .map(|(step, up)| {
                    (seconds, north) = (seconds + step, north + up);
                    point(seconds, north)
                })
                .collect();
            let rules = PatrolRules::default();
            let walk = Walk::measure(&points, &[], &rules);
            let bytes = walk.track(&rules).unwrap();
            prop_assert_eq!(walk.track(&rules), Some(bytes.clone()));
            let stored = Path::from_bytes(&bytes).unwrap();
            prop_assert_eq!(stored.gaps().len(), walk.gaps.len());
            prop_assert!(stored.length_m() <= walk.path.length_m() + 1.0);
        }
    }
}
