//! Leaving out the points of a path that say nothing new.

use super::frame::LocalFrame;
use super::track::{Fix, Path, millis_between};

/// A sensible tolerance for walks, in metres: about the error of a phone's position under open sky.
pub const DEFAULT_TOLERANCE_M: f64 = 5.0;

impl Path {
    /// Thins out the path after Douglas and Peucker (1973), in metres, and honestly in time.
    ///
    /// The distance that decides is not that to the line but that to where a steady walker would be on it at that
    /// moment (Meratnia and de By, 2004). So the path that is left is within `tolerance_m` of every fix at that fix's
    /// time; stops are kept as stops, and gaps as gaps. Works without recursion, in memory proportional to the path,
    /// and in quadratic time at worst.
    pub fn simplify(&self, tolerance_m: f64) -> Self {
        let thin = |stretch: &Vec<Fix>| simplify_stretch(stretch, tolerance_m);
        Self::from_stretches(self.stretches().iter().map(thin).collect())
    }
}

fn simplify_stretch(path: &[Fix], tolerance_m: f64) -> Vec<Fix> {
    let Some(last) = path.len().checked_sub(1) else { return Vec::new() };
    let mut keep = vec![false; path.len()];
    let mut open = vec![(0, last)];
    while let Some((start, end)) = open.pop() {
        for at in [start, end] {
            if let Some(mark) = keep.get_mut(at) {
                *mark = true;
            }
        }
        if let Some((middle, metres)) = farthest(path, start, end)
            && metres > tolerance_m
        {
            open.push((start, middle));
            open.push((middle, end));
        }
    }
    path.iter().zip(keep).filter_map(|(point, keep)| keep.then_some(*point)).collect()
}

/// The point between `start` and `end` that is farthest from the steady walk between them, and how far.
fn farthest(path: &[Fix], start: usize, end: usize) -> Option<(usize, f64)> {
    let (from, to) = (path.get(start)?, path.get(end)?);
    let frame = LocalFrame::at(from.point);
    let target = frame.to_plane(to.point);
    let whole = millis_between(from, to);
    let between = path.iter().enumerate().take(end).skip(start + 1);
    between
        .map(|(number, point)| {
            let share = if whole > 0 { millis_between(from, point) as f64 / whole as f64 } else { 0.0 };
            let share = share.clamp(0.0, 1.0);
            let seen = frame.to_plane(point.point);
            (number, (seen.x - target.x * share).hypot(seen.y - target.y * share))
        })
        .max_by(|a, b| a.1.total_cmp(&b.1))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::geo::distance::{distance_m, point_to_segment_m};
    use crate::geo::lat_lon::LatLon;
    use crate::geo::track::DEFAULT_GAP_MS;
    use crate::time::Timestamp;

    fn fix(seconds: i64, north_m: f64, east_m: f64) -> Fix {
        let origin = LocalFrame::at(LatLon { lat: 36.1, lon: 120.47 });
        let point = origin.to_globe(geo::Coord { x: east_m, y: north_m });
        Fix { at: Timestamp::from_millis(seconds * 1000), point }
    }

    fn simplified(fixes: &[Fix]) -> Vec<Fix> {
        Path::new(fixes, DEFAULT_GAP_MS).simplify(5.0).fixes().copied().collect()
    }

    #[test]
    fn a_straight_steady_walk_keeps_its_ends_and_a_corner_stays() {
        let straight: Vec<Fix> = (0..100).map(|i| fix(i * 10, i as f64 * 10.0, 0.0)).collect();
        assert_eq!(simplified(&straight), [straight[0], straight[99]]);
        let mut corner = straight.clone();
        corner.extend((1..100).map(|i| fix(990 + i * 10, 990.0, i as f64 * 10.0)));
        assert_eq!(simplified(&corner), [corner[0], corner[99], corner[198]]);
        let whole = Path::new(&corner, DEFAULT_GAP_MS);
        assert!((whole.length_m() - whole.simplify(5.0).length_m()).abs() < 0.01);
    }

    #[test]
    fn a_stop_on_the_way_is_kept() {
        let mut fixes: Vec<Fix> = (0..50).map(|i| fix(i * 10, i as f64 * 10.0, 0.0)).collect();
        fixes.extend((50..110).map(|i| fix(i * 10, 490.0, 0.0)));
        fixes.extend((110..160).map(|i| fix(i * 10, 490.0 + (i - 110) as f64 * 10.0, 0.0)));
        let thin = simplified(&fixes);
        let at_stop: Vec<i64> = thin
            .iter()
            .filter(|fix| (distance_m(fixes[0].point, fix.point) - 490.0).abs() < 6.0)
            .map(|fix| fix.at.millis() / 1000)
            .collect();
        assert!(at_stop.first().unwrap() < &500 && at_stop.last().unwrap() > &1080, "{at_stop:?}");
        assert!(thin.len() <= 6, "{}", thin.len());
    }

    #[test]
    fn gaps_keep_both_ends() {
        let fixes: Vec<Fix> = (0..20).map(|i| fix(i * 10 + (i / 10) * 1000, i as f64 * 10.0, 0.0)).collect();
        let thin = Path::new(&fixes, DEFAULT_GAP_MS).simplify(5.0);
        assert_eq!(thin.stretches(), [[fixes[0], fixes[9]], [fixes[10], fixes[19]]]);
        assert_eq!(simplified(&[]), []);
        assert_eq!(simplified(&fixes[..1]), &fixes[..1]);
    }

    #[test]
    fn fixes_at_one_time_are_no_trouble() {
        let fixes = [fix(0, 0.0, 0.0), fix(0, 100.0, 0.0), fix(0, 0.0, 0.0)];
        assert_eq!(simplified(&fixes), fixes);
    }

    proptest! {
        #[test]
        fn every_dropped_fix_is_near_the_line_that_is_left(
            steps in proptest::collection::vec((1i64..60, -80.0..80.0f64, -80.0..80.0f64), 2..60),
            tolerance in 1.0..40.0f64,
        ) {
            let (mut at, mut north, mut east) = (0, 0.0, 0.0);
            let fixes: Vec<Fix> = steps
                .iter()
                .map(|&(seconds, up, right)| {
                    (at, north, east) = (at + seconds, north + up, east + right);
                    fix(at, north, east)
                })
                .collect();
            let thin = Path::new(&fixes, DEFAULT_GAP_MS).simplify(tolerance);
            let thin: Vec<&Fix> = thin.fixes().collect();
            prop_assert_eq!((thin.first().copied(), thin.last().copied()), (fixes.first(), fixes.last()));
            for fix in &fixes {
                let pair = thin.windows(2).find(|pair| pair[0].at <= fix.at && fix.at <= pair[1].at).unwrap();
                let off = point_to_segment_m(fix.point, pair[0].point, pair[1].point);
                prop_assert!(off <= tolerance + 0.01, "{} {}", off, tolerance);
            }
        }
    }
}
