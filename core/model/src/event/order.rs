//! The one order in which entries are folded, whatever the order in which they came.

use std::collections::{BTreeMap, BTreeSet};

use crate::event::{Action, LogEntry};
use crate::id::RecordId;
use crate::time::Timestamp;

/// An entry in its place.
pub(crate) struct Placed<'e> {
    pub entry: &'e LogEntry,
    /// The earlier of the author's clock and the server's receipt.
    pub at: Timestamp,
    /// When the server received it, if it did.
    pub received_at: Option<Timestamp>,
    /// Whether its parent is not in the log.
    pub orphan: bool,
    /// Whether it stands here only because its parents form a cycle.
    pub in_cycle: bool,
}

/// The entries in canonical order, and those that bear the identifier of another, different entry.
///
/// The order is topological: an entry stands behind its parent, and behind the parent of the server's receipt
/// for it, that is, behind all that the server had decided when it came in. Among what may come next, entries
/// that the server knows go first, then the earlier of author's clock and receipt, then the smaller identifier.
/// So an entry that was made offline hours ago takes its place when it arrives and changes nothing behind the
/// back of those who acted meanwhile.
pub(crate) fn canonical(entries: &[LogEntry]) -> (Vec<Placed<'_>>, Vec<&LogEntry>) {
    let (unique, doubles) = unique(entries);
    let graph = Graph::new(&unique);
    (graph.sorted(), doubles)
}

fn unique(entries: &[LogEntry]) -> (BTreeMap<RecordId, &LogEntry>, Vec<&LogEntry>) {
    let mut by_id: BTreeMap<RecordId, Vec<&LogEntry>> = BTreeMap::new();
    for entry in entries {
        by_id.entry(entry.id).or_default().push(entry);
    }
    let mut first = BTreeMap::new();
    let mut doubles = Vec::new();
    for (id, mut same) in by_id {
        if same.len() > 1 {
            same.sort_by_cached_key(|entry| entry.to_bytes());
            same.dedup();
        }
        let mut same = same.into_iter();
        first.extend(same.next().map(|entry| (id, entry)));
        doubles.extend(same);
    }
    (first, doubles)
}

/// What decides between entries that may come next.
type Rank = (bool, Timestamp, RecordId);

struct Graph<'g, 'e> {
    entries: &'g BTreeMap<RecordId, &'e LogEntry>,
    /// The receipt that counts for an entry: the earliest.
    receipts: BTreeMap<RecordId, &'e LogEntry>,
    waits_for: BTreeMap<RecordId, BTreeSet<RecordId>>,
    awaited_by: BTreeMap<RecordId, Vec<RecordId>>,
}

impl<'g, 'e> Graph<'g, 'e> {
    fn new(entries: &'g BTreeMap<RecordId, &'e LogEntry>) -> Self {
        let mut receipts: BTreeMap<RecordId, &'e LogEntry> = BTreeMap::new();
        for entry in entries.values().filter(|entry| entry.action == Action::Received) {
            let Some(of) = entry.entry.filter(|of| *of != entry.id && entries.contains_key(of)) else {
                continue;
            };
            let rank = |receipt: &LogEntry| (receipt.received_at.unwrap_or(receipt.at), receipt.id);
            let known = receipts.entry(of).or_insert(entry);
            if rank(entry) < rank(known) {
                *known = entry;
            }
        }
        let mut graph = Self { entries, receipts, waits_for: BTreeMap::new(), awaited_by: BTreeMap::new() };
        graph.link();
        graph
    }

    fn link(&mut self) {
        for (id, entry) in self.entries {
            let mut waits: BTreeSet<RecordId> = entry.parent.into_iter().collect();
            if entry.action == Action::Received {
                waits.extend(entry.entry);
            }
            let decided_before = self.receipts.get(id).and_then(|receipt| receipt.parent);
            waits.extend(decided_before.filter(|before| !self.descends(*before, *id)));
            waits.retain(|other| other != id && self.entries.contains_key(other));
            for other in &waits {
                self.awaited_by.entry(*other).or_default().push(*id);
            }
            self.waits_for.insert(*id, waits);
        }
    }

    /// Whether `from` is `ancestor` or was made after it, by parents and receipts.
    fn descends(&self, from: RecordId, ancestor: RecordId) -> bool {
        let mut seen = BTreeSet::new();
        let mut stack = vec![from];
        while let Some(id) = stack.pop() {
            if id == ancestor {
                return true;
            }
            if let Some(entry) = self.entries.get(&id).filter(|_| seen.insert(id)) {
                stack.extend(entry.parent);
                stack.extend(entry.entry.filter(|_| entry.action == Action::Received));
            }
        }
        false
    }

    fn received_at(&self, entry: &LogEntry) -> Option<Timestamp> {
        let receipt = self.receipts.get(&entry.id).map(|receipt| receipt.received_at.unwrap_or(receipt.at));
        receipt.or(entry.received_at)
    }

    fn at(&self, entry: &LogEntry) -> Timestamp {
        self.received_at(entry).map_or(entry.at, |received| received.min(entry.at))
    }

    fn rank(&self, entry: &LogEntry) -> Rank {
        let device = entry.action.offline().is_none_or(|offline| offline.device_writes());
        (device && self.received_at(entry).is_none(), self.at(entry), entry.id)
    }

    fn sorted(mut self) -> Vec<Placed<'e>> {
        let mut out = Vec::with_capacity(self.entries.len());
        let mut left: BTreeSet<Rank> = self.entries.values().map(|entry| self.rank(entry)).collect();
        let mut ready: BTreeSet<Rank> = left
            .iter()
            .copied()
            .filter(|(_, _, id)| self.waits_for.get(id).is_none_or(BTreeSet::is_empty))
            .collect();
        while let Some(first) = left.first().copied() {
            let (next, in_cycle) = match ready.pop_first() {
                Some(next) => (next, false),
                None => (self.culprit(&left).unwrap_or(first), true),
            };
            left.remove(&next);
            let id = next.2;
            for waiting in self.awaited_by.remove(&id).unwrap_or_default() {
                let Some(waits) = self.waits_for.get_mut(&waiting) else { continue };
                waits.remove(&id);
                let free = waits.is_empty();
                if let Some(entry) = self.entries.get(&waiting).filter(|_| free) {
                    let rank = self.rank(entry);
                    if left.contains(&rank) {
                        ready.insert(rank);
                    }
                }
            }
            if let Some(entry) = self.entries.get(&id).copied() {
                let orphan = entry.parent.is_some_and(|parent| !self.entries.contains_key(&parent));
                let (at, received_at) = (self.at(entry), self.received_at(entry));
                out.push(Placed { entry, at, received_at, orphan, in_cycle });
            }
        }
        out
    }

    /// The entry that gives way in a cycle: not the server's, if there is another.
    fn culprit(&self, left: &BTreeSet<Rank>) -> Option<Rank> {
        let device = |rank: &&Rank| {
            let offline = self.entries.get(&rank.2).and_then(|entry| entry.action.offline());
            offline.is_none_or(|offline| offline.device_writes())
        };
        left.iter().find(device).copied()
    }
}
