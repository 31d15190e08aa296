//! The shape of an area: polygons with holes, and whether a point is in them.

use geo::coordinate_position::{CoordPos, CoordinatePosition};
use geo::{Area, BoundingRect, Coord, LineString, MapCoords, MultiPolygon, Polygon};

use super::datum::Datum;
use super::distance::{distance_m, nearest_to_origin};
use super::frame::LocalFrame;
use super::lat_lon::LatLon;
use super::shape_check::{ShapeFault, check_polygons};

/// Where a point is with respect to an area.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Side {
    /// In the interior.
    Inside,
    /// Exactly on a ring. Neighbours share their rings, so the point belongs to both until somebody says.
    Boundary,
    /// Neither; also within a hole.
    Outside,
}

/// A rectangle of meridians and parallels, edges included.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct BoundingBox {
    /// Lowest latitude.
    pub south: f64,
    /// Lowest longitude.
    pub west: f64,
    /// Highest latitude.
    pub north: f64,
    /// Highest longitude.
    pub east: f64,
}

impl BoundingBox {
    /// Whether the point is in the rectangle or on its edge.
    pub fn contains(&self, point: LatLon) -> bool {
        (self.south..=self.north).contains(&point.lat) && (self.west..=self.east).contains(&point.lon)
    }

    /// The middle.
    pub fn center(&self) -> LatLon {
        LatLon { lat: (self.south + self.north) / 2.0, lon: (self.west + self.east) / 2.0 }
    }

    /// The smallest rectangle that holds both.
    pub fn union(&self, other: &Self) -> Self {
        Self {
            south: self.south.min(other.south),
            west: self.west.min(other.west),
            north: self.north.max(other.north),
            east: self.east.max(other.east),
        }
    }

    /// The point of the rectangle that is nearest to `point`, by degrees.
    pub(super) fn clamp(&self, point: LatLon) -> LatLon {
        LatLon { lat: point.lat.clamp(self.south, self.north), lon: point.lon.clamp(self.west, self.east) }
    }
}

/// One or more polygons with holes, in WGS-84. Never empty. Not across the antimeridian.
#[derive(Clone, Debug, PartialEq)]
pub struct AreaShape {
    polygons: MultiPolygon<f64>,
    bbox: BoundingBox,
}

impl AreaShape {
    /// Makes a shape of polygons in `datum`; each is its shell followed by its holes, each ring closed.
    ///
    /// The winding of the rings does not matter. Long edges get points put in; see [`Datum::line_to_wgs84`].
    ///
    /// # Errors
    /// Everything that makes the rings no valid area; see [`super::shape_check::FaultKind`].
    pub fn new(polygons: &[Vec<Vec<LatLon>>], datum: Datum) -> Result<Self, Vec<ShapeFault>> {
        let convert = |ring: &Vec<LatLon>| {
            // A point out of range has no conversion; the ring is left as it is for the check to name the point.
            let good = ring.iter().all(|point| point.checked().is_ok());
            if good { datum.line_to_wgs84(ring) } else { ring.clone() }
        };
        let wgs84: Vec<Vec<Vec<LatLon>>> =
            polygons.iter().map(|rings| rings.iter().map(convert).collect()).collect();
        let checked = check_polygons(&wgs84)?;
        Self::from_polygons(checked).ok_or_else(Vec::new)
    }

    /// Takes polygons that were checked before. `None` if there is no vertex.
    pub(super) fn from_polygons(polygons: Vec<Polygon<f64>>) -> Option<Self> {
        let polygons = MultiPolygon::new(polygons);
        let rect = polygons.bounding_rect()?;
        let bbox =
            BoundingBox { south: rect.min().y, west: rect.min().x, north: rect.max().y, east: rect.max().x };
        Some(Self { polygons, bbox })
    }

    /// Where a WGS-84 point is.
    ///
    /// Exact: the signs of the orientations are computed with Shewchuk's adaptive predicates, so that no
    /// point falls between two areas that share an edge, or into both. A point on any ring is on the boundary, even
    /// where two polygons of the shape touch.
    pub fn locate(&self, point: LatLon) -> Side {
        if !self.bbox.contains(point) {
            return Side::Outside;
        }
        let coord = Coord { x: point.lon, y: point.lat };
        let mut side = Side::Outside;
        for polygon in &self.polygons {
            match polygon.coordinate_position(&coord) {
                CoordPos::Inside => return Side::Inside,
                CoordPos::OnBoundary => side = Side::Boundary,
                CoordPos::Outside => {}
            }
        }
        side
    }

    /// The rectangle around the shape.
    pub fn bbox(&self) -> BoundingBox {
        self.bbox
    }

    /// Area in square metres, holes not counted. Right to 0.1 % for anything up to a district.
    pub fn area_m2(&self) -> f64 {
        self.flatten(&LocalFrame::at(self.bbox.center())).unsigned_area()
    }

    /// Distance in metres from a WGS-84 point to the shape; 0 in it and on its boundary.
    pub fn distance_m(&self, point: LatLon) -> f64 {
        if self.locate(point) == Side::Outside { self.distance_to_boundary_m(point) } else { 0.0 }
    }

    /// Distance in metres from a WGS-84 point to the nearest ring.
    pub fn distance_to_boundary_m(&self, point: LatLon) -> f64 {
        distance_m(point, self.nearest_on_boundary(&LocalFrame::at(point)).1)
    }

    /// The point of the rings that is nearest to the origin of `frame`, and how far it is on that plane.
    pub(super) fn nearest_on_boundary(&self, frame: &LocalFrame) -> (f64, LatLon) {
        let feet = self.rings().flat_map(LineString::lines).map(|edge| {
            nearest_to_origin(frame.to_plane(lat_lon(edge.start)), frame.to_plane(lat_lon(edge.end)))
        });
        let least = |a: Coord<f64>, b: Coord<f64>| if b.x.hypot(b.y) < a.x.hypot(a.y) { b } else { a };
        let foot = feet.fold(Coord { x: f64::INFINITY, y: 0.0 }, least);
        (foot.x.hypot(foot.y), frame.to_globe(foot))
    }

    /// How many vertices all rings have, the closing ones included.
    pub fn vertex_count(&self) -> usize {
        self.rings().map(|ring| ring.0.len()).sum()
    }

    /// The polygons with their rings (shell first), closed, in WGS-84: for maps and exports.
    pub fn to_rings(&self) -> Vec<Vec<Vec<LatLon>>> {
        let points = |ring: &LineString<f64>| ring.coords().map(|coord| lat_lon(*coord)).collect();
        let rings = |polygon: &Polygon<f64>| {
            std::iter::once(polygon.exterior()).chain(polygon.interiors()).map(points).collect()
        };
        self.polygons.iter().map(rings).collect()
    }

    /// The shape on the flat map of `frame`, in metres.
    pub(super) fn flatten(&self, frame: &LocalFrame) -> MultiPolygon<f64> {
        self.polygons.map_coords(|coord| frame.to_plane(lat_lon(coord)))
    }

    fn rings(&self) -> impl Iterator<Item = &LineString<f64>> {
        self.polygons
            .iter()
            .flat_map(|polygon| std::iter::once(polygon.exterior()).chain(polygon.interiors()))
    }
}

fn lat_lon(coord: Coord<f64>) -> LatLon {
    LatLon { lat: coord.y, lon: coord.x }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn square(west: f64, south: f64, side: f64) -> Vec<LatLon> {
        let (east, north) = (west + side, south + side);
        [(west, south), (east, south), (east, north), (west, north), (west, south)]
            .map(|(lon, lat)| LatLon { lat, lon })
            .to_vec()
    }

    fn shape(polygons: &[Vec<Vec<LatLon>>]) -> AreaShape {
        AreaShape::new(polygons, Datum::Wgs84).unwrap()
    }

    fn side(shape: &AreaShape, lon: f64, lat: f64) -> Side {
        shape.locate(LatLon { lat, lon })
    }

    #[test]
    fn holes_are_outside_and_every_ring_is_boundary() {
        let ring = shape(&[vec![square(0.0, 0.0, 4.0), square(1.0, 1.0, 1.0)]]);
        assert_eq!(side(&ring, 3.0, 3.0), Side::Inside);
        assert_eq!(side(&ring, 1.5, 1.5), Side::Outside);
        assert_eq!(side(&ring, 1.0, 1.5), Side::Boundary);
        assert_eq!(side(&ring, 0.0, 0.0), Side::Boundary);
        assert_eq!(side(&ring, 4.0, 2.0), Side::Boundary);
        assert_eq!(side(&ring, 4.000_000_1, 2.0), Side::Outside);
        assert_eq!(side(&ring, f64::NAN, 2.0), Side::Outside);
    }

    #[test]
    fn the_point_where_two_parts_touch_is_boundary() {
        let parts = shape(&[vec![square(0.0, 0.0, 1.0)], vec![square(1.0, 1.0, 1.0)]]);
        assert_eq!(side(&parts, 1.0, 1.0), Side::Boundary);
        assert_eq!(side(&parts, 1.5, 1.5), Side::Inside);
        assert_eq!(side(&parts, 1.5, 0.5), Side::Outside);
    }

    #[test]
    fn area_and_distance_are_in_metres() {
        let block = shape(&[vec![square(120.0, 36.0, 0.01)]]);
        // The parallels 36.00 and 36.01 are 1,109.7 m apart, the meridians 901.6 m at the middle.
        assert!((block.area_m2() - 1_000_500.0).abs() < 1_000.0, "{}", block.area_m2());
        let east = LatLon { lat: 36.005, lon: 120.02 };
        assert!((block.distance_m(east) - 901.6).abs() < 1.0, "{}", block.distance_m(east));
        let middle = LatLon { lat: 36.005, lon: 120.005 };
        assert!(block.distance_m(middle).abs() < f64::EPSILON);
        assert!((block.distance_to_boundary_m(middle) - 450.8).abs() < 1.0);
    }

    #[test]
    fn gcj02_rings_end_where_the_ground_is() {
        let drawn = AreaShape::new(&[vec![square(120.47, 36.10, 0.001)]], Datum::Gcj02).unwrap();
        let corner = Datum::Gcj02.to_wgs84(LatLon { lat: 36.10, lon: 120.47 });
        assert_eq!(drawn.locate(corner), Side::Boundary);
        assert_eq!(side(&drawn, 120.4705, 36.1005), Side::Outside);
    }

    #[test]
    fn invalid_rings_are_refused_in_any_datum() {
        for datum in [Datum::Wgs84, Datum::Gcj02, Datum::Bd09] {
            let open = square(120.0, 36.0, 0.01).split_off(1);
            assert!(AreaShape::new(&[vec![open]], datum).is_err());
            let nan = vec![LatLon { lat: f64::NAN, lon: 0.0 }; 4];
            assert!(AreaShape::new(&[vec![nan]], datum).is_err());
        }
    }

    proptest! {
        /// Two triangles share the diagonal of a square: a point is inside exactly one, or on the diagonal of both.
        #[test]
        fn no_point_falls_between_neighbours(x in 0.0..1.0f64, y in 0.0..1.0f64, corner in 0.1..0.9f64) {
            let at = |lon: f64, lat: f64| LatLon { lat, lon };
            let ridge = [at(0.0, 0.0), at(corner, corner * 0.7), at(1.0, 1.0)];
            let upper = vec![ridge[0], ridge[1], ridge[2], at(0.0, 1.0), ridge[0]];
            let lower = vec![ridge[0], at(1.0, 0.0), ridge[2], ridge[1], ridge[0]];
            let (upper, lower) = (shape(&[vec![upper]]), shape(&[vec![lower]]));
            let on_edge = at(x * corner, x * corner * 0.7);
            for point in [at(x, y), on_edge, ridge[1]] {
                let sides = (upper.locate(point), lower.locate(point));
                let fits = matches!(
                    sides,
                    (Side::Inside, Side::Outside) | (Side::Outside, Side::Inside) | (Side::Boundary, Side::Boundary)
                );
                prop_assert!(fits || point == at(0.0, 0.0), "{:?} {:?}", point, sides);
            }
        }

        #[test]
        fn distance_is_zero_exactly_where_the_point_is_not_outside(lat in 35.9..36.1f64, lon in 119.9..120.1f64) {
            let block = shape(&[vec![square(119.95, 35.95, 0.1), square(119.98, 35.98, 0.03)]]);
            let point = LatLon { lat, lon };
            prop_assert_eq!(block.distance_m(point) > 0.0, block.locate(point) == Side::Outside);
        }
    }
}
