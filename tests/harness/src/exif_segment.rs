//! A minimal EXIF block, written by hand after TIFF 6.0 and EXIF 2.3: orientation, time and position.

use gridwalk_model::geo::LatLon;

/// What the camera claims.
#[derive(Clone, Debug, PartialEq)]
pub struct Claims {
    /// 1 to 8, as the TIFF tag has it.
    pub orientation: u16,
    /// `YYYY:MM:DD HH:MM:SS`, local time.
    pub taken: String,
    /// Where, in WGS-84.
    pub position: Option<LatLon>,
}

const SHORT: u16 = 3;
const LONG: u16 = 4;
const ASCII: u16 = 2;
const RATIONAL: u16 = 5;

/// One directory entry: tag, type, number of values, and the values' bytes.
struct Entry(u16, u16, u32, Vec<u8>);

/// The TIFF structure that goes after `Exif\0\0` in the APP1 segment. Big-endian.
pub fn tiff(claims: &Claims) -> Vec<u8> {
    let mut taken = claims.taken.clone().into_bytes();
    taken.push(0);
    let gps = claims.position.map(gps_entries).unwrap_or_default();
    let exif = vec![Entry(0x9003, ASCII, taken.len() as u32, taken)];
    // The pointers' values follow from the lengths, which do not depend on the values.
    let main = |exif_at: u32, gps_at: u32| {
        let mut entries = vec![
            Entry(0x010f, ASCII, 16, b"Gridwalk harness".to_vec()),
            Entry(0x0112, SHORT, 1, claims.orientation.to_be_bytes().to_vec()),
            Entry(0x8769, LONG, 1, exif_at.to_be_bytes().to_vec()),
        ];
        if claims.position.is_some() {
            entries.push(Entry(0x8825, LONG, 1, gps_at.to_be_bytes().to_vec()));
        }
        entries
    };
    let exif_at = 8 + length(&main(0, 0));
    let gps_at = exif_at + length(&exif);
    let mut out = b"MM\0\x2a\0\0\0\x08".to_vec();
    out.extend(directory(&main(exif_at, gps_at), 8));
    out.extend(directory(&exif, exif_at));
    if !gps.is_empty() {
        out.extend(directory(&gps, gps_at));
    }
    out
}

fn gps_entries(at: LatLon) -> Vec<Entry> {
    let (ns, ew) = (if at.lat < 0.0 { b"S\0" } else { b"N\0" }, if at.lon < 0.0 { b"W\0" } else { b"E\0" });
    vec![
        Entry(0, 1, 4, vec![2, 3, 0, 0]),
        Entry(1, ASCII, 2, ns.to_vec()),
        Entry(2, RATIONAL, 3, degrees(at.lat)),
        Entry(3, ASCII, 2, ew.to_vec()),
        Entry(4, RATIONAL, 3, degrees(at.lon)),
    ]
}

/// Degrees, minutes and seconds as three fractions; seconds to a thousandth.
fn degrees(value: f64) -> Vec<u8> {
    let thousandths = (value.abs() * 3_600_000.0).round() as u32;
    let (whole, rest) = (thousandths / 3_600_000, thousandths % 3_600_000);
    let parts = [(whole, 1), (rest / 60_000, 1), (rest % 60_000, 1_000)];
    parts
        .iter()
        .flat_map(|(above, below): &(u32, u32)| [above.to_be_bytes(), below.to_be_bytes()].concat())
        .collect()
}

/// Bytes of a directory with its values.
fn length(entries: &[Entry]) -> u32 {
    let values: usize = entries.iter().map(|Entry(.., value)| outside(value)).sum();
    (2 + entries.len() * 12 + 4 + values) as u32
}

/// Bytes that a value takes outside its entry: none if it fits the four inside.
fn outside(value: &[u8]) -> usize {
    if value.len() > 4 { value.len().next_multiple_of(2) } else { 0 }
}

fn directory(entries: &[Entry], at: u32) -> Vec<u8> {
    let mut head = (entries.len() as u16).to_be_bytes().to_vec();
    let mut values = Vec::new();
    let values_at = at + 2 + entries.len() as u32 * 12 + 4;
    for Entry(tag, kind, count, value) in entries {
        head.extend(tag.to_be_bytes());
        head.extend(kind.to_be_bytes());
        head.extend(count.to_be_bytes());
        if value.len() > 4 {
            head.extend((values_at + values.len() as u32).to_be_bytes());
            values.extend(value);
            values.resize(values.len().next_multiple_of(2), 0);
        } else {
            let mut inside = value.clone();
            inside.resize(4, 0);
            head.extend(inside);
        }
    }
    head.extend([0; 4]);
    head.extend(values);
    head
}
