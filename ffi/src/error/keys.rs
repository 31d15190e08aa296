//! The key of every error: exhaustive, so that a new error gets one.

use gridwalk_device::work::checklists::ChecklistError;
use gridwalk_device::work::doors::DoorProblem;
use gridwalk_device::work::tray::NotUndone;
use gridwalk_device::{DeviceError, NetError};
use gridwalk_evidence::{EvidenceError, QrError, VoiceError};
use gridwalk_replica::DocumentError;
use gridwalk_replica::protocol::ProtocolError;

pub(super) fn of(error: &DeviceError) -> String {
    use DeviceError as E;
    let key = match error {
        E::StorageFull => "storage_full",
        E::AlreadyOpen => "already_open",
        E::Damaged => "damaged",
        E::NewerStore { .. } => "newer_store",
        E::KeyMismatch => "key_mismatch",
        E::KeyStore { .. } => "platform.key_store",
        E::Storage { .. } => "storage",
        E::File { .. } => "file",
        E::Entropy => "entropy",
        E::NotEnrolled => "not_enrolled",
        E::AlreadyEnrolled => "already_enrolled",
        E::UnknownRecord { .. } => "unknown_record",
        E::NoBuilding => "no_building",
        E::WrongKind { .. } => "wrong_kind",
        E::NeedsUpdate { .. } => "needs_update",
        E::Invalid { .. } => "invalid",
        E::NotAllowed { .. } => "not_allowed",
        E::Door(problem) => door(problem),
        E::Document(error) => document(error),
        E::Net(error) => net(error),
        E::Photo(error) => photo(error),
        E::TooManyRegions { .. } => "too_many_regions",
        E::Voice(error) => voice(error),
        E::Qr(error) => qr(error),
        E::NoCapture => "no_capture",
        E::NoPhoto { .. } => "no_photo",
        E::Checklist(error) => checklist(error),
        E::PatrolUnderWay => "patrol_under_way",
        E::NoPatrol => "no_patrol",
        E::Visit { fault, .. } => return format!("visit.{}", fault.word()),
        E::NoDraft => "no_draft",
        E::Unfinished { .. } => "unfinished",
        E::ActRefused { flag } => return format!("event.{}", flag.word()),
        E::NotOnSite { why, .. } => return format!("site.{}", why.word()),
        E::NotInTray => "not_in_tray",
        E::CannotUndo { why: NotUndone::ChangedSince } => "not_undone.changed_since",
        E::CannotUndo { why: NotUndone::Final } => "not_undone.final",
        E::NoPurpose => "no_purpose",
        E::Practice => "practice",
        E::TooManyTries { .. } => "too_many_tries",
        E::Locked => "locked",
        E::Paused => "paused",
        E::Revoked => "revoked",
        E::Wiped => "wiped",
        E::Cancelled => "cancelled",
        E::Closed => "closed",
        E::Injected => "injected",
        E::Bug(_) => "bug",
    };
    key.to_owned()
}

const fn door(problem: &DoorProblem) -> &'static str {
    match problem {
        DoorProblem::Nobody => "door.nobody",
        DoorProblem::FutureDay => "door.future_day",
        DoorProblem::Clock => "door.clock",
        DoorProblem::LivesHereAlready { .. } => "door.lives_here_already",
        DoorProblem::NotHere { .. } => "door.not_here",
        DoorProblem::Gone { .. } => "door.gone",
        DoorProblem::NoBirthDate => "door.no_birth_date",
        DoorProblem::OtherHousehold { .. } => "door.other_household",
        DoorProblem::NobodyStays => "door.nobody_stays",
        DoorProblem::Disputed { .. } => "door.disputed",
        DoorProblem::SamePerson => "door.same_person",
        DoorProblem::DifferentNumbers => "door.different_numbers",
        DoorProblem::NotMerged { .. } => "door.not_merged",
        DoorProblem::NotApart => "door.not_apart",
        DoorProblem::TooFast(_) => "door.too_fast",
        DoorProblem::NoOperation { .. } => "door.no_operation",
        DoorProblem::ChangedSince { .. } => "door.changed_since",
        DoorProblem::UsedSince { .. } => "door.used_since",
        DoorProblem::LaterOperation => "door.later_operation",
        DoorProblem::Rules(_) => "door.rules",
    }
}

const fn checklist(error: &ChecklistError) -> &'static str {
    match error {
        ChecklistError::Finished { .. } => "checklist.finished",
        ChecklistError::NotFinished { .. } => "checklist.not_finished",
        ChecklistError::Retired { .. } => "checklist.retired",
        ChecklistError::NotAsked { .. } => "checklist.not_asked",
        ChecklistError::BadAnswer { .. } => "checklist.bad_answer",
        ChecklistError::Incomplete { .. } => "checklist.incomplete",
        ChecklistError::WrongTarget { .. } => "checklist.wrong_target",
        ChecklistError::Settled { .. } => "checklist.settled",
        ChecklistError::HadConsequences { .. } => "checklist.had_consequences",
    }
}

const fn document(error: &DocumentError) -> &'static str {
    match error {
        DocumentError::Unreadable(_) => "record.unreadable",
        DocumentError::Identity => "record.identity",
        DocumentError::Full { .. } => "record.full",
        DocumentError::Value { .. } => "record.value",
        DocumentError::Exhausted => "record.exhausted",
        DocumentError::Edit(_) => "record.edit",
    }
}

const fn net(error: &NetError) -> &'static str {
    match error {
        NetError::Offline => "net.offline",
        NetError::Stalled => "net.stalled",
        NetError::Cancelled => "cancelled",
        NetError::Unreadable => "net.unreadable",
        NetError::Insecure => "net.insecure",
        NetError::Address => "net.address",
        NetError::Server(error) => match error {
            ProtocolError::Unauthorized => "server.unauthorized",
            ProtocolError::Revoked { .. } => "server.revoked",
            ProtocolError::CodeInvalid => "server.code_invalid",
            ProtocolError::Malformed { .. } => "server.malformed",
            ProtocolError::TooLarge => "server.too_large",
            ProtocolError::Version { .. } => "server.version",
            ProtocolError::Busy { .. } => "server.busy",
            ProtocolError::StorageFull => "server.storage_full",
            ProtocolError::Internal => "server.internal",
        },
    }
}

const fn photo(error: &EvidenceError) -> &'static str {
    match error {
        EvidenceError::Empty => "photo.empty",
        EvidenceError::TooManyBytes { .. } => "photo.too_many_bytes",
        EvidenceError::Unsupported { .. } => "photo.unsupported",
        EvidenceError::TooLarge { .. } => "photo.too_large",
        EvidenceError::TooMuchMemory { .. } => "photo.too_much_memory",
        EvidenceError::TooSmall { .. } => "photo.too_small",
        EvidenceError::Damaged { .. } => "photo.damaged",
        EvidenceError::DecoderFault { .. } => "photo.decoder_fault",
        EvidenceError::OutOfMemory { .. } => "photo.out_of_memory",
        EvidenceError::Encode { .. } => "photo.encode",
        EvidenceError::PreviewTooLarge { .. } => "photo.preview_too_large",
        EvidenceError::Font { .. } => "photo.font",
        EvidenceError::NotJpeg { .. } => "photo.not_jpeg",
        EvidenceError::NotDownscaled { .. } => "photo.not_downscaled",
        EvidenceError::CarriesMetadata { .. } => "photo.carries_metadata",
        EvidenceError::TrailingBytes { .. } => "photo.trailing_bytes",
    }
}

const fn qr(error: &QrError) -> &'static str {
    match error {
        QrError::FrameSize { .. } => "qr.frame_size",
        QrError::FrameTooLarge { .. } => "qr.frame_too_large",
        QrError::Confused => "qr.confused",
        QrError::TooLong { .. } => "qr.too_long",
        QrError::NoRoom { .. } => "qr.no_room",
    }
}

const fn voice(error: &VoiceError) -> &'static str {
    match error {
        VoiceError::TooManyBytes { .. } => "voice.too_many_bytes",
        VoiceError::TooLong { .. } => "voice.too_long",
        VoiceError::Unreadable => "voice.unreadable",
    }
}
