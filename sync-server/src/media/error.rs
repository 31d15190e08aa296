//! What can go wrong with media.

use std::io;

use gridwalk_replica::protocol::ProtocolError;

use super::content::ContentError;
use crate::storage::StorageError;
use crate::sync::SyncError;

/// Why an upload or a request for it came to nothing.
#[derive(Debug, thiserror::Error)]
pub enum MediaError {
    /// Refused for a reason that tus has a status for.
    #[error(transparent)]
    Refused(#[from] Refusal),
    /// Refused as elsewhere in the protocol.
    #[error(transparent)]
    Protocol(#[from] ProtocolError),
    /// The store failed.
    #[error(transparent)]
    Storage(#[from] StorageError),
    /// The disk is full or failed.
    #[error("media folder failed: {0}")]
    Io(#[from] io::Error),
}

/// A refusal that tus has a status for. The text goes to a developer.
#[derive(Debug, PartialEq, thiserror::Error)]
pub enum Refusal {
    /// No upload of this device has this name.
    #[error("no such upload")]
    NotFound,
    /// The upload has expired.
    #[error("upload has expired, create it again")]
    Gone,
    /// Another version of tus, or none named.
    #[error("Tus-Resumable must be 1.0.0")]
    Version,
    /// A header that is missing or cannot be read.
    #[error("{0}")]
    BadHeader(&'static str),
    /// A body without the media type that tus demands.
    #[error("Content-Type must be application/offset+octet-stream")]
    ContentType,
    /// Longer than allowed, or than announced.
    #[error("larger than allowed or announced")]
    TooLarge,
    /// Not where the upload stands.
    #[error("Upload-Offset must be {offset}")]
    Offset {
        /// Where it stands.
        offset: u64,
    },
    /// The device has too much under way.
    #[error("too many uploads are open")]
    TooManyOpen,
    /// The bytes of the request are not what their checksum says. None of them was kept.
    #[error("the chunk's checksum does not fit")]
    Checksum,
    /// The body ended early, or stood still. What came is kept if it had no checksum.
    #[error("body ended early")]
    BodyEnded,
    /// A later request for the same upload took over.
    #[error("another request has taken over this upload")]
    Overtaken,
    /// The whole is not publishable. The upload was removed.
    #[error("{0}; the upload was removed / {zh}", zh = .0.zh())]
    Content(ContentError),
}

impl Refusal {
    /// HTTP status.
    pub const fn status(&self) -> u16 {
        match self {
            Self::BadHeader(_) => 400,
            Self::NotFound => 404,
            Self::BodyEnded => 408,
            Self::Offset { .. } => 409,
            Self::Gone => 410,
            Self::Version => 412,
            Self::TooLarge => 413,
            Self::ContentType => 415,
            Self::Content(ContentError::WrongHash) | Self::Checksum => 460,
            Self::Content(_) => 422,
            Self::Overtaken => 423,
            Self::TooManyOpen => 429,
        }
    }
}

impl From<SyncError> for MediaError {
    fn from(error: SyncError) -> Self {
        match error {
            SyncError::Protocol(error) => Self::Protocol(error),
            SyncError::Storage(error) => Self::Storage(error),
        }
    }
}

impl MediaError {
    /// The failure as the protocol names it; `Err` with the refusal if tus has a status of its own for it.
    ///
    /// # Errors
    /// The refusal.
    pub fn into_protocol(self) -> Result<ProtocolError, Refusal> {
        use io::ErrorKind::{FileTooLarge, QuotaExceeded, StorageFull};
        Ok(match self {
            Self::Refused(refusal) => return Err(refusal),
            Self::Protocol(error) => error,
            Self::Storage(StorageError::Full) => ProtocolError::StorageFull,
            Self::Storage(StorageError::Busy) => ProtocolError::Busy { retry_after_s: 1 },
            Self::Io(error) if matches!(error.kind(), StorageFull | QuotaExceeded | FileTooLarge) => {
                ProtocolError::StorageFull
            }
            Self::Storage(_) | Self::Io(_) => ProtocolError::Internal,
        })
    }
}
