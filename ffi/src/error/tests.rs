use std::collections::BTreeSet;

use gridwalk_device::work::checklists::ChecklistError;
use gridwalk_device::work::doors::DoorProblem;
use gridwalk_device::work::tray::NotUndone;
use gridwalk_evidence::{EvidenceError, QrError, VoiceError};
use gridwalk_model::event::Flag;
use gridwalk_model::event::site::Away;
use gridwalk_model::policy::Violation;
use gridwalk_model::validate::{FieldError, Reason};
use gridwalk_model::visits::VisitFault;

use super::*;

fn id() -> RecordId {
    RecordId::from_bytes([7; 16])
}

/// One of each error that the core can fail with. That none is forgotten in the conversion is the compiler's work.
fn samples() -> Vec<DeviceError> {
    use DeviceError as E;
    let kind = std::io::ErrorKind::Other;
    let invalid = FieldError { field: "name".into(), reason: Reason::Missing };
    vec![
        E::StorageFull,
        E::AlreadyOpen,
        E::Damaged,
        E::NewerStore { found: 9, known: 1 },
        E::KeyMismatch,
        E::KeyStore { reason: "made up".into() },
        E::Storage { code: 10 },
        E::File { kind },
        E::Entropy,
        E::NotEnrolled,
        E::AlreadyEnrolled,
        E::UnknownRecord { record: id() },
        E::WrongKind { record: id(), found: "visit".into() },
        E::NeedsUpdate { record: id() },
        E::Invalid { errors: vec![invalid] },
        E::NotAllowed { field: "number".into(), violation: Violation::Role },
        E::Door(DoorProblem::FutureDay),
        E::Door(DoorProblem::LaterOperation),
        E::Door(DoorProblem::NotApart),
        E::Document(DocumentError::Full { bytes: 2, max: 1 }),
        E::Document(DocumentError::Unreadable("x".into())),
        E::Net(NetError::Offline),
        E::Net(NetError::Address),
        E::Net(NetError::Server(ProtocolError::CodeInvalid)),
        E::Net(NetError::Server(ProtocolError::Busy { retry_after_s: 30 })),
        E::Net(NetError::Server(ProtocolError::Version { min: 2, max: 3 })),
        E::Photo(EvidenceError::Empty),
        E::TooManyRegions { limit: 20 },
        E::Voice(VoiceError::Unreadable),
        E::Qr(QrError::Confused),
        E::Qr(QrError::NoRoom { columns: 9, rows: 9 }),
        E::NoCapture,
        E::NoPhoto { record: id(), element: id() },
        E::NoBuilding,
        E::Checklist(ChecklistError::BadAnswer { item: "a1".into() }),
        E::Checklist(ChecklistError::Finished { inspection: id() }),
        E::PatrolUnderWay,
        E::NoPatrol,
        E::Visit { target: id(), fault: VisitFault::NextInPast },
        E::NoDraft,
        E::Unfinished { what: "category" },
        E::ActRefused { flag: Flag::UnknownAction },
        E::NotOnSite { why: Away::TooFar, distance_m: Some(800) },
        E::NotInTray,
        E::CannotUndo { why: NotUndone::ChangedSince },
        E::CannotUndo { why: NotUndone::Final },
        E::NoPurpose,
        E::Practice,
        E::TooManyTries { until: Timestamp::from_millis(5) },
        E::Locked,
        E::Paused,
        E::Revoked,
        E::Wiped,
        E::Cancelled,
        E::Closed,
        E::Injected,
        E::Bug("somewhere"),
    ]
}

#[test]
fn every_error_has_a_key_of_its_own_and_texts_in_both_languages() {
    let mut keys = BTreeSet::new();
    for error in samples() {
        let told = GridwalkError::from(error);
        let problem = told.problem();
        assert!(!problem.key.is_empty() && !problem.zh.is_empty() && !problem.en.is_empty(), "{told:?}");
        assert!(keys.insert(problem.key.clone()), "{} twice", problem.key);
        assert_eq!(told.to_string(), problem.key, "what is logged is the key");
    }
}

#[test]
fn every_public_kind_comes_of_some_error() {
    let kinds: BTreeSet<String> = samples()
        .into_iter()
        .map(|error| format!("{:?}", GridwalkError::from(error)))
        .map(|text| text.split(' ').next().unwrap_or_default().to_owned())
        .collect();
    let wanted = [
        "Bug",
        "Cancelled",
        "Closed",
        "Conflict",
        "Corrupt",
        "InvalidInput",
        "Locked",
        "NotAllowed",
        "NotEnrolled",
        "NotFound",
        "Offline",
        "Paused",
        "Platform",
        "StorageFailed",
        "StorageFull",
        "Unauthorized",
        "UpdateNeeded",
    ];
    assert_eq!(kinds.iter().map(String::as_str).collect::<Vec<_>>(), wanted);
}

#[test]
fn a_form_learns_which_field_is_at_fault() {
    let fields = |error: DeviceError| match GridwalkError::from(error) {
        GridwalkError::InvalidInput { fields, .. } => {
            fields.into_iter().map(|field| (field.field, field.key)).collect::<Vec<_>>()
        }
        other => panic!("{other:?}"),
    };
    let invalid = DeviceError::Invalid {
        errors: vec![
            FieldError { field: "name".into(), reason: Reason::Missing },
            FieldError { field: "phone".into(), reason: Reason::OddPhone },
        ],
    };
    assert_eq!(
        fields(invalid),
        [("name".to_owned(), "missing".to_owned()), ("phone".to_owned(), "odd_phone".to_owned())]
    );
    assert_eq!(fields(DoorProblem::FutureDay.into()), [("day".to_owned(), "door.future_day".to_owned())]);
    assert_eq!(
        fields(DeviceError::Unfinished { what: "category" }),
        [("category".to_owned(), "unfinished".to_owned())]
    );
    assert_eq!(fields(DeviceError::Net(NetError::Address)), [("url".to_owned(), "net.address".to_owned())]);
}

#[test]
fn what_can_be_waited_out_is_told_from_what_cannot() {
    let busy = DeviceError::Net(NetError::Server(ProtocolError::Busy { retry_after_s: 30 }));
    assert!(matches!(GridwalkError::from(busy), GridwalkError::Offline { retry_after_s: Some(30), .. }));
    let revoked = DeviceError::Net(NetError::Server(ProtocolError::Revoked { wipe: false }));
    assert!(matches!(GridwalkError::from(revoked), GridwalkError::Unauthorized { .. }));
    let tries = DeviceError::TooManyTries { until: Timestamp::from_millis(5) };
    assert!(matches!(GridwalkError::from(tries), GridwalkError::Locked { until: Some(_), .. }));
}
