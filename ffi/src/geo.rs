//! Positions as they cross the boundary.

use gridwalk_model::geo::{Datum, LatLon, Position, PositionSource};

use crate::error::GridwalkError;

/// Where a position comes from.
#[uniffi::remote(Enum)]
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
    /// A number of a newer version.
    Unknown(u32),
}

/// The system that coordinates are given in.
#[uniffi::remote(Enum)]
pub enum Datum {
    /// What satellite receivers give and what is stored. Stands for CGCS2000 as well.
    Wgs84,
    /// 国测局坐标: Amap, Tencent and most Chinese maps.
    Gcj02,
    /// 百度坐标: Baidu.
    Bd09,
}

/// A point on the Earth in WGS-84.
#[uniffi::remote(Record)]
pub struct LatLon {
    /// Latitude in degrees, north positive.
    pub lat: f64,
    /// Longitude in degrees, east positive.
    pub lon: f64,
}

/// A position with what is known of how good it is. Stored to 1e-7 degrees (11 mm).
#[derive(Clone, Copy, Debug, PartialEq, uniffi::Record)]
pub struct GeoPosition {
    /// Latitude in degrees, north positive, -90 to 90.
    pub lat: f64,
    /// Longitude in degrees, east positive, -180 to 180.
    pub lon: f64,
    /// Radius of 68 % confidence in metres, not negative; none if it is not known.
    #[uniffi(default = None)]
    pub accuracy_m: Option<f32>,
    /// Where it comes from.
    pub source: PositionSource,
    /// In which system the coordinates are. What the core returns is always WGS-84; `point_in` converts for a map.
    pub datum: Datum,
}

impl GeoPosition {
    fn of(core: Position) -> Self {
        let LatLon { lat, lon } = core.point();
        Self { lat, lon, accuracy_m: core.accuracy_m(), source: core.source(), datum: Datum::Wgs84 }
    }

    fn into_core(self) -> Result<Position, GridwalkError> {
        let Self { lat, lon, accuracy_m, source, datum } = self;
        Position::new(LatLon { lat, lon }, datum, accuracy_m, source)
            .map_err(|_| GridwalkError::bad_argument("position"))
    }
}

uniffi::custom_type!(Position, GeoPosition, {
    remote,
    lower: |position| GeoPosition::of(position),
    try_lift: |position| Ok(position.into_core()?),
});

/// A point of WGS-84 in another system, for a map that is drawn in it.
#[uniffi::export]
pub fn point_in(point: LatLon, datum: Datum) -> LatLon {
    datum.of_wgs84(point)
}

/// A point of another system in WGS-84, for what was tapped on a map.
#[uniffi::export]
pub fn point_from(point: LatLon, datum: Datum) -> LatLon {
    datum.to_wgs84(point)
}
