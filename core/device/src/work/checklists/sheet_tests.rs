//! What stands on a printed order, and what does not.

use gridwalk_model::Value;

use super::tests::{DAY_MS, World, go_on, photo, recheck, world};
use super::*;
use crate::error::DeviceError;
use crate::store::{Faults, Store};
use crate::testkit::{GRID, at, fields};

/// What a page says, line by line.
fn said(pages: &[String]) -> String {
    let texts = pages.iter().flat_map(|page| page.split("<text ").skip(1));
    let text = |text: &str| text.split_once('>').unwrap().1.split_once("</text>").unwrap().0.to_owned();
    texts.map(text).collect::<Vec<_>>().join("\n")
}

/// The same without the ends of its lines.
fn whole(pages: &[String]) -> String {
    said(pages).chars().filter(|c| !c.is_whitespace()).collect()
}

fn issued() -> (Store, gridwalk_model::RecordId) {
    let World { phone, place, .. } = world(Faults::none());
    let mut store = phone.store;
    let firm = fields(&[("name", "虚构餐饮有限公司")]);
    let firm = [(("organization", gridwalk_model::Kind::Organization), firm)];
    let mut patch = fields(&[("manager", "虚构负责人"), ("phone", "13800001234")]);
    for ((field, kind), mut record) in firm {
        record.insert("area".into(), Value::from(GRID));
        let made = store.edits(at(3), |edits| edits.create_fields(kind, &record)).unwrap();
        patch.insert(field.into(), Value::from(made));
    }
    store.edit(place, &patch, at(4)).unwrap();
    go_on(&mut store, place, &photo(), at(20)).unwrap();
    let order = store.open_orders(at(21)).unwrap().remove(0).id;
    (store, order)
}

#[test]
fn an_order_on_paper_says_everything_that_it_is_to_say_and_nothing_more() {
    let (store, order) = issued();
    let pages = store.order_sheet(order, SheetLanguage::Both).unwrap();
    if let Ok(folder) = std::env::var("GRIDWALK_SHOW") {
        for (n, page) in pages.iter().enumerate() {
            std::fs::write(format!("{folder}/order{n}.svg"), page).unwrap();
        }
    }
    let said = said(&pages);
    let whole = whole(&pages);
    for line in
        ["整改通知书", "Rectification order", "虚构小吃店", "虚构路 1 号", "虚构餐饮有限公司", "虚构负责人"]
    {
        assert!(said.lines().any(|said| said == line), "{line}\n{said}");
    }
    for part in [
        "编号Number",
        "20231115-",
        "九小场所检查清单（第2版）",
        "疏散通道、安全出口未堵塞、未锁闭：后门上锁",
        "Exitsareneitherblockednorlocked",
        "重大隐患Majorhazard",
        "依据：《中华人民共和国消防法》",
        "Basis:FireProtectionLawofthePRC",
        "依据：《城镇燃气管理条例》",
        "签发人Issuedby测试员（虚构）",
        "整改期限Deadline2023年11月16日",
        "请于2023年11月16日（含当日）前完成整改",
        "Pleaseputtheaboverightby2023-11-16",
        "签发人（签名）Issuedby",
        "场所负责人（签收）Receivedby",
    ] {
        assert!(whole.contains(part), "{part}\n{said}");
    }
    assert_eq!(said.lines().filter(|line| matches!(*line, "1." | "2." | "3.")).count(), 3);
    assert!(!whole.contains("4."), "three findings");
    for part in ["13800001234", "1380000", "已整改"] {
        assert!(!whole.contains(part), "{part}\n{said}");
    }
    let chinese = store.order_sheet(order, SheetLanguage::Chinese).unwrap();
    assert!(!self::whole(&chinese).contains("Exits") && self::whole(&chinese).contains("后门上锁"));
    let english = self::whole(&store.order_sheet(order, SheetLanguage::English).unwrap());
    assert!(english.contains("Basis:FireProtection") && !english.contains("依据"));
    assert!(english.contains("Issuedby测试员（虚构）"), "{english}");
    let unknown = store.order_sheet(GRID, SheetLanguage::Both);
    assert!(matches!(unknown, Err(DeviceError::UnknownRecord { .. })), "{unknown:?}");
}

#[test]
fn what_was_put_right_is_marked_and_the_number_stays() {
    let (mut store, order) = issued();
    let number = |store: &Store| {
        let pages = store.order_sheet(order, SheetLanguage::Chinese).unwrap();
        let footer = said(&pages).lines().last().unwrap().to_owned();
        (footer, whole(&pages).matches("已整改").count())
    };
    let (before, none) = number(&store);
    recheck(&mut store, order, &["exits_free"], at(DAY_MS));
    assert_eq!((none, number(&store)), (0, (before.clone(), 2)));
    recheck(&mut store, order, &[], at(2 * DAY_MS));
    assert_eq!(number(&store), (before, 3));
}
