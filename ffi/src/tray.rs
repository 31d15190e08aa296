//! The tray: what needs a decision or patience.

use std::sync::Arc;

use gridwalk_device::keeping::KeepingLimits;
use gridwalk_device::work::tray::{Settlement, TrayAct, TrayItem, TrayKey, TrayMedia, TrayValue, Undo};
use gridwalk_model::describe::Words;
use gridwalk_model::{ContentHash, Fields, RecordId, Timestamp, Value};

use crate::device::Device;
use crate::error::GridwalkError;

/// What takes a settlement back, where that is possible: given to `undo_settlement`.
#[derive(uniffi::Object)]
pub struct SettlementUndo(Undo);

#[uniffi::export]
impl SettlementUndo {
    /// Whether there is anything to take back, and a way to. What others did since may still stand against it.
    pub fn is_possible(&self) -> bool {
        self.0 != Undo::default() && !self.0.is_final()
    }
}

/// What names an item of the tray.
#[uniffi::remote(Enum)]
pub enum TrayKey {
    /// A field with values that differ.
    Conflict {
        /// The record.
        record: RecordId,
        /// The root key.
        field: String,
    },
    /// An edit that was not accepted.
    Refused {
        /// Its number.
        n: i64,
    },
    /// A new record that was not accepted: all of it is on this phone only.
    NewRefused {
        /// The record.
        record: RecordId,
    },
    /// Removed by one, edited by another.
    Removed {
        /// The record.
        record: RecordId,
    },
    /// The worker's act on an event does not count.
    Late {
        /// The event.
        record: RecordId,
        /// The entry.
        entry: RecordId,
    },
    /// The worker's act on an event has lost all photos on which it rests.
    Unproven {
        /// The event.
        record: RecordId,
        /// The entry.
        entry: RecordId,
    },
    /// The server cannot take it yet.
    Held {
        /// The record.
        record: RecordId,
    },
    /// It cannot be read by this build.
    NeedsUpdate {
        /// The record.
        record: RecordId,
    },
    /// A form that was sent asks what could not be asked then.
    AskedLater {
        /// The submission.
        record: RecordId,
    },
    /// A photo, a voice note or a track does not arrive.
    Media {
        /// Which one.
        media: TrayMedia,
    },
    /// It waits for the network.
    Unsent {
        /// The record.
        record: RecordId,
    },
}

/// What names a medium in the tray.
#[uniffi::remote(Enum)]
pub enum TrayMedia {
    /// One that belongs to a record and is to be sent.
    Upload(ContentHash),
    /// A camera's file that could not be prepared, by its number in the journal.
    Original(i64),
}

/// What can be done about an item.
#[uniffi::remote(Enum)]
pub enum TrayAct {
    /// Choose one of the values.
    Choose,
    /// Write it again, as it is or changed.
    WriteAgain,
    /// Give it up.
    GiveUp,
    /// Leave it; nothing is lost.
    KeepWaiting,
    /// Keep the record.
    Keep,
    /// Remove the record.
    Remove,
    /// Take note.
    Noted,
    /// Answer what was not asked before.
    FillIn,
    /// Try again now.
    Retry,
    /// Throw it away, and take it off its record.
    ThrowAway,
}

/// One of the values to choose from, or what was refused.
#[uniffi::remote(Record)]
pub struct TrayValue {
    /// The root key.
    pub field: String,
    /// The field's name.
    pub name: Words,
    /// The value.
    pub value: Value,
    /// As a person reads it.
    pub text: Words,
    /// Who wrote it, where that is known.
    pub author: Option<String>,
    /// When.
    pub at: Timestamp,
    /// Whether reads show it at present.
    pub shown: bool,
    /// Whether it belongs to a sensitive record: then `value` is empty until `reveal` is asked for a purpose.
    pub hidden: bool,
}

/// One item.
#[uniffi::remote(Record)]
pub struct TrayItem {
    /// What names it.
    pub key: TrayKey,
    /// The record.
    pub record: RecordId,
    /// The word for its kind.
    pub kind_tag: String,
    /// The name of its kind.
    pub kind: Words,
    /// Whether its values are of the sensitive class.
    pub sensitive: bool,
    /// What the record is called; empty where it has no name.
    pub title: Words,
    /// Since when.
    pub since: Timestamp,
    /// What happened, in a few words.
    pub what: Words,
    /// What happened and what can be done, in plain sentences.
    pub explanation: Words,
    /// The values concerned.
    pub values: Vec<TrayValue>,
    /// The ways out, the likeliest first.
    pub acts: Vec<TrayAct>,
    /// Whether the worker has taken note of it and nothing is left to decide.
    pub seen: bool,
}

/// What the worker decided.
#[uniffi::remote(Enum)]
pub enum Settlement {
    /// One of the values in conflict.
    Choose(Value),
    /// Another value, for a conflict or a refused edit; `None` writes the refused one as it was.
    WriteAgain(Option<Value>),
    /// A refused record once more, with these fields changed.
    SendAgain(Fields),
    /// Gives up what was refused.
    GiveUp,
    /// Leaves it.
    KeepWaiting,
    /// Keeps a record that another removed.
    Keep,
    /// Removes it.
    Remove,
    /// Has read it.
    Noted,
    /// Tries it again now.
    Retry,
    /// Throws it away.
    ThrowAway,
}

#[uniffi::export(async_runtime = "tokio")]
impl Device {
    /// Everything in the tray: first what needs a decision, then what needs patience, then what only waits for the
    /// network. Values of sensitive records are hidden, see `reveal`.
    pub async fn tray(&self) -> Result<Vec<TrayItem>, GridwalkError> {
        self.call(async |core| core.tray().await).await
    }

    /// The values of an item in full, for a purpose that is journaled before anything is shown. Throws `InvalidInput`
    /// (`no_purpose`) if none was stated, `Conflict` (`not_in_tray`) where the item is gone.
    #[uniffi::method(default(limits = None))]
    pub async fn reveal(
        &self,
        key: TrayKey,
        purpose: String,
        limits: Option<KeepingLimits>,
    ) -> Result<Vec<TrayValue>, GridwalkError> {
        self.call(async move |core| core.reveal(key, &purpose, limits.unwrap_or_default()).await).await
    }

    /// Settles an item; durable when this returns. Throws `Conflict` (`not_in_tray`) where the item is gone or has no
    /// such way out.
    pub async fn settle(&self, key: TrayKey, how: Settlement) -> Result<Arc<SettlementUndo>, GridwalkError> {
        let undo = self.write(async move |core| core.settle(key, how).await).await?;
        Ok(Arc::new(SettlementUndo(undo)))
    }

    /// Takes a settlement back: the item is in the tray again. Throws `Conflict` (`not_undone.changed_since`,
    /// `not_undone.final`); nothing was written then.
    pub async fn undo_settlement(&self, undo: Arc<SettlementUndo>) -> Result<(), GridwalkError> {
        self.write(async move |core| core.undo_settlement(undo.0.clone()).await).await
    }
}

/// The label of a button of the tray, in both languages.
#[uniffi::export]
pub fn tray_act_label(act: TrayAct) -> Words {
    act.words()
}
