//! Labels from making to scanning, on one phone and on two.

use gridwalk_evidence::{LabelSheet, LumaFrame, read_codes};
use gridwalk_model::label::LabelToken;
use gridwalk_model::records::{Label, Place, Record};
use gridwalk_model::{Fields, RecordId, Value};

use super::*;
use crate::error::DeviceError;
use crate::store::Store;
use crate::sync::tests::Phone;
use crate::testkit::{GRID, Script, at, dwelling, fields, resident, store};

fn shop(store: &mut Store) -> RecordId {
    let mut all = fields(&[("name", "示例小吃店"), ("category", "small_restaurant")]);
    all.insert("area".into(), Value::from(GRID));
    store.create(&Place::from_fields(&all).unwrap(), at(0)).unwrap()
}

fn building() -> HangsOn {
    HangsOn::Building { estate: "阳光里".into(), building: "3号楼".into() }
}

fn text(made: &MadeLabel) -> String {
    made.token.url("https://grid.example")
}

#[test]
fn a_label_is_made_once_and_opens_its_record() {
    let mut store = store(1);
    let door = store.create(&dwelling("3号楼", "501"), at(0)).unwrap();
    let place = shop(&mut store);
    let made = store.make_label(&HangsOn::Record(door), at(1)).unwrap();
    assert!(made.made && made.target == door);
    let again = store.make_label(&HangsOn::Record(door), at(2)).unwrap();
    assert_eq!(again, MadeLabel { made: false, ..made.clone() });
    let opens = ScannedLabel::Door { label: made.label, dwelling: door };
    for scanned in [text(&made), made.token.to_string(), made.token.grouped().to_lowercase()] {
        assert_eq!(store.scan_label(&scanned).unwrap(), opens, "{scanned}");
    }
    let at_shop = store.make_label(&HangsOn::Record(place), at(3)).unwrap();
    let opens = ScannedLabel::Place { label: at_shop.label, place };
    assert_eq!(store.scan_label(&text(&at_shop)).unwrap(), opens);
    let entrance = store.make_label(&building(), at(4)).unwrap();
    assert!(entrance.made, "the label of a door is none of its building");
    assert!(!store.make_label(&building(), at(5)).unwrap().made);
    let ScannedLabel::Building { estate, building, .. } = store.scan_label(&text(&entrance)).unwrap() else {
        panic!("no building");
    };
    assert_eq!((estate.as_str(), building.as_str()), ("阳光里", "3号楼"));
    assert_eq!(store.labels_of(door).unwrap().len(), 2);
}

#[test]
fn what_opens_nothing_says_why() {
    let mut store = store(1);
    let door = store.create(&dwelling("3号楼", "501"), at(0)).unwrap();
    let made = store.make_label(&HangsOn::Record(door), at(1)).unwrap();
    let stranger = LabelToken::from_random([9; 16]);
    assert_eq!(store.scan_label(&stranger.url("https://grid.example")).unwrap(), ScannedLabel::NotHere);
    assert_eq!(store.scan_label("https://pay.example/501").unwrap(), ScannedLabel::NotALabel);
    store.remove(door, at(2)).unwrap();
    let void = ScannedLabel::Void { label: made.label, target: door };
    assert_eq!(store.scan_label(&text(&made)).unwrap(), void, "nobody keeps this door any more");
    for silent in [&void, &ScannedLabel::NotHere, &ScannedLabel::NotALabel] {
        assert!(!silent.opens() && !silent.zh().is_empty() && !silent.en().is_empty());
    }
    let person = store.create(&resident("罗平", "19900000001"), at(3)).unwrap();
    let wrong = store.make_label(&HangsOn::Record(person), at(3));
    assert!(matches!(wrong, Err(DeviceError::WrongKind { .. })), "people carry no labels");
    let gone = store.make_label(&HangsOn::Record(door), at(3));
    assert!(matches!(gone, Err(DeviceError::UnknownRecord { .. })));
    let nowhere = HangsOn::Building { estate: "阳光里".into(), building: "9号楼".into() };
    assert!(matches!(store.make_label(&nowhere, at(3)), Err(DeviceError::NoBuilding)));
}

#[test]
fn a_lost_label_is_voided_replaced_and_can_be_restored() {
    let mut store = store(1);
    let door = store.create(&dwelling("3号楼", "501"), at(0)).unwrap();
    let lost = store.make_label(&HangsOn::Record(door), at(1)).unwrap();
    let new = store.replace_label(&HangsOn::Record(door), at(2)).unwrap();
    assert!(new.made && new.replaced == [lost.label] && new.token != lost.token);
    let void = ScannedLabel::Void { label: lost.label, target: door };
    assert_eq!(store.scan_label(&text(&lost)).unwrap(), void);
    assert!(store.scan_label(&text(&new)).unwrap().opens());
    assert_eq!(store.make_label(&HangsOn::Record(door), at(3)).unwrap().label, new.label);
    // It was behind the shelf.
    assert!(store.void_label(new.label, at(4)).unwrap());
    assert!(store.restore_label(lost.label, at(5)).unwrap());
    assert!(!store.restore_label(lost.label, at(6)).unwrap() && !store.void_label(new.label, at(7)).unwrap());
    assert!(store.scan_label(&text(&lost)).unwrap().opens());
    assert_eq!(store.get::<Label>(new.label).unwrap().unwrap().record.voided_at, Some(at(4)));
    let moved = Fields::from([("target".to_owned(), Value::from(RecordId::from_bytes([3; 16])))]);
    assert!(matches!(store.edit(lost.label, &moved, at(8)), Err(DeviceError::NotAllowed { .. })));
}

#[test]
fn a_building_keeps_its_label_when_the_door_that_it_names_is_kept_no_more() {
    let mut store = store(1);
    let doors = ["501", "502"].map(|room| store.create(&dwelling("3号楼", room), at(0)).unwrap());
    let entrance = store.make_label(&building(), at(1)).unwrap();
    assert!(doors.contains(&entrance.target));
    store.remove(entrance.target, at(2)).unwrap();
    assert_eq!(store.make_label(&building(), at(3)).unwrap().label, entrance.label, "it still hangs there");
    let new = store.replace_label(&building(), at(4)).unwrap();
    assert_eq!(new.replaced, [entrance.label]);
    assert!(matches!(store.scan_label(&text(&entrance)).unwrap(), ScannedLabel::Void { .. }));
    assert!(store.scan_label(&text(&new)).unwrap().opens());
}

#[test]
fn one_phone_makes_a_label_and_another_opens_and_voids_it() {
    let mut server = Script::new();
    let (mut a, mut b) = (Phone::joined(1, &mut server), Phone::joined(2, &mut server));
    let door = a.store.create(&dwelling("3号楼", "501"), at(1)).unwrap();
    a.sync(&mut server, at(2));
    b.sync(&mut server, at(3));
    // Both make one before they see the other's: both hang, both are good.
    let first = a.store.make_label(&HangsOn::Record(door), at(4)).unwrap();
    let second = b.store.make_label(&HangsOn::Record(door), at(5)).unwrap();
    assert_eq!(b.store.scan_label(&text(&first)).unwrap(), ScannedLabel::NotHere);
    for (phone, now) in [(&mut a, 6), (&mut b, 7)] {
        phone.sync(&mut server, at(now));
    }
    a.sync(&mut server, at(8));
    for store in [&mut a.store, &mut b.store] {
        for made in [&first, &second] {
            let opens = ScannedLabel::Door { label: made.label, dwelling: door };
            assert_eq!(store.scan_label(&text(made)).unwrap(), opens);
        }
        assert_eq!(store.make_label(&HangsOn::Record(door), at(9)).unwrap().label, first.label);
    }
    assert_eq!(b.store.replace_label(&HangsOn::Record(door), at(10)).unwrap().replaced.len(), 2);
    b.sync(&mut server, at(11));
    a.sync(&mut server, at(12));
    for made in [&first, &second] {
        let void = ScannedLabel::Void { label: made.label, target: door };
        assert_eq!(a.store.scan_label(&text(made)).unwrap(), void);
    }
}

/// The dark bars of a page in tenths of a millimetre; reads only what the evidence crate writes.
fn picture(svg: &str) -> (usize, Vec<u8>) {
    const TENTHS: f64 = 6.0;
    let (width, height) = (1_260, 1_782);
    let mut luma = vec![255u8; width * height];
    let numbers = |text: &str| -> Vec<f64> {
        let parts = text.split(|c: char| !c.is_ascii_digit() && c != '.');
        parts.filter(|part| !part.is_empty()).map(|part| part.parse().unwrap()).collect()
    };
    for line in svg.lines().filter(|line| line.contains("transform=")) {
        let parts: Vec<&str> = line.split('"').collect();
        let [x0, y0, scale] = numbers(parts[1])[..] else { panic!("{line}") };
        for bar in parts[3].split('M').filter(|bar| !bar.is_empty()) {
            let [x, y, run, ..] = numbers(bar)[..] else { panic!("{bar}") };
            let px = |origin: f64, at: f64| ((origin + at * scale) * TENTHS).round() as usize;
            for row in px(y0, y)..px(y0, y + 1.0) {
                luma[row * width + px(x0, x)..row * width + px(x0, x + run)].fill(0);
            }
        }
    }
    (width, luma)
}

#[test]
fn a_printed_sheet_is_scanned_back_to_its_doors() {
    let mut store = store(1);
    let rooms = ["501", "502", "503", "601"];
    let doors: Vec<RecordId> =
        rooms.iter().map(|room| store.create(&dwelling("3号楼", room), at(0)).unwrap()).collect();
    let mut things: Vec<HangsOn> = doors.iter().map(|door| HangsOn::Record(*door)).collect();
    things.push(building());
    assert!(matches!(store.labels_to_print(&things, at(1)), Err(DeviceError::NotEnrolled)));
    assert_eq!(store.labels_of(doors[0]).unwrap(), [], "whole or not at all");
    store.set_server_url("https://grid.example").unwrap();
    let labels = store.labels_to_print(&things, at(1)).unwrap();
    assert_eq!(labels, store.labels_to_print(&things, at(2)).unwrap(), "printed again, the same labels");
    let captions: Vec<&str> = labels.iter().map(|label| label.caption.as_str()).collect();
    assert_eq!(captions, ["3号楼501", "3号楼502", "3号楼503", "3号楼601", "阳光里3号楼"]);
    let pages = LabelSheet::default().pages(&labels).unwrap();
    let (width, luma) = picture(&pages[0]);
    let mut opened = Vec::new();
    for (row, column) in [(0, 0), (0, 1), (0, 2), (1, 0), (1, 1)] {
        let start = (40 + row * 277) * width + column * 420;
        let frame = LumaFrame { width: 420, height: 300, stride: width, luma: &luma[start..] };
        opened.push(store.scan_labels(&read_codes(&frame).unwrap()).unwrap().unwrap());
    }
    for (door, scanned) in doors.iter().zip(&opened) {
        assert!(matches!(scanned, ScannedLabel::Door { dwelling, .. } if dwelling == door));
    }
    assert!(matches!(&opened[4], ScannedLabel::Building { building, .. } if building == "3号楼"));
    let foreign = ["https://pay.example".to_owned(), LabelToken::from_random([9; 16]).to_string()];
    assert_eq!(store.scan_labels(&foreign).unwrap(), Some(ScannedLabel::NotHere));
    assert_eq!(store.scan_labels(&[]).unwrap(), None);
}

#[tokio::test]
async fn labels_are_printed_and_frames_are_read_through_the_facade() {
    use crate::testkit::{USER, device};
    use crate::{Device, DeviceOptions};
    let folder = tempfile::tempdir().unwrap();
    let phone = Device::open(DeviceOptions::host(folder.path())).await.unwrap();
    phone.with_store(|store, _| store.enrol(device(1), USER, "测试员（虚构）", "虚构区")).await.unwrap();
    phone.with_store(|store, _| store.set_server_url("https://grid.example")).await.unwrap();
    let door = phone.create(dwelling("3号楼", "501")).await.unwrap();
    let things = vec![HangsOn::Record(door), building()];
    let pages = phone.print_labels(things.clone(), LabelSheet::default()).await.unwrap();
    assert_eq!(pages, phone.print_labels(things, LabelSheet::default()).await.unwrap(), "none is made twice");
    let (width, luma) = picture(&pages[0]);
    let label = |column: usize| luma[40 * width + column * 420..].to_vec();
    let scanned = phone.scan_label_frame(420, 300, width, label(0)).await.unwrap();
    assert!(matches!(scanned, Some(ScannedLabel::Door { dwelling, .. }) if dwelling == door), "{scanned:?}");
    let scanned = phone.scan_label_frame(420, 300, width, label(1)).await.unwrap();
    assert!(matches!(scanned, Some(ScannedLabel::Building { .. })), "{scanned:?}");
    assert_eq!(phone.scan_label_frame(64, 64, 64, vec![255; 64 * 64]).await.unwrap(), None, "a white wall");
    let cut = phone.scan_label_frame(420, 300, width, vec![0; 9]).await;
    assert!(matches!(cut, Err(DeviceError::Qr(_))), "an incomplete frame is no answer");
    let none = phone.print_labels(vec![HangsOn::Record(door)], LabelSheet { columns: 0, rows: 1 }).await;
    assert!(matches!(none, Err(DeviceError::Qr(_))), "a page without room");
    phone.close().await.unwrap();
}
