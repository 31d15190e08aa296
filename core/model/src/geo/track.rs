//! The way of a patrol: fixes as the phone records them, the path they make, and what is measured on it.

use super::distance::distance_m;
use super::lat_lon::LatLon;
use crate::time::Timestamp;

/// A pause of the receiver after which nothing is known about the way: two minutes, four times the longest interval
/// between points.
pub const DEFAULT_GAP_MS: i64 = 120_000;

/// Somewhere at some time.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Fix {
    /// When.
    pub at: Timestamp,
    /// Where, in WGS-84.
    pub point: LatLon,
}

/// A point as the platform's location provider gives it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct TrackPoint {
    /// Where and when.
    pub fix: Fix,
    /// Radius of 68 % confidence in metres, if the platform gave one.
    pub accuracy_m: Option<f32>,
    /// Speed in metres per second as the receiver measured it, if it did.
    pub speed_mps: Option<f32>,
    /// Whether the platform says that an app made this point up.
    pub mock: bool,
}

impl TrackPoint {
    /// A point of which only place and time are known, as from a file.
    pub fn bare(fix: Fix) -> Self {
        Self { fix, accuracy_m: None, speed_mps: None, mock: false }
    }
}

/// A time of which nothing is known, between two stretches.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Gap {
    /// The last fix before it.
    pub from: Fix,
    /// The first fix after it.
    pub to: Fix,
    /// Straight distance across it, in metres. Nobody knows whether it was walked.
    pub metres: f64,
}

/// A path: stretches of fixes that follow each other closely, with gaps between them.
///
/// The gaps are found once, among the recorded fixes, and then kept: a simplified path has fixes minutes apart that
/// are no gaps. See [`Path::simplify`], [`Path::to_bytes`] and [`Path::reached`] for what else it can do.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Path {
    /// None is empty.
    stretches: Vec<Vec<Fix>>,
}

impl Path {
    /// A path through `fixes`, which are in the order of their times; a pause longer than `gap_ms` is a gap.
    pub fn new(fixes: &[Fix], gap_ms: i64) -> Self {
        let together = |a: &Fix, b: &Fix| millis_between(a, b) <= gap_ms;
        Self { stretches: fixes.chunk_by(together).map(<[Fix]>::to_vec).collect() }
    }

    /// A path of given stretches; empty ones are left out.
    pub fn from_stretches(stretches: Vec<Vec<Fix>>) -> Self {
        Self { stretches: stretches.into_iter().filter(|stretch| !stretch.is_empty()).collect() }
    }

    /// The stretches in order.
    pub fn stretches(&self) -> &[Vec<Fix>] {
        &self.stretches
    }

    /// All fixes in order.
    pub fn fixes(&self) -> impl Iterator<Item = &Fix> {
        self.stretches.iter().flatten()
    }

    /// The gaps between the stretches.
    pub fn gaps(&self) -> Vec<Gap> {
        let neighbours = self.stretches.iter().zip(self.stretches.iter().skip(1));
        neighbours
            .filter_map(|(before, after)| {
                let (from, to) = (*before.last()?, *after.first()?);
                Some(Gap { from, to, metres: distance_m(from.point, to.point) })
            })
            .collect()
    }

    /// Geodesic length in metres, fix by fix; gaps are not bridged.
    pub fn length_m(&self) -> f64 {
        self.walked_m(0.0)
    }

    /// Metres walked: like [`Self::length_m`], but a step counts only once it leads `min_step_m` away from where the
    /// last one ended, so that the trembling position of somebody who stands still adds nothing.
    pub fn walked_m(&self, min_step_m: f64) -> f64 {
        let mut total = 0.0;
        for stretch in &self.stretches {
            let mut anchor: Option<LatLon> = None;
            for fix in stretch {
                match anchor.map(|from| distance_m(from, fix.point)) {
                    Some(metres) if metres < min_step_m => continue,
                    Some(metres) => total += metres,
                    None => {}
                }
                anchor = Some(fix.point);
            }
        }
        total
    }
}

/// Milliseconds from `a` to `b`, saturating.
pub(super) fn millis_between(a: &Fix, b: &Fix) -> i64 {
    b.at.millis().saturating_sub(a.at.millis())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn fix(seconds: i64, lat: f64, lon: f64) -> Fix {
        Fix { at: Timestamp::from_millis(seconds * 1000), point: LatLon { lat, lon } }
    }

    #[test]
    fn gaps_are_named_and_not_bridged() {
        let fixes = [
            fix(0, 36.100, 120.47),
            fix(10, 36.101, 120.47),
            fix(1000, 36.111, 120.47),
            fix(1010, 36.112, 120.47),
        ];
        let path = Path::new(&fixes, DEFAULT_GAP_MS);
        let gaps = path.gaps();
        assert_eq!(gaps.len(), 1);
        assert!((gaps[0].metres - 1109.6).abs() < 1.0, "{}", gaps[0].metres);
        assert!((path.length_m() - 221.9).abs() < 0.5);
        assert!((Path::new(&fixes, i64::MAX).length_m() - 1331.5).abs() < 1.0);
        assert_eq!(path.stretches().iter().map(Vec::len).collect::<Vec<_>>(), [2, 2]);
        assert_eq!(Path::new(&[], DEFAULT_GAP_MS), Path::from_stretches(vec![Vec::new()]));
        assert_eq!(Path::default().length_m().to_bits(), 0.0f64.to_bits());
    }

    #[test]
    fn standing_still_is_not_walking() {
        let fixes: Vec<Fix> = (0..600).map(|i| fix(i, 36.1 + 0.000_02 * (i % 2) as f64, 120.47)).collect();
        let path = Path::new(&fixes, DEFAULT_GAP_MS);
        assert!(path.length_m() > 1_000.0);
        assert!(path.walked_m(5.0) < 5.0);
    }

    proptest! {
        #[test]
        fn walked_is_no_longer_than_the_path(
            steps in proptest::collection::vec((0i64..200, -1e-3..1e-3f64, -1e-3..1e-3f64), 0..40),
        ) {
            let mut last = fix(0, 36.1, 120.47);
            let fixes: Vec<Fix> = steps
                .iter()
                .map(|(seconds, north, east)| {
                    let at = last.at.plus_millis(seconds * 1000);
                    let point = LatLon { lat: last.point.lat + north, lon: last.point.lon + east };
                    last = Fix { at, point };
                    last
                })
                .collect();
            let path = Path::new(&fixes, DEFAULT_GAP_MS);
            prop_assert!(path.walked_m(10.0) <= path.length_m() + 1e-6);
            let bridged: f64 = path.gaps().iter().map(|gap| gap.metres).sum();
            prop_assert!((path.length_m() + bridged - Path::new(&fixes, i64::MAX).length_m()).abs() < 1e-6);
            prop_assert!(path.fixes().eq(&fixes));
        }
    }
}
