//! What an operator decides, with the defaults for the rest.

use std::path::PathBuf;

/// How the server runs.
#[derive(Clone, Debug)]
pub struct Config {
    /// Folder of the store and the media.
    pub data: PathBuf,
    /// Limits against flooding.
    pub limits: Limits,
    /// Whether requests come through a proxy that names the client in `X-Forwarded-For`.
    pub behind_proxy: bool,
    /// Longest medium that is taken, in bytes.
    pub media_max_bytes: u64,
    /// Days after which an unfinished upload is given up; at least 30.
    pub upload_days: u16,
}

impl Config {
    /// The defaults, for a store in this folder.
    pub fn new(data: impl Into<PathBuf>) -> Self {
        Self {
            data: data.into(),
            limits: Limits::default(),
            behind_proxy: false,
            media_max_bytes: 64 * 1024 * 1024,
            upload_days: 30,
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
    /// Requests that are read or worked on at once.
    pub in_flight: usize,
    /// Bytes of decoded requests that may wait for the writer.
    pub waiting_bytes: usize,
    /// Uploads that one device may have open.
    pub open_uploads: u64,
    /// Bytes that these may come to.
    pub open_upload_bytes: u64,
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
            in_flight: 64,
            waiting_bytes: 64 * 1024 * 1024,
            open_uploads: 2_000,
            open_upload_bytes: 4 * 1024 * 1024 * 1024,
        }
    }
}
