//! Geography on real material: the areas of a district, its dwellings and places, and recorded walks.
//!
//! The material is not part of the repository; where it is absent the tests say so and prove nothing.

// Test code, but its helpers are outside `#[test]` functions, where clippy does not see that.
#![allow(clippy::unwrap_used, clippy::indexing_slicing)]

use std::collections::BTreeMap;
use std::fs;
use std::path::PathBuf;

use gridwalk_model::geo::boundary_report::{BoundaryReport, Finding};
use gridwalk_model::geo::track::DEFAULT_GAP_MS;
use gridwalk_model::geo::{
    AreaFile, AreaIndex, AreaShape, Datum, LatLon, Located, Path, PropertyNames, Severity, Tolerance,
    TrackFilter, TrackPoint, distance_m, read_areas, read_gpx,
};
use gridwalk_model::time::Timestamp;

#[path = "../../../tests/support/shared_data.rs"]
mod shared_data;
use shared_data::shared;

fn areas() -> Option<AreaFile> {
    let bytes = fs::read(shared("laoshan/areas.gcj02.geojson")?).unwrap();
    Some(read_areas(&bytes, Datum::Gcj02, &PropertyNames::default()).unwrap())
}

fn grids(file: &AreaFile) -> AreaIndex<String> {
    let grids = file.areas.iter().filter(|area| area.level == "grid");
    AreaIndex::new(grids.map(|area| (area.code.clone(), area.shape.clone())))
}

/// Grid code and WGS-84 point of each row of a ledger in GCJ-02. The files have no quoted fields.
fn ledger(name: &str) -> Option<Vec<(String, LatLon)>> {
    let text = fs::read_to_string(shared(name)?).unwrap();
    let mut lines = text.trim_start_matches('\u{feff}').lines();
    let headings: Vec<&str> = lines.next().unwrap().split(',').collect();
    let column = |heading| headings.iter().position(|found| *found == heading).unwrap();
    let (grid, lon, lat) = (column("网格编码"), column("经度"), column("纬度"));
    let row = |line: &str| {
        let fields: Vec<&str> = line.split(',').collect();
        assert_eq!(fields.len(), headings.len(), "{name}");
        let drawn = LatLon { lat: fields[lat].parse().unwrap(), lon: fields[lon].parse().unwrap() };
        (fields[grid].to_owned(), Datum::Gcj02.to_wgs84(drawn))
    };
    Some(lines.map(row).collect())
}

#[test]
fn every_dwelling_and_place_falls_into_the_grid_that_it_names() {
    let Some(file) = areas() else { return };
    let index = grids(&file);
    for name in ["laoshan/dwellings.csv", "laoshan/places.csv"] {
        let Some(rows) = ledger(name) else { continue };
        let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
        for (grid, point) in &rows {
            let outcome = match index.locate(*point) {
                Located::Inside(found) if found == *grid => "inside its grid",
                Located::Boundary(found) if found.contains(grid) => "on the boundary of its grid",
                Located::Inside(_) | Located::Boundary(_) => "in another grid",
                Located::Outside { .. } | Located::NoAreas => "in no grid",
            };
            *counts.entry(outcome).or_default() += 1;
        }
        eprintln!("{name}: {} rows, {counts:?}", rows.len());
        assert!(!rows.is_empty());
        let good = counts.get("inside its grid").copied().unwrap_or(0)
            + counts.get("on the boundary of its grid").copied().unwrap_or(0);
        assert_eq!(good, rows.len(), "{name}: {counts:?}");
    }
}

#[test]
fn a_wrong_datum_would_put_most_dwellings_into_another_grid() {
    let (Some(file), Some(rows)) = (areas(), ledger("laoshan/dwellings.csv")) else { return };
    let index = grids(&file);
    let wrong = rows
        .iter()
        .filter(|(grid, point)| index.locate(Datum::Gcj02.of_wgs84(*point)).area() != Some(grid))
        .count();
    eprintln!("with the datum mistaken, {wrong} of {} dwellings are not in their grid", rows.len());
    assert!(wrong * 2 > rows.len());
}

#[test]
fn the_boundary_report_finds_gaps_but_nothing_to_refuse() {
    let Some(file) = areas() else { return };
    let report = BoundaryReport::new(&file, &Tolerance::default());
    eprintln!("levels {:?}, {} pairs of neighbours compared", report.levels, report.pairs);
    for finding in &report.findings {
        eprintln!("{:?}: {finding} / {}", finding.severity(), finding.zh());
    }
    assert_eq!(file.problems, []);
    assert!(report.can_import());
    // What is left are gaps that the material really has: sums of areas in the file itself agree.
    let warnings = report.findings.iter().filter(|finding| finding.severity() == Severity::Warning);
    assert!(warnings.clone().all(|finding| matches!(finding, Finding::Gap { .. })), "{warnings:?}");
}

#[test]
fn the_real_outline_is_valid_and_holds_the_areas() {
    let (Some(file), Some(path)) = (areas(), shared("laoshan/boundary.gcj02.geojson")) else { return };
    let names = PropertyNames { code: "adcode".to_owned(), ..PropertyNames::default() };
    let outline = read_areas(&fs::read(path).unwrap(), Datum::Gcj02, &names).unwrap();
    assert_eq!(outline.problems, []);
    let district = &outline.areas[0].shape;
    eprintln!("outline: {} vertices, {:.1} km²", district.vertex_count(), district.area_m2() / 1e6);
    let streets: f64 =
        file.areas.iter().filter(|area| area.level == "street").map(|area| area.shape.area_m2()).sum();
    eprintln!("streets: {:.1} km²", streets / 1e6);
    for area in &file.areas {
        let out = gridwalk_model::geo::overlay::outside(&area.shape, district, &Tolerance::default());
        assert_eq!(out, [], "{}", area.code);
    }
}

#[test]
fn encoded_boundaries_are_small_and_the_same_to_the_centimetre() {
    let Some(file) = areas() else { return };
    let (mut bytes, mut vertices) = (0, 0);
    for area in &file.areas {
        let encoded = area.shape.to_bytes();
        let read = AreaShape::from_bytes(&encoded).unwrap();
        assert!((read.area_m2() - area.shape.area_m2()).abs() < 1e-4 * area.shape.area_m2());
        let points = |shape: &AreaShape| shape.to_rings().into_iter().flatten().flatten().collect::<Vec<_>>();
        for (a, b) in points(&area.shape).iter().zip(points(&read)) {
            assert!(distance_m(*a, b) < 0.01);
        }
        bytes += encoded.len();
        vertices += area.shape.vertex_count();
    }
    eprintln!("{} boundaries: {vertices} vertices in {bytes} bytes", file.areas.len());
}

#[test]
fn recorded_walks_are_read_filtered_simplified_and_encoded() {
    let Some(folder) = shared("tracks") else { return };
    let mut names: Vec<PathBuf> = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    names.sort();
    let mut seen = 0;
    for name in names.iter().filter(|name| name.extension().is_some_and(|ending| ending == "gpx")) {
        let file = read_gpx(&fs::read(name).unwrap()).unwrap();
        assert!(!file.tracks.is_empty(), "{}", name.display());
        seen += 1;
        for track in &file.tracks {
            let all = track.points().count();
            let timed = track.timed_fixes();
            let timed_points: Vec<TrackPoint> = timed.iter().copied().map(TrackPoint::bare).collect();
            let filtered = TrackFilter::default().apply(&timed_points);
            let path = if filtered.kept.len() * 2 > all {
                filtered.path(DEFAULT_GAP_MS)
            } else {
                Path::new(&track.paced_fixes(Timestamp::from_millis(0), 1.2), DEFAULT_GAP_MS)
            };
            let thin = path.simplify(5.0);
            let encoded = thin.to_bytes();
            let read = Path::from_bytes(&encoded).unwrap();
            eprintln!(
                "{}: {all} points, {} with times (kept {}, too fast {}, same time {}), {} skipped; {} gaps, \
                 {:.0} m, walked {:.0} m; simplified to {} points, {} bytes, {:.0} m",
                name.file_name().unwrap().display(),
                timed.len(),
                filtered.kept.len(),
                filtered.too_fast,
                filtered.same_time,
                file.skipped_points,
                path.gaps().len(),
                path.length_m(),
                path.walked_m(5.0),
                thin.fixes().count(),
                encoded.len(),
                thin.length_m(),
            );
            assert!(all > 0 && thin.fixes().count() <= path.fixes().count());
            assert_eq!(read.gaps().len(), path.gaps().len());
            assert_eq!(read.fixes().count(), thin.fixes().count());
            for (a, b) in thin.fixes().zip(read.fixes()) {
                assert!(distance_m(a.point, b.point) < 0.15);
                assert_eq!(a.at.millis().div_euclid(1000), b.at.millis().div_euclid(1000));
            }
            let passed: Vec<LatLon> = path.fixes().map(|fix| fix.point).collect();
            assert!(read.reached(&passed, 30.0).into_iter().all(|reached| reached));
        }
    }
    assert!(seen > 0);
}
