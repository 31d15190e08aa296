//! Dwellings: doors behind which people live.

use crate::geo;
use crate::id::RecordId;
use crate::records::Kind;

words! {
    /// What a dwelling is used for.
    DwellingUse {
        /// People live there.
        Residential = "residential", "住宅", "Residential";
        /// A business is run there.
        Business = "business", "经营", "Business";
        /// Both.
        Mixed = "mixed", "商住混用", "Mixed";
        /// A dormitory.
        Dormitory = "dormitory", "集体宿舍", "Dormitory";
        /// Storage, garage, basement.
        Storage = "storage", "仓储车库", "Storage";
    }
}

words! {
    /// Whether somebody lives in a dwelling.
    Occupancy {
        /// Somebody lives there.
        Occupied = "occupied", "有人居住", "Occupied";
        /// Nobody does.
        Vacant = "vacant", "空置", "Vacant";
    }
}

record! {
    /// 实有房屋: a home, occupied or not.
    Dwelling, "dwelling", "实有房屋", "Dwelling";
    class Base;
    placement Own("area");
    followers [];
    devices true;
    /// The grid.
    required area: RecordId = Link(&[Kind::Area]), Free, "所属网格", "Grid";
    /// Estate or village.
    optional estate: String = Text { max: 100 }, Free, "小区", "Estate";
    /// Building.
    optional building: String = Text { max: 50 }, Free, "楼栋", "Building";
    /// Staircase or entrance.
    optional unit: String = Text { max: 50 }, Free, "单元", "Entrance";
    /// Room or door number.
    optional room: String = Text { max: 50 }, Free, "房号", "Room";
    /// The address where the parts above do not fit.
    optional address: String = Text { max: 200 }, Free, "详细地址", "Address";
    /// Floor; below ground is negative.
    optional floor: i64 = Int { min: -10, max: 200 }, Free, "楼层", "Floor";
    /// What it is used for.
    optional usage: DwellingUse = Code(DwellingUse::CODES), Free, "房屋用途", "Use";
    /// Whether it is let.
    optional rented: bool = Flag, Free, "是否出租", "Rented";
    /// Whether somebody lives there.
    optional occupancy: Occupancy = Code(Occupancy::CODES), Free, "居住状态", "Occupancy";
    /// Floor area in square metres.
    optional area_m2: f64 = Real { min: 0.0, max: 100_000.0 }, Free, "建筑面积", "Floor area (m²)";
    /// Where it is.
    optional position: geo::Position = Position, Free, "位置", "Position";
    /// What other systems call it. Their codes change when grids are re-cut, so they are aliases only.
    set source_keys: String = Text { max: 64 }, Free, "外部编码", "Source keys";
    /// Remarks.
    optional remarks: String = Text { max: 500 }, Free, "备注", "Remarks";
}
