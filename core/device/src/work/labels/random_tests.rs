//! Labels that are made, voided, restored and replaced on two phones at random.

use std::collections::BTreeMap;

use gridwalk_model::RecordId;
use gridwalk_model::label::LabelToken;
use gridwalk_model::records::{Label, Place, Record};
use proptest::prelude::*;

use super::*;
use crate::edit::Entry;
use crate::store::Store;
use crate::sync::tests::Phone;
use crate::testkit::{GRID, Script, at, dwelling, fields, stream};

/// Numbers are taken round by round from what there is.
#[derive(Clone, Copy, Debug)]
enum Step {
    Make(usize),
    Replace(usize),
    Void(usize),
    Restore(usize),
    /// The door or place is kept no more, or is again.
    Keep(usize, bool),
    Sync,
}

fn step() -> impl Strategy<Value = (usize, Step)> {
    let what = prop_oneof![
        4 => (0usize..4).prop_map(Step::Make),
        3 => (0usize..4).prop_map(Step::Replace),
        4 => (0usize..12).prop_map(Step::Void),
        4 => (0usize..12).prop_map(Step::Restore),
        1 => (0usize..3, any::<bool>()).prop_map(|(thing, kept)| Step::Keep(thing, kept)),
        3 => Just(Step::Sync),
    ];
    (0usize..2, what)
}

struct World {
    server: Script,
    phones: [Phone; 2],
    /// Two doors, a shop, and the building of the doors.
    things: [HangsOn; 4],
    records: [RecordId; 3],
    /// What every token was made for, wherever that was.
    made: BTreeMap<LabelToken, usize>,
}

fn world() -> World {
    let mut server = Script::new();
    let mut phones = [Phone::joined(1, &mut server), Phone::joined(2, &mut server)];
    let mut shop = fields(&[("name", "示例小吃店（虚构）"), ("category", "small_restaurant")]);
    shop.insert("area".into(), gridwalk_model::Value::from(GRID));
    let store = &mut phones[0].store;
    let records = [
        store.create(&dwelling("3号楼", "501"), at(1)).unwrap(),
        store.create(&dwelling("3号楼", "502"), at(1)).unwrap(),
        store.create(&Place::from_fields(&shop).unwrap(), at(1)).unwrap(),
    ];
    let building = HangsOn::Building { estate: "阳光里".into(), building: "3号楼".into() };
    let [a, b, c] = records.map(HangsOn::Record);
    for phone in &mut phones {
        phone.sync(&mut server, at(2));
    }
    World { server, phones, things: [a, b, c, building], records, made: BTreeMap::new() }
}

fn labels(store: &Store) -> Vec<Entry<Label>> {
    let mut labels = store.list::<Label>(None, usize::MAX).unwrap().entries;
    labels.sort_by_key(|entry| entry.id);
    labels
}

impl World {
    /// What a token shows on a phone; for what opens, that it is what the token was made for.
    fn scanned(&self, phone: usize, token: LabelToken) -> ScannedLabel {
        let scanned = self.phones[phone].store.scan_label(&token.url("https://grid.example")).unwrap();
        let made_for = &self.things[self.made[&token]];
        match &scanned {
            ScannedLabel::Door { dwelling: target, .. } | ScannedLabel::Place { place: target, .. } => {
                assert_eq!(*made_for, HangsOn::Record(*target), "a token opens something else");
            }
            ScannedLabel::Building { estate, building, .. } => {
                let opens = HangsOn::Building { estate: estate.clone(), building: building.clone() };
                assert_eq!(*made_for, opens, "a token opens something else");
            }
            ScannedLabel::Void { .. } | ScannedLabel::NotHere => {}
            ScannedLabel::NotALabel => panic!("a token of this system"),
        }
        scanned
    }

    fn is_kept(&self, phone: usize, thing: usize) -> bool {
        let listed = |record: &RecordId| self.phones[phone].store.view().listed(*record).unwrap().unwrap();
        let gone = |record: &RecordId| crate::work::doors::is_gone(&listed(record));
        self.records.get(thing).is_none_or(|record| !gone(record))
    }

    /// Every token shows on the phone what its record says there.
    fn check(&self, phone: usize) {
        let known: BTreeMap<LabelToken, Entry<Label>> = labels(&self.phones[phone].store)
            .into_iter()
            .map(|entry| (entry.record.token.parse().unwrap(), entry))
            .collect();
        for (token, thing) in &self.made {
            let scanned = self.scanned(phone, *token);
            match known.get(token) {
                None => assert_eq!(scanned, ScannedLabel::NotHere),
                Some(entry) if entry.record.voided_at.is_some() || !self.is_kept(phone, *thing) => {
                    let (label, target) = (entry.id, entry.record.target);
                    assert_eq!(scanned, ScannedLabel::Void { label, target }, "a void label is told as void");
                }
                Some(_) => assert!(scanned.opens(), "a good label opens: {scanned:?}"),
            }
        }
        assert!(known.keys().all(|token| self.made.contains_key(token)));
    }

    /// Whether the door, the shop or a door of the building is kept.
    fn can_hang(&self, phone: usize, thing: usize) -> bool {
        let one_of = if thing == 3 { 0..2 } else { thing..thing + 1 };
        one_of.into_iter().any(|record| self.is_kept(phone, record))
    }

    /// The good labels of a thing on a phone.
    fn good(&self, phone: usize, thing: usize) -> Vec<RecordId> {
        let of_thing = |entry: &Entry<Label>| {
            entry.record.voided_at.is_none()
                && self.made[&entry.record.token.parse::<LabelToken>().unwrap()] == thing
        };
        labels(&self.phones[phone].store).into_iter().filter(of_thing).map(|entry| entry.id).collect()
    }

    fn label(&self, phone: usize, n: usize) -> Option<Entry<Label>> {
        let all = labels(&self.phones[phone].store);
        (!all.is_empty()).then(|| all[n % all.len()].clone())
    }

    /// Makes or replaces.
    fn hang(&mut self, phone: usize, thing: usize, replace: bool, now: i64) {
        let before = self.good(phone, thing);
        let store = &mut self.phones[phone].store;
        let on = &self.things[thing];
        let made = if replace { store.replace_label(on, at(now)) } else { store.make_label(on, at(now)) };
        assert_eq!(made.is_ok(), self.can_hang(phone, thing), "{made:?}");
        let Ok(made) = made else { return };
        if made.made {
            assert_eq!(self.made.insert(made.token, thing), None, "a token is given once");
        }
        assert_eq!(self.made[&made.token], thing);
        assert_eq!(made.made, replace || before.is_empty(), "another one only where there is none");
        let after = self.good(phone, thing);
        if replace {
            assert_eq!((after, made.replaced), (vec![made.label], before));
        } else {
            assert!(after.contains(&made.label) && before.iter().all(|label| after.contains(label)));
        }
    }

    fn perform(&mut self, phone: usize, step: Step, now: i64) {
        match step {
            Step::Make(thing) => self.hang(phone, thing, false, now),
            Step::Replace(thing) => self.hang(phone, thing, true, now),
            Step::Void(n) => {
                let Some(label) = self.label(phone, n) else { return };
                let was_good = label.record.voided_at.is_none();
                assert_eq!(self.phones[phone].store.void_label(label.id, at(now)).unwrap(), was_good);
                let after = self.phones[phone].store.get::<Label>(label.id).unwrap().unwrap().record;
                assert_eq!(after.voided_at, label.record.voided_at.or(Some(at(now))));
            }
            Step::Restore(n) => {
                let Some(label) = self.label(phone, n) else { return };
                let was_void = label.record.voided_at.is_some();
                assert_eq!(self.phones[phone].store.restore_label(label.id, at(now)).unwrap(), was_void);
                let after = self.phones[phone].store.get::<Label>(label.id).unwrap().unwrap().record;
                assert_eq!(after, Label { voided_at: None, ..label.record });
            }
            Step::Keep(thing, kept) => {
                let record = self.records[thing];
                let store = &mut self.phones[phone].store;
                if kept {
                    store.edits(at(now), |edits| edits.restore(record)).unwrap();
                } else {
                    store.remove(record, at(now)).unwrap();
                }
            }
            Step::Sync => drop(self.phones[phone].sync(&mut self.server, at(now))),
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    /// Whatever two phones do with the labels of the same doors, whenever they synchronise: a token opens what it was
    /// made for or nothing, on every phone at every moment; a void one is told as void; in the end both phones show the
    /// same.
    #[test]
    fn a_token_opens_one_thing_and_two_phones_agree(steps in prop::collection::vec(step(), 1..40)) {
        let mut world = world();
        let mut now = 10;
        for (phone, step) in steps {
            now += 1;
            world.perform(phone, step, now);
            world.check(0);
            world.check(1);
        }
        for phone in [0usize, 1, 0] {
            now += 1;
            world.perform(phone, Step::Sync, now);
        }
        let [a, b] = &world.phones;
        prop_assert_eq!((a.waiting(), b.waiting()), (0, 0));
        prop_assert_eq!(a.store.fingerprints(&stream()).unwrap(), b.store.fingerprints(&stream()).unwrap());
        prop_assert_eq!(labels(&a.store), labels(&b.store));
        prop_assert_eq!(labels(&a.store).len(), world.made.len(), "every label has reached both");
        for token in world.made.keys() {
            prop_assert_eq!(world.scanned(0, *token), world.scanned(1, *token));
        }
        // One good label each, on both phones, is one replacement away.
        let kept: Vec<usize> = (0..4).filter(|thing| world.can_hang(0, *thing)).collect();
        for thing in kept {
            world.hang(0, thing, true, now + 1);
            let made = world.phones[0].store.make_label(&world.things[thing], at(now + 2)).unwrap();
            prop_assert!(!made.made);
            prop_assert_eq!(world.good(0, thing), vec![made.label]);
        }
        for phone in [0usize, 1] {
            world.perform(phone, Step::Sync, now + 3);
        }
        for thing in 0..4 {
            prop_assert_eq!(world.good(0, thing), world.good(1, thing));
        }
        world.check(0);
        world.check(1);
    }
}
