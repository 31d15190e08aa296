//! Columns of a change as lists of runs: taken apart, altered, put together again in well-formed bytes.

use crate::seeded::Seeded;

use super::leb;

/// One value of a run-length encoded column.
#[derive(Clone, Debug, PartialEq)]
pub enum Item {
    /// Unsigned.
    Unsigned(u64),
    /// A difference.
    Signed(i64),
    /// A string's bytes.
    Bytes(Vec<u8>),
}

/// One run.
#[derive(Clone, Debug, PartialEq)]
pub enum Run {
    /// So many times the same.
    Repeat(i64, Item),
    /// These; the number is what the run claims.
    Literal(i64, Vec<Item>),
    /// So many absent.
    Null(u64),
}

#[derive(Clone, Copy)]
enum ItemType {
    Unsigned,
    Signed,
    Bytes,
}

fn item_type(spec: u64) -> Option<ItemType> {
    match spec & 7 {
        0 | 1 | 2 | 6 => Some(ItemType::Unsigned),
        3 => Some(ItemType::Signed),
        5 => Some(ItemType::Bytes),
        _ => None,
    }
}

fn read_item(ty: ItemType, input: &mut &[u8]) -> Option<Item> {
    Some(match ty {
        ItemType::Unsigned => Item::Unsigned(leb::unsigned(input)?),
        ItemType::Signed => Item::Signed(leb::signed(input)?),
        ItemType::Bytes => {
            let len = leb::unsigned(input)?;
            Item::Bytes(leb::take(input, len)?.to_vec())
        }
    })
}

/// Takes a run-length encoded column apart; `None` if it is not one.
pub fn read(spec: u64, mut data: &[u8]) -> Option<Vec<Run>> {
    let ty = item_type(spec)?;
    let mut runs = Vec::new();
    while !data.is_empty() {
        let count = leb::signed(&mut data)?;
        runs.push(match count {
            0 => Run::Null(leb::unsigned(&mut data)?),
            1.. => Run::Repeat(count, read_item(ty, &mut data)?),
            _ => {
                let items = (0..count.unsigned_abs()).map(|_| read_item(ty, &mut data));
                Run::Literal(count, items.collect::<Option<Vec<_>>>()?)
            }
        });
    }
    Some(runs)
}

fn write_item(out: &mut Vec<u8>, item: &Item) {
    match item {
        Item::Unsigned(number) => leb::put_unsigned(out, *number),
        Item::Signed(number) => leb::put_signed(out, *number),
        Item::Bytes(bytes) => {
            leb::put_unsigned(out, bytes.len() as u64);
            out.extend_from_slice(bytes);
        }
    }
}

/// Puts a column together again.
pub fn write(runs: &[Run]) -> Vec<u8> {
    let mut out = Vec::new();
    for run in runs {
        match run {
            Run::Repeat(count, item) => {
                leb::put_signed(&mut out, *count);
                write_item(&mut out, item);
            }
            Run::Literal(count, items) => {
                leb::put_signed(&mut out, *count);
                items.iter().for_each(|item| write_item(&mut out, item));
            }
            Run::Null(count) => {
                leb::put_signed(&mut out, 0);
                leb::put_unsigned(&mut out, *count);
            }
        }
    }
    out
}

/// Alters one run.
pub fn mutate(runs: &mut Vec<Run>, random: &mut Seeded) {
    let index = random.below(runs.len());
    let Some(run) = runs.get_mut(index) else {
        runs.push(Run::Repeat(1, Item::Unsigned(random.bits() & 3)));
        return;
    };
    match random.below(8) {
        0 | 1 => mutate_value(run, random),
        2 => mutate_count(run, random),
        3 => *run = respelled(run),
        4 => drop(runs.remove(index)),
        5 => {
            let copy = run.clone();
            runs.insert(index, copy);
        }
        6 => runs.insert(index, Run::Null(random.bits() & 3)),
        _ => {
            let other = random.below(runs.len());
            runs.swap(index, other);
        }
    }
}

fn mutate_value(run: &mut Run, random: &mut Seeded) {
    let item = match run {
        Run::Repeat(_, item) => item,
        Run::Literal(_, items) => {
            let index = random.below(items.len());
            let Some(item) = items.get_mut(index) else { return };
            item
        }
        Run::Null(count) => return *count = number_near(*count, random),
    };
    match item {
        Item::Unsigned(number) => *number = number_near(*number, random),
        Item::Signed(number) => *number = number_near(number.unsigned_abs(), random) as i64,
        Item::Bytes(bytes) => mutate_bytes(bytes, random),
    }
}

fn mutate_bytes(bytes: &mut Vec<u8>, random: &mut Seeded) {
    const KEYS: [&str; 10] =
        ["id", "kind", "v", "removed", "area", "log/", "remarks", "", "note/removed", "external_number"];
    match random.below(4) {
        0 => *bytes = random.pick(&KEYS).as_bytes().to_vec(),
        1 => bytes.push(random.bits() as u8),
        2 => drop(bytes.pop()),
        _ => *bytes = vec![b'k'; random.below(200)],
    }
}

fn mutate_count(run: &mut Run, random: &mut Seeded) {
    match run {
        Run::Repeat(count, _) | Run::Literal(count, _) => {
            *count = if random.chance(0.7) {
                count.wrapping_add(random.below(5) as i64 - 2)
            } else {
                number_near(count.unsigned_abs(), random) as i64
            };
        }
        Run::Null(count) => *count = number_near(*count, random),
    }
}

/// The same values in a way that the encoder would not have chosen.
fn respelled(run: &Run) -> Run {
    match run {
        Run::Repeat(count @ 1..=64, item) => {
            let items: Vec<Item> = (0..*count).map(|_| item.clone()).collect();
            Run::Literal(-count, items)
        }
        Run::Literal(_, items) => match items.as_slice() {
            [first, ..] => Run::Repeat(items.len() as i64, first.clone()),
            [] => Run::Null(1),
        },
        Run::Null(count) => Run::Repeat(*count as i64, Item::Unsigned(0)),
        Run::Repeat(count, item) => Run::Repeat(count.wrapping_neg(), item.clone()),
    }
}

/// Another number: near, at an edge, or anything.
pub fn number_near(number: u64, random: &mut Seeded) -> u64 {
    const EDGES: [u64; 14] = [
        0,
        1,
        2,
        63,
        127,
        128,
        2_000,
        2_001,
        (1 << 30) - 1,
        (1 << 30) + 1,
        u32::MAX as u64,
        1 << 32,
        i64::MAX as u64,
        u64::MAX,
    ];
    match random.below(6) {
        0 => number.wrapping_add(1),
        1 => number.wrapping_sub(1),
        2 => number ^ (1 << random.below(8)),
        3 => random.pick(&EDGES),
        4 => random.bits() >> random.below(64),
        _ => number.wrapping_mul(2),
    }
}
