//! The demo on given districts of other shapes than its own: few grids, another datum, nobody in the ledger. And a
//! day that must not pass for a clean one.

use std::error::Error;
use std::path::Path;
use std::process::Command;

use gridwalk_harness::district::{District, Plan};
use gridwalk_model::geo::Datum;
use serde_json::Value;

/// Plays the demo on a district and reads its last line.
fn play(district: &District, folder: &Path, more: &[&str]) -> Result<(bool, Value), Box<dyn Error>> {
    let files = district.write(folder)?;
    let output = Command::new(env!("CARGO_BIN_EXE_gridwalk-demo"))
        .args(["--once", "--json", "--lang", "en", "--areas"])
        .arg(&files.areas)
        .arg("--ledger")
        .arg(&files.ledger)
        .args(more)
        .output()?;
    let stdout = String::from_utf8_lossy(&output.stdout);
    let last = serde_json::from_str(stdout.lines().next_back().unwrap_or_default())
        .map_err(|error| format!("{error}\n{stdout}\n{}", String::from_utf8_lossy(&output.stderr)))?;
    Ok((output.status.success(), last))
}

#[test]
fn all_phones_in_two_small_grids() {
    let folder = tempfile::tempdir().unwrap();
    let plan = Plan { datum: Datum::Bd09, ..Plan::small(11) };
    let (clean, last) = play(&District::make(plan), folder.path(), &[]).unwrap();
    assert!(clean, "{last}");
    for (name, count) in [("phones", 8), ("pending", 0), ("lost", 0), ("diverged", 0), ("refused_files", 5)] {
        assert_eq!(last[name], count, "{last}");
    }
    assert!(last["photos"].as_u64() > Some(10) && last["conflicts"].as_u64() >= Some(2), "{last}");
}

#[test]
fn one_grid_without_residents_or_places() {
    let folder = tempfile::tempdir().unwrap();
    let plan = Plan { ledger_grids: 1, places: 0, ..Plan::small(12) };
    let mut district = District::make(plan);
    district.ledger.residents.clear();
    let (clean, last) = play(&district, folder.path(), &[]).unwrap();
    assert!(clean, "{last}");
}

#[test]
fn an_edit_that_never_leaves_its_phone_is_found() {
    let folder = tempfile::tempdir().unwrap();
    let (clean, last) = play(&District::make(Plan::small(13)), folder.path(), &["--plant-unsent"]).unwrap();
    assert!(!clean, "{last}");
    for (name, count) in [("pending", 1), ("lost", 1), ("diverged", 1)] {
        assert_eq!(last[name], count, "{last}");
    }
}
