//! What a gridworker does in a day. Each screen operation is one method of [`Store`](crate::Store): durable when it
//! returns, whole or not at all, and without the network. [`Device`](crate::Device) has the same, async.
//!
//! | subject | module |
//! | --- | --- |
//! | what is due, in which order | [`today`] |
//! | who lives behind which door | [`doors`] |
//! | which records are one person | `people` |
//! | tasks that other work fulfils | `tasks` |
//! | inspections, orders, rechecks, forms | [`checklists`] |
//! | reports, drafts, acts on events | [`events`] |
//! | reuse, blur, signatures, voice notes | [`evidence`] |
//! | QR codes on doors and places | [`labels`] |
//! | whom to visit, what came of it | [`visits`] |
//! | walks, their tracks and gaps | [`patrols`] |
//! | what needs the worker's decision | [`tray`] |
//! | the worker's own figures | [`indicators`] |
//! | how a found record is named | `found` |

pub mod checklists;
pub mod doors;
pub mod events;
pub mod evidence;
mod found;
pub mod indicators;
pub mod labels;
pub mod patrols;
mod people;
pub mod rules;
mod tasks;
pub mod today;
pub mod tray;
pub mod visits;
