//! Rules that need more than the change and its record's kind: what stands in the record, or in another one. The phone
//! asks the same before it writes; the server asks again, since not every device is honest and up to date.

use gridwalk_model::visits::check::{is_refused, starts_something};
use gridwalk_model::{Kind, RecordId, Timestamp, Value, forms};
use gridwalk_replica::admission::Reason;
use gridwalk_replica::change::FlatChange;

use super::State;
use super::admit::Item;
use crate::storage::records::RecordHead;
use crate::storage::{ReadTx, Stored};

/// What has to be known to judge the changes to one record.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Rules {
    /// Nothing beyond admission.
    #[default]
    None,
    /// A visit that was declined.
    DeclinedVisit,
    /// A service that was asked for at a visit that was declined.
    ServiceOfDeclined,
    /// A new service that was asked for at a visit that has not arrived: nobody knows yet whether it was declined.
    ServiceBeforeVisit,
    /// The filling of a form that was retired: until when it is taken.
    RetiredForm(Timestamp),
}

impl Rules {
    /// What holds for an item, by what stands in the record, or is said by the change that makes it.
    pub(super) fn of(tx: &dyn ReadTx, item: &Item, snapshot: Option<&[u8]>) -> Stored<Self> {
        match Kind::parse(&item.kind) {
            Some(Kind::Visit) => {
                let result = stated(item, snapshot, "result")?;
                Ok(if result.is_some_and(|value| is_refused(&value)) {
                    Self::DeclinedVisit
                } else {
                    Self::None
                })
            }
            Some(Kind::ServiceRecord) => {
                let visit = stated(item, snapshot, "visit")?.and_then(|value| value.as_link());
                let Some(visit) = visit else { return Ok(Self::None) };
                Ok(match tx.record(visit)? {
                    None if snapshot.is_none() => Self::ServiceBeforeVisit,
                    Some(head) if is_declined(tx, &head)? => Self::ServiceOfDeclined,
                    _ => Self::None,
                })
            }
            Some(Kind::Submission) => {
                let form = stated(item, snapshot, "form")?.and_then(|value| value.as_link());
                let retired = form.map(|form| retired_at(tx, form)).transpose()?.flatten();
                Ok(retired.map_or(Self::None, |at| Self::RetiredForm(at.plus_millis(forms::GRACE_MS))))
            }
            _ => Ok(Self::None),
        }
    }

    /// Whether what would be taken can not be taken before another record arrives: the phone keeps it and offers it
    /// again. Not where that may never come (`last`): what a device brings back after a restore was taken once and the
    /// other record may be lost; a phone that is wiped offers nothing more.
    pub(super) fn waits(self, last: bool) -> bool {
        self == Self::ServiceBeforeVisit && !last
    }

    /// Why a change is not taken, if it is not.
    pub(super) fn judge(self, change: &FlatChange) -> Option<Reason> {
        let writes =
            change.writes.iter().filter_map(|write| Some((write.key.as_str(), write.value.as_ref()?)));
        match self {
            Self::None | Self::ServiceBeforeVisit => None,
            Self::DeclinedVisit => {
                let mut writes = writes;
                writes.any(|(key, value)| starts_something(key, value)).then_some(Reason::TriggersNothing)
            }
            // The service itself is what would follow; taking it out again is no trigger.
            Self::ServiceOfDeclined => change.deps.is_empty().then_some(Reason::TriggersNothing),
            Self::RetiredForm(until) => {
                let sent = |(key, value): (&str, &Value)| match value {
                    Value::Time(at) => key == "submitted_at" && *at > until,
                    _ => false,
                };
                writes.into_iter().any(sent).then_some(Reason::FormRetired)
            }
        }
    }
}

/// Whether what holds for a kind is said by other records: these may have come since it was judged.
pub(super) fn look_elsewhere(kind: &str) -> bool {
    matches!(Kind::parse(kind), Some(Kind::ServiceRecord | Kind::Submission))
}

fn is_declined(tx: &dyn ReadTx, visit: &RecordHead) -> Stored<bool> {
    if visit.kind != Kind::Visit.tag() {
        return Ok(false);
    }
    Ok(State::load(&tx.snapshot(visit.no)?)?.fields.get("result").is_some_and(is_refused))
}

/// The value of a field that is fixed at creation.
fn stated(item: &Item, snapshot: Option<&[u8]>, field: &str) -> Stored<Option<Value>> {
    if let Some(snapshot) = snapshot {
        return Ok(State::load(snapshot)?.fields.get(field).cloned());
    }
    let changes = item.raws.iter().filter_map(|raw| FlatChange::read(raw).ok());
    let root = changes.into_iter().find(|change| change.deps.is_empty());
    let write = root.and_then(|change| change.writes.into_iter().find(|write| write.key == field));
    Ok(write.and_then(|write| write.value))
}

fn retired_at(tx: &dyn ReadTx, form: RecordId) -> Stored<Option<Timestamp>> {
    let head = tx.record(form)?.filter(|head| head.kind == Kind::Form.tag());
    let Some(head) = head else { return Ok(None) };
    let fields = State::load(&tx.snapshot(head.no)?)?.fields;
    Ok(match fields.get("retired_at") {
        Some(Value::Time(at)) => Some(*at),
        _ => None,
    })
}

#[cfg(test)]
mod tests {
    use gridwalk_replica::admission::Verdict;

    use super::*;
    use crate::edit::Edits;
    use crate::testing::{Phone, World, to_fields};

    const DAY: i64 = 24 * 60 * 60 * 1000;

    fn start() -> (World, Phone, RecordId) {
        let world = World::new();
        let grid = world.area("g1");
        let mut phone = world.worker("甲", &[grid]);
        phone.sync(&world);
        let door = phone.create(&world, Kind::Dwelling, &[("area", grid.into()), ("room", "101".into())]);
        phone.sync(&world);
        (world, phone, door)
    }

    fn verdict(phone: &mut Phone, world: &World) -> Verdict {
        let verdicts = phone.once(world).verdicts;
        phone.outbox.clear();
        *verdicts.last().and_then(|own| own.last()).unwrap()
    }

    #[test]
    fn a_declined_visit_triggers_nothing_when_it_is_made_or_later() {
        let (world, mut phone, door) = start();
        let by = Value::from(phone.user);
        let visit = |more: &[(&'static str, Value)]| {
            let mut all = vec![("target", door.into()), ("by", by.clone()), ("at", Value::Time(world.now()))];
            all.push(("result", "refused".into()));
            all.extend(more.iter().cloned());
            all
        };
        let no = Verdict::Invalid(Reason::TriggersNothing);
        phone.create(&world, Kind::Visit, &visit(&[("next_due", "2027-01-01".into())]));
        assert_eq!(verdict(&mut phone, &world), no);
        phone.create(&world, Kind::Visit, &visit(&[("answers/well", Value::Bytes(vec![0xa0]))]));
        assert_eq!(verdict(&mut phone, &world), no);
        let made = phone.create(&world, Kind::Visit, &visit(&[]));
        assert_eq!(verdict(&mut phone, &world), Verdict::Accepted, "complete as it is");
        phone.edit(&world, made, &[("next_due", "2027-01-01".into())]);
        assert_eq!(verdict(&mut phone, &world), no, "nor afterwards");
    }

    #[test]
    fn a_service_of_a_declined_visit_is_refused_in_whichever_order_a_request_has_them() {
        let (world, mut phone, door) = start();
        let (by, at) = (Value::from(phone.user), Value::Time(world.now()));
        let visit = |result: &str| {
            vec![("target", door.into()), ("by", by.clone()), ("at", at.clone()), ("result", result.into())]
        };
        let service = |visit: RecordId| {
            let (request, service) = (("request", "虚构".into()), ("service", "代办".into()));
            vec![
                ("target", door.into()),
                request,
                service,
                ("by", by.clone()),
                ("at", at.clone()),
                ("visit", visit.into()),
            ]
        };
        let no = Verdict::Invalid(Reason::TriggersNothing);
        let declined = phone.create(&world, Kind::Visit, &visit("refused"));
        phone.sync(&world);
        phone.create(&world, Kind::ServiceRecord, &service(declined));
        assert_eq!(verdict(&mut phone, &world), no);
        assert_eq!(world.store().view(|tx| tx.quarantine_open()).unwrap(), 1);
        // Both in one request, as a phone would send them.
        let declined = phone.create(&world, Kind::Visit, &visit("refused"));
        let never = phone.create(&world, Kind::ServiceRecord, &service(declined));
        assert_eq!(phone.once(&world).verdicts, [[Verdict::Accepted], [no]]);
        assert!(world.store().view(|tx| tx.record(never)).unwrap().is_none());
        phone.outbox.clear();
        // The service first.
        let declined = phone.create(&world, Kind::Visit, &visit("refused"));
        phone.create(&world, Kind::ServiceRecord, &service(declined));
        phone.outbox.reverse();
        assert_eq!(phone.once(&world).verdicts, [[no], [Verdict::Accepted]]);
        phone.outbox.clear();
        let met = phone.create(&world, Kind::Visit, &visit("met"));
        let made = phone.create(&world, Kind::ServiceRecord, &service(met));
        assert_eq!(phone.once(&world).verdicts, [[Verdict::Accepted], [Verdict::Accepted]]);
        // What came of it may be said at a visit that is declined: nothing new follows.
        phone.outbox.clear();
        phone.edit(&world, made, &[("state", "declined".into()), ("followed_up", declined.into())]);
        assert_eq!(verdict(&mut phone, &world), Verdict::Accepted);
    }

    #[test]
    fn a_service_waits_for_its_visit_and_goes_by_what_that_says() {
        let (world, mut phone, door) = start();
        let (by, at) = (Value::from(phone.user), Value::Time(world.now()));
        let about = [("target", door.into()), ("by", by), ("at", at)];
        for (result, expected) in
            [("refused", Verdict::Invalid(Reason::TriggersNothing)), ("met", Verdict::Accepted)]
        {
            let visit =
                phone.create(&world, Kind::Visit, &[&about[..], &[("result", result.into())]].concat());
            let asked = [("request", "虚构".into()), ("service", "代办".into()), ("visit", visit.into())];
            let service = phone.create(&world, Kind::ServiceRecord, &[&about[..], &asked].concat());
            phone.edit(&world, service, &[("outcome", "虚构".into())]);
            // The visit stays behind.
            let made = phone.records.remove(&visit).unwrap();
            let sent_first = phone.outbox.remove(0);
            for verdict in phone.once(&world).verdicts.iter().flatten() {
                assert_eq!(*verdict, Verdict::Held, "neither taken nor refused");
            }
            assert!(world.store().view(|tx| tx.record(service)).unwrap().is_none());
            phone.records.insert(visit, made);
            phone.outbox.push(sent_first);
            let told = phone.once(&world).verdicts;
            assert_eq!(told.first().and_then(|own| own.first()), Some(&expected), "{result}");
            assert_eq!(told.last(), Some(&vec![Verdict::Accepted]), "the visit itself");
            phone.outbox.clear();
        }
        let open = world.store().view(|tx| tx.quarantine_open()).unwrap();
        assert_eq!(
            open, 2,
            "the service of the declined visit and what builds on it; nothing while it waited"
        );
    }

    #[test]
    fn what_is_refused_in_any_case_does_not_wait_for_its_visit() {
        let (world, mut phone, door) = start();
        let (by, at) = (Value::from(phone.user), Value::Time(world.now()));
        let about = [("target", door.into()), ("by", by), ("at", at)];
        let visit = phone.create(&world, Kind::Visit, &[&about[..], &[("result", "met".into())]].concat());
        let asked = [("request", "虚构".into()), ("service", "代办".into()), ("visit", visit.into())];
        let service = phone.create(&world, Kind::ServiceRecord, &[&about[..], &asked].concat());
        let sound = phone.outbox.last().cloned().unwrap();
        // Nothing that is no change waits with what is one.
        phone.outbox = vec![sound.clone(), (service, Kind::ServiceRecord, b"no change".to_vec())];
        let told = phone.once(&world).verdicts.concat();
        assert!(matches!(told[..], [Verdict::Held, Verdict::Invalid(_)]), "{told:?}");
        assert_eq!(world.store().view(|tx| tx.quarantine_open()).unwrap(), 1);
        assert_eq!(phone.outbox, std::slice::from_ref(&sound));
        // The grid went to somebody else long ago.
        let area = world.store().view(|tx| crate::edit::read(tx, door)).unwrap().unwrap().1;
        let area = area.get("area").and_then(|area| area.as_link()).unwrap();
        for class in [gridwalk_model::AccessClass::Base, gridwalk_model::AccessClass::Sensitive] {
            world.revoke(phone.user, area, class);
        }
        world.clock.advance(crate::sync::REVOCATION_GRACE_MS + 1);
        assert_eq!(verdict(&mut phone, &world), Verdict::Forbidden);
        assert!(world.store().view(|tx| tx.record(service)).unwrap().is_none());
    }

    #[test]
    fn a_late_filling_of_a_retired_form_is_refused_with_its_reason() {
        let (world, mut phone, door) = start();
        let form = world.id();
        let retired = world.now();
        let fields = to_fields(&[
            ("code", "made_up".into()),
            ("version", Value::Int(1)),
            ("name", "虚构专项".into()),
            ("target_kind", "dwelling".into()),
            ("items/a", Value::Bytes(vec![0xa0])),
            ("retired_at", Value::Time(retired)),
        ]);
        let write = |kind, fields: &gridwalk_model::Fields| {
            let done = world.store().update(|tx| {
                let mut edits = Edits::begin(tx, world.now())?;
                let written = edits.create(form, kind, fields);
                edits.finish()?;
                Ok::<_, crate::storage::StorageError>(written)
            });
            done.unwrap().unwrap();
        };
        write(Kind::Form, &fields);
        let by = Value::from(phone.user);
        let begun = |phone: &mut Phone| {
            let started = ("started_at", Value::Time(retired));
            let fields = [("form", form.into()), ("target", door.into()), ("by", by.clone()), started];
            let id = phone.create(&world, Kind::Submission, &fields);
            assert_eq!(verdict(phone, &world), Verdict::Accepted);
            id
        };
        let at = |day: i64| Value::Time(retired.plus_millis(day * DAY));
        let in_time = begun(&mut phone);
        phone.edit(&world, in_time, &[("submitted_at", at(90))]);
        assert_eq!(verdict(&mut phone, &world), Verdict::Accepted);
        let late = begun(&mut phone);
        phone.edit(&world, late, &[("submitted_at", at(91))]);
        assert_eq!(verdict(&mut phone, &world), Verdict::Invalid(Reason::FormRetired));
        let open = world.store().view(|tx| tx.quarantine_open()).unwrap();
        assert_eq!(open, 1, "kept for the worker and the office");
    }
}
