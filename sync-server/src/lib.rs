#![forbid(unsafe_code)]
//! The sync server.

pub mod access;
pub mod audit;
pub mod backup;
pub mod cli;
pub mod clock;
pub mod config;
pub mod console;
pub mod edit;
pub mod http;
pub mod import;
pub mod limits;
pub mod media;
pub mod open;
pub mod protocol;
pub mod serve;
pub mod state;
pub mod storage;
pub mod sync;
pub mod telemetry;
pub mod writer;

#[cfg(test)]
mod testing;
