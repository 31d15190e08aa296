//! Why a field is bad, said to people in both languages.

use std::borrow::Cow;

use crate::checklist::TemplateFault;
use crate::codes::resident_id::IdNumberError;
use crate::codes::uscc::UsccError;

/// How much a reason weighs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Weight {
    /// The record is not saved like this.
    Error,
    /// It is saved, and the person is told.
    Warning,
}

/// Why a field is bad.
#[derive(Clone, Debug, PartialEq)]
pub enum Reason {
    /// A required field is empty.
    Missing,
    /// The value is of another type than the field.
    WrongType,
    /// Not a calendar day written `YYYY-MM-DD`.
    NotADate,
    /// An encoded position that cannot be read.
    NotAPosition,
    /// Not a link to a record.
    NotALink,
    /// An encoded entry that cannot be read.
    NotAnEntry,
    /// A name that an element of a set may not have.
    BadElement,
    /// Longer than allowed.
    TooLong {
        /// Limit in characters.
        max: usize,
    },
    /// A character that is not text.
    ControlCharacter,
    /// A word that this build does not know; kept, shown as it is.
    UnknownWord,
    /// A word that the list does not have, and may not have.
    NotOnClosedList,
    /// A whole number out of bounds.
    IntOutOfRange {
        /// Smallest accepted.
        min: i64,
        /// Largest accepted.
        max: i64,
    },
    /// A number out of bounds.
    RealOutOfRange {
        /// Smallest accepted.
        min: f64,
        /// Largest accepted.
        max: f64,
    },
    /// A bad identity number.
    IdNumber(IdNumberError),
    /// An identity number of a region that is not in use.
    UnknownRegion,
    /// An odd unified social credit code.
    Uscc(UsccError),
    /// A telephone number of no known shape.
    OddPhone,
    /// The end is before the beginning.
    EndBeforeStart,
    /// A care tag that lasts longer than twelve months.
    TooFarAway,
    /// None of the fields that say where it is.
    NoPlace,
    /// The version of a checklist has no items.
    NoItems,
    /// What is wrong with a checklist or one of its items.
    Template(TemplateFault),
    /// The token of a label whose check does not fit.
    NotALabel,
    /// Asks for, or states, what this product does not keep about people; see [`crate::forbidden`].
    Forbidden,
    /// A declined visit with answers, or with a day for the next one.
    TriggersNothing,
}

impl Reason {
    /// How much it weighs.
    pub fn weight(&self) -> Weight {
        match self {
            Self::UnknownWord | Self::UnknownRegion | Self::Uscc(_) | Self::OddPhone => Weight::Warning,
            _ => Weight::Error,
        }
    }

    /// The reason in Chinese.
    pub fn zh(&self) -> Cow<'static, str> {
        let text = match self {
            Self::Missing => "必填项未填写",
            Self::WrongType => "数据类型不正确",
            Self::NotADate => "日期应写成 2026-02-14 的形式",
            Self::NotAPosition => "位置无法识别",
            Self::NotALink => "关联的记录无法识别",
            Self::NotAnEntry => "内容无法识别",
            Self::BadElement => "名称不可用",
            Self::TooLong { max } => return format!("超过 {max} 个字").into(),
            Self::ControlCharacter => "含有不可见字符",
            Self::UnknownWord => "不在已知选项中，按原样保留",
            Self::NotOnClosedList => "不在允许的选项中",
            Self::IntOutOfRange { min, max } => return format!("应在 {min} 至 {max} 之间").into(),
            Self::RealOutOfRange { min, max } => return format!("应在 {min} 至 {max} 之间").into(),
            Self::IdNumber(error) => match error {
                IdNumberError::Length => "证件号码应为 18 位",
                IdNumberError::Character => "证件号码含有不应出现的字符",
                IdNumberError::BirthDate => "证件号码中的出生日期不存在",
                IdNumberError::CheckCharacter => "证件号码校验位不正确",
                IdNumberError::LostDigits => "证件号码被表格软件当作数字保存，末几位已丢失",
            },
            Self::UnknownRegion => "证件号码的地区代码未知，请核对",
            Self::Uscc(error) => match error {
                UsccError::Length => "统一社会信用代码应为 18 位，请核对",
                UsccError::Character => "统一社会信用代码含有不应出现的字符，请核对",
                UsccError::CheckCharacter => "统一社会信用代码校验位不正确，请核对",
            },
            Self::OddPhone => "电话号码格式少见，请核对",
            Self::EndBeforeStart => "结束早于开始",
            Self::TooFarAway => "期限不得超过十二个月",
            Self::NoPlace => "请填写地址或位置",
            Self::NoItems => "清单没有检查项",
            Self::Template(fault) => return fault.zh(),
            Self::NotALabel => "二维码编码不正确",
            Self::Forbidden => "含有本系统不采集的内容",
            Self::TriggersNothing => "婉拒即为完整结果，不触发任何后续事项",
        };
        text.into()
    }

    /// The reason in English.
    pub fn en(&self) -> Cow<'static, str> {
        let text = match self {
            Self::Missing => "required",
            Self::WrongType => "wrong type of value",
            Self::NotADate => "write the date as 2026-02-14",
            Self::NotAPosition => "position cannot be read",
            Self::NotALink => "not a link to a record",
            Self::NotAnEntry => "content cannot be read",
            Self::BadElement => "name cannot be used",
            Self::TooLong { max } => return format!("longer than {max} characters").into(),
            Self::ControlCharacter => "contains invisible characters",
            Self::UnknownWord => "not a known option; kept as it is",
            Self::NotOnClosedList => "not an allowed option",
            Self::IntOutOfRange { min, max } => return format!("must be from {min} to {max}").into(),
            Self::RealOutOfRange { min, max } => return format!("must be from {min} to {max}").into(),
            Self::IdNumber(error) => match error {
                IdNumberError::Length => "an ID number has 18 characters",
                IdNumberError::Character => "the ID number has characters that it cannot have",
                IdNumberError::BirthDate => "the birth date in the ID number does not exist",
                IdNumberError::CheckCharacter => "the check character of the ID number is wrong",
                IdNumberError::LostDigits => {
                    "a spreadsheet kept the ID number as a number: its last digits are lost"
                }
            },
            Self::UnknownRegion => "unknown region in the ID number: please check",
            Self::Uscc(error) => match error {
                UsccError::Length => "a social credit code has 18 characters: please check",
                UsccError::Character => {
                    "the social credit code has characters that it cannot have: please check"
                }
                UsccError::CheckCharacter => {
                    "the check character of the social credit code is wrong: please check"
                }
            },
            Self::OddPhone => "unusual telephone number: please check",
            Self::EndBeforeStart => "ends before it begins",
            Self::TooFarAway => "at most twelve months",
            Self::NoPlace => "give an address or a position",
            Self::NoItems => "the checklist has no items",
            Self::Template(fault) => return fault.en(),
            Self::NotALabel => "not the token of a label",
            Self::Forbidden => "says what this product does not keep about people",
            Self::TriggersNothing => "a declined visit is complete and triggers nothing",
        };
        text.into()
    }
}
