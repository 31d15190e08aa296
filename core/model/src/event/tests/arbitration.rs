//! What was made offline meets what the server decided meanwhile.

use super::*;
use crate::event::{State, Verdict};

/// Adds an entry that was made at `made` by somebody who had seen `seen`, and that the server receives now.
fn late(log: &mut Log, seen: usize, made: i64, action: Action, fill: impl FnOnce(&mut LogEntry)) -> RecordId {
    let mut entry = log.entry(WORKER, action);
    entry.parent = Some(log.entries[seen].id);
    entry.at = at(made);
    fill(&mut entry);
    // The receipt's parent is what the server had last, not the entry that it receives.
    let receipt = log.entry(OFFICER, Action::Received);
    let receipt = LogEntry::receipt(receipt.id, receipt.parent, entry.id, at(log.now));
    log.entries.push(entry.clone());
    log.push(receipt);
    entry.id
}

fn verdict(folded: &Folded, id: RecordId) -> (Verdict, Vec<Flag>) {
    let judged = folded.entries.iter().find(|judged| judged.id == id).unwrap();
    (judged.verdict, judged.flags.clone())
}

#[test]
fn an_entry_made_long_ago_does_not_undo_what_was_decided_meanwhile() {
    let mut log = Log::default();
    log.report("waste_pile");
    log.now = 2 * HOUR;
    log.accept(COMMUNITY);
    log.send(Action::Dispatch, DEPARTMENT);
    // Withdrawn offline an hour before it was accepted, but known to nobody.
    let withdraw = late(&mut log, 1, HOUR, Action::Withdraw, |_| {});
    let folded = log.fold();
    assert_eq!(folded.state, State::Dispatched);
    assert_eq!(verdict(&folded, withdraw), (Verdict::Superseded, vec![Flag::NotInThisState]));
    assert_eq!(folded.flagged().count(), 1);
}

#[test]
fn what_is_not_received_yet_stands_behind_what_the_server_knows() {
    let mut log = Log::default();
    log.report("waste_pile");
    let seen = log.entries.len();
    log.accept(COMMUNITY);
    let mut withdraw = log.entry(WORKER, Action::Withdraw);
    withdraw.parent = Some(log.entries[seen - 1].id);
    withdraw.at = at(1);
    let id = log.push(withdraw);
    let folded = log.fold();
    assert_eq!(folded.state, State::Accepted);
    assert_eq!(verdict(&folded, id).0, Verdict::Superseded);
}

#[test]
fn a_late_result_neither_reopens_nor_counts() {
    let mut log = Log::at_work("waste_pile");
    let seen = log.entries.len() - 1;
    log.rectify(DEPARTMENT);
    log.verify();
    log.close(COMMUNITY);
    let result = |entry: &mut LogEntry| {
        entry.by = Some(FIXER);
        entry.unit = Some(DEPARTMENT);
        entry.public_reply = Some("已清理".into());
        entry.after_photos = vec![PHOTO];
    };
    let late_result = late(&mut log, seen, 0, Action::Rectify, result);
    let folded = log.fold();
    assert_eq!(folded.state, State::Closed);
    assert_eq!(verdict(&folded, late_result), (Verdict::Superseded, vec![Flag::NotInThisState]));
}

#[test]
fn a_verification_of_an_earlier_round_does_not_count_for_this_one() {
    let mut log = Log::at_work("waste_pile");
    log.rectify(DEPARTMENT);
    let seen = log.entries.len() - 1;
    log.because(OFFICER, Action::FailVerification);
    log.rectify(DEPARTMENT);
    let verify = late(&mut log, seen, 10 * MINUTE, Action::Verify, |entry| {
        entry.presence = Some(crate::event::Presence::DoorLabel);
    });
    let folded = log.fold();
    assert_eq!((folded.state, folded.round), (State::Rectified, 2));
    assert_eq!(verdict(&folded, verify), (Verdict::Superseded, vec![Flag::StaleRound]));
}

#[test]
fn two_who_close_offline_in_turn_do_so_in_the_order_of_arrival() {
    let mut log = Log::default();
    log.report("waste_pile");
    let seen = log.entries.len() - 1;
    let first = late(&mut log, seen, 2 * HOUR, Action::StartCheck, |_| {});
    let second = late(&mut log, seen, HOUR, Action::StartCheck, |_| {});
    let folded = log.fold();
    assert_eq!(verdict(&folded, first).0, Verdict::Applied);
    assert_eq!(verdict(&folded, second).0, Verdict::Superseded);
}

#[test]
fn rules_use_the_earlier_of_clock_and_receipt_and_a_fast_clock_is_flagged() {
    let mut log = Log::default();
    let report = log.add(WORKER, Action::Report, |entry| {
        entry.at = at(DAY);
        entry.category = Some("litter".into());
        entry.photos = vec![PHOTO];
    });
    log.now = 5 * MINUTE;
    log.receive(report);
    let folded = log.fold();
    assert_eq!(folded.reported_at, Some(at(5 * MINUTE)));
    assert_eq!(verdict(&folded, report), (Verdict::Applied, vec![Flag::ClockAhead]));
    log.entries[0].at = at(-DAY);
    let folded = log.fold();
    assert_eq!(folded.reported_at, Some(at(-DAY)));
    assert_eq!(folded.sla.unwrap().started_at, at(5 * MINUTE), "the clock starts at the receipt");
}

#[test]
fn entries_that_name_each_other_do_not_take_the_log_with_them() {
    let mut log = Log::default();
    log.report("litter");
    let mut one = log.entry(WORKER, Action::Note);
    let mut two = log.entry(WORKER, Action::Note);
    one.parent = Some(two.id);
    two.parent = Some(one.id);
    let (one_id, two_id) = (one.id, two.id);
    let mut poisoned = log.clone();
    poisoned.entries.extend([one, two]);
    poisoned.receive(two_id);
    poisoned.receive(one_id);
    poisoned.accept(COMMUNITY);
    let folded = poisoned.fold();
    assert_eq!(folded.state, State::Accepted);
    assert!(folded.entries.iter().filter(|judged| judged.flags == [Flag::Cycle]).count() >= 1);
    assert_eq!(folded.entries.len(), poisoned.entries.len());
}

#[test]
fn two_entries_under_one_identifier_are_told_apart() {
    let mut log = Log::default();
    log.report("litter");
    let mut twin = log.entries[0].clone();
    twin.category = Some("zzz".into());
    let (mut one, mut two) = (log.clone(), log.clone());
    one.entries.insert(0, twin.clone());
    two.entries.push(twin);
    two.entries.push(log.entries[0].clone());
    assert_eq!(one.fold(), two.fold());
    assert_eq!(one.fold().entries.iter().filter(|judged| judged.flags == [Flag::DuplicateId]).count(), 1);
}

#[test]
fn an_entry_whose_parent_is_not_here_says_so() {
    let mut log = Log::default();
    log.add(WORKER, Action::Report, |entry| {
        entry.parent = Some(PHOTO);
        entry.photos = vec![PHOTO];
        entry.category = Some("litter".into());
    });
    let folded = log.fold();
    assert_eq!(folded.state, State::Reported);
    assert_eq!(folded.entries[0].flags, [Flag::MissingParent]);
}
