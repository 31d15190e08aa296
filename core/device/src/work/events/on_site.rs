//! On-site verification and look-back.

use gridwalk_model::event::site::{Claim, OnSite, Scanned, Site, judge};
use gridwalk_model::event::{Action, LogEntry, Presence};
use gridwalk_model::geo::Position;
use gridwalk_model::records::FieldValue;
use gridwalk_model::{Fields, RecordId, Timestamp, Value};

use crate::error::DeviceError;
use crate::store::{Commit, Store, View};
use crate::work::labels::ScannedLabel;

/// What the worker has to show for being there.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct SiteClaim {
    /// Where the phone is.
    pub position: Option<Position>,
    /// Whether the platform said that this is simulated. Then no reason counts.
    pub simulated: bool,
    /// What the code said that was scanned, or what was typed in from beneath it.
    pub label: Option<String>,
    /// The dwelling that is open on the phone.
    pub open_dwelling: Option<RecordId>,
    /// Why none of these can be shown.
    pub reason: Option<String>,
}

/// What somebody saw who looked whether a problem was put right.
#[derive(Clone, Debug, PartialEq)]
pub struct SiteVerification {
    /// How they show that they were there.
    pub claim: SiteClaim,
    /// `None`: it is put right. Otherwise what is still wrong; the event goes back to work.
    pub still_wrong: Option<String>,
    /// Remarks.
    pub note: Option<String>,
    /// Elements of photos that were taken for it, by [`Store::snap_for_event`].
    pub photos: Vec<RecordId>,
}

/// What somebody saw who looked again at a closed event.
#[derive(Clone, Debug, PartialEq)]
pub struct LookBack {
    /// How they show that they were there.
    pub claim: SiteClaim,
    /// Whether the problem has stayed away.
    pub solved: bool,
    /// What they saw. Whether the event is opened again is the supervisor's decision.
    pub note: Option<String>,
    /// Elements of photos that were taken for it.
    pub photos: Vec<RecordId>,
}

impl View<'_> {
    fn site(&self, fields: &Fields) -> Site {
        let link = |name: &str| fields.get(name).and_then(Value::as_link);
        let position = fields.get("position").and_then(|value| Position::from_value(value).ok());
        Site { position, dwelling: link("dwelling"), place: link("place") }
    }

    /// What a scanned code shows. The label of a whole building hangs where everybody passes, and stands for no door.
    fn scanned(&self, text: &str) -> Result<Scanned, DeviceError> {
        Ok(match self.scan_label(text)? {
            ScannedLabel::Door { dwelling, .. } => Scanned::Of(dwelling),
            ScannedLabel::Place { place, .. } => Scanned::Of(place),
            ScannedLabel::Void { .. } => Scanned::Void,
            ScannedLabel::Building { .. } | ScannedLabel::NotHere | ScannedLabel::NotALabel => {
                Scanned::Unknown
            }
        })
    }

    fn judge_site(&self, event: RecordId, claim: &SiteClaim) -> Result<OnSite, DeviceError> {
        let site = self.site(&self.case(event)?.listed.fields);
        let label = claim.label.as_deref().map(|text| self.scanned(text)).transpose()?;
        let claim = Claim {
            position: claim.position,
            simulated: claim.simulated,
            label,
            open: claim.open_dwelling,
            reason: claim.reason.clone(),
        };
        judge(&site, &claim, &self.field_rules()?)
            .map_err(|not| DeviceError::NotOnSite { why: not.why, distance_m: not.distance_m })
    }
}

fn shown(entry: &mut LogEntry, claim: SiteClaim, on_site: OnSite) {
    entry.presence = Some(on_site.presence);
    entry.distance_m = on_site.distance_m;
    entry.position = claim.position;
    entry.reason = claim.reason;
}

impl Store {
    /// Judges a claim before anything is written, so that a screen can say what is still to be shown.
    ///
    /// # Errors
    /// [`DeviceError::NotOnSite`] with what is missing.
    pub fn check_site(&self, event: RecordId, claim: &SiteClaim) -> Result<OnSite, DeviceError> {
        self.view().judge_site(event, claim)
    }

    /// Verifies on site that an event was put right, or that it was not. Returns the entry.
    ///
    /// # Errors
    /// [`DeviceError::NotOnSite`], [`DeviceError::ActRefused`]; nothing was written.
    pub fn verify_on_site(
        &mut self,
        event: RecordId,
        seen: SiteVerification,
        now: Timestamp,
    ) -> Result<RecordId, DeviceError> {
        self.write(Commit::Edit, |tx| {
            let on_site = tx.judge_site(event, &seen.claim)?;
            let SiteVerification { claim, still_wrong, note, photos } = seen;
            let action = if still_wrong.is_some() { Action::FailVerification } else { Action::Verify };
            tx.log_act(event, action, now, |entry| {
                shown(entry, claim, on_site);
                entry.internal_note = note;
                if let Some(wrong) = still_wrong {
                    entry.photos = photos;
                    // Why they could not show that they were there stays beside what is wrong.
                    let explained = entry.presence == Some(Presence::Explained);
                    let why = entry.reason.take().filter(|_| explained);
                    entry.reason = Some(why.map_or(wrong.clone(), |why| format!("{wrong}；{why}")));
                } else {
                    entry.after_photos = photos;
                }
            })
        })
    }

    /// Looks again at a closed event: a note by somebody who shows that they were there. Returns the entry.
    ///
    /// # Errors
    /// As [`Self::verify_on_site`].
    pub fn look_back(
        &mut self,
        event: RecordId,
        seen: LookBack,
        now: Timestamp,
    ) -> Result<RecordId, DeviceError> {
        self.write(Commit::Edit, |tx| {
            let on_site = tx.judge_site(event, &seen.claim)?;
            tx.log_act(event, Action::Note, now, |entry| {
                let LookBack { claim, solved, note, photos } = seen;
                shown(entry, claim, on_site);
                entry.solved = Some(solved);
                entry.internal_note = note;
                entry.photos = photos;
            })
        })
    }
}
