//! Tests of the fold: stories of single events, the server's arbitration, and the algebra.

mod algebra;
mod arbitration;
mod deadlines;
mod proof;
mod story;
mod workflow;

use crate::event::{Action, EventRules, Flag, Folded, LogEntry, fold};
use crate::id::RecordId;
use crate::time::Timestamp;

pub(super) const MINUTE: i64 = 60_000;
pub(super) const HOUR: i64 = 60 * MINUTE;
pub(super) const DAY: i64 = 24 * HOUR;
/// Tuesday 2026-03-03, 09:00 in China.
pub(super) const START: i64 = 1_772_499_600_000;

pub(super) const WORKER: RecordId = RecordId::from_bytes([0xa1; 16]);
pub(super) const FIXER: RecordId = RecordId::from_bytes([0xa2; 16]);
pub(super) const OFFICER: RecordId = RecordId::from_bytes([0xa3; 16]);
pub(super) const COMMUNITY: RecordId = RecordId::from_bytes([0xb1; 16]);
pub(super) const STREET: RecordId = RecordId::from_bytes([0xb2; 16]);
pub(super) const DEPARTMENT: RecordId = RecordId::from_bytes([0xb3; 16]);
pub(super) const OTHER_UNIT: RecordId = RecordId::from_bytes([0xb4; 16]);
pub(super) const PHOTO: RecordId = RecordId::from_bytes([0xc1; 16]);

pub(super) fn at(millis: i64) -> Timestamp {
    Timestamp::from_millis(START + millis)
}

/// A log that grows entry by entry, each one seen by the next.
#[derive(Clone, Default)]
pub(super) struct Log {
    pub entries: Vec<LogEntry>,
    pub now: i64,
    next: u8,
}

impl Log {
    pub fn entry(&mut self, by: RecordId, action: Action) -> LogEntry {
        self.next += 1;
        let parent = self.entries.last().map(|entry| entry.id);
        LogEntry::new(RecordId::from_bytes([self.next; 16]), parent, at(self.now), by, action)
    }

    pub fn push(&mut self, entry: LogEntry) -> RecordId {
        let id = entry.id;
        self.entries.push(entry);
        self.now += MINUTE;
        id
    }

    pub fn add(&mut self, by: RecordId, action: Action, fill: impl FnOnce(&mut LogEntry)) -> RecordId {
        let mut entry = self.entry(by, action);
        fill(&mut entry);
        self.push(entry)
    }

    pub fn receive(&mut self, of: RecordId) -> RecordId {
        let receipt = self.entry(OFFICER, Action::Received);
        self.push(LogEntry::receipt(receipt.id, receipt.parent, of, at(self.now)))
    }

    pub fn report(&mut self, category: &str) -> RecordId {
        let id = self.add(WORKER, Action::Report, |entry| {
            entry.category = Some(category.to_owned());
            entry.photos = vec![PHOTO];
        });
        self.receive(id)
    }

    pub fn accept(&mut self, unit: RecordId) -> RecordId {
        self.add(OFFICER, Action::Accept, |entry| entry.unit = Some(unit))
    }

    pub fn send(&mut self, action: Action, to: RecordId) -> RecordId {
        self.add(OFFICER, action, |entry| entry.to_unit = Some(to))
    }

    pub fn sign_for(&mut self, unit: RecordId) -> RecordId {
        self.add(FIXER, Action::SignFor, |entry| entry.unit = Some(unit))
    }

    pub fn rectify(&mut self, unit: RecordId) -> RecordId {
        self.add(FIXER, Action::Rectify, |entry| {
            entry.unit = Some(unit);
            entry.public_reply = Some("已清理".into());
            entry.after_photos = vec![PHOTO];
        })
    }

    pub fn verify(&mut self) -> RecordId {
        self.add(WORKER, Action::Verify, |entry| {
            entry.presence = Some(crate::event::Presence::Outdoors);
            entry.distance_m = Some(12);
        })
    }

    pub fn because(&mut self, by: RecordId, action: Action) -> RecordId {
        self.add(by, action, |entry| entry.reason = Some("原因".into()))
    }

    pub fn act(&mut self, action: Action) -> RecordId {
        self.add(OFFICER, action, |_| {})
    }

    pub fn close(&mut self, unit: RecordId) -> RecordId {
        self.add(OFFICER, Action::Close, |entry| entry.unit = Some(unit))
    }

    /// Reported, accepted by the community, dispatched to the department and signed for.
    pub fn at_work(category: &str) -> Self {
        let mut log = Self::default();
        log.report(category);
        log.accept(COMMUNITY);
        log.send(Action::Dispatch, DEPARTMENT);
        log.sign_for(DEPARTMENT);
        log
    }

    pub fn fold(&self) -> Folded {
        fold(&self.entries, &EventRules::default())
    }

    /// Folds, and expects the last entry to be refused with this flag and to have changed nothing.
    pub fn refused(&self, flag: Flag) {
        let (last, before) = self.entries.split_last().unwrap();
        let mut before = fold(before, &EventRules::default());
        let mut after = self.fold();
        let judged = after.entries.iter().find(|judged| judged.id == last.id).unwrap();
        assert_eq!(
            (judged.verdict, judged.flags.as_slice()),
            (crate::event::Verdict::Superseded, &[flag][..])
        );
        before.entries.clear();
        after.entries.clear();
        assert_eq!(before, after);
    }
}
