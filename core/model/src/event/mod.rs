//! Events: what their log means.
//!
//! An event's state is nowhere stored. It is what [`fold()`] makes of the log, on the phone and on the server
//! alike. The log only grows; an entry that does not apply is kept and flagged, and changes nothing.
//!
//! | subject | module |
//! | --- | --- |
//! | entries as they stand in a document | [`LogEntry`], [`read_log`] |
//! | the order in which they are folded | `order` |
//! | who may do what, and when | [`table`] |
//! | what has to hold for it | `guards` |
//! | what a deployment decides, and its file | [`EventRules`] |
//! | the outcome | [`Folded`], [`Sla`] |
//! | numbers issued offline | [`number`] |
//! | reports of the same problem | [`near`] |
//! | who is on site | [`site`] |
//! | before and after | [`pairs`] |
//! | acts and their evidence by now | [`without_proof`], [`with_evidence_of_now`] |
//! | urgent and not sent | [`urgent`] |

mod entry;
mod file;
mod fold;
mod guards;
pub mod near;
pub mod number;
mod order;
pub mod pairs;
mod proof;
mod rules;
pub mod site;
mod sla;
mod state;
pub mod table;
#[cfg(test)]
mod tests;
pub mod urgent;

pub use entry::{Action, LogEntry, Presence, RatingChannel, SlaClass, Supervision, read_log};
pub use file::EventRulesError;
pub use fold::fold;
pub use guards::Guard;
pub use proof::{with_evidence_of_now, without_proof};
pub use rules::{Category, EventRules, SlaRule};
pub use sla::Sla;
pub use state::{Called, ExtensionRequest, Flag, Folded, Judged, Rating, State, Verdict};
pub use table::{Offline, legal_next};
