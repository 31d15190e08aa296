//! What a camera wrote beside the picture: time, place and orientation.
//!
//! Metadata never decides whether a photo is taken. What cannot be read becomes a note.

use std::io::Cursor;
use std::panic::{AssertUnwindSafe, catch_unwind};

use exif::{DateTime, Exif, Field, In, Reader, Tag, Value};

/// Facts from the EXIF segment, and notes on what could not be read.
#[derive(Debug, Clone, PartialEq)]
pub struct ExifFacts {
    /// How the picture must be turned to stand upright, 1 to 8 as EXIF numbers it; 1 if the file says nothing usable.
    pub orientation: u8,
    /// When the camera says the picture was taken.
    pub captured: Option<CaptureTime>,
    /// Where the camera says it was taken.
    pub position: Option<ExifPosition>,
    /// The time of the satellite fix, in milliseconds since 1970 UTC. May be older than the picture.
    pub gps_unix_ms: Option<i64>,
    /// What was there but could not be used. Without personal data.
    pub notes: Vec<ExifNote>,
}

impl Default for ExifFacts {
    fn default() -> Self {
        Self { orientation: 1, captured: None, position: None, gps_unix_ms: None, notes: Vec::new() }
    }
}

/// A time by the camera's clock.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CaptureTime {
    /// The clock's reading as milliseconds since 1970-01-01 00:00 on the same clock (not UTC).
    pub local_ms: i64,
    /// Minutes that the clock is ahead of UTC; cameras before about 2017 do not say.
    pub utc_offset_minutes: Option<i16>,
    /// Which field it is from.
    pub field: TimeField,
}

impl CaptureTime {
    /// Milliseconds since 1970 UTC, if the camera stated its offset.
    pub fn unix_ms(&self) -> Option<i64> {
        self.utc_offset_minutes.map(|offset| self.unix_ms_at(offset))
    }

    /// Milliseconds since 1970 UTC if the clock was this many minutes ahead of UTC.
    pub fn unix_ms_at(&self, utc_offset_minutes: i16) -> i64 {
        self.local_ms - i64::from(utc_offset_minutes) * 60_000
    }
}

/// The EXIF field of a time, best first.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TimeField {
    /// `DateTimeOriginal`: the shutter.
    Original,
    /// `DateTimeDigitized`.
    Digitized,
    /// `DateTime`: the last change of the file.
    Changed,
}

/// A position by the camera's receiver.
#[derive(Debug, Clone, PartialEq)]
pub struct ExifPosition {
    /// Degrees north.
    pub lat: f64,
    /// Degrees east.
    pub lon: f64,
    /// Radius in metres, if stated (`GPSHPositioningError`).
    pub accuracy_m: Option<f32>,
    /// The datum as the file states it.
    pub datum: ExifDatum,
}

/// The datum of a camera's position.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ExifDatum {
    /// The file says WGS-84.
    Wgs84,
    /// The file says nothing; cameras mean WGS-84.
    Unstated,
    /// The file says something else, shortened to 24 characters.
    Other(String),
}

/// Why a piece of metadata was not used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ExifNote {
    /// The segment, or a part of it, breaks the rules of the format.
    #[error("the photo's metadata is damaged ({0})")]
    Damaged(String),
    /// The orientation is none of 1 to 8.
    #[error("the photo's orientation is unknown")]
    Orientation,
    /// The time is not a time.
    #[error("the photo's time cannot be read")]
    Time,
    /// The position is not a position.
    #[error("the photo's position cannot be read")]
    Position,
    /// The position is exactly 0° 0°, which receivers write when they know none.
    #[error("the photo's position is empty")]
    NullPosition,
}

impl ExifNote {
    /// The note in Chinese.
    pub fn zh(&self) -> &'static str {
        match self {
            Self::Damaged(_) => "照片信息（EXIF）已损坏",
            Self::Orientation => "照片方向无法识别",
            Self::Time => "照片拍摄时间无法读取",
            Self::Position => "照片位置无法读取",
            Self::NullPosition => "照片位置为空",
        }
    }
}

/// Reads what is there. Never fails: a file without metadata gives the default.
pub(crate) fn read(bytes: &[u8]) -> ExifFacts {
    let reading = AssertUnwindSafe(|| {
        let mut notes = Vec::new();
        let found = Reader::new()
            .continue_on_error(true)
            .read_from_container(&mut Cursor::new(bytes))
            .or_else(|e| e.distill_partial_result(|errors| notes.extend(errors.iter().take(3).map(damaged))));
        match found {
            Ok(exif) => facts(&exif, notes),
            Err(exif::Error::NotFound(_)) => ExifFacts::default(),
            Err(other) => ExifFacts { notes: vec![damaged(&other)], ..ExifFacts::default() },
        }
    });
    catch_unwind(reading).unwrap_or_else(|_| ExifFacts {
        notes: vec![ExifNote::Damaged("unreadable".into())],
        ..ExifFacts::default()
    })
}

fn damaged(error: &exif::Error) -> ExifNote {
    ExifNote::Damaged(error.to_string())
}

fn facts(exif: &Exif, mut notes: Vec<ExifNote>) -> ExifFacts {
    ExifFacts {
        orientation: orientation(exif, &mut notes),
        captured: captured(exif, &mut notes),
        position: position(exif, &mut notes),
        gps_unix_ms: gps_time(exif),
        notes,
    }
}

fn orientation(exif: &Exif, notes: &mut Vec<ExifNote>) -> u8 {
    let Some(field) = exif.get_field(Tag::Orientation, In::PRIMARY) else { return 1 };
    match field.value.get_uint(0).and_then(|n| u8::try_from(n).ok()) {
        Some(n @ 1..=8) => n,
        // Some cameras write 0 for "not known".
        Some(0) => 1,
        _ => {
            notes.push(ExifNote::Orientation);
            1
        }
    }
}

fn captured(exif: &Exif, notes: &mut Vec<ExifNote>) -> Option<CaptureTime> {
    let candidates = [
        (TimeField::Original, Tag::DateTimeOriginal, Tag::OffsetTimeOriginal, Tag::SubSecTimeOriginal),
        (TimeField::Digitized, Tag::DateTimeDigitized, Tag::OffsetTimeDigitized, Tag::SubSecTimeDigitized),
        (TimeField::Changed, Tag::DateTime, Tag::OffsetTime, Tag::SubSecTime),
    ];
    for (field, time, offset, subsec) in candidates {
        let Some(text) = text(exif, time).filter(|t| !is_blank(t)) else { continue };
        let mut parsed = DateTime::from_ascii(text).ok();
        if let Some(parsed) = parsed.as_mut() {
            let _ = self::text(exif, offset).map(|t| parsed.parse_offset(t));
            let _ = self::text(exif, subsec).map(|t| parsed.parse_subsec(t));
        }
        match parsed.as_ref().and_then(local_ms) {
            Some(local_ms) => {
                let utc_offset_minutes = parsed.and_then(|p| p.offset).filter(|m| m.abs() <= 14 * 60);
                return Some(CaptureTime { local_ms, utc_offset_minutes, field });
            }
            None => notes.push(ExifNote::Time),
        }
    }
    None
}

fn local_ms(time: &DateTime) -> Option<i64> {
    let small = |n: u8| i8::try_from(n).ok();
    let civil = jiff::civil::DateTime::new(
        i16::try_from(time.year).ok()?,
        small(time.month)?,
        small(time.day)?,
        small(time.hour)?,
        small(time.minute)?,
        small(time.second)?,
        i32::try_from(time.nanosecond.unwrap_or(0)).ok()?,
    );
    Some(civil.ok()?.to_zoned(jiff::tz::TimeZone::UTC).ok()?.timestamp().as_millisecond())
}

fn position(exif: &Exif, notes: &mut Vec<ExifNote>) -> Option<ExifPosition> {
    let lat_field = exif.get_field(Tag::GPSLatitude, In::PRIMARY);
    let lon_field = exif.get_field(Tag::GPSLongitude, In::PRIMARY);
    if lat_field.is_none() && lon_field.is_none() {
        return None;
    }
    let lat = lat_field.and_then(degrees).zip(sign(exif, Tag::GPSLatitudeRef, b'S')).map(|(d, s)| d * s);
    let lon = lon_field.and_then(degrees).zip(sign(exif, Tag::GPSLongitudeRef, b'W')).map(|(d, s)| d * s);
    match (lat.filter(|d| d.abs() <= 90.0), lon.filter(|d| d.abs() <= 180.0)) {
        (Some(0.0), Some(0.0)) => {
            notes.push(ExifNote::NullPosition);
            None
        }
        (Some(lat), Some(lon)) => {
            Some(ExifPosition { lat, lon, accuracy_m: accuracy(exif), datum: datum(exif) })
        }
        _ => {
            notes.push(ExifNote::Position);
            None
        }
    }
}

/// Degrees, minutes and seconds as one number. Missing minutes or seconds count as zero; a zero denominator is not a number.
fn degrees(field: &Field) -> Option<f64> {
    let parts = numbers(&field.value)?;
    let mut sum = 0.0;
    for (part, unit) in parts.iter().zip([1.0, 60.0, 3600.0]) {
        sum += part / unit;
    }
    (!parts.is_empty() && sum.is_finite()).then_some(sum)
}

fn sign(exif: &Exif, tag: Tag, negative: u8) -> Option<f64> {
    let first = text(exif, tag)?.first()?.to_ascii_uppercase();
    Some(if first == negative { -1.0 } else { 1.0 })
}

fn accuracy(exif: &Exif) -> Option<f32> {
    let field = exif.get_field(Tag::GPSHPositioningError, In::PRIMARY)?;
    let metres = *numbers(&field.value)?.first()? as f32;
    (metres.is_finite() && metres > 0.0).then_some(metres)
}

fn datum(exif: &Exif) -> ExifDatum {
    let stated = text(exif, Tag::GPSMapDatum).map(|t| String::from_utf8_lossy(t).trim().to_owned());
    match stated.filter(|s| !s.is_empty()) {
        None => ExifDatum::Unstated,
        Some(s) if s.to_ascii_uppercase().contains("WGS") && s.contains("84") => ExifDatum::Wgs84,
        Some(s) => ExifDatum::Other(s.chars().filter(|c| !c.is_control()).take(24).collect()),
    }
}

fn gps_time(exif: &Exif) -> Option<i64> {
    let date = std::str::from_utf8(text(exif, Tag::GPSDateStamp)?).ok()?;
    let clock = numbers(&exif.get_field(Tag::GPSTimeStamp, In::PRIMARY)?.value)?;
    let [hour, minute, second] = clock.get(..3)?.try_into().ok()?;
    let midnight = DateTime::from_ascii(format!("{} 00:00:00", date.trim()).as_bytes()).ok()?;
    let seconds: f64 = hour * 3600.0 + minute * 60.0 + second;
    (0.0..86_401.0).contains(&seconds).then_some(())?;
    Some(local_ms(&midnight)? + (seconds * 1000.0).round() as i64)
}

fn numbers(value: &Value) -> Option<Vec<f64>> {
    match value {
        Value::Rational(all) => Some(all.iter().map(exif::Rational::to_f64).collect()),
        Value::SRational(all) => Some(all.iter().map(exif::SRational::to_f64).collect()),
        _ => None,
    }
}

fn text(exif: &Exif, tag: Tag) -> Option<&[u8]> {
    match &exif.get_field(tag, In::PRIMARY)?.value {
        Value::Ascii(parts) => parts.first().map(Vec::as_slice),
        _ => None,
    }
}

/// EXIF writes an unknown time as blanks and colons; some cameras write zeros.
fn is_blank(text: &[u8]) -> bool {
    text.iter().all(|b| matches!(b, b' ' | b':' | b'0' | 0))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::test_support::{jpeg_with, picture};
    use exif::Rational;
    use exif::experimental::Writer;

    fn field(tag: Tag, value: Value) -> Field {
        Field { tag, ifd_num: In::PRIMARY, value }
    }

    fn ascii(text: &str) -> Value {
        Value::Ascii(vec![text.as_bytes().to_vec()])
    }

    fn rationals(numbers: &[(u32, u32)]) -> Value {
        Value::Rational(numbers.iter().map(|(num, denom)| Rational { num: *num, denom: *denom }).collect())
    }

    /// What is read of a JPEG with these fields.
    fn read_with(fields: &[Field]) -> ExifFacts {
        let mut writer = Writer::new();
        fields.iter().for_each(|f| writer.push_field(f));
        let mut segment = Cursor::new(Vec::new());
        writer.write(&mut segment, false).unwrap();
        let segment = segment.into_inner();
        read(&jpeg_with(&picture(64, 64), |e| e.add_exif_metadata(&segment).unwrap()))
    }

    fn gps(lat: &[(u32, u32)], lat_ref: &str, lon: &[(u32, u32)], lon_ref: &str) -> Vec<Field> {
        vec![
            field(Tag::GPSLatitude, rationals(lat)),
            field(Tag::GPSLatitudeRef, ascii(lat_ref)),
            field(Tag::GPSLongitude, rationals(lon)),
            field(Tag::GPSLongitudeRef, ascii(lon_ref)),
        ]
    }

    #[test]
    fn time_with_offset_and_fraction_is_read() {
        let facts = read_with(&[
            field(Tag::DateTimeOriginal, ascii("2026:03:14 09:26:53")),
            field(Tag::OffsetTimeOriginal, ascii("+08:00")),
            field(Tag::SubSecTimeOriginal, ascii("58")),
        ]);
        let captured = facts.captured.unwrap();
        assert_eq!(captured.unix_ms(), Some(1_773_451_613_580));
        assert_eq!(captured.utc_offset_minutes, Some(480));
        assert!(facts.notes.is_empty());
    }

    #[test]
    fn an_impossible_time_is_a_note_and_the_next_field_is_asked() {
        let facts = read_with(&[
            field(Tag::DateTimeOriginal, ascii("2026:02:30 09:26:53")),
            field(Tag::DateTime, ascii("2026:02:28 09:26:53")),
        ]);
        assert_eq!(facts.notes, [ExifNote::Time]);
        assert_eq!(facts.captured.unwrap().field, TimeField::Changed);
        let blank = read_with(&[field(Tag::DateTimeOriginal, ascii("    :  :     :  :  "))]);
        assert_eq!((blank.captured, blank.notes.len()), (None, 0));
    }

    #[test]
    fn south_and_west_are_negative_and_accuracy_is_kept() {
        let mut fields = gps(&[(33, 1), (30, 1), (0, 1)], "S", &[(70, 1), (45, 1), (36, 1)], "W");
        fields.push(field(Tag::GPSHPositioningError, rationals(&[(65, 10)])));
        fields.push(field(Tag::GPSMapDatum, ascii("GCJ-02")));
        let position = read_with(&fields).position.unwrap();
        assert_eq!((position.lat, position.lon, position.accuracy_m), (-33.5, -70.76, Some(6.5)));
        assert_eq!(position.datum, ExifDatum::Other("GCJ-02".into()));
    }

    #[test]
    fn positions_that_are_none_become_notes() {
        let zero = [(0, 1), (0, 1), (0, 1)];
        assert_eq!(read_with(&gps(&zero, "N", &zero, "E")).notes, [ExifNote::NullPosition]);
        for bad in [[(91, 1), (0, 1), (0, 1)], [(1, 0), (0, 1), (0, 1)], [(36, 1), (0, 0), (0, 1)]] {
            let facts = read_with(&gps(&bad, "N", &[(120, 1), (0, 1), (0, 1)], "E"));
            assert_eq!((facts.position, facts.notes), (None, vec![ExifNote::Position]), "{bad:?}");
        }
    }

    #[test]
    fn an_unknown_orientation_is_a_note() {
        let with = |n| read_with(&[field(Tag::Orientation, Value::Short(vec![n]))]);
        assert_eq!((with(6).orientation, with(6).notes.len()), (6, 0));
        assert_eq!((with(9).orientation, with(9).notes), (1, vec![ExifNote::Orientation]));
        assert_eq!((with(0).orientation, with(0).notes.len()), (1, 0));
    }
}
