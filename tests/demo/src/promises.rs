//! What phones promised to keep: every edit that a phone acknowledged, written down outside of the phone, so that
//! at the end each can be looked for on the server.

use std::collections::BTreeMap;

use gridwalk_model::{DeviceId, RecordId, Value};

/// An edit of one field that a phone acknowledged.
#[derive(Clone, Debug, PartialEq)]
pub struct Promise {
    /// The phone.
    pub device: DeviceId,
    /// The record.
    pub record: RecordId,
    /// The root key.
    pub key: String,
    /// What was written.
    pub value: Value,
}

/// All promises of the day.
#[derive(Clone, Debug, Default)]
pub struct Promises(Vec<Promise>);

impl Promises {
    /// Writes one down. Call it after the phone's edit has returned.
    pub fn note(&mut self, promise: Promise) {
        self.0.push(promise);
    }

    /// Takes over promises noted elsewhere.
    pub fn extend(&mut self, promises: impl IntoIterator<Item = Promise>) {
        self.0.extend(promises);
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Those that are kept nowhere. `writes` answers with every write that the server's copy of a record holds,
    /// overwritten ones included.
    ///
    /// # Errors
    /// What `writes` fails with.
    pub fn broken<E>(
        &self,
        mut writes: impl FnMut(RecordId) -> Result<Vec<Promise>, E>,
    ) -> Result<Vec<&Promise>, E> {
        let mut by_record: BTreeMap<RecordId, Vec<&Promise>> = BTreeMap::new();
        for promise in &self.0 {
            by_record.entry(promise.record).or_default().push(promise);
        }
        let mut broken = Vec::new();
        for (record, promises) in by_record {
            let held = writes(record)?;
            broken.extend(promises.into_iter().filter(|promise| !held.contains(promise)));
        }
        Ok(broken)
    }
}

#[cfg(test)]
mod tests {
    use std::convert::Infallible;

    use super::*;

    fn promise(record: u8, value: &str) -> Promise {
        Promise {
            device: DeviceId::from_bytes([1; 12]),
            record: RecordId::from_bytes([record; 16]),
            key: "phone".into(),
            value: Value::from(value),
        }
    }

    #[test]
    fn a_missing_write_is_found_record_by_record() {
        let mut promises = Promises::default();
        promises.extend([promise(1, "a"), promise(1, "b"), promise(2, "a")]);
        let all = |record: RecordId| {
            Ok::<_, Infallible>(vec![promise(record.as_bytes()[0], "a"), promise(record.as_bytes()[0], "b")])
        };
        assert!(promises.broken(all).unwrap().is_empty());
        let fewer = |record: RecordId| Ok::<_, Infallible>(vec![promise(record.as_bytes()[0], "a")]);
        assert_eq!(promises.broken(fewer).unwrap(), [&promise(1, "b")]);
        let other_author =
            |_| Ok::<_, Infallible>(vec![Promise { device: DeviceId::from_bytes([2; 12]), ..promise(2, "a") }]);
        assert_eq!(promises.broken(other_author).unwrap().len(), 3);
    }
}
