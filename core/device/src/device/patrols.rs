//! Patrols, as a screen calls them.

use gridwalk_model::RecordId;
use gridwalk_model::geo::sampling::NextFix;
use gridwalk_model::geo::{Path, TrackPoint};
use gridwalk_model::records::Patrol;
use gridwalk_model::walk::PatrolRules;

use super::Device;
use crate::error::DeviceError;
use crate::store::{DiscardedPatrol, OpenPatrol};
use crate::work::patrols::{PatrolEnded, PatrolNow};

impl Device {
    /// Starts a patrol of a grid.
    ///
    /// # Errors
    /// As [`crate::Store::start_patrol`].
    pub async fn start_patrol(&self, area: RecordId) -> Result<OpenPatrol, DeviceError> {
        self.with_store(move |store, now| store.start_patrol(area, now)).await
    }

    /// The patrol under way: asked for when the app starts.
    ///
    /// # Errors
    /// As [`crate::Store::open_patrol`].
    pub async fn open_patrol(&self) -> Result<Option<OpenPatrol>, DeviceError> {
        self.with_store(|store, _| store.open_patrol()).await
    }

    /// Journals points as the location provider gives them; says when the next is wanted. `saving` for a weak battery.
    ///
    /// # Errors
    /// As [`crate::Store::journal_points`].
    pub async fn journal_points(
        &self,
        points: Vec<TrackPoint>,
        saving: bool,
        rules: PatrolRules,
    ) -> Result<NextFix, DeviceError> {
        self.behind_lock(move |store, _| store.journal_points(&points, saving, &rules)).await
    }

    /// The patrol under way, measured.
    ///
    /// # Errors
    /// As [`crate::Store::patrol_now`].
    pub async fn patrol_now(&self, rules: PatrolRules) -> Result<Option<PatrolNow>, DeviceError> {
        self.with_store(move |store, _| store.patrol_now(&rules)).await
    }

    /// Ends the patrol; its record and its track are sent.
    ///
    /// # Errors
    /// As [`crate::Store::end_patrol`].
    pub async fn end_patrol(
        &self,
        remarks: Option<String>,
        rules: PatrolRules,
    ) -> Result<PatrolEnded, DeviceError> {
        self.at_work(move |store, now| store.end_patrol(remarks, &rules, now)).await
    }

    /// Throws the patrol under way away; [`Self::restore_patrol`] takes it back.
    ///
    /// # Errors
    /// As [`crate::Store::discard_patrol`].
    pub async fn discard_patrol(&self) -> Result<bool, DeviceError> {
        self.with_store(|store, now| store.discard_patrol(now)).await
    }

    /// Patrols that were thrown away and can be taken back, the last one first.
    ///
    /// # Errors
    /// As [`crate::Store::discarded_patrols`].
    pub async fn discarded_patrols(&self) -> Result<Vec<DiscardedPatrol>, DeviceError> {
        self.with_store(|store, _| store.discarded_patrols()).await
    }

    /// Takes a patrol back that was thrown away.
    ///
    /// # Errors
    /// As [`crate::Store::restore_patrol`].
    pub async fn restore_patrol(&self, id: RecordId) -> Result<OpenPatrol, DeviceError> {
        self.with_store(move |store, _| store.restore_patrol(id)).await
    }

    /// The path of a patrol, with its gaps: from this phone, or from the server while it keeps it. `None` if neither
    /// has its points any more.
    ///
    /// # Errors
    /// As [`crate::Store::patrol_path`]; [`DeviceError::Net`] where it is not here and the server cannot be asked.
    pub async fn patrol_path(&self, id: RecordId, rules: PatrolRules) -> Result<Option<Path>, DeviceError> {
        if let Some(path) = self.with_store(move |store, _| store.patrol_path(id, &rules)).await? {
            return Ok(Some(path));
        }
        let patrol = self.get::<Patrol>(id).await?;
        let Some(hash) = patrol.and_then(|patrol| patrol.record.track) else { return Ok(None) };
        let Some(bytes) = self.photo(id, hash).await? else { return Ok(None) };
        Path::from_bytes(&bytes).map(Some).map_err(|_| DeviceError::Damaged)
    }

    /// The same as a GPX 1.1 file.
    ///
    /// # Errors
    /// As [`Self::patrol_path`].
    pub async fn patrol_gpx(&self, id: RecordId, rules: PatrolRules) -> Result<Option<String>, DeviceError> {
        Ok(self.patrol_path(id, rules).await?.map(|path| path.to_gpx(&format!("Gridwalk {id}"))))
    }
}
