//! Inspections: a checklist is filled at a place, what failed is put right by a deadline, and looked at again.
//!
//! A session is an [`Inspection`](gridwalk_model::records::Inspection) record without an end. Every answer is an edit of
//! its own, durable when the call returns, so that a session that was killed goes on where it was: there is no other
//! state than the record. Its answers reach other phones and the office as they are given; nothing follows from them
//! before the session is finished. Finishing is one commit: findings, score, rectification order, the task of checking
//! again, and an event for each major finding come into being together or not at all.
//!
//! | subject | module |
//! | --- | --- |
//! | which checklists a place has, sessions, answers | `session` |
//! | photos of answers, drawn signatures | `evidence` |
//! | what follows from a finished session | `finish` |
//! | open orders, rechecks, overdue findings | `orders` |
//! | an order on paper, to hand over and sign | `sheet` |
//! | taking a finished session back | `undo` |
//! | forms of campaigns, filled from records and back into them | `submission` |
//! | items of sent forms that only a newer build can ask | `late` |

mod error;
mod evidence;
mod finish;
mod late;
#[cfg(test)]
mod late_tests;
mod orders;
#[cfg(test)]
mod orders_tests;
mod session;
#[cfg(test)]
mod session_tests;
mod sheet;
#[cfg(test)]
mod sheet_tests;
mod submission;
#[cfg(test)]
mod submission_tests;
#[cfg(test)]
mod task_tests;
#[cfg(test)]
mod tests;
mod undo;

pub use error::ChecklistError;
pub use finish::{FinishPlan, Finished};
pub use late::AskedLater;
pub use orders::OpenOrder;
pub use session::{Answered, OfferedChecklist, Session};
pub use sheet::SheetLanguage;
pub use submission::{Filling, Submitted};
