//! Search by name, part of an address, digits, sound, need, with a mistake.

use gridwalk_model::categories::STARTER_CATEGORIES;
use gridwalk_model::records::care_tag::{CareTag, Need};
use gridwalk_model::voice::{VoiceFormat, VoiceRef};
use gridwalk_model::{ContentHash, Fields, Kind, RecordId, Value};
use proptest::prelude::*;

use crate::store::sound::Sound;
use crate::store::{SearchHit, Store, Tier};
use crate::testkit::{GRID, at, dwelling, fields, resident, store};

fn names(store: &Store, text: &str) -> Vec<String> {
    let page = store.find(text, &[Kind::Resident], None, 50, true).unwrap();
    page.hits.iter().map(|hit| hit.fields["name"].as_text().unwrap().to_owned()).collect()
}

fn found(store: &Store, text: &str) -> Vec<(Tier, String)> {
    let tell = |hit: SearchHit| (hit.tier, hit.fields["name"].as_text().unwrap().to_owned());
    store.find(text, &[Kind::Resident], None, 50, true).unwrap().hits.into_iter().map(tell).collect()
}

fn named(names: &[&str]) -> Store {
    let mut store = store(1);
    for name in names {
        store.create(&resident(name, "13800001234"), at(1)).unwrap();
    }
    store
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
    store.edit(id, &fields(&[("name", "章敏")]), at(2)).unwrap();
    assert_eq!(names(&store, "张伟"), ["张伟国", "小张伟"]);
    assert_eq!(names(&store, "章敏"), ["章敏"]);
    assert_eq!(names(&store, "00001234"), ["章敏"]);
    store.remove(id, at(3)).unwrap();
    assert_eq!(names(&store, "章敏"), [""; 0]);
    store.edits(at(4), |edits| edits.restore(id)).unwrap();
    assert_eq!(names(&store, "章敏"), ["章敏"]);
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

#[test]
fn names_are_found_by_full_pinyin_by_initials_and_by_both_together() {
    let store = named(&["张伟", "张伟国", "王张伟", "吕娜", "单丽", "欧阳娜娜"]);
    let tier = |tier: Tier, names: &[&str]| -> Vec<(Tier, String)> {
        names.iter().map(|name| (tier, (*name).to_owned())).collect()
    };
    let is = |text: &str, tiers: &[(Tier, &[&str])]| {
        let wanted: Vec<_> = tiers.iter().flat_map(|(t, names)| tier(*t, names)).collect();
        assert_eq!(found(&store, text), wanted, "{text}");
    };
    is(
        "zhangwei",
        &[(Tier::SoundExact, &["张伟"]), (Tier::SoundPrefix, &["张伟国"]), (Tier::Part, &["王张伟"])],
    );
    is(
        "ZHANG Wei",
        &[(Tier::SoundExact, &["张伟"]), (Tier::SoundPrefix, &["张伟国"]), (Tier::Part, &["王张伟"])],
    );
    is("zw", &[(Tier::SoundExact, &["张伟"]), (Tier::SoundPrefix, &["张伟国"])]);
    is("zwg", &[(Tier::SoundExact, &["张伟国"])]);
    is("zhangweig", &[(Tier::SoundPrefix, &["张伟国"]), (Tier::Typo, &["张伟"])]);
    is("zweig", &[(Tier::SoundPrefix, &["张伟国"])]);
    is("zhwg", &[(Tier::SoundPrefix, &["张伟国"])]);
    is("张wg", &[(Tier::SoundPrefix, &["张伟国"])]);
    is("zhang伟", &[(Tier::SoundPrefix, &["张伟", "张伟国"]), (Tier::Part, &["王张伟"])]);
    is("张w", &[(Tier::SoundPrefix, &["张伟", "张伟国"]), (Tier::Part, &["王张伟"])]);
    is("weiguo", &[(Tier::Part, &["张伟国"])]);
    is("lvna", &[(Tier::SoundExact, &["吕娜"])]);
    is("lüna", &[(Tier::SoundExact, &["吕娜"])]);
    is("shanli", &[(Tier::SoundExact, &["单丽"])]);
    is("oynn", &[(Tier::SoundExact, &["欧阳娜娜"])]);
    is("ouyang", &[(Tier::SoundPrefix, &["欧阳娜娜"])]);
    is("xyz", &[]);
}

#[test]
fn one_mistaken_character_or_letter_is_forgiven() {
    let store = named(&["李芳静", "张伟", "欧阳娜娜", "John Smith"]);
    for (text, name) in [
        ("李方静", "李芳静"),
        ("里芳静", "李芳静"),
        ("李芳景", "李芳静"),
        ("李静芳", "李芳静"),
        ("李静", "李芳静"),
        ("李小芳静", "李芳静"),
        ("章炜", "张伟"),
        ("欧阳娜", "欧阳娜娜"),
        ("欧羊娜娜", "欧阳娜娜"),
        ("zhangwie", "张伟"),
        ("zhanwei", "张伟"),
        ("zhaangwei", "张伟"),
        ("zhangwel", "张伟"),
        ("lifangjin", "李芳静"),
        ("smoth", "John Smith"),
        ("jhon", "John Smith"),
    ] {
        assert_eq!(names(&store, text), [name], "{text}");
    }
    for text in ["张三", "王小静", "13800001235", "zhangli", "smmtth"] {
        assert_eq!(names(&store, text), [""; 0], "{text}");
    }
    assert_eq!(found(&store, "李方静"), [(Tier::Typo, "李芳静".to_owned())]);
}

#[test]
fn exact_comes_before_prefix_before_typo() {
    let store = named(&["陈明哗", "陈明华东", "陈明华", "小陈明华"]);
    assert_eq!(
        found(&store, "陈明华"),
        [
            (Tier::Exact, "陈明华".to_owned()),
            (Tier::Prefix, "陈明华东".to_owned()),
            (Tier::Part, "小陈明华".to_owned()),
            (Tier::Typo, "陈明哗".to_owned()),
        ]
    );
}

#[test]
fn parts_of_an_address_are_found_in_any_order() {
    let mut store = store(1);
    let mut door = dwelling("3号楼", "501");
    door.estate = Some("阳光里".into());
    let id = store.create(&door, at(1)).unwrap();
    for room in ["502", "1501"] {
        let mut other = dwelling("4号楼", room);
        other.estate = Some("海景苑".into());
        store.create(&other, at(1)).unwrap();
    }
    for text in [
        "阳光里 3号楼",
        "3号楼 阳光",
        "501 阳光里",
        "501 3号楼 阳光里",
        "阳光 501",
        "ygl 501",
        "501 yangguang",
    ] {
        let page = store.search(text, &[], None, 9).unwrap();
        assert_eq!(page.hits.iter().map(|hit| hit.id).collect::<Vec<_>>(), [id], "{text}");
    }
    assert_eq!(store.search("洋光里3号楼", &[], None, 9).unwrap().hits[0].tier, Tier::Typo);
    assert!(store.search("阳光里8号楼", &[], None, 9).unwrap().hits.is_empty(), "another door");
}

#[test]
fn people_are_found_by_the_needs_of_their_care_tags() {
    let mut store = store(1);
    let ids: Vec<RecordId> = ["王大爷", "李奶奶", "赵一"]
        .iter()
        .map(|name| store.create(&resident(name, "13800001234"), at(1)).unwrap())
        .collect();
    let mut tags = Vec::new();
    for (person, need) in
        [(0, Need::LivingAlone), (1, Need::LivingAlone), (0, Need::Aged80), (0, Need::LivingAlone)]
    {
        let tag = CareTag {
            resident: ids[person],
            need,
            service: "上门探访".into(),
            purpose: "虚构".into(),
            approver: GRID,
            from: jiff::civil::date(2026, 1, 1),
            until: jiff::civil::date(2026, 12, 31),
        };
        tags.push(store.create(&tag, at(2)).unwrap());
    }
    assert_eq!(found(&store, "独居").iter().map(|(tier, _)| *tier).collect::<Vec<_>>(), [Tier::Need; 2]);
    assert_eq!(names(&store, "独居老人"), ["王大爷", "李奶奶"]);
    assert_eq!(names(&store, "duju"), ["王大爷", "李奶奶"]);
    assert_eq!(names(&store, "高龄 独居"), ["王大爷"; 0], "one tag names one need");
    assert_eq!(names(&store, "独居 李"), ["李奶奶"]);
    assert_eq!(store.find("独居", &[Kind::Dwelling], None, 9, true).unwrap().hits.len(), 0);
    assert_eq!(store.search("独居", &[], None, 9).unwrap().hits.len(), 0, "not without a purpose");
    store.remove(tags[1], at(3)).unwrap();
    assert_eq!(names(&store, "独居"), ["王大爷"]);
    store.remove(ids[0], at(4)).unwrap();
    assert_eq!(names(&store, "独居"), [""; 0], "nothing of a removed person");
}

#[test]
fn nothing_of_a_removed_record_is_found() {
    let mut store = people();
    for hit in store.search("张", &[], None, 50).unwrap().hits {
        store.remove(hit.id, at(9)).unwrap();
    }
    for text in ["张伟", "张", "zhangwei", "zw", "zhang伟", "138", "00001234", "张围", "zhangwie", "张伟锅"]
    {
        let left = names(&store, text);
        assert!(left.iter().all(|name| !name.contains('张')), "{text}: {left:?}");
    }
    assert_eq!(store.search_rows_for_test(), 2, "no token is left of what was removed");
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

    /// Every record is found by every beginning of its name, of its name's pinyin and initials, and of its number.
    #[test]
    fn every_record_is_found_by_every_prefix_of_its_tokens(
        people in prop::collection::vec(("[王李张刘陈杨曾单吕欧阳赵]{1,2}", "[伟芳娜静丽强磊长乐晟]{1,2}", "1[0-9]{10}"), 1..12),
        removed in 0usize..12,
    ) {
        let mut store = store(1);
        let mut kept = Vec::new();
        for (n, (surname, given, phone)) in people.iter().enumerate() {
            let name = format!("{surname}{given}");
            let id = store.create(&resident(&name, phone), at(1)).unwrap();
            if n == removed {
                store.remove(id, at(2)).unwrap();
            } else {
                kept.push((id, name, phone.clone()));
            }
        }
        for (id, name, phone) in kept {
            let sound = Sound::of(&name).unwrap();
            let mut texts = sound.full();
            texts.extend(sound.initials());
            texts.extend([name.clone(), phone]);
            for text in texts {
                let least = if text.starts_with('1') { 3 } else { 1 };
                for length in least..=text.chars().count() {
                    let prefix: String = text.chars().take(length).collect();
                    let page = store.search(&prefix, &[], None, 50).unwrap();
                    let told = page.hits.iter().filter(|hit| hit.id == id).count();
                    prop_assert_eq!(told, 1, "{} by {}", name, prefix);
                    prop_assert!(page.hits.is_sorted_by_key(|hit| hit.tier));
                }
            }
        }
    }
}

#[test]
fn events_are_found_by_category_and_by_what_was_said_and_visits_by_their_notes() {
    let mut store = store(1);
    let voice = VoiceRef {
        hash: ContentHash::from_bytes([7; 32]),
        bytes: 1,
        millis: 900,
        format: VoiceFormat::Opus,
        recorded_at: at(1),
        transcript: Some("井盖在三号楼东边（虚构）".into()),
        signature: None,
        link: None,
    };
    let (category, label) = STARTER_CATEGORIES.first().map(|first| (first.code, first.zh)).unwrap();
    let mut event = fields(&[("category", category), ("address", "东门")]);
    event.insert("area".into(), Value::from(GRID));
    let element = RecordId::from_bytes([9; 16]).to_hex();
    event.insert(format!("voices/{element}"), Value::Bytes(voice.to_bytes()));
    let event = store.edits(at(1), |edits| edits.create_fields(Kind::Event, &event)).unwrap();
    let home = store.create(&dwelling("3", "501"), at(1)).unwrap();
    let user = store.identity().unwrap().user;
    let visit = Fields::from([
        ("target".into(), Value::from(home)),
        ("by".into(), Value::from(user)),
        ("at".into(), Value::Time(at(1))),
        ("result".into(), Value::from("met")),
        ("note".into(), Value::from("灯泡已更换")),
    ]);
    let visit = store.edits(at(1), |edits| edits.create_fields(Kind::Visit, &visit)).unwrap();
    let ids = |text: &str| {
        let hits = store.search(text, &[], None, 9).unwrap().hits;
        hits.into_iter().map(|hit| hit.id).collect::<Vec<_>>()
    };
    assert_eq!(ids(label), [event]);
    assert_eq!(ids("三号楼"), [event]);
    assert_eq!(ids("灯泡"), [visit]);
}
