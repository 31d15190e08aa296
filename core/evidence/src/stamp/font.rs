//! The stamp's font: bytes that the caller read from the system's own font files.

use ab_glyph::{Font, FontRef, FontVec, GlyphId, Outline, VariableFont};

use super::words;
use crate::error::EvidenceError;

/// Weight asked of a variable font; thinner strokes are lost in small text on a photo.
const WEIGHT: f32 = 500.0;

/// A parsed font with outlines (TrueType or CFF), single or a face of a collection.
///
/// Parsing reads tables only, so a font may be parsed anew for each photo.
pub struct StampFont<'a> {
    face: Box<dyn Font + Send + Sync + 'a>,
}

impl<'a> StampFont<'a> {
    /// Parses a font file. Of a collection the face for simplified Chinese is taken if there is one, else the first.
    ///
    /// # Errors
    /// [`EvidenceError::Font`] if the bytes are no font.
    pub fn parse(bytes: &'a [u8]) -> Result<Self, EvidenceError> {
        Self::parse_face(bytes, simplified_face(bytes))
    }

    /// Parses one face of a collection, counted from 0. A single font has face 0 only.
    ///
    /// # Errors
    /// [`EvidenceError::Font`] if there is no such face.
    pub fn parse_face(bytes: &'a [u8], index: u32) -> Result<Self, EvidenceError> {
        let font = FontRef::try_from_slice_and_index(bytes, index);
        let mut font = font.map_err(|_| EvidenceError::Font { index })?;
        font.set_variation(b"wght", WEIGHT);
        Ok(Self { face: Box::new(font) })
    }

    /// As [`StampFont::parse`], keeping the bytes, for callers that hold a font for long.
    ///
    /// # Errors
    /// [`EvidenceError::Font`] if the bytes are no font.
    pub fn from_vec(bytes: Vec<u8>) -> Result<StampFont<'static>, EvidenceError> {
        let index = simplified_face(&bytes);
        let mut font =
            FontVec::try_from_vec_and_index(bytes, index).map_err(|_| EvidenceError::Font { index })?;
        font.set_variation(b"wght", WEIGHT);
        Ok(StampFont { face: Box::new(font) })
    }

    /// Whether a stamp in Chinese is possible. If not, try the next of [`system_font_candidates`].
    pub fn covers_chinese(&self) -> bool {
        words::CHINESE.chars().chain(words::LATIN.chars()).all(|c| self.covers(c))
    }

    /// Whether the font can draw a character. A glyph without an outline does not count: some systems' fonts keep their outlines in
    /// private tables.
    pub fn covers(&self, c: char) -> bool {
        c == ' ' || self.glyph(c).is_some_and(|id| self.outline(id).is_some())
    }

    pub(super) fn glyph(&self, c: char) -> Option<GlyphId> {
        Some(self.face.glyph_id(c)).filter(|id| id.0 != 0)
    }

    pub(super) fn outline(&self, id: GlyphId) -> Option<Outline> {
        self.face.outline(id)
    }

    /// Pixels per font unit at a size of `em` pixels.
    pub(super) fn factor(&self, em: f32) -> f32 {
        em / self.face.units_per_em().filter(|u| *u > 0.0).unwrap_or(1000.0)
    }

    /// How far a character moves on, in pixels at a size of `em`. A character that the font lacks takes no room.
    pub(super) fn advance(&self, c: char, em: f32) -> f32 {
        self.glyph(c).map_or(0.0, |id| self.face.h_advance_unscaled(id) * self.factor(em))
    }
}

impl std::fmt::Debug for StampFont<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "StampFont({} glyphs)", self.face.glyph_count())
    }
}

/// Pan-CJK collections have one face for each region's letter shapes; their family names end in SC, CN or Hans for simplified
/// Chinese.
fn simplified_face(bytes: &[u8]) -> u32 {
    let faces = ttf_parser::fonts_in_collection(bytes).unwrap_or(1).min(64);
    let simplified = |index: &u32| {
        let Ok(face) = ttf_parser::Face::parse(bytes, *index) else { return false };
        face.names()
            .into_iter()
            .filter(|n| n.name_id == ttf_parser::name_id::FAMILY)
            .filter_map(|n| n.to_string())
            .any(|n| n.split([' ', '-']).any(|w| matches!(w, "SC" | "CN" | "Hans")))
    };
    (0..faces).find(simplified).unwrap_or(0)
}

/// Files that hold Chinese glyphs on usual systems, best first. Read the first that exists and [`StampFont::covers_chinese`].
///
/// Android lets apps read `/system/fonts`. On Linux the file is in Debian's `fonts-wqy-microhei` or `fonts-noto-cjk`. iOS has no entry:
/// apps may not rely on paths there, and since iOS 18 the system's Chinese font keeps its outlines in a table that only the system
/// reads, so the iOS shell has to bring a font file of its own (an OFL one, fetched when the app is built).
pub fn system_font_candidates() -> &'static [&'static str] {
    &[
        "/system/fonts/NotoSansCJK-Regular.ttc",
        "/system/fonts/NotoSansSC-Regular.otf",
        "/system/fonts/HarmonyOS_Sans_SC.ttf",
        "/system/fonts/HarmonyOS_Sans_SC_Regular.ttf",
        "/system/fonts/MiSansVF.ttf",
        "/system/fonts/DroidSansFallback.ttf",
        "/system/fonts/DroidSansFallbackFull.ttf",
        "/usr/share/fonts/truetype/wqy/wqy-microhei.ttc",
        "/usr/share/fonts/opentype/noto/NotoSansCJK-Regular.ttc",
        "/usr/share/fonts/noto-cjk/NotoSansCJK-Regular.ttc",
        "/usr/share/fonts/google-noto-cjk/NotoSansCJK-Regular.ttc",
        "/usr/share/fonts/google-noto-sans-cjk-fonts/NotoSansCJK-Regular.ttc",
        "/usr/share/fonts/truetype/droid/DroidSansFallbackFull.ttf",
        "/usr/share/fonts/truetype/wqy/wqy-zenhei.ttc",
        "/usr/share/fonts/wenquanyi/wqy-microhei/wqy-microhei.ttc",
    ]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::test_support::{chinese_font, latin_font};

    #[test]
    fn bytes_that_are_no_font_are_refused() {
        assert!(matches!(StampFont::parse(b"no font"), Err(EvidenceError::Font { index: 0 })));
        assert!(matches!(StampFont::from_vec(Vec::new()), Err(EvidenceError::Font { .. })));
    }

    #[test]
    fn coverage_is_that_of_the_font() {
        if let Some(bytes) = chinese_font() {
            let font = StampFont::parse(&bytes).unwrap();
            assert!(font.covers_chinese());
            assert!(font.covers('崂') && !font.covers('\u{10FFFD}'));
            assert!(StampFont::parse_face(&bytes, 99).is_err());
            assert!(StampFont::from_vec(bytes.clone()).unwrap().covers_chinese());
        }
        if let Some(bytes) = latin_font() {
            let font = StampFont::parse(&bytes).unwrap();
            assert!(!font.covers_chinese() && font.covers('7') && !font.covers('网'));
        }
    }
}
