//! Reports that were begun: kept on this phone until they are sent or thrown away, and returned at the end of the
//! shift.

use gridwalk_model::event::SlaClass;
use gridwalk_model::geo::Position;
use gridwalk_model::photo::PhotoRole;
use gridwalk_model::{RecordId, Timestamp};
use minicbor::{Decode, Encode};

use crate::error::DeviceError;
use crate::photo::CaptureFacts;
use crate::store::{Commit, DraftPhotoRow, DraftRow, Store, View, VoicePlace};
use crate::work::evidence::DraftVoice;

/// What is known of a report before it is sent. Nothing in it must be typed.
#[derive(Clone, Debug, Default, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct ReportDraft {
    /// Category, a code of the deployment's table.
    #[n(0)]
    pub category: Option<String>,
    /// What is wrong, in the worker's words.
    #[n(1)]
    pub description: Option<String>,
    /// The grid; where it is not said, that of the dwelling or place, else the worker's first.
    #[n(2)]
    pub area: Option<RecordId>,
    /// The dwelling that it concerns.
    #[n(3)]
    pub dwelling: Option<RecordId>,
    /// The place that it concerns.
    #[n(4)]
    pub place: Option<RecordId>,
    /// Address.
    #[n(5)]
    pub address: Option<String>,
    /// Where the phone was. A dwelling's or place's own position comes first: a fix only suggests.
    #[n(6)]
    pub position: Option<Position>,
    /// When it was seen.
    #[n(7)]
    pub seen_at: Option<Timestamp>,
    /// Urgency, where it differs from the category's.
    #[n(8)]
    pub urgency: Option<SlaClass>,
    /// Put right on the spot. Counts for whitelisted categories with an after-photo; otherwise it is a report.
    #[cbor(n(9), default)]
    pub on_spot: bool,
    /// Why there is no photo.
    #[n(10)]
    pub no_photo_reason: Option<String>,
    /// Whether somebody waits for an answer.
    #[cbor(n(11), default)]
    pub has_appellant: bool,
    /// The inspection that found it.
    #[n(12)]
    pub inspection: Option<RecordId>,
}

/// What the shell knows when the shutter is released: the door scanned or opened last.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct SnapContext {
    /// The grid.
    pub area: Option<RecordId>,
    /// The dwelling.
    pub dwelling: Option<RecordId>,
    /// The place.
    pub place: Option<RecordId>,
}

/// What a shutter made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Snapped {
    /// The draft that it belongs to.
    pub draft: i64,
    /// The number of the original in the journal.
    pub capture: i64,
    /// The name that the photo will have in the event.
    pub element: RecordId,
}

/// A photo of a draft.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DraftPhoto {
    /// The number of the original in the journal.
    pub capture: i64,
    /// The name that it will have in the event.
    pub element: RecordId,
    /// What it shows.
    pub role: PhotoRole,
    /// When it was taken.
    pub at: Timestamp,
}

/// A report that was begun.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Draft {
    /// Its number on this phone.
    pub n: i64,
    /// When it was begun.
    pub at: Timestamp,
    /// What is known.
    pub report: ReportDraft,
    /// Its photos.
    pub photos: Vec<DraftPhoto>,
    /// Its voice notes, those that were taken off included.
    pub voices: Vec<DraftVoice>,
    /// When it was thrown away; until it is swept it can be taken back.
    pub discarded_at: Option<Timestamp>,
}

/// What is left at the end of a shift.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct DraftTray {
    /// Reports that were begun and not sent, the oldest first.
    pub drafts: Vec<Draft>,
    /// Reports that were thrown away and can be taken back.
    pub discarded: Vec<Draft>,
    /// Originals in the journal that belong to nothing yet: see [`Store::adopt_capture`].
    pub loose: Vec<i64>,
}

pub(super) fn body(report: &ReportDraft) -> Result<Vec<u8>, DeviceError> {
    minicbor::to_vec(report).map_err(|_| DeviceError::Bug("a draft does not encode"))
}

impl View<'_> {
    pub(super) fn read_draft(&self, row: DraftRow) -> Result<Draft, DeviceError> {
        let photos = self.photos_of_draft(row.n)?.into_iter().map(|photo| DraftPhoto {
            capture: photo.capture,
            element: photo.element,
            role: PhotoRole::from_word(&photo.role),
            at: photo.at,
        });
        Ok(Draft {
            n: row.n,
            at: row.at,
            report: minicbor::decode(&row.body).map_err(|_| DeviceError::Damaged)?,
            photos: photos.collect(),
            voices: self.draft_voices(VoicePlace::Report(row.n))?,
            discarded_at: row.discarded_at,
        })
    }
}

impl Store {
    /// The first call of a report: journals the camera's file and begins a draft, or adds to one. Durable when this
    /// returns, and the camera is free. What the photo shows is in `facts`: an after-photo of something put right on
    /// the spot has its role there. A draft that was thrown away is taken back by this: what the camera has seen cannot be
    /// taken again, and is not to go with the draft.
    ///
    /// # Errors
    /// [`DeviceError::StorageFull`], [`DeviceError::NoDraft`].
    pub fn snap(
        &mut self,
        original: &[u8],
        facts: &CaptureFacts,
        context: &SnapContext,
        draft: Option<i64>,
        now: Timestamp,
    ) -> Result<Snapped, DeviceError> {
        if let Some(n) = draft {
            self.draft(n)?;
        }
        // The original first: a crash in between leaves it loose, and the tray shows it.
        let capture = self.journal_photo(original, facts, now)?;
        self.sort_capture(capture, facts, context, draft, now)
    }

    /// Makes a loose original of the journal into a draft, or adds it to one, which is taken back if it was thrown away.
    ///
    /// # Errors
    /// [`DeviceError::NoCapture`], [`DeviceError::NoDraft`].
    pub fn adopt_capture(
        &mut self,
        capture: i64,
        context: &SnapContext,
        draft: Option<i64>,
        now: Timestamp,
    ) -> Result<Snapped, DeviceError> {
        let (_, facts) = self.journaled_photo(capture)?.ok_or(DeviceError::NoCapture)?;
        if let Some(n) = draft {
            self.draft(n)?;
        }
        if self.placed_captures()?.iter().any(|photo| photo.capture == capture) {
            return Err(DeviceError::NoCapture);
        }
        self.sort_capture(capture, &facts, context, draft, now)
    }

    fn sort_capture(
        &mut self,
        capture: i64,
        facts: &CaptureFacts,
        context: &SnapContext,
        draft: Option<i64>,
        now: Timestamp,
    ) -> Result<Snapped, DeviceError> {
        let report = ReportDraft {
            area: context.area,
            dwelling: context.dwelling,
            place: context.place,
            position: facts.position,
            seen_at: Some(facts.at),
            ..ReportDraft::default()
        };
        let body = body(&report)?;
        self.write(Commit::Setting, |tx| {
            let draft = match draft {
                Some(n) => {
                    tx.discard_draft(n, None)?;
                    n
                }
                None => tx.insert_draft(&body, now)?,
            };
            let element = tx.new_id(now)?;
            tx.put_draft_photo(&DraftPhotoRow {
                capture,
                at: facts.at,
                draft: Some(draft),
                record: None,
                element,
                role: facts.role.word().to_owned(),
                pair: None,
                done: false,
            })?;
            Ok(Snapped { draft, capture, element })
        })
    }

    /// Begins a report without a photo.
    ///
    /// # Errors
    /// Failures of SQLite.
    pub fn begin_report(&mut self, report: &ReportDraft, now: Timestamp) -> Result<i64, DeviceError> {
        let body = body(&ReportDraft { seen_at: report.seen_at.or(Some(now)), ..report.clone() })?;
        self.write(Commit::Setting, |tx| tx.insert_draft(&body, now))
    }

    /// One draft.
    ///
    /// # Errors
    /// [`DeviceError::NoDraft`].
    pub fn draft(&self, n: i64) -> Result<Draft, DeviceError> {
        let row = self.view().draft(n)?.ok_or(DeviceError::NoDraft)?;
        self.with_its_photos(self.view().read_draft(row)?)
    }

    /// The draft without notes on originals that are no longer there: the number of one may be another's by now.
    fn with_its_photos(&self, draft: Draft) -> Result<Draft, DeviceError> {
        let mut photos = Vec::with_capacity(draft.photos.len());
        for photo in draft.photos {
            if self.journaled_facts(photo.capture)?.is_some_and(|facts| facts.at == photo.at) {
                photos.push(photo);
            }
        }
        Ok(Draft { photos, ..draft })
    }

    /// Writes what is known of a draft.
    ///
    /// # Errors
    /// [`DeviceError::NoDraft`].
    pub fn save_draft(&mut self, n: i64, report: &ReportDraft) -> Result<(), DeviceError> {
        self.draft(n)?;
        let body = body(report)?;
        self.write(Commit::Setting, |tx| tx.update_draft(n, &body))
    }

    /// What is left to be sorted or sent: the end-of-shift tray.
    ///
    /// # Errors
    /// Failures of SQLite.
    pub fn draft_tray(&self) -> Result<DraftTray, DeviceError> {
        let mut tray = DraftTray::default();
        for row in self.view().drafts()? {
            let draft = self.with_its_photos(self.view().read_draft(row)?)?;
            if draft.discarded_at.is_some() { &mut tray.discarded } else { &mut tray.drafts }.push(draft);
        }
        let placed = self.placed_captures()?;
        tray.loose = self.captures()?;
        tray.loose.retain(|n| !placed.iter().any(|photo| photo.capture == *n));
        Ok(tray)
    }

    /// Throws a draft away. It can be taken back until [`Self::sweep_drafts`] finds it old enough.
    ///
    /// # Errors
    /// [`DeviceError::NoDraft`].
    pub fn discard_draft(&mut self, n: i64, now: Timestamp) -> Result<(), DeviceError> {
        self.draft(n)?;
        self.write(Commit::Setting, |tx| tx.discard_draft(n, Some(now)))
    }

    /// Takes a photo out of a draft: its original is loose again, for another draft ([`Self::adopt_capture`]) or to be
    /// thrown away.
    ///
    /// # Errors
    /// [`DeviceError::NoCapture`] where no draft has it.
    pub fn release_capture(&mut self, capture: i64) -> Result<(), DeviceError> {
        let placed = self.placed_captures()?;
        if !placed.iter().any(|photo| photo.capture == capture && photo.draft.is_some()) {
            return Err(DeviceError::NoCapture);
        }
        self.write(Commit::Setting, |tx| tx.forget_draft_photo(capture))
    }

    /// Throws a loose original of the journal away, by way of a draft: [`Self::restore_draft`] with the number that this
    /// returns brings it back until [`Self::sweep_drafts`] finds it old enough.
    ///
    /// # Errors
    /// [`DeviceError::NoCapture`].
    pub fn discard_capture(&mut self, capture: i64, now: Timestamp) -> Result<i64, DeviceError> {
        let snapped = self.adopt_capture(capture, &SnapContext::default(), None, now)?;
        self.discard_draft(snapped.draft, now)?;
        Ok(snapped.draft)
    }

    /// Takes a draft back that was thrown away.
    ///
    /// # Errors
    /// [`DeviceError::NoDraft`].
    pub fn restore_draft(&mut self, n: i64) -> Result<(), DeviceError> {
        self.draft(n)?;
        self.write(Commit::Setting, |tx| tx.discard_draft(n, None))
    }

    /// Removes what was thrown away longer ago than the rules say: drafts of reports with their originals and voice notes,
    /// drafts of visits with theirs, patrols with their points; and voice notes that were taken off other drafts as long
    /// ago. Returns how many drafts and patrols.
    ///
    /// # Errors
    /// Failures of SQLite.
    pub fn sweep_drafts(&mut self, now: Timestamp) -> Result<usize, DeviceError> {
        let days = i64::from(self.field_rules()?.discarded_days);
        let before = now.plus_days(-days);
        let mut gone = self.sweep_discarded(before)?;
        for draft in self.draft_tray()?.discarded {
            if draft.discarded_at.is_none_or(|at| at > before) {
                continue;
            }
            // The draft last: a crash in between finds it again.
            for photo in &draft.photos {
                self.remove_capture(photo.capture)?;
            }
            self.remove_sounds_of(&[VoicePlace::Report(draft.n)])?;
            self.write(Commit::Sweep, |tx| tx.delete_draft(draft.n))?;
            gone += 1;
        }
        self.sweep_voices(before)?;
        Ok(gone)
    }
}
