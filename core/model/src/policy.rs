//! Who may write what: the rules that admission applies to every single write.

use crate::id::RecordId;
use crate::schema::{FieldPolicy, IDENTITY_KEYS, KindSchema, REMOVED_KEY};
use crate::value::Value;

/// What a person does in the deployment. A person may hold several at once.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Role {
    /// 网格员: walks the grid, keeps its records, reports what is wrong.
    Gridworker,
    /// 网格长: leads a community's grids.
    GridLeader,
    /// Dispatches and supervises at a street or district centre.
    Dispatcher,
    /// Handles cases for a department, office or company.
    Handler,
    /// Reads, never writes.
    Auditor,
    /// Keeps accounts, areas, templates.
    Administrator,
}

impl Role {
    /// Every role.
    pub const ALL: [Self; 6] = [
        Self::Gridworker,
        Self::GridLeader,
        Self::Dispatcher,
        Self::Handler,
        Self::Auditor,
        Self::Administrator,
    ];

    /// The word for it, in the directory of staff and in the server's store.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Gridworker => "gridworker",
            Self::GridLeader => "grid_leader",
            Self::Dispatcher => "dispatcher",
            Self::Handler => "handler",
            Self::Auditor => "auditor",
            Self::Administrator => "administrator",
        }
    }

    /// Reads the word; `None` for a role that this build does not know.
    pub fn from_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|role| role.word() == word)
    }
}

/// Who made a change.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sender<'a> {
    /// A person through an enrolled device.
    Person {
        /// The person, as log entries name them in `by`.
        user: RecordId,
        /// What they may do.
        roles: &'a [Role],
    },
    /// The server itself.
    Server,
}

/// One write of a root key, as admission sees it.
#[derive(Clone, Copy, Debug)]
pub struct Write<'a> {
    /// The kind of the record.
    pub schema: &'a KindSchema,
    /// The root key.
    pub key: &'a str,
    /// What is written.
    pub value: &'a Value,
    /// Whether the change that holds this write creates the record.
    pub creates: bool,
    /// Whether the write replaces a value that its author had seen.
    pub overwrites: bool,
}

/// Why a write is not allowed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Violation {
    /// Identity keys are written by the first change only.
    #[error("identity key written after creation")]
    Identity,
    /// A field that is fixed at creation was written later.
    #[error("field `{field}` is fixed at creation")]
    CreateOnly {
        /// The field.
        field: &'static str,
    },
    /// An element of an append-only set was altered or removed.
    #[error("elements of `{field}` cannot be altered")]
    AppendOnly {
        /// The set.
        field: &'static str,
    },
    /// A field that belongs to the server was written by a device.
    #[error("field `{field}` is written by the server only")]
    ServerOnly {
        /// The field.
        field: &'static str,
    },
    /// The kind is not written by devices, or not by this role.
    #[error("records of this kind are not written by this role")]
    Role,
    /// A log entry that names someone else as its author.
    #[error("entry names another author")]
    Author,
    /// A log entry whose action this role may not do.
    #[error("action is not open to this role")]
    Action,
    /// A log entry whose action this build does not know: the sender is newer, and its work is to be held.
    #[error("action is of a newer version")]
    NewerAction,
    /// An entry that cannot be read, or stands under another identifier than its own.
    #[error("entry cannot be read")]
    Entry,
    /// A record that is refused unless it is complete and within its rules.
    #[error("field `{field}` is missing or outside of its rules")]
    Incomplete {
        /// The field.
        field: &'static str,
    },
    /// What this product does not keep about people; see [`crate::forbidden`].
    #[error("value of `{field}` says what is not kept")]
    Forbidden {
        /// The field.
        field: &'static str,
    },
    /// A word that a closed list does not have.
    #[error("value of `{field}` is not on its list")]
    Closed {
        /// The field.
        field: &'static str,
    },
}

pub use crate::records::check_creation;

/// Whether a key takes a photo or a voice note out of its record, or puts it back: the one thing in an append-only set
/// that may be written, and written again. A wrong photo can be taken off; the reference itself stays in the history, so
/// that nothing is hidden from whoever looks into it. Entries of a log are never taken out.
pub fn takes_medium_out(schema: &KindSchema, key: &str) -> bool {
    let Some((field, Some(element))) = schema.field_of_key(key) else { return false };
    let media = field.policy == FieldPolicy::AppendOnly && matches!(field.name, "photos" | "voices");
    media && element.strip_suffix("/removed").is_some_and(|element| !element.is_empty())
}

/// Checks one write. A key of a newer schema passes: it is carried, not interpreted.
pub fn check_write(sender: &Sender<'_>, write: &Write<'_>) -> Result<(), Violation> {
    if IDENTITY_KEYS.contains(&write.key) {
        return if write.creates && !write.overwrites { Ok(()) } else { Err(Violation::Identity) };
    }
    let Sender::Person { roles, .. } = sender else { return Ok(()) };
    if !write.schema.device_writes || roles.iter().all(|role| *role == Role::Auditor) {
        return Err(Violation::Role);
    }
    if write.key == REMOVED_KEY {
        return Ok(());
    }
    let Some((field, _)) = write.schema.field_of_key(write.key) else { return Ok(()) };
    if crate::forbidden::in_field(write.schema.kind, field, write.value) {
        return Err(Violation::Forbidden { field: field.name });
    }
    match field.policy {
        FieldPolicy::Free => Ok(()),
        FieldPolicy::CreateOnly if write.creates => crate::records::check_field(sender, write, field),
        FieldPolicy::CreateOnly => Err(Violation::CreateOnly { field: field.name }),
        FieldPolicy::AppendOnly if takes_medium_out(write.schema, write.key) => match write.value {
            Value::Flag(_) => Ok(()),
            _ => Err(Violation::Entry),
        },
        FieldPolicy::AppendOnly if write.overwrites || write.key.ends_with("/removed") => {
            Err(Violation::AppendOnly { field: field.name })
        }
        FieldPolicy::AppendOnly => crate::records::check_entry(sender, write),
        FieldPolicy::ServerOnly => Err(Violation::ServerOnly { field: field.name }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::records::Kind;

    #[test]
    fn a_photo_is_taken_off_and_put_back_and_a_log_entry_never() {
        let user = RecordId::from_bytes([1; 16]);
        let sender = Sender::Person { user, roles: &[Role::Gridworker] };
        let check = |kind: Kind, key: &str, value: Value, overwrites: bool| {
            let write = Write { schema: kind.schema(), key, value: &value, creates: false, overwrites };
            check_write(&sender, &write)
        };
        for overwrites in [false, true] {
            for key in ["photos/aa/removed", "voices/aa/removed"] {
                assert_eq!(check(Kind::Event, key, Value::Flag(!overwrites), overwrites), Ok(()));
            }
            let log = check(Kind::Event, "log/aa/removed", Value::Flag(true), overwrites);
            assert_eq!(log, Err(Violation::AppendOnly { field: "log" }));
        }
        assert_eq!(check(Kind::Event, "photos/aa/removed", Value::Int(1), false), Err(Violation::Entry));
        let whole = check(Kind::Event, "photos/removed", Value::Flag(true), false);
        assert_eq!(whole, Err(Violation::AppendOnly { field: "photos" }), "no flag on the whole set");
        let auditor = Sender::Person { user, roles: &[Role::Auditor] };
        let write = Write {
            schema: Kind::Event.schema(),
            key: "photos/aa/removed",
            value: &Value::Flag(true),
            creates: false,
            overwrites: false,
        };
        assert_eq!(check_write(&auditor, &write), Err(Violation::Role));
    }
}
