//! How much a phone may keep, and for how long. A deployment may set other numbers.

use gridwalk_model::time::DAY_MS;
use gridwalk_model::walk::PatrolRules;

/// A mebibyte.
const MIB: u64 = 1024 * 1024;

/// The limits. The defaults are those of the reference phone: 2 GB of memory, 300 MB of free storage.
#[derive(Clone, Debug, PartialEq)]
pub struct KeepingLimits {
    /// Bytes that the two databases may take; what can be fetched again goes first when it is more.
    pub budget_bytes: u64,
    /// How long a full photo stays after its receipt is in one of the server's backups, in milliseconds.
    pub photos_ms: i64,
    /// How long the tracks of patrols stay.
    pub patrols: PatrolRules,
    /// How long notes stay on records that have left the phone, in milliseconds: a phone whose store was damaged gets
    /// its records back within that time, and finds its drafts.
    pub departed_ms: i64,
    /// With less free space than this, nothing is fetched for convenience and photos go as soon as they may.
    pub low_free_bytes: u64,
    /// Free space that is left to text: new photos and other media have to leave so much.
    pub text_free_bytes: u64,
    /// With less charge than this, in percent, and no charger, full photos wait.
    pub low_battery: u8,
    /// With less than this, everything but records waits.
    pub empty_battery: u8,
    /// Reads of the same sensitive record for the same purpose within this time are one entry of the journal.
    pub one_read_ms: i64,
}

impl Default for KeepingLimits {
    fn default() -> Self {
        Self {
            budget_bytes: 250 * 1_000_000,
            photos_ms: 7 * DAY_MS,
            departed_ms: 7 * DAY_MS,
            patrols: PatrolRules::default(),
            low_free_bytes: 100 * MIB,
            text_free_bytes: 20 * MIB,
            low_battery: 20,
            empty_battery: 8,
            one_read_ms: 10 * 60 * 1000,
        }
    }
}
