//! A position as it is stored: WGS-84 with accuracy, source and the datum it came in.

use std::convert::Infallible;

use minicbor::decode::Error as DecodeError;
use minicbor::encode::{Error as EncodeError, Write};
use minicbor::{Decode, Decoder, Encode, Encoder};

use super::datum::Datum;
use super::error::GeoError;
use super::lat_lon::LatLon;

/// Stored units per degree: 1e-7 degrees, 11 mm on a meridian, which fits 32 bits.
const UNITS_PER_DEGREE: f64 = 1e7;

/// Half the way around the Earth. An accuracy beyond it says nothing and is refused as nonsense.
const MAX_ACCURACY_M: f32 = 20_100_000.0;

/// Where a position comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum PositionSource {
    /// A satellite fix of the device.
    Gps,
    /// Cells or wireless networks, by the platform's location provider.
    Network,
    /// A person set the point on a map.
    Manual,
    /// An import named it.
    Imported,
    /// The metadata of a photo.
    Exif,
    /// A number of a newer version; it is kept and written back unchanged.
    Unknown(u32),
}

impl PositionSource {
    /// The number that stands for this source in the encoded form.
    pub const fn number(self) -> u32 {
        match self {
            Self::Gps => 0,
            Self::Network => 1,
            Self::Manual => 2,
            Self::Imported => 3,
            Self::Exif => 4,
            Self::Unknown(number) => number,
        }
    }

    /// The source that a number stands for. Never fails: numbers of newer versions survive.
    pub const fn from_number(number: u32) -> Self {
        match number {
            0 => Self::Gps,
            1 => Self::Network,
            2 => Self::Manual,
            3 => Self::Imported,
            4 => Self::Exif,
            other => Self::Unknown(other),
        }
    }
}

/// A place on the Earth in WGS-84, to 1e-7 degrees, with what is known about how good it is.
///
/// Values are always in range: latitude -90..=90, longitude -180..=180. Equality is that of the stored form,
/// so a position equals itself after a round trip through bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Position {
    lat_units: i32,
    lon_units: i32,
    accuracy_dm: Option<u32>,
    source: PositionSource,
    datum_number: u32,
}

impl Position {
    /// A position whose coordinates are in `datum_in`, converted to WGS-84.
    ///
    /// `accuracy_m` is the radius of 68 % confidence in metres, as the platforms report it, kept to 0.1 m.
    /// Pass `None` for "not known"; the platforms' negative values for that are refused here.
    ///
    /// # Errors
    /// [`GeoError::OutOfRange`] if a coordinate is not a number or outside its range, and
    /// [`GeoError::BadAccuracy`] if the accuracy is not a number, negative, or larger than the Earth.
    pub fn new(
        point: LatLon,
        datum_in: Datum,
        accuracy_m: Option<f32>,
        source: PositionSource,
    ) -> Result<Self, GeoError> {
        let point = point.checked()?;
        let wgs84 = datum_in.to_wgs84(point);
        let accuracy_dm = match accuracy_m {
            None => None,
            Some(metres) if (0.0..=MAX_ACCURACY_M).contains(&metres) => Some((metres * 10.0).round() as u32),
            Some(_) => return Err(GeoError::BadAccuracy),
        };
        Ok(Self {
            lat_units: to_units(wgs84.lat),
            lon_units: to_units(wgs84.lon),
            accuracy_dm,
            source,
            datum_number: datum_in.number(),
        })
    }

    /// A position given in WGS-84, as satellite receivers do. See [`Self::new`] for the errors.
    ///
    /// # Errors
    /// As [`Self::new`].
    pub fn wgs84(
        lat: f64,
        lon: f64,
        accuracy_m: Option<f32>,
        source: PositionSource,
    ) -> Result<Self, GeoError> {
        Self::new(LatLon { lat, lon }, Datum::Wgs84, accuracy_m, source)
    }

    /// Latitude in WGS-84 degrees, north positive.
    pub fn lat(&self) -> f64 {
        from_units(self.lat_units)
    }

    /// Longitude in WGS-84 degrees, east positive.
    pub fn lon(&self) -> f64 {
        from_units(self.lon_units)
    }

    /// Both coordinates in WGS-84.
    pub fn point(&self) -> LatLon {
        LatLon { lat: self.lat(), lon: self.lon() }
    }

    /// Both coordinates in `datum`, for a map that is drawn in it.
    pub fn point_in(&self, datum: Datum) -> LatLon {
        datum.of_wgs84(self.point())
    }

    /// Radius of 68 % confidence in metres, if known.
    pub fn accuracy_m(&self) -> Option<f32> {
        self.accuracy_dm.map(|dm| dm as f32 / 10.0)
    }

    /// Where the position comes from.
    pub fn source(&self) -> PositionSource {
        self.source
    }

    /// The datum in which the position was given, before it was converted. `None` if a newer version knows it.
    pub fn datum_in(&self) -> Option<Datum> {
        Datum::from_number(self.datum_number)
    }

    /// The encoded form: a CBOR map with integer keys, 15 to 25 bytes.
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut out = Vec::with_capacity(24);
        let written: Result<(), EncodeError<Infallible>> = minicbor::encode(self, &mut out);
        debug_assert!(written.is_ok(), "writing into memory cannot fail");
        out
    }

    /// Reads the encoded form. Map keys of newer versions are skipped.
    ///
    /// # Errors
    /// [`GeoError::BadEncoding`] if the bytes are no such map, have bytes after it, or hold values out of range.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, GeoError> {
        let mut decoder = Decoder::new(bytes);
        let position = decoder
            .decode()
            .map_err(|_| GeoError::BadEncoding { what: "position", at: decoder.position() })?;
        if decoder.position() == bytes.len() {
            Ok(position)
        } else {
            Err(GeoError::BadEncoding { what: "position", at: decoder.position() })
        }
    }
}

fn to_units(degrees: f64) -> i32 {
    (degrees * UNITS_PER_DEGREE).round() as i32
}

fn from_units(units: i32) -> f64 {
    f64::from(units) / UNITS_PER_DEGREE
}

/// The encoded form, before its values are checked.
#[derive(Encode, Decode)]
#[cbor(map)]
struct Wire {
    #[n(0)]
    lat_units: i32,
    #[n(1)]
    lon_units: i32,
    #[n(2)]
    accuracy_dm: Option<u32>,
    #[n(3)]
    source: u32,
    #[n(4)]
    datum: u32,
}

impl<C> Encode<C> for Position {
    fn encode<W: Write>(&self, e: &mut Encoder<W>, ctx: &mut C) -> Result<(), EncodeError<W::Error>> {
        let wire = Wire {
            lat_units: self.lat_units,
            lon_units: self.lon_units,
            accuracy_dm: self.accuracy_dm,
            source: self.source.number(),
            datum: self.datum_number,
        };
        wire.encode(e, ctx)
    }
}

impl<'b, C> Decode<'b, C> for Position {
    fn decode(d: &mut Decoder<'b>, ctx: &mut C) -> Result<Self, DecodeError> {
        let wire = Wire::decode(d, ctx)?;
        let in_range = wire.lat_units.unsigned_abs() <= 900_000_000
            && wire.lon_units.unsigned_abs() <= 1_800_000_000
            && wire.accuracy_dm.is_none_or(|dm| dm as f32 <= MAX_ACCURACY_M * 10.0);
        if !in_range {
            return Err(DecodeError::message("position out of range"));
        }
        Ok(Self {
            lat_units: wire.lat_units,
            lon_units: wire.lon_units,
            accuracy_dm: wire.accuracy_dm,
            source: PositionSource::from_number(wire.source),
            datum_number: wire.datum,
        })
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn values_out_of_range_and_nan_are_refused() {
        for (lat, lon) in [(f64::NAN, 0.0), (0.0, f64::NAN), (90.1, 0.0), (0.0, -180.1), (f64::INFINITY, 0.0)]
        {
            let got = Position::wgs84(lat, lon, None, PositionSource::Gps);
            assert!(matches!(got, Err(GeoError::OutOfRange { .. })), "{lat} {lon}");
        }
        for accuracy in [-1.0, f32::NAN, f32::INFINITY, 3e7] {
            let got = Position::wgs84(36.0, 120.0, Some(accuracy), PositionSource::Gps);
            assert_eq!(got, Err(GeoError::BadAccuracy), "{accuracy}");
        }
    }

    #[test]
    fn a_gcj02_point_is_stored_in_wgs84_and_drawn_where_it_was() {
        let given = LatLon { lat: 36.10, lon: 120.47 };
        let position = Position::new(given, Datum::Gcj02, Some(12.34), PositionSource::Manual).unwrap();
        assert!((position.lon() - given.lon).abs() > 0.003);
        let drawn = position.point_in(Datum::Gcj02);
        assert!((drawn.lat - given.lat).abs() < 1e-7 && (drawn.lon - given.lon).abs() < 1e-7);
        assert_eq!(position.accuracy_m(), Some(12.3));
        assert_eq!(position.datum_in(), Some(Datum::Gcj02));
    }

    #[test]
    fn encoded_form_is_a_small_integer_keyed_map() {
        let position = Position::wgs84(36.1, 120.47, Some(5.0), PositionSource::Gps).unwrap();
        assert_eq!(
            position.to_bytes(),
            [0xa5, 0, 0x1a, 0x15, 0x84, 0x6c, 0x40, 1, 0x1a, 0x47, 0xce, 0x43, 0x60, 2, 0x18, 50, 3, 0, 4, 0]
        );
    }

    #[test]
    fn sources_datums_and_keys_of_a_newer_version_survive() {
        let mut bytes = Vec::new();
        let mut e = Encoder::new(&mut bytes);
        e.map(5).unwrap();
        for (key, value) in [(0, 1i64), (1, 2), (3, 77), (4, 9), (8, 1)] {
            e.u8(key).unwrap().i64(value).unwrap();
        }
        let position = Position::from_bytes(&bytes).unwrap();
        assert_eq!(position.source(), PositionSource::Unknown(77));
        assert_eq!(position.datum_in(), None);
        assert_eq!(Position::from_bytes(&position.to_bytes()), Ok(position));
    }

    #[test]
    fn damaged_bytes_are_refused() {
        let good = Position::wgs84(36.1, 120.47, Some(5.0), PositionSource::Gps).unwrap().to_bytes();
        for end in 0..good.len() {
            assert!(Position::from_bytes(&good[..end]).is_err());
        }
        let mut long = good.clone();
        long.push(0);
        assert_eq!(Position::from_bytes(&long), Err(GeoError::BadEncoding { what: "position", at: 20 }));
        let mut far = good;
        far[3] = 0x7f;
        assert!(Position::from_bytes(&far).is_err());
    }

    proptest! {
        #[test]
        fn any_position_reads_back(
            lat in -90.0..=90.0f64,
            lon in -180.0..=180.0f64,
            accuracy in proptest::option::of(0.0..2e7f32),
            source in any::<u32>(),
        ) {
            let source = PositionSource::from_number(source);
            let position = Position::wgs84(lat, lon, accuracy, source).unwrap();
            prop_assert_eq!(Position::from_bytes(&position.to_bytes()), Ok(position));
            prop_assert!((position.lat() - lat).abs() <= 0.51e-7);
            prop_assert!((position.lon() - lon).abs() <= 0.51e-7);
        }

        #[test]
        fn any_bytes_are_read_or_refused(bytes in proptest::collection::vec(any::<u8>(), 0..40)) {
            if let Ok(position) = Position::from_bytes(&bytes) {
                prop_assert!(position.point().checked().is_ok());
            }
        }
    }
}
