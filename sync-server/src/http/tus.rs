//! tus 1.0.0: core, creation, creation-with-upload, checksum, expiration (<https://tus.io/protocols/resumable-upload>).
//!
//! `Upload-Metadata` must have `sha256`: the hash that the whole is to have, as 64 hexadecimal digits (which tus
//! wraps in base64). The receipt is the answer that names an `Upload-Offset` equal to `Upload-Length`: the medium is
//! then stored for good.

use std::time::Duration;

use axum::body::{Body, Bytes};
use axum::extract::{Path, State};
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use data_encoding::{BASE64, HEXLOWER_PERMISSIVE};
use futures_util::StreamExt as _;
use gridwalk_model::{ContentHash, Timestamp};
use gridwalk_replica::protocol::{ProtocolError, path};
use sha1::Sha1;
use sha2::{Digest, Sha256};

use super::body::bearer;
use super::error::respond_error;
use crate::media::uploads::{self, Status, UploadError, UploadLock};
use crate::state::AppState;
use crate::sync::Principal;

const VERSION: &str = "1.0.0";
const RESUMABLE: HeaderName = HeaderName::from_static("tus-resumable");
const OFFSET: HeaderName = HeaderName::from_static("upload-offset");
const LENGTH: HeaderName = HeaderName::from_static("upload-length");
const EXPIRES: HeaderName = HeaderName::from_static("upload-expires");
const METADATA: HeaderName = HeaderName::from_static("upload-metadata");
const CHECKSUM: HeaderName = HeaderName::from_static("upload-checksum");
const OCTETS: &str = "application/offset+octet-stream";
/// Bytes that are gathered before they are written.
const BUFFER: usize = 256 * 1024;
/// How long a body may stand still; what came so far stays.
const STALL: Duration = Duration::from_secs(30);

/// Why a request is refused.
enum Refused {
    Protocol(ProtocolError),
    Upload(UploadError),
    Status(StatusCode),
}

impl From<UploadError> for Refused {
    fn from(error: UploadError) -> Self {
        Self::Upload(error)
    }
}

impl IntoResponse for Refused {
    fn into_response(self) -> Response {
        let status = match self {
            Self::Protocol(error) => return respond_error(&error),
            Self::Status(status) => status,
            Self::Upload(error) => match error {
                UploadError::NotFound => StatusCode::NOT_FOUND,
                UploadError::WrongOffset { at } => {
                    return (StatusCode::CONFLICT, [(OFFSET, at.to_string())]).into_response();
                }
                UploadError::TooLarge => StatusCode::PAYLOAD_TOO_LARGE,
                UploadError::TooMany => StatusCode::TOO_MANY_REQUESTS,
                UploadError::Locked => StatusCode::LOCKED,
                UploadError::WrongChecksum | UploadError::WrongHash => mismatch(),
                UploadError::Full => return respond_error(&ProtocolError::StorageFull),
                UploadError::Storage(crate::storage::StorageError::Busy) => {
                    return respond_error(&ProtocolError::Busy { retry_after_s: 2 });
                }
                UploadError::Io(_) | UploadError::Entropy(_) | UploadError::Storage(_) => {
                    tracing::error!(%error, "upload failed");
                    StatusCode::INTERNAL_SERVER_ERROR
                }
            },
        };
        status.into_response()
    }
}

/// 460, which tus gave to "checksum mismatch".
fn mismatch() -> StatusCode {
    StatusCode::from_u16(460).unwrap_or(StatusCode::UNPROCESSABLE_ENTITY)
}

/// Adds what every answer of tus has.
fn marked(response: impl IntoResponse) -> Response {
    let mut response = response.into_response();
    response.headers_mut().insert(RESUMABLE, HeaderValue::from_static(VERSION));
    response
}

fn answer(result: Result<Response, Refused>) -> Response {
    marked(result.unwrap_or_else(IntoResponse::into_response))
}

/// `OPTIONS`: what the server can do. Needs no session.
pub(super) async fn options(State(state): State<AppState>) -> Response {
    marked((
        StatusCode::NO_CONTENT,
        [
            (HeaderName::from_static("tus-version"), VERSION.to_owned()),
            (
                HeaderName::from_static("tus-extension"),
                "creation,creation-with-upload,checksum,expiration".to_owned(),
            ),
            (HeaderName::from_static("tus-max-size"), state.config.media_max_bytes.to_string()),
            (HeaderName::from_static("tus-checksum-algorithm"), "sha1,sha256".to_owned()),
        ],
    ))
}

/// `POST`: begins an upload, with its first bytes if the body has any.
pub(super) async fn create(State(state): State<AppState>, headers: HeaderMap, body: Body) -> Response {
    answer(
        async {
            let principal = enter(&state, &headers).await?;
            let bytes = number(&headers, &LENGTH).ok_or(Refused::Status(StatusCode::BAD_REQUEST))?;
            let hash = announced(&headers).ok_or(Refused::Status(StatusCode::BAD_REQUEST))?;
            let mut status = uploads::create(&state, &principal, hash, bytes).await?;
            if content_type(&headers) == Some(OCTETS) && !status.row.done {
                let lock = state.writing.take(&status.row.id)?;
                status.offset = receive(&state, &headers, body, &status, &lock).await?;
            }
            let location = format!("{}/{}", path::UPLOADS, status.row.id);
            Ok((StatusCode::CREATED, [(header::LOCATION, location)], progress(&status)).into_response())
        }
        .await,
    )
}

/// `HEAD`: how far an upload is.
pub(super) async fn head(
    State(state): State<AppState>,
    Path(id): Path<String>,
    headers: HeaderMap,
) -> Response {
    answer(
        async {
            let principal = enter(&state, &headers).await?;
            let status = uploads::status(&state, &principal, &id).await?;
            finish_if_whole(&state, &status, None).await?;
            let no_store = [(header::CACHE_CONTROL, "no-store")];
            let length = [(LENGTH, status.row.bytes.to_string())];
            Ok((StatusCode::OK, no_store, length, progress(&status)).into_response())
        }
        .await,
    )
}

/// `PATCH`: the next bytes.
pub(super) async fn patch(
    State(state): State<AppState>,
    Path(id): Path<String>,
    headers: HeaderMap,
    body: Body,
) -> Response {
    answer(
        async {
            let principal = enter(&state, &headers).await?;
            if content_type(&headers) != Some(OCTETS) {
                return Err(Refused::Status(StatusCode::UNSUPPORTED_MEDIA_TYPE));
            }
            let offset = number(&headers, &OFFSET).ok_or(Refused::Status(StatusCode::BAD_REQUEST))?;
            let lock = state.writing.take(&id)?;
            let mut status = uploads::status(&state, &principal, &id).await?;
            if offset != status.offset {
                return Err(UploadError::WrongOffset { at: status.offset }.into());
            }
            status.offset = receive(&state, &headers, body, &status, &lock).await?;
            Ok((StatusCode::NO_CONTENT, progress(&status)).into_response())
        }
        .await,
    )
}

/// Checks version and session.
async fn enter(state: &AppState, headers: &HeaderMap) -> Result<Principal, Refused> {
    if headers.get(RESUMABLE).and_then(|value| value.to_str().ok()) != Some(VERSION) {
        return Err(Refused::Status(StatusCode::PRECONDITION_FAILED));
    }
    state.principal_of(bearer(headers)).await.map_err(|error| Refused::Protocol(error.into()))
}

/// Where an upload stands, as headers.
fn progress(status: &Status) -> [(HeaderName, String); 2] {
    [(OFFSET, status.offset.to_string()), (EXPIRES, http_date(status.row.expires_at))]
}

fn http_date(at: Timestamp) -> String {
    let at = jiff::Timestamp::from_millisecond(at.millis()).unwrap_or(jiff::Timestamp::MAX);
    jiff::fmt::rfc2822::DateTimePrinter::new().timestamp_to_rfc9110_string(&at).unwrap_or_default()
}

fn number(headers: &HeaderMap, name: &HeaderName) -> Option<u64> {
    headers.get(name)?.to_str().ok()?.parse().ok()
}

fn content_type(headers: &HeaderMap) -> Option<&str> {
    headers.get(header::CONTENT_TYPE)?.to_str().ok()
}

/// The hash in `Upload-Metadata: sha256 <base64 of 64 digits>`.
fn announced(headers: &HeaderMap) -> Option<ContentHash> {
    let text = headers.get(METADATA)?.to_str().ok()?;
    let value = text.split(',').find_map(|pair| pair.trim().strip_prefix("sha256 "))?;
    let digits = BASE64.decode(value.trim().as_bytes()).ok()?;
    ContentHash::from_slice(&HEXLOWER_PERMISSIVE.decode(&digits).ok()?)
}

/// The checksum of a chunk, as it is announced and as it grows.
struct Chunk {
    expected: Vec<u8>,
    hasher: Hasher,
}

enum Hasher {
    Sha1(Sha1),
    Sha256(Sha256),
}

impl Chunk {
    fn announced(headers: &HeaderMap) -> Result<Option<Self>, Refused> {
        let Some(value) = headers.get(CHECKSUM) else { return Ok(None) };
        let bad = || Refused::Status(StatusCode::BAD_REQUEST);
        let (algorithm, digest) = value.to_str().ok().and_then(|v| v.split_once(' ')).ok_or_else(bad)?;
        let hasher = match algorithm {
            "sha1" => Hasher::Sha1(Sha1::new()),
            "sha256" => Hasher::Sha256(Sha256::new()),
            _ => return Err(bad()),
        };
        let expected = BASE64.decode(digest.trim().as_bytes()).map_err(|_| bad())?;
        Ok(Some(Self { expected, hasher }))
    }

    fn update(&mut self, bytes: &[u8]) {
        match &mut self.hasher {
            Hasher::Sha1(hasher) => hasher.update(bytes),
            Hasher::Sha256(hasher) => hasher.update(bytes),
        }
    }

    fn fits(self) -> bool {
        match self.hasher {
            Hasher::Sha1(hasher) => hasher.finalize().as_slice() == self.expected,
            Hasher::Sha256(hasher) => hasher.finalize().as_slice() == self.expected,
        }
    }
}

/// Takes a body's bytes. Without a checksum every byte that arrives stays, however the body ends; with one, the
/// chunk waits in a file of its own until it is whole and fits. Returns how many bytes are durable.
async fn receive(
    state: &AppState,
    headers: &HeaderMap,
    body: Body,
    status: &Status,
    lock: &UploadLock,
) -> Result<u64, Refused> {
    let mut chunk = Chunk::announced(headers)?;
    let mut writing = Writing { state, status, at: status.offset, buffer: Vec::new(), waits: chunk.is_some(), first: true };
    let mut stream = body.into_data_stream();
    let whole = loop {
        match tokio::time::timeout(STALL, stream.next()).await {
            Ok(Some(Ok(bytes))) => {
                if let Some(chunk) = &mut chunk {
                    chunk.update(&bytes);
                }
                writing.take(&bytes).await?;
            }
            Ok(None) => break true,
            Ok(Some(Err(_))) | Err(_) => break false,
        }
    };
    let (files, id) = (state.media.clone(), status.row.id.clone());
    if let Some(chunk) = chunk {
        if whole {
            writing.flush().await?;
        }
        if !whole || !chunk.fits() {
            files.drop_chunk(&id);
            return Err(if whole { UploadError::WrongChecksum } else { UploadError::WrongOffset { at: status.offset } }.into());
        }
        let from = status.offset;
        if !writing.first {
            writing.at = state.blocking(move || Ok::<_, UploadError>(files.take_chunk(&id, from)?)).await?;
        }
    } else {
        writing.flush().await?;
        let durable = state.blocking(move || Ok::<_, UploadError>(files.durable(&id)?)).await?;
        writing.at = durable.unwrap_or(writing.at);
    }
    let received = Status { row: status.row.clone(), offset: writing.at };
    state.metrics.media_received(received.offset.saturating_sub(status.offset));
    finish_if_whole(state, &received, Some(lock)).await?;
    Ok(received.offset)
}

/// Bytes on their way into a file.
struct Writing<'a> {
    state: &'a AppState,
    status: &'a Status,
    /// Where the next byte goes.
    at: u64,
    buffer: Vec<u8>,
    /// Whether they wait for a checksum.
    waits: bool,
    first: bool,
}

impl Writing<'_> {
    async fn take(&mut self, bytes: &Bytes) -> Result<(), Refused> {
        let there = self.at + self.buffer.len() as u64;
        if there + bytes.len() as u64 > self.status.row.bytes {
            self.state.media.drop_chunk(&self.status.row.id);
            return Err(UploadError::TooLarge.into());
        }
        self.buffer.extend_from_slice(bytes);
        if self.buffer.len() >= BUFFER { self.flush().await } else { Ok(()) }
    }

    async fn flush(&mut self) -> Result<(), Refused> {
        let bytes = std::mem::take(&mut self.buffer);
        if bytes.is_empty() {
            return Ok(());
        }
        let (files, id) = (self.state.media.clone(), self.status.row.id.clone());
        let (at, waits, first, len) = (self.at, self.waits, self.first, bytes.len() as u64);
        let write = move || match waits {
            true => Ok::<_, UploadError>(files.append_chunk(&id, &bytes, first)?),
            false => Ok(files.append(&id, at, &bytes)?),
        };
        self.state.blocking(write).await?;
        self.first = false;
        self.at += len;
        Ok(())
    }
}

/// Publishes an upload of which all bytes are there.
async fn finish_if_whole(state: &AppState, status: &Status, lock: Option<&UploadLock>) -> Result<(), Refused> {
    if status.row.done || status.offset < status.row.bytes {
        return Ok(());
    }
    match lock {
        Some(lock) => uploads::finish(state, lock, &status.row).await?,
        None => {
            let lock = state.writing.take(&status.row.id)?;
            uploads::finish(state, &lock, &status.row).await?;
        }
    }
    Ok(())
}
