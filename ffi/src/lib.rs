//! The face of the phone core towards Kotlin, Swift and Python, by UniFFI. No business logic: every call converts,
//! passes through a gate, and asks [`gridwalk_device`].
//!
//! | question | module |
//! | --- | --- |
//! | open, enrol, synchronise, pause, close | [`device`], [`gate`] |
//! | what a call can fail with | [`error`] |
//! | what the shell provides: keys, clock, camera | [`traits`], [`capture`] |
//! | being told of changes | [`observe`], [`logs`] |
//! | records as they are, lists, search | [`records`], [`kinds`], [`schema`], [`search`] |
//! | the first screen, the tray | [`today`], [`tray`] |
//! | doors and people | [`doors`], [`people`] |
//! | reports and events, photos, voice notes | [`reports`], [`events`], [`event_rules`], [`evidence`] |
//! | QR labels | [`door_labels`] |
//! | inspections and forms | [`checklists`], [`forms`] |
//! | visits, patrols, the worker's week | [`visits`], [`patrols`], [`indicators`] |
//! | PIN, practice, storage, sensitive reads | [`keeping`] |
//! | words and labels in both languages | [`containers`], [`labels`], [`geo`] |
//!
//! # How calls run
//! Every call is a task on the one tokio runtime that `async_runtime = "tokio"` enters (UniFFI's own, one thread: the
//! store has its own thread, photos and keys use the blocking pool). A caller that stops waiting drops the waiting
//! only: the task goes on to its end, so that a write is finished or was never begun. Panics become an error.
//!
//! # How types cross
//! Types of the core whose fields all cross as they are, cross themselves (`#[uniffi::remote]`: the macro builds them
//! field by field, so that a new field of the core does not compile until it stands here as well). Others have a
//! mirror here that is made by exhaustive destructuring, for the same reason. `uniffi` stays out of the core.

#![deny(unsafe_code)]

#[macro_use]
mod mirror;

#[cfg(test)]
mod tests;

pub mod capture;
pub mod checklists;
pub mod containers;
pub mod device;
mod dispatch;
pub mod door_labels;
pub mod doors;
pub mod error;
pub mod event_rules;
pub mod events;
pub mod evidence;
pub mod forms;
mod gate;
pub mod geo;
mod ids;
pub mod indicators;
pub mod keeping;
pub mod kinds;
pub mod labels;
pub mod logs;
pub mod observe;
pub mod patrols;
pub mod people;
pub mod records;
pub mod reports;
pub mod schema;
pub mod search;
pub mod today;
pub mod traits;
pub mod tray;
pub mod values;
pub mod visits;

pub use device::Device;
pub use error::{FieldProblem, GridwalkError, Problem};

uniffi::setup_scaffolding!("gridwalk");
