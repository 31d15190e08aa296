//! A bounded memory of what was read from records, valid as long as the record is not written again.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::storage::records::{RecordHead, RecordNo};

/// What was read of each record, with the `rev` at which it was read.
#[derive(Debug)]
pub(super) struct Cache<T> {
    most: usize,
    kept: Mutex<HashMap<RecordNo, (u64, Arc<T>)>>,
}

impl<T> Cache<T> {
    /// Keeps at most `most` records.
    pub(super) fn new(most: usize) -> Self {
        Self { most, kept: Mutex::default() }
    }

    /// What is kept of this very version of the record, else what `read` makes of it.
    pub(super) fn get<E>(&self, head: &RecordHead, read: impl FnOnce() -> Result<T, E>) -> Result<Arc<T>, E> {
        if let Some((_, found)) = self.lock().get(&head.no).filter(|(rev, _)| *rev == head.rev) {
            return Ok(Arc::clone(found));
        }
        let read = Arc::new(read()?);
        let mut kept = self.lock();
        if kept.len() >= self.most {
            kept.clear();
        }
        kept.insert(head.no, (head.rev, Arc::clone(&read)));
        Ok(read)
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<RecordNo, (u64, Arc<T>)>> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use gridwalk_model::{RecordId, Timestamp};
    use gridwalk_replica::digest::Fingerprint;

    use super::*;

    fn head(no: i64, rev: u64) -> RecordHead {
        RecordHead {
            no: RecordNo(no),
            id: RecordId::from_bytes([0; 16]),
            kind: "event".into(),
            rev,
            seq: 0,
            tail_after: 0,
            tail_count: 0,
            fingerprint: Fingerprint::default(),
            created_at: Timestamp::default(),
            changed_at: Timestamp::default(),
        }
    }

    #[test]
    fn a_record_written_again_is_read_again_and_memory_is_bounded() {
        let cache = Cache::new(2);
        let get = |no, rev, value: u8| *cache.get::<()>(&head(no, rev), || Ok(value)).unwrap();
        assert_eq!((get(1, 1, 10), get(1, 1, 11), get(1, 2, 12)), (10, 10, 12));
        get(2, 1, 20);
        get(3, 1, 30);
        assert!(cache.lock().len() <= 2);
    }
}
