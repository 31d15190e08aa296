//! The way to the server. `reqwest` is used nowhere else.

mod error;

pub use error::NetError;
