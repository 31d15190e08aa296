//! A phone in a process of its own, to be killed: opens its store, does seeded work, and says on its standard output
//! what it has promised to keep, each line after the act is durable. Synchronises beside that.
//!
//! `phone FOLDER SEED STEPS AREA`: works, then settles, prints `settled` or `waiting`, closes. With 0 steps it only
//! settles.

#![forbid(unsafe_code)]

use std::env;
use std::io::Write as _;
use std::path::Path;
use std::process::ExitCode;

use gridwalk_device::photo::CaptureFacts;
use gridwalk_device::{Device, DeviceError};
use gridwalk_e2e::promise::Promise;
use gridwalk_harness::phone::Phone;
use gridwalk_harness::photos;
use gridwalk_harness::scene::Hazard;
use gridwalk_harness::seeded::Seeded;
use gridwalk_model::photo::PhotoRef;
use gridwalk_model::{Fields, Kind, RecordId, Value};

/// How often it tries to settle at the end.
const TRIES: u32 = 6;

type Failed = Box<dyn std::error::Error + Send + Sync>;

#[tokio::main]
async fn main() -> ExitCode {
    let arguments: Vec<String> = env::args().skip(1).collect();
    match run(&arguments).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("phone: {error}");
            ExitCode::FAILURE
        }
    }
}

async fn run(arguments: &[String]) -> Result<(), Failed> {
    let [folder, seed, steps, area] = arguments else { return Err("FOLDER SEED STEPS AREA".into()) };
    let phone = Phone::open("child", Path::new(folder)).await?;
    let area: RecordId = area.parse().map_err(|_| "AREA is no id")?;
    let mut worker =
        Worker { device: phone.device(), seeded: Seeded::new(seed.parse()?), area, made: Vec::new() };
    for step in 0..steps.parse::<u32>()? {
        for promise in worker.step(step).await? {
            say(&promise.to_line())?;
        }
    }
    let settled = phone.settle(TRIES).await?;
    let calm = settled.status.is_settled() && settled.status.last_error.is_none();
    phone.close().await?;
    say(if calm { "settled" } else { "waiting" })?;
    Ok(())
}

fn say(line: &str) -> Result<(), Failed> {
    let mut out = std::io::stdout().lock();
    writeln!(out, "{line}")?;
    Ok(out.flush()?)
}

struct Worker<'d> {
    device: &'d Device,
    seeded: Seeded,
    area: RecordId,
    made: Vec<(RecordId, Kind)>,
}

impl Worker<'_> {
    async fn step(&mut self, step: u32) -> Result<Vec<Promise>, Failed> {
        let text = format!("第{step}步 {:x}", self.seeded.bits());
        let event = self.made.iter().rev().find(|(_, kind)| *kind == Kind::Event).map(|(id, _)| *id);
        match (self.seeded.below(8), event) {
            (0 | 1, _) => self.create(Kind::Dwelling, "remarks", &text).await,
            (2, _) | (_, None) => self.create(Kind::Event, "description", &text).await,
            (3 | 4, Some(event)) => self.photo(event).await,
            _ => self.edit(&text).await,
        }
    }

    async fn create(&mut self, kind: Kind, key: &str, text: &str) -> Result<Vec<Promise>, Failed> {
        let mut fields =
            Fields::from([("area".to_owned(), Value::from(self.area)), (key.to_owned(), Value::from(text))]);
        if kind == Kind::Event {
            fields.insert("category".to_owned(), "fire".into());
        }
        fields.insert("address".to_owned(), "虚构路1号".into());
        let record = self.device.create_fields(kind, fields).await?;
        self.made.push((record, kind));
        Ok(vec![Promise::Field { record, key: key.to_owned(), text: text.to_owned() }])
    }

    async fn edit(&mut self, text: &str) -> Result<Vec<Promise>, Failed> {
        let Some((record, kind)) = self.seeded.choose(&self.made).copied() else { return Ok(Vec::new()) };
        let key = if kind == Kind::Event { "description" } else { "remarks" };
        self.device.edit(record, Fields::from([(key.to_owned(), text.into())])).await?;
        Ok(vec![Promise::Field { record, key: key.to_owned(), text: text.to_owned() }])
    }

    async fn photo(&mut self, record: RecordId) -> Result<Vec<Promise>, Failed> {
        let size = if self.seeded.chance(0.2) { (1_600, 1_200) } else { (160, 120) };
        let original = photos::jpeg(&mut self.seeded, size, Hazard::Rubbish, None)?;
        let facts = CaptureFacts::camera(self.device.now(), "W1".into());
        let element = self.device.add_photo(record, original, facts, None).await?;
        let read = self
            .device
            .with_store(move |store, _| store.fields(record)?.ok_or(DeviceError::UnknownRecord { record }))
            .await?;
        let value = read.1.get(&format!("photos/{}", element.to_hex())).cloned();
        let Some(Value::Bytes(bytes)) = value else { return Err("a photo without a reference".into()) };
        let photo = PhotoRef::from_bytes(&bytes)?;
        let preview = photo.preview_hash.ok_or("a photo without a preview")?;
        Ok(vec![Promise::Photo { record, element, hash: photo.hash, preview }])
    }
}
