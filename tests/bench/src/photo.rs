//! From camera file to stamped picture, preview and hashes, on one core.

use std::process::Command;

use gridwalk_evidence::{
    Limits, PhotoSource, StampDatum, StampFacts, StampFont, StampPlace, StampTime, prepare,
};
use gridwalk_harness::scene::Hazard;
use gridwalk_harness::seeded::Seeded;

use crate::measure::{Figure, Printer, Result, median, memory_mb, timed};

const ROUNDS: usize = 7;

pub fn run(printer: &mut Printer) -> Result {
    let folder = tempfile::tempdir()?;
    let source = folder.path().join("twelve.jpg");
    std::fs::write(
        &source,
        gridwalk_harness::photos::jpeg(&mut Seeded::new(1), (4_000, 3_000), Hazard::ALL[0], None)?,
    )?;
    let original = std::fs::read(&source)?;
    let font = gridwalk_evidence::system_font_candidates()
        .iter()
        .find_map(|path| std::fs::read(path).ok())
        .and_then(|bytes| StampFont::from_vec(bytes).ok());
    if font.is_none() {
        eprintln!("no CJK font on this system: the stamp is measured without one");
    }
    let facts = facts();
    let mut times = Vec::new();
    for _ in 0..ROUNDS {
        let (photo, time) = timed(|| Ok(prepare(&original, &facts, font.as_ref(), &Limits::default())?))?;
        times.push(time);
        std::hint::black_box(photo);
    }
    printer.print(&Figure {
        name: "photo 12 MP to stamped 1920 + preview + hashes".into(),
        n: ROUNDS,
        ms: Some(median(times)),
        bytes: Some(original.len() as f64),
        rss_mb: memory_mb("self", "VmHWM"),
        ..Figure::default()
    });
    beside_vips(printer, &source, folder.path())
}

/// The same file through libvips' thumbnailer, as a yardstick measured in the same run: downscaling alone, without
/// stamp, preview and hashes.
fn beside_vips(printer: &mut Printer, source: &std::path::Path, folder: &std::path::Path) -> Result {
    let out = folder.join("vips.jpg");
    let mut times = Vec::new();
    for _ in 0..ROUNDS {
        let run = timed(|| {
            Ok(Command::new("vipsthumbnail")
                .env("VIPS_CONCURRENCY", "1")
                .args(["--size", "1920x1920", "-o"])
                .arg(format!("{}[Q=82,strip]", out.display()))
                .arg(source)
                .status()?)
        });
        match run {
            Ok((status, time)) if status.success() => times.push(time),
            _ => {
                eprintln!("vipsthumbnail is not here (Debian: libvips-tools): no yardstick");
                return Ok(());
            }
        }
    }
    printer.print(&Figure {
        name: "vipsthumbnail to 1920 (whole process)".into(),
        n: ROUNDS,
        ms: Some(median(times)),
        ..Figure::default()
    });
    Ok(())
}

fn facts() -> StampFacts {
    StampFacts {
        time: StampTime { unix_ms: 1_790_000_000_000, utc_offset_minutes: 480 },
        place: Some(StampPlace {
            lat: 36.102_569,
            lon: 120.467_393,
            datum: StampDatum::Wgs84,
            accuracy_m: Some(8.0),
        }),
        grid_name: Some("虚构街道样例社区第1网格".into()),
        grid_code: None,
        worker_code: "W001".into(),
        event_number: None,
        photo_id: None,
        source: PhotoSource::Camera,
    }
}
