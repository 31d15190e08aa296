//! What a call can fail with: one small enum that a screen can act on, made from the core's error in one place.
//!
//! Every variant carries a [`Problem`]: a key for programs and the sentence for people in both languages. Nothing in
//! it is personal data, so all of it may be logged.

use gridwalk_device::{DeviceError, NetError};
use gridwalk_model::{RecordId, Timestamp};
use gridwalk_replica::DocumentError;
use gridwalk_replica::protocol::ProtocolError;

mod fields;
mod keys;

pub use fields::FieldProblem;

/// What went wrong, for people and for programs.
#[derive(Clone, Debug, PartialEq, Eq, uniffi::Record)]
pub struct Problem {
    /// A stable word in lower case, such as `door.future_day`: for tests, logs, and shells with texts of their own.
    pub key: String,
    /// The sentence for the worker in Chinese.
    pub zh: String,
    /// The sentence for the worker in English.
    pub en: String,
}

impl Problem {
    fn of(error: &DeviceError) -> Self {
        Self { key: keys::of(error), zh: error.zh(), en: error.en() }
    }

    pub(crate) fn new(key: &str, zh: &str, en: &str) -> Self {
        Self { key: key.into(), zh: zh.into(), en: en.into() }
    }
}

/// Everything that a call can fail with. A failed call has changed nothing, unless its documentation says otherwise.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error, uniffi::Error)]
pub enum GridwalkError {
    /// The server cannot be reached, or cannot answer now. Nothing is lost: it is tried again by itself.
    #[error("{}", .problem.key)]
    Offline {
        /// What happened.
        problem: Problem,
        /// Seconds after which the server wants to be asked again, where it said so.
        retry_after_s: Option<u32>,
    },
    /// The server refuses this phone: its code is not valid, it was locked, or wiped.
    #[error("{}", .problem.key)]
    Unauthorized {
        /// What happened.
        problem: Problem,
    },
    /// It cannot be done as things stand now: somebody, or an earlier step, has changed them. Look again.
    #[error("{}", .problem.key)]
    Conflict {
        /// What happened.
        problem: Problem,
        /// The record at fault, where there is one.
        record: Option<RecordId>,
    },
    /// The storage of the phone (or of the server) is full. Free some and do it again.
    #[error("{}", .problem.key)]
    StorageFull {
        /// What happened.
        problem: Problem,
    },
    /// The phone's storage failed. Trying again may help.
    #[error("{}", .problem.key)]
    StorageFailed {
        /// What happened.
        problem: Problem,
        /// SQLite's extended result code, or 0.
        code: i32,
    },
    /// Something stored is damaged. The next `open` sets it aside and saves the unsent work.
    #[error("{}", .problem.key)]
    Corrupt {
        /// What happened.
        problem: Problem,
    },
    /// What was given is not valid. Each field that is at fault is named, so that a form can show it there.
    #[error("{}", .problem.key)]
    InvalidInput {
        /// What happened.
        problem: Problem,
        /// Field by field; empty where it is about the whole.
        fields: Vec<FieldProblem>,
    },
    /// There is no such record, draft or file on this phone.
    #[error("{}", .problem.key)]
    NotFound {
        /// What happened.
        problem: Problem,
    },
    /// The worker may not do this, or not here.
    #[error("{}", .problem.key)]
    NotAllowed {
        /// What happened.
        problem: Problem,
        /// The field at fault, where there is one.
        field: Option<String>,
    },
    /// A newer version of the app is needed.
    #[error("{}", .problem.key)]
    UpdateNeeded {
        /// What happened.
        problem: Problem,
    },
    /// The app is locked, or the store cannot be unlocked: a wrong PIN, or a key that does not fit.
    #[error("{}", .problem.key)]
    Locked {
        /// What happened.
        problem: Problem,
        /// When the next try is allowed, after too many wrong ones.
        until: Option<Timestamp>,
    },
    /// The phone has not been registered with a server yet.
    #[error("{}", .problem.key)]
    NotEnrolled {
        /// What happened.
        problem: Problem,
    },
    /// Something that the app provided (key store, device key, clock, capture) failed or threw.
    #[error("{}", .problem.key)]
    Platform {
        /// What happened.
        problem: Problem,
        /// What it said, for developers.
        reason: String,
    },
    /// The request was taken back.
    #[error("{}", .problem.key)]
    Cancelled {
        /// What happened.
        problem: Problem,
    },
    /// The device is paused: call `resume` first.
    #[error("{}", .problem.key)]
    Paused {
        /// What happened.
        problem: Problem,
    },
    /// The device was closed: open it again.
    #[error("{}", .problem.key)]
    Closed {
        /// What happened.
        problem: Problem,
    },
    /// Something that cannot happen did. To be reported to the developers.
    #[error("{}", .problem.key)]
    Bug {
        /// What happened.
        problem: Problem,
        /// Where, for developers.
        detail: String,
    },
}

/// What went wrong, whatever the variant.
#[uniffi::export]
pub fn problem_of(error: &GridwalkError) -> Problem {
    error.problem().clone()
}

impl GridwalkError {
    /// What went wrong, whatever the variant.
    pub const fn problem(&self) -> &Problem {
        match self {
            Self::Offline { problem, .. }
            | Self::Unauthorized { problem }
            | Self::Conflict { problem, .. }
            | Self::StorageFull { problem }
            | Self::StorageFailed { problem, .. }
            | Self::Corrupt { problem }
            | Self::InvalidInput { problem, .. }
            | Self::NotFound { problem }
            | Self::NotAllowed { problem, .. }
            | Self::UpdateNeeded { problem }
            | Self::Locked { problem, .. }
            | Self::NotEnrolled { problem }
            | Self::Platform { problem, .. }
            | Self::Cancelled { problem }
            | Self::Paused { problem }
            | Self::Closed { problem }
            | Self::Bug { problem, .. } => problem,
        }
    }

    /// An argument that cannot be read.
    pub(crate) fn bad_argument(name: &str) -> Self {
        let problem = Problem::new("bad_argument", "填写不正确", "This is not filled in correctly");
        let field = FieldProblem {
            field: name.to_owned(),
            warning: false,
            key: "unreadable".into(),
            zh: "无法识别".into(),
            en: "cannot be read".into(),
        };
        Self::InvalidInput { problem, fields: vec![field] }
    }

    pub(crate) fn paused() -> Self {
        Self::from(DeviceError::Paused)
    }

    pub(crate) fn closed() -> Self {
        Self::from(DeviceError::Closed)
    }

    pub(crate) fn bug(detail: &str) -> Self {
        let problem = Problem::new("bug", "内部错误，请联系管理员", "Internal error; tell the administrator");
        Self::Bug { problem, detail: detail.to_owned() }
    }

    pub(crate) fn platform(what: &str, reason: String) -> Self {
        let problem = Problem::new(
            &format!("platform.{what}"),
            "手机系统功能调用失败，请重试",
            "A function of the phone failed; try again",
        );
        Self::Platform { problem, reason }
    }
}

/// The one conversion from the core's error. Exhaustive: a new error of the core does not compile until it has its
/// place here.
impl From<DeviceError> for GridwalkError {
    fn from(error: DeviceError) -> Self {
        use DeviceError as E;
        let problem = Problem::of(&error);
        let fields = fields::of(&error);
        match error {
            E::StorageFull => Self::StorageFull { problem },
            E::Damaged => Self::Corrupt { problem },
            E::NewerStore { .. } | E::NeedsUpdate { .. } => Self::UpdateNeeded { problem },
            E::Locked | E::KeyMismatch => Self::Locked { problem, until: None },
            E::TooManyTries { until } => Self::Locked { problem, until: Some(until) },
            E::KeyStore { reason } => Self::Platform { problem, reason },
            E::Storage { code } => Self::StorageFailed { problem, code },
            E::File { .. } | E::Entropy | E::Injected => Self::StorageFailed { problem, code: 0 },
            E::NotEnrolled => Self::NotEnrolled { problem },
            E::UnknownRecord { .. } | E::NoBuilding | E::NoCapture | E::NoPhoto { .. } | E::NoDraft => {
                Self::NotFound { problem }
            }
            E::Invalid { .. }
            | E::Photo(_)
            | E::TooManyRegions { .. }
            | E::Voice(_)
            | E::Qr(_)
            | E::Unfinished { .. }
            | E::NoPurpose
            | E::Visit { .. } => Self::InvalidInput { problem, fields },
            E::NotAllowed { field, .. } => Self::NotAllowed { problem, field: Some(field) },
            E::NotOnSite { .. } | E::Practice => Self::NotAllowed { problem, field: None },
            E::Door(door) => fields::door(&door, problem, fields),
            E::Checklist(checklist) => fields::checklist(&checklist, problem, fields),
            E::Document(document) => of_document(&document, problem, fields),
            E::Net(net) => of_net(&net, problem),
            E::WrongKind { record, .. } => Self::Conflict { problem, record: Some(record) },
            E::AlreadyOpen
            | E::AlreadyEnrolled
            | E::PatrolUnderWay
            | E::NoPatrol
            | E::ActRefused { .. }
            | E::CannotUndo { .. }
            | E::NotInTray => Self::Conflict { problem, record: None },
            E::Wiped | E::Revoked => Self::Unauthorized { problem },
            E::Paused => Self::Paused { problem },
            E::Cancelled => Self::Cancelled { problem },
            E::Closed => Self::Closed { problem },
            E::Bug(detail) => Self::Bug { problem, detail: detail.to_owned() },
        }
    }
}

fn of_document(error: &DocumentError, problem: Problem, fields: Vec<FieldProblem>) -> GridwalkError {
    match error {
        DocumentError::Unreadable(_) | DocumentError::Identity => GridwalkError::Corrupt { problem },
        DocumentError::Full { .. } | DocumentError::Exhausted | DocumentError::Value { .. } => {
            GridwalkError::InvalidInput { problem, fields }
        }
        DocumentError::Edit(detail) => GridwalkError::Bug { problem, detail: detail.clone() },
    }
}

fn of_net(error: &NetError, problem: Problem) -> GridwalkError {
    match error {
        NetError::Offline | NetError::Stalled | NetError::Unreadable => {
            GridwalkError::Offline { problem, retry_after_s: None }
        }
        NetError::Cancelled => GridwalkError::Cancelled { problem },
        NetError::Insecure | NetError::Address => {
            let fields = vec![FieldProblem::whole("url", &problem)];
            GridwalkError::InvalidInput { problem, fields }
        }
        NetError::Server(error) => match error {
            ProtocolError::Unauthorized | ProtocolError::Revoked { .. } => {
                GridwalkError::Unauthorized { problem }
            }
            ProtocolError::CodeInvalid => GridwalkError::Unauthorized { problem },
            ProtocolError::Version { .. } => GridwalkError::UpdateNeeded { problem },
            ProtocolError::Busy { retry_after_s } => {
                GridwalkError::Offline { problem, retry_after_s: Some(*retry_after_s) }
            }
            ProtocolError::StorageFull => GridwalkError::StorageFull { problem },
            ProtocolError::Internal => GridwalkError::Offline { problem, retry_after_s: None },
            ProtocolError::Malformed { .. } | ProtocolError::TooLarge => {
                GridwalkError::Bug { problem, detail: error.to_string() }
            }
        },
    }
}

#[cfg(test)]
mod tests;
