//! The demo on given districts of other shapes than its own: few grids, another datum, nobody in the ledger.

use std::error::Error;
use std::path::Path;
use std::process::Command;

use gridwalk_harness::district::{District, Plan};
use gridwalk_model::geo::Datum;
use serde_json::Value;

/// Plays the demo on a district and reads its last line.
fn play(district: &District, folder: &Path) -> Result<Value, Box<dyn Error>> {
    let files = district.write(folder)?;
    let output = Command::new(env!("CARGO_BIN_EXE_gridwalk-demo"))
        .args(["--once", "--json", "--lang", "en", "--areas"])
        .arg(&files.areas)
        .arg("--ledger")
        .arg(&files.ledger)
        .output()?;
    let stdout = String::from_utf8_lossy(&output.stdout);
    if !output.status.success() {
        return Err(format!("{stdout}\n{}", String::from_utf8_lossy(&output.stderr)).into());
    }
    Ok(serde_json::from_str(stdout.lines().next_back().unwrap_or_default())?)
}

#[test]
fn all_phones_in_two_small_grids() {
    let folder = tempfile::tempdir().unwrap();
    let plan = Plan { datum: Datum::Bd09, ..Plan::small(11) };
    let last = play(&District::make(plan), folder.path()).unwrap();
    assert_eq!(
        (&last["phones"], &last["pending"], &last["lost"], &last["diverged"]),
        (&8.into(), &0.into(), &0.into(), &0.into())
    );
    assert!(last["photos"].as_u64() > Some(10) && last["conflicts"].as_u64() >= Some(2), "{last}");
}

#[test]
fn one_grid_without_residents_or_places() {
    let folder = tempfile::tempdir().unwrap();
    let plan = Plan { ledger_grids: 1, places: 0, ..Plan::small(12) };
    let mut district = District::make(plan);
    district.ledger.residents.clear();
    let last = play(&district, folder.path()).unwrap();
    assert_eq!((&last["pending"], &last["lost"], &last["diverged"]), (&0.into(), &0.into(), &0.into()));
}
