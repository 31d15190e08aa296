//! Which changes are to blame where all checks passed and the document still cannot be stored: it is too large, or a
//! change is spelled otherwise than our editor would, so that it does not survive saving.

use std::collections::{BTreeMap, BTreeSet};

use super::{Reason, Verdict, guarded, stored};
use crate::change::FlatChange;
use crate::document::Document;

/// How often a batch is halved in search of what is to blame: enough to find the one in 64.
const MAX_HALVINGS: usize = 6;

/// A batch that could not be stored.
pub(super) struct Blame<'a> {
    /// The last good bytes.
    pub(super) current: Option<&'a [u8]>,
    /// All offered changes.
    pub(super) raws: &'a [&'a [u8]],
    /// The same, read.
    pub(super) read: &'a [Option<FlatChange>],
    /// Those that passed the checks, in the order in which they apply.
    pub(super) accepted: &'a [usize],
}

impl Blame<'_> {
    /// At least one change and its verdict.
    pub(super) fn culprits(&self) -> BTreeMap<usize, Verdict> {
        let altered = self.altered_by_saving();
        if !altered.is_empty() {
            return altered.into_iter().map(|index| (index, Verdict::Invalid(Reason::Unloadable))).collect();
        }
        let (bad, reason) = self.bad_part();
        bad.iter().map(|index| (*index, Verdict::Invalid(reason))).collect()
    }

    /// The changes that have another name after saving and loading, though what they depend on has not.
    fn altered_by_saving(&self) -> Vec<usize> {
        let reloaded = guarded(|| {
            let Some(document) = self.prefix(self.accepted.len()) else { return Ok(None) };
            Document::load_unverified(&document.save()).map(Some)
        });
        let Ok(Some(reloaded)) = reloaded else { return Vec::new() };
        let mut altered = BTreeSet::new();
        let mut first = Vec::new();
        for index in self.accepted {
            let Some(change) = self.read.get(*index).and_then(Option::as_ref) else { continue };
            if !reloaded.has(&change.hash) {
                altered.insert(change.hash);
                if !change.deps.iter().any(|dep| altered.contains(dep)) {
                    first.push(*index);
                }
            }
        }
        first
    }

    /// By halving: the first change with which the document cannot be stored any more, and why. In a large batch the
    /// search ends early, and some sound changes before that one are refused with it.
    fn bad_part(&self) -> (&[usize], Reason) {
        let refusal = |count| match self.prefix(count) {
            Some(document) => stored(document, &[]).err(),
            None => Some(Reason::Unloadable),
        };
        let (mut good, mut bad) = (0, self.accepted.len());
        let mut why = refusal(bad).unwrap_or(Reason::Unloadable);
        for _ in 0..MAX_HALVINGS {
            if bad - good <= 1 {
                break;
            }
            let middle = usize::midpoint(good, bad);
            match refusal(middle) {
                Some(reason) => (bad, why) = (middle, reason),
                None => good = middle,
            }
        }
        // Where there is no room for one there is none for those after it.
        let end = if why == Reason::DocumentFull { self.accepted.len() } else { bad };
        (self.accepted.get(good..end).unwrap_or_default(), why)
    }

    /// The document with the first `count` changes that passed the checks.
    fn prefix(&self, count: usize) -> Option<Document> {
        let first = self.accepted.iter().take(count);
        let raws: Vec<&[u8]> = first.filter_map(|index| self.raws.get(*index).copied()).collect();
        guarded(|| {
            let mut document = self.current.map_or_else(|| Ok(Document::empty()), Document::load)?;
            document.apply(&raws)?;
            Ok(document)
        })
        .ok()
    }
}
