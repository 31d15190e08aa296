//! Where things are: positions, datums, distances, areas and tracks.
//!
//! Every stored position is WGS-84; every import and every map states its datum. Positions come in through
//! [`Position`], areas through [`read_areas`] and [`BoundaryReport`], tracks through [`gpx`] or the phone's points
//! and [`track_filter`].
//!
//! Geometry is `geo`'s (exact orientation predicates, boolean operations); what it lacks or does with recursion or in
//! quadratic time is written here. Everything is pure and can be used from any thread.

pub mod area_index;
pub mod boundary_report;
pub mod coverage;
pub mod datum;
pub mod distance;
mod error;
mod frame;
pub mod geojson;
pub mod gpx;
mod gpx_write;
mod lat_lon;
pub mod overlay;
pub mod polygon;
mod polyline;
pub mod position;
pub mod sampling;
pub mod shape_check;
mod shape_codec;
pub mod simplify;
pub mod track;
pub mod track_filter;
mod varint;

pub use area_index::{AreaIndex, Located};
pub use boundary_report::{BoundaryReport, Finding, Severity};
pub use datum::Datum;
pub use distance::{distance_m, point_to_segment_m};
pub use error::GeoError;
pub use frame::LocalFrame;
pub use geojson::{AreaFeature, AreaFile, PropertyNames, read_areas};
pub use gpx::{GpxFile, GpxTrack, read_gpx};
pub use lat_lon::LatLon;
pub use overlay::Tolerance;
pub use polygon::{AreaShape, BoundingBox, Side};
pub use position::{Position, PositionSource};
pub use track::{Fix, Path, TrackPoint};
pub use track_filter::TrackFilter;
