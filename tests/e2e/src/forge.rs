//! Changes and frames that no honest device makes.

use automerge::transaction::{CommitOptions, Transactable as _};
use automerge::{AutoCommit, ROOT, ScalarValue};
use gridwalk_model::RecordId;
use gridwalk_replica::Actor;
use gridwalk_replica::change::{body_of, seal};

/// The first change of a record with any fields whatever, past the limits that our editor keeps.
pub fn first_change(actor: Actor, id: RecordId, kind: &str, fields: &[(String, ScalarValue)]) -> Vec<u8> {
    let mut document = AutoCommit::new().with_actor(actor.into());
    let own = [
        ("id".to_owned(), ScalarValue::Bytes(id.as_bytes().to_vec())),
        ("kind".to_owned(), ScalarValue::Str(kind.into())),
        ("v".to_owned(), ScalarValue::Int(1)),
    ];
    for (key, value) in own.iter().chain(fields) {
        document.put(ROOT, key.as_str(), value.clone()).expect("it can be put");
    }
    document.commit_with(CommitOptions::default().with_time(crate::stranger::NOON.millis()));
    document.get_last_local_change().expect("a change").raw_bytes().to_vec()
}

/// A change with bytes behind its last column: what Automerge calls extra bytes.
pub fn with_extra_bytes(raw: &[u8], count: usize) -> Vec<u8> {
    let mut body = body_of(raw).expect("a change").to_vec();
    body.extend(vec![0x41; count]);
    seal(&body)
}

/// A change in which the first run-length encoded column claims `count` equal items in a few bytes.
pub fn with_run_of(raw: &[u8], count: u64) -> Vec<u8> {
    let body = body_of(raw).expect("a change");
    let mut at = Reader { bytes: body, at: 0 };
    let deps = at.number();
    at.skip(deps * 32);
    let actor = at.number();
    at.skip(actor);
    // Number, first operation, time, message.
    at.number();
    at.number();
    at.number();
    let message = at.number();
    at.skip(message);
    let others = at.number();
    for _ in 0..others {
        let length = at.number();
        at.skip(length);
    }
    let head = at.at;
    let columns: Vec<(u64, u64)> = {
        let count = at.number();
        (0..count).map(|_| (at.number(), at.number())).collect()
    };
    let mut data: Vec<(u64, Vec<u8>)> = Vec::new();
    for (spec, length) in columns {
        let start = at.at;
        at.skip(length);
        data.push((spec, body[start..at.at].to_vec()));
    }
    // The action column: a positive run of one item.
    let actions = data.iter_mut().find(|(spec, _)| *spec == 0x42).expect("an action column");
    actions.1 = [signed(count), vec![1]].concat();
    let mut out = body[..head].to_vec();
    out.extend(unsigned(data.len() as u64));
    for (spec, bytes) in &data {
        out.extend(unsigned(*spec));
        out.extend(unsigned(bytes.len() as u64));
    }
    for (_, bytes) in &data {
        out.extend_from_slice(bytes);
    }
    seal(&out)
}

/// The first change of a record as a build with another schema writes it: the value of its key `v`, 1 as a rule, is
/// another. `None` if the value cannot be found.
pub fn with_schema_version(raw: &[u8], version: u8) -> Option<Vec<u8>> {
    let mut body = body_of(raw)?.to_vec();
    // The value column ends with the writes in the order of their keys, and `v` is the last of them.
    for at in (0..body.len()).rev() {
        if body[at] != 1 {
            continue;
        }
        let before = std::mem::replace(&mut body[at], version);
        let changed = seal(&body);
        let read = gridwalk_replica::FlatChange::read(&changed);
        let fits = read.is_ok_and(|change| {
            let of =
                |key: &str| change.writes.iter().find(|write| write.key == key).and_then(|w| w.value.clone());
            of("v") == Some(gridwalk_model::Value::Int(i64::from(version))) && of("kind").is_some()
        });
        if fits {
            return Some(changed);
        }
        body[at] = before;
    }
    None
}

/// A zstd frame of `len` zero bytes.
pub fn zip_bomb(len: usize) -> Vec<u8> {
    zstd::bulk::compress(&vec![0; len], 19).expect("it compresses")
}

/// CBOR of any form in a zstd frame.
pub fn framed(cbor: &[u8]) -> Vec<u8> {
    zstd::bulk::compress(cbor, 3).expect("it compresses")
}

struct Reader<'b> {
    bytes: &'b [u8],
    at: usize,
}

impl Reader<'_> {
    /// An LEB128 number; signed ones are only skipped, so their value does not matter.
    fn number(&mut self) -> u64 {
        let (mut value, mut shift) = (0u64, 0);
        loop {
            let byte = self.bytes[self.at];
            self.at += 1;
            value |= u64::from(byte & 0x7f).checked_shl(shift).unwrap_or(0);
            shift += 7;
            if byte & 0x80 == 0 {
                return value;
            }
        }
    }

    fn skip(&mut self, count: u64) {
        self.at += usize::try_from(count).expect("a small number");
    }
}

fn unsigned(mut value: u64) -> Vec<u8> {
    let mut out = Vec::new();
    loop {
        let byte = (value & 0x7f) as u8;
        value >>= 7;
        if value == 0 {
            out.push(byte);
            return out;
        }
        out.push(byte | 0x80);
    }
}

/// Signed LEB128 of a number that is not negative.
fn signed(value: u64) -> Vec<u8> {
    let mut out = unsigned(value);
    // The sign bit of the last byte must be clear.
    if let Some(last) = out.last_mut()
        && *last & 0x40 != 0
    {
        *last |= 0x80;
        out.push(0);
    }
    out
}

/// A CBOR item, taken apart as far as arrays go.
#[derive(Clone, Debug, PartialEq)]
pub enum Item {
    /// An array of known length.
    Array(Vec<Self>),
    /// Anything else, as it stands.
    Other(Vec<u8>),
}

impl Item {
    /// Reads one item.
    pub fn read(cbor: &[u8]) -> Self {
        Self::take(&mut minicbor::Decoder::new(cbor))
    }

    fn take(decoder: &mut minicbor::Decoder<'_>) -> Self {
        if decoder.datatype().expect("an item") == minicbor::data::Type::Array {
            let len = decoder.array().expect("an array").expect("a known length");
            return Self::Array((0..len).map(|_| Self::take(decoder)).collect());
        }
        let from = decoder.position();
        decoder.skip().expect("an item");
        Self::Other(decoder.input()[from..decoder.position()].to_vec())
    }

    /// The item's bytes.
    pub fn to_bytes(&self) -> Vec<u8> {
        match self {
            Self::Other(bytes) => bytes.clone(),
            Self::Array(items) => {
                let mut out = Vec::new();
                let mut encoder = minicbor::Encoder::new(&mut out);
                encoder.array(items.len() as u64).expect("it encodes");
                items.iter().for_each(|item| out.extend(item.to_bytes()));
                out
            }
        }
    }

    /// The items of an array.
    pub fn items(&mut self) -> &mut Vec<Self> {
        match self {
            Self::Array(items) => items,
            Self::Other(bytes) => panic!("{bytes:?} is no array"),
        }
    }

    /// Appends what a newer build might append behind the `known` positions that this build writes: a number, a
    /// text, an array. Optional positions that stand empty at the end are written by then.
    pub fn add_tail(&mut self, known: usize) {
        let items = self.items();
        while items.len() < known {
            items.push(Self::Other(vec![0xf6]));
        }
        let tail = [&[0x18, 0x2a][..], &[0x62, 0x68, 0x69], &[0x82, 0x01, 0x40]];
        self.items().extend(tail.map(Self::read));
    }
}

/// The CBOR in a frame.
pub fn unframed(frame: &[u8]) -> Vec<u8> {
    zstd::bulk::decompress(frame, 16 << 20).expect("a frame")
}
