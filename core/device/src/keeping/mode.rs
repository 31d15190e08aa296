//! Low storage and low battery: what waits meanwhile. Records never wait: text is small, and it is the work.

use super::KeepingLimits;

/// What the shell knows of the phone, as the platform says it; nothing of it is measured here. What is not known
/// counts as plenty.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct PhoneState {
    /// Free bytes where the store lives.
    pub free_bytes: Option<u64>,
    /// Charge of the battery in percent.
    pub battery: Option<u8>,
    /// Whether a charger is connected.
    pub charging: bool,
}

/// What is put off.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Saving {
    /// Little storage is left.
    pub storage: bool,
    /// The battery is low.
    pub battery: bool,
    /// Full photos are not sent.
    pub photos_wait: bool,
    /// Previews, tracks and voice notes are not sent.
    pub small_media_waits: bool,
    /// Previews of others' photos are not fetched.
    pub no_fetching: bool,
}

impl Saving {
    /// Nothing is put off.
    pub const NOTHING: Self = Self {
        storage: false,
        battery: false,
        photos_wait: false,
        small_media_waits: false,
        no_fetching: false,
    };

    /// What a phone in this state puts off. With little storage photos are sent all the more: only what has arrived
    /// can be removed here.
    pub fn of(state: &PhoneState, limits: &KeepingLimits) -> Self {
        let charge = state.battery.filter(|_| !state.charging);
        let below = |limit: u8| charge.is_some_and(|charge| charge < limit);
        let storage = state.free_bytes.is_some_and(|free| free < limits.low_free_bytes);
        let battery = below(limits.low_battery);
        let empty = below(limits.empty_battery);
        Self {
            storage,
            battery,
            photos_wait: battery || empty,
            small_media_waits: empty,
            no_fetching: storage || battery || empty,
        }
    }

    /// Whether anything is put off.
    pub const fn is_on(&self) -> bool {
        self.storage || self.battery || self.photos_wait || self.small_media_waits || self.no_fetching
    }

    /// A sentence for the head of the screen, in Chinese; `None` if nothing is put off.
    pub const fn zh(&self) -> Option<&'static str> {
        match (self.storage, self.small_media_waits, self.photos_wait) {
            (true, false, false) => Some("手机存储空间不足：文字照常保存，暂不下载他人照片"),
            (false, false, true) => Some("电量较低：记录照常提交，原图等充电后上传"),
            (false, true, _) => Some("电量很低：只提交文字记录，照片等充电后上传"),
            (true, _, _) => Some("存储空间和电量都不足：只保证文字记录"),
            (false, false, false) => None,
        }
    }

    /// The same in English.
    pub const fn en(&self) -> Option<&'static str> {
        match (self.storage, self.small_media_waits, self.photos_wait) {
            (true, false, false) => Some("Storage is low: text is saved, others' photos are not fetched"),
            (false, false, true) => {
                Some("The battery is low: records are sent, full photos wait for the charger")
            }
            (false, true, _) => Some("The battery is nearly empty: only records are sent"),
            (true, _, _) => Some("Storage and battery are low: only records are safe to go on with"),
            (false, false, false) => None,
        }
    }
}
