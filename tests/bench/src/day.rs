//! What a gridworker's whole day takes of a phone: the script of the end-to-end tests, in a process of its own, whose
//! peak memory the system tells.

use std::env;
use std::process::Command;

use gridwalk_e2e::Town;
use gridwalk_e2e::day::life::{Life, sizes};
use gridwalk_e2e::day::{self, process, world};
use gridwalk_harness::phone::Phone;
use gridwalk_model::Kind;

use crate::measure::{Figure, Printer, Result, timed};

const MIB: f64 = 1_048_576.0;

/// The day on the phone of a worker whom a real server has enrolled and given the checklist.
pub fn run(printer: &mut Printer) -> Result {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()?;
    let mut town = Town::start();
    town.office().publish(Kind::Checklist, &world::checklist())?;
    let (area, camera, folder) = (town.grid(0), town.path("camera"), town.phone_folder("day"));
    world::take_photos(&camera);
    runtime.block_on(async { town.phone("day", &[0]).await.close().await })?;
    town.stop();
    let mut command = Command::new(env::current_exe()?);
    command.arg("day-process");
    let ((acts, peak_kib), time) = timed(|| Ok(Life::begin(command, &folder, &camera, area).finish()))?;
    let (all, full) = runtime.block_on(async {
        let phone = Phone::open("day", &folder).await?;
        let sizes = sizes(&folder, phone.device()).await;
        phone.close().await?;
        Ok::<_, Box<dyn std::error::Error>>(sizes)
    })?;
    let of = format!(
        "{} doors, {} inspections, {} visits, {} events, {} photos",
        day::DOORS,
        day::INSPECTIONS,
        day::VISITS,
        day::EVENTS,
        day::PHOTOS
    );
    printer.print(&Figure {
        name: format!("device day of {of}: peak memory of the process"),
        n: acts,
        rss_mb: Some(peak_kib as f64 / 1_024.0),
        ms: Some(time),
        limit: Some("rss_mb <= 114.4 (120 MB)"),
        ..Figure::default()
    });
    for (what, bytes, limit) in [
        ("store without full photos", all.saturating_sub(full), Some("bytes <= 60000000 (60 MB)")),
        ("full photos in the store", full, None),
    ] {
        printer.print(&Figure {
            name: format!("device day: {what} ({:.1} MiB)", bytes as f64 / MIB),
            n: acts,
            bytes: Some(bytes as f64),
            limit,
            ..Figure::default()
        });
    }
    Ok(())
}

/// The process of the day.
pub fn process(arguments: &[String]) -> Result {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()?;
    runtime.block_on(process::run(arguments)).map_err(|error| error.to_string().into())
}
