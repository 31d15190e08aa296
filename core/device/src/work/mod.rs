//! What a gridworker does in a day. Each operation is one call that a screen makes, and durable when it returns.
//!
//! | subject | module |
//! | --- | --- |
//! | reports, drafts, acts on events | [`events`] |
//! | what needs the worker's decision | [`tray`] |
//! | what is due | [`today`] |

pub mod events;
pub mod today;
pub mod tray;
