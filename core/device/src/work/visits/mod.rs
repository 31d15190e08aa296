//! Visits and care: who is due and why, what is asked, what came of it, what is followed up the next time.
//!
//! | question | file |
//! | --- | --- |
//! | who is due | `due.rs` |
//! | from which day to which, for the list of what is due | `spans.rs` |
//! | what a screen shows before the visit, and drafts | `sheet.rs` |
//! | recording a visit, taking it back | `record.rs` |
//! | care tags | `care.rs` |

mod care;
mod due;
mod record;
mod sheet;
mod spans;
#[cfg(test)]
mod tests;

pub use care::{CareTagInput, TagInForce};
pub use due::VisitDue;
pub use record::{FollowUp, Recorded, ServiceAsked, VisitInput};
pub use sheet::{LastVisit, VisitSheet};
pub(crate) use spans::{DueSpan, redrawn};

use gridwalk_model::RecordId;
use gridwalk_model::visits::VisitFault;

use crate::error::DeviceError;

const fn fault(target: RecordId, fault: VisitFault) -> DeviceError {
    DeviceError::Visit { target, fault }
}
