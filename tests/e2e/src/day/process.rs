//! What the process of the day does: `FOLDER CAMERA AREA` opens the store of an enrolled phone, fills it if it is empty,
//! and does what of the day is not done. After each act it says so on its standard output and waits for a line on its
//! standard input; at the end it says `evening`.

use std::io::Write as _;
use std::path::Path;
use std::sync::Arc;

use gridwalk_device::Device;
use gridwalk_device::device::DeviceOptions;
use gridwalk_harness::clock::ManualClock;
use gridwalk_model::Timestamp;
use gridwalk_model::records::Dwelling;

use super::work::{Failed, Worker};
use super::world;

/// Does the day, or the rest of it.
///
/// # Errors
/// Arguments that are none, those of the store, and nobody who says to go on.
pub async fn run(arguments: &[String]) -> Result<(), Failed> {
    let [folder, camera, area] = arguments else { return Err("FOLDER CAMERA AREA".into()) };
    let area = area.parse().map_err(|_| "AREA is no id")?;
    let clock = ManualClock::at(Timestamp::from_millis(1_779_900_000_000));
    let options = DeviceOptions { clock: Arc::new(clock.clone()), ..DeviceOptions::host(folder) };
    let device = Device::open(options).await?;
    device.set_network(false, false)?;
    if device.list::<Dwelling>(None, 1).await?.entries.is_empty() {
        world::fill(&device, area).await?;
    }
    let mut done = |what: &str| say(what);
    Worker::new(&device, &clock, Path::new(camera), area, &mut done).await?.day().await?;
    say("evening")?;
    device.close().await?;
    Ok(())
}

/// Says what is done, and waits to be told to go on.
fn say(what: &str) -> Result<(), Failed> {
    let mut out = std::io::stdout().lock();
    writeln!(out, "{what}")?;
    out.flush()?;
    let mut line = String::new();
    if std::io::stdin().read_line(&mut line)? == 0 { Err("nobody says to go on".into()) } else { Ok(()) }
}
