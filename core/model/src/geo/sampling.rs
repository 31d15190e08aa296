//! How soon the next point of a patrol is wanted: what a phone's shell asks its location provider for.

use super::distance::distance_m;
use super::track::{TrackPoint, millis_between};

/// The limits between which the interval moves. They are data: a deployment may set others.
///
/// The defaults follow design text 5 (a point every 5 to 30 s, a patrol takes at most 4 % of the battery an hour).
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Sampling {
    /// The shortest interval, in milliseconds.
    pub fastest_ms: i64,
    /// The longest interval, in milliseconds.
    pub slowest_ms: i64,
    /// How far apart two points should be, in metres.
    pub spacing_m: f64,
    /// Who is slower stands still, in metres per second.
    pub still_mps: f64,
    /// A worse accuracy, in metres, means a stairwell: asking more often costs battery and brings nothing.
    pub poor_accuracy_m: f32,
}

impl Default for Sampling {
    fn default() -> Self {
        Self { fastest_ms: 5_000, slowest_ms: 30_000, spacing_m: 15.0, still_mps: 0.3, poor_accuracy_m: 40.0 }
    }
}

/// What the shell asks its location provider for next.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct NextFix {
    /// Milliseconds until the next point.
    pub interval_ms: i64,
    /// Whether the precise (satellite) provider is wanted; else the coarse one will do.
    pub precise: bool,
}

impl Sampling {
    /// What to ask for after `last`, the point before which was `before`. With `saving` (a weak battery) as seldom as
    /// the limits allow.
    pub fn next(&self, before: Option<&TrackPoint>, last: Option<&TrackPoint>, saving: bool) -> NextFix {
        let slow = NextFix { interval_ms: self.slowest_ms, precise: !saving };
        let Some(last) = last.filter(|_| !saving) else {
            return if saving { slow } else { NextFix { interval_ms: self.fastest_ms, precise: true } };
        };
        if last.accuracy_m.is_some_and(|metres| metres > self.poor_accuracy_m) {
            return slow;
        }
        let Some(speed) = speed_mps(before, last) else {
            return NextFix { interval_ms: self.fastest_ms, precise: true };
        };
        if speed < self.still_mps {
            return slow;
        }
        let wanted = (self.spacing_m / speed * 1000.0) as i64;
        let longest = self.slowest_ms.max(self.fastest_ms);
        NextFix { interval_ms: wanted.clamp(self.fastest_ms, longest), precise: true }
    }
}

/// By the receiver's word, else by the way since the point before.
fn speed_mps(before: Option<&TrackPoint>, last: &TrackPoint) -> Option<f64> {
    if let Some(speed) = last.speed_mps.filter(|speed| speed.is_finite()) {
        return Some(f64::from(speed));
    }
    let before = before?;
    let seconds = millis_between(&before.fix, &last.fix) as f64 / 1000.0;
    (seconds > 0.0).then(|| distance_m(before.fix.point, last.fix.point) / seconds)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::geo::lat_lon::LatLon;
    use crate::geo::track::Fix;
    use crate::time::Timestamp;

    fn point(seconds: i64, metres_north: f64) -> TrackPoint {
        let point = LatLon { lat: 36.1 + metres_north / 110_950.0, lon: 120.47 };
        TrackPoint::bare(Fix { at: Timestamp::from_millis(seconds * 1000), point })
    }

    fn interval(before: &TrackPoint, last: &TrackPoint) -> i64 {
        Sampling::default().next(Some(before), Some(last), false).interval_ms
    }

    #[test]
    fn the_faster_the_walk_the_sooner_the_next_point() {
        assert_eq!(Sampling::default().next(None, None, false).interval_ms, 5_000, "the first point at once");
        assert_eq!(interval(&point(0, 0.0), &point(10, 0.5)), 30_000, "standing");
        assert!((10_000..14_000).contains(&interval(&point(0, 0.0), &point(10, 13.0))), "walking");
        assert_eq!(interval(&point(0, 0.0), &point(10, 80.0)), 5_000, "on a bicycle");
        let told = TrackPoint { speed_mps: Some(1.0), ..point(10, 80.0) };
        assert_eq!(interval(&point(0, 0.0), &told), 15_000, "the receiver's word wins");
    }

    #[test]
    fn a_stairwell_and_a_weak_battery_are_spared() {
        let vague = TrackPoint { accuracy_m: Some(60.0), ..point(10, 13.0) };
        assert_eq!(interval(&point(0, 0.0), &vague), 30_000);
        let saving = Sampling::default().next(Some(&point(0, 0.0)), Some(&point(10, 80.0)), true);
        assert_eq!(saving, NextFix { interval_ms: 30_000, precise: false });
    }

    proptest! {
        #[test]
        fn the_limits_hold_for_any_points(
            seconds in -100i64..100, north in -1e6..1e6f64,
            speed in proptest::option::of(any::<f32>()), accuracy in proptest::option::of(any::<f32>()),
            saving in any::<bool>(),
        ) {
            let last = TrackPoint { speed_mps: speed, accuracy_m: accuracy, ..point(seconds, north) };
            let next = Sampling::default().next(Some(&point(0, 0.0)), Some(&last), saving);
            prop_assert!((5_000..=30_000).contains(&next.interval_ms));
        }
    }
}
