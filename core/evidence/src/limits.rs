//! What the crate accepts and what it makes of it.

/// Limits for what comes in, and sizes for what goes out.
///
/// All checks on what comes in are made on the header alone, before any pixel is inflated. The defaults take a 50-megapixel
/// phone photo and need less than 100 MB for a 12-megapixel one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Longest file that is looked at, in bytes.
    pub max_input_bytes: u64,
    /// Most pixels (width × height) that are decoded.
    pub max_pixels: u64,
    /// Longest edge that is decoded, in pixels.
    pub max_edge: u32,
    /// Most memory that decoding may need, in bytes, estimated from the header.
    pub max_memory: u64,
    /// Shortest edge that still counts as a photo, in pixels.
    pub min_edge: u32,
    /// Long edge of the stored photo, in pixels. Smaller photos are not enlarged.
    pub stored_long_edge: u32,
    /// JPEG quality of the stored photo, 1 to 100.
    pub stored_quality: u8,
    /// Longest stored photo that a server accepts, in bytes.
    pub stored_max_bytes: u64,
    /// Long edge of the preview, in pixels.
    pub preview_long_edge: u32,
    /// Longest preview, in bytes. Quality is lowered, then the size, until it fits.
    pub preview_max_bytes: u64,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            max_input_bytes: 48 << 20,
            max_pixels: 64_000_000,
            max_edge: 20_000,
            max_memory: 256 << 20,
            min_edge: 64,
            stored_long_edge: 1_920,
            stored_quality: 82,
            stored_max_bytes: 4 << 20,
            preview_long_edge: 320,
            preview_max_bytes: 24 << 10,
        }
    }
}
