//! The sync engine: events in, effects out. No I/O, no clock, no threads; randomness comes from the store's source.
//!
//! Three lanes, each with its own back-off, so that no lane waits behind another's error: records, then previews of
//! photos, then full photos. A lane begins when the ones before it have nothing to do or wait after a failure.

mod failure;
mod media;
mod sealing;

use gridwalk_model::{ContentHash, Timestamp};
use gridwalk_replica::protocol::{HandIn, HandedIn, ProtocolError};
use gridwalk_replica::wire::{SyncRequest, SyncResponse};

use self::sealing::Word;
use super::apply::{self, Applied};
use super::backoff::Backoff;
use super::pull;
use super::request::{self, PushLimits, RequestContext};
use super::status::{LastError, SKEW_LIMIT_MS, Status};
use crate::error::DeviceError;
use crate::keeping::Saving;
use crate::net::NetError;
use crate::store::{Lane, Setting, Store, Upload};

/// Settings of the engine.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct EngineConfig {
    /// How much one request offers.
    pub push: PushLimits,
    /// How many bytes of records one response may bring.
    pub max_bytes: u32,
    /// How long after a success the server is asked for news, in milliseconds.
    pub poll_ms: i64,
}

impl Default for EngineConfig {
    /// Two mebibytes a response (a grid of 2,000 records in one), news every five minutes.
    fn default() -> Self {
        Self { push: PushLimits::default(), max_bytes: 2 * 1024 * 1024, poll_ms: 5 * 60 * 1000 }
    }
}

/// What happened outside.
#[derive(Clone, Debug, PartialEq)]
pub enum Event {
    /// Somebody asks for a synchronisation now; back-off is set aside.
    Sync,
    /// The worker wrote something.
    Edited,
    /// The time that [`Effect::WakeAt`] named has come.
    Tick,
    /// What the platform says of the network.
    Network {
        /// Whether there is one.
        online: bool,
        /// Whether it costs nothing (Wi-Fi).
        wifi: bool,
    },
    /// The answer to [`Effect::Send`].
    Response {
        /// Number of the request. Late and doubled answers are passed over.
        n: u64,
        /// What came.
        result: Result<Box<SyncResponse>, NetError>,
    },
    /// The answer to [`Effect::AskMissing`].
    Missing {
        /// Number of the question.
        n: u64,
        /// The media to be uploaded and those that are stored.
        result: Result<(Vec<ContentHash>, Vec<ContentHash>), NetError>,
    },
    /// A part of [`Effect::Upload`] arrived: the server has `offset` bytes for sure.
    Uploading {
        /// Which medium.
        hash: ContentHash,
        /// Where the upload lives.
        url: String,
        /// Bytes that the server has.
        offset: u64,
    },
    /// [`Effect::Upload`] ended.
    Uploaded {
        /// Number of the upload.
        n: u64,
        /// Which medium.
        hash: ContentHash,
        /// How it went.
        result: Result<(), NetError>,
    },
    /// The answer to [`Effect::HandIn`].
    HandedIn {
        /// Number of the request.
        n: u64,
        /// Where the package stands.
        result: Result<HandedIn, NetError>,
    },
    /// What is put off while storage or battery is low.
    Saving(Saving),
    /// Stop: the system suspends the app, or the user wants it.
    Pause,
    /// Go on.
    Resume,
}

/// What is to be done outside.
#[derive(Clone, Debug, PartialEq)]
pub enum Effect {
    /// Send this to the server.
    Send {
        /// Number of the request.
        n: u64,
        /// The request.
        request: Box<SyncRequest>,
    },
    /// Ask which of these media the server lacks.
    AskMissing {
        /// Number of the question.
        n: u64,
        /// The media.
        hashes: Vec<ContentHash>,
    },
    /// Upload this medium, from where it was left.
    Upload {
        /// Number of the upload.
        n: u64,
        /// Which, and how far it is.
        upload: Upload,
    },
    /// Hand in a part of the sealed work of this device, which is locked.
    HandIn {
        /// Number of the request.
        n: u64,
        /// The part.
        part: Box<HandIn>,
    },
    /// Give up whatever is under way.
    CancelAll,
    /// Send [`Event::Tick`] at this time. The last one counts.
    WakeAt(Timestamp),
    /// Something that a screen shows has changed.
    Changed,
    /// The deployment had this device wiped: delete everything.
    Wipe,
}

/// What is under way in a lane.
#[derive(Clone, Debug, Default)]
enum Work {
    #[default]
    Idle,
    Sync {
        n: u64,
        context: RequestContext,
    },
    Asking {
        n: u64,
    },
    Uploading {
        n: u64,
        rest: Vec<ContentHash>,
    },
    HandingIn {
        n: u64,
    },
}

#[derive(Clone, Debug, Default)]
struct LaneState {
    work: Work,
    backoff: Backoff,
    /// Something may be waiting.
    wanted: bool,
}

impl LaneState {
    const fn is_idle(&self) -> bool {
        matches!(self.work, Work::Idle)
    }

    /// Whether lanes after this one may begin.
    fn lets_others(&self, now: Timestamp) -> bool {
        self.is_idle() && (!self.wanted || self.backoff.until(now).is_some())
    }
}

/// The engine. One store, one engine; call [`Self::next`] with everything that happens.
#[derive(Clone, Debug)]
pub struct Engine {
    config: EngineConfig,
    records: LaneState,
    previews: LaneState,
    photos: LaneState,
    sealing: LaneState,
    number: u64,
    online: bool,
    wifi: bool,
    paused: bool,
    locked: bool,
    /// Whether `locked` is what the store says.
    recalled: bool,
    /// The part of the package that the server lacks, as far as it is known.
    next_part: u32,
    /// How often in a row the server still lacked the part that it was handed.
    idle_parts: u32,
    saving: Saving,
    /// Whether somebody asked for a round while one was under way, whose answer may be older than the asking.
    asked_meanwhile: bool,
    limits: PushLimits,
    idle_rounds: u32,
    next_poll: Option<Timestamp>,
    last_contact: Option<Timestamp>,
    last_error: Option<LastError>,
    skew_ms: Option<i64>,
}

/// Rounds in a row in which nothing moved, after which the engine waits for the next occasion.
const IDLE_ROUNDS: u32 = 2;

impl Engine {
    /// An engine at rest, with the network taken to be there.
    pub const fn new(config: EngineConfig) -> Self {
        const LANE: LaneState = LaneState { work: Work::Idle, backoff: Backoff::NONE, wanted: true };
        Self {
            config,
            records: LANE,
            previews: LANE,
            photos: LANE,
            sealing: LANE,
            number: 0,
            online: true,
            wifi: true,
            paused: false,
            locked: false,
            recalled: false,
            next_part: 0,
            idle_parts: 0,
            asked_meanwhile: false,
            saving: Saving::NOTHING,
            limits: config.push,
            idle_rounds: 0,
            next_poll: None,
            last_contact: None,
            last_error: None,
            skew_ms: None,
        }
    }

    /// Takes an event and says what is to be done.
    ///
    /// # Errors
    /// Failures of the store. The engine stays usable; what was under way in the lane is tried again later.
    pub fn next(
        &mut self,
        event: Event,
        store: &mut Store,
        now: Timestamp,
    ) -> Result<Vec<Effect>, DeviceError> {
        let mut effects = Vec::new();
        self.drive(event, store, now, &mut effects)?;
        Ok(effects)
    }

    /// The same, with the effects beside the outcome: after a failure of the store as well there is something to be
    /// done, at least to come back at [`Effect::WakeAt`].
    ///
    /// # Errors
    /// As [`Self::next`].
    pub fn drive(
        &mut self,
        event: Event,
        store: &mut Store,
        now: Timestamp,
        effects: &mut Vec<Effect>,
    ) -> Result<(), DeviceError> {
        let recalled = self.recall_lock(store);
        let taken = recalled.and_then(|()| self.take(event, store, now, effects));
        let outcome = taken.and_then(|()| self.start(store, now, effects));
        if let Err(error) = &outcome {
            self.last_error = Some(LastError { zh: error.zh(), en: error.en(), at: now });
            self.hold_back(store, now);
        }
        let wake = self.wake_at(store, now);
        effects.extend(wake.as_ref().ok().copied().flatten().map(Effect::WakeAt));
        outcome.and(wake.map(drop))
    }

    /// What wanted to begin when the store failed waits like after any failure.
    fn hold_back(&mut self, store: &mut Store, now: Timestamp) {
        let random = random(store).unwrap_or(0);
        for lane in [&mut self.records, &mut self.previews, &mut self.photos] {
            if lane.wanted && lane.is_idle() && lane.backoff.until(now).is_none() {
                lane.backoff.fail(now, 0, random);
            }
        }
    }

    /// How things stand.
    ///
    /// # Errors
    /// Failures of the store.
    pub fn status(&self, store: &Store, now: Timestamp) -> Result<Status, DeviceError> {
        let view = store.view();
        let stored = |setting| view.get_number(setting);
        let last_contact = self.last_contact.or(stored(Setting::LastContact)?.map(Timestamp::from_millis));
        let skew = self.skew_ms.or(stored(Setting::Skew)?);
        Ok(Status {
            totals: store.totals()?,
            online: self.online,
            busy: !self.is_idle(),
            last_contact,
            last_error: self.last_error.clone(),
            next_attempt: self.wake_at(store, now)?,
            clock_skew_ms: skew.filter(|skew| skew.abs() > SKEW_LIMIT_MS),
            locked: self.locked || stored(Setting::Locked)?.is_some(),
            saving: self.saving,
        })
    }

    /// Whether nothing is under way.
    pub fn is_idle(&self) -> bool {
        let lanes = [&self.records, &self.previews, &self.photos, &self.sealing];
        lanes.iter().all(|lane| matches!(lane.work, Work::Idle))
    }

    /// Whether nothing is under way and nothing could begin before the time that [`Effect::WakeAt`] named.
    pub fn is_at_rest(&self, now: Timestamp) -> bool {
        let stuck = self.paused || !self.online;
        let rested =
            |lane: &LaneState| lane.is_idle() && (!lane.wanted || lane.backoff.until(now).is_some() || stuck);
        if self.locked {
            return rested(&self.records) && rested(&self.sealing);
        }
        // Photos may be wanted and wait for Wi-Fi; `start` would have begun them otherwise.
        let previews = rested(&self.previews) || self.saving.small_media_waits && self.previews.is_idle();
        rested(&self.records) && previews && self.photos.is_idle()
    }

    fn take(
        &mut self,
        event: Event,
        store: &mut Store,
        now: Timestamp,
        effects: &mut Vec<Effect>,
    ) -> Result<(), DeviceError> {
        match event {
            Event::Sync => self.begin_session(store, now)?,
            Event::Edited => {
                self.records.wanted = true;
                self.previews.wanted = true;
                self.photos.wanted = true;
                self.idle_rounds = 0;
            }
            Event::Tick => {
                if self.next_poll.is_some_and(|poll| poll <= now) {
                    self.next_poll = None;
                    self.idle_rounds = 0;
                    self.records.wanted = true;
                }
                self.wake_waiting(store, now)?;
            }
            Event::Network { online, wifi } => {
                if online && !self.online {
                    self.begin_session(store, now)?;
                }
                self.photos.wanted |= wifi && !self.wifi;
                (self.online, self.wifi) = (online, wifi);
            }
            Event::Response { n, result } => self.responded(n, result, store, now, effects)?,
            Event::Missing { n, result } => self.told_missing(n, result, store, now, effects)?,
            Event::Uploading { hash, url, offset } => {
                store.set_upload_progress(&hash, Some(&url), offset)?;
                effects.push(Effect::Changed);
            }
            Event::Uploaded { n, hash, result } => self.uploaded(n, hash, result, store, now, effects)?,
            Event::HandedIn { n, result } => self.handed_in(n, result, store, now, effects)?,
            Event::Saving(saving) => {
                self.saving = saving;
                effects.push(Effect::Changed);
            }
            Event::Pause => {
                self.paused = true;
                self.abandon();
                effects.push(Effect::CancelAll);
            }
            Event::Resume => {
                self.paused = false;
                self.begin_session(store, now)?;
            }
        }
        Ok(())
    }

    fn begin_session(&mut self, store: &mut Store, now: Timestamp) -> Result<(), DeviceError> {
        self.asked_meanwhile = !self.records.is_idle();
        for lane in [&mut self.records, &mut self.previews, &mut self.photos, &mut self.sealing] {
            lane.wanted = true;
            lane.backoff.clear();
        }
        self.idle_rounds = 0;
        self.idle_parts = 0;
        self.limits = self.config.push;
        pull::retry_unread(store, now)?;
        Ok(())
    }

    /// Held changes and stuck media whose time has come.
    fn wake_waiting(&mut self, store: &Store, now: Timestamp) -> Result<(), DeviceError> {
        if request::has_something_to_say(store, now)? {
            self.records.wanted = true;
            self.idle_rounds = 0;
        }
        for (lane, state) in [(Lane::Preview, &mut self.previews), (Lane::Full, &mut self.photos)] {
            if state.is_idle() && !store.view().uploads_waiting(lane, now, 1)?.is_empty() {
                state.wanted = true;
            }
        }
        Ok(())
    }

    fn abandon(&mut self) {
        for lane in [&mut self.records, &mut self.previews, &mut self.photos, &mut self.sealing] {
            lane.work = Work::Idle;
            lane.wanted = true;
        }
    }

    /// Begins whatever may begin now.
    fn start(
        &mut self,
        store: &mut Store,
        now: Timestamp,
        effects: &mut Vec<Effect>,
    ) -> Result<(), DeviceError> {
        if self.paused || !self.online || store.identity().is_none() {
            return Ok(());
        }
        if store.view().is_practice()? {
            return Ok(());
        }
        if self.records.wanted && self.records.is_idle() && self.records.backoff.until(now).is_none() {
            let prepared = match request::prepare(store, self.limits, self.config.max_bytes, now) {
                Ok(prepared) => prepared,
                Err(error) => {
                    let random = random(store)?;
                    self.records.backoff.fail(now, 0, random);
                    return Err(error);
                }
            };
            self.number += 1;
            self.asked_meanwhile = false;
            self.records.work = Work::Sync { n: self.number, context: prepared.context };
            effects.push(Effect::Send { n: self.number, request: Box::new(prepared.request) });
        }
        if self.locked {
            return self.start_sealing(store, now, effects);
        }
        if self.records.lets_others(now) {
            if !self.puts_off(Lane::Preview) {
                self.start_media(Lane::Preview, store, now, effects)?;
            }
            let wifi_wanted = store.wifi_only()? && !self.wifi;
            if self.previews.lets_others(now) && !wifi_wanted && !self.puts_off(Lane::Full) {
                self.start_media(Lane::Full, store, now, effects)?;
            }
        }
        Ok(())
    }

    fn responded(
        &mut self,
        n: u64,
        result: Result<Box<SyncResponse>, NetError>,
        store: &mut Store,
        now: Timestamp,
        effects: &mut Vec<Effect>,
    ) -> Result<(), DeviceError> {
        let context = match std::mem::take(&mut self.records.work) {
            Work::Sync { n: mine, context } if mine == n => context,
            other => {
                self.records.work = other;
                return Ok(());
            }
        };
        let outcome = match result {
            Ok(response) => {
                let word = Word::of(&context, &response);
                apply::apply(store, &context, &response, now).map(|applied| (applied, word))
            }
            Err(error) => Err(error.into()),
        };
        match outcome {
            Ok((applied, word)) => {
                self.applied(applied, store, now)?;
                effects.push(Effect::Changed);
                self.take_word(&word, store, now, effects)
            }
            Err(DeviceError::Net(error)) => {
                effects.push(Effect::Changed);
                self.records_failed(&error, &context, store, now, effects)
            }
            Err(error) => {
                let random = random(store)?;
                self.records.backoff.fail(now, 0, random);
                Err(error)
            }
        }
    }

    fn applied(&mut self, applied: Applied, store: &mut Store, now: Timestamp) -> Result<(), DeviceError> {
        self.records.backoff.clear();
        self.limits = self.config.push;
        self.last_contact = Some(now);
        self.last_error = None;
        self.skew_ms = Some(applied.skew_ms);
        self.idle_rounds = if applied.progress { 0 } else { self.idle_rounds + 1 };
        let asked = std::mem::take(&mut self.asked_meanwhile);
        self.records.wanted = asked || (applied.again && self.idle_rounds < IDLE_ROUNDS);
        if applied.new_epoch {
            self.previews.wanted = true;
            self.photos.wanted = true;
        }
        if !self.records.wanted {
            // Spread, so that a thousand phones that came back together do not stay together.
            let spread = i64::from(random(store)?) * self.config.poll_ms / 5 / i64::from(u32::MAX);
            self.next_poll = Some(now.plus_millis(self.config.poll_ms + spread));
        }
        Ok(())
    }

    fn lock_if_revoked(
        &mut self,
        error: &NetError,
        store: &mut Store,
        now: Timestamp,
        effects: &mut Vec<Effect>,
    ) -> Result<bool, DeviceError> {
        let NetError::Server(ProtocolError::Revoked { wipe }) = error else { return Ok(false) };
        self.lock(*wipe, store, now, effects)?;
        Ok(true)
    }

    /// When something is to be done by itself.
    fn wake_at(&self, store: &Store, now: Timestamp) -> Result<Option<Timestamp>, DeviceError> {
        if self.paused || !self.online || store.identity().is_none() {
            return Ok(None);
        }
        let view = store.view();
        let lanes: &[&LaneState] = if self.locked {
            &[&self.records, &self.sealing]
        } else {
            &[&self.records, &self.previews, &self.photos]
        };
        let mut times: Vec<Timestamp> = lanes
            .iter()
            .filter(|lane| lane.wanted && lane.is_idle())
            .filter_map(|l| l.backoff.until(now))
            .collect();
        if self.records.is_idle() {
            times.extend(self.next_poll.filter(|_| !self.records.wanted));
            times.extend(view.next_retry(now)?);
        }
        if !self.locked {
            times.extend(view.next_upload_retry(now)?);
        }
        Ok(times.into_iter().min())
    }
}

/// The server's word on how long to wait, in milliseconds.
const fn floor_of(error: &NetError) -> i64 {
    match error {
        NetError::Server(ProtocolError::Busy { retry_after_s }) => *retry_after_s as i64 * 1000,
        _ => 0,
    }
}

fn random(store: &mut Store) -> Result<u32, DeviceError> {
    Ok(u32::from_le_bytes(store.random()?))
}
