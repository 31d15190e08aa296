//! What every store must do, run on each of them.

use std::collections::BTreeSet;

use gridwalk_model::photo_chain::{ChainLink, KeptLink};
use gridwalk_model::policy::Role;
use gridwalk_model::{ContentHash, DeviceId, RecordId, StreamId, Timestamp};
use gridwalk_replica::digest::{Fingerprint, StreamDigest};

use super::access::{GrantRow, NewDevice, NewPerson, SessionRow};
use super::ledger::{DivergenceRow, MediaRow, NewQuarantine, UploadRow};
use super::records::{Link, Membership, RecordNo, RecordWrite, StreamNo};
use super::sqlite::{SqliteOptions, SqliteStorage};
use super::{Storage, StorageError, WriteTx};
use crate::testing::BIRTH;

/// Runs the suite on a store in memory and on one in a file.
macro_rules! contract {
    ($($name:ident),* $(,)?) => {
        $(
            mod $name {
                #[test]
                fn in_memory() {
                    let options = super::SqliteOptions::default();
                    super::suite::$name(&super::SqliteStorage::in_memory(&options, &super::BIRTH).unwrap());
                }

                #[test]
                fn in_a_file() {
                    let folder = tempfile::tempdir().unwrap();
                    let path = folder.path().join("contract.db");
                    let options = super::SqliteOptions::default();
                    super::suite::$name(&super::SqliteStorage::open(&path, &options, &super::BIRTH).unwrap());
                }
            }
        )*
    };
}

contract!(
    a_new_store_knows_who_it_is,
    records_are_written_and_read,
    tails_are_kept_in_order_and_cut,
    streams_page_in_order,
    links_are_found_from_both_ends,
    a_failed_write_leaves_nothing,
    a_part_is_undone_alone,
    a_panic_in_a_write_leaves_the_store_sound,
    people_devices_and_grants,
    codes_links_and_sessions,
    quarantine_keeps_the_same_bytes_once,
    audit_is_append_only,
    media_and_uploads,
    photo_links_are_kept_as_they_landed,
    imports_remember,
    numbers_grow_with_commits,
    a_full_store_says_so_and_goes_on_when_there_is_room,
);

fn id(byte: u8) -> RecordId {
    RecordId::from_bytes([byte; 16])
}

fn at(millis: i64) -> Timestamp {
    Timestamp::from_millis(millis)
}

fn write(rev: u64, seq: u64, snapshot: &[u8]) -> RecordWrite<'_> {
    RecordWrite {
        rev,
        seq,
        tail_after: 1,
        tail_count: 0,
        fingerprint: Fingerprint([u8::try_from(rev).unwrap(); 16]),
        changed_at: at(i64::try_from(rev).unwrap()),
        snapshot,
    }
}

fn insert(tx: &mut dyn WriteTx, record: RecordId, kind: &str) -> Result<RecordNo, StorageError> {
    let seq = tx.next_seq();
    tx.insert_record(record, kind, &write(1, seq, b"first"))
}

fn member(stream_no: StreamNo, stream: StreamId, seq: u64, removed: bool) -> Membership {
    Membership { stream_no, stream, seq, entered: 1, removed }
}

mod suite {
    use super::*;

    pub(super) fn a_new_store_knows_who_it_is(storage: &dyn Storage) {
        let server = storage.view(|tx| tx.server()).unwrap();
        assert_eq!((server.device, server.epoch), (BIRTH.device, BIRTH.epoch));
        assert_eq!((server.commit_no, server.seq, server.backed_up_through), (0, 0, 0));
        storage
            .update(|tx| {
                tx.set_epoch([9; 16], [8; 4], [7; 32])?;
                tx.set_backed_up(1)?;
                tx.set_recovery(at(5))?;
                tx.set_server_name("崂山")
            })
            .unwrap();
        let server = storage.view(|tx| tx.server()).unwrap();
        assert_eq!((server.epoch, server.incarnation, server.mark_key), ([9; 16], [8; 4], [7; 32]));
        assert_eq!((server.name.as_str(), server.backed_up_through), ("崂山", 1));
        assert_eq!(server.recovery_until, at(5));
        storage.checkpoint().unwrap();
    }

    pub(super) fn records_are_written_and_read(storage: &dyn Storage) {
        let no = storage.update(|tx| insert(tx, id(1), "event")).unwrap();
        let head = storage.view(|tx| tx.record(id(1))).unwrap().unwrap();
        assert_eq!((head.no, head.kind.as_str(), head.rev, head.created_at), (no, "event", 1, at(1)));
        storage.update(|tx| tx.update_record(no, &write(2, 9, b"second"))).unwrap();
        let again = storage.view(|tx| tx.record_by_no(no)).unwrap().unwrap();
        assert_eq!((again.rev, again.seq, again.created_at, again.changed_at), (2, 9, at(1), at(2)));
        assert_eq!(storage.view(|tx| tx.snapshot(no)).unwrap(), b"second");
        assert_eq!(storage.view(|tx| tx.record(id(2))).unwrap(), None);
        storage.update(|tx| insert(tx, id(3), "place").and_then(|_| insert(tx, id(4), "event"))).unwrap();
        let events = |before| storage.view(|tx| tx.records_of_kind("event", before, 10)).unwrap();
        assert_eq!(events(None).iter().map(|head| head.id).collect::<Vec<_>>(), [id(4), id(1)]);
        assert_eq!(events(Some(events(None)[0].no)).len(), 1);
        assert_eq!(storage.view(|tx| tx.records_of_kind("place", None, 10)).unwrap().len(), 1);
        assert_eq!(storage.view(|tx| tx.record_count()).unwrap(), 3);
        assert!(storage.update(|tx| insert(tx, id(1), "event")).is_err(), "an identifier is taken once");
    }

    pub(super) fn tails_are_kept_in_order_and_cut(storage: &dyn Storage) {
        let no = storage.update(|tx| insert(tx, id(1), "place")).unwrap();
        storage
            .update(|tx| {
                for seq in [5, 3, 4] {
                    tx.add_tail(no, seq, &[&[u8::try_from(seq).unwrap()], b""])?;
                }
                Ok::<_, StorageError>(())
            })
            .unwrap();
        let tail = |after| storage.view(|tx| tx.tail(no, after)).unwrap();
        assert_eq!(tail(0).iter().map(|row| row.seq).collect::<Vec<_>>(), [3, 4, 5]);
        assert_eq!(tail(4)[0].changes, [vec![5], vec![]]);
        assert_eq!(storage.update(|tx| tx.cut_tail(no, 5)).unwrap(), None);
        assert_eq!(storage.update(|tx| tx.cut_tail(no, 1)).unwrap(), Some(4));
        assert_eq!(tail(0).len(), 1);
    }

    pub(super) fn streams_page_in_order(storage: &dyn Storage) {
        let stream = StreamId::Unit(id(9));
        assert_eq!(storage.view(|tx| tx.stream(&stream)).unwrap(), None);
        let row = storage
            .update(|tx| {
                let row = tx.ensure_stream(&stream)?;
                for (index, seq) in [(1u8, 30), (2, 10), (3, 20)] {
                    let no = insert(tx, id(index), "place")?;
                    tx.put_membership(no, &member(row.no, stream, seq, index == 3))?;
                }
                assert_eq!(tx.ensure_stream(&stream)?, row);
                let digest = StreamDigest::default().with(Fingerprint([1; 16]));
                tx.update_stream(row.no, 30, digest)?;
                Ok::<_, StorageError>(row)
            })
            .unwrap();
        let page = |after, limit| storage.view(|tx| tx.page(row.no, after, limit)).unwrap();
        assert_eq!(
            page(0, 9).iter().map(|r| (r.seq, r.removed)).collect::<Vec<_>>(),
            [(10, false), (20, true), (30, false)]
        );
        assert_eq!(page(10, 1)[0].record.id, id(3));
        assert!(page(30, 9).is_empty());
        let ids = |after, through| {
            let rows = storage.view(|tx| tx.current(row.no, after, through)).unwrap();
            rows.into_iter().map(|(record, _)| record).collect::<Vec<_>>()
        };
        assert_eq!(ids(None, None), [id(1), id(2)]);
        assert_eq!(ids(Some(id(1)), None), [id(2)]);
        assert_eq!(ids(None, Some(id(1))), [id(1)]);
        let stands = storage.view(|tx| tx.stream_by_no(row.no)).unwrap().unwrap();
        assert_eq!((stands.id, stands.seq), (stream, 30));
        let no = storage.view(|tx| tx.record(id(1))).unwrap().unwrap().no;
        storage.update(|tx| tx.put_membership(no, &member(row.no, stream, 40, true))).unwrap();
        let members = storage.view(|tx| tx.memberships(no)).unwrap();
        assert_eq!(members, [member(row.no, stream, 40, true)]);
    }

    pub(super) fn links_are_found_from_both_ends(storage: &dyn Storage) {
        let link = |target: u8, recheck: Option<&str>| Link {
            target: id(target),
            field: "resident".to_owned(),
            active: recheck.is_none(),
            recheck: recheck.map(str::to_owned),
        };
        let no = storage.update(|tx| insert(tx, id(1), "residency")).unwrap();
        let first = BTreeSet::from([link(7, None), link(8, Some("2026-03-02"))]);
        storage.update(|tx| tx.put_links(no, &first)).unwrap();
        assert_eq!(storage.view(|tx| tx.links_of(no)).unwrap(), first.into_iter().collect::<Vec<_>>());
        let from = storage.view(|tx| tx.referrers(id(8))).unwrap();
        assert_eq!((from[0].id, from[0].kind.as_str(), from[0].active), (id(1), "residency", false));
        let due = |day: &str| storage.view(|tx| tx.links_due(day, 10)).unwrap();
        assert_eq!((due("2026-03-01"), due("2026-03-02")), (vec![], vec![id(1)]));
        storage.update(|tx| tx.put_links(no, &BTreeSet::new())).unwrap();
        assert!(storage.view(|tx| tx.referrers(id(7))).unwrap().is_empty());
    }

    pub(super) fn a_failed_write_leaves_nothing(storage: &dyn Storage) {
        let failed: Result<(), StorageError> = storage.update(|tx| {
            insert(tx, id(1), "place")?;
            Err(StorageError::Busy)
        });
        assert!(matches!(failed, Err(StorageError::Busy)));
        assert_eq!(storage.view(|tx| tx.record(id(1))).unwrap(), None);
        assert_eq!(storage.view(|tx| tx.server()).unwrap().commit_no, 0);
        storage.update(|tx| insert(tx, id(1), "place")).unwrap();
    }

    pub(super) fn a_part_is_undone_alone(storage: &dyn Storage) {
        storage
            .update(|tx| {
                for (index, keep) in [(1, true), (2, false), (3, true)] {
                    tx.begin_part()?;
                    insert(tx, id(index), "place")?;
                    if keep { tx.keep_part()? } else { tx.undo_part()? }
                }
                Ok::<_, StorageError>(())
            })
            .unwrap();
        let there = |index| storage.view(|tx| tx.record(id(index))).unwrap().is_some();
        assert_eq!([there(1), there(2), there(3)], [true, false, true]);
        assert_eq!(storage.view(|tx| tx.server()).unwrap().seq, 3, "numbers are not given out twice");
    }

    pub(super) fn a_panic_in_a_write_leaves_the_store_sound(storage: &dyn Storage) {
        let panicked = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
            let _ = storage.write(&mut |tx| {
                insert(tx, id(1), "place")?;
                panic!("on purpose");
            });
        }));
        assert!(panicked.is_err());
        assert_eq!(storage.view(|tx| tx.record(id(1))).unwrap(), None);
        storage.update(|tx| insert(tx, id(1), "place")).unwrap();
    }

    pub(super) fn people_devices_and_grants(storage: &dyn Storage) {
        let stream = StreamId::Unit(id(9));
        let (person, device, stream_no) = storage
            .update(|tx| {
                let roles = [Role::Gridworker, Role::GridLeader];
                let new =
                    NewPerson { id: id(1), name: "甲", roles: &roles, unit: Some(id(9)), created_at: at(1) };
                let person = tx.insert_person(&new)?;
                let new = NewDevice {
                    id: DeviceId::from_bytes([5; 12]),
                    person,
                    public_key: &[4; 65],
                    label: "手机",
                    enrolled_at: at(2),
                };
                let device = tx.insert_device(&new)?;
                Ok::<_, StorageError>((person, device, tx.ensure_stream(&stream)?.no))
            })
            .unwrap();
        let row = storage.view(|tx| tx.person(id(1))).unwrap().unwrap();
        assert_eq!((row.no, row.roles.len(), row.unit, row.active), (person, 2, Some(id(9)), true));
        assert_eq!(storage.view(|tx| tx.people()).unwrap().len(), 1);
        let grant = |generation, revoked_at| GrantRow {
            stream_no,
            stream,
            generation,
            granted_at: at(3),
            revoked_at,
        };
        storage.update(|tx| tx.put_grant(person, &grant(1, None))).unwrap();
        let of_device = || storage.view(|tx| tx.device_grants(device, person)).unwrap();
        assert_eq!(of_device(), [grant(1, None)]);
        assert_eq!(storage.view(|tx| tx.holders(stream_no)).unwrap(), [person]);
        storage.update(|tx| tx.put_grant(person, &grant(1, Some(at(4))))).unwrap();
        assert_eq!(of_device(), [grant(1, Some(at(4)))], "not given up yet");
        storage.update(|tx| tx.put_grant_ack(device, stream_no, 1)).unwrap();
        assert_eq!(of_device(), []);
        storage.update(|tx| tx.put_grant(person, &grant(2, None))).unwrap();
        assert_eq!(of_device(), [grant(2, None)]);
        storage
            .update(|tx| {
                tx.touch_device(device, at(10), at(9))?;
                tx.touch_device(device, at(8), at(11))?;
                tx.revoke_device(device, at(12), false)?;
                tx.revoke_device(device, at(13), true)?;
                tx.set_person_roles(person, &[Role::Auditor, Role::Handler])?;
                tx.set_person_closed(person, Some(at(14)))
            })
            .unwrap();
        let row = storage.view(|tx| tx.device(DeviceId::from_bytes([5; 12]))).unwrap().unwrap();
        assert_eq!((row.seen_at, row.pushed_at), (at(10), at(11)));
        assert_eq!((row.revoked_at, row.wipe, row.label.as_str()), (Some(at(12)), true, "手机"));
        let shut_out = storage.view(|tx| tx.person_by_no(person)).unwrap().unwrap();
        assert_eq!(shut_out.roles, [Role::Auditor, Role::Handler]);
        assert_eq!((shut_out.active, shut_out.closed_at), (false, Some(at(14))));
        assert_eq!(storage.view(|tx| tx.devices()).unwrap(), [row]);
    }

    pub(super) fn codes_links_and_sessions(storage: &dyn Storage) {
        let person = storage
            .update(|tx| {
                let new = NewPerson { id: id(1), name: "甲", roles: &[], unit: None, created_at: at(1) };
                let person = tx.insert_person(&new)?;
                tx.set_password(person, "jia", "hash")?;
                tx.insert_enrolment(&[1; 32], person, at(1), at(9))?;
                tx.insert_signin_link(&[2; 32], person, at(9))?;
                Ok::<_, StorageError>(person)
            })
            .unwrap();
        assert_eq!(storage.view(|tx| tx.person_by_login("jia")).unwrap().unwrap().no, person);
        assert_eq!(storage.view(|tx| tx.person_by_login("yi")).unwrap(), None);
        let code = storage.view(|tx| tx.enrolment(&[1; 32])).unwrap().unwrap();
        assert_eq!((code.person, code.expires_at, code.redeemed), (person, at(9), None));
        let link = |now| storage.view(|tx| tx.signin_link(&[2; 32], at(now))).unwrap();
        assert_eq!((link(8), link(9)), (Some(person), None));
        storage.update(|tx| tx.use_signin_link(&[2; 32], at(5))).unwrap();
        assert_eq!(link(8), None);
        let session = SessionRow { person, csrf: "token".to_owned(), created_at: at(1), used_at: at(1) };
        storage
            .update(|tx| {
                tx.insert_session(&[3; 32], &session)?;
                tx.insert_session(&[4; 32], &session)?;
                tx.touch_session(&[3; 32], at(7))?;
                tx.delete_old_sessions(at(5), at(0))
            })
            .unwrap();
        let found = storage.view(|tx| tx.session(&[3; 32])).unwrap().unwrap();
        assert_eq!(found, SessionRow { used_at: at(7), ..session });
        assert_eq!(storage.view(|tx| tx.session(&[4; 32])).unwrap(), None);
        storage.update(|tx| tx.delete_session(&[3; 32])).unwrap();
        assert_eq!(storage.view(|tx| tx.session(&[3; 32])).unwrap(), None);
        storage.update(|tx| tx.set_signin_state(person, 3, at(99))).unwrap();
        let row = storage.view(|tx| tx.person_by_no(person)).unwrap().unwrap();
        assert_eq!((row.failures, row.locked_until), (3, at(99)));
    }

    fn a_device(tx: &mut dyn WriteTx) -> Result<super::super::access::DeviceNo, StorageError> {
        let new = NewPerson { id: id(1), name: "甲", roles: &[], unit: None, created_at: at(1) };
        let person = tx.insert_person(&new)?;
        tx.insert_device(&NewDevice {
            id: DeviceId::from_bytes([5; 12]),
            person,
            public_key: &[4; 65],
            label: "",
            enrolled_at: at(2),
        })
    }

    pub(super) fn quarantine_keeps_the_same_bytes_once(storage: &dyn Storage) {
        let (device, stream) = storage
            .update(|tx| Ok::<_, StorageError>((a_device(tx)?, tx.ensure_stream(&StreamId::Org)?.no)))
            .unwrap();
        let row = NewQuarantine {
            device,
            record: id(7),
            kind: "place",
            hash: [1; 32],
            change: b"bytes",
            verdict: &[4],
            received_at: at(3),
        };
        assert!(storage.update(|tx| tx.insert_quarantine(&row)).unwrap());
        assert!(!storage.update(|tx| tx.insert_quarantine(&row)).unwrap());
        let kept = storage.view(|tx| tx.quarantine(None, 10)).unwrap();
        assert_eq!((kept.len(), kept[0].change.as_slice(), kept[0].settled), (1, &b"bytes"[..], None));
        assert_eq!(storage.view(|tx| tx.quarantine_bytes(device)).unwrap(), 5);
        assert_eq!(storage.view(|tx| tx.quarantine_open()).unwrap(), 1);
        storage.update(|tx| tx.settle_quarantine(kept[0].no, at(9), id(1))).unwrap();
        assert_eq!(storage.view(|tx| tx.quarantine_open()).unwrap(), 0);
        assert!(storage.view(|tx| tx.quarantine(Some(kept[0].no), 10)).unwrap().is_empty());
        let seen = DivergenceRow { rounds: 2, difference: [3; 32], seen_at: at(4) };
        storage.update(|tx| tx.put_divergence(device, stream, Some(id(2)), Some(&seen))).unwrap();
        let of = |after| storage.view(|tx| tx.divergence(device, stream, after)).unwrap();
        assert_eq!((of(Some(id(2))), of(None)), (Some(seen), None));
        storage.update(|tx| tx.put_divergence(device, stream, Some(id(2)), None)).unwrap();
        assert_eq!(of(Some(id(2))), None);
    }

    pub(super) fn audit_is_append_only(storage: &dyn Storage) {
        use crate::audit::{Entry, append, verify};
        let entry = |action, alarm| Entry { actor: "a", action, target: "t", detail: "d", alarm };
        storage
            .update(|tx| {
                append(tx, at(1), &entry("one", false))?;
                append(tx, at(2), &entry("two", true))
            })
            .unwrap();
        assert_eq!(storage.view(verify).unwrap(), Ok(2));
        let rows = storage.view(|tx| tx.audit(0, 10)).unwrap();
        assert_eq!((rows[1].previous, rows[1].no), (rows[0].hash, 2));
        assert_eq!(storage.view(|tx| tx.alarms(10)).unwrap().len(), 1);
        let (first, second) = (id(8), id(9));
        assert_eq!(
            storage.view(|tx| Ok::<_, StorageError>((tx.alarms_open()?, tx.alarm_seen(2)?))).unwrap(),
            (1, None)
        );
        storage.update(|tx| tx.acknowledge_alarm(2, at(3), first)).unwrap();
        storage.update(|tx| tx.acknowledge_alarm(2, at(4), second)).unwrap();
        let seen = storage.view(|tx| Ok::<_, StorageError>((tx.alarms_open()?, tx.alarm_seen(2)?))).unwrap();
        assert_eq!(seen, (0, Some((at(3), first))), "the first one stands");
        assert_eq!(storage.view(|tx| tx.alarms(10)).unwrap().len(), 1);
        let mut forged = rows[1].clone();
        forged.no = 3;
        storage.update(|tx| tx.insert_audit(&forged)).unwrap();
        assert_eq!(storage.view(verify).unwrap(), Err(crate::audit::Broken { no: 3 }));
    }

    pub(super) fn photo_links_are_kept_as_they_landed(storage: &dyn Storage) {
        let kept = |number: u64, hash: u8, previous: Option<u8>, fits: bool| KeptLink {
            link: ChainLink {
                version: 1,
                number,
                previous: previous.map(|byte| ContentHash::from_bytes([byte; 32])),
            },
            hash: ContentHash::from_bytes([hash; 32]),
            fits,
        };
        let (first, second, forked) =
            (kept(1, 1, None, true), kept(2, 9, Some(1), true), kept(2, 2, Some(1), false));
        let (one, other) = storage
            .update(|tx| {
                let one = a_device(tx)?;
                let person = tx.device(DeviceId::from_bytes([5; 12]))?.map(|row| row.person);
                let other = tx.insert_device(&NewDevice {
                    id: DeviceId::from_bytes([6; 12]),
                    person: person.unwrap(),
                    public_key: &[5; 65],
                    label: "",
                    enrolled_at: at(2),
                })?;
                tx.insert_photo_link(id(1), id(11), one, &first)?;
                tx.insert_photo_link(id(1), id(12), one, &second)?;
                tx.insert_photo_link(id(2), id(12), one, &forked)?;
                tx.insert_photo_link(id(3), id(13), other, &second)?;
                // The first one stands, whoever brings the photo again.
                tx.insert_photo_link(id(1), id(11), other, &forked)?;
                Ok::<_, StorageError>((one, other))
            })
            .unwrap();
        let link = |record, element| storage.view(|tx| tx.photo_link(id(record), id(element))).unwrap();
        assert_eq!(link(1, 11), Some((one, first)));
        assert_eq!(link(1, 12), Some((one, second)));
        assert_eq!(link(2, 12), Some((one, forked)), "another record's photo of the same name");
        assert_eq!((link(2, 11), link(9, 9)), (None, None));
        let of = |device, number| storage.view(|tx| tx.photo_links(device, number)).unwrap();
        assert_eq!(of(one, 1), [first]);
        assert_eq!(of(one, 2), [forked, second], "in the order of their hashes");
        assert_eq!((of(other, 1), of(other, 2)), (vec![], vec![second]), "each phone has a chain of its own");
        let failed = storage.update(|tx| {
            tx.insert_photo_link(id(4), id(14), one, &kept(3, 3, Some(2), true))?;
            Err::<(), _>(StorageError::Full)
        });
        assert!(failed.is_err() && link(4, 14).is_none() && of(one, 3).is_empty());
    }

    pub(super) fn media_and_uploads(storage: &dyn Storage) {
        let hash = ContentHash::from_bytes([6; 32]);
        let row = |upload: &str, expires| UploadRow {
            id: upload.to_owned(),
            device: super::super::access::DeviceNo(1),
            hash,
            bytes: 100,
            created_at: at(1),
            expires_at: at(expires),
        };
        let device = storage
            .update(|tx| {
                let device = a_device(tx)?;
                let no = insert(tx, id(1), "event")?;
                tx.add_media_ref(&hash, no)?;
                tx.add_media_ref(&hash, no)?;
                tx.insert_upload(&row("a", 5))?;
                tx.insert_upload(&row("b", 9))?;
                Ok::<_, StorageError>(device)
            })
            .unwrap();
        assert_eq!(storage.view(|tx| tx.open_uploads(device)).unwrap(), (2, 200));
        assert_eq!(storage.view(|tx| tx.expired_uploads(at(5), 10)).unwrap(), [row("a", 5)]);
        assert_eq!(storage.view(|tx| tx.upload("b")).unwrap(), Some(row("b", 9)));
        let stored = MediaRow { bytes: 100, stored_at: at(3) };
        storage
            .update(|tx| {
                tx.insert_media(&hash, &stored)?;
                tx.insert_media(&hash, &MediaRow { bytes: 1, stored_at: at(4) })?;
                tx.add_media_holder(&hash, device)?;
                tx.add_media_holder(&hash, device)?;
                tx.delete_upload("a")
            })
            .unwrap();
        assert_eq!(storage.view(|tx| tx.media(&hash)).unwrap(), Some(stored));
        assert!(storage.view(|tx| tx.holds_media(&hash, device)).unwrap());
        assert_eq!(storage.view(|tx| tx.media_records(&hash)).unwrap().len(), 1);
        assert_eq!(storage.view(|tx| tx.media_totals()).unwrap(), (1, 100));
        assert_eq!(storage.view(|tx| tx.upload("a")).unwrap(), None);
    }

    pub(super) fn imports_remember(storage: &dyn Storage) {
        storage
            .update(|tx| {
                tx.put_source_key("ledger", "键", id(1))?;
                tx.put_source_key("ledger", "键", id(2))?;
                tx.put_imported(id(2), "room", b"101")?;
                tx.put_imported(id(2), "room", b"102")
            })
            .unwrap();
        assert_eq!(storage.view(|tx| tx.source_key("ledger", "键")).unwrap(), Some(id(2)));
        assert_eq!(storage.view(|tx| tx.source_key("other", "键")).unwrap(), None);
        let imported = storage.view(|tx| tx.imported(id(2))).unwrap();
        assert_eq!(imported, [("room".to_owned(), b"102".to_vec())]);
    }

    pub(super) fn numbers_grow_with_commits(storage: &dyn Storage) {
        for round in 1..=3 {
            let (commit_no, seq) =
                storage.update(|tx| Ok::<_, StorageError>((tx.commit_no(), tx.next_seq()))).unwrap();
            assert_eq!((commit_no, seq), (round, round));
            let server = storage.view(|tx| tx.server()).unwrap();
            assert_eq!((server.commit_no, server.seq), (round, round));
        }
    }

    pub(super) fn a_full_store_says_so_and_goes_on_when_there_is_room(storage: &SqliteStorage) {
        let dyn_storage: &dyn Storage = storage;
        storage.set_max_pages(Some(80)).unwrap();
        let big = vec![7u8; 50_000];
        let mut full = None;
        for index in 0..100u8 {
            let written = dyn_storage.update(|tx| {
                let seq = tx.next_seq();
                tx.insert_record(id(index), "place", &RecordWrite { snapshot: &big, ..write(1, seq, b"") })
            });
            if let Err(error) = written {
                assert!(matches!(error, StorageError::Full), "{error}");
                full = Some(index);
                break;
            }
        }
        let stopped = full.expect("the store took more than it may");
        let held = dyn_storage.view(|tx| tx.record_count()).unwrap();
        assert_eq!(held, u64::from(stopped), "nothing that was taken is gone");
        storage.set_max_pages(None).unwrap();
        dyn_storage.update(|tx| insert(tx, id(stopped), "place")).unwrap();
        assert_eq!(dyn_storage.view(|tx| tx.record_count()).unwrap(), held + 1);
    }
}
