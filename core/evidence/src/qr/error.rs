//! What can go wrong with codes, for people in Chinese and English.

/// Why a frame was not read, or a sheet not drawn.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum QrError {
    /// The bytes of a frame are fewer than its width, height and stride say.
    #[error("a frame of {bytes} bytes is not what its size says")]
    FrameSize {
        /// How many bytes there are.
        bytes: usize,
    },
    /// A frame has more pixels than are looked at.
    #[error("a frame of {pixels} pixels; at most {limit} are looked at")]
    FrameTooLarge {
        /// How many it has.
        pixels: u64,
        /// How many are looked at.
        limit: u64,
    },
    /// The frame would make more work than a frame is worth. The next one may be better.
    #[error("the frame is too confused to be read")]
    Confused,
    /// A text is too long for a code.
    #[error("label {label} has too long a text for a code")]
    TooLong {
        /// Which label of the sheet, counted from 0.
        label: usize,
    },
    /// A sheet without room for a code that a camera can read.
    #[error("no room for codes in {columns} columns and {rows} rows")]
    NoRoom {
        /// Columns that were asked for.
        columns: u32,
        /// Rows that were asked for.
        rows: u32,
    },
}

impl QrError {
    /// The reason in Chinese.
    pub fn zh(&self) -> String {
        match self {
            Self::FrameSize { .. } => "相机画面数据不完整".into(),
            Self::FrameTooLarge { .. } => "相机画面过大，请降低分辨率".into(),
            Self::Confused => "画面过于杂乱，请对准二维码".into(),
            Self::TooLong { label } => format!("第 {} 个标牌的内容过长", label.saturating_add(1)),
            Self::NoRoom { columns, rows } => format!("每页 {columns} 列 {rows} 行放不下可识别的二维码"),
        }
    }

    /// The reason in English.
    pub fn en(&self) -> String {
        match self {
            Self::FrameSize { .. } => "The camera's frame is incomplete".into(),
            Self::FrameTooLarge { .. } => "The camera's frame is too large; lower the resolution".into(),
            Self::Confused => "Too much in view; point the camera at the code".into(),
            Self::TooLong { label } => format!("The text of label {} is too long", label.saturating_add(1)),
            Self::NoRoom { columns, rows } => {
                format!("Codes in {columns} columns and {rows} rows are too small to be read")
            }
        }
    }
}
