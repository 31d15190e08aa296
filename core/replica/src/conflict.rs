//! Where authors disagree: fields with several values that nobody has replaced.
//!
//! Automerge picks a winner for every reader alike; the losing value stays in the document. It is shown to the
//! worker with its author and time, and the worker's choice is simply the next edit.

use std::collections::BTreeMap;

use gridwalk_model::schema::REMOVED_KEY;
use gridwalk_model::{DeviceId, Timestamp, Value};

use crate::document::Document;

/// One of the values that stand against each other.
#[derive(Clone, Debug, PartialEq)]
pub struct Candidate {
    /// The value.
    pub value: Value,
    /// The device that wrote it; the directory of staff tells whose it is.
    pub device: DeviceId,
    /// When it was written, by that device's clock.
    pub at: Timestamp,
}

/// A field in dispute. The last candidate is the one that reads return now.
#[derive(Clone, Debug, PartialEq)]
pub struct Conflict {
    /// The root key.
    pub key: String,
    /// Two or more different values, the winner last.
    pub candidates: Vec<Candidate>,
}

/// The conflicts of a document. Equal values written by several people are not in conflict.
pub fn conflicts(document: &Document) -> Vec<Conflict> {
    let disputed = document.disputed_keys();
    if disputed.is_empty() {
        return Vec::new();
    }
    let history = document.history();
    disputed
        .into_iter()
        .filter(|key| key != REMOVED_KEY)
        .filter_map(|key| {
            let mut by_value: Vec<Candidate> = Vec::new();
            for authored in document.authored(&key) {
                // The change that holds an operation: the author's first one that reaches its counter.
                let at = history
                    .iter()
                    .filter(|c| c.actor == authored.op.actor && c.max_op >= authored.op.counter)
                    .min_by_key(|c| c.seq)
                    .map(|c| c.at)
                    .unwrap_or_default();
                let candidate = Candidate { value: authored.value, device: authored.op.actor.device(), at };
                by_value.retain(|other| other.value != candidate.value);
                by_value.push(candidate);
            }
            (by_value.len() > 1).then_some(Conflict { key, candidates: by_value })
        })
        .collect()
}

/// Whether a record was removed by one author and edited by another who had not seen the removal.
///
/// Such a record is shown again, flagged: the edit is kept, and a person decides.
pub fn edited_while_removed(document: &Document) -> bool {
    if document.get(REMOVED_KEY) != Some(Value::Flag(true)) {
        return false;
    }
    let history = document.history();
    let removals: Vec<_> = document.authored(REMOVED_KEY);
    let by_hash: BTreeMap<_, _> = history.iter().map(|change| (change.hash, change)).collect();
    let Some(removal) = removals.last().and_then(|authored| {
        history
            .iter()
            .filter(|c| c.actor == authored.op.actor && c.max_op >= authored.op.counter)
            .min_by_key(|c| c.seq)
    }) else {
        return false;
    };
    // Everything the remover had seen, and everything made by someone who had seen the removal, is settled.
    let mut seen = std::collections::BTreeSet::new();
    let mut queue = vec![removal.hash];
    while let Some(hash) = queue.pop() {
        if seen.insert(hash) {
            queue.extend(by_hash.get(&hash).into_iter().flat_map(|change| &change.deps));
        }
    }
    let mut after = std::collections::BTreeSet::from([removal.hash]);
    for change in &history {
        if change.deps.iter().any(|dep| after.contains(dep)) {
            after.insert(change.hash);
        }
    }
    history.iter().any(|change| !seen.contains(&change.hash) && !after.contains(&change.hash))
}

#[cfg(test)]
mod tests {
    use gridwalk_model::{Fields, Kind, RecordId};

    use super::*;
    use crate::actor::Actor;

    fn device(n: u8) -> DeviceId {
        DeviceId::from_bytes([n; 12])
    }

    fn write(document: &mut Document, n: u8, key: &str, value: impl Into<Value>, seconds: i64) {
        let fields = Fields::from([(key.to_owned(), value.into())]);
        document
            .edit(&fields, Actor::new(device(n), [0; 4]), Timestamp::from_millis(seconds * 1_000))
            .unwrap();
    }

    fn two_copies() -> (Document, Document) {
        let id = RecordId::from_bytes([5; 16]);
        let fields = Fields::from([("note".to_owned(), Value::from("before"))]);
        let actor = Actor::new(device(9), [0; 4]);
        let (document, _) =
            Document::create(id, Kind::Household, &fields, actor, Timestamp::default()).unwrap();
        (document.clone(), document)
    }

    fn met(mut a: Document, mut b: Document) -> Document {
        a.merge(&mut b).unwrap();
        a
    }

    #[test]
    fn different_fields_merge_and_the_same_field_keeps_both_values_with_author_and_time() {
        let (mut a, mut b) = two_copies();
        write(&mut a, 1, "note", "from one", 10);
        write(&mut a, 1, "head", "only one", 11);
        write(&mut b, 2, "note", "from two", 20);
        let (here, there) = (met(a.clone(), b.clone()), met(b, a));
        assert_eq!(conflicts(&here), conflicts(&there), "every copy lists the same");
        let [conflict] = conflicts(&here).try_into().unwrap();
        assert_eq!(conflict.key, "note");
        assert_eq!(here.get("note").as_ref(), conflict.candidates.last().map(|c| &c.value));
        let mut seen: Vec<_> = conflict
            .candidates
            .iter()
            .map(|c| (c.value.as_text().unwrap().to_owned(), c.device, c.at.millis()))
            .collect();
        seen.sort();
        assert_eq!(
            seen,
            [("from one".to_owned(), device(1), 10_000), ("from two".to_owned(), device(2), 20_000)]
        );
    }

    #[test]
    fn equal_edits_are_no_conflict_and_any_choice_settles_one() {
        let (mut a, mut b) = two_copies();
        write(&mut a, 1, "note", "same", 10);
        write(&mut b, 2, "note", "same", 20);
        assert_eq!(conflicts(&met(a, b)), []);
        for choice in ["x", "y", "third"] {
            let (mut a, mut b) = two_copies();
            write(&mut a, 1, "note", "x", 10);
            write(&mut b, 2, "note", "y", 20);
            let mut both = met(a, b);
            write(&mut both, 1, "note", choice, 30);
            assert_eq!(conflicts(&both), []);
            assert_eq!(both.get("note"), Some(Value::from(choice)));
        }
    }

    #[test]
    fn two_first_photos_taken_at_once_both_stay() {
        let (mut a, mut b) = two_copies();
        write(&mut a, 1, "photos/a1", Value::Bytes(vec![1]), 10);
        write(&mut b, 2, "photos/b2", Value::Bytes(vec![2]), 10);
        let both = met(a, b);
        assert!(both.get("photos/a1").is_some() && both.get("photos/b2").is_some());
    }

    #[test]
    fn an_edit_that_had_not_seen_a_removal_brings_the_record_back_to_notice() {
        let (mut remover, mut editor) = two_copies();
        write(&mut remover, 1, REMOVED_KEY, true, 10);
        assert!(!edited_while_removed(&remover), "a removal alone is settled");
        let mut knowing = remover.clone();
        write(&mut editor, 2, "note", "still here", 20);
        assert!(edited_while_removed(&met(remover, editor)));
        write(&mut knowing, 2, "note", "for the record", 30);
        assert!(!edited_while_removed(&knowing), "an edit by someone who saw the removal is settled too");
    }
}
