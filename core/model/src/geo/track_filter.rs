//! Throwing out points of a track that cannot be right.

use super::distance::distance_m;
use super::track::{Fix, Path, TrackPoint, millis_between};

/// What counts as a good point.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct TrackFilter {
    /// Points with a worse accuracy are dropped, in metres. Points without one are kept.
    pub max_accuracy_m: f32,
    /// Nobody on patrol is faster, in metres per second.
    pub max_speed_mps: f64,
    /// Whether made-up points are kept.
    pub keep_mock: bool,
}

impl Default for TrackFilter {
    /// 50 m, 30 m/s (108 km/h: a car between two villages), no made-up points.
    fn default() -> Self {
        Self { max_accuracy_m: 50.0, max_speed_mps: 30.0, keep_mock: false }
    }
}

/// What is left of a track, and why the rest is not.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Filtered {
    /// The good points in the order of their times, no two at the same time.
    pub kept: Vec<TrackPoint>,
    /// Points that an app made up.
    pub mock: usize,
    /// Points with no range, or with too bad an accuracy.
    pub inaccurate: usize,
    /// Points that could only have been reached, or were left, at an impossible speed.
    pub too_fast: usize,
    /// Points with the time of another, more accurate one.
    pub same_time: usize,
}

impl Filtered {
    /// The path through the points that were kept; a pause longer than `gap_ms` is a gap.
    pub fn path(&self, gap_ms: i64) -> Path {
        let fixes: Vec<Fix> = self.kept.iter().map(|point| point.fix).collect();
        Path::new(&fixes, gap_ms)
    }
}

/// So many points in a row that agree with each other outweigh fewer that they contradict.
const MAJORITY: usize = 3;

impl TrackFilter {
    /// Sorts the points by time and drops the bad ones.
    ///
    /// A speed is impossible if it is too high even when both points are off by all their accuracy. A single outlier
    /// is dropped. Where several points that agree with each other contradict what went before, the track has
    /// jumped (a tunnel, a wrong first fix): it goes on from the new place, and what went before is dropped if it
    /// was fewer points than those.
    pub fn apply(&self, points: &[TrackPoint]) -> Filtered {
        let mut out = Filtered::default();
        let mut good: Vec<TrackPoint> = Vec::with_capacity(points.len());
        for point in points {
            if point.mock && !self.keep_mock {
                out.mock += 1;
            } else if !self.is_accurate(point) {
                out.inaccurate += 1;
            } else if point.speed_mps.is_some_and(|speed| f64::from(speed) > self.max_speed_mps) {
                out.too_fast += 1;
            } else {
                good.push(*point);
            }
        }
        let worst_first = |point: &TrackPoint| point.accuracy_m.unwrap_or(f32::MAX);
        good.sort_by(|a, b| a.fix.at.cmp(&b.fix.at).then_with(|| worst_first(a).total_cmp(&worst_first(b))));
        let before = good.len();
        good.dedup_by_key(|point| point.fix.at);
        out.same_time = before - good.len();
        let before = good.len();
        out.kept = self.drop_jumps(good);
        out.too_fast += before - out.kept.len();
        out
    }

    fn is_accurate(&self, point: &TrackPoint) -> bool {
        let accurate = point.accuracy_m.is_none_or(|metres| (0.0..=self.max_accuracy_m).contains(&metres));
        accurate && point.fix.point.checked().is_ok()
    }

    fn drop_jumps(&self, points: Vec<TrackPoint>) -> Vec<TrackPoint> {
        let mut kept: Vec<TrackPoint> = Vec::with_capacity(points.len());
        // Where the run of agreeing points at the end of `kept` begins.
        let mut run_start = 0;
        let mut rivals: Vec<TrackPoint> = Vec::new();
        for point in points {
            if kept.last().is_none_or(|last| self.is_possible(last, &point)) {
                kept.push(point);
                rivals.clear();
                continue;
            }
            if rivals.last().is_some_and(|last| !self.is_possible(last, &point)) {
                rivals.clear();
            }
            rivals.push(point);
            if rivals.len() >= MAJORITY {
                if kept.len() - run_start < MAJORITY {
                    kept.truncate(run_start);
                }
                run_start = kept.len();
                kept.append(&mut rivals);
            }
        }
        kept
    }

    fn is_possible(&self, from: &TrackPoint, to: &TrackPoint) -> bool {
        let seconds = millis_between(&from.fix, &to.fix) as f64 / 1000.0;
        let doubt = f64::from(from.accuracy_m.unwrap_or(0.0) + to.accuracy_m.unwrap_or(0.0));
        distance_m(from.fix.point, to.fix.point) - doubt <= self.max_speed_mps * seconds
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::geo::lat_lon::LatLon;
    use crate::time::Timestamp;

    fn point(seconds: i64, metres_north: f64) -> TrackPoint {
        TrackPoint::bare(Fix {
            at: Timestamp::from_millis(seconds * 1000),
            point: LatLon { lat: 36.1 + metres_north / 110_950.0, lon: 120.47 },
        })
    }

    fn seconds(filtered: &Filtered) -> Vec<i64> {
        filtered.kept.iter().map(|point| point.fix.at.millis() / 1000).collect()
    }

    #[test]
    fn bad_points_are_dropped_for_their_own_reasons() {
        let points = [
            point(0, 0.0),
            TrackPoint { mock: true, ..point(5, 5.0) },
            TrackPoint { accuracy_m: Some(80.0), ..point(10, 10.0) },
            TrackPoint { accuracy_m: Some(f32::NAN), ..point(11, 10.0) },
            TrackPoint { speed_mps: Some(100.0), ..point(15, 15.0) },
            point(20, 5_000.0),
            TrackPoint { accuracy_m: Some(20.0), ..point(25, 24.0) },
            TrackPoint { accuracy_m: Some(5.0), ..point(25, 25.0) },
            point(22, 22.0),
        ];
        let filtered = TrackFilter::default().apply(&points);
        assert_eq!(seconds(&filtered), [0, 22, 25]);
        assert_eq!(filtered.kept[2].accuracy_m, Some(5.0));
        let counts = (filtered.mock, filtered.inaccurate, filtered.too_fast, filtered.same_time);
        assert_eq!(counts, (1, 2, 2, 1));
    }

    #[test]
    fn a_wrong_first_fix_does_not_cost_the_whole_track() {
        let mut points = vec![point(0, 90_000.0)];
        points.extend((1..10).map(|i| point(i * 10, i as f64 * 10.0)));
        let filtered = TrackFilter::default().apply(&points);
        assert_eq!(filtered.kept, points[1..]);
        assert_eq!(filtered.too_fast, 1);
    }

    #[test]
    fn after_a_jump_both_parts_stay() {
        let mut points: Vec<TrackPoint> = (0..10).map(|i| point(i * 10, i as f64 * 10.0)).collect();
        points.extend((10..20).map(|i| point(i * 10, 50_000.0 + i as f64 * 10.0)));
        assert_eq!(TrackFilter::default().apply(&points).kept, points);
    }

    #[test]
    fn a_jump_within_the_accuracy_is_possible() {
        let vague = |at, north| TrackPoint { accuracy_m: Some(45.0), ..point(at, north) };
        let points = [vague(0, 0.0), vague(1, 110.0)];
        assert_eq!(TrackFilter::default().apply(&points).kept.len(), 2);
        assert_eq!(TrackFilter::default().apply(&[point(0, 0.0), point(1, 110.0)]).kept.len(), 1);
    }

    proptest! {
        #[test]
        fn every_point_is_kept_or_counted_and_times_rise(
            raw in proptest::collection::vec((0i64..300, -5_000.0..5_000.0f64, proptest::option::of(0.0..99.0f32), any::<bool>()), 0..60),
        ) {
            let points: Vec<TrackPoint> = raw
                .iter()
                .map(|&(at, north, accuracy_m, mock)| TrackPoint { accuracy_m, mock, ..point(at, north) })
                .collect();
            let f = TrackFilter::default().apply(&points);
            prop_assert_eq!(f.kept.len() + f.mock + f.inaccurate + f.too_fast + f.same_time, points.len());
            prop_assert!(f.kept.windows(2).all(|pair| pair[0].fix.at < pair[1].fix.at));
        }
    }
}
