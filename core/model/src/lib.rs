//! The plain model of neighbourhood grid work: what a record is, which fields it has, who may see it,
//! what an event's log means, and where things are.
//!
//! This crate is pure. It does no I/O and asks for time and randomness as arguments, so that a phone and a
//! server that hold the same facts reach the same conclusions.
//!
//! | subject | module |
//! | --- | --- |
//! | identifiers, time, scalar values | [`id`], [`time`], [`value`] |
//! | which kinds of record exist and what their fields are | [`schema`], [`records`] |
//! | who may write a field | [`policy`] |
//! | which streams a record belongs to | [`stream`], [`placement`] |
//! | who holds which streams | [`access`] |
//! | what is wrong with a record | [`validate`], [`codes`] |
//! | what an event's log means | [`event`], [`calendar`], [`categories`] |
//! | what places are called | [`place_categories`] |
//! | what is due, and in which order it is walked | [`due`] |
//! | what a deployment decides about a worker's day | [`field_rules`] |
//! | local days | [`local_time`] |
//! | how a value is shown to people | [`describe`] |
//! | what a checklist asks | [`checklist`] |
//! | how forms fill records | [`forms`] |
//! | what is never asked | [`forbidden`] |
//! | who lives behind a door | [`doors`] |
//! | photos, their chain, voice notes, encoded entries | [`photo`], [`photo_chain`], [`voice`], [`codec`] |
//! | where things are | [`geo`] |
//! | what a patrol comes to | [`walk`] |
//! | tokens of QR labels | [`label`] |
//! | figures with the evidence behind them | [`indicators`] |
//! | who is visited when, what is asked | [`visits`] |

#![forbid(unsafe_code)]

#[macro_use]
mod macros;

pub mod access;
pub mod calendar;
pub mod categories;
pub mod checklist;
pub mod codec;
pub mod codes;
pub mod describe;
pub mod doors;
pub mod due;
pub mod event;
pub mod field_rules;
pub mod forbidden;
pub mod forms;
pub mod geo;
pub mod id;
pub mod indicators;
pub mod label;
pub mod local_time;
pub mod photo;
pub mod photo_chain;
pub mod place_categories;
pub mod placement;
pub mod policy;
pub mod records;
pub mod schema;
pub mod stream;
pub mod time;
pub mod validate;
pub mod value;
pub mod visits;
pub mod voice;
pub mod walk;

pub use id::{ContentHash, DeviceId, ParseIdError, RecordId};
pub use records::Record;
pub use schema::{FieldPolicy, FieldSchema, FieldType, Kind, KindSchema};
pub use stream::{AccessClass, StreamId};
pub use time::Timestamp;
pub use value::{Fields, Value};
