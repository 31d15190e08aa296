//! A bare point in degrees.

use super::error::GeoError;

/// A point in degrees, in whatever datum the context says.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct LatLon {
    /// Latitude, north positive.
    pub lat: f64,
    /// Longitude, east positive.
    pub lon: f64,
}

impl LatLon {
    /// This point, if both coordinates are numbers in range.
    ///
    /// # Errors
    /// [`GeoError::OutOfRange`] with the axis that is not.
    pub fn checked(self) -> Result<Self, GeoError> {
        if !(-90.0..=90.0).contains(&self.lat) {
            Err(GeoError::OutOfRange { axis: "latitude" })
        } else if !(-180.0..=180.0).contains(&self.lon) {
            Err(GeoError::OutOfRange { axis: "longitude" })
        } else {
            Ok(self)
        }
    }
}
