//! Which records are one person: a duplicate that was merged stands for nobody, the record that it was merged into
//! stands for both.

use std::collections::BTreeSet;

use gridwalk_model::{Kind, RecordId, Value, doors};

use crate::error::DeviceError;
use crate::store::{Listed, View};

const INTO: &str = "merged_into";

/// The record that stands for a person; `id` itself for a record that was not merged, or is of another kind.
///
/// # Errors
/// Failures of SQLite.
pub(in crate::work) fn standing_for(view: View<'_>, id: RecordId) -> Result<RecordId, DeviceError> {
    doors::canonical(id, |at| merged_into(view, at))
}

/// Into which record one was merged, if both are here and shown.
fn merged_into(view: View<'_>, id: RecordId) -> Result<Option<RecordId>, DeviceError> {
    let Some(listed) = shown_resident(view, id)? else { return Ok(None) };
    let Some(to) = listed.fields.get(INTO).and_then(Value::as_link) else { return Ok(None) };
    Ok(shown_resident(view, to)?.map(|target| target.id))
}

fn shown_resident(view: View<'_>, id: RecordId) -> Result<Option<Listed>, DeviceError> {
    Ok(view.shown(id)?.filter(|listed| listed.kind == Kind::Resident.tag()))
}

/// A record and all that were merged into it, directly or not: all records of a person, if it is the one that stands
/// for them.
///
/// # Errors
/// Failures of SQLite.
pub(in crate::work) fn merged_with(
    view: View<'_>,
    standing: RecordId,
) -> Result<BTreeSet<RecordId>, DeviceError> {
    reached(standing, |at| match shown_resident(view, at)? {
        Some(_) => Ok(view.list_linked(Kind::Resident.tag(), INTO, at)?.iter().map(id_of).collect()),
        // Nobody can be merged into what is not here: those who were stand for themselves until it is.
        None => Ok(Vec::new()),
    })
}

/// [`merged_with`] of a record that is known to be shown. Most people have one, and are settled with one look.
///
/// # Errors
/// Failures of SQLite.
pub(in crate::work) fn records_of_shown(
    view: View<'_>,
    standing: RecordId,
) -> Result<BTreeSet<RecordId>, DeviceError> {
    if view.list_linked(Kind::Resident.tag(), INTO, standing)?.is_empty() {
        return Ok(BTreeSet::from([standing]));
    }
    merged_with(view, standing)
}

/// All records that merges tie to this one, in whichever direction and also through records that are shown no more:
/// whatever an edit of one of them may change.
///
/// # Errors
/// Failures of SQLite.
pub(in crate::work) fn tied_to(view: View<'_>, id: RecordId) -> Result<BTreeSet<RecordId>, DeviceError> {
    reached(id, |at| {
        let shown = view.shown(at)?;
        let into = shown.as_ref().and_then(|listed| listed.fields.get(INTO)).and_then(Value::as_link);
        let merged = view.list_linked(Kind::Resident.tag(), INTO, at)?;
        Ok(into.into_iter().chain(merged.iter().map(id_of)).collect())
    })
}

const fn id_of(listed: &Listed) -> RecordId {
    listed.id
}

/// Everything to which `next` leads from a record, directly or not, and the record itself.
fn reached(
    from: RecordId,
    mut next: impl FnMut(RecordId) -> Result<Vec<RecordId>, DeviceError>,
) -> Result<BTreeSet<RecordId>, DeviceError> {
    let mut out = BTreeSet::from([from]);
    let mut open = vec![from];
    while let Some(at) = open.pop() {
        for one in next(at)? {
            if out.insert(one) {
                open.push(one);
            }
        }
    }
    Ok(out)
}

#[cfg(test)]
mod tests {
    use gridwalk_model::Fields;
    use proptest::prelude::*;

    use super::*;
    use crate::store::Commit;
    use crate::testkit::{at, resident, store};

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]

        /// Whatever was merged, in rings too, taken back, restored or sent away: the records that stand for a person are
        /// those of which each says that it is this person.
        #[test]
        fn the_records_of_a_person_are_those_that_lead_to_them(
            acts in prop::collection::vec((0u8..5, 0usize..5, 0usize..5), 0..14),
        ) {
            let mut store = store(1);
            let people: Vec<RecordId> =
                (0..5).map(|n| store.create(&resident("样例", &n.to_string()), at(n)).unwrap()).collect();
            for (what, one, other) in acts {
                let (one, other) = (people[one], people[other]);
                let mut edit = |value| drop(store.edit(one, &Fields::from([(INTO.to_owned(), value)]), at(9)));
                match what {
                    0 | 1 => edit(Value::from(other)),
                    2 => drop(store.remove(one, at(9))),
                    3 => drop(store.edits(at(9), |edits| edits.restore(one))),
                    _ => store.write(Commit::Apply, |tx| tx.drop_record(one)).unwrap(),
                }
            }
            let view = store.view();
            for person in &people {
                let stands = standing_for(view, *person).unwrap();
                let theirs: BTreeSet<RecordId> = people
                    .iter()
                    .filter(|one| standing_for(view, **one).unwrap() == stands)
                    .copied()
                    .collect();
                prop_assert_eq!(merged_with(view, stands).unwrap(), theirs);
            }
        }
    }
}
