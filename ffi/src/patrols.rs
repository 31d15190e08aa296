//! Patrols: started and ended by the worker, recorded only in between.

use gridwalk_device::store::{DiscardedPatrol, OpenPatrol};
use gridwalk_device::work::patrols::{PatrolEnded, PatrolNow};
use gridwalk_model::geo::sampling::{NextFix, Sampling};
use gridwalk_model::geo::track::Gap;
use gridwalk_model::geo::{Fix, LatLon, Path, TrackFilter, TrackPoint};
use gridwalk_model::walk::{OutdoorPoint, PatrolRules, Walk};
use gridwalk_model::{ContentHash, RecordId, Timestamp};

use crate::containers::{Count, RecordSet};
use crate::device::Device;
use crate::error::GridwalkError;

/// Whether an outdoor point was passed.
type OutdoorPair = (RecordId, bool);

pair! {
    /// An outdoor point of the grid.
    OutdoorPassed of OutdoorPair {
        /// The record that is there.
        record: RecordId,
        /// Whether the path came by.
        passed: bool,
    }
}

/// A path with its gaps: stretches of points, none of them empty. Between two stretches nothing is known.
#[derive(Clone, Debug, PartialEq, uniffi::Record)]
pub struct TrackPath {
    /// The stretches, in the order of time.
    pub stretches: Vec<Vec<Fix>>,
}

uniffi::custom_type!(Path, TrackPath, {
    remote,
    lower: |path| TrackPath { stretches: path.stretches().to_vec() },
    try_lift: |path| Ok(Path::from_stretches(path.stretches)),
});

/// The patrol that a worker has started and not ended.
#[uniffi::remote(Record)]
pub struct OpenPatrol {
    /// The record that is made at its end; visits and verifications may name it already.
    pub id: RecordId,
    /// The grid.
    pub area: RecordId,
    /// When it began.
    pub started_at: Timestamp,
}

/// A patrol that was thrown away and can still be taken back.
#[uniffi::remote(Record)]
pub struct DiscardedPatrol {
    /// Which one.
    pub patrol: OpenPatrol,
    /// When it was thrown away.
    pub discarded_at: Timestamp,
}

/// A point as the platform's location provider gives it.
#[uniffi::remote(Record)]
pub struct TrackPoint {
    /// Where and when.
    pub fix: Fix,
    /// Radius of 68 % confidence in metres, if the platform gave one.
    #[uniffi(default = None)]
    pub accuracy_m: Option<f32>,
    /// Speed in metres per second as the receiver measured it, if it did.
    #[uniffi(default = None)]
    pub speed_mps: Option<f32>,
    /// Whether the platform says that an app made this point up.
    #[uniffi(default = false)]
    pub mock: bool,
}

/// Somewhere at some time.
#[uniffi::remote(Record)]
#[uniffi(name = "TrackFix")]
pub struct Fix {
    /// When.
    pub at: Timestamp,
    /// Where, in WGS-84.
    pub point: LatLon,
}

/// What the shell asks its location provider for next.
#[uniffi::remote(Record)]
pub struct NextFix {
    /// Milliseconds until the next point.
    pub interval_ms: i64,
    /// Whether the precise (satellite) provider is wanted; else the coarse one will do.
    pub precise: bool,
}

/// How patrols are recorded and measured. Data that a deployment may set otherwise.
#[uniffi::remote(Record)]
pub struct PatrolRules {
    /// How often points are wanted.
    pub sampling: Sampling,
    /// Which points are good.
    pub filter: TrackFilter,
    /// A longer pause between points is a gap, in milliseconds.
    pub gap_ms: i64,
    /// A shorter step does not count as walked, in metres.
    pub min_step_m: f64,
    /// How far the stored path may be from the recorded one, in metres.
    pub tolerance_m: f64,
    /// Who passes an outdoor point within this many metres has come by.
    pub radius_m: f64,
    /// The longest encoded track, in bytes: what the server takes.
    pub track_max_bytes: Count,
    /// Days after which a track is gone from the phone (design text 1).
    pub keep_days: i64,
}

/// The limits between which the interval moves. They are data: a deployment may set others.
///
/// The defaults follow design text 5 (a point every 5 to 30 s, a patrol takes at most 4 % of the battery an hour).
#[uniffi::remote(Record)]
pub struct Sampling {
    /// The shortest interval, in milliseconds.
    pub fastest_ms: i64,
    /// The longest interval, in milliseconds.
    pub slowest_ms: i64,
    /// How far apart two points should be, in metres.
    pub spacing_m: f64,
    /// Who is slower stands still, in metres per second.
    pub still_mps: f64,
    /// A worse accuracy, in metres, means a stairwell: asking more often costs battery and brings nothing.
    pub poor_accuracy_m: f32,
}

/// What counts as a good point.
#[uniffi::remote(Record)]
pub struct TrackFilter {
    /// Points with a worse accuracy are dropped, in metres. Points without one are kept.
    pub max_accuracy_m: f32,
    /// Nobody on patrol is faster, in metres per second.
    pub max_speed_mps: f64,
    /// Whether made-up points are kept.
    pub keep_mock: bool,
}

/// The patrol under way, as a screen shows it.
#[uniffi::remote(Record)]
pub struct PatrolNow {
    /// Which one.
    pub patrol: OpenPatrol,
    /// What it has come to so far.
    pub walk: Walk,
    /// Doors and places that were visited or verified on it. Doors count by this only, never by being near.
    pub reached: RecordSet,
    /// When the next point is wanted.
    pub next: NextFix,
}

/// A patrol, measured.
#[uniffi::remote(Record)]
pub struct Walk {
    /// The good points as a path, gaps kept.
    pub path: Path,
    /// The times of which nothing is known. They are shown, and never bridged.
    pub gaps: Vec<Gap>,
    /// Metres walked, rounded down, gaps not bridged.
    pub metres: i64,
    /// Each outdoor point, and whether the path came by.
    pub outdoor: Vec<OutdoorPair>,
    /// The share of them in whole percent; `None` where there are none.
    pub coverage_percent: Option<u8>,
    /// How many points were recorded, made-up and bad ones included.
    pub recorded: Count,
    /// Points that an app made up.
    pub mock: Count,
    /// Points left out for any other reason.
    pub dropped: Count,
}

/// A time of which nothing is known, between two stretches.
#[uniffi::remote(Record)]
#[uniffi(name = "TrackGap")]
pub struct Gap {
    /// The last fix before it.
    pub from: Fix,
    /// The first fix after it.
    pub to: Fix,
    /// Straight distance across it, in metres. Nobody knows whether it was walked.
    pub metres: f64,
}

/// A patrol that has just ended.
#[uniffi::remote(Record)]
pub struct PatrolEnded {
    /// The record.
    pub id: RecordId,
    /// What it came to.
    pub walk: Walk,
    /// The stored track; none if there was no good point.
    pub track: Option<ContentHash>,
}

/// A point outdoors that a round should come by. Doors are none: they count by a visit only, since all doors of a
/// tower share one point.
#[uniffi::remote(Record)]
pub struct OutdoorPoint {
    /// The record that is there.
    pub record: RecordId,
    /// Where.
    pub point: LatLon,
}

#[uniffi::export(async_runtime = "tokio")]
impl Device {
    /// Starts a patrol of a grid. From now on, and only now, points are recorded. Throws `Conflict`
    /// (`patrol_under_way`), `NotEnrolled`.
    pub async fn start_patrol(&self, area: RecordId) -> Result<OpenPatrol, GridwalkError> {
        self.write(async move |core| core.start_patrol(area).await).await
    }

    /// The patrol under way: asked for when the app starts, since it survives a kill.
    pub async fn open_patrol(&self) -> Result<Option<OpenPatrol>, GridwalkError> {
        self.call(async |core| core.open_patrol().await).await
    }

    /// Journals points as the platform gives them, durable when this returns; says when the next is wanted. `saving` for
    /// a weak battery. Throws `Conflict` (`no_patrol`).
    #[uniffi::method(default(rules = None))]
    pub async fn journal_points(
        &self,
        points: Vec<TrackPoint>,
        saving: bool,
        rules: Option<PatrolRules>,
    ) -> Result<NextFix, GridwalkError> {
        self.write(async move |core| core.journal_points(points, saving, rules.unwrap_or_default()).await)
            .await
    }

    /// The patrol under way, measured; none if there is none.
    #[uniffi::method(default(rules = None))]
    pub async fn patrol_now(&self, rules: Option<PatrolRules>) -> Result<Option<PatrolNow>, GridwalkError> {
        self.call(async move |core| core.patrol_now(rules.unwrap_or_default()).await).await
    }

    /// Ends the patrol; its record and its track are sent. Throws `Conflict` (`no_patrol`), `InvalidInput` (`remarks`).
    #[uniffi::method(default(rules = None))]
    pub async fn end_patrol(
        &self,
        remarks: Option<String>,
        rules: Option<PatrolRules>,
    ) -> Result<PatrolEnded, GridwalkError> {
        self.write(async move |core| core.end_patrol(remarks, rules.unwrap_or_default()).await).await
    }

    /// Throws the patrol under way away; `restore_patrol` takes it back. Returns whether there was one.
    pub async fn discard_patrol(&self) -> Result<bool, GridwalkError> {
        self.write(async |core| core.discard_patrol().await).await
    }

    /// Patrols that were thrown away and can be taken back, the last one first.
    pub async fn discarded_patrols(&self) -> Result<Vec<DiscardedPatrol>, GridwalkError> {
        self.call(async |core| core.discarded_patrols().await).await
    }

    /// Takes a patrol back that was thrown away: it is under way again, and its points are there. What was walked meanwhile is a
    /// gap. Throws `Conflict` (`patrol_under_way`), `NotFound` where it was swept or ended.
    pub async fn restore_patrol(&self, patrol: RecordId) -> Result<OpenPatrol, GridwalkError> {
        self.write(async move |core| core.restore_patrol(patrol).await).await
    }

    /// The path of a patrol, from this phone or from the server while it keeps it; none if neither has its points.
    #[uniffi::method(default(rules = None))]
    pub async fn patrol_path(
        &self,
        patrol: RecordId,
        rules: Option<PatrolRules>,
    ) -> Result<Option<Path>, GridwalkError> {
        self.call_out(async move |core| core.patrol_path(patrol, rules.unwrap_or_default()).await).await
    }

    /// The same as a GPX 1.1 file.
    #[uniffi::method(default(rules = None))]
    pub async fn patrol_gpx(
        &self,
        patrol: RecordId,
        rules: Option<PatrolRules>,
    ) -> Result<Option<String>, GridwalkError> {
        self.call_out(async move |core| core.patrol_gpx(patrol, rules.unwrap_or_default()).await).await
    }

    /// The outdoor points of a grid.
    pub async fn outdoor_points(&self, area: RecordId) -> Result<Vec<OutdoorPoint>, GridwalkError> {
        self.call(async move |core| core.with_store(move |store, _| store.outdoor_points(area)).await).await
    }
}
