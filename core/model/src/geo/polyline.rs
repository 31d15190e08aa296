//! A path as one run of bytes: differences in 1e-6 degrees (11 cm) and seconds, as varints. About five bytes a fix.

use super::error::GeoError;
use super::lat_lon::LatLon;
use super::track::{Fix, Path};
use super::varint::{Reader, put_signed, put_unsigned};
use crate::time::Timestamp;

/// Version of the form that this build writes and reads.
const VERSION: u64 = 1;
const UNITS_PER_DEGREE: f64 = 1e6;
/// Latitude, longitude and time take at least a byte each.
const LEAST_FIX_BYTES: usize = 3;

/// Latitude and longitude in units, time in seconds.
type Units = (i64, i64, i64);

impl Path {
    /// The encoded form. Fixes out of range are moved to the edge of the range; times are cut to whole seconds.
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut out = Vec::with_capacity(8 + self.fixes().count() * 6);
        put_unsigned(&mut out, VERSION);
        put_unsigned(&mut out, self.stretches().len() as u64);
        let mut last: Units = (0, 0, 0);
        for stretch in self.stretches() {
            put_unsigned(&mut out, stretch.len() as u64);
            for fix in stretch {
                let next = to_units(fix);
                put_signed(&mut out, next.0 - last.0);
                put_signed(&mut out, next.1 - last.1);
                put_signed(&mut out, next.2 - last.2);
                last = next;
            }
        }
        out
    }

    /// Reads the encoded form. Memory is bounded by some ten times the input, whatever the counts in it claim.
    ///
    /// # Errors
    /// [`GeoError::BadEncoding`] with the byte at which reading stopped: an unknown version, a count or number that
    /// cannot be, a fix out of range, an empty stretch, or bytes left over.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, GeoError> {
        let mut reader = Reader::new(bytes);
        read_path(&mut reader).ok_or(GeoError::BadEncoding { what: "track", at: reader.at() })
    }
}

fn to_units(fix: &Fix) -> Units {
    let units = |degrees: f64, limit: f64| (degrees.clamp(-limit, limit) * UNITS_PER_DEGREE).round() as i64;
    (units(fix.point.lat, 90.0), units(fix.point.lon, 180.0), fix.at.millis().div_euclid(1000))
}

fn read_path(reader: &mut Reader<'_>) -> Option<Path> {
    if reader.unsigned()? != VERSION {
        return None;
    }
    let count = reader.count(LEAST_FIX_BYTES + 1)?;
    let mut stretches = Vec::with_capacity(count);
    let mut last: Units = (0, 0, 0);
    for _ in 0..count {
        let fixes = reader.count(LEAST_FIX_BYTES).filter(|fixes| *fixes > 0)?;
        stretches.push((0..fixes).map(|_| read_fix(reader, &mut last)).collect::<Option<Vec<_>>>()?);
    }
    (reader.left() == 0).then(|| Path::from_stretches(stretches))
}

fn read_fix(reader: &mut Reader<'_>, last: &mut Units) -> Option<Fix> {
    let lat = last.0.checked_add(reader.signed()?)?;
    let lon = last.1.checked_add(reader.signed()?)?;
    let seconds = last.2.checked_add(reader.signed()?)?;
    *last = (lat, lon, seconds);
    let point = LatLon { lat: lat as f64 / UNITS_PER_DEGREE, lon: lon as f64 / UNITS_PER_DEGREE };
    let at = Timestamp::from_millis(seconds.checked_mul(1000)?);
    Some(Fix { at, point: point.checked().ok()? })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::geo::track::DEFAULT_GAP_MS;

    fn arbitrary_path() -> impl Strategy<Value = Path> {
        let fix = (any::<i64>(), -90.0..=90.0f64, -180.0..=180.0f64);
        proptest::collection::vec(proptest::collection::vec(fix, 0..10), 0..8).prop_map(|stretches| {
            let fix = |(at, lat, lon)| Fix { at: Timestamp::from_millis(at), point: LatLon { lat, lon } };
            let stretch = |fixes: Vec<_>| fixes.into_iter().map(fix).collect();
            Path::from_stretches(stretches.into_iter().map(stretch).collect())
        })
    }

    #[test]
    fn a_walk_takes_few_bytes() {
        let walk: Vec<Fix> = (0..1000)
            .map(|i| Fix {
                at: Timestamp::from_millis(1_760_000_000_000 + i * 10_000),
                point: LatLon { lat: 36.1 + i as f64 * 0.000_05, lon: 120.47 + (i % 7) as f64 * 0.000_08 },
            })
            .collect();
        let bytes = Path::new(&walk, DEFAULT_GAP_MS).to_bytes();
        assert!(bytes.len() <= 5_020, "{}", bytes.len());
        assert_eq!(Path::from_bytes(&Path::default().to_bytes()), Ok(Path::default()));
    }

    #[test]
    fn garbage_is_refused_with_its_place() {
        let refused = |at| Err(GeoError::BadEncoding { what: "track", at });
        let claim = [1, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f, 0, 0, 0];
        assert_eq!(Path::from_bytes(&claim), refused(8));
        assert_eq!(Path::from_bytes(&[]), refused(0));
        assert_eq!(Path::from_bytes(&[2, 0]), refused(1));
        assert_eq!(Path::from_bytes(&[1, 0, 0]), refused(2));
        assert_eq!(Path::from_bytes(&[1, 1, 0, 0, 0, 0]), refused(3));
        let mut far = vec![1, 1, 1];
        for value in [91_000_000, 0, 0] {
            put_signed(&mut far, value);
        }
        assert!(Path::from_bytes(&far).is_err());
        let mut late = vec![1, 1, 1, 0, 0];
        put_signed(&mut late, i64::MAX);
        assert!(Path::from_bytes(&late).is_err());
    }

    proptest! {
        #[test]
        fn any_path_reads_back_to_the_second(path in arbitrary_path()) {
            let bytes = path.to_bytes();
            let read = Path::from_bytes(&bytes).unwrap();
            let lengths = |path: &Path| path.stretches().iter().map(Vec::len).collect::<Vec<_>>();
            prop_assert_eq!(lengths(&read), lengths(&path));
            for (a, b) in path.fixes().zip(read.fixes()) {
                prop_assert_eq!(a.at.millis().div_euclid(1000) * 1000, b.at.millis());
                prop_assert!((a.point.lat - b.point.lat).abs() <= 0.51e-6);
                prop_assert!((a.point.lon - b.point.lon).abs() <= 0.51e-6);
            }
            prop_assert_eq!(read.to_bytes(), bytes);
        }

        #[test]
        fn any_bytes_are_read_or_refused(mut bytes in proptest::collection::vec(any::<u8>(), 0..80)) {
            if let Some(first) = bytes.first_mut() {
                *first = 1;
            }
            if let Ok(path) = Path::from_bytes(&bytes) {
                prop_assert_eq!(path.to_bytes(), bytes);
            }
        }

        #[test]
        fn damaged_paths_are_read_or_refused(path in arbitrary_path(), at in any::<usize>(), byte in any::<u8>()) {
            let mut bytes = path.to_bytes();
            let at = at % bytes.len();
            bytes[at] = byte;
            if let Ok(path) = Path::from_bytes(&bytes) {
                prop_assert_eq!(path.to_bytes(), bytes);
            }
        }
    }
}
