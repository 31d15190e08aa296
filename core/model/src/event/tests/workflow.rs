//! Row by row: what the table allows and what it refuses.

use super::*;
use crate::event::{Offline, Presence, State, Supervision, legal_next, table::TABLE};
use crate::policy::Role;

#[test]
fn settling_on_the_spot_needs_category_and_photo() {
    let resolve = |category: &str, photos: Vec<RecordId>| {
        let mut log = Log::default();
        log.add(WORKER, Action::ResolveOnSpot, |entry| {
            entry.category = Some(category.into());
            entry.after_photos = photos;
        });
        log
    };
    let mut log = resolve("litter", vec![PHOTO]);
    assert_eq!(log.fold().state, State::ResolvedOnSpot);
    let mut closed = log.clone();
    closed.close(COMMUNITY);
    assert_eq!(closed.fold().state, State::Closed);
    log.because(OFFICER, Action::FailVerification);
    assert_eq!((log.fold().state, log.fold().round), (State::Reported, 2));
    for log in [resolve("gas_leak", vec![PHOTO]), resolve("litter", vec![])] {
        let folded = log.fold();
        assert_eq!(folded.state, State::Reported, "it counts as a report");
        assert!(folded.entries[0].flags.contains(&Flag::CountedAsReport));
    }
}

#[test]
fn only_the_reporter_withdraws_and_only_before_acceptance() {
    let mut log = Log::default();
    log.report("litter");
    let mut other = log.clone();
    other.add(FIXER, Action::Withdraw, |_| {});
    other.refused(Flag::NotTheReporter);
    let mut checking = log.clone();
    checking.add(FIXER, Action::StartCheck, |_| {});
    assert_eq!(checking.fold().state, State::Checking);
    checking.add(FIXER, Action::FinishCheck, |_| {});
    assert_eq!(checking.fold().state, State::Reported);
    checking.add(WORKER, Action::Withdraw, |_| {});
    assert_eq!(checking.fold().state, State::Withdrawn);
    log.accept(COMMUNITY);
    log.add(WORKER, Action::Withdraw, |_| {});
    log.refused(Flag::NotInThisState);
}

#[test]
fn a_rejection_needs_a_reason_and_a_merge_can_be_undone() {
    let mut log = Log::default();
    log.report("litter");
    let mut rejected = log.clone();
    rejected.act(Action::Reject);
    rejected.refused(Flag::NeedsReason);
    rejected.because(OFFICER, Action::Reject);
    assert_eq!(rejected.fold().state, State::Rejected);
    log.act(Action::Merge);
    log.refused(Flag::NeedsEvent);
    log.add(OFFICER, Action::Merge, |entry| entry.event = Some(OTHER_UNIT));
    assert_eq!((log.fold().state, log.fold().merged_into), (State::Merged, Some(OTHER_UNIT)));
    log.act(Action::UndoMerge);
    assert_eq!((log.fold().state, log.fold().merged_into), (State::Reported, None));
}

#[test]
fn the_lead_moves_when_the_next_level_accepts_and_every_level_closes_in_turn() {
    let mut log = Log::default();
    log.report("waste_pile");
    log.act(Action::Accept);
    log.refused(Flag::NeedsUnit);
    log.accept(COMMUNITY);
    log.send(Action::Forward, STREET);
    assert_eq!((log.fold().state, log.fold().lead_unit), (State::Forwarded, Some(COMMUNITY)));
    log.accept(OTHER_UNIT);
    log.refused(Flag::NotTheTarget);
    log.accept(STREET);
    assert_eq!((log.fold().state, log.fold().lead_unit), (State::Accepted, Some(STREET)));
    log.send(Action::Dispatch, DEPARTMENT);
    log.sign_for(DEPARTMENT);
    log.rectify(DEPARTMENT);
    log.verify();
    log.close(COMMUNITY);
    log.refused(Flag::NotTheirTurn);
    log.close(STREET);
    assert_eq!((log.fold().state, log.fold().closed_by), (State::Verified, vec![STREET]));
    log.close(COMMUNITY);
    assert_eq!(log.fold().state, State::Closed);
    assert!(log.fold().units().contains(&COMMUNITY), "whoever accepted keeps seeing it");
}

#[test]
fn the_lead_may_handle_it_itself() {
    let mut log = Log::default();
    log.report("litter");
    log.accept(COMMUNITY);
    log.add(OFFICER, Action::HandleSelf, |entry| entry.unit = Some(STREET));
    log.refused(Flag::NotTheLead);
    log.add(OFFICER, Action::HandleSelf, |entry| entry.unit = Some(COMMUNITY));
    assert_eq!((log.fold().state, log.fold().handler), (State::Handling, Some(COMMUNITY)));
}

#[test]
fn the_first_return_is_free_and_the_second_goes_to_a_binding_ruling() {
    let give_back = |log: &mut Log, unit: RecordId| {
        log.add(FIXER, Action::Return, |entry| {
            entry.unit = Some(unit);
            entry.reason = Some("不属本部门职责".into());
        });
    };
    let mut log = Log::at_work("waste_pile");
    give_back(&mut log, OTHER_UNIT);
    log.refused(Flag::NotTheHandler);
    give_back(&mut log, DEPARTMENT);
    let folded = log.fold();
    assert_eq!((folded.state, folded.lead_unit, folded.handler), (State::Accepted, Some(COMMUNITY), None));
    assert!(!folded.units().contains(&DEPARTMENT));
    log.send(Action::Dispatch, OTHER_UNIT);
    give_back(&mut log, OTHER_UNIT);
    let folded = log.fold();
    assert_eq!((folded.state, folded.ruling_needed), (State::Dispatched, true));
    assert_eq!(folded.entries.last().unwrap().flags, [Flag::RulingNeeded]);
    log.send(Action::Rule, DEPARTMENT);
    let folded = log.fold();
    assert_eq!((folded.handler, folded.ruled, folded.ruling_needed), (Some(DEPARTMENT), true, false));
    give_back(&mut log, DEPARTMENT);
    log.refused(Flag::RulingBinds);
    assert!(!legal_next(&log.fold(), Role::Handler).contains(&Action::Return));
}

#[test]
fn putting_right_needs_another_person_a_result_and_a_photo() {
    let log = Log::at_work("waste_pile");
    let attempt = |by: RecordId, fill: fn(&mut LogEntry), flag: Option<Flag>| {
        let mut log = log.clone();
        log.add(by, Action::Rectify, |entry| {
            entry.unit = Some(DEPARTMENT);
            entry.public_reply = Some("已清理".into());
            entry.after_photos = vec![PHOTO];
            fill(entry);
        });
        match flag {
            Some(flag) => log.refused(flag),
            None => assert_eq!(log.fold().state, State::Rectified),
        }
    };
    attempt(FIXER, |_| {}, None);
    attempt(WORKER, |_| {}, Some(Flag::FinderIsFixer));
    attempt(FIXER, |entry| entry.unit = Some(OTHER_UNIT), Some(Flag::NotTheHandler));
    attempt(FIXER, |entry| entry.public_reply = Some(" ".into()), Some(Flag::NeedsResult));
    attempt(FIXER, |entry| entry.after_photos.clear(), Some(Flag::NeedsAfterPhoto));
    let excused = |entry: &mut LogEntry| {
        entry.after_photos.clear();
        entry.reason = Some("地下管线无法拍摄".into());
    };
    attempt(FIXER, excused, None);
    // What may be settled on the spot may be put right by its finder.
    let mut litter = Log::at_work("litter");
    litter.add(WORKER, Action::Rectify, |entry| {
        entry.unit = Some(DEPARTMENT);
        entry.internal_note = Some("done".into());
        entry.after_photos = vec![PHOTO];
    });
    assert_eq!(litter.fold().state, State::Rectified);
}

#[test]
fn verifying_means_being_there() {
    let mut log = Log::at_work("waste_pile");
    log.rectify(DEPARTMENT);
    let attempt = |presence: Option<Presence>, metres: Option<u32>, reason: Option<&str>| {
        let mut log = log.clone();
        log.add(WORKER, Action::Verify, |entry| {
            entry.presence = presence;
            entry.distance_m = metres;
            entry.reason = reason.map(Into::into);
        });
        log
    };
    for good in [
        attempt(Some(Presence::Outdoors), Some(100), None),
        attempt(Some(Presence::DoorLabel), None, None),
        attempt(Some(Presence::SameDwelling), None, None),
        attempt(Some(Presence::Explained), None, Some("室内无信号")),
    ] {
        assert_eq!(good.fold().state, State::Verified);
        assert_eq!(good.fold().entries.last().unwrap().flags, []);
    }
    let afar = attempt(Some(Presence::Explained), Some(101), Some("定位漂移（虚构）")).fold();
    assert_eq!(
        (afar.state, afar.entries.last().unwrap().flags.as_slice()),
        (State::Verified, &[Flag::FarOff][..])
    );
    for bad in [
        attempt(None, Some(1), None),
        attempt(Some(Presence::Outdoors), Some(101), None),
        attempt(Some(Presence::Outdoors), None, None),
        attempt(Some(Presence::Explained), None, None),
        attempt(Some(Presence::Other("radar".into())), Some(1), Some("x")),
    ] {
        bad.refused(Flag::NotOnSite);
    }
    let mut own = log.clone();
    own.add(FIXER, Action::Verify, |entry| entry.presence = Some(Presence::DoorLabel));
    own.refused(Flag::FixerIsVerifier);
    log.because(WORKER, Action::FailVerification);
    assert_eq!((log.fold().state, log.fold().round), (State::Handling, 2));
}

#[test]
fn another_unit_does_not_verify_for_the_reporters() {
    let mut log = Log::default();
    log.add(WORKER, Action::Report, |entry| entry.unit = Some(COMMUNITY));
    log.accept(COMMUNITY);
    log.send(Action::Dispatch, DEPARTMENT);
    log.sign_for(DEPARTMENT);
    log.rectify(DEPARTMENT);
    log.verify();
    log.refused(Flag::NotReportersUnit);
}

#[test]
fn called_units_attend_object_and_the_lead_finishes_over_it() {
    let mut log = Log::at_work("neighbour_dispute");
    log.because(FIXER, Action::RequestJointCall);
    assert!(log.fold().joint_call_requested);
    let attend = |log: &mut Log, action: Action, unit: RecordId| {
        log.add(FIXER, action, |entry| {
            entry.unit = Some(unit);
            entry.reason = Some("现场情况不符".into());
        })
    };
    attend(&mut log, Action::Attend, OTHER_UNIT);
    log.refused(Flag::NotCalled);
    log.add(OFFICER, Action::JointCall, |entry| {
        entry.to_unit = Some(OTHER_UNIT);
        entry.until = Some(at(DAY));
    });
    attend(&mut log, Action::Attend, OTHER_UNIT);
    attend(&mut log, Action::Object, OTHER_UNIT);
    let called = log.fold().called.get(&OTHER_UNIT).cloned().unwrap();
    assert!(called.attended_at.is_some() && called.objection.is_some() && called.deadline == Some(at(DAY)));
    assert!(!log.fold().joint_call_requested && log.fold().units().contains(&OTHER_UNIT));
    log.add(OFFICER, Action::FinishJointCall, |entry| entry.unit = Some(COMMUNITY));
    let folded = log.fold();
    assert_eq!(folded.entries.last().unwrap().flags, [Flag::OverObjection]);
    assert!(folded.called.is_empty() && folded.state == State::Handling);
}

#[test]
fn escalation_and_supervision_leave_the_state_alone() {
    let mut log = Log::at_work("gas_leak");
    log.because(WORKER, Action::RequestEscalation);
    assert!(log.fold().escalation_requested);
    log.act(Action::Escalate);
    let folded = log.fold();
    assert_eq!((folded.level, folded.escalation_requested), (1, false));
    assert_eq!(folded.entries.last().unwrap().flags, [Flag::NeedsSponsor], "a major hazard");
    log.add(OFFICER, Action::Escalate, |entry| {
        entry.sponsor = Some(OFFICER);
        entry.internal_note = Some("已设围挡".into());
    });
    assert_eq!((log.fold().level, log.fold().sponsor), (2, Some(OFFICER)));
    assert_eq!(log.fold().entries.last().unwrap().flags, []);
    log.act(Action::Supervise);
    log.refused(Flag::NeedsLevel);
    log.add(OFFICER, Action::Supervise, |entry| entry.supervision = Some(Supervision::Red));
    assert_eq!((log.fold().supervision, log.fold().state), (Supervision::Red, State::Handling));
}

#[test]
fn unknown_actions_are_kept_and_change_nothing() {
    let mut log = Log::at_work("litter");
    let before = log.fold();
    log.act(Action::Other("teleport".into()));
    let mut after = log.fold();
    let judged = after.entries.pop().unwrap();
    assert_eq!(judged.flags, [Flag::UnknownAction]);
    assert_eq!(judged.action.word(), "teleport");
    assert_eq!(after, before);
    let bytes = log.entries.last().unwrap().to_bytes();
    assert_eq!(LogEntry::from_bytes(&bytes).as_ref(), Ok(log.entries.last().unwrap()));
}

#[test]
fn the_table_says_what_the_design_says_of_offline_work() {
    let offline = |action: Action| action.offline().unwrap();
    for action in
        [Action::Report, Action::ResolveOnSpot, Action::Withdraw, Action::StartCheck, Action::Rectify]
    {
        assert_eq!(offline(action), Offline::Yes);
    }
    assert_eq!(offline(Action::SignFor), Offline::IfSynced);
    assert_eq!(offline(Action::Escalate), Offline::RequestOnly);
    assert_eq!(offline(Action::JointCall), Offline::RequestOnly);
    for action in
        [Action::Accept, Action::Dispatch, Action::Return, Action::Close, Action::Rate, Action::Received]
    {
        assert!(!offline(action.clone()).device_writes());
        assert!(!action.open_to(&[Role::Gridworker, Role::GridLeader, Role::Dispatcher, Role::Handler]));
    }
    assert!(Action::Report.open_to(&[Role::Gridworker]) && !Action::Report.open_to(&[Role::Handler]));
    assert_eq!(Action::Other("x".into()).offline(), None);
    for word in Action::CODES {
        let action = Action::from_word(word);
        assert!(TABLE.iter().any(|row| row.action == action), "{word} has a row");
    }
}

#[test]
fn screens_offer_what_is_legal() {
    let mut log = Log::default();
    assert_eq!(
        legal_next(&log.fold(), Role::Gridworker),
        [Action::Report, Action::ResolveOnSpot, Action::Note]
    );
    log.report("litter");
    assert!(legal_next(&log.fold(), Role::Dispatcher).contains(&Action::Accept));
    assert!(!legal_next(&log.fold(), Role::Gridworker).contains(&Action::Accept));
    assert_eq!(legal_next(&log.fold(), Role::Auditor), []);
    let log = Log::at_work("litter");
    assert!(legal_next(&log.fold(), Role::Handler).contains(&Action::Rectify));
}
