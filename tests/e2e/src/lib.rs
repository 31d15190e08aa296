//! What the end-to-end tests share: a [`Town`] with a real server process and real phones, a [`Tap`] that reads along
//! and cuts, plain HTTP on a socket ([`raw`]), and a [`Stranger`] who speaks the protocol without our device crate.
//!
//! Everything runs on the loopback interface and in a temporary folder. Nothing sleeps: tests wait for events. What
//! fails here fails a test, so this package panics where others return errors.

#![forbid(unsafe_code)]
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    reason = "used by tests only: a panic is a failed test"
)]

pub mod day;
pub mod forge;
pub mod measure;
pub mod promise;
pub mod raw;
pub mod siege;
pub mod sound;
pub mod stranger;
pub mod tap;
pub mod town;

pub use stranger::Stranger;
pub use tap::{Fate, Message, Passing, Tap};
pub use town::Town;
