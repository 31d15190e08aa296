//! From the cells of a row to the fields of a record, with every problem on the way.

use std::borrow::Cow;

use gridwalk_model::geo::{Datum, GeoError, LatLon, Position, PositionSource};
use gridwalk_model::records::parse_date;
use gridwalk_model::validate::{FieldError, Reason};
use gridwalk_model::{Fields, Kind, Value, codes};

use super::columns;
use super::csv_source::{Row, Sheet};

/// Why a row was not loaded.
#[derive(Clone, Debug, PartialEq)]
pub enum RowReason {
    /// The field is bad by the rules of its record.
    Field(Reason),
    /// No area with this code was imported.
    UnknownGrid,
    /// No dwelling with this code was imported.
    UnknownAddress,
    /// The same thing stands in an earlier row.
    Repeated {
        /// Line of the earlier row.
        line: u64,
    },
    /// The same ID number stands beside another name in an earlier row.
    OtherName {
        /// Line of the earlier row.
        line: u64,
    },
    /// A spreadsheet kept a code as a number: its last digits are lost.
    LostDigits,
    /// Neither yes nor no.
    NotYesOrNo,
    /// Not a number.
    NotANumber,
    /// Coordinates that are no place on the Earth, or only one of the two.
    Coordinates,
}

impl RowReason {
    /// The reason in Chinese.
    pub fn zh(&self) -> Cow<'static, str> {
        let text = match self {
            Self::Field(reason) => return reason.zh(),
            Self::UnknownGrid => "没有这个网格，请先导入区域",
            Self::UnknownAddress => "没有这个地址编码的房屋",
            Self::Repeated { line } => return format!("与第 {line} 行重复").into(),
            Self::OtherName { line } => return format!("与第 {line} 行证件号码相同而姓名不同").into(),
            Self::LostDigits => "编码被表格软件当作数字保存，末几位已丢失",
            Self::NotYesOrNo => "应填“是”或“否”",
            Self::NotANumber => "不是数字",
            Self::Coordinates => "经纬度不完整或超出范围",
        };
        text.into()
    }

    /// The reason in English.
    pub fn en(&self) -> Cow<'static, str> {
        let text = match self {
            Self::Field(reason) => return reason.en(),
            Self::UnknownGrid => "no such grid: import the areas first",
            Self::UnknownAddress => "no dwelling with this address code",
            Self::Repeated { line } => return format!("repeats line {line}").into(),
            Self::OtherName { line } => return format!("same ID number as line {line}, other name").into(),
            Self::LostDigits => "a spreadsheet kept the code as a number: its last digits are lost",
            Self::NotYesOrNo => "write yes or no",
            Self::NotANumber => "not a number",
            Self::Coordinates => "coordinates incomplete or out of range",
        };
        text.into()
    }
}

/// One thing that is wrong with a row.
#[derive(Clone, Debug, PartialEq)]
pub struct Problem {
    /// The column, as the file calls it.
    pub column: String,
    /// Why.
    pub reason: RowReason,
}

/// Reads one row: fields of a record as far as they are good, problems where they are not.
///
/// A column that the file does not have says nothing; a blank cell says that there is nothing ([`Value::Null`]).
pub(super) struct RowReader<'s> {
    sheet: &'s Sheet,
    row: &'s Row,
    pub(super) fields: Fields,
    problems: Vec<Problem>,
}

impl<'s> RowReader<'s> {
    pub(super) fn new(sheet: &'s Sheet, row: &'s Row) -> Self {
        Self { sheet, row, fields: Fields::new(), problems: Vec::new() }
    }

    pub(super) fn problem(&mut self, column: &str, reason: RowReason) {
        self.problems.push(Problem { column: self.sheet.heading(column), reason });
    }

    /// A cell; `None` where the file has no such column.
    pub(super) fn cell(&self, column: &str) -> Option<&'s str> {
        self.sheet.cell(self.row, column)
    }

    /// A code that must be there.
    pub(super) fn code(&mut self, column: &str) -> Option<String> {
        let code = codes::normalise(self.cell(column).unwrap_or_default());
        if code.is_empty() {
            self.problem(column, RowReason::Field(Reason::Missing));
            return None;
        }
        // `3.70212E+14`, or a number with a fraction.
        if code.contains('.') && code.parse::<f64>().is_ok() {
            self.problem(column, RowReason::LostDigits);
            return None;
        }
        Some(code)
    }

    fn put(&mut self, name: &str, value: impl Into<Value>) {
        self.fields.insert(name.to_owned(), value.into());
    }

    /// Takes a field from its cell by `read`; blank cells are nothing.
    fn take(&mut self, name: &str, read: impl FnOnce(&str) -> Result<Value, RowReason>) {
        match self.cell(name) {
            None => {}
            Some("") => self.put(name, Value::Null),
            Some(cell) => match read(cell) {
                Ok(value) => self.put(name, value),
                Err(reason) => self.problem(name, reason),
            },
        }
    }

    pub(super) fn text(&mut self, name: &str) {
        self.take(name, |cell| Ok(Value::from(cell)));
    }

    /// A word of the field's list: its label in either language, the word itself, or what offices write for it.
    /// An unknown one is kept as it is.
    pub(super) fn word(&mut self, kind: Kind, name: &str) {
        let words = kind.schema().fields.iter().find(|field| field.name == name).map_or(&[][..], |f| f.words);
        self.take(name, |cell| {
            let known =
                words.iter().find(|w| w.zh == cell || w.word == cell || w.en.eq_ignore_ascii_case(cell));
            let word = known.map(|word| word.word).or_else(|| columns::other_word(name, cell));
            Ok(Value::from(word.unwrap_or(cell)))
        });
    }

    pub(super) fn flag(&mut self, name: &str) {
        self.take(name, |cell| columns::yes_or_no(cell).map(Value::from).ok_or(RowReason::NotYesOrNo));
    }

    /// A whole number; what counts (`3层`, `30天`) may stand behind it.
    pub(super) fn int(&mut self, name: &str) {
        self.take(name, |cell| {
            let plain = codes::normalise(cell);
            let digits = plain.trim_end_matches(['层', '楼', 'F', '天', '日']);
            let digits = digits.strip_suffix(".0").unwrap_or(digits);
            digits.parse::<i64>().map(Value::from).map_err(|_| RowReason::NotANumber)
        });
    }

    /// A number; square metres may stand behind it.
    pub(super) fn real(&mut self, name: &str) {
        self.take(name, |cell| {
            let plain = codes::normalise(cell);
            let units = ["平方米", "平米", "㎡", "M²", "M2"];
            let digits = units.iter().find_map(|unit| plain.strip_suffix(unit)).unwrap_or(&plain);
            let number = digits.parse::<f64>().ok().filter(|number| number.is_finite());
            number.map(Value::from).ok_or(RowReason::NotANumber)
        });
    }

    pub(super) fn date(&mut self, name: &str) {
        self.take(name, |cell| day(cell).map(Value::from).ok_or(RowReason::Field(Reason::NotADate)));
    }

    /// The position from the two coordinate columns.
    pub(super) fn position(&mut self, datum: Datum) {
        let (Some(lon), Some(lat)) = (self.cell("lon"), self.cell("lat")) else { return };
        if lon.is_empty() && lat.is_empty() {
            self.put("position", Value::Null);
            return;
        }
        let position = || -> Option<Result<Position, GeoError>> {
            let point =
                LatLon { lat: codes::normalise(lat).parse().ok()?, lon: codes::normalise(lon).parse().ok()? };
            Some(Position::new(point, datum, None, PositionSource::Imported))
        };
        match position() {
            Some(Ok(position)) => self.put("position", Value::Bytes(position.to_bytes())),
            _ => self.problem("lon", RowReason::Coordinates),
        }
    }

    /// Adds what the model's own check says of a record. Warnings do not keep a row out.
    pub(super) fn validate(&mut self, kind: Kind, fields: &Fields) {
        let errors = gridwalk_model::validate::validate(kind, fields);
        for FieldError { field, reason } in errors.into_iter().filter(|error| !error.is_warning()) {
            let column = field.split('/').next().unwrap_or_default().to_owned();
            // A cell that could not be read has been named already.
            let heading = self.sheet.heading(&column);
            if self.problems.iter().all(|problem| problem.column != heading) {
                self.problem(&column, RowReason::Field(reason));
            }
        }
    }

    /// The problems; empty for a good row.
    pub(super) fn into_problems(self) -> Vec<Problem> {
        self.problems
    }

    pub(super) fn is_good(&self) -> bool {
        self.problems.is_empty()
    }
}

/// A day as offices write it, as we do: `2026-02-14`, `2026/2/14`, `2026.2.14`, `2026年2月14日`, `20260214`.
fn day(cell: &str) -> Option<String> {
    let plain = codes::normalise(cell);
    let date = plain.split(['T', ' ']).next().unwrap_or_default();
    let parts: Vec<&str> =
        date.split(['-', '/', '.', '年', '月', '日']).filter(|part| !part.is_empty()).collect();
    let text = match parts.as_slice() {
        [year, month, day] => format!("{year:0>4}-{month:0>2}-{day:0>2}"),
        [digits] if digits.len() == 8 && digits.is_ascii() => {
            let (year, rest) = digits.split_at_checked(4)?;
            let (month, day) = rest.split_at_checked(2)?;
            format!("{year}-{month}-{day}")
        }
        _ => return None,
    };
    parse_date(&text).map(|_| text)
}

#[cfg(test)]
mod tests {
    use gridwalk_model::Record as _;
    use gridwalk_model::records::Dwelling;

    use super::super::Table;
    use super::*;

    fn read(cells: &str, work: impl FnOnce(&mut RowReader<'_>)) -> (Fields, Vec<String>) {
        let file = format!("网格编码,地址编码,楼层,用途,是否出租,建筑面积,经度,纬度\n{cells}\n");
        let sheet = Sheet::read(Table::Dwellings, file.as_bytes()).unwrap();
        let mut reader = RowReader::new(&sheet, &sheet.rows[0]);
        work(&mut reader);
        let fields = reader.fields.clone();
        let said = reader.into_problems().into_iter().map(|p| format!("{} {}", p.column, p.reason.en()));
        (fields, said.collect())
    }

    fn all(reader: &mut RowReader<'_>) {
        reader.code("area");
        reader.code("address_code");
        reader.int("floor");
        reader.word(Kind::Dwelling, "usage");
        reader.flag("rented");
        reader.real("area_m2");
        reader.position(Datum::Gcj02);
        reader.text("remarks");
    }

    #[test]
    fn cells_become_values() {
        let (fields, problems) = read("37,'0012,３层,自住,是,89.5㎡,120.48,36.15", all);
        assert_eq!(problems, Vec::<String>::new());
        let mut whole = fields.clone();
        whole.insert("area".to_owned(), Value::Bytes(vec![0; 16]));
        let dwelling = Dwelling::from_fields(&whole).unwrap();
        assert_eq!((dwelling.floor, dwelling.rented, dwelling.area_m2), (Some(3), Some(true), Some(89.5)));
        assert_eq!(fields.get("usage"), Some(&Value::from("residential")));
        let position = dwelling.position.unwrap();
        assert_eq!(position.datum_in(), Some(Datum::Gcj02));
        assert!(position.lon() < 120.48 && position.lon() > 120.47);
        assert_eq!(fields.get("remarks"), None, "a column that is not there says nothing");
        let (blank, problems) = read("37,1,,,,,,", all);
        assert_eq!(problems, Vec::<String>::new());
        assert!(
            ["floor", "usage", "rented", "area_m2", "position"].iter().all(|name| blank[*name].is_null())
        );
    }

    #[test]
    fn every_bad_cell_is_named() {
        let (_, problems) = read("3.70212E+14,,三,花园,也许,大,120.48,", all);
        assert_eq!(
            problems,
            [
                "网格编码 a spreadsheet kept the code as a number: its last digits are lost",
                "地址编码 required",
                "楼层 not a number",
                "是否出租 write yes or no",
                "建筑面积 not a number",
                "经度 coordinates incomplete or out of range",
            ]
        );
    }

    #[test]
    fn days_are_read_as_offices_write_them() {
        for text in ["2026-02-04", "2026/2/4", "2026.02.4", "2026年2月4日", "20260204", "2026-02-04T00:00:00"]
        {
            assert_eq!(day(text).as_deref(), Some("2026-02-04"), "{text}");
        }
        for text in ["2026-02-30", "2026", "4.2.2026", "二月", "2026020", "", "年月日"] {
            assert_eq!(day(text), None, "{text}");
        }
    }
}
