//! Events: a deployment's rules for them, what became of them, what the worker does about them.

use gridwalk_model::RecordId;
use gridwalk_model::event::site::OnSite;
use gridwalk_model::event::{Action, EventRules};

use super::Device;
use crate::error::DeviceError;
use crate::photo::CaptureFacts;
use crate::work::events::{EventStory, LookBack, MyReport, SiteClaim, SiteVerification, Snapped, WorkerAct};
use crate::work::rules::RulesRefused;

impl Device {
    /// The deployment's rules for events: the categories for a screen in their order, their names and deadlines. The
    /// starter ones until the server gave others.
    ///
    /// # Errors
    /// [`DeviceError::Closed`].
    pub async fn event_rules(&self) -> Result<EventRules, DeviceError> {
        self.with_store(|store, _| Ok(store.event_rules().clone())).await
    }

    /// Why the rules that the server gave last are not used: see [`crate::Store::rules_refused`].
    ///
    /// # Errors
    /// As there.
    pub async fn rules_refused(&self) -> Result<Option<RulesRefused>, DeviceError> {
        self.with_store(|store, _| store.rules_refused()).await
    }

    /// The worker's reports: see [`crate::Store::my_reports`].
    ///
    /// # Errors
    /// As there.
    pub async fn my_reports(&self, limit: usize) -> Result<Vec<MyReport>, DeviceError> {
        self.with_store(move |store, now| store.my_reports(now, limit)).await
    }

    /// The story of an event: see [`crate::Store::event_story`].
    ///
    /// # Errors
    /// As there.
    pub async fn event_story(&self, event: RecordId) -> Result<EventStory, DeviceError> {
        self.with_store(move |store, _| store.event_story(event)).await
    }

    /// What the worker may do about an event: see [`crate::Store::event_acts`].
    ///
    /// # Errors
    /// As there.
    pub async fn event_acts(&self, event: RecordId) -> Result<Vec<Action>, DeviceError> {
        self.with_store(move |store, _| store.event_acts(event)).await
    }

    /// Does an act on an event: see [`crate::Store::act_on_event`].
    ///
    /// # Errors
    /// As there.
    pub async fn act_on_event(&self, event: RecordId, act: WorkerAct) -> Result<RecordId, DeviceError> {
        self.at_work(move |store, now| store.act_on_event(event, act, now)).await
    }

    /// Journals a photo for an event that exists: see [`crate::Store::snap_for_event`].
    ///
    /// # Errors
    /// As there.
    pub async fn snap_for_event(
        &self,
        event: RecordId,
        original: Vec<u8>,
        facts: CaptureFacts,
        pair: Option<RecordId>,
    ) -> Result<Snapped, DeviceError> {
        self.with_store(move |store, now| store.snap_for_event(event, &original, &facts, pair, now)).await
    }

    /// Judges a claim to be on site before anything is written: see [`crate::Store::check_site`].
    ///
    /// # Errors
    /// As there.
    pub async fn check_site(&self, event: RecordId, claim: SiteClaim) -> Result<OnSite, DeviceError> {
        self.with_store(move |store, _| store.check_site(event, &claim)).await
    }

    /// Verifies on site: see [`crate::Store::verify_on_site`].
    ///
    /// # Errors
    /// As there.
    pub async fn verify_on_site(
        &self,
        event: RecordId,
        seen: SiteVerification,
    ) -> Result<RecordId, DeviceError> {
        self.at_work(move |store, now| store.verify_on_site(event, seen, now)).await
    }

    /// Looks again at a closed event: see [`crate::Store::look_back`].
    ///
    /// # Errors
    /// As there.
    pub async fn look_back(&self, event: RecordId, seen: LookBack) -> Result<RecordId, DeviceError> {
        self.at_work(move |store, now| store.look_back(event, seen, now)).await
    }
}
