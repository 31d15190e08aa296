//! To which of a worker's grids a position belongs, without the network.

use gridwalk_model::geo::{AreaIndex, AreaShape, LatLon, Located};
use gridwalk_model::records::Area;
use gridwalk_model::{AccessClass, RecordId, StreamId};

use crate::edit::typed;
use crate::error::DeviceError;
use crate::store::View;

impl View<'_> {
    /// The grid of this phone in which a point lies, else the nearest one. Where no boundary tells, the one grid that
    /// there is, or the first of several.
    pub(super) fn own_grid(&self, point: Option<LatLon>) -> Result<Option<RecordId>, DeviceError> {
        let streams = self.streams()?.into_iter().filter(|stream| !stream.revoking);
        let own: Vec<RecordId> = streams
            .filter_map(|stream| match stream.id {
                StreamId::Area { area, class: AccessClass::Base } => Some(area),
                _ => None,
            })
            .collect();
        let first = own.iter().min().copied();
        let Some(point) = point.filter(|_| own.len() > 1) else { return Ok(first) };
        let mut shapes = Vec::new();
        for area in &own {
            let record = self.shown(*area)?.and_then(|listed| typed::<Area>(listed).ok());
            let boundary = record.and_then(|area| area.record.boundary);
            let shape = boundary.and_then(|bytes| AreaShape::from_bytes(&bytes).ok());
            shapes.extend(shape.map(|shape| (*area, shape)));
        }
        // Outside of one grid may well be inside of another whose boundary is not known here.
        let all_known = shapes.len() == own.len();
        Ok(match AreaIndex::new(shapes).locate(point) {
            Located::Inside(area) => Some(area),
            Located::Boundary(areas) => areas.into_iter().next(),
            Located::Outside { nearest, .. } if all_known => Some(nearest),
            Located::Outside { .. } | Located::NoAreas => first,
        })
    }
}
