//! What a stamp states.

/// The facts under a photo. Texts are cleaned of control characters and shortened before they are drawn.
#[derive(Debug, Clone, PartialEq)]
pub struct StampFacts {
    /// When the photo was taken.
    pub time: StampTime,
    /// Where it was taken; `None` is stamped as "no position".
    pub place: Option<StampPlace>,
    /// The grid's name, in Chinese.
    pub grid_name: Option<String>,
    /// The grid's code, which takes the name's place where the font lacks its characters.
    pub grid_code: Option<String>,
    /// The worker's code. Never a name.
    pub worker_code: String,
    /// The event's number, if the photo belongs to one.
    pub event_number: Option<String>,
    /// The photo's short id. `None`: the first eight hexadecimal digits of the original file's SHA-256.
    pub photo_id: Option<String>,
    /// Where the file is from; a photo out of the gallery says so.
    pub source: PhotoSource,
}

/// A moment and the clock it is shown by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct StampTime {
    /// Milliseconds since 1970 UTC.
    pub unix_ms: i64,
    /// Minutes ahead of UTC; 480 in China.
    pub utc_offset_minutes: i16,
}

/// A position as it is stamped.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct StampPlace {
    /// Degrees north.
    pub lat: f64,
    /// Degrees east.
    pub lon: f64,
    /// The datum of these two numbers.
    pub datum: StampDatum,
    /// Radius in metres, if known.
    pub accuracy_m: Option<f32>,
}

/// The datum that coordinates are stated in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum StampDatum {
    /// WGS-84, as every position is stored.
    Wgs84,
    /// GCJ-02, as Chinese maps draw.
    Gcj02,
    /// BD-09.
    Bd09,
}

impl StampDatum {
    /// The usual name, the same in both languages.
    pub fn name(self) -> &'static str {
        match self {
            Self::Wgs84 => "WGS-84",
            Self::Gcj02 => "GCJ-02",
            Self::Bd09 => "BD-09",
        }
    }
}

/// Where a photo's file is from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum PhotoSource {
    /// Taken with the app's camera.
    Camera,
    /// Chosen from the phone's gallery.
    Gallery,
}
