//! Visits and care.

use gridwalk_device::keeping::KeepingLimits;
use gridwalk_device::store::DiscardedVisit;
use gridwalk_device::work::visits::{
    CareTagInput, FollowUp, LastVisit, Recorded, ServiceAsked, TagInForce, VisitDue, VisitInput, VisitSheet,
};
use gridwalk_model::geo::Position;
use gridwalk_model::records::CareTag;
use gridwalk_model::records::care_tag::Need;
use gridwalk_model::records::service_record::ServiceState;
use gridwalk_model::records::visit::{VisitPurpose, VisitResult};
use gridwalk_model::visits::{Due, DueState, VisitForm, VisitItem, Why};
use gridwalk_model::{Kind, RecordId, Timestamp};

use crate::containers::{AnswerMap, Day};
use crate::device::Device;
use crate::error::GridwalkError;
use crate::kinds::ServiceRecordEntry;

/// The last complete visit.
type VisitDay = (RecordId, Day);

pair! {
    /// A visit and its day.
    VisitOnDay of VisitDay {
        /// The visit.
        visit: RecordId,
        /// The local day.
        day: Day,
    }
}

/// What needed attention at a visit.
type AttentionPair = (String, Option<String>);

pair! {
    /// What needed attention at a visit.
    Attention of AttentionPair {
        /// The item of the form.
        item: String,
        /// What was said about it.
        text: Option<String>,
    }
}

/// A draft of a visit.
#[derive(Clone, Debug, PartialEq, Eq, uniffi::Record)]
pub struct VisitDraftEntry {
    /// To whom.
    pub target: RecordId,
    /// Since when.
    pub since: Timestamp,
}

/// A draft of a visit that was thrown away and can still be taken back.
#[uniffi::remote(Record)]
#[uniffi(name = "DiscardedVisitDraft")]
pub struct DiscardedVisit {
    /// Its number on this phone.
    pub n: i64,
    /// Whom it is about.
    pub target: RecordId,
    /// When it was written last.
    pub at: Timestamp,
    /// When it was thrown away.
    pub discarded_at: Timestamp,
}

/// A visit that is due.
#[uniffi::remote(Record)]
pub struct VisitDue {
    /// Whom: a resident for care, a dwelling for the other rounds.
    pub target: RecordId,
    /// The target's kind.
    pub kind: Kind,
    /// The door, where it is known.
    pub door: Option<RecordId>,
    /// What for.
    pub purpose: VisitPurpose,
    /// Why; the needs of a person are of the sensitive class and shown to those who hold it.
    pub why: Vec<Why>,
    /// When, and what happened last.
    pub due: Due,
    /// How it stands today.
    pub state: DueState,
}

/// Why somebody is visited.
#[uniffi::remote(Enum)]
#[uniffi(name = "VisitReason")]
pub enum Why {
    /// A need with a care tag in force.
    Need(Need),
    /// They moved in.
    Newcomer,
    /// The ordinary round.
    Household,
    /// A day that was agreed, and nothing else.
    Agreed,
}

/// When the next visit is due.
#[uniffi::remote(Record)]
#[uniffi(name = "VisitTime")]
pub struct Due {
    /// The last day on which it is in time.
    pub day: Day,
    /// Whether that day was agreed or set at a visit; the cadence gives it otherwise.
    pub agreed: bool,
    /// The last complete visit.
    pub last: Option<VisitDay>,
    /// How often nobody opened since.
    pub tried: u32,
    /// After a door that nobody opened: not to be tried before this day.
    pub not_before: Option<Day>,
}

/// How a due visit stands today.
#[uniffi::remote(Enum)]
pub enum DueState {
    /// Its day has passed.
    /// 已逾期
    Overdue,
    /// It is due today or within the days shown as coming up.
    /// 近期到期
    Soon,
    /// Nobody opened lately; it rests for some days.
    /// 未遇，稍后再访
    Resting,
    /// Not yet.
    /// 未到期
    Later,
}

/// Everything about the next visit to somebody, in one call.
#[uniffi::remote(Record)]
pub struct VisitSheet {
    /// Why and when; none where nothing is due.
    pub due: Option<VisitDue>,
    /// What is asked.
    pub form: VisitForm,
    /// The last visit at which they were met.
    pub last: Option<LastVisit>,
    /// Services that were asked for and are open: to be followed up now.
    pub open_services: Vec<ServiceRecordEntry>,
    /// What was typed and not recorded.
    pub draft: Option<VisitInput>,
}

/// One version of a form. A change makes a new version.
#[uniffi::remote(Record)]
pub struct VisitForm {
    /// What stays the same over all versions.
    pub code: String,
    /// Number of the version.
    pub version: i64,
    /// What for.
    pub purpose: VisitPurpose,
    /// Name in Chinese.
    pub zh: String,
    /// Name in English.
    pub en: String,
    /// The items in their order.
    pub items: Vec<VisitItem>,
}

/// One thing that is looked at. It is answered with pass, fail (needs attention) or not applicable.
#[uniffi::remote(Record)]
pub struct VisitItem {
    /// Its name among the answers.
    pub id: String,
    /// In Chinese.
    pub zh: String,
    /// In English.
    pub en: String,
}

/// The last visit, as far as it matters for the next.
#[uniffi::remote(Record)]
pub struct LastVisit {
    /// The record.
    pub id: RecordId,
    /// When.
    pub at: Timestamp,
    /// What needed attention: the item, and what was said about it.
    pub attention: Vec<AttentionPair>,
    /// The note.
    pub note: Option<String>,
}

/// A visit as the worker states it, and as a draft keeps it.
#[uniffi::remote(Record)]
pub struct VisitInput {
    /// Whom or what: a resident, household, dwelling, place or organization.
    pub target: RecordId,
    /// What came of it.
    pub result: VisitResult,
    /// What for.
    pub purpose: VisitPurpose,
    /// The version of the form that the answers are to; that of the purpose where it is not said.
    #[uniffi(default = None)]
    pub form: Option<String>,
    /// The answers by item.
    pub answers: AnswerMap,
    /// A note.
    #[uniffi(default = None)]
    pub note: Option<String>,
    /// A day that was agreed for the next visit, instead of that of the cadence.
    #[uniffi(default = None)]
    pub next_due: Option<Day>,
    /// Where the phone was.
    #[uniffi(default = None)]
    pub position: Option<Position>,
    /// The task that the visit fulfils.
    #[uniffi(default = None)]
    pub task: Option<RecordId>,
    /// What they need, and the service for it.
    #[uniffi(default = [])]
    pub services: Vec<ServiceAsked>,
    /// What came of services that were asked for earlier.
    #[uniffi(default = [])]
    pub follow_ups: Vec<FollowUp>,
}

/// A need that was stated, and the service for it.
#[uniffi::remote(Record)]
pub struct ServiceAsked {
    /// What is needed.
    pub request: String,
    /// The service.
    pub service: String,
}

/// What came of a service.
#[uniffi::remote(Record)]
pub struct FollowUp {
    /// The service.
    pub service: RecordId,
    /// How far it is now; open leaves it for the next visit.
    pub state: ServiceState,
    /// In the worker's words.
    #[uniffi(default = None)]
    pub outcome: Option<String>,
}

/// A visit that was recorded.
#[uniffi::remote(Record)]
#[uniffi(name = "VisitRecorded")]
pub struct Recorded {
    /// The record.
    pub visit: RecordId,
    /// The services that were asked for, in the order of the input.
    pub services: Vec<RecordId>,
    /// The next visit to the same person or door, by the cadence.
    pub next: Option<VisitDue>,
}

/// What makes a care tag. The need is of a closed list; everything else is required.
#[uniffi::remote(Record)]
pub struct CareTagInput {
    /// Who.
    pub resident: RecordId,
    /// The need.
    pub need: Need,
    /// The service that it triggers.
    pub service: String,
    /// The purpose, as it is shown to the resident.
    pub purpose: String,
    /// Who approved it.
    pub approver: RecordId,
    /// First day.
    pub from: Day,
    /// Last day, at most twelve months after the first.
    pub until: Day,
}

/// A tag that is in force.
#[uniffi::remote(Record)]
pub struct TagInForce {
    /// The record.
    pub id: RecordId,
    /// Its content.
    pub tag: CareTag,
    /// Whether it ends within 30 days and has to be renewed, with a new approval, or let go.
    pub ends_soon: bool,
}

#[uniffi::export(async_runtime = "tokio")]
impl Device {
    /// Every visit to come, the most urgent first.
    pub async fn visits_due(&self) -> Result<Vec<VisitDue>, GridwalkError> {
        self.call(async |core| core.visits_due().await).await
    }

    /// The visits that are due to a resident, or to a door.
    pub async fn visits_due_of(&self, target: RecordId) -> Result<Vec<VisitDue>, GridwalkError> {
        self.call(async move |core| core.with_store(move |store, now| store.visits_due_of(target, now)).await)
            .await
    }

    /// What a screen shows before the door is opened: why, what is asked, the last visit, open services, the draft. The
    /// needs and services in it are of the sensitive class: each is journaled with `purpose` before it is shown.
    /// Throws `InvalidInput` (`no_purpose`) if none was stated.
    #[uniffi::method(default(limits = None))]
    pub async fn visit_sheet(
        &self,
        target: RecordId,
        purpose: String,
        limits: Option<KeepingLimits>,
    ) -> Result<VisitSheet, GridwalkError> {
        self.call(async move |core| core.visit_sheet(target, &purpose, limits.unwrap_or_default()).await)
            .await
    }

    /// The form for a purpose, a word such as `care`.
    pub async fn visit_form(
        &self,
        target: RecordId,
        purpose: VisitPurpose,
    ) -> Result<VisitForm, GridwalkError> {
        self.call(async move |core| core.with_store(move |store, _| store.visit_form(target, &purpose)).await)
            .await
    }

    /// Keeps what was typed so far; it survives a kill. One draft a target.
    pub async fn save_visit_draft(&self, draft: VisitInput) -> Result<(), GridwalkError> {
        self.write(async move |core| core.save_visit_draft(draft).await).await
    }

    /// Whom there are drafts for, the oldest first.
    pub async fn visit_drafts(&self) -> Result<Vec<VisitDraftEntry>, GridwalkError> {
        let drafts = self.call(async |core| core.visit_drafts().await).await?;
        Ok(drafts.into_iter().map(|(target, since)| VisitDraftEntry { target, since }).collect())
    }

    /// Throws a draft away; `restore_visit_draft` takes it back.
    pub async fn discard_visit_draft(&self, target: RecordId) -> Result<(), GridwalkError> {
        self.write(async move |core| core.discard_visit_draft(target).await).await
    }

    /// Drafts that were thrown away and can be taken back, the last one first.
    pub async fn discarded_visit_drafts(&self) -> Result<Vec<DiscardedVisit>, GridwalkError> {
        self.call(async |core| core.discarded_visit_drafts().await).await
    }

    /// Takes a draft back that was thrown away, by its number. One that was begun for the same
    /// target meanwhile is thrown away in its place. Throws `NotFound` (`no_draft`) where it was swept.
    pub async fn restore_visit_draft(&self, n: i64) -> Result<(), GridwalkError> {
        self.write(async move |core| core.restore_visit_draft(n).await).await
    }

    /// Records a visit with all that follows from it. A declined visit is complete, and nothing else happens. Throws
    /// `InvalidInput` with the field at fault.
    pub async fn record_visit(&self, input: VisitInput) -> Result<Recorded, GridwalkError> {
        self.write(async move |core| core.record_visit(input).await).await
    }

    /// Takes one's own visit back. Returns whether anything changed.
    pub async fn undo_visit(&self, visit: RecordId) -> Result<bool, GridwalkError> {
        self.write(async move |core| core.undo_visit(visit).await).await
    }

    /// Puts somebody on a care list, for at most twelve months. Throws `InvalidInput` with every field at fault.
    pub async fn add_care_tag(&self, input: CareTagInput) -> Result<RecordId, GridwalkError> {
        self.write(async move |core| core.add_care_tag(input).await).await
    }

    /// The tags of a resident that are in force, those that end first at the head. Each is journaled with `purpose`
    /// before it is shown. Throws `InvalidInput` (`no_purpose`) if none was stated.
    #[uniffi::method(default(limits = None))]
    pub async fn care_tags(
        &self,
        resident: RecordId,
        purpose: String,
        limits: Option<KeepingLimits>,
    ) -> Result<Vec<TagInForce>, GridwalkError> {
        self.call(async move |core| core.care_tags(resident, &purpose, limits.unwrap_or_default()).await)
            .await
    }
}
