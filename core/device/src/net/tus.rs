//! Uploads by tus 1.0: creation, HEAD to resume, PATCH with a checksum for each piece.
//!
//! The server's word on how far an upload has come is the only one that counts; so after any cut at most one piece is
//! sent twice.

use std::future::Future;

use data_encoding::BASE64;
use gridwalk_model::ContentHash;
use gridwalk_replica::protocol::{ProtocolError, path};
use reqwest::Method;
use reqwest::header::{CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue, LOCATION};
use sha2::{Digest, Sha256};

use super::http::Answer;
use super::{NetError, Session};
use crate::store::Upload;

const RESUMABLE: HeaderName = HeaderName::from_static("tus-resumable");
const LENGTH: HeaderName = HeaderName::from_static("upload-length");
const OFFSET: HeaderName = HeaderName::from_static("upload-offset");
const METADATA: HeaderName = HeaderName::from_static("upload-metadata");
const CHECKSUM: HeaderName = HeaderName::from_static("upload-checksum");
/// Status of the checksum extension for a piece that arrived damaged.
const CHECKSUM_MISMATCH: u16 = 460;
/// Disagreements about the offset in a row after which an upload is left for later.
const DISAGREEMENTS_MAX: u32 = 3;

/// The bytes from some offset to the end of their piece.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Piece {
    /// The bytes; never none.
    pub bytes: Vec<u8>,
}

/// Where an upload's bytes come from, and who is told how far it is.
pub trait Source: Send + Sync {
    /// The piece at `offset`; `None` if the medium is gone.
    fn piece(&self, hash: ContentHash, offset: u64) -> impl Future<Output = Option<Piece>> + Send;

    /// The server has `offset` bytes for sure. Durable when this returns.
    fn progressed(&self, hash: ContentHash, url: &str, offset: u64) -> impl Future<Output = ()> + Send;
}

impl Session {
    /// Uploads a medium from where it was left to its end.
    ///
    /// # Errors
    /// Any [`NetError`]; what has arrived stays with the server, and the next call goes on from there.
    pub async fn upload(&self, upload: &Upload, source: &impl Source) -> Result<(), NetError> {
        let (mut url, mut offset) = match &upload.url {
            Some(url) => match self.offset_of(url).await? {
                Some(offset) => (url.clone(), offset),
                // Expired, or the server was restored: begin anew.
                None => (self.create_upload(upload).await?, 0),
            },
            None => (self.create_upload(upload).await?, 0),
        };
        source.progressed(upload.hash, &url, offset).await;
        let mut disagreements = 0;
        while offset < upload.bytes {
            let Some(piece) = source.piece(upload.hash, offset).await else {
                return Err(NetError::Cancelled);
            };
            match self.send_piece(&url, offset, piece).await? {
                Sent::To(next) => {
                    offset = next;
                    disagreements = 0;
                }
                Sent::Disagreed if disagreements < DISAGREEMENTS_MAX => {
                    disagreements += 1;
                    offset = match self.offset_of(&url).await? {
                        Some(offset) => offset,
                        None => {
                            url = self.create_upload(upload).await?;
                            0
                        }
                    };
                }
                // Of this medium only: the others go on, and it is tried again later.
                Sent::Disagreed => {
                    let reason = "no agreement on how far the upload has come".to_owned();
                    return Err(ProtocolError::Malformed { reason }.into());
                }
            }
            source.progressed(upload.hash, &url, offset).await;
        }
        Ok(())
    }

    async fn create_upload(&self, upload: &Upload) -> Result<String, NetError> {
        let mut headers = tus_headers();
        headers.insert(LENGTH, HeaderValue::from(upload.bytes));
        let metadata = format!(
            "sha256 {},record {}",
            BASE64.encode(upload.hash.as_bytes()),
            BASE64.encode(upload.record.as_bytes())
        );
        headers.insert(METADATA, HeaderValue::try_from(metadata).map_err(|_| NetError::Unreadable)?);
        let answer = self.tus(Method::POST, path::UPLOADS, headers, Vec::new()).await?;
        if answer.status != 201 {
            return Err(answer.into_error());
        }
        let location = answer.headers.get(LOCATION).and_then(|value| value.to_str().ok());
        let location = location.ok_or(NetError::Unreadable)?;
        self.http().url(location).map(|url| url.path().to_owned()).ok_or(NetError::Address)
    }

    /// How far an upload has come; `None` if the server does not know it any more.
    async fn offset_of(&self, url: &str) -> Result<Option<u64>, NetError> {
        let answer = self.tus(Method::HEAD, url, tus_headers(), Vec::new()).await?;
        match answer.status {
            200 | 204 => offset_in(&answer).map(Some),
            404 | 410 => Ok(None),
            _ => Err(answer.into_error()),
        }
    }

    async fn send_piece(&self, url: &str, offset: u64, piece: Piece) -> Result<Sent, NetError> {
        let mut headers = tus_headers();
        headers.insert(OFFSET, HeaderValue::from(offset));
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/offset+octet-stream"));
        let checksum = format!("sha256 {}", BASE64.encode(&Sha256::digest(&piece.bytes)));
        headers.insert(CHECKSUM, HeaderValue::try_from(checksum).map_err(|_| NetError::Unreadable)?);
        let end = offset + piece.bytes.len() as u64;
        let answer = self.tus(Method::PATCH, url, headers, piece.bytes).await?;
        match answer.status {
            204 | 200 => {
                let next = offset_in(&answer)?;
                // A server that does not move would be sent the same for ever.
                if next > offset && next <= end { Ok(Sent::To(next)) } else { Ok(Sent::Disagreed) }
            }
            409 | 404 | 410 | CHECKSUM_MISMATCH => Ok(Sent::Disagreed),
            _ => Err(answer.into_error()),
        }
    }

    async fn tus(
        &self,
        method: Method,
        url: &str,
        headers: HeaderMap,
        body: Vec<u8>,
    ) -> Result<Answer, NetError> {
        self.authorised(|token| {
            let (method, headers, body) = (method.clone(), headers.clone(), body.clone());
            async move {
                let answer = self.http().send(method, url, Some(&token), headers, body).await?;
                if answer.status == 401 { Err(ProtocolError::Unauthorized.into()) } else { Ok(answer) }
            }
        })
        .await
    }
}

enum Sent {
    To(u64),
    Disagreed,
}

fn tus_headers() -> HeaderMap {
    let mut headers = HeaderMap::new();
    headers.insert(RESUMABLE, HeaderValue::from_static("1.0.0"));
    headers
}

fn offset_in(answer: &Answer) -> Result<u64, NetError> {
    let value = answer.headers.get(OFFSET).and_then(|value| value.to_str().ok()?.parse().ok());
    value.ok_or(NetError::Unreadable)
}
