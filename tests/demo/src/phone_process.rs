//! One phone in a process of its own, so that it can be killed: it works from door to door and says on standard
//! output what its store has acknowledged, act by act.

use std::io::{self, Write};
use std::process::ExitCode;

use gridwalk_device::{DeviceError, Entry};
use gridwalk_harness::HarnessError;
use gridwalk_harness::phone::Phone;
use gridwalk_harness::seeded::Seeded;
use gridwalk_model::DeviceId;
use gridwalk_model::records::Dwelling;

use crate::args::PhoneArgs;
use crate::promises::{self, Promises, Written};
use crate::{acts, door, kept};

/// Attempts to bring everything to the server.
const TRIES: u32 = 6;

/// Plays the phone.
pub async fn run(args: &PhoneArgs) -> ExitCode {
    match play(args).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("phone: {error}");
            ExitCode::FAILURE
        }
    }
}

async fn play(args: &PhoneArgs) -> Result<(), HarnessError> {
    let phone = Phone::open("killed", &args.store).await?;
    let (own, _) = phone.identity().await?;
    let status = phone.device().status().await.map_err(phone.failed())?;
    say(&format!("waiting {}", status.totals.changes.count));
    let area = args.area;
    let doors = phone.device().with_store(move |store, _| acts::dwellings_of(store, area)).await;
    let doors = doors.map_err(phone.failed())?;
    let mut said = Promises::default();
    let before = kept::unsent(phone.device(), own).await.map_err(phone.failed())?;
    said.note(own, before);
    let mut seeded = Seeded::for_subject(args.seed, "killed phone");
    let mut acts = 0;
    while args.edits == 0 || acts < args.edits {
        let written = work(&phone, own, &doors, &mut seeded).await.map_err(phone.failed())?;
        say(&promises::to_line(&said.note_new(own, written)));
        acts += 1;
    }
    if args.sync {
        phone.set_online(true)?;
        phone.settle(TRIES).await?;
    }
    phone.close().await
}

/// One door. What is returned is durable.
async fn work(
    phone: &Phone,
    own: DeviceId,
    doors: &[Entry<Dwelling>],
    seeded: &mut Seeded,
) -> Result<Written, DeviceError> {
    let Some(dwelling) = seeded.choose(doors) else { return Ok(Vec::new()) };
    let (_, acknowledged) = door::knock(phone.device(), seeded, dwelling).await?;
    let written = kept::unsent(phone.device(), own).await?;
    let has = |record| written.iter().any(|(held, ..)| held == record);
    if acknowledged.iter().all(has) {
        Ok(written)
    } else {
        Err(DeviceError::Bug("an acknowledged record is not in the store"))
    }
}

/// A parent that is gone hears nothing, and that is no reason to stop.
fn say(line: &str) {
    let mut out = io::stdout().lock();
    let _ = writeln!(out, "{line}");
    let _ = out.flush();
}
