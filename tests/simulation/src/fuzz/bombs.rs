//! Batches in shapes that would cost a careless receiver the most, at the size of whole requests.

use automerge::transaction::{CommitOptions, Transactable};
use automerge::{ActorId, AutoCommit, ROOT};
use gridwalk_model::policy::{Role, Sender};
use gridwalk_model::{DeviceId, Fields, Kind, RecordId, Timestamp, Value};
use gridwalk_replica::admission::{self, Origin};
use gridwalk_replica::{Actor, Document, change, limits};

use super::body::Body;
use super::column::{self, Run};
use super::panics::watch;
use crate::clock::Stopwatch;

const RECORD: RecordId = RecordId::from_bytes([7; 16]);
const DEVICE: DeviceId = DeviceId::from_bytes([1; 12]);
const AT: Timestamp = Timestamp::from_millis(1_700_000_000_000);

/// A large batch for one record.
#[derive(Debug)]
pub struct Bomb {
    /// What it tries.
    pub name: &'static str,
    base: Vec<u8>,
    raws: Vec<Vec<u8>>,
}

/// What came of it.
#[derive(Debug)]
pub struct Outcome {
    /// How many changes, and how many bytes they are.
    pub size: (usize, usize),
    /// How many were accepted.
    pub accepted: usize,
    /// How long it took.
    pub took: std::time::Duration,
    /// Panics, caught or not.
    pub panics: Vec<String>,
}

impl Bomb {
    /// Offers it from its author's device.
    pub fn offer(&self) -> Outcome {
        let raws: Vec<&[u8]> = self.raws.iter().map(Vec::as_slice).collect();
        let sender = Sender::Person { user: RecordId::from_bytes([2; 16]), roles: &[Role::Gridworker] };
        let origin = Origin::Device { device: DEVICE, sender };
        let stopwatch = Stopwatch::start();
        let watched =
            watch(|| admission::admit(RECORD, Kind::Household.tag(), Some(&self.base), &raws, &origin));
        let took = stopwatch.elapsed();
        let admitted = watched.result.and_then(|admission| admission.admitted);
        Outcome {
            size: (raws.len(), raws.iter().map(|raw| raw.len()).sum()),
            accepted: admitted.map_or(0, |admitted| admitted.accepted.len()),
            took,
            panics: watched.panics,
        }
    }
}

fn actor(incarnation: u32) -> ActorId {
    Actor::new(DEVICE, incarnation.to_be_bytes()).into()
}

fn base() -> Vec<u8> {
    let fields = Fields::from([("dwelling".to_owned(), Value::from(RecordId::from_bytes([8; 16])))]);
    let author = Actor::new(DEVICE, [0; 4]);
    let made = Document::create(RECORD, Kind::Household, &fields, author, AT);
    made.map(|(document, _)| document.save()).unwrap_or_default()
}

fn load(bytes: &[u8]) -> AutoCommit {
    AutoCommit::load(bytes).unwrap_or_default()
}

fn commit(document: &mut AutoCommit) -> Vec<u8> {
    document.commit_with(CommitOptions::default().with_time(AT.millis()));
    document.get_last_local_change().map(|change| change.raw_bytes().to_vec()).unwrap_or_default()
}

fn edit(document: &mut AutoCommit, key: &str, number: usize) -> Vec<u8> {
    // A failing put leaves nothing to commit, and the batch one change shorter.
    let _ = document.put(ROOT, key, number as i64);
    commit(document)
}

/// One author's edits in a row.
fn chain(base: &[u8], count: usize) -> Vec<Vec<u8>> {
    let mut document = load(base).with_actor(actor(1));
    (0..count).map(|n| edit(&mut document, &format!("k{}", n % 50), n)).collect()
}

/// Many incarnations of a device, each with one write of the same key on top of the first change.
fn fan(base: &[u8], count: u32) -> Vec<Vec<u8>> {
    let document = load(base);
    (0..count).map(|n| edit(&mut document.clone().with_actor(actor(n + 1)), "remarks", n as usize)).collect()
}

/// Two incarnations by turns, each a few changes behind the other: nothing is ever on top.
fn braid(base: &[u8], count: usize) -> Vec<Vec<u8>> {
    let mut left = load(base).with_actor(actor(1));
    let mut right = load(base).with_actor(actor(2));
    let mut raws = Vec::new();
    for n in 0..count {
        raws.push(edit(&mut left, &format!("l{}", n % 20), n));
        raws.push(edit(&mut right, &format!("r{}", n % 20), n));
        if n % 4 == 0 {
            let _ = left.merge(&mut right);
            let _ = right.merge(&mut left);
        }
    }
    raws
}

/// Many incarnations, a long chain above them, and each of them once more on top of it.
fn deep_search(base: &[u8], wide: u32, long: usize) -> Vec<Vec<u8>> {
    let mut document = load(base);
    let mut raws = Vec::new();
    for n in 0..wide {
        document = document.with_actor(actor(n + 10));
        raws.push(edit(&mut document, "first", n as usize));
    }
    document = document.with_actor(actor(1));
    raws.extend((0..long).map(|n| edit(&mut document, "k", n)));
    for n in 0..wide {
        raws.push(edit(&mut document.clone().with_actor(actor(n + 10)), "last", n as usize));
    }
    raws
}

/// As many writes as a change may have, in as many changes as a request may hold.
fn full_changes(base: &[u8], count: usize) -> Vec<Vec<u8>> {
    let mut document = load(base).with_actor(actor(1));
    (0..count)
        .map(|n| {
            for key in 0..limits::CHANGE_MAX_OPS {
                let _ = document.put(ROOT, format!("{key}"), (n * 7 + key) as i64);
            }
            commit(&mut document)
        })
        .collect()
}

/// The same operations spelled as our editor's encoder would not: passes every check but the last.
fn respelled(raw: &[u8]) -> Option<Vec<u8>> {
    let mut parts = Body::read(change::body_of(raw)?)?;
    let column = parts.columns.iter_mut().find(|column| column.spec == 0x42)?;
    let item = match column::read(column.spec, &column.data)?.as_slice() {
        [Run::Literal(_, items)] => items.first()?.clone(),
        _ => return None,
    };
    column.data = column::write(&[Run::Repeat(1, item)]);
    Some(change::seal(&parts.write()))
}

/// All of them; `scale` 1 is the size of whole requests.
pub fn all(scale: usize) -> Vec<Bomb> {
    let base = base();
    let many = 20_000 / scale;
    let straight = chain(&base, many);
    let reversed: Vec<_> = straight.iter().rev().cloned().collect();
    let headless: Vec<_> = straight.iter().skip(1).cloned().collect();
    let mut spoilt = straight.clone();
    if let Some(last) = spoilt.last_mut() {
        *last = respelled(last).unwrap_or_default();
    }
    let all_spoilt: Vec<_> = fan(&base, many as u32).iter().filter_map(|raw| respelled(raw)).collect();
    let bomb = |name, raws| Bomb { name, base: base.clone(), raws };
    vec![
        bomb("a long row of edits", straight.clone()),
        bomb("the same in reverse", reversed),
        bomb("the same without its first", headless),
        bomb("the same with the last spelled otherwise", spoilt),
        bomb("one key by many incarnations", fan(&base, many as u32)),
        bomb("the same, all spelled otherwise", all_spoilt),
        bomb("never on top", braid(&base, many / 2)),
        bomb("authors far below", deep_search(&base, (many / 4) as u32, many / 2)),
        bomb("as many writes as fit", full_changes(&base, 200 / scale)),
        bomb("one change many times", vec![straight.first().cloned().unwrap_or_default(); many * 4]),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn large_batches_are_answered_without_a_panic_and_the_honest_ones_taken() {
        crate::fuzz::panics::install();
        for bomb in all(100) {
            let outcome = bomb.offer();
            assert!(outcome.panics.is_empty(), "{}: {:?}", bomb.name, outcome.panics);
            let honest = ["a long row of edits", "the same in reverse", "never on top", "authors far below"];
            if honest.contains(&bomb.name) {
                assert_eq!(outcome.accepted, outcome.size.0, "{}", bomb.name);
            }
        }
    }
}
