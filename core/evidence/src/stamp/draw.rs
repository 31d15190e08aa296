//! Draws a laid-out stamp: a translucent dark band along the lower edge, white text on it.

use ab_glyph::{Glyph, OutlinedGlyph, PxScale, PxScaleFactor, point};
use image::RgbImage;

use super::font::StampFont;
use super::layout::{Block, Placed};

/// How much of the picture's light passes the band. White text on a white wall keeps a contrast of about 7 : 1.
const BAND_LIGHT: f32 = 0.34;
/// Light of a label.
const DIM: f32 = 0.8;
/// Lifts the half-covered edges of strokes; thin strokes would vanish in small text otherwise.
const EDGE_GAMMA: f32 = 0.72;

/// Draws `block` along the lower edge of `picture`. Whatever reaches beyond the picture is cut off.
pub(super) fn draw(picture: &mut RgbImage, block: &Block, font: &StampFont<'_>) {
    let height = picture.height() as f32;
    let top = (height - block.height()).max(0.0);
    darken(picture, top as u32);
    for (number, line) in block.lines.iter().enumerate() {
        // A Chinese character's box reaches from 0.88 em above the baseline to 0.12 em below it.
        let middle = top + block.padding + (number as f32 + 0.5) * block.line_height;
        let baseline = (middle + 0.38 * block.em).round();
        for placed in line {
            glyph(picture, *placed, baseline, block.em, font);
        }
    }
}

fn darken(picture: &mut RgbImage, top: u32) {
    let (row_bytes, skip) = (picture.width() as usize * 3, top as usize);
    for row in picture.chunks_exact_mut(row_bytes.max(1)).skip(skip) {
        for channel in row {
            *channel = (f32::from(*channel) * BAND_LIGHT) as u8;
        }
    }
}

fn glyph(picture: &mut RgbImage, placed: Placed, baseline: f32, em: f32, font: &StampFont<'_>) {
    let Some(id) = font.glyph(placed.character) else { return };
    let Some(outline) = font.outline(id) else { return };
    let factor = font.factor(em);
    let scale_factor = PxScaleFactor { horizontal: factor, vertical: factor };
    let glyph = Glyph { id, scale: PxScale::from(em), position: point(placed.x, baseline) };
    let outlined = OutlinedGlyph::new(glyph, outline, scale_factor);
    let bounds = outlined.px_bounds();
    let light = 255.0 * if placed.dim { DIM } else { 1.0 };
    let (left, top) = (bounds.min.x as i64, bounds.min.y as i64);
    outlined.draw(|x, y, coverage| {
        let at = (u32::try_from(left + i64::from(x)), u32::try_from(top + i64::from(y)));
        let (Ok(x), Ok(y)) = at else { return };
        let Some(pixel) = picture.get_pixel_mut_checked(x, y) else { return };
        let cover = coverage.clamp(0.0, 1.0).powf(EDGE_GAMMA);
        for channel in &mut pixel.0 {
            let under = f32::from(*channel);
            *channel = (under + (light - under) * cover).round().clamp(0.0, 255.0) as u8;
        }
    });
}
