//! What puts the product's promise to the test: that nothing a worker recorded is lost and that everybody
//! entitled to it ends up with the same.
//!
//! | question | module |
//! | --- | --- |
//! | does admission survive whatever a hostile or broken device sends | [`fuzz`] |
//!
//! Everything follows from a seed: the same seed, the same run.

#![deny(unsafe_code)]

pub mod clock;
pub mod fuzz;
pub mod power;
#[path = "../../harness/src/seeded.rs"]
pub mod seeded;
pub mod vfs;
pub mod world;
