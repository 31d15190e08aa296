//! QR codes of labels: read from frames of a camera, and drawn on sheets to print.
//!
//! | question | file |
//! | --- | --- |
//! | what a camera delivers, within limits | `frame` |
//! | how much work a frame may make | `meter` |
//! | which texts a frame shows | `read` |
//! | labels on A4 | `sheet` |

mod error;
mod frame;
mod meter;
mod read;
mod sheet;
#[cfg(test)]
mod tests;

pub use error::QrError;
pub use frame::LumaFrame;
pub use read::read_codes;
pub use sheet::{LabelSheet, SheetLabel};
