//! Reading framed bodies and writing framed answers.

use std::time::Duration;

use axum::body::{Body, Bytes};
use axum::http::{HeaderMap, header};
use axum::response::{IntoResponse, Response};
use futures_util::StreamExt as _;
use gridwalk_replica::frame::{self, FrameError};
use gridwalk_replica::limits;
use gridwalk_replica::protocol::ProtocolError;
use minicbor::{Decode, Encode};

use super::error::FRAMED;
use crate::state::AppState;
use crate::storage::StorageError;
use crate::sync::SyncError;

/// How long a body may stand still.
const STALL: Duration = Duration::from_secs(20);
/// How long it may take as a whole: half a mebibyte at the 2 KiB/s of a stairwell.
const WHOLE: Duration = Duration::from_secs(300);

/// Reads a body of at most `max` bytes.
pub(super) async fn read(body: Body, max: usize) -> Result<Vec<u8>, ProtocolError> {
    let malformed = |reason: &str| ProtocolError::Malformed { reason: reason.to_owned() };
    let reading = async {
        let mut stream = body.into_data_stream();
        let mut out = Vec::new();
        loop {
            let next = tokio::time::timeout(STALL, stream.next());
            let Some(chunk) = next.await.map_err(|_| malformed("body stalled"))? else { return Ok(out) };
            let chunk: Bytes = chunk.map_err(|_| malformed("body was cut off"))?;
            if out.len() + chunk.len() > max {
                return Err(ProtocolError::TooLarge);
            }
            out.extend_from_slice(&chunk);
        }
    };
    tokio::time::timeout(WHOLE, reading).await.map_err(|_| malformed("body took too long"))?
}

/// Reads and decodes a framed body.
pub(super) async fn decode<T>(state: &AppState, headers: &HeaderMap, body: Body) -> Result<T, ProtocolError>
where
    T: for<'b> Decode<'b, ()> + Send + 'static,
{
    let claimed = headers.get(header::CONTENT_LENGTH).and_then(|v| v.to_str().ok()?.parse::<usize>().ok());
    if claimed.is_some_and(|len| len > limits::BODY_MAX_BYTES) {
        return Err(ProtocolError::TooLarge);
    }
    let bytes = read(body, limits::BODY_MAX_BYTES).await?;
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
