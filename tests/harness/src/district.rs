//! A fictional district in exactly the shape in which an office hands over a real one: areas as GeoJSON, ledgers
//! as CSV with Chinese headings and a byte order mark.
//!
//! It lies in the open sea, its code begins with 99, its streets are named as made up, and so are its people.

use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};

use gridwalk_model::geo::{Datum, LatLon};
use serde_json::{Value, json};

use crate::error::HarnessError;
use crate::ledger::Ledger;
use crate::outline::Block;
use crate::seeded::Seeded;

/// Code of the district: no province has 99.
const DISTRICT: &str = "990100";
const STREETS: [&str; 6] = ["虚构甲", "虚构乙", "虚构丙", "虚构丁", "虚构戊", "虚构己"];

/// How large a district is to be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Plan {
    /// The same seed gives the same district.
    pub seed: u64,
    /// Streets.
    pub streets: usize,
    /// Communities in each street.
    pub communities: usize,
    /// Grids in each community.
    pub grids: usize,
    /// How many grids, from the first, have a ledger.
    pub ledger_grids: usize,
    /// Dwellings in each of these.
    pub dwellings: usize,
    /// Places in each of these.
    pub places: usize,
    /// The datum in which the files are written.
    pub datum: Datum,
}

impl Plan {
    /// A few small grids: enough for a test.
    pub const fn small(seed: u64) -> Self {
        Self {
            seed,
            streets: 1,
            communities: 2,
            grids: 4,
            ledger_grids: 2,
            dwellings: 24,
            places: 4,
            datum: Datum::Wgs84,
        }
    }

    /// A district in which a day can be played: six grids with a ledger, about 1,500 people.
    pub const fn playable(seed: u64) -> Self {
        Self {
            seed,
            streets: 3,
            communities: 4,
            grids: 8,
            ledger_grids: 6,
            dwellings: 120,
            places: 12,
            datum: Datum::Gcj02,
        }
    }

    /// Grids of the whole district.
    pub const fn all_grids(&self) -> usize {
        self.streets * self.communities * self.grids
    }
}

/// An area as the file of areas has it.
#[derive(Clone, Debug, PartialEq)]
pub struct AreaRow {
    /// `street`, `community` or `grid`.
    pub level: &'static str,
    /// Code of 9, 12 or 15 digits.
    pub code: String,
    /// Name.
    pub name: String,
    /// Code of the area above.
    pub parent: String,
    /// Its border in WGS-84, closed.
    pub ring: Vec<LatLon>,
}

/// A made-up district.
#[derive(Clone, Debug, PartialEq)]
pub struct District {
    /// What was asked for.
    pub plan: Plan,
    /// Each street with its communities, each with its grids.
    pub areas: Vec<AreaRow>,
    /// The ledgers of all grids that have one.
    pub ledger: Ledger,
}

/// Where a district was written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DistrictFiles {
    /// The file of areas. Its name contains `gcj02` where that is its datum.
    pub areas: PathBuf,
    /// The folder with `dwellings.csv`, `residents.csv` and `places.csv`.
    pub ledger: PathBuf,
}

impl District {
    /// Makes up a district.
    pub fn make(plan: Plan) -> Self {
        let mut made = Self { plan, areas: Vec::new(), ledger: Ledger::default() };
        let mut seeded = Seeded::for_subject(plan.seed, "ledger");
        let whole = Block::district(plan.streets, plan.communities, plan.grids);
        let mut left = plan.ledger_grids;
        for (number, street) in whole.cut(plan.streets).iter().enumerate() {
            let base = street_name(number);
            let code = format!("{DISTRICT}{:03}", number + 1);
            made.add("street", &code, format!("{base}街道"), DISTRICT, street);
            for (number, community) in street.cut(plan.communities).iter().enumerate() {
                let parent = code.as_str();
                let code = format!("{parent}{:03}", number + 1);
                let name = format!("{base}第{}社区", number + 1);
                made.add("community", &code, name.clone(), parent, community);
                for (number, grid) in community.cut(plan.grids).iter().enumerate() {
                    let parent = code.as_str();
                    let code = format!("{parent}{:03}", number + 1);
                    made.add("grid", &code, format!("{name}第{}网格", number + 1), parent, grid);
                    if left > 0 {
                        left -= 1;
                        made.ledger.add_grid(&mut seeded, &code, grid, plan.dwellings, plan.places);
                    }
                }
            }
        }
        made
    }

    fn add(&mut self, level: &'static str, code: &str, name: String, parent: &str, block: &Block) {
        let ring = block.ring(self.plan.seed);
        self.areas.push(AreaRow { level, code: code.to_owned(), name, parent: parent.to_owned(), ring });
    }

    /// The grids, in the order of their codes.
    pub fn grids(&self) -> impl Iterator<Item = &AreaRow> {
        self.areas.iter().filter(|area| area.level == "grid")
    }

    /// Writes the files into a folder, which is made if need be.
    ///
    /// # Errors
    /// [`HarnessError::File`] with the file that could not be written.
    pub fn write(&self, folder: &Path) -> Result<DistrictFiles, HarnessError> {
        fs::create_dir_all(folder).map_err(HarnessError::file(folder))?;
        let name = match self.plan.datum {
            Datum::Wgs84 => "areas.geojson",
            Datum::Gcj02 => "areas.gcj02.geojson",
            Datum::Bd09 => "areas.bd09.geojson",
        };
        let areas = folder.join(name);
        write(&areas, &self.areas_geojson().to_string())?;
        write(&folder.join("dwellings.csv"), &self.dwellings_csv())?;
        write(&folder.join("residents.csv"), &self.residents_csv())?;
        write(&folder.join("places.csv"), &self.places_csv())?;
        write(&folder.join("streets.csv"), &self.streets_csv())?;
        Ok(DistrictFiles { areas, ledger: folder.to_owned() })
    }

    /// The file of areas.
    pub fn areas_geojson(&self) -> Value {
        let features: Vec<Value> = self
            .areas
            .iter()
            .map(|area| {
                let ring: Vec<Value> = area
                    .ring
                    .iter()
                    .map(|point| {
                        let point = self.plan.datum.of_wgs84(*point);
                        json!([rounded(point.lon), rounded(point.lat)])
                    })
                    .collect();
                json!({
                    "type": "Feature",
                    "properties": {
                        "level": area.level, "code": area.code, "name": area.name, "parent": area.parent,
                    },
                    "geometry": {"type": "Polygon", "coordinates": [ring]},
                })
            })
            .collect();
        json!({
            "type": "FeatureCollection", "name": "areas", "crs_note": self.plan.datum.name(),
            "features": features,
        })
    }

    fn dwellings_csv(&self) -> String {
        let mut out =
            String::from("\u{feff}网格编码,地址编码,小区,楼栋,单元,房号,房屋用途,是否出租,经度,纬度\r\n");
        for row in &self.ledger.dwellings {
            let rented = if row.rented { "是" } else { "否" };
            let point = self.plan.datum.of_wgs84(row.point);
            let _ = write!(
                out,
                "{},{},{},{},{},{},住宅,{rented},{:.6},{:.6}\r\n",
                row.grid, row.key, row.estate, row.building, row.unit, row.room, point.lon, point.lat
            );
        }
        out
    }

    fn residents_csv(&self) -> String {
        let mut out =
            String::from("\u{feff}地址编码,姓名,证件号码,性别,联系电话,人口类型,与户主关系,标签\r\n");
        for row in &self.ledger.residents {
            let _ = write!(
                out,
                "{},{},{},{},{},{},{},{}\r\n",
                row.dwelling, row.name, row.id_number, row.sex, row.phone, row.kind, row.relation, row.tags
            );
        }
        out
    }

    fn places_csv(&self) -> String {
        let mut out = String::from("\u{feff}网格编码,场所名称,场所类别,地址,负责人,联系电话,经度,纬度\r\n");
        for row in &self.ledger.places {
            let point = self.plan.datum.of_wgs84(row.point);
            let _ = write!(
                out,
                "{},{},{},{},{},{},{:.6},{:.6}\r\n",
                row.grid, row.name, row.category, row.address, row.manager, row.phone, point.lon, point.lat
            );
        }
        out
    }

    fn streets_csv(&self) -> String {
        let mut out = String::from("code,name\n");
        for area in self.areas.iter().filter(|area| area.level == "street") {
            let _ = writeln!(out, "{},{}", area.code, area.name);
        }
        out
    }
}

fn street_name(number: usize) -> String {
    match (STREETS.get(number % STREETS.len()), number / STREETS.len()) {
        (Some(name), 0) => (*name).to_owned(),
        (Some(name), round) => format!("{name}{}", round + 1),
        (None, _) => format!("虚构{}", number + 1),
    }
}

fn rounded(degrees: f64) -> f64 {
    (degrees * 1e6).round() / 1e6
}

fn write(path: &Path, text: &str) -> Result<(), HarnessError> {
    fs::write(path, text).map_err(HarnessError::file(path))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use gridwalk_model::geo::{AreaShape, Side};

    use super::*;

    #[test]
    fn the_same_seed_gives_the_same_district() {
        assert_eq!(District::make(Plan::small(1)), District::make(Plan::small(1)));
        assert_ne!(District::make(Plan::small(1)).ledger, District::make(Plan::small(2)).ledger);
    }

    #[test]
    fn every_row_lies_where_it_says_and_is_marked_as_made_up() {
        let district = District::make(Plan::small(4));
        assert_eq!(district.grids().count(), 8);
        let grids: Vec<(&str, AreaShape)> = district
            .grids()
            .map(|grid| {
                (grid.code.as_str(), AreaShape::new(&[vec![grid.ring.clone()]], Datum::Wgs84).unwrap())
            })
            .collect();
        let inside = |code: &str, point| {
            let (_, shape) = grids.iter().find(|(grid, _)| *grid == code).unwrap();
            shape.locate(point) == Side::Inside
        };
        assert_eq!(district.ledger.dwellings.len(), 48);
        assert_eq!(district.ledger.places.len(), 8);
        for row in &district.ledger.dwellings {
            assert!(inside(&row.grid, row.point), "{row:?}");
        }
        let doors: BTreeSet<&str> = district.ledger.dwellings.iter().map(|row| row.key.as_str()).collect();
        assert_eq!(doors.len(), 48, "an address code names one door");
        let ids: BTreeSet<&str> =
            district.ledger.residents.iter().map(|row| row.id_number.as_str()).collect();
        assert_eq!(ids.len(), district.ledger.residents.len(), "an ID number names one person");
        for row in &district.ledger.residents {
            assert!(doors.contains(row.dwelling.as_str()));
            let male = row.id_number.as_bytes()[16] % 2 == 1;
            assert_eq!(male, row.sex == "男");
        }
        assert!(district.areas.iter().all(|area| area.code.starts_with("99") && area.name.contains("虚构")));
    }

    #[test]
    fn the_files_have_the_shape_that_offices_export() {
        let folder = tempfile::tempdir().unwrap();
        let plan = Plan { datum: Datum::Gcj02, ..Plan::small(9) };
        let files = District::make(plan).write(folder.path()).unwrap();
        assert!(files.areas.to_string_lossy().ends_with("areas.gcj02.geojson"));
        let areas: Value = serde_json::from_str(&fs::read_to_string(&files.areas).unwrap()).unwrap();
        let first = &areas["features"][0];
        assert_eq!(first["properties"]["level"], "street");
        assert_eq!(first["properties"]["parent"], "990100");
        assert_eq!(areas["crs_note"], "GCJ-02");
        for (file, heading) in [
            ("dwellings.csv", "\u{feff}网格编码,地址编码,小区,楼栋,单元,房号,房屋用途,是否出租,经度,纬度"),
            ("residents.csv", "\u{feff}地址编码,姓名,证件号码,性别,联系电话,人口类型,与户主关系,标签"),
            ("places.csv", "\u{feff}网格编码,场所名称,场所类别,地址,负责人,联系电话,经度,纬度"),
        ] {
            let text = fs::read_to_string(files.ledger.join(file)).unwrap();
            assert_eq!(text.lines().next(), Some(heading));
            let fields = heading.split(',').count();
            assert!(text.lines().all(|line| line.split(',').count() == fields), "{file}");
        }
    }
}
