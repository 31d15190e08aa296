//! The demo on given districts of other shapes than its own: few grids, another datum, nobody in the ledger. And a
//! day that must not pass for a clean one.

use std::error::Error;
use std::path::Path;
use std::process::Command;

use gridwalk_harness::district::{District, Plan};
use gridwalk_harness::seeded::Seeded;
use gridwalk_harness::tracks::{walk, write_gpx};
use gridwalk_model::Timestamp;
use gridwalk_model::geo::Datum;
use serde_json::Value;

/// A day that was played.
struct Played {
    /// Whether it ended well.
    clean: bool,
    /// Its last line.
    last: Value,
    /// All that was said.
    said: String,
}

/// Plays the demo on a district and reads its last line.
fn play(district: &District, folder: &Path, more: &[&str]) -> Result<Played, Box<dyn Error>> {
    let files = district.write(folder)?;
    let output = Command::new(env!("CARGO_BIN_EXE_gridwalk-demo"))
        .args(["--once", "--json", "--lang", "en", "--areas"])
        .arg(&files.areas)
        .arg("--ledger")
        .arg(&files.ledger)
        .args(more)
        .output()?;
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    let last = serde_json::from_str(said.lines().next_back().unwrap_or_default())
        .map_err(|error| format!("{error}\n{said}\n{}", String::from_utf8_lossy(&output.stderr)))?;
    Ok(Played { clean: output.status.success(), last, said })
}

#[test]
fn all_phones_in_two_small_grids() {
    let folder = tempfile::tempdir().unwrap();
    let plan = Plan { datum: Datum::Bd09, ..Plan::small(11) };
    let district = District::make(plan);
    let tracks = folder.path().join("tracks");
    let grid = district.grids().next().unwrap();
    let points = walk(&mut Seeded::new(11), &grid.code, &grid.ring, 600.0, Timestamp::default()).unwrap();
    write_gpx(&tracks, &format!("虚构-{}", grid.code), &points).unwrap();
    let more = ["--tracks", tracks.to_str().unwrap()];
    let Played { clean, last, .. } = play(&district, folder.path(), &more).unwrap();
    assert!(clean, "{last}");
    for (name, count) in [("phones", 8), ("pending", 0), ("lost", 0), ("diverged", 0), ("refused_files", 5)] {
        assert_eq!(last[name], count, "{last}");
    }
    assert!(last["photos"].as_u64() > Some(10) && last["conflicts"].as_u64() >= Some(2), "{last}");
    for name in ["doors", "visits", "events"] {
        assert!(last[name].as_u64() >= Some(8), "{name}: {last}");
    }
    for (name, count) in [("inspections", 2), ("patrols", 1), ("tracks", 1)] {
        assert_eq!(last[name], count, "{name}: {last}");
    }
}

#[test]
fn one_grid_without_residents_places_or_photos() {
    let folder = tempfile::tempdir().unwrap();
    let plan = Plan { ledger_grids: 1, places: 0, ..Plan::small(12) };
    let mut district = District::make(plan);
    district.ledger.residents.clear();
    let empty = folder.path().join("empty");
    std::fs::create_dir(&empty).unwrap();
    let empty = empty.to_str().unwrap();
    let more = ["--photos", empty, "--tracks", empty];
    let Played { clean, last, .. } = play(&district, folder.path(), &more).unwrap();
    assert!(clean, "{last}");
    assert_eq!((&last["refused_files"], &last["tracks"]), (&Value::from(0), &Value::from(0)), "{last}");
    assert!(last["inspections"].as_u64() >= Some(1) && last["events"].as_u64() >= Some(8), "{last}");
}

#[test]
fn a_hamlet_of_three_doors() {
    let folder = tempfile::tempdir().unwrap();
    let plan = Plan { ledger_grids: 1, dwellings: 3, places: 1, ..Plan::small(14) };
    let Played { clean, last, .. } = play(&District::make(plan), folder.path(), &[]).unwrap();
    assert!(clean, "{last}");
}

#[test]
fn work_of_any_kind_that_never_leaves_its_phone_is_found() {
    let folder = tempfile::tempdir().unwrap();
    let Played { clean, last, said } =
        play(&District::make(Plan::small(13)), folder.path(), &["--plant-unsent"]).unwrap();
    assert!(!clean, "{last}");
    for name in ["pending", "lost", "diverged"] {
        assert!(last[name].as_u64() > Some(0), "{name}: {last}");
    }
    for kind in ["a record that was there before", "Verification", "Visit", "Inspection", "Patrol"] {
        assert!(said.contains(&format!("Lost: {kind}, ")), "{kind}\n{said}");
    }
    assert!(said.contains("previews and tracks the server lacks 2."), "the track is missing\n{said}");
}
