//! House-keeping on one phone. Everybody is made up.

use std::sync::Arc;

use gridwalk_model::records::care_tag::Need;
use gridwalk_model::records::{Appellant, CareTag, Resident, ResidentId, ServiceRecord, parse_date};
use gridwalk_model::time::DAY_MS as DAY;
use gridwalk_model::{AccessClass, ContentHash, Fields, Kind, Record, RecordId, Value};
use zeroize::Zeroizing;

use super::*;
use crate::clock::SeededEntropy;
use crate::device::{Device, DeviceOptions};
use crate::error::DeviceError;
use crate::keys::{DataKey, KeyStore, UnprotectedKeyStore};
use crate::photo::{CaptureFacts, prepare_photo};
use crate::store::{Commit, Encryption, MediaForm, MediaRoom, Setting, Store, StoreConfig};
use crate::sync::{Effect, Engine, EngineConfig, Event, LastError, Status};
use crate::testkit::{GRID, USER, at, device, dwelling, jpeg, resident, store};
use crate::work::doors::{AtDoor, DoorAct};
use crate::work::visits::VisitInput;
use gridwalk_model::records::visit::{VisitPurpose, VisitResult};

fn blob(store: &mut Store, n: u8, form: MediaForm, bytes: usize, now: i64) -> ContentHash {
    let hash = ContentHash::from_bytes([n; 32]);
    store.put_media(&[(hash, form, &vec![n; bytes])], at(now)).unwrap();
    hash
}

fn waits(store: &mut Store, hash: ContentHash, form: MediaForm) {
    let record = RecordId::from_bytes([1; 16]);
    store.write(Commit::Edit, |tx| tx.add_upload(&hash, record, form, 9, at(0))).unwrap();
}

#[test]
fn a_practice_store_works_and_never_asks_for_anything() {
    let mut store = Store::open(StoreConfig::memory(), Box::new(SeededEntropy::new(1))).unwrap();
    store.begin_practice().unwrap();
    store.begin_practice().unwrap();
    store.create(&dwelling("1", "101"), at(1)).unwrap();
    let real = store.enrol(device(1), USER, "测试员（虚构）", "虚构区");
    assert!(matches!(real, Err(DeviceError::Practice)));
    let mut engine = Engine::new(EngineConfig::default());
    for event in [Event::Sync, Event::Edited, Event::Network { online: true, wifi: true }, Event::Tick] {
        let effects = engine.next(event, &mut store, at(2)).unwrap();
        let asks = |one: &Effect| !matches!(one, Effect::WakeAt(_) | Effect::Changed);
        assert!(!effects.iter().any(asks), "{effects:?}");
    }
}

#[test]
fn real_work_never_becomes_practice() {
    let mut store = store(1);
    assert!(matches!(store.begin_practice(), Err(DeviceError::AlreadyEnrolled)));
    assert!(!store.is_practice().unwrap());
}

#[test]
fn low_storage_and_low_battery_put_off_what_can_wait() {
    let limits = KeepingLimits::default();
    let state = |free_bytes, battery, charging| PhoneState { free_bytes, battery, charging };
    let of = |state: PhoneState| Saving::of(&state, &limits);
    assert_eq!(of(PhoneState::default()), Saving::NOTHING, "what is not known counts as plenty");
    assert!(!of(state(None, Some(3), true)).is_on(), "a charger is connected");
    let low = of(state(None, Some(19), false));
    assert!(low.photos_wait && !low.small_media_waits);
    let empty = of(state(None, Some(7), false));
    assert!(empty.photos_wait && empty.small_media_waits);
    let full = of(state(Some(50 << 20), Some(90), false));
    assert!(full.storage && full.no_fetching && !full.photos_wait, "sending makes room");
    for saving in [low, empty, full] {
        assert!(saving.zh().is_some() && saving.en().is_some());
    }
}

#[test]
fn with_a_low_battery_records_go_and_media_wait_for_the_charger() {
    let lanes = [
        (MediaForm::Full, Saving { photos_wait: true, battery: true, ..Saving::NOTHING }),
        (MediaForm::Preview, Saving { small_media_waits: true, battery: true, ..Saving::NOTHING }),
    ];
    for (form, saving) in lanes {
        let mut store = store(1);
        let medium = blob(&mut store, 1, form, 300, 0);
        waits(&mut store, medium, form);
        store.create(&dwelling("1", "101"), at(1)).unwrap();
        let mut engine = Engine::new(EngineConfig::default());
        let effects = engine.next(Event::Saving(saving), &mut store, at(2)).unwrap();
        let Some(Effect::Send { n, .. }) = effects.iter().find(|one| matches!(one, Effect::Send { .. }))
        else {
            panic!("{effects:?}")
        };
        // The records' lane waits after a failure, so the other lanes may begin.
        let failed = Event::Response { n: *n, result: Err(crate::NetError::Offline) };
        let effects = engine.next(failed, &mut store, at(3)).unwrap();
        assert!(!effects.iter().any(|one| matches!(one, Effect::AskMissing { .. })), "{effects:?}");
        assert!(engine.is_at_rest(at(3)), "{form:?}: a synchronisation does not wait for the charger");
        let status = engine.status(&store, at(3)).unwrap();
        assert_eq!(status.saving, saving);
        let effects = engine.next(Event::Saving(Saving::NOTHING), &mut store, at(4)).unwrap();
        assert!(effects.iter().any(|one| matches!(one, Effect::AskMissing { .. })), "{effects:?}");
        assert!(!engine.is_at_rest(at(4)));
    }
}

#[test]
fn pictures_of_others_are_fetched_only_where_nothing_is_short() {
    let store = store(1);
    let status = Engine::new(EngineConfig::default()).status(&store, at(1)).unwrap();
    assert!(status.may_fetch_previews());
    let short = Saving { no_fetching: true, ..Saving::NOTHING };
    let failed = LastError { zh: "无".into(), en: "none".into(), at: at(1) };
    let kept = [
        Status { saving: short, ..status.clone() },
        Status { online: false, ..status.clone() },
        Status { locked: true, ..status.clone() },
        Status { last_error: Some(failed), ..status },
    ];
    assert!(kept.iter().all(|status| !status.may_fetch_previews()));
}

#[test]
fn the_defaults_are_those_of_the_reference_phone() {
    let limits = KeepingLimits::default();
    assert_eq!((limits.budget_bytes, limits.text_free_bytes), (250_000_000, 20 << 20));
    assert_eq!((limits.photos_ms, limits.patrols.keep_days), (7 * DAY, 30));
}

#[test]
fn the_last_megabytes_are_for_text() {
    let mut store = store(1);
    store.set_room(MediaRoom { free: Some(1_000), ..MediaRoom::default() });
    let facts = CaptureFacts::camera(at(0), "W01".into());
    assert!(store.journal_photo(&[0; 600], &facts, at(0)).is_ok());
    let second = store.journal_photo(&[0; 600], &facts, at(0));
    assert!(matches!(second, Err(DeviceError::StorageFull)));
    store.create(&dwelling("1", "101"), at(1)).unwrap();
    store.set_room(MediaRoom::default());
    assert!(store.journal_photo(&[0; 600], &facts, at(0)).is_ok());
}

#[test]
fn what_can_be_fetched_again_goes_first_and_what_is_unsent_never() {
    let mut store = store(1);
    let fetched = blob(&mut store, 1, MediaForm::Full, 400_000, 10);
    let unsent = blob(&mut store, 2, MediaForm::Full, 400_000, 10);
    let sent = blob(&mut store, 3, MediaForm::Full, 400_000, 10);
    for hash in [unsent, sent] {
        waits(&mut store, hash, MediaForm::Full);
    }
    store.receipts(&[sent], at(20)).unwrap();
    store
        .write(Commit::Setting, |tx| {
            tx.date_receipts(at(30), 5)?;
            tx.put_number(Setting::BackedUpThrough, 5)
        })
        .unwrap();
    let here = |store: &Store| [fetched, unsent, sent].map(|hash| store.media_len(&hash).unwrap().is_some());
    let roomy = store.keep_house(&KeepingLimits::default(), &PhoneState::default(), at(40)).unwrap();
    assert_eq!((roomy.evicted, roomy.over, here(&store)), (0, 0, [true; 3]));
    let tight = KeepingLimits { budget_bytes: roomy.bytes - 300_000, ..KeepingLimits::default() };
    let kept = store.keep_house(&tight, &PhoneState::default(), at(41)).unwrap();
    assert_eq!((kept.evicted, kept.over, here(&store)), (1, 0, [false, true, true]));
    let nothing = KeepingLimits { budget_bytes: 1, ..KeepingLimits::default() };
    let kept = store.keep_house(&nothing, &PhoneState::default(), at(42)).unwrap();
    assert_eq!((kept.evicted, here(&store)), (1, [false, true, false]));
    assert!(kept.over > 400_000, "the unsent photo stays, and is told");
    let later = store.keep_house(&nothing, &PhoneState::default(), at(100 * DAY)).unwrap();
    assert_eq!((later.media, here(&store)), (0, [false, true, false]));
}

#[test]
fn an_encrypted_store_knows_how_large_it_is() {
    let folder = tempfile::tempdir().unwrap();
    let key = Encryption::Key(DataKey::from_slice(&[3; 32]).unwrap());
    let config = StoreConfig::folder(folder.path(), key);
    let mut store = Store::open(config, Box::new(SeededEntropy::new(1))).unwrap();
    let before = store.used_bytes().unwrap();
    blob(&mut store, 1, MediaForm::Full, 400_000, 0);
    assert!((400_000..450_000).contains(&(store.used_bytes().unwrap() - before)));
    let kept = store.keep_house(&KeepingLimits::default(), &PhoneState::default(), at(1)).unwrap();
    let on_disk: u64 =
        ["store.db", "media.db"].map(|name| folder.path().join(name).metadata().unwrap().len()).iter().sum();
    assert!(kept.bytes <= on_disk && on_disk < kept.bytes + 100_000, "{kept:?} {on_disk}");
}

#[test]
fn the_budget_holds_while_the_days_go_by_and_nobody_tidies_up() {
    let mut store = store(1);
    let budget = store.used_bytes().unwrap() + 2_000_000;
    store.set_room(MediaRoom { budget, ..MediaRoom::default() });
    for day in 0..20u8 {
        let now = i64::from(day) * DAY;
        for n in 0..3 {
            // A photo of a colleague that was looked at, and one of the worker's that is in a backup by the evening.
            blob(&mut store, 100 + day * 3 + n, MediaForm::Full, 200_000, now);
            let own = blob(&mut store, day * 3 + n, MediaForm::Full, 200_000, now);
            waits(&mut store, own, MediaForm::Full);
            store.receipts(&[own], at(now + 10)).unwrap();
        }
        store
            .write(Commit::Setting, |tx| {
                tx.date_receipts(at(now + 20), 5)?;
                tx.put_number(Setting::BackedUpThrough, 5)
            })
            .unwrap();
        assert!(store.used_bytes().unwrap() <= budget, "day {day}");
    }
    let mut unsent = Vec::new();
    for n in 200..=220 {
        let own = blob(&mut store, n, MediaForm::Full, 200_000, 21 * DAY);
        waits(&mut store, own, MediaForm::Full);
        unsent.push(own);
    }
    assert!(
        unsent.iter().all(|own| store.media_len(own).unwrap().is_some()),
        "what only this phone has stays"
    );
}

#[test]
fn notes_on_people_who_left_with_their_grid_go_a_week_later() {
    let mut store = store(1);
    let [gone, here] = ["101", "102"].map(|room| store.create(&dwelling("1", room), at(0)).unwrap());
    for door in [gone, here] {
        let draft = VisitInput::plain(door, VisitResult::NotHome, VisitPurpose::Routine);
        store.save_visit_draft(&draft, at(1)).unwrap();
        store.at_door(&AtDoor::in_person(door), &DoorAct::NobodyHome, at(1)).unwrap();
    }
    store.write(Commit::Apply, |tx| tx.drop_record(gone)).unwrap();
    let notes = |store: &mut Store, day: i64| {
        store.keep_house(&KeepingLimits::default(), &PhoneState::default(), at(day * DAY)).unwrap().notes
    };
    assert_eq!([notes(&mut store, 6), notes(&mut store, 8), notes(&mut store, 9)], [0, 2, 0]);
    assert!(store.visit_sheet(here, "走访", &KeepingLimits::default(), at(9 * DAY)).unwrap().draft.is_some());
}

#[test]
fn an_original_that_was_attached_before_a_crash_is_thrown_away_and_no_other() {
    let mut store = store(1);
    let door = store.create(&dwelling("1", "101"), at(0)).unwrap();
    let event = {
        let mut fields = crate::testkit::fields(&[("category", "litter"), ("address", "虚构路1号")]);
        fields.insert("area".into(), GRID.into());
        fields.insert("dwelling".into(), door.into());
        store.edits(at(1), |edits| edits.create_fields(Kind::Event, &fields)).unwrap()
    };
    let original = jpeg(96, 72);
    let facts = CaptureFacts::camera(at(2), "W01".into());
    let attached = store.journal_photo(&original, &facts, at(2)).unwrap();
    let photo = prepare_photo(&original, &facts, None, &gridwalk_evidence::Limits::default()).unwrap();
    store.attach_photo(event, &photo, &facts, at(3)).unwrap();
    let again = CaptureFacts::camera(at(4), "W01".into());
    let again = store.journal_photo(&original, &again, at(4)).unwrap();
    assert_eq!(store.captures().unwrap(), [attached, again]);
    assert_eq!(store.sweep_captures().unwrap(), 1);
    assert_eq!(store.captures().unwrap(), [again], "snapped anew, it is another photo");
}

#[test]
fn reads_of_sensitive_records_are_journaled_before_anything_is_shown() {
    let mut store = store(1);
    let person: RecordId = store.create(&resident("虚构甲", "19900000001"), at(0)).unwrap();
    let day = |text| parse_date(text).unwrap();
    let tag = CareTag {
        resident: person,
        need: Need::LivingAlone,
        service: "每月上门（虚构）".into(),
        purpose: "居家安全（虚构）".into(),
        approver: USER,
        from: day("2023-11-01"),
        until: day("2024-05-01"),
    };
    let tag = store.create(&tag, at(0)).unwrap();
    let limits = KeepingLimits::default();
    let mut read = |purpose: &str, now| store.read_sensitive::<CareTag>(tag, purpose, &limits, at(now));
    assert!(matches!(read(" ", 1), Err(DeviceError::NoPurpose)));
    assert!(read("上门走访", 1).unwrap().is_some());
    assert!(read("上门走访", 2).unwrap().is_some());
    assert!(read("核对信息", 3).unwrap().is_some());
    assert!(read("上门走访", 2 * limits.one_read_ms).unwrap().is_some());
    let reads = store.sensitive_reads(0, 10).unwrap();
    let told: Vec<_> = reads.iter().map(|one| (one.kind.as_str(), one.purpose.as_str())).collect();
    assert_eq!(told, [("care_tag", "上门走访"), ("care_tag", "核对信息"), ("care_tag", "上门走访")]);
    store.read_sensitive::<Resident>(person, "", &limits, at(9)).unwrap().unwrap();
    store.forget_reads(reads[1].n).unwrap();
    assert_eq!(store.sensitive_reads(0, 10).unwrap(), reads[2..], "of a base record nothing is noted");
}

/// Every plain call of the facade, on a record of a sensitive kind.
fn plain_calls_refuse<T: Record>(store: &mut Store, id: RecordId, field: &str, target: RecordId) -> Kind {
    let refuses = |outcome: Result<(), DeviceError>| {
        assert!(matches!(outcome, Err(DeviceError::NoPurpose)), "{}", T::SCHEMA.tag);
    };
    refuses(store.get::<T>(id).map(drop));
    refuses(store.list::<T>(None, 9).map(drop));
    refuses(store.list_linked::<T>(field, target).map(drop));
    refuses(store.list_under::<T>(&[]).map(drop));
    refuses(store.fields(id).map(drop));
    refuses(store.edits(at(5), |edits| edits.get::<T>(id).map(drop)));
    let limits = KeepingLimits::default();
    for (n, purpose) in [(1, "核对"), (2, "回访"), (3, "走访")] {
        let found = match n {
            1 => store.read_sensitive::<T>(id, purpose, &limits, at(6)).unwrap().into_iter().count(),
            2 => store.read_sensitive_linked::<T>(field, target, purpose, &limits, at(6)).unwrap().len(),
            _ => store.read_sensitive_list::<T>(None, 9, purpose, &limits, at(6)).unwrap().entries.len(),
        };
        assert_eq!(found, 1, "{}", T::SCHEMA.tag);
        let last = store.sensitive_reads(0, 99).unwrap().pop().unwrap();
        assert_eq!((last.record, last.kind.as_str(), last.purpose.as_str()), (id, T::SCHEMA.tag, purpose));
    }
    refuses(store.read_sensitive_linked::<T>(field, target, " ", &limits, at(6)).map(drop));
    refuses(store.read_sensitive_list::<T>(None, 9, "", &limits, at(6)).map(drop));
    T::SCHEMA.kind
}

#[test]
fn no_kind_of_the_sensitive_class_is_read_without_a_purpose() {
    let mut store = store(1);
    let person = store.create(&resident("虚构甲", "19900000001"), at(0)).unwrap();
    let event = store
        .edits(at(0), |edits| {
            let category = ("category", Value::from("litter"));
            edits.create_fields(
                Kind::Event,
                &fields_of(&[("area", GRID.into()), category, ("address", "甲".into())]),
            )
        })
        .unwrap();
    let mut make = |kind: Kind, content: &[(&str, Value)]| {
        store.edits(at(1), |edits| edits.create_fields(kind, &fields_of(content))).unwrap()
    };
    let who = ("resident", Value::from(person));
    let number = make(Kind::ResidentId, &[who.clone(), ("number", "990000193512237224".into())]);
    let tag = make(
        Kind::CareTag,
        &[
            who,
            ("need", "living_alone".into()),
            ("service", "上门（虚构）".into()),
            ("purpose", "居家安全（虚构）".into()),
            ("approver", USER.into()),
            ("from", "2023-11-01".into()),
            ("until", "2024-05-01".into()),
        ],
    );
    let service = make(
        Kind::ServiceRecord,
        &[
            ("target", person.into()),
            ("request", "缺药（虚构）".into()),
            ("service", "代办（虚构）".into()),
            ("by", USER.into()),
            ("at", Value::Time(at(1))),
        ],
    );
    let appellant = make(Kind::Appellant, &[("event", event.into())]);
    let seen = [
        plain_calls_refuse::<ResidentId>(&mut store, number, "resident", person),
        plain_calls_refuse::<CareTag>(&mut store, tag, "resident", person),
        plain_calls_refuse::<ServiceRecord>(&mut store, service, "target", person),
        plain_calls_refuse::<Appellant>(&mut store, appellant, "event", event),
    ];
    for kind in Kind::ALL {
        let sensitive = kind.schema().class == AccessClass::Sensitive;
        assert_eq!(seen.contains(kind), sensitive, "{kind:?} is looked at here");
    }
    assert!(store.get::<Resident>(person).unwrap().is_some());

    // The screens that show them together with something else.
    let limits = KeepingLimits::default();
    let now = at(7);
    store.forget_reads(i64::MAX).unwrap();
    assert!(matches!(store.care_tags(person, "", &limits, now), Err(DeviceError::NoPurpose)));
    assert!(matches!(store.visit_sheet(person, "", &limits, now), Err(DeviceError::NoPurpose)));
    assert!(matches!(store.search_needs("独居", None, 9, " ", &limits, now), Err(DeviceError::NoPurpose)));
    assert!(store.search("独居", &[], None, 9).unwrap().hits.is_empty());
    assert_eq!(store.sensitive_reads(0, 9).unwrap(), [], "nothing was shown");
    assert_eq!(store.visit_sheet(person, "走访", &limits, now).unwrap().open_services.len(), 1);
    assert_eq!(store.care_tags(person, "走访", &limits, now).unwrap().len(), 1);
    assert_eq!(store.search_needs("独居", None, 9, "排班", &limits, now).unwrap().hits.len(), 1);
    let told: Vec<_> =
        store.sensitive_reads(0, 9).unwrap().into_iter().map(|read| (read.record, read.kind)).collect();
    let word = |kind: Kind| kind.tag().to_owned();
    assert_eq!(
        told,
        [(service, word(Kind::ServiceRecord)), (tag, word(Kind::CareTag)), (tag, word(Kind::CareTag))]
    );
}

fn fields_of(content: &[(&str, Value)]) -> Fields {
    content.iter().map(|(key, value)| ((*key).to_owned(), value.clone())).collect()
}

#[test]
fn the_journal_of_reads_goes_with_the_sync_and_stays_until_the_audit_log_has_it() {
    use gridwalk_replica::wire::ServerNotes;
    let mut store = store(1);
    let read = |n: u8, now| (RecordId::from_bytes([n; 16]), at(now));
    for (record, now) in (0..150).map(|n| read(n, i64::from(n))) {
        store.write(Commit::Setting, |tx| tx.put_read(record, "care_tag", "上门走访", now)).unwrap();
    }
    let mut engine = Engine::new(EngineConfig::default());
    let mut told = Vec::new();
    let mut event = Event::Sync;
    for round in 0..4 {
        let effects = engine.next(event, &mut store, at(200)).unwrap();
        let Some(Effect::Send { n, request }) = effects.into_iter().next() else { break };
        let reads = request.notes.clone().unwrap().reads.unwrap_or_default();
        assert!(reads.len() <= 100);
        let through = reads.last().map(|read| read.n);
        let mut response = crate::testkit::answer(&request);
        // The first answer is that of a server that took nothing of it; none takes more than it was told of.
        let notes = ServerNotes { reads_through: through.map(|n| n + 1_000), ..ServerNotes::default() };
        response.notes = (round > 0).then_some(notes);
        if round > 0 {
            told.extend(reads);
        }
        let n = Event::Response { n, result: Ok(Box::new(response)) };
        let after = engine.next(n, &mut store, at(200)).unwrap();
        assert_eq!(store.sensitive_reads(0, 1_000).unwrap().len(), 150 - told.len());
        event = Event::Sync;
        if after.iter().any(|effect| matches!(effect, Effect::Send { .. })) {
            // The rest goes at once; here it is asked for anew.
            engine.next(Event::Pause, &mut store, at(200)).unwrap();
            event = Event::Resume;
        }
    }
    let records: Vec<RecordId> = told.iter().map(|read| RecordId::from_bytes(*read.record)).collect();
    assert_eq!(records, (0..150).map(|n| RecordId::from_bytes([n; 16])).collect::<Vec<_>>());
}

#[test]
fn a_pin_is_part_of_the_wrapping() {
    let with = |pin: &str, seed| {
        let pin = Zeroizing::new(pin.to_owned());
        PinKeyStore::new(Arc::new(UnprotectedKeyStore), pin, &mut SeededEntropy::new(seed)).unwrap()
    };
    let key = DataKey::from_slice(&[0xab; 32]).unwrap();
    let wrapped = with("135790", 1).wrap(&key).unwrap();
    assert!(!wrapped.windows(8).any(|part| part == [0xab; 8]));
    assert_eq!(with("135790", 2).unwrap(&wrapped).unwrap().as_bytes(), key.as_bytes());
    assert_ne!(with("135791", 2).unwrap(&wrapped).unwrap().as_bytes(), key.as_bytes());
}

#[test]
fn wrong_pins_cost_time_even_if_the_app_is_killed_or_the_clock_set_back() {
    let folder = tempfile::tempdir().unwrap();
    let (folder, rules) = (folder.path(), PinRules { free: 2, waits_ms: vec![1_000, 5_000] });
    let until = |now| match PinTries::begin(folder, &rules, at(now)) {
        Ok(()) => None,
        Err(DeviceError::TooManyTries { until }) => Some(until),
        Err(other) => panic!("{other:?}"),
    };
    assert_eq!([until(0), until(1)], [None, None]);
    assert_eq!(until(2), Some(at(1_001)));
    assert_eq!([until(1_001), until(1_002)], [None, Some(at(6_001))]);
    assert_eq!(until(-100), Some(at(4_900)), "the wait begins anew");
    assert_eq!(until(4_900), None);
    PinTries::succeeded(folder).unwrap();
    PinTries::succeeded(folder).unwrap();
    assert_eq!(PinTries::read(folder).unwrap(), PinTries::default());
}

#[tokio::test]
async fn a_device_opens_with_its_pin_and_an_order_to_wipe_is_carried_out_at_the_next_start() {
    let folder = tempfile::tempdir().unwrap();
    let rules = PinRules::default();
    let open = |pin: &str| {
        let options = DeviceOptions::host(folder.path());
        Device::open_with_pin(options, Zeroizing::new(pin.to_owned()), &rules)
    };
    open("2468").await.unwrap().close().await.unwrap();
    assert!(matches!(open("1357").await.map(drop), Err(DeviceError::KeyMismatch)));
    assert_eq!(PinTries::read(folder.path()).unwrap().wrong, 1);
    let device = open("2468").await.unwrap();
    device
        .with_store(|store, _| store.write(Commit::Setting, |tx| tx.put_number(Setting::Locked, 2)))
        .await
        .unwrap();
    device.close().await.unwrap();
    assert!(matches!(open("2468").await.map(drop), Err(DeviceError::Wiped)));
    let left: Vec<_> =
        std::fs::read_dir(folder.path()).unwrap().map(|file| file.unwrap().file_name()).collect();
    assert!(left.is_empty(), "{left:?}");
}

#[test]
fn the_house_is_kept_once_a_day_and_every_hour_while_storage_is_short() {
    const HOUR: i64 = 3_600_000;
    let mut store = store(1);
    let limits = KeepingLimits::default();
    let short = PhoneState { free_bytes: Some(0), ..PhoneState::default() };
    let mut kept =
        |state: &PhoneState, now: i64| store.keep_house_daily(&limits, state, at(now)).unwrap().is_some();
    let roomy = PhoneState::default();
    assert!(kept(&roomy, 0), "the first time");
    assert!(!kept(&roomy, 23 * HOUR) && kept(&roomy, 24 * HOUR));
    assert!(kept(&short, 25 * HOUR) && !kept(&short, 25 * HOUR + 1), "not with every percent of the battery");
    assert!(kept(&roomy, 2 * HOUR), "a clock that was put back is no reason to wait");
}
