//! Writing a path as a GPX 1.1 file, which every map program reads.

use std::fmt::Write as _;

use super::track::Path;

impl Path {
    /// The path as one GPX track: a segment for each stretch, so that gaps stay gaps. `name` is shown by map
    /// programs; no personal data belongs there. Coordinates are WGS-84 with 11 cm of resolution, times UTC.
    pub fn to_gpx(&self, name: &str) -> String {
        let mut out = String::with_capacity(256 + self.fixes().count() * 96);
        out.push_str("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n");
        out.push_str(
            "<gpx version=\"1.1\" creator=\"Gridwalk\" xmlns=\"http://www.topografix.com/GPX/1/1\">\n",
        );
        let _ = writeln!(out, "<trk><name>{}</name>", quick_xml::escape::escape(printable(name)));
        for stretch in self.stretches() {
            out.push_str("<trkseg>\n");
            for fix in stretch {
                // Writing into a string cannot fail.
                let _ = writeln!(
                    out,
                    "<trkpt lat=\"{:.6}\" lon=\"{:.6}\"><time>{}</time></trkpt>",
                    fix.point.lat, fix.point.lon, fix.at
                );
            }
            out.push_str("</trkseg>\n");
        }
        out.push_str("</trk>\n</gpx>\n");
        out
    }
}

/// Without the characters that XML cannot hold.
fn printable(name: &str) -> String {
    name.chars().filter(|c| !c.is_control() && !matches!(c, '\u{fffe}' | '\u{ffff}')).collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::geo::gpx::read_gpx;
    use crate::geo::lat_lon::LatLon;
    use crate::geo::track::{DEFAULT_GAP_MS, Fix};
    use crate::time::Timestamp;

    fn fix(seconds: i64, lat: f64) -> Fix {
        let at = Timestamp::from_millis(1_760_000_000_000 + seconds * 1000);
        Fix { at, point: LatLon { lat, lon: 120.47 } }
    }

    #[test]
    fn a_gap_is_a_new_segment_and_nobody_is_named_by_accident() {
        let path = Path::new(&[fix(0, 36.1), fix(10, 36.1001), fix(900, 36.2)], DEFAULT_GAP_MS);
        let file = read_gpx(path.to_gpx("巡查 <1> & \u{1} 2").as_bytes()).unwrap();
        assert_eq!(file.tracks[0].name.as_deref(), Some("巡查 <1> &  2"));
        assert_eq!(file.tracks[0].segments.iter().map(Vec::len).collect::<Vec<_>>(), [2, 1]);
        assert!(read_gpx(Path::default().to_gpx("").as_bytes()).unwrap().tracks.is_empty());
    }

    proptest! {
        #[test]
        fn what_is_written_reads_back(
            walk in proptest::collection::vec((0i64..400, -80.0..80.0f64), 0..40), name in "\\PC{0,20}",
        ) {
            let mut at = 0;
            let fixes: Vec<Fix> = walk.iter().map(|(step, lat)| { at += step; fix(at, *lat) }).collect();
            let path = Path::new(&fixes, DEFAULT_GAP_MS);
            let file = read_gpx(path.to_gpx(&name).as_bytes()).unwrap();
            prop_assert_eq!((file.skipped_points, file.bad_times), (0, 0));
            let read: Vec<Fix> = file.tracks.first().map(|track| track.timed_fixes()).unwrap_or_default();
            prop_assert_eq!(read.len(), fixes.len());
            for (read, fix) in read.iter().zip(&fixes) {
                prop_assert!(read.at == fix.at && (read.point.lat - fix.point.lat).abs() < 1e-6);
            }
        }
    }
}
