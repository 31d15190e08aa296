//! The clock.

use super::*;
use crate::event::{SlaClass, State, Supervision};

#[test]
fn an_ordinary_case_has_a_workday_to_be_accepted_and_five_to_be_put_right() {
    let mut log = Log::default();
    log.report("waste_pile");
    let sla = log.fold().sla.unwrap();
    assert_eq!(sla.class, SlaClass::Ordinary);
    assert_eq!(sla.started_at, at(MINUTE));
    assert_eq!(sla.respond_due, Some(at(DAY + MINUTE)));
    assert_eq!((sla.due, sla.next_due()), (None, sla.respond_due));
    assert_eq!(sla.light(at(2 * DAY)), Supervision::Yellow);
    log.accept(COMMUNITY);
    let sla = log.fold().sla.unwrap();
    // Five workdays from a Tuesday end on the next Tuesday, ten on the one after.
    assert_eq!(sla.due, Some(at(7 * DAY + 2 * MINUTE)));
    assert_eq!(sla.red_at, Some(at(14 * DAY + 2 * MINUTE)));
    assert_eq!(sla.light(at(7 * DAY)), Supervision::None);
    assert_eq!(sla.light(at(8 * DAY)), Supervision::Yellow);
    assert_eq!(sla.light(at(15 * DAY)), Supervision::Red);
}

#[test]
fn an_urgent_case_runs_in_natural_hours() {
    let mut log = Log { now: 4 * DAY, ..Log::default() };
    log.report("gas_leak");
    log.accept(COMMUNITY);
    let sla = log.fold().sla.unwrap();
    assert_eq!(sla.respond_due, Some(at(4 * DAY + 31 * MINUTE)), "a Saturday");
    assert_eq!(sla.due, Some(at(4 * DAY + 2 * HOUR + 2 * MINUTE)));
    assert!(sla.missing_years.is_empty());
}

#[test]
fn suspension_stops_the_clock() {
    let mut log = Log::at_work("waste_pile");
    let due = log.fold().sla.unwrap().due.unwrap();
    log.now = DAY;
    log.because(OFFICER, Action::Suspend);
    log.refused(Flag::NeedsDate);
    log.now = DAY;
    log.add(OFFICER, Action::Suspend, |entry| {
        entry.reason = Some("等待材料".into());
        entry.until = Some(at(20 * DAY));
    });
    let folded = log.fold();
    assert_eq!((folded.state, folded.review_at), (State::Suspended, Some(at(20 * DAY))));
    assert_eq!(folded.sla.unwrap().light(at(300 * DAY)), Supervision::None);
    log.now = 8 * DAY;
    log.act(Action::Resume);
    let folded = log.fold();
    assert_eq!((folded.state, folded.review_at), (State::Handling, None));
    // One week later, Wednesday to Wednesday: the deadline moves by the same week.
    assert_eq!(folded.sla.unwrap().due, Some(due.plus_millis(7 * DAY)));
}

#[test]
fn one_extension_asked_for_before_the_deadline() {
    let ask = |log: &mut Log| {
        log.add(FIXER, Action::RequestExtension, |entry| {
            entry.unit = Some(DEPARTMENT);
            entry.reason = Some("备件未到".into());
            entry.until = Some(at(10 * DAY));
        })
    };
    let grant =
        |log: &mut Log| log.add(OFFICER, Action::GrantExtension, |entry| entry.until = Some(at(10 * DAY)));
    let mut log = Log::at_work("waste_pile");
    grant(&mut log);
    log.refused(Flag::NoRequest);
    let mut late = log.clone();
    late.now = 8 * DAY;
    ask(&mut late);
    late.refused(Flag::AfterDue);
    ask(&mut log);
    assert!(log.fold().extension_requested.is_some());
    log.now = 8 * DAY;
    grant(&mut log);
    let folded = log.fold();
    assert_eq!(folded.sla.as_ref().unwrap().due, Some(at(10 * DAY)));
    assert_eq!(folded.extension_requested, None);
    ask(&mut log);
    log.refused(Flag::NoExtensionLeft);
}

#[test]
fn putting_right_stops_the_clock_until_the_next_round() {
    let mut log = Log::at_work("waste_pile");
    log.rectify(DEPARTMENT);
    assert_eq!(log.fold().sla.unwrap().light(at(30 * DAY)), Supervision::None);
    log.because(WORKER, Action::FailVerification);
    assert_eq!(log.fold().sla.unwrap().light(at(30 * DAY)), Supervision::Red);
}

#[test]
fn another_class_means_other_deadlines() {
    let mut log = Log::at_work("waste_pile");
    log.add(OFFICER, Action::Classify, |entry| entry.urgency = Some(SlaClass::Pressing));
    let sla = log.fold().sla.unwrap();
    assert_eq!((sla.class, sla.due), (SlaClass::Pressing, Some(at(DAY + 2 * MINUTE))));
    log.add(OFFICER, Action::Classify, |entry| entry.urgency = Some(SlaClass::Other("slow".into())));
    assert_eq!(log.fold().sla.unwrap().due, None);
}
