//! The operations of a change, taken from its columns.

use std::collections::{BTreeSet, HashSet};

use gridwalk_model::{Timestamp, Value};

use super::columns::{Delta, Rle, all_false};
use super::reader::Reader;
use super::{KeyWrite, Malformed, OpId};
use crate::actor::Actor;
use crate::limits;

/// Column names of the format: `id << 4 | type`.
mod spec {
    pub(super) const KEY: u64 = 0x15;
    pub(super) const INSERT: u64 = 0x34;
    pub(super) const ACTION: u64 = 0x42;
    pub(super) const VALUE_META: u64 = 0x56;
    pub(super) const VALUE: u64 = 0x57;
    pub(super) const PRED_COUNT: u64 = 0x70;
    pub(super) const PRED_ACTOR: u64 = 0x71;
    pub(super) const PRED_COUNTER: u64 = 0x73;
    pub(super) const EXPAND: u64 = 0x94;
}

/// `set` in the format's list of actions.
const ACTION_SET: u64 = 1;
/// `delete` in the format's list of actions.
const ACTION_DELETE: u64 = 3;

#[derive(Default)]
struct Columns<'a> {
    key: &'a [u8],
    insert: &'a [u8],
    action: &'a [u8],
    value_meta: &'a [u8],
    value: &'a [u8],
    pred_count: &'a [u8],
    pred_actor: &'a [u8],
    pred_counter: &'a [u8],
    expand: &'a [u8],
}

impl<'a> Columns<'a> {
    /// Reads the column directory and cuts the data that follows it. What our documents never have (objects,
    /// sequence positions, marks, unknown columns) is refused by name, before anything is decoded.
    fn read(reader: &mut Reader<'a>) -> Result<Self, Malformed> {
        let count = reader.unsigned()?;
        if count > 16 {
            return Err(Malformed::Column);
        }
        let mut directory = Vec::with_capacity(16);
        for _ in 0..count {
            directory.push((reader.unsigned()?, reader.unsigned()?));
        }
        if !directory.is_sorted_by(|(a, _), (b, _)| a < b) {
            return Err(Malformed::Column);
        }
        let mut columns = Self::default();
        for (name, len) in directory {
            let data = reader.take(len)?;
            *match name {
                spec::KEY => &mut columns.key,
                spec::INSERT => &mut columns.insert,
                spec::ACTION => &mut columns.action,
                spec::VALUE_META => &mut columns.value_meta,
                spec::VALUE => &mut columns.value,
                spec::PRED_COUNT => &mut columns.pred_count,
                spec::PRED_ACTOR => &mut columns.pred_actor,
                spec::PRED_COUNTER => &mut columns.pred_counter,
                spec::EXPAND => &mut columns.expand,
                _ => return Err(Malformed::Column),
            } = data;
        }
        Ok(columns)
    }
}

/// How many operations there are: the action column's runs are added up before anything is expanded, since a run's
/// length is a claim that costs no bytes.
fn count_ops(bytes: &[u8]) -> Result<u64, Malformed> {
    let mut reader = Reader::new(bytes);
    let mut total = 0u64;
    while !reader.is_empty() {
        let run = reader.signed()?;
        let (length, values) = match run {
            0 => return Err(Malformed::Operation),
            literal if literal < 0 => (literal.unsigned_abs(), literal.unsigned_abs()),
            repeat => (repeat.unsigned_abs(), 1),
        };
        total = total.checked_add(length).ok_or(Malformed::OpCount)?;
        if total > limits::CHANGE_MAX_OPS as u64 {
            return Err(Malformed::OpCount);
        }
        for _ in 0..values {
            reader.unsigned()?;
        }
    }
    if total == 0 { Err(Malformed::OpCount) } else { Ok(total) }
}

/// Reads all operations. `actors` are the change's own actor first, then the others that it names.
pub(super) fn read(reader: &mut Reader<'_>, actors: &[Actor]) -> Result<Vec<KeyWrite>, Malformed> {
    let columns = Columns::read(reader)?;
    let count = count_ops(columns.action)?;
    if !all_false(columns.insert, count)? || !all_false(columns.expand, count)? {
        return Err(Malformed::Operation);
    }
    let mut actions = Rle::<u64>::new(columns.action);
    let mut keys = Rle::<&str>::new(columns.key);
    let mut metas = Rle::<u64>::new(columns.value_meta);
    let mut values = Reader::new(columns.value);
    let mut pred_counts = Rle::<u64>::new(columns.pred_count);
    let mut preds = Preds {
        actors: Rle::new(columns.pred_actor),
        counters: Delta::new(columns.pred_counter),
        table: actors,
        used: BTreeSet::new(),
    };
    let has_preds = !columns.pred_count.is_empty();
    let mut writes = Vec::with_capacity(usize::try_from(count).unwrap_or(0));
    let mut seen = HashSet::new();
    for _ in 0..count {
        let key = keys.next()?.ok_or(Malformed::Operation)?;
        if key.is_empty() || key.len() > limits::KEY_MAX_BYTES {
            return Err(Malformed::Value);
        }
        if !seen.insert(key) {
            return Err(Malformed::DuplicateKey);
        }
        let value = read_value(metas.next()?.ok_or(Malformed::Column)?, &mut values)?;
        let pred_count = if has_preds { pred_counts.next()?.unwrap_or(0) } else { 0 };
        let replaces = preds.take(pred_count)?;
        let value = match actions.next()?.ok_or(Malformed::Column)? {
            ACTION_SET => Some(value),
            ACTION_DELETE if value.is_null() && !replaces.is_empty() => None,
            _ => return Err(Malformed::Operation),
        };
        writes.push(KeyWrite { key: key.to_owned(), value, replaces });
    }
    actions.finish()?;
    keys.finish()?;
    metas.finish()?;
    pred_counts.finish()?;
    preds.actors.finish()?;
    preds.counters.finish()?;
    // Automerge looks up every actor that is named, and panics at one that the document does not have.
    if preds.used.len() + 1 != actors.len() {
        return Err(Malformed::Actor);
    }
    if values.is_empty() { Ok(writes) } else { Err(Malformed::Column) }
}

struct Preds<'a, 't> {
    actors: Rle<'a, u64>,
    counters: Delta<'a>,
    table: &'t [Actor],
    /// Which of the other actors have been named.
    used: BTreeSet<usize>,
}

impl Preds<'_, '_> {
    fn take(&mut self, count: u64) -> Result<Vec<OpId>, Malformed> {
        if count > limits::CHANGE_MAX_DEPS as u64 {
            return Err(Malformed::Operation);
        }
        let mut out = Vec::new();
        for _ in 0..count {
            let index = self.actors.next()?.ok_or(Malformed::Column)?;
            let index = usize::try_from(index).map_err(|_| Malformed::Actor)?;
            let actor = *self.table.get(index).ok_or(Malformed::Actor)?;
            if index > 0 {
                self.used.insert(index);
            }
            let counter = self.counters.next()?.ok_or(Malformed::Column)?;
            let counter = u64::try_from(counter).map_err(|_| Malformed::Number)?;
            out.push(OpId { counter, actor });
        }
        // Automerge stores them in the order of its own actor table; the order means nothing.
        out.sort_unstable();
        if out.is_sorted_by(|a, b| a < b) { Ok(out) } else { Err(Malformed::Operation) }
    }
}

/// A value: the low four bits of `meta` say its type, the rest its length in bytes.
fn read_value(meta: u64, data: &mut Reader<'_>) -> Result<Value, Malformed> {
    let raw = data.take(meta >> 4)?;
    if raw.len() > limits::VALUE_MAX_BYTES {
        return Err(Malformed::Value);
    }
    let mut reader = Reader::new(raw);
    let value = match meta & 0x0f {
        0 => Value::Null,
        1 => Value::Flag(false),
        2 => Value::Flag(true),
        4 => Value::Int(reader.signed()?),
        5 => Value::Real(f64::from_le_bytes(reader.array()?)),
        6 => Value::Text(std::str::from_utf8(raw).map_err(|_| Malformed::Utf8)?.to_owned()),
        7 => Value::Bytes(raw.to_vec()),
        9 => Value::Time(Timestamp::from_millis(reader.signed()?)),
        _ => return Err(Malformed::Value),
    };
    let used_up = matches!(value, Value::Text(_) | Value::Bytes(_)) || reader.is_empty();
    if used_up { Ok(value) } else { Err(Malformed::Value) }
}
