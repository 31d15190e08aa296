//! Making room within the storage budget: photos that can be fetched again go, the oldest first.

use std::path::Path;

use gridwalk_device::Store;
use gridwalk_device::keeping::{KeepingLimits, PhoneState};
use gridwalk_harness::seeded::Seeded;
use gridwalk_model::ContentHash;

use crate::measure::{Figure, Printer, Result, median, timed};
use crate::pull::NOW;

const PHOTOS: usize = 3_000;
/// A stamped photo of 1920 pixels, roughly.
const PHOTO_BYTES: usize = 100_000;
/// Each round asks for a quarter of what is there.
const ROUNDS: u64 = 3;

pub fn run(printer: &mut Printer, folder: &Path, open: impl Fn(&Path) -> Result<Store>) -> Result {
    let mut store = open(&folder.join("room"))?;
    let mut noise = Seeded::new(12);
    let mut photo = vec![0; PHOTO_BYTES];
    noise.fill(&mut photo);
    let ((), filling) = timed(|| {
        for n in 0..PHOTOS {
            // Only the store's cost is to be measured: the bytes differ, the names are made up.
            let mut name = [0; 32];
            for (place, byte) in name.iter_mut().zip((n as u64).to_be_bytes()) {
                *place = byte;
            }
            photo.rotate_right(1);
            store.keep_fetched(&ContentHash::from_bytes(name), &photo, NOW.plus_millis(n as i64))?;
        }
        Ok(())
    })?;
    printer.print(&Figure {
        name: "device keeping one fetched photo of 100 KB".into(),
        n: PHOTOS,
        ms: Some(filling / PHOTOS as f64),
        ..Figure::default()
    });
    let now = NOW.plus_millis(PHOTOS as i64);
    let kept = store.keep_house(&KeepingLimits::default(), &PhoneState::default(), now)?;
    // Storing makes room by itself already.
    if kept.over > 0 {
        return Err(format!("{} bytes too many stayed", kept.over).into());
    }
    printer.print(&Figure {
        name: format!("device store after {PHOTOS} fetched photos of 100 KB and its house-keeping"),
        n: PHOTOS,
        bytes: Some(kept.bytes as f64),
        limit: Some("bytes <= 250000000 (250 MB)"),
        ..Figure::default()
    });
    let whole = kept.bytes;
    let (mut times, mut gone) = (Vec::new(), 0);
    for round in 1..=ROUNDS {
        let limits =
            KeepingLimits { budget_bytes: whole - round * whole / (ROUNDS + 1), ..KeepingLimits::default() };
        let (kept, time) = timed(|| Ok(store.keep_house(&limits, &PhoneState::default(), now)?))?;
        if kept.evicted == 0 || kept.over > 0 {
            return Err(format!("{} photos went, {} bytes too many stayed", kept.evicted, kept.over).into());
        }
        gone += kept.evicted;
        times.push(time);
    }
    printer.print(&Figure {
        name: format!(
            "device making room: a quarter of {} MB of photos goes ({gone} in all)",
            whole / 1_000_000
        ),
        n: times.len(),
        ms: Some(median(times)),
        ..Figure::default()
    });
    Ok(())
}
