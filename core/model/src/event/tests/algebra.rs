//! Properties that hold for any log.

use proptest::prelude::*;

use super::*;
use crate::event::table::{To, rows};
use crate::event::{Presence, RatingChannel, Verdict, legal_next};
use crate::policy::Role;
use crate::value::{Fields, Value};

/// Few identifiers, so that entries refer to each other, in cycles too.
fn any_id() -> impl Strategy<Value = RecordId> {
    (0u8..14).prop_map(|byte| RecordId::from_bytes([byte; 16]))
}

fn any_unit() -> impl Strategy<Value = Option<RecordId>> {
    proptest::option::weighted(0.9, proptest::sample::select(vec![COMMUNITY, DEPARTMENT, STREET]))
}

fn any_person() -> impl Strategy<Value = Option<RecordId>> {
    proptest::option::weighted(0.9, proptest::sample::select(vec![WORKER, FIXER, OFFICER]))
}

fn any_entry() -> impl Strategy<Value = LogEntry> {
    let who = (any_id(), proptest::option::of(any_id()), any_person(), any_unit(), any_unit());
    let what = (
        proptest::sample::select(Action::CODES),
        -DAY..20 * DAY,
        proptest::option::of(-DAY..20 * DAY),
        any::<[bool; 6]>(),
        proptest::option::of(any_id()),
        proptest::sample::select(vec!["litter", "gas_leak", "noise", "unheard_of"]),
    );
    (who, what).prop_map(|((id, parent, by, unit, to_unit), (word, made, received, say, of, category))| {
        let mut entry = LogEntry::new(id, parent, at(made), WORKER, Action::from_word(word));
        let [text, photo, there, solved, appellant, until] = say;
        entry.by = by;
        entry.unit = unit;
        entry.to_unit = to_unit;
        entry.entry = of;
        entry.event = of;
        entry.received_at = received.map(at);
        entry.category = Some(category.to_owned());
        entry.reason = text.then(|| "原因".to_owned());
        entry.public_reply = text.then(|| "答复".to_owned());
        entry.after_photos = if photo { vec![PHOTO] } else { Vec::new() };
        entry.presence = there.then_some(Presence::DoorLabel);
        entry.solved = Some(solved);
        entry.channel = Some(RatingChannel::Link);
        entry.has_appellant = Some(appellant);
        entry.until = until.then(|| at(5 * DAY));
        entry
    })
}

/// Entries that walk through the workflow rather than stumble at its door.
fn any_walk() -> impl Strategy<Value = Vec<LogEntry>> {
    let steps =
        proptest::collection::vec((any::<proptest::sample::Index>(), any_entry(), any::<u8>()), 0..40);
    steps.prop_map(|steps| {
        let rules = EventRules::default();
        let mut entries: Vec<LogEntry> = Vec::new();
        for (index, mut entry, dice) in steps {
            entry.id = RecordId::from_bytes([entries.len() as u8 + 100; 16]);
            entry.parent = entries.last().map(|last| last.id);
            entry.received_at.get_or_insert(entry.at);
            if dice % 8 == 0 {
                entry.parent = (!entries.is_empty()).then(|| entries[index.index(entries.len())].id);
            } else {
                let folded = fold(&entries, &rules);
                let mut legal: Vec<Action> = legal_next(&folded, Role::Dispatcher);
                legal.extend(legal_next(&folded, Role::Handler));
                legal.extend(legal_next(&folded, Role::Gridworker));
                legal.push(Action::AwaitRating);
                let moving = |action: &Action| {
                    rows(action).any(|row| row.to != To::Stay && row.from.contains(&folded.state))
                };
                if dice % 3 > 0 && legal.iter().any(moving) {
                    legal.retain(moving);
                }
                entry.action = index.get(&legal).clone();
                let fields = entry.action.open_to(&[Role::Gridworker]);
                entry.by = Some(if fields { WORKER } else { FIXER });
                let acting = folded.handler.or(folded.forwarded_to).or(folded.lead_unit);
                entry.unit = acting.or(entry.unit);
            }
            entries.push(entry);
        }
        entries
    })
}

fn any_log() -> impl Strategy<Value = Vec<LogEntry>> {
    prop_oneof![proptest::collection::vec(any_entry(), 0..16), any_walk()]
}

fn bare(entries: &[LogEntry]) -> Folded {
    let mut folded = fold(entries, &EventRules::default());
    folded.entries.clear();
    folded
}

proptest! {
    #[test]
    fn any_order_of_the_same_entries_gives_the_same_outcome(
        (log, shuffled) in any_log().prop_flat_map(|log| (Just(log.clone()), Just(log).prop_shuffle())),
    ) {
        let rules = EventRules::default();
        prop_assert_eq!(fold(&log, &rules), fold(&shuffled, &rules));
    }

    #[test]
    fn an_entry_handed_over_twice_counts_once(log in any_log(), again in any::<proptest::sample::Index>()) {
        let mut twice = log.clone();
        if !log.is_empty() {
            twice.push(log[again.index(log.len())].clone());
        }
        let rules = EventRules::default();
        prop_assert_eq!(fold(&log, &rules), fold(&twice, &rules));
    }

    /// Entry by entry in canonical order: after one that does not count, all is as before.
    #[test]
    fn an_entry_that_does_not_count_changes_nothing(log in any_log()) {
        let folded = fold(&log, &EventRules::default());
        let mut state = crate::event::State::Draft;
        let mut round = 1;
        for judged in &folded.entries {
            if judged.verdict == Verdict::Applied || judged.flags == [Flag::DuplicateId] {
                (state, round) = (judged.state, judged.round);
            } else {
                prop_assert_eq!((judged.state, judged.round), (state, round));
            }
        }
        prop_assert!(folded.flagged().all(|judged| judged.flags.len() == 1));
    }

    /// As a whole: without it, every fact is the same. Only for entries that no other refers to, since those
    /// that follow it take their place from it.
    #[test]
    fn leaving_out_what_does_not_count_gives_the_same_facts(log in any_log()) {
        let folded = fold(&log, &EventRules::default());
        for judged in folded.flagged().filter(|judged| judged.flags != [Flag::DuplicateId]) {
            let named = |entry: &LogEntry| entry.parent == Some(judged.id) || entry.entry == Some(judged.id);
            let doubled = log.iter().filter(|entry| entry.id == judged.id).count() > 1;
            let poisoned = folded.entries.iter().any(|judged| judged.flags == [Flag::Cycle]);
            let own = log.iter().find(|entry| entry.id == judged.id);
            let receipt = own.is_some_and(|entry| entry.action == Action::Received);
            if log.iter().any(named) || doubled || poisoned || receipt {
                continue;
            }
            let without: Vec<_> = log.iter().filter(|entry| entry.id != judged.id).cloned().collect();
            prop_assert_eq!(bare(&without), bare(&log));
        }
    }

    #[test]
    fn every_entry_is_judged_once_and_survives_encoding(log in any_log()) {
        let mut unique: Vec<_> = log.clone();
        unique.sort_by_key(|entry| entry.to_bytes());
        unique.dedup();
        prop_assert_eq!(fold(&log, &EventRules::default()).entries.len(), unique.len());
        for entry in &log {
            prop_assert_eq!(LogEntry::from_bytes(&entry.to_bytes()), Ok(entry.clone()));
        }
        let fields: Fields = unique.iter().map(|entry| (entry.key(), entry.to_value())).collect();
        let (read, unreadable) = crate::event::read_log(&fields);
        prop_assert!(unreadable.is_empty());
        prop_assert_eq!(read.len(), fields.len());
    }

    #[test]
    fn any_rules_and_bytes_are_survived(
        log in any_log(),
        bytes in proptest::collection::vec(any::<u8>(), 0..60),
        tries in any::<u32>(),
    ) {
        let rules = EventRules { callback_tries: tries, free_returns: tries, verify_distance_m: tries, ..EventRules::for_routing() };
        let folded = fold(&log, &rules);
        folded.units();
        let fields = Fields::from([(format!("log/{}", PHOTO.to_hex()), Value::Bytes(bytes))]);
        let (entries, unreadable) = crate::event::read_log(&fields);
        prop_assert_eq!(entries.len() + unreadable.len(), 1);
    }
}

/// The walks reach every state, or the properties above would prove little.
#[test]
fn walks_go_far() {
    use proptest::strategy::ValueTree;
    use proptest::test_runner::TestRunner;
    let mut runner = TestRunner::deterministic();
    let mut seen = std::collections::BTreeSet::new();
    for _ in 0..600 {
        let log = any_walk().new_tree(&mut runner).unwrap().current();
        seen.extend(fold(&log, &EventRules::default()).entries.iter().map(|judged| judged.state));
    }
    let missing: Vec<_> = crate::event::State::ALL.iter().filter(|state| !seen.contains(state)).collect();
    assert_eq!(missing, [&crate::event::State::Draft; 0], "{missing:?}");
}

/// Two thousand entries are more than a document can hold.
#[test]
fn a_long_chain_is_folded_without_recursion() {
    let mut entries: Vec<LogEntry> = Vec::new();
    for number in 0..2_000u32 {
        let mut id = [0u8; 16];
        id[..4].copy_from_slice(&number.to_be_bytes());
        let parent = entries.last().map(|entry| entry.id);
        entries.push(LogEntry::new(RecordId::from_bytes(id), parent, at(0), WORKER, Action::Note));
    }
    assert_eq!(fold(&entries, &EventRules::default()).flagged().count(), 0);
}
