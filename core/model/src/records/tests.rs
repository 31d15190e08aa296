use std::collections::{BTreeMap, BTreeSet};

use super::*;
use crate::event::{Action, LogEntry};
use crate::geo;
use crate::id::{ContentHash, RecordId};
use crate::photo::{PhotoRef, PhotoRole, PhotoSource};
use crate::placement::{Links, streams};
use crate::policy::{Role, Sender, Violation, Write, check_write};
use crate::schema::{FieldPolicy, FieldType, IDENTITY_KEYS, PlacementRule, REMOVED_KEY};
use crate::stream::{AccessClass, StreamId};
use crate::time::Timestamp;
use crate::validate::Reason;
use crate::value::Value;

fn id(byte: u8) -> RecordId {
    RecordId::from_bytes([byte; 16])
}

#[test]
fn the_tables_are_sound() {
    let tags: BTreeSet<_> = Kind::ALL.iter().map(|kind| kind.tag()).collect();
    assert_eq!(tags.len(), Kind::ALL.len());
    for kind in Kind::ALL {
        let schema = kind.schema();
        assert_eq!((schema.kind, Kind::parse(schema.tag)), (*kind, Some(*kind)));
        assert!(schema.tag.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'_'));
        let names: BTreeSet<_> = schema.fields.iter().map(|field| field.name).collect();
        assert_eq!(names.len(), schema.fields.len());
        for field in schema.fields {
            let name = format!("{}.{}", schema.tag, field.name);
            assert!(!IDENTITY_KEYS.contains(&field.name) && field.name != REMOVED_KEY, "{name}");
            assert!(!field.zh.is_ascii() && !field.en.is_empty(), "{name} has labels");
            assert_eq!(matches!(field.ty, FieldType::Code(_)), !field.words.is_empty(), "{name}");
            if let FieldType::Code(words) = field.ty {
                assert!(words.iter().copied().eq(field.words.iter().map(|word| word.word)), "{name}");
            }
            assert!(field.policy != FieldPolicy::AppendOnly || field.set, "{name}");
        }
        let link = |field: &str| {
            schema
                .fields
                .iter()
                .any(|own| own.name == field && matches!(own.ty, FieldType::Link(_)) && !own.set)
        };
        assert!(schema.followers.iter().all(|field| link(field)));
        match schema.placement {
            PlacementRule::Own(field) | PlacementRule::Inherit(field) => {
                assert!(link(field), "{}", schema.tag)
            }
            PlacementRule::Referrers { kind, field } => {
                assert!(kind.schema().fields.iter().any(|own| own.name == field));
            }
            PlacementRule::Org => assert!(!schema.device_writes),
        }
    }
    assert_eq!(Kind::parse("spaceship"), None);
}

fn place() -> Place {
    Place {
        area: id(1),
        name: "示例小吃店".into(),
        category: "small_restaurant".into(),
        address: None,
        dwelling: None,
        organization: Some(id(2)),
        manager: None,
        phone: Some("19900010905".into()),
        position: geo::Position::wgs84(36.1, 120.47, None, geo::PositionSource::Manual).ok(),
        inspection_interval_days: Some(30),
        closed: Some(false),
        source_keys: BTreeMap::from([("ledger".into(), "A-1".into()), ("old".into(), "B-2".into())]),
        remarks: None,
    }
}

#[test]
fn a_record_reads_back_from_its_fields() {
    let place = place();
    let mut fields = place.to_fields();
    assert_eq!(fields.get("source_keys/old"), Some(&Value::from("B-2")));
    assert!(!fields.contains_key("remarks"), "what is not known takes no key");
    assert_eq!(Place::from_fields(&fields).as_ref(), Ok(&place));
    fields.insert("newer".into(), Value::Int(1));
    fields.insert("remarks".into(), Value::Null);
    fields.insert("source_keys/old/removed".into(), Value::Flag(true));
    fields.insert("source_keys/ledger/removed".into(), Value::Flag(false));
    let got = Place::from_fields(&fields).unwrap();
    assert_eq!(got.source_keys.keys().collect::<Vec<_>>(), ["ledger"]);
}

#[test]
fn all_faults_of_a_record_are_told_at_once() {
    let mut fields = place().to_fields();
    fields.remove("name");
    fields.insert("area".into(), Value::Bytes(vec![1]));
    fields.insert("closed".into(), Value::Int(1));
    fields.insert("source_keys/old".into(), Value::Int(2));
    fields.insert("position".into(), Value::Bytes(vec![0]));
    let errors = Place::from_fields(&fields).unwrap_err();
    let got: Vec<_> = errors.iter().map(|error| (error.field.as_str(), error.reason.clone())).collect();
    let expected = [
        ("area", Reason::WrongType),
        ("name", Reason::Missing),
        ("position", Reason::NotAPosition),
        ("closed", Reason::WrongType),
        ("source_keys/old", Reason::WrongType),
    ];
    assert_eq!(got, expected);
}

#[test]
fn unknown_words_survive() {
    let fields = Fields::from([("name".into(), "罗平".into()), ("resident_kind".into(), "martian".into())]);
    let resident = Resident::from_fields(&fields).unwrap();
    assert_eq!(resident.resident_kind.as_ref().map(resident::ResidentKind::zh), Some("martian"));
    assert_eq!(resident.to_fields(), fields);
}

#[test]
fn a_residency_ends_on_the_day_of_leaving() {
    let day = |text| parse_date(text).unwrap();
    let mut residency = Residency {
        resident: id(1),
        dwelling: id(2),
        household: None,
        relation: None,
        from: None,
        to: None,
        residence_matches_registration: None,
        secondary: None,
    };
    assert!(residency.is_current(day("2026-02-14")));
    residency.to = Some(day("2026-02-14"));
    residency.from = Some(day("2025-02-14"));
    assert!(residency.is_current(day("2026-02-13")) && !residency.is_current(day("2026-02-14")));
    assert!(!residency.is_current(day("2025-02-13")));
}

#[test]
fn dates_have_one_form() {
    assert!(parse_date("2026-02-14").is_some());
    for text in ["2026-2-14", "20260214", "2026-02-30", "2026-02-14T00", "２０２６-02-14", "-026-02-14"] {
        assert_eq!(parse_date(text), None, "{text}");
    }
}

fn device(kind: Kind, key: &str, value: &Value, roles: &[Role]) -> Result<(), Violation> {
    let write = Write { schema: kind.schema(), key, value, creates: true, overwrites: false };
    check_write(&Sender::Person { user: id(7), roles }, &write)
}

fn log_write(entry: &LogEntry, roles: &[Role]) -> Result<(), Violation> {
    device(Kind::Event, &entry.key(), &entry.to_value(), roles)
}

#[test]
fn a_log_entry_is_the_senders_and_open_to_their_role() {
    let entry = |action| LogEntry::new(id(9), None, Timestamp::from_millis(0), id(7), action);
    assert_eq!(log_write(&entry(Action::Report), &[Role::Gridworker]), Ok(()));
    assert_eq!(log_write(&entry(Action::Report), &[Role::Handler]), Err(Violation::Action));
    assert_eq!(log_write(&entry(Action::Rectify), &[Role::Gridworker, Role::Handler]), Ok(()));
    let everybody =
        [Role::Gridworker, Role::GridLeader, Role::Dispatcher, Role::Handler, Role::Administrator];
    for action in [Action::Accept, Action::Dispatch, Action::Close, Action::Received, Action::Escalate] {
        assert_eq!(log_write(&entry(action), &everybody), Err(Violation::Action));
    }
    assert_eq!(log_write(&entry(Action::Other("x".into())), &everybody), Err(Violation::NewerAction));
    let stranger = LogEntry { by: Some(id(8)), ..entry(Action::Report) };
    assert_eq!(log_write(&stranger, &[Role::Gridworker]), Err(Violation::Author));
    assert_eq!(log_write(&LogEntry { by: None, ..stranger }, &[Role::Gridworker]), Err(Violation::Author));
    let received = LogEntry { received_at: Some(Timestamp::from_millis(0)), ..entry(Action::Report) };
    assert_eq!(log_write(&received, &[Role::Gridworker]), Err(Violation::Action));
    let good = entry(Action::Report);
    let misplaced = device(Kind::Event, "log/00", &good.to_value(), &[Role::Gridworker]);
    assert_eq!(misplaced, Err(Violation::Entry));
    for value in [Value::Null, Value::Bytes(vec![0xff]), Value::from("x")] {
        assert_eq!(device(Kind::Event, &good.key(), &value, &[Role::Gridworker]), Err(Violation::Entry));
    }
    let write = Write {
        schema: Kind::Event.schema(),
        key: &received.key(),
        value: &received.to_value(),
        creates: false,
        overwrites: false,
    };
    assert_eq!(check_write(&Sender::Server, &write), Ok(()));
}

#[test]
fn photos_have_to_be_readable() {
    let photo = PhotoRef {
        hash: ContentHash::from_bytes([1; 32]),
        preview_hash: None,
        original_hash: None,
        bytes: 1,
        taken_at: None,
        position: None,
        role: PhotoRole::Scene,
        source: PhotoSource::Camera,
        width: 1,
        height: 1,
        perceptual: None,
        mock_location: None,
        signature: None,
        pair: None,
        link: None,
        reuse: None,
        blurred: None,
    };
    let good = Value::Bytes(photo.to_bytes());
    let name = format!("photos/{}", RecordId::from_bytes([0xab; 16]).to_hex());
    assert_eq!(device(Kind::Visit, &name, &good, &[Role::Gridworker]), Ok(()));
    let bad = Value::Bytes(vec![1, 2]);
    assert_eq!(device(Kind::Visit, &name, &bad, &[Role::Gridworker]), Err(Violation::Entry));
    let as_text = format!("photos/{}", RecordId::from_bytes([0xab; 16]));
    for name in ["photos/1", &name.to_uppercase().replace("PHOTOS", "photos"), &as_text] {
        assert_eq!(device(Kind::Visit, name, &good, &[Role::Gridworker]), Err(Violation::Entry), "{name}");
    }
}

#[test]
fn a_device_signs_with_its_own_name_and_knows_the_needs() {
    let worker = &[Role::Gridworker];
    assert_eq!(device(Kind::Visit, "by", &id(7).into(), worker), Ok(()));
    assert_eq!(device(Kind::Visit, "by", &id(8).into(), worker), Err(Violation::Author));
    assert_eq!(device(Kind::Event, "reporter", &id(8).into(), worker), Err(Violation::Author));
    assert_eq!(device(Kind::CareTag, "need", &"living_alone".into(), worker), Ok(()));
    let closed = Err(Violation::Closed { field: "need" });
    assert_eq!(device(Kind::CareTag, "need", &"conduct".into(), worker), closed);
    assert_eq!(device(Kind::CareTag, "need", &Value::Null, worker), closed);
    assert_eq!(device(Kind::Checklist, "name", &"x".into(), worker), Err(Violation::Role));
    assert_eq!(device(Kind::Place, "name", &"x".into(), &[Role::Auditor]), Err(Violation::Role));
    assert_eq!(
        device(Kind::Event, "external_number", &"x".into(), worker),
        Err(Violation::ServerOnly { field: "external_number" })
    );
}

struct World(BTreeMap<RecordId, BTreeSet<RecordId>>);

impl Links for World {
    fn areas_of(&self, record: RecordId) -> BTreeSet<RecordId> {
        self.0.get(&record).cloned().unwrap_or_default()
    }

    fn current_referrers(&self, _: RecordId, kind: Kind, field: &str) -> Vec<RecordId> {
        if (kind, field) == (Kind::Residency, "resident") {
            self.0.keys().copied().collect()
        } else {
            Vec::new()
        }
    }
}

#[test]
fn records_are_where_their_links_lead() {
    let world = World(BTreeMap::from([(id(1), BTreeSet::from([id(11)])), (id(2), BTreeSet::from([id(12)]))]));
    let base = |area: u8| StreamId::Area { area: id(area), class: AccessClass::Base };
    let place_of = |kind: Kind, fields: &Fields| streams(kind.schema(), id(50), fields, &world);
    assert_eq!(place_of(Kind::Place, &place().to_fields()), BTreeSet::from([base(1)]));
    assert_eq!(place_of(Kind::Resident, &Fields::new()), BTreeSet::from([base(11), base(12)]));
    let number = Fields::from([("resident".into(), id(2).into())]);
    let sensitive = StreamId::Area { area: id(12), class: AccessClass::Sensitive };
    assert_eq!(place_of(Kind::ResidentId, &number), BTreeSet::from([sensitive]));
    assert_eq!(place_of(Kind::Unit, &Fields::new()), BTreeSet::from([StreamId::Org]));
    let task = Fields::from([
        ("area".into(), id(3).into()),
        ("assignee".into(), id(4).into()),
        ("unit".into(), id(5).into()),
    ]);
    let expected = BTreeSet::from([base(3), StreamId::User(id(4)), StreamId::Unit(id(5))]);
    assert_eq!(place_of(Kind::Task, &task), expected);
}

#[test]
fn an_event_follows_its_reporter_and_the_units_at_work() {
    let at = Timestamp::from_millis;
    let report = LogEntry::new(id(20), None, at(1), id(7), Action::Report);
    let mut accept = LogEntry::new(id(21), Some(id(20)), at(2), id(8), Action::Accept);
    accept.unit = Some(id(31));
    let mut dispatch = LogEntry::new(id(22), Some(id(21)), at(3), id(8), Action::Dispatch);
    dispatch.to_unit = Some(id(32));
    let mut fields = Fields::from([("area".into(), id(1).into()), ("reporter".into(), id(7).into())]);
    let follow =
        |fields: &Fields| followers(Kind::Event.schema(), fields).into_iter().collect::<BTreeSet<_>>();
    assert_eq!(follow(&fields), BTreeSet::from([StreamId::User(id(7))]));
    fields.extend([&report, &accept, &dispatch].map(|entry| (entry.key(), entry.to_value())));
    let units = BTreeSet::from([StreamId::User(id(7)), StreamId::Unit(id(31)), StreamId::Unit(id(32))]);
    assert_eq!(follow(&fields), units);
    let mut back = LogEntry::new(id(23), Some(id(22)), at(4), id(9), Action::Return);
    back.unit = Some(id(32));
    back.reason = Some("x".into());
    fields.insert(back.key(), back.to_value());
    assert_eq!(follow(&fields), BTreeSet::from([StreamId::User(id(7)), StreamId::Unit(id(31))]));
}
