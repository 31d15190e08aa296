//! The texts of the codes in a frame.

use std::panic::{AssertUnwindSafe, catch_unwind};

use image::GrayImage;
use rqrr::PreparedImage;

use super::meter::Metered;
use super::{LumaFrame, QrError};

/// Codes of one frame that are told: a sheet held into the camera has many, and one is meant.
const MAX_CODES: usize = 32;

/// The texts of the codes in a frame, in the order in which they were found; none is no error. What a code says is
/// whatever somebody printed: to be judged, never to be opened.
///
/// Works within limits of pixels and of work, and leaves no trace: any frame, however it was made, ends in a text or a
/// [`QrError`]. Takes some 10 ms for a frame of 640 × 480 pixels.
///
/// # Errors
/// [`QrError::FrameSize`], [`QrError::FrameTooLarge`], [`QrError::Confused`].
pub fn read_codes(frame: &LumaFrame<'_>) -> Result<Vec<String>, QrError> {
    let picture = frame.picture()?;
    // The reader asserts what a hostile frame can violate, and the meter leaves by unwinding. Nothing outlives it.
    catch_unwind(AssertUnwindSafe(|| texts(picture))).map_err(|_| QrError::Confused)
}

fn texts(picture: GrayImage) -> Vec<String> {
    let mut prepared = PreparedImage::prepare(Metered::new(picture));
    let grids = prepared.detect_grids();
    let decoded = grids.iter().filter_map(|grid| grid.decode().ok());
    decoded.map(|(_, text)| text).take(MAX_CODES).collect()
}
