//! What the worker is told about synchronisation.

use gridwalk_model::Timestamp;

use crate::keeping::Saving;
use crate::store::Totals;

/// From when on a clock counts as wrong, in milliseconds.
pub const SKEW_LIMIT_MS: i64 = 10 * 60 * 1000;

/// The last failure, in words that a gridworker understands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LastError {
    /// In Chinese.
    pub zh: String,
    /// In English.
    pub en: String,
    /// When it happened.
    pub at: Timestamp,
}

/// How things stand.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Status {
    /// Counts of what waits, is held, refused, in conflict.
    pub totals: Totals,
    /// Whether the network is there, as the platform says.
    pub online: bool,
    /// Whether a request or an upload is under way.
    pub busy: bool,
    /// When the server answered last.
    pub last_contact: Option<Timestamp>,
    /// The last failure; `None` once it went well again.
    pub last_error: Option<LastError>,
    /// When the next attempt is made by itself.
    pub next_attempt: Option<Timestamp>,
    /// The server's clock less this phone's, in milliseconds, where that is more than ten minutes.
    pub clock_skew_ms: Option<i64>,
    /// The deployment locked this device.
    pub locked: bool,
    /// What is put off while storage or battery is low.
    pub saving: Saving,
}

impl Status {
    /// Whether everything that was written here is with the server, photos included.
    pub const fn is_settled(&self) -> bool {
        let totals = &self.totals;
        totals.changes.count == 0
            && totals.previews.count == 0
            && totals.photos.count == 0
            && self.others_waiting() == 0
    }

    /// Whether previews of others may be fetched now: a convenience, for which nothing else has to wait.
    pub const fn may_fetch_previews(&self) -> bool {
        self.online && self.last_error.is_none() && !self.locked && !self.saving.no_fetching
    }

    /// Tracks and voice notes that wait.
    const fn others_waiting(&self) -> u64 {
        self.totals.tracks.count + self.totals.voice_notes.count
    }

    /// One sentence for the head of the screen, in Chinese.
    pub fn zh(&self) -> String {
        if self.locked {
            return "本机已被管理员停用".into();
        }
        let photos = self.totals.photos.count;
        let records = self.totals.records_waiting;
        match (records, photos) {
            (0, 0) if self.others_waiting() > 0 => {
                format!("{} 条轨迹或语音等待上传", self.others_waiting())
            }
            (0, 0) => "全部已提交".into(),
            (0, photos) => format!("{photos} 张照片等待上传"),
            (records, 0) => format!("{records} 条记录等待提交"),
            (records, photos) => format!("{records} 条记录、{photos} 张照片等待提交"),
        }
    }

    /// The same in English.
    pub fn en(&self) -> String {
        if self.locked {
            return "This phone was locked by the administrator".into();
        }
        match (self.totals.records_waiting, self.totals.photos.count) {
            (0, 0) if self.others_waiting() > 0 => {
                format!("{} tracks or voice notes wait to be sent", self.others_waiting())
            }
            (0, 0) => "Everything is sent".into(),
            (0, photos) => format!("{photos} photos wait to be sent"),
            (records, 0) => format!("{records} records wait to be sent"),
            (records, photos) => format!("{records} records and {photos} photos wait to be sent"),
        }
    }
}
