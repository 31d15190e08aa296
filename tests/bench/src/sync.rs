//! Push, pull and idle sync against the real server as a process of its own, over loopback HTTP. The client encodes
//! every body before the clock starts, but shares the machine's cores with the server.

use std::path::Path;
use std::sync::Arc;

use gridwalk_device::SystemEntropy;
use gridwalk_device::keys::{DeviceKey, SoftwareKey};
use gridwalk_device::net::{HttpClient, HttpConfig, Session};
use gridwalk_harness::office::Office;
use gridwalk_harness::server::ServerProcess;
use gridwalk_model::policy::Role;
use gridwalk_model::{DeviceId, Fields, Kind, RecordId, Value};
use gridwalk_replica::admission::Verdict;
use gridwalk_replica::protocol::{EnrolRequest, Protocol, path};
use gridwalk_replica::wire::{Cursor, Push, SyncRequest, SyncResponse};
use gridwalk_replica::{Actor, Document, frame};
use minicbor::bytes::ByteVec;

use crate::measure::{Figure, Printer, Result, Stopwatch, fsync_p50_us, median, memory_mb};
use crate::pull::{self, NOW};

/// Devices, each with a connection and a grid of its own.
const DEVICES: usize = 8;
/// How often the large push is held against the small one.
const ROUNDS: usize = 5;

pub fn run(printer: &mut Printer, large: usize, memory: usize) -> Result {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()?;
    runtime.block_on(async {
        let folder = tempfile::tempdir()?;
        let fsync = fsync_p50_us(folder.path())?;
        let (server, mut phones) = pushes(printer, folder.path(), large, fsync).await?;
        edits(printer, &mut phones, 100, fsync).await?;
        edits(printer, &mut phones, 10, fsync).await?;
        idle(printer, &mut phones).await?;
        drop(server);
        if memory > 0 {
            growth(printer, &folder.path().join("memory"), memory).await?;
        }
        Ok(())
    })
}

/// A device of the benchmark: what it holds, and how it reaches the server.
struct Phone {
    http: reqwest::Client,
    url: String,
    token: String,
    actor: Actor,
    area: RecordId,
    cursors: Vec<Cursor>,
    epoch: minicbor::bytes::ByteArray<16>,
    documents: Vec<(RecordId, Kind, Document)>,
    seed: u64,
}

async fn phones(data: &Path, server: &ServerProcess) -> Result<Vec<Phone>> {
    let office = Office::open(data)?;
    let mut out = Vec::new();
    for n in 0..DEVICES {
        let person = office.add_person(&format!("网格员{n}（虚构）"), &[Role::Gridworker], None)?;
        let area = RecordId::from_bytes([0xc0 + n as u8; 16]);
        office.assign(person, area)?;
        let key: Arc<dyn DeviceKey> = Arc::new(SoftwareKey::generate(&mut SystemEntropy)?);
        let client = HttpClient::new(&HttpConfig::new(server.url()))?;
        let request = EnrolRequest {
            code: office.enrolment_code(person)?,
            public_key: ByteVec::from(key.public_key()?.to_vec()),
            label: format!("bench {n}"),
        };
        let enrolled = client.enrol(request).await?;
        let device = DeviceId::from_slice(&enrolled.device).ok_or("a device id has 12 bytes")?;
        let session = Session::new(client, device, key);
        let token = session.authorised(|token| async move { Ok(token) }).await?;
        let mut phone = Phone {
            http: reqwest::Client::builder().no_proxy().build()?,
            url: format!("{}{}", server.url(), path::SYNC),
            token,
            actor: Actor::new(device, [0, 0, 0, 1]),
            area,
            cursors: Vec::new(),
            epoch: [0; 16].into(),
            documents: Vec::new(),
            seed: n as u64 + 100,
        };
        phone.join().await?;
        out.push(phone);
    }
    Ok(out)
}

impl Phone {
    fn request(&self, pushes: Vec<Push>) -> SyncRequest {
        SyncRequest {
            protocol_min: 1,
            protocol_max: 1,
            schema: 1,
            epoch: Some(self.epoch),
            cursors: self.cursors.clone(),
            max_bytes: 1_000_000,
            pushes,
            compare: None,
            seen: None,
            notes: None,
        }
    }

    async fn send(&self, body: Vec<u8>) -> Result<(SyncResponse, usize)> {
        let answer = self.http.post(&self.url).bearer_auth(&self.token).body(body).send().await?;
        let status = answer.status();
        let bytes = answer.bytes().await?;
        if !status.is_success() {
            return Err(format!("the server answered {status}").into());
        }
        Ok((frame::decode_within(&bytes, 8 << 20)?, bytes.len()))
    }

    /// Learns the grants and pulls until nothing is left.
    async fn join(&mut self) -> Result {
        loop {
            let mut request = self.request(Vec::new());
            if self.cursors.is_empty() {
                request.epoch = None;
            }
            let (answer, _) = self.send(frame::encode(&request)?).await?;
            self.epoch = answer.epoch;
            for (cursor, state) in self.cursors.iter_mut().zip(&answer.streams) {
                cursor.seq = state.seq;
            }
            if let Some(grants) = &answer.grants {
                self.cursors = grants
                    .iter()
                    .map(|grant| Cursor {
                        stream: grant.stream.clone(),
                        generation: grant.generation,
                        seq: 0,
                    })
                    .collect();
            } else if !answer.more {
                return Ok(());
            }
        }
    }

    fn push(&self, record: RecordId, kind: Kind, raw: Vec<u8>) -> Push {
        let stream = pull::stream(self.area).to_bytes();
        let hint = self.cursors.iter().position(|cursor| cursor.stream.as_slice() == stream.as_slice());
        Push {
            record: (*record.as_bytes()).into(),
            kind: kind.tag().to_owned(),
            hint: hint.and_then(|index| u32::try_from(index).ok()),
            changes: vec![raw.into()],
            history: false,
        }
    }

    /// Bodies encoded beforehand cannot carry the cursors of the answers before them. So they ask for as little back
    /// as can be asked; else each answer would bring again all that this phone pushed before.
    fn bodies(&self, pushes: Vec<Push>, each: usize) -> Result<Vec<Vec<u8>>> {
        let encode =
            |chunk: &[Push]| frame::encode(&SyncRequest { max_bytes: 0, ..self.request(chunk.to_vec()) });
        pushes.chunks(each).map(|chunk| Ok(encode(chunk)?)).collect()
    }

    fn create(&mut self, records: usize) -> Result<Vec<Push>> {
        self.seed += 1_000;
        let mut pushes = Vec::with_capacity(records);
        for (id, kind, fields) in pull::grid(self.area, records, self.seed) {
            let (document, change) = Document::create(id, kind, &fields, self.actor, NOW)?;
            pushes.push(self.push(id, kind, change.raw));
            self.documents.push((id, kind, document));
        }
        Ok(pushes)
    }

    fn edit_each(&mut self, records: usize, round: usize) -> Result<Vec<Push>> {
        let mut edits = Vec::new();
        for (id, kind, document) in self.documents.iter_mut().take(records) {
            let key = if *kind == Kind::Residency { "from" } else { "remarks" };
            let value = if *kind == Kind::Residency {
                Value::from(format!("2020-01-{:02}", round % 28 + 1))
            } else {
                Value::from(format!("备注{round}"))
            };
            let fields = Fields::from([(key.to_owned(), value)]);
            let change = document.edit(&fields, self.actor, NOW)?.ok_or("the edit changed nothing")?;
            edits.push((*id, *kind, change.raw));
        }
        Ok(edits.into_iter().map(|(id, kind, raw)| self.push(id, kind, raw)).collect())
    }
}

/// Sends every phone's bodies over its own connection, all at once. Returns milliseconds.
async fn send_all(phones: &[Phone], bodies: Vec<Vec<Vec<u8>>>) -> Result<f64> {
    let phones: Vec<_> =
        phones.iter().map(|phone| (phone.http.clone(), phone.url.clone(), phone.token.clone())).collect();
    let start = Stopwatch::start();
    let mut tasks = Vec::new();
    for ((http, url, token), bodies) in phones.into_iter().zip(bodies) {
        tasks.push(tokio::spawn(async move {
            for body in bodies {
                let answer = http.post(&url).bearer_auth(&token).body(body).send().await?;
                let status = answer.status();
                let bytes = answer.bytes().await?;
                if !status.is_success() {
                    return Err(format!("the server answered {status}").into());
                }
                let answer: SyncResponse = frame::decode_within(&bytes, 8 << 20)?;
                if let Some(bad) = answer.verdicts.iter().flatten().find(|v| **v != Verdict::Accepted) {
                    return Err(format!("not accepted: {bad:?}").into());
                }
            }
            Ok::<(), Box<dyn std::error::Error + Send + Sync>>(())
        }));
    }
    for task in tasks {
        task.await?.map_err(|error| error.to_string())?;
    }
    Ok(start.ms())
}

/// Small and large pushes in turn, each on a server of its own, so that what the machine does meanwhile touches both.
/// Prints the median of each and of their ratio; the last large server is returned.
async fn pushes(
    printer: &mut Printer,
    folder: &Path,
    large: usize,
    fsync: f64,
) -> Result<(ServerProcess, Vec<Phone>)> {
    let (mut small_figures, mut large_figures, mut last) = (Vec::new(), Vec::new(), None);
    for round in 0..ROUNDS {
        let (figure, ..) = new_records(&folder.join(format!("small{round}")), 2_000, fsync).await?;
        small_figures.push(figure);
        drop(last.take());
        let (figure, server, phones) =
            new_records(&folder.join(format!("large{round}")), large, fsync).await?;
        large_figures.push(figure);
        last = Some((server, phones));
    }
    let rate = |figure: &Figure| figure.rate.unwrap_or(f64::NAN);
    let ratios = large_figures.iter().zip(&small_figures).map(|(l, s)| rate(l) / rate(s)).collect();
    for mut figures in [small_figures, large_figures] {
        figures.sort_by(|a, b| rate(a).total_cmp(&rate(b)));
        printer.print(&figures.swap_remove(figures.len() / 2));
    }
    printer.print(&Figure {
        name: format!("sync push of new records, {large} against 2,000 (ratio in `rate`)"),
        n: ROUNDS,
        rate: Some(median(ratios)),
        ..Figure::default()
    });
    last.ok_or_else(|| "no round".into())
}

async fn new_records(data: &Path, records: usize, fsync: f64) -> Result<(Figure, ServerProcess, Vec<Phone>)> {
    let server = ServerProcess::start(data)?;
    let mut phones = phones(data, &server).await?;
    let mut bodies = Vec::new();
    for phone in &mut phones {
        let pushes = phone.create(records / DEVICES)?;
        bodies.push(phone.bodies(pushes, 100)?);
    }
    let wire: usize = bodies.iter().flatten().map(Vec::len).sum();
    let took = send_all(&phones, bodies).await?;
    let figure = Figure {
        name: "sync push of new records, 100 a body, 8 connections".into(),
        n: records,
        rate: Some(records as f64 * 1_000.0 / took),
        bytes: Some(wire as f64 / records as f64),
        ms: Some(took),
        fsync_p50_us: Some(fsync),
        rss_mb: memory_mb(&server.id().to_string(), "VmHWM"),
        limit: None,
    };
    for phone in &mut phones {
        phone.join().await?;
    }
    Ok((figure, server, phones))
}

async fn edits(printer: &mut Printer, phones: &mut [Phone], each: usize, fsync: f64) -> Result {
    let mut bodies = Vec::new();
    let records = 2_000 / DEVICES;
    for phone in phones.iter_mut() {
        let pushes = phone.edit_each(records, each)?;
        bodies.push(phone.bodies(pushes, each)?);
    }
    let wire: usize = bodies.iter().flatten().map(Vec::len).sum();
    let took = send_all(phones, bodies).await?;
    printer.print(&Figure {
        name: format!("sync push of one-field edits, {each} a body, 8 connections"),
        n: records * DEVICES,
        rate: Some((records * DEVICES) as f64 * 1_000.0 / took),
        bytes: Some(wire as f64 / (records * DEVICES) as f64),
        ms: Some(took),
        fsync_p50_us: Some(fsync),
        ..Figure::default()
    });
    for phone in phones.iter_mut() {
        phone.join().await?;
    }
    Ok(())
}

async fn idle(printer: &mut Printer, phones: &mut [Phone]) -> Result {
    let phone = phones.first_mut().ok_or("there are phones")?;
    phone.join().await?;
    let body = frame::encode(&phone.request(Vec::new()))?;
    let mut times = Vec::new();
    let mut down = 0;
    for _ in 0..100 {
        let start = Stopwatch::start();
        let (answer, bytes) = phone.send(body.clone()).await?;
        times.push(start.ms());
        down = bytes;
        if !answer.pulls.is_empty() || answer.more {
            return Err("an idle sync brought something".into());
        }
    }
    for (what, bytes) in [("up", body.len()), ("down", down)] {
        printer.print(&Figure {
            name: format!("sync idle, {} streams, one round trip, {what}", phone.cursors.len()),
            n: times.len(),
            bytes: Some(bytes as f64),
            ms: Some(median(times.clone())),
            ..Figure::default()
        });
    }
    Ok(())
}

/// The server's memory with 20,000 stored records, and with `records`.
async fn growth(printer: &mut Printer, data: &Path, records: usize) -> Result {
    let server = ServerProcess::start(data)?;
    let mut phones = phones(data, &server).await?;
    let mut stored = 0;
    while stored < records {
        let mut bodies = Vec::new();
        for phone in &mut phones {
            let pushes = phone.create(20_000 / DEVICES)?;
            phone.documents.clear();
            bodies.push(phone.bodies(pushes, 100)?);
        }
        let took = send_all(&phones, bodies).await?;
        stored += 20_000;
        for phone in &mut phones {
            phone.join().await?;
        }
        if stored == 20_000 || stored >= records {
            printer.print(&Figure {
                name: "server memory by stored records".into(),
                n: stored,
                rate: Some(20_000_000.0 / took),
                rss_mb: memory_mb(&server.id().to_string(), "VmRSS"),
                ..Figure::default()
            });
        }
    }
    Ok(())
}
