//! The way to the server. `reqwest` is used nowhere else.
//!
//! Requests time out when they stand still, not by their total time: a megabyte over a stairwell's network may take
//! minutes and still arrive. Everything can be cancelled.

mod error;
mod http;
mod media;
mod session;
#[cfg(test)]
mod tests;
mod tls;
mod tus;
mod watch;

pub use error::NetError;
pub use http::{HttpClient, HttpConfig};
pub use session::Session;
pub use tus::{Piece, Source};
pub use watch::Cancel;
