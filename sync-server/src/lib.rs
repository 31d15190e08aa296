#![forbid(unsafe_code)]
//! The sync server.

pub mod access;
pub mod audit;
pub mod clock;
pub mod edit;
pub mod storage;
pub mod sync;
