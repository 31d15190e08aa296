//! The journal of the patrol under way: every point is durable before the next is taken. That of a patrol that was
//! thrown away stays until it is swept.

use gridwalk_model::geo::{Fix, LatLon, TrackPoint};
use gridwalk_model::{RecordId, Timestamp};
use rusqlite::{OptionalExtension, Row};

use super::{Commit, Store, Tx, View, sql};
use crate::error::DeviceError;

/// The patrol that a worker has started and not ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OpenPatrol {
    /// The record that is made at its end; visits and verifications may name it already.
    pub id: RecordId,
    /// The grid.
    pub area: RecordId,
    /// When it began.
    pub started_at: Timestamp,
}

/// A patrol that was thrown away and can still be taken back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DiscardedPatrol {
    /// Which one.
    pub patrol: OpenPatrol,
    /// When it was thrown away.
    pub discarded_at: Timestamp,
}

fn patrol(row: &Row<'_>) -> rusqlite::Result<OpenPatrol> {
    Ok(OpenPatrol {
        id: sql::record_id(row, 0)?,
        area: sql::record_id(row, 1)?,
        started_at: sql::time(row, 2)?,
    })
}

fn point(row: &Row<'_>) -> rusqlite::Result<TrackPoint> {
    Ok(TrackPoint {
        fix: Fix { at: sql::time(row, 0)?, point: LatLon { lat: row.get(1)?, lon: row.get(2)? } },
        accuracy_m: row.get::<_, Option<f64>>(3)?.map(|metres| metres as f32),
        speed_mps: row.get::<_, Option<f64>>(4)?.map(|speed| speed as f32),
        mock: row.get::<_, i64>(5)? != 0,
    })
}

const POINT: &str = "at, lat, lon, accuracy, speed, mock";

impl View<'_> {
    pub(crate) fn open_patrol(&self) -> Result<Option<OpenPatrol>, DeviceError> {
        let mut statement = self
            .connection
            .prepare_cached("SELECT id, area, started_at FROM patrol WHERE discarded_at IS NULL")?;
        Ok(statement.query_row([], patrol).optional()?)
    }

    /// Patrols that were thrown away, the last one first.
    pub(crate) fn discarded_patrols(&self) -> Result<Vec<DiscardedPatrol>, DeviceError> {
        let mut statement = self.connection.prepare_cached(
            "SELECT id, area, started_at, discarded_at FROM patrol
             WHERE discarded_at IS NOT NULL ORDER BY discarded_at DESC, id DESC",
        )?;
        let rows = statement.query_map([], |row| {
            Ok(DiscardedPatrol { patrol: patrol(row)?, discarded_at: sql::time(row, 3)? })
        })?;
        Ok(rows.collect::<Result<_, _>>()?)
    }

    /// The points of a patrol in the order in which they came.
    pub(crate) fn patrol_points(&self, patrol: RecordId) -> Result<Vec<TrackPoint>, DeviceError> {
        let mut statement = self
            .connection
            .prepare_cached(&format!("SELECT {POINT} FROM patrol_point WHERE patrol = ?1 ORDER BY n"))?;
        let rows = statement.query_map([patrol.as_bytes()], point)?;
        Ok(rows.collect::<Result<_, _>>()?)
    }

    /// The latest points of a patrol, the last one first.
    pub(crate) fn last_patrol_points(
        &self,
        patrol: RecordId,
        limit: u32,
    ) -> Result<Vec<TrackPoint>, DeviceError> {
        let mut statement = self.connection.prepare_cached(&format!(
            "SELECT {POINT} FROM patrol_point WHERE patrol = ?1 ORDER BY n DESC LIMIT ?2"
        ))?;
        let rows = statement.query_map((patrol.as_bytes(), limit), point)?;
        Ok(rows.collect::<Result<_, _>>()?)
    }
}

impl Tx<'_> {
    pub(crate) fn insert_patrol(&mut self, patrol: &OpenPatrol) -> Result<(), DeviceError> {
        self.connection
            .prepare_cached("INSERT INTO patrol (id, area, started_at) VALUES (?1, ?2, ?3)")?
            .execute((patrol.id.as_bytes(), patrol.area.as_bytes(), patrol.started_at.millis()))?;
        Ok(())
    }

    /// Marks a patrol as thrown away, or with `None` as under way again. Its journal stays.
    pub(crate) fn discard_patrol(&mut self, id: RecordId, at: Option<Timestamp>) -> Result<(), DeviceError> {
        self.connection
            .prepare_cached("UPDATE patrol SET discarded_at = ?2 WHERE id = ?1")?
            .execute((id.as_bytes(), at.map(Timestamp::millis)))?;
        Ok(())
    }

    /// The patrol has ended, or was thrown away long enough ago: nothing of its journal stays.
    pub(crate) fn remove_patrol(&mut self, id: RecordId) -> Result<(), DeviceError> {
        self.connection
            .prepare_cached("DELETE FROM patrol_point WHERE patrol = ?1")?
            .execute([id.as_bytes()])?;
        self.connection.prepare_cached("DELETE FROM patrol WHERE id = ?1")?.execute([id.as_bytes()])?;
        Ok(())
    }
}

impl Store {
    /// Journals points of a patrol. Durable when this returns.
    pub(crate) fn put_patrol_points(
        &mut self,
        patrol: RecordId,
        points: &[TrackPoint],
    ) -> Result<(), DeviceError> {
        self.write(Commit::Journal, |tx| {
            let mut statement = tx.connection.prepare_cached(
                "INSERT INTO patrol_point (patrol, at, lat, lon, accuracy, speed, mock)
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
            )?;
            for point in points {
                statement.execute((
                    patrol.as_bytes(),
                    point.fix.at.millis(),
                    point.fix.point.lat,
                    point.fix.point.lon,
                    point.accuracy_m.map(f64::from),
                    point.speed_mps.map(f64::from),
                    i64::from(point.mock),
                ))?;
            }
            Ok(())
        })
    }

    /// Removes journaled points from before `before`, whatever became of their patrol. Returns how many.
    pub(crate) fn drop_patrol_points(&mut self, before: Timestamp) -> Result<usize, DeviceError> {
        let mut statement =
            self.connection.prepare_cached("SELECT EXISTS (SELECT 1 FROM patrol_point WHERE at < ?1)")?;
        let any: bool = statement.query_row([before.millis()], |row| row.get(0))?;
        drop(statement);
        if !any {
            return Ok(0);
        }
        self.write(Commit::Sweep, |tx| {
            let mut statement = tx.connection.prepare_cached("DELETE FROM patrol_point WHERE at < ?1")?;
            Ok(statement.execute([before.millis()])?)
        })
    }
}
