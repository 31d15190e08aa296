//! What phones promised to keep: every edit that a phone acknowledged, written down outside of the phone, so that
//! at the end each can be looked for on the server.

use std::collections::BTreeMap;

use gridwalk_model::{DeviceId, RecordId, Timestamp, Value};
use serde_json::json;

/// Under which every record keeps the word for its kind.
const KIND_KEY: &str = "kind";

/// Records and fields as they were written.
pub type Written = Vec<(RecordId, String, Value)>;

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

/// All promises of the day, by record; each once, however often it was written down.
#[derive(Clone, Debug, Default)]
pub struct Promises(BTreeMap<RecordId, Vec<Promise>>);

impl Promises {
    /// Writes down what a phone wrote. Call it after the phone's edit has returned.
    pub fn note(&mut self, device: DeviceId, written: Written) {
        self.note_new(device, written);
    }

    /// The same; returns what of it was not written down before.
    pub fn note_new(&mut self, device: DeviceId, written: Written) -> Written {
        let mut new = Written::new();
        for (record, key, value) in written {
            let promise = Promise { device, record, key, value };
            let noted = self.0.entry(record).or_default();
            if !noted.contains(&promise) {
                new.push((record, promise.key.clone(), promise.value.clone()));
                noted.push(promise);
            }
        }
        new
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.0.values().map(Vec::len).sum()
    }

    /// The word for the kind of a record, if a phone made it.
    pub fn kind_of(&self, record: RecordId) -> Option<&str> {
        let made = self.0.get(&record)?.iter().find(|promise| promise.key == KIND_KEY);
        made.and_then(|promise| promise.value.as_text())
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
        let mut broken = Vec::new();
        for (record, promises) in &self.0 {
            let held = writes(*record)?;
            broken.extend(promises.iter().filter(|promise| !held.contains(promise)));
        }
        Ok(broken)
    }
}

/// One act as a line of text, for a phone in a process of its own.
pub fn to_line(written: &Written) -> String {
    let items: Vec<_> = written
        .iter()
        .map(|(record, key, value)| json!([record.to_string(), key, value_to_json(value)]))
        .collect();
    json!({ "kept": items }).to_string()
}

/// Reads such a line; `None` if it is none, or was cut.
pub fn from_line(line: &str) -> Option<Written> {
    let value: serde_json::Value = serde_json::from_str(line).ok()?;
    let items = value.get("kept")?.as_array()?;
    items
        .iter()
        .map(|item| {
            let record = item.get(0)?.as_str()?.parse().ok()?;
            let key = item.get(1)?.as_str()?.to_owned();
            Some((record, key, value_from_json(item.get(2)?)?))
        })
        .collect()
}

fn value_to_json(value: &Value) -> serde_json::Value {
    match value {
        Value::Null => json!(null),
        Value::Flag(flag) => json!(flag),
        Value::Int(number) => json!(number),
        Value::Real(number) => json!({ "real": number }),
        Value::Text(text) => json!(text),
        Value::Bytes(bytes) => json!({ "bytes": bytes }),
        Value::Time(at) => json!({ "time": at.millis() }),
    }
}

fn value_from_json(json: &serde_json::Value) -> Option<Value> {
    Some(match json {
        serde_json::Value::Null => Value::Null,
        serde_json::Value::Bool(flag) => Value::Flag(*flag),
        serde_json::Value::Number(number) => Value::Int(number.as_i64()?),
        serde_json::Value::String(text) => Value::Text(text.clone()),
        serde_json::Value::Object(object) => match object.iter().next()? {
            (word, value) if word == "real" => Value::Real(value.as_f64()?),
            (word, value) if word == "time" => Value::Time(Timestamp::from_millis(value.as_i64()?)),
            (word, value) if word == "bytes" => {
                let bytes = value.as_array()?.iter().map(|byte| u8::try_from(byte.as_u64()?).ok());
                Value::Bytes(bytes.collect::<Option<_>>()?)
            }
            _ => return None,
        },
        serde_json::Value::Array(_) => return None,
    })
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
        for one in [promise(1, "a"), promise(1, "b"), promise(2, "a"), promise(1, "a")] {
            promises.note(one.device, vec![(one.record, one.key, one.value)]);
        }
        assert_eq!(promises.len(), 3, "each once");
        let all = |record: RecordId| {
            Ok::<_, Infallible>(vec![promise(record.as_bytes()[0], "a"), promise(record.as_bytes()[0], "b")])
        };
        assert!(promises.broken(all).unwrap().is_empty());
        let fewer = |record: RecordId| Ok::<_, Infallible>(vec![promise(record.as_bytes()[0], "a")]);
        assert_eq!(promises.broken(fewer).unwrap(), [&promise(1, "b")]);
        let other_author = |_| {
            Ok::<_, Infallible>(vec![Promise { device: DeviceId::from_bytes([2; 12]), ..promise(2, "a") }])
        };
        assert_eq!(promises.broken(other_author).unwrap().len(), 3);
    }

    #[test]
    fn lines_read_back_and_cut_ones_do_not() {
        let id = RecordId::from_bytes([7; 16]);
        let values = [
            Value::Null,
            Value::Flag(true),
            Value::Int(-3),
            Value::Real(2.5),
            Value::from("电话"),
            Value::from(id),
            Value::Time(Timestamp::from_millis(9)),
        ];
        let written: Written = values.into_iter().map(|value| (id, "field".to_owned(), value)).collect();
        let line = to_line(&written);
        assert_eq!(from_line(&line), Some(written));
        assert_eq!(from_line(&line[..line.len() - 2]), None);
        assert_eq!(from_line("{\"done\":true}"), None);
    }
}
