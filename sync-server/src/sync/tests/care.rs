//! What the server refuses of care (design text 1), and a patrol's track.

use gridwalk_model::{ContentHash, Kind, RecordId, Value};
use gridwalk_replica::admission::{Reason, Verdict};

use crate::edit::{EditError, Edits};
use crate::storage::StorageError;
use crate::sync::commit::media_of;
use crate::testing::{Phone, World, to_fields};

fn resident(phone: &mut Phone, world: &World, area: RecordId) -> RecordId {
    let door = phone.create(world, Kind::Dwelling, &[("area", area.into())]);
    let who = phone.create(world, Kind::Resident, &[("name", "虚构甲".into())]);
    phone.create(world, Kind::Residency, &[("resident", who.into()), ("dwelling", door.into())]);
    who
}

#[test]
fn a_care_tag_without_its_service_purpose_approver_or_end_is_refused_and_quarantined() {
    let world = World::new();
    let grid = world.area("g1");
    let mut phone = world.worker("甲", &[grid]);
    phone.sync(&world);
    let who = resident(&mut phone, &world, grid);
    phone.sync(&world);
    let whole: Vec<(&str, Value)> = vec![
        ("resident", who.into()),
        ("need", "living_alone".into()),
        ("service", "每月上门（虚构）".into()),
        ("purpose", "居家安全（虚构）".into()),
        ("approver", RecordId::from_bytes([9; 16]).into()),
        ("from", "2026-05-01".into()),
        ("until", "2027-05-01".into()),
    ];
    for (n, left_out) in ["service", "purpose", "approver", "until"].into_iter().enumerate() {
        let lacking: Vec<(&str, Value)> =
            whole.iter().filter(|(field, _)| *field != left_out).cloned().collect();
        phone.create(&world, Kind::CareTag, &lacking);
        let verdicts = phone.once(&world).verdicts;
        assert_eq!(verdicts, [[Verdict::Invalid(Reason::Incomplete)]], "without {left_out}");
        assert_eq!(world.store().view(|tx| tx.quarantine_open()).unwrap(), n as u64 + 1);
        phone.outbox.clear();
    }
    let mut long = whole.clone();
    long[6].1 = "2027-05-02".into();
    phone.create(&world, Kind::CareTag, &long);
    assert_eq!(phone.once(&world).verdicts, [[Verdict::Invalid(Reason::Incomplete)]], "longer than a year");
    phone.outbox.clear();
    phone.create(&world, Kind::CareTag, &whole);
    assert_eq!(phone.once(&world).verdicts, [[Verdict::Accepted]]);
}

/// Not only the phone's own check: whatever a device sends, and whatever the office writes.
#[test]
fn what_is_not_kept_is_taken_from_nobody() {
    let world = World::new();
    let grid = world.area("g1");
    let mut phone = world.worker("甲", &[grid]);
    phone.sync(&world);
    let who = resident(&mut phone, &world, grid);
    phone.sync(&world);
    let place = |category: &str| {
        vec![("area", grid.into()), ("name", "虚构".into()), ("category", Value::from(category))]
    };
    let service = |request: &str| {
        let by = Value::from(phone.user);
        let at = Value::Time(world.now());
        vec![
            ("target", who.into()),
            ("request", request.into()),
            ("service", "代办".into()),
            ("by", by),
            ("at", at),
        ]
    };
    let person = |kind: &str| vec![("name", Value::from("虚构乙")), ("resident_kind", kind.into())];
    let cases: Vec<(Kind, Vec<(&str, Value)>)> = vec![
        (Kind::Place, place("宗教场所")),
        (Kind::ServiceRecord, service("信访材料")),
        (Kind::Resident, person("宗教人员")),
    ];
    for (kind, fields) in cases {
        phone.create(&world, kind, &fields);
        assert_eq!(phone.once(&world).verdicts, [[Verdict::Invalid(Reason::NotKept)]], "{kind:?}");
        phone.outbox.clear();
    }
    phone.create(&world, Kind::Place, &place("寺庙"));
    assert_eq!(phone.once(&world).verdicts, [[Verdict::Accepted]]);
    let office = |fields: &[(&str, Value)]| {
        world.store().update(|tx| {
            let mut edits = Edits::begin(tx, world.now())?;
            let written = edits.create(world.id(), Kind::Unit, &to_fields(fields));
            edits.finish()?;
            Ok::<_, StorageError>(written)
        })
    };
    let refused = office(&[("name", "重点人员管控组".into())]).unwrap();
    assert!(matches!(refused, Err(EditError::Forbidden { field }) if field == "name"));
    assert!(office(&[("name", "民族路社区居委会".into())]).unwrap().is_ok());
}

#[test]
fn a_patrol_refers_to_its_track() {
    let track = ContentHash::from_bytes([7; 32]);
    let fields = to_fields(&[("track", Value::Bytes(track.as_bytes().to_vec())), ("metres", Value::Int(1))]);
    assert_eq!(media_of(Kind::Patrol, &fields), [track].into());
    assert!(media_of(Kind::Patrol, &to_fields(&[("metres", Value::Int(1))])).is_empty());
}
