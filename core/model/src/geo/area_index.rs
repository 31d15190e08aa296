//! From a position to the grid it is in.

use rstar::primitives::{GeomWithData, Rectangle};
use rstar::{AABB, RTree};

use super::distance::distance_m;
use super::frame::LocalFrame;
use super::lat_lon::LatLon;
use super::polygon::{AreaShape, Side};

/// Where a point is among the areas of an index.
#[derive(Clone, Debug, PartialEq)]
pub enum Located<K> {
    /// In the interior of this area. Where areas overlap, the one with the smallest key.
    Inside(K),
    /// In no interior, but exactly on the boundary of these, in ascending order of their keys.
    Boundary(Vec<K>),
    /// In none of them.
    Outside {
        /// The nearest area; of two that are equally far within 0.1 %, either.
        nearest: K,
        /// How far away it is, in metres.
        metres: f64,
    },
    /// The index holds no areas.
    NoAreas,
}

impl<K> Located<K> {
    /// The area to which the point counts: the one it is inside, else the first one on whose boundary it is.
    pub fn area(&self) -> Option<&K> {
        match self {
            Self::Inside(key) => Some(key),
            Self::Boundary(keys) => keys.first(),
            Self::Outside { .. } | Self::NoAreas => None,
        }
    }
}

/// Areas found by position: an R-tree over their rectangles, then the exact test.
///
/// Made once, then only read; share it between threads as you like. Answers depend on keys and shapes alone, not on
/// the order in which they were given. Keys should differ.
#[derive(Clone, Debug)]
pub struct AreaIndex<K> {
    /// In ascending order of the keys.
    areas: Vec<(K, AreaShape)>,
    tree: RTree<GeomWithData<Rectangle<[f64; 2]>, usize>>,
}

impl<K: Clone + Ord> AreaIndex<K> {
    /// Builds an index. The areas may overlap and may have gaps.
    pub fn new(areas: impl IntoIterator<Item = (K, AreaShape)>) -> Self {
        let mut areas: Vec<(K, AreaShape)> = areas.into_iter().collect();
        areas.sort_by(|a, b| a.0.cmp(&b.0));
        let boxes = areas.iter().enumerate().map(|(number, (_, shape))| {
            let bbox = shape.bbox();
            let rectangle = Rectangle::from_corners([bbox.west, bbox.south], [bbox.east, bbox.north]);
            GeomWithData::new(rectangle, number)
        });
        let tree = RTree::bulk_load(boxes.collect());
        Self { areas, tree }
    }

    /// How many areas there are.
    pub fn len(&self) -> usize {
        self.areas.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.areas.is_empty()
    }

    /// The areas in ascending order of their keys.
    pub fn iter(&self) -> impl Iterator<Item = (&K, &AreaShape)> {
        self.areas.iter().map(|(key, shape)| (key, shape))
    }

    /// The shape of an area.
    pub fn shape(&self, key: &K) -> Option<&AreaShape> {
        let at = self.areas.binary_search_by(|(other, _)| other.cmp(key)).ok()?;
        self.areas.get(at).map(|(_, shape)| shape)
    }

    /// Where a WGS-84 point is.
    pub fn locate(&self, point: LatLon) -> Located<K> {
        let mut inside: Option<&K> = None;
        let mut boundary: Vec<&K> = Vec::new();
        for (key, shape) in self.near(point) {
            match shape.locate(point) {
                Side::Inside => inside = Some(inside.map_or(key, |least| least.min(key))),
                Side::Boundary => boundary.push(key),
                Side::Outside => {}
            }
        }
        if let Some(key) = inside {
            return Located::Inside(key.clone());
        }
        if boundary.is_empty() {
            return self.nearest(point);
        }
        boundary.sort();
        Located::Boundary(boundary.into_iter().cloned().collect())
    }

    /// All areas in which, or on whose boundary, a WGS-84 point is, in ascending order of their keys. More than one
    /// where areas overlap or where several levels are in one index.
    pub fn all_at(&self, point: LatLon) -> Vec<K> {
        let mut found: Vec<&K> = self
            .near(point)
            .filter(|(_, shape)| shape.locate(point) != Side::Outside)
            .map(|(key, _)| key)
            .collect();
        found.sort();
        found.into_iter().cloned().collect()
    }

    /// The areas whose rectangles hold the point.
    fn near(&self, point: LatLon) -> impl Iterator<Item = (&K, &AreaShape)> {
        let envelope = AABB::from_point([point.lon, point.lat]);
        self.tree
            .locate_in_envelope_intersecting(&envelope)
            .filter_map(|found| self.areas.get(found.data).map(|(key, shape)| (key, shape)))
    }

    fn nearest(&self, point: LatLon) -> Located<K> {
        // Degrees are not metres, so the tree's own nearest neighbour could be wrong. Distances to the rectangles are
        // cheap; those to the rings are taken only while a rectangle could still hold something nearer.
        let frame = LocalFrame::at(point);
        let mut by_box: Vec<(f64, &(K, AreaShape))> =
            self.areas.iter().map(|area| (frame.metres_to(area.1.bbox().clamp(point)), area)).collect();
        by_box.sort_by(|a, b| a.0.total_cmp(&b.0));
        let mut best: Option<(f64, LatLon, &K)> = None;
        for (least, (key, shape)) in by_box {
            if best.is_some_and(|(metres, ..)| metres < least) {
                break;
            }
            let (metres, at) = shape.nearest_on_boundary(&frame);
            if best.is_none_or(|(found, _, other)| metres < found || (metres <= found && key < other)) {
                best = Some((metres, at, key));
            }
        }
        match best {
            Some((_, at, key)) => Located::Outside { nearest: key.clone(), metres: distance_m(point, at) },
            None => Located::NoAreas,
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::geo::datum::Datum;

    fn block(west: f64, south: f64, side: f64) -> AreaShape {
        let (east, north) = (west + side, south + side);
        let ring = [(west, south), (east, south), (east, north), (west, north), (west, south)]
            .map(|(lon, lat)| LatLon { lat, lon });
        AreaShape::new(&[vec![ring.to_vec()]], Datum::Wgs84).unwrap()
    }

    fn at(lat: f64, lon: f64) -> LatLon {
        LatLon { lat, lon }
    }

    #[test]
    fn inside_boundary_outside_and_nothing() {
        let index = AreaIndex::new([("b", block(120.01, 36.0, 0.01)), ("a", block(120.0, 36.0, 0.01))]);
        assert_eq!(index.locate(at(36.005, 120.005)), Located::Inside("a"));
        assert_eq!(index.locate(at(36.005, 120.01)), Located::Boundary(vec!["a", "b"]));
        assert_eq!(index.locate(at(36.005, 120.01)).area(), Some(&"a"));
        let Located::Outside { nearest, metres } = index.locate(at(36.005, 120.021)) else { panic!() };
        assert_eq!(nearest, "b");
        assert!((metres - 90.2).abs() < 0.2, "{metres}");
        assert_eq!(AreaIndex::<u8>::new([]).locate(at(0.0, 0.0)), Located::NoAreas);
        assert_eq!(index.len(), 2);
        assert!(index.shape(&"b").is_some() && index.shape(&"c").is_none());
    }

    #[test]
    fn overlapping_areas_answer_the_same_whatever_their_order() {
        let shapes = [(2, block(120.0, 36.0, 0.01)), (1, block(120.005, 36.0, 0.01))];
        let mut reversed = shapes.clone();
        reversed.reverse();
        let shared = at(36.005, 120.007);
        for index in [AreaIndex::new(shapes), AreaIndex::new(reversed)] {
            assert_eq!(index.locate(shared), Located::Inside(1));
            assert_eq!(index.all_at(shared), [1, 2]);
            assert_eq!(index.locate(at(36.005, 120.005)), Located::Inside(2));
        }
    }

    proptest! {
        #[test]
        fn the_index_agrees_with_looking_at_every_area(
            corners in proptest::collection::vec((119.9..120.1f64, 35.9..36.1f64, 0.001..0.05f64), 1..20),
            lat in 35.8..36.2f64, lon in 119.8..120.2f64,
        ) {
            let shapes: Vec<(usize, AreaShape)> = corners
                .iter()
                .enumerate()
                .map(|(key, &(west, south, side))| (key, block(west, south, side)))
                .collect();
            let point = at(lat, lon);
            let first = shapes.iter().find(|(_, shape)| shape.locate(point) == Side::Inside);
            let least = shapes.iter().map(|(_, shape)| shape.distance_m(point)).fold(f64::INFINITY, f64::min);
            match AreaIndex::new(shapes.clone()).locate(point) {
                Located::Inside(key) => prop_assert_eq!(Some(key), first.map(|(key, _)| *key)),
                Located::Outside { metres, .. } => prop_assert!((metres - least).abs() <= 1e-3 * least && first.is_none()),
                other => prop_assert!(matches!(other, Located::Boundary(_)) && first.is_none()),
            }
        }
    }
}
