//! Rules for what devices write that go beyond a field's policy, and the inboxes that follow from a record's
//! content.

use std::sync::LazyLock;

use crate::checklist::Signature;
use crate::codec;
use crate::event::{Action, EventRules, LogEntry, fold, read_log};
use crate::forbidden;
use crate::id::RecordId;
use crate::photo::PhotoRef;
use crate::policy::{Sender, Violation, Write};
use crate::records::Kind;
use crate::schema::{FieldSchema, FieldType, KindSchema};
use crate::stream::StreamId;
use crate::validate::validate;
use crate::value::{Fields, Value};
use crate::voice::VoiceRef;

/// Fields that say who made the record. From a device they name its user.
const AUTHORS: &[(Kind, &str)] = &[
    (Kind::Event, "reporter"),
    (Kind::BaseVerification, "by"),
    (Kind::Visit, "by"),
    (Kind::ServiceRecord, "by"),
    (Kind::Inspection, "inspector"),
    (Kind::Submission, "by"),
    (Kind::Patrol, "worker"),
    (Kind::RectificationOrder, "issued_by"),
    (Kind::Label, "made_by"),
];

/// Lists that are closed: a word that is not on them is refused, not carried.
const CLOSED: &[(Kind, &str)] = &[(Kind::CareTag, "need")];

/// Checks an entry of an append-only set: that it can be read and found, that a log entry names its sender as author, and
/// that its action is open to the sender's role from a device. What the server decides is never open.
///
/// # Errors
/// Which rule the entry breaks.
pub fn check_entry(sender: &Sender<'_>, write: &Write<'_>) -> Result<(), Violation> {
    let Sender::Person { user, roles } = sender else { return Ok(()) };
    let Value::Bytes(bytes) = write.value else { return Err(Violation::Entry) };
    let (set, element) = write.key.split_once('/').ok_or(Violation::Entry)?;
    match set {
        "log" => {
            let entry = LogEntry::from_bytes(bytes).map_err(|_| Violation::Entry)?;
            if entry.id.to_hex() != element {
                Err(Violation::Entry)
            } else if entry.by != Some(*user) {
                Err(Violation::Author)
            } else if entry.category.as_deref().is_some_and(|word| forbidden::find(word).is_some()) {
                Err(Violation::Forbidden { field: "log" })
            } else if matches!(entry.action, Action::Other(_)) {
                Err(Violation::NewerAction)
            } else if entry.received_at.is_some() || !entry.action.open_to(roles) {
                Err(Violation::Action)
            } else {
                Ok(())
            }
        }
        "photos" | "voices" | "signatures" => {
            let readable = match set {
                "photos" => PhotoRef::from_bytes(bytes).is_ok(),
                "voices" => VoiceRef::from_bytes(bytes).is_ok(),
                _ => codec::from_bytes::<Signature>(bytes).is_ok(),
            };
            if readable && is_id(element) { Ok(()) } else { Err(Violation::Entry) }
        }
        _ => Ok(()),
    }
}

/// Whether an element is an id, in the one way that ids are written in keys. Evidence is found by that: under any other
/// name it would be kept and shown to nobody.
fn is_id(element: &str) -> bool {
    element.parse::<RecordId>().is_ok_and(|id| id.to_hex() == element)
}

/// Checks a field that a device writes when it creates a record: that it names itself as author, and that a
/// closed list has the word.
///
/// # Errors
/// Which rule the field breaks.
pub fn check_field(
    sender: &Sender<'_>,
    write: &Write<'_>,
    field: &'static FieldSchema,
) -> Result<(), Violation> {
    let Sender::Person { user, .. } = sender else { return Ok(()) };
    let listed = |list: &[(Kind, &str)]| list.contains(&(write.schema.kind, field.name));
    if listed(AUTHORS) && !write.value.is_null() && write.value.as_link() != Some(*user) {
        return Err(Violation::Author);
    }
    if listed(CLOSED) {
        let known = |word: &str| field.words.iter().any(|known| known.word == word);
        return if write.value.as_text().is_some_and(known) {
            Ok(())
        } else {
            Err(Violation::Closed { field: field.name })
        };
    }
    Ok(())
}

/// Kinds whose records are refused unless all their rules hold from the first change on. A care tag without the
/// service that it triggers, a purpose, an approver and a day within twelve months is none (design text 1).
const STRICT: &[Kind] = &[Kind::CareTag];

/// Checks the content with which a device creates a record. Phone and server ask this same question.
///
/// # Errors
/// [`Violation::Incomplete`] with the first bad field of a kind whose rules are strict.
pub fn check_creation(sender: &Sender<'_>, kind: Kind, fields: &Fields) -> Result<(), Violation> {
    if matches!(sender, Sender::Server) || !STRICT.contains(&kind) {
        return Ok(());
    }
    let bad = validate(kind, fields).into_iter().find(|error| !error.is_warning());
    let Some(bad) = bad else { return Ok(()) };
    let field = kind.schema().field_of_key(&bad.field).map_or("", |(field, _)| field.name);
    Err(Violation::Incomplete { field })
}

/// Whether the field's list of words is closed.
pub(crate) fn is_closed(kind: Kind, field: &str) -> bool {
    CLOSED.contains(&(kind, field))
}

/// The streams of units and persons that a record belongs to beside those of its areas: the fields that the
/// kind's schema lists as followers; for an event also the units that its log makes responsible.
pub fn followers(schema: &KindSchema, fields: &Fields) -> Vec<StreamId> {
    static ROUTING: LazyLock<EventRules> = LazyLock::new(EventRules::for_routing);
    let mut out: Vec<StreamId> = schema
        .followers
        .iter()
        .filter_map(|name| {
            let id = fields.get(*name)?.as_link()?;
            let field = schema.fields.iter().find(|field| field.name == *name)?;
            match field.ty {
                FieldType::Link([]) => Some(StreamId::User(id)),
                FieldType::Link(_) => Some(StreamId::Unit(id)),
                _ => None,
            }
        })
        .collect();
    if schema.kind == Kind::Event {
        let (entries, _) = read_log(fields);
        out.extend(fold(&entries, &ROUTING).units().into_iter().map(StreamId::Unit));
    }
    out
}
