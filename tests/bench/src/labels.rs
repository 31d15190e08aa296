//! Reading the code of a label in frames of a camera, on one core.

use gridwalk_evidence::{LumaFrame, read_codes};
use gridwalk_harness::seeded::Seeded;
use qrcodegen::{QrCode, QrCodeEcc};

use crate::measure::{Figure, Printer, Result, median, timed};

const ROUNDS: usize = 15;
/// What shells hand over: a preview frame's grey plane.
const FRAME: (u32, u32) = (1_280, 720);
const LABEL: &str = "https://grid.example.cn/r/0123456789ABCDEFGHJKMNPQRSTVW1";
/// Pixels of a module: a label of 4 cm at arm's length.
const MODULE: i32 = 7;

pub fn run(printer: &mut Printer) -> Result {
    let code = QrCode::encode_text(LABEL, QrCodeEcc::Quartile)?;
    for (what, code, codes) in [("with a label", Some(&code), 1), ("without one", None, 0)] {
        let luma = frame(code);
        let (width, height) = FRAME;
        let mut times = Vec::new();
        for _ in 0..ROUNDS {
            let frame = LumaFrame { width, height, stride: luma.len() / height as usize, luma: &luma };
            let (found, time) = timed(|| Ok(read_codes(&frame)?))?;
            if found.len() != codes || found.iter().any(|text| text != LABEL) {
                return Err(format!("a frame {what} was read as {} codes", found.len()).into());
            }
            times.push(time);
        }
        printer.print(&Figure {
            name: format!("photo scan of a {width}x{height} grey frame {what}"),
            n: ROUNDS,
            ms: Some(median(times)),
            bytes: Some(luma.len() as f64),
            ..Figure::default()
        });
    }
    Ok(())
}

/// A stairwell's wall as a cheap camera sees it: darker to one side, a railing, noise; and the label on it, if there
/// is one.
fn frame(code: Option<&QrCode>) -> Vec<u8> {
    let (width, height) = FRAME;
    let mut noise = Seeded::new(11);
    let size = code.map_or(0, |code| (code.size() + 8) * MODULE);
    let (left, top) = ((width as i32 - size) / 2, (height as i32 - size) / 2);
    let mut luma = Vec::new();
    for y in 0..height as i32 {
        for x in 0..width as i32 {
            let (column, row) = ((x - left).div_euclid(MODULE) - 4, (y - top).div_euclid(MODULE) - 4);
            let on_label = (left..left + size).contains(&x) && (top..top + size).contains(&y);
            let light = match code {
                // Outside of the code itself a module counts as light: the quiet zone.
                Some(code) if on_label => {
                    if code.get_module(column, row) {
                        45
                    } else {
                        215
                    }
                }
                _ if x % 160 < 12 => 70,
                _ => 190 - x / 16,
            };
            let off = noise.below(17) as i32 - 8;
            luma.push((light + off).clamp(0, 255) as u8);
        }
    }
    luma
}
