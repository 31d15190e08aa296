//! Bringing the phone and the server together.
//!
//! [`Engine`] is a state machine without I/O: events go in, effects come out, and everything that a response brings
//! is applied to the store in one transaction. A test, the simulation and [`crate::Device`] drive the same code.
//!
//! | question | module |
//! | --- | --- |
//! | what is sent next, and when | [`engine`], `backoff` |
//! | what a request holds | `request` |
//! | what a response does to the store | `apply`, `pull` |
//! | what becomes of a refused change | `refusal` |
//! | what if the two sides differ | `repair` |
//! | what the worker is told | [`status`] |

mod apply;
mod backoff;
pub mod engine;
mod pull;
mod refusal;
mod repair;
mod request;
pub mod status;
#[cfg(test)]
pub(crate) mod tests;

pub use apply::Applied;
pub use backoff::Backoff;
pub use engine::{Effect, Engine, EngineConfig, Event};
pub use request::{Prepared, PushLimits, RequestContext};
pub use status::{LastError, Status};
