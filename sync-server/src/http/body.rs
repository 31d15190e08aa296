//! Reading framed bodies and writing framed answers.

use std::sync::Arc;
use std::time::Duration;

use axum::body::{Body, Bytes};
use axum::http::{HeaderMap, header};
use axum::response::{IntoResponse, Response};
use futures_util::StreamExt as _;
use gridwalk_replica::frame::{self, FrameError};
use gridwalk_replica::limits;
use gridwalk_replica::protocol::ProtocolError;
use minicbor::{Decode, Encode};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use super::error::FRAMED;
use crate::state::AppState;
use crate::storage::StorageError;
use crate::sync::SyncError;

/// How long a body may stand still.
const STALL: Duration = Duration::from_secs(20);
/// How long it may take as a whole: half a mebibyte at the 2 KiB/s of a stairwell.
const WHOLE: Duration = Duration::from_secs(300);

/// Reads a body of at most `max` bytes. Its bytes are counted against `room`, in KiB, for as long as the returned
/// permit lives.
pub(super) async fn collect(
    headers: &HeaderMap,
    body: Body,
    max: usize,
    room: Option<&Arc<Semaphore>>,
) -> Result<(Vec<u8>, Option<OwnedSemaphorePermit>), ProtocolError> {
    let claimed = headers.get(header::CONTENT_LENGTH).and_then(|v| v.to_str().ok()?.parse::<usize>().ok());
    if claimed.is_some_and(|len| len > max) {
        return Err(ProtocolError::TooLarge);
    }
    // The network's fault, not the sender's: blaming the content would have a phone put an innocent record aside.
    let incomplete = || ProtocolError::Busy { retry_after_s: 1 };
    let reading = async {
        let mut stream = body.into_data_stream();
        let (mut out, mut held) = (Vec::new(), None);
        loop {
            let next = tokio::time::timeout(STALL, stream.next());
            let Some(chunk) = next.await.map_err(|_| incomplete())? else {
                return Ok((out, held));
            };
            let chunk: Bytes = chunk.map_err(|_| incomplete())?;
            if out.len() + chunk.len() > max {
                return Err(ProtocolError::TooLarge);
            }
            out.extend_from_slice(&chunk);
            if let Some(room) = room {
                hold(room, &mut held, out.len())?;
            }
        }
    };
    tokio::time::timeout(WHOLE, reading).await.map_err(|_| incomplete())?
}

/// Holds as much room as `len` bytes need.
fn hold(
    room: &Arc<Semaphore>,
    held: &mut Option<OwnedSemaphorePermit>,
    len: usize,
) -> Result<(), ProtocolError> {
    let lacking =
        len.div_ceil(1024).saturating_sub(held.as_ref().map_or(0, OwnedSemaphorePermit::num_permits));
    let lacking = u32::try_from(lacking).unwrap_or(u32::MAX);
    let more = Arc::clone(room).try_acquire_many_owned(lacking);
    let more = more.map_err(|_| ProtocolError::Busy { retry_after_s: 2 })?;
    match held {
        Some(held) => held.merge(more),
        None => *held = Some(more),
    }
    Ok(())
}

/// Decodes a framed body that has been collected.
pub(super) async fn decode<T>(state: &AppState, body: Body) -> Result<T, ProtocolError>
where
    T: for<'b> Decode<'b, ()> + Send + 'static,
{
    let bytes =
        axum::body::to_bytes(body, limits::BODY_MAX_BYTES).await.map_err(|_| ProtocolError::TooLarge)?;
    if bytes.len() < 512 {
        return frame::decode(&bytes).map_err(refuse);
    }
    let permit = state.admission.acquire().await.map_err(|_| ProtocolError::Internal)?;
    let decoded = state.blocking(move || Ok::<_, SyncError>(frame::decode(&bytes))).await;
    drop(permit);
    decoded?.map_err(refuse)
}

fn refuse(error: FrameError) -> ProtocolError {
    match error {
        FrameError::TooLarge => ProtocolError::TooLarge,
        other => ProtocolError::Malformed { reason: other.to_string() },
    }
}

/// A framed answer. Large ones are compressed on the blocking pool.
pub(super) async fn encode<T>(state: &AppState, answer: T) -> Result<Response, ProtocolError>
where
    T: Encode<()> + Send + 'static,
{
    let framing = move || frame::encode(&answer).map_err(|_| StorageError::Failed("encoding".to_owned()));
    let bytes = state.blocking(framing).await.map_err(|_| ProtocolError::Internal)?;
    let mut response = Body::from(bytes).into_response();
    response.headers_mut().insert(header::CONTENT_TYPE, FRAMED);
    Ok(response)
}

/// The bearer token of a request; empty if there is none.
pub(crate) fn bearer(headers: &HeaderMap) -> &str {
    let value = headers.get(header::AUTHORIZATION).and_then(|value| value.to_str().ok());
    value.and_then(|value| value.strip_prefix("Bearer ")).unwrap_or("")
}
