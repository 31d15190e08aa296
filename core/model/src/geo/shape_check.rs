//! Whether rings make a valid area, by the rules of OGC Simple Features, with the place of each fault.
//!
//! The rules are those of `geo`'s own validation. That one compares every edge with every other and does not say
//! where a ring crosses itself; a coastline of twenty thousand points needs the first better and an office that
//! must mend its map needs the second.

use std::fmt;

use geo::coordinate_position::CoordPos;
use geo::dimensions::Dimensions;
use geo::line_intersection::{LineIntersection, line_intersection};
use geo::{Coord, Line, LineString, Polygon, Relate};
use rstar::primitives::{GeomWithData, Rectangle};
use rstar::{AABB, RTree};

use super::lat_lon::LatLon;

/// One thing that is wrong with a shape. Polygons, rings and vertices count from 0; ring 0 is the shell.
#[derive(Debug, Clone, PartialEq)]
pub struct ShapeFault {
    /// Which polygon of the shape.
    pub polygon: usize,
    /// Which ring of the polygon.
    pub ring: usize,
    /// What is wrong.
    pub kind: FaultKind,
}

/// What can be wrong with a ring or a polygon.
#[derive(Debug, Clone, PartialEq)]
pub enum FaultKind {
    /// There is no ring at all.
    Empty,
    /// A coordinate is not a number or out of range. Projected coordinates (metres) end here.
    OutOfRange {
        /// Which vertex.
        vertex: usize,
    },
    /// First and last vertex differ.
    NotClosed,
    /// Fewer than three different corners, hence fewer than four vertices.
    TooFewPoints,
    /// The ring crosses or touches itself.
    SelfIntersection {
        /// Where.
        near: LatLon,
    },
    /// The hole is not within the shell, or runs along it.
    HoleOutsideShell,
    /// The hole overlaps another one or runs along it.
    HolesOverlap {
        /// The other hole's ring number.
        other: usize,
    },
    /// The polygon overlaps another one of the same area or has an edge in common with it.
    PartsOverlap {
        /// The other polygon.
        other: usize,
    },
}

impl ShapeFault {
    /// What is wrong, in Chinese.
    pub fn zh(&self) -> String {
        let place = format!("第{}个多边形第{}个环", self.polygon + 1, self.ring + 1);
        match &self.kind {
            FaultKind::Empty => "没有任何边界环".to_owned(),
            FaultKind::OutOfRange { vertex } => {
                format!("{place}第{}个点的坐标不是有效的经纬度(是否为投影坐标?)", vertex + 1)
            }
            FaultKind::NotClosed => format!("{place}没有闭合"),
            FaultKind::TooFewPoints => format!("{place}少于三个不同的角点"),
            FaultKind::SelfIntersection { near } => {
                format!("{place}在经度{:.6}、纬度{:.6}附近自相交", near.lon, near.lat)
            }
            FaultKind::HoleOutsideShell => format!("{place}是孔洞,但不在外环之内"),
            FaultKind::HolesOverlap { other } => format!("{place}与第{}个环重叠", other + 1),
            FaultKind::PartsOverlap { other } => {
                format!("第{}个多边形与第{}个多边形重叠或共边", self.polygon + 1, other + 1)
            }
        }
    }

    /// What is wrong, in English.
    pub fn en(&self) -> String {
        let place = format!("polygon {} ring {}", self.polygon + 1, self.ring + 1);
        match &self.kind {
            FaultKind::Empty => "there is no ring".to_owned(),
            FaultKind::OutOfRange { vertex } => {
                format!("{place}: point {} is no latitude and longitude (projected coordinates?)", vertex + 1)
            }
            FaultKind::NotClosed => format!("{place} is not closed"),
            FaultKind::TooFewPoints => format!("{place} has fewer than three different corners"),
            FaultKind::SelfIntersection { near } => {
                format!("{place} crosses itself near longitude {:.6}, latitude {:.6}", near.lon, near.lat)
            }
            FaultKind::HoleOutsideShell => format!("{place} is a hole but not within the shell"),
            FaultKind::HolesOverlap { other } => format!("{place} overlaps ring {}", other + 1),
            FaultKind::PartsOverlap { other } => {
                format!("polygons {} and {} overlap or share an edge", self.polygon + 1, other + 1)
            }
        }
    }
}

impl fmt::Display for ShapeFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.en())
    }
}

/// Makes polygons of rings, or says everything that is wrong with them.
pub(super) fn check_polygons(raw: &[Vec<Vec<LatLon>>]) -> Result<Vec<Polygon<f64>>, Vec<ShapeFault>> {
    let mut faults = Vec::new();
    let mut polygons = Vec::new();
    if raw.is_empty() {
        faults.push(ShapeFault { polygon: 0, ring: 0, kind: FaultKind::Empty });
    }
    for (polygon, rings) in raw.iter().enumerate() {
        let mut fault = |ring, kind| faults.push(ShapeFault { polygon, ring, kind });
        if rings.is_empty() {
            fault(0, FaultKind::Empty);
        }
        let mut good = Vec::new();
        for (number, ring) in rings.iter().enumerate() {
            match check_ring(ring) {
                Ok(line) => good.push(line),
                Err(kind) => fault(number, kind),
            }
        }
        if good.len() == rings.len() {
            check_holes(&good, &mut fault);
            let mut good = good.into_iter();
            if let Some(shell) = good.next() {
                polygons.push(Polygon::new(shell, good.collect()));
            }
        }
    }
    if faults.is_empty() {
        check_parts(&polygons, &mut faults);
    }
    if faults.is_empty() { Ok(polygons) } else { Err(faults) }
}

fn check_ring(ring: &[LatLon]) -> Result<LineString<f64>, FaultKind> {
    if let Some(vertex) = ring.iter().position(|point| point.checked().is_err()) {
        return Err(FaultKind::OutOfRange { vertex });
    }
    let mut coords: Vec<Coord<f64>> = ring.iter().map(|point| Coord { x: point.lon, y: point.lat }).collect();
    if coords.first() != coords.last() {
        return Err(FaultKind::NotClosed);
    }
    coords.dedup();
    if coords.len() < 4 {
        return Err(FaultKind::TooFewPoints);
    }
    let line = LineString::new(coords);
    match self_intersection(&line) {
        Some(at) => Err(FaultKind::SelfIntersection { near: LatLon { lat: at.y, lon: at.x } }),
        None => Ok(line),
    }
}

/// Where a closed ring without repeated vertices meets itself other than at the ends of neighbouring edges.
fn self_intersection(ring: &LineString<f64>) -> Option<Coord<f64>> {
    let edges: Vec<Line<f64>> = ring.lines().collect();
    let boxes = edges.iter().enumerate().map(|(number, edge)| {
        let rectangle = Rectangle::from_corners([edge.start.x, edge.start.y], [edge.end.x, edge.end.y]);
        GeomWithData::new(rectangle, number)
    });
    let tree = RTree::bulk_load(boxes.collect());
    let last = edges.len().saturating_sub(1);
    for (number, edge) in edges.iter().enumerate() {
        let envelope = AABB::from_corners([edge.start.x, edge.start.y], [edge.end.x, edge.end.y]);
        for near in tree.locate_in_envelope_intersecting(&envelope) {
            let other_number = near.data;
            let Some(other) = edges.get(other_number).filter(|_| other_number > number) else { continue };
            let neighbours = other_number == number + 1 || (number == 0 && other_number == last);
            match line_intersection(*edge, *other) {
                None => {}
                Some(LineIntersection::Collinear { intersection }) => return Some(intersection.start),
                Some(LineIntersection::SinglePoint { intersection, .. }) if !neighbours => {
                    return Some(intersection);
                }
                Some(LineIntersection::SinglePoint { .. }) => {}
            }
        }
    }
    None
}

fn check_holes(rings: &[LineString<f64>], fault: &mut impl FnMut(usize, FaultKind)) {
    let alone = |ring: &LineString<f64>| Polygon::new(ring.clone(), Vec::new());
    let Some((shell, holes)) = rings.split_first() else { return };
    if holes.is_empty() {
        return;
    }
    let shell = alone(shell);
    let holes: Vec<Polygon<f64>> = holes.iter().map(alone).collect();
    for (number, hole) in holes.iter().enumerate() {
        let with_shell = shell.relate(hole);
        let along = with_shell.get(CoordPos::OnBoundary, CoordPos::OnBoundary) == Dimensions::OneDimensional;
        if along || !with_shell.is_contains() {
            fault(number + 1, FaultKind::HoleOutsideShell);
        }
        for (other, second) in holes.iter().enumerate().skip(number + 1) {
            if overlap_or_share_edge(hole, second) {
                fault(number + 1, FaultKind::HolesOverlap { other: other + 1 });
            }
        }
    }
}

fn check_parts(polygons: &[Polygon<f64>], faults: &mut Vec<ShapeFault>) {
    let tree = RTree::bulk_load(
        polygons
            .iter()
            .enumerate()
            .map(|(number, polygon)| GeomWithData::new(polygon.clone(), number))
            .collect(),
    );
    for (a, b) in tree.intersection_candidates_with_other_tree(&tree) {
        if a.data < b.data && overlap_or_share_edge(a.geom(), b.geom()) {
            faults.push(ShapeFault {
                polygon: a.data,
                ring: 0,
                kind: FaultKind::PartsOverlap { other: b.data },
            });
        }
    }
}

fn overlap_or_share_edge(a: &Polygon<f64>, b: &Polygon<f64>) -> bool {
    let relation = a.relate(b);
    relation.get(CoordPos::Inside, CoordPos::Inside) != Dimensions::Empty
        || relation.get(CoordPos::OnBoundary, CoordPos::OnBoundary) == Dimensions::OneDimensional
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ring(points: &[(f64, f64)]) -> Vec<LatLon> {
        points.iter().map(|&(lon, lat)| LatLon { lat, lon }).collect()
    }

    fn square(west: f64, south: f64, side: f64) -> Vec<LatLon> {
        ring(&[
            (west, south),
            (west + side, south),
            (west + side, south + side),
            (west, south + side),
            (west, south),
        ])
    }

    fn kinds(raw: &[Vec<Vec<LatLon>>]) -> Vec<FaultKind> {
        check_polygons(raw).err().unwrap_or_default().into_iter().map(|fault| fault.kind).collect()
    }

    #[test]
    fn good_shapes_pass() {
        assert_eq!(kinds(&[vec![square(0.0, 0.0, 4.0), square(1.0, 1.0, 1.0)]]), []);
        assert_eq!(kinds(&[vec![square(0.0, 0.0, 1.0)], vec![square(2.0, 0.0, 1.0)]]), []);
        let corner_to_corner = [vec![square(0.0, 0.0, 1.0)], vec![square(1.0, 1.0, 1.0)]];
        assert_eq!(kinds(&corner_to_corner), []);
        let hole_touches_at_a_point = ring(&[(0.0, 2.0), (1.0, 1.0), (1.0, 3.0), (0.0, 2.0)]);
        assert_eq!(kinds(&[vec![square(0.0, 0.0, 4.0), hole_touches_at_a_point]]), []);
        let repeated = ring(&[(0.0, 0.0), (1.0, 0.0), (1.0, 0.0), (1.0, 1.0), (0.0, 0.0)]);
        assert_eq!(kinds(&[vec![repeated]]), []);
        let straight_on = ring(&[(0.0, 0.0), (0.5, 0.0), (1.0, 0.0), (1.0, 1.0), (0.0, 0.0)]);
        assert_eq!(kinds(&[vec![straight_on]]), []);
    }

    #[test]
    fn each_fault_is_named() {
        assert_eq!(kinds(&[]), [FaultKind::Empty]);
        assert_eq!(kinds(&[vec![]]), [FaultKind::Empty]);
        let open = ring(&[(0.0, 0.0), (1.0, 0.0), (1.0, 1.0), (0.0, 1.0)]);
        assert_eq!(kinds(&[vec![open]]), [FaultKind::NotClosed]);
        let flat = ring(&[(0.0, 0.0), (1.0, 0.0), (0.0, 0.0)]);
        assert_eq!(kinds(&[vec![flat]]), [FaultKind::TooFewPoints]);
        assert_eq!(kinds(&[vec![vec![]]]), [FaultKind::TooFewPoints]);
        let metres = ring(&[(0.0, 0.0), (40_450_000.0, 4_000_000.0), (1.0, 1.0), (0.0, 0.0)]);
        assert_eq!(kinds(&[vec![metres]]), [FaultKind::OutOfRange { vertex: 1 }]);
        let nan = ring(&[(0.0, 0.0), (1.0, 0.0), (1.0, f64::NAN), (0.0, 0.0)]);
        assert_eq!(kinds(&[vec![nan]]), [FaultKind::OutOfRange { vertex: 2 }]);
    }

    #[test]
    fn rings_that_meet_themselves_say_where() {
        let bow = ring(&[(0.0, 0.0), (2.0, 2.0), (2.0, 0.0), (0.0, 2.0), (0.0, 0.0)]);
        let near = LatLon { lat: 1.0, lon: 1.0 };
        assert_eq!(kinds(&[vec![bow]]), [FaultKind::SelfIntersection { near }]);
        let eight =
            ring(&[(0.0, 0.0), (1.0, 1.0), (2.0, 0.0), (2.0, 2.0), (1.0, 1.0), (0.0, 2.0), (0.0, 0.0)]);
        assert_eq!(kinds(&[vec![eight]]), [FaultKind::SelfIntersection { near }]);
        let spike = ring(&[(0.0, 0.0), (2.0, 0.0), (4.0, 0.0), (2.0, 0.0), (2.0, 2.0), (0.0, 0.0)]);
        assert!(matches!(kinds(&[vec![spike]])[..], [FaultKind::SelfIntersection { .. }]));
        let spike_at_the_seam =
            ring(&[(2.0, 0.0), (4.0, 0.0), (2.0, 2.0), (0.0, 0.0), (4.0, 0.0), (2.0, 0.0)]);
        assert!(matches!(kinds(&[vec![spike_at_the_seam]])[..], [FaultKind::SelfIntersection { .. }]));
    }

    #[test]
    fn holes_and_parts_that_overlap_are_named() {
        let shell = square(0.0, 0.0, 4.0);
        let outside = [vec![shell.clone(), square(3.0, 3.0, 3.0)]];
        assert_eq!(kinds(&outside), [FaultKind::HoleOutsideShell]);
        let along = [vec![shell.clone(), square(0.0, 1.0, 1.0)]];
        assert_eq!(kinds(&along), [FaultKind::HoleOutsideShell]);
        let holes = [vec![shell.clone(), square(1.0, 1.0, 1.0), square(1.5, 1.5, 1.0)]];
        assert_eq!(kinds(&holes), [FaultKind::HolesOverlap { other: 2 }]);
        let parts = [vec![shell.clone()], vec![square(4.0, 0.0, 1.0)]];
        assert_eq!(kinds(&parts), [FaultKind::PartsOverlap { other: 1 }]);
        let nested = [vec![shell], vec![square(1.0, 1.0, 1.0)]];
        assert_eq!(kinds(&nested), [FaultKind::PartsOverlap { other: 1 }]);
    }

    #[test]
    fn texts_exist_in_both_languages() {
        let fault = ShapeFault { polygon: 0, ring: 1, kind: FaultKind::NotClosed };
        assert_eq!(fault.zh(), "第1个多边形第2个环没有闭合");
        assert_eq!(fault.to_string(), "polygon 1 ring 2 is not closed");
    }
}
