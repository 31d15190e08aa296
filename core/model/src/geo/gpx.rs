//! Reading tracks from GPX 1.0 and 1.1 files.
//!
//! Real files lack times, have impossible ones, or come without namespaces. Only XML that is broken is refused; a
//! point that cannot be read is left out and counted. Waypoints and routes are ignored.

use quick_xml::Reader;
use quick_xml::events::{BytesRef, BytesStart, Event};

use super::distance::distance_m;
use super::error::GeoError;
use super::lat_lon::LatLon;
use super::track::Fix;
use crate::time::Timestamp;

/// How many points a file may have: twenty thousand hours of a point every minute and a bit.
const MAX_POINTS: usize = 1_000_000;

/// A point of a track.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct GpxPoint {
    /// Where; GPX is always WGS-84.
    pub point: LatLon,
    /// Height in metres, if the file has it.
    pub elevation_m: Option<f64>,
    /// When, if the file has it. Times are as in the file, however unlikely.
    pub time: Option<Timestamp>,
}

/// A track.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct GpxTrack {
    /// Its name, if it has one.
    pub name: Option<String>,
    /// Its segments; the receiver was off or without signal between them. None is empty.
    pub segments: Vec<Vec<GpxPoint>>,
}

/// What a file holds.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct GpxFile {
    /// Its tracks in the order of the file, but for those without a point.
    pub tracks: Vec<GpxTrack>,
    /// Points left out because their coordinates are missing or out of range.
    pub skipped_points: usize,
    /// Times left out because they cannot be read.
    pub bad_times: usize,
}

impl GpxTrack {
    /// All points, segment after segment.
    pub fn points(&self) -> impl Iterator<Item = &GpxPoint> {
        self.segments.iter().flatten()
    }

    /// The points that have a time, in the order of the file.
    pub fn timed_fixes(&self) -> Vec<Fix> {
        self.points().filter_map(|point| Some(Fix { at: point.time?, point: point.point })).collect()
    }

    /// All points, as somebody passes them who starts at `start` and walks at a steady pace: for tracks without times
    /// and for replays. A pace that is not above zero counts as one metre per second.
    pub fn paced_fixes(&self, start: Timestamp, metres_per_second: f64) -> Vec<Fix> {
        let pace = if metres_per_second > 0.0 { metres_per_second } else { 1.0 };
        let mut metres = 0.0;
        let mut last: Option<LatLon> = None;
        self.points()
            .map(|point| {
                metres += last.map_or(0.0, |last| distance_m(last, point.point));
                last = Some(point.point);
                Fix { at: start.plus_millis((metres / pace * 1000.0) as i64), point: point.point }
            })
            .collect()
    }
}

/// Reads the tracks of a file. A byte order mark is accepted. Memory is bounded by a multiple of the input.
///
/// # Errors
/// [`GeoError::NotXml`] with the offset for broken or cut XML, [`GeoError::NotGpx`] for another root element,
/// [`GeoError::TooManyPoints`].
pub fn read_gpx(bytes: &[u8]) -> Result<GpxFile, GeoError> {
    let text = std::str::from_utf8(bytes)
        .map_err(|error| GeoError::NotXml { at: u64::try_from(error.valid_up_to()).unwrap_or(u64::MAX) })?;
    let mut reader = Reader::from_str(text);
    let mut state = State::default();
    loop {
        let event = reader.read_event().map_err(|_| GeoError::NotXml { at: reader.error_position() })?;
        match event {
            Event::Start(start) => state.open(&start)?,
            Event::Empty(start) => {
                state.open(&start)?;
                state.close();
            }
            Event::End(_) => state.close(),
            Event::Text(text) => state.text.push_str(&text.xml10_content()),
            Event::CData(text) => state.text.push_str(&text.xml10_content()),
            Event::GeneralRef(name) => state.text.extend(resolve(&name)),
            Event::Eof if state.open.is_empty() && state.seen_root => return Ok(state.file),
            Event::Eof => return Err(GeoError::NotXml { at: reader.buffer_position() }),
            _ => {}
        }
    }
}

/// The elements that matter, each only where GPX puts it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Tag {
    Gpx,
    Track,
    Segment,
    Point,
    Elevation,
    Time,
    TrackName,
    Other,
}

#[derive(Default)]
struct State {
    file: GpxFile,
    open: Vec<Tag>,
    seen_root: bool,
    /// The point that is open, unless its coordinates are bad.
    point: Option<GpxPoint>,
    /// Text since the last tag.
    text: String,
    points: usize,
}

impl State {
    fn open(&mut self, start: &BytesStart<'_>) -> Result<(), GeoError> {
        self.text.clear();
        let name = start.local_name();
        let tag = match (self.open.last(), name.as_ref()) {
            (None, "gpx") if !self.seen_root => Tag::Gpx,
            (None, _) => return Err(GeoError::NotGpx),
            (Some(Tag::Gpx), "trk") => Tag::Track,
            (Some(Tag::Track), "trkseg") => Tag::Segment,
            (Some(Tag::Track), "name") => Tag::TrackName,
            (Some(Tag::Segment), "trkpt") => Tag::Point,
            (Some(Tag::Point), "ele") => Tag::Elevation,
            (Some(Tag::Point), "time") => Tag::Time,
            _ => Tag::Other,
        };
        match tag {
            Tag::Gpx => self.seen_root = true,
            Tag::Track => self.file.tracks.push(GpxTrack::default()),
            Tag::Segment => {
                if let Some(track) = self.file.tracks.last_mut() {
                    track.segments.push(Vec::new());
                }
            }
            Tag::Point => {
                self.points += 1;
                if self.points > MAX_POINTS {
                    return Err(GeoError::TooManyPoints { limit: MAX_POINTS });
                }
                self.point =
                    read_coordinates(start).map(|point| GpxPoint { point, elevation_m: None, time: None });
            }
            _ => {}
        }
        self.open.push(tag);
        Ok(())
    }

    fn close(&mut self) {
        let text = std::mem::take(&mut self.text);
        let text = text.trim();
        let track = self.file.tracks.last_mut();
        match (self.open.pop(), track) {
            (Some(Tag::Elevation), _) => {
                if let Some(point) = &mut self.point {
                    point.elevation_m = text.parse().ok().filter(|metres: &f64| metres.is_finite());
                }
            }
            (Some(Tag::Time), _) => {
                let time = read_time(text);
                self.file.bad_times += usize::from(time.is_none());
                if let Some(point) = &mut self.point {
                    point.time = time;
                }
            }
            (Some(Tag::TrackName), Some(track)) => {
                track.name = (!text.is_empty()).then(|| text.to_owned());
            }
            (Some(Tag::Point), Some(track)) => match (self.point.take(), track.segments.last_mut()) {
                (Some(point), Some(segment)) => segment.push(point),
                _ => self.file.skipped_points += 1,
            },
            (Some(Tag::Segment), Some(track)) => {
                track.segments.pop_if(|segment| segment.is_empty());
            }
            (Some(Tag::Track), Some(track)) if track.segments.is_empty() => {
                self.file.tracks.pop();
            }
            _ => {}
        }
    }
}

fn read_coordinates(start: &BytesStart<'_>) -> Option<LatLon> {
    let number = |name: &str| {
        let attribute = start.attributes().flatten().find(|attribute| attribute.key.as_ref() == name)?;
        attribute.value.trim().parse::<f64>().ok()
    };
    LatLon { lat: number("lat")?, lon: number("lon")? }.checked().ok()
}

/// A time as RFC 3339, or without a zone, which GPX says to read as UTC.
fn read_time(text: &str) -> Option<Timestamp> {
    let at = text.parse::<jiff::Timestamp>().ok().or_else(|| {
        let local = text.parse::<jiff::civil::DateTime>().ok()?;
        jiff::tz::Offset::UTC.to_timestamp(local).ok()
    })?;
    Some(Timestamp::from_millis(at.as_millisecond()))
}

/// The five entities of XML and numbers. Entities that the file itself defines are left out, never expanded.
fn resolve(name: &BytesRef<'_>) -> Option<char> {
    match name.as_ref() {
        "amp" => Some('&'),
        "lt" => Some('<'),
        "gt" => Some('>'),
        "quot" => Some('"'),
        "apos" => Some('\''),
        _ => name.resolve_char_ref().ok().flatten(),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const SAMPLE: &str = r#"<?xml version="1.0"?>
<gpx version="1.1" xmlns="http://www.topografix.com/GPX/1/1">
  <wpt lat="1" lon="2"><name>not a track</name></wpt>
  <trk><name>Rain &amp; &#x98CE;</name>
    <trkseg>
      <trkpt lat="36.1" lon="120.47"><ele>12.5</ele><time>2025-08-05T14:23:59Z</time>
        <extensions><time>garbage</time></extensions></trkpt>
      <trkpt lat="91" lon="120.47"/>
      <trkpt lon="120.47"/>
      <trkpt lat=" 36.101 " lon="120.47"><time>2025-08-05T14:24:09.5</time></trkpt>
    </trkseg>
    <trkseg/>
    <trkseg><trkpt lat="36.2" lon="120.47"><time>yesterday</time><ele>high</ele></trkpt></trkseg>
  </trk>
  <trk><name>empty log</name><trkseg></trkseg></trk>
</gpx>"#;

    #[test]
    fn tracks_are_read_and_what_is_left_out_is_counted() {
        let file = read_gpx(SAMPLE.as_bytes()).unwrap();
        assert_eq!((file.skipped_points, file.bad_times, file.tracks.len()), (2, 1, 1));
        let track = &file.tracks[0];
        assert_eq!(track.name.as_deref(), Some("Rain & 风"));
        assert_eq!(track.segments.iter().map(Vec::len).collect::<Vec<_>>(), [2, 1]);
        let first = track.segments[0][0];
        assert_eq!(first.elevation_m, Some(12.5));
        assert_eq!(first.time, Some(Timestamp::from_millis(1_754_403_839_000)));
        assert_eq!(track.segments[0][1].time, Some(Timestamp::from_millis(1_754_403_849_500)));
        assert_eq!(track.segments[1][0], GpxPoint { elevation_m: None, time: None, ..track.segments[1][0] });
        assert_eq!(track.timed_fixes().len(), 2);
    }

    #[test]
    fn a_prefix_and_a_byte_order_mark_are_accepted() {
        let text = "\u{feff}<g:gpx xmlns:g='x'><g:trk><g:trkseg><g:trkpt lat='1' lon='2'/></g:trkseg></g:trk></g:gpx>";
        assert_eq!(read_gpx(text.as_bytes()).unwrap().tracks[0].points().count(), 1);
    }

    #[test]
    fn a_pace_gives_times_to_a_track_without_them() {
        let file = read_gpx(SAMPLE.as_bytes()).unwrap();
        let path = file.tracks[0].paced_fixes(Timestamp::from_millis(0), 2.0);
        let millis: Vec<i64> = path.iter().map(|fix| fix.at.millis()).collect();
        assert_eq!(millis[0], 0);
        assert!((55_000..56_000).contains(&millis[1]), "{millis:?}");
        assert_eq!(file.tracks[0].paced_fixes(Timestamp::from_millis(0), f64::NAN).len(), 3);
    }

    #[test]
    fn other_and_broken_files_are_refused_with_the_reason() {
        assert_eq!(read_gpx(b"<kml></kml>"), Err(GeoError::NotGpx));
        assert_eq!(read_gpx(b"<gpx></gpx><gpx></gpx>"), Err(GeoError::NotGpx));
        assert_eq!(read_gpx(b""), Err(GeoError::NotXml { at: 0 }));
        assert_eq!(read_gpx(b"track"), Err(GeoError::NotXml { at: 5 }));
        assert_eq!(read_gpx(b"<gpx><trk></gpx>"), Err(GeoError::NotXml { at: 10 }));
        assert_eq!(read_gpx(b"<gpx>\xff"), Err(GeoError::NotXml { at: 5 }));
        for end in 0..SAMPLE.len() {
            if SAMPLE.is_char_boundary(end) {
                assert!(matches!(read_gpx(&SAMPLE.as_bytes()[..end]), Err(GeoError::NotXml { .. })), "{end}");
            }
        }
    }

    #[test]
    fn entities_of_the_file_are_not_expanded() {
        let bomb = r#"<!DOCTYPE gpx [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;">]>
            <gpx><trk><name>x&b;&b;y</name><trkseg><trkpt lat="1" lon="2"/></trkseg></trk></gpx>"#;
        assert_eq!(read_gpx(bomb.as_bytes()).unwrap().tracks[0].name.as_deref(), Some("xy"));
    }

    proptest! {
        #[test]
        fn damaged_files_never_panic(at in 0usize..900, byte in any::<u8>()) {
            let mut bytes = SAMPLE.as_bytes().to_vec();
            let at = at % bytes.len();
            bytes[at] = byte;
            let _ = read_gpx(&bytes);
        }
    }
}
