//! What can go wrong on the phone, with the facts in fields. No personal data stands in any message.

use gridwalk_evidence::{EvidenceError, QrError, VoiceError};
use gridwalk_model::event::Flag;
use gridwalk_model::event::site::Away;
use gridwalk_model::policy::Violation;
use gridwalk_model::validate::FieldError;
use gridwalk_model::visits::VisitFault;
use gridwalk_model::{RecordId, Timestamp};
use gridwalk_replica::DocumentError;

use crate::net::NetError;
use crate::work::checklists::ChecklistError;
use crate::work::doors::DoorProblem;
use crate::work::tray::NotUndone;

/// Everything that the phone's core can fail with.
#[derive(Debug, thiserror::Error)]
pub enum DeviceError {
    /// The phone's storage is full. Nothing of the failed step was kept; it can be done again after space returns.
    #[error("storage is full")]
    StorageFull,
    /// The store is open already, here or in another process.
    #[error("the store is already open")]
    AlreadyOpen,
    /// The store's file is damaged. The next opening sets it aside and saves the unsent work.
    #[error("the store is damaged")]
    Damaged,
    /// The store was written by a newer build.
    #[error("the store has version {found}, this build knows {known}")]
    NewerStore {
        /// Version of the file.
        found: u32,
        /// Highest version that this build knows.
        known: u32,
    },
    /// The key that the keystore returned is not the store's.
    #[error("the key does not fit the store")]
    KeyMismatch,
    /// The platform's keystore failed.
    #[error("the keystore failed: {reason}")]
    KeyStore {
        /// What it said.
        reason: String,
    },
    /// SQLite failed otherwise.
    #[error("the store failed with SQLite code {code}")]
    Storage {
        /// SQLite's extended result code; 0 where the failure is not SQLite's.
        code: i32,
    },
    /// A file outside the database could not be read or written.
    #[error("file access failed: {kind}")]
    File {
        /// What sort of failure.
        kind: std::io::ErrorKind,
    },
    /// The operating system gave no random bytes.
    #[error("no randomness")]
    Entropy,
    /// The device has not been enrolled yet.
    #[error("the device is not enrolled")]
    NotEnrolled,
    /// The device is bound to another identity already.
    #[error("the device is enrolled already")]
    AlreadyEnrolled,
    /// No such record is on this phone.
    #[error("record {record} is not here")]
    UnknownRecord {
        /// Which record was asked for.
        record: RecordId,
    },
    /// No door on this phone is in such a building.
    #[error("no such building is here")]
    NoBuilding,
    /// The record is of another kind than the one asked for.
    #[error("record {record} is of kind `{found}`")]
    WrongKind {
        /// Which record was asked for.
        record: RecordId,
        /// Its kind.
        found: String,
    },
    /// The record needs a newer build of the app.
    #[error("record {record} needs an update of the app")]
    NeedsUpdate {
        /// Which record was asked for.
        record: RecordId,
    },
    /// Fields with a reason each; nothing was written.
    #[error("{} fields are not valid", .errors.len())]
    Invalid {
        /// What is wrong, field by field.
        errors: Vec<FieldError>,
    },
    /// The worker may not write this.
    #[error("field `{field}` may not be written: {violation}")]
    NotAllowed {
        /// The root key.
        field: String,
        /// The rule.
        violation: Violation,
    },
    /// What was asked for at a door cannot be done.
    #[error(transparent)]
    Door(#[from] DoorProblem),
    /// The edit cannot be made.
    #[error(transparent)]
    Document(#[from] DocumentError),
    /// The server or the way to it failed.
    #[error(transparent)]
    Net(#[from] NetError),
    /// A file cannot be used as a photo. It stays where it was.
    #[error(transparent)]
    Photo(#[from] EvidenceError),
    /// More regions of a photo than are made unrecognisable; nothing was noted.
    #[error("at most {limit} regions of a photo can be marked")]
    TooManyRegions {
        /// How many are.
        limit: usize,
    },
    /// A file cannot be used as a voice note.
    #[error(transparent)]
    Voice(#[from] VoiceError),
    /// A frame cannot be looked at for codes, or labels cannot be drawn.
    #[error(transparent)]
    Qr(#[from] QrError),
    /// No such original waits in the journal.
    #[error("no photo waits under this number")]
    NoCapture,
    /// The record has no such photo, or its bytes are gone.
    #[error("record {record} has no photo {element}")]
    NoPhoto {
        /// The record.
        record: RecordId,
        /// The photo's name there.
        element: RecordId,
    },
    /// There is no such voice note, or its bytes are gone.
    #[error("there is no voice note {element}")]
    NoVoice {
        /// Its name in its record, or in the one that its draft will become.
        element: RecordId,
    },
    /// A step of an inspection that cannot be made.
    #[error(transparent)]
    Checklist(#[from] ChecklistError),
    /// A patrol is under way already.
    #[error("a patrol is under way already")]
    PatrolUnderWay,
    /// No patrol is under way.
    #[error("no patrol is under way")]
    NoPatrol,
    /// A visit cannot be recorded, or taken back, like this.
    #[error("visit: {}", .fault.en())]
    Visit {
        /// Whom or what it is to.
        target: RecordId,
        /// What is wrong.
        fault: VisitFault,
    },
    /// No such draft is on this phone.
    #[error("no draft has this number")]
    NoDraft,
    /// The draft was thrown away: it is not sent before it is taken back.
    #[error("the draft was thrown away")]
    DraftDiscarded,
    /// A report cannot be sent yet.
    #[error("the report lacks {what}")]
    Unfinished {
        /// The field that is missing.
        what: &'static str,
    },
    /// The act does not apply to the event as this phone knows it; nothing was written.
    #[error("the act does not apply: {}", .flag.word())]
    ActRefused {
        /// Why not.
        flag: Flag,
    },
    /// Nothing shows that the worker is on site; nothing was written.
    #[error("not shown to be on site: {}", .why.word())]
    NotOnSite {
        /// Why not.
        why: Away,
        /// Metres to the event, where both positions are known.
        distance_m: Option<u32>,
    },
    /// The tray has no such item, or the item no such way out.
    #[error("nothing in the tray to settle in this way")]
    NotInTray,
    /// A settlement cannot be taken back; nothing was written.
    #[error("cannot be undone: {}", .why.en())]
    CannotUndo {
        /// Why not.
        why: NotUndone,
    },
    /// A sensitive record is shown for a stated purpose only.
    #[error("no purpose was stated")]
    NoPurpose,
    /// The store is for practice: it cannot be registered and sends nothing.
    #[error("the store is for practice")]
    Practice,
    /// The PIN was wrong too often: it is not tried before `until`.
    #[error("too many wrong PINs")]
    TooManyTries {
        /// When the next try is allowed.
        until: Timestamp,
    },
    /// The app is locked.
    #[error("the app is locked")]
    Locked,
    /// The app is paused: nothing touches the store.
    #[error("the device is paused")]
    Paused,
    /// The deployment had everything on this phone deleted.
    #[error("the device was wiped")]
    Wiped,
    /// The deployment locked this phone: nothing is shown, and what was not sent is handed in.
    #[error("the device was locked by the deployment")]
    Revoked,
    /// The caller took the request back.
    #[error("cancelled")]
    Cancelled,
    /// The device has been closed.
    #[error("the device is closed")]
    Closed,
    /// A test made this commit fail.
    #[error("injected fault")]
    Injected,
    /// Something that cannot happen did.
    #[error("bug: {0}")]
    Bug(&'static str),
}

impl DeviceError {
    /// The error for the worker, in Chinese.
    pub fn zh(&self) -> String {
        match self {
            Self::StorageFull => "手机存储空间已满，请清理后重试".into(),
            Self::AlreadyOpen => "应用已在另一处打开".into(),
            Self::Damaged => "本机数据损坏，重新打开后将自动恢复未提交的内容".into(),
            Self::NewerStore { .. } => "本机数据来自更新的版本，请升级应用".into(),
            Self::KeyMismatch | Self::KeyStore { .. } => "无法解锁本机数据".into(),
            Self::Storage { .. } | Self::File { .. } | Self::Entropy => "手机存储出错，请重试".into(),
            Self::NotEnrolled => "本机尚未登记".into(),
            Self::AlreadyEnrolled => "本机已登记".into(),
            Self::UnknownRecord { .. } => "本机没有这条记录".into(),
            Self::NoBuilding => "本机没有这栋楼的房屋".into(),
            Self::WrongKind { .. } => "记录类型不符".into(),
            Self::NeedsUpdate { .. } => "需要升级应用才能查看这条记录".into(),
            Self::Invalid { errors } => format!("有 {} 项填写不正确", errors.len()),
            Self::NotAllowed { .. } => "该项不允许修改".into(),
            Self::Door(problem) => problem.zh(),
            Self::Document(DocumentError::Full { .. }) => "该记录内容已满".into(),
            Self::Document(_) => "修改无法保存".into(),
            Self::Net(error) => error.zh().into(),
            Self::Photo(error) => error.zh(),
            Self::TooManyRegions { limit } => format!("一张照片最多遮挡 {limit} 处"),
            Self::Voice(error) => error.zh(),
            Self::Qr(error) => error.zh(),
            Self::NoCapture | Self::NoPhoto { .. } => "找不到这张照片".into(),
            Self::NoVoice { .. } => "找不到这段录音".into(),
            Self::Checklist(error) => error.zh(),
            Self::PatrolUnderWay => "已有一次巡查正在进行".into(),
            Self::NoPatrol => "当前没有进行中的巡查".into(),
            Self::Visit { fault, .. } => fault.zh().into(),
            Self::NoDraft => "找不到这份草稿".into(),
            Self::DraftDiscarded => "这份草稿已被丢弃，请先恢复再上报".into(),
            Self::Unfinished { what: "photos" } => "请补充照片或语音，或说明没有照片的原因".into(),
            Self::Unfinished { what } => {
                format!("上报内容不完整，请先填写{}", gridwalk_model::describe::field_name("event", what).zh)
            }
            Self::ActRefused { flag } => flag.zh().into(),
            Self::NotOnSite { why, .. } => why.zh().into(),
            Self::NotInTray => "该事项已处理或不能这样处理".into(),
            Self::CannotUndo { why } => why.zh().into(),
            Self::NoPurpose => "请先说明查看目的".into(),
            Self::Practice => "练习模式不能登记，也不会提交任何内容".into(),
            Self::TooManyTries { .. } => "密码错误次数过多，请稍后再试".into(),
            Self::Locked => "应用已锁定，请先解锁".into(),
            Self::Paused => "应用已暂停".into(),
            Self::Wiped => "管理员已清除本机数据".into(),
            Self::Revoked => "本机已被管理员停用".into(),
            Self::Cancelled => "已取消".into(),
            Self::Closed => "应用正在关闭".into(),
            Self::Injected | Self::Bug(_) => "内部错误，请联系管理员".into(),
        }
    }

    /// The error for the worker, in English.
    pub fn en(&self) -> String {
        match self {
            Self::StorageFull => "The phone's storage is full; free some space and try again".into(),
            Self::AlreadyOpen => "The app is open elsewhere".into(),
            Self::Damaged => {
                "The data on this phone is damaged; unsent work is saved at the next start".into()
            }
            Self::NewerStore { .. } => "The data is from a newer version; update the app".into(),
            Self::KeyMismatch | Self::KeyStore { .. } => "The data on this phone cannot be unlocked".into(),
            Self::Storage { .. } | Self::File { .. } | Self::Entropy => {
                "The phone's storage failed; try again".into()
            }
            Self::NotEnrolled => "This phone is not registered yet".into(),
            Self::AlreadyEnrolled => "This phone is registered already".into(),
            Self::UnknownRecord { .. } => "This record is not on this phone".into(),
            Self::NoBuilding => "No door on this phone is in this building".into(),
            Self::WrongKind { .. } => "The record is of another kind".into(),
            Self::NeedsUpdate { .. } => "Update the app to see this record".into(),
            Self::Invalid { errors } => format!("{} fields are not filled in correctly", errors.len()),
            Self::NotAllowed { .. } => "This field may not be changed".into(),
            Self::Door(problem) => problem.en(),
            Self::Document(DocumentError::Full { .. }) => "This record is full".into(),
            Self::Document(_) => "The change cannot be stored".into(),
            Self::Net(error) => error.en().into(),
            Self::Photo(error) => error.to_string(),
            Self::TooManyRegions { limit } => format!("At most {limit} regions of a photo can be marked"),
            Self::Voice(error) => error.to_string(),
            Self::Qr(error) => error.en(),
            Self::NoCapture | Self::NoPhoto { .. } => "This photo is not here".into(),
            Self::NoVoice { .. } => "This recording is not here".into(),
            Self::Checklist(error) => error.en(),
            Self::PatrolUnderWay => "A patrol is under way already".into(),
            Self::NoPatrol => "No patrol is under way".into(),
            Self::Visit { fault, .. } => fault.en().into(),
            Self::NoDraft => "This draft is not here".into(),
            Self::DraftDiscarded => "This draft was thrown away: take it back before you send it".into(),
            Self::Unfinished { what: "photos" } => {
                "Add a photo or a voice note, or say why there is no photo".into()
            }
            Self::Unfinished { what } => {
                let field = gridwalk_model::describe::field_name("event", what).en;
                format!("The report is not complete: {field} is missing")
            }
            Self::ActRefused { flag } => flag.en().into(),
            Self::NotOnSite { why, .. } => why.en().into(),
            Self::NotInTray => "This is settled already, or cannot be settled in this way".into(),
            Self::CannotUndo { why } => why.en().into(),
            Self::NoPurpose => "Say what it is for first".into(),
            Self::Practice => "Practice mode cannot be registered and sends nothing".into(),
            Self::TooManyTries { .. } => "Too many wrong PINs; try again later".into(),
            Self::Locked => "The app is locked; unlock it first".into(),
            Self::Paused => "The app is paused".into(),
            Self::Wiped => "The administrator had the data on this phone deleted".into(),
            Self::Revoked => "This phone was locked by the administrator".into(),
            Self::Cancelled => "Cancelled".into(),
            Self::Closed => "The app is closing".into(),
            Self::Injected | Self::Bug(_) => "Internal error; tell the administrator".into(),
        }
    }
}

impl From<std::io::Error> for DeviceError {
    fn from(error: std::io::Error) -> Self {
        match error.kind() {
            std::io::ErrorKind::StorageFull | std::io::ErrorKind::QuotaExceeded => Self::StorageFull,
            kind => Self::File { kind },
        }
    }
}
