//! Visits: who is due when and why, what is asked, and what a result may hold.
//!
//! A visit to which the door was opened, or declined, is complete: declining is a result like any other and triggers
//! nothing (design text 1). Nothing here scores people.

pub mod cadence;
pub mod check;
pub mod due;
pub mod form;

pub use cadence::{Cadence, CadenceError};
pub use check::{VisitFault, check_visit};
pub use due::{Due, DueState, Plan, VisitFact, Why};
pub use form::{VisitForm, VisitItem};
