#![forbid(unsafe_code)]
//! The sync server.

pub mod audit;
pub mod clock;
pub mod storage;
pub mod sync;
