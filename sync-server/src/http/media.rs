//! Reading media, through a record in scope.

use std::fs::File;
use std::io::Read as _;

use axum::body::{Body, Bytes};
use axum::extract::{Path, State};
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use futures_util::stream;
use gridwalk_model::{ContentHash, RecordId};

use super::body::bearer;
use super::error::respond_error;
use crate::media::receipts::may_read;
use crate::state::AppState;
use crate::storage::StorageError;
use crate::sync::{Principal, SyncError};

/// Bytes that are read at once.
const PIECE: usize = 128 * 1024;

/// `GET /v1/media/{record}/{hash}`. What is not there and what is not to be seen answer alike.
pub(super) async fn get(
    State(state): State<AppState>,
    Path((record, hash)): Path<(String, String)>,
    headers: HeaderMap,
) -> Response {
    let (Ok(record), Ok(hash)) = (record.parse::<RecordId>(), hash.parse::<ContentHash>()) else {
        return StatusCode::NOT_FOUND.into_response();
    };
    let device = match state.tokens.check(bearer(&headers), state.now()) {
        Ok(device) => device,
        Err(error) => return respond_error(&error),
    };
    let allowed = state
        .read(move |tx| {
            let principal = Principal::of(tx, device)?;
            Ok::<_, SyncError>(may_read(tx, &principal, record, &hash)? && tx.media(&hash)?.is_some())
        })
        .await;
    match allowed {
        Ok(true) => send(&state, hash).await,
        Ok(false) => StatusCode::NOT_FOUND.into_response(),
        Err(error) => respond_error(&error.into()),
    }
}

/// Sends a stored medium. Whoever calls this has asked whether it may be seen.
pub async fn send(state: &AppState, hash: ContentHash) -> Response {
    let path = state.media.blob(&hash);
    let opened = state
        .blocking(move || {
            let open = || -> std::io::Result<(File, u64, Vec<u8>)> {
                let mut file = File::open(&path)?;
                let len = file.metadata()?.len();
                let mut first = vec![0; PIECE];
                let read = file.read(&mut first)?;
                first.truncate(read);
                Ok((file, len, first))
            };
            open().map_err(|error| StorageError::Failed(error.to_string()))
        })
        .await;
    let Ok((file, len, first)) = opened else { return StatusCode::NOT_FOUND.into_response() };
    let kind = kind_of(&first);
    let pieces = stream::unfold(Some((file, first)), |next| async move {
        let (mut file, piece) = next?;
        if piece.is_empty() {
            return None;
        }
        let read = tokio::task::spawn_blocking(move || {
            let mut following = vec![0; PIECE];
            let read = file.read(&mut following)?;
            following.truncate(read);
            Ok::<_, std::io::Error>((file, following))
        });
        match read.await {
            Ok(Ok(following)) => Some((Ok(Bytes::from(piece)), Some(following))),
            Ok(Err(error)) => Some((Err(error), None)),
            Err(_) => Some((Err(std::io::Error::other("reading panicked")), None)),
        }
    });
    let mut response = Body::from_stream(pieces).into_response();
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_LENGTH, HeaderValue::from(len));
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(kind));
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    // Named by its content, so it never changes; only for whoever was allowed to see it.
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("private, max-age=86400, immutable"));
    response
}

fn kind_of(first: &[u8]) -> &'static str {
    match first {
        [0xff, 0xd8, 0xff, ..] => "image/jpeg",
        [0x89, b'P', b'N', b'G', ..] => "image/png",
        [b'R', b'I', b'F', b'F', _, _, _, _, b'W', b'E', b'B', b'P', ..] => "image/webp",
        _ => "application/octet-stream",
    }
}
