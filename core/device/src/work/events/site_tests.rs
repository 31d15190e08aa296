//! On site: verified there, looked back at, and what of it is on the list of the day.

use gridwalk_model::{Kind, RecordId, Value};
use std::collections::BTreeMap;

use gridwalk_model::due::DueKind;
use gridwalk_model::event::site::Away;
use gridwalk_model::event::{Action, Flag, State};
use gridwalk_model::field_rules::{DayOfYear, FieldRules};
use gridwalk_model::photo::PhotoRole;
use gridwalk_model::records::Event;

use super::tests::*;
use super::*;
use crate::error::DeviceError;
use crate::photo::CaptureFacts;
use crate::store::{Commit, Store};
use crate::testkit::{GRID, at, dwelling, fields, jpeg, store};
use crate::work::labels::{HangsOn, MadeLabel};

#[test]
fn verification_on_site_needs_to_be_there() {
    let mut store = store(1);
    let sent = report(&mut store, "road_damage", 0.0, at(0));
    let seen = |position| SiteVerification {
        claim: SiteClaim { position, ..SiteClaim::default() },
        still_wrong: None,
        note: None,
        photos: Vec::new(),
    };
    let early = store.verify_on_site(sent.event, seen(here(3.0)), at(1));
    assert!(matches!(early, Err(DeviceError::ActRefused { flag: Flag::NotInThisState })), "{early:?}");
    put_right(&mut store, sent.event, at(10));
    let far = store.verify_on_site(sent.event, seen(here(300.0)), at(20));
    let Err(DeviceError::NotOnSite { why: Away::TooFar, distance_m }) = far else { panic!("{far:?}") };
    assert!(distance_m.is_some_and(|metres| (295..=305).contains(&metres)), "{distance_m:?}");
    let claim = SiteClaim { simulated: true, reason: Some("虚构".into()), ..seen(here(2.0)).claim };
    let simulated = store.verify_on_site(sent.event, SiteVerification { claim, ..seen(None) }, at(20));
    assert!(matches!(simulated, Err(DeviceError::NotOnSite { why: Away::Simulated, .. })), "{simulated:?}");
    attach_all(&mut store, at(21));
    let first = store.get::<Event>(sent.event).unwrap().unwrap().record.photos;
    let first: RecordId = first.keys().next().unwrap().parse().unwrap();
    let shot = CaptureFacts { role: PhotoRole::After, ..facts(at(22), here(2.0)) };
    let after = store.snap_for_event(sent.event, &jpeg(120, 90), &shot, Some(first), at(22)).unwrap();
    let verified = SiteVerification { photos: vec![after.element], ..seen(here(2.0)) };
    store.verify_on_site(sent.event, verified, at(23)).unwrap();
    attach_all(&mut store, at(24));
    let report = &store.my_reports(at(25), 1).unwrap()[0];
    assert_eq!((report.state, report.reply.as_deref()), (State::Verified, Some("已清理")));
    let pairs = store.event_story(sent.event).unwrap().pairs;
    assert_eq!((pairs[0].before, pairs[0].after), (Some(first), Some(after.element)));
}

#[test]
fn who_verifies_from_afar_by_a_reason_is_marked_in_the_log() {
    let mut store = store(1);
    let event = report(&mut store, "road_damage", 0.0, at(0)).event;
    put_right(&mut store, event, at(10));
    let claim =
        SiteClaim {
            position: here(300.0), reason: Some("定位漂移（虚构）".into()), ..SiteClaim::default()
        };
    let seen = |still_wrong: Option<&str>| SiteVerification {
        claim: claim.clone(),
        still_wrong: still_wrong.map(str::to_owned),
        note: None,
        photos: Vec::new(),
    };
    let last = |store: &Store| store.event_story(event).unwrap().lines.pop().unwrap();
    store.verify_on_site(event, seen(Some("仍有坑洞")), at(20)).unwrap();
    let failed = last(&store);
    assert_eq!((failed.counts, failed.flags.as_slice()), (true, &[Flag::FarOff][..]));
    assert_eq!(failed.text.as_deref(), Some("仍有坑洞；定位漂移（虚构）"), "neither hides the other");
    elsewhere(&mut store, event, Action::Rectify, at(22), Some(FIXER));
    store.verify_on_site(event, seen(None), at(23)).unwrap();
    assert_eq!((last(&store).state, last(&store).flags), (State::Verified, vec![Flag::FarOff]));
    assert_eq!(store.my_reports(at(24), 1).unwrap()[0].late, [], "it counts");
}

#[test]
fn behind_a_door_the_label_counts_and_what_is_wrong_goes_back_to_work() {
    let mut store = store(1);
    let door = store.create(&dwelling("3号楼", "501"), at(0)).unwrap();
    let next = store.create(&dwelling("3号楼", "502"), at(0)).unwrap();
    let text = |made: MadeLabel| Some(made.token.url("https://grid.example"));
    let label = |store: &mut Store, door| text(store.make_label(&HangsOn::Record(door), at(0)).unwrap());
    let context = SnapContext { dwelling: Some(door), ..SnapContext::default() };
    let snapped = store.snap(&jpeg(96, 72), &facts(at(1), here(0.0)), &context, None, at(1)).unwrap();
    store.choose_category(snapped.draft, "building_damage", at(1)).unwrap();
    let event = store.send_report(snapped.draft, at(1)).unwrap().event;
    put_right(&mut store, event, at(10));
    let near = SiteClaim { position: here(1.0), ..SiteClaim::default() };
    let why = |store: &Store, claim: &SiteClaim| match store.check_site(event, claim) {
        Err(DeviceError::NotOnSite { why, .. }) => why,
        other => panic!("{other:?}"),
    };
    assert_eq!(why(&store, &near), Away::NeedsDoor);
    let shows = |label| SiteClaim { label, ..near.clone() };
    let wrong = shows(label(&mut store, next));
    assert_eq!(why(&store, &wrong), Away::OtherDoor);
    let lost = shows(label(&mut store, door));
    assert!(store.check_site(event, &lost).is_ok());
    let claim = shows(text(store.replace_label(&HangsOn::Record(door), at(11)).unwrap()));
    assert_eq!(why(&store, &lost), Away::VoidLabel);
    let building = HangsOn::Building { estate: "阳光里".into(), building: "3号楼".into() };
    let entrance = shows(text(store.make_label(&building, at(11)).unwrap()));
    assert_eq!(why(&store, &entrance), Away::UnknownLabel, "it hangs where everybody passes");
    assert_eq!(why(&store, &shows(Some("https://grid.example".into()))), Away::UnknownLabel);
    let failed = SiteVerification {
        claim: claim.clone(),
        still_wrong: Some("仍在渗水".into()),
        note: None,
        photos: Vec::new(),
    };
    store.verify_on_site(event, failed, at(20)).unwrap();
    assert_eq!(store.my_reports(at(21), 1).unwrap()[0].state, State::Handling);
    elsewhere(&mut store, event, Action::Rectify, at(22), Some(FIXER));
    let open = SiteClaim { open_dwelling: Some(door), ..SiteClaim::default() };
    let passed = SiteVerification { claim: open.clone(), still_wrong: None, note: None, photos: Vec::new() };
    store.verify_on_site(event, passed, at(23)).unwrap();
    elsewhere(&mut store, event, Action::Close, at(24), Some(FIXER));
    assert_eq!(store.my_reports(at(25), 1).unwrap()[0].state, State::Closed);
    let seen = LookBack { claim: open, solved: true, note: Some("完好".into()), photos: Vec::new() };
    store.look_back(event, seen, at(26)).unwrap();
    assert_eq!(store.my_reports(at(27), 1).unwrap()[0].state, State::Closed);
}

#[test]
fn what_was_closed_or_not_taken_on_comes_back_on_the_list() {
    let mut store = store(1);
    let today = |store: &Store, days: i64| {
        let items = store.today(at(days * DAY), None, 9).unwrap().items;
        items.into_iter().map(|item| (item.kind, item.target)).collect::<Vec<_>>()
    };
    let refused = report(&mut store, "litter", 900.0, at(1));
    elsewhere(&mut store, refused.event, Action::Reject, at(5), Some(FIXER));
    assert_eq!(today(&store, 1), [(DueKind::Returned, refused.event)]);
    assert_eq!(today(&store, 8), [], "for a week");

    let sent = report(&mut store, "litter", 0.0, at(10));
    put_right(&mut store, sent.event, at(20));
    assert!(today(&store, 1).contains(&(DueKind::SiteVerification, sent.event)));
    let claim = SiteClaim { position: here(1.0), ..SiteClaim::default() };
    let good = SiteVerification { claim: claim.clone(), still_wrong: None, note: None, photos: Vec::new() };
    store.verify_on_site(sent.event, good, at(30)).unwrap();
    elsewhere(&mut store, sent.event, Action::Close, at(40), Some(FIXER));
    assert_eq!(today(&store, 20), [], "not yet");
    // The deployment says that litter has a season: 2023-12-01 is 17 days on.
    let usual = store.field_rules().unwrap();
    let season = BTreeMap::from([("litter".to_owned(), DayOfYear::new(12, 1).unwrap())]);
    let rules = FieldRules { seasons: season, ..usual.clone() };
    store.write(Commit::Setting, |tx| tx.put_field_rules(&rules)).unwrap();
    assert_eq!(today(&store, 20), [(DueKind::LookBack, sent.event)], "drawn anew by other rules");
    store.write(Commit::Setting, |tx| tx.put_field_rules(&usual)).unwrap();
    assert_eq!(today(&store, 20), []);
    assert_eq!(today(&store, 31), [(DueKind::LookBack, sent.event)]);
    let mut asked = fields(&[("task_kind", "look_back")]);
    asked.extend([("area".into(), Value::from(GRID)), ("target".into(), Value::from(sent.event))]);
    let asked = store.edits(at(40), |edits| edits.create_fields(Kind::Task, &asked)).unwrap();
    let seen = LookBack { claim, solved: true, note: None, photos: Vec::new() };
    store.look_back(sent.event, seen, at(31 * DAY)).unwrap();
    assert_eq!(today(&store, 32), []);
    let (_, asked) = store.fields(asked).unwrap().unwrap();
    assert_eq!(asked.get("result").and_then(Value::as_link), Some(sent.event), "the task too is done by it");
}
