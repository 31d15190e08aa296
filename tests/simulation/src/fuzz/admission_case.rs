//! One batch offered to admission, and what must hold of the answer.

use std::collections::BTreeSet;
use std::time::Duration;

use crate::seeded::Seeded;
use automerge::Automerge;
use gridwalk_model::{DeviceId, Fields, Timestamp, Value};
use gridwalk_replica::admission::{self, Admission, Admitted, Origin, Verdict};
use gridwalk_replica::change::{self, FlatChange};
use gridwalk_replica::{Actor, Document, conflict};

use super::history::{Author, History};
use super::mutate::mutate;
use super::panics::watch;
use super::quickest;
use super::report::Tally;

/// Longest that one batch may take.
pub const LIMIT: Duration = Duration::from_secs(1);

/// A batch on its way to admission.
struct Batch<'a> {
    raws: Vec<Vec<u8>>,
    /// Those of `raws` that an honest author made.
    honest: BTreeSet<usize>,
    author: &'a Author,
    origin: Origin<'static>,
}

fn compose<'a>(history: &'a History, random: &mut Seeded) -> Option<Batch<'a>> {
    let author = random.choose(&history.authors)?;
    let origin = match random.below(10) {
        0..=5 => author.origin(),
        6..=8 => Origin::Server,
        _ => Origin::Recovery,
    };
    let mut raws: Vec<Vec<u8>> = Vec::new();
    if random.chance(0.5) {
        raws.extend(author.unsent.iter().cloned());
    }
    let mut honest: BTreeSet<usize> = (0..raws.len()).collect();
    let count = 1 + random.below(4);
    for _ in 0..count {
        let source = random.choose(&author.unsent).filter(|_| random.chance(0.7));
        let Some(raw) = source.or_else(|| random.choose(history.pool())) else { continue };
        let mutant = mutate(raw, history.pool(), random);
        // At the end or among the honest ones, which then move up.
        let at = if random.chance(0.5) { raws.len() } else { random.below(raws.len()) };
        honest = honest.into_iter().map(|index| if index >= at { index + 1 } else { index }).collect();
        raws.insert(at, mutant);
    }
    Some(Batch { raws, honest, author, origin })
}

fn offer(history: &History, raws: &[&[u8]], origin: &Origin<'_>) -> Admission {
    admission::admit(history.record, history.kind.tag(), history.base.as_deref(), raws, origin)
}

/// Offers one batch. `Err` names the property that does not hold.
pub fn run(history: &History, random: &mut Seeded, tally: &mut Tally) -> Result<(), String> {
    let Some(batch) = compose(history, random) else { return Ok(()) };
    let raws: Vec<&[u8]> = batch.raws.iter().map(Vec::as_slice).collect();
    let (watched, took) = quickest(LIMIT, || watch(|| offer(history, &raws, &batch.origin)));
    tally.slow(took);
    let Some(admission) = watched.result else {
        return Err(format!("a panic escaped from admission: {}", watched.panics.join("; ")));
    };
    tally.guarded(&watched.panics);
    if took > LIMIT {
        return Err(format!("time bomb: a batch of {} bytes took {took:?}", raws.concat().len()));
    }
    tally.verdicts(&admission.verdicts);
    check_answer(&batch, &admission)?;
    if let Some(admitted) = &admission.admitted {
        let checked = watch(|| check_admitted(history, &batch, &admission, admitted));
        match checked.result {
            Some(result) => result?,
            None => return Err(format!("what was accepted panics in use: {}", checked.panics.join("; "))),
        }
        if !checked.panics.is_empty() {
            return Err(format!("what was accepted panics elsewhere: {}", checked.panics.join("; ")));
        }
    }
    check_honest_part(history, &batch, &admission)
}

fn check_answer(batch: &Batch<'_>, admission: &Admission) -> Result<(), String> {
    if admission.verdicts.len() != batch.raws.len() {
        return Err(format!("{} verdicts on {} changes", admission.verdicts.len(), batch.raws.len()));
    }
    let accepted: BTreeSet<usize> = (0..batch.raws.len())
        .filter(|index| admission.verdicts.get(*index) == Some(&Verdict::Accepted))
        .collect();
    let listed: BTreeSet<usize> =
        admission.admitted.iter().flat_map(|admitted| admitted.accepted.iter().copied()).collect();
    if accepted == listed {
        Ok(())
    } else {
        Err(format!("verdicts accept {accepted:?}, the new state lists {listed:?}"))
    }
}

/// Whatever was accepted must be loadable, editable, the same for every reader, and what Automerge itself makes of
/// the same changes.
fn check_admitted(
    history: &History,
    batch: &Batch<'_>,
    admission: &Admission,
    admitted: &Admitted,
) -> Result<(), String> {
    let loaded = Document::load(&admitted.snapshot).map_err(|e| format!("accepted, not loadable: {e}"))?;
    if loaded.heads() != admitted.heads || loaded.fields() != admitted.document.fields() {
        return Err("the stored bytes read differently than the state that was answered".to_owned());
    }
    let accepted: Vec<&[u8]> =
        admitted.accepted.iter().filter_map(|index| batch.raws.get(*index).map(Vec::as_slice)).collect();
    for raw in &accepted {
        if !change::hash_of(raw).is_some_and(|hash| loaded.has(&hash)) {
            return Err("an accepted change is not in the stored document".to_owned());
        }
    }
    let mut conflicts = conflict::conflicts(&loaded);
    conflicts.retain(|found| found.candidates.len() < 2);
    if !conflicts.is_empty() {
        return Err("a conflict with fewer than two values".to_owned());
    }
    let _ = conflict::edited_while_removed(&loaded);
    check_oracle(history, &accepted, &loaded)?;
    check_phone(history, batch, &accepted, admitted)?;
    check_edit_on_top(history, batch.author, admission, &loaded)
}

fn check_oracle(history: &History, accepted: &[&[u8]], ours: &Document) -> Result<(), String> {
    let loaded = history.base.as_deref().map_or_else(|| Ok(Automerge::new()), Automerge::load);
    let mut oracle = loaded.map_err(|e| format!("oracle cannot load the base: {e}"))?;
    for raw in accepted {
        let change =
            automerge::Change::from_bytes(raw.to_vec()).map_err(|e| format!("oracle reads no: {e}"))?;
        let flat = FlatChange::read(raw).map_err(|e| format!("accepted, but not readable: {e}"))?;
        if change.len() != flat.writes.len() || change.seq() != flat.seq {
            return Err("our decoder and Automerge's read different operations".to_owned());
        }
        oracle.apply_changes([change]).map_err(|e| format!("oracle applies not: {e}"))?;
    }
    let oracle =
        Document::load(&oracle.save_nocompress()).map_err(|e| format!("oracle's is damaged: {e}"))?;
    if oracle.heads() == ours.heads() && oracle.fields() == ours.fields() {
        Ok(())
    } else {
        Err("the new state is not what Automerge makes of the accepted changes".to_owned())
    }
}

/// A phone with unsent work of its own takes what the server accepted, as changes and as a snapshot alike.
fn check_phone(
    history: &History,
    batch: &Batch<'_>,
    accepted: &[&[u8]],
    admitted: &Admitted,
) -> Result<(), String> {
    let other = history.authors.iter().find(|a| a.device != batch.author.device && a.copy.is_some());
    let copy = other.and_then(|author| author.copy.as_deref()).or(history.base.as_deref());
    let tag = history.kind.tag();
    if copy.and_then(|bytes| Document::load(bytes).ok()).is_some_and(|copy| clashes(&copy, accepted)) {
        return Ok(());
    }
    let merged = admission::admit_snapshot(history.record, tag, copy, &admitted.snapshot)
        .map_err(|reason| format!("a phone cannot merge the accepted snapshot: {reason:?}"))?;
    let based = match (&history.base, copy) {
        (Some(base), Some(copy)) => admission::admit_snapshot(history.record, tag, Some(copy), base)
            .map(|admitted| Some(admitted.snapshot))
            .map_err(|reason| format!("a phone cannot merge the base: {reason:?}"))?,
        (_, copy) => copy.map(<[u8]>::to_vec),
    };
    let taken = admission::admit(history.record, tag, based.as_deref(), accepted, &Origin::Server);
    let refused = taken.verdicts.iter().find(|v| !matches!(v, Verdict::Accepted | Verdict::Duplicate));
    if let Some(verdict) = refused {
        return Err(format!("a phone refuses what the server accepted: {verdict:?}"));
    }
    let heads = taken.admitted.map_or_else(
        || based.and_then(|bytes| Document::load(&bytes).ok()).map(|document| document.heads()),
        |admitted| Some(admitted.heads),
    );
    if heads.as_ref() == Some(&merged.heads) {
        Ok(())
    } else {
        Err("changes and snapshot lead a phone to different states".to_owned())
    }
}

/// Whether a change was made twice: the copy holds another one of the same author and number, or another first one.
fn clashes(copy: &Document, accepted: &[&[u8]]) -> bool {
    let known: BTreeSet<_> = copy.history().into_iter().map(|facts| (facts.actor, facts.seq)).collect();
    accepted.iter().filter_map(|raw| FlatChange::read(raw).ok()).any(|change| {
        let twin = known.contains(&(change.actor, change.seq)) || change.deps.is_empty();
        twin && !copy.has(&change.hash)
    })
}

/// The next honest edit works on the new state, and is accepted itself.
fn check_edit_on_top(
    history: &History,
    author: &Author,
    admission: &Admission,
    loaded: &Document,
) -> Result<(), String> {
    let mut document = loaded.clone();
    let fresh = Actor::new(author.device, [0xee; 4]);
    let mut fields: Fields = document
        .fields()
        .into_keys()
        .filter(|key| {
            let field = history.kind.schema().field_of_key(key);
            field.is_none_or(|(field, _)| field.policy == gridwalk_model::FieldPolicy::Free)
        })
        .map(|key| (key, Value::from("on top")))
        .collect();
    fields.insert("note".to_owned(), Value::from("on top"));
    let change = match document.edit(&fields, fresh, Timestamp::from_millis(1)) {
        Ok(Some(change)) => change,
        Ok(None) => return Err("an edit on top changes nothing".to_owned()),
        Err(gridwalk_replica::DocumentError::Full { .. }) => return Ok(()),
        Err(error) => return Err(format!("an edit on top fails: {error}")),
    };
    let saved = Document::load(&document.save()).map_err(|e| format!("edited on top, not loadable: {e}"))?;
    if saved.heads() != document.heads() {
        return Err("an edit on top does not survive saving".to_owned());
    }
    let Some(admitted) = &admission.admitted else { return Ok(()) };
    let next = admission::admit(
        history.record,
        history.kind.tag(),
        Some(&admitted.snapshot),
        &[&change.raw],
        &author.origin(),
    );
    match next.verdicts.as_slice() {
        [Verdict::Accepted] => Ok(()),
        other => Err(format!("the next honest edit is not accepted: {other:?}")),
    }
}

/// Refusals leave no trace: the honest changes of the batch fare as they would have fared alone, unless a mutant
/// that was itself acceptable stands in their way.
fn check_honest_part(history: &History, batch: &Batch<'_>, whole: &Admission) -> Result<(), String> {
    let mutant_accepted = whole
        .verdicts
        .iter()
        .enumerate()
        .any(|(index, verdict)| *verdict == Verdict::Accepted && !batch.honest.contains(&index));
    if mutant_accepted || batch.honest.is_empty() {
        return Ok(());
    }
    let honest = |index: &usize| batch.raws.get(*index).map(Vec::as_slice);
    let raws: Vec<&[u8]> = batch.honest.iter().filter_map(honest).collect();
    let alone = offer(history, &raws, &batch.origin);
    let in_batch: Vec<&Verdict> =
        batch.honest.iter().filter_map(|index| whole.verdicts.get(*index)).collect();
    let same = in_batch.iter().zip(&alone.verdicts).all(|(together, alone)| {
        *together == alone || matches!((together, alone), (Verdict::BlockedBy(_), Verdict::MissingDeps))
    });
    let heads = |admission: &Admission| admission.admitted.as_ref().map(|admitted| admitted.heads.clone());
    if same && heads(whole) == heads(&alone) {
        Ok(())
    } else {
        Err(format!(
            "refused changes altered the fate of honest ones: {in_batch:?}, alone {:?}",
            alone.verdicts
        ))
    }
}

/// A device that nobody enrolled offers a change: refused without a word about the record.
pub fn stranger(history: &History) -> Result<(), String> {
    let device = DeviceId::from_bytes([0x77; 12]);
    let Some(author) = history.authors.first() else { return Ok(()) };
    let Origin::Device { sender, .. } = author.origin() else { return Ok(()) };
    let raws: Vec<&[u8]> = author.unsent.iter().map(Vec::as_slice).collect();
    let admission = offer(history, &raws, &Origin::Device { device, sender });
    if admission.admitted.is_none() { Ok(()) } else { Err("a stranger's changes were accepted".to_owned()) }
}
