//! Typed views of the kinds that screens list: the core's own records, one entry or a page at a time.
//!
//! Sets of encoded elements (photos, voice notes, a log, answers) cross as the names of their elements.

mod homes;
mod places;
mod work;

use gridwalk_device::store::RecordState;
use gridwalk_device::{Entry, Page, PageCursor};
use gridwalk_model::RecordId;
use gridwalk_model::records::{
    Area, BaseVerification, Campaign, Checklist, Dwelling, Event, Form, Household, Inspection, Label,
    Organization, Patrol, Place, RectificationOrder, Residency, Resident, ServiceRecord, Submission, Task,
    Visit, Worker,
};

use crate::device::Device;
use crate::error::GridwalkError;
use crate::mirror::limit;

/// A kind with its entry, its page and the two methods that read it.
macro_rules! kinds {
    ($($(#[$doc:meta])* $core:ident, $entry:ident, $page:ident, $get:ident, $list:ident;)*) => {
        $(
            $(#[$doc])*
            pub type $entry = Entry<$core>;

            $(#[$doc])*
            #[uniffi::remote(Record)]
            pub struct $entry {
                /// The record's identifier.
                pub id: RecordId,
                /// Its content.
                pub record: $core,
                /// What waits, what is in conflict.
                pub state: RecordState,
            }

            $(#[$doc])*
            /// A page of them.
            pub type $page = Page<$core>;

            $(#[$doc])*
            /// A page of them.
            #[uniffi::remote(Record)]
            pub struct $page {
                /// The records, in the order of their kind.
                pub entries: Vec<$entry>,
                /// To be given back for the next page; none at the end. To be kept in memory only.
                pub next: Option<PageCursor>,
            }

            #[uniffi::export(async_runtime = "tokio")]
            impl Device {
                /// One record of this kind; none if it is not on this phone. Throws `Conflict` (`wrong_kind`),
                /// `UpdateNeeded`.
                pub async fn $get(&self, id: RecordId) -> Result<Option<$entry>, GridwalkError> {
                    self.call(async move |core| core.get::<$core>(id).await).await
                }

                /// Records of this kind in pages of at most 1,000, from the beginning or after the last page's `next`.
                pub async fn $list(
                    &self,
                    after: Option<PageCursor>,
                    limit: u32,
                ) -> Result<$page, GridwalkError> {
                    self.call(async move |core| core.list::<$core>(after, self::limit(limit)).await).await
                }
            }
        )*
    };
}

kinds! {
    /// A record of the kind `area` (区域).
    Area, AreaEntry, AreaPage, get_area, list_areas;
    /// A record of the kind `dwelling` (实有房屋).
    Dwelling, DwellingEntry, DwellingPage, get_dwelling, list_dwellings;
    /// A record of the kind `household` (户).
    Household, HouseholdEntry, HouseholdPage, get_household, list_households;
    /// A record of the kind `resident` (实有人口).
    Resident, ResidentEntry, ResidentPage, get_resident, list_residents;
    /// A record of the kind `residency` (居住关系).
    Residency, ResidencyEntry, ResidencyPage, get_residency, list_residencies;
    /// A record of the kind `base_verification` (信息核查).
    BaseVerification, BaseVerificationEntry, BaseVerificationPage, get_base_verification, list_base_verifications;
    /// A record of the kind `place` (场所).
    Place, PlaceEntry, PlacePage, get_place, list_places;
    /// A record of the kind `organization` (实有单位).
    Organization, OrganizationEntry, OrganizationPage, get_organization, list_organizations;
    /// A record of the kind `checklist` (检查清单).
    Checklist, ChecklistEntry, ChecklistPage, get_checklist, list_checklists;
    /// A record of the kind `inspection` (检查).
    Inspection, InspectionEntry, InspectionPage, get_inspection, list_inspections;
    /// A record of the kind `rectification_order` (整改通知).
    RectificationOrder, RectificationOrderEntry, RectificationOrderPage, get_rectification_order,
        list_rectification_orders;
    /// A record of the kind `form` (表单).
    Form, FormEntry, FormPage, get_form, list_forms;
    /// A record of the kind `submission` (填报).
    Submission, SubmissionEntry, SubmissionPage, get_submission, list_submissions;
    /// A record of the kind `event` (事件).
    Event, EventEntry, EventPage, get_event, list_events;
    /// A record of the kind `patrol` (巡查).
    Patrol, PatrolEntry, PatrolPage, get_patrol, list_patrols;
    /// A record of the kind `task` (任务).
    Task, TaskEntry, TaskPage, get_task, list_tasks;
    /// A record of the kind `campaign` (专项).
    Campaign, CampaignEntry, CampaignPage, get_campaign, list_campaigns;
    /// A record of the kind `visit` (走访).
    Visit, VisitEntry, VisitPage, get_visit, list_visits;
    /// A record of the kind `label` (二维码标牌).
    Label, LabelEntry, LabelPage, get_label, list_labels;
    /// A record of the kind `worker` (工作人员).
    Worker, WorkerEntry, WorkerPage, get_worker, list_workers;
}

/// A service that was asked for at a visit.
pub type ServiceRecordEntry = Entry<ServiceRecord>;

/// A service that was asked for at a visit.
#[uniffi::remote(Record)]
pub struct ServiceRecordEntry {
    /// The record's identifier.
    pub id: RecordId,
    /// Its content.
    pub record: ServiceRecord,
    /// What waits, what is in conflict.
    pub state: RecordState,
}
