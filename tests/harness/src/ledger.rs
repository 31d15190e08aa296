//! The rows of a made-up ledger: dwellings, residents and places of one grid.

use std::collections::BTreeSet;

use gridwalk_model::geo::LatLon;

use crate::outline::Block;
use crate::people::{self, Born};
use crate::seeded::Seeded;

/// The year from which ages are counted.
const THIS_YEAR: u16 = 2026;

const CATEGORIES: [(&str, &str); 12] = [
    ("小餐饮", "餐饮"),
    ("小商店", "商店"),
    ("小旅馆", "旅馆"),
    ("小网吧", "网吧"),
    ("小美容洗浴", "洗浴"),
    ("小生产加工", "加工"),
    ("小医院", "医院"),
    ("小学校", "学校"),
    ("养老机构", "养老"),
    ("加油站", "油站"),
    ("居民小区", "小区"),
    ("居住出租房", "出租房"),
];
const RELATIONS: [&str; 4] = ["配偶", "子女", "父母", "其他"];

/// A row of `dwellings.csv`.
#[derive(Clone, Debug, PartialEq)]
pub struct DwellingRow {
    /// 网格编码.
    pub grid: String,
    /// 地址编码.
    pub key: String,
    /// 小区.
    pub estate: String,
    /// 楼栋.
    pub building: String,
    /// 单元.
    pub unit: String,
    /// 房号.
    pub room: String,
    /// 是否出租.
    pub rented: bool,
    /// 经度 and 纬度, in WGS-84 until the row is written.
    pub point: LatLon,
}

/// A row of `residents.csv`.
#[derive(Clone, Debug, PartialEq)]
pub struct ResidentRow {
    /// 地址编码 of the dwelling.
    pub dwelling: String,
    /// 姓名.
    pub name: String,
    /// 证件号码.
    pub id_number: String,
    /// 性别.
    pub sex: &'static str,
    /// 联系电话.
    pub phone: String,
    /// 人口类型.
    pub kind: &'static str,
    /// 与户主关系.
    pub relation: &'static str,
    /// 标签, joined by semicolons.
    pub tags: String,
}

/// A row of `places.csv`.
#[derive(Clone, Debug, PartialEq)]
pub struct PlaceRow {
    /// 网格编码.
    pub grid: String,
    /// 场所名称.
    pub name: String,
    /// 场所类别.
    pub category: &'static str,
    /// 地址.
    pub address: String,
    /// 负责人.
    pub manager: String,
    /// 联系电话.
    pub phone: String,
    /// 经度 and 纬度, in WGS-84 until the row is written.
    pub point: LatLon,
}

/// The ledger of one grid or of several.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Ledger {
    /// Dwellings.
    pub dwellings: Vec<DwellingRow>,
    /// Residents.
    pub residents: Vec<ResidentRow>,
    /// Places.
    pub places: Vec<PlaceRow>,
    id_numbers: BTreeSet<String>,
}

impl Ledger {
    /// Adds a grid: `dwellings` doors in blocks of six floors, about two people behind each, and `places` shops.
    pub fn add_grid(
        &mut self,
        seeded: &mut Seeded,
        grid: &str,
        block: &Block,
        dwellings: usize,
        places: usize,
    ) {
        let estate = format!("虚构{}", seeded.pick(&["雅居", "新苑", "花园", "小区", "里弄"]));
        for index in 0..dwellings {
            let dwelling = door(seeded, grid, &estate, block, index);
            if seeded.chance(0.86) {
                self.move_in(seeded, &dwelling);
            }
            self.dwellings.push(dwelling);
        }
        for index in 0..places {
            let (category, word) = seeded.pick(&CATEGORIES);
            let building = seeded.below(dwellings.div_ceil(36).max(1)) + 1;
            self.places.push(PlaceRow {
                grid: grid.to_owned(),
                name: format!("{}记{word}{}（虚构）", people::surname(seeded), index + 1),
                category,
                address: format!("{estate}{building}号楼底商{}", index + 1),
                manager: people::name(seeded),
                phone: people::phone(seeded),
                point: block.inner_point(seeded.unit(), seeded.unit()),
            });
        }
    }

    fn move_in(&mut self, seeded: &mut Seeded, dwelling: &DwellingRow) {
        let people = 1 + seeded.below(4);
        let kind = if dwelling.rented && seeded.chance(0.8) { "流动人口" } else { "户籍人口" };
        for place in 0..people {
            let relation = if place == 0 { "户主" } else { seeded.pick(&RELATIONS) };
            let (first, last) = match relation {
                "户主" => (1936, 2000),
                "配偶" => (1938, 2001),
                "子女" => (1985, 2024),
                "父母" => (1933, 1965),
                _ => (1940, 2020),
            };
            let serial = self.residents.len();
            let (born, id_number) = self.identity(seeded, first, last, serial);
            self.residents.push(ResidentRow {
                dwelling: dwelling.key.clone(),
                name: people::name(seeded),
                id_number,
                sex: if serial % 2 == 1 { "男" } else { "女" },
                phone: people::phone(seeded),
                kind,
                relation,
                tags: tags(seeded, born, people == 1),
            });
        }
    }

    /// A day of birth and an ID number that nobody else has.
    fn identity(&mut self, seeded: &mut Seeded, first: u16, last: u16, serial: usize) -> (Born, String) {
        loop {
            let born = Born::between(seeded, first, last);
            let number = people::id_number(born, serial);
            if self.id_numbers.insert(number.clone()) {
                return (born, number);
            }
        }
    }
}

fn door(seeded: &mut Seeded, grid: &str, estate: &str, block: &Block, index: usize) -> DwellingRow {
    // Six floors of two doors a staircase, three staircases a building.
    let (building, rest) = (index / 36 + 1, index % 36);
    let (unit, rest) = (rest / 12 + 1, rest % 12);
    let (floor, side) = (rest / 2 + 1, rest % 2 + 1);
    // A building is one point; its place follows from its number, so that its doors agree.
    let (right, up) = ((building * 7 % 10) as f64 / 9.0, (building * 3 % 10) as f64 / 9.0);
    DwellingRow {
        grid: grid.to_owned(),
        key: format!("{grid}{building:02}{unit}{floor:02}{side:02}"),
        estate: estate.to_owned(),
        building: format!("{building}号楼"),
        unit: format!("{unit}单元"),
        room: format!("{floor:02}{side:02}"),
        rented: seeded.chance(0.15),
        point: block.inner_point(right, up),
    }
}

/// Needs that follow from age and household, and a few by chance, as offices list them.
fn tags(seeded: &mut Seeded, born: Born, alone: bool) -> String {
    let age = THIS_YEAR.saturating_sub(born.year);
    let mut tags = Vec::new();
    if age >= 80 {
        tags.push("高龄老人");
    }
    if alone && age >= 65 {
        tags.push("独居老人");
    }
    if seeded.chance(0.02) {
        tags.push("残疾人");
    }
    tags.join(";")
}
