//! Search for what has no name of its own: orders, inspections, visits, services, by their texts and by what they are
//! about.

use gridwalk_model::{Fields, Kind, RecordId, Value};
use gridwalk_replica::{Actor, Document};

use crate::error::DeviceError;
use crate::keeping::KeepingLimits;
use crate::store::{Body, Commit, SearchCursor, SearchHit, Store, Tier};
use crate::testkit::{GRID, USER, at, device, dwelling, fields, resident, store};

struct World {
    store: Store,
    shop: RecordId,
    order: RecordId,
    inspection: RecordId,
    person: RecordId,
    service: RecordId,
    visit: RecordId,
    task: RecordId,
    event: RecordId,
}

fn with(texts: &[(&str, &str)], others: &[(&str, Value)]) -> Fields {
    let mut out = fields(texts);
    out.extend(others.iter().map(|(name, value)| ((*name).to_owned(), value.clone())));
    out
}

fn shop(store: &mut Store, name: &str) -> RecordId {
    let shop =
        with(&[("name", name), ("category", "shop"), ("address", "样例路1号")], &[("area", GRID.into())]);
    create(store, Kind::Place, &shop, 1)
}

/// Made on another device: phones may not make checklists.
fn checklist_record(store: &mut Store, fields: &Fields) -> RecordId {
    let id = RecordId::from_bytes([0xc1; 16]);
    let actor = Actor::new(device(9), [1; 4]);
    let (document, _) = Document::create(id, Kind::Checklist, fields, actor, at(0)).unwrap();
    let bytes = document.save();
    store
        .write(Commit::Edit, |tx| {
            let old = tx.record(id)?;
            tx.put_record(id, Kind::Checklist.tag(), old.as_ref(), &document, Body::Snapshot(&bytes))
        })
        .unwrap();
    id
}

fn create(store: &mut Store, kind: Kind, fields: &Fields, millis: i64) -> RecordId {
    store.edits(at(millis), |edits| edits.create_fields(kind, fields)).unwrap()
}

fn order(store: &mut Store, shop: RecordId, item: &str) -> (RecordId, RecordId) {
    let checklist = [("code", "x"), ("name", "九小场所检查清单"), ("name_en", "Small venues")];
    let checklist = with(&checklist, &[("version", Value::Int(1))]);
    let checklist = checklist_record(store, &checklist);
    let inspection = [
        ("place", shop.into()),
        ("checklist", checklist.into()),
        ("inspector", USER.into()),
        ("started_at", Value::Time(at(2))),
    ];
    let inspection = create(store, Kind::Inspection, &with(&[], &inspection), 2);
    let order = with(
        &[("items/a", item), ("items/b", "安全出口：锁闭"), ("deadline", "2026-05-20")],
        &[("inspection", inspection.into()), ("issued_by", USER.into()), ("issued_at", Value::Time(at(3)))],
    );
    (create(store, Kind::RectificationOrder, &order, 3), inspection)
}

fn world() -> World {
    let mut store = store(1);
    let shop = shop(&mut store, "晨光超市");
    let (order, inspection) = order(&mut store, shop, "灭火器：压力不足");
    let home = store.create(&dwelling("3号楼", "501"), at(1)).unwrap();
    let person = store.create(&resident("王建国", "13800001234"), at(1)).unwrap();
    let lives = with(&[("from", "2020-01-01")], &[("resident", person.into()), ("dwelling", home.into())]);
    create(&mut store, Kind::Residency, &lives, 1);
    let visit = [("target", person.into()), ("by", USER.into()), ("at", Value::Time(at(4)))];
    let visit = with(&[("result", "met"), ("purpose", "care")], &visit);
    let visit = create(&mut store, Kind::Visit, &visit, 4);
    let service = [("target", person.into()), ("by", USER.into()), ("at", Value::Time(at(4)))];
    let service = with(&[("request", "需要轮椅"), ("service", "辅具租借")], &service);
    let service = create(&mut store, Kind::ServiceRecord, &service, 4);
    let task = with(&[("task_kind", "inspection")], &[("area", GRID.into()), ("target", shop.into())]);
    let task = create(&mut store, Kind::Task, &task, 5);
    let event = with(&[("category", "ebike_charging")], &[("area", GRID.into()), ("place", shop.into())]);
    let event = create(&mut store, Kind::Event, &event, 6);
    World { store, shop, order, inspection, person, service, visit, task, event }
}

fn told(store: &Store, text: &str, kinds: &[Kind]) -> Vec<(Tier, RecordId)> {
    store.search(text, kinds, None, 50).unwrap().hits.iter().map(|hit| (hit.tier, hit.id)).collect()
}

#[test]
fn orders_are_found_by_what_was_found_and_by_their_place() {
    let World { store, shop, order, inspection, task, event, .. } = world();
    assert_eq!(told(&store, "压力不足", &[]), [(Tier::Part, order)]);
    assert_eq!(told(&store, "灭火器", &[]), [(Tier::Prefix, order)]);
    let about = [order, task, event, inspection].map(|id| (Tier::About, id));
    for text in ["晨光超市", "晨光", "超市", "cgcs", "chenguangchaoshi"] {
        let told = told(&store, text, &[]);
        assert_eq!(told[0].1, shop, "{text}");
        assert_eq!(told[1..], about, "{text}");
    }
    assert_eq!(told(&store, "晨光超市", &[Kind::RectificationOrder]), about[..1]);
    assert_eq!(told(&store, "晨光超市", &[Kind::Inspection]), about[3..]);
    assert_eq!(told(&store, "晨光超市 压力", &[]), [], "parts of two records are not one record");
}

#[test]
fn a_row_says_what_it_is_and_where() {
    let World { store, order, .. } = world();
    let row = |text: &str, kind: Kind| -> SearchHit {
        store.search(text, &[kind], None, 9).unwrap().hits.into_iter().next().unwrap()
    };
    let hit = row("晨光超市", Kind::RectificationOrder);
    assert_eq!((hit.id, hit.kind.as_str()), (order, "rectification_order"));
    assert_eq!(hit.title.zh, "灭火器：压力不足 等2项");
    assert_eq!(hit.title.en, "灭火器：压力不足 and 1 more");
    assert_eq!(hit.whereabouts.zh, "晨光超市");
    let rows = [
        ("晨光超市", Kind::Place, "晨光超市", "晨光超市", "样例路1号"),
        ("晨光超市", Kind::Inspection, "九小场所检查清单", "Small venues", "晨光超市"),
        ("晨光超市", Kind::Task, "检查", "Inspection", "晨光超市"),
        ("王建国", Kind::Resident, "王建国", "王建国", "阳光里3号楼501"),
        ("王建国", Kind::Visit, "关爱走访", "Care", "王建国 · 阳光里3号楼501"),
        ("3号楼", Kind::Dwelling, "阳光里3号楼501", "阳光里3号楼501", ""),
        ("九小", Kind::Checklist, "九小场所检查清单", "Small venues", ""),
    ];
    for (text, kind, zh, en, whereabouts) in rows {
        let hit = row(text, kind);
        assert_eq!((hit.title.zh.as_str(), hit.title.en.as_str()), (zh, en), "{kind:?}");
        assert_eq!(hit.whereabouts.zh, whereabouts, "{kind:?}");
    }
}

#[test]
fn services_are_told_for_a_purpose_only_and_journaled() {
    let World { mut store, person, service, visit, .. } = world();
    for text in ["轮椅", "需要轮椅", "辅具"] {
        assert_eq!(told(&store, text, &[]), [], "{text}");
        assert_eq!(told(&store, text, &[Kind::ServiceRecord]), [], "{text}");
    }
    assert_eq!(told(&store, "王建国", &[]), [(Tier::Exact, person), (Tier::About, visit)]);
    let limits = KeepingLimits::default();
    let refused = store.search_needs("轮椅", None, 9, " ", &limits, at(9));
    assert!(matches!(refused, Err(DeviceError::NoPurpose)));
    assert_eq!(store.sensitive_reads(0, 9).unwrap(), [], "nothing was shown");
    for text in ["轮椅", "辅具", "王建国"] {
        let page = store.search_needs(text, None, 9, "回访", &limits, at(9)).unwrap();
        let hit = page.hits.iter().find(|hit| hit.id == service).unwrap();
        assert_eq!(
            (hit.title.zh.as_str(), hit.whereabouts.zh.as_str()),
            ("需要轮椅", "王建国 · 阳光里3号楼501")
        );
    }
    let reads = store.sensitive_reads(0, 9).unwrap();
    assert_eq!(reads.iter().map(|read| read.record).collect::<Vec<_>>(), [service], "one read, thrice");
}

#[test]
fn what_is_about_a_record_is_paged_without_gaps_and_repeats() {
    let mut world = world();
    for n in 0..4 {
        let other = shop(&mut world.store, &format!("晨光超市{n}分店"));
        order(&mut world.store, other, "电线：私拉");
        order(&mut world.store, world.shop, "电线：裸露");
    }
    let all = told(&world.store, "晨光超市", &[]);
    assert_eq!(all.iter().filter(|(tier, _)| *tier == Tier::About).count(), 4 + 4 * 2 + 4 * 2);
    for limit in 1..=all.len() {
        let (mut seen, mut after) = (Vec::new(), None);
        loop {
            let page = world.store.search("晨光超市", &[], after.as_ref(), limit).unwrap();
            assert!(page.hits.len() <= limit);
            seen.extend(page.hits.iter().map(|hit| (hit.tier, hit.id)));
            let Some(next) = page.next else { break };
            after = SearchCursor::from_text(&next.to_text());
            assert_eq!(after, Some(next), "as a caller keeps it");
        }
        assert_eq!(seen, all, "pages of {limit}");
    }
}

#[test]
fn a_new_name_of_a_place_finds_its_orders_and_the_old_one_does_not() {
    let World { mut store, shop, order, .. } = world();
    store.edit(shop, &fields(&[("name", "月光便利店")]), at(9)).unwrap();
    assert_eq!(told(&store, "月光便利店", &[Kind::RectificationOrder]), [(Tier::About, order)]);
    assert_eq!(told(&store, "晨光超市", &[]), []);
    store.remove(order, at(10)).unwrap();
    assert_eq!(told(&store, "月光便利店", &[Kind::RectificationOrder]), []);
}
