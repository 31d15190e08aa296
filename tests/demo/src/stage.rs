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
use crate::narrate::Narrator;
use crate::promises::Promises;

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
    /// What phones acknowledged.
    pub promises: Promises,
    /// What is counted on the way.
    pub tally: Tally,
    /// The font of the stamps, if the system has one with Chinese characters.
    pub font: Option<Arc<StampFont<'static>>>,
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
}

impl Stage {
    /// A person of the team, counted from 0.
    ///
    /// # Errors
    /// If there are fewer.
    pub fn worker(&self, index: usize) -> Played<&Worker> {
        self.team.get(index).ok_or_else(|| DemoError::Play(format!("there is no worker {}", index + 1)))
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
