//! Distances in metres on the WGS-84 ellipsoid.
//!
//! Metres walked are paid for and disputed, so they are geodesic: Karney's method (2013), by `geographiclib-rs`,
//! right to nanometres. A sphere would err by up to 0.5 %.

use geo::{Closest, ClosestPoint, Coord, Distance, Geodesic, Line, Point};

use super::frame::LocalFrame;
use super::lat_lon::LatLon;

/// Length of the shortest way between two WGS-84 points, in metres.
pub fn distance_m(a: LatLon, b: LatLon) -> f64 {
    Geodesic.distance(Point::new(a.lon, a.lat), Point::new(b.lon, b.lat))
}

/// The point of the straight stretch from `start` to `end` that is nearest to `point`, and how far it is in metres.
///
/// The stretch is straight on the flat map around `point`. For edges of boundaries and steps of tracks (up to some
/// tens of kilometres) this is the same within centimetres.
pub fn nearest_on_segment(point: LatLon, start: LatLon, end: LatLon) -> (LatLon, f64) {
    let frame = LocalFrame::at(point);
    let nearest = frame.to_globe(nearest_to_origin(frame.to_plane(start), frame.to_plane(end)));
    (nearest, distance_m(point, nearest))
}

/// The point of the stretch from `start` to `end` that is nearest to the origin of their plane.
pub(super) fn nearest_to_origin(start: Coord<f64>, end: Coord<f64>) -> Coord<f64> {
    match Line::new(start, end).closest_point(&Point::new(0.0, 0.0)) {
        Closest::Intersection(found) | Closest::SinglePoint(found) => found.0,
        Closest::Indeterminate => start,
    }
}

/// Distance in metres from `point` to the straight stretch from `start` to `end`.
pub fn point_to_segment_m(point: LatLon, start: LatLon, end: LatLon) -> f64 {
    nearest_on_segment(point, start, end).1
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn at(lat: f64, lon: f64) -> LatLon {
        LatLon { lat, lon }
    }

    /// The worked example of GeographicLib: from JFK to LHR.
    #[test]
    fn a_published_geodesic() {
        let metres = distance_m(at(40.6, -73.8), at(51.6, -0.5));
        assert!((metres - 5_551_759.400).abs() < 0.001, "{metres}");
    }

    #[test]
    fn nearest_point_is_the_foot_or_an_end() {
        let (start, end) = (at(36.10, 120.40), at(36.10, 120.42));
        let (foot, metres) = nearest_on_segment(at(36.101, 120.41), start, end);
        assert!((foot.lon - 120.41).abs() < 1e-9 && (foot.lat - 36.10).abs() < 1e-9);
        assert!((metres - 110.96).abs() < 0.05, "{metres}");
        assert!((nearest_on_segment(at(36.10, 120.45), start, end).0.lon - end.lon).abs() < 1e-12);
        assert!(
            (point_to_segment_m(at(36.2, 120.4), start, start) - distance_m(at(36.2, 120.4), start)).abs()
                < 1e-6
        );
    }

    proptest! {
        #[test]
        fn distance_is_symmetric_and_a_segment_is_no_farther_than_its_ends(
            lats in proptest::array::uniform3(36.0..36.3f64),
            lons in proptest::array::uniform3(120.3..120.7f64),
        ) {
            let [p, a, b] = [0, 1, 2].map(|i| at(lats[i], lons[i]));
            prop_assert!((distance_m(a, b) - distance_m(b, a)).abs() < 1e-6);
            let near = point_to_segment_m(p, a, b);
            prop_assert!(near <= distance_m(p, a).min(distance_m(p, b)) + 1.0);
            prop_assert!(distance_m(a, b) <= distance_m(a, p) + distance_m(p, b) + 1e-6);
        }
    }
}
