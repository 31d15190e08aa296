//! The stamp (水印): what, when, where and by whose device, written into the pixels.
//!
//! No name and no door address is ever part of it. [`facts`] holds what is stamped, `words` puts it into Chinese or, where the font
//! lacks Chinese glyphs, into digits and Latin letters; `layout` breaks it into lines and `draw` draws them.

mod draw;
mod facts;
mod font;
mod layout;
mod words;

pub use facts::{PhotoSource, StampDatum, StampFacts, StampPlace, StampTime};
pub use font::{StampFont, system_font_candidates};

use image::RgbImage;

use layout::Block;
use words::Words;

/// How the stamp was written. Kept in the record, so that a reader knows why a photo has no Chinese stamp, or none.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum StampOutcome {
    /// In Chinese.
    Chinese,
    /// In digits and Latin letters, because the font lacks Chinese glyphs.
    Latin,
    /// Not at all, because there is no font, or it lacks even digits.
    None,
}

/// A stamp ready to be drawn on the photo and on its preview.
pub(crate) struct Stamp<'a> {
    ready: Option<(Words, &'a StampFont<'a>)>,
}

impl<'a> Stamp<'a> {
    pub(crate) fn new(facts: &StampFacts, photo_id: &str, font: Option<&'a StampFont<'a>>) -> Self {
        Self { ready: font.and_then(|font| Some((Words::new(facts, photo_id, font)?, font))) }
    }

    pub(crate) fn outcome(&self) -> StampOutcome {
        match &self.ready {
            Some((words, _)) if words.chinese => StampOutcome::Chinese,
            Some(_) => StampOutcome::Latin,
            None => StampOutcome::None,
        }
    }

    /// Characters of the facts that the font lacks; a question mark stands in their place.
    pub(crate) fn missing(&self) -> String {
        self.ready.as_ref().map(|(words, _)| words.missing.clone()).unwrap_or_default()
    }

    /// Draws everything, smaller on a small photo; on a very small one the preview's selection.
    pub(crate) fn draw_on_photo(&self, picture: &mut RgbImage) {
        let Some((words, font)) = &self.ready else { return };
        let (width, height) = picture.dimensions();
        let size = (width.max(height) as f32 / 58.0).clamp(14.0, 64.0);
        let block = Block::fit(&words.full, font, (width, height), size, 10.0, 0.45)
            .unwrap_or_else(|| Block::squeeze(&words.short, font, (width, height)));
        draw::draw(picture, &block, font);
    }

    /// Draws the selection that stays legible at 320 pixels.
    pub(crate) fn draw_on_preview(&self, picture: &mut RgbImage) {
        let Some((words, font)) = &self.ready else { return };
        let size = picture.dimensions();
        let block = Block::fit(&words.short, font, size, 13.0, 11.0, 0.5)
            .unwrap_or_else(|| Block::squeeze(&words.short, font, size));
        draw::draw(picture, &block, font);
    }
}
