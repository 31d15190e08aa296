//! What a gridworker does in a day, one folder a subject.

pub mod doors;
