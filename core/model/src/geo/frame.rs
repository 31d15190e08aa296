//! A flat map of a district in metres, for whatever is easier on paper than on an ellipsoid.

use geo::Coord;

use super::lat_lon::LatLon;

/// Semi-major axis of the WGS-84 ellipsoid in metres.
const WGS84_A: f64 = 6_378_137.0;
/// Squared first eccentricity of the WGS-84 ellipsoid.
const WGS84_E2: f64 = 0.006_694_379_990_141_317;

/// A plane that touches the ellipsoid at its origin: x metres east, y metres north.
///
/// Lengths near the origin are right to 1e-6; 50 km away a length is off by about half a percent, because the
/// meridians converge. Valid between 89° south and 89° north, and across the antimeridian.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct LocalFrame {
    origin: LatLon,
    metres_per_lat: f64,
    metres_per_lon: f64,
}

impl LocalFrame {
    /// The plane that touches the ellipsoid at `origin`, a WGS-84 point.
    pub fn at(origin: LatLon) -> Self {
        let phi = origin.lat.to_radians();
        let w2 = 1.0 - WGS84_E2 * phi.sin().powi(2);
        let meridian_radius = WGS84_A * (1.0 - WGS84_E2) / (w2 * w2.sqrt());
        let parallel_radius = WGS84_A / w2.sqrt() * phi.cos();
        Self {
            origin,
            metres_per_lat: meridian_radius.to_radians(),
            // At a pole every longitude is the same place; the bound keeps the way back finite.
            metres_per_lon: parallel_radius.to_radians().max(1.0),
        }
    }

    /// Metres east and north of the origin.
    pub fn to_plane(&self, point: LatLon) -> Coord<f64> {
        Coord {
            x: wrap_degrees(point.lon - self.origin.lon) * self.metres_per_lon,
            y: (point.lat - self.origin.lat) * self.metres_per_lat,
        }
    }

    /// Metres from the origin to `point` on this plane.
    pub fn metres_to(&self, point: LatLon) -> f64 {
        let plane = self.to_plane(point);
        plane.x.hypot(plane.y)
    }

    /// The WGS-84 point at `plane`, the inverse of [`Self::to_plane`].
    pub fn to_globe(&self, plane: Coord<f64>) -> LatLon {
        LatLon {
            lat: (self.origin.lat + plane.y / self.metres_per_lat).clamp(-90.0, 90.0),
            lon: wrap_degrees(self.origin.lon + plane.x / self.metres_per_lon),
        }
    }
}

/// The same angle within -180..=180.
fn wrap_degrees(angle: f64) -> f64 {
    if (-180.0..=180.0).contains(&angle) { angle } else { (angle + 180.0).rem_euclid(360.0) - 180.0 }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::geo::distance::distance_m;

    #[test]
    fn the_antimeridian_is_no_wall() {
        let frame = LocalFrame::at(LatLon { lat: -17.0, lon: 179.99 });
        let across = LatLon { lat: -17.0, lon: -179.99 };
        let plane = frame.to_plane(across);
        assert!((plane.x - 2130.0).abs() < 5.0, "{plane:?}");
        assert!((frame.to_globe(plane).lon - across.lon).abs() < 1e-9);
    }

    proptest! {
        #[test]
        fn lengths_near_the_origin_agree_with_the_ellipsoid(
            lat in -70.0..70.0f64, lon in -180.0..180.0f64,
            north in -0.01..0.01f64, east in -0.01..0.01f64,
        ) {
            let origin = LatLon { lat, lon };
            let point = LatLon { lat: lat + north, lon: (lon + east).clamp(-180.0, 180.0) };
            let frame = LocalFrame::at(origin);
            let plane = frame.to_plane(point);
            let truth = distance_m(origin, point);
            prop_assert!((plane.x.hypot(plane.y) - truth).abs() <= 1e-3 * truth + 1e-6);
            prop_assert!(distance_m(frame.to_globe(plane), point) < 1e-6);
        }
    }
}
