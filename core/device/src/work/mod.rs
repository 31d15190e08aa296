//! What a gridworker does in a day, one folder a subject. Each screen operation is one method of
//! [`Store`](crate::Store): durable when it returns, whole or not at all, and without the network.
//! [`Device`](crate::Device) has the same, async.

pub mod checklists;
pub mod doors;
pub mod indicators;
pub mod patrols;
pub mod visits;
