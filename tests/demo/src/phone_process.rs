//! One phone in a process of its own, so that it can be killed: it works from door to door and says on standard
//! output what its store has acknowledged, act by act.

use std::io::{self, Write};
use std::process::ExitCode;

use gridwalk_device::DeviceError;
use gridwalk_harness::HarnessError;
use gridwalk_harness::phone::Phone;
use gridwalk_harness::seeded::Seeded;
use gridwalk_model::RecordId;

use crate::acts::{self, Written};
use crate::args::PhoneArgs;
use crate::promises;

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
    let status = phone.device().status().await.map_err(phone.failed())?;
    say(&format!("waiting {}", status.totals.changes.count));
    let mut seeded = Seeded::for_subject(args.seed, "killed phone");
    let mut acts = 0;
    while args.edits == 0 || acts < args.edits {
        let written = work(&phone, args.area, seeded.bits()).await.map_err(phone.failed())?;
        say(&promises::to_line(&written));
        acts += 1;
    }
    if args.sync {
        phone.set_online(true)?;
        phone.settle(TRIES).await?;
    }
    phone.close().await
}

/// One door. What is returned is durable.
async fn work(phone: &Phone, area: RecordId, seed: u64) -> Result<Written, DeviceError> {
    let work = move |store: &mut gridwalk_device::Store, now| {
        let mut seeded = Seeded::new(seed);
        let dwellings = acts::dwellings_of(store, area)?;
        let Some(dwelling) = seeded.choose(&dwellings) else { return Ok(Vec::new()) };
        let people = acts::people_at(store, dwelling.id)?;
        let (_, written) =
            acts::act(store, now, |acting| acts::door(acting, &mut seeded, dwelling, &people))?;
        Ok(written)
    };
    phone.device().with_store(work).await
}

/// A parent that is gone hears nothing, and that is no reason to stop.
fn say(line: &str) {
    let mut out = io::stdout().lock();
    let _ = writeln!(out, "{line}");
    let _ = out.flush();
}
