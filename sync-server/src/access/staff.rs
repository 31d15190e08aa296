//! People, what they hold, and their devices. Every act leaves a row in the audit log.

use gridwalk_model::policy::Role;
use gridwalk_model::{AccessClass, DeviceId, Fields, Kind, RecordId, StreamId, Timestamp, Value};

use super::AccessError;
use crate::audit::{self, Entry};
use crate::clock::Entropy;
use crate::edit::Edits;
use crate::storage::access::{GrantRow, NewPerson, PersonRow, role_word};
use crate::storage::{ReadTx, WriteTx};

/// A person to be added.
#[derive(Clone, Debug)]
pub struct NewWorker<'a> {
    /// Name.
    pub name: &'a str,
    /// What they may do.
    pub roles: &'a [Role],
    /// The unit that they belong to.
    pub unit: Option<RecordId>,
}

/// Adds a person: their row, their record in the staff directory, and the streams that everybody holds (the
/// common one, their own, their unit's inbox).
///
/// # Errors
/// See [`AccessError`].
pub fn add_person(
    tx: &mut dyn WriteTx,
    by: &str,
    worker: &NewWorker<'_>,
    now: Timestamp,
    entropy: &dyn Entropy,
) -> Result<RecordId, AccessError> {
    let id = RecordId::from_parts(now, entropy.array()?);
    let row = NewPerson { id, name: worker.name, roles: worker.roles, unit: worker.unit, created_at: now };
    tx.insert_person(&row)?;
    let mut fields = Fields::from([("name".to_owned(), Value::from(worker.name))]);
    if let Some(unit) = worker.unit {
        fields.insert("unit".to_owned(), unit.into());
    }
    // The phone offers what its worker may do without a network.
    fields.extend(worker.roles.iter().map(|role| (format!("roles/{}", role_word(*role)), Value::from(true))));
    let mut edits = Edits::begin(tx, now)?;
    edits.create(id, Kind::Worker, &fields)?;
    edits.finish()?;
    let roles: Vec<&str> = worker.roles.iter().map(|role| role_word(*role)).collect();
    note(tx, now, by, "person.added", &id.to_string(), &roles.join(" "))?;
    grant(tx, by, id, StreamId::Org, now)?;
    grant(tx, by, id, StreamId::User(id), now)?;
    if let Some(unit) = worker.unit {
        grant(tx, by, id, StreamId::Unit(unit), now)?;
    }
    Ok(id)
}

/// Says anew what a person may do: here at once, on their phones with the next synchronisation.
///
/// # Errors
/// [`AccessError::LastAdministrator`] rather than leaving nobody who could do this; see [`AccessError`].
pub fn set_roles(
    tx: &mut dyn WriteTx,
    by: &str,
    person: RecordId,
    roles: &[Role],
    now: Timestamp,
) -> Result<(), AccessError> {
    let row = person_row(tx, person)?;
    let mut fields = Fields::new();
    for role in Role::ALL {
        let (key, held) = (format!("roles/{}", role_word(role)), roles.contains(&role));
        if held != row.roles.contains(&role) {
            fields.insert(format!("{key}/removed"), Value::from(!held));
            if held {
                fields.insert(key, Value::from(true));
            }
        }
    }
    if fields.is_empty() {
        return Ok(());
    }
    if !roles.contains(&Role::Administrator) {
        can_be_spared(tx, &row)?;
    }
    tx.set_person_roles(row.no, roles)?;
    let mut edits = Edits::begin(tx, now)?;
    edits.update(person, &fields)?;
    edits.finish()?;
    let words: Vec<&str> = roles.iter().map(|role| role_word(*role)).collect();
    note(tx, now, by, "person.roles", &person.to_string(), &words.join(" "))
}

/// Grants a stream. One that stands already is left alone; one that was revoked begins again from zero.
///
/// # Errors
/// See [`AccessError`].
pub fn grant(
    tx: &mut dyn WriteTx,
    by: &str,
    person: RecordId,
    stream: StreamId,
    now: Timestamp,
) -> Result<(), AccessError> {
    let row = person_row(tx, person)?;
    let stream_row = tx.ensure_stream(&stream)?;
    let before = tx.grants(row.no)?.into_iter().find(|grant| grant.stream == stream);
    let generation = match before {
        Some(GrantRow { revoked_at: None, .. }) => return Ok(()),
        Some(GrantRow { generation, .. }) => generation + 1,
        None => 1,
    };
    let grant = GrantRow { stream_no: stream_row.no, stream, generation, granted_at: now, revoked_at: None };
    tx.put_grant(row.no, &grant)?;
    note(tx, now, by, "grant.given", &person.to_string(), &describe(&stream))?;
    Ok(())
}

/// Takes a stream away. What the person's devices had not sent is still taken for 30 days.
///
/// # Errors
/// See [`AccessError`].
pub fn revoke(
    tx: &mut dyn WriteTx,
    by: &str,
    person: RecordId,
    stream: StreamId,
    now: Timestamp,
) -> Result<(), AccessError> {
    let row = person_row(tx, person)?;
    let Some(grant) = tx.grants(row.no)?.into_iter().find(|grant| grant.stream == stream) else {
        return Ok(());
    };
    if grant.revoked_at.is_none() {
        tx.put_grant(row.no, &GrantRow { revoked_at: Some(now), ..grant })?;
        note(tx, now, by, "grant.revoked", &person.to_string(), &describe(&stream))?;
    }
    Ok(())
}

/// Grants an area with its daily records and, for those who need them, its sensitive ones.
///
/// # Errors
/// See [`AccessError`].
pub fn grant_area(
    tx: &mut dyn WriteTx,
    by: &str,
    person: RecordId,
    area: RecordId,
    sensitive: bool,
    now: Timestamp,
) -> Result<(), AccessError> {
    grant(tx, by, person, StreamId::Area { area, class: AccessClass::Base }, now)?;
    if sensitive {
        grant(tx, by, person, StreamId::Area { area, class: AccessClass::Sensitive }, now)?;
    }
    Ok(())
}

/// Takes an area away, both classes.
///
/// # Errors
/// See [`AccessError`].
pub fn revoke_area(
    tx: &mut dyn WriteTx,
    by: &str,
    person: RecordId,
    area: RecordId,
    now: Timestamp,
) -> Result<(), AccessError> {
    for class in [AccessClass::Base, AccessClass::Sensitive] {
        revoke(tx, by, person, StreamId::Area { area, class }, now)?;
    }
    Ok(())
}

/// Locks a device. With `wipe` it is to destroy everything at once; otherwise it hands in its unsent work first.
///
/// # Errors
/// See [`AccessError`].
pub fn revoke_device(
    tx: &mut dyn WriteTx,
    by: &str,
    device: DeviceId,
    wipe: bool,
    now: Timestamp,
) -> Result<(), AccessError> {
    let row = tx.device(device)?.ok_or(AccessError::NotFound)?;
    tx.revoke_device(row.no, now, wipe)?;
    let action = if wipe { "device.wiped" } else { "device.revoked" };
    note(tx, now, by, action, &device.to_string(), "")
}

/// Lets a locked device work again. What it has sealed stays in quarantine.
///
/// # Errors
/// See [`AccessError`].
pub fn reinstate_device(
    tx: &mut dyn WriteTx,
    by: &str,
    device: DeviceId,
    now: Timestamp,
) -> Result<(), AccessError> {
    let row = tx.device(device)?.ok_or(AccessError::NotFound)?;
    tx.reinstate_device(row.no)?;
    note(tx, now, by, "device.reinstated", &device.to_string(), "")
}

/// Shuts a person out: no sign-in, nothing is pulled; what their devices had not sent is still taken for 30 days.
/// With `open` they may work again.
///
/// # Errors
/// [`AccessError::LastAdministrator`] rather than leaving nobody who could open it again; see [`AccessError`].
pub fn close_person(
    tx: &mut dyn WriteTx,
    by: &str,
    person: RecordId,
    open: bool,
    now: Timestamp,
) -> Result<(), AccessError> {
    let row = person_row(tx, person)?;
    if !open {
        can_be_spared(tx, &row)?;
    }
    tx.set_person_closed(row.no, if open { None } else { Some(row.closed_at.unwrap_or(now)) })?;
    let action = if open { "person.opened" } else { "person.closed" };
    note(tx, now, by, action, &person.to_string(), "")
}

/// Whether there is another administrator, if this person is one.
///
/// # Errors
/// [`AccessError::LastAdministrator`] if there is none; failures of the store.
pub fn can_be_spared(tx: &dyn ReadTx, person: &PersonRow) -> Result<(), AccessError> {
    let administers = |one: &PersonRow| one.active && one.roles.contains(&Role::Administrator);
    let mut others = tx.people()?.into_iter().filter(|other| other.no != person.no);
    if administers(person) && !others.any(|other| administers(&other)) {
        return Err(AccessError::LastAdministrator);
    }
    Ok(())
}

/// Notes in the staff directory that a person has a device.
pub(super) fn list_device(
    tx: &mut dyn WriteTx,
    person: &PersonRow,
    device: DeviceId,
    now: Timestamp,
) -> Result<(), AccessError> {
    let fields = Fields::from([(format!("devices/{device}"), Value::Flag(true))]);
    let mut edits = Edits::begin(tx, now)?;
    edits.update(person.id, &fields)?;
    edits.finish()?;
    Ok(())
}

/// A person who must exist.
pub(crate) fn person_row<'t>(tx: &(dyn ReadTx + 't), id: RecordId) -> Result<PersonRow, AccessError> {
    tx.person(id)?.ok_or(AccessError::NotFound)
}

pub(crate) fn note(
    tx: &mut dyn WriteTx,
    now: Timestamp,
    actor: &str,
    action: &str,
    target: &str,
    detail: &str,
) -> Result<(), AccessError> {
    audit::append(tx, now, &Entry { actor, action, target, detail, alarm: false })?;
    Ok(())
}

fn describe(stream: &StreamId) -> String {
    match stream {
        StreamId::Org => "common".to_owned(),
        StreamId::Area { area, class: AccessClass::Base } => format!("area {area}"),
        StreamId::Area { area, class: AccessClass::Sensitive } => format!("area {area}, sensitive"),
        StreamId::Unit(unit) => format!("unit {unit}"),
        StreamId::User(user) => format!("user {user}"),
    }
}
