//! Random work on two phones, then everything in the tray is settled at random: it empties, and the phones agree.

use std::collections::BTreeMap;

use gridwalk_model::records::Dwelling;
use gridwalk_model::{Fields, Value};
use proptest::prelude::*;

use super::tests::refuse;
use super::*;
use crate::store::RefusedReason;
use crate::sync::tests::Phone;
use crate::testkit::{Script, at, dwelling, fields, stream};

const HOMES: usize = 3;

#[derive(Clone, Debug)]
enum Random {
    Edit { phone: usize, home: usize, field: usize, value: usize },
    Remove { phone: usize, home: usize },
    Restore { phone: usize, home: usize },
    Refuse { phone: usize, home: usize, field: usize, value: usize },
    Sync(usize),
}

fn random() -> impl Strategy<Value = Random> {
    let (phone, home, field, value) = (|| 0..2usize, || 0..HOMES, || 0..2usize, || 0..3usize);
    prop_oneof![
        6 => (phone(), home(), field(), value())
            .prop_map(|(phone, home, field, value)| Random::Edit { phone, home, field, value }),
        2 => (phone(), home()).prop_map(|(phone, home)| Random::Remove { phone, home }),
        1 => (phone(), home()).prop_map(|(phone, home)| Random::Restore { phone, home }),
        1 => (phone(), home(), field(), value())
            .prop_map(|(phone, home, field, value)| Random::Refuse { phone, home, field, value }),
        2 => phone().prop_map(Random::Sync),
    ]
}

/// A settlement that the item has, by a number.
fn choice(item: &TrayItem, n: usize) -> Settlement {
    match item.acts[n % item.acts.len()] {
        TrayAct::Choose => Settlement::Choose(item.values[n % item.values.len()].value.clone()),
        TrayAct::WriteAgain if matches!(item.key, TrayKey::Conflict { .. }) => {
            Settlement::WriteAgain(Some(Value::from(["vacant", "occupied"][n % 2])))
        }
        TrayAct::WriteAgain => Settlement::WriteAgain(None),
        TrayAct::GiveUp => Settlement::GiveUp,
        TrayAct::Keep => Settlement::Keep,
        TrayAct::Remove => Settlement::Remove,
        TrayAct::Noted => Settlement::Noted,
        TrayAct::Retry => Settlement::Retry,
        TrayAct::ThrowAway => Settlement::ThrowAway,
        TrayAct::KeepWaiting | TrayAct::FillIn => Settlement::KeepWaiting,
    }
}

fn decisions(store: &Store) -> Vec<TrayItem> {
    let mut tray = store.tray(at(5_000)).unwrap();
    tray.retain(|item| !matches!(item.key, TrayKey::Unsent { .. }));
    tray
}

fn shown(store: &Store, homes: &[RecordId]) -> BTreeMap<RecordId, Fields> {
    homes.iter().map(|home| (*home, store.fields(*home).unwrap().unwrap().1)).collect()
}

fn perform(phones: &mut [Phone; 2], server: &mut Script, homes: &[RecordId], step: &Random, now: i64) {
    const FIELDS: [&str; 2] = ["occupancy", "remarks"];
    const VALUES: [&str; 3] = ["vacant", "occupied", "unknown"];
    match *step {
        Random::Edit { phone, home, field, value } => {
            let patch = fields(&[(FIELDS[field], VALUES[value])]);
            phones[phone].store.edit(homes[home], &patch, at(now)).unwrap();
        }
        Random::Remove { phone, home } => {
            phones[phone].store.remove(homes[home], at(now)).unwrap();
        }
        Random::Restore { phone, home } => {
            phones[phone].store.edits(at(now), |edits| edits.restore(homes[home])).unwrap();
        }
        Random::Refuse { phone, home, field, value } => {
            let wrote = [(FIELDS[field], Value::from(VALUES[value]))];
            let store = &mut phones[phone].store;
            refuse(store, homes[home], "dwelling", &wrote, RefusedReason::ChangedMeanwhile);
        }
        Random::Sync(phone) => {
            phones[phone].sync(server, at(now));
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 32, ..ProptestConfig::default() })]

    #[test]
    fn settling_empties_the_tray_and_the_phones_agree(
        steps in prop::collection::vec(random(), 1..25),
        choices in prop::collection::vec(0..6usize, 1..12),
        undo in any::<bool>(),
    ) {
        let mut server = Script::new();
        let mut phones = [Phone::joined(1, &mut server), Phone::joined(2, &mut server)];
        let homes: Vec<RecordId> = (0..HOMES)
            .map(|n| phones[0].store.create(&dwelling("3号楼", &n.to_string()), at(1)).unwrap())
            .collect();
        for (n, phone) in [0usize, 1].into_iter().enumerate() {
            phones[phone].sync(&mut server, at(2 + n as i64));
        }
        for (n, step) in steps.iter().enumerate() {
            perform(&mut phones, &mut server, &homes, step, 10 + n as i64);
        }
        let mut now = 1_000;
        let mut choices = choices.into_iter().cycle();
        for phone in [0, 1, 0, 1] {
            now += 1;
            phones[phone].sync(&mut server, at(now));
        }
        for phone in [0usize, 1] {
            while let Some(item) = decisions(&phones[phone].store).first().cloned() {
                now += 1;
                let how = choice(&item, choices.next().unwrap_or(0));
                let before = shown(&phones[phone].store, &homes);
                let taken = phones[phone].store.settle(&item.key, how, at(now)).unwrap();
                let left = decisions(&phones[phone].store);
                prop_assert!(left.iter().all(|other| other.key != item.key), "{item:?}");
                if undo {
                    // Nobody wrote in between: it can be taken back, and the same fields say what they said.
                    phones[phone].store.undo_settlement(taken, at(now)).unwrap();
                    let back = shown(&phones[phone].store, &homes);
                    for (home, fields) in &before {
                        for field in ["occupancy", "remarks"] {
                            let said = |all: &Fields| all.get(field).filter(|value| !value.is_null()).cloned();
                            prop_assert_eq!(said(&back[home]), said(fields));
                        }
                    }
                    let again = decisions(&phones[phone].store);
                    if let Some(again) = again.iter().find(|other| other.key == item.key || other.values == item.values) {
                        let how = choice(again, 1);
                        phones[phone].store.settle(&again.key, how, at(now)).unwrap();
                    }
                }
            }
            for other in [phone, 1 - phone] {
                now += 1;
                phones[other].sync(&mut server, at(now));
            }
        }
        for phone in [0usize, 1, 0, 1] {
            now += 1;
            phones[phone].sync(&mut server, at(now));
        }
        for phone in &phones {
            prop_assert_eq!(phone.store.tray(at(now)).unwrap(), vec![]);
            prop_assert_eq!(phone.waiting(), 0);
        }
        let [a, b] = &phones;
        prop_assert_eq!(a.store.fingerprints(&stream()).unwrap(), b.store.fingerprints(&stream()).unwrap());
        prop_assert_eq!(shown(&a.store, &homes), shown(&b.store, &homes));
        let listed = |phone: &Phone| {
            let entries = phone.store.list::<Dwelling>(None, 9).unwrap().entries;
            entries.into_iter().map(|entry| entry.id).collect::<Vec<_>>()
        };
        prop_assert_eq!(listed(a), listed(b));
    }
}
