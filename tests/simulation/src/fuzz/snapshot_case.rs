//! A damaged snapshot, as a phone might get it from a server gone bad.
//!
//! Automerge reads it itself, so its panics are expected and caught; they must not get out, and what is taken must
//! be whole.

use crate::seeded::Seeded;
use gridwalk_replica::{Document, admission};

use super::history::History;
use super::mutate::with_checksum;
use super::panics::watch;
use super::report::Tally;
use crate::clock::Stopwatch;

/// Offers one damaged snapshot. `Err` names the property that does not hold.
pub fn run(history: &History, random: &mut Seeded, tally: &mut Tally) -> Result<(), String> {
    let copies = || history.authors.iter().filter_map(|author| author.copy.as_deref());
    let Some(mut snapshot) = history.base.clone().or_else(|| copies().next().map(<[u8]>::to_vec)) else {
        return Ok(());
    };
    let times = 1 + random.below(3);
    for _ in 0..times {
        let at = 9 + random.below(snapshot.len().saturating_sub(9));
        match (snapshot.get_mut(at), random.below(3)) {
            (Some(byte), 0) => *byte ^= 1 << random.below(8),
            (Some(byte), 1) => *byte = byte.wrapping_add(random.pick(&[1, 0xff, 0x40])),
            _ => snapshot.truncate(at),
        }
    }
    let snapshot = with_checksum(snapshot);
    let current = copies().next();
    let stopwatch = Stopwatch::start();
    let watched = watch(|| admission::admit_snapshot(history.record, history.kind.tag(), current, &snapshot));
    tally.snapshot(&watched.panics, stopwatch.elapsed(), matches!(watched.result, Some(Ok(_))));
    match watched.result {
        None => Err(format!("a panic escaped from a snapshot: {}", watched.panics.join("; "))),
        Some(Err(_)) => Ok(()),
        Some(Ok(admitted)) => {
            let loaded =
                Document::load(&admitted.snapshot).map_err(|e| format!("taken, not loadable: {e}"))?;
            if loaded.heads() == admitted.heads { Ok(()) } else { Err("taken, other heads".to_owned()) }
        }
    }
}
