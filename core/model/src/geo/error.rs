//! What can be wrong with geographic input.

/// A reason why geographic input was refused. Carries places in the input, never its content.
///
/// `Display` is the English text; [`Self::zh`] is the Chinese one.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum GeoError {
    /// A coordinate is not a number or outside -90..=90 (latitude) or -180..=180 (longitude).
    #[error("{axis} is outside its range or not a number")]
    OutOfRange {
        /// `latitude` or `longitude`.
        axis: &'static str,
    },
    /// An accuracy is not a number, negative, or larger than the Earth.
    #[error("accuracy is negative, absurdly large or not a number")]
    BadAccuracy,
    /// Bytes that are no encoded position, shape or track.
    #[error("not an encoded {what}: stopped at byte {at}")]
    BadEncoding {
        /// What was expected.
        what: &'static str,
        /// Offset in bytes.
        at: usize,
    },
    /// The text is not JSON in UTF-8.
    #[error("not JSON in UTF-8: stopped at line {line}, column {column}")]
    NotJson {
        /// Line, from 1.
        line: usize,
        /// Column in bytes, from 1.
        column: usize,
    },
    /// JSON, but no GeoJSON `FeatureCollection`.
    #[error("not a GeoJSON FeatureCollection with a list of features")]
    NotAFeatureCollection,
    /// The text is not well-formed XML in UTF-8, or ends too early.
    #[error("not well-formed XML in UTF-8: stopped at byte {at}")]
    NotXml {
        /// Offset in bytes.
        at: u64,
    },
    /// XML, but the root element is not `gpx`.
    #[error("not a GPX file: the root element is not gpx")]
    NotGpx,
    /// More points than a file may have.
    #[error("more than {limit} points")]
    TooManyPoints {
        /// How many are accepted.
        limit: usize,
    },
}

impl GeoError {
    /// The text in Chinese.
    pub fn zh(&self) -> String {
        match self {
            Self::OutOfRange { axis: "latitude" } => "纬度超出范围或不是数字".to_owned(),
            Self::OutOfRange { .. } => "经度超出范围或不是数字".to_owned(),
            Self::BadAccuracy => "定位精度为负、过大或不是数字".to_owned(),
            Self::BadEncoding { at, .. } => format!("地理数据编码有误,在第{at}字节处停止"),
            Self::NotJson { line, column } => {
                format!("不是UTF-8编码的JSON,在第{line}行第{column}列处停止")
            }
            Self::NotAFeatureCollection => "不是GeoJSON要素集合(FeatureCollection)".to_owned(),
            Self::NotXml { at } => format!("不是UTF-8编码的完整XML,在第{at}字节处停止"),
            Self::NotGpx => "不是GPX文件:根元素不是gpx".to_owned(),
            Self::TooManyPoints { limit } => format!("轨迹点超过{limit}个"),
        }
    }
}
