//! The record under work: a loaded document, and a row of changes on top of it that Automerge has not seen yet.
//!
//! Applying a change costs Automerge time in proportion to the whole document, however small the change is. So a row,
//! in which each change follows the one before (the usual batch: one author's edits), is checked against the document
//! below and what the row itself has written, and applied in one go. A change that does not continue the row costs an
//! application, and those are counted against an allowance.

use std::collections::BTreeMap;

use super::guarded;
use crate::change::{ChangeHash, FlatChange, OpId};
use crate::document::{ChangeFacts, Document};

/// What a new write costs, counted in operations gone through: it is applied, saved, loaded, and all that again
/// where the document cannot be stored.
const WORK_PER_WRITE: usize = 60;

/// What stands under a root key: names of writes in ascending order, the winner last.
type Standing = BTreeMap<String, Vec<OpId>>;

/// Why the work cannot go on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Stop {
    /// The allowance is used up.
    Allowance,
    /// Automerge failed on the row.
    Failed,
}

/// How the row sees the document below it.
#[derive(Debug)]
enum View {
    /// All of it.
    Top,
    /// As its first change's author did, who had seen these changes only.
    Aside(Vec<ChangeHash>),
}

/// The record under work.
pub(super) struct Working<'a> {
    document: Option<Document>,
    row: Vec<&'a [u8]>,
    view: View,
    tip: Option<ChangeHash>,
    heads: Vec<ChangeHash>,
    /// Keys that the row has written, as they stand for everybody.
    now: Standing,
    /// The same as they stand for the row's author, who may not have seen all of the document.
    seen: Standing,
    /// How many operations the document and the row hold, roughly.
    weight: usize,
    allowance: usize,
}

impl<'a> Working<'a> {
    /// `bytes` is the document's saved size; `allowance` how many operations Automerge may be made to go through.
    pub(super) fn new(document: Option<Document>, bytes: usize, allowance: usize) -> Self {
        let heads = document.as_ref().map(Document::heads).unwrap_or_default();
        Self {
            document,
            row: Vec::new(),
            view: View::Top,
            tip: None,
            heads,
            now: Standing::new(),
            seen: Standing::new(),
            // A saved operation takes four bytes and more.
            weight: bytes / 4,
            allowance,
        }
    }

    /// What is left of the allowance.
    pub(super) fn allowance(&self) -> usize {
        self.allowance
    }

    /// The facts of every change that the document holds.
    pub(super) fn history(&self) -> Vec<ChangeFacts> {
        self.document.as_ref().map(Document::history).unwrap_or_default()
    }

    /// Whether there is anything yet.
    pub(super) fn exists(&self) -> bool {
        self.document.is_some() || !self.row.is_empty()
    }

    /// Makes ready for a change, whose dependencies are all here.
    pub(super) fn make_ready_for(&mut self, change: &FlatChange) -> Result<(), Stop> {
        let deps = change.deps.as_slice();
        self.spend(WORK_PER_WRITE * change.writes.len())?;
        if self.tip.is_some_and(|tip| deps == [tip]) {
            return Ok(());
        }
        if deps == self.heads {
            if !matches!(self.view, View::Top) {
                self.view = View::Top;
                self.seen.clone_from(&self.now);
            }
            return Ok(());
        }
        self.spend(self.weight)?;
        self.apply_row()?;
        self.view = View::Aside(deps.to_vec());
        Ok(())
    }

    fn spend(&mut self, work: usize) -> Result<(), Stop> {
        self.allowance = self.allowance.checked_sub(work).ok_or(Stop::Allowance)?;
        Ok(())
    }

    /// What stands under a key for everybody.
    pub(super) fn standing_now(&self, key: &str) -> Vec<OpId> {
        match (self.now.get(key), &self.document) {
            (Some(standing), _) => standing.clone(),
            (None, Some(document)) => {
                document.authored(key).into_iter().map(|authored| authored.op).collect()
            }
            (None, None) => Vec::new(),
        }
    }

    /// What stands under a key for the author of the change that was made ready for.
    pub(super) fn standing_seen(&self, key: &str) -> Vec<OpId> {
        match (self.seen.get(key), &self.view, &self.document) {
            (Some(standing), ..) => standing.clone(),
            (None, View::Top, _) => self.standing_now(key),
            (None, View::Aside(deps), Some(document)) => {
                document.authored_at(key, deps).into_iter().map(|authored| authored.op).collect()
            }
            (None, View::Aside(_), None) => Vec::new(),
        }
    }

    /// Adds the change that was made ready for, and that has been checked.
    pub(super) fn push(&mut self, change: &FlatChange, raw: &'a [u8]) {
        for (counter, write) in (change.start_op..).zip(&change.writes) {
            let op = write.value.is_some().then_some(OpId { counter, actor: change.actor });
            let replaced = |mut standing: Vec<OpId>| {
                standing.retain(|op| !write.replaces.contains(op));
                standing.extend(op);
                standing.sort_unstable();
                standing
            };
            let (now, seen) =
                (replaced(self.standing_now(&write.key)), replaced(self.standing_seen(&write.key)));
            self.now.insert(write.key.clone(), now);
            self.seen.insert(write.key.clone(), seen);
        }
        self.heads.retain(|head| !change.deps.contains(head));
        self.heads.push(change.hash);
        self.heads.sort_unstable();
        self.tip = Some(change.hash);
        self.row.push(raw);
        self.weight += 1 + change.writes.len();
    }

    fn apply_row(&mut self) -> Result<(), Stop> {
        let row = std::mem::take(&mut self.row);
        self.tip = None;
        self.now.clear();
        self.seen.clear();
        if row.is_empty() {
            return Ok(());
        }
        // The document moves into the guard: after a panic it must not be seen again.
        let document = self.document.take();
        let applied = guarded(|| {
            let mut document = document.unwrap_or_else(Document::empty);
            document.apply(&row)?;
            Ok(document)
        });
        let document = applied.ok().filter(|document| document.heads() == self.heads).ok_or(Stop::Failed)?;
        self.document = Some(document);
        Ok(())
    }

    /// The document with everything in it.
    pub(super) fn finish(mut self) -> Result<Option<Document>, Stop> {
        self.apply_row()?;
        Ok(self.document)
    }
}
