//! What a gridworker does in a day, one folder a subject. Each operation is one call that a screen makes, durable when it
//! returns.

pub mod checklists;
