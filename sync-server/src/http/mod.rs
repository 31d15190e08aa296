//! The HTTP binding of the protocol.
//!
//! | route | body → answer |
//! | --- | --- |
//! | `POST /v1/enrol`, `/v1/nonce`, `/v1/token` | framed CBOR both ways, no session |
//! | `POST /v1/sync`, `/v1/media/missing`, `/v1/sealed` | framed CBOR both ways, `Authorization: Bearer` |
//! | `/v1/media/uploads` | tus 1.0, see [`crate::media`] |
//! | `GET /v1/media/{record}/{hash}` | the bytes, through a record in scope |
//! | `GET /healthz`, `/metrics` | text |
//!
//! "Framed CBOR" is [`gridwalk_replica::frame`]: CBOR in one zstd frame. An error has the status of
//! [`gridwalk_replica::protocol::ProtocolError::status`] (429 where one device or address asks too often) and the framed error as its
//! body, with `Retry-After` where that helps.
//!
//! A body is read within its limit, within a time, and within bounds for its device and for all. Only then does its
//! request count among those at work, of which there are never more than [`crate::config::Limits::in_flight`]: who
//! sends slowly holds nobody else up. It is decoded on the blocking pool. A panic in a handler becomes a 500.

mod body;
mod error;
mod health;
pub mod listener;
mod routes;

#[cfg(test)]
mod contract_tests;
#[cfg(test)]
mod tests;

pub(crate) use body::bearer;
pub use error::respond_error;
pub use routes::router;
