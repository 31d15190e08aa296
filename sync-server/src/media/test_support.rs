//! A made-up server with media only, for the tests of this folder.

use std::io;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use axum::body::{Body, Bytes};
use axum::http::{HeaderMap, Method, Request, StatusCode};
use axum::response::{IntoResponse, Response};
use data_encoding::BASE64;
use gridwalk_model::policy::Role;
use gridwalk_model::{ContentHash, DeviceId, RecordId, StreamId, Timestamp};
use gridwalk_replica::digest::Fingerprint;
use gridwalk_replica::protocol::{MissingRequest, ProtocolError, path};
use sha2::{Digest as _, Sha256};
use tempfile::TempDir;
use tower::ServiceExt as _;

use super::store::{NoProbe, Probe, Step};
use super::{Media, MediaLimits, MediaState, router};
use crate::clock::Clock;
use crate::storage::access::{GrantRow, NewDevice, NewPerson};
use crate::storage::records::{Membership, RecordWrite};
use crate::storage::sqlite::{Birth, SqliteOptions, SqliteStorage};
use crate::storage::{ReadWork, Storage, StorageError, Stored, WriteWork};
use crate::sync::Principal;

/// Day on which the tests begin, in milliseconds.
pub(crate) const START_MS: i64 = 1_773_451_613_589;

/// Time as the test sets it.
pub(crate) struct TestClock(AtomicI64);

impl Clock for TestClock {
    fn now(&self) -> Timestamp {
        Timestamp::from_millis(self.0.load(Ordering::SeqCst))
    }

    fn ticks_us(&self) -> u64 {
        0
    }
}

/// Counts steps of disk and store; after so many everything fails, as if the power were cut.
#[derive(Clone)]
pub(crate) struct Fuse(Arc<AtomicI64>);

impl Fuse {
    pub(crate) fn after(steps: i64) -> Self {
        Self(Arc::new(AtomicI64::new(steps)))
    }

    pub(crate) fn burnt(&self) -> bool {
        self.0.load(Ordering::SeqCst) < 0
    }

    fn step(&self) -> io::Result<()> {
        let left = self.0.fetch_sub(1, Ordering::SeqCst);
        if left > 0 { Ok(()) } else { Err(io::Error::other("power cut")) }
    }
}

impl Probe for Fuse {
    fn before(&self, _: Step) -> io::Result<()> {
        self.step()
    }
}

/// A store that dies with its fuse, before or after a commit.
struct Mortal {
    inner: Arc<SqliteStorage>,
    fuse: Fuse,
}

impl Mortal {
    fn step(&self) -> Stored<()> {
        self.fuse.step().map_err(|error| StorageError::Failed(error.to_string()))
    }
}

impl Storage for Mortal {
    fn read(&self, work: &mut ReadWork<'_>) -> Stored<()> {
        self.step()?;
        self.inner.read(work)
    }

    fn write(&self, work: &mut WriteWork<'_>) -> Stored<()> {
        self.step()?;
        self.inner.write(work)?;
        self.step()
    }

    fn back_up(&self, target: &Path) -> Stored<u64> {
        self.inner.back_up(target)
    }

    fn checkpoint(&self) -> Stored<()> {
        self.inner.checkpoint()
    }
}

/// Fails one kind of step while a disk is said to be full.
#[derive(Clone, Default)]
pub(crate) struct FullDisk(Arc<std::sync::atomic::AtomicBool>);

impl FullDisk {
    pub(crate) fn set(&self, full: bool) {
        self.0.store(full, Ordering::SeqCst);
    }
}

impl Probe for FullDisk {
    fn before(&self, step: Step) -> io::Result<()> {
        let full = self.0.load(Ordering::SeqCst) && matches!(step, Step::Append | Step::Create);
        if full { Err(io::ErrorKind::StorageFull.into()) } else { Ok(()) }
    }
}

/// What outlives a crash: the folder, the database, the time.
#[derive(Clone)]
pub(crate) struct Disk {
    pub(crate) folder: Arc<TempDir>,
    pub(crate) storage: Arc<SqliteStorage>,
    pub(crate) clock: Arc<TestClock>,
}

impl Disk {
    pub(crate) fn new() -> Self {
        let birth = Birth { device: [1; 12], epoch: [2; 16], incarnation: [3; 4], mark_key: [4; 32] };
        let storage = Arc::new(SqliteStorage::in_memory(&SqliteOptions::default(), &birth).unwrap());
        let clock = Arc::new(TestClock(AtomicI64::new(START_MS)));
        Self { folder: Arc::new(tempfile::tempdir().unwrap()), storage, clock }
    }

    pub(crate) fn dyn_storage(&self) -> Arc<dyn Storage> {
        Arc::clone(&self.storage) as Arc<dyn Storage>
    }

    pub(crate) fn pass(&self, ms: i64) {
        self.clock.0.fetch_add(ms, Ordering::SeqCst);
    }

    pub(crate) fn start(&self) -> Server {
        self.start_with(MediaLimits::default(), Arc::new(NoProbe))
    }

    pub(crate) fn start_with(&self, limits: MediaLimits, probe: Arc<dyn Probe>) -> Server {
        self.server(self.dyn_storage(), limits, probe)
    }

    /// A server whose disk and store fail after so many steps.
    pub(crate) fn start_mortal(&self, fuse: &Fuse) -> Option<Server> {
        let storage = Arc::new(Mortal { inner: Arc::clone(&self.storage), fuse: fuse.clone() });
        let probe = Arc::new(fuse.clone());
        let clock = Arc::clone(&self.clock) as Arc<dyn Clock>;
        let media =
            Media::open_with(self.folder.path(), storage, clock, MediaLimits::default(), probe).ok()?;
        media.recover().ok()?;
        Some(Server { media: Arc::new(media), disk: self.clone() })
    }

    fn server(&self, storage: Arc<dyn Storage>, limits: MediaLimits, probe: Arc<dyn Probe>) -> Server {
        let clock = Arc::clone(&self.clock) as Arc<dyn Clock>;
        let media = Media::open_with(self.folder.path(), storage, clock, limits, probe).unwrap();
        media.recover().unwrap();
        Server { media: Arc::new(media), disk: self.clone() }
    }

    /// Adds person and device number `n`, who holds the stream of area `n`.
    pub(crate) fn enrol(&self, n: u8) -> DeviceId {
        let device = DeviceId::from_bytes([n; 12]);
        self.dyn_storage()
            .update(|tx| {
                let at = Timestamp::from_millis(START_MS);
                let person = NewPerson {
                    id: RecordId::from_bytes([n; 16]),
                    name: "测试（虚构）",
                    roles: &[Role::Gridworker],
                    unit: None,
                    created_at: at,
                };
                let person = tx.insert_person(&person)?;
                let new =
                    NewDevice { id: device, person, public_key: &[4; 65], label: "test", enrolled_at: at };
                tx.insert_device(&new)?;
                let stream = tx.ensure_stream(&StreamId::User(RecordId::from_bytes([n; 16])))?;
                let grant = GrantRow {
                    stream_no: stream.no,
                    stream: stream.id,
                    generation: 1,
                    granted_at: at,
                    revoked_at: None,
                };
                tx.put_grant(person, &grant)
            })
            .unwrap();
        device
    }

    /// Adds a record that points at a medium, in the stream of person `n`. `removed`: it has left it.
    pub(crate) fn refer(&self, record: u8, hash: &ContentHash, n: u8, removed: bool) -> RecordId {
        let id = RecordId::from_bytes([record; 16]);
        self.dyn_storage()
            .update(|tx| {
                let seq = tx.next_seq();
                let write = RecordWrite {
                    rev: 1,
                    seq,
                    tail_after: seq,
                    tail_count: 0,
                    fingerprint: Fingerprint::of(id, &[]),
                    changed_at: Timestamp::from_millis(START_MS),
                    snapshot: b"",
                };
                let no = tx.insert_record(id, "event", &write)?;
                let stream = tx.ensure_stream(&StreamId::User(RecordId::from_bytes([n; 16])))?;
                let member =
                    Membership { stream_no: stream.no, stream: stream.id, seq, entered: seq, removed };
                tx.put_membership(no, &member)?;
                tx.add_media_ref(hash, no)
            })
            .unwrap();
        id
    }

    pub(crate) fn principal(&self, device: DeviceId) -> Principal {
        self.dyn_storage().view(|tx| Principal::of(tx, device)).unwrap()
    }

    /// Names of all files under a folder of the media.
    pub(crate) fn files(&self, folder: &str) -> Vec<String> {
        let mut out = Vec::new();
        let mut folders = vec![self.folder.path().join(folder)];
        while let Some(folder) = folders.pop() {
            for entry in std::fs::read_dir(folder).unwrap() {
                let path = entry.unwrap().path();
                if path.is_dir() {
                    folders.push(path);
                } else {
                    out.push(path.file_name().unwrap().to_str().unwrap().to_owned());
                }
            }
        }
        out.sort();
        out
    }
}

/// A server between two crashes.
#[derive(Clone)]
pub(crate) struct Server {
    pub(crate) media: Arc<Media>,
    pub(crate) disk: Disk,
}

impl MediaState for Server {
    fn media(&self) -> &Arc<Media> {
        &self.media
    }

    async fn authenticate(&self, headers: &HeaderMap) -> Result<Principal, ProtocolError> {
        let device = headers.get("x-test-device").and_then(|value| value.to_str().ok()?.parse().ok());
        let device = device.ok_or(ProtocolError::Unauthorized)?;
        Ok(self.disk.dyn_storage().view(|tx| Principal::of(tx, device))?)
    }

    fn refuse(&self, error: &ProtocolError) -> Response {
        (StatusCode::from_u16(error.status()).unwrap(), error.to_string()).into_response()
    }
}

/// An answer, read.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Vec<u8>,
}

impl Answer {
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).map(|value| value.to_str().unwrap())
    }

    pub(crate) fn offset(&self) -> Option<u64> {
        self.header("upload-offset").map(|text| text.parse().unwrap())
    }
}

impl Server {
    /// Sends a request. `device`: who; `headers`: in addition.
    pub(crate) async fn send(
        &self,
        device: Option<DeviceId>,
        method: Method,
        path: &str,
        headers: &[(&str, &str)],
        body: Body,
    ) -> Answer {
        let mut request = Request::builder().method(method).uri(path);
        if let Some(device) = device {
            request = request.header("x-test-device", device.to_string());
        }
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let app = router::<Self>().with_state(self.clone());
        let response = app.oneshot(request.body(body).unwrap()).await.unwrap();
        let (parts, body) = response.into_parts();
        let body = axum::body::to_bytes(body, 1 << 24).await.unwrap().to_vec();
        Answer { status: parts.status.as_u16(), headers: parts.headers, body }
    }

    /// Creates an upload of `bytes`; returns where it is.
    pub(crate) async fn create(&self, device: DeviceId, bytes: &[u8]) -> String {
        let answer = self.try_create(device, &hash_of(bytes), bytes.len()).await;
        assert_eq!(answer.status, 201, "{answer:?}");
        answer.header("location").unwrap().to_owned()
    }

    pub(crate) async fn try_create(&self, device: DeviceId, hash: &ContentHash, bytes: usize) -> Answer {
        let (metadata, length) = (metadata(hash), bytes.to_string());
        let headers =
            [("tus-resumable", "1.0.0"), ("upload-length", &*length), ("upload-metadata", &*metadata)];
        self.send(Some(device), Method::POST, path::UPLOADS, &headers, Body::empty()).await
    }

    pub(crate) async fn head(&self, device: DeviceId, url: &str) -> Answer {
        self.send(Some(device), Method::HEAD, url, &[("tus-resumable", "1.0.0")], Body::empty()).await
    }

    pub(crate) async fn patch(
        &self,
        device: DeviceId,
        url: &str,
        offset: u64,
        checksum: Option<&str>,
        body: Body,
    ) -> Answer {
        let offset = offset.to_string();
        let mut headers = vec![
            ("tus-resumable", "1.0.0"),
            ("upload-offset", &*offset),
            ("content-type", "application/offset+octet-stream"),
        ];
        headers.extend(checksum.map(|checksum| ("upload-checksum", checksum)));
        self.send(Some(device), Method::PATCH, url, &headers, body).await
    }

    /// Uploads a medium in one go.
    pub(crate) async fn upload(&self, device: DeviceId, bytes: &[u8]) -> Answer {
        let url = self.create(device, bytes).await;
        self.patch(device, &url, 0, None, Body::from(bytes.to_vec())).await
    }

    /// Which of these the device is told to upload.
    pub(crate) fn missing(&self, device: DeviceId, hashes: &[ContentHash]) -> Vec<ContentHash> {
        let hashes = hashes.iter().map(|hash| hash.as_bytes().to_vec().into()).collect();
        let request = MissingRequest { hashes };
        let answer = self.media.missing(&self.disk.principal(device), &request).unwrap();
        assert_eq!(answer.missing.len() + answer.stored.len(), request.hashes.len());
        answer.missing.iter().map(|bytes| ContentHash::from_slice(bytes).unwrap()).collect()
    }
}

/// A small made-up photo as the phones store it; another for each `n`.
pub(crate) fn photo(n: u8) -> Vec<u8> {
    let mut out = Vec::new();
    let pixels: Vec<u8> = (0..8 * 8).map(|i: u8| i.wrapping_mul(n)).collect();
    let encoder = jpeg_encoder::Encoder::new(&mut out, 60);
    encoder.encode(&pixels, 8, 8, jpeg_encoder::ColorType::Luma).unwrap();
    out
}

pub(crate) fn hash_of(bytes: &[u8]) -> ContentHash {
    ContentHash::from_bytes(Sha256::digest(bytes).into())
}

pub(crate) fn metadata(hash: &ContentHash) -> String {
    format!("sha256 {},record {}", BASE64.encode(hash.as_bytes()), BASE64.encode(b"x"))
}

pub(crate) fn sha256_of(bytes: &[u8]) -> String {
    format!("sha256 {}", BASE64.encode(&Sha256::digest(bytes)))
}

/// A body that brings these bytes and then breaks.
pub(crate) fn broken(bytes: &[u8]) -> Body {
    let frames = [Ok(Bytes::copy_from_slice(bytes)), Err(io::Error::from(io::ErrorKind::ConnectionReset))];
    Body::from_stream(futures_util::stream::iter(frames))
}
