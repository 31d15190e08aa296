//! Which points of a round a patrol has come by.

use rstar::RTree;
use rstar::primitives::Line;

use super::frame::LocalFrame;
use super::lat_lon::LatLon;
use super::track::Path;

/// Who passes within this many metres has come by.
pub const DEFAULT_RADIUS_M: f64 = 30.0;

impl Path {
    /// Which targets the path came within `radius_m` of, in the order of the targets.
    ///
    /// For outdoor points only: a shop front, a hydrant, a river bank. Doors count only by a visit, because all doors
    /// of a tower share one point. The way between two fixes is taken as straight; gaps are not bridged. Filter the
    /// fixes first ([`super::track_filter`]); targets out of range are never reached.
    pub fn reached(&self, targets: &[LatLon], radius_m: f64) -> Vec<bool> {
        let Some(first) = self.fixes().next() else { return vec![false; targets.len()] };
        // One plane for the whole path: a patrol stays within some kilometres, and 30 m need no more than that.
        let frame = LocalFrame::at(first.point);
        let flat = |point: LatLon| {
            let plane = frame.to_plane(point);
            [plane.x, plane.y]
        };
        let steps = self.stretches().iter().flat_map(|stretch| {
            // A lone fix is a step of length zero.
            let ends = stretch.iter().skip(1).chain(stretch.last());
            stretch.iter().zip(ends).map(|(from, to)| Line::new(flat(from.point), flat(to.point)))
        });
        let tree = RTree::bulk_load(steps.collect());
        let near = |target: &LatLon| {
            target.checked().is_ok_and(|target| {
                tree.locate_within_distance(flat(target), radius_m * radius_m).next().is_some()
            })
        };
        targets.iter().map(near).collect()
    }
}

/// The share of the targets that were reached, in whole percent, rounded down; `None` if there are no targets.
pub fn reached_percent(reached: &[bool]) -> Option<u8> {
    let hits = reached.iter().filter(|reached| **reached).count();
    u8::try_from((hits * 100).checked_div(reached.len())?).ok()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::geo::distance::point_to_segment_m;
    use crate::geo::track::{DEFAULT_GAP_MS, Fix};
    use crate::time::Timestamp;

    fn at(north_m: f64, east_m: f64) -> LatLon {
        LocalFrame::at(LatLon { lat: 36.1, lon: 120.47 }).to_globe(geo::Coord { x: east_m, y: north_m })
    }

    fn fix(seconds: i64, north_m: f64, east_m: f64) -> Fix {
        Fix { at: Timestamp::from_millis(seconds * 1000), point: at(north_m, east_m) }
    }

    #[test]
    fn passing_between_two_points_counts_and_a_gap_does_not() {
        let path = [fix(0, 0.0, 0.0), fix(60, 200.0, 0.0), fix(1000, 400.0, 0.0)];
        let targets = [at(100.0, 29.0), at(100.0, 31.0), at(300.0, 0.0), at(410.0, 0.0)];
        let got = Path::new(&path, DEFAULT_GAP_MS).reached(&targets, DEFAULT_RADIUS_M);
        assert_eq!(got, [true, false, false, true]);
        assert_eq!(reached_percent(&got), Some(50));
    }

    #[test]
    fn nothing_is_reached_without_a_path_and_no_target_has_no_share() {
        assert_eq!(Path::default().reached(&[at(0.0, 0.0)], DEFAULT_RADIUS_M), [false]);
        assert_eq!(reached_percent(&[]), None);
        let nowhere = LatLon { lat: f64::NAN, lon: 0.0 };
        assert_eq!(
            Path::new(&[fix(0, 0.0, 0.0)], DEFAULT_GAP_MS).reached(&[nowhere], DEFAULT_RADIUS_M),
            [false]
        );
    }

    proptest! {
        #[test]
        fn the_tree_agrees_with_measuring_every_step(
            walk in proptest::collection::vec((-500.0..500.0f64, -500.0..500.0f64), 1..30),
            north in -600.0..600.0f64, east in -600.0..600.0f64,
        ) {
            let path: Vec<Fix> = walk.iter().zip(0..).map(|(&(n, e), i)| fix(i * 10, n, e)).collect();
            let target = at(north, east);
            let least = path
                .iter()
                .zip(path.iter().skip(1).chain(path.last()))
                .map(|(a, b)| point_to_segment_m(target, a.point, b.point))
                .fold(f64::INFINITY, f64::min);
            prop_assume!((least - DEFAULT_RADIUS_M).abs() > 0.1);
            prop_assert_eq!(Path::new(&path, DEFAULT_GAP_MS).reached(&[target], DEFAULT_RADIUS_M), [least < DEFAULT_RADIUS_M]);
        }
    }
}
