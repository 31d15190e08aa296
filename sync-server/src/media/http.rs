//! The routes of media.
//!
//! | route | |
//! | --- | --- |
//! | `OPTIONS`, `POST /v1/media/uploads` | tus: what is spoken; creation |
//! | `HEAD`, `PATCH`, `DELETE /v1/media/uploads/{upload}` | tus: where it stands; bytes; termination |
//! | `GET /v1/media/{record}/{hash}` | the bytes of a medium, through a record in scope |
//!
//! `POST /v1/media/missing` is framed CBOR like the rest of the protocol and stands with it; see
//! [`super::Media::missing`].
//!
//! A request that changes an upload is worked on to its end even if its connection is gone: what arrived is kept,
//! and nobody else can meet half-done work.

use std::future::Future;
use std::sync::Arc;

use axum::Router;
use axum::body::Body;
use axum::extract::{Path, Request, State};
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::{any, get};
use gridwalk_replica::protocol::{ProtocolError, path};
use tokio::sync::SemaphorePermit;

use super::Media;
use super::error::{MediaError, Refusal};
use super::intake::{blocking, receive};
use super::lifecycle::Place;
use super::receipts::{Blob, next_piece};
use super::tus::{self, Chunk, Fields, Reply};
use super::upload_id::UploadId;
use crate::sync::Principal;

/// What the routes need of the server.
pub trait MediaState: Clone + Send + Sync + 'static {
    /// The media.
    fn media(&self) -> &Arc<Media>;

    /// Who a request comes from.
    fn authenticate(
        &self,
        headers: &HeaderMap,
    ) -> impl Future<Output = Result<Principal, ProtocolError>> + Send;

    /// The answer for an error of the protocol.
    fn refuse(&self, error: &ProtocolError) -> Response;
}

/// The routes of media.
pub fn router<S: MediaState>() -> Router<S> {
    Router::new()
        .route(path::UPLOADS, any(collection::<S>))
        .route(&format!("{}/{{upload}}", path::UPLOADS), any(upload::<S>))
        .route("/v1/media/{record}/{hash}", get(read::<S>))
}

impl Fields for HeaderMap {
    fn field(&self, name: &str) -> Option<&str> {
        self.get(name).and_then(|value| value.to_str().ok())
    }
}

/// Headers that we read are there once and readable: two proxies must not see two offsets.
fn check_fields(headers: &HeaderMap) -> Result<(), Refusal> {
    for name in tus::FIELDS {
        let mut values = headers.get_all(name).iter();
        let readable = values.next().is_none_or(|value| value.to_str().is_ok());
        if !readable || values.next().is_some() {
            return Err(Refusal::BadHeader("a header is unreadable or there twice"));
        }
    }
    Ok(())
}

async fn collection<S: MediaState>(State(state): State<S>, request: Request) -> Response {
    let (parts, body) = request.into_parts();
    match method(&parts) {
        Some(Method::OPTIONS) => respond(Reply::options(state.media().limits.longest())),
        Some(Method::POST) => finished(&state, create(&state, &parts, body).await),
        _ => not_allowed("OPTIONS, POST"),
    }
}

async fn upload<S: MediaState>(
    State(state): State<S>,
    Path(name): Path<String>,
    request: Request,
) -> Response {
    let (parts, body) = request.into_parts();
    let method = method(&parts);
    if method == Some(Method::OPTIONS) {
        return respond(Reply::options(state.media().limits.longest()));
    }
    let answered = async {
        let principal = admit(&state, &parts).await?;
        let id: UploadId = name.parse().map_err(|_| Refusal::NotFound)?;
        let media = Arc::clone(state.media());
        match method {
            Some(Method::HEAD) => detached(head(media, principal, id)).await.map(Some),
            Some(Method::PATCH) => {
                let chunk = tus::read_patch(&parts.headers)?;
                detached(patch(media, principal, id, chunk, body)).await.map(Some)
            }
            Some(Method::DELETE) => detached(terminate(media, principal, id)).await.map(Some),
            _ => Ok(None),
        }
    };
    match answered.await {
        Ok(None) => not_allowed("OPTIONS, HEAD, PATCH, DELETE"),
        Ok(Some(reply)) => finished(&state, Ok(reply)),
        Err(error) => finished(&state, Err(error)),
    }
}

/// The method, or the one that `X-HTTP-Method-Override` names, as tus demands.
fn method(parts: &Parts) -> Option<Method> {
    match parts.headers.get("x-http-method-override") {
        Some(other) => Method::from_bytes(other.as_bytes()).ok(),
        None => Some(parts.method.clone()),
    }
}

async fn admit<S: MediaState>(state: &S, parts: &Parts) -> Result<Principal, MediaError> {
    let principal = state.authenticate(&parts.headers).await?;
    check_fields(&parts.headers)?;
    tus::check_version(&parts.headers)?;
    Ok(principal)
}

async fn create<S: MediaState>(state: &S, parts: &Parts, body: Body) -> Result<Reply, MediaError> {
    let principal = admit(state, parts).await?;
    let media = Arc::clone(state.media());
    let creation = tus::read_creation(&parts.headers, media.limits.longest())?;
    detached(async move {
        let _room = media.room()?;
        let id = UploadId { hash: creation.hash, device: principal.device };
        let mut turn = media.turns.take(id).await;
        let chunk = creation.chunk.clone();
        let (creating, owner) = (Arc::clone(&media), principal.clone());
        let (id, mut place) = blocking(move || creating.create(&owner, &creation)).await?;
        let location = format!("{}/{id}", path::UPLOADS);
        let mut offset = None;
        if let Some(chunk) = chunk {
            let kept = receive(&media, &mut turn, id, chunk, place.bytes(), body.into_data_stream()).await;
            // The upload exists whatever became of its first bytes; HEAD tells where it stands.
            match kept {
                Ok(at) => offset = Some(at),
                Err(MediaError::Refused(Refusal::BodyEnded | Refusal::Overtaken)) => {}
                Err(error) => return Err(error),
            }
            if offset == Some(place.bytes()) {
                place = placed(&media, &principal, id).await?;
            }
        }
        Ok(Reply::created(&location, offset, place.expires_at()))
    })
    .await
}

async fn head(media: Arc<Media>, principal: Principal, id: UploadId) -> Result<Reply, MediaError> {
    let _turn = media.turns.take(id).await;
    let place = placed(&media, &principal, id).await?;
    Ok(Reply::stands(&id.hash, place.offset(), place.bytes(), place.expires_at()))
}

async fn patch(
    media: Arc<Media>,
    principal: Principal,
    id: UploadId,
    chunk: Chunk,
    body: Body,
) -> Result<Reply, MediaError> {
    let _room = media.room()?;
    let mut turn = media.turns.take(id).await;
    let place = placed(&media, &principal, id).await?;
    if chunk.offset != place.offset() {
        return Err(Refusal::Offset { offset: place.offset() }.into());
    }
    let room = place.bytes() - place.offset();
    if chunk.len.is_some_and(|len| len > room) {
        return Err(Refusal::TooLarge.into());
    }
    let Place::Open { bytes, expires_at, .. } = place else {
        return Ok(Reply::advanced(place.offset(), None));
    };
    let offset = receive(&media, &mut turn, id, chunk, room, body.into_data_stream()).await?;
    if offset < bytes {
        return Ok(Reply::advanced(offset, Some(expires_at)));
    }
    let place = placed(&media, &principal, id).await?;
    Ok(Reply::advanced(place.offset(), place.expires_at()))
}

async fn terminate(media: Arc<Media>, principal: Principal, id: UploadId) -> Result<Reply, MediaError> {
    let _turn = media.turns.take(id).await;
    let ending = Arc::clone(&media);
    blocking(move || ending.terminate(&principal, &id)).await?;
    Ok(Reply::terminated())
}

impl Media {
    fn room(&self) -> Result<SemaphorePermit<'_>, ProtocolError> {
        self.bodies.try_acquire().map_err(|_| ProtocolError::Busy { retry_after_s: 5 })
    }
}

/// [`Media::place`] on the blocking pool. It may check and publish, so only a few run at once.
async fn placed(media: &Arc<Media>, principal: &Principal, id: UploadId) -> Result<Place, MediaError> {
    let _permit = media.checks.acquire().await.map_err(|_| ProtocolError::Internal)?;
    let (media, principal) = (Arc::clone(media), principal.clone());
    blocking(move || media.place(&principal, &id)).await
}

async fn read<S: MediaState>(
    State(state): State<S>,
    Path((record, hash)): Path<(String, String)>,
    headers: HeaderMap,
) -> Response {
    let opened = async {
        let principal = state.authenticate(&headers).await?;
        let (Ok(record), Ok(hash)) = (record.parse(), hash.parse()) else { return Ok(None) };
        let media = Arc::clone(state.media());
        blocking(move || media.read(&principal, record, &hash)).await
    };
    match opened.await {
        Ok(Some(blob)) => blob_response(blob),
        Ok(None) => StatusCode::NOT_FOUND.into_response(),
        Err(error) => finished(&state, Err(error)),
    }
}

/// A medium as an answer, read as the client takes it.
pub fn blob_response(blob: Blob) -> Response {
    let headers = [
        (header::CONTENT_TYPE, HeaderValue::from_static(blob.form.media_type())),
        (header::CONTENT_LENGTH, HeaderValue::from(blob.bytes)),
        (header::CACHE_CONTROL, HeaderValue::from_static("private, no-store")),
        (header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff")),
    ];
    let pieces = futures_util::stream::try_unfold(blob.file, |mut file| async {
        let read = move || Ok(next_piece(&mut file)?.map(|piece| (piece, file)));
        blocking(read).await.map_err(std::io::Error::other)
    });
    (headers, Body::from_stream(pieces)).into_response()
}

/// Works to the end even if nobody waits for the answer any more.
async fn detached(
    work: impl Future<Output = Result<Reply, MediaError>> + Send + 'static,
) -> Result<Reply, MediaError> {
    tokio::spawn(work).await.unwrap_or(Err(ProtocolError::Internal.into()))
}

fn finished<S: MediaState>(state: &S, answered: Result<Reply, MediaError>) -> Response {
    let error = match answered {
        Ok(reply) => return respond(reply),
        Err(error) => error,
    };
    let cause = error.to_string();
    let error = match error.into_protocol() {
        Ok(error) => error,
        Err(refusal) => return refused(state, &refusal),
    };
    if error == ProtocolError::Internal {
        tracing::error!(error = cause, "media request failed");
    }
    let mut response = state.refuse(&error);
    response.headers_mut().insert("tus-resumable", HeaderValue::from_static(tus::VERSION));
    response
}

/// A medium that cannot be published is told in the protocol's own words as well, so that a phone lets it wait and
/// goes on with the others.
fn refused<S: MediaState>(state: &S, refusal: &Refusal) -> Response {
    let mut response = respond(Reply::refused(refusal, state.media().limits.longest()));
    if matches!(refusal, Refusal::Content(_)) {
        let (head, body) =
            state.refuse(&ProtocolError::Malformed { reason: refusal.to_string() }).into_parts();
        *response.body_mut() = body;
        if let Some(media_type) = head.headers.get(header::CONTENT_TYPE) {
            response.headers_mut().insert(header::CONTENT_TYPE, media_type.clone());
        }
    }
    response
}

fn respond(reply: Reply) -> Response {
    let status = StatusCode::from_u16(reply.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let mut response =
        if reply.text.is_empty() { Body::empty() } else { Body::from(reply.text) }.into_response();
    *response.status_mut() = status;
    for (name, value) in reply.headers {
        if let Ok(value) = HeaderValue::from_str(&value) {
            response.headers_mut().insert(HeaderName::from_static(name), value);
        }
    }
    response
}

fn not_allowed(allow: &'static str) -> Response {
    (StatusCode::METHOD_NOT_ALLOWED, [(header::ALLOW, HeaderValue::from_static(allow))]).into_response()
}
