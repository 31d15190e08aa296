//! What every worker's phone made, change by change, written down from outside; and what follows from it at the end.
//!
//! The phones and the server are not asked what ought to be there: this ledger knows. Each change must be in the
//! server's record, or in a quarantine, or still be waiting; and the records must be what Automerge itself makes of the
//! changes, in whatever order they come.

use std::collections::{BTreeMap, BTreeSet};

use automerge::Automerge;
use gridwalk_model::{DeviceId, RecordId, Timestamp, Value};
use gridwalk_replica::{ChangeHash, Document, conflict};

use super::World;
use crate::seeded::Seeded;

/// Changes by record, with the phone that made each.
#[derive(Debug, Default)]
pub(crate) struct Ledger {
    made: BTreeMap<RecordId, BTreeMap<ChangeHash, (usize, Vec<u8>)>>,
}

/// A conflict as it is shown: the field, and each value with its device and time.
type Shown = Vec<(String, Vec<(Value, DeviceId, Timestamp)>)>;

impl World {
    /// Writes down what a phone has just made.
    pub(crate) fn enter_in_ledger(&mut self, phone: usize, record: RecordId) {
        let store = self.phones[phone].store();
        let (Some(identity), Ok(Some(document))) = (store.identity(), store.document(record)) else { return };
        let own: BTreeSet<ChangeHash> = document
            .history()
            .into_iter()
            .filter(|facts| facts.actor == identity.actor())
            .map(|facts| facts.hash)
            .collect();
        let entry = self.ledger.made.entry(record).or_default();
        for change in document.changes_since(&[]).into_iter().filter(|change| own.contains(&change.hash)) {
            entry.entry(change.hash).or_insert((phone, change.raw));
        }
    }

    /// Records of which a phone still has something to send. Whoever checks that nothing waits does so elsewhere.
    pub(crate) fn waiting_on(&self, phone: usize) -> BTreeSet<RecordId> {
        let unsent = self.phones[phone].store().unsent().expect("the outbox");
        unsent.into_iter().map(|(record, _)| record).collect()
    }

    /// No change vanishes without a verdict that ends it, and no record is other than the changes make it.
    pub(crate) fn judge_ledger(&self, breaches: &mut Vec<String>) {
        let mut elsewhere: BTreeSet<ChangeHash> = self.office.quarantined();
        for (n, phone) in self.phones.iter().enumerate() {
            // Nothing waits for ever but what the server is too old for, and what it lost with its own past.
            let stuck = self.waiting_on(n).difference(&self.newer).count();
            if stuck > 0 && self.office.rewinds == 0 {
                breaches.push(format!("changes of {stuck} records still wait on phone {n}"));
            }
            elsewhere.extend(phone.store().unsent().expect("the outbox").into_iter().map(|(_, hash)| hash));
            let refused = phone.store().quarantined().expect("the quarantine");
            elsewhere.extend(refused.into_iter().map(|refused| refused.hash));
        }
        let mut random = Seeded::for_subject(self.plan.seed, "oracle");
        for (record, made) in &self.ledger.made {
            let document = self.office.document(*record);
            let mut arrived = Vec::new();
            for (hash, (phone, raw)) in made {
                if document.as_ref().is_some_and(|document| document.has(hash)) {
                    arrived.push(raw.clone());
                } else if !elsewhere.contains(hash) {
                    breaches.push(format!("phone {phone} made {hash:?} of {record}, and it has vanished"));
                }
            }
            if let Some(document) = document
                && !is_what_automerge_makes(&document, arrived, &mut random)
            {
                breaches.push(format!("{record} is not what Automerge makes of its changes"));
            }
        }
    }

    /// The same conflicts are listed on every phone that holds a record, and they are those that the record has.
    pub(crate) fn judge_conflicts(&self, breaches: &mut Vec<String>) {
        let mut told: BTreeMap<RecordId, Shown> = BTreeMap::new();
        for (n, phone) in self.phones.iter().enumerate() {
            let store = phone.store();
            let waiting = self.waiting_on(n);
            let mut records = BTreeSet::new();
            for (stream, _) in store.streams().expect("streams") {
                records.extend(store.fingerprints(&stream).expect("records").into_iter().map(|(id, _)| id));
            }
            for record in records.difference(&waiting) {
                let Some(document) = self.office.document(*record) else { continue };
                let same_state = store
                    .document(*record)
                    .ok()
                    .flatten()
                    .is_some_and(|here| here.heads() == document.heads());
                if !same_state {
                    // That is judged elsewhere.
                    continue;
                }
                let right = told.entry(*record).or_insert_with(|| conflicts_of(&document));
                let listed = store.conflicts_of(*record).expect("conflicts");
                let mut shown: Shown = listed
                    .into_iter()
                    .map(|entry| {
                        let values = entry.candidates.into_iter().map(|c| (c.value, c.device, c.at));
                        (entry.field, values.collect())
                    })
                    .collect();
                shown.iter_mut().for_each(|(_, values)| values.sort_by_key(|(_, device, at)| (*device, *at)));
                shown.sort_by(|a, b| a.0.cmp(&b.0));
                if shown != *right {
                    breaches.push(format!("phone {n} lists other conflicts of {record} than there are"));
                }
            }
        }
    }
}

fn conflicts_of(document: &Document) -> Shown {
    let mut out: Shown = conflict::conflicts(document)
        .into_iter()
        .map(|conflict| {
            let values = conflict.candidates.into_iter().map(|c| (c.value, c.device, c.at));
            (conflict.key, values.collect())
        })
        .collect();
    out.iter_mut().for_each(|(_, values)| values.sort_by_key(|(_, device, at)| (*device, *at)));
    out.sort_by(|a, b| a.0.cmp(&b.0));
    out
}

/// Whether a record is what Automerge alone makes of its changes and of those that the ledger knows, shuffled.
fn is_what_automerge_makes(document: &Document, ledger: Vec<Vec<u8>>, random: &mut Seeded) -> bool {
    let mut raws: Vec<Vec<u8>> = document.changes_since(&[]).into_iter().map(|change| change.raw).collect();
    raws.extend(ledger);
    for left in (1..raws.len()).rev() {
        raws.swap(left, random.below(left + 1));
    }
    let mut oracle = Automerge::new();
    for raw in raws {
        let applied = automerge::Change::from_bytes(raw).map(|change| oracle.apply_changes([change]));
        if !matches!(applied, Ok(Ok(()))) {
            return false;
        }
    }
    Document::load(&oracle.save_nocompress())
        .is_ok_and(|oracle| oracle.heads() == document.heads() && oracle.fields() == document.fields())
}
