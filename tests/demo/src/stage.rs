//! What all chapters of the day share.

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::sync::Arc;

use gridwalk_evidence::{StampFont, system_font_candidates};
use gridwalk_harness::office::Office;
use gridwalk_harness::server::ServerProcess;
use gridwalk_model::{ContentHash, RecordId};

use crate::cast::{Grid, Worker};
use crate::error::{DemoError, Played};
use crate::input::Input;
use crate::kept;
use crate::narrate::Narrator;
use crate::promises::{Promises, Written};

/// The stage.
pub struct Stage {
    /// Speaks.
    pub narrator: Narrator,
    /// What the day is played on.
    pub input: Input,
    /// Where the stores are.
    pub home: PathBuf,
    /// Seed of the day.
    pub seed: u64,
    /// The server; `None` while it is down.
    pub server: Option<ServerProcess>,
    /// Its data folder, seen from the operator's side.
    pub office: Office,
    /// The people with phones.
    pub team: Vec<Worker>,
    /// Grids that have a ledger, those with the most dwellings first.
    pub grids: Vec<Grid>,
    /// What the office has set the first worker for today.
    pub plan: Plan,
    /// The report that is followed through the console.
    pub case: Option<RecordId>,
    /// What phones acknowledged.
    pub promises: Promises,
    /// What is counted on the way.
    pub tally: Tally,
    /// The font of the stamps, if the system has one with Chinese characters.
    pub font: Option<Arc<StampFont<'static>>>,
}

/// What the office has set the first worker for today, as far as the district has it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Plan {
    /// A place to inspect.
    pub place: Option<RecordId>,
    /// Somebody on the care list.
    pub resident: Option<RecordId>,
}

/// What is counted on the way.
#[derive(Clone, Debug, Default)]
pub struct Tally {
    /// Files that a phone refused with a reason.
    pub refused_files: u64,
    /// Conflicts that a phone showed: record and field.
    pub conflicts: BTreeSet<(RecordId, String)>,
    /// Media that phones took in, photos and previews.
    pub media: BTreeSet<ContentHash>,
    /// Of these the photos.
    pub photos: BTreeSet<ContentHash>,
    /// And the tracks of patrols.
    pub tracks: BTreeSet<ContentHash>,
}

impl Tally {
    /// Counts the media that a phone's records refer to.
    fn count(&mut self, written: &Written) {
        for (_, key, value) in written {
            if let Some(photo) = kept::photo_in(key, value) {
                self.photos.insert(photo.hash);
                self.media.insert(photo.hash);
                self.media.extend(photo.preview_hash);
            }
            if let Some(track) = kept::track_in(key, value) {
                self.tracks.insert(track);
                self.media.insert(track);
            }
        }
    }
}

impl Stage {
    /// A person of the team, counted from 0.
    ///
    /// # Errors
    /// If there are fewer.
    pub fn worker(&self, index: usize) -> Played<&Worker> {
        self.team.get(index).ok_or_else(|| DemoError::Play(format!("there is no worker {}", index + 1)))
    }

    /// Writes down, outside of the phone, everything that a phone holds for sending, and sees to it that the records
    /// that it has just acknowledged are among it. To be called before the phone meets a network.
    ///
    /// # Errors
    /// An acknowledged record that the phone's store does not have.
    pub async fn keep(&mut self, index: usize, acknowledged: &[RecordId]) -> Played<()> {
        let worker = self.worker(index)?;
        let (device, unsent) = (worker.device, worker.unsent().await?);
        for record in acknowledged {
            if !unsent.iter().any(|(held, ..)| held == record) {
                let code = &worker.code;
                return Err(DemoError::Play(format!("{code} acknowledged {record} and does not have it")));
            }
        }
        self.tally.count(&unsent);
        self.promises.note(device, unsent);
        Ok(())
    }

    /// The address of the server for people.
    pub fn url(&self) -> String {
        self.server.as_ref().map(ServerProcess::url).unwrap_or_default()
    }
}

/// The first of the system's fonts that has Chinese characters.
pub fn chinese_font() -> Option<Arc<StampFont<'static>>> {
    system_font_candidates().iter().find_map(|path| {
        let bytes = std::fs::read(path).ok()?;
        let font = StampFont::from_vec(bytes).ok()?;
        font.covers_chinese().then(|| Arc::new(font))
    })
}
