//! Whether the server is well, for those who watch it.

use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};

use crate::state::AppState;
use crate::storage::StorageError;
use crate::telemetry::StoreCounts;

/// `ok` if the store answers.
pub(super) async fn healthz(State(state): State<AppState>) -> Response {
    match state.read(|tx| tx.server()).await {
        Ok(_) => (StatusCode::OK, "ok\n").into_response(),
        Err(_) => (StatusCode::SERVICE_UNAVAILABLE, "store does not answer\n").into_response(),
    }
}

/// Counters for Prometheus.
pub(super) async fn metrics(State(state): State<AppState>) -> Response {
    let counts = state
        .read(|tx| {
            Ok::<_, StorageError>(StoreCounts {
                records: tx.record_count()?,
                quarantine: tx.quarantine_open()?,
                alarms: tx.alarms_open()?,
                media: tx.media_totals()?.0,
            })
        })
        .await;
    match counts {
        Ok(counts) => {
            let text = state.metrics.text(counts, state.writer.counts());
            let kind = "application/openmetrics-text; version=1.0.0; charset=utf-8";
            ([(header::CONTENT_TYPE, kind)], text).into_response()
        }
        Err(_) => StatusCode::SERVICE_UNAVAILABLE.into_response(),
    }
}
