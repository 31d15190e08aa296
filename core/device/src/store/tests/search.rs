//! Search by name, part of an address, digits.

use gridwalk_model::{Kind, Value};
use proptest::prelude::*;

use crate::store::{Store, Tier};
use crate::testkit::{GRID, at, dwelling, fields, resident, store};

fn names(store: &Store, text: &str) -> Vec<String> {
    let page = store.search(text, &[Kind::Resident], None, 50).unwrap();
    page.hits.iter().map(|hit| hit.fields["name"].as_text().unwrap().to_owned()).collect()
}

fn people() -> Store {
    let mut store = store(1);
    for (name, phone) in [
        ("张伟", "13800001234"),
        ("张伟国", "13911112222"),
        ("小张伟", "13700003333"),
        ("李张", "15012345678"),
        ("John Smith", "18800000000"),
        ("欧阳娜娜", "+86 186-0000-9999"),
    ] {
        store.create(&resident(name, phone), at(1)).unwrap();
    }
    store
}

#[test]
fn exact_comes_before_prefix_before_part() {
    let store = people();
    assert_eq!(names(&store, "张伟"), ["张伟", "张伟国", "小张伟"]);
    let tiers: Vec<_> =
        store.search("张伟", &[], None, 9).unwrap().hits.into_iter().map(|hit| hit.tier).collect();
    assert_eq!(tiers, [Tier::Exact, Tier::Prefix, Tier::Part]);
    assert_eq!(names(&store, "张"), ["张伟", "张伟国", "小张伟", "李张"]);
    assert_eq!(names(&store, "阳娜"), ["欧阳娜娜"]);
    assert_eq!(names(&store, "smi"), ["John Smith"]);
    assert_eq!(names(&store, "JOHN"), ["John Smith"]);
    assert_eq!(names(&store, "王"), [""; 0]);
    assert_eq!(names(&store, " ，"), [""; 0]);
}

#[test]
fn any_three_digits_of_a_phone_find_it() {
    let store = people();
    let phone = "13800001234";
    for from in 0..phone.len() - 3 {
        for to in from + 3..=phone.len() {
            assert!(names(&store, &phone[from..to]).contains(&"张伟".to_owned()), "{}", &phone[from..to]);
        }
    }
    assert_eq!(names(&store, "18600009999"), ["欧阳娜娜"], "however it was written");
    assert_eq!(names(&store, "张 00001234"), ["张伟"], "both parts");
}

#[test]
fn edits_removals_and_kinds_are_followed() {
    let mut store = people();
    let id = store.search("张伟", &[], None, 1).unwrap().hits[0].id;
    store.edit(id, &fields(&[("name", "章炜")]), at(2)).unwrap();
    assert_eq!(names(&store, "张伟"), ["张伟国", "小张伟"]);
    assert_eq!(names(&store, "章炜"), ["章炜"]);
    assert_eq!(names(&store, "00001234"), ["章炜"]);
    store.remove(id, at(3)).unwrap();
    assert_eq!(names(&store, "章炜"), [""; 0]);
    store.edits(at(4), |edits| edits.restore(id)).unwrap();
    assert_eq!(names(&store, "章炜"), ["章炜"]);
    store.create(&dwelling("张伟楼", "1"), at(5)).unwrap();
    assert_eq!(store.search("张伟", &[Kind::Dwelling], None, 9).unwrap().hits.len(), 1);
    assert_eq!(store.search("张伟", &[], None, 9).unwrap().hits.len(), 3);
}

#[test]
fn places_and_events_are_found_by_their_texts() {
    let mut store = store(1);
    let mut place = fields(&[("name", "虚构便利店"), ("category", "shop"), ("phone", "0532-8888777")]);
    place.insert("area".into(), Value::from(GRID));
    let mut event = fields(&[
        ("category", "fire_safety"),
        ("description", "楼道堆放杂物，影响通行"),
        ("address", "东门"),
    ]);
    event.insert("area".into(), Value::from(GRID));
    store
        .edits(at(1), |edits| {
            edits.create_fields(Kind::Place, &place)?;
            edits.create_fields(Kind::Event, &event)
        })
        .unwrap();
    let kinds = |text: &str| -> Vec<String> {
        store.search(text, &[], None, 9).unwrap().hits.into_iter().map(|hit| hit.kind).collect()
    };
    assert_eq!(kinds("便利"), ["place"]);
    assert_eq!(kinds("05328888"), ["place"]);
    assert_eq!(kinds("0532-8888"), ["place"]);
    assert_eq!(kinds("堆放"), ["event"]);
    assert_eq!(kinds("杂物 影响"), ["event"]);
}

#[test]
fn pages_go_on_where_they_ended_and_tell_nothing_twice() {
    let mut store = store(1);
    for n in 0..60 {
        let name = match n % 3 {
            0 => "王芳".to_owned(),
            1 => format!("王芳{n}"),
            _ => format!("小王芳{n}"),
        };
        store.create(&resident(&name, "13800000000"), at(n)).unwrap();
    }
    for limit in [1, 7, 25, 100] {
        let mut seen = Vec::new();
        let mut cursor = None;
        loop {
            let page = store.search("王芳", &[Kind::Resident], cursor.as_ref(), limit).unwrap();
            assert!(page.hits.len() <= limit);
            seen.extend(page.hits.iter().map(|hit| (hit.tier, hit.id)));
            match page.next {
                Some(next) => cursor = Some(next),
                None => break,
            }
        }
        assert_eq!(seen.len(), 60, "pages of {limit}");
        assert!(seen.is_sorted_by_key(|(tier, _)| *tier));
        seen.sort();
        seen.dedup();
        assert_eq!(seen.len(), 60);
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    /// Any part of an address that begins with a Chinese character or a digit finds its door.
    #[test]
    fn any_part_of_an_address_finds_the_door(
        estate in "[阳光里海山河路村小区]{2,5}",
        building in 1u32..200,
        unit in 1u32..9,
        room in 1u32..3000,
        from in 0usize..20,
        length in 2usize..20,
    ) {
        let mut store = store(1);
        let mut door = dwelling(&format!("{building}号楼"), &format!("{room}室"));
        door.estate = Some(estate.clone());
        door.unit = Some(format!("{unit}单元"));
        let id = store.create(&door, at(1)).unwrap();
        let text: Vec<char> = format!("{estate}{building}号楼{unit}单元{room}室").chars().collect();
        let from = from.min(text.len() - 2);
        let part: String = text[from..text.len().min(from + length)].iter().collect();
        let page = store.search(&part, &[Kind::Dwelling], None, 9).unwrap();
        prop_assert_eq!(page.hits.iter().map(|hit| hit.id).collect::<Vec<_>>(), vec![id], "{}", part);
    }
}
