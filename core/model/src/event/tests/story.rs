//! A case from report to look-back.

use super::*;
use crate::event::{RatingChannel, State, legal_next};
use crate::policy::Role;

#[test]
fn a_patrol_finding_runs_from_report_to_closing() {
    let mut log = Log::at_work("waste_pile");
    let folded = log.fold();
    assert_eq!(folded.state, State::Handling);
    assert_eq!((folded.lead_unit, folded.handler), (Some(COMMUNITY), Some(DEPARTMENT)));
    assert_eq!(folded.reporter, Some(WORKER));
    log.rectify(DEPARTMENT);
    log.verify();
    log.close(COMMUNITY);
    let folded = log.fold();
    assert_eq!(folded.state, State::Closed);
    assert_eq!(folded.round, 1);
    assert_eq!(folded.flagged().count(), 0, "{:?}", folded.entries);
    assert_eq!(folded.look_back_due, folded.closed_at.map(|closed| closed.plus_millis(30 * DAY)));
    assert_eq!(legal_next(&folded, Role::Gridworker), [Action::Note]);
    assert_eq!(legal_next(&folded, Role::Dispatcher), [Action::Reopen, Action::Note]);
}

#[test]
fn a_residents_case_closes_only_after_the_rating() {
    let mut log = Log::default();
    let report = log.add(OFFICER, Action::Report, |entry| {
        entry.by = None;
        entry.category = Some("noise".into());
        entry.has_appellant = Some(true);
        entry.received_at = Some(at(0));
    });
    assert_eq!(log.fold().received_at, Some(at(0)));
    assert!(
        log.fold().entries.iter().any(|judged| judged.id == report && judged.flags == [Flag::NoEvidence])
    );
    log.accept(COMMUNITY);
    log.send(Action::Dispatch, DEPARTMENT);
    log.sign_for(DEPARTMENT);
    log.rectify(DEPARTMENT);
    log.verify();
    log.close(COMMUNITY);
    log.refused(Flag::AppellantWaits);
    log.act(Action::AwaitRating);
    log.close(COMMUNITY);
    log.refused(Flag::AppellantWaits);
    let rate = |solved: bool| {
        move |entry: &mut LogEntry| {
            entry.solved = Some(solved);
            entry.channel = Some(RatingChannel::Link);
        }
    };
    log.add(OFFICER, Action::Rate, rate(false));
    log.close(COMMUNITY);
    log.refused(Flag::AppellantWaits);
    log.act(Action::Rework);
    assert_eq!((log.fold().state, log.fold().round), (State::Handling, 2));
    assert_eq!(log.fold().rating, None, "the next round is rated anew");
    log.rectify(DEPARTMENT);
    log.verify();
    log.act(Action::AwaitRating);
    log.add(OFFICER, Action::Rate, rate(true));
    log.close(COMMUNITY);
    assert_eq!(log.fold().state, State::Closed);
    log.add(OFFICER, Action::Rate, rate(false));
    let folded = log.fold();
    assert_eq!(folded.entries.last().unwrap().flags, [Flag::LateRating]);
    assert_eq!(folded.state, State::Closed);
}

#[test]
fn failed_callbacks_stand_in_for_a_rating() {
    let mut log = Log::at_work("noise");
    log.add(OFFICER, Action::Note, |entry| entry.has_appellant = Some(true));
    log.rectify(DEPARTMENT);
    log.verify();
    log.act(Action::AwaitRating);
    for _ in 0..2 {
        log.act(Action::CallbackFailed);
    }
    assert!(!legal_next(&log.fold(), Role::Dispatcher).contains(&Action::Close));
    log.act(Action::CallbackFailed);
    assert!(legal_next(&log.fold(), Role::Dispatcher).contains(&Action::Close));
    log.close(COMMUNITY);
    assert_eq!(log.fold().state, State::Closed);
}

#[test]
fn ratings_on_the_device_of_those_concerned_do_not_count() {
    let mut log = Log::at_work("noise");
    log.add(OFFICER, Action::Note, |entry| entry.has_appellant = Some(true));
    log.rectify(DEPARTMENT);
    log.verify();
    log.act(Action::AwaitRating);
    for by in [WORKER, FIXER] {
        log.add(by, Action::Rate, |entry| {
            entry.solved = Some(true);
            entry.channel = Some(RatingChannel::Device);
        });
        log.refused(Flag::RatingNotCounted);
    }
    log.add(OFFICER, Action::Rate, |entry| entry.channel = Some(RatingChannel::Paper));
    log.refused(Flag::NeedsRating);
}

#[test]
fn a_failed_look_back_opens_the_case_again() {
    let mut log = Log::at_work("waste_pile");
    log.rectify(DEPARTMENT);
    log.verify();
    log.close(COMMUNITY);
    log.now += 30 * DAY;
    log.because(OFFICER, Action::Reopen);
    let folded = log.fold();
    assert_eq!((folded.state, folded.round), (State::Reopened, 2));
    assert_eq!((folded.lead_unit, folded.closed_at), (Some(COMMUNITY), None));
    let sla = folded.sla.clone().unwrap();
    assert_eq!(sla.started_at, at(log.now - MINUTE), "the clock starts anew");
    assert!(sla.due.is_some());
    assert!(legal_next(&folded, Role::Dispatcher).contains(&Action::Dispatch));
    log.send(Action::Dispatch, DEPARTMENT);
    log.sign_for(DEPARTMENT);
    log.rectify(DEPARTMENT);
    log.verify();
    log.close(COMMUNITY);
    assert_eq!(log.fold().state, State::Closed);
    assert_eq!(log.fold().closed_by, [COMMUNITY]);
}
