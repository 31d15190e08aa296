//! The chunk around a change: magic, checksum, type, length; then the change's facts.

use gridwalk_model::Timestamp;
use sha2::{Digest, Sha256};

use super::reader::Reader;
use super::{ChangeHash, FlatChange, Malformed, ops};
use crate::actor::Actor;
use crate::limits;

const MAGIC: [u8; 4] = [0x85, 0x6f, 0x4a, 0x83];
const CHECKSUM_BYTES: usize = 4;
const TYPE_CHANGE: u8 = 1;

pub(super) fn hash_of(raw: &[u8]) -> Option<ChangeHash> {
    let hashed = raw.get(MAGIC.len() + CHECKSUM_BYTES..)?;
    Some(ChangeHash(Sha256::digest(hashed).into()))
}

pub(super) fn seal(body: &[u8]) -> Vec<u8> {
    let mut hashed = vec![TYPE_CHANGE];
    let mut len = body.len() as u64;
    while len > 0x7f {
        hashed.push((len & 0x7f) as u8 | 0x80);
        len >>= 7;
    }
    hashed.push(len as u8);
    hashed.extend_from_slice(body);
    let hash = Sha256::digest(&hashed);
    let mut out = MAGIC.to_vec();
    out.extend(hash.iter().take(CHECKSUM_BYTES));
    out.extend(hashed);
    out
}

pub(super) fn body_of(raw: &[u8]) -> Option<&[u8]> {
    let mut reader = Reader::new(raw.get(MAGIC.len() + CHECKSUM_BYTES + 1..)?);
    reader.unsigned().ok()?;
    Some(reader.rest())
}

pub(super) fn read(raw: &[u8]) -> Result<FlatChange, Malformed> {
    if raw.len() > limits::CHANGE_MAX_BYTES {
        return Err(Malformed::TooLarge);
    }
    let mut reader = Reader::new(raw);
    if reader.array()? != MAGIC {
        return Err(Malformed::NotAChange);
    }
    let checksum: [u8; CHECKSUM_BYTES] = reader.array()?;
    if reader.array()? != [TYPE_CHANGE] {
        return Err(Malformed::NotAChange);
    }
    if reader.unsigned()? != reader.rest().len() as u64 {
        return Err(Malformed::Length);
    }
    let hash = hash_of(raw).ok_or(Malformed::Length)?;
    if !hash.0.starts_with(&checksum) {
        return Err(Malformed::Checksum);
    }
    read_body(&mut reader, hash)
}

fn read_body(reader: &mut Reader<'_>, hash: ChangeHash) -> Result<FlatChange, Malformed> {
    let dep_count = reader.unsigned()?;
    if dep_count > limits::CHANGE_MAX_DEPS as u64 {
        return Err(Malformed::Column);
    }
    let mut deps = Vec::new();
    for _ in 0..dep_count {
        deps.push(ChangeHash(reader.array()?));
    }
    if !deps.is_sorted_by(|a, b| a < b) {
        return Err(Malformed::Column);
    }
    let actor = read_actor(reader)?;
    let seq = reader.unsigned()?;
    let start_op = reader.unsigned()?;
    if seq == 0 || start_op == 0 || start_op > limits::MAX_OP_COUNTER {
        return Err(Malformed::Number);
    }
    let at = reader.signed()?;
    if at.unsigned_abs() > limits::MAX_TIME_MS {
        return Err(Malformed::Number);
    }
    let at = Timestamp::from_millis(at);
    // Our editor writes no message; a long one would be history that nobody can see or remove.
    if reader.unsigned()? != 0 {
        return Err(Malformed::NotAChange);
    }
    let mut actors = vec![actor];
    let others = reader.unsigned()?;
    if others > limits::CHANGE_MAX_ACTORS as u64 {
        return Err(Malformed::Actor);
    }
    for _ in 0..others {
        let other = read_actor(reader)?;
        // The others come in ascending order, and none is the author.
        if other == actor || (actors.len() > 1 && actors.last() >= Some(&other)) {
            return Err(Malformed::Actor);
        }
        actors.push(other);
    }
    let writes = ops::read(reader, &actors)?;
    // What follows the columns would be carried for ever and shown to nobody.
    if !reader.is_empty() {
        return Err(Malformed::Length);
    }
    Ok(FlatChange { hash, deps, actor, seq, start_op, at, writes })
}

fn read_actor(reader: &mut Reader<'_>) -> Result<Actor, Malformed> {
    let len = reader.unsigned()?;
    Actor::from_slice(reader.take(len)?).ok_or(Malformed::Actor)
}
