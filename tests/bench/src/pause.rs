//! How long a phone takes to stop in the middle of a synchronisation, so that the system may suspend the app.

use gridwalk_e2e::Town;
use gridwalk_model::{Fields, Kind, Value};

use crate::measure::{Figure, Printer, Result, Stopwatch, median};

/// Records that wait to be sent.
const RECORDS: usize = 10_000;
/// In one edit so many.
const PART: usize = 500;

pub fn run(printer: &mut Printer, fsync: f64) -> Result {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()?;
    let mut times = runtime.block_on(measure())?;
    times.sort_by(f64::total_cmp);
    let figure = |what: &str, ms: Option<f64>| Figure {
        name: format!("device pause while {RECORDS} records are sent, {what}"),
        n: times.len(),
        ms,
        fsync_p50_us: Some(fsync),
        limit: Some("ms <= 2000"),
        ..Figure::default()
    };
    printer.print(&figure("median", Some(median(times.clone()))));
    printer.print(&figure("longest", times.last().copied()));
    Ok(())
}

/// Milliseconds of each pause: one whenever the status changes until all has arrived.
async fn measure() -> Result<Vec<f64>> {
    let town = Town::start();
    let phone = town.phone("pausing", &[0]).await;
    let device = phone.device();
    let area = town.grid(0);
    phone.set_online(false)?;
    for part in 0..RECORDS / PART {
        let rooms = part * PART..(part + 1) * PART;
        device
            .edits(move |edits| {
                for room in rooms {
                    let fields = Fields::from([
                        ("area".to_owned(), Value::from(area)),
                        ("address".to_owned(), Value::from(format!("虚构路1号{room}室"))),
                    ]);
                    edits.create_fields(Kind::Dwelling, &fields)?;
                }
                Ok(())
            })
            .await?;
    }
    let mut watching = device.watch_status();
    watching.mark_unchanged();
    phone.set_online(true)?;
    let mut times = Vec::new();
    loop {
        watching.changed().await?;
        if watching.borrow_and_update().totals.changes.count == 0 {
            break;
        }
        let watch = Stopwatch::start();
        device.pause().await?;
        times.push(watch.ms());
        device.resume().await?;
    }
    phone.close().await?;
    if times.is_empty() { Err("all was sent before a pause".into()) } else { Ok(times) }
}
