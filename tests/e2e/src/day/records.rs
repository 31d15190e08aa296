//! Whether two phones hold the same records, though every record was given a random name.
//!
//! A record's label is a hash of its kind and its values, in which the names of other records stand as their labels:
//! begun with the kind alone and repeated until a label tells the records that it speaks of, and those that these
//! speak of. What was taken back, and fields that are empty, do not count.

use std::collections::BTreeMap;

use data_encoding::HEXLOWER;
use gridwalk_device::keeping::KeepingLimits;
use gridwalk_device::{Device, DeviceError, Store};
use gridwalk_model::checklist::Signature;
use gridwalk_model::photo::PhotoRef;
use gridwalk_model::records::{
    BaseVerification, CareTag, Checklist, Dwelling, Event, Household, Inspection, Place, RectificationOrder,
    Residency, Resident, ServiceRecord, Submission, Task, Visit,
};
use gridwalk_model::{Fields, Kind, Record, RecordId, Timestamp, Value, codec};
use sha2::{Digest, Sha256};

/// How often labels are refined: longer than any chain of links here.
const ROUNDS: usize = 5;
/// Bytes of a name.
const NAME: usize = 16;

type Names = BTreeMap<[u8; NAME], String>;

fn of_kind<T: Record>(store: &Store, out: &mut Vec<(RecordId, Kind, Fields)>) -> Result<(), DeviceError> {
    for entry in store.list::<T>(None, usize::MAX)?.entries {
        let (_, mut fields) = store.fields(entry.id)?.ok_or(DeviceError::Bug("a record that is listed"))?;
        let empty = |value: &Value| value.is_null() || *value == Value::Flag(false);
        fields.retain(|_, value| !empty(value));
        for (_, value) in fields.iter_mut().filter(|(key, _)| key.starts_with("photos/")) {
            *value = unsigned(value);
        }
        for (_, value) in fields.iter_mut().filter(|(key, _)| key.starts_with("signatures/")) {
            *value = under_nothing(value);
        }
        out.push((entry.id, T::SCHEMA.kind, fields));
    }
    Ok(())
}

/// A photo without its signature and its link in the phone's chain, which both cover random names.
fn unsigned(value: &Value) -> Value {
    let Value::Bytes(bytes) = value else { return value.clone() };
    let Ok(photo) = PhotoRef::from_bytes(bytes) else { return value.clone() };
    Value::Bytes(PhotoRef { signature: None, link: None, ..photo }.to_bytes())
}

/// A drawn signature without the hash over the answers under which it stands: these name photos by random names.
fn under_nothing(value: &Value) -> Value {
    let Value::Bytes(bytes) = value else { return value.clone() };
    let Ok(signature) = codec::from_bytes::<Signature>(bytes) else { return value.clone() };
    Value::Bytes(codec::to_bytes(&Signature { answers: None, ..signature }))
}

/// What is sensitive, read as such.
fn of_sensitive<T: Record>(
    store: &mut Store,
    now: Timestamp,
    out: &mut Vec<(RecordId, Kind, Fields)>,
) -> Result<(), DeviceError> {
    let limits = KeepingLimits::default();
    let page = store.read_sensitive_list::<T>(None, usize::MAX, "test: comparison", &limits, now)?;
    out.extend(page.entries.into_iter().map(|entry| (entry.id, T::SCHEMA.kind, entry.record.to_fields())));
    Ok(())
}

fn held(store: &mut Store, now: Timestamp) -> Result<Vec<(RecordId, Kind, Fields)>, DeviceError> {
    let mut out = Vec::new();
    of_kind::<Dwelling>(store, &mut out)?;
    of_kind::<Household>(store, &mut out)?;
    of_kind::<Resident>(store, &mut out)?;
    of_kind::<Residency>(store, &mut out)?;
    of_sensitive::<CareTag>(store, now, &mut out)?;
    of_kind::<Place>(store, &mut out)?;
    of_kind::<Checklist>(store, &mut out)?;
    of_kind::<BaseVerification>(store, &mut out)?;
    of_kind::<Inspection>(store, &mut out)?;
    of_kind::<RectificationOrder>(store, &mut out)?;
    of_kind::<Task>(store, &mut out)?;
    of_kind::<Submission>(store, &mut out)?;
    of_kind::<Event>(store, &mut out)?;
    of_kind::<Visit>(store, &mut out)?;
    of_sensitive::<ServiceRecord>(store, now, &mut out)?;
    Ok(out)
}

/// The name that is an element of a key like `photos/<name>`.
fn element(key: &str) -> Option<(&str, [u8; NAME])> {
    let (set, name) = key.split_once('/')?;
    let bytes = HEXLOWER.decode(name.split('/').next()?.as_bytes()).ok()?;
    Some((set, bytes.try_into().ok()?))
}

fn plain_key(key: &str, names: &Names) -> String {
    match element(key) {
        Some((set, name)) => format!("{set}/{}", names.get(&name).map_or("?", String::as_str)),
        None => key.to_owned(),
    }
}

/// A value with labels in the place of names, wherever in its bytes one stands.
fn plain_value(value: &Value, names: &Names) -> String {
    let Value::Bytes(bytes) = value else { return format!("{value:?}") };
    let mut out = String::new();
    let mut at = 0;
    while let Some(byte) = bytes.get(at) {
        let name = bytes.get(at..at + NAME).and_then(|name| <[u8; NAME]>::try_from(name).ok());
        if let Some(label) = name.and_then(|name| names.get(&name)) {
            out.push_str(label);
            at += NAME;
        } else {
            out.push_str(&format!("{byte:02x}"));
            at += 1;
        }
    }
    out
}

fn plain(kind: Kind, fields: &Fields, names: &Names) -> String {
    let lines = fields.iter().filter(|(key, _)| *key != "id");
    let mut lines: Vec<String> = lines
        .map(|(key, value)| format!("{}={}", plain_key(key, names), plain_value(value, names)))
        .collect();
    lines.sort();
    format!("{} {}", kind.tag(), lines.join("\n  "))
}

fn short(text: &str) -> String {
    let hash = HEXLOWER.encode(&Sha256::digest(text.as_bytes()));
    format!("<{}>", hash.get(..NAME).unwrap_or(&hash))
}

/// Every record that a phone shows, in words that hold on any phone, in the order of these words.
///
/// # Errors
/// Those of the store.
pub async fn of(device: &Device) -> Result<Vec<String>, DeviceError> {
    device
        .with_store(|store, now| {
            let held = held(store, now)?;
            let mut names = Names::new();
            for (id, kind, fields) in &held {
                names.insert(*id.as_bytes(), kind.tag().to_owned());
                for (set, name) in fields.keys().filter_map(|key| element(key)) {
                    names.insert(name, set.to_owned());
                }
            }
            for _ in 0..ROUNDS {
                let mut next = names.clone();
                for (id, kind, fields) in &held {
                    next.insert(*id.as_bytes(), short(&plain(*kind, fields, &names)));
                    for (key, value) in fields {
                        if let Some((set, name)) = element(key) {
                            next.insert(name, short(&format!("{set} {}", plain_value(value, &names))));
                        }
                    }
                }
                names = next;
            }
            let mut out: Vec<String> =
                held.iter().map(|(_, kind, fields)| plain(*kind, fields, &names)).collect();
            out.sort();
            Ok(out)
        })
        .await
}
