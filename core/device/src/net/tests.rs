//! The transport against a small server on this machine.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::Router;
use axum::body::Bytes;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::routing::{any, post};
use data_encoding::BASE64;
use gridwalk_model::{ContentHash, DeviceId, RecordId};
use gridwalk_replica::frame;
use gridwalk_replica::protocol::{Nonce, Protocol, ProtocolError, Token, TokenRequest, path};
use gridwalk_replica::wire::SyncRequest;
use minicbor::bytes::ByteVec;
use sha2::{Digest, Sha256};
use tokio::net::TcpListener;

use super::*;
use crate::clock::SeededEntropy;
use crate::keys::{DeviceKey, SoftwareKey};
use crate::store::{Lane, Upload};

/// What the server remembers and how it misbehaves.
#[derive(Default)]
struct Memory {
    tokens: u32,
    /// Tokens that it does not take any more.
    spent: u32,
    uploads: BTreeMap<u32, (u64, Vec<u8>)>,
    /// Bytes of chunks that arrived, whole or in part.
    received: usize,
    chunks: usize,
    /// The chunk with this number is answered with an error after it was stored.
    lose_answer_of: Option<usize>,
    /// The chunk with this number arrives damaged.
    damage: Option<usize>,
    forget: bool,
}

type Shared = Arc<Mutex<Memory>>;

fn key() -> Arc<dyn DeviceKey> {
    Arc::new(SoftwareKey::generate(&mut SeededEntropy::new(3)).unwrap())
}

async fn serve(router: Router) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
    format!("http://{address}")
}

fn router(memory: Shared) -> Router {
    Router::new()
        .route(path::NONCE, post(|| async { framed(&Nonce { nonce: ByteVec::from(vec![9; 32]) }) }))
        .route(path::TOKEN, post(token))
        .route(path::SYNC, post(sync))
        .route(path::UPLOADS, post(create))
        .route(&format!("{}/{{id}}", path::UPLOADS), any(upload))
        .with_state(memory)
}

fn framed<T: minicbor::Encode<()>>(body: &T) -> Response {
    frame::encode(body).unwrap().into_response()
}

fn error(error: ProtocolError) -> Response {
    (StatusCode::from_u16(error.status()).unwrap(), frame::encode(&error).unwrap()).into_response()
}

async fn token(State(memory): State<Shared>, body: Bytes) -> Response {
    let request: TokenRequest = frame::decode(&body).unwrap();
    let message = gridwalk_replica::protocol::token_message(&request.device, &request.nonce);
    assert_eq!(request.signature.as_slice(), key().sign(&message).unwrap());
    let mut memory = memory.lock().unwrap();
    memory.tokens += 1;
    framed(&Token { token: format!("t{}", memory.tokens), seconds: 900 })
}

fn authorised(memory: &Memory, headers: &HeaderMap) -> bool {
    let bearer = headers.get("authorization").and_then(|value| value.to_str().ok()).unwrap_or("");
    bearer.strip_prefix("Bearer t").and_then(|n| n.parse::<u32>().ok()).is_some_and(|n| n > memory.spent)
}

async fn sync(State(memory): State<Shared>, headers: HeaderMap, body: Bytes) -> Response {
    if !authorised(&memory.lock().unwrap(), &headers) {
        return error(ProtocolError::Unauthorized);
    }
    let request: SyncRequest = frame::decode(&body).unwrap();
    framed(&crate::testkit::answer(&request))
}

async fn create(State(memory): State<Shared>, headers: HeaderMap) -> Response {
    let mut memory = memory.lock().unwrap();
    if !authorised(&memory, &headers) {
        return StatusCode::UNAUTHORIZED.into_response();
    }
    assert_eq!(headers["tus-resumable"], "1.0.0");
    assert!(headers["upload-metadata"].to_str().unwrap().starts_with("sha256 "));
    let length = headers["upload-length"].to_str().unwrap().parse().unwrap();
    let id = memory.uploads.len() as u32 + 1;
    memory.uploads.insert(id, (length, Vec::new()));
    (StatusCode::CREATED, [("location", format!("{}/{id}", path::UPLOADS))]).into_response()
}

async fn upload(
    State(memory): State<Shared>,
    Path(id): Path<u32>,
    method: axum::http::Method,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let mut memory = memory.lock().unwrap();
    if memory.forget {
        memory.forget = false;
        memory.uploads.remove(&id);
    }
    let Memory { uploads, received, chunks, lose_answer_of, damage, .. } = &mut *memory;
    let Some((length, bytes)) = uploads.get_mut(&id) else { return StatusCode::NOT_FOUND.into_response() };
    if method == axum::http::Method::HEAD {
        let headers = [("upload-offset", bytes.len().to_string()), ("upload-length", length.to_string())];
        return (StatusCode::OK, headers).into_response();
    }
    assert_eq!(headers["content-type"], "application/offset+octet-stream");
    let offset: usize = headers["upload-offset"].to_str().unwrap().parse().unwrap();
    if offset != bytes.len() {
        return StatusCode::CONFLICT.into_response();
    }
    *chunks += 1;
    *received += body.len();
    let mut body = body.to_vec();
    if *damage == Some(*chunks) {
        body[0] ^= 1;
    }
    let claimed = headers["upload-checksum"].to_str().unwrap();
    if claimed != format!("sha256 {}", BASE64.encode(&Sha256::digest(&body))) {
        return StatusCode::from_u16(460).unwrap().into_response();
    }
    bytes.extend(body);
    if *lose_answer_of == Some(*chunks) {
        return error(ProtocolError::Internal);
    }
    (StatusCode::NO_CONTENT, [("upload-offset", bytes.len().to_string())]).into_response()
}

fn session(url: &str) -> Session {
    let http = HttpClient::new(&HttpConfig::new(url)).unwrap();
    Session::new(http, DeviceId::from_bytes([1; 12]), key())
}

fn request() -> SyncRequest {
    SyncRequest {
        protocol_min: 1,
        protocol_max: 1,
        schema: 1,
        epoch: None,
        cursors: Vec::new(),
        max_bytes: 1,
        pushes: Vec::new(),
        compare: None,
        seen: None,
        notes: None,
    }
}

async fn talk(session: &Session) -> Result<gridwalk_replica::wire::SyncResponse, NetError> {
    session.authorised(|token| async move { session.http().sync(&token, request()).await }).await
}

#[tokio::test]
async fn a_token_is_obtained_once_and_renewed_when_it_is_spent() {
    let memory = Shared::default();
    let session = session(&serve(router(memory.clone())).await);
    talk(&session).await.unwrap();
    talk(&session).await.unwrap();
    assert_eq!(memory.lock().unwrap().tokens, 1);
    memory.lock().unwrap().spent = 1;
    talk(&session).await.unwrap();
    assert_eq!(memory.lock().unwrap().tokens, 2);
    memory.lock().unwrap().spent = 99;
    assert_eq!(talk(&session).await, Err(ProtocolError::Unauthorized.into()), "no endless renewal");
}

#[tokio::test]
async fn errors_are_understood_whoever_answers() {
    async fn fixed(router: Router) -> Result<gridwalk_replica::wire::SyncResponse, NetError> {
        let http = HttpClient::new(&HttpConfig::new(serve(router).await)).unwrap();
        http.sync("t1", request()).await
    }
    let with = |make: fn() -> Response| Router::new().route(path::SYNC, post(move || async move { make() }));
    let locked = with(|| error(ProtocolError::Revoked { wipe: true }));
    assert_eq!(fixed(locked).await, Err(ProtocolError::Revoked { wipe: true }.into()));
    let proxy = with(|| (StatusCode::SERVICE_UNAVAILABLE, [("retry-after", "7")], "busy").into_response());
    assert_eq!(fixed(proxy).await, Err(ProtocolError::Busy { retry_after_s: 7 }.into()));
    let portal = with(|| "<html>请登录</html>".into_response());
    assert_eq!(fixed(portal).await, Err(NetError::Unreadable));
    let elsewhere = with(|| axum::response::Redirect::temporary("http://127.0.0.1:9/").into_response());
    assert_eq!(fixed(elsewhere).await, Err(NetError::Unreadable), "redirects are not followed");
    let bomb = with(|| frame_of_zeros().into_response());
    assert_eq!(fixed(bomb).await, Err(NetError::Unreadable));
    let nobody = HttpClient::new(&HttpConfig::new("http://127.0.0.1:1")).unwrap();
    assert_eq!(nobody.sync("t1", request()).await, Err(NetError::Offline));
}

/// A small frame that inflates beyond every limit.
fn frame_of_zeros() -> Vec<u8> {
    frame::encode(&ByteVec::from(vec![0u8; 9 * 1024 * 1024])).unwrap()
}

#[tokio::test]
async fn a_server_that_stands_still_is_given_up_and_a_request_can_be_taken_back() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    // Accepts and never says a word.
    tokio::spawn(async move {
        let mut open = Vec::new();
        while let Ok((stream, _)) = listener.accept().await {
            open.push(stream);
        }
    });
    let config = HttpConfig { stall: Duration::from_millis(50), ..HttpConfig::new(&url) };
    let client = HttpClient::new(&config).unwrap();
    assert_eq!(client.sync("t1", request()).await, Err(NetError::Stalled));
    let cancel = Cancel::default();
    let patient = HttpClient::new(&HttpConfig::new(&url)).unwrap().with_cancel(cancel.clone());
    let waiting = tokio::spawn(async move { patient.sync("t1", request()).await });
    cancel.cancel();
    assert_eq!(waiting.await.unwrap(), Err(NetError::Cancelled));
    assert!(cancel.is_cancelled());
}

/// A medium in memory, read in pieces of 1,000 bytes.
struct Bytes1000 {
    bytes: Vec<u8>,
    progress: Mutex<Vec<u64>>,
    /// The piece that begins here cannot be read: the phone was killed.
    dies_at: Option<u64>,
    url: Mutex<Option<String>>,
}

impl Bytes1000 {
    fn new() -> Self {
        let bytes = (0..10_500u32).map(|n| (n % 251) as u8).collect();
        Self { bytes, progress: Mutex::default(), dies_at: None, url: Mutex::default() }
    }

    fn upload(&self, url: Option<String>) -> Upload {
        Upload {
            hash: ContentHash::from_bytes(Sha256::digest(&self.bytes).into()),
            record: RecordId::from_bytes([4; 16]),
            lane: Lane::Full,
            bytes: self.bytes.len() as u64,
            url,
            offset: 0,
        }
    }
}

impl Source for Bytes1000 {
    async fn piece(&self, _: ContentHash, offset: u64) -> Option<Piece> {
        if self.dies_at == Some(offset) {
            return None;
        }
        let from = offset as usize;
        let to = self.bytes.len().min((from / 1_000 + 1) * 1_000);
        Some(Piece { bytes: self.bytes[from..to].to_vec() })
    }

    async fn progressed(&self, _: ContentHash, url: &str, offset: u64) {
        self.progress.lock().unwrap().push(offset);
        *self.url.lock().unwrap() = Some(url.to_owned());
    }
}

#[tokio::test]
async fn an_upload_goes_in_pieces_and_resumes_with_at_most_one_of_them_sent_twice() {
    for cut in 0..=10u64 {
        let memory = Shared::default();
        let session = session(&serve(router(memory.clone())).await);
        let mut source = Bytes1000::new();
        source.dies_at = Some(cut * 1_000);
        assert!(session.upload(&source.upload(None), &source).await.is_err());
        source.dies_at = None;
        let url = source.url.lock().unwrap().clone();
        session.upload(&source.upload(url), &source).await.unwrap();
        let memory = memory.lock().unwrap();
        assert_eq!(memory.uploads.len(), 1);
        assert_eq!(memory.uploads[&1].1, source.bytes);
        assert_eq!(memory.received, source.bytes.len(), "nothing twice after a clean cut");
    }
}

#[tokio::test]
async fn a_lost_answer_costs_no_piece_and_a_damaged_one_costs_one() {
    let memory = Shared::default();
    let session = session(&serve(router(memory.clone())).await);
    let source = Bytes1000::new();
    memory.lock().unwrap().lose_answer_of = Some(4);
    assert_eq!(session.upload(&source.upload(None), &source).await, Err(ProtocolError::Internal.into()));
    memory.lock().unwrap().damage = Some(6);
    let url = source.url.lock().unwrap().clone();
    session.upload(&source.upload(url), &source).await.unwrap();
    let memory = memory.lock().unwrap();
    assert_eq!(memory.uploads[&1].1, source.bytes);
    assert_eq!(memory.received, source.bytes.len() + 1_000);
}

#[tokio::test]
async fn an_upload_that_the_server_forgot_begins_anew() {
    let memory = Shared::default();
    let session = session(&serve(router(memory.clone())).await);
    let mut source = Bytes1000::new();
    source.dies_at = Some(3_000);
    assert!(session.upload(&source.upload(None), &source).await.is_err());
    source.dies_at = None;
    memory.lock().unwrap().forget = true;
    let url = source.url.lock().unwrap().clone();
    session.upload(&source.upload(url), &source).await.unwrap();
    let memory = memory.lock().unwrap();
    let (_, bytes) = memory.uploads.values().next_back().unwrap();
    assert_eq!(*bytes, source.bytes);
    assert_eq!(source.progress.lock().unwrap().last(), Some(&10_500));
}

#[tokio::test]
async fn a_finished_upload_is_not_sent_again() {
    let memory = Shared::default();
    let session = session(&serve(router(memory.clone())).await);
    let source = Bytes1000::new();
    session.upload(&source.upload(None), &source).await.unwrap();
    let url = source.url.lock().unwrap().clone();
    session.upload(&source.upload(url), &source).await.unwrap();
    assert_eq!(memory.lock().unwrap().received, source.bytes.len());
}
