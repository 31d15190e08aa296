//! The order in which places are walked.

use crate::geo::LatLon;

/// Points nearer than this, in metres, are one spot: there the order of the doors decides, not the satellites.
const SAME_SPOT_M: f64 = 15.0;
/// Metres of a degree of latitude; good to 0.5 %, which is plenty for deciding where to go next.
const METRES_PER_DEGREE: f64 = 111_200.0;

/// Something to walk to.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Stop<'a> {
    /// Where it is, if that is known.
    pub point: Option<LatLon>,
    /// Its place in a list of doors: what decides on one spot, and where no position is known.
    pub order: &'a str,
}

/// Indexes of the stops in walking order: always the nearest next, from `from` or from the first door; on one spot in
/// the order of the doors. Stops without a position come last, in the order of their doors. Takes time with the square
/// of the number of stops (0.2 ms for 200).
pub fn walking_order(stops: &[Stop<'_>], from: Option<LatLon>) -> Vec<usize> {
    let mut lost: Vec<usize> = Vec::new();
    let mut left: Vec<(usize, LatLon)> = Vec::new();
    for (at, stop) in stops.iter().enumerate() {
        match stop.point {
            Some(point) => left.push((at, point)),
            None => lost.push(at),
        }
    }
    let order = |at: usize| stops.get(at).map_or("", |stop| stop.order);
    lost.sort_by(|a, b| order(*a).cmp(order(*b)).then(a.cmp(b)));
    left.sort_by(|a, b| order(a.0).cmp(order(b.0)).then(a.0.cmp(&b.0)));
    let mut out = Vec::with_capacity(stops.len());
    let mut here = from.or_else(|| left.first().map(|(_, point)| *point));
    while let Some(now) = here.filter(|_| !left.is_empty()) {
        let width = METRES_PER_DEGREE * now.lat.to_radians().cos();
        let metres = |point: &LatLon| {
            let (north, east) = ((point.lat - now.lat) * METRES_PER_DEGREE, (point.lon - now.lon) * width);
            north.hypot(east)
        };
        let nearest = left.iter().map(|(_, point)| metres(point)).fold(f64::INFINITY, f64::min);
        // They stand in the order of their doors, so that the first on the spot is the first door.
        let next = left.iter().position(|(_, point)| metres(point) <= nearest + SAME_SPOT_M).unwrap_or(0);
        let (at, point) = left.remove(next);
        out.push(at);
        here = Some(point);
    }
    out.extend(lost);
    out
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn stop(north_m: f64, order: &str) -> Stop<'_> {
        Stop { point: Some(LatLon { lat: 36.1 + north_m / METRES_PER_DEGREE, lon: 120.47 }), order }
    }

    #[test]
    fn the_nearest_is_next_and_doors_of_a_tower_stay_in_order() {
        let stops = [
            stop(300.0, "9"),
            stop(1.0, "2-301"),
            stop(4.0, "2-101"),
            Stop { point: None, order: "5" },
            stop(100.0, "4"),
            stop(0.0, "2-201"),
            Stop { point: None, order: "1" },
        ];
        assert_eq!(walking_order(&stops, stops[5].point), [2, 5, 1, 4, 0, 6, 3]);
        assert_eq!(walking_order(&stops, stops[0].point), [0, 4, 2, 5, 1, 6, 3]);
        assert_eq!(walking_order(&[], None), Vec::<usize>::new());
    }

    proptest! {
        #[test]
        fn every_stop_is_walked_once_whatever_order_they_come_in(
            metres in prop::collection::vec(prop::option::of(0.0f64..5_000.0), 0..40),
        ) {
            let names: Vec<String> = (0..metres.len()).map(|n| format!("{n:03}")).collect();
            let build = |n: usize| Stop {
                order: &names[n],
                ..metres[n].map_or(Stop { point: None, order: "" }, |m| stop(m, ""))
            };
            let stops: Vec<Stop<'_>> = (0..metres.len()).map(build).collect();
            let walked = walking_order(&stops, None);
            let mut sorted = walked.clone();
            sorted.sort_unstable();
            prop_assert_eq!(sorted, (0..metres.len()).collect::<Vec<_>>());
            let reversed: Vec<Stop<'_>> = stops.iter().rev().copied().collect();
            let names_of = |stops: &[Stop<'_>], walk: &[usize]| -> Vec<String> {
                walk.iter().map(|at| stops[*at].order.to_owned()).collect()
            };
            let other = walking_order(&reversed, None);
            prop_assert_eq!(names_of(&stops, &walked), names_of(&reversed, &other));
        }
    }
}
