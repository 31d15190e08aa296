//! The end of a run: the faults stop, everybody syncs until nothing moves, and the promises are checked.

use std::collections::{BTreeMap, BTreeSet};

use gridwalk_device::Event;
use gridwalk_model::{RecordId, StreamId, Value};
use gridwalk_replica::digest::Fingerprint;
use gridwalk_replica::{ChangeHash, FlatChange};

use super::World;

/// Rounds of everybody syncing after which the world must have come to rest.
const ROUNDS: usize = 60;
/// Rounds without any movement after which nothing is expected to move: repairs take several.
const QUIET: usize = 4;
/// Messages within which one synchronisation must have come to its end.
const TALK: usize = 400;

/// What a phone holds of a stream.
type Members = Vec<(RecordId, Fingerprint)>;

impl World {
    /// The faults stop. The operator, who sees the alarms, lets histories in; everybody syncs until nothing moves.
    pub(crate) fn settle(&mut self) {
        let now = self.now;
        self.note("the faults stop".to_owned());
        self.settling = true;
        for phone in &mut self.phones {
            phone.faults.clear();
        }
        if self.office.rewinds > 0 {
            self.office.open_recovery(now);
        }
        let mut quiet = 0;
        for _ in 0..ROUNDS {
            self.now = self.now.plus_millis(2 * 3_600_000);
            let before = self.state();
            for phone in 0..self.phones.len() {
                let now = self.now;
                let request = self.phones[phone].tell(Event::Sync, now);
                self.send(phone, request);
                for _ in 0..TALK {
                    self.deliver(false);
                }
                if !self.network.waiting.is_empty() {
                    return self.breach(format!("phone {phone} talks to the server without end"));
                }
            }
            quiet = if before == self.state() && self.waiting() == 0 { quiet + 1 } else { 0 };
            if quiet == QUIET {
                return;
            }
        }
        let waiting: Vec<String> = (0..self.phones.len())
            .map(|phone| {
                format!("{phone}: {:?}", self.phones[phone].store().totals().map(|t| t.changes.count))
            })
            .collect();
        self.breach(format!("the world does not come to rest; changes waiting {waiting:?}"));
    }

    /// Changes that still move. After the past was put back, a change may build on somebody else's that nobody who may
    /// bring it has any more: it stays in the outbox, and the worker sees it as held.
    fn waiting(&self) -> u64 {
        let rewound = self.office.rewinds > 0 || !self.newer.is_empty();
        self.phones
            .iter()
            .map(|phone| phone.store().totals().expect("totals"))
            .map(|totals| {
                if rewound { totals.changes.count.saturating_sub(totals.held) } else { totals.changes.count }
            })
            .sum()
    }

    /// Everything that could still move.
    fn state(&self) -> Vec<(usize, StreamId, Members)> {
        let mut out = Vec::new();
        for (n, phone) in self.phones.iter().enumerate() {
            for (stream, _) in phone.store().streams().expect("streams") {
                out.push((n, stream, phone.store().fingerprints(&stream).expect("records")));
            }
        }
        out
    }

    /// Checks the promises.
    pub(crate) fn judge(&mut self) {
        let mut breaches = Vec::new();
        for phone in 0..self.phones.len() {
            self.judge_replica(phone, &mut breaches);
            self.judge_edits(phone, &mut breaches);
        }
        self.judge_receipts(&mut breaches);
        self.judge_ledger(&mut breaches);
        self.judge_conflicts(&mut breaches);
        for breach in breaches {
            self.breach(breach);
        }
    }

    /// The phone holds exactly the streams it is granted, each exactly as the server has it. Where a copied phone and a
    /// server whose past was put back made two histories of one author, no side can be right: then the alarm must
    /// stand.
    fn judge_replica(&self, n: usize, breaches: &mut Vec<String>) {
        let phone = &self.phones[n];
        let forked = self.office.rewinds > 0 && self.phones.iter().any(|phone| phone.cloned);
        if forked && phone.store().totals().expect("totals").alarms > 0 {
            return;
        }
        let granted = self.office.granted(phone.identity.device);
        let held: BTreeSet<StreamId> =
            phone.store().streams().expect("streams").into_iter().map(|(stream, _)| stream).collect();
        // A stream that is taken away is kept as long as something in it could not be sent yet.
        let waiting = self.waiting_on(n);
        let as_granted = if waiting.is_empty() { held == granted } else { held.is_superset(&granted) };
        if !as_granted {
            breaches.push(format!("phone {n} holds streams {held:?}, is granted {granted:?}"));
        }
        let newer = |record: &RecordId| waiting.contains(record) && self.newer.contains(record);
        for stream in &granted {
            let mut theirs = self.office.members(stream);
            let mut ours: BTreeMap<_, _> =
                phone.store().fingerprints(stream).expect("records").into_iter().collect();
            // What the server is too old for stays on the phone, on top of what the server has.
            theirs.retain(|record, _| !newer(record));
            ours.retain(|record, _| !newer(record));
            if ours != theirs {
                let only = |a: &BTreeMap<RecordId, _>, b: &BTreeMap<RecordId, _>| -> Vec<String> {
                    a.iter().filter(|(id, f)| b.get(id) != Some(*f)).map(|(id, _)| id.to_string()).collect()
                };
                breaches.push(format!(
                    "phone {n} and server differ in {stream:?}: here {:?}, there {:?}",
                    only(&ours, &theirs),
                    only(&theirs, &ours)
                ));
            }
            for record in theirs.keys() {
                let here = phone.store().document(*record).ok().flatten().map(|d| d.fields());
                let there = self.office.document(*record).map(|d| d.fields());
                if ours.contains_key(record) && here != there {
                    breaches.push(format!("phone {n} reads {record} differently"));
                }
            }
        }
    }

    /// Every value that the phone said was saved is in the server's history of the record, or is told to the worker as
    /// not accepted.
    fn judge_edits(&self, n: usize, breaches: &mut Vec<String>) {
        let phone = &self.phones[n];
        let refused: BTreeSet<(RecordId, String)> = phone
            .store()
            .refused_edits()
            .expect("refused edits")
            .into_iter()
            .map(|edit| (edit.record, edit.field))
            .collect();
        let waiting = self.waiting_on(n);
        let mut histories: BTreeMap<RecordId, Vec<(String, Option<Value>)>> = BTreeMap::new();
        for ((record, key), value) in &phone.acknowledged {
            let writes = histories.entry(*record).or_insert_with(|| self.writes_of(*record));
            // Settling for the value that wins already writes no value again.
            let arrived = writes.iter().any(|(k, v)| k == key && v.as_ref().is_none_or(|v| v == value));
            let held = self.office.rewinds > 0 && waiting.contains(record);
            let newer = waiting.contains(record) && self.newer.contains(record);
            let listed = refused.contains(&(*record, key.clone())) || held || newer;
            if !arrived && !listed {
                breaches.push(format!("phone {n} saved {key} of {record}, and it is nowhere"));
            }
        }
    }

    fn writes_of(&self, record: RecordId) -> Vec<(String, Option<Value>)> {
        let Some(document) = self.office.document(record) else { return Vec::new() };
        document
            .changes_since(&[])
            .iter()
            .filter_map(|change| FlatChange::read(&change.raw).ok())
            .flat_map(|change| change.writes)
            .map(|write| (write.key, write.value))
            .collect()
    }

    /// Every change that the server ever said it had taken is in its records, or in a quarantine.
    fn judge_receipts(&self, breaches: &mut Vec<String>) {
        let mut held: BTreeSet<ChangeHash> = BTreeSet::new();
        self.office
            .store()
            .view(|tx| {
                for kind in gridwalk_model::Kind::ALL {
                    for head in tx.records_of_kind(kind.tag(), None, u32::MAX)? {
                        let snapshot = tx.snapshot(head.no)?;
                        if let Ok(document) = gridwalk_replica::Document::load(&snapshot) {
                            held.extend(document.changes_since(&[]).into_iter().map(|change| change.hash));
                        }
                    }
                }
                Ok::<_, gridwalk_server::storage::StorageError>(())
            })
            .expect("all records");
        held.extend(self.office.quarantined());
        // What a server lost with its past and refuses now stands in the quarantine of the phone that made it.
        for phone in &self.phones {
            held.extend(phone.store().quarantined().expect("quarantine").into_iter().map(|row| row.hash));
        }
        let lost = self.office.accepted.difference(&held).count();
        if lost > 0 {
            breaches.push(format!("the server acknowledged {lost} changes that it does not have"));
        }
    }
}
