//! Areas: the nodes of the hierarchy, down to the grid.

use jiff::civil;

use crate::id::RecordId;
use crate::records::Kind;

words! {
    /// What sort of grid an area is. Only the leaves of the hierarchy have one.
    GridKind {
        /// Households and their surroundings.
        Basic = "basic", "基础网格", "Basic grid";
        /// One large site: a market, a campus, a park.
        Exclusive = "exclusive", "专属网格", "Exclusive grid";
        /// One trade across several basic grids.
        Professional = "professional", "专业网格", "Professional grid";
    }
}

record! {
    /// 区域: a node of the hierarchy of any depth; the leaf is the grid.
    Area, "area", "区域", "Area";
    class Base;
    placement Org;
    followers [];
    devices false;
    /// The code of the division or grid. It changes when grids are re-cut, so it is never the identity.
    required code: String = Text { max: 32 }, Free, "编码", "Code";
    /// Name.
    required name: String = Text { max: 100 }, Free, "名称", "Name";
    /// Name of the level, as the deployment calls it (`street`, `community`, `grid`, …).
    required level: String = Text { max: 32 }, Free, "层级", "Level";
    /// The area above; none at the top.
    optional parent: RecordId = Link(&[Kind::Area]), Free, "上级", "Parent";
    /// What sort of grid.
    optional grid_kind: GridKind = Code(GridKind::CODES), Free, "网格类型", "Grid kind";
    /// The boundary in WGS-84, encoded.
    optional boundary: Vec<u8> = Entry, Free, "边界", "Boundary";
    /// First day on which the area exists with this boundary.
    optional valid_from: civil::Date = Date, Free, "生效日期", "Valid from";
    /// Last day on which it exists.
    optional valid_to: civil::Date = Date, Free, "失效日期", "Valid to";
}
