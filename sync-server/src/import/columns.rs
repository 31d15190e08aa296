//! Headings and words as offices write them, as data: what a column of a ledger is called, and which word of ours
//! a cell means.

use super::Table;

/// A column that the importer understands.
#[derive(Debug)]
pub(super) struct Column {
    /// Our name for it: the field that it fills, where it fills one.
    pub(super) name: &'static str,
    /// Whether a file without it is refused.
    pub(super) required: bool,
    /// What offices call it, normalised, the usual name first.
    pub(super) headings: &'static [&'static str],
}

const fn must(name: &'static str, headings: &'static [&'static str]) -> Column {
    Column { name, required: true, headings }
}

const fn may(name: &'static str, headings: &'static [&'static str]) -> Column {
    Column { name, required: false, headings }
}

/// The office's code of a door.
pub(super) const ADDRESS_CODE: &str = "address_code";
/// The code of a grid.
pub(super) const GRID_CODE: &str = "area";

const ADDRESS_CODES: &[&str] =
    &["地址编码", "房屋编码", "房屋编号", "地址代码", "标准地址编码", "房屋地址编码", "ADDRESSCODE"];
const GRID_CODES: &[&str] = &["网格编码", "网格代码", "网格编号", "所属网格编码", "所属网格代码", "GRIDCODE"];
const LONGITUDES: &[&str] = &["经度", "LON", "LNG", "LONGITUDE", "X坐标"];
const LATITUDES: &[&str] = &["纬度", "LAT", "LATITUDE", "Y坐标"];
const PHONES: &[&str] = &["联系电话", "电话", "手机", "手机号", "手机号码", "联系方式", "电话号码", "PHONE"];
const REMARKS: &[&str] = &["备注", "说明", "REMARKS"];

static DWELLINGS: &[Column] = &[
    must(GRID_CODE, GRID_CODES),
    must(ADDRESS_CODE, ADDRESS_CODES),
    may("estate", &["小区", "小区名称", "小区(村)", "小区/村", "村居", "自然村", "ESTATE"]),
    may("building", &["楼栋", "楼号", "楼栋号", "楼幢", "幢号", "栋", "BUILDING"]),
    may("unit", &["单元", "单元号", "UNIT"]),
    may("room", &["房号", "室号", "房间号", "门牌号", "户室号", "ROOM"]),
    may("address", &["详细地址", "地址", "房屋地址", "ADDRESS"]),
    may("floor", &["楼层", "所在楼层", "层", "FLOOR"]),
    may("usage", &["房屋用途", "用途", "房屋类型", "使用性质", "USE"]),
    may("rented", &["是否出租", "出租", "是否出租房", "RENTED"]),
    may("occupancy", &["居住状态", "居住情况", "是否空置", "OCCUPANCY"]),
    may("area_m2", &["建筑面积", "面积", "建筑面积(平方米)", "面积(㎡)", "面积(M2)", "FLOORAREA"]),
    may("lon", LONGITUDES),
    may("lat", LATITUDES),
    may("remarks", REMARKS),
];

static RESIDENTS: &[Column] = &[
    must(ADDRESS_CODE, ADDRESS_CODES),
    must("name", &["姓名", "人员姓名", "居民姓名", "NAME"]),
    must("number", &["证件号码", "身份证号", "身份证号码", "公民身份号码", "证件号", "身份证", "IDNUMBER"]),
    may("document", &["证件类型", "证件种类", "IDTYPE"]),
    may("sex", &["性别", "SEX", "GENDER"]),
    may("birth_date", &["出生日期", "生日", "出生年月日", "BIRTHDATE"]),
    may("phone", PHONES),
    may("resident_kind", &["人口类型", "人员类型", "人员类别", "人口性质", "户籍类型", "RESIDENTKIND"]),
    may("relation", &["与户主关系", "与户主的关系", "家庭关系", "户主关系", "RELATION"]),
    may("household_no", &["户号", "户编号", "家庭编号", "HOUSEHOLDNO"]),
    may("from", &["入住日期", "居住开始日期", "MOVEDIN"]),
    may("residence_matches_registration", &["人户一致", "是否人户一致"]),
    may("workplace", &["工作单位", "从业单位", "单位", "WORKPLACE"]),
    may("tags", &["标签", "人员标签", "关爱标签", "重点关爱类型", "TAGS"]),
    may("remarks", REMARKS),
];

static PLACES: &[Column] = &[
    must(GRID_CODE, GRID_CODES),
    must("name", &["场所名称", "单位名称", "名称", "场所", "企业名称", "NAME"]),
    must("category", &["场所类别", "类别", "场所类型", "类型", "行业类别", "CATEGORY"]),
    may("place_code", &["场所编码", "场所编号", "PLACECODE"]),
    may("address", &["地址", "详细地址", "场所地址", "经营地址", "ADDRESS"]),
    may("manager", &["负责人", "安全负责人", "联系人", "法定代表人", "MANAGER"]),
    may("phone", PHONES),
    may("inspection_interval_days", &["检查周期", "检查周期(天)", "巡查周期"]),
    may("lon", LONGITUDES),
    may("lat", LATITUDES),
    may("remarks", REMARKS),
];

/// The columns of a ledger.
pub(super) fn of(table: Table) -> &'static [Column] {
    match table {
        Table::Areas => &[],
        Table::Dwellings => DWELLINGS,
        Table::Residents => RESIDENTS,
        Table::Places => PLACES,
    }
}

/// The usual heading of a column.
pub(super) fn heading(table: Table, name: &str) -> Option<&'static str> {
    of(table).iter().find(|column| column.name == name)?.headings.first().copied()
}

/// A heading without what offices put around it: blanks, stars for "required", a hint in brackets.
pub(super) fn normalise(heading: &str) -> String {
    let plain = gridwalk_model::codes::normalise(heading);
    let plain = plain.trim_matches(|c: char| matches!(c, '*' | ':' | '_'));
    for hint in ["(必填)", "(选填)", "(必填项)"] {
        if let Some(rest) = plain.strip_suffix(hint) {
            return rest.trim_matches('*').to_owned();
        }
    }
    plain.replace(['_', ' '], "")
}

/// Other words than the labels of the model, by field.
static WORDS: &[(&str, &[(&str, &str)])] = &[
    ("sex", &[("男性", "male"), ("女性", "female"), ("M", "male"), ("F", "female")]),
    (
        "resident_kind",
        &[
            ("户籍", "registered"),
            ("常住人口", "registered"),
            ("流动", "floating"),
            ("暂住人口", "floating"),
            ("境外", "overseas"),
            ("境外人员", "overseas"),
            ("未落户", "unregistered"),
        ],
    ),
    (
        "relation",
        &[
            ("本人", "head"),
            ("夫", "spouse"),
            ("妻", "spouse"),
            ("丈夫", "spouse"),
            ("妻子", "spouse"),
            ("子", "child"),
            ("女", "child"),
            ("儿子", "child"),
            ("女儿", "child"),
            ("长子", "child"),
            ("长女", "child"),
            ("次子", "child"),
            ("次女", "child"),
            ("父亲", "parent"),
            ("母亲", "parent"),
            ("父", "parent"),
            ("母", "parent"),
            ("孙子", "grandchild"),
            ("孙女", "grandchild"),
            ("外孙", "grandchild"),
            ("外孙女", "grandchild"),
            ("祖父", "grandparent"),
            ("祖母", "grandparent"),
            ("兄", "sibling"),
            ("弟", "sibling"),
            ("姐", "sibling"),
            ("妹", "sibling"),
            ("兄弟", "sibling"),
            ("姐妹", "sibling"),
            ("承租人", "tenant"),
            ("租户", "tenant"),
            ("非亲属", "not_related"),
        ],
    ),
    (
        "usage",
        &[
            ("居住", "residential"),
            ("自住", "residential"),
            ("商用", "business"),
            ("商业", "business"),
            ("商住", "mixed"),
            ("宿舍", "dormitory"),
            ("车库", "storage"),
            ("仓库", "storage"),
        ],
    ),
    (
        "occupancy",
        &[
            ("居住", "occupied"),
            ("入住", "occupied"),
            ("否", "occupied"),
            ("空房", "vacant"),
            ("是", "vacant"),
        ],
    ),
    (
        "document",
        &[("身份证", "identity_card"), ("居民身份证", "identity_card"), ("港澳台居民居住证", "hkmotw")],
    ),
];

/// The word that a cell means where it is not one of the model's labels.
pub(super) fn other_word(field: &str, cell: &str) -> Option<&'static str> {
    let (_, words) = WORDS.iter().find(|(name, _)| *name == field)?;
    words.iter().find(|(text, _)| *text == cell).map(|(_, word)| *word)
}

/// What a cell says that holds yes or no; `None` for anything else.
pub(super) fn yes_or_no(cell: &str) -> Option<bool> {
    match cell {
        "是" | "有" | "√" | "1" | "Y" | "y" | "YES" | "yes" | "TRUE" | "true" | "已出租" | "出租"
        | "一致" => Some(true),
        "否" | "无" | "×" | "0" | "N" | "n" | "NO" | "no" | "FALSE" | "false" | "未出租" | "不一致" => {
            Some(false)
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use gridwalk_model::Kind;

    use super::*;

    #[test]
    fn headings_are_stored_as_they_are_compared_and_mean_one_thing_each() {
        for table in [Table::Dwellings, Table::Residents, Table::Places] {
            let mut seen = BTreeSet::new();
            for column in of(table) {
                for heading in column.headings {
                    assert_eq!(normalise(heading), *heading);
                    assert!(seen.insert(*heading), "{table:?} {heading}");
                }
            }
        }
        for (decorated, plain) in
            [("* 姓 名（必填）", "姓名"), ("\u{feff}网格编码", "网格编码"), ("address_code", "ADDRESSCODE")]
        {
            assert_eq!(normalise(decorated), plain);
        }
    }

    #[test]
    fn every_word_is_one_that_the_model_knows() {
        for (field, words) in WORDS {
            let known = Kind::ALL.iter().flat_map(|kind| kind.schema().fields).filter(|f| f.name == *field);
            let known: BTreeSet<&str> = known.flat_map(|f| f.words).map(|word| word.word).collect();
            for (cell, word) in *words {
                assert!(known.contains(word), "{field} {cell}");
            }
        }
    }
}
