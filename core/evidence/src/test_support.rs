//! Fonts, real files and made-up facts for the tests. Everything made up is made up here.

use std::path::PathBuf;

#[path = "../../../tests/support/shared_data.rs"]
mod shared_data;

use crate::{PhotoSource, StampDatum, StampFacts, StampFont, StampPlace, StampTime, system_font_candidates};

/// Facts of a made-up photo, 2026-03-14 09:26:53 in China.
pub(crate) fn facts() -> StampFacts {
    StampFacts {
        time: StampTime { unix_ms: 1_773_451_613_589, utc_offset_minutes: 480 },
        place: Some(StampPlace {
            lat: 36.107_421,
            lon: 120.468_912,
            datum: StampDatum::Wgs84,
            accuracy_m: Some(7.6),
        }),
        grid_name: Some("崂山区中韩街道东城社区第三网格".into()),
        grid_code: Some("370212004-G03".into()),
        worker_code: "W0117".into(),
        event_number: Some("SJ20260314-0042".into()),
        photo_id: Some("7F3A9C21".into()),
        source: PhotoSource::Camera,
    }
}

/// The bytes of a font with Chinese glyphs: the file that `GRIDWALK_FONT` names, or the first system font. Says so if there is none.
pub(crate) fn chinese_font() -> Option<Vec<u8>> {
    let named = std::env::var("GRIDWALK_FONT").ok();
    let candidates = named.iter().map(String::as_str).chain(system_font_candidates().iter().copied());
    let found = candidates
        .filter_map(|path| std::fs::read(path).ok())
        .find(|bytes| StampFont::parse(bytes).is_ok_and(|font| font.covers_chinese()));
    if found.is_none() {
        println!("no CJK font: stamp in Chinese not tested");
    }
    found
}

/// The bytes of a font without Chinese glyphs.
pub(crate) fn latin_font() -> Option<Vec<u8>> {
    let paths = [
        "/usr/share/fonts/truetype/dejavu/DejaVuSans.ttf",
        "/usr/share/fonts/truetype/liberation/LiberationSans-Regular.ttf",
        "/usr/share/fonts/TTF/DejaVuSans.ttf",
    ];
    let found = paths.iter().find_map(|path| std::fs::read(path).ok());
    if found.is_none() {
        println!("no Latin font: stamp in Latin letters not tested");
    }
    found
}

/// The folder of real camera files. Says so if it is absent.
pub(crate) fn real_photos() -> Option<PathBuf> {
    shared_data::shared("photos")
}

/// A made-up picture with slopes and edges, which compresses like a photo.
pub(crate) fn picture(width: u32, height: u32) -> image::RgbImage {
    image::RgbImage::from_fn(width, height, |x, y| {
        let (u, v) = (x as f32 / width as f32, y as f32 / height as f32);
        let wave =
            ((u * 9.0).sin() * (v * 7.0).cos() * 60.0) + if (x / 16 + y / 24) % 3 == 0 { 25.0 } else { 0.0 };
        let channel = |base: f32| (base + wave).clamp(0.0, 255.0) as u8;
        image::Rgb([channel(60.0 + 120.0 * u), channel(90.0 + 80.0 * v), channel(170.0 - 90.0 * u * v)])
    })
}

/// The picture as JPEG, with the encoder's settings changed by `with`.
pub(crate) fn jpeg_with(
    picture: &image::RgbImage,
    with: impl FnOnce(&mut jpeg_encoder::Encoder<&mut Vec<u8>>),
) -> Vec<u8> {
    let mut bytes = Vec::new();
    let mut encoder = jpeg_encoder::Encoder::new(&mut bytes, 88);
    with(&mut encoder);
    let (width, height) = (picture.width() as u16, picture.height() as u16);
    encoder.encode(picture, width, height, jpeg_encoder::ColorType::Rgb).unwrap();
    bytes
}

/// The picture as JPEG without metadata.
pub(crate) fn jpeg(picture: &image::RgbImage) -> Vec<u8> {
    jpeg_with(picture, |_| {})
}

/// Any picture as PNG or WebP.
pub(crate) fn encoded(picture: &image::DynamicImage, format: image::ImageFormat) -> Vec<u8> {
    let mut bytes = std::io::Cursor::new(Vec::new());
    picture.write_to(&mut bytes, format).unwrap();
    bytes.into_inner()
}

/// The pixels of a JPEG that this crate made.
pub(crate) fn pixels(bytes: &[u8]) -> image::RgbImage {
    image::load_from_memory(bytes).unwrap().into_rgb8()
}
