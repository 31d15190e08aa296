//! Areas laid over each other: what they share, what sticks out, what is left open.
//!
//! Boundaries are drawn by hand and rounded, so that neighbours overlap by slivers of centimetres. A piece counts
//! only if it is large and somewhere wide; both limits are a [`Tolerance`].

use geo::{Area, BooleanOps, Buffer, InteriorPoint, MultiPolygon, unary_union};

use super::frame::LocalFrame;
use super::lat_lon::LatLon;
use super::polygon::AreaShape;

/// Which pieces count.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Tolerance {
    /// A piece that is nowhere wider is ignored, in metres.
    pub width_m: f64,
    /// A smaller piece is ignored, in square metres.
    pub area_m2: f64,
}

impl Default for Tolerance {
    /// One metre, ten square metres: below what a phone's position can tell apart, above rounding to six decimals.
    fn default() -> Self {
        Self { width_m: 1.0, area_m2: 10.0 }
    }
}

/// A piece of ground beyond the tolerance.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Piece {
    /// Its size in square metres.
    pub area_m2: f64,
    /// A WGS-84 point in it, where it is wide.
    pub at: LatLon,
}

/// The ground that two areas share, largest piece first.
pub fn overlap(a: &AreaShape, b: &AreaShape, tolerance: &Tolerance) -> Vec<Piece> {
    let frame = LocalFrame::at(a.bbox().center());
    pieces(&a.flatten(&frame).intersection(&b.flatten(&frame)), &frame, tolerance)
}

/// The ground of `child` that is not in `parent`, largest piece first.
pub fn outside(child: &AreaShape, parent: &AreaShape, tolerance: &Tolerance) -> Vec<Piece> {
    let frame = LocalFrame::at(child.bbox().center());
    pieces(&child.flatten(&frame).difference(&parent.flatten(&frame)), &frame, tolerance)
}

/// The ground of `parent` that is in none of `children`, largest piece first.
pub fn gaps(parent: &AreaShape, children: &[&AreaShape], tolerance: &Tolerance) -> Vec<Piece> {
    let frame = LocalFrame::at(parent.bbox().center());
    let flat: Vec<MultiPolygon<f64>> = children.iter().map(|child| child.flatten(&frame)).collect();
    let covered = unary_union(&flat);
    pieces(&parent.flatten(&frame).difference(&covered), &frame, tolerance)
}

fn pieces(flat: &MultiPolygon<f64>, frame: &LocalFrame, tolerance: &Tolerance) -> Vec<Piece> {
    let mut found: Vec<Piece> = flat
        .iter()
        .filter_map(|polygon| {
            let area_m2 = polygon.unsigned_area();
            if area_m2 <= tolerance.area_m2 {
                return None;
            }
            // What is left after half the width is peeled off all around is where the piece is wider than that.
            let core = if tolerance.width_m > 0.0 {
                polygon.buffer(-tolerance.width_m / 2.0)
            } else {
                polygon.clone().into()
            };
            let widest = core.iter().max_by(|a, b| a.unsigned_area().total_cmp(&b.unsigned_area()))?;
            let at = frame.to_globe(widest.interior_point()?.0);
            Some(Piece { area_m2, at })
        })
        .collect();
    found.sort_by(|a, b| b.area_m2.total_cmp(&a.area_m2));
    found
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::geo::datum::Datum;
    use crate::geo::polygon::Side;

    /// A shape of corners in metres east and north of a point in Laoshan.
    fn shape(corners: &[(f64, f64)]) -> AreaShape {
        let frame = LocalFrame::at(LatLon { lat: 36.1, lon: 120.47 });
        let mut ring: Vec<LatLon> =
            corners.iter().map(|&(x, y)| frame.to_globe(geo::Coord { x, y })).collect();
        ring.push(ring[0]);
        AreaShape::new(&[vec![ring]], Datum::Wgs84).unwrap()
    }

    fn block(x: f64, y: f64, width: f64, height: f64) -> AreaShape {
        shape(&[(x, y), (x + width, y), (x + width, y + height), (x, y + height)])
    }

    #[test]
    fn slivers_are_forgiven_and_real_overlaps_are_not() {
        let tolerance = Tolerance::default();
        let home = block(0.0, 0.0, 1000.0, 1000.0);
        assert_eq!(overlap(&home, &block(1000.0, 0.0, 500.0, 1000.0), &tolerance), []);
        assert_eq!(overlap(&home, &block(999.7, 0.0, 500.0, 1000.0), &tolerance), []);
        let shared = overlap(&home, &block(990.0, 0.0, 500.0, 1000.0), &tolerance);
        assert!(matches!(shared[..], [Piece { area_m2, .. }] if (area_m2 - 10_000.0).abs() < 30.0));
        assert_eq!(home.locate(shared[0].at), Side::Inside);
    }

    #[test]
    fn a_bulge_in_a_long_sliver_is_found() {
        let home = block(0.0, 0.0, 1000.0, 1000.0);
        let bulge = [
            (1500.0, 0.0),
            (1500.0, 1000.0),
            (999.9, 1000.0),
            (999.9, 520.0),
            (980.0, 520.0),
            (980.0, 480.0),
            (999.9, 480.0),
            (999.9, 0.0),
        ];
        let shared = overlap(&home, &shape(&bulge), &Tolerance::default());
        assert_eq!(shared.len(), 1);
        let seen = LocalFrame::at(LatLon { lat: 36.1, lon: 120.47 }).to_plane(shared[0].at);
        assert!((980.0..1000.0).contains(&seen.x) && (480.0..520.0).contains(&seen.y), "{seen:?}");
    }

    #[test]
    fn what_sticks_out_and_what_is_left_open() {
        let tolerance = Tolerance::default();
        let parent = block(0.0, 0.0, 1000.0, 1000.0);
        let (west, east) = (block(0.0, 0.0, 500.0, 1000.0), block(520.0, 0.0, 510.0, 1000.0));
        assert_eq!(outside(&west, &parent, &tolerance), []);
        assert!((outside(&east, &parent, &tolerance)[0].area_m2 - 30_000.0).abs() < 100.0);
        let open = gaps(&parent, &[&west, &east], &tolerance);
        assert_eq!(open.len(), 1);
        assert!((open[0].area_m2 - 20_000.0).abs() < 100.0);
        assert_eq!(gaps(&parent, &[&parent], &tolerance), []);
        assert!((gaps(&parent, &[], &tolerance)[0].area_m2 - 1e6).abs() < 1_000.0);
    }
}
