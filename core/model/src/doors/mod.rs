//! What can be said of a door and of the people behind it, by pure rules that phone and server share.
//!
//! Residencies and the dwelling's own word for whether it is lived in are written by several phones that do not see
//! each other. So nothing here relies on what was written being in order: who lives where is *worked out* from the
//! records, by a rule that gives the same answer on every replica, and what does not go together is named as a doubt
//! for a person to settle. Rejected: letting each phone repair the records after a pull. Two phones would repair at
//! the same time, and one of them would overwrite what a worker had just said at the door.
//!
//! | subject | module |
//! | --- | --- |
//! | which home counts, who is a duplicate of whom | [`home`] |
//! | what a door is shown as | [`door`] |
//! | whether two entries may be one person | [`likeness()`] |
//! | whether anybody can walk that fast | [`pace`] |
//! | the limits of all this, as data | [`rules`] |

pub mod door;
pub mod home;
pub mod likeness;
pub mod pace;
pub mod rules;

pub use door::{DoorState, door_state, floor_of_room};
pub use home::{Doubt, Standing, Stay, canonical, standing};
pub use likeness::{Likeness, PersonFacts, likeness};
pub use pace::{DoorLimit, Knock, TooFast};
pub use rules::{DoorRules, DoorRulesError};
