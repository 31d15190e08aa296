//! The encoded form of a shape, for an area's boundary in a document: a version byte, then counts and differences
//! of coordinates in 1e-7 degrees as varints. The closing vertex of a ring is left out.

use geo::{Coord, LineString, Polygon};

use super::error::GeoError;
use super::lat_lon::LatLon;
use super::polygon::AreaShape;
use super::varint::{Reader, put_signed, put_unsigned};

/// Version of the form that this build writes and reads.
const VERSION: u8 = 1;
const UNITS_PER_DEGREE: f64 = 1e7;
/// A ring has at least three vertices of two bytes, after its own count.
const LEAST_RING_BYTES: usize = 7;

impl AreaShape {
    /// The encoded form: about four bytes a vertex for a grid. Coordinates are rounded to 1e-7 degrees (11 mm).
    pub fn to_bytes(&self) -> Vec<u8> {
        let polygons = self.to_rings();
        let mut out = Vec::with_capacity(16 + self.vertex_count() * 5);
        out.push(VERSION);
        put_unsigned(&mut out, polygons.len() as u64);
        let mut last = (0i64, 0i64);
        for rings in &polygons {
            put_unsigned(&mut out, rings.len() as u64);
            for ring in rings {
                let open = ring.split_last().map_or(&ring[..], |(_, open)| open);
                put_unsigned(&mut out, open.len() as u64);
                for point in open {
                    let next = (to_units(point.lat), to_units(point.lon));
                    put_signed(&mut out, next.0 - last.0);
                    put_signed(&mut out, next.1 - last.1);
                    last = next;
                }
            }
        }
        out
    }

    /// Reads the encoded form.
    ///
    /// Ranges and lengths are checked, crossings are not: that was done at import, and a crossing ring only makes a
    /// wrong map, never a failure. Memory is bounded by a multiple of the input.
    ///
    /// # Errors
    /// [`GeoError::BadEncoding`] with the byte at which reading stopped.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, GeoError> {
        let mut reader = Reader::new(bytes);
        read_shape(&mut reader).ok_or(GeoError::BadEncoding { what: "shape", at: reader.at() })
    }
}

fn read_shape(reader: &mut Reader<'_>) -> Option<AreaShape> {
    if reader.unsigned()? != u64::from(VERSION) {
        return None;
    }
    let mut last = (0i64, 0i64);
    let count = reader.count(LEAST_RING_BYTES + 1)?;
    let mut polygons = Vec::with_capacity(count);
    for _ in 0..count {
        let rings = reader.count(LEAST_RING_BYTES)?;
        let shell = read_ring(reader, &mut last).filter(|_| rings > 0)?;
        let holes = (1..rings).map(|_| read_ring(reader, &mut last)).collect::<Option<Vec<_>>>()?;
        polygons.push(Polygon::new(shell, holes));
    }
    if reader.left() > 0 { None } else { AreaShape::from_polygons(polygons) }
}

fn read_ring(reader: &mut Reader<'_>, last: &mut (i64, i64)) -> Option<LineString<f64>> {
    let count = reader.count(2).filter(|count| *count >= 3)?;
    let mut coords = Vec::with_capacity(count + 1);
    for _ in 0..count {
        let lat = last.0.checked_add(reader.signed()?)?;
        let lon = last.1.checked_add(reader.signed()?)?;
        let point = LatLon { lat: lat as f64 / UNITS_PER_DEGREE, lon: lon as f64 / UNITS_PER_DEGREE };
        let point = point.checked().ok()?;
        coords.push(Coord { x: point.lon, y: point.lat });
        *last = (lat, lon);
    }
    coords.extend(coords.first().copied());
    Some(LineString::new(coords))
}

fn to_units(degrees: f64) -> i64 {
    (degrees * UNITS_PER_DEGREE).round() as i64
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::geo::datum::Datum;

    fn sample() -> AreaShape {
        let square = |west: f64, side: f64| {
            [(0.0, 0.0), (1.0, 0.0), (1.0, 1.0), (0.0, 1.0), (0.0, 0.0)]
                .map(|(x, y)| LatLon { lat: 36.1 + y * side, lon: west + x * side })
                .to_vec()
        };
        let hole = square(120.4701, 0.001).iter().map(|p| LatLon { lat: p.lat + 0.000_1, ..*p }).collect();
        AreaShape::new(&[vec![square(120.47, 0.01), hole], vec![square(120.5, 0.002)]], Datum::Wgs84).unwrap()
    }

    #[test]
    fn a_shape_reads_back_and_cut_forms_do_not() {
        let shape = sample();
        let bytes = shape.to_bytes();
        assert_eq!(AreaShape::from_bytes(&bytes).unwrap().to_bytes(), bytes);
        assert_eq!(AreaShape::from_bytes(&bytes).unwrap().to_rings().len(), 2);
        assert!(bytes.len() < 80, "{}", bytes.len());
        for end in 0..bytes.len() {
            assert!(AreaShape::from_bytes(&bytes[..end]).is_err(), "{end}");
        }
        let mut long = bytes;
        long.push(0);
        assert!(AreaShape::from_bytes(&long).is_err());
    }

    #[test]
    fn enormous_counts_are_refused_at_once() {
        let bytes = [1, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f, 1, 3];
        assert_eq!(AreaShape::from_bytes(&bytes), Err(GeoError::BadEncoding { what: "shape", at: 8 }));
    }

    proptest! {
        #[test]
        fn any_bytes_are_read_or_refused(mut bytes in proptest::collection::vec(any::<u8>(), 0..60)) {
            if let Some(first) = bytes.first_mut() {
                *first = VERSION;
            }
            if let Ok(shape) = AreaShape::from_bytes(&bytes) {
                prop_assert_eq!(shape.to_bytes(), bytes);
            }
        }

        #[test]
        fn damaged_shapes_never_panic(at in 0usize..60, value in any::<u8>(), lat in 36.0..36.2f64) {
            let mut bytes = sample().to_bytes();
            let at = at % bytes.len();
            bytes[at] = value;
            if let Ok(shape) = AreaShape::from_bytes(&bytes) {
                let _ = (shape.locate(LatLon { lat, lon: 120.47 }), shape.area_m2());
            }
        }
    }
}
