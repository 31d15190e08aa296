//! What is done to honest changes before they are offered.

use crate::seeded::Seeded;
use gridwalk_replica::change;

use super::body::{Body, Claim, Column};
use super::column;

/// Alters a change, one to three times, and seals it so that its checksum is right; `pool` are other changes to
/// take parts from, of this record and of others.
pub fn mutate(raw: &[u8], pool: &[Vec<u8>], random: &mut Seeded) -> Vec<u8> {
    let Some(body) = change::body_of(raw) else { return raw.to_vec() };
    let mut bytes = body.to_vec();
    let times = 1 + random.below(3);
    for _ in 0..times {
        match Body::read(&bytes).filter(|_| random.chance(0.8)) {
            Some(mut parts) => {
                structured(&mut parts, pool, random);
                bytes = parts.write();
            }
            None => blind(&mut bytes, pool, random),
        }
    }
    if random.chance(0.03) { mislabelled(&bytes, random) } else { change::seal(&bytes) }
}

/// Alters bytes without looking at what they mean.
fn blind(bytes: &mut Vec<u8>, pool: &[Vec<u8>], random: &mut Seeded) {
    let at = random.below(bytes.len());
    match random.below(6) {
        0 => {
            if let Some(byte) = bytes.get_mut(at) {
                *byte ^= 1 << random.below(8);
            }
        }
        1 => {
            if let Some(byte) = bytes.get_mut(at) {
                *byte = random.pick(&[0, 1, 0x3f, 0x40, 0x7f, 0x80, 0xc0, 0xff]);
            }
        }
        2 => bytes.truncate(at),
        3 => {
            let extension = random.below(64);
            bytes.extend((0..extension).map(|_| random.bits() as u8));
        }
        4 => {
            let end = (at + random.below(16)).min(bytes.len());
            bytes.drain(at..end);
        }
        _ => {
            let other = random.choose(pool).and_then(|raw| change::body_of(raw)).unwrap_or_default();
            let start = random.below(other.len());
            let piece: Vec<u8> = other.iter().skip(start).take(1 + random.below(24)).copied().collect();
            let end = if random.chance(0.5) { at } else { (at + piece.len()).min(bytes.len()) };
            bytes.splice(at..end, piece);
        }
    }
}

/// Alters one part of a body.
fn structured(parts: &mut Body, pool: &[Vec<u8>], random: &mut Seeded) {
    match random.below(12) {
        0 | 1 => dependencies(parts, pool, random),
        2 => author(parts, pool, random),
        3 => parts.seq = column::number_near(parts.seq, random),
        4 => parts.start_op = column::number_near(parts.start_op, random),
        5 => parts.time = column::number_near(parts.time.unsigned_abs(), random) as i64,
        6 => claim(parts, random),
        7 => match random.below(3) {
            0 => parts.message = vec![b'm'; random.below(300)],
            1 => parts.extra = vec![0; random.below(60_000)],
            _ => others(parts, pool, random),
        },
        8 => columns_of_another(parts, pool, random),
        _ => one_column(parts, random),
    }
}

fn dependencies(parts: &mut Body, pool: &[Vec<u8>], random: &mut Seeded) {
    let index = random.below(parts.deps.len());
    let other = random.choose(pool).and_then(|raw| change::hash_of(raw));
    match (random.below(5), other) {
        (0, _) if !parts.deps.is_empty() => drop(parts.deps.remove(index)),
        (1, Some(hash)) => {
            parts.deps.push(hash.0.to_vec());
            parts.deps.sort_unstable();
        }
        (2, Some(hash)) => {
            if let Some(dep) = parts.deps.get_mut(index) {
                *dep = hash.0.to_vec();
            }
            parts.deps.sort_unstable();
        }
        (3, _) => parts.deps.reverse(),
        _ => {
            if let Some(dep) = parts.deps.get(index).cloned() {
                parts.deps.insert(index, dep);
            }
        }
    }
}

fn any_actor(pool: &[Vec<u8>], random: &mut Seeded) -> Vec<u8> {
    let other = random.choose(pool).and_then(|raw| Body::read(change::body_of(raw)?));
    other.map_or_else(|| vec![9; 16], |body| body.actor)
}

fn author(parts: &mut Body, pool: &[Vec<u8>], random: &mut Seeded) {
    match random.below(4) {
        0 => parts.actor = any_actor(pool, random),
        1 => {
            if let Some(byte) = parts.actor.last_mut() {
                *byte ^= 1;
            }
        }
        2 => parts.actor.truncate(random.below(16)),
        _ => {
            let taken = random.below(parts.others.len());
            if let Some(other) = parts.others.get_mut(taken) {
                std::mem::swap(&mut parts.actor, other);
            }
        }
    }
}

fn others(parts: &mut Body, pool: &[Vec<u8>], random: &mut Seeded) {
    match random.below(3) {
        0 => {
            parts.others.push(any_actor(pool, random));
            parts.others.sort_unstable();
        }
        1 => drop(parts.others.pop()),
        _ => parts.others.reverse(),
    }
}

fn claim(parts: &mut Body, random: &mut Seeded) {
    let column = random.below(parts.columns.len());
    let which = random.pick(&[
        Claim::Deps,
        Claim::Actor,
        Claim::Message,
        Claim::Others,
        Claim::Columns,
        Claim::Column(column),
    ]);
    parts.lie = Some((which, column::number_near(random.below(40) as u64, random)));
}

/// Operations of another change under this change's facts: well-formed, and wrong.
fn columns_of_another(parts: &mut Body, pool: &[Vec<u8>], random: &mut Seeded) {
    let Some(other) = random.choose(pool).and_then(|raw| Body::read(change::body_of(raw)?)) else { return };
    if random.chance(0.5) {
        parts.columns = other.columns;
        parts.others = other.others;
        return;
    }
    for column in &mut parts.columns {
        if let Some(same) = other.columns.iter().find(|c| c.spec == column.spec && random.chance(0.3)) {
            column.data.clone_from(&same.data);
        }
    }
}

fn one_column(parts: &mut Body, random: &mut Seeded) {
    let index = random.below(parts.columns.len());
    let Some(column) = parts.columns.get_mut(index) else { return };
    match random.below(10) {
        0 => drop(parts.columns.remove(index)),
        1 => {
            column.spec =
                random.pick(&[0x01, 0x02, 0x11, 0x13, 0x15, 0x21, 0x34, 0x42, 0x56, 0x57, 0x61, 0x94]);
            parts.columns.sort_by_key(|column| column.spec);
        }
        2 => {
            let data = random.pick(&[&[1u8][..], &[0, 1], &[2, 1], &[]]).to_vec();
            let spec = random.pick(&[0x34, 0x94, 0xa5, 0x01]);
            parts.columns.push(Column { spec, data });
            parts.columns.sort_by_key(|column| column.spec);
        }
        3 => blind(&mut column.data, &[], random),
        _ => match column::read(column.spec, &column.data) {
            Some(mut runs) => {
                column::mutate(&mut runs, random);
                column.data = column::write(&runs);
            }
            None => blind(&mut column.data, &[], random),
        },
    }
}

/// A chunk of another type, with another length, or twice, its checksum right all the same.
fn mislabelled(body: &[u8], random: &mut Seeded) -> Vec<u8> {
    let mut out = change::seal(body);
    match random.below(4) {
        0 => {
            if let Some(ty) = out.get_mut(8) {
                *ty = random.pick(&[0, 2, 3, 0xff]);
            }
        }
        1 => {
            if let Some(length) = out.get_mut(9) {
                *length = length.wrapping_add(1);
            }
        }
        2 => out.extend_from_within(..),
        _ => {
            if let Some(magic) = out.get_mut(random.below(4)) {
                *magic ^= 1;
            }
        }
    }
    with_checksum(out)
}

/// Corrects the checksum of a chunk.
pub fn with_checksum(mut raw: Vec<u8>) -> Vec<u8> {
    if let Some(hash) = change::hash_of(&raw) {
        raw.iter_mut().skip(4).zip(hash.0).take(4).for_each(|(to, from)| *to = from);
    }
    raw
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fuzz::history::History;

    #[test]
    fn honest_bodies_come_apart_and_together_unaltered() {
        for seed in 0..50 {
            let history = History::generate(&mut Seeded::new(seed));
            for raw in history.pool() {
                let body = change::body_of(raw).unwrap();
                let parts = Body::read(body).unwrap();
                assert_eq!(parts.write(), body);
                for column in &parts.columns {
                    if let Some(runs) = column::read(column.spec, &column.data) {
                        assert_eq!(column::write(&runs), column.data);
                    }
                }
            }
        }
    }
}
