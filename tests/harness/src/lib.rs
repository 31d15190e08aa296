//! What tests, the demo and the benchmarks have in common: made-up districts, photos and tracks, seeded
//! randomness and a clock that is moved by hand, real servers as processes, phones, and a network that misbehaves.
//!
//! Everything that is made up here says so in its own text, and the same seed gives the same bytes.

#![forbid(unsafe_code)]

pub mod browser;
pub mod clock;
pub mod district;
pub mod error;
pub mod exif_segment;
pub mod flaky;
pub mod ledger;
pub mod office;
pub mod outline;
pub mod people;
pub mod phone;
pub mod photos;
pub mod scene;
pub mod seeded;
pub mod server;
pub mod tracks;

pub use error::HarnessError;
