//! Errors as HTTP answers.

use axum::body::Body;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use gridwalk_replica::frame;
use gridwalk_replica::protocol::ProtocolError;

/// Content type of framed CBOR.
pub(super) const FRAMED: HeaderValue = HeaderValue::from_static("application/vnd.gridwalk.v1+zstd");

/// The answer for an error of the protocol.
pub fn respond_error(error: &ProtocolError) -> Response {
    let status = StatusCode::from_u16(error.status()).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    with_status(error, status)
}

/// The answer for a device or address that asks too often.
pub(super) fn too_many(retry_after_s: u32) -> Response {
    with_status(&ProtocolError::Busy { retry_after_s }, StatusCode::TOO_MANY_REQUESTS)
}

fn with_status(error: &ProtocolError, status: StatusCode) -> Response {
    let body = frame::encode(error).unwrap_or_default();
    let mut response = (status, Body::from(body)).into_response();
    response.headers_mut().insert(header::CONTENT_TYPE, FRAMED);
    if let ProtocolError::Busy { retry_after_s } = error {
        response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from(*retry_after_s));
    }
    response
}
