//! Reads of sensitive records that phones tell of.

use gridwalk_model::RecordId;
use gridwalk_replica::protocol::ProtocolError;
use gridwalk_replica::wire::{PhoneNotes, READS_MAX, SensitiveRead, SyncRequest};

use crate::audit;
use crate::storage::ledger::AuditRow;
use crate::testing::World;

fn read(n: i64, record: RecordId) -> SensitiveRead {
    let at = 1_700_000_000_000 + n;
    SensitiveRead { n, at, record: (*record.as_bytes()).into(), kind: "resident_id".into() }
}

fn logged(world: &World) -> Vec<AuditRow> {
    let rows = world.store().view(|tx| tx.audit(0, 1_000)).unwrap();
    rows.into_iter().filter(|row| row.action == "sensitive.read").collect()
}

#[test]
fn each_read_is_in_the_audit_log_once_however_often_it_is_told() {
    let world = World::new();
    let g1 = world.area("g1");
    let phone = world.worker("甲", &[g1]);
    let (one, two) = (world.id(), world.id());
    let tell = |reads: Vec<SensitiveRead>| {
        let notes = Some(PhoneNotes { reads: Some(reads), ..PhoneNotes::default() });
        let request = SyncRequest { notes, ..phone.build(None) };
        world.request(phone.device, request).map(|response| response.notes.unwrap().reads_through)
    };
    assert_eq!(tell(vec![read(1, one), read(2, two)]).unwrap(), Some(2));
    // The answer was lost; meanwhile the record was read again.
    assert_eq!(tell(vec![read(1, one), read(2, two), read(3, one)]).unwrap(), Some(3));
    // Numbers begin again on a phone whose journal was empty.
    assert_eq!(tell(vec![SensitiveRead { at: 5, ..read(1, two) }]).unwrap(), Some(1));
    let rows = logged(&world);
    let targets: Vec<String> = rows.iter().map(|row| row.target.clone()).collect();
    assert_eq!(targets, [one, two, one, two].map(|id| id.to_string()));
    assert!(rows.iter().all(|row| row.actor == phone.user.to_string()));
    assert!(rows[0].detail.contains(&phone.device.to_string()), "{}", rows[0].detail);
    assert!(world.store().view(|tx| audit::verify(tx)).unwrap().is_ok());
    let many = tell((0..=READS_MAX as i64).map(|n| read(n, one)).collect()).map_err(ProtocolError::from);
    assert_eq!(many, Err(ProtocolError::TooLarge));
}

#[test]
fn words_of_a_phone_do_not_enter_the_log() {
    let world = World::new();
    let g1 = world.area("g1");
    let phone = world.worker("甲", &[g1]);
    let told = SensitiveRead { kind: "张三的身份证".into(), ..read(1, world.id()) };
    let notes = Some(PhoneNotes { reads: Some(vec![told]), ..PhoneNotes::default() });
    world.request(phone.device, SyncRequest { notes, ..phone.build(None) }).unwrap();
    assert!(logged(&world)[0].detail.starts_with("unknown read at "), "{:?}", logged(&world));
}
