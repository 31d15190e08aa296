//! The protocol between a device and the server, once: the HTTP client implements it by sending, the server by
//! answering, so that the two cannot drift apart.

use std::future::Future;

use minicbor::bytes::ByteVec;
use minicbor::{Decode, Encode};

use crate::wire::{Bytes16, SyncRequest, SyncResponse};

/// Paths of the HTTP binding.
pub mod path {
    /// `POST`: [`super::SyncRequest`] → [`super::SyncResponse`], in a zstd frame.
    pub const SYNC: &str = "/v1/sync";
    /// `POST`: [`super::EnrolRequest`] → [`super::Enrolled`].
    pub const ENROL: &str = "/v1/enrol";
    /// `POST`: [`super::NonceRequest`] → [`super::Nonce`].
    pub const NONCE: &str = "/v1/nonce";
    /// `POST`: [`super::TokenRequest`] → [`super::Token`].
    pub const TOKEN: &str = "/v1/token";
    /// `POST`: [`super::MissingRequest`] → [`super::Missing`].
    pub const MISSING: &str = "/v1/media/missing";
    /// `POST`: [`super::HandIn`] → [`super::HandedIn`].
    pub const SEALED: &str = "/v1/sealed";
    /// tus 1.0 endpoint of media uploads.
    pub const UPLOADS: &str = "/v1/media/uploads";
}

/// A device's first words: it redeems the one-time code of the QR label with its new public key.
///
/// The same code with the same key answers alike during the code's life; with another key it is refused.
#[derive(Clone, Debug, PartialEq, Encode, Decode)]
#[cbor(array)]
pub struct EnrolRequest {
    /// The one-time code.
    #[n(0)]
    pub code: String,
    /// P-256 public key, SEC1 uncompressed (65 bytes).
    #[n(1)]
    pub public_key: ByteVec,
    /// What the device calls itself, for the list of devices; no personal data.
    #[n(2)]
    pub label: String,
}

/// The server's answer to an enrolment.
#[derive(Clone, Debug, PartialEq, Encode, Decode)]
#[cbor(array)]
pub struct Enrolled {
    /// 12-byte device id: the prefix of all of the device's actors.
    #[n(0)]
    pub device: ByteVec,
    /// The person that the device is bound to.
    #[n(1)]
    pub user: Bytes16,
    /// The person's name, as the device shows it.
    #[n(2)]
    pub user_name: String,
    /// The deployment's name.
    #[n(3)]
    pub server_name: String,
    /// The key for which the phone seals its unsent work if it is locked; older servers have none.
    #[n(4)]
    pub sealing_key: Option<ByteVec>,
    /// The device's code in event numbers, which no other device of the deployment has; older servers give none.
    #[n(5)]
    pub device_code: Option<String>,
}

/// Asks for something to sign.
#[derive(Clone, Debug, PartialEq, Encode, Decode)]
#[cbor(array)]
pub struct NonceRequest {
    /// 12-byte device id.
    #[n(0)]
    pub device: ByteVec,
}

/// Something to sign, once, soon.
#[derive(Clone, Debug, PartialEq, Encode, Decode)]
#[cbor(array)]
pub struct Nonce {
    /// 32 random bytes.
    #[n(0)]
    pub nonce: ByteVec,
}

/// Proof that the device holds its key.
#[derive(Clone, Debug, PartialEq, Encode, Decode)]
#[cbor(array)]
pub struct TokenRequest {
    /// 12-byte device id.
    #[n(0)]
    pub device: ByteVec,
    /// The nonce that was signed.
    #[n(1)]
    pub nonce: ByteVec,
    /// ECDSA P-256 with SHA-256 over [`token_message`], 64 bytes `r ‖ s`.
    #[n(2)]
    pub signature: ByteVec,
}

/// A bearer token.
#[derive(Clone, Debug, PartialEq, Encode, Decode)]
#[cbor(array)]
pub struct Token {
    /// Sent as `Authorization: Bearer …`.
    #[n(0)]
    pub token: String,
    /// For how many seconds it holds.
    #[n(1)]
    pub seconds: u32,
}

/// What a device signs to obtain a token: a fixed heading, so that no other signature of the same key can serve.
pub fn token_message(device: &[u8], nonce: &[u8]) -> Vec<u8> {
    [b"gridwalk token v1\0", device, nonce].concat()
}

/// Asks which media the server lacks, as far as this device may know.
#[derive(Clone, Debug, PartialEq, Encode, Decode)]
#[cbor(array)]
pub struct MissingRequest {
    /// SHA-256 hashes, at most 500.
    #[n(0)]
    pub hashes: Vec<ByteVec>,
}

/// The hashes that the device is to upload, and the receipts for the others.
#[derive(Clone, Debug, PartialEq, Encode, Decode)]
#[cbor(array)]
pub struct Missing {
    /// To be uploaded.
    #[n(0)]
    pub missing: Vec<ByteVec>,
    /// Durably stored.
    #[n(1)]
    pub stored: Vec<ByteVec>,
}

/// One part of the sealed work of a locked phone: see [`crate::sealed`]. The same again is taken once; a part that
/// was sealed anew stands in place of the one before until the package is whole.
#[derive(Clone, Debug, PartialEq, Encode, Decode)]
#[cbor(array)]
pub struct HandIn {
    /// Random name of the package.
    #[n(0)]
    pub package: Bytes16,
    /// Number of the part, from 0.
    #[n(1)]
    pub part: u32,
    /// How many parts the package has.
    #[n(2)]
    pub of: u32,
    /// The sealed part.
    #[n(3)]
    pub body: ByteVec,
}

/// Where a package stands.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(array)]
pub struct HandedIn {
    /// Whether the device is locked. Nothing is taken from one that is not: it goes on with its work.
    #[n(0)]
    pub locked: bool,
    /// The lowest part that is missing. None, of a locked device, is the receipt: all of it is durable and opens.
    #[n(1)]
    pub next: Option<u32>,
}

/// Why the other side did not do what was asked.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error, Encode, Decode)]
pub enum ProtocolError {
    /// No valid token; get a new one.
    #[n(0)]
    #[error("not authorised")]
    Unauthorized,
    /// The device has been locked by the deployment.
    #[n(1)]
    #[error("device is revoked")]
    Revoked {
        /// Whether everything on it is to be wiped at once, unsent work included.
        #[n(0)]
        wipe: bool,
    },
    /// The one-time code is unknown, spent or expired.
    #[n(2)]
    #[error("enrolment code is not valid")]
    CodeInvalid,
    /// The body is not what the contract asks for.
    #[n(3)]
    #[error("request is malformed: {reason}")]
    Malformed {
        /// What is wrong, for a developer; no personal data.
        #[n(0)]
        reason: String,
    },
    /// The body is over its limit.
    #[n(4)]
    #[error("request is too large")]
    TooLarge,
    /// No common protocol version.
    #[n(5)]
    #[error("server speaks protocol {min} to {max}")]
    Version {
        /// Lowest version that the server speaks.
        #[n(0)]
        min: u32,
        /// Highest version that the server speaks.
        #[n(1)]
        max: u32,
    },
    /// Too many requests are waiting; come again later.
    #[n(6)]
    #[error("server is busy, retry after {retry_after_s} s")]
    Busy {
        /// Seconds to wait.
        #[n(0)]
        retry_after_s: u32,
    },
    /// The server's disk is full. Nothing was taken.
    #[n(7)]
    #[error("server storage is full")]
    StorageFull,
    /// The server failed. Nothing was taken.
    #[n(8)]
    #[error("server failed")]
    Internal,
}

impl ProtocolError {
    /// The HTTP status that carries this error.
    pub const fn status(&self) -> u16 {
        match self {
            Self::Unauthorized => 401,
            Self::Revoked { .. } | Self::CodeInvalid => 403,
            Self::Malformed { .. } => 400,
            Self::TooLarge => 413,
            Self::Version { .. } => 426,
            Self::Busy { .. } => 503,
            Self::StorageFull => 507,
            Self::Internal => 500,
        }
    }
}

/// The conversation. `E` is [`ProtocolError`] on the server and a transport error around it on the client.
pub trait Protocol: Send + Sync {
    /// What can go wrong.
    type Error: Send;

    /// Binds a new device.
    fn enrol(&self, request: EnrolRequest) -> impl Future<Output = Result<Enrolled, Self::Error>> + Send;

    /// Gives a nonce to sign. Unknown devices get one too.
    fn nonce(&self, request: NonceRequest) -> impl Future<Output = Result<Nonce, Self::Error>> + Send;

    /// Exchanges a signed nonce for a token.
    fn token(&self, request: TokenRequest) -> impl Future<Output = Result<Token, Self::Error>> + Send;

    /// Pushes and pulls. Answers after the pushed changes are durable.
    fn sync(
        &self,
        token: &str,
        request: SyncRequest,
    ) -> impl Future<Output = Result<SyncResponse, Self::Error>> + Send;

    /// Tells which media are still to be uploaded.
    fn missing(
        &self,
        token: &str,
        request: MissingRequest,
    ) -> impl Future<Output = Result<Missing, Self::Error>> + Send;

    /// Takes a part of the sealed work of a locked device.
    fn hand_in(
        &self,
        token: &str,
        request: HandIn,
    ) -> impl Future<Output = Result<HandedIn, Self::Error>> + Send;
}
