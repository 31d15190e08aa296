//! What the day is played on: files of a made-up district, or given ones of any district of the same shape.

use std::fs;
use std::path::{Path, PathBuf};

use gridwalk_harness::district::{District, Plan};
use gridwalk_harness::seeded::Seeded;
use gridwalk_harness::{photos, tracks};
use gridwalk_model::Timestamp;
use gridwalk_model::geo::{Datum, LatLon};

use crate::args::Args;
use crate::error::{DemoError, Played};

/// Sound photos of a made-up day; damaged ones come on top.
const MADE_UP_PHOTOS: usize = 12;
/// Length of a made-up patrol.
const PATROL_M: f64 = 1_800.0;

/// Files and folders of the day.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Input {
    /// GeoJSON of streets, communities and grids.
    pub areas: PathBuf,
    /// Datum of the areas and of the ledger.
    pub datum: Datum,
    /// Folder of the ledger.
    pub ledger: PathBuf,
    /// Photos, in the order of their names, damaged ones included.
    pub photos: Vec<PathBuf>,
    /// GPX tracks, in the order of their names.
    pub tracks: Vec<PathBuf>,
    /// Whether the district is made up.
    pub made_up: bool,
}

impl Input {
    /// Takes what was given and makes up the rest in `folder`.
    ///
    /// # Errors
    /// Files that cannot be read or written.
    pub fn prepare(args: &Args, folder: &Path) -> Played<Self> {
        let (made_photos, made_tracks) = (folder.join("photos"), folder.join("tracks"));
        let (areas, datum, ledger) = match (&args.areas, &args.ledger) {
            (Some(areas), Some(ledger)) => (areas.clone(), args.datum_of_areas(), ledger.clone()),
            _ => {
                let plan = Plan::playable(args.seed);
                let district = District::make(plan);
                let files = district.write(&folder.join("district"))?;
                if args.tracks.is_none() {
                    write_tracks(&district, &made_tracks)?;
                }
                (files.areas, plan.datum, files.ledger)
            }
        };
        if args.photos.is_none() {
            // Given districts have no made-up positions to go with made-up photos.
            let around: &[LatLon] =
                if args.areas.is_none() { &[LatLon { lat: 35.201, lon: 122.402 }] } else { &[] };
            photos::write_folder(&made_photos, args.seed, MADE_UP_PHOTOS, around)?;
        }
        Ok(Self {
            areas,
            datum,
            ledger,
            photos: files_in(args.photos.as_deref().unwrap_or(&made_photos), None)?,
            tracks: files_in(args.tracks.as_deref().unwrap_or(&made_tracks), Some("gpx"))?,
            made_up: args.areas.is_none(),
        })
    }
}

/// Three workers' rounds.
fn write_tracks(district: &District, folder: &Path) -> Played<()> {
    // Any morning will do; the demo replays tracks at its own time.
    let start = Timestamp::from_millis(1_773_622_800_000);
    for grid in district.grids().take(3) {
        let mut seeded = Seeded::for_subject(district.plan.seed, &grid.code);
        let points = tracks::walk(&mut seeded, &grid.code, &grid.ring, PATROL_M, start)?;
        tracks::write_gpx(folder, &format!("虚构巡查-{}", grid.code), &points)?;
    }
    Ok(())
}

/// Plain files in the order of their names. A made-up folder that was not needed is empty.
fn files_in(folder: &Path, ending: Option<&str>) -> Played<Vec<PathBuf>> {
    if !folder.exists() {
        return Ok(Vec::new());
    }
    let failed = |source| DemoError::Io { what: folder.display().to_string(), source };
    let mut files = Vec::new();
    for entry in fs::read_dir(folder).map_err(failed)? {
        let path = entry.map_err(failed)?.path();
        let fits = ending.is_none_or(|ending| {
            path.extension().is_some_and(|found| found.to_string_lossy().eq_ignore_ascii_case(ending))
        });
        let hidden = path.file_name().is_some_and(|name| name.to_string_lossy().starts_with('.'));
        if fits && !hidden && path.is_file() {
            files.push(path);
        }
    }
    files.sort();
    Ok(files)
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;

    #[test]
    fn without_data_everything_is_made_up() {
        let folder = tempfile::tempdir().unwrap();
        let input = Input::prepare(&Args::parse_from(["gridwalk-demo"]), folder.path()).unwrap();
        assert!(input.made_up && input.areas.exists() && input.ledger.join("dwellings.csv").exists());
        assert_eq!(input.photos.len(), MADE_UP_PHOTOS + photos::Damage::ALL.len());
        assert_eq!(input.tracks.len(), 3);
        assert_eq!(input.datum, Datum::Gcj02);
    }

    #[test]
    fn given_files_are_taken_as_they_are() {
        let folder = tempfile::tempdir().unwrap();
        let given = folder.path().join("given");
        let files = District::make(Plan::small(1)).write(&given).unwrap();
        fs::write(given.join("a.jpg"), b"x").unwrap();
        fs::write(given.join("b.gpx"), b"x").unwrap();
        let text = |path: &Path| path.display().to_string();
        let args = Args::parse_from([
            "gridwalk-demo",
            "--areas",
            &text(&files.areas),
            "--ledger",
            &text(&given),
            "--tracks",
            &text(&given),
        ]);
        let input = Input::prepare(&args, folder.path()).unwrap();
        assert!(!input.made_up);
        assert_eq!((input.areas, input.datum), (files.areas, Datum::Wgs84));
        assert_eq!(input.tracks, [given.join("b.gpx")]);
        assert_eq!(input.photos.len(), MADE_UP_PHOTOS + photos::Damage::ALL.len());
    }
}
