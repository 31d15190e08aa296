//! The outline of a made-up district: a slightly bent chessboard in the open sea, where nobody lives.
//!
//! Areas of every level are cut from one lattice of points and name each point on their border, so that
//! neighbours share their border exactly and children fill their parent without gap or overlap.

use gridwalk_model::geo::LatLon;

use crate::seeded::Seeded;

/// South-west corner: open water of the Yellow Sea, inside the rectangle where GCJ-02 is shifted.
const CORNER: LatLon = LatLon { lat: 35.2, lon: 122.4 };
/// Size of a cell in degrees: about 250 m by 250 m.
const CELL: LatLon = LatLon { lat: 0.002_25, lon: 0.002_75 };
/// How far a point of the lattice may be off its place, as a part of a cell.
const BEND: f64 = 0.12;

/// A block of cells of the lattice; the ends are left out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Block {
    west: usize,
    south: usize,
    east: usize,
    north: usize,
}

impl Block {
    /// A block large enough to be cut into `streets`, these into `communities`, these into `grids`.
    pub fn district(streets: usize, communities: usize, grids: usize) -> Self {
        let sides = [streets, communities, grids].map(|parts| (columns(parts), rows(parts)));
        let across: usize = sides.iter().map(|(columns, _)| columns).product();
        let along: usize = sides.iter().map(|(_, rows)| rows).product();
        Self { west: 0, south: 0, east: across, north: along }
    }

    /// Cuts this block into `parts` blocks, row by row from the south-west.
    pub fn cut(&self, parts: usize) -> Vec<Self> {
        let (across, bands) = (columns(parts), rows(parts));
        let mut blocks = Vec::with_capacity(parts);
        for band in 0..bands {
            let here = across.min(parts.saturating_sub(band * across));
            let (south, north) = share(self.south, self.north, band, bands);
            for column in 0..here {
                let (west, east) = share(self.west, self.east, column, here);
                blocks.push(Self { west, south, east, north });
            }
        }
        blocks
    }

    /// The border in WGS-84, counter-clockwise, closed, with every lattice point on it.
    pub fn ring(&self, seed: u64) -> Vec<LatLon> {
        let south = (self.west..self.east).map(|x| (x, self.south));
        let east = (self.south..self.north).map(|y| (self.east, y));
        let north = (self.west + 1..=self.east).rev().map(|x| (x, self.north));
        let west = (self.south..=self.north).rev().map(|y| (self.west, y));
        south.chain(east).chain(north).chain(west).map(|(x, y)| lattice_point(seed, x, y)).collect()
    }

    /// A point well inside the block's south-westernmost cell, `right` and `up` being parts of a cell (0 to 1).
    pub fn inner_point(&self, right: f64, up: f64) -> LatLon {
        // Off by less than the bend on either side, a point between 0.2 and 0.8 cannot leave its cell.
        let inside = |part: f64| 0.2 + 0.6 * part.clamp(0.0, 1.0);
        LatLon {
            lat: CORNER.lat + CELL.lat * (self.south as f64 + inside(up)),
            lon: CORNER.lon + CELL.lon * (self.west as f64 + inside(right)),
        }
    }
}

fn columns(parts: usize) -> usize {
    (parts.max(1) as f64).sqrt().ceil() as usize
}

fn rows(parts: usize) -> usize {
    parts.max(1).div_ceil(columns(parts))
}

/// The `index`th of `parts` even shares of a range.
fn share(from: usize, to: usize, index: usize, parts: usize) -> (usize, usize) {
    let length = to - from;
    let at = |index: usize| from + (length * index).checked_div(parts).unwrap_or(0);
    (at(index), at(index + 1))
}

fn lattice_point(seed: u64, x: usize, y: usize) -> LatLon {
    let mut seeded = Seeded::new(seed ^ ((x as u64) << 32 | y as u64).wrapping_mul(0x9e37_79b9_7f4a_7c15));
    let mut at =
        |corner: f64, cell: f64, place: usize| corner + cell * (place as f64 + seeded.between(-BEND, BEND));
    LatLon { lat: at(CORNER.lat, CELL.lat, y), lon: at(CORNER.lon, CELL.lon, x) }
}

#[cfg(test)]
mod tests {
    use gridwalk_model::geo::{AreaShape, Datum, Side};

    use super::*;

    fn shape(block: &Block) -> AreaShape {
        AreaShape::new(&[vec![block.ring(5)]], Datum::Wgs84).unwrap()
    }

    #[test]
    fn children_fill_their_parent_whatever_their_number() {
        for (streets, communities, grids) in [(1, 1, 1), (5, 18, 9), (3, 4, 4), (2, 7, 5)] {
            let district = Block::district(streets, communities, grids);
            let mut parents = vec![district];
            for parts in [streets, communities, grids] {
                let mut next = Vec::new();
                for parent in parents {
                    let children = parent.cut(parts);
                    assert_eq!(children.len(), parts);
                    let sum: f64 = children.iter().map(|child| shape(child).area_m2()).sum();
                    let whole = shape(&parent).area_m2();
                    assert!((sum - whole).abs() < whole * 1e-4, "{sum} {whole}");
                    next.extend(children);
                }
                parents = next;
            }
        }
    }

    #[test]
    fn inner_points_are_inside_and_rings_closed() {
        let district = Block::district(2, 3, 5);
        for grid in district.cut(2).iter().flat_map(|s| s.cut(3)).flat_map(|c| c.cut(5)) {
            let ring = grid.ring(5);
            assert_eq!(ring.first(), ring.last());
            for (right, up) in [(0.0, 0.0), (1.0, 1.0), (0.5, 0.5), (0.0, 1.0)] {
                assert_eq!(shape(&grid).locate(grid.inner_point(right, up)), Side::Inside);
            }
        }
    }
}
