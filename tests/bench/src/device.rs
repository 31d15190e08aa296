//! The phone's store: opening, saving, searching, pulling a grid, and what encryption costs.

use std::path::Path;

use gridwalk_device::keys::DataKey;
use gridwalk_device::{Encryption, SeededEntropy, Store, StoreConfig};
use gridwalk_harness::seeded::Seeded;
use gridwalk_model::{DeviceId, Fields, Kind, RecordId, Value};

use crate::day;
use crate::measure::{Figure, Printer, Result, fsync_p50_us, median, memory_mb, timed};
use crate::pause;
use crate::pull::{self, NOW, Served};
use crate::room;
use crate::today;

const AREA: RecordId = RecordId::from_bytes([0xa1; 16]);
const USER: RecordId = RecordId::from_bytes([0xb2; 16]);
/// A gridworker's whole grid.
const GRID: usize = 2_000;

pub fn run(printer: &mut Printer, residents: usize, large: usize) -> Result {
    let folder = tempfile::tempdir()?;
    let fsync = fsync_p50_us(folder.path())?;
    let records = pull::grid(AREA, GRID, 1);
    pull::check_shapes(&records)?;
    let served = Served::new(AREA, &records)?;
    let (mut plain, mut sealed) = (Vec::new(), Vec::new());
    for round in 0..5 {
        plain.push(first_pull(&served, &folder.path().join(format!("plain{round}")), Encryption::None)?);
        sealed.push(first_pull(&served, &folder.path().join(format!("sealed{round}")), key()?)?);
    }
    let ratios = plain.iter().zip(&sealed).map(|(plain, sealed)| sealed / plain).collect();
    let pull = median(sealed);
    printer.print(&Figure {
        name: "device first pull of a grid, applied and searchable".into(),
        n: GRID,
        rate: Some(GRID as f64 * 1_000.0 / pull),
        ms: Some(pull),
        fsync_p50_us: Some(fsync),
        rss_mb: memory_mb("self", "VmHWM"),
        ..Figure::default()
    });
    printer.print(&Figure {
        name: "device encrypted / plain, time of first pull (ratio in `rate`)".into(),
        n: 5,
        rate: Some(median(ratios)),
        ..Figure::default()
    });
    saves(printer, folder.path(), fsync)?;
    today::run(printer, folder.path(), |folder| open(folder, key()?))?;
    room::run(printer, folder.path(), |folder| open(folder, key()?))?;
    day::run(printer)?;
    pause::run(printer, fsync)?;
    search(printer, &folder.path().join("search"), residents)?;
    if large > 0 { search(printer, &folder.path().join("large"), large) } else { Ok(()) }
}

fn key() -> Result<Encryption> {
    Ok(Encryption::Key(DataKey::from_slice(&[0x5a; 32]).ok_or("a data key has 32 bytes")?))
}

fn open(folder: &Path, encryption: Encryption) -> Result<Store> {
    let mut store = Store::open(StoreConfig::folder(folder, encryption), Box::new(SeededEntropy::new(1)))?;
    if store.identity().is_none() {
        store.enrol(DeviceId::from_bytes([1; 12]), USER, "测试员（虚构）", "虚构区")?;
    }
    Ok(store)
}

/// Milliseconds from the first request to a grid that can be searched.
fn first_pull(served: &Served, folder: &Path, encryption: Encryption) -> Result<f64> {
    let mut store = open(folder, encryption)?;
    let (requests, time) = timed(|| served.pull_into(&mut store))?;
    let found = store.search("样例家园", &[Kind::Dwelling], None, 10)?;
    if found.hits.len() != 10 || requests > 4 {
        return Err("the pull did not arrive as it should".into());
    }
    Ok(time)
}

/// Opening a store of 10,000 records, and saving one edit in it.
fn saves(printer: &mut Printer, folder: &Path, fsync: f64) -> Result {
    let folder = folder.join("ten-thousand");
    let records = pull::grid(AREA, 10_000, 2);
    let mut store = open(&folder, key()?)?;
    Served::new(AREA, &records)?.pull_into(&mut store)?;
    drop(store);
    let mut times = Vec::new();
    for _ in 0..7 {
        let (store, time) = timed(|| open(&folder, key()?))?;
        times.push(time);
        drop(store);
    }
    printer.print(&Figure {
        name: "device open of a store of 10,000 records".into(),
        n: 7,
        ms: Some(median(times)),
        ..Figure::default()
    });
    let mut store = open(&folder, key()?)?;
    let residents: Vec<RecordId> =
        records.iter().filter(|(_, kind, _)| *kind == Kind::Resident).map(|(id, ..)| *id).take(200).collect();
    let mut times = Vec::new();
    for (n, id) in residents.iter().enumerate() {
        let patch = Fields::from([("workplace".to_owned(), Value::from(format!("样例工厂{n}")))]);
        let (changed, time) = timed(|| Ok(store.edit(*id, &patch, NOW)?))?;
        if !changed {
            return Err("the edit changed nothing".into());
        }
        times.push(time);
    }
    let save = median(times);
    printer.print(&Figure {
        name: "device save of one edit, beyond the disk's sync".into(),
        n: residents.len(),
        ms: Some(save - fsync / 1_000.0),
        fsync_p50_us: Some(fsync),
        ..Figure::default()
    });
    Ok(())
}

/// What the index of a search takes beside what it finds.
fn index_size(printer: &mut Printer, store: &Store, residents: usize) -> Result {
    let size = store.search_size()?;
    let per = |bytes: u64| Some(bytes as f64 / residents.max(1) as f64);
    for (what, bytes) in [
        ("index", size.index),
        ("texts that are searched", size.searched),
        ("all texts of those records", size.texts),
        ("all texts in the store", size.stored),
    ] {
        let name = format!("device search of {residents} residents: {what}, bytes of one");
        printer.print(&Figure { name, n: residents, bytes: per(bytes), ..Figure::default() });
    }
    let over = |bytes: u64| Some(size.index as f64 / bytes.max(1) as f64);
    for (what, ratio, limit) in [
        (
            "texts of the records that it finds",
            over(size.texts),
            Some("rate <= 1.2: what the limit is about"),
        ),
        ("all texts in the store", over(size.stored), None),
        ("the texts that are searched alone", over(size.searched), None),
    ] {
        let name = format!("device search of {residents} residents: index / {what} (ratio in `rate`)");
        printer.print(&Figure { name, n: residents, rate: ratio, limit, ..Figure::default() });
    }
    Ok(())
}

/// What a search may take among so many.
const fn search_limit(residents: usize) -> Option<&'static str> {
    match residents {
        100_000 => Some("ms <= 20"),
        1_000_000 => Some("ms <= 100"),
        _ => None,
    }
}

/// Searches among many residents, each once with a cold statement cache, then the median of all.
fn search(printer: &mut Printer, folder: &Path, residents: usize) -> Result {
    let mut store = open(folder, key()?)?;
    let mut people = Seeded::new(3);
    let mut left = residents;
    while left > 0 {
        let batch = left.min(2_000);
        store.edits(NOW, |edits| {
            for _ in 0..batch {
                edits.create_fields(Kind::Resident, &pull::resident(&mut people))?;
            }
            Ok(())
        })?;
        left -= batch;
    }
    index_size(printer, &store, residents)?;
    for (what, query) in [
        ("two-character name", "王伟"),
        ("surname", "王"),
        ("three-character name", "李芳静"),
        ("last four digits of a phone", "0428"),
        ("first seven digits of a phone", "1990001"),
        ("whole phone", "19900010428"),
        ("name that nobody has", "欧阳锋"),
        ("name in full pinyin", "lifangjing"),
        ("initials", "lfj"),
        ("initials and pinyin", "lfangj"),
        ("surname in pinyin", "wang"),
        ("name with one wrong character", "李纺静"),
        ("name with one wrong letter", "lifangjinh"),
        ("name and digits", "李芳静 0428"),
    ] {
        let mut times = Vec::new();
        let mut hits = 0;
        for _ in 0..9 {
            let (page, time) = timed(|| Ok(store.search(query, &[], None, 50)?))?;
            hits = page.hits.len();
            times.push(time);
        }
        printer.print(&Figure {
            name: format!("device search of {residents} residents: {what} ({hits} on the first page)"),
            n: 9,
            ms: Some(median(times)),
            limit: search_limit(residents),
            ..Figure::default()
        });
    }
    Ok(())
}
