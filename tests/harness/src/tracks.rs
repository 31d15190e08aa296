//! Made-up walks through a grid, as GPX files.

use std::fmt::Write as _;
use std::fs;
use std::path::Path;

use gridwalk_model::Timestamp;
use gridwalk_model::geo::{AreaShape, Datum, LatLon, Side, distance_m};

use crate::error::HarnessError;
use crate::seeded::Seeded;

/// Seconds between two points.
const INTERVAL_S: i64 = 10;
/// Metres walked between two points: 4 km/h.
const STEP_M: f64 = 11.0;

/// A point of a walk, in WGS-84.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct WalkPoint {
    /// Where.
    pub point: LatLon,
    /// When.
    pub at: Timestamp,
}

/// Walks from corner to corner of an area for about `metres`, never leaving it.
///
/// # Errors
/// [`HarnessError::Outline`] if the ring is no area.
pub fn walk(
    seeded: &mut Seeded,
    code: &str,
    ring: &[LatLon],
    metres: f64,
    start: Timestamp,
) -> Result<Vec<WalkPoint>, HarnessError> {
    let shape = AreaShape::new(&[vec![ring.to_vec()]], Datum::Wgs84)
        .map_err(|_| HarnessError::Outline { code: code.to_owned() })?;
    let mut here = shape.bbox().center();
    let mut goal = here;
    let mut points = Vec::new();
    let steps = (metres / STEP_M) as i64;
    for step in 0..=steps {
        points.push(WalkPoint { point: here, at: start.plus_millis(step * INTERVAL_S * 1_000) });
        if distance_m(here, goal) < STEP_M {
            goal = inner_goal(seeded, &shape);
        }
        let part = STEP_M / distance_m(here, goal).max(STEP_M);
        let next = LatLon {
            lat: here.lat + (goal.lat - here.lat) * part + seeded.between(-1e-5, 1e-5),
            lon: here.lon + (goal.lon - here.lon) * part + seeded.between(-1e-5, 1e-5),
        };
        if shape.locate(next) == Side::Inside {
            here = next;
        } else {
            goal = shape.bbox().center();
        }
    }
    Ok(points)
}

/// A point inside the area that can be walked to; its centre after a few misses.
fn inner_goal(seeded: &mut Seeded, shape: &AreaShape) -> LatLon {
    let centre = shape.bbox().center();
    let ring = shape.to_rings();
    let corners: Vec<LatLon> = ring.into_iter().flatten().flatten().collect();
    for _ in 0..8 {
        let Some(corner) = seeded.choose(&corners) else { break };
        let part = seeded.between(0.2, 0.85);
        let goal = LatLon {
            lat: centre.lat + (corner.lat - centre.lat) * part,
            lon: centre.lon + (corner.lon - centre.lon) * part,
        };
        if shape.locate(goal) == Side::Inside {
            return goal;
        }
    }
    centre
}

/// A walk as GPX 1.1.
pub fn gpx(name: &str, points: &[WalkPoint]) -> String {
    let mut out = String::from(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n\
         <gpx version=\"1.1\" creator=\"Gridwalk harness, made up\" xmlns=\"http://www.topografix.com/GPX/1/1\">\n",
    );
    let _ = writeln!(out, "<trk><name>{name}</name><trkseg>");
    for WalkPoint { point, at } in points {
        let _ = writeln!(
            out,
            "<trkpt lat=\"{:.7}\" lon=\"{:.7}\"><ele>12.0</ele><time>{at}</time></trkpt>",
            point.lat, point.lon
        );
    }
    out.push_str("</trkseg></trk>\n</gpx>\n");
    out
}

/// Writes a walk into a folder, which is made if need be.
///
/// # Errors
/// [`HarnessError::File`].
pub fn write_gpx(folder: &Path, name: &str, points: &[WalkPoint]) -> Result<(), HarnessError> {
    fs::create_dir_all(folder).map_err(HarnessError::file(folder))?;
    let path = folder.join(format!("{name}.gpx"));
    fs::write(&path, gpx(name, points)).map_err(HarnessError::file(&path))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::district::{District, Plan};

    #[test]
    fn walks_stay_inside_and_have_the_wanted_length() {
        let district = District::make(Plan::small(2));
        let grid = district.grids().next().unwrap();
        let shape = AreaShape::new(&[vec![grid.ring.clone()]], Datum::Wgs84).unwrap();
        let start = Timestamp::from_millis(1_773_622_800_000);
        let points = walk(&mut Seeded::new(1), &grid.code, &grid.ring, 1_500.0, start).unwrap();
        assert!(points.iter().all(|point| shape.locate(point.point) == Side::Inside));
        let metres: f64 = points.windows(2).map(|pair| distance_m(pair[0].point, pair[1].point)).sum();
        assert!((1_000.0..2_000.0).contains(&metres), "{metres}");
        let text = gpx("虚构巡查", &points);
        assert_eq!(text.matches("<trkpt").count(), points.len());
        assert!(text.contains("<time>2026-03-16T01:00:00Z</time>"), "{}", &text[..400]);
    }

    #[test]
    fn a_ring_that_is_no_area_is_named() {
        let point = LatLon { lat: 1.0, lon: 1.0 };
        let start = Timestamp::from_millis(0);
        let error = walk(&mut Seeded::new(1), "990", &[point, point], 10.0, start).unwrap_err();
        assert_eq!(error.to_string(), "area 990 has no valid outline");
    }
}
