//! In which grid a position lies, without the network.

use gridwalk_model::geo::{AreaIndex, AreaShape, LatLon, Located};
use gridwalk_model::records::Area;
use gridwalk_model::{AccessClass, Kind, RecordId, StreamId, Timestamp};
use jiff::civil::Date;

use crate::edit::{Entry, typed, typed_list};
use crate::error::DeviceError;
use crate::store::{Store, View, day_in};

/// Where a position lies, by the boundaries that this phone knows.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct GridAt {
    /// The worker's grid to which a report from there goes; none as long as the phone has no grid.
    pub own: Option<RecordId>,
    /// How far outside of that grid it is, in metres; none inside of it, or where its boundary is not known.
    pub outside_m: Option<f64>,
    /// The grid of somebody else in which it lies instead.
    pub neighbour: Option<NeighbourGrid>,
}

/// A grid of somebody else.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NeighbourGrid {
    /// The grid.
    pub grid: RecordId,
    /// Its name.
    pub name: String,
}

impl Store {
    /// In which of the worker's grids a position lies, or how far outside of them and in whose. Reads the boundaries of
    /// the grids around where it is outside: some milliseconds for hundreds.
    ///
    /// # Errors
    /// Failures of SQLite.
    pub fn grid_at(&self, point: LatLon, now: Timestamp) -> Result<GridAt, DeviceError> {
        let view = self.view();
        let found = view.own_grid(Some(point))?;
        let today = day_in(self.field_rules()?.local(), now)?;
        let neighbour = match found.outside_m {
            Some(_) => view.neighbour_at(point, today)?,
            None => None,
        };
        Ok(GridAt { neighbour, ..found })
    }
}

impl View<'_> {
    /// The grid of this phone in which a point lies, else the nearest one. Where no boundary tells, the one grid that
    /// there is, or the first of several.
    pub(super) fn own_grid(&self, point: Option<LatLon>) -> Result<GridAt, DeviceError> {
        let own = self.own_grids()?;
        let first = GridAt { own: own.iter().min().copied(), ..GridAt::default() };
        let Some(point) = point else { return Ok(first) };
        let mut shapes = Vec::new();
        for area in &own {
            let record = self.shown(*area)?.and_then(|listed| typed::<Area>(listed).ok());
            shapes.extend(record.and_then(|area| shape(&area)).map(|shape| (*area, shape)));
        }
        // Outside of one grid may well be inside of another whose boundary is not known here.
        let all_known = shapes.len() == own.len();
        Ok(match AreaIndex::new(shapes).locate(point) {
            Located::Inside(area) => GridAt { own: Some(area), ..first },
            Located::Boundary(areas) => GridAt { own: areas.into_iter().next(), ..first },
            Located::Outside { nearest, metres } if all_known => {
                GridAt { own: Some(nearest), outside_m: Some(metres), ..first }
            }
            Located::Outside { .. } | Located::NoAreas => first,
        })
    }

    fn own_grids(&self) -> Result<Vec<RecordId>, DeviceError> {
        let streams = self.streams()?.into_iter().filter(|stream| !stream.revoking);
        let areas = streams.filter_map(|stream| match stream.id {
            StreamId::Area { area, class: AccessClass::Base } => Some(area),
            _ => None,
        });
        Ok(areas.collect())
    }

    /// The grid in which a point lies, whoever's it is.
    fn neighbour_at(&self, point: LatLon, today: Date) -> Result<Option<NeighbourGrid>, DeviceError> {
        let mut shapes = Vec::new();
        let mut grids = Vec::new();
        for area in typed_list::<Area>(self.list_kind(Kind::Area.tag(), None, usize::MAX)?) {
            let leaf = area.record.grid_kind.is_some();
            let from = area.record.valid_from.is_none_or(|from| from <= today);
            let to = area.record.valid_to.is_none_or(|to| today <= to);
            let Some(shape) = shape(&area).filter(|_| leaf && from && to) else { continue };
            shapes.push((area.id, shape));
            grids.push(NeighbourGrid { grid: area.id, name: area.record.name });
        }
        let Some(area) = AreaIndex::new(shapes).locate(point).area().copied() else { return Ok(None) };
        Ok(grids.into_iter().find(|found| found.grid == area))
    }
}

fn shape(area: &Entry<Area>) -> Option<AreaShape> {
    area.record.boundary.as_deref().and_then(|bytes| AreaShape::from_bytes(bytes).ok())
}
