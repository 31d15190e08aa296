//! What an operator decides, with the defaults for the rest.

use std::path::PathBuf;

use crate::media::MediaLimits;

/// Days for which the tracks of patrols are kept if nobody says otherwise.
pub const TRACK_DAYS: u32 = 30;

/// How the server runs.
#[derive(Clone, Debug)]
pub struct Config {
    /// Folder of the store and the media.
    pub data: PathBuf,
    /// Limits against flooding.
    pub limits: Limits,
    /// Whether requests come through a proxy that names the client in `X-Forwarded-For`.
    pub behind_proxy: bool,
    /// Whether browsers reach the console by HTTPS, so that its cookies may be sent that way only.
    pub https: bool,
    /// Limits of uploads.
    pub media: MediaLimits,
    /// Days for which the tracks of patrols are kept.
    pub track_days: u32,
}

impl Config {
    /// The defaults, for a store in this folder.
    pub fn new(data: impl Into<PathBuf>) -> Self {
        Self {
            data: data.into(),
            limits: Limits::default(),
            behind_proxy: false,
            https: false,
            media: MediaLimits::default(),
            track_days: TRACK_DAYS,
        }
    }
}

/// Limits against flooding. Each is a bucket: so many requests at once, refilled at so many a second.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// Requests of one device.
    pub device: Rate,
    /// Requests without a session from one address.
    pub address: Rate,
    /// Requests of one device that are open at once.
    pub device_open: u32,
    /// Bytes of bodies that may be on their way in.
    pub reading_bytes: usize,
    /// Requests that are worked on at once.
    pub in_flight: usize,
    /// Bytes of decoded requests that may wait for the writer.
    pub waiting_bytes: usize,
}

/// A rate.
#[derive(Clone, Copy, Debug)]
pub struct Rate {
    /// At once.
    pub burst: u32,
    /// A second.
    pub per_second: u32,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            device: Rate { burst: 600, per_second: 200 },
            address: Rate { burst: 300, per_second: 50 },
            device_open: 16,
            reading_bytes: 64 * 1024 * 1024,
            in_flight: 64,
            waiting_bytes: 64 * 1024 * 1024,
        }
    }
}
