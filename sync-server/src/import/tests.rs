//! Whole imports on small made-up ledgers, and one on the shared data where it is present.

use std::cell::RefCell;
use std::collections::BTreeSet;
use std::sync::atomic::{AtomicU64, Ordering};

use gridwalk_model::geo::Datum;
use gridwalk_model::records::{Area, Dwelling, Household, Place, Residency, Resident, ResidentId};
use gridwalk_model::{AccessClass, Fields, Kind, Record, RecordId, StreamId, Timestamp, Value};

use super::merge::{self, Secret};
use super::*;
use crate::clock::EntropyError;
use crate::edit::{self, Edits};
use crate::storage::Storage;
use crate::storage::sqlite::{Birth, SqliteOptions, SqliteStorage};

#[path = "../../../tests/support/shared_data.rs"]
mod shared_data;

const BIRTH: Birth = Birth { device: [1; 12], epoch: [2; 16], incarnation: [3; 4], mark_key: [4; 32] };
const NOW: Timestamp = Timestamp::from_millis(1_790_000_000_000);
const GRID: &str = "370212001001001";
const OPTIONS: LedgerOptions = LedgerOptions { datum: Datum::Gcj02 };

const AREAS: &str = r#"{"type":"FeatureCollection","features":[
{"type":"Feature","properties":{"level":"grid","code":"370212001001001","name":"第一网格","parent":"370212001001"},
 "geometry":{"type":"Polygon","coordinates":[[[120,36],[120.01,36],[120.01,36.01],[120,36.01],[120,36]]]}},
{"type":"Feature","properties":{"level":"grid","code":370212001001002,"name":"第二网格","parent":"370212001001"},
 "geometry":{"type":"Polygon","coordinates":[[[120.01,36],[120.02,36],[120.02,36.01],[120.01,36.01],[120.01,36]]]}},
{"type":"Feature","properties":{"level":"community","code":"370212001001","name":"社区","parent":"370212001"},
 "geometry":{"type":"Polygon","coordinates":[[[120,36],[120.01,36],[120.02,36],[120.02,36.01],[120.01,36.01],[120,36.01],[120,36]]]}}
]}"#;

const DWELLINGS: &str = "某社区房屋台账（虚构）,,,,,,,,,\n\
    网格编码,地址编码,小区,楼栋,单元,房号,房屋用途,是否出租,经度,纬度\n\
    370212001001001,A0101,山海雅居,1号楼,1单元,0101,住宅,否,120.005,36.005\n\
    370212001001002,B0101,山海雅居,2号楼,1单元,0101,住宅,是,120.015,36.005\n\
    370212001001001,A0102,山海雅居,1号楼,1单元,0102,住宅,否,,\n";

const RESIDENTS: &str = "地址编码,姓名,证件号码,性别,联系电话,人口类型,与户主关系,标签\n\
    A0101,罗平,990000193512237224,女,19900007832,户籍人口,配偶,高龄老人；独居老人\n\
    A0101,冯英志,990000197908289790,男,19900002026,流动人口,户主,\n\
    B0101,顾娟,990000200006231295,男,,户籍人口,户主,\n";

const PLACES: &str = "网格编码,场所名称,场所类别,地址,负责人,联系电话,经度,纬度\n\
    370212001001001,龙记加工,小生产加工,山海雅居9号楼,单兰子,19900010905,120.005,36.005\n";

/// Randomness that is not: each call counts on.
#[derive(Default)]
struct Counting(AtomicU64);

impl Entropy for Counting {
    fn fill(&self, out: &mut [u8]) -> Result<(), EntropyError> {
        let next = self.0.fetch_add(1, Ordering::Relaxed).to_be_bytes();
        out.iter_mut().rev().zip(next.iter().rev().cycle()).for_each(|(to, from)| *to = *from);
        Ok(())
    }
}

struct Office {
    store: SqliteStorage,
    entropy: Counting,
}

impl Office {
    fn new() -> Self {
        let store = SqliteStorage::in_memory(&SqliteOptions::default(), &BIRTH).unwrap();
        Self { store, entropy: Counting::default() }
    }

    /// With the two grids imported.
    fn with_areas() -> Self {
        let office = Self::new();
        assert_eq!(office.areas(AREAS, false).counts().created, 3);
        office
    }

    fn storage(&self) -> &dyn Storage {
        &self.store
    }

    fn context(&self) -> ImportContext<'_> {
        ImportContext { now: NOW, entropy: &self.entropy, actor: "operator", progress: &|_| {} }
    }

    fn areas(&self, json: &str, force: bool) -> AreaReport {
        let options = AreaOptions { force, ..AreaOptions::new(Datum::Wgs84) };
        run_areas(self.storage(), &self.context(), json.as_bytes(), &options).unwrap()
    }

    fn ledger(&self, dwellings: &[u8], residents: &[u8], places: &[u8]) -> ImportReport {
        let some = |file| Some(file).filter(|file: &&[u8]| !file.is_empty());
        let files =
            LedgerFiles { dwellings: some(dwellings), residents: some(residents), places: some(places) };
        run_ledger(self.storage(), &self.context(), &files, &OPTIONS).unwrap()
    }

    fn whole(&self) -> ImportReport {
        self.ledger(DWELLINGS.as_bytes(), RESIDENTS.as_bytes(), PLACES.as_bytes())
    }

    fn person(&self, number: &str) -> String {
        Secret::of(self.storage(), &self.context()).unwrap().name(number)
    }

    fn id(&self, source: &str, key: &str) -> RecordId {
        self.storage().view(|tx| tx.source_key(source, key)).unwrap().unwrap()
    }

    fn fields(&self, id: RecordId) -> Fields {
        let found = self.storage().view(|tx| edit::read(tx, id)).unwrap();
        found.map(|(_, document)| document.fields()).unwrap()
    }

    fn read<R: Record>(&self, source: &str, key: &str) -> R {
        R::from_fields(&self.fields(self.id(source, key))).unwrap()
    }

    fn streams(&self, id: RecordId) -> BTreeSet<StreamId> {
        self.storage()
            .view(|tx| {
                let head = tx.record(id)?.unwrap();
                Ok::<_, StorageError>(
                    tx.memberships(head.no)?.into_iter().filter(|m| !m.removed).collect::<Vec<_>>(),
                )
            })
            .unwrap()
            .into_iter()
            .map(|member| member.stream)
            .collect()
    }

    /// Somebody edits a record on the console.
    fn edits(&self, id: RecordId, field: &str, value: impl Into<Value>) {
        let fields = Fields::from([(field.to_owned(), value.into())]);
        self.storage()
            .update(|tx| {
                let mut edits = Edits::begin(tx, NOW)?;
                assert!(edits.update(id, &fields)?);
                edits.finish().map_err(EditError::from)
            })
            .unwrap();
    }

    fn seq(&self) -> u64 {
        self.storage().view(|tx| tx.server()).unwrap().seq
    }
}

fn totals(report: &ImportReport) -> (u64, u64, u64, usize) {
    (report.created(), report.updated(), report.unchanged(), report.bad_rows.len())
}

fn said(report: &ImportReport) -> Vec<String> {
    let rows = report.bad_rows.iter().map(|row| {
        let problems = row.problems.iter().map(|p| format!("{} {}", p.column, p.reason.en()));
        format!("{} {}: {}", row.table.en(), row.line, problems.collect::<Vec<_>>().join("; "))
    });
    rows.collect()
}

#[test]
fn areas_are_known_by_code_and_updated_where_they_differ() {
    let office = Office::with_areas();
    let grid: Area = office.read(merge::AREA, "370212001001002");
    assert_eq!(grid.parent, Some(office.id(merge::AREA, "370212001001")));
    assert_eq!((grid.level.as_str(), grid.name.as_str()), ("grid", "第二网格"));
    assert!(gridwalk_model::geo::AreaShape::from_bytes(&grid.boundary.unwrap()).is_ok());
    assert_eq!(office.streams(office.id(merge::AREA, GRID)), BTreeSet::from([StreamId::Org]));
    let top: Area = office.read(merge::AREA, "370212001001");
    assert_eq!(top.parent, None, "a parent that nobody has is left out");
    let before = office.seq();
    assert_eq!(office.areas(AREAS, false).counts(), RowCounts { unchanged: 3, ..RowCounts::default() });
    assert_eq!(office.seq(), before, "nothing was written to any record");
    let renamed = office.areas(&AREAS.replace("第一网格", "新网格"), false);
    assert_eq!(renamed.counts(), RowCounts { updated: 1, unchanged: 2, created: 0 });
    assert_eq!(office.read::<Area>(merge::AREA, GRID).name, "新网格");
}

#[test]
fn errors_in_areas_stop_the_import_unless_it_is_forced() {
    let office = Office::new();
    let bad = AREAS.replace("370212001001002", "\"\"").replace("社区\"", &format!("{}\"", "长".repeat(101)));
    let report = office.areas(&bad, false);
    assert!(report.imported.is_none() && !report.boundary.can_import());
    assert_eq!(report.problems.len(), 1);
    assert!(report.zh().contains("有 2 处错误，未导入"), "{}", report.zh());
    assert_eq!(office.seq(), 0);
    let forced = office.areas(&bad, true);
    assert_eq!(forced.counts().created, 1);
    let area: Area = office.read(merge::AREA, GRID);
    assert_eq!(area.parent, None);
}

#[test]
fn a_ledger_becomes_records_in_their_places() {
    let office = Office::with_areas();
    let report = office.whole();
    assert_eq!(said(&report), Vec::<String>::new());
    assert_eq!(totals(&report), (7, 0, 0, 0));
    let grid = office.id(merge::AREA, GRID);
    let base = BTreeSet::from([StreamId::Area { area: grid, class: AccessClass::Base }]);
    let sensitive = BTreeSet::from([StreamId::Area { area: grid, class: AccessClass::Sensitive }]);
    let door: Dwelling = office.read(merge::DWELLING, "A0101");
    assert_eq!(door.area, grid);
    assert_eq!(door.source_keys.get("ledger").map(String::as_str), Some("A0101"));
    assert_eq!(door.position.and_then(|position| position.datum_in()), Some(Datum::Gcj02));
    let key = office.person("990000193512237224");
    let resident: Resident = office.read(merge::RESIDENT, &key);
    assert_eq!(resident.name, "罗平");
    assert_eq!(resident.birth_date.map(|day| day.to_string()).as_deref(), Some("1935-12-23"));
    let residency: Residency = office.read(merge::RESIDENCY, &format!("{key}/A0101"));
    assert_eq!(residency.dwelling, office.id(merge::DWELLING, "A0101"));
    let household: Household = office.read(merge::HOUSEHOLD, "A0101");
    let head = office.id(merge::RESIDENT, &office.person("990000197908289790"));
    assert_eq!(
        (household.head, residency.household),
        (Some(head), Some(office.id(merge::HOUSEHOLD, "A0101")))
    );
    assert_eq!(office.streams(office.id(merge::RESIDENT, &key)), base);
    assert_eq!(office.streams(office.id(merge::HOUSEHOLD, "A0101")), base);
    let number = office.id(merge::RESIDENT_ID, &key);
    assert_eq!(office.streams(number), sensitive);
    let number = ResidentId::from_fields(&office.fields(number)).unwrap();
    assert_eq!(number.resident, office.id(merge::RESIDENT, &key));
    let place: Place = office.read(merge::PLACE, &format!("{}/龙记加工", grid.to_hex()));
    assert_eq!(place.category, "小生产加工");
    assert_eq!(report.proposals.len(), 1, "labels are proposed, never written");
    assert!(String::from_utf8(report.proposals_csv()).unwrap().contains("高龄老人;独居老人"));
    let tags = office.storage().view(|tx| tx.records_of_kind(Kind::CareTag.tag(), None, 10)).unwrap();
    assert_eq!(tags, []);
}

#[test]
fn a_second_import_in_another_encoding_changes_nothing_and_is_audited() {
    let office = Office::with_areas();
    office.whole();
    let (before, gb) = (office.seq(), |text| encoding_rs::GB18030.encode(text).0.into_owned());
    let again = office.ledger(&gb(DWELLINGS), &gb(RESIDENTS), &gb(PLACES));
    assert_eq!(totals(&again), (0, 0, 7, 0));
    assert_eq!(office.seq(), before);
    assert_eq!(again.proposals.len(), 1);
    let last = office.storage().view(|tx| tx.last_audit()).unwrap().unwrap();
    assert_eq!((last.actor.as_str(), last.action.as_str()), ("operator", "import.ledger"));
    assert_eq!(
        last.detail,
        "dwellings: 0 new, 0 changed, 3 unchanged; residents: 0 new, 0 changed, 3 unchanged; \
         places: 0 new, 0 changed, 1 unchanged; 0 bad rows, 0 edits kept, 1 proposals"
    );
}

#[test]
fn only_what_the_file_changed_is_written_and_no_edit_of_a_person_is_lost() {
    let office = Office::with_areas();
    office.whole();
    let resident = office.id(merge::RESIDENT, &office.person("990000193512237224"));
    let door = office.id(merge::DWELLING, "A0102");
    office.edits(resident, "phone", "19911112222");
    office.edits(resident, "workplace", "退休");
    office.edits(door, "removed", true);
    assert_eq!(totals(&office.whole()), (0, 0, 7, 0), "a person's edit is not a change of the file");
    assert_eq!(office.fields(resident)["phone"], Value::from("19911112222"));

    let residents = RESIDENTS.replace("罗平", "罗萍").replace("19900007832", "19933334444");
    let dwellings = DWELLINGS.replace("0102,住宅,否", "0102,住宅,是").replace("2号楼", "3号楼");
    let report = office.ledger(dwellings.as_bytes(), residents.as_bytes(), b"");
    assert_eq!(totals(&report), (0, 2, 4, 0));
    assert_eq!(office.fields(resident)["name"], Value::from("罗萍"));
    assert_eq!(office.fields(resident)["phone"], Value::from("19911112222"), "the person's word stands");
    assert_eq!(office.read::<Dwelling>(merge::DWELLING, "B0101").building.as_deref(), Some("3号楼"));
    let kept: Vec<_> =
        report.kept_edits.iter().map(|k| (k.field.as_str(), k.file.as_str(), k.current.clone())).collect();
    assert_eq!(
        kept,
        [("rented", "是", None), ("phone", "19933334444", Some("19911112222".to_owned()))],
        "both stand in the report"
    );
    assert!(String::from_utf8(report.kept_edits_csv()).unwrap().contains("联系电话,19933334444,19911112222"));
    let again = office.ledger(dwellings.as_bytes(), residents.as_bytes(), b"");
    assert_eq!((totals(&again), again.kept_edits.len()), ((0, 0, 6, 0), 0));

    let emptied = residents.replace("19933334444", "").replace("流动人口", "");
    let report = office.ledger(b"", emptied.as_bytes(), b"");
    assert_eq!((totals(&report), report.kept_edits.len()), ((0, 1, 2, 0), 1));
    let other: Resident = office.read(merge::RESIDENT, &office.person("990000197908289790"));
    assert_eq!(other.resident_kind, None, "an emptied cell empties the field");
}

#[test]
fn bad_rows_come_back_with_reasons_and_load_once_mended() {
    let office = Office::with_areas();
    let dwellings =
        format!("{DWELLINGS}370212001009009,C1,=1+1,,,,,,,\n{GRID},A0101,重复,,,,,,,\n{GRID},,甲,,,,,,,\n");
    let residents = "地址编码,姓名,证件号码,人口类型,与户主关系\n\
        A0101,甲,9.90E+17,,\n\
        A0101,乙,990000197908289000,,\n\
        A0101,丙,99000019350101001,,\n\
        A0101,丁,990000193512237225,,\n\
        A0101,,990000197908289790,,\n\
        X0101,戊,990000200006231295,,\n\
        A0101,罗平,990000193512237224,,户主\n";
    let report = office.ledger(dwellings.as_bytes(), residents.as_bytes(), b"");
    assert_eq!(
        said(&report),
        [
            "dwellings 6: 网格编码 no such grid: import the areas first",
            "dwellings 7: 地址编码 repeats line 3",
            "dwellings 8: 地址编码 required",
            "residents 2: 证件号码 a spreadsheet kept the ID number as a number: its last digits are lost",
            "residents 3: 证件号码 a spreadsheet kept the ID number as a number: its last digits are lost",
            "residents 4: 证件号码 an ID number has 18 characters",
            "residents 5: 证件号码 the check character of the ID number is wrong",
            "residents 6: 姓名 required",
            "residents 7: 地址编码 no dwelling with this address code",
        ]
    );
    assert_eq!(totals(&report), (4, 0, 0, 9), "good rows are loaded");
    let text = report.zh();
    assert!(text.contains("人口 第 5 行 证件号码：证件号码校验位不正确"), "{text}");
    assert!(!text.contains("990000193512237225") && !format!("{report:?}").contains("9900"));

    let files = report.to_csv();
    assert_eq!(
        files.iter().map(|(table, _)| *table).collect::<Vec<_>>(),
        [Table::Dwellings, Table::Residents]
    );
    let back = String::from_utf8(files[0].1.clone()).unwrap();
    assert!(back.contains("纬度,行号,原因\r\n370212001009009,C1,'=1+1,"), "{back}");
    let back = String::from_utf8(files[1].1.clone()).unwrap();
    assert!(
        back.contains("A0101,丁,990000193512237225,,,5,证件号码：证件号码校验位不正确 / the check"),
        "{back}"
    );
    let mended = back.replace("990000193512237225", "99000020090612396X").replace("X0101", "A0102");
    let report = office.ledger(b"", mended.as_bytes(), b"");
    assert_eq!(totals(&report), (2, 0, 0, 4));
}

#[test]
fn one_person_at_two_doors_is_one_person_and_a_new_door_is_proposed() {
    let office = Office::with_areas();
    office.whole();
    let two = format!(
        "{RESIDENTS}B0101,罗平,990000193512237224,男,,户籍人口,,\nA0101,罗平,990000193512237224,,,,,\nA0102,罗苹,990000193512237224,,,,,\n"
    );
    let report = office.ledger(b"", two.as_bytes(), b"");
    assert_eq!(
        said(&report),
        [
            "residents 6: 证件号码 repeats line 2",
            "residents 7: 证件号码 same ID number as line 2, other name"
        ]
    );
    assert_eq!(totals(&report), (1, 0, 3, 2));
    let id = office.id(merge::RESIDENT, &office.person("990000193512237224"));
    assert_eq!(office.streams(id).len(), 2, "on the phones of both grids");
    assert_eq!(office.fields(id)["sex"], Value::from("female"), "the first row speaks for the person");
    assert_eq!(office.ledger(b"", two.as_bytes(), b"").unchanged(), 4);

    let moved = RESIDENTS.replace("B0101,顾娟", "A0102,顾娟");
    let report = office.ledger(b"", moved.as_bytes(), b"");
    assert_eq!(totals(&report), (0, 1, 2, 0));
    assert_eq!(report.proposals.iter().filter(|p| p.kind == ProposalKind::NewDoor).count(), 1);
    let old = format!("{}/B0101", office.person("990000200006231295"));
    assert_eq!(office.read::<Residency>(merge::RESIDENCY, &old).to, None, "a missing row removes nothing");
}

#[test]
fn labels_and_columns_that_are_not_kept_are_left_out_with_a_reason() {
    let office = Office::with_areas();
    let residents = "地址编码,姓名,证件号码,标签,民族,特殊人群\n\
        A0101,罗平,990000193512237224,独居老人；信访人员,甲,乙\n\
        A0101,冯英志,990000197908289790,重点人员,,\n\
        B0101,顾娟,990000200006231295,低收入,,\n";
    let report = office.ledger(DWELLINGS.as_bytes(), residents.as_bytes(), b"");
    assert_eq!(totals(&report), (6, 0, 0, 0), "the people are not left out");
    let left: Vec<_> = report.left_out.iter().map(|l| (l.line, l.column.as_str(), l.labels)).collect();
    assert_eq!(left, [(0, "民族", 0), (0, "特殊人群", 0), (2, "标签", 1), (3, "标签", 1)]);
    let offered = String::from_utf8(report.proposals_csv()).unwrap();
    assert!(offered.contains("独居老人") && offered.contains("低收入"), "{offered}");
    assert!(!offered.contains("信访") && !offered.contains("重点人员"));
    let (zh, en) = (report.zh(), report.en());
    assert!(zh.contains("未采用 4 处：含有本系统不采集的内容\n  人口 整列 民族\n"), "{zh}");
    assert!(en.contains("4 left out: says what this product does not keep about people"), "{en}");
    assert!(zh.contains("  人口 第 2 行 标签") && !zh.contains("信访"), "{zh}");
}

#[test]
fn a_category_that_is_not_kept_comes_back_with_its_reason() {
    let office = Office::with_areas();
    let places = PLACES.replace("小生产加工", "宗教场所");
    let report = office.ledger(b"", b"", places.as_bytes());
    assert_eq!(said(&report), ["places 2: 场所类别 says what this product does not keep about people"]);
    assert_eq!(
        totals(&office.ledger(b"", b"", PLACES.replace("小生产加工", "寺庙").as_bytes())),
        (1, 0, 0, 0)
    );
}

#[test]
fn numbers_of_people_stand_in_their_own_documents_only() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("store.db");
    let store = SqliteStorage::open(&path, &SqliteOptions::default(), &BIRTH).unwrap();
    let office = Office { store, entropy: Counting::default() };
    office.areas(AREAS, false);
    office.whole();
    let connection = rusqlite::Connection::open(&path).unwrap();
    let number = "990000193512237224";
    let count = |sql: &str| -> i64 { connection.query_row(sql, [number], |row| row.get(0)).unwrap() };
    let in_kind = "SELECT count(*) FROM record WHERE instr(snapshot, CAST(?1 AS BLOB)) > 0 AND kind";
    assert_eq!(count(&format!("{in_kind} = 'resident_id'")), 1);
    assert_eq!(count(&format!("{in_kind} <> 'resident_id'")), 0);
    for (table, column) in
        [("imported", "value"), ("source_key", "CAST(key AS BLOB)"), ("audit", "CAST(detail AS BLOB)")]
    {
        let sql = format!("SELECT count(*) FROM {table} WHERE instr({column}, CAST(?1 AS BLOB)) > 0");
        assert_eq!(count(&sql), 0, "{table}");
    }
}

#[test]
fn progress_counts_every_row_and_a_refused_file_writes_nothing() {
    let office = Office::with_areas();
    let seen = RefCell::new(Vec::new());
    let context =
        ImportContext { progress: &|progress| seen.borrow_mut().push(progress), ..office.context() };
    let rows: String = (0..700).map(|n| format!("{GRID},D{n},园,,,{n},,,,\n")).collect();
    let dwellings = format!("{DWELLINGS}{rows}{GRID},,坏,,,,,,,\n");
    let files = LedgerFiles { dwellings: Some(dwellings.as_bytes()), ..LedgerFiles::default() };
    run_ledger(office.storage(), &context, &files, &OPTIONS).unwrap();
    let seen: Vec<_> = seen.borrow().iter().map(|progress| (progress.done, progress.total)).collect();
    assert_eq!(seen, [(301, 704), (601, 704), (704, 704)]);
    let before = office.storage().view(|tx| tx.server()).unwrap();
    let files = LedgerFiles { places: Some("甲,乙\n1,2\n".as_bytes()), ..files };
    let refused = run_ledger(office.storage(), &office.context(), &files, &OPTIONS).unwrap_err();
    assert_eq!(refused.zh(), "场所：没有找到表头，缺少：网格编码、场所名称、场所类别");
    assert_eq!(office.storage().view(|tx| tx.server()).unwrap(), before);
}

#[test]
fn the_shared_ledger_loads_whole_and_a_second_time_changes_nothing() {
    let Some(folder) = shared_data::shared("laoshan") else { return };
    let areas = std::fs::read(folder.join("areas.gcj02.geojson")).unwrap();
    let [dwellings, residents, places] = ["dwellings.csv", "residents.csv", "places.csv"]
        .map(|name| std::fs::read(folder.join(name)).unwrap());
    let home = tempfile::tempdir().unwrap();
    let store =
        SqliteStorage::open(&home.path().join("store.db"), &SqliteOptions::default(), &BIRTH).unwrap();
    let office = Office { store, entropy: Counting::default() };
    let clock = crate::clock::SystemClock;
    for round in 1..=2u64 {
        let begun = crate::clock::Clock::ticks_us(&clock);
        let area_report =
            run_areas(office.storage(), &office.context(), &areas, &AreaOptions::new(Datum::Gcj02)).unwrap();
        let between = crate::clock::Clock::ticks_us(&clock);
        let report = office.ledger(&dwellings, &residents, &places);
        let ended = crate::clock::Clock::ticks_us(&clock);
        println!(
            "round {round}: areas {} ms, ledger {} ms",
            (between - begun) / 1_000,
            (ended - between) / 1_000
        );
        println!("{}{}", area_report.zh(), report.zh());
        assert_eq!(said(&report), Vec::<String>::new());
        let all = |count| match round {
            1 => RowCounts { created: count, ..RowCounts::default() },
            _ => RowCounts { unchanged: count, ..RowCounts::default() },
        };
        assert_eq!(area_report.counts(), all(965));
        let counts: Vec<_> = report.rows.values().copied().collect();
        assert_eq!(counts, [all(1_771), all(3_773), all(108)]);
        assert_eq!(report.proposals.len(), 578);
    }
    let records = office.storage().view(|tx| tx.record_count()).unwrap();
    assert_eq!(records, 965 + 1_771 + 1_521 + 3 * 3_773 + 108);
}
