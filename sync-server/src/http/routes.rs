//! The routes and what stands before all of them.

use std::net::IpAddr;
use std::panic::AssertUnwindSafe;

use axum::Router;
use axum::body::Body;
use axum::extract::{ConnectInfo, MatchedPath, Request, State};
use axum::http::{HeaderMap, StatusCode};
use axum::middleware::{Next, from_fn_with_state};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use futures_util::FutureExt as _;
use gridwalk_replica::limits;
use gridwalk_replica::protocol::{Protocol, ProtocolError, path};

use super::error::{respond_error, too_many};
use super::listener::Peer;
use super::{body, health};
use crate::media;
use crate::protocol::ServerProtocol;
use crate::state::AppState;

/// Longest body without a session; the longest honest one has some 250 bytes.
const ANONYMOUS_MAX_BYTES: usize = 8 * 1024;

/// All routes of the server.
pub fn router(state: AppState) -> Router {
    let anonymous = Router::new()
        .route(path::ENROL, post(enrol))
        .route(path::NONCE, post(nonce))
        .route(path::TOKEN, post(token))
        .layer(from_fn_with_state(state.clone(), limit_in_flight))
        .layer(from_fn_with_state(state.clone(), collect_small))
        .layer(from_fn_with_state(state.clone(), limit_address));
    let devices = Router::new()
        .route(path::SYNC, post(sync))
        .route(path::MISSING, post(missing))
        .route(path::SEALED, post(hand_in))
        .layer(from_fn_with_state(state.clone(), limit_in_flight))
        .layer(from_fn_with_state(state.clone(), collect))
        .layer(from_fn_with_state(state.clone(), limit_device));
    Router::new()
        .merge(anonymous)
        .merge(devices)
        .merge(media::router::<AppState>())
        .route("/healthz", get(health::healthz))
        .route("/metrics", get(health::metrics))
        .with_state(state.clone())
        .merge(crate::console::router(state.clone()))
        .layer(from_fn_with_state(state, around))
}

async fn enrol(State(state): State<AppState>, body: Body) -> Response {
    let answered = async {
        let request = body::decode(&state, body).await?;
        body::encode(&state, ServerProtocol(state.clone()).enrol(request).await?).await
    };
    answered.await.unwrap_or_else(|error| respond_error(&error))
}

async fn nonce(State(state): State<AppState>, body: Body) -> Response {
    let answered = async {
        let request = body::decode(&state, body).await?;
        body::encode(&state, ServerProtocol(state.clone()).nonce(request).await?).await
    };
    answered.await.unwrap_or_else(|error| respond_error(&error))
}

async fn token(State(state): State<AppState>, body: Body) -> Response {
    let answered = async {
        let request = body::decode(&state, body).await?;
        body::encode(&state, ServerProtocol(state.clone()).token(request).await?).await
    };
    answered.await.unwrap_or_else(|error| respond_error(&error))
}

async fn sync(State(state): State<AppState>, headers: HeaderMap, body: Body) -> Response {
    let answered = async {
        let bearer = body::bearer(&headers);
        let request = body::decode(&state, body).await?;
        body::encode(&state, ServerProtocol(state.clone()).sync(bearer, request).await?).await
    };
    answered.await.unwrap_or_else(|error| respond_error(&error))
}

async fn missing(State(state): State<AppState>, headers: HeaderMap, body: Body) -> Response {
    let answered = async {
        let bearer = body::bearer(&headers);
        let request = body::decode(&state, body).await?;
        body::encode(&state, ServerProtocol(state.clone()).missing(bearer, request).await?).await
    };
    answered.await.unwrap_or_else(|error| respond_error(&error))
}

async fn hand_in(State(state): State<AppState>, headers: HeaderMap, body: Body) -> Response {
    let answered = async {
        let bearer = body::bearer(&headers);
        let request = body::decode(&state, body).await?;
        body::encode(&state, ServerProtocol(state.clone()).hand_in(bearer, request).await?).await
    };
    answered.await.unwrap_or_else(|error| respond_error(&error))
}

/// Counts every answer, and turns a panic into one.
async fn around(State(state): State<AppState>, request: Request, next: Next) -> Response {
    let route = request
        .extensions()
        .get::<MatchedPath>()
        .map_or_else(|| "none".to_owned(), |matched| matched.as_str().to_owned());
    let answered = AssertUnwindSafe(next.run(request)).catch_unwind().await;
    let response = answered.unwrap_or_else(|_| {
        tracing::error!(route, "handler panicked");
        StatusCode::INTERNAL_SERVER_ERROR.into_response()
    });
    state.metrics.request(&route, response.status().as_u16());
    response
}

/// Reads a body before its request gets a place among those at work: whoever sends slowly, or never ends, holds
/// memory within bounds, and nobody else up.
async fn collect(State(state): State<AppState>, request: Request, next: Next) -> Response {
    let (parts, body) = request.into_parts();
    match body::collect(&parts.headers, body, limits::BODY_MAX_BYTES, Some(&state.reading_kib)).await {
        Ok((bytes, _room)) => next.run(Request::from_parts(parts, Body::from(bytes))).await,
        Err(error) => respond_error(&error),
    }
}

/// The same for requests without a session, which are short: connections are bounded, and so is what they hold.
async fn collect_small(request: Request, next: Next) -> Response {
    let (parts, body) = request.into_parts();
    match body::collect(&parts.headers, body, ANONYMOUS_MAX_BYTES, None).await {
        Ok((bytes, _room)) => next.run(Request::from_parts(parts, Body::from(bytes))).await,
        Err(error) => respond_error(&error),
    }
}

/// Bounds how many requests are worked on at once.
async fn limit_in_flight(State(state): State<AppState>, request: Request, next: Next) -> Response {
    match state.in_flight.try_acquire() {
        Ok(_permit) => next.run(request).await,
        Err(_) => respond_error(&ProtocolError::Busy { retry_after_s: 2 }),
    }
}

/// Bounds how often one address asks without a session.
async fn limit_address(State(state): State<AppState>, request: Request, next: Next) -> Response {
    let address = address_of(&state, &request);
    match state.address_limits.take(&address, state.clock.ticks_us()) {
        Ok(()) => next.run(request).await,
        Err(retry_after_s) => too_many(retry_after_s),
    }
}

/// Lets only devices with a token through, each so often, before anything of the body is read.
async fn limit_device(State(state): State<AppState>, request: Request, next: Next) -> Response {
    let device = match state.tokens.check(body::bearer(request.headers()), state.now()) {
        Ok(device) => device,
        Err(error) => return respond_error(&error),
    };
    if let Err(retry_after_s) = state.device_limits.take(&device, state.clock.ticks_us()) {
        return too_many(retry_after_s);
    }
    match state.device_open.hold(&device) {
        Some(_held) => next.run(request).await,
        None => too_many(1),
    }
}

/// The client's address; behind a proxy the last one that the proxy names.
fn address_of(state: &AppState, request: &Request) -> IpAddr {
    let forwarded = || {
        let value = request.headers().get("x-forwarded-for")?.to_str().ok()?;
        value.rsplit(',').next()?.trim().parse().ok()
    };
    let peer = request.extensions().get::<ConnectInfo<Peer>>().map(|info| info.0.0);
    let peer = peer.unwrap_or(IpAddr::from([0, 0, 0, 0]));
    if state.config.behind_proxy { forwarded().unwrap_or(peer) } else { peer }
}
