//! Doors: the board of a building, what is done at a door, and the people behind it.
//!
//! | subject | module |
//! | --- | --- |
//! | floors × doors with their state, one door in full | [`board`] |
//! | what can be done at a door, and what comes of it | [`act`] |
//! | a whole floor at once | [`floor`] |
//! | taking back | [`undo`] |
//! | a person with all records that stand for them, merging | [`person`] |
//! | newcomers, namesakes, hints of duplicates | [`newcomers`] |
//! | people who look alike and are not the same | `apart` |
//!
//! Each operation is one transaction, leaves a base verification and can be undone as a whole on the phone that did
//! it. What two phones did without seeing each other is not repaired but worked out at reading, by the rules of
//! [`gridwalk_model::doors`]: a person has one main home, the dead and those taken back have none, a door with people
//! is never shown as vacant. What does not go together is shown as doubtful until a worker settles it, with an
//! ordinary operation ([`act::DoorAct::LivesHere`], [`act::DoorAct::Occupied`], [`act::DoorAct::MoveOut`],
//! [`act::DoorAct::Vacant`]).

pub mod act;
mod acts;
mod apart;
pub mod board;
pub mod floor;
mod journal;
mod living;
mod moving;
pub mod newcomers;
mod operation;
pub mod person;
mod problem;
mod read;
mod rules;
#[cfg(test)]
mod tests;
mod trouble;
pub mod undo;

pub use act::{AtDoor, DoorAct, DoorDone, InHousehold, NewPerson, Newcomer, Who};
pub use board::{Board, Building, Door, DoorSheet, Floor, Knocked};
pub use floor::{FloorConfirmed, LeftOut};
pub use newcomers::{DuplicateHint, Namesake, ProvisionalNewcomer};
pub use person::{Difference, Home, Person, PersonEdited};
pub use problem::DoorProblem;
pub use read::{Doubtful, Inhabitant};
pub use undo::DoorOperation;

pub(in crate::work) use living::{Living, LivingPerson, WhoLives};
pub(in crate::work) use read::is_gone;
