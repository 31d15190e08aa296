//! Services that the server holds back for their visit, and the ways out where that visit will never come.

use gridwalk_model::schema::{IDENTITY_KEYS, REMOVED_KEY};
use gridwalk_model::{Fields, Kind, RecordId, Timestamp, Value};
use gridwalk_replica::FlatChange;
use gridwalk_replica::admission::{Reason, Verdict};

use super::TrayAct;
use super::undo::{Step, Undo};
use crate::edit::Edits;
use crate::error::DeviceError;
use crate::store::{Commit, OutboxState, RefusedEdit, RefusedReason, Store, Tx, View};

/// Where the visit is for which a service is held back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Awaited {
    /// It waits on this phone.
    Unsent,
    /// It neither waits nor was it sent: it was not accepted, given up, or written again as another.
    Gone,
}

impl Awaited {
    /// The ways out, the likeliest first.
    pub(super) const fn acts(self) -> &'static [TrayAct] {
        match self {
            Self::Unsent => &[TrayAct::KeepWaiting],
            Self::Gone => &[TrayAct::WriteAgain, TrayAct::GiveUp, TrayAct::KeepWaiting],
        }
    }
}

impl View<'_> {
    /// The visit that a held record waits for; `None` where it is held for another reason.
    pub(super) fn awaited(
        &self,
        record: RecordId,
        kind: &str,
        state: OutboxState,
    ) -> Result<Option<Awaited>, DeviceError> {
        if state != OutboxState::Held || kind != Kind::ServiceRecord.tag() || !self.is_unsent(record)? {
            return Ok(None);
        }
        let visit = self.listed(record)?.and_then(|listed| listed.fields.get("visit")?.as_link());
        let Some(visit) = visit else { return Ok(None) };
        if self.is_unsent(visit)? {
            return Ok(Some(Awaited::Unsent));
        }
        Ok(self.record_key(visit)?.is_none().then_some(Awaited::Gone))
    }

    /// Whether the change that makes a record waits.
    fn is_unsent(&self, record: RecordId) -> Result<bool, DeviceError> {
        let rows = self.outbox_of(record)?;
        Ok(rows.iter().any(|row| FlatChange::read(&row.raw).is_ok_and(|change| change.deps.is_empty())))
    }
}

impl Store {
    /// Gives a held service up whose visit will never come. Its bytes stay among those that were refused.
    pub(super) fn give_up_held(&mut self, record: RecordId, now: Timestamp) -> Result<Undo, DeviceError> {
        let edits = self.held_for_good(record)?;
        self.write(Commit::Edit, |tx| set_aside(tx, record, now))?;
        Ok(Undo::of(Step::Struck { edits, anew: None }))
    }

    /// Writes a held service again whose visit will never come: the same without the visit, with these fields changed.
    pub(super) fn write_held_again(
        &mut self,
        record: RecordId,
        changes: Fields,
        now: Timestamp,
    ) -> Result<Undo, DeviceError> {
        let edits = self.held_for_good(record)?;
        let own = edits.iter().filter(|edit| !matches!(edit.field.as_str(), "visit" | REMOVED_KEY));
        let mut fields: Fields = own.map(|edit| (edit.field.clone(), edit.value.clone())).collect();
        fields.extend(changes);
        fields.retain(|_, value| !value.is_null());
        // The old name may be on its way to the server still.
        let (made, anew) = self.write(Commit::Edit, |tx| {
            set_aside(tx, record, now)?;
            let made = Edits::over(tx, now).create_fields(Kind::ServiceRecord, &fields)?;
            Ok((made, tx.new_id(now)?))
        })?;
        let struck = Step::Struck { edits, anew: Some(anew) };
        Ok(Undo { steps: vec![Step::Made { record: made, fields }, struck] })
    }

    /// What a held service says whose visit will never come, as edits that were not accepted.
    fn held_for_good(&self, record: RecordId) -> Result<Vec<RefusedEdit>, DeviceError> {
        let rows = self.view().waiting_records()?;
        let row = rows.into_iter().find(|row| row.record == record).ok_or(DeviceError::NotInTray)?;
        if self.view().awaited(record, &row.kind, row.state)? != Some(Awaited::Gone) {
            return Err(DeviceError::NotInTray);
        }
        let (kind, fields) = self.fields_any(record)?.ok_or(DeviceError::NotInTray)?;
        let own = |(key, value): &(String, Value)| !IDENTITY_KEYS.contains(&key.as_str()) && !value.is_null();
        let edit = |(field, value)| RefusedEdit {
            n: 0,
            record,
            kind: kind.clone(),
            field,
            value,
            reason: RefusedReason::Invalid(Reason::Other),
            at: row.since,
        };
        Ok(fields.into_iter().filter(own).map(edit).collect())
    }
}

/// Takes a record off the phone that was never sent; a new incarnation begins, since the numbers of the old one are
/// spent.
fn set_aside(tx: &mut Tx<'_>, record: RecordId, now: Timestamp) -> Result<(), DeviceError> {
    for row in tx.outbox_of(record)? {
        tx.quarantine(&row, Verdict::Held, now)?;
    }
    tx.drop_record(record)?;
    tx.reincarnate().map(drop)
}

#[cfg(test)]
mod tests {
    use super::super::tests::{only, speaks};
    use super::super::{Settlement, TrayItem, TrayKey};
    use super::*;
    use crate::testkit::{at, dwelling, fields, store};

    /// A store with a service that is held back, and its visit.
    fn held() -> (Store, RecordId, RecordId) {
        let mut store = store(1);
        let home = store.create(&dwelling("1号楼", "1"), at(1)).unwrap();
        let by = store.identity().unwrap().user;
        let about = [("target", home.into()), ("by", by.into()), ("at", Value::Time(at(2)))];
        let about: Fields = about.map(|(key, value)| (key.to_owned(), value)).into();
        let mut visit = about.clone();
        visit.extend(fields(&[("result", "met")]));
        let visit = store.edits(at(2), |edits| edits.create_fields(Kind::Visit, &visit)).unwrap();
        let mut service = about;
        service.extend(fields(&[("request", "虚构"), ("service", "代办")]));
        service.insert("visit".into(), visit.into());
        let service = store.edits(at(2), |edits| edits.create_fields(Kind::ServiceRecord, &service)).unwrap();
        store.edit(service, &fields(&[("outcome", "虚构的结果")]), at(3)).unwrap();
        store.write(Commit::Apply, |tx| tx.defer(service, OutboxState::Held, at(9_999))).unwrap();
        (store, visit, service)
    }

    /// The visit was not accepted, and the worker gave it up.
    fn lose(store: &mut Store, visit: RecordId) {
        store.write(Commit::Apply, |tx| set_aside(tx, visit, at(4))).unwrap();
    }

    fn waits_only(store: &mut Store, item: &TrayItem) {
        speaks(item);
        assert_eq!(item.acts, [TrayAct::KeepWaiting]);
        for how in [Settlement::GiveUp, Settlement::WriteAgain(None)] {
            assert!(matches!(store.settle(&item.key, how, at(5)), Err(DeviceError::NotInTray)));
        }
    }

    #[test]
    fn a_service_is_told_to_wait_for_its_visit_only_while_that_is_here_and_unsent() {
        let (mut store, visit, _) = held();
        let item = only(&store);
        waits_only(&mut store, &item);
        assert!(item.explanation.zh.contains("走访"), "{item:?}");
        // The server has the visit: it is something else that holds the service back.
        let rows = store.view().outbox_of(visit).unwrap();
        store.write(Commit::Apply, |tx| rows.iter().try_for_each(|row| tx.mark_sent(row, 1))).unwrap();
        let item = only(&store);
        waits_only(&mut store, &item);
        assert!(!item.explanation.zh.contains("走访"), "{item:?}");
    }

    #[test]
    fn a_service_whose_visit_will_never_come_is_given_up_and_taken_back() {
        let (mut store, visit, service) = held();
        lose(&mut store, visit);
        let item = only(&store);
        speaks(&item);
        assert_eq!(item.acts, [TrayAct::WriteAgain, TrayAct::GiveUp, TrayAct::KeepWaiting]);
        let undo = store.settle(&item.key, Settlement::GiveUp, at(6)).unwrap();
        assert!(store.view().record_key(service).unwrap().is_none());
        assert!(store.view().outbox_of(service).unwrap().is_empty());
        assert_eq!(store.quarantined().unwrap().iter().filter(|row| row.record == service).count(), 2);
        assert!(store.tray(at(7)).unwrap().iter().all(|item| matches!(item.key, TrayKey::Unsent { .. })));
        store.undo_settlement(undo, at(8)).unwrap();
        let again = only(&store);
        assert_eq!(again.key, TrayKey::NewRefused { record: service });
        let without = Settlement::SendAgain(Fields::from([("visit".to_owned(), Value::Null)]));
        store.settle(&again.key, without, at(9)).unwrap();
        let (_, said) = store.fields_any(service).unwrap().unwrap();
        assert_eq!(said.get("outcome"), Some(&Value::from("虚构的结果")));
        assert_eq!(said.get("visit"), None);
    }

    #[test]
    fn a_service_whose_visit_will_never_come_is_written_again_without_it() {
        let (mut store, visit, service) = held();
        lose(&mut store, visit);
        let key = only(&store).key;
        let undo = store.settle(&key, Settlement::WriteAgain(None), at(6)).unwrap();
        let rows = store.view().waiting_records().unwrap();
        let row = rows.iter().find(|row| row.kind == Kind::ServiceRecord.tag()).unwrap();
        assert_eq!((row.state, row.changes), (OutboxState::Waiting, 1));
        assert_ne!(row.record, service);
        let (_, said) = store.fields_any(row.record).unwrap().unwrap();
        assert_eq!(said.get("request"), Some(&Value::from("虚构")));
        assert_eq!(said.get("outcome"), Some(&Value::from("虚构的结果")));
        assert_eq!(said.get("visit"), None);
        store.undo_settlement(undo, at(7)).unwrap();
        assert!(matches!(only(&store).key, TrayKey::NewRefused { .. }));
    }
}
