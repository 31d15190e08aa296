//! Reports that may be of the same problem: same category, near in place and time. A hint, never a refusal.

use crate::field_rules::FieldRules;
use crate::geo::{Position, distance_m};
use crate::id::RecordId;
use crate::time::{DAY_MS, Timestamp};

/// What is compared of two reports.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Sighting<'a> {
    /// Category.
    pub category: &'a str,
    /// When it was seen.
    pub at: Timestamp,
    /// Where.
    pub position: Option<Position>,
    /// The dwelling that it concerns.
    pub dwelling: Option<RecordId>,
    /// The place that it concerns.
    pub place: Option<RecordId>,
}

/// How near two reports are.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Near {
    /// Metres between them; 0 for the same door or place.
    pub metres: u32,
    /// Whole days between them.
    pub days: u32,
}

/// Whether two reports may be of the same problem. Doors of one tower share a point, so the same door counts without a
/// position, and a position counts whatever the doors are.
pub fn near(one: &Sighting<'_>, other: &Sighting<'_>, rules: &FieldRules) -> Option<Near> {
    let apart = one.at.millis().abs_diff(other.at.millis());
    if one.category != other.category || apart > u64::from(rules.near_days) * DAY_MS as u64 {
        return None;
    }
    let days = u32::try_from(apart / DAY_MS as u64).unwrap_or(u32::MAX);
    let same = |a: Option<RecordId>, b: Option<RecordId>| a.is_some() && a == b;
    if same(one.dwelling, other.dwelling) || same(one.place, other.place) {
        return Some(Near { metres: 0, days });
    }
    let metres = distance_m(one.position?.point(), other.position?.point());
    (metres <= f64::from(rules.near_metres)).then_some(Near { metres: metres.round() as u32, days })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::geo::PositionSource;

    fn here(north_m: f64) -> Option<Position> {
        Position::wgs84(36.1 + north_m / 111_000.0, 120.47, Some(5.0), PositionSource::Gps).ok()
    }

    fn seen(north_m: f64, day: i64) -> Sighting<'static> {
        Sighting {
            category: "litter",
            at: Timestamp::from_millis(day * DAY_MS),
            position: here(north_m),
            ..Sighting::default()
        }
    }

    #[test]
    fn the_limits_are_those_of_the_rules() {
        let rules = FieldRules::default();
        assert_eq!(near(&seen(0.0, 0), &seen(40.0, 14), &rules), Some(Near { metres: 40, days: 14 }));
        assert_eq!(near(&seen(0.0, 0), &seen(60.0, 0), &rules), None);
        assert_eq!(near(&seen(0.0, 0), &seen(0.0, 15), &rules), None);
        let other = Sighting { category: "noise", ..seen(0.0, 0) };
        assert_eq!(near(&seen(0.0, 0), &other, &rules), None);
        let wide = FieldRules { near_metres: 100, near_days: 30, ..FieldRules::default() };
        assert!(near(&seen(0.0, 0), &seen(60.0, 15), &wide).is_some());
    }

    #[test]
    fn the_same_door_needs_no_position_and_nothing_known_is_not_near() {
        let rules = FieldRules::default();
        let door = Some(RecordId::from_bytes([1; 16]));
        let at_door = Sighting { position: None, dwelling: door, ..seen(0.0, 0) };
        assert_eq!(near(&at_door, &at_door, &rules), Some(Near { metres: 0, days: 0 }));
        let nowhere = Sighting { position: None, ..seen(0.0, 0) };
        assert_eq!(near(&nowhere, &nowhere, &rules), None);
    }

    proptest! {
        #[test]
        fn nearness_has_no_direction(a in -200.0f64..200.0, b in -200.0f64..200.0, days in 0i64..30) {
            let rules = FieldRules::default();
            let (one, other) = (seen(a, 0), seen(b, days));
            prop_assert_eq!(near(&one, &other, &rules), near(&other, &one, &rules));
        }
    }
}
