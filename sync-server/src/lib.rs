#![forbid(unsafe_code)]
//! The sync server: what devices sync with and officers work on.
//!
//! # Layers
//!
//! | question | module |
//! | --- | --- |
//! | where is it all kept | [`storage`], [`media`] |
//! | what becomes of one request of a device | [`sync`] |
//! | how does the server itself write | [`edit`], [`writer`] |
//! | who may do what | [`access`], [`audit`] |
//! | what does HTTP call it | [`http`], [`protocol`] |
//! | what do officers see | [`console`] |
//! | what comes from elsewhere | [`import`] |
//! | how is it run | [`cli`], [`open`], [`serve`], [`backup`], [`config`], [`telemetry`] |
//!
//! # Threads
//!
//! Handlers are async and hold neither lock nor transaction across an await. Reading and admission run on the
//! blocking pool, as many at once as there are cores; one thread writes. What a request may hold while it waits is
//! bounded in number and bytes, so memory does not follow load. Nothing is cached per record.

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
pub mod rules;
pub mod sealed;
pub mod serve;
pub mod state;
pub mod storage;
pub mod sync;
pub mod telemetry;
pub mod writer;

#[cfg(test)]
mod testing;
